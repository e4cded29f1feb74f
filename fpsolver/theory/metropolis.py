"""Metropolis and Glauber rates on a linear loss, and the optimal scale of random-walk Metropolis."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import exponential, finite, not_negative, positive
from fpsolver.theory.estimate import Estimate

LINEAR = ("linear loss", "Gaussian proposal")
ROBERTS = "G. O. Roberts, A. Gelman, W. R. Gilks, Ann. Appl. Probab. 7, 110 (1997)"
OWN = "own derivation: truncated Gaussian moments"


def acceptance(gradient: ArrayLike, *, temperature: float, scale: float) -> Estimate:
    """Return the share ∫q min(1, e^{−g·Δ/T}) dΔ of accepted moves: ½ + e^{α²/2}Φ(−α) with α = s|g|/T.

    Parameters
    ----------
    gradient : array_like, shape () or (d,)
        g; only its length counts.
    temperature, scale : float
        T and s, the standard deviation of the Gaussian proposal along every coordinate.

    Examples
    --------
    >>> round(float(acceptance(1.0, temperature=0.5, scale=0.3)), 10)
    0.8283405945
    """
    slope, _ = _checked(gradient, temperature, scale)
    return Estimate(0.5 + _uphill(slope), LINEAR, 0.0, OWN)


def acceptance_as_written(gradient: ArrayLike, *, temperature: float, scale: float) -> Estimate:
    """Return ∫q e^{−E_a/T} dΔ with E_a = |∇L||Δθ|cos α for an activation energy: e^{α²/2}, above one.

    Parameters
    ----------
    gradient, temperature, scale
        As for `acceptance`.

    Examples
    --------
    >>> round(float(acceptance_as_written(1.0, temperature=0.5, scale=0.3)), 10)
    1.1972173631
    """
    slope, _ = _checked(gradient, temperature, scale)
    return Estimate(exponential(0.5 * slope**2, "the exponent s²|g|²/2T²"), LINEAR, 0.0, "as it circulates")


def drift(gradient: ArrayLike, *, temperature: float, scale: float) -> np.ndarray:
    """Return ∫Δ q min(1, e^{−g·Δ/T}) dΔ, shape (d,): along −g of length sα e^{α²/2}Φ(−α), with α = s|g|/T.

    Parameters
    ----------
    gradient, temperature, scale
        As for `acceptance`.

    Examples
    --------
    >>> drift(1.0, temperature=0.5, scale=0.3).round(10)
    array([-0.05910131])
    """
    slope, vector = _checked(gradient, temperature, scale)
    return np.asarray(-vector * scale**2 / temperature * _uphill(slope))


def second_moment(gradient: ArrayLike, *, temperature: float, scale: float) -> np.ndarray:
    """Return ∫ΔΔᵀ q min(1, e^{−g·Δ/T}) dΔ, shape (d, d).

    Across g it is s² times the acceptance; along it s²[½ + (1 + α²)e^{α²/2}Φ(−α) − α/√(2π)].

    Parameters
    ----------
    gradient, temperature, scale
        As for `acceptance`.

    Examples
    --------
    >>> second_moment(0.0, temperature=0.5, scale=0.3).round(12)
    array([[0.09]])
    """
    slope, vector = _checked(gradient, temperature, scale)
    uphill = _uphill(slope)
    matrix = scale**2 * (0.5 + uphill) * np.eye(vector.size)
    excess = scale**2 * (slope**2 * uphill - slope / math.sqrt(2.0 * math.pi))  # along less across
    return np.asarray(matrix + (excess * np.outer(vector, vector) / float(vector @ vector) if slope else 0.0))


def glauber_acceptance(gradient: ArrayLike, *, temperature: float, scale: float) -> Estimate:
    """Return ∫q/(1 + e^{g·Δ/T}) dΔ = ½: for any symmetric proposal a move and its opposite are accepted once together.

    Parameters
    ----------
    gradient, temperature, scale
        As for `acceptance`; checked, but without influence.

    Examples
    --------
    >>> float(glauber_acceptance(1.0, temperature=0.5, scale=0.3))
    0.5
    """
    _checked(gradient, temperature, scale)
    return Estimate(0.5, ("linear loss", "symmetric proposal"), 0.0, "w(x) + w(−x) = 1")


def glauber_drift(gradient: ArrayLike, *, temperature: float, scale: float) -> np.ndarray:
    """Return ∫Δ q/(1 + e^{g·Δ/T}) dΔ, shape (d,): along −g of length (s/2)∫u tanh(αu/2) φ(u) du, by quadrature.

    Parameters
    ----------
    gradient, temperature, scale
        As for `acceptance`.

    Examples
    --------
    >>> glauber_drift(1.0, temperature=0.5, scale=0.3).round(10)
    array([-0.04153726])
    """
    from scipy.integrate import quad

    slope, vector = _checked(gradient, temperature, scale)
    if slope == 0.0:
        return np.zeros_like(vector)
    density = 1.0 / math.sqrt(2.0 * math.pi)
    length = quad(
        lambda u: u * math.tanh(0.5 * slope * u) * density * math.exp(-0.5 * u * u), 0.0, 40.0, epsabs=0.0, epsrel=1e-12
    )[0]
    return np.asarray(-vector / math.hypot(*vector) * scale * length)


def optimal_scaling(roughness: float = 1.0) -> Estimate:
    """Return l*, the optimal scale l/√d of random-walk Metropolis in high dimension: the maximum of 2l²Φ(−l√I/2).

    Parameters
    ----------
    roughness : float
        I = ⟨(∂ ln p)²⟩ per coordinate, one for a standard normal; l* is 2.381202/√I.

    Examples
    --------
    >>> round(float(optimal_scaling()), 9), round(float(asymptotic_acceptance(optimal_scaling().value)), 10)
    (2.381202497, 0.2338101613)
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    # The derivative of l²Φ(−l/2), over l, with x = l/2.
    x = brentq(lambda x: 2.0 * ndtr(-x) - x * math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi), 0.5, 3.0, xtol=1e-15)
    return Estimate(
        2.0 * x / math.sqrt(positive("roughness", roughness)),
        ("d → ∞", "target of independent, equal coordinates"),
        0.0,
        f"{ROBERTS}, corollary 1.2",
    )


