import numpy as np
import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.models import ClassifierConfig, SequenceClassifier
from rnnkit.probes.gradients import classifier_gradients, gradient_norms

NETS = [(cell, memory_size) for memory_size in (0, 4) for cell in ("rnn", "lstm", "gru")]


def classifier(cell, memory_size=0):
    config = ClassifierConfig(
        cell, memory_size=memory_size, theta=9, hidden_size=6, num_classes=3, normalise=not memory_size
    )
    model = SequenceClassifier(config, generator=torch.Generator().manual_seed(0)).double()
    if model.norm is not None:  # a normalisation that is not the identity
        model.norm.running_mean.uniform_(-0.2, 0.2, generator=torch.Generator().manual_seed(1))
        model.norm.running_var.uniform_(0.1, 0.3, generator=torch.Generator().manual_seed(2))
    return model


def task(n=7, num_steps=12):
    x = torch.rand(n, num_steps, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return x, torch.arange(n) % 3


def hand_written_loss(model, x, target, changes):
    """One sequence's loss by the formulas of the cells; `changes` (T, width) are added to m_t, h_t and c_t."""
    cell, has_memory = model.cell, bool(model.config.memory_size)
    h = c = torch.zeros(cell.hidden_size, dtype=x.dtype)
    m = torch.zeros(model.config.memory_size, dtype=x.dtype)
    for t, x_t in enumerate(x):
        if has_memory:
            u_t = model.layer.weight_encoder @ x_t
            m = model.layer.transition @ m + model.layer.injection * u_t + changes["memory"][t]
        drive = cell.weight_ih @ (torch.cat([m, x_t]) if has_memory else x_t) + cell.bias_ih
        back = cell.weight_hh @ h + (0 if cell.bias_hh is None else cell.bias_hh)
        if cell.cell == "rnn":
            h = torch.tanh(drive + back)
        elif cell.cell == "lstm":
            i, f, g, o = (drive + back).chunk(4)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g) + changes["cell"][t]
            h = torch.sigmoid(o) * torch.tanh(c)
        else:
            (from_r, from_z, from_n), (back_r, back_z, back_n) = drive.chunk(3), back.chunk(3)
            z = torch.sigmoid(from_z + back_z)
            h = z * h + (1 - z) * torch.tanh(from_n + torch.sigmoid(from_r + back_r) * back_n)
        h = h + changes["hidden"][t]
    if model.norm is not None:
        norm = model.norm
        scaled = (h - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps)
        h = scaled * norm.weight + norm.bias
    logits = model.weight_out @ h + model.bias_out
    return torch.logsumexp(logits, 0) - logits[target]


def no_changes(model, num_steps):
    widths = {"memory": model.config.memory_size, "hidden": 6, "cell": 6}
    return {
        name: torch.zeros(num_steps, width, dtype=torch.float64, requires_grad=True)
        for name, width in widths.items()
    }


@pytest.mark.parametrize(("cell", "memory_size"), NETS)
def test_gradients_are_those_of_a_hand_written_loop(cell, memory_size):
    model, (x, targets) = classifier(cell, memory_size), task()
    found = classifier_gradients(model, x, targets, batch_size=3)
    expected = {name: np.zeros(x.shape[1]) for name in ("input", "memory", "hidden", "cell")}
    for sequence, target in zip(x, targets, strict=True):
        leaves = {"input": sequence.clone().requires_grad_(), **no_changes(model, len(sequence))}
        loss = hand_written_loss(model, leaves["input"], target, leaves)
        slopes = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        for name, slope in zip(leaves, slopes, strict=True):
            if slope is not None:
                expected[name] += slope.norm(dim=1).numpy() / len(x)
    np.testing.assert_allclose(found.input, expected["input"], rtol=1e-9)
    np.testing.assert_allclose(found.hidden, expected["hidden"], rtol=1e-9)
    for name, is_there in (("cell", cell == "lstm"), ("memory", memory_size > 0)):
        if is_there:
            np.testing.assert_allclose(getattr(found, name), expected[name], rtol=1e-9)
        else:
            assert getattr(found, name) is None


