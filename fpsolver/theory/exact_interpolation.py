"""Continuous Ornstein–Uhlenbeck processes which, looked at every η, are SGD on a quadratic loss: where there is one.

The chain is θ′ = (1 − ηH)θ + ηξ with Cov ξ = C; the process dθ = −Kθ dt + √(2D) dW has e^{−Kη} = 1 − ηH, and the noise
that it gathers in η is η²C. Averages, correlations and spectra of the two then agree at all multiples of η.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import not_negative, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.quadratic_chain import stable_hessian
from fpsolver.theory.stationary_sgd import chain_covariance

OWN = "own derivation: the process's propagator over η"

_ASSUMPTIONS = ("quadratic loss", "Gaussian noise that does not depend on θ", "ηh < 1")


def relaxation_rate(*, curvature: float, learning_rate: float) -> Estimate:
    """Return κ = −ln(1 − ηh)/η, in one dimension.

    Parameters
    ----------
    curvature, learning_rate : float
        h and η, with ηh < 1.

    Raises
    ------
    TheoryError
        If ηh ≥ 1: the chain changes sign from step to step, or forgets all in one, which no continuous path on a line
        does.

    Examples
    --------
    >>> round(float(relaxation_rate(curvature=1.0, learning_rate=0.5)), 12)
    1.38629436112
    """
    eta, h = positive("learning_rate", learning_rate), positive("curvature", curvature)
    if eta * h >= 1.0:
        raise TheoryError(
            f"ηh = {eta * h:g} must be below 1: a step multiplies by 1 − ηh, which e^(−κη) of a process on a line "
            "cannot do unless it is positive"
        )
    return Estimate(-math.log1p(-eta * h) / eta, _ASSUMPTIONS, 0.0, OWN)


def diffusion(noise: float, *, curvature: float, learning_rate: float) -> Estimate:
    """Return D = κηC/[h(2 − ηh)], in one dimension: κ times the stationary variance of the chain.

    Parameters
    ----------
    noise, curvature, learning_rate : float
        C, h and η, with ηh < 1.

    Examples
    --------
    >>> round(float(diffusion(1.0, curvature=1.0, learning_rate=0.5)), 12)
    0.462098120373
    """
    rate = relaxation_rate(curvature=curvature, learning_rate=learning_rate)
    product = learning_rate * curvature
    value = rate.value * learning_rate * not_negative("noise", noise) / (curvature * (2.0 - product))
    return Estimate(value, _ASSUMPTIONS, 0.0, OWN)


def interpolation(hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return K = −ln(1 − ηH)/η and D = (KS + SK)/2 in any dimension, each of shape (d, d), S the chain's covariance.

    Parameters
    ----------
    hessian, noise : array_like, shape (d, d)
        H, with eigenvalues between 0 and 1/η, and C.
    learning_rate : float
        η.

    Raises
    ------
    TheoryError
        If ηH has an eigenvalue of one or more, or D a negative one: then there is no such process with real
        logarithm K; see Notes.

    Notes
    -----
    Along the eigenvectors Dᵢⱼ = η²Cᵢⱼ(κᵢ + κⱼ)/{2[1 − e^{−(κᵢ+κⱼ)η}]}. Noise that commutes with H always leaves D
    positive. Other noise need not, at any learning rate: s/(1 − e^{−sη}) is logarithmically concave, so that in two
    dimensions noise of rank one has det D < 0 unless it lies along an eigenvector; a data set of two examples makes
    such noise. See `largest_correlation`.

    Where an eigenvalue of 1 − ηH is negative *and of even multiplicity* a process that turns by π in every step can
    take the place of the one on a line (K is then not symmetric); an odd multiplicity excludes every real logarithm
    (W. J. Culver, Proc. Amer. Math. Soc. 17, 1146 (1966)).

    Examples
    --------
    >>> drift, noise = interpolation([[1.0]], [[1.0]], learning_rate=0.5)
    >>> drift.round(6), noise.round(6)
    (array([[1.386294]]), array([[0.462098]]))
    """
    h = stable_hessian(hessian, learning_rate=learning_rate)
    values, vectors = np.linalg.eigh(h)
    if learning_rate * values[-1] >= 1.0:
        raise TheoryError(
            f"ηH has the eigenvalue {learning_rate * values[-1]:g}; all must be below 1, where 1 − ηH has a real "
            "logarithm"
        )
    rates = -np.log1p(-learning_rate * values) / learning_rate
    covariance = vectors.T @ chain_covariance(h, noise, learning_rate=learning_rate) @ vectors
    inner = 0.5 * (rates[:, None] + rates) * covariance
    smallest, largest = np.linalg.eigvalsh(inner)[[0, -1]]
    if smallest < -1e-12 * largest:
        raise TheoryError(
            f"D would have the eigenvalue {smallest:.4g}: the noise is too correlated between directions of different "
            "curvature for any continuous process to gather it in a step (see the notes)"
        )
    return vectors @ np.diag(rates) @ vectors.T, vectors @ inner @ vectors.T


def largest_correlation(curvatures: tuple[float, float], *, learning_rate: float) -> Estimate:
    """Return the largest |c| of noise between two eigenvectors of H for which a continuous process exists.

    Parameters
    ----------
    curvatures : (float, float)
        h₁ and h₂, below 1/η.
    learning_rate : float
        η.

    Returns
    -------
    Estimate
        √[f(2κ₁)f(2κ₂)]/f(κ₁ + κ₂) with f(s) = s/(1 − e^{−sη}); one where h₁ = h₂, and 1 − (κ₁ − κ₂)²η²/24 as η → 0.

    Examples
    --------
    >>> round(float(largest_correlation((1.0, 3.0), learning_rate=0.3)), 6)
    0.892059
    """
    rates = [float(relaxation_rate(curvature=h, learning_rate=learning_rate)) for h in curvatures]

    def gathered(total: float) -> float:
        return total / -math.expm1(-total * learning_rate)

    first, second = rates
    value = math.sqrt(gathered(2.0 * first) * gathered(2.0 * second)) / gathered(first + second)
    return Estimate(value, _ASSUMPTIONS, 0.0, OWN)
