"""The chapter's plan: nets that read rows, populations that recall and add, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from rnnkit.datasets.mnist import resolve
from rnnkit.lazily import functions
from rnnkit.results import RecordKey
from rnnkit.studies.base import Study
from rnnkit.studies.jobs import Job
from rnnkit.studies.lab import rows_configs, tasks_configs
from rnnkit.studies.lab.measurements import measure

compute_images, compute_rows = functions("rnnkit.studies.lab.rows", "compute_images", "compute_rows")
(compute_recall,) = functions("rnnkit.studies.lab.recalling", "compute_recall")
(compute_addition,) = functions("rnnkit.studies.lab.adding", "compute_addition")
(compute_adders,) = functions("rnnkit.studies.lab.adders", "compute_adders")

NUM_ROWS_SEEDS = {"quick": 1, "paper": 3}


class Lab(Study):
    """Study 001: three tasks, each under enough seeds to tell luck from law."""

    chapter = "lab"
    title = "Rows, recall and addition"
    versions: ClassVar[dict[str, int]] = {"images": 1, "rows": 1, "recall": 1, "addition": 1, "adder": 1}
    default_seeds: ClassVar[dict[str, tuple[int, ...]]] = {"quick": (0, 1), "paper": tuple(range(20))}
    configs = (*rows_configs.NETS, *tasks_configs.NAMES)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Committed records are of MNIST: drawing them needs no data on this machine.
        self.dataset = "mnist" if self.budget == "paper" else resolve("quick")

    def plan(self) -> list[Job]:
        """Populations and what is asked of them, then the nets that read rows."""
        jobs = [
            self._population("recall", config, compute_recall)
            for config in tasks_configs.recalls(self.budget, self.seeds)
        ]
        for config in tasks_configs.additions(self.budget, self.seeds):
            adding = self._population("addition", config, compute_addition)
            jobs += [adding, self._adders(config, adding)]
        count = rows_configs.BUDGETS[self.budget].num_kept
        images = RecordKey(
            self.chapter,
            "images",
            {"dataset": self.dataset, "count": count},
            self.versions["images"],
            self.dataset,
        )
        jobs.append(Job(images, None, 0, compute_images))
        seeds = self.seeds[: NUM_ROWS_SEEDS[self.budget]]
        return jobs + [self._rows(name, seed) for name in rows_configs.NETS for seed in seeds]

    def measurements(self) -> dict[str, np.ndarray]:
        """What the claims are settled by; see :mod:`rnnkit.studies.lab.measurements`."""
        return measure(self)

    def _rows(self, name: str, seed: int) -> Job:
        net = rows_configs.make_net(name, self.budget, first_seed=seed == 0)
        config = {"net": net.to_dict(), "dataset": self.dataset, "seed": seed}
        key = RecordKey(self.chapter, "rows", config, self.versions["rows"], f"{name}-s{seed}")
        return Job(key, net, seed, compute_rows)

    def _population(self, kind: str, config: Any, compute: Callable[..., Any]) -> Job:
        key = RecordKey(self.chapter, kind, {"net": config.to_dict()}, self.versions[kind], config.name)
        return Job(key, config, config.seeds[0], compute)

    def _adders(self, config: tasks_configs.AdditionConfig, adding: Job) -> Job:
        asked = tasks_configs.AdderConfig.of(config, self.budget)
        key = RecordKey(
            self.chapter,
            "adder",
            {"net": config.to_dict(), "asked": asked.to_dict()},
            self.versions["adder"],
            config.name.replace("addition", "adder"),
        )
        return Job(key, asked, config.seeds[0], compute_adders, (adding,))
