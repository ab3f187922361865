"""A recurrent layer of Keras with torch's names and gate order: simple RNN, LSTM or GRU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rnnkit.errors import UserError
from rnnkit.models.initialisers import glorot_uniform, orthogonal
from rnnkit.models.options import CELLS, NUM_GATES, check_precision, check_sizes
from rnnkit.models.recurrence import PackedMasks, recur, recur_numbers, stepwise
from rnnkit.models.sequence_product import SequenceProduct, multiplies_in


class Recurrent(nn.Module):
    """One recurrent layer.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
        The GRU is the one with the reset gate after the product (torch's; `reset_after` in Keras).
    input_size, hidden_size : int
    generator : torch.Generator, optional
        Draws the weights as Keras does: Glorot uniform on the kernel of all gates, orthogonal on the recurrent kernel
        of all gates, biases zero but the forget gate's, which is one.

    Attributes
    ----------
    weight_ih (G * hidden_size, input_size), weight_hh (G * hidden_size, hidden_size), bias_ih (G * hidden_size,)
        G is 1, 4 or 3; gates in torch's order (LSTM i, f, g, o; GRU r, z, n).
    bias_hh (3 * hidden_size,) or None
        Only the GRU has a second bias, as in Keras.
    """

    def __init__(
        self, cell: str, input_size: int, hidden_size: int, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise UserError("unknown cell", value=cell, allowed=CELLS)
        check_sizes(input_size=input_size, hidden_size=hidden_size)
        self.cell = cell
        width = NUM_GATES[cell] * hidden_size
        self.weight_ih = nn.Parameter(glorot_uniform(width, input_size, generator=generator))
        self.weight_hh = nn.Parameter(orthogonal(width, hidden_size, generator=generator))
        bias = torch.zeros(width)
        if cell == "lstm":
            bias[hidden_size : 2 * hidden_size] = 1
        self.bias_ih = nn.Parameter(bias)
        self.bias_hh = nn.Parameter(torch.zeros(width)) if cell == "gru" else None

    @property
    def input_size(self) -> int:
        """Features the layer reads at each step."""
        return self.weight_ih.shape[1]

    @property
    def hidden_size(self) -> int:
        """Number of recurrent units."""
        return self.weight_hh.shape[1]

    @property
    def num_gates(self) -> int:
        """Gates of a unit: 1, 4 or 3."""
        return NUM_GATES[self.cell]

    def step(
        self,
        x_t: Tensor,
        h: Tensor,
        c: Tensor | None = None,
        *,
        recurrent_masks: Tensor | None = None,
        precision: str = "fp32",
    ) -> tuple[Tensor, Tensor | None]:
        """One step: x_t (batch, input_size), h and c (batch, hidden_size) -> the next h and c (None but in an LSTM)."""
        one_step = {"rnn": stepwise.rnn_step, "lstm": stepwise.lstm_step, "gru": stepwise.gru_step}[self.cell]
        drive_t = self.drive(x_t.unsqueeze(0), precision=precision).squeeze(0)
        recurrent = self.weight_hh, self.bias_hh
        return one_step(drive_t, h, c, *recurrent, masks=recurrent_masks, precision=precision)

    def drive(
        self,
        rows: Tensor,
        *,
        weight: Tensor | None = None,
        masks: Tensor | None = None,
        precision: str = "fp32",
    ) -> Tensor:
        """What inputs contribute to the gates.

        Parameters
        ----------
        rows : Tensor (seq_len, batch, input_size)
        weight : Tensor (G * hidden_size, input_size), optional
            In place of `weight_ih`.
        masks : Tensor (1 or G, batch, input_size) or (seq_len, 1 or G, batch, input_size), optional
            Dropout of the input, constant over time or of each step: one mask for all gates, or one for each.
        precision : {"fp32", "bf16"}
            ``bf16`` rounds the operands and the results of products over more than one feature to bfloat16.

        Returns
        -------
        Tensor (seq_len, batch, G * hidden_size)

        Raises
        ------
        UserError
            An unknown precision.
        """
        check_precision(precision)
        weight = self.weight_ih if weight is None else weight
        dtype = torch.bfloat16 if precision == "bf16" and weight.shape[1] > 1 else rows.dtype
        if masks is None and dtype == rows.dtype:
            return nn.functional.linear(rows, weight, self.bias_ih)
        if masks is None and multiplies_in(dtype, rows.device):
            return nn.functional.linear(rows.to(dtype), weight.to(dtype)).to(rows.dtype).add_(self.bias_ih)
        return SequenceProduct.apply(rows, weight, masks, dtype).add_(self.bias_ih)

    def forward(
        self,
        x: Tensor,
        *,
        input_masks: Tensor | None = None,
        recurrent_masks: Tensor | PackedMasks | None = None,
        precision: str = "fp32",
        states: bool = False,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Run over whole sequences.

        Parameters
        ----------
        x : Tensor (batch, seq_len, input_size)
        input_masks : Tensor (1 or G, batch, input_size) or (seq_len, 1 or G, batch, input_size), optional
            Dropout of the input, see `drive`.
        recurrent_masks : Tensor (G, batch, hidden_size) or (seq_len, G, batch, hidden_size), or PackedMasks, optional
            Recurrent dropout, see `rnnkit.models.recurrence.recur`.
        precision : {"fp32", "bf16"}
        states : bool
            Whether to return all hidden states.

        Returns
        -------
        h_n, c_n : Tensor (batch, hidden_size); c_n is None but in an LSTM
        hidden_states : Tensor (batch, seq_len, hidden_size), or None where they were not asked for
        """
        check_input(x, self.input_size)
        rows, recurrent = x.transpose(0, 1), (self.weight_hh, self.bias_hh)
        options: dict[str, Any] = {"masks": recurrent_masks, "precision": precision, "states": states}
        if self.input_size == 1:
            numbers = _numbers(rows.squeeze(2), input_masks)
            h_n, c_n, hidden_states = recur_numbers(
                self.cell, numbers, self.weight_ih.squeeze(1), self.bias_ih, *recurrent, **options
            )
        else:
            drive = self.drive(rows, masks=input_masks, precision=precision)
            h_n, c_n, hidden_states = recur(self.cell, drive, *recurrent, **options)
        return h_n, c_n, None if hidden_states is None else hidden_states.transpose(0, 1)


def _numbers(x: Tensor, masks: Tensor | None) -> Tensor:
    """One number a step behind its masks: x (seq_len, batch) -> the same, or (seq_len, batch, G) where gates differ."""
    if masks is None:
        return x
    masks = masks.squeeze(-1).transpose(-1, -2)  # (batch, 1 or G) or (seq_len, batch, 1 or G)
    return x * masks.squeeze(-1) if masks.shape[-1] == 1 else x.unsqueeze(2) * masks


def check_input(x: Tensor, input_size: int) -> None:
    """Refuse sequences that are not (batch, seq_len >= 1, input_size)."""
    if x.dim() != 3 or x.shape[1] < 1 or x.shape[2] != input_size:
        raise UserError(
            "the input has another shape than the network reads",
            value=tuple(x.shape),
            allowed=f"(batch, seq_len >= 1, input_size = {input_size})",
        )
