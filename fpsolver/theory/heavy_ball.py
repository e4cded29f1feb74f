"""SGD with momentum (heavy ball) on a quadratic loss: its stationary covariances, temperature and Yaida's relation.

The chain is v′ = μv − ηg, θ′ = θ + v′ with g = Hθ + ξ and Cov ξ = C, which is θ_{n+1} = θ_n − ηg + μ(θ_n − θ_{n−1}).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import finite, not_negative, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.sgd_temperatures import ASSUMPTIONS, LIU, YAIDA


def stationary_variance(noise: float, *, curvature: float, learning_rate: float, momentum: float = 0.0) -> Estimate:
    """Return ⟨θ²⟩ = ηC(1 + μ)/{h(1 − μ)[2(1 + μ) − ηh]} in one dimension.

    Parameters
    ----------
    noise : float
        C, the variance of the minibatch gradient.
    curvature, learning_rate : float
        h and η, with ηh < 2(1 + μ).
    momentum : float
        μ, between −1 and 1.

    Raises
    ------
    TheoryError
        If the chain has no stationary state.

    Examples
    --------
    >>> [round(float(stationary_variance(1.0, curvature=1.0, learning_rate=0.1, momentum=mu)), 10) for mu in (0, 0.9)]
    [0.0526315789, 0.5135135135]
    """
    eta, h = positive("learning_rate", learning_rate), positive("curvature", curvature)
    mu = _momentum(momentum, eta * h)
    value = eta * not_negative("noise", noise) * (1.0 + mu) / (h * (1.0 - mu) * (2.0 * (1.0 + mu) - eta * h))
    return Estimate(value, ASSUMPTIONS, 0.0, LIU)


def temperature(noise: float, *, curvature: float, learning_rate: float, momentum: float = 0.0) -> Estimate:
    """Return T = h⟨θ²⟩ = (η/2)C/{(1 − μ)[1 − ηh/(2(1 + μ))]}: momentum heats by 1/(1 − μ).

    Parameters
    ----------
    noise, curvature, learning_rate, momentum
        As for `stationary_variance`.
    """
    variance = stationary_variance(noise, curvature=curvature, learning_rate=learning_rate, momentum=momentum)
    return Estimate(curvature * variance.value, variance.assumptions, 0.0, LIU)


def phase_covariance(
    hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float, momentum: float = 0.0
) -> np.ndarray:
    """Return the covariance of (θ, v) in any dimension, shape (2d, 2d), whether or not C commutes with H.

    Parameters
    ----------
    hessian, noise : array_like, shape (d, d)
        H, with eigenvalues between 0 and 2(1 + μ)/η, and C.
    learning_rate, momentum : float
        η and μ.

    Raises
    ------
    TheoryError
        If the chain has no stationary state, or the shapes do not fit.

    Notes
    -----
    Along the eigenvectors i, j of H the four moments ⟨θᵢθⱼ⟩, ⟨θᵢvⱼ⟩, ⟨vᵢθⱼ⟩, ⟨vᵢvⱼ⟩ depend on no others: the
    stationary equation P = APAᵀ + Q falls into d² linear systems of order four.

    Examples
    --------
    >>> phase_covariance([[1.0]], [[1.0]], learning_rate=0.1, momentum=0.5).round(6)
    array([[0.103448, 0.006897],
           [0.006897, 0.013793]])
    """
    h, c = np.atleast_2d(finite("hessian", hessian)), np.atleast_2d(finite("noise", noise))
    if h.ndim != 2 or h.shape[0] != h.shape[1] or not np.allclose(h, h.T) or c.shape != h.shape:
        raise TheoryError(f"hessian and noise of shapes {h.shape}, {c.shape} must be symmetric and alike")
    values, vectors = np.linalg.eigh(h)
    eta = positive("learning_rate", learning_rate)
    positive("smallest eigenvalue of the Hessian", values[0])
    mu = _momentum(momentum, eta * float(values[-1]))
    d = len(h)
    step = np.empty((d, 2, 2))  # the map of (θᵢ, vᵢ)
    step[:, 0, 0], step[:, 0, 1] = 1.0 - eta * values, mu
    step[:, 1, 0], step[:, 1, 1] = -eta * values, mu
    pairs = np.einsum("iab,jcd->ijacbd", step, step).reshape(d, d, 4, 4)
    # One and the same noise moves θ and v, so that it enters all four moments alike.
    source = eta**2 * (vectors.T @ c @ vectors)[..., None, None] * np.ones((4, 1))
    moments = np.linalg.solve(np.eye(4) - pairs, source).reshape(d, d, 2, 2)
    turned = np.einsum("ki,ijab,lj->akbl", vectors, moments, vectors).reshape(2 * d, 2 * d)
    return 0.5 * (turned + turned.T)


def stationary_covariance(
    hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float, momentum: float = 0.0
) -> np.ndarray:
    """Return the covariance of θ in any dimension, shape (d, d).

    Parameters
    ----------
    hessian, noise, learning_rate, momentum
        As for `phase_covariance`.
    """
    whole = phase_covariance(hessian, noise, learning_rate=learning_rate, momentum=momentum)
    return whole[: len(whole) // 2, : len(whole) // 2]


def fluctuation_dissipation(velocity_second_moment: float, *, learning_rate: float, momentum: float) -> Estimate:
    """Return (1 + μ)⟨|v|²⟩/(2η), which is ⟨θ·∇L⟩ in every stationary state of the heavy ball, on any loss.

    Parameters
    ----------
    velocity_second_moment : float
        ⟨|v|²⟩ of the steps v = θ_{n+1} − θ_n; of one component for that parameter.
    learning_rate, momentum : float
        η and μ.

    Notes
    -----
    ⟨|θ′|²⟩ = ⟨|θ|²⟩ gives ⟨θ·v′⟩ = −⟨|v|²⟩/2 and ⟨θ·v⟩ = +⟨|v|²⟩/2; the rest is v′ = μv − ηg times θ.

    Examples
    --------
    >>> speed = phase_covariance([[1.0]], [[1.0]], learning_rate=0.1, momentum=0.9)[1, 1]
    >>> round(float(fluctuation_dissipation(speed, learning_rate=0.1, momentum=0.9)), 10)
    0.5135135135
    """
    eta, mu = positive("learning_rate", learning_rate), _momentum(momentum, 0.0)
    value = (1.0 + mu) / (2.0 * eta) * not_negative("velocity_second_moment", velocity_second_moment)
    return Estimate(value, ("stationary",), 0.0, YAIDA)


def _momentum(momentum: float, product: float) -> float:
    """Return μ, where −1 < μ < 1 and ηh < 2(1 + μ)."""
    mu = float(finite("momentum", momentum))
    if not -1.0 < mu < 1.0:
        raise TheoryError(f"momentum = {momentum!r} must lie between −1 and 1")
    if product >= 2.0 * (1.0 + mu):
        raise TheoryError(f"ηh = {product:.4g} must be below 2(1 + μ) = {2.0 * (1.0 + mu):.4g}: the chain is unstable")
    return mu
