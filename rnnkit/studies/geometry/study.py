"""The chapter's plan: nets times seeds, each trained and then probed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from rnnkit.datasets.mnist import resolve
from rnnkit.lazily import functions
from rnnkit.results import RecordKey
from rnnkit.studies.base import Study
from rnnkit.studies.geometry.configs import BUDGETS, NETS, ProbeConfig, make_net
from rnnkit.studies.geometry.measurements import measure
from rnnkit.studies.jobs import Job

(compute_training,) = functions("rnnkit.studies.geometry.training", "compute_training")
(compute_probes,) = functions("rnnkit.studies.geometry.probing", "compute_probes")
compute_early_map, compute_embedding, compute_paths, compute_variants = functions(
    "rnnkit.studies.geometry.maps",
    "compute_early_map",
    "compute_embedding",
    "compute_paths",
    "compute_variants",
)
# What is drawn for one seed only; the rest is measured for every net and seed.
_FIRST_SEED_KINDS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "embedding": (compute_embedding, ("paper", "tuned", "normalised", "untrained")),
    "paths": (compute_paths, NETS),
    "variants": (compute_variants, ("paper",)),
}
_EVERY_SEED_KINDS: dict[str, Callable[..., Any]] = {"probes": compute_probes, "early_map": compute_early_map}


class Geometry(Study):
    """Study 002: what a vanilla RNN's hidden states look like while it reads a digit row by row."""

    chapter = "geometry"
    title = "The geometry of hidden states"
    versions = {  # noqa: RUF012
        "train": 1,
        "probes": 1,
        "early_map": 2,
        "embedding": 1,
        "paths": 1,
        "variants": 1,
    }
    default_seeds = {"quick": (0, 1), "paper": (0, 1, 2, 3, 4)}  # noqa: RUF012
    configs = NETS

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Committed paper records are of MNIST: drawing them needs no data on this machine.
        self.dataset = "mnist" if self.budget == "paper" else resolve("quick")

    def plan(self) -> list[Job]:
        """Training of every net and seed, each followed by the probes of it."""
        jobs = []
        for seed in self.seeds:
            for name in NETS:
                jobs += self._jobs_of(name, seed)
        return jobs

    def measurements(self) -> dict[str, np.ndarray]:
        """What the claims are settled by; see :mod:`rnnkit.studies.geometry.measurements`."""
        return measure(self)

    def _jobs_of(self, name: str, seed: int) -> list[Job]:
        net = make_net(name, self.budget)
        config = {"net": net.to_dict(), "dataset": self.dataset, "seed": seed}
        training = Job(self._key("train", config, name, seed), net, seed, compute_training)
        probe = ProbeConfig(net, self.dataset, BUDGETS[self.budget])
        probe_config = config | {"budget": asdict(probe.budget)}
        kinds = dict(_EVERY_SEED_KINDS)
        if seed == self.seeds[0]:
            kinds |= {kind: run for kind, (run, nets) in _FIRST_SEED_KINDS.items() if name in nets}
        return [training] + [
            Job(self._key(kind, probe_config, name, seed), probe, seed, run, (training,))
            for kind, run in kinds.items()
        ]

    def _key(self, kind: str, config: dict[str, Any], name: str, seed: int) -> RecordKey:
        return RecordKey(self.chapter, kind, config, self.versions[kind], f"{name}-s{seed}")