@pytest.mark.parametrize(("cell", "memory_size"), NETS)
def test_input_gradients_are_those_of_the_whole_sequence_form(cell, memory_size):
    model, (x, targets) = classifier(cell, memory_size).eval(), task()
    found = classifier_gradients(model, x, targets)
    leaf = x.clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(model(leaf), targets, reduction="sum")
    (slope,) = torch.autograd.grad(loss, leaf)
    # The step of an LMU holds its matrices in float32.
    tolerance = 1e-5 if memory_size else 1e-9
    np.testing.assert_allclose(found.input, slope.norm(dim=2).mean(0).numpy(), rtol=tolerance)


@torch.no_grad()
def test_a_change_of_a_state_changes_the_loss_by_its_gradient():
    """Central differences know nothing of autograd."""
    model, (x, targets) = classifier("gru"), task(n=1, num_steps=5)
    found = classifier_gradients(model, x, targets)
    for step in (0, 2, 4):
        slope = []
        for unit in range(6):
            ends = []
            for size in (1e-5, -1e-5):
                changes = {name: change.clone() for name, change in no_changes(model, 5).items()}
                changes["hidden"][step, unit] = size
                ends.append(float(hand_written_loss(model, x[0], targets[0], changes)))
            slope.append((ends[0] - ends[1]) / 2e-5)
        assert found.hidden[step] == pytest.approx(np.linalg.norm(slope), rel=1e-6)


def test_a_linear_net_forgets_by_its_factor():
    """h_t = a h_{t-1} + x_t and a loss of |target| h_T: the gradient is |target| a to the lag."""
    factor, num_steps = 0.8, 200
    x = torch.rand(4, num_steps, 2, dtype=torch.float32)
    targets = torch.tensor([1.0, -2.0, 3.0, 0.0])
    from_input, states = gradient_norms(
        lambda x_t, h: (factor * h + x_t,),
        lambda h, *, targets: targets * h.sum(1),
        x,
        targets,
        state=[torch.zeros(2)],
        batch_size=3,
    )
    lag = np.arange(num_steps)[::-1]
    expected = 1.5 * np.sqrt(2) * factor**lag
    np.testing.assert_allclose(from_input, expected, rtol=1e-4)
    np.testing.assert_allclose(states, expected[None], rtol=1e-4)


def test_gradients_that_have_shrunk_very_far_are_still_told_from_zero():
    x = torch.zeros(1, 100, 1)
    _, states = gradient_norms(
        lambda x_t, h: (0.5 * h + x_t,),
        lambda h, *, targets: h[:, 0],
        x,
        torch.zeros(1),
        state=[torch.zeros(1)],
    )
    np.testing.assert_allclose(states[0], 0.5 ** np.arange(100.0)[::-1])


def test_what_leads_nowhere_has_no_gradient():
    from_input, states = gradient_norms(
        lambda x_t, h, idle: (h + x_t, idle + 2 * x_t),
        lambda h, idle, *, targets: h[:, 0],
        torch.zeros(2, 3, 1),
        torch.zeros(2),
        state=[torch.zeros(1), torch.zeros(1)],
    )
    np.testing.assert_array_equal(from_input, np.ones(3))
    np.testing.assert_array_equal(states, [[1, 1, 1], [0, 0, 0]])


@torch.no_grad()
def test_the_model_is_left_as_it_was():
    """Even where gradients are switched off outside, and with statistics that training would move."""
    model, (x, targets) = classifier("rnn").train(), task()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    classifier_gradients(model, x, targets)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_batches_do_not_matter():
    model, (x, targets) = classifier("lstm"), task()
    one, many = (classifier_gradients(model, x, targets, batch_size=size) for size in (2, 100))
    np.testing.assert_allclose(one.hidden, many.hidden, rtol=1e-12)
    np.testing.assert_allclose(one.cell, many.cell, rtol=1e-12)


def test_bad_arguments_are_refused():
    model, (x, targets) = classifier("rnn"), task()
    for sequences, answers in ((x[0], targets), (x[:0], targets[:0]), (x, targets[:-1])):
        with pytest.raises(UserError, match="sequences and targets"):
            classifier_gradients(model, sequences, answers)
    with pytest.raises(UserError, match="batch_size"):
        classifier_gradients(model, x, targets, batch_size=0)
    with torch.no_grad():
        model.weight_out.fill_(float("nan"))
    with pytest.raises(UserError, match="not finite"):
        classifier_gradients(model, x, targets)
    assert model.training
