"""The psMNIST study: its plan at each budget, and all of it at a tiny budget on the bundled digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnkit import paths, studies
from rnnkit.datasets.mnist import permuted
from rnnkit.errors import UserError
from rnnkit.models import ARCHITECTURES
from rnnkit.results import Store
from rnnkit.results.claims import load_claims
from rnnkit.studies.base import Study
from rnnkit.studies.psmnist import Psmnist, configs, measurements, table_one, views
from rnnkit.studies.psmnist.configs import COMPARED, MODELS, Budget, make_net
from rnnkit.studies.psmnist.training import logits_of, trained_model, untrained_model

TINY = Budget(40, 20, 60, 10, 2, 1, "fp32", 50, 3)
PAPER_TABLE = {
    "rnn": 69642,
    "lstm": 267786,
    "gru": 202506,
    "lmu-rnn": 134155,
    "lmu-lstm": 528907,
    "lmu-gru": 398091,
}


def open_study(folder: Path, budget: str = "quick", seeds: str = "0") -> Study:
    return studies.open("psmnist", budget=budget, seeds=seeds, device="cpu", store=Store(folder))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """The chapter on digits, as on a machine without MNIST, with hardly any training."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNKIT_HOME", str(home))
        patch.setenv("RNNKIT_CORES", "1")  # so that times compare
        patch.setattr("rnnkit.studies.psmnist.study.resolve", lambda budget: "digits")
        patch.setitem(configs.BUDGETS, "quick", TINY)
        study = open_study(home / "results")
        study.ensure(executor="threads", workers=1)
        yield study


def test_the_paper_budget_is_what_the_paper_did():
    for name in MODELS:
        net = make_net(name, "paper")
        schedule = net.schedule
        assert (net.num_train, net.num_valid, net.num_test) == (50_000, 10_000, 10_000)
        assert (schedule.batch_size, schedule.learning_rate, schedule.epsilon) == (1000, 1e-3, 1e-7)
        assert schedule.num_epochs == (60 if name.startswith("lmu") else 100)
        config = net.classifier(784)
        alone = {"rnn": (0.3, 0.0), "lstm": (0.2, 0.5), "gru": (0.2, 0.5)}  # as the study's code calls Keras
        assert (config.dropout, config.recurrent_dropout) == alone.get(name, (0.2, 0.0))
        assert config.dropout_place == ("memory" if name.startswith("lmu") else "input")
        assert config.dropout_span == "step"
        assert (config.hidden_size, config.theta) == (256, 784)
        assert config.memory_size == (256 if name.startswith("lmu") else 0)


def test_the_paper_plan_has_the_six_with_three_seeds(tmp_path):
    jobs = studies.open("psmnist", budget="paper", device="cpu", store=Store(tmp_path)).jobs("train")
    assert sorted(job.key.label for job in jobs) == sorted(f"{m}-s{s}" for m in MODELS for s in (0, 1, 2))


def test_a_short_memory_fits_short_sequences():
    config = make_net("lmu-gru", "quick").classifier(64)
    assert (config.memory_size, config.theta) == (64, 64)


def test_every_planned_record_is_there(tiny):
    assert not tiny.missing()
    assert {job.key.kind for job in tiny.jobs()} == set(tiny.versions)
    for kind, nets in (("train", MODELS), ("settings", COMPARED)):
        found = [record.key.config["net"]["name"] for record in tiny.records(kind)]
        assert list(dict.fromkeys(found)) == list(nets)
        assert all(found.count(name) == (3 if name in configs.PRECISE else 1) for name in nets)
    assert not any(record.weights for record in tiny.records("settings")), "nobody reads them"


def test_starts_keep_each_batch_in_both_precisions_from_the_same_weights(tiny):
    accuracy, seeds = views.starts(tiny)
    assert seeds == list(configs.START_SEEDS[:2])
    assert {name: curves.shape for name, curves in accuracy.items()} == {"fp32": (2, 8), "bf16": (2, 8)}
    losses = {
        name: np.stack([record.arrays["loss"] for record in tiny.records("start", only=name)])
        for name in configs.STARTS
    }
    exact, rounded = losses["rnn-start-fp32"], losses["rnn-start-bf16"]
    np.testing.assert_allclose(exact[:, 0], rounded[:, 0], atol=0.05)
    assert (exact != rounded).any(axis=1).all()
    assert len(np.unique(exact[:, 0])) == len(seeds)


