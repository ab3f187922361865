"""What can be read linearly from the state at each step: by a fresh linear probe, and by the net itself.

The gap between the two is information that the state holds and the output layer cannot use yet (Section 4,
Horoi et al.; linear classifier probes after Alain & Bengio, 2017).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_hidden_states, check_labels, check_states

# Directions with less than this share of the largest variance are rounding noise of float32 (1e-14) or near
# it: before all directions are scaled to unit variance they must go.
_NOISE = 1e-10


def linear_readout(
    train_states: NDArray[Any],
    train_labels: NDArray[Any],
    test_states: NDArray[Any],
    *,
    penalty: float = 100.0,
    max_iterations: int = 200,
) -> NDArray[Any]:
    """Predict test labels by a multinomial logistic regression on the training states.

    Parameters
    ----------
    train_states : ndarray (n, H)
        States the regression is fitted to.
    train_labels : ndarray (n,)
        Their labels.
    test_states : ndarray (m, H)
        States to predict.
    penalty : float
        Weight of half the squared norm of the coefficients against the summed cross-entropy (1 / C in
        scikit-learn), in principal axes of unit variance.
    max_iterations : int
        Bound on L-BFGS iterations; about 20 are needed.

    Returns
    -------
    ndarray (m,)
        Predicted labels; the commonest training label where the training states do not vary.

    Raises
    ------
    UserError
        If the shapes do not fit each other.

    Notes
    -----
    The units of a net are so correlated that L-BFGS needs hundreds of iterations on standardised states; in
    principal axes of unit variance it needs about ten, and generalises at least as well. The axes come from
    the training states alone.
    """
    train_states = check_states(train_states, "train_states")
    test_states = check_states(test_states, "test_states")
    train_labels = check_labels(train_labels, len(train_states), "train_labels")
    if train_states.shape[1] != test_states.shape[1]:
        raise UserError(
            "train_states and test_states differ in hidden size",
            value=(train_states.shape, test_states.shape),
            allowed="shapes (n, H) and (m, H)",
        )
    classes, counts = np.unique(train_labels, return_counts=True)
    to_axes = _principal_axes(train_states)
    axes = to_axes(train_states)
    if not axes.shape[1] or len(classes) == 1:
        return np.full(len(test_states), classes[counts.argmax()])

    probe = _fitted(axes, train_labels, penalty, max_iterations)
    return np.asarray(probe.predict(to_axes(test_states)))


def linear_rule(
    states: NDArray[Any], labels: NDArray[Any], *, penalty: float = 100.0, max_iterations: int = 200
) -> tuple[NDArray[np.float64], float]:
    """Fit the regression of `linear_readout` to labels 0 and 1 and say where in state space its boundary lies.

    Parameters
    ----------
    states : ndarray (n, H)
    labels : ndarray (n,)
        0 or 1.
    penalty, max_iterations : float, int
        As in `linear_readout`.

    Returns
    -------
    direction : ndarray (H,)
        Unit vector towards 1; zeros where the states or the labels do not vary.
    threshold : float
        Label 1 is predicted where ``state @ direction`` is above it: always or never without a direction.

    Raises
    ------
    UserError
        If the shapes do not fit each other, or another label occurs.
    """
    states = check_states(states)
    labels = check_labels(labels, len(states))
    if not ((labels == 0) | (labels == 1)).all():
        raise UserError("labels are not binary", value=np.unique(labels)[:5].tolist(), allowed="0 and 1")
    to_axes = _principal_axes(states)
    axes = to_axes(states)
    if not axes.shape[1] or labels.min() == labels.max():
        return np.zeros(states.shape[1]), -1.0 if labels.mean() > 0.5 else 1.0
    probe = _fitted(axes, labels, penalty, max_iterations)
    origin = to_axes(np.zeros((1, states.shape[1])))
    direction = (to_axes(np.eye(states.shape[1])) - origin) @ probe.coef_[0]
    length = float(np.linalg.norm(direction))
    offset = float(probe.intercept_[0] + (origin @ probe.coef_[0]).item())
    return direction / length, -offset / length


def linear_readout_through_time(
    train_states: NDArray[Any],
    train_labels: NDArray[Any],
    test_states: NDArray[Any],
    test_labels: NDArray[Any],
    *,
    penalty: float = 100.0,
    max_iterations: int = 200,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Measure at each step how well a fresh linear probe reads the class from the state.

    Parameters
    ----------
    train_states : ndarray (n, S, H)
        Hidden states the probes are fitted to; not those they are tested on.
    train_labels : ndarray (n,)
        Their labels.
    test_states : ndarray (m, S, H)
        Hidden states the probes are tested on.
    test_labels : ndarray (m,)
        Their labels.
    penalty, max_iterations : float, int
        As in `linear_readout`.
    progress : callable, optional
        Called with (steps done, steps in all).

    Returns
    -------
    ndarray (S,)
        Accuracy on the test states at each step; that of the commonest label before any state differs.

    Raises
    ------
    UserError
        If the shapes do not fit each other.
    """
    train_states = check_hidden_states(train_states, "train_states")
    test_states = check_hidden_states(test_states, "test_states")
    test_labels = check_labels(test_labels, len(test_states), "test_labels")
    if train_states.shape[1:] != test_states.shape[1:]:
        raise UserError(
            "train_states and test_states differ in steps or hidden size",
            value=(train_states.shape, test_states.shape),
            allowed="shapes (n, S, H) and (m, S, H)",
        )
    accuracy = np.empty(train_states.shape[1])
    for step in range(len(accuracy)):
        predicted = linear_readout(
            train_states[:, step],
            train_labels,
            test_states[:, step],
            penalty=penalty,
            max_iterations=max_iterations,
        )
        accuracy[step] = np.mean(predicted == test_labels)
        if progress is not None:
            progress(step + 1, len(accuracy))
    return accuracy


