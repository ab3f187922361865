"""The chapter's plan: nets times seeds, each trained and then probed."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rnnkit.datasets.mnist import resolve
from rnnkit.results import RecordKey
from rnnkit.studies.base import Study
from rnnkit.studies.jobs import Job
from rnnkit.studies.psmnist.configs import BUDGETS, MODELS, NETS, Net, make_net
from rnnkit.studies.psmnist.training import PERMUTATION_SEED, compute_training


class Psmnist(Study):
    """Study 000: how well six recurrent nets read a digit pixel by pixel in a scrambled order."""

    chapter = "psmnist"
    title = "Six architectures on permuted MNIST"
    budgets = tuple(BUDGETS)
    versions: ClassVar[dict[str, int]] = {"train": 1}
    default_seeds: ClassVar[dict[str, tuple[int, ...]]] = {
        "quick": (0,),
        "reduced": (0,),
        "paper": (0, 1, 2),
    }
    configs = NETS

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Committed records are of MNIST: drawing them needs no data on this machine.
        self.dataset = resolve("quick") if self.budget == "quick" else "mnist"

    def plan(self) -> list[Job]:
        """Training of every net and seed, each followed by the probes of it."""
        names = (*MODELS, *BUDGETS[self.budget].variants)
        return [job for seed in self.seeds for name in names for job in self._jobs_of(name, seed)]

    def measurements(self) -> dict[str, np.ndarray]:
        """What the claims are settled by."""
        return {}

    @classmethod
    def published_budget(cls) -> str:
        """``paper`` once all of its trainings are there; until then ``reduced``, which takes those that are."""
        return "reduced" if cls(budget="paper", device="cpu").missing("train") else "paper"

    def _jobs_of(self, name: str, seed: int) -> list[Job]:
        training = self._training(make_net(name, self.budget), seed)
        if self.budget == "reduced" and name in MODELS:
            at_length = self._training(make_net(name, "paper"), seed)
            training = training if self._is_missing(at_length) else at_length
        return [training]

    def _training(self, net: Net, seed: int) -> Job:
        config = {
            "net": net.to_dict(),
            "dataset": self.dataset,
            "order": "random",
            "permutation_seed": PERMUTATION_SEED,
            "seed": seed,
        }
        return Job(self._key("train", config, net.name, seed), net, seed, compute_training)

    def _key(self, kind: str, config: dict[str, Any], name: str, seed: int) -> RecordKey:
        return RecordKey(self.chapter, kind, config, self.versions[kind], f"{name}-s{seed}")
