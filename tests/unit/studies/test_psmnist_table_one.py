"""Table I: intervals against scipy.stats and closed forms, and the paper's numbers as it has them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from rnnkit import studies
from rnnkit.results import Store
from rnnkit.studies.psmnist import table_one, views
from rnnkit.studies.psmnist.configs import MODELS, make_net

NEAR_1 = {0: 0.9, 1: 0.998}
SPREAD = {0: 0.70, 1: 0.74, 2: 0.81}
ONE = {0: 0.9375}


@pytest.fixture
def study(tmp_path: Path):
    """A study with made-up records: three, two and one seeds of a net, losses a tenth of the accuracies."""
    for budget, net, by_seed in (
        ("reduced", "rnn", SPREAD),
        ("reduced", "lstm", NEAR_1),
        ("paper", "gru", ONE),
    ):
        for seed, accuracy in by_seed.items():
            save(tmp_path, budget, f"{net}-s{seed}", metrics_of(accuracy, make_net(net, budget)))
    return opened(tmp_path, "reduced")


def opened(folder: Path, budget: str):
    return studies.open("psmnist", budget=budget, device="cpu", store=Store(folder))


def metrics_of(accuracy: float, net) -> dict[str, float]:
    measured = {name: accuracy if "accuracy" in name else accuracy / 10 for name in table_one.MEASURES}
    return measured | {"num_train": net.num_train, "num_test": net.num_test, "epoch_seconds": 100 * accuracy}


def save(folder: Path, budget: str, label: str, metrics: dict[str, float], **run: object) -> None:
    (job,) = (job for job in opened(folder, budget).jobs("train") if job.key.label == label)
    provenance = {"seed": job.seed, "device": "cpu (one)", **run}
    Store(folder).save(job.key, arrays={}, metrics=metrics, provenance=provenance)


def scipys(by_seed: dict[int, float]) -> tuple[float, float]:
    values = list(by_seed.values())
    return scipy.stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=scipy.stats.sem(values))


def test_seeds_have_students_interval_within_what_can_be(study):
    found = table_one.intervals(study)
    assert set(found) == set(table_one.MEASURES.values()) == set(table_one.finals(study))
    for measure, scale in (("accuracy, validation", 1), ("loss, training", 10)):
        low, high, over = found[measure]["rnn"]
        assert (low * scale, high * scale) == pytest.approx(scipys(SPREAD))
        assert over == "3 seeds"
    low, high = scipys(NEAR_1)
    assert low < 0.5 < 1 < high, "the whole interval leaves what an accuracy can be"
    assert found["accuracy, test"]["lstm"] == (pytest.approx(low), 1.0, "2 seeds")
    save(study.store.write, "reduced", "lstm-s0", metrics_of(0.1, make_net("lstm", "reduced")))
    low, high, _ = table_one.intervals(study)["loss, test"]["lstm"]
    assert (low, high) == (0.0, pytest.approx(scipys({0: 0.1, 1: NEAR_1[1]})[1] / 10))


@pytest.mark.parametrize(
    ("measure", "count"),
    [("accuracy, training", 50_000), ("accuracy, validation", 10_000), ("accuracy, test", 10_000)],
)
def test_an_accuracy_of_one_seed_has_wilsons_interval_over_its_images(study, measure, count):
    low, high, over = table_one.intervals(study)[measure]["gru-full"]
    assert over == f"{count:,} images of one training"
    # Wilson's ends are the shares p at which a score test of p just rejects: |share - p| = z sqrt(p (1 - p) / n).
    z = scipy.stats.norm.ppf(0.975)
    for end in (low, high):
        assert abs(ONE[0] - end) == pytest.approx(z * math.sqrt(end * (1 - end) / count))
    assert low < ONE[0] < high


def test_a_loss_of_one_seed_has_no_interval_nor_one_of_which_all_others_were_lost(study):
    found = table_one.intervals(study)
    assert "gru-full" not in found["loss, test"]
    lost = metrics_of(0.9, make_net("lstm", "reduced")) | {"test_loss": math.inf}
    save(study.store.write, "reduced", "lstm-s0", lost)
    found = table_one.intervals(study)
    assert "lstm" not in found["loss, test"]
    assert found["loss, training"]["lstm"][2] == found["accuracy, test"]["lstm"][2] == "2 seeds"


def test_every_net_has_its_numbers(study):
    finals = table_one.finals(study)
    assert all(list(values) == ["rnn", "lstm", "gru-full"] for values in finals.values())
    np.testing.assert_array_equal(finals["accuracy, test"]["rnn"], list(SPREAD.values()))
    np.testing.assert_array_equal(finals["loss, training"]["gru-full"], [ONE[0] / 10])


def test_seconds_come_with_their_device_and_an_interval_of_their_logarithms(study):
    seconds, devices = table_one.epoch_seconds(study)
    np.testing.assert_array_equal(seconds["rnn"], [100 * value for value in SPREAD.values()])
    assert devices == dict.fromkeys(("rnn", "lstm", "gru-full"), "cpu (one)")
    intervals = table_one.epoch_intervals(study)
    assert set(intervals) == {"rnn", "lstm"}, "a single seed has none"
    logs = scipys({seed: math.log(100 * value) for seed, value in SPREAD.items()})
    assert intervals["rnn"] == (*(pytest.approx(math.exp(end)) for end in logs), "3 seeds")


@pytest.mark.parametrize("run", [{"device": "cpu (another)"}, {"most_threads": 2}])
def test_seconds_that_do_not_compare_have_no_interval(study, run):
    save(study.store.write, "reduced", "rnn-s1", metrics_of(0.03, make_net("rnn", "reduced")), **run)
    seconds, devices = table_one.epoch_seconds(study)
    np.testing.assert_allclose(seconds["rnn"], [70.0, 3.0, 81.0])
    if "device" in run:
        assert devices["rnn"] == "cpu (one), cpu (another)"
    assert set(table_one.epoch_intervals(study)) == {"lstm"}


def test_table_one_is_quoted_as_the_paper_has_it():
    table = table_one.paper_finals()
    assert table["accuracy, test"]["lmu-gru"] == 0.9836
    assert table["loss, training"]["rnn"] == 0.4825
    assert table["loss, training"]["rnn-full"] == 0.4825
    at_any_length = {*MODELS, *(net + views.FULL for net in MODELS)}
    assert all(set(values) == at_any_length for values in table.values())
