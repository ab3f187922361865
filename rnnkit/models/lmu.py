"""The Legendre Memory Unit: a linear memory of the input's recent past, read by a recurrent cell.

Source: Voelker, Kajić & Eliasmith, Legendre Memory Units (2019); options and their meaning are those of keras-lmu.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from rnnkit.errors import UserError
from rnnkit.models.initialisers import glorot_uniform, orthogonal
from rnnkit.models.layers import Recurrent, check_input
from rnnkit.models.legendre import chunk_matrices, discrete_matrices
from rnnkit.models.options import check_sizes
from rnnkit.models.recurrence import PackedMasks, padded_inputs, reads_inputs, recur, recur_inputs
from rnnkit.models.recurrence.stepwise import masks_at

_STEPS_AT_ONCE = 16  # of a memory that is laid out


def _steps_per_chunk(num_steps: int, num_sums: int) -> int:
    """Steps in which one memory is read, so that moving memories costs about what making weights for each step does.

    ``num_steps`` of all sequences, each of which makes ``num_sums``. Either cost is a product with matrices of the
    memory: a row per chunk and sequence, and forward and back a row per step of a chunk and sum. Between 2 and 32, or 0
    where there is too little to run over.
    """
    balanced = math.sqrt(num_steps / (2 * num_sums))
    return min(2 ** round(math.log2(balanced)), 32) if balanced >= 2 else 0


class LMU(nn.Module):
    """A Legendre memory and the hidden cell that reads ``[m_t, x_t]``.

    ``u_t = W_u [x_t, h_{t-1}] + W_m m_{t-1} + b`` and ``m_t = A m_{t-1} + B u_t`` for each of the `memory_d` numbers of
    u; the hidden cell sees the new m_t. Without the two feedback paths the memory is linear in x: it is computed
    for the whole sequence at once, or not even laid out where the hidden cell can read it by chunks.

    Parameters
    ----------
    input_size, hidden_size : int
    cell : {"rnn", "lstm", "gru"}
        The hidden cell.
    memory_size : int
        Legendre polynomials in each memory (`order` in keras-lmu).
    theta : float
        Steps in the memory's window.
    memory_d : int
        Memories side by side.
    discretizer : {"zoh", "euler"}
    hidden_to_memory, memory_to_memory : bool
        The feedback paths: whether u reads the hidden state, and the memory itself.
    input_to_hidden : bool
        Whether the hidden cell sees x_t beside m_t.
    encoder_bias : bool
        Whether u has a bias (`use_bias` in keras-lmu).
    encoder : {"glorot", "ones"}
        How W_u starts.
    generator : torch.Generator, optional
        Draws the weights.

    Attributes
    ----------
    weight_encoder : (memory_d, input_size [+ hidden_size])
    weight_feedback : (memory_d, memory_d * memory_size) or None
    bias_encoder : (memory_d,) or None
    hidden : Recurrent
        The hidden cell; its input is all memories, one after another, then x_t.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        cell: str,
        memory_size: int,
        theta: float,
        memory_d: int = 1,
        discretizer: str = "zoh",
        hidden_to_memory: bool = False,
        memory_to_memory: bool = False,
        input_to_hidden: bool = True,
        encoder_bias: bool = False,
        encoder: str = "glorot",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size, memory_d=memory_d)
        if encoder not in ("glorot", "ones"):
            raise UserError("unknown start of the encoder", value=encoder, allowed=("glorot", "ones"))
        self.input_size, self.memory_d, self.memory_size = input_size, memory_d, memory_size
        self.theta, self.discretizer = theta, discretizer
        self.hidden_to_memory, self.input_to_hidden = hidden_to_memory, input_to_hidden
        a, b = (torch.tensor(matrix) for matrix in discrete_matrices(memory_size, theta, discretizer))
        self.transition: Tensor
        self.injection: Tensor
        self.register_buffer("transition", a.float(), persistent=False)  # A (memory_size, memory_size)
        self.register_buffer("injection", b.float(), persistent=False)  # B (memory_size,)
        width = input_size + hidden_size * hidden_to_memory
        start = glorot_uniform(memory_d, width, generator=generator) if encoder == "glorot" else None
        self.weight_encoder = nn.Parameter(torch.ones(memory_d, width) if start is None else start)
        memory_width = memory_d * memory_size
        feedback = orthogonal(memory_d, memory_width, generator=generator) if memory_to_memory else None
        self.weight_feedback = None if feedback is None else nn.Parameter(feedback)
        self.bias_encoder = nn.Parameter(torch.zeros(memory_d)) if encoder_bias else None
        self._chunk_weights: dict[tuple[object, ...], Tensor] = {}
        self.hidden = Recurrent(
            cell, memory_width + input_size * input_to_hidden, hidden_size, generator=generator
        )

    @property
    def hidden_size(self) -> int:
        """Units of the hidden cell."""
        return self.hidden.hidden_size

    @property
    def is_linear(self) -> bool:
        """Whether the memory is a linear function of the input: no feedback path leads into it."""
        return not self.hidden_to_memory and self.weight_feedback is None

    def step(
        self,
        x_t: Tensor,
        m: Tensor,
        h: Tensor,
        c: Tensor | None = None,
        *,
        recurrent_masks: Tensor | None = None,
        precision: str = "fp32",
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """One step.

        Parameters
        ----------
        x_t : Tensor (batch, input_size)
        m : Tensor (batch, memory_d * memory_size)
        h, c : Tensor (batch, hidden_size); c only in an LSTM
        recurrent_masks : Tensor (G, batch, hidden_size), optional
            Recurrent dropout of the hidden cell.
        precision : {"fp32", "bf16"}
            Of the hidden cell's products; the memory is computed in float32.

        Returns
        -------
        m, h, c
            The next ones; c is None but in an LSTM.
        """
        m = self.next_memory(x_t, m, h)
        seen = torch.cat([m, x_t], dim=1) if self.input_to_hidden else m
        return m, *self.hidden.step(seen, h, c, recurrent_masks=recurrent_masks, precision=precision)

    def next_memory(self, x_t: Tensor, m: Tensor, h: Tensor) -> Tensor:
        """x_t (batch, input_size), m (batch, memory_d * memory_size), h (batch, hidden_size) -> the next m."""
        read = torch.cat([x_t, h], dim=1) if self.hidden_to_memory else x_t
        encoded = nn.functional.linear(read, self.weight_encoder, self.bias_encoder)  # (B, D)
        if self.weight_feedback is not None:
            encoded = encoded + m @ self.weight_feedback.t()
        by_memory = m.view(len(m), self.memory_d, self.memory_size)  # (B, D, Q)
        by_memory = by_memory @ self.transition.t() + encoded.unsqueeze(2) * self.injection
        return by_memory.flatten(1)

    def memories(self, x: Tensor) -> Tensor:
        """All memories at once: x (batch, seq_len, input_size) -> (batch, seq_len, memory_d * memory_size).

        Raises
        ------
        UserError
            Where a feedback path leads into the memory: then it cannot be had without the hidden cell.
        """
        check_input(x, self.input_size)
        if not self.is_linear:
            raise UserError("this memory depends on the hidden cell", hint="Take `step` or `forward`")
        encoded = nn.functional.linear(x.transpose(0, 1), self.weight_encoder, self.bias_encoder)
        return self._delay(encoded).transpose(0, 1)

    def forward(
        self,
        x: Tensor,
        *,
        input_masks: Tensor | None = None,
        recurrent_masks: Tensor | PackedMasks | None = None,
        memory_masks: Tensor | None = None,
        precision: str = "fp32",
        states: bool = False,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Run over whole sequences; arguments and results as of `Recurrent.forward`.

        `input_masks` (.., 1 or G, batch, hidden.input_size) are dropout of what the hidden cell reads, `memory_masks`
        (batch, 1 or seq_len, input_size) of what the memory reads, while the cell sees the input as it is. The
        memory is computed in float32 at any precision; what the cell reads of it is an operand of its products.
        """
        check_input(x, self.input_size)
        if not self.is_linear:
            if input_masks is not None or memory_masks is not None:
                raise UserError("dropout of what a memory with feedback or its cell reads is not there")
            return self._stepwise(x, recurrent_masks, states, precision)
        remembered = (x if memory_masks is None else x * memory_masks).transpose(0, 1)  # (T, B, I)
        x = x.transpose(0, 1)
        hidden, recurrent = self.hidden, (self.hidden.weight_hh, self.hidden.bias_hh)
        options: dict[str, Any] = {"masks": recurrent_masks, "precision": precision, "states": states}
        is_plain = input_masks is None and self.input_to_hidden and self._has_one_factor
        steps = _steps_per_chunk(x.numel(), len(hidden.weight_ih)) if is_plain else 0
        if steps and reads_inputs(x, hidden.weight_hh):
            inputs, weight_inputs = self._read_by_chunks(remembered, min(steps, len(x)))
            weights = weight_inputs, hidden.weight_ih[:, -1], hidden.bias_ih
            h_n, c_n, hidden_states = recur_inputs(
                hidden.cell, inputs, x.squeeze(2), *weights, *recurrent, **options
            )
        else:
            m, weight = self._seen(remembered)
            rows = torch.cat([m, x], dim=2) if self.input_to_hidden else m
            drive = hidden.drive(rows, weight=weight, masks=input_masks, precision=precision)
            h_n, c_n, hidden_states = recur(hidden.cell, drive, *recurrent, **options)
        return h_n, c_n, None if hidden_states is None else hidden_states.transpose(0, 1)

    def _stepwise(
        self, x: Tensor, masks: Tensor | PackedMasks | None, states: bool, precision: str
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        m = x.new_zeros(len(x), self.memory_d * self.memory_size)
        h, c = x.new_zeros(len(x), self.hidden_size), None
        hidden_states = []
        for t, x_t in enumerate(x.unbind(1)):
            m, h, c = self.step(x_t, m, h, c, recurrent_masks=masks_at(masks, t), precision=precision)
            if states:
                hidden_states.append(h)
        return h, c, torch.stack(hidden_states, dim=1) if states else None

    @property
    def _has_one_factor(self) -> bool:
        """Whether the encoder does no more than scale a single input."""
        return self.weight_encoder.numel() == 1 and self.bias_encoder is None

    def _read_by_chunks(self, x: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        """What the hidden cell reads in a chunk of steps, and the weights of each of them.

        ``W m_{s+k} = (W A^k) m_s + sum_j (W A^{k-j} B) u_{s+j}``: the memory before a chunk and the inputs in it are as
        good as the memory at its k-th step, for weights of that step's own. For x (T, B, 1):
        inputs (chunks, B, I) and weights (steps, G * hidden_size, I), I filled up with zeros.
        """
        (seq_len, batch, _), order = x.shape, self.memory_size
        matrices = self._chunk_weight(steps, x.dtype, x.device)  # (steps, Q + steps, Q)
        known, num_chunks = order + steps, -(-seq_len // steps)
        inputs = x.new_zeros(num_chunks, batch, padded_inputs(known))
        padded = nn.functional.pad(x.squeeze(2), (0, 0, 0, num_chunks * steps - seq_len))
        inputs[:, :, order:known] = padded.view(num_chunks, steps, batch).transpose(1, 2)
        for before, after in pairwise(inputs):
            after[:, :order] = before[:, :known] @ matrices[-1]
        weight = self.hidden.weight_ih[:, :order] * self.weight_encoder
        weights = weight @ matrices.transpose(1, 2)
        return inputs, nn.functional.pad(weights, (0, inputs.shape[2] - known))

    def _seen(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The memories of x (seq_len, batch, input_size), and the weights that the hidden cell reads them and x with.

        A 1 x 1 encoder is folded into these weights: then the memory is that of x itself, and no gradient passes
        back through the sequence.
        """
        weight: Tensor = self.hidden.weight_ih
        if self._has_one_factor and not x.requires_grad:
            with torch.no_grad():
                m = self._delay(x)
            factor = self.weight_encoder.expand(1, self.memory_size)
            if self.input_to_hidden:
                factor = torch.cat([factor, factor.new_ones(1, self.input_size)], dim=1)
            weight = weight * factor
        else:
            m = self._delay(nn.functional.linear(x, self.weight_encoder, self.bias_encoder))
        return m, weight

    def _delay(self, encoded: Tensor) -> Tensor:
        """The memories of inputs (seq_len, batch, memory_d) -> (seq_len, batch, memory_d * memory_size), in chunks."""
        seq_len, batch, memory_d = encoded.shape
        size = min(_STEPS_AT_ONCE, seq_len)
        chunk_weight = self._chunk_weight(size, encoded.dtype, encoded.device)
        columns = encoded.reshape(seq_len, batch * memory_d).t()  # (B D, T)
        m = encoded.new_zeros(batch * memory_d, self.memory_size)
        tracked = encoded.requires_grad and torch.is_grad_enabled()
        memories, chunks = encoded.new_empty(0 if tracked else seq_len, *m.shape), []
        for start in range(0, seq_len, size):
            inputs = columns[:, start : start + size]
            steps = inputs.shape[1]
            known = torch.cat([m, inputs], dim=1)  # (B D, Q + steps)
            weight = chunk_weight[:steps, : self.memory_size + steps]
            place = None if tracked else memories[start : start + steps]
            chunks.append(torch.bmm(known.expand(steps, *known.shape), weight, out=place))  # (steps, B D, Q)
            m = chunks[-1][-1]
        memories = torch.cat(chunks) if tracked else memories
        return memories.view(seq_len, batch, memory_d * self.memory_size)

    def _chunk_weight(self, num_steps: int, dtype: torch.dtype, device: torch.device) -> Tensor:
        """`chunk_matrices` (num_steps, memory_size + num_steps, memory_size) on a device.

        Kept as long as the layer, since a CUDA graph can hold no copy from the host, only what lies still.
        """
        key = (num_steps, dtype, device)
        if key not in self._chunk_weights:
            matrices = chunk_matrices(self.memory_size, self.theta, self.discretizer, num_steps)
            self._chunk_weights[key] = torch.tensor(matrices, dtype=dtype, device=device)
        return self._chunk_weights[key]
