"""The benchmarks at a tiny size: rivals compute the same, counts are right, output can be read. Never a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import __main__ as command_line
from benchmarks import keras_rival, lab, population, psmnist, psmnist_cuda, timing, training_step, truncation
from rnnkit.datasets.sentences import make
from rnnkit.models import ARCHITECTURES, VanillaRNN
from rnnkit.models.population import (
    Architecture,
    PopulationState,
    SequencePopulation,
    initial,
    initial_sequences,
)
from rnnkit.studies.psmnist.configs import make_net
from rnnkit.training import make_engine
from rnnkit.training.sequence_population import train_sequences

SHAPE = training_step.Shape(input_size=3, seq_len=4, hidden_size=6, num_classes=2, ceiling=8)
PSMNIST = psmnist.Work(
    models=("gru", "lmu-gru"),
    batch=6,
    seq_len=3,
    hidden_size=64,
    memory_size=5,
    theta=20,
    precisions=("bf16", "fp32"),
    memory=False,
    ceiling=8,
)
CUDA = psmnist_cuda.Work(
    models=("gru", "lmu-gru"),
    precisions=("bf16", "fp32"),
    batch=4,
    eval_batch=6,
    seq_len=3,
    hidden_size=8,
    memory_size=5,
    num_train=10,
    num_eval=12,
    num_steps=2,
    check_batch=6,
    check_seq_len=5,
    ceiling=8,
)
POPULATION = population.Work(
    num_models=2, num_steps=1, num_settings=4, num_torch_settings=1, num_valid=8, growth=(4,), ceiling=8
)
LAB = lab.Work(num_models=2, num_steps=3, recall_batch=4, addition_batch=5)
WORK = truncation.Work(
    num_images=24,
    num_extra=3,
    num_naive=12,
    seq_len=4,
    input_size=3,
    hidden_size=6,
    num_classes=2,
    batch_size=8,
)


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("bf16", 2e-2)])
def test_both_training_steps_learn_the_same(precision, tolerance):
    x = torch.rand(8, 4, 3, generator=torch.Generator().manual_seed(0))
    y = torch.arange(8) % 2
    losses = []
    for net in training_step.make_pair(SHAPE, precision):
        step = training_step.training_step(net, torch.optim.Adam(net.parameters(), lr=1e-2), x, y)
        losses.append([step() for _ in range(5)])
    np.testing.assert_allclose(*losses, atol=tolerance)
    assert losses[0][-1] < losses[0][0]


def test_operations_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    net = VanillaRNN(3, 6, 2, generator=torch.Generator().manual_seed(0))
    x, y = torch.rand(8, 4, 3), torch.arange(8) % 2
    with FlopCounterMode(display=False) as counter:
        h = torch.zeros(8, 6)
        for t in range(4):  # the fused form's operators are unknown to torch's counter
            h = torch.tanh(torch.cat([h, x[:, t]], 1) @ torch.cat([net.weight_hh, net.weight_ih], 1).t())
        torch.nn.functional.cross_entropy(net.readout(h), y).backward()
    # autograd goes back through the images of steps 2 to 4 as well, which training does not need
    for_images = 3 * 2 * 8 * 6 * 3
    assert counter.get_total_flops() - for_images == training_step.operations(SHAPE, 8)


def test_both_ways_to_truncate_agree():
    case = truncation.make_case(WORK, WORK.num_images)
    with torch.no_grad():
        case[0].weight_hh *= 4  # a lively net: its answers differ from step to step
    ours, naive = truncation.one_pass(*case, WORK), truncation.naive(*case, WORK)
    for name in ("blank_after", "stop_after", "extra_blank"):
        np.testing.assert_allclose(getattr(ours, name), getattr(naive, name), atol=1e-6, err_msg=name)
    assert len(set(ours.blank_after)) > 1


def test_a_race_runs_every_rival_in_every_round_and_not_always_in_the_same_order():
    order: list[str] = []
    seconds = timing.race({name: lambda name=name: order.append(name) for name in "abc"}, repeats=6)
    rounds = [order[start : start + 3] for start in range(0, len(order), 3)]
    assert all(sorted(turn) == list("abc") for turn in rounds)
    assert {turn[0] for turn in rounds} == set("abc")
    assert {name: len(times) for name, times in seconds.items()} == dict.fromkeys("abc", 6)


def test_threads_are_set_back():
    before = torch.get_num_threads()
    with timing.threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    step, cut, pixels, many = training_step.run, truncation.run, psmnist.run, population.run
    seeds = lab.run
    monkeypatch.setattr(lab, "run", lambda **k: seeds(**k | {"work": LAB}))
    monkeypatch.setattr(population, "run", lambda **k: many(**k | {"work": POPULATION}))
    monkeypatch.setattr(psmnist, "interpreter", lambda: None)
    monkeypatch.setattr(psmnist, "run", lambda **k: pixels(**k | {"num_threads": (1,), "work": PSMNIST}))
    monkeypatch.setattr(
        training_step, "run", lambda **k: step(**k | {"batches": (2, 5), "num_threads": (1,), "shape": SHAPE})
    )
    monkeypatch.setattr(truncation, "run", lambda **k: cut(**k | {"num_threads": (1,), "work": WORK}))


def test_the_tables_are_printed(monkeypatch, capsys):
    _tiny(monkeypatch)
    assert command_line.main(["--repeats", "2"]) == 0
    printed = capsys.readouterr().out
    assert "One training step" in printed
    assert "Experiments 1 to 3 for 24 images" in printed


def test_json_holds_every_case(monkeypatch, capsys):
    _tiny(monkeypatch)
    assert command_line.main(["--json", "--repeats", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["machine"]["torch"] == torch.__version__
    cases = [(row["batch"], row["precision"]) for row in found["benchmarks"]["training_step"]]
    assert cases == [(2, "fp32"), (2, "bf16"), (5, "fp32"), (5, "bf16")]
    (row,) = found["benchmarks"]["truncation"]
    assert row["num_images"] == 24
    assert 0 < row["peak_bytes"] < truncation.MEMORY_LIMIT


@pytest.mark.parametrize("arguments", [["sorting"], ["--repeats", "0"], ["--repeats", "many"], ["--jason"]])
def test_unknown_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        command_line.main(arguments)
    assert end.value.code == 2
    assert "error" in capsys.readouterr().err


def test_a_training_step_of_another_size_is_timed(monkeypatch, capsys):
    monkeypatch.setattr(psmnist, "interpreter", lambda: None)
    run = psmnist.run
    tiny = {"precisions": ("fp32",), "memory": False, "ceiling": 8, "hidden_size": 64}
    monkeypatch.setattr(psmnist, "run", lambda work, **k: run(work=replace(work, **tiny), **k))
    assert (
        command_line.main(
            ["psmnist", "--batch", "3", "--seq-len", "5", "--models", "lmu-rnn", "--repeats", "1"]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert "One training step of 3 sequences of 5 steps" in printed
    assert printed.count("GFLOP/s (") == 3


@pytest.mark.parametrize(("given", "size"), [("--batch", "batch"), ("--seq-len", "seq_len")])
def test_a_size_that_is_left_out_is_the_default(given, size):
    options = command_line.parser().parse_args(["psmnist", given, "7"])
    assert command_line.settings(options) == {"work": psmnist.Work(**{size: 7})}
    assert command_line.settings(command_line.parser().parse_args(["psmnist"])) == {}


@pytest.mark.parametrize("name", [*sorted(set(command_line.BENCHMARKS) - {"psmnist", "psmnist_cuda"}), "all"])
def test_a_size_is_refused_where_it_would_mean_nothing(name, monkeypatch, capsys):
    for module in command_line.BENCHMARKS.values():
        monkeypatch.setattr(module, "run", lambda **_: pytest.fail("it ran"))
    for size in (["--batch", "4"], ["--seq-len", "4"], ["--models", "gru"]):
        with pytest.raises(SystemExit) as end:
            command_line.main([name, *size])
        assert end.value.code == 2
        assert f"are of psmnist and psmnist_cuda, not of {name}" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["0", "-3", "2.5", "many", ""])
def test_a_size_that_is_none_is_refused(size, capsys):
    with pytest.raises(SystemExit) as end:
        command_line.main(["psmnist", f"--seq-len={size}"])
    assert end.value.code == 2
    assert "is not an integer of at least 1" in capsys.readouterr().err


def test_models_are_picked_by_name(capsys):
    options = command_line.parser().parse_args(["psmnist", "--models", "gru,lmu-gru"])
    assert command_line.settings(options) == {"work": psmnist.Work(models=("gru", "lmu-gru"))}
    options = command_line.parser().parse_args(["psmnist_cuda", "--models", "gru"])
    assert command_line.settings(options) == {"work": psmnist_cuda.Work(models=("gru",))}
    with pytest.raises(SystemExit) as end:
        command_line.main(["psmnist", "--models", "gru,elman"])
    assert end.value.code == 2
    assert "'elman' is no model; models: rnn, lstm" in capsys.readouterr().err


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_population_and_loop_train_and_count_the_same(cell):
    architecture = Architecture(cell, 2, 4)
    data = make("first", seed=0, num_train=96, num_valid=50, num_test=0)
    parameters = initial(architecture, 2, 0)
    engine, state = make_engine("lanes"), PopulationState.fresh(architecture, parameters)
    engine.train_epoch(
        state,
        *vars(data.train).values(),
        np.arange(96),
        population.BATCH,
        np.full(2, population.LEARNING_RATE),
    )
    net = population.TorchNet(architecture, parameters[1])
    tensors = [torch.from_numpy(array).long() for array in vars(data.train).values()]
    population.torch_training(net, *tensors)
    learnt = np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])
    np.testing.assert_allclose(state.parameters[1], learnt, atol=2e-6)
    valid = [torch.from_numpy(array).long() for array in vars(data.valid).values()]
    counted = engine.count_right(architecture, state.parameters, *vars(data.valid).values())
    assert population.torch_count(net, *valid) == counted[1]


def test_the_population_benchmark_reports_what_it_timed():
    results = population.run(repeats=1, work=POPULATION)
    text = population.report(results)
    assert len(results["training"]) == 8
    assert len(results["settings"]) == 4
    assert all(row["rnnkit_us"] > 0 for rows in (results["training"], results["settings"]) for row in rows)
    assert "settings" in text


@pytest.mark.parametrize("architecture", [lab.RECALL, *lab.ADDITION], ids=lambda a: a.cell)
def test_seeds_together_and_one_after_another_learn_the_same(architecture):
    task, loss = (
        (lab.recall_data, "cross_entropy") if architecture.bidirectional else (lab.addition_data, "bce")
    )
    data, parameters = task(LAB), initial_sequences(architecture, range(LAB.num_models))
    net_population = SequencePopulation(architecture, parameters)
    history = train_sequences(net_population, data, loss=loss, seeds=range(LAB.num_models), num_epochs=1)
    for m, batches in enumerate(lab.torch_batches(data, loss)):
        net = lab.TorchNet(architecture, {name: value[m] for name, value in parameters.items()})
        np.testing.assert_allclose(history.loss[m], lab.torch_training(net, batches, loss), atol=1e-6)
        for name, parameter in net.by_name().items():
            learnt = net_population.get_parameter(name)[m]
            torch.testing.assert_close(learnt, parameter, rtol=0, atol=1e-5)


def test_the_lab_benchmark_reports_what_it_timed():
    rows = lab.run(repeats=1, work=LAB)
    assert [(row["task"], row["cell"]) for row in rows] == [
        ("recall", "lstm"),
        ("addition", "rnn"),
        ("addition", "lstm"),
        ("addition", "gru"),
    ]
    assert all(row["rnnkit_ms"] > 0 and row["torch_ms"] > 0 for row in rows)
    assert "bilstm" in lab.report(rows)


@pytest.mark.parametrize("dropout", psmnist.DROPOUTS)
@pytest.mark.parametrize("name", ["rnn", "gru", "lmu-rnn", "lmu-lstm", "lmu-gru"])
def test_the_forms_of_the_psmnist_step_learn_the_same(name, dropout):
    losses = []
    for form in ("fused", "stepwise"):
        step = psmnist.our_step(name, dropout, PSMNIST, form, "fp32")
        losses.append([step() for _ in range(20)])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert np.mean(losses[0][-5:]) < np.mean(losses[0][:5])  # each step has masks of its own


def test_every_rival_of_the_psmnist_step_is_reported(monkeypatch):
    monkeypatch.setattr(psmnist, "interpreter", lambda: None)
    rows = psmnist.run(repeats=1, num_threads=(1,), work=PSMNIST)
    assert [(row["model"], row["dropout"], row["precision"]) for row in rows] == [
        (name, dropout, precision)
        for name in ("gru", "lmu-gru")
        for dropout in ("none", "recurrent", "trained")
        for precision in ("bf16", "fp32")
    ]
    assert {name.split()[0] for name in rows[0]["ratios"]} == {"loop", "torch.nn"}
    assert {name.split()[0] for name in rows[-1]["ratios"]} == {"loop"}
    text = psmnist.report(rows)
    assert text.count("rnnkit 0.") == 12
    assert "GFLOP/s" in text
    assert "keras: not here" in text


def test_operations_of_the_psmnist_step_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    for name in PSMNIST.models:
        step = psmnist.our_step(name, "none", PSMNIST, "stepwise", "fp32")
        with FlopCounterMode(display=False) as counter:
            step()
        batch, seq_len, hidden, memory = 6, 3, 64, 5
        readout = 3 * 2 * batch * hidden * 10
        # The first step has no state before it whose gradient would be wanted.
        expected = psmnist.operations(name, PSMNIST) + readout - 2 * batch * 3 * hidden * hidden
        if name.startswith("lmu-"):  # the loop's memory: its step and the way back through it and its encoder
            forward = 2 * batch * seq_len * memory * memory + 2 * batch * seq_len
            back = 2 * batch * (seq_len - 1) * memory * memory + 2 * batch * seq_len
            to_memory = 2 * batch * seq_len * 3 * hidden * (memory + 1)
            expected += forward + back + to_memory
        assert counter.get_total_flops() == pytest.approx(expected, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "lmu-lstm"])
def test_keras_learns_the_same_task_in_a_process_of_its_own(name):
    if psmnist.interpreter() is None:
        pytest.skip("no Keras: RNNKIT_KERAS_PYTHON names no interpreter that has it")
    with psmnist.keras_rival(name, "recurrent", PSMNIST, 1) as step:
        losses = [step() for _ in range(5)]
    assert losses[-1] < losses[0]
    assert step.peak_bytes > 0
    assert step.about["keras"].startswith("3.")


def test_a_keras_that_ends_says_what_it_said(monkeypatch):
    monkeypatch.setenv("RNNKIT_KERAS_PYTHON", sys.executable)
    monkeypatch.setattr(keras_rival, "WORKER", Path(__file__).with_name("no_such_worker.py"))
    rival = psmnist.keras_rival("rnn", "none", PSMNIST, 1)
    with pytest.raises(RuntimeError, match="no_such_worker"), rival:
        pass


def test_peak_memory_is_that_of_a_step():
    found = psmnist._peaks(
        "rnn", "none", psmnist.Work(batch=64, seq_len=400, hidden_size=64), ["rnnkit fp32"], 1
    )
    states = 64 * 400 * 64 * 4
    assert states <= found["rnnkit fp32"] < 10 * states


def test_memory_is_that_of_the_step_that_is_timed(monkeypatch):
    asked = []
    monkeypatch.setattr(psmnist, "interpreter", lambda: None)
    monkeypatch.setattr(
        psmnist,
        "_peaks",
        lambda name, dropout, _, rivals, __: asked.append(dropout) or dict.fromkeys(rivals, 2**30),
    )
    work = replace(PSMNIST, models=("gru",), precisions=("fp32",), memory=True)
    rows = psmnist.run(repeats=1, num_threads=(1,), work=work)
    assert asked == [row["dropout"] for row in rows] == ["none", "recurrent", "trained"]
    assert [len(row["peak_bytes"]) for row in rows] == [3, 2, 2]
    text = psmnist.report(rows)
    assert text.count("1.00 GiB") == 7
    assert "gru      fp32, dropout as trained: rnnkit" in text


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dropout_as_trained_is_that_of_the_study(name, monkeypatch):
    made = []
    monkeypatch.setattr(psmnist, "_step", lambda net, *_, **__: made.append(net))
    psmnist.make_rivals(name, "trained", PSMNIST)
    trained = make_net(name, "paper").to_dict()
    for field in ("dropout", "recurrent_dropout", "dropout_place", "dropout_span"):
        assert {getattr(net.config, field) for net in made} == {trained[field]}, field


def test_masks_of_each_step_are_part_of_the_peak_as_numbers_in_the_loop_and_as_bits_here():
    work = psmnist.Work(batch=64, seq_len=200, hidden_size=128)
    rivals = ["rnnkit fp32", "loop fp32"]
    plain, masked = (psmnist._peaks("lstm", dropout, work, rivals, 1) for dropout in ("none", "trained"))
    numbers = 200 * 4 * 64 * 128 * 4  # bytes of four masks of each step
    assert masked["loop fp32"] - plain["loop fp32"] > 0.8 * numbers
    assert masked["rnnkit fp32"] - plain["rnnkit fp32"] < 0.2 * numbers


def test_without_a_cuda_device_there_is_a_line_and_no_number(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert command_line.main(["psmnist_cuda"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "psmnist_cuda: there is no CUDA device here, so nothing was measured." in said.err.splitlines()


def test_the_cuda_benchmark_runs_but_for_its_device(monkeypatch):
    """On the CPU, where graphs are plain steps, and the unrolled form is asked for as CUDA would take it."""
    monkeypatch.setenv("RNNKIT_RECURRENCE", "unrolled")
    rows = psmnist_cuda.run_on(torch.device("cpu"), CUDA)
    assert [(row["model"], row["precision"]) for row in rows] == [
        (name, precision) for name in ("gru", "lmu-gru") for precision in ("bf16", "fp32")
    ]
    for row in rows:
        assert row["loss_is_finite"]
        assert row["train_s"] == pytest.approx(3 * row["step_s"])
        assert row["epoch_s"] == pytest.approx(row["train_s"] + row["eval_s"])
        assert row["checks"]["float64"] < 1e-12 < row["checks"]["bf16"] < 0.05
        assert (row["cudnn_train_s"] is None) == (row["model"] == "lmu-gru")
    text = psmnist_cuda.report(rows)
    assert "FINITE" not in text
    assert len(text.splitlines()) == 5 + 4


def test_forms_that_differ_are_not_timed(monkeypatch):
    monkeypatch.setattr(psmnist_cuda, "check_forms", lambda *_: float("nan"))
    with pytest.raises(RuntimeError, match="gru: float64 differs by nan"):
        psmnist_cuda.run_on(torch.device("cpu"), CUDA)


def test_the_cuda_benchmark_needs_little():
    """A machine that only trains has torch, numpy, tqdm and safetensors."""
    script = (
        "import sys\n"
        "barred = ('scipy sklearn threadpoolctl openTSNE h5py pooch platformdirs yaml plotly numba llvmlite IPython '\n"
        "    'ipywidgets anywidget nbformat papermill').split()\n"
        "sys.modules.update(dict.fromkeys(barred))\n"
        "from rnnkit.models import make_classifier\n"
        "make_classifier('lmu-gru', memory_size=4, hidden_size=3)\n"
        "from benchmarks.__main__ import main\n"
        "sys.exit(main(['psmnist_cuda']))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert psmnist_cuda.NO_DEVICE in answer.stderr
