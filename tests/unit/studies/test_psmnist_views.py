"""From the psMNIST chapter's records to its figures: what is quoted is the paper's, what is counted is the models'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from rnnkit import studies
from rnnkit.errors import UserError
from rnnkit.figures import published as figure
from rnnkit.figures.fall import LINES
from rnnkit.models import ARCHITECTURES, describe
from rnnkit.results import Store
from rnnkit.studies.psmnist import views
from rnnkit.studies.psmnist.configs import FALL_CURVES, FALL_LINES, MODELS
from rnnkit.studies.psmnist.measurements import times_compare
from rnnkit.studies.psmnist.published import NOT_FOUND, PROTOCOL, SIZES

AT_ANY_LENGTH = {*MODELS, *(net + views.FULL for net in MODELS)}


@pytest.fixture
def study(tmp_path: Path):
    """A study with made-up records: of two nets, and of one of them at the paper's budget too."""
    for budget, label, num_test in (
        ("reduced", "rnn-s0", 80),
        ("reduced", "gru-s0", 80),
        ("paper", "gru-s0", 100),
    ):
        of_budget = studies.open("psmnist", budget=budget, device="cpu", store=Store(tmp_path))
        job = next(job for job in of_budget.jobs("train") if job.key.label == label)
        length = 2 if budget == "reduced" else 3
        metrics = dict.fromkeys(views.MEASURES, 0.5) | {"num_test": num_test, "epoch_seconds": 2.0}
        of_budget.store.save(
            job.key,
            arrays={"train_loss": np.arange(length, 0.0, -1)},
            metrics=metrics,
            provenance={"seed": 0, "device": "cpu (one)"},
        )
    return studies.open("psmnist", budget="reduced", device="cpu", store=Store(tmp_path))


def test_nets_that_are_missing_are_left_out_and_one_at_full_length_is_a_net_of_its_own(study):
    found = views.nets(study, "train", "train_loss")
    assert list(found) == ["rnn", "gru", "gru-full"]
    np.testing.assert_array_equal(found["gru"]["train_loss"], [[2.0, 1.0]])
    np.testing.assert_array_equal(found["gru-full"]["train_loss"], [[3.0, 2.0, 1.0]])
    assert all(list(values) == list(found) for values in views.finals(study).values())
    at_length = studies.open("psmnist", budget="paper", device="cpu", store=study.store)
    assert list(views.nets(at_length, "train", "train_loss")) == ["gru"]


def test_each_net_names_the_budget_that_it_was_trained_with(study):
    assert views.budgets(study) == {"rnn": "reduced", "gru": "reduced", "gru-full": "paper"}
    assert views.num_test(study) == {"rnn": 80, "gru": 80, "gru-full": 100}


def test_seconds_come_with_their_device(study):
    seconds, devices = views.epoch_seconds(study)
    np.testing.assert_array_equal(seconds["rnn"], [2.0])
    assert devices == dict.fromkeys(("rnn", "gru", "gru-full"), "cpu (one)")


def test_seeds_of_two_devices_name_both(study):
    (job,) = (job for job in study.jobs("train") if job.key.label == "rnn-s1")
    run = {"seed": 1, "device": "cpu (another)"}
    study.store.save(job.key, arrays={}, metrics={"epoch_seconds": 3.0}, provenance=run)
    seconds, devices = views.epoch_seconds(study)
    np.testing.assert_array_equal(seconds["rnn"], [2.0, 3.0])
    assert devices["rnn"] == "cpu (one), cpu (another)"


def test_times_compare_on_one_device_where_no_cores_were_lent():
    alone, other, helped = {"device": "cpu"}, {"device": "cuda"}, {"device": "cpu", "most_threads": 2}
    assert times_compare([])
    assert times_compare([alone, alone | {"most_threads": 1}])
    assert not times_compare([alone, other])
    assert not times_compare([helped, helped])


def test_table_one_is_quoted_as_the_paper_has_it():
    table = views.paper_finals()
    assert table["accuracy, test"]["lmu-gru"] == 0.9836
    assert table["loss, training"]["rnn"] == 0.4825
    assert table["loss, training"]["rnn-full"] == 0.4825
    assert all(set(values) == AT_ANY_LENGTH for values in table.values())


