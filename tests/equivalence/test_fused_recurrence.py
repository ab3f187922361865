"""The fused recurrence against the stepwise one in double precision."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.models.recurrence import (
    NUM_GATES,
    PackedMasks,
    fused,
    lending,
    reads_inputs,
    recur,
    recur_inputs,
    recur_numbers,
    stepwise,
)

pytest.importorskip("numba")

# batch, seq_len, hidden_size: one of everything; odd; two micro-batches of unequal size, several products of weights
SHAPES = [(1, 1, 64), (5, 3, 64), (13, 9, 128), (101, 12, 256)]
MASKED = [False, "constant", "each step"]
CLOSE = {"fp32": 5e-6, "bf16": 2e-2}


def _operands(cell, batch, seq_len, hidden_size, *, masked, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape, scale=1.0):
        return scale * torch.randn(*shape, generator=generator)

    width = NUM_GATES[cell] * hidden_size
    steps = (seq_len,) if masked == "each step" else ()
    masks = (torch.rand(*steps, NUM_GATES[cell], batch, hidden_size, generator=generator) < 0.8) / 0.8
    drive, weight_hh = draw(seq_len, batch, width), draw(width, hidden_size, scale=hidden_size**-0.5)
    return [drive, weight_hh, draw(width, scale=0.2)], masks if masked else None


def _run(recur, cell, operands, masks, *, dtype, last_only=False, **options):
    """Outputs, and gradients of a random function of them."""
    leaves = [operand.to(dtype).detach().requires_grad_() for operand in operands]
    masks = masks.to(dtype) if isinstance(masks, torch.Tensor) else masks
    outputs = recur(cell, *leaves, masks=masks, states=not last_only, **options)
    outputs = [output for output in outputs if output is not None]
    generator = torch.Generator().manual_seed(9)
    loss = sum((output * torch.randn(output.shape, generator=generator)).sum() for output in outputs)
    gradients = torch.autograd.grad(loss, leaves)
    return [*(output.detach() for output in outputs), *gradients]


def _assert_close(found, wanted, tolerance):
    """Within a tolerance of the largest number."""
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == torch.float32
        scale = max(float(theirs.abs().max()), 1e-6)
        torch.testing.assert_close(ours.double(), theirs.double(), rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("precision", CLOSE)
@pytest.mark.parametrize("masked", MASKED)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", NUM_GATES)
def test_outputs_and_gradients_are_those_of_the_steps(cell, shape, masked, precision):
    operands, masks = _operands(cell, *shape, masked=masked)
    found = _run(fused.recur, cell, operands, masks, dtype=torch.float32, precision=precision)
    _assert_close(found, _run(stepwise.recur, cell, operands, masks, dtype=torch.float64), CLOSE[precision])


@pytest.mark.parametrize("precision", CLOSE)
@pytest.mark.parametrize("form", ["fused", "unrolled", "stepwise"])
@pytest.mark.parametrize("cell", NUM_GATES)
def test_masks_of_a_bit_each_are_the_same_masks(cell, form, precision):
    """To the bit, in every form; and not those of another step."""
    operands, _ = _operands(cell, 37, 5, 64, masked=False)
    shape = (5, NUM_GATES[cell], 37, 4)
    bits = torch.randint(2**16, shape, generator=torch.Generator().manual_seed(2)).to(torch.uint16)
    packed = PackedMasks(bits, 1.25)
    by_hand = torch.tensor(
        [[(number >> place & 1) * 1.25 for place in range(16)] for number in bits[3, 0, 36].tolist()]
    )
    assert torch.equal(packed.at(3)[0, 36], by_hand.flatten())

    def run(masks):
        return _run(recur, cell, operands, masks, dtype=torch.float32, precision=precision, form=form)

    found, wanted = run(packed), run(packed.unpacked())
    for ours, theirs in zip(found, wanted, strict=True):
        assert torch.equal(ours, theirs)
    later = PackedMasks(bits.to(torch.int32).roll(1, 0).to(torch.uint16), 1.25)
    assert not torch.equal(run(later)[0], wanted[0])


def test_inputs_of_chunks_are_read_behind_masks_of_a_bit_each():
    operands, masks = _operands("gru", 31, 5, 64, masked=False)
    operands = _weights_beside(operands[1:], 2, 96)
    bits = torch.randint(2**16, (5, 3, 31, 4), generator=torch.Generator().manual_seed(2)).to(torch.uint16)
    masks = PackedMasks(bits, 2.0)
    found, wanted = (
        _run(_beside(31, 5, 2, 96), "gru", operands, given, dtype=torch.float32, precision="bf16")
        for given in (masks, masks.unpacked())
    )
    for ours, theirs in zip(found, wanted, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("masked", MASKED)
@pytest.mark.parametrize("cell", NUM_GATES)
def test_bf16_differs_from_rounded_steps_by_less_than_rounding(cell, masked):
    """Both round the same operands on the way forward: outputs are far closer than bfloat16's 8 bits."""
    operands, masks = _operands(cell, 30, 4, 128, masked=masked)
    with torch.no_grad():
        ours, theirs = (
            one.recur(cell, *operands, masks=masks, precision="bf16")[0] for one in (fused, stepwise)
        )
    assert float((ours - theirs).abs().mean()) < 2e-4


