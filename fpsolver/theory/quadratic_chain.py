"""Work on chains of Gaussian steps in a quadratic loss that is switched: exact averages of e^{−W/T}, in any dimension.

The chain is θ' = θ − ηH(θ − λ) + √(2ηT) ξ (SGD with isotropic Gaussian noise). At rest it has the covariance
T[H(1 − ηH/2)]⁻¹: that of the **shadow loss** L̃ = ½(θ − λ)ᵀH(1 − ηH/2)(θ − λ) at temperature T, with respect to which
it is reversible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import finite, positive
from fpsolver.theory.estimate import Estimate

Stage = tuple[ArrayLike, ArrayLike]
"""A centre λ (d,) and a Hessian (d, d)."""


def shadow_hessian(hessian: ArrayLike, *, learning_rate: float) -> np.ndarray:
    """Return H(1 − ηH/2), the Hessian of the loss whose work obeys the Jarzynski equality at any learning rate.

    Raises
    ------
    TheoryError
        If the Hessian is not symmetric with eigenvalues between 0 and 2/η, where the chain has a stationary state.

    Examples
    --------
    >>> shadow_hessian([[2.0]], learning_rate=0.5)
    array([[1.]])
    """
    matrix = stable_hessian(hessian, learning_rate=learning_rate)
    return matrix - learning_rate / 2.0 * matrix @ matrix


def stable_hessian(hessian: ArrayLike, *, learning_rate: float) -> np.ndarray:
    """Return H, shape (d, d), where SGD with it has a stationary state.

    Raises
    ------
    TheoryError
        If the Hessian is not symmetric with eigenvalues between 0 and 2/η.
    """
    matrix, eta = np.atleast_2d(finite("hessian", hessian)), positive("learning_rate", learning_rate)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise TheoryError(f"H of shape {matrix.shape} must be a square matrix")
    values = np.linalg.eigvalsh(matrix)
    if not np.allclose(matrix, matrix.T) or values[0] <= 0.0 or eta * values[-1] >= 2.0:
        raise TheoryError(
            f"H with eigenvalues {np.round(values, 6).tolist()} must be symmetric and positive, with ηH < 2 "
            f"(η = {eta:g}): the chain has no stationary state"
        )
    return matrix


def literal_hessian(hessian: ArrayLike, *, learning_rate: float) -> np.ndarray:
    """Return H, the Hessian of the loss itself, from which work is usually computed."""
    positive("learning_rate", learning_rate)
    return np.atleast_2d(np.asarray(hessian, dtype=float))


def free_energy_difference(before: ArrayLike, after: ArrayLike, *, temperature: float) -> Estimate:
    """Return ΔF = (T/2) ln(det H_f/det H_i) of two quadratic losses given by their Hessians."""
    logarithms = [np.linalg.slogdet(np.atleast_2d(np.asarray(one, dtype=float)))[1] for one in (before, after)]
    return Estimate(
        positive("temperature", temperature) * (logarithms[1] - logarithms[0]) / 2.0, (), 0.0, "Gaussian integrals"
    )


def exponential_work(
    stages: Sequence[Stage],
    *,
    learning_rate: float,
    temperature: float,
    start_covariance: ArrayLike,
    energy: Callable[..., np.ndarray] = shadow_hessian,
    work_temperature: float | None = None,
) -> Estimate:
    """Return ⟨e^{−W/T}⟩ of a chain that is switched to the next stage, then takes one step, and so on.

    Parameters
    ----------
    stages : sequence of (centre, Hessian)
        The first is that of the start, whose mean is its centre.
    learning_rate, temperature : float
        η and T.
    start_covariance : array_like (d, d)
        Covariance of the start.
    energy : callable
        Hessian of the loss from which work is computed, as a function of H and `learning_rate`.
    work_temperature : float, optional
        Temperature that divides the work; by default T.

    Returns
    -------
    Estimate
        The average, infinite where it diverges.

    Examples
    --------
    >>> stages = [([0.1 * n], [[1.0]]) for n in range(21)]
    >>> average = exponential_work(
    ...     stages, learning_rate=0.1, temperature=1.0, start_covariance=[[1 / 0.95]], energy=literal_hessian)
    >>> round(float(average), 10)
    1.0601288667
    """
    eta, noise = positive("learning_rate", learning_rate), positive("temperature", temperature)
    t = noise if work_temperature is None else positive("work_temperature", work_temperature)
    pairs = [
        (np.atleast_1d(np.asarray(centre, dtype=float)), np.atleast_2d(np.asarray(h, dtype=float)))
        for centre, h in stages
    ]
    mean, covariance = pairs[0][0], np.atleast_2d(np.asarray(start_covariance, dtype=float))
    one, logarithm = np.eye(len(mean)), 0.0
    for (old, before), (new, after) in pairwise(pairs):
        first, last = energy(before, learning_rate=eta) / t, energy(after, learning_rate=eta) / t
        # The weight e^{−(E′ − E)/T} makes another Gaussian of the one before, and takes its integral along.
        precision = np.linalg.inv(covariance) + last - first
        if np.linalg.eigvalsh(precision)[0] <= 0.0:
            return Estimate(math.inf, ("Gaussian start",), 0.0, "own derivation")
        weighted = np.linalg.solve(covariance, mean) + last @ new - first @ old
        logarithm -= 0.5 * (np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(precision)[1])
        logarithm -= 0.5 * float(mean @ np.linalg.solve(covariance, mean) + new @ last @ new - old @ first @ old)
        covariance = np.linalg.inv(precision)
        mean = covariance @ weighted
        logarithm += 0.5 * float(mean @ precision @ mean)
        step = one - eta * after
        mean, covariance = new + step @ (mean - new), step @ covariance @ step.T + 2.0 * eta * noise * one
    return Estimate(math.exp(logarithm), ("Gaussian start",), 0.0, "own derivation: products and images of Gaussians")
