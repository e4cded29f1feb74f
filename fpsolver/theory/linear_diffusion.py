"""Linear diffusion dx = −Ax dt + √(2D) dW in any dimension: covariances and the entropy production of its steady state.

A is the drift matrix, D the constant diffusion matrix. The steady state is Gaussian with AS + SAᵀ = 2D, and it is in
equilibrium only where AD = DAᵀ; elsewhere a current circulates, also where A = H is the Hessian of a loss and the noise
does not commute with it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate


def stationary_covariance(drift: ArrayLike, diffusion: ArrayLike) -> np.ndarray:
    """Return S of the steady state, AS + SAᵀ = 2D, shape (d, d).

    Parameters
    ----------
    drift, diffusion : array_like, shape (d, d)
        A, with eigenvalues of positive real part, and D, symmetric and positive definite.

    Raises
    ------
    TheoryError
        If there is no steady state, or the matrices do not fit.

    References
    ----------
    C. W. Gardiner, Handbook of Stochastic Methods (2004), section 4.4.6.

    Examples
    --------
    >>> stationary_covariance([[2.0]], [[0.5]])
    array([[0.25]])
    """
    from scipy.linalg import solve_continuous_lyapunov

    a, d = _matrices(drift, diffusion)
    slowest = float(np.linalg.eigvals(a).real.min())
    if slowest <= 0.0:
        raise TheoryError(f"the drift has an eigenvalue of real part {-slowest:.3g} ≥ 0: there is no steady state")
    covariance = np.asarray(solve_continuous_lyapunov(a, 2.0 * d))
    return 0.5 * (covariance + covariance.T)


def moments(
    drift: ArrayLike, diffusion: ArrayLike, mean: ArrayLike, covariance: ArrayLike, time: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance at a later time: e^{−At}m and S + e^{−At}(C − S)e^{−Aᵀt}.

    Parameters
    ----------
    drift, diffusion : array_like, shape (d, d)
        As for `stationary_covariance`.
    mean, covariance : array_like, shape (d,) and (d, d)
        Those at time zero.
    time : float
        t ≥ 0.

    Examples
    --------
    >>> mean, covariance = moments([[1.0]], [[0.5]], [2.0], [[0.0]], 0.7)
    >>> round(float(mean[0]), 12), round(float(covariance[0, 0]), 12)
    (0.993170607583, 0.376701518029)
    """
    from scipy.linalg import expm

    steady = stationary_covariance(drift, diffusion)
    decay = expm(-time * np.atleast_2d(np.asarray(drift, dtype=float)))
    return decay @ np.atleast_1d(mean), steady + decay @ (np.atleast_2d(covariance) - steady) @ decay.T


def entropy_production_rate(drift: ArrayLike, diffusion: ArrayLike) -> Estimate:
    """Return the entropy production of the steady state, σ = tr(AᵀD⁻¹AS) − tr A, in nats per unit time.

    Parameters
    ----------
    drift, diffusion : array_like, shape (d, d)
        As for `stationary_covariance`.

    References
    ----------
    C. Godrèche, J.-M. Luck, J. Phys. A 52, 035002 (2019), eq. (3.32).

    Examples
    --------
    >>> round(float(entropy_production_rate([[1.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 2.0]])), 12)
    0.0625
    """
    a, d = _matrices(drift, diffusion)
    value = float(np.trace(a.T @ np.linalg.solve(d, a) @ stationary_covariance(a, d)) - np.trace(a))
    return Estimate(value, ("even variables", "steady state"), 0.0, "C. Godrèche, J.-M. Luck, J. Phys. A 52, 035002")


def gyrator_entropy_production(
    coupling: float, temperatures: tuple[float, float], *, stiffness: float = 1.0, mobility: float = 1.0
) -> Estimate:
    """Return σ = μu²(T₁ − T₂)²/(2kT₁T₂) of the Brownian gyrator, L = k(x² + y²)/2 + uxy with two temperatures.

    Parameters
    ----------
    coupling : float
        u, |u| < k.
    temperatures : (float, float)
        T₁ of x and T₂ of y.
    stiffness, mobility : float
        k and μ.

    Raises
    ------
    TheoryError
        If the loss has no minimum, |u| ≥ k.

    References
    ----------
    R. Filliger, P. Reimann, Phys. Rev. Lett. 99, 230602 (2007).

    Examples
    --------
    >>> float(gyrator_entropy_production(0.5, (1.0, 2.0)))
    0.0625
    """
    one, two = (positive("temperature", t) for t in temperatures)
    k, mu = positive("stiffness", stiffness), positive("mobility", mobility)
    if abs(coupling) >= k:
        raise TheoryError(f"coupling = {coupling!r} must be smaller than the stiffness {k:g}: the loss has no minimum")
    value = mu * coupling**2 * (one - two) ** 2 / (2.0 * k * one * two)
    return Estimate(value, ("steady state",), 0.0, "R. Filliger, P. Reimann, Phys. Rev. Lett. 99, 230602 (2007)")