def asymptotic_acceptance(scale: float, *, roughness: float = 1.0) -> Estimate:
    """Return 2Φ(−l√I/2), the mean acceptance of random-walk Metropolis with steps l/√d as d → ∞.

    Parameters
    ----------
    scale : float
        l.
    roughness : float
        I.

    Examples
    --------
    >>> round(float(asymptotic_acceptance(2.38)), 4)
    0.234
    """
    value = math.erfc(positive("scale", scale) * math.sqrt(positive("roughness", roughness) / 8.0))
    return Estimate(value, ("d → ∞",), 0.0, f"{ROBERTS}, theorem 1.1")


def normal_acceptance(scale: float, *, dimension: int) -> Estimate:
    """Return the stationary acceptance of random-walk Metropolis on a standard normal in d dimensions: 2P(t_d > l/2).

    t_d is Student's variable with d degrees of freedom: at a step of length r the logarithm of the ratio is normal with
    mean −r²/2 and variance r², and is accepted with probability 2Φ(−r/2); r√d/l is χ_d.

    Parameters
    ----------
    scale : float
        l; the standard deviation of a step along each coordinate is l/√d.
    dimension : int
        d.

    Examples
    --------
    >>> round(float(normal_acceptance(2.0, dimension=1)), 12)  # (2/π) arctan(2/l)
    0.5
    """
    from scipy.special import stdtr

    value = 2.0 * stdtr(_dimension(dimension), -0.5 * positive("scale", scale))
    return Estimate(float(value), ("stationary",), 0.0, "own derivation")


def normal_jump(scale: float, *, dimension: int) -> Estimate:
    """Return the mean squared distance ⟨|Δθ|²⟩ that random-walk Metropolis moves per step on a standard normal.

    It is 2l²P(t_{d+2} > (l/2)√(1 + 2/d)), which tends to 2l²Φ(−l/2); rejected moves count as zero.

    Parameters
    ----------
    scale, dimension
        As for `normal_acceptance`.

    Examples
    --------
    >>> round(float(normal_jump(2.38, dimension=100_000)), 3)
    1.326
    """
    from scipy.special import stdtr

    d, length = _dimension(dimension), positive("scale", scale)
    value = 2.0 * length**2 * stdtr(d + 2, -0.5 * length * math.sqrt(1.0 + 2.0 / d))
    return Estimate(float(value), ("stationary",), 0.0, "own derivation")


def _checked(gradient: ArrayLike, temperature: float, scale: float) -> tuple[float, np.ndarray]:
    """Return α = s|g|/T and g."""
    vector = np.atleast_1d(finite("gradient", gradient))
    length = not_negative("|g|", math.hypot(*vector))
    return positive("scale", scale) * length / positive("temperature", temperature), vector


def _uphill(slope: float) -> float:
    """Return e^{α²/2}Φ(−α), the share of moves that go uphill and are accepted."""
    from scipy.special import erfcx

    return 0.5 * float(erfcx(slope / math.sqrt(2.0)))


def _dimension(dimension: int) -> int:
    if not (isinstance(dimension, int | np.integer) and dimension >= 1):
        raise TheoryError(f"dimension = {dimension!r} must be a whole number, at least 1")
    return int(dimension)