def test_parameters_by_part_add_up_to_the_totals_of_the_models():
    totals = {row["name"]: row["parameters"] for row in describe()}
    assert {net: sum(parts.values()) for net, parts in views.parameters().items()} == totals
    assert totals == views.paper_parameters()


def test_models_with_and_without_a_memory():
    assert views.without_memory() + views.with_memory() == tuple(ARCHITECTURES)
    assert views.with_memory() == ("lmu-rnn", "lmu-lstm", "lmu-gru")


def test_what_recurrent_matrices_have_stands_at_their_place():
    placed = views.by_part(["input", "recurrent i", "readout", "recurrent f"], np.array([[1.0], [2.0]]))
    np.testing.assert_array_equal(placed, [[np.nan], [1.0], [np.nan], [2.0]])


def test_what_was_published_has_a_name_an_accuracy_and_a_size_of_test():
    known = views.published()
    assert set(known.epoch_seconds) == AT_ANY_LENGTH
    assert known.epoch_seconds["rnn-full"] == known.epoch_seconds["rnn"]
    for entry in known.accuracies:
        assert entry["name"]
        assert 0.5 < entry["accuracy"] < 1
        assert entry["n_test"] == 10_000
    bibliography = (Path(__file__).parents[3] / "book" / "references.bib").read_text(encoding="utf-8")
    assert all(f"{{{entry['key']}," in bibliography for entry in known.accuracies)
    names = [entry["name"] for entry in known.accuracies]
    assert len(set(names)) == len(names)
    # nets like the three without a memory, as others have trained them
    lstms = [entry["accuracy"] for entry in known.accuracies if entry["name"].startswith("LSTM")]
    assert {0.929, 0.9511} <= set(lstms)
    assert any(entry["name"].startswith("GRU") for entry in known.accuracies)


def test_the_figure_prints_all_fields_of_a_protocol_and_where_each_was_read():
    known = views.published()
    assert set(known.protocol) == set(PROTOCOL) == set(figure.PROTOCOL)
    table = figure.published(known.accuracies, {}, n_test={}, protocol=known.protocol).table
    for entry in known.accuracies:
        row = table["model"].index(entry["name"])
        for field in (*SIZES, *PROTOCOL):
            assert (table[field][row] == "not said") == (field not in entry)
        assert all(place in table["source"][row] for place in entry["sources"].values())


def test_sizes_are_those_of_the_models_at_any_length():
    assert views.sizes()["gru"] == views.sizes()["gru-full"] == 202_506
    assert set(views.sizes()) == AT_ANY_LENGTH


ROW = {"name": "A", "key": "a", "accuracy": 0.9, "n_test": 10_000, "split": "60,000 / none"}
SOURCES = {"accuracy": "Table 1", "split": "data.py"}


def _listed(tmp_path: Path, row: object) -> Path:
    path = tmp_path / "published.yml"
    sections = {"epoch_seconds": {"rnn": 1}, "protocol": {"split": "ours"}, "accuracies": [row]}
    path.write_text(yaml.safe_dump(sections), encoding="utf-8")
    return path


def test_a_row_with_its_sources_is_read_as_it_is_and_so_is_one_that_is_marked(tmp_path):
    row = ROW | {"sources": SOURCES}
    assert views.published(_listed(tmp_path, row)).accuracies == [row]
    marked = {name: ROW[name] for name in ("name", "key", "accuracy", "n_test")}
    marked |= {"sources": {"accuracy": "Table 1"}, "protocol": NOT_FOUND}
    assert views.published(_listed(tmp_path, marked)).accuracies == [marked]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"splits": "1"}, r"row 1 \(A\): unknown field: 'splits'"),
        ({"key": None}, "key is missing"),
        ({"sources": None}, "sources is missing"),
        ({"sources": "Table 1"}, "a source for each field"),
        ({"sources": {"accuracy": "Table 1"}}, "split has no source"),
        ({"sources": {"split": "data.py"}}, "accuracy has no source"),
        ({"sources": SOURCES | {"split": " "}}, "split has no source"),
        ({"sources": SOURCES | {"epochs": "train.py"}}, "a source of what is not given: 'epochs'"),
        ({"epochs": 10}, "epochs has no source"),
        ({"seeds": 3}, "seeds has no source"),
        ({"protocol": NOT_FOUND}, "protocol: 'not found'"),
        ({"protocol": "unknown"}, "protocol: 'unknown'"),
    ],
)
def test_a_row_that_says_more_or_less_than_it_must_is_refused(tmp_path, change, match):
    with pytest.raises(UserError, match=match):
        views.published(_listed(tmp_path, ROW | {"sources": SOURCES} | change))


