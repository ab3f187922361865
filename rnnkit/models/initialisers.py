"""The initial weights of Keras's recurrent layers, in the layout of torch: (output, input)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def glorot_uniform(num_outputs: int, num_inputs: int, *, generator: torch.Generator | None = None) -> Tensor:
    """(num_outputs, num_inputs) from U(-a, a), a = sqrt(6 / (num_inputs + num_outputs)), over the whole kernel.

    Glorot & Bengio (2010). In a gated layer the outputs of all gates count together.
    """
    bound = math.sqrt(6 / (num_inputs + num_outputs))
    return torch.empty(num_outputs, num_inputs).uniform_(-bound, bound, generator=generator)


def orthogonal(num_outputs: int, num_inputs: int, *, generator: torch.Generator | None = None) -> Tensor:
    """(num_outputs, num_inputs) with orthonormal rows or columns, whichever are fewer, uniformly distributed.

    Saxe, McClelland & Ganguli (2014). Keras draws the kernels of all gates as one matrix, so that the columns of the
    concatenated `weight_hh` (G * hidden_size, hidden_size) are orthonormal, not those of each gate.
    """
    most, fewest = max(num_outputs, num_inputs), min(num_outputs, num_inputs)
    q, r = torch.linalg.qr(torch.randn(most, fewest, generator=generator, dtype=torch.float64))
    q = (q * r.diagonal().sign()).float()
    return (q if num_outputs >= num_inputs else q.t()).contiguous()
