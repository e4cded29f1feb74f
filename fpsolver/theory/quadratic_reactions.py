"""Reaction-rate densities on a quadratic loss with Gaussian proposals: exact moments, and the linearised law's chain.

With ΔL = g·Δ + ½ΔᵀHΔ the rate density ρ = A N(Δ; 0, s²) e^{−cΔL/T} is Gaussian: precision P = 1/s² + cH/T and mean
−P⁻¹(cg/T). The linearised law leaves H out of the exponent: its embedded chain is SGD with learning rate s²/2T.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError, suggest
from fpsolver.theory.conditions import exponential, finite, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.reaction_rates import EXPONENTS


@dataclass(frozen=True, eq=False)
class UpdateMoments:
    """Moments of a rate density ρ(Δ).

    Parameters
    ----------
    total_rate : float
        ∫ρ dΔ, in inverse time.
    flow : ndarray, shape (d,)
        ∫Δ ρ dΔ.
    second_moment : ndarray, shape (d, d)
        ∫ΔΔᵀ ρ dΔ.
    """

    total_rate: float
    flow: np.ndarray
    second_moment: np.ndarray


def moments(
    gradient: ArrayLike,
    hessian: ArrayLike,
    *,
    temperature: float,
    scale: float,
    law: str = "half",
    attempt_rate: float = 1.0,
) -> UpdateMoments:
    """Return total rate, flow and second moment of updates at a point of a quadratic loss.

    Parameters
    ----------
    gradient : array_like, shape () or (d,)
        g at the point.
    hessian : array_like, shape () or (d, d)
        H, symmetric.
    temperature, scale : float
        T and s, the standard deviation of the Gaussian proposal along every coordinate.
    law : {"half", "arrhenius", "linearised"}
        Exponent.
    attempt_rate : float
        A.

    Raises
    ------
    TheoryError
        If the rate diverges, where a negative curvature outgrows the proposal: 1/s² + cH/T is not positive.

    Examples
    --------
    >>> found = moments(1.0, 0.0, temperature=0.5, scale=0.3)
    >>> round(found.total_rate, 10), found.flow.round(10)
    (1.0460278599, array([-0.09414251]))
    """
    slope, curvature = _checked(gradient, hessian)
    if law not in EXPONENTS:
        raise TheoryError(f"law = {law!r} is not one of {', '.join(EXPONENTS)}{suggest(str(law), EXPONENTS)}")
    share, variance = EXPONENTS[law] / positive("temperature", temperature), positive("scale", scale) ** 2
    exact = np.zeros_like(curvature) if law == "linearised" else curvature
    stretch = np.eye(slope.size) + variance * share * exact  # s²P
    lowest = float(np.linalg.eigvalsh(stretch)[0])
    if lowest <= 0.0:
        raise TheoryError(
            f"the rate diverges: 1 + c s²h/T = {lowest:.4g} along the most concave direction; make the proposal "
            "narrower or raise the temperature"
        )
    spread = variance * np.linalg.inv(stretch)
    mean = -spread @ (share * slope)
    exponent = 0.5 * share * float(-slope @ mean)
    logarithm = exponent - 0.5 * float(np.linalg.slogdet(stretch)[1])
    rate = positive("attempt_rate", attempt_rate) * exponential(logarithm, "the logarithm of the total rate")
    return UpdateMoments(rate, rate * mean, rate * (spread + np.outer(mean, mean)))


def loss_flow(
    gradient: ArrayLike,
    hessian: ArrayLike,
    *,
    temperature: float,
    scale: float,
    law: str = "half",
    attempt_rate: float = 1.0,
) -> Estimate:
    """Return ∫ρ ΔL dΔ, the velocity of the loss, negative where updates lower it; ∫ρ(g·Δ + ½ΔᵀHΔ)dΔ.

    Parameters
    ----------
    gradient, hessian, temperature, scale, law, attempt_rate
        As for `moments`.

    Examples
    --------
    >>> round(float(loss_flow(1.0, 0.0, temperature=0.5, scale=0.3)), 10)
    -0.0941425074
    """
    found = moments(gradient, hessian, temperature=temperature, scale=scale, law=law, attempt_rate=attempt_rate)
    slope, curvature = _checked(gradient, hessian)
    value = float(slope @ found.flow) + 0.5 * float(np.sum(curvature * found.second_moment))
    return Estimate(value, ("quadratic loss", "Gaussian proposal"), 0.0, "own derivation: Gaussian integrals")


def largest_scale(largest_curvature: float, *, temperature: float) -> Estimate:
    """Return s = 2√(T/h_max), from which on the linearised law explodes: s²h_max < 4T is needed.

    The embedded chain is gradient descent with the learning rate s²/2T, stable below 2/h_max. Beyond, jumps overshoot
    the minimum further each time, rates grow like e^{s²|∇L|²/8T²}, and infinitely many jumps happen in finite time.

    Parameters
    ----------
    largest_curvature : float
        h_max > 0.
    temperature : float
        T.

    Examples
    --------
    >>> round(float(largest_scale(2.0, temperature=0.5)), 12)
    1.0
    """
    ratio = positive("temperature", temperature) / positive("largest_curvature", largest_curvature)
    return Estimate(2.0 * math.sqrt(ratio), ("quadratic loss", "linearised law"), 0.0, "own derivation")


def embedded_learning_rate(*, temperature: float, scale: float) -> Estimate:
    """Return η = s²/2T: the jumps of the linearised law are the steps of SGD with it, θ′ = θ − η∇L + sξ.

    Its gradient noise has the variance C = s²/η² = 4T²/s², so that ηC/2 = T.

    Parameters
    ----------
    temperature, scale : float
        T and s.

    Examples
    --------
    >>> round(float(embedded_learning_rate(temperature=0.5, scale=0.3)), 12)
    0.09
    """
    value = positive("scale", scale) ** 2 / (2.0 * positive("temperature", temperature))
    return Estimate(value, ("linearised law", "Gaussian proposal"), 0.0, "own derivation")


def embedded_variance(stiffness: float, *, temperature: float, scale: float) -> Estimate:
    """Return the stationary variance of the embedded chain, counted per jump: (T/h)/(1 − s²h/4T).

    Counted per time it is T/h: places with a high rate are left sooner.

    Parameters
    ----------
    stiffness : float
        h, the curvature.
    temperature, scale : float
        T and s.

    Raises
    ------
    TheoryError
        If s²h ≥ 4T, where jumps explode.

    Examples
    --------
    >>> round(float(embedded_variance(1.0, temperature=0.5, scale=1.0)), 12)
    1.0
    """
    h, t = positive("stiffness", stiffness), positive("temperature", temperature)
    left = 1.0 - positive("scale", scale) ** 2 * h / (4.0 * t)
    if left <= 0.0:
        raise TheoryError(f"s²h = {scale**2 * h:.4g} ≥ 4T = {4.0 * t:.4g}: the linearised law explodes")
    return Estimate(t / h / left, ("linearised law", "quadratic loss"), 0.0, "own derivation")


def mean_rate(stiffness: float, *, temperature: float, scale: float, attempt_rate: float = 1.0) -> Estimate:
    """Return the jumps per time ⟨r⟩ = A/√(1 − s²h/4T) of the linearised law in its stationary state on hθ²/2.

    Parameters
    ----------
    stiffness, temperature, scale
        As for `embedded_variance`.
    attempt_rate : float
        A.

    Raises
    ------
    TheoryError
        As for `embedded_variance`.

    Examples
    --------
    >>> round(float(mean_rate(1.0, temperature=0.5, scale=1.0)), 12)
    1.414213562373
    """
    excess = float(embedded_variance(stiffness, temperature=temperature, scale=scale)) * stiffness / temperature
    value = positive("attempt_rate", attempt_rate) * math.sqrt(excess)
    return Estimate(value, ("linearised law", "quadratic loss"), 0.0, "own derivation: ⟨e^{s²h²θ²/8T²}⟩")


def _checked(gradient: ArrayLike, hessian: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    slope, curvature = np.atleast_1d(finite("gradient", gradient)), np.atleast_2d(finite("hessian", hessian))
    if curvature.shape != (slope.size, slope.size) or not np.allclose(curvature, curvature.T):
        raise TheoryError(f"H of shape {curvature.shape} must be a symmetric matrix for a gradient of {slope.size}")
    return slope, curvature