def test_starts_are_of_the_papers_size_but_at_the_quick_budget():
    planned = studies.open("psmnist", budget="reduced", device="cpu").jobs("start")
    assert [job.seed for job in planned[::2]] == list(configs.START_SEEDS)
    nets = [configs.make_start("rnn-start-bf16", budget) for budget in ("paper", "reduced", "quick")]
    assert nets[0] == nets[1]
    paper = make_net("rnn", "paper")
    assert (nets[0].num_train, nets[0].precision) == (paper.num_train, "bf16")
    assert nets[0].schedule == replace(paper.schedule, num_epochs=configs.START_EPOCHS)
    assert nets[2].num_train == make_net("rnn", "quick").num_train


@pytest.mark.parametrize("name", MODELS)
def test_the_record_is_of_the_net_that_it_names(tiny, name):
    """The committed weights, in half precision, give the recorded answers on the images that were tested."""
    record = tiny.record("train", f"{name}-s0")
    data = permuted(dataset="digits")
    model = trained_model(make_net(name, "quick"), record, 64, "cpu")
    logits = logits_of(model, data.test_x[:60], "cpu")
    np.testing.assert_allclose(logits, record.arrays["test_logits"], atol=0.05)
    np.testing.assert_array_equal(record.arrays["test_y"], data.test_y[:60])
    right = np.trace(record.arrays["confusion"]) / record.arrays["confusion"].sum()
    assert right == pytest.approx(record.metrics["test_accuracy"])
    assert len(record.arrays["valid_loss"]) == make_net(name, "quick").schedule.num_epochs


@pytest.mark.parametrize("name", MODELS)
def test_what_is_found_inside_fits_the_net(tiny, name):
    record = tiny.record("inside", f"{name}-s0")
    arrays = record.arrays
    assert arrays["steps"].tolist() == [14, 28, 42, 56]
    assert arrays["paths"].shape[1:] == (64, 3)
    assert arrays["grad_input"].shape == arrays["grad_state"].shape == (2, 64)
    assert (arrays["grad_input"] >= 0).all()
    assert arrays["grad_state"][:, -1].min() > 0
    assert ((arrays["separation"] >= 0) & (arrays["separation"] <= 1)).all()
    with torch.no_grad():
        model = trained_model(make_net(name, "quick"), tiny.record("train", f"{name}-s0"), 64, "cpu")
        x = torch.from_numpy(permuted(dataset="digits").test_x[:50])
        named = model.readout(model.hidden_states(x)[:, 27]).argmax(1).numpy()
    right = (named == permuted(dataset="digits").test_y[:50]).mean()
    assert arrays["own"][1] == pytest.approx(right, abs=0.021)


def test_intervals_of_one_training_count_the_images_that_there_were(tiny):
    intervals = table_one.intervals(tiny)
    for part, count in (("training", 40), ("validation", 20), ("test", 60)):
        over = {over for _, _, over in intervals[f"accuracy, {part}"].values()}
        assert over == {f"{count} images of one training"}
        assert set(intervals[f"accuracy, {part}"]) == set(MODELS)


def test_weights_before_training_are_those_that_the_seed_draws(tiny):
    record = tiny.record("weights", "gru-s0")
    model = untrained_model(make_net("gru", "quick"), 0, 64)
    gate = model.layer.weight_hh.detach().numpy()[:256]
    place = record.metrics["parts"].index("recurrent r")
    assert record.arrays["moments"][place, 0, 1] == pytest.approx(gate.std(), rel=1e-5)
    np.testing.assert_allclose(
        record.arrays["singular"][0, 0], np.linalg.svd(gate, compute_uv=False), atol=1e-4
    )
    assert record.arrays["before"][place].sum() == record.arrays["after"][place].sum() == gate.size


def test_images_behind_a_cell_are_those_of_the_test_set(tiny):
    arrays = tiny.record("confusion", "rnn-s0").arrays
    data = permuted(dataset="digits")
    true, named, place = np.argwhere(arrays["index"] >= 0)[0]
    image = np.empty(64)
    image[data.permutation] = data.test_x[arrays["index"][true, named, place], :, 0]
    np.testing.assert_allclose(arrays["images"][true, named, place].ravel(), image * 255, atol=0.51)


