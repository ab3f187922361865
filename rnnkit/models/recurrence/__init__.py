"""Recurrences over whole sequences: one meaning, `stepwise.recur`, and faster forms of it, `fused` and `unrolled`."""

from typing import TYPE_CHECKING

from rnnkit.lazily import exports

if TYPE_CHECKING:
    from rnnkit.models.options import CELLS, NUM_GATES, PRECISIONS, check_precision
    from rnnkit.models.recurrence.dispatch import (
        FORMS,
        reads_inputs,
        reads_packed_masks,
        recur,
        recur_numbers,
    )
    from rnnkit.models.recurrence.fused import padded_inputs, recur_inputs
    from rnnkit.models.recurrence.packed import PackedMasks
    from rnnkit.models.recurrence.threads import lending
else:
    __getattr__, __dir__ = exports(__name__, __file__)

__all__ = [
    "CELLS",
    "FORMS",
    "NUM_GATES",
    "PRECISIONS",
    "PackedMasks",
    "check_precision",
    "lending",
    "padded_inputs",
    "reads_inputs",
    "reads_packed_masks",
    "recur",
    "recur_inputs",
    "recur_numbers",
]
