"""Where the state of a net comes to rest while one input lasts, and whether that makes a flip-flop.

An adder's carry is one: 0 + 0 has to clear it, 1 + 1 to set it, and one bit alone to keep it, for which the
net needs two states that are stable under that input (fixed points after Sussillo & Barak, 2013).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes, check_states
from rnnkit.probes.additions import PAIRS, Step

Map = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_NEWTON_STEPS = 40
# A state that moves less than this per step may still be on its way; Newton's method says where to, if not far.
_SLOW = 1e-4
_REACH = 0.1


@dataclass(frozen=True)
class RestingStates:
    """Fixed points and cycles of ``h -> step(h, x)`` for one input x, the commonest first.

    Attributes
    ----------
    orbits : tuple of ndarray (p, D)
        The p states of each cycle in order; p is 1 for a fixed point.
    eigenvalues : ndarray (A, D) complex
        Of the Jacobian of p steps, largest modulus first.
    share : ndarray (A,)
        Share of the starts that ended in each; 0 for those only Newton's method found.
    settled : float
        Share of the starts that ended in any. The others still move: slowly, on a long cycle, or away.
    """

    orbits: tuple[NDArray[np.float64], ...]
    eigenvalues: NDArray[np.complex128]
    share: NDArray[np.float64]
    settled: float

    @property
    def periods(self) -> NDArray[np.int64]:
        """Steps of each cycle, shape (A,); 1 for a fixed point."""
        return np.array([len(orbit) for orbit in self.orbits], dtype=np.int64)

    @property
    def stable(self) -> NDArray[np.bool_]:
        """Whether small disturbances die out: all eigenvalues within the unit circle; shape (A,)."""
        return np.asarray(np.abs(self.eigenvalues).max(axis=1, initial=0) < 1)


@dataclass(frozen=True)
class FlipFlop:
    """What carry the stable states under each input hold.

    Attributes
    ----------
    stable : ndarray (K, 3)
        Number of stable states, or cycles, with carry 0, with carry 1, and cycles with both.
    share : ndarray (K, 3)
        Share of the starts that end in them.
    sums : ndarray (K,)
        Sum of the two bits of each input.
    """

    stable: NDArray[np.int64]
    share: NDArray[np.float64]
    sums: NDArray[np.int64]

    @property
    def clears(self) -> bool:
        """Whether 0 + 0 leads to carry 0 from everywhere it was tried."""
        return bool((self.share[self.sums == 0, 0] == 1).all())

    @property
    def sets(self) -> bool:
        """Whether 1 + 1 leads to carry 1 from everywhere it was tried."""
        return bool((self.share[self.sums == 2, 1] == 1).all())

    @property
    def keeps(self) -> bool:
        """Whether either input with one bit set has stable states of both carries: no limit on how long."""
        return bool((self.stable[self.sums == 1, :2] > 0).all())

    @property
    def complete(self) -> bool:
        """Whether it clears, sets and keeps."""
        return self.clears and self.sets and self.keeps


def fixed_points(
    step: Step,
    bits: NDArray[Any],
    starts: NDArray[Any],
    *,
    settle: int = 2000,
    max_period: int = 4,
    tolerance: float = 1e-7,
    merge: float = 1e-3,
    num_newton: int = 64,
) -> RestingStates:
    """Find where states come to rest under one lasting input, and the unstable fixed points between.

    Parameters
    ----------
    step : callable
        ``step(states (n, D), bits (n, 2)) -> states (n, D)``, in float64: its derivative is taken by differences.
    bits : ndarray (2,)
        The input.
    starts : ndarray (n, D)
        States the net reaches when it adds; each is followed until it rests.
    settle : int
        Steps after which a state has to rest.
    max_period : int
        Longest cycle looked for.
    tolerance : float
        A state rests if it comes back to within this distance, relative to its own size or 1.
    merge : float
        States nearer than this are one, after Newton's method has taken those that creep to where they creep to.
    num_newton : int
        Starts of Newton's method; those between resting states come first, as the boundary lies there.

    Returns
    -------
    RestingStates
    """
    starts = check_states(starts, "starts").astype(np.float64)
    bits = check_axes(bits, "bits", ("2",))
    if bits.shape != (2,) or settle < 0 or max_period < 1:
        raise UserError(
            "cannot look for resting states",
            value=(bits.shape, settle, max_period),
            allowed="bits of shape (2,), settle >= 0, max_period >= 1",
        )

    def move(states: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(step(states, np.broadcast_to(bits, (len(states), 2))), dtype=np.float64)

    ends = starts
    for _ in range(settle):
        ends = move(ends)
    orbits, counts = _orbits(move, ends, max_period, tolerance, merge)
    settled = sum(counts) / len(starts)
    points = _newton(move, _newton_starts(orbits, starts, num_newton))
    for point in points[_rests(move, points, tolerance) & _within(points, [starts, *orbits])]:
        if not any(_near(point, orbit, merge) for orbit in orbits):
            orbits.append(point[None])
            counts.append(0)
    order = np.argsort(-np.array(counts, dtype=np.int64), kind="stable")
    eigenvalues = [_eigenvalues(move, orbits[i]) for i in order]
    return RestingStates(
        orbits=tuple(orbits[i] for i in order),
        eigenvalues=np.array(eigenvalues, dtype=np.complex128).reshape(len(order), starts.shape[1]),
        share=np.array([counts[i] / len(starts) for i in order], dtype=np.float64),
        settled=settled,
    )


def flip_flop(
    step: Step,
    decode: Callable[[NDArray[np.float64]], NDArray[Any]],
    starts: NDArray[Any],
    *,
    inputs: NDArray[Any] = PAIRS,
    **options: Any,
) -> tuple[FlipFlop, tuple[RestingStates, ...]]:
    """Find the resting states under each input and read their carry.

    Parameters
    ----------
    step : callable
    decode : callable
        ``decode(states (n, D)) -> carry (n,)``: a probe's, or whether `Adder.votes` are above one half.
    starts : ndarray (n, D)
    inputs : ndarray (K, 2)
        All four pairs of bits unless told.
    options
        For `fixed_points`.

    Returns
    -------
    FlipFlop
    tuple of RestingStates
        One for each input.
    """
    inputs = check_axes(inputs, "inputs", ("K", "2"))
    rests = tuple(fixed_points(step, pair, starts, **options) for pair in inputs)
    stable = np.zeros((len(inputs), 3), dtype=np.int64)
    share = np.zeros((len(inputs), 3))
    for k, rest in enumerate(rests):
        kinds = _carry_kinds(rest.orbits, decode)
        chosen = rest.stable[:, None] & (kinds[:, None] == np.arange(3))
        stable[k], share[k] = chosen.sum(axis=0), rest.share @ chosen
    # Shares are sums of counts over n; rounding keeps a whole share exactly 1.
    return FlipFlop(stable, np.round(share, 9), inputs.sum(axis=1).astype(np.int64)), rests


def _carry_kinds(
    orbits: Sequence[NDArray[np.float64]], decode: Callable[[NDArray[np.float64]], NDArray[Any]]
) -> NDArray[np.int64]:
    """Return 0 or 1 where the whole orbit decodes as that carry, else 2."""
    read = [np.asarray(decode(orbit)) for orbit in orbits]
    return np.array([int(c[0]) if (c == c[0]).all() else 2 for c in read], dtype=np.int64)


def _orbits(
    move: Map, ends: NDArray[np.float64], max_period: int, tolerance: float, merge: float
) -> tuple[list[NDArray[np.float64]], list[int]]:
    """Group states that rest into orbits, and count the states of each."""
    polished = _newton(move, ends)
    size = np.maximum(np.linalg.norm(ends, axis=1), 1)
    slow = np.linalg.norm(move(ends) - ends, axis=1) < _SLOW * size
    close = np.linalg.norm(polished - ends, axis=1) < _REACH * size
    ends = np.where((slow & close & _rests(move, polished, tolerance))[:, None], polished, ends)
    walk = [ends]
    for _ in range(max_period):
        walk.append(move(walk[-1]))
    path = np.stack(walk, axis=1)  # (n, max_period + 1, D)
    back = np.linalg.norm(path[:, 1:] - path[:, :1], axis=2)
    home = back < tolerance * size[:, None]
    orbits: list[NDArray[np.float64]] = []
    counts: list[int] = []
    for i in np.flatnonzero(home.any(axis=1)):
        known = [j for j, orbit in enumerate(orbits) if _near(path[i, 0], orbit, merge)]
        if known:
            counts[known[0]] += 1
        else:
            orbits.append(path[i, : home[i].argmax() + 1])
            counts.append(1)
    return orbits, counts


def _near(point: NDArray[np.float64], orbit: NDArray[np.float64], merge: float) -> bool:
    return bool(np.linalg.norm(orbit - point, axis=1).min() < merge)


def _newton_starts(
    orbits: Sequence[NDArray[np.float64]], starts: NDArray[np.float64], num: int
) -> NDArray[np.float64]:
    between = [
        first[0] + share * (second[0] - first[0])
        for i, first in enumerate(orbits)
        for second in orbits[:i]
        for share in (0.5, 0.25, 0.75)
    ]
    spread = starts[np.linspace(0, len(starts) - 1, min(num, len(starts))).astype(int)]
    return np.concatenate([np.array(between).reshape(-1, starts.shape[1]), spread])[:num]


def _newton(move: Map, states: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take Newton's steps towards fixed points from each state (n, D); those that run away stay where they were."""
    identity = np.eye(states.shape[1])
    for _ in range(_NEWTON_STEPS):
        gap = move(states) - states
        # A pseudo-inverse, as the matrix is singular where a fixed point is about to vanish.
        new = states - _least_squares(_jacobian(move, states) - identity, gap)
        # Written so that nan stays out too.
        states = np.where((np.abs(new).max(axis=1) < 1e6)[:, None], new, states)
    return states


