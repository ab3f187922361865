"""The trainability study: its plan at paper budget, and all of it at a tiny budget."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnkit import paths, studies
from rnnkit.errors import UserError
from rnnkit.models.population import Architecture, initial, random_settings
from rnnkit.results import Store
from rnnkit.results.claims import load_claims
from rnnkit.studies.base import Study
from rnnkit.studies.trainability import Trainability, configs, landscape
from rnnkit.studies.trainability.configs import Budget, PopulationConfig
from rnnkit.studies.trainability.populations import choose, splits_of
from rnnkit.training import make_engine, population
from rnnkit.training.population import accuracy_and_loss

SIZES = [f"{d}x{h}" for d in (2, 5, 10, 15) for h in (2, 4, 8, 16)]
SMALL = ["2x2", "2x4", "4x2", "4x4"]
TINY = Budget(
    num_train=64,
    num_valid=40,
    num_test=20,
    num_epochs=2,
    num_grid=4,
    num_small_paper=6,
    num_small_constant=5,
    num_good=3,
    num_candidates=4,
    num_recovery=2,
    num_settings=3000,
    num_scaled=1500,
    num_pairs=6,
    longest=20,
)
CELLS = ("rnn", "gru")


def plan(budget: str = "paper", seeds: str = "0", folder: str = "none") -> list:
    return Trainability(budget=budget, seeds=seeds, device="cpu", store=Store(Path(folder))).plan()


@pytest.fixture(scope="module")
def jobs() -> dict:
    """The plan at paper budget by kind and label."""
    return {(job.key.kind, job.key.label): job for job in plan()}


def test_the_grid_has_every_size_cell_dataset_and_schedule(jobs):
    for cell, dataset, sizes, schedule in itertools.product(
        CELLS, ("first", "xor"), SIZES, ("paper", "constant")
    ):
        config = jobs["train", f"{cell}-{dataset}-{sizes}-{schedule}-s0"].config
        assert config.num_models >= 16
        assert config.architecture == Architecture.parse(cell, sizes)
        assert (config.dataset, config.num_epochs) == (dataset, 150)


def test_the_small_sizes_have_200_and_100_models_on_every_rule(jobs):
    for cell, dataset, sizes in itertools.product(CELLS, ("count", "first", "xor"), SMALL):
        numbers = [
            jobs["train", f"{cell}-{dataset}-{sizes}-{s}-s0"].config.num_models for s in ("paper", "constant")
        ]
        assert numbers == [200, 100]


def test_there_are_no_other_populations_and_no_label_twice(jobs):
    everything = plan()
    assert len(everything) == len(jobs)
    assert Counter(kind for kind, _ in jobs) == {
        "train": 2 * 2 * (2 * 16 + 4 + 2 * 2),  # cells, schedules: the grid, count, and 4x2 and 4x4 beside it
        "components": 2,
        "states": 2,
        "horizon": 2,
        "updates": 8,
        "perturb": 4,
        "random": 8,
    }


def test_what_the_paper_did_is_asked(jobs):
    for cell in CELLS:
        for kind, net in (("components", "2x2"), ("states", "4x2"), ("horizon", "4x2")):
            config = jobs[kind, f"{cell}-s0"].config
            assert (config.population.dataset, config.population.sizes) == ("count", net)
            assert config.budget.num_good == 20
        for sizes, schedule in itertools.product(("2x4", "4x8"), ("paper", "constant")):
            config = jobs["updates", f"{cell}-{sizes}-{schedule}-s0"].config
            assert (config.num_good, config.population.dataset, config.population.sizes) == (
                20,
                "first",
                sizes,
            )
            assert config.population.num_models >= 3 * config.num_good
        for reading in ("whole", "each"):
            config = jobs["perturb", f"{cell}-{reading}-s0"].config
            assert (config.num_epochs, config.num_good, config.reading) == (30, 20, reading)
            assert (config.population.dataset, config.population.sizes) == ("first", "2x4")
        for sizes in SMALL:
            config = jobs["random", f"{cell}-{sizes}-s0"].config
            assert (config.num_settings, config.population.dataset) == (1_000_000, "first")
    assert configs.SCALES[0] == 1
    assert configs.BUDGETS["paper"].longest == 2000


def test_sentences_and_epochs_are_the_papers(jobs):
    for (kind, _), job in jobs.items():
        if kind == "train":
            config = job.config
            assert (config.num_train, config.num_valid, config.num_test) == (8000, 2000, 3000)
            assert config.training == replace(configs.SCHEDULES[config.schedule], num_epochs=150)


@pytest.mark.parametrize("budget", ["quick", "paper"])
def test_needs_come_before_those_that_need_them(budget):
    met: set[str] = set()
    for job in plan(budget, seeds="0,3"):
        assert {need.key.id for need in job.needs} <= met
        met.add(job.key.id)


def test_ids_are_unique_and_stable():
    ids = [job.key.id for budget in ("quick", "paper") for job in plan(budget, seeds="0,1")]
    assert len(set(ids)) == len(ids)
    assert {job.key.id for job in plan(folder="elsewhere")} < set(ids)
    assert set(ids) == {job.key.id for budget in ("quick", "paper") for job in plan(budget, seeds="1,0")}


PINNED = {
    ("train", "rnn-first-2x4-paper-s0"): "d17873c5fa46455c",
    ("components", "gru-s0"): "d6a122094c09b4ce",
    ("states", "rnn-s0"): "9069278ce961c118",
    ("horizon", "gru-s0"): "5ae2bdcc8617ca32",
    ("updates", "gru-4x8-constant-s0"): "7dc3f9749c684e8f",
    ("perturb", "rnn-each-s0"): "271c82a50546134b",
    ("random", "gru-2x2-s0"): "3f84fcb729f3b0b4",
}


def test_records_of_version_1_are_found_by_these_ids(jobs):
    """Whoever changes one orphans what was computed: that is for a new version to do."""
    assert {label: jobs[label].key.id for label in PINNED} == PINNED


@pytest.mark.parametrize(
    "change", [{"cell": "lstm"}, {"dataset": "last"}, {"schedule": "slow"}, {"sizes": "2"}]
)
def test_impossible_populations_are_refused(change):
    config = configs.population("rnn", "2x4", "first", "paper", Budget())
    with pytest.raises(UserError, match=next(iter(change)) if "sizes" not in change else "2x4"):
        PopulationConfig(**{**vars(config), **change})


def test_choose_takes_those_that_reach_the_threshold_in_order_then_the_best():
    accuracy = [np.array([0.5, 0.99, 0.7]), np.array([1.0, 0.98, 0.7])]
    assert choose(accuracy, 0.98, 2) == [(0, 1), (1, 0)]
    assert choose(accuracy, 0.98, 5) == [
        (0, 1),
        (1, 0),
        (0, 2),
    ]  # models 1 and 2 of the second are taken already
    assert choose(accuracy, 2.0, 3) == [(1, 0), (0, 1), (0, 2)], "nothing reaches it: the best"
    assert len(choose(accuracy, 0.0, 100)) == 3
    assert choose([], 0.5, 3) == []


def tiny(patch: pytest.MonkeyPatch, home: Path) -> Study:
    """The study at a budget of two epochs, with a home of its own."""
    patch.setenv("RNNKIT_HOME", str(home))
    patch.setitem(configs.BUDGETS, "quick", TINY)
    patch.setattr(configs, "BLOCK", 512)
    return studies.open("trainability", budget="quick", device="cpu", store=Store(home / "results"))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """All of it, computed once."""
    with pytest.MonkeyPatch.context() as patch:
        study = tiny(patch, tmp_path_factory.mktemp("tiny"))
        study.ensure(workers=1)
        yield study


def test_every_planned_record_is_there(study):
    assert not study.missing()
    assert {record.key.kind for record in study.every_record()} == set(study.versions)
    assert {record.run["metrics"]["engine"] for record in study.every_record()} == {"lanes"}


def test_what_is_measured_is_finite(study):
    """But for models that have stopped, and what takes more epochs than there are."""
    may_be_nan = {
        ("train", "valid_accuracy"),
        ("train", "valid_loss"),
        ("updates", "cosine"),
        ("updates", "step"),
        ("updates", "valid_accuracy"),
        ("updates", "early_rise"),
        ("updates", "roughness"),
    }
    for record in study.every_record():
        for name, array in record.arrays.items():
            if (record.key.kind, name) not in may_be_nan:
                assert np.isfinite(array).all(), f"{record.key.kind} {record.key.label} {name}"


def test_a_training_record_agrees_with_itself_and_with_its_weights(study):
    for record in study.records("train"):
        arrays = record.arrays
        assert arrays["valid_accuracy"].shape == (len(arrays["epochs"]), TINY.num_epochs + 1)
        best = np.nanmax(arrays["valid_accuracy"][:, 1:], axis=1)
        np.testing.assert_allclose(best, arrays["best_accuracy"], rtol=1e-6)
        assert (arrays["best_epoch"] <= arrays["epochs"]).all()
        assert ("weights.safetensors" in {p.name for p in record.path.iterdir()}) == bool(record.weights)
    engine = make_engine("torch")
    for cell, (dataset, sizes) in itertools.product(CELLS, configs.PROBED):
        for schedule in configs.SCHEDULES:
            record = study.population(cell, dataset, sizes, schedule)
            config = configs.population(cell, sizes, dataset, schedule, TINY)
            data = splits_of(config, 0)
            for part, name in ((data.valid, "best_accuracy"), (data.test, "test_accuracy")):
                margins = engine.margins(config.architecture, record.weights["parameters"], part.words)
                np.testing.assert_allclose(accuracy_and_loss(margins, part.labels)[0], record.arrays[name])


def test_models_of_a_population_start_alike_under_both_schedules_and_in_both_plans(study):
    """The first models of a small architecture are those of the grid, whatever the schedule."""
    paper, constant = (study.population("gru", "first", "2x4", s).arrays for s in ("paper", "constant"))
    np.testing.assert_array_equal(paper["valid_loss"][:5, 0], constant["valid_loss"][:, 0])
    np.testing.assert_array_equal(paper["valid_accuracy"][:5, 1], constant["valid_accuracy"][:, 1])


def test_random_settings_are_counted_as_torch_counts_them(study):
    config = next(job.config for job in study.jobs("random") if job.key.label == "gru-2x2-s0")
    record, data = study.record("random", "gru-2x2-s0"), splits_of(config.population, 0)
    engine, architecture = make_engine("torch", dtype="float64"), config.population.architecture
    np.testing.assert_array_equal(record.arrays["num_settings"], [3000] + [1500] * 6)
    np.testing.assert_array_equal(record.arrays["counts"].sum(1), record.arrays["num_settings"])
    for s in (0, 3):
        number = record.arrays["num_settings"][s]
        settings = np.concatenate(
            [
                random_settings(architecture, configs.BLOCK, 0, block, configs.SCALES[s])
                for block in range(-(-number // configs.BLOCK))
            ]
        )[:number]
        right = engine.count_right(architecture, settings, data.valid.words, data.valid.labels)
        counts = np.bincount(right, minlength=TINY.num_valid + 1)
        assert np.abs(counts - record.arrays["counts"][s]).sum() <= 4, "more than margins about zero"
        good = (right.reshape(landscape.NUM_PARTS, -1, 1) >= [22, 24, 30, 36, 38]).sum(1)
        assert np.abs(good - record.arrays["good_by_part"][s]).sum() <= 4


def best_once(populations) -> np.ndarray:
    """Accuracies from the best on, each model number in its better training."""
    accuracy = itertools.zip_longest(*(p.arrays["best_accuracy"] for p in populations), fillvalue=0.0)
    return np.sort([max(both) for both in accuracy])[::-1]


def test_where_nothing_reaches_the_threshold_the_best_are_looked_at(study):
    for cell in CELLS:
        record = study.record("states", f"{cell}-s0")
        populations = [study.population(cell, "count", "4x2", s) for s in ("paper", "constant")]
        assert record.metrics["num_good"] == [0, 0], "two epochs are too few"
        assert record.metrics["num_candidates"] == [6, 5]
        np.testing.assert_array_equal(record.arrays["accuracy"], best_once(populations)[:3])
        parameters = np.concatenate([p.weights["parameters"] for p in populations])
        assert all((parameters == row).all(1).any() for row in record.weights["parameters"])


def test_probes_look_at_the_models_they_say(study):
    for cell in CELLS:
        trained = study.population(cell, "count", "2x2", "constant")
        components = study.record("components", f"{cell}-s0").arrays
        best = np.argsort(-trained.arrays["best_accuracy"], kind="stable")[:3]
        np.testing.assert_array_equal(components["accuracy"], trained.arrays["best_accuracy"][best])
        words = trained.weights["parameters"][best, :20].reshape(3, 10, 2)
        np.testing.assert_array_equal(components["words"], words)
        assert components["untrained_image_stop"].shape == (6,)
        horizon = study.record("horizon", f"{cell}-s0").arrays
        assert horizon["lengths"][-1] == TINY.longest
        np.testing.assert_array_equal(
            horizon["accuracy"], study.record("states", f"{cell}-s0").arrays["accuracy"]
        )


def test_perturbations_start_from_trained_models_and_grow_with_the_factor(study):
    for cell, reading in itertools.product(CELLS, ("whole", "each")):
        arrays = study.record("perturb", f"{cell}-{reading}-s0").arrays
        assert arrays["accuracy"].shape == arrays["distance"].shape == (5, 3, TINY.num_recovery + 1)
        unit = arrays["distance"][:, :, 0] / arrays["factors"][:, None]
        np.testing.assert_allclose(unit, np.broadcast_to(unit[-1], unit.shape), rtol=1e-4)
        populations = [study.population(cell, "first", "2x4", s) for s in ("paper", "constant")]
        np.testing.assert_allclose(arrays["base_accuracy"], best_once(populations)[:3])


def test_updates_are_those_of_the_population(study):
    for cell in CELLS:
        arrays = study.record("updates", f"{cell}-2x4-constant-s0").arrays
        assert arrays["cosine"].shape == (3, TINY.num_epochs)
        assert (np.abs(arrays["cosine"]) <= 1).all()
        candidates = study.population(cell, "first", "2x4", "constant").arrays["valid_accuracy"][:4]
        for curve in arrays["valid_accuracy"]:
            assert (candidates == curve).all(1).any()


def test_measurements_have_every_name_of_the_ledger(study):
    found = study.measurements()
    claims = load_claims(paths.repository() / "book" / "trainability" / "claims.yml", "trainability")
    named = set().union(*(claim.measures for claim in claims))
    assert named <= set(found)
    for name, values in found.items():
        assert values.ndim <= 1
        assert values.dtype == np.float64
        if name.endswith((".solved", ".solved_three", ".decent_three", ".stopped_early")):
            assert set(values) <= {0, 1}
    assert found["rnn.first.2x4.paper.best_accuracy"].shape == (6,)
    assert found["gru.xor.grid.constant.solved"].shape == (16 * 4,)
    assert found["gru.xor.grid.constant.solved_three"].shape == (16 * 3,)
    assert found["gru.count.small.paper.best_accuracy"].shape == (4 * 6,)
    assert found["rnn.random.2x2.x1.share_60"].shape == (landscape.NUM_PARTS,)
    shares = [found[f"rnn.random.2x2.x1.share_{p}"].mean() for p in (55, 60, 75, 90, 95)]
    assert shares == sorted(shares, reverse=True)
    counts = study.record("random", "rnn-2x2-s0").arrays["counts"][0]
    assert shares[0] == pytest.approx(counts[22:].sum() / 3000)


def test_one_cell_alone_comes_again_bit_for_bit(study, tmp_path, monkeypatch):
    again = tiny(monkeypatch, tmp_path)
    assert not again.measurements()
    again.ensure(only="rnn", workers=1)
    assert not again.missing(only="rnn")
    assert {job.key.config["net"]["name"] for job in again.missing()} == {"gru"}
    found, before = again.measurements(), study.measurements()
    assert {name.split(".")[0] for name in found} == {"rnn"}
    assert set(found) == {name for name in before if name.startswith("rnn.")}
    for record in again.every_record():
        twin = study.record(record.key.kind, record.key.label)
        assert set(record.arrays) == set(twin.arrays)
        for name, array in record.arrays.items():
            np.testing.assert_array_equal(array, twin.arrays[name], err_msg=f"{record.key.label} {name}")
        assert set(record.weights) == set(twin.weights)
        for name, weight in record.weights.items():
            np.testing.assert_array_equal(weight, twin.weights[name])


class Interrupted(Exception):
    pass


class Counting:
    """Steps of a job that is ended at one of them; None: never."""

    def __init__(self, last: int | None = None) -> None:
        self.done, self.last = 0, last

    def steps(self, total: int, name: str, *, start: int = 0) -> None:
        self.total = total

    def advance(self, count: int = 1, note: str = "") -> None:
        self.done += count
        if self.last is not None and self.done > self.last:
            raise Interrupted


@pytest.mark.parametrize(
    ("kind", "label", "last"),
    [
        ("random", "rnn-2x2-s0", 1),
        ("random", "gru-2x4-s0", 8),
        ("train", "gru-count-4x2-paper-s0", 1),
        ("updates", "rnn-4x8-paper-s0", 1),
        ("perturb", "gru-each-s0", 1),
    ],
)
def test_an_interrupted_job_resumes_to_the_same_record(study, tmp_path, monkeypatch, kind, label, last):
    for room in (population, landscape):
        monkeypatch.setattr(room, "CHECKPOINT_SECONDS", -1.0)
    (job,) = [job for job in study.jobs(kind) if (job.key.kind, job.key.label) == (kind, label)]
    records = [study.store.load(need.key) for need in job.needs]
    checkpoint = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Interrupted):
        job.compute(job, records, "cpu", checkpoint, Counting(last))
    assert checkpoint.exists()
    steps = Counting()
    outcome = job.compute(job, records, "cpu", checkpoint, steps)
    assert steps.done == steps.total
    record = study.record(kind, label)
    assert set(outcome.arrays) == set(record.arrays)
    for name, array in outcome.arrays.items():
        np.testing.assert_array_equal(array, record.arrays[name], err_msg=name)


def test_random_settings_do_not_count_the_work_of_another_config(study, tmp_path, monkeypatch):
    monkeypatch.setattr(landscape, "CHECKPOINT_SECONDS", -1.0)
    mine, other = study.jobs("random")[:2]
    with pytest.raises(Interrupted):
        other.compute(other, [], "cpu", tmp_path / "c", Counting(3))
    with pytest.raises(UserError, match="another config"):
        mine.compute(mine, [], "cpu", tmp_path / "c", Counting())


def test_untrained_nets_of_the_components_are_those_that_training_began_with(study):
    arrays = study.record("components", "rnn-s0").arrays
    fresh = initial(Architecture("rnn", 2, 2), 6, 0)
    words, weight_ih = fresh[:, :20].reshape(6, 10, 2), fresh[:, 20:24].reshape(6, 2, 2)
    norms = np.linalg.norm(words @ weight_ih.mT, axis=-1)
    np.testing.assert_allclose(arrays["untrained_image_stop"], norms[:, :6].mean(1), rtol=1e-5)
    np.testing.assert_allclose(arrays["untrained_image_other"], norms[:, 6:].mean(1), rtol=1e-5)