def divergence_of_gaussians(
    mean: ArrayLike, covariance: ArrayLike, other_mean: ArrayLike, other: ArrayLike
) -> Estimate:
    """Return KL(N(m, C) ‖ N(m′, C′)) = ½[tr C′⁻¹C + (m − m′)ᵀC′⁻¹(m − m′) − d − ln det C′⁻¹C], in nats.

    Parameters
    ----------
    mean, covariance : array_like, shape (d,) and (d, d)
        m and C.
    other_mean, other : array_like, shape (d,) and (d, d)
        m′ and C′.

    Examples
    --------
    >>> at = moments([[1.0]], [[0.5]], [2.0], [[0.1]], 0.7)
    >>> round(float(divergence_of_gaussians(*at, [0.0], [[0.5]])), 12)
    0.99762221643
    """
    c, reference = _matrices(covariance, other)
    shift = np.atleast_1d(np.asarray(mean, dtype=float)) - np.atleast_1d(np.asarray(other_mean, dtype=float))
    ratio = np.linalg.solve(reference, c)
    sign, logarithm = np.linalg.slogdet(ratio)
    if sign <= 0:
        raise TheoryError(f"the covariances {c.tolist()} and {reference.tolist()} must be positive definite")
    value = 0.5 * (np.trace(ratio) + shift @ np.linalg.solve(reference, shift) - len(shift) - logarithm)
    return Estimate(float(value), (), 0.0, "Gaussian integrals")


def dissipation_of_a_gaussian(
    mean: float, variance: float, *, stiffness: float, temperature: float, mobility: float = 1.0
) -> Estimate:
    """Return TΣ̇ = −dF/dt = μ[(km)² + (kv − T)²/v] of the density N(m, v) in the loss kx²/2.

    Parameters
    ----------
    mean, variance : float
        m and v.
    stiffness, temperature, mobility : float
        k, T and μ.

    Examples
    --------
    >>> round(float(dissipation_of_a_gaussian(2.0, 0.1, stiffness=1.0, temperature=0.5)), 12)
    5.6
    """
    v, k, t = positive("variance", variance), positive("stiffness", stiffness), positive("temperature", temperature)
    value = positive("mobility", mobility) * ((k * mean) ** 2 + (k * v - t) ** 2 / v)
    return Estimate(value, (), 0.0, "R. Jordan, D. Kinderlehrer, F. Otto, SIAM J. Math. Anal. 29, 1 (1998)")


def decayed_divergence(divergence: float, *, convexity: float, time: float, mobility: float = 1.0) -> Estimate:
    """Return e^{−2μkt} KL(0), the most that is left of the divergence from equilibrium in a loss with L″ ≥ k.

    Parameters
    ----------
    divergence : float
        KL(0) of the density from e^{−L/T}/Z.
    convexity : float
        k > 0, a lower bound of all eigenvalues of the Hessian.
    time, mobility : float
        t ≥ 0 and μ.

    Examples
    --------
    >>> round(float(decayed_divergence(2.0, convexity=1.0, time=0.5)), 6)
    0.735759
    """
    rate = 2.0 * positive("mobility", mobility) * positive("convexity", convexity)
    assumptions = ("L'' ≥ k everywhere", "isotropic constant mobility", "D = μT")
    return Estimate(divergence * math.exp(-rate * time), assumptions, 0.0, "D. Bakry, M. Émery (1985)")


def _matrices(one: ArrayLike, symmetric: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return two square matrices of one size, the second checked to be symmetric and positive definite."""
    a, d = np.atleast_2d(np.asarray(one, dtype=float)), np.atleast_2d(np.asarray(symmetric, dtype=float))
    if a.shape != d.shape or a.shape[0] != a.shape[1]:
        raise TheoryError(f"matrices of shapes {a.shape} and {d.shape} must be square and of one size")
    if not np.allclose(d, d.T) or np.linalg.eigvalsh(d)[0] <= 0.0:
        raise TheoryError(f"{d.tolist()} must be symmetric and positive definite")
    return a, d
