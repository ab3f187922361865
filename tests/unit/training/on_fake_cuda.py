"""Take a net's training step on tensors that are said to be on CUDA and hold nothing: where would it fail there?

torch's FakeTensorMode follows devices, shapes and dtypes through every operation, refuses operands on two devices, and
refuses to read a number back. What it cannot do without CUDA is autograd: the forms with a way back of their own are
called by hand, with gradients of ones. Usage: on_fake_cuda.py LIBRARY, which registers a guard for CUDA devices that
does nothing.
"""

import os
import sys
from dataclasses import fields
from types import SimpleNamespace

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from rnnkit.models import Masks, make_classifier
from rnnkit.models.recurrence import entry, unrolled
from rnnkit.models.sequence_product import SequenceProduct
from rnnkit.training.graphed import GraphedEvaluation, _Adam, _Totals

BATCH, STEPS = 16, 6
SMALL = {"hidden_size": 16}
MEMORY = {"memory_size": 8, "theta": 12}
NETS = [
    *((name, {}) for name in ("rnn", "lstm", "gru", "lmu-rnn", "lmu-lstm", "lmu-gru")),
    ("gru", {"dropout_span": "sequence"}),
    ("lmu-gru", {"dropout_place": "input", "recurrent_dropout": 0.5}),
]


def there_and_back(function, went):
    """What stands for ``function.apply``: its way forward, then its way back at once."""

    def apply(*arguments):
        context = SimpleNamespace(
            needs_input_grad=[True] * len(arguments), set_materialize_grads=lambda value: None
        )
        context.save_for_backward = lambda *tensors: setattr(context, "saved_tensors", tensors)
        outputs = function.forward(context, *arguments)
        given = outputs if isinstance(outputs, tuple) else (outputs,)
        back = getattr(function.backward, "__wrapped__", function.backward)
        gradients = back(context, *[None if output is None else torch.ones_like(output) for output in given])
        for argument, gradient in zip(arguments, gradients, strict=True):
            if gradient is not None:
                assert (gradient.shape, gradient.device) == (argument.shape, argument.device)
        went.append(function.__module__.rpartition(".")[2])
        return outputs

    return apply


def run(recurrence, cell, tensors, masks, precision, states, inputs=()):
    """As `rnnkit.models.recurrence.entry.run` where a gradient is wanted."""
    h, c, hidden_states = recurrence.apply(cell, *tensors, masks, precision, states, True, *inputs)
    return h, c if cell == "lstm" else None, hidden_states if states else None


def to_fake(net):
    """Put empty tensors on CUDA in the place of a net's own."""
    for module in net.modules():
        for held in (module._parameters, module._buffers):
            for name, tensor in held.items():
                if tensor is not None:
                    empty = torch.empty(tensor.shape, dtype=tensor.dtype, device="cuda")
                    held[name] = (
                        nn.Parameter(empty, requires_grad=False) if held is module._parameters else empty
                    )


def step(net, masks):
    """What `GraphedStep` and `GraphedEvaluation` hand to a capture, twice: the second time is the one that counts."""
    x = torch.rand(BATCH, STEPS, 1, device="cuda")
    y = torch.zeros(BATCH, dtype=torch.int64, device="cuda")
    masks = Masks(**{name: torch.empty(mask.shape, device="cuda") for name, mask in masks.items()})
    totals, adam = _Totals(x.device), _Adam(torch.optim.Adam(net.parameters()))
    evaluation = []
    GraphedEvaluation(net, capture=lambda work: evaluation.append(work) or work).step(x, y)
    for _ in range(2):
        logits = net.train()(x, masks=masks)
        assert (tuple(logits.shape), logits.device.type) == ((BATCH, 10), "cuda")
        totals.add(nn.functional.cross_entropy(logits, y).double() * len(y), logits, y)
        adam.update(tuple(torch.ones_like(parameter) for parameter in adam.parameters))
        evaluation[0]()


def main(library):
    torch.ops.load_library(library)
    os.environ["RNNKIT_COMPILE"] = "0"
    went = []
    entry.run.__code__ = run.__code__
    for function in (unrolled._Recurrence, SequenceProduct):
        function.apply = there_and_back(function, went)
    for name, changes in NETS:
        for precision in ("fp32", "bf16"):
            sizes = SMALL | (MEMORY if name.startswith("lmu") else {}) | changes
            net = make_classifier(
                name, precision=precision, dropout_generator=torch.Generator().manual_seed(0), **sizes
            )
            drawn = net.draw_masks(BATCH, STEPS)
            masks = {
                f.name: getattr(drawn, f.name) for f in fields(drawn) if getattr(drawn, f.name) is not None
            }
            went.clear()
            with FakeTensorMode(), torch.no_grad():
                to_fake(net)
                step(net, masks)
            print(name, precision, *sorted(set(went)))


if __name__ == "__main__":
    main(sys.argv[1])
