"""The recurrence of a simple RNN, an LSTM or a GRU, one step after another: the meaning of the faster forms.

Gates are in the order of torch.nn: LSTM i, f, g, o; GRU r, z, n. Recurrent dropout is that of Keras: the masks
are constant over time or those of each step, and each gate reads the previous state through a mask of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnkit.errors import UserError
from rnnkit.models.options import CELLS, NUM_GATES, check_precision
from rnnkit.models.recurrence.packed import PackedMasks


def recur(
    cell: str,
    drive: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    *,
    masks: Tensor | PackedMasks | None = None,
    precision: str = "fp32",
    states: bool = False,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Run a recurrence from the zero state; differentiable in `drive`, `weight_hh` and `bias_hh`.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
    drive : Tensor (seq_len, batch, G * hidden_size)
        What the input contributes to the G gates, its bias included; time first.
    weight_hh : Tensor (G * hidden_size, hidden_size)
    bias_hh : Tensor (G * hidden_size,) or None
        In the GRU the part of the gate n lies inside the product with the reset gate (reset_after in Keras).
    masks : Tensor (G, batch, hidden_size) or (seq_len, G, batch, hidden_size), or PackedMasks, optional
        Recurrent dropout, constant over time or of each step, scaled by 1 / (1 - rate) already: gate g reads
        ``h * masks[g]``. The term ``z * h`` of the GRU reads the whole state.
    precision : {"fp32", "bf16"}
        ``bf16`` rounds the operands of the matrix products to bfloat16; sums, gates and states stay in float32.
    states : bool
        Whether to return all hidden states.

    Returns
    -------
    h_n : Tensor (batch, hidden_size)
    c_n : Tensor (batch, hidden_size), or None where the cell is no LSTM
    hidden_states : Tensor (seq_len, batch, hidden_size), or None where they were not asked for

    Raises
    ------
    UserError
        An unknown cell or precision, or shapes that do not fit each other.
    """
    check_arguments(cell, drive, weight_hh, bias_hh, masks, precision)
    step = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}[cell]
    h = drive.new_zeros(drive.shape[1], weight_hh.shape[1])
    c = torch.zeros_like(h) if cell == "lstm" else None
    hidden_states = []
    for t, drive_t in enumerate(drive.unbind(0)):
        h, c = step(drive_t, h, c, weight_hh, bias_hh, masks=masks_at(masks, t), precision=precision)
        if states:
            hidden_states.append(h)
    return h, c, torch.stack(hidden_states) if states else None


def rnn_step(
    drive_t: Tensor,
    h: Tensor,
    c: Tensor | None,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    *,
    masks: Tensor | None = None,
    precision: str = "fp32",
) -> tuple[Tensor, None]:
    """One step of a simple RNN: drive_t (batch, hidden_size), h (batch, hidden_size) -> (h', None)."""
    from_h = recurrent_product(h, weight_hh, bias_hh, masks, precision)
    return (drive_t + from_h).tanh(), None


def lstm_step(
    drive_t: Tensor,
    h: Tensor,
    c: Tensor | None,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    *,
    masks: Tensor | None = None,
    precision: str = "fp32",
) -> tuple[Tensor, Tensor]:
    """One step of an LSTM: drive_t (batch, 4 * hidden_size), h and c (batch, hidden_size) -> (h', c')."""
    from_h = recurrent_product(h, weight_hh, bias_hh, masks, precision)
    i, f, g, o = (drive_t + from_h).chunk(4, dim=1)
    c = torch.zeros_like(h) if c is None else c
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_step(
    drive_t: Tensor,
    h: Tensor,
    c: Tensor | None,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    *,
    masks: Tensor | None = None,
    precision: str = "fp32",
) -> tuple[Tensor, None]:
    """One step of a GRU: drive_t (batch, 3 * hidden_size), h (batch, hidden_size) -> (h', None)."""
    from_h = recurrent_product(h, weight_hh, bias_hh, masks, precision)
    drive_r, drive_z, drive_n = drive_t.chunk(3, dim=1)
    from_r, from_z, from_n = from_h.chunk(3, dim=1)
    r = (drive_r + from_r).sigmoid()
    z = (drive_z + from_z).sigmoid()
    n = (drive_n + r * from_n).tanh()
    return z * h + (1 - z) * n, None


def recurrent_product(
    h: Tensor, weight_hh: Tensor, bias_hh: Tensor | None, masks: Tensor | None, precision: str
) -> Tensor:
    """``W_hh h + b_hh`` of all gates, each through its mask: h (batch, hidden_size) -> (batch, G * hidden_size)."""
    if masks is None:
        product = _operand(h, precision) @ _operand(weight_hh, precision).t()
    else:
        weights = weight_hh.view(len(masks), -1, weight_hh.shape[1])  # (G, H, H)
        products = _operand(h * masks, precision) @ _operand(weights, precision).transpose(1, 2)  # (G, B, H)
        product = products.transpose(0, 1).flatten(1)
    return product if bias_hh is None else product + bias_hh


def _operand(tensor: Tensor, precision: str) -> Tensor:
    """The operand of a product: rounded to bfloat16 but kept in its dtype, so that sums are exact in it."""
    return tensor.to(torch.bfloat16).to(tensor.dtype) if precision == "bf16" else tensor


def masks_at(masks: Tensor | PackedMasks | None, t: int) -> Tensor | None:
    """The masks of step t, (G, batch, hidden_size), of those of all steps or of constant ones."""
    if isinstance(masks, PackedMasks):
        return masks.at(t)
    return masks if masks is None or masks.dim() == 3 else masks[t]


def check_arguments(
    cell: str,
    drive: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    masks: Tensor | PackedMasks | None,
    precision: str,
) -> None:
    """Refuse arguments of `recur` that are unknown or do not fit each other."""
    if cell not in CELLS:
        raise UserError("unknown cell", value=cell, allowed=CELLS)
    check_precision(precision)
    gates, hidden_size = NUM_GATES[cell], weight_hh.shape[-1]
    width = gates * hidden_size
    if drive.dim() != 3 or drive.shape[0] < 1:
        raise UserError(
            "drive has another shape than a recurrence reads",
            value=tuple(drive.shape),
            allowed=f"(seq_len >= 1, batch, {gates} * hidden_size)",
        )
    expected = {"drive": (*drive.shape[:2], width), "weight_hh": (width, hidden_size)}
    given: dict[str, Tensor | PackedMasks] = {"drive": drive, "weight_hh": weight_hh}
    if bias_hh is not None:
        expected["bias_hh"], given["bias_hh"] = (width,), bias_hh
    if masks is not None:
        steps = drive.shape[:1] if masks.dim() == 4 else ()
        expected["masks"], given["masks"] = (*steps, gates, drive.shape[1], hidden_size), masks
    for name, shape in expected.items():
        if tuple(given[name].shape) != shape:
            raise UserError(
                f"{name} does not fit a {cell} of {hidden_size} units",
                value=tuple(given[name].shape),
                allowed=str(shape),
            )
