"""The chapter's plan: nets that read rows, populations that recall and add, and what is asked of them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rnnkit.datasets.mnist import resolve
from rnnkit.results import RecordKey
from rnnkit.studies.base import Study
from rnnkit.studies.jobs import Job
from rnnkit.studies.lab import rows_configs
from rnnkit.studies.lab.rows import compute_rows


class Lab(Study):
    """Study 001: three tasks, each under enough seeds to tell luck from law."""

    chapter = "lab"
    title = "Rows, recall and addition"
    versions: ClassVar[dict[str, int]] = {"rows": 1}
    default_seeds: ClassVar[dict[str, tuple[int, ...]]] = {"quick": (0,), "paper": (0, 1, 2)}
    configs = rows_configs.NETS

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Committed records are of MNIST: drawing them needs no data on this machine.
        self.dataset = "mnist" if self.budget == "paper" else resolve("quick")

    def plan(self) -> list[Job]:
        """The grid of nets that read rows, seed by seed."""
        return [self._rows(name, seed) for seed in self.seeds for name in rows_configs.NETS]

    def measurements(self) -> dict[str, np.ndarray]:
        """What the claims are settled by."""
        return {}

    def _rows(self, name: str, seed: int) -> Job:
        net = rows_configs.make_net(name, self.budget, first_seed=seed == 0)
        config = {"net": net.to_dict(), "dataset": self.dataset, "seed": seed}
        key = RecordKey(self.chapter, "rows", config, self.versions["rows"], f"{name}-s{seed}")
        return Job(key, net, seed, compute_rows)
