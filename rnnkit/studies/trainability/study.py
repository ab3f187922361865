"""The chapter's plan: populations in training, and what is asked of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from rnnkit.lazily import functions
from rnnkit.models.population import CELLS
from rnnkit.results import Record, RecordKey
from rnnkit.studies.base import Study
from rnnkit.studies.jobs import Job
from rnnkit.studies.trainability import configs
from rnnkit.studies.trainability.configs import PopulationConfig
from rnnkit.studies.trainability.measurements import measure

(compute_training,) = functions("rnnkit.studies.trainability.populations", "compute_training")
compute_components, compute_states, compute_horizon = functions(
    "rnnkit.studies.trainability.inside", "compute_components", "compute_states", "compute_horizon"
)
compute_updates, compute_perturbation, compute_random = functions(
    "rnnkit.studies.trainability.landscape", "compute_updates", "compute_perturbation", "compute_random"
)


class Trainability(Study):
    """Study 003: vanilla RNN against GRU on three rules of sentences, a population at a time."""

    chapter = "trainability"
    title = "Trainability and capacity"
    versions = {  # noqa: RUF012
        "train": 1,
        "components": 1,
        "states": 1,
        "horizon": 1,
        "updates": 1,
        "perturb": 1,
        "random": 1,
    }
    default_seeds = {"quick": (0,), "paper": (0,)}  # noqa: RUF012
    configs = CELLS
    dataset = "sentences"

    def plan(self) -> list[Job]:
        """Populations of both cells, each followed by what needs it; the longest jobs first."""
        return [job for seed in self.seeds for cell in reversed(CELLS) for job in self._jobs_of(cell, seed)]

    def measurements(self) -> dict[str, np.ndarray]:
        """What the claims are settled by; see :mod:`rnnkit.studies.trainability.measurements`."""
        return measure(self)

    def population(
        self, cell: str, dataset: str, sizes: str, schedule: str, seed: int | None = None
    ) -> Record | None:
        """The training record of a population of the plan, of the first seed unless told; None where missing."""
        config = configs.population(cell, sizes, dataset, schedule, configs.BUDGETS[self.budget])
        return self.store.find(self._training(config, self.seeds[0] if seed is None else seed).key)

    def _jobs_of(self, cell: str, seed: int) -> list[Job]:
        budget = configs.BUDGETS[self.budget]
        jobs: dict[tuple[str, str, str], Job] = {}
        plans = [(configs.GRID_DATASETS, configs.GRID), (configs.DATASETS, configs.SMALL)]
        for datasets, architectures in plans:
            for dataset in datasets:
                for sizes in sorted(architectures, key=lambda s: -int(s.split("x")[1])):
                    for schedule in configs.SCHEDULES:
                        config = configs.population(cell, sizes, dataset, schedule, budget)
                        jobs.setdefault((dataset, sizes, schedule), self._training(config, seed))

        def both(net: tuple[str, str]) -> tuple[Job, ...]:
            return tuple(jobs[*net, schedule] for schedule in configs.SCHEDULES)

        found = [*self._random(cell, seed), *jobs.values(), *self._updates(cell, seed)]
        found += self._inside(cell, seed, both(configs.COMPONENTS_NET), both(configs.STATES_NET))
        return [*found, *self._perturb(cell, seed, both(configs.PERTURB_NET))]

    def _inside(
        self, cell: str, seed: int, components: tuple[Job, ...], states: tuple[Job, ...]
    ) -> list[Job]:
        budget = configs.BUDGETS[self.budget]
        config = configs.InsideConfig(components[0].config, budget)
        asked = {"num_good": budget.num_good}
        first = self._probe("components", config, asked, cell, seed, compute_components, components)
        config = configs.InsideConfig(states[0].config, budget)
        asked |= {"num_pairs": budget.num_pairs}
        second = self._probe("states", config, asked, cell, seed, compute_states, states)
        asked |= {"longest": budget.longest}
        third = self._probe("horizon", config, asked, cell, seed, compute_horizon, (second,))
        return [first, second, third]

    def _perturb(self, cell: str, seed: int, needs: tuple[Job, ...]) -> list[Job]:
        budget = configs.BUDGETS[self.budget]
        jobs = []
        for reading in configs.READINGS:
            config = configs.PerturbConfig(needs[0].config, budget.num_good, reading, budget.num_recovery)
            asked: dict[str, Any] = {k: v for k, v in asdict(config).items() if k != "population"}
            asked |= {"factors": list(configs.FACTORS)}
            label = f"{cell}-{reading}"
            jobs.append(self._probe("perturb", config, asked, label, seed, compute_perturbation, needs))
        return jobs

    def _training(self, config: PopulationConfig, seed: int) -> Job:
        label = f"{config.cell}-{config.dataset}-{config.sizes}-{config.schedule}-s{seed}"
        key = RecordKey(
            self.chapter, "train", config.to_dict() | {"seed": seed}, self.versions["train"], label
        )
        return Job(key, config, seed, compute_training)

    def _updates(self, cell: str, seed: int) -> list[Job]:
        budget = configs.BUDGETS[self.budget]
        jobs = []
        for sizes in configs.UPDATES:
            number = budget.num_candidates if sizes in configs.SMALL else budget.num_large_candidates
            for schedule in configs.SCHEDULES:
                population = configs.population(cell, sizes, "first", schedule, budget)
                population = PopulationConfig(**asdict(population) | {"num_models": number})
                config = configs.UpdatesConfig(population, budget.num_good)
                asked, label = {"num_good": budget.num_good}, f"{cell}-{sizes}-{schedule}"
                jobs.append(self._probe("updates", config, asked, label, seed, compute_updates))
        return jobs

    def _random(self, cell: str, seed: int) -> list[Job]:
        budget = configs.BUDGETS[self.budget]
        jobs = []
        for sizes in sorted(configs.SMALL, key=lambda s: -int(s.split("x")[1])):
            population = PopulationConfig(
                cell, sizes, "first", "paper", 1, 0, 0, budget.num_valid, 0
            )  # nothing is trained: only the architecture and the validation sentences count
            config = configs.RandomConfig(population, budget.num_settings, budget.num_scaled)
            asked = {
                "num_settings": config.num_settings,
                "num_scaled": config.num_scaled,
                "scales": list(configs.SCALES),
                "block": configs.BLOCK,
            }
            label = f"{cell}-{sizes}"
            jobs.append(self._probe("random", config, asked, label, seed, compute_random))
        return jobs

    def _probe(
        self,
        kind: str,
        config: Any,
        asked: dict[str, Any],
        label: str,
        seed: int,
        compute: Any,
        needs: tuple[Job, ...] = (),
    ) -> Job:
        key = config.population.to_dict() | {"seed": seed, "asked": dict(asked)}
        if needs:
            key["needs"] = [need.key.id for need in needs]
        record = RecordKey(self.chapter, kind, key, self.versions[kind], f"{label}-s{seed}")
        return Job(record, config, seed, compute, needs)
