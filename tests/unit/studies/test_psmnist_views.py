"""From the psMNIST chapter's records to its figures: what is quoted is the paper's, what is counted is the models'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from rnnkit import studies
from rnnkit.errors import UserError
from rnnkit.figures import published as figure
from rnnkit.models import ARCHITECTURES, describe
from rnnkit.results import Store
from rnnkit.studies.psmnist import table_one, views
from rnnkit.studies.psmnist.configs import MODELS
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
        metrics = {"num_test": num_test}
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
    at_length = studies.open("psmnist", budget="paper", device="cpu", store=study.store)
    assert list(views.nets(at_length, "train", "train_loss")) == ["gru"]


def test_a_row_is_that_of_its_seed_where_a_reader_picks_one(tmp_path):
    """A net that lacks a seed between two others must not show the third one's curve under its name."""
    study = studies.open("psmnist", budget="reduced", device="cpu", store=Store(tmp_path))
    for job in study.jobs("train"):
        if job.key.label in {"rnn-s0", "rnn-s1", "rnn-s2", "gru-s0", "gru-s2"}:
            metrics = ("train_loss", "train_accuracy")
            study.store.save(
                job.key,
                arrays={name: np.full(2, float(job.seed)) for name in metrics} | {"steps": np.array([7, 8])},
                metrics={},
                provenance={"seed": job.seed, "device": "cpu"},
            )
    study = studies.open("psmnist", budget="reduced", device="cpu", store=Store(tmp_path))
    assert views.seeds(study, "train") == [0, 1, 2]
    loss = views.curves(study, "train", ("rnn", "gru"))["loss"]
    np.testing.assert_array_equal(loss["rnn"][:, 0], [0, 1, 2])
    np.testing.assert_array_equal(loss["gru"][:, 0], [0, np.nan, 2])
    found = views.nets(study, "train", "train_loss", "steps", only=("gru",), by_seed=True)["gru"]
    np.testing.assert_array_equal(found["steps"], [[7, 8]] * 3)
    np.testing.assert_array_equal(views.nets(study, "train", "train_loss")["gru"]["train_loss"][:, 0], [0, 2])


def test_each_net_names_the_budget_that_it_was_trained_with(study):
    assert views.budgets(study) == {"rnn": "reduced", "gru": "reduced", "gru-full": "paper"}
    assert views.num_test(study) == {"rnn": 80, "gru": 80, "gru-full": 100}


def test_times_compare_on_one_device_where_no_cores_were_lent():
    alone, other, helped = {"device": "cpu"}, {"device": "cuda"}, {"device": "cpu", "most_threads": 2}
    assert times_compare([])
    assert times_compare([alone, alone | {"most_threads": 1}])
    assert not times_compare([alone, other])
    assert not times_compare([helped, helped])


def test_input_weights_of_a_simple_rnn_scatter_about_their_uniform_law():
    count, gap = views.uniform_scatter()
    assert count == 256
    assert gap == pytest.approx(0.0554, abs=0.001)


def test_parameters_by_part_add_up_to_the_totals_of_the_models():
    totals = {row["name"]: row["parameters"] for row in describe()}
    assert {net: sum(parts.values()) for net, parts in views.parameters().items()} == totals
    assert totals == table_one.paper_parameters()


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


def test_starts_are_those_of_the_seeds_that_have_both(tmp_path):
    study = studies.open("psmnist", budget="reduced", device="cpu", store=Store(tmp_path))
    assert views.starts(study) == ({}, [])
    for job in study.jobs("start"):
        if (job.config.precision, job.seed) in {
            ("fp32", 0),
            ("bf16", 0),
            ("bf16", 1),
            ("fp32", 4),
            ("bf16", 4),
        }:
            study.store.save(
                job.key,
                arrays={"accuracy": np.full(3, job.seed + (job.config.precision == "bf16"))},
                metrics={},
                provenance={"seed": job.seed, "device": "cpu"},
            )
    found, seeds = views.starts(
        studies.open("psmnist", budget="reduced", device="cpu", store=Store(tmp_path))
    )
    assert seeds == [0, 4]
    np.testing.assert_array_equal(found["fp32"], [[0] * 3, [4] * 3])
    np.testing.assert_array_equal(found["bf16"], [[1] * 3, [5] * 3])


@pytest.mark.parametrize("budget", ["quick", "reduced"])  # of which quick has one seed for the six
def test_rounding_is_told_beside_what_seeds_differ_by(tmp_path, budget):
    study = studies.open("psmnist", budget=budget, device="cpu", store=Store(tmp_path))
    assert views.rounding(study) == {}
    ends = {"lmu-rnn-fp32": [0.8, 0.9, 0.85], "lmu-rnn-bf16": [0.81, 0.88, 0.85]}
    for job in study.jobs("settings"):
        if job.config.name in ends:
            curve = np.array([0.1, ends[job.config.name][job.seed]])
            Store(tmp_path).save(
                job.key,
                arrays={"valid_loss": 1 - curve, "valid_accuracy": curve},
                metrics={},
                provenance={"seed": job.seed, "device": "cpu"},
            )
    told = views.rounding(studies.open("psmnist", budget=budget, device="cpu", store=Store(tmp_path)))
    assert told["seed"] == ["0", "1", "2", "largest difference"]
    assert told["float32"] == ["80.0 %", "90.0 %", "85.0 %", "10.0 %"]
    assert told["bfloat16"] == ["81.0 %", "88.0 %", "85.0 %", "7.0 %"]
    assert told["between the two"] == ["1.0 %", "2.0 %", "0.0 %", "2.0 %"]
