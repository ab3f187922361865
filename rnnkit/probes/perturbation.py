"""Trained parameters with noise on them, and how far training brings them back (Eqs. 8 and 9, Mehta)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes

READINGS = ("whole", "each")


def noise_scale(
    parameters: NDArray[Any], *, reading: str = "whole", slices: Iterable[slice] | None = None
) -> NDArray[np.float64]:
    """Return sigma of Eq. 9 for each parameter, in either reading of it.

    Parameters
    ----------
    parameters : ndarray (M, N)
        One flat vector per model.
    reading : {"whole", "each"}
        Whether sigma is the standard deviation of the whole vector, or for each matrix and vector its own.
    slices : iterable of slice, optional
        Where each matrix and vector stands in the flat vector; together they cover it. Needed by "each".

    Returns
    -------
    ndarray (M, N)
        Standard deviations divide by the number of entries, so that an array of one entry has 0.

    Raises
    ------
    UserError
        If the reading is unknown, or the slices are missing or do not cover the vector once.
    """
    parameters = check_axes(parameters, "parameters", ("M", "N")).astype(np.float64)
    num_parameters = parameters.shape[1]
    if reading not in READINGS:
        raise UserError("unknown reading", value=reading, allowed=READINGS)
    if reading == "whole":
        return np.broadcast_to(parameters.std(axis=1, keepdims=True), parameters.shape).copy()
    if slices is None:
        raise UserError("slices are missing", allowed='where each matrix stands, for reading "each"')
    slices = list(slices)
    covered = np.zeros(num_parameters, dtype=np.int64)
    for part in slices:
        covered[part] += 1
    if (covered != 1).any():
        raise UserError(
            "slices do not cover the parameters once",
            value=f"{int((covered == 0).sum())} left out, {int((covered > 1).sum())} in several",
            allowed=f"slices that together are 0 to {num_parameters}",
        )
    scale = np.empty_like(parameters)
    for part in slices:
        if (entries := parameters[:, part]).shape[1]:
            scale[:, part] = entries.std(axis=1, keepdims=True)
    return scale


def perturb(
    parameters: NDArray[Any],
    factors: Sequence[float] | NDArray[Any],
    *,
    generators: Sequence[np.random.Generator],
    reading: str = "whole",
    slices: Iterable[slice] | None = None,
) -> NDArray[Any]:
    """Add noise to trained parameters, W + k N(0, sigma), for every factor k (Eqs. 8 and 9, Mehta).

    Parameters
    ----------
    parameters : ndarray (M, N)
        One flat vector per model.
    factors : array (K,)
        Perturbation factors, 0 or above.
    generators : sequence of M numpy.random.Generator
        One for each model, so that its noise does not depend on which others there are. A model's noise has
        one direction for all factors; its readings of sigma differ in scale alone when drawn from equal seeds.
    reading, slices
        As in `noise_scale`.

    Returns
    -------
    ndarray (K, M, N)
        Of the type of `parameters`.

    Raises
    ------
    UserError
        If a factor is negative, or there is not one generator per model.
    """
    scale = noise_scale(parameters, reading=reading, slices=slices)
    parameters = np.asarray(parameters)
    factors = check_axes(np.asarray(factors, dtype=np.float64), "factors", ("K",))
    if factors.min() < 0:
        raise UserError("factors are out of range", value=factors.tolist(), allowed="0 or above")
    if len(generators) != len(parameters):
        raise UserError(
            "generators do not fit the models",
            value=len(generators),
            allowed=f"{len(parameters)}, one for each model",
        )
    noise = scale * np.stack([generator.standard_normal(scale.shape[1]) for generator in generators])
    kept = parameters.dtype if parameters.dtype.kind == "f" else np.dtype(np.float64)
    return (parameters + factors[:, None, None] * noise).astype(kept)


def distances(parameters: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.float64]:
    """Return how far parameters are from those before the perturbation (Fig. 10d and h, Mehta).

    Parameters
    ----------
    parameters : ndarray (..., M, N)
        Such as (K, epochs, M, N).
    reference : ndarray (M, N)

    Returns
    -------
    ndarray (..., M)

    Raises
    ------
    UserError
        If the shapes do not fit.
    """
    parameters = check_axes(parameters, "parameters", ("...", "M", "N"))
    reference = check_axes(reference, "reference", ("M", "N"))
    if parameters.shape[-2:] != reference.shape:
        raise UserError(
            "parameters do not fit the reference", value=parameters.shape, allowed=f"(..., {reference.shape})"
        )
    return np.linalg.norm(parameters - reference.astype(np.float64), axis=-1)
