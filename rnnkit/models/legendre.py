"""The Legendre memory as a linear system: its matrices, one step of it, and many steps as one product.

Source: Voelker, Kajić & Eliasmith, Legendre Memory Units (2019), Eqs. 1 to 4.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rnnkit.errors import UserError

DISCRETIZERS = ("zoh", "euler")
_ROUNDING = 1e-4  # relative, of `least_theta`, which is known to 1e-7 at memory_size 256 and to 5e-5 at 512


def continuous_matrices(memory_size: int) -> tuple[np.ndarray, np.ndarray]:
    """A (memory_size, memory_size) and B (memory_size,) of ``theta m' = A m + B u``, in float64."""
    i, j = np.meshgrid(np.arange(memory_size), np.arange(memory_size), indexing="ij")
    scale = 2.0 * np.arange(memory_size) + 1
    a = scale[:, None] * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
    return a, scale * (-1.0) ** np.arange(memory_size)


@lru_cache(maxsize=8)
def discrete_matrices(memory_size: int, theta: float, discretizer: str) -> tuple[np.ndarray, np.ndarray]:
    """A (memory_size, memory_size) and B (memory_size,) of ``m_t = A m_{t-1} + B u_t``, in float64, read-only.

    Parameters
    ----------
    memory_size : int
        Legendre polynomials kept of the window (`order` in keras-lmu).
    theta : float
        Steps in the window.
    discretizer : {"zoh", "euler"}
        Zero-order hold, exact for an input constant between steps; or Euler's step, which needs a theta that is
        large beside `memory_size`, see `least_theta`.

    Raises
    ------
    UserError
        As `check_discretization`.
    """
    check_discretization(memory_size, theta, discretizer)
    a, b = continuous_matrices(memory_size)
    if discretizer == "euler":
        a, b = np.eye(memory_size) + a / theta, b / theta
    else:
        both = np.zeros((memory_size + 1, memory_size + 1))
        both[:-1, :-1], both[:-1, -1] = a, b
        both = _exponential(both / theta)
        a, b = both[:-1, :-1].copy(), both[:-1, -1].copy()
    a.flags.writeable = b.flags.writeable = False
    return a, b


def check_discretization(memory_size: int, theta: float, discretizer: str) -> None:
    """Refuse options that are none, and a theta at which Euler's step makes a memory that grows without bound."""
    if discretizer not in DISCRETIZERS:
        raise UserError("unknown discretizer", value=discretizer, allowed=DISCRETIZERS)
    if not isinstance(memory_size, int) or isinstance(memory_size, bool) or memory_size < 1:
        raise UserError("memory_size is no memory's", value=memory_size, allowed="an integer of at least 1")
    if isinstance(theta, bool) or not isinstance(theta, int | float) or not 0 < theta < float("inf"):
        raise UserError("theta is no length of a window", value=theta, allowed="a number of steps above 0")
    if discretizer == "euler":
        _require_stable(memory_size, theta)


@lru_cache(maxsize=8)
def least_theta(memory_size: int) -> float:
    """The shortest window in steps for which Euler's step is stable: about 5, 60, 639, 6542 at 4, 16, 64, 256.

    A is stable, and so is its zero-order hold at any theta. The eigenvalues ``1 + l / theta`` of Euler's step lie in
    the unit circle where theta is at least ``|l|^2 / (-2 Re l)`` for every eigenvalue l of A. Those that decide are
    known well; others of a large memory, and with them the spectral radius at a short theta, drown in rounding.
    """
    eigenvalues = np.linalg.eigvals(continuous_matrices(memory_size)[0])
    return float(np.max(np.abs(eigenvalues) ** 2 / (-2 * eigenvalues.real)))


def _require_stable(memory_size: int, theta: float) -> None:
    """Refuse a theta at which Euler's memory grows by itself; feedback is not counted on, for it starts at random."""
    least = least_theta(memory_size)
    if theta < least * (1 - _ROUNDING):
        raise UserError(
            f"theta is too short for Euler's step with memory_size={memory_size}: "
            "the spectral radius is above 1, and the memory grows without bound",
            value=theta,
            allowed=f"at least {least:.6g} here",
            hint='Take discretizer="zoh", which is stable at any theta, a longer window or a smaller memory',
        )


def _exponential(matrix: np.ndarray) -> np.ndarray:
    """Scipy's matrix exponential; torch's where there is no scipy, as on a machine that only trains."""
    try:
        from scipy.linalg import expm
    except ImportError:
        import torch

        return torch.linalg.matrix_exp(torch.from_numpy(matrix)).numpy()
    return expm(matrix)


@lru_cache(maxsize=8)
def chunk_matrices(memory_size: int, theta: float, discretizer: str, num_steps: int) -> np.ndarray:
    """What the memory before a chunk and the inputs in it make of the memory at each step of the chunk.

    Returns
    -------
    np.ndarray (num_steps, memory_size + num_steps, memory_size)
        ``m_{s+k} = [m_s, u_{s+1}, .., u_{s+num_steps}] @ result[k - 1]``, in float64, read-only.
    """
    a, b = discrete_matrices(memory_size, theta, discretizer)
    result = np.zeros((num_steps, memory_size + num_steps, memory_size))
    power, response = np.eye(memory_size), b  # A^k and A^k B
    responses = []
    for k in range(num_steps):
        power = a @ power
        responses.append(response)
        response = a @ response
        result[k, :memory_size] = power.T
        for j in range(k + 1):
            result[k, memory_size + j] = responses[k - j]
    result.flags.writeable = False
    return result