def readout_accuracy_through_time(
    hidden_states: NDArray[Any],
    weight_out: NDArray[Any],
    bias_out: NDArray[Any] | None,
    labels: NDArray[Any],
) -> NDArray[np.float64]:
    """Measure the accuracy of the net's own output layer applied at every step.

    Parameters
    ----------
    hidden_states : ndarray (n, S, H)
        Hidden states of n samples over S steps.
    weight_out : ndarray (C, H)
        Weights of the output layer.
    bias_out : ndarray (C,) or None
        Its bias, if it has one.
    labels : ndarray (n,) of int
        True classes, 0..C-1.

    Returns
    -------
    ndarray (S,)
        Accuracy at each step; the last is the net's accuracy. Equal logits count for the lowest class.

    Raises
    ------
    UserError
        If the shapes do not fit each other.

    Notes
    -----
    Experiment 2, Horoi et al., for all lengths at once: a net that is stopped after n rows has the state h_n.
    """
    hidden_states = check_hidden_states(hidden_states)
    labels = check_labels(labels, len(hidden_states))
    weight_out = check_states(weight_out, "weight_out")
    if weight_out.shape[1] != hidden_states.shape[2]:
        raise UserError(
            "weight_out does not fit the hidden states",
            value=weight_out.shape,
            allowed=f"shape (C, H) = (C, {hidden_states.shape[2]})",
        )
    bias = np.zeros(len(weight_out)) if bias_out is None else np.asarray(bias_out)
    accuracy = np.empty(hidden_states.shape[1])
    for step in range(len(accuracy)):
        logits = hidden_states[:, step] @ weight_out.T + bias
        accuracy[step] = np.mean(logits.argmax(axis=1) == labels)
    return accuracy


def _fitted(axes: NDArray[Any], labels: NDArray[Any], penalty: float, max_iterations: int) -> Any:
    """Fit scikit-learn's logistic regression to states in principal axes."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    probe = LogisticRegression(C=1 / penalty, max_iter=max_iterations, tol=1e-3)
    with warnings.catch_warnings():
        # A probe stopped at max_iterations is still a valid, slightly more regularised, lower bound.
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit(axes, labels)
    return probe


def _principal_axes(states: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Return a map from states (m, H) to the principal axes of `states`, each scaled to unit variance."""
    states = states.astype(np.float64)
    # As in variance_spectrum: equal states are to have no variance at all.
    mean = states[0] + (states - states[0]).mean(axis=0)
    centred = states - mean
    variances, vectors = np.linalg.eigh(centred.T @ centred / len(states))
    kept = variances > max(_NOISE * variances[-1], np.finfo(np.float64).tiny)
    scaled = vectors[:, kept] / np.sqrt(variances[kept])

    def to_axes(others: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray((others - mean) @ scaled)

    return to_axes