def test_a_row_without_a_protocol_has_to_be_marked(tmp_path):
    row = {name: ROW[name] for name in ("name", "key", "accuracy", "n_test")}
    row |= {"parameters": 5, "sources": {"accuracy": "Table 1", "parameters": "Table 1"}}
    with pytest.raises(UserError, match=r"nothing is said of how it was obtained.*protocol: not found"):
        views.published(_listed(tmp_path, row))
    with pytest.raises(UserError, match="row 1: a row is a mapping"):
        views.published(_listed(tmp_path, "A"))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "accuracies: []",
        "- a list",
        "a: [",
        "other: 1",
        "{accuracies: {}, epoch_seconds: {}, protocol: {}}",
        "{accuracies: [], epoch_seconds: [], protocol: {}}",
        "{accuracies: [], epoch_seconds: {}, protocol: {splits: 1}}",
    ],
)
def test_a_list_of_published_results_that_is_none_is_named(tmp_path, text):
    path = tmp_path / "published.yml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"(?s)published results cannot be read.*published\.yml"):
        views.published(path)


def test_clipping_is_held_against_the_first_training_at_full_length(tmp_path):
    def opened(budget):
        return studies.open("psmnist", budget=budget, device="cpu", store=Store(tmp_path))

    def save(job, length):
        curves = {f"valid_{metric}": np.full(length, 0.5) for metric in ("loss", "accuracy")}
        Store(tmp_path).save(
            job.key, arrays=curves, metrics={}, provenance={"seed": job.seed, "device": "cpu"}
        )

    def found(budget):
        by_metric = views.clipped(opened(budget), "valid")
        assert set(by_metric) == {"loss", "accuracy"}
        return {net: values.shape for net, values in by_metric["loss"].items()}

    for job in opened("reduced").jobs("train", only="lmu-rnn"):
        save(job, 2)
    assert found("reduced") == {"lmu-rnn": (1, 2)}
    at_length = opened("paper")
    for job in at_length.jobs("train", only="lmu-rnn")[:2]:
        save(job, 3)
    assert found("reduced") == {"lmu-rnn-full": (1, 3)}
    save(at_length.jobs("control")[-1], 3)
    assert found("reduced") == {"lmu-rnn-full": (1, 3), "lmu-rnn-clipped-full": (1, 3)}
    assert found("paper") == {"lmu-rnn": (1, 3), "lmu-rnn-clipped": (1, 3)}


def test_falls_are_those_of_trainings_that_fell_and_below_the_papers_budget_those_that_are_there(tmp_path):
    def opened(budget):
        return studies.open("psmnist", budget=budget, device="cpu", store=Store(tmp_path))

    jobs = opened("paper").jobs("fall")
    assert [job.key.label for job in jobs] == ["lmu-rnn-s0", "lmu-rnn-s1", "lmu-rnn-s2"]
    assert opened("reduced").jobs("fall") == opened("quick").jobs("fall") == []
    names = [f"{line}_{name}" for line in FALL_LINES for name in ("step", *FALL_CURVES)]
    curves = {name: np.full(3, place) for place, name in enumerate(names)}
    for job, arrays, metrics in (
        (jobs[0], {"train_accuracy": np.ones(3)}, {"fell": False}),
        (
            jobs[1],
            curves | {"reach": np.ones((2, 5)), "image": np.ones((4, 4))},
            {"fell": True, "thrown": 2, "digit": 7},
        ),
    ):
        Store(tmp_path).save(
            job.key, arrays=arrays, metrics=metrics, provenance={"seed": job.seed, "device": "cpu"}
        )
    for budget in ("paper", "reduced"):
        (found,) = views.falls(opened(budget))
        assert tuple(found["lines"]) == FALL_LINES == tuple(LINES)
        for line, arrays in found["lines"].items():
            assert {name: names[values[0]] for name, values in arrays.items()} == {
                n: f"{line}_{n}" for n in arrays
            }
        assert (found["thrown"], found["seed"]) == (2, 1)
        (batch,) = views.reaches(opened(budget))
        assert (batch["reaches"].shape, batch["digit"], batch["thrown"]) == ((2, 5), 7, 2)
