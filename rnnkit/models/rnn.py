"""The vanilla recurrent network with a linear readout (Section 2, Horoi, Lajoie & Wolf)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rnnkit.errors import UserError
from rnnkit.models._fused import FusedRecurrence, tanh_linear
from rnnkit.models.options import check_precision


class VanillaRNN(nn.Module):
    """A tanh recurrent layer read out linearly.

    ``h_t = tanh(W_ih x_t + W_hh h_{t-1} [+ b])`` and ``logits = W_o h_t + b_o``.

    Parameters
    ----------
    input_size, hidden_size, num_classes : int
        Features per step, recurrent units, classes.
    bias : bool
        Whether the recurrence has a bias. The paper's has none; the readout always has one.
    precision : {"fp32", "bf16"}
        ``bf16`` rounds states and the operands of matrix products to bfloat16; sums and weights stay in float32.
    generator : torch.Generator, optional
        Draws the weights from U(-1/sqrt(hidden_size), 1/sqrt(hidden_size)), as torch.nn.RNN does.

    Raises
    ------
    UserError
        A size that is not a positive integer, or an unknown precision.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_classes: int,
        *,
        bias: bool = False,
        precision: str = "fp32",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        for name, size in [
            ("input_size", input_size),
            ("hidden_size", hidden_size),
            ("num_classes", num_classes),
        ]:
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise UserError(f"{name} is no network's", value=size, allowed="an integer of at least 1")
        check_precision(precision)
        self.precision = precision
        bound = 1 / math.sqrt(hidden_size)

        def uniform(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound, generator=generator))

        self.weight_ih = uniform(hidden_size, input_size)
        self.weight_hh = uniform(hidden_size, hidden_size)
        self.bias_ih = uniform(hidden_size) if bias else None
        self.bias_hh = uniform(hidden_size) if bias else None
        self.weight_out = uniform(num_classes, hidden_size)
        self.bias_out = uniform(num_classes)

    @property
    def hidden_size(self) -> int:
        """Number of recurrent units."""
        return self.weight_hh.shape[0]

    def initial_state(self, batch_size: int) -> Tensor:
        """The zero state, (batch, hidden_size)."""
        return self.weight_hh.new_zeros(batch_size, self.hidden_size)

    def step(self, x_t: Tensor, h: Tensor) -> Tensor:
        """One step: x_t (batch or 1, input_size), h (batch, hidden_size) -> the next h. One row of x_t serves all."""
        if self.precision == "bf16":
            return self._recur(x_t.expand(len(h), -1).unsqueeze(1), h, last_only=True)
        drive, bias = x_t @ self.weight_ih.t(), self._bias()
        if bias is not None:
            drive = drive + bias
        if len(drive) == 1 and not torch.is_grad_enabled():
            return tanh_linear(h, self.weight_hh, drive[0])
        return torch.addmm(drive, h, self.weight_hh.t()).tanh()

    def readout(self, h: Tensor) -> Tensor:
        """Logits of states: h (..., hidden_size) -> (..., num_classes)."""
        return nn.functional.linear(h, self.weight_out, self.bias_out)

    def hidden_states(self, x: Tensor, h_0: Tensor | None = None) -> Tensor:
        """All states: x (batch, seq_len, input_size) -> (batch, seq_len, hidden_size)."""
        return self._recur(x, h_0, last_only=False)

    def forward(
        self, x: Tensor, h_0: Tensor | None = None, *, return_hidden_states: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Classify sequences.

        Parameters
        ----------
        x : Tensor (batch, seq_len, input_size)
        h_0 : Tensor (batch, hidden_size), optional
            Zero where left out.
        return_hidden_states : bool
            Whether to return the hidden states as well.

        Returns
        -------
        Tensor (batch, num_classes), or a pair with hidden_states (batch, seq_len, hidden_size)
            Logits read from the last state.
        """
        if return_hidden_states:
            states = self.hidden_states(x, h_0)
            return self.readout(states[:, -1]), states
        return self.readout(self._recur(x, h_0, last_only=True))

    def _bias(self) -> Tensor | None:
        if self.bias_ih is None or self.bias_hh is None:
            return None
        return self.bias_ih + self.bias_hh

    def _recur(self, x: Tensor, h_0: Tensor | None, *, last_only: bool) -> Tensor:
        if x.dim() != 3 or x.shape[1] < 1 or x.shape[2] != self.weight_ih.shape[1]:
            raise UserError(
                "the input has another shape than the network reads",
                value=tuple(x.shape),
                allowed=f"(batch, seq_len >= 1, input_size = {self.weight_ih.shape[1]})",
            )
        h_0 = self.initial_state(x.shape[0]) if h_0 is None else h_0
        return FusedRecurrence.apply(
            x, h_0, self.weight_ih, self.weight_hh, self._bias(), last_only, self.precision
        )