@pytest.mark.parametrize("masked", MASKED)
@pytest.mark.parametrize(("cell", "with_inputs"), [("lstm", False), ("gru", True)])
def test_pairs_of_bfloat16_and_single_ones_differ_by_the_order_of_sums(
    monkeypatch, cell, with_inputs, masked
):
    """Processors that multiply pairs take pairs, or tiles of them; here all that this one can do are tried."""
    from rnnkit.lanes.sequences import runner

    operands, masks = _operands(cell, 31, 5, 64, masked=masked)
    run, found = fused.recur, []
    if with_inputs:
        run, operands = _beside(31, 5, 2, 96), _weights_beside(operands[1:], 2, 96)
    for pairs, tiles in [(False, False), (True, False), (True, True)][: 3 if runner.TILES else 2]:
        monkeypatch.setattr(runner, "PAIRS", pairs)
        monkeypatch.setattr(runner, "TILES", tiles)
        found.append(_run(run, cell, operands, masks, dtype=torch.float32, precision="bf16"))
    for other in found[1:]:
        _assert_close(found[0], other, 2e-3)


@pytest.mark.parametrize("form", ["fused", "unrolled"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_each_gate_may_read_a_number_of_its_own(cell, form):
    (_, weight_hh, bias), masks = _operands(cell, 13, 9, 64, masked="each step")
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(9, 13, NUM_GATES[cell], generator=generator)
    weight_ih = torch.randn(len(weight_hh), generator=generator)

    def run(form, dtype):
        def recur_given(cell, *leaves, **options):
            return recur_numbers(cell, x.to(dtype), *leaves, form=form, **options)

        operands = [weight_ih, bias, weight_hh, 2 * bias]
        return _run(recur_given, cell, operands, masks, dtype=dtype)

    _assert_close(run(form, torch.float32), run("stepwise", torch.float64), CLOSE["fp32"])


@pytest.mark.parametrize("precision", CLOSE)
@pytest.mark.parametrize("cell", NUM_GATES)
def test_a_long_sequence_read_at_its_end(cell, precision):
    operands, masks = _operands(cell, 7, 150, 64, masked=True)
    found = _run(fused.recur, cell, operands, masks, dtype=torch.float32, last_only=True, precision=precision)
    wanted = _run(stepwise.recur, cell, operands, masks, dtype=torch.float64, last_only=True)
    _assert_close(found, wanted, 10 * CLOSE[precision])


@pytest.mark.parametrize("masked", MASKED)
@pytest.mark.parametrize("cell", NUM_GATES)
def test_one_number_a_step_needs_no_drive(cell, masked):
    (_, weight_hh, bias_hh), masks = _operands(cell, 13, 6, 64, masked=masked)
    width = weight_hh.shape[0]
    x, weight_ih, bias_ih = torch.rand(6, 13), torch.linspace(-1, 1, width), torch.linspace(0.5, 0, width)

    def numbers(form):
        def call(cell, weight_ih, bias_ih, weight_hh, bias_hh, **options):
            like = x.to(weight_ih.dtype)
            return recur_numbers(cell, like, weight_ih, bias_ih, weight_hh, bias_hh, form=form, **options)

        return call

    operands = [weight_ih, bias_ih, weight_hh, bias_hh]
    found = _run(numbers("fused"), cell, operands, masks, dtype=torch.float32)
    _assert_close(found, _run(numbers("stepwise"), cell, operands, masks, dtype=torch.float64), CLOSE["fp32"])
    x.requires_grad_()
    recur_numbers(cell, x, *operands, form="fused")[0].sum().backward()
    assert x.grad.abs().min() > 0


def _beside(batch, seq_len, held, num_inputs, *, by_drive=False):
    """A recurrence that reads inputs, each for a while, beside one number; or step after step the drive of both."""
    generator = torch.Generator().manual_seed(4)
    x = torch.rand(seq_len, batch, generator=generator)
    inputs = torch.randn(-(-seq_len // held), batch, num_inputs, generator=generator)

    def call(cell, weight_inputs, weight_ih, bias_ih, *recurrent, **options):
        if not by_drive:
            return recur_inputs(cell, inputs, x, weight_inputs, weight_ih, bias_ih, *recurrent, **options)
        read = [inputs[t // held].double() @ weight_inputs[t % held].t() for t in range(seq_len)]
        drive = torch.stack(read) + x.double().unsqueeze(2) * weight_ih + bias_ih
        return stepwise.recur(cell, drive, *recurrent, **options)

    return call


def _weights_beside(recurrent, held, num_inputs):
    width = len(recurrent[0])
    weight_inputs = torch.randn(held, width, num_inputs, generator=torch.Generator().manual_seed(5)) * 0.1
    return [weight_inputs, torch.linspace(-1, 1, width), torch.linspace(0.5, 0, width), *recurrent]


@pytest.mark.parametrize("masked", MASKED)
@pytest.mark.parametrize(
    ("batch", "held", "num_inputs"), [(1, 7, 16), (13, 3, 80), (101, 1, 128), (101, 3, 80)]
)
@pytest.mark.parametrize(
    ("cell", "precision"), [("rnn", "fp32"), ("lstm", "fp32"), ("gru", "fp32"), ("gru", "bf16")]
)
def test_more_inputs_need_no_drive(cell, batch, held, num_inputs, masked, precision):
    (_, *recurrent), masks = _operands(cell, batch, 7, 64, masked=masked)
    operands, sizes = _weights_beside(recurrent, held, num_inputs), (batch, 7, held, num_inputs)
    found = _run(_beside(*sizes), cell, operands, masks, dtype=torch.float32, precision=precision)
    wanted = _run(_beside(*sizes, by_drive=True), cell, operands, masks, dtype=torch.float64)
    _assert_close(found, wanted, CLOSE[precision])


def test_more_inputs_are_read_where_the_numbers_want_no_gradient():
    x, weight_hh = torch.rand(2, 3), torch.rand(64, 64)
    assert reads_inputs(x, weight_hh, "fused")
    assert not reads_inputs(x.clone().requires_grad_(), weight_hh, "fused")
    assert not reads_inputs(x, weight_hh, "stepwise")


@pytest.mark.parametrize(
    ("inputs", "weights"),
    [
        ((4, 3, 60), (1, 64, 60)),
        ((3, 3, 64), (1, 64, 64)),
        ((4, 2, 64), (1, 64, 64)),
        ((4, 3, 64), (1, 64, 48)),
        ((4, 3, 64), (1, 128, 64)),
        ((4, 3, 64), (0, 64, 64)),
    ],
)
def test_more_inputs_of_another_shape_are_refused(inputs, weights):
    (_, weight_hh, bias_hh), _ = _operands("rnn", 3, 4, 64, masked=False)
    given = torch.ones(weights), torch.ones(64), torch.zeros(64)
    with pytest.raises(
        ValueError, match=r"must be \(ceil\(4 / P\), 3, I\) and \(P, 64, I\), I a multiple of 16"
    ):
        recur_inputs("rnn", torch.zeros(inputs), torch.ones(4, 3), *given, weight_hh, bias_hh)


def test_nan_in_an_input_stays_with_its_sample():
    for cell in NUM_GATES:
        (_, weight_hh, bias_hh), _ = _operands(cell, 3, 4, 64, masked=False)
        width, inputs = weight_hh.shape[0], torch.zeros(4, 3, 64)
        inputs[1, 2, 5] = float("nan")
        weights = torch.ones(1, width, 64), torch.ones(width), torch.zeros(width)
        h_n = recur_inputs(cell, inputs, torch.ones(4, 3), *weights, weight_hh, bias_hh)[0]
        assert h_n[2].isnan().all()
        assert not h_n[:2].isnan().any()


@pytest.mark.parametrize(("tile_rows", "most"), [(6, 96), (32, 128), (32, 256)])
def test_micro_batches_are_whole_tiles_but_for_the_last(tile_rows, most):
    from rnnkit.lanes.sequences.runner import micro_batches

    for batch in range(1, 1200):
        parts = micro_batches(batch, tile_rows, most)
        assert [first for first, _ in parts] == [
            sum(rows for _, rows in parts[:k]) for k in range(len(parts))
        ]
        assert sum(rows for _, rows in parts) == batch
        assert all(rows % tile_rows == 0 for _, rows in parts[:-1])
        assert max(rows for _, rows in parts) <= most
        assert len(parts) == 1 or len(parts) % 2 == 0


def test_no_bias_is_a_bias_of_zero():
    for cell in NUM_GATES:
        (drive, weight_hh, bias_hh), _ = _operands(cell, 3, 4, 64, masked=False)
        with_none = fused.recur(cell, drive, weight_hh, None)[0]
        assert torch.equal(with_none, fused.recur(cell, drive, weight_hh, 0 * bias_hh)[0])


@pytest.mark.parametrize("cell", NUM_GATES)
def test_layout_in_memory_does_not_matter(cell):
    operands, masks = _operands(cell, 13, 6, 64, masked=True)
    found = _run(fused.recur, cell, operands, masks, dtype=torch.float32)

    def strided(tensor):
        return tensor.transpose(0, -1).contiguous().transpose(0, -1)

    def recur_strided(cell, drive, weight_hh, bias_hh, *, masks, **options):
        return fused.recur(cell, strided(drive), strided(weight_hh), bias_hh, masks=strided(masks), **options)

    again = _run(recur_strided, cell, operands, masks, dtype=torch.float32)
    assert all(torch.equal(*pair) for pair in zip(found, again, strict=True))


@pytest.mark.parametrize("precision", CLOSE)
@pytest.mark.parametrize("cell", NUM_GATES)
def test_bits_do_not_depend_on_the_run_or_the_threads(cell, precision):
    operands, masks = _operands(cell, 200, 5, 64, masked=True)
    before, runs = torch.get_num_threads(), []
    for threads in (1, 2, 2, 3):
        torch.set_num_threads(threads)
        try:
            runs.append(_run(fused.recur, cell, operands, masks, dtype=torch.float32, precision=precision))
        finally:
            torch.set_num_threads(before)
    for again in runs[1:]:
        assert all(torch.equal(*pair) for pair in zip(runs[0], again, strict=True))


def test_both_ways_take_what_is_lent(monkeypatch):
    from rnnkit.lanes.sequences import runner

    operands, masks = _operands("gru", 200, 5, 64, masked=True)
    alone = _run(fused.recur, "gru", operands, masks, dtype=torch.float32)
    taken, one = [], runner._side_by_side
    monkeypatch.setattr(
        runner, "_side_by_side", lambda job, threads, *a: taken.append(threads) or one(job, threads, *a)
    )
    lent, asked = iter((3, 2)), []
    with lending(lambda most: asked.append(most) or next(lent)):
        shared = _run(fused.recur, "gru", operands, masks, dtype=torch.float32)
    assert (taken, asked) == ([3, 2], [4, 4])  # 200 rows are four micro-batches
    assert all(torch.equal(*pair) for pair in zip(alone, shared, strict=True))


def test_without_gradients_nothing_is_kept_and_the_numbers_are_the_same(monkeypatch):
    from rnnkit.lanes.sequences import runner

    (drive, weight_hh, bias_hh), _ = _operands("lstm", 13, 6, 64, masked=False)
    tracked = fused.recur("lstm", drive, weight_hh.requires_grad_(), bias_hh)
    asked, run = [], runner.run_forward
    monkeypatch.setattr(
        runner, "run_forward", lambda *a, keep, **o: asked.append(keep) or run(*a, keep=keep, **o)
    )
    with torch.no_grad():
        free = fused.recur("lstm", drive, weight_hh, bias_hh)
    assert asked == [False]
    assert free[0].grad_fn is None
    assert all(torch.equal(*pair) for pair in zip(tracked[:2], free[:2], strict=True))


def test_what_was_kept_goes_with_the_backward_pass():
    (drive, weight_hh, bias_hh), _ = _operands("gru", 3, 4, 64, masked=False)
    h_n = fused.recur("gru", drive.requires_grad_(), weight_hh, bias_hh)[0]
    h_n.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        h_n.sum().backward()


def test_a_gradient_that_vanishes_ends_in_zeros_and_leaves_the_threads_mode_alone():
    (drive, weight_hh, bias_hh), _ = _operands("rnn", 4, 300, 64, masked=False)
    drive.requires_grad_()
    fused.recur("rnn", drive, 0.3 * weight_hh, bias_hh)[0].sum().backward()
    assert drive.grad[-1].abs().min() > 0
    assert torch.count_nonzero(drive.grad[0]) == 0
    assert torch.tensor(1e-30) * torch.tensor(1e-10) > 0


def test_nan_is_passed_on():
    for cell in NUM_GATES:
        (drive, weight_hh, bias_hh), _ = _operands(cell, 3, 4, 64, masked=False)
        drive[1, 2, 5] = float("nan")
        for precision in CLOSE:
            h_n = fused.recur(cell, drive, weight_hh, bias_hh, precision=precision)[0]
            assert h_n[2].isnan().all()
            assert not h_n[:2].isnan().any()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"dtype": torch.float64}, "float32 alone"),
        ({"hidden_size": 60}, "multiple of 64"),
        ({"batch": 0}, "nothing to run"),
    ],
)
def test_where_it_cannot_run_it_says_why_and_auto_takes_steps(change, why, monkeypatch):
    shape = {"batch": 3, "seq_len": 2, "hidden_size": 64} | change
    dtype = shape.pop("dtype", torch.float32)
    operands, _ = _operands("gru", **shape, masked=False)
    operands = [operand.to(dtype) for operand in operands]
    with pytest.raises(UserError, match=why):
        recur("gru", *operands, form="fused")
    assert torch.equal(recur("gru", *operands)[0], stepwise.recur("gru", *operands)[0])


def test_the_form_is_an_argument_or_in_the_environment(monkeypatch):
    operands, _ = _operands("rnn", 3, 4, 64, masked=False)
    taken = []
    for form in (fused, stepwise):
        monkeypatch.setattr(form, "recur", lambda *a, name=form.__name__, **o: taken.append(name))
    for form in ("fused", "stepwise"):
        recur("rnn", *operands, form=form)
        monkeypatch.setenv("RNNKIT_RECURRENCE", form)
        recur("rnn", *operands)
    assert [name.rpartition(".")[2] for name in taken] == ["fused", "fused", "stepwise", "stepwise"]
    monkeypatch.setenv("RNNKIT_RECURRENCE", "quick")
    with pytest.raises(UserError, match=r"'quick'; allowed: auto, fused, unrolled, stepwise"):
        recur("rnn", *operands)


def test_without_numba_auto_takes_steps(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(fused, "find_spec", lambda name: None if name == "numba" else find(name))
    fused._compiler_works.cache_clear()
    fused.is_fast_here.cache_clear()
    try:
        operands, _ = _operands("lstm", 3, 4, 64, masked=False)
        assert torch.equal(recur("lstm", *operands)[0], stepwise.recur("lstm", *operands)[0])
        with pytest.raises(UserError, match="needs numba"):
            recur("lstm", *operands, form="fused")
    finally:
        monkeypatch.undo()
        fused._compiler_works.cache_clear()
        fused.is_fast_here.cache_clear()
