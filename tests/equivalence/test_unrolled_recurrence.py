"""The recurrence with a way back of its own against autograd over its steps, in double precision."""

from __future__ import annotations

import shutil

import pytest
import torch

from rnnkit.models.recurrence import NUM_GATES, dispatch, pointwise, recur, recur_numbers, stepwise, unrolled

CELLS = sorted(NUM_GATES)
MASKED = [False, "constant", "each step"]
SHAPES = [(1, 1, 1), (5, 9, 8), (700, 7, 3)]  # the last collects its deltas three steps at a time


def _operands(cell, batch, seq_len, hidden_size, *, masked, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)

    def draw(*shape, scale=1.0):
        return (scale * torch.randn(*shape, generator=generator, dtype=torch.float64)).to(dtype)

    width = NUM_GATES[cell] * hidden_size
    steps = (seq_len,) if masked == "each step" else ()
    masks = (torch.rand(*steps, NUM_GATES[cell], batch, hidden_size, generator=generator) < 0.8).to(
        dtype
    ) / 0.8
    leaves = [
        draw(seq_len, batch, width),
        draw(width, hidden_size, scale=hidden_size**-0.5),
        draw(width, scale=0.2),
    ]
    return [leaf.requires_grad_() for leaf in leaves], masks if masked else None


def _with_gradients(recur, cell, leaves, masks, **options):
    """Outputs, and gradients of a random function of all of them."""
    outputs = [output for output in recur(cell, *leaves, masks=masks, **options) if output is not None]
    generator = torch.Generator().manual_seed(9)
    weights = [torch.randn(o.shape, generator=generator, dtype=torch.float64).to(o.dtype) for o in outputs]
    loss = sum((output * weight).sum() for output, weight in zip(outputs, weights, strict=True))
    gradients = torch.autograd.grad(loss, [leaf for leaf in leaves if leaf.requires_grad])
    return [*(output.detach() for output in outputs), *gradients]


@pytest.mark.parametrize("states", [False, True])
@pytest.mark.parametrize("masked", MASKED)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", CELLS)
def test_outputs_and_gradients_are_those_of_the_steps(cell, shape, masked, states):
    leaves, masks = _operands(cell, *shape, masked=masked)
    ours, theirs = (
        _with_gradients(one.recur, cell, leaves, masks, states=states) for one in (unrolled, stepwise)
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("masked", MASKED)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_those_of_finite_differences(cell, masked):
    leaves, masks = _operands(cell, 2, 4, 3, masked=masked)

    def outputs(*leaves):
        found = unrolled.recur(cell, *leaves, masks=masks, states=True)
        return tuple(output for output in found if output is not None)

    assert torch.autograd.gradcheck(outputs, leaves)


@pytest.mark.parametrize("masked", MASKED)
@pytest.mark.parametrize("cell", CELLS)
def test_one_number_a_step_needs_no_drive(cell, masked):
    (_, weight_hh, bias_hh), masks = _operands(cell, 700, 7, 3, masked=masked)
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(7, 700, generator=generator, dtype=torch.float64)
    width = weight_hh.shape[0]
    weight_ih, bias_ih = (
        torch.randn(width, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)
    )
    leaves = [x, weight_ih, bias_ih, weight_hh, bias_hh]
    ours, theirs = (
        _with_gradients(recur_numbers, cell, leaves, masks, form=form) for form in ("unrolled", "stepwise")
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-12)


def test_a_gradient_of_the_numbers_lays_the_drive_out():
    (_, weight_hh, bias_hh), _ = _operands("lstm", 3, 4, 2, masked=False)
    x = torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    weight_ih = torch.linspace(-1, 1, 8, dtype=torch.float64)
    recur_numbers("lstm", x, weight_ih, weight_ih, weight_hh, bias_hh, form="unrolled")[0].sum().backward()
    assert x.grad.abs().min() > 0


@pytest.mark.parametrize("masked", MASKED)
@pytest.mark.parametrize("cell", CELLS)
def test_bf16_rounds_as_the_steps_do_and_keeps_half_of_it(cell, masked):
    leaves, masks = _operands(cell, 30, 8, 64, masked=masked, dtype=torch.float32)
    ours, theirs = (
        _with_gradients(one.recur, cell, leaves, masks, precision="bf16") for one in (unrolled, stepwise)
    )
    assert {tensor.dtype for tensor in ours} == {torch.float32}
    apart = (ours[0] - theirs[0]).abs()
    assert float(apart.quantile(0.95)) < 1e-5
    assert float(apart.max()) < 2**-8  # where a sum in another order is rounded to the other side
    for found, wanted in zip(ours, theirs, strict=True):
        assert float((found - wanted).abs().max() / wanted.abs().max()) < 2e-2
    kept = unrolled.recur(cell, *leaves, masks=masks, precision="bf16")[0].grad_fn.saved_tensors
    assert {tensor.dtype for tensor in kept[-3:]} == {torch.bfloat16}


@pytest.mark.parametrize("cell", CELLS)
def test_without_gradients_nothing_is_kept_and_the_numbers_are_the_same(cell, monkeypatch):
    (drive, weight_hh, bias_hh), masks = _operands(cell, 4, 6, 5, masked=True)
    tracked = unrolled.recur(cell, drive, weight_hh, bias_hh, masks=masks, states=True)
    sizes, blank = [], unrolled._Tape.blank
    monkeypatch.setattr(unrolled._Tape, "blank", lambda *given: sizes.append(given[2]) or blank(*given))
    with torch.no_grad():
        free = unrolled.recur(cell, drive, weight_hh, bias_hh, masks=masks, states=True)
    assert sizes == [0]
    torch.testing.assert_close([free[0], free[2]], [tracked[0], tracked[2]], rtol=0, atol=0)
    assert not free[0].requires_grad


@pytest.mark.parametrize("cell", CELLS)
def test_layout_in_memory_and_a_missing_bias_do_not_matter(cell):
    (drive, weight_hh, _), _ = _operands(cell, 4, 6, 5, masked=False)
    strided = [given.transpose(0, -1).contiguous().transpose(0, -1) for given in (drive, weight_hh)]
    ours = _with_gradients(unrolled.recur, cell, [strided[0], strided[1]], None, bias_hh=None)
    theirs = _with_gradients(stepwise.recur, cell, [drive, weight_hh], None, bias_hh=None)
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-12)


