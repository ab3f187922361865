"""The geometry chapter's records: what they hold, that they agree with one another, and that they come again."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.decomposition import PCA

from rnnkit import studies
from rnnkit.datasets.mnist import load_rows
from rnnkit.results import Store
from rnnkit.studies.geometry.configs import NETS, make_net
from rnnkit.studies.geometry.training import trained_model
from tests.unit.studies.conftest import only_digits

pytestmark = pytest.mark.slow


def _states(study, name):
    record = study.record("train", f"{name}-s0")
    data = load_rows(dataset="digits", normalise=make_net(name, "quick").normalise)
    model = trained_model(make_net(name, "quick"), record, "cpu")
    with torch.no_grad():
        return model.hidden_states(torch.from_numpy(data.test_x)).numpy(), data, record


def test_every_planned_record_is_there(digits_study):
    assert not digits_study.missing()
    assert {job.key.kind for job in digits_study.jobs()} == set(digits_study.versions)
    assert {r.run["config"]["dataset"] for r in digits_study.every_record()} == {"digits"}


@pytest.mark.parametrize("name", NETS)
def test_probes_agree_with_the_net_rerun_by_hand(digits_study, name):
    """Weights from the record, a plain numpy recurrence, and scikit-learn give the recorded numbers."""
    arrays = digits_study.record("probes", f"{name}-s0").arrays
    _, data, record = _states(digits_study, name)
    weights = record.weights
    h = np.zeros((len(data.test_y), 200))
    states = []
    for t in range(8):
        h = np.tanh(data.test_x[:, t] @ weights["weight_ih"].T + h @ weights["weight_hh"].T)
        states.append(h)
        accuracy = ((h @ weights["weight_out"].T + weights["bias_out"]).argmax(1) == data.test_y).mean()
        assert arrays["stop_after"][t + 1] == pytest.approx(accuracy, abs=0.006)
    assert arrays["confusion"].sum() == len(data.test_y)
    assert np.trace(arrays["confusion"]) / len(data.test_y) == pytest.approx(arrays["stop_after"][-1])
    spread = PCA().fit(states[-1]).explained_variance_ratio_.cumsum()
    assert arrays["dimension"][5][-1] == int((spread < 0.9).sum()) + 1


def test_the_untrained_net_knows_nothing_and_the_tuned_one_something(digits_study):
    found = digits_study.measurements()
    assert found["untrained.final_accuracy"][0] < 0.3
    assert found["tuned.final_accuracy"][0] > found["untrained.final_accuracy"][0]
    assert "untrained.test_accuracy" not in found, "a net without epochs has no training curve"


def test_early_sixes_have_no_more_to_them_than_ink_before_any_is_seen(digits_study):
    arrays = digits_study.record("early_map", "paper-s0").arrays
    assert arrays["embedding"].shape == (len(arrays["labels"]), 2)
    assert arrays["counts"].sum() == (arrays["cluster"] >= 0).sum()


def test_beliefs_in_the_map_are_the_readouts(digits_study):
    arrays = digits_study.record("embedding", "tuned-s0").arrays
    states, data, record = _states(digits_study, "tuned")
    logits = states @ record.weights["weight_out"].T + record.weights["bias_out"]
    belief = softmax(logits.astype(np.float64), axis=-1)
    shown = slice(len(arrays["labels"]))
    assert (arrays["predicted"] == belief.argmax(-1).T[:, shown]).mean() > 0.999
    np.testing.assert_allclose(arrays["confidence"] / 255, belief.max(-1).T[:, shown], atol=0.003)
    np.testing.assert_array_equal(arrays["labels"], data.test_y[shown])


def test_a_second_ensure_does_nothing_and_a_fresh_one_gives_the_same_bytes(
    digits_study, tmp_path, monkeypatch
):
    before = {r.path: (r.path / "run.json").stat().st_mtime_ns for r in digits_study.every_record()}
    digits_study.ensure(workers=1)
    assert {path: (path / "run.json").stat().st_mtime_ns for path in before} == before

    only_digits(monkeypatch, tmp_path)
    again = studies.open("geometry", budget="quick", seeds="0", device="cpu", store=Store(tmp_path))
    again.ensure("probes", only="tuned", workers=1)
    for record in again.every_record():
        twin = digits_study.record(record.key.kind, record.key.label)
        for name, array in record.arrays.items():
            if name != "seconds":
                np.testing.assert_array_equal(array, twin.arrays[name])
        for name, weight in record.weights.items():
            np.testing.assert_array_equal(weight, twin.weights[name])


def test_probes_of_other_weights_count_as_missing(digits_study, tmp_path, monkeypatch):
    """A training redone elsewhere must not be shown beside probes of the net before."""
    only_digits(monkeypatch, tmp_path / "home")
    elsewhere = Store(tmp_path / "results", [digits_study.store.write])
    study = studies.open("geometry", budget="quick", seeds="0", device="cpu", store=elsewhere)
    assert not study.missing()
    old = study.record("train", "tuned-s0")
    for change, due in [(0.0, set()), (0.5, {"probes", "early_map", "embedding", "paths"})]:
        weights = {name: value + np.float32(change) for name, value in old.weights.items()}
        elsewhere.save(
            old.key, arrays=dict(old.arrays), weights=weights, metrics=old.metrics, provenance={"seed": 0}
        )
        assert {job.key.kind for job in study.missing()} == due
        assert {job.key.label for job in study.missing()} <= {"tuned-s0"}


@pytest.mark.mnist
def test_real_mnist_trains_and_is_probed(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNKIT_HOME", str(tmp_path))
    from rnnkit import studies

    study = studies.open(
        "geometry", budget="quick", seeds="0", device="cpu", store=Store(tmp_path / "results")
    )
    assert study.dataset == "mnist"
    study.ensure("probes", only="tuned", workers=1)
    found = study.measurements()
    assert found["tuned.final_accuracy"][0] > 0.8
    assert (
        found["tuned.knn_purity_final"][0]
        > found["tuned.knn_purity_half"][0]
        > 2 * found["tuned.knn_chance"][0]
    )
    ink = study.record("probes", "tuned-s0").arrays["ink_started"]
    assert ink[0] < 0.01
    assert ink[9] > 0.99