def test_every_claim_is_measured(tiny):
    found = tiny.measurements()
    ledger = load_claims(paths.repository() / "book" / "psmnist" / "claims.yml", "psmnist")
    assert {measure for claim in ledger for measure in claim.measures} <= set(found)
    for name, number in PAPER_TABLE.items():
        if not ARCHITECTURES[name].memory_size:
            assert found[f"{name}.parameters"] == number


def test_a_second_run_does_nothing(tiny):
    before = {r.path: (r.path / "run.json").stat().st_mtime_ns for r in tiny.every_record()}
    tiny.ensure(executor="threads", workers=1)
    assert {path: (path / "run.json").stat().st_mtime_ns for path in before} == before


def test_a_training_comes_again_bit_for_bit(tiny, tmp_path):
    again = open_study(tmp_path)
    again.ensure("train", only="lmu-gru", executor="threads", workers=1)
    twin = tiny.record("train", "lmu-gru-s0")
    (record,) = again.records("train")
    for name, weight in record.weights.items():
        np.testing.assert_array_equal(weight, twin.weights[name])
    np.testing.assert_array_equal(record.arrays["test_logits"], twin.arrays["test_logits"])


def save_at_length(folder, label, **content):
    """Save a made-up training at the paper's budget."""
    jobs = open_study(folder, "paper", label[-1]).jobs("train")
    job = next(job for job in jobs if job.key.label == label)
    content = {"arrays": {"a": np.zeros(1)}, "metrics": {}} | content
    return Store(folder).save(job.key, provenance={"seed": job.seed, "device": "cpu"}, **content)


def test_reduced_has_nets_of_the_papers_budget_beside_its_own(tmp_path):
    def planned(name: str) -> list[tuple[int, int]]:
        jobs = open_study(tmp_path, "reduced", "1,0").jobs("train", only=name)
        return [(job.seed, job.config.num_train) for job in jobs]

    reduced = configs.BUDGETS["reduced"].num_train
    assert planned("rnn") == planned("lstm") == [(1, reduced), (0, reduced)]
    save_at_length(tmp_path, "rnn-s0")
    assert planned("rnn") == [(1, reduced), (0, reduced), (0, 50_000)]
    assert planned("lstm") == [(1, reduced), (0, reduced)]
    study = open_study(tmp_path, "reduced", "1,0")
    asked = [job.seed for job in study.jobs("inside", only="rnn") if job.key.kind == "inside"]
    assert asked == [1, 0], "weights were kept of one seed at the reduced budget, and of all at the paper's"
    assert study.budget_note().endswith(
        "as in the paper too, at full length: sRNN. Weights and hidden states of the others are those of seed 1 alone."
    )


def test_nets_are_compared_at_one_budget_even_where_one_was_trained_for_longer(tmp_path):
    table = dict.fromkeys(measurements._TABLE, 0.5) | {"epoch_seconds": 1.0}
    confusion = np.eye(10, dtype=int) + 1
    arrays = {
        "seconds": np.ones(2),
        "valid_loss": np.array([1.0, 0.5]),
        "confusion": confusion,
        "test_logits": np.eye(10),
        "test_y": np.arange(10),
    }
    study = open_study(tmp_path, "reduced", "0,1")
    for job in study.jobs("train"):
        study.store.save(
            job.key, arrays=arrays, metrics=table, provenance={"seed": job.seed, "device": "cpu"}
        )
    before = study.measurements()
    save_at_length(
        tmp_path,
        "rnn-s0",
        arrays=arrays | {"confusion": confusion.T + np.arange(10)},
        metrics=table | {"test_accuracy": 0.99},
    )
    after = open_study(tmp_path, "reduced", "0,1").measurements()
    assert set(after) == set(before)
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values, err_msg=name)
    assert open_study(tmp_path, "paper", "0").measurements()["rnn.test_accuracy"] == 0.99


def test_the_control_is_the_lstm_but_for_its_recurrent_dropout(tmp_path):
    for _ in range(2):  # the second time with an LSTM at full length beside it
        study = open_study(tmp_path, "reduced", "2,0")
        (control,), lstm = study.jobs("control"), study.jobs("train", only="lstm")[0]
        assert control.config.num_train == configs.BUDGETS["reduced"].num_train
        assert control.seed == lstm.seed
        assert replace(control.config, name="lstm", recurrent_dropout=None) == lstm.config
        assert control.config.classifier(784).recurrent_dropout == 0
        assert lstm.config.classifier(784).recurrent_dropout == 0.5
        rates = [job.key.config["net"]["recurrent_dropout"] for job in (control, lstm)]
        assert rates == [0, 0.5]
        save_at_length(tmp_path, "lstm-s2")