def test_devices_other_than_the_cpu_take_it():
    on_device = torch.empty(1, device="meta")
    assert dispatch._taken("auto", [on_device], 64) == "unrolled"
    assert dispatch._taken("auto", [torch.empty(1, dtype=torch.float64)], 64) == "stepwise"
    assert dispatch._taken("unrolled", [torch.empty(1)], 64) == "unrolled"
    leaves, _ = _operands("gru", 2, 3, 4, masked=False)
    torch.testing.assert_close(recur("gru", *leaves, form="unrolled"), stepwise.recur("gru", *leaves))


def test_products_on_cuda_are_asked_for_float32_sums():
    """No device is needed to see what torch would return."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        a, b = (torch.empty(3, 8, 8, dtype=torch.bfloat16, device="cuda") for _ in range(2))
        assert unrolled._multiply(a, b).dtype == torch.float32


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on the CPU")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cell", CELLS)
def test_a_step_can_be_compiled_as_one_piece(cell, monkeypatch):
    """What CUDA would run as one kernel, compiled for the CPU instead."""
    pieces = {
        one: torch.compile(one, fullgraph=True) for one in (pointwise.step_forward, pointwise.step_backward)
    }
    leaves, masks = _operands(cell, 5, 4, 8, masked=True)
    wanted = _with_gradients(unrolled.recur, cell, leaves, masks, states=True)
    monkeypatch.setattr(pointwise, "on_device", lambda function, device: pieces[function])
    found = _with_gradients(unrolled.recur, cell, leaves, masks, states=True)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-10)


def test_nothing_is_compiled_without_triton_or_against_the_readers_will(monkeypatch):
    cuda, plain = torch.device("cuda"), pointwise.step_forward
    monkeypatch.setattr(pointwise, "_compiled", lambda function: "compiled")
    monkeypatch.setattr(pointwise, "_has_triton", lambda: True)
    assert pointwise.on_device(plain, cuda) == "compiled"
    assert pointwise.on_device(plain, torch.device("cpu")) is plain
    monkeypatch.setenv("RNNKIT_COMPILE", "0")
    assert pointwise.on_device(plain, cuda) is plain
    monkeypatch.delenv("RNNKIT_COMPILE")
    monkeypatch.setattr(pointwise, "_has_triton", lambda: False)
    assert pointwise.on_device(plain, cuda) is plain


def test_torch_may_compile_as_many_kinds_of_steps_as_there_are(monkeypatch):
    before = torch._dynamo.config.recompile_limit
    try:
        monkeypatch.setattr(pointwise, "_has_triton", lambda: True)
        torch._dynamo.config.recompile_limit = 8
        assert callable(pointwise.on_device(pointwise.step_forward, torch.device("cuda")))
        assert torch._dynamo.config.recompile_limit >= 256
    finally:
        torch._dynamo.config.recompile_limit = before
