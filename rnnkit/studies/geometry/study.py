"""The chapter's plan: nets times seeds, each trained and then probed."""

from __future__ import annotations

import numpy as np

from rnnkit.datasets.mnist import resolve
from rnnkit.results import RecordKey
from rnnkit.studies.base import Job, Study
from rnnkit.studies.geometry.configs import NETS, Net, make_net
from rnnkit.studies.geometry.training import compute_training


class Geometry(Study):
    """Study 002: what a vanilla RNN's hidden states look like while it reads a digit row by row."""

    chapter = "geometry"
    title = "The geometry of hidden states"
    versions = {"train": 1}  # noqa: RUF012
    default_seeds = {"quick": (0, 1), "paper": (0, 1, 2, 3, 4)}  # noqa: RUF012
    configs = NETS

    def plan(self) -> list[Job]:
        """Training of every net and seed, then the probes."""
        dataset = "mnist" if self.budget == "paper" else resolve("quick")
        jobs = []
        for seed in self.seeds:
            for name in NETS:
                net = make_net(name, self.budget)
                jobs.append(self._training(net, seed, dataset))
        return jobs

    def _training(self, net: Net, seed: int, dataset: str) -> Job:
        config = {"net": net.to_dict(), "dataset": dataset, "seed": seed}
        key = RecordKey(self.chapter, "train", config, self.versions["train"], f"{net.name}-s{seed}")
        return Job(key, net, seed, compute_training)

    def measurements(self) -> dict[str, np.ndarray]:
        """Not yet."""
        return {}
