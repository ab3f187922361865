"""The lab study: its plan at paper budget, and a small part of all of it on the bundled digits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnkit import paths, studies
from rnnkit.datasets import addition
from rnnkit.errors import UserError
from rnnkit.models.population import SequencePopulation
from rnnkit.probes.additions import carries, totals
from rnnkit.results import Store, load_claims
from rnnkit.studies.base import Study
from rnnkit.studies.lab import adder_views, adders, recalling, rows_configs, tasks_configs, views
from rnnkit.studies.lab.measurements import measure
from rnnkit.training import decisions

ROWS = rows_configs.RowsBudget(60, 20, 40, 20, 2, 20, 2, 30, 25)
TASKS = tasks_configs.TasksBudget(10, 10, 20, 20, (1, 4), 3)
NETS = ("rnn-1x64", *rows_configs.SHOWN)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A part of the chapter on digits, as on a machine without MNIST, with hardly any training."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNKIT_HOME", str(home))
        patch.setattr("rnnkit.studies.lab.study.resolve", lambda budget: "digits")
        patch.setitem(rows_configs.BUDGETS, "quick", ROWS)
        patch.setattr(rows_configs, "NETS", NETS)
        patch.setitem(tasks_configs.BUDGETS, "quick", TASKS)
        patch.setattr(tasks_configs, "HIDDEN_SIZES", (2, 3))
        patch.setattr(tasks_configs, "LOSSES", ("mse-linear",))
        study = studies.open("lab", budget="quick", seeds="0,3", device="cpu", store=Store(home / "results"))
        study.ensure(executor="threads", workers=1)
    return study  # its plan is made: what was patched is needed no more


def test_the_paper_budget_is_what_the_report_did():
    for name in rows_configs.NETS:
        net = rows_configs.make_net(name, "paper")
        assert (net.num_train, net.num_test, net.schedule.batch_size) == (50_000, 10_000, 100)
        assert (net.schedule.num_epochs, net.schedule.learning_rate) == (5, 1e-3)
        assert net.schedule.weight_decay == (1e-3 if name.endswith("-decayed") else 0)
    seeds = tuple(range(20))
    for config in tasks_configs.recalls("paper", seeds):
        assert (config.num_batches, config.batch_size, config.num_epochs) == (1000, 50, 3)
        assert (config.learning_rate, config.position) == (5e-3, 1)
    for adding in tasks_configs.additions("paper", seeds):
        assert (adding.num_batches, adding.batch_size, adding.num_epochs, adding.length) == (500, 100, 5, 5)


def test_the_paper_plan_has_the_grid_and_twenty_seeds_of_every_population(tmp_path):
    study = studies.open("lab", budget="paper", device="cpu", store=Store(tmp_path))
    labels = {
        kind: [job.key.label for job in study.jobs(kind) if job.key.kind == kind] for kind in study.versions
    }
    assert labels["rows"] == [f"{net}-s{seed}" for net in rows_configs.NETS for seed in (0, 1, 2)]
    assert (len(labels["recall"]), len(labels["addition"]), len(labels["adder"])) == (6, 27, 27)
    assert all(job.config.seeds == tuple(range(20)) for job in study.jobs("recall"))


def test_the_key_of_a_net_hangs_on_its_own_seed_alone(tmp_path):
    keys = []
    for seeds in ("0,1", "1"):
        study = studies.open("lab", budget="quick", seeds=seeds, device="cpu", store=Store(tmp_path))
        keys.append({study._rows("gru-2x256", 1).key.id})
    assert keys[0] == keys[1]


def test_an_unknown_net_is_refused():
    with pytest.raises(UserError, match="gru-3x256"):
        rows_configs.make_net("gru-3x256", "quick")


def test_every_planned_record_is_there(tiny):
    assert not tiny.missing()
    assert {job.key.kind for job in tiny.jobs()} == set(tiny.versions)


def test_a_net_that_reads_rows_is_followed(tiny):
    record = tiny.record("rows", "gru-2x256-s0")
    arrays = record.arrays
    assert arrays["loss"].shape == (6,)
    np.testing.assert_array_equal(arrays["iteration"], [2, 4, 6])
    assert arrays["confusion"].sum() == record.metrics["num_test"] == 40
    assert np.trace(arrays["confusion"]) / 40 == pytest.approx(record.metrics["test_accuracy"])
    assert arrays["epoch_test_accuracy"][-1] == pytest.approx(record.metrics["test_accuracy"])
    assert arrays["belief"].shape == (25, 8, 10)
    np.testing.assert_allclose(arrays["belief"].sum(2, dtype=np.float64), 1, atol=0.01)
    assert "belief" not in tiny.record("rows", "rnn-1x64-s0").arrays


def test_the_belief_after_the_last_row_is_the_answer(tiny):
    found = {name: tiny.record("rows", f"{name}-s0") for name in rows_configs.BEST.values()}
    (images,) = tiny.records("images")
    for record in found.values():
        last = record.arrays["belief"][:, -1].argmax(1) == images.arrays["labels"]
        # Half precision may turn a tie; the mean over the first 25 of 30 is bounded by that over all.
        assert last.sum() <= round(30 * record.arrays["accuracy_by_row"][-1])


def test_recall_is_scored_as_a_net_alone_would_be(tiny):
    job = next(job for job in tiny.jobs("recall") if job.config.hidden_size == 3)
    record, config = tiny.store.load(job.key), job.config
    population = SequencePopulation(config.architecture, record.weights)
    right = count = 0
    test = recalling._draw(config, 3).split(8)[1]
    for batch in range(len(test.lengths)):
        with torch.no_grad():
            named = population(torch.from_numpy(test.one_hot(batch)))[1].argmax(-1).numpy()
        right, count = right + (named == test.targets[batch]).sum(), count + named.size
    assert record.arrays["test_accuracy"][1, -1] == pytest.approx(right / count)
    assert record.arrays["loss"].shape == (2, 3 * 8 // tasks_configs.WINDOW)


def test_addition_is_scored_bit_by_bit_and_whole(tiny):
    job = next(job for job in tiny.jobs("addition") if job.config.cell == "lstm")
    record, config = tiny.store.load(job.key), job.config
    population = SequencePopulation(config.architecture, record.weights)
    a, b = addition.draw(1, config.num_pairs, length=7, seed=1007)
    with torch.no_grad():
        bits = decisions(config.loss, population(torch.from_numpy(addition.inputs(a[0], b[0])))).numpy()
    right = (
        np.array(
            [
                [
                    [int(addition.to_int(x)) + int(addition.to_int(y)) >> t & 1 for t in range(8)]
                    for x, y in zip(a[0], b[0], strict=True)
                ]
            ]
        )
        == bits
    )
    np.testing.assert_allclose(record.arrays["length_accuracy"][:, 6], right.mean((1, 2)))
    np.testing.assert_allclose(record.arrays["whole_accuracy"][:, 6], right.all(2).mean(1))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_an_adder_steps_as_its_population_reads(tiny, cell):
    job = next(job for job in tiny.jobs("addition") if job.config.cell == cell)
    record = tiny.store.load(job.key)
    net = {name: values[1] for name, values in record.weights.items()}
    adder = adders.make_adder(job.config, net)
    bits = adders.all_short(job.config)[::37]
    states, outputs = adder.run(bits)
    population = SequencePopulation(job.config.architecture, record.weights).double()
    with torch.no_grad():
        x = torch.from_numpy(bits.astype(np.float64))
        expected, answers = (
            population.hidden_states(x)[1].numpy(),
            decisions(job.config.loss, population(x))[1],
        )
    np.testing.assert_allclose(states[:, :, : job.config.hidden_size], expected, atol=1e-12)
    np.testing.assert_array_equal(outputs, answers.numpy())


def test_every_pair_of_short_numbers_is_there_once():
    config = tasks_configs.AdditionConfig("rnn", 2, "bce", (0,), 1, 1)
    bits = adders.all_short(config)
    assert bits.shape == (1024, 6, 2)
    assert len(np.unique(bits.reshape(1024, -1), axis=0)) == 1024
    assert not bits[:, -1].any()
    weights = 1 << np.arange(6)
    numbers = (bits * weights[:, None]).sum(1)
    sums = (totals(bits) % 2 * weights).sum(1)
    np.testing.assert_array_equal(sums, numbers.sum(1))


def test_measurements_hold_one_value_per_seed(tiny):
    found = measure(tiny)
    assert all(values.shape == ((1,) if name.startswith("rows.") else (2,)) for name, values in found.items())
    gain = found["rows.gru-2x256.test_accuracy"] - found["rows.gru-2x256-decayed.test_accuracy"]
    np.testing.assert_allclose(found["rows.gru.gain"], gain)
    assert "rows.gru.best" not in found, "the search is not whole"
    assert {"addition.lstm.3.mse-linear.at_every_length", "recall.2.last.samples"} <= set(found)


def test_every_measure_of_the_ledger_is_measured():
    """By the published records."""
    ledger = load_claims(paths.repository() / "book" / "lab" / "claims.yml", "lab")
    study = studies.open("lab", budget="paper", device="cpu")
    missing = {name for claim in ledger for name in claim.measures} - set(study.measurements())
    assert not missing


def test_what_the_report_says_comes_from_the_ledger():
    assert views.paper_recall() == {2: 0.47, 5: 0.958, 10: 1.0}
    assert views.paper_addition()[5, "bce"] == 0.989
    assert views.paper_rows()["gru-2x256-decayed"] == 0.945


def test_the_machine_on_the_page_is_the_adder():
    table = views.adding_machine()
    for carry, bits, writes, out in zip(*table.values(), strict=True):
        total = int(carry) + sum(int(bit) for bit in bits[:5].split(" + "))
        assert (int(writes), int(out)) == (total % 2, total // 2)


def test_figures_and_players_get_what_they_take(tiny):
    images, labels, belief = views.reading(tiny)
    assert len(images) == len(labels) == len(belief["rnn-2x128"])
    assert views.grid(tiny)["gru"].shape == (2, 3, 1, 2)
    drawn = adder_views.carry_states(tiny, "gru")
    assert drawn["states"].shape[3] == 2
    np.testing.assert_array_equal(drawn["carry"], carries(adders.random_long(11, 40, seed=0)))
    assert sum(adder_views.failures(tiny)["rnn", 2, "mse-linear"].values()) == 2
    assert list(views.recall(tiny, "samples")) == [(h, r) for h in (2, 3) for r in tasks_configs.READOUTS]