def test_reduced_keeps_the_weights_of_the_first_seed(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(configs.BUDGETS, "reduced", TINY)
    monkeypatch.setattr("rnnkit.studies.psmnist.study.resolve", lambda budget: "digits")
    study = open_study(tmp_path, "reduced", "1,0")
    study.dataset = "digits"
    study.ensure(only="rnn", executor="threads", workers=1)
    first, second = study.records("train", only="rnn")
    assert (len(first.weights) > 0, len(second.weights)) == (True, 0)
    # but for the weights it is the same training
    np.testing.assert_array_equal(
        second.arrays["test_logits"], tiny.record("train", "rnn-s0").arrays["test_logits"]
    )
    for kind, seeds in (("confusion", [1, 0]), ("weights", [1]), ("inside", [1])):
        assert views.seeds(study, kind) == seeds
    assert study.budget_note().endswith("Weights and hidden states are those of seed 1 alone.")


def test_budgets_are_the_studys_own(tmp_path):
    with pytest.raises(UserError, match="unknown budget: 'reduced'; allowed: quick, paper"):
        studies.open("geometry", budget="reduced", device="cpu")
    with pytest.raises(UserError, match="unknown budget: 'huge'; allowed: quick, reduced, paper"):
        open_study(tmp_path, "huge")


def test_an_unknown_net_or_setting_is_named():
    with pytest.raises(UserError, match="unknown net: 'transformer'"):
        make_net("transformer", "quick")
    with pytest.raises(UserError, match="unknown dropout_place: 'nowhere'"):
        configs.Net("rnn", "rnn", make_net("rnn", "quick").schedule, 1, 1, 1, dropout_place="nowhere")


def test_the_book_is_built_from_reduced_records_until_all_of_the_papers_are_there(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNKIT_RESULTS", str(tmp_path / "own"))
    monkeypatch.setattr(paths, "committed_results", lambda: tmp_path / "committed")
    assert Psmnist.published_budget() == "reduced"
    *others, last = Psmnist(budget="paper", device="cpu").jobs("train")
    for job in others:
        save_at_length(tmp_path / "committed", job.key.label)
    assert Psmnist.published_budget() == "reduced"
    save_at_length(tmp_path / "committed", last.key.label)
    assert Psmnist.published_budget() == "paper"


def test_the_bound_of_a_net_that_reads_blank_images():
    counts = np.array([10, 30, 60])
    assert measurements.accuracy_bound(0.5, counts) == pytest.approx(0.5 + 0.5 * 0.6)


def test_numbers_of_a_confusion_matrix():
    confusion = np.zeros((10, 10), int)
    confusion[4, 9], confusion[9, 4], confusion[3, 5] = 5, 3, 6
    assert measurements.pair_lead(confusion, (4, 9)) == 2
    assert measurements.correlation(confusion, 2 * confusion) == pytest.approx(1)


def test_decades_and_epochs_to_converge():
    assert measurements.decades(np.logspace(-8, 0, 801)) == pytest.approx(-4, abs=0.01)
    assert measurements.decades(np.logspace(-320, 0, 801)) == pytest.approx(-160, abs=0.5)
    assert measurements.decades(np.array([1.0, 0.1, 0.1, 1.0, 1.0, 1.0])) < 0  # short: half way back
    assert measurements.epochs_to_converge(np.array([2.0, 1.0, 0.1, 0.0])) == 3
    assert measurements.epochs_to_converge(np.array([0.02, 0.01])) == 1  # steep: done after the first


def test_reliability_of_errors_that_are_a_law_of_their_own():
    true = np.repeat(np.arange(10), 200)
    named = np.where(np.arange(2000) % 20 < 4, (true + 1) % 10, true)  # the same errors in both halves
    assert measurements.reliability(named, true) == pytest.approx(1)


def test_a_chapter_published_below_the_papers_budget_settles_what_hangs_on_no_training(tmp_path, monkeypatch):
    from rnnkit.studies.pages import claim_results

    monkeypatch.setattr(Psmnist, "published_budget", classmethod(lambda cls: "reduced"))

    def verdict(budget: str) -> str:
        results = {result.id: result for result in claim_results(open_study(tmp_path, budget))}
        assert results["psmnist-accuracy-rnn"].verdict == "not judged"
        return results["psmnist-parameters-rnn"].verdict

    assert (verdict("reduced"), verdict("paper")) == ("reproduced", "reproduced")
    assert verdict("quick") == "not judged"


def test_a_claim_on_a_net_at_full_length_has_its_numbers_even_of_a_single_seed(tmp_path, monkeypatch):
    from rnnkit.studies.pages import claim_results

    monkeypatch.setattr(Psmnist, "published_budget", classmethod(lambda cls: "reduced"))
    save_at_length(tmp_path, "rnn-s1")
    parts = [f"{part}_accuracy" for part in ("train", "valid", "test")]

    def measured(study: Psmnist) -> dict[str, np.ndarray]:
        if study.budget == "paper":
            return {
                f"rnn.{part}": np.array([0.84 if s == 1 else np.nan for s in study.seeds]) for part in parts
            }
        return {f"{net}.{part}": np.full(len(study.seeds), 0.4) for net in ("rnn", "lstm") for part in parts}

    monkeypatch.setattr(Psmnist, "measurements", measured)
    found = {result.id: result for result in claim_results(open_study(tmp_path, "reduced", "0,1,2"))}
    at_length, short = found["psmnist-accuracy-rnn"], found["psmnist-accuracy-lstm"]
    assert (at_length.budget, at_length.verdict, at_length.n) == ("paper", "not judged", 1)
    assert "a single seed has no interval" in at_length.reason
    assert at_length.here_text == "training: 84.00 %; validation: 84.00 %; test: 84.00 %"
    assert (short.budget, short.verdict, short.n) == ("reduced", "not judged", 3)


def test_each_claim_is_settled_with_the_seeds_that_its_net_has(tmp_path, monkeypatch):
    """Other nets may have been trained with more of them: on a page as on the scoreboard, at the paper's budget."""
    from rnnkit.studies.pages import claim_results

    monkeypatch.setattr(Psmnist, "published_budget", classmethod(lambda cls: "reduced"))
    trained = {"rnn": (0, 1, 2), "lmu-rnn": (0, 2), "gru": (1,)}
    for net, seeds in trained.items():
        for seed in seeds:
            save_at_length(tmp_path, f"{net}-s{seed}")
    short = open_study(tmp_path, "reduced", "0,1,2").jobs("train", only="lstm")[0]
    save = {"arrays": {"a": np.zeros(1)}, "metrics": {}, "provenance": {"seed": 0, "device": "cpu"}}
    Store(tmp_path).save(short.key, **save)
    parts = [f"{part}_accuracy" for part in ("train", "valid", "test")]

    def measured(study: Psmnist) -> dict[str, np.ndarray]:
        here = trained if study.budget == "paper" else {"lstm": (0,)}
        values = {
            net: np.array([0.8 + seed / 100 if seed in seeds else np.nan for seed in study.seeds])
            for net, seeds in here.items()
        }
        return {f"{net}.{part}": value for net, value in values.items() for part in parts}

    monkeypatch.setattr(Psmnist, "measurements", measured)
    for budget in ("reduced", "paper"):
        found = {result.id: result for result in claim_results(open_study(tmp_path, budget, "0,1,2"))}
        results = {net: found[f"psmnist-accuracy-{net}"] for net in (*trained, "lstm")}
        assert {net: result.n for net, result in results.items()} == {
            "rnn": 3,
            "lmu-rnn": 2,
            "gru": 1,
            "lstm": 1 if budget == "reduced" else 0,
        }
        assert [results[net].here_text[:17] for net in trained] == ["training: 81.00 %"] * 3
        assert "a single seed has no interval" in results["gru"].reason
        assert results["lmu-rnn"].verdict != "not judged"
        assert results["lstm"].budget == budget


def test_a_card_tells_of_the_kinds_that_its_page_shows(tiny, monkeypatch):
    from rnnkit.studies import pages

    page = object.__new__(pages.Page)
    page.name, page.study = "psmnist/01_data", tiny
    assert repr(page.provenance("data")) == "1 records"
    assert repr(page.provenance("train")) == f"{len(MODELS)} records"
    assert repr(page.provenance()) == f"{len(tiny.every_record())} records"


def test_a_page_may_be_opened_twice(tiny, monkeypatch):
    monkeypatch.setattr(studies, "open", lambda chapter, **settings: tiny)
    names = [studies.page("psmnist/01_data").name for _ in range(2)]
    assert names == ["psmnist/01_data"] * 2
