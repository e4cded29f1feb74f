"""Stationary SGD on a quadratic loss whose gradient noise does not commute with the Hessian: it is out of equilibrium.

The chain is θ′ = (1 − ηH)θ + ηξ with Cov ξ = C. Entropy production is per unit of learning time t = η·step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import finite, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.quadratic_chain import stable_hessian

OWN = "own derivation, from the Gaussian transition probabilities; cf. P. Chaudhari, S. Soatto, ICLR 2018"


def chain_covariance(hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float) -> np.ndarray:
    """Return the covariance S of the stationary chain, HS + SH − ηHSH = ηC, shape (d, d).

    Parameters
    ----------
    hessian, noise : array_like, shape (d, d)
        H, symmetric with eigenvalues between 0 and 2/η, and C, the covariance of the minibatch gradient.
    learning_rate : float
        η.

    Raises
    ------
    TheoryError
        If the chain has no stationary state.

    References
    ----------
    K. Liu, L. Ziyin, M. Ueda, ICML 2021, theorem 1.

    Examples
    --------
    >>> chain_covariance([[1.0]], [[1.0]], learning_rate=1.0)
    array([[1.]])
    """
    h, eta = stable_hessian(hessian, learning_rate=learning_rate), learning_rate
    c = np.atleast_2d(finite("noise", noise))
    if c.shape != h.shape:
        raise TheoryError(f"noise has the shape {c.shape}, the Hessian {h.shape}; they must be alike")
    values, vectors = np.linalg.eigh(h)
    rates = values[:, None] + values - eta * np.outer(values, values)
    return vectors @ (eta * (vectors.T @ c @ vectors) / rates) @ vectors.T


def chain_entropy_production(hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float) -> Estimate:
    """Return the entropy production of the stationary chain, ⟨ln P(θ→θ′)/P(θ′→θ)⟩/η, in any dimension.

    With A = 1 − ηH and Q = η²C it is tr Q⁻¹[S − A²S + ASA − SA²]/(2η) − d/(2η).

    Parameters
    ----------
    hessian, noise, learning_rate
        As for `chain_covariance`; C must be positive definite.

    Examples
    --------
    >>> round(float(chain_entropy_production([[1, 0], [0, 3]], [[1, 0.5], [0.5, 1]], learning_rate=0.1)), 6)
    0.36036
    """
    h, c = np.atleast_2d(np.asarray(hessian, dtype=float)), np.atleast_2d(np.asarray(noise, dtype=float))
    s, eta = chain_covariance(h, c, learning_rate=learning_rate), float(learning_rate)
    if np.linalg.eigvalsh(c)[0] <= 0.0:
        raise TheoryError("noise must be positive definite: no step could be taken back along a direction without any")
    a = np.eye(len(h)) - eta * h
    backward = s - a @ a @ s - s @ a @ a + a @ s @ a
    per_step = 0.5 * (float(np.trace(np.linalg.solve(eta**2 * c, backward))) - len(h))
    return Estimate(per_step / eta, ("Gaussian noise", "quadratic loss", "stationary"), 0.0, OWN)


def entropy_production(curvatures: tuple[float, float], correlation: float, *, learning_rate: float) -> Estimate:
    """Return σ = c²/(1 − c²) · (h₁ − h₂)²/(h₁ + h₂ − ηh₁h₂), the chain's in two dimensions.

    Parameters
    ----------
    curvatures : (float, float)
        Eigenvalues of the Hessian.
    correlation : float
        c, that of the gradient noise along the two eigenvectors; only it matters, not the variances.
    learning_rate : float
        η.

    Raises
    ------
    TheoryError
        If |c| ≥ 1, or the chain has no stationary state.

    Examples
    --------
    >>> [round(float(entropy_production((1.0, 3.0), 0.5, learning_rate=eta)), 3) for eta in (0.1, 0.5)]
    [0.36, 0.533]
    """
    h, k = _checked(curvatures, correlation)
    eta = positive("learning_rate", learning_rate)
    if eta * max(h, k) >= 2.0:
        raise TheoryError(f"η h = {eta * max(h, k):.3g} must be below 2: the chain has no stationary state")
    value = correlation**2 / (1.0 - correlation**2) * (h - k) ** 2 / (h + k - eta * h * k)
    return Estimate(value, ("Gaussian noise", "quadratic loss", "stationary"), 0.0, OWN)


def entropy_production_of_limit(
    curvatures: tuple[float, float], correlation: float, *, learning_rate: float
) -> Estimate:
    """Return σ = c²/(1 − c²) · (h₁ − h₂)²/(h₁ + h₂), that of the continuous limit; it does not depend on η.

    Parameters
    ----------
    curvatures, correlation, learning_rate
        As for `entropy_production`. For the chain it is asymptotic, with relative error ηh₁h₂/(h₁ + h₂).

    Examples
    --------
    >>> round(float(entropy_production_of_limit((1.0, 3.0), 0.5, learning_rate=0.1)), 12)
    0.333333333333
    """
    h, k = _checked(curvatures, correlation)
    value = correlation**2 / (1.0 - correlation**2) * (h - k) ** 2 / (h + k)
    scale = positive("learning_rate", learning_rate) * h * k / (h + k)
    return Estimate(value, ("quadratic loss", "stationary", "η → 0"), scale, OWN)


def _checked(curvatures: tuple[float, float], correlation: float) -> tuple[float, float]:
    if not -1.0 < correlation < 1.0:
        raise TheoryError(f"correlation = {correlation!r} must lie between −1 and 1; at ±1 σ diverges")
    h, k = curvatures
    return positive("curvature", h), positive("curvature", k)
