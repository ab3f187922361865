"""What the recurrent networks may be asked for, and the checks of it: nothing here needs torch."""

from __future__ import annotations

from rnnkit.errors import UserError

CELLS = ("rnn", "lstm", "gru")
NUM_GATES = {"rnn": 1, "lstm": 4, "gru": 3}
PRECISIONS = ("fp32", "bf16")


def check_precision(precision: str) -> None:
    """Refuse a precision that is none."""
    if precision not in PRECISIONS:
        raise UserError("unknown precision", value=precision, allowed=PRECISIONS)


def check_sizes(**sizes: object) -> None:
    """Refuse a size that is not a positive integer."""
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise UserError(f"{name} is no network's", value=size, allowed="an integer of at least 1")
