"""One seed, several independent generators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rnnkit.errors import UserError

PURPOSES = ("data", "init", "shuffle", "dropout")


@dataclass(frozen=True)
class Generators:
    """Independent torch generators of one run, all on the CPU so that a device does not change the draws."""

    data: torch.Generator
    init: torch.Generator
    shuffle: torch.Generator
    dropout: torch.Generator


def generators(seed: int) -> Generators:
    """Derive the generators of a run from its seed.

    Each purpose gets a child of ``numpy.random.SeedSequence(seed)``: drawing more for one purpose never changes
    another, and neighbouring seeds share nothing.

    Raises
    ------
    UserError
        Where the seed is not an integer of at least 0.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise UserError("this is no seed", value=seed, allowed="an integer of at least 0")
    children = np.random.SeedSequence(seed).spawn(len(PURPOSES))
    states = [int(child.generate_state(1, np.uint64)[0] >> np.uint64(1)) for child in children]
    return Generators(*(torch.Generator().manual_seed(state) for state in states))
