"""The chapter's plan: nets times seeds, each trained and then probed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from rnnkit.datasets.mnist import resolve
from rnnkit.lazily import functions
from rnnkit.models import TITLES
from rnnkit.results import RecordKey
from rnnkit.studies.base import Study
from rnnkit.studies.jobs import Job
from rnnkit.studies.psmnist.configs import (
    BUDGETS,
    COMPARED,
    CONTROL,
    MASK_RATES,
    MASKED_UNITS,
    MODELS,
    NETS,
    NUM_MASKS,
    PERMUTATION_SEED,
    PRECISE,
    SETTINGS_SEEDS,
    START_SEEDS,
    STARTS,
    Net,
    ProbeConfig,
    make_net,
    make_start,
)
from rnnkit.studies.psmnist.measurements import measure

compute_data, compute_window = functions("rnnkit.studies.psmnist.inputs", "compute_data", "compute_window")
compute_training, compute_answers, compute_start = functions(
    "rnnkit.studies.psmnist.training", "compute_training", "compute_answers", "compute_start"
)
compute_confusion, compute_weights, compute_initial, compute_masked = functions(
    "rnnkit.studies.psmnist.probing",
    "compute_confusion",
    "compute_weights",
    "compute_initial",
    "compute_masked",
)
(compute_inside,) = functions("rnnkit.studies.psmnist.inside", "compute_inside")

MASKED = {"rates": MASK_RATES, "masks": NUM_MASKS, "units": MASKED_UNITS}
INITIAL_SEEDS = (0, 1, 2, 3, 4)
_OF_DATA: dict[str, Callable[..., Any]] = {"data": compute_data, "window": compute_window}
_OF_NETS: dict[str, Callable[..., Any]] = {
    "confusion": compute_confusion,
    "weights": compute_weights,
    "inside": compute_inside,
}


class Psmnist(Study):
    """Study 000: how well six recurrent nets read a digit pixel by pixel in a scrambled order."""

    chapter = "psmnist"
    title = "Six architectures on permuted MNIST"
    budgets = tuple(BUDGETS)
    versions: ClassVar[dict[str, int]] = {
        "train": 1,
        "settings": 1,
        "start": 1,
        "control": 1,
        "confusion": 1,
        "weights": 1,
        "inside": 1,
        "initial": 1,
        "data": 1,
        "window": 1,
        "masked": 1,
    }
    default_seeds: ClassVar[dict[str, tuple[int, ...]]] = {
        "quick": (0,),
        "reduced": (0, 1, 2),
        "paper": (0, 1, 2),
    }
    configs = NETS

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Committed records are of MNIST: drawing them needs no data on this machine.
        self.dataset = resolve("quick") if self.budget == "quick" else "mnist"

    def budget_note(self) -> str:
        """How much is trained at this budget, and which nets were trained at full length as well."""
        budget, full = BUDGETS[self.budget], BUDGETS["paper"]
        if budget is full:
            return ""
        jobs = self.jobs("train")
        titles = [TITLES[job.config.model] for job in jobs if job.config.num_train == full.num_train]
        at_length = list(dict.fromkeys(titles))
        exceptions = (
            f" Trained as in the paper too, at full length: {', '.join(at_length)}." if at_length else ""
        )
        if any(job.compute == compute_answers for job in jobs):
            of_whom = " of the others" if at_length else ""
            exceptions += f" Weights and hidden states{of_whom} are those of seed {self.seeds[0]} alone."
        return (
            f"Nets saw {budget.num_train:,} of {full.num_train:,} training images, in batches of "
            f"{budget.batch_size}, for {budget.base_epochs} epochs ({full.base_epochs} in the paper) without a "
            f"memory and {budget.memory_epochs} ({full.memory_epochs}) with one.{exceptions}"
        )

    def plan(self) -> list[Job]:
        """What hangs on no training, and short ones; then every net and seed: its training, what is asked of it."""
        jobs = [self._job_of_data(kind, compute) for kind, compute in _OF_DATA.items()]
        masked = RecordKey(self.chapter, "masked", MASKED, self.versions["masked"], "orthogonal")
        jobs.append(Job(masked, None, 0, compute_masked))
        jobs += [self._initial(name, seed) for seed in INITIAL_SEEDS for name in MODELS]
        jobs += [
            self._compared(name, seed)
            for name in COMPARED
            for seed in SETTINGS_SEEDS[: 3 if name in PRECISE else 1]
        ]
        first = START_SEEDS[:2] if self.budget == "quick" else START_SEEDS
        jobs += [self._start(name, seed) for seed in first for name in STARTS]
        of_models = [job for seed in self.seeds for name in MODELS for job in self._jobs_of(name, seed)]
        return [*jobs, *of_models, self._control(of_models)]

    def measurements(self) -> dict[str, np.ndarray]:
        """What the claims are settled by; see :mod:`rnnkit.studies.psmnist.measurements`."""
        return measure(self)

    @classmethod
    def published_budget(cls) -> str:
        """``paper`` once all of its trainings are there; until then ``reduced``, which shows those that are."""
        return "reduced" if cls(budget="paper", device="cpu").missing("train") else "paper"

    def _jobs_of(self, name: str, seed: int) -> list[Job]:
        training = self._training(make_net(name, self.budget), seed)
        if self.budget != "reduced":
            return self._asked(training, _OF_NETS)
        at_length = self._training(make_net(name, "paper"), seed)
        beside = [] if self._is_missing(at_length) else self._asked(at_length, _OF_NETS)
        if seed == self.seeds[0]:
            return self._asked(training, _OF_NETS) + beside
        # Weights take room: what hangs on them is asked of the first seed.
        return self._asked(_without_weights(training), {"confusion": compute_confusion}) + beside

    def _asked(self, training: Job, probes: Mapping[str, Callable[..., Any]]) -> list[Job]:
        """A training and what is asked of it."""
        budget, net = BUDGETS[self.budget], training.config
        probe = ProbeConfig(net, self.dataset, budget.num_probed, budget.num_gradients)
        config = dict(training.key.config) | {
            "num_probed": budget.num_probed,
            "num_gradients": budget.num_gradients,
        }
        return [training] + [
            Job(self._key(kind, config, net.name, training.seed), probe, training.seed, compute, (training,))
            for kind, compute in probes.items()
        ]

    def _job_of_data(self, kind: str, compute: Callable[..., Any]) -> Job:
        config = {"dataset": self.dataset, "order": "random", "permutation_seed": PERMUTATION_SEED}
        key = RecordKey(self.chapter, kind, config, self.versions[kind], self.dataset)
        return Job(key, None, PERMUTATION_SEED, compute)

    def _initial(self, name: str, seed: int) -> Job:
        net = make_net(name, "paper")  # of the paper's size at every budget
        config = {"net": {"name": name, "model": net.model}, "seed": seed}
        return Job(self._key("initial", config, name, seed), net, seed, compute_initial)

    def _control(self, of_models: list[Job]) -> Job:
        """The first training of an LSTM once more, without recurrent dropout."""
        lstm = next(job for job in of_models if job.key.kind == "train" and job.config.model == "lstm")
        net = replace(lstm.config, name=CONTROL, recurrent_dropout=0.0)
        return _without_weights(self._training(net, lstm.seed, "control"))

    def _compared(self, name: str, seed: int) -> Job:
        budget = "quick" if self.budget == "quick" else "reduced"
        return _without_weights(self._training(make_net(name, budget), seed, "settings"))

    def _start(self, name: str, seed: int) -> Job:
        training = self._training(make_start(name, self.budget), seed, "start")
        return replace(training, compute=compute_start)

    def _training(self, net: Net, seed: int, kind: str = "train") -> Job:
        config = {
            "net": net.to_dict(),
            "dataset": self.dataset,
            "order": "random",
            "permutation_seed": PERMUTATION_SEED,
            "seed": seed,
        }
        return Job(self._key(kind, config, net.name, seed), net, seed, compute_training)

    def _key(self, kind: str, config: dict[str, Any], name: str, seed: int) -> RecordKey:
        return RecordKey(self.chapter, kind, config, self.versions[kind], f"{name}-s{seed}")


def _without_weights(training: Job) -> Job:
    """The same training, of which only the curves and the answers are kept."""
    key = replace(training.key, config={**training.key.config, "keeps_weights": False})
    return replace(training, key=key, compute=compute_answers)
