"""The vanilla RNN against torch.nn.RNN, its own single step, and finite differences."""

import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.models import VanillaRNN
from rnnkit.models._fused import FusedRecurrence


def _pair(bias: bool, dtype: torch.dtype = torch.float32) -> tuple[VanillaRNN, torch.nn.RNN]:
    ours = VanillaRNN(7, 33, 5, bias=bias, generator=torch.Generator().manual_seed(1)).to(dtype)
    theirs = torch.nn.RNN(7, 33, bias=bias, batch_first=True, dtype=dtype)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(ours.weight_ih)
        theirs.weight_hh_l0.copy_(ours.weight_hh)
        if bias:
            theirs.bias_ih_l0.copy_(ours.bias_ih)
            theirs.bias_hh_l0.copy_(ours.bias_hh)
    return ours, theirs


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch", [1, 4, 600])
def test_states_and_gradients_equal_torch_rnn(bias, dtype, batch):
    ours, theirs = _pair(bias, dtype)
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(batch, 9, 7, generator=generator, dtype=dtype).requires_grad_()
    h_0 = torch.randn(batch, 33, generator=generator, dtype=dtype).requires_grad_()
    weights = torch.randn(batch, 9, 33, generator=generator, dtype=dtype)
    tolerance = {"rtol": 1e-4, "atol": 2e-4} if dtype == torch.float32 else {"rtol": 1e-10, "atol": 1e-10}

    states = ours.hidden_states(x, h_0)
    (states * weights).mean(0).sum().backward()
    mine = [x.grad, h_0.grad, *(p.grad for n, p in ours.named_parameters() if not n.endswith("out"))]
    x.grad = h_0.grad = None
    expected, _ = theirs(x, h_0.unsqueeze(0))
    (expected * weights).mean(0).sum().backward()
    reference = [x.grad, h_0.grad, *(p.grad for p in theirs.parameters())]

    torch.testing.assert_close(states, expected, **tolerance)
    for a, b in zip(mine, reference, strict=True):
        torch.testing.assert_close(a, b, **tolerance)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_whole_sequence_equals_steps(bias, precision):
    net = _pair(bias)[0]
    net.precision = precision
    x = torch.randn(4, 11, 7, generator=torch.Generator().manual_seed(3))
    h, states = net.initial_state(4), []
    for t in range(11):
        h = net.step(x[:, t], h)
        states.append(h)
    logits, hidden_states = net(x, return_hidden_states=True)
    torch.testing.assert_close(hidden_states, torch.stack(states, 1), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(logits, net.readout(h), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(net(x), logits, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("last_only", [False, True])
def test_gradcheck_in_float64(last_only):
    generator = torch.Generator().manual_seed(4)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).mul_(0.4).requires_grad_()

    arguments = draw(3, 5, 2), draw(3, 4), draw(4, 2), draw(4, 4), draw(4)
    assert torch.autograd.gradcheck(lambda *a: FusedRecurrence.apply(*a, last_only, "fp32"), arguments)


def test_last_state_training_gradient_equals_the_all_states_one():
    net = _pair(True)[0]
    x = torch.randn(6, 9, 7, generator=torch.Generator().manual_seed(5))
    gradients = []
    for logits in (net(x), net(x, return_hidden_states=True)[0]):
        net.zero_grad()
        logits.square().sum().backward()
        gradients.append([p.grad.clone() for p in net.parameters()])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_bf16_products_stay_close_to_fp32():
    net = VanillaRNN(28, 64, 10, generator=torch.Generator().manual_seed(6))
    x = torch.rand(32, 28, 28, generator=torch.Generator().manual_seed(7))
    gradients, logits = {}, {}
    for precision in ("fp32", "bf16"):
        net.precision = precision
        net.zero_grad()
        logits[precision] = net(x)
        logits[precision].square().mean().backward()
        gradients[precision] = torch.cat([p.grad.flatten() for p in net.parameters()])
    torch.testing.assert_close(logits["bf16"], logits["fp32"], rtol=0.05, atol=0.02)
    cosine = torch.nn.functional.cosine_similarity(gradients["bf16"], gradients["fp32"], dim=0)
    assert cosine > 0.999


def test_the_same_generator_gives_the_same_weights():
    a, b = (VanillaRNN(3, 4, 2, bias=True, generator=torch.Generator().manual_seed(8)) for _ in range(2))
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    assert max(p.abs().max() for p in a.parameters()) <= 0.5


@pytest.mark.parametrize("sizes", [(0, 4, 2), (3, -1, 2), (3, 4, 2.5), (3, True, 2)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(UserError, match="at least 1"):
        VanillaRNN(*sizes)


def test_wrong_shape_and_precision_are_named():
    with pytest.raises(UserError, match=r"input_size = 7"):
        _pair(False)[0](torch.zeros(2, 3, 6))
    with pytest.raises(UserError, match=r"'fp16'.*fp32, bf16"):
        VanillaRNN(3, 4, 2, precision="fp16")


def test_bf16_gradients_point_the_same_way_in_a_trained_saturated_net():
    """The committed well-tuned net has eigenvalues far outside the unit circle and units near +-1."""
    from rnnkit import studies

    weights = studies.open("geometry", budget="paper", device="cpu").record("train", "tuned-s0").weights
    net = VanillaRNN(28, 200, 10)
    net.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    generator = torch.Generator().manual_seed(9)
    x = (torch.rand(256, 28, 28, generator=generator) > 0.8).float() * torch.rand(
        256, 28, 28, generator=generator
    )
    y = torch.randint(0, 10, (256,), generator=generator)
    gradients = {}
    for precision in ("fp32", "bf16"):
        net.precision = precision
        net.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        gradients[precision] = torch.cat([p.grad.flatten() for p in net.parameters()])
    assert torch.nn.functional.cosine_similarity(gradients["bf16"], gradients["fp32"], dim=0) > 0.98


def test_one_row_of_input_serves_all_states():
    net = _pair(True)[0]
    generator = torch.Generator().manual_seed(10)
    row, h = torch.randn(1, 7, generator=generator), torch.randn(6, 33, generator=generator)
    with torch.no_grad():
        torch.testing.assert_close(net.step(row, h), net.step(row.expand(6, -1), h), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(net.step(row, h), net.step(row.expand(6, -1), h), rtol=1e-5, atol=1e-5)