def _least_squares(matrices: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shortest x with matrix @ x nearest to target: (n, D, D) and (n, D) -> (n, D).

    By the pseudo-inverse; one after another through a pivoted QR where LAPACK's singular values do not converge.
    """
    try:
        return np.asarray((np.linalg.pinv(matrices) @ targets[..., None])[..., 0])
    except np.linalg.LinAlgError:
        from scipy.linalg import lstsq

        found = [
            lstsq(matrix, target, lapack_driver="gelsy")[0]
            for matrix, target in zip(matrices, targets, strict=True)
        ]
        return np.stack(found)


def _within(points: NDArray[np.float64], known: Sequence[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Say which points lie in the box of known states: far out, a gated unit keeps any value that it never takes."""
    states = np.concatenate(known)
    low, high = states.min(axis=0), states.max(axis=0)
    margin = _REACH * (high - low)
    return np.asarray(((points >= low - margin) & (points <= high + margin)).all(axis=1))


def _rests(move: Map, states: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    left = np.linalg.norm(move(states) - states, axis=1)
    return np.asarray(left < tolerance * np.maximum(np.linalg.norm(states, axis=1), 1))


def _jacobian(move: Map, states: NDArray[np.float64], width: float = 1e-6) -> NDArray[np.float64]:
    """Return the derivatives (n, D, D) of one step by central differences; [n, i, j] is d move_i / d state_j."""
    num, size = states.shape
    shift = width * np.eye(size)
    moved = move(np.concatenate([states[:, None] + shift, states[:, None] - shift], axis=1).reshape(-1, size))
    ahead, behind = np.split(moved.reshape(num, 2 * size, size), 2, axis=1)
    return np.asarray((ahead - behind).transpose(0, 2, 1) / (2 * width))


def _eigenvalues(move: Map, orbit: NDArray[np.float64]) -> NDArray[np.complex128]:
    product = np.eye(orbit.shape[1])
    for jacobian in _jacobian(move, orbit):
        product = jacobian @ product
    found = np.linalg.eigvals(product).astype(np.complex128)
    return found[np.argsort(-np.abs(found), kind="stable")]
