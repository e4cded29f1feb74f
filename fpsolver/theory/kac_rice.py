"""Kac–Rice: how many critical points a random Gaussian landscape has, by itself and in a parabola.

f is a stationary, isotropic Gaussian field with covariance C(r). Only two numbers of it matter: the variance of a
slope, λ₂ = ⟨(∂₁f)²⟩ = −C″(0), and that of a curvature, λ₄ = ⟨(∂₁∂₁f)²⟩ = C⁗(0), which is three times ⟨(∂₁∂₂f)²⟩.
A slope and a curvature at the same point are independent; that makes the counts exact.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.random_determinant import log_mean_absolute_determinant

RICE = "S. O. Rice, Bell Syst. Tech. J. 23, 282 (1944)"
LONGUET_HIGGINS = "M. S. Longuet-Higgins, Phil. Trans. R. Soc. A 249, 321 (1957)"
CARTWRIGHT = "D. E. Cartwright, M. S. Longuet-Higgins, Proc. R. Soc. A 237, 212 (1956), eq. (2.10)"
FYODOROV = "Y. V. Fyodorov, Phys. Rev. Lett. 92, 240601 (2004)"

_GAUSSIAN = ("stationary isotropic Gaussian field", "four derivatives of the covariance at zero")


def squared_exponential_moments(*, length: float = 1.0, deviation: float = 1.0) -> tuple[float, float]:
    """Return λ₂ = σ²/ℓ² and λ₄ = 3σ²/ℓ⁴ of the covariance σ² e^{−r²/2ℓ²}.

    Examples
    --------
    >>> squared_exponential_moments(length=2.0)
    (0.25, 0.1875)
    """
    length, deviation = positive("length", length), positive("deviation", deviation)
    return deviation**2 / length**2, 3.0 * deviation**2 / length**4


def critical_point_density(*, slope_variance: float, curvature_variance: float, dimension: int = 1) -> Estimate:
    """Return the mean number of critical points per unit volume: √(λ₄/λ₂)/π in 1-D, 2λ₄/(3√3 πλ₂) in 2-D.

    Parameters
    ----------
    slope_variance, curvature_variance : float
        λ₂ and λ₄.
    dimension : int
        d. Beyond two: (λ₄/6πλ₂)^{d/2} E|det(M + ξ)|, M in the Gaussian orthogonal ensemble.

    Returns
    -------
    Estimate
        Exact.

    Examples
    --------
    >>> slope, curvature = squared_exponential_moments()
    >>> round(float(critical_point_density(slope_variance=slope, curvature_variance=curvature, dimension=2)), 12)
    0.367552596948
    """
    ratio = positive("curvature_variance", curvature_variance) / positive("slope_variance", slope_variance)
    d = _dimension(dimension)
    if d == 1:
        value = math.sqrt(ratio) / math.pi
    elif d == 2:
        value = 2.0 * ratio / (3.0 * math.sqrt(3.0) * math.pi)
    else:
        value = math.exp(0.5 * d * math.log(ratio / (6.0 * math.pi)) + log_mean_absolute_determinant(d, 0.0, 1.0))
    return Estimate(value, _GAUSSIAN, 0.0, f"{RICE}; {LONGUET_HIGGINS}")


def minimum_density(*, slope_variance: float, curvature_variance: float, dimension: int = 1) -> Estimate:
    """Return the mean number of minima per unit volume: half of the critical points in 1-D, a quarter in 2-D.

    Parameters
    ----------
    slope_variance, curvature_variance : float
        λ₂ and λ₄.
    dimension : int
        1 or 2. There are as many maxima; the rest, in 2-D one half, are saddles.
    """
    share = 0.5 / _dimension(dimension, most=2)
    total = critical_point_density(
        slope_variance=slope_variance, curvature_variance=curvature_variance, dimension=dimension
    )
    return Estimate(share * total.value, total.assumptions, 0.0, total.reference)


def minimum_value_density(
    value: float, *, variance: float, slope_variance: float, curvature_variance: float
) -> Estimate:
    """Return the probability density of f at its minima, in 1-D.

    p(u) = [ε e^{−z²/2ε²} − z√(1−ε²) e^{−z²/2} ∫_{−∞}^{−z√(1−ε²)/ε} e^{−x²/2} dx]/√(2πλ₀), z = u/√λ₀,
    ε² = 1 − λ₂²/(λ₀λ₄).

    Parameters
    ----------
    value : float
        u.
    variance, slope_variance, curvature_variance : float
        λ₀ = C(0), λ₂ and λ₄, with λ₂² < λ₀λ₄.

    Raises
    ------
    TheoryError
        If λ₂² ≥ λ₀λ₄, which no covariance of more than one frequency has.
    """
    variance, slope = positive("variance", variance), positive("slope_variance", slope_variance)
    width = 1.0 - slope**2 / (variance * positive("curvature_variance", curvature_variance))
    if width <= 0.0:
        raise TheoryError(
            f"slope_variance = {slope_variance!r} is too large: its square must lie below variance × curvature_variance"
        )
    e, narrow, z = math.sqrt(width), math.sqrt(1.0 - width), value / math.sqrt(variance)
    below = math.sqrt(math.pi / 2.0) * math.erfc(z * narrow / (e * math.sqrt(2.0)))
    density = e * math.exp(-(z**2) / (2.0 * width)) - z * narrow * math.exp(-(z**2) / 2.0) * below
    return Estimate(density / math.sqrt(2.0 * math.pi * variance), _GAUSSIAN, 0.0, CARTWRIGHT)


def parabola_critical_points(confinement: float, *, curvature_variance: float = 3.0, dimension: int = 1) -> Estimate:
    """Return the mean number of critical points of μ|x|²/2 + f(x).

    1-D: erf(μ/√(2λ₄)) + √(2λ₄/π) e^{−μ²/2λ₄}/μ. 2-D: 1 + 4λ₄/(3√3 μ²) e^{−μ²/2λ₄}.
    Beyond: (λ₄/3μ²)^{d/2} E|det(M + μ√(3/λ₄) + ξ)|, M in the Gaussian orthogonal ensemble.

    Parameters
    ----------
    confinement : float
        Curvature μ > 0 of the parabola.
    curvature_variance : float
        λ₄; 3 for the covariance e^{−r²/2}. The variance of slopes does not matter.
    dimension : int
        d.

    Returns
    -------
    Estimate
        Exact; it falls from ∝ μ^{−d} to 1, up to e^{−μ²/2λ₄}, as the parabola wins.

    Notes
    -----
    ⟨N⟩ = E|det(μ + ∇∇f)|/μ^d. In 2-D with μ + ½tr ∇∇f = y ~ N(μ, 2λ₄/3) and an exponential X of mean 2λ₄/3 for the
    squared half difference of the eigenvalues, E|y² − X| is elementary.

    Examples
    --------
    >>> round(float(parabola_critical_points(0.5)), 12)
    2.878324772642
    """
    mu, d = positive("confinement", confinement), _dimension(dimension)
    lam = positive("curvature_variance", curvature_variance)
    damping = math.exp(-(mu**2) / (2.0 * lam))
    if d == 1:
        value = math.erf(mu / math.sqrt(2.0 * lam)) + math.sqrt(2.0 * lam / math.pi) * damping / mu
    elif d == 2:
        value = 1.0 + 4.0 * lam / (3.0 * math.sqrt(3.0) * mu**2) * damping
    else:
        shift = mu * math.sqrt(3.0 / lam)
        value = math.exp(log_mean_absolute_determinant(d, shift, 1.0) - d * math.log(shift))
    return Estimate(value, _GAUSSIAN, 0.0, f"{FYODOROV}; {RICE}")


def parabola_minima(confinement: float, *, curvature_variance: float = 3.0, dimension: int = 1) -> Estimate:
    """Return the mean number of minima of μ|x|²/2 + f(x): (⟨N⟩ + 1)/2 in 1-D, and in closed form in 2-D.

    2-D, with s = 2λ₄/3: Φ(μ/√s) + √s φ(μ/√s)/μ + s/(√3 μ²) e^{−μ²/3s} Φ(μ/√(3s)).

    Parameters
    ----------
    confinement, curvature_variance
        As for `parabola_critical_points`.
    dimension : int
        1 or 2. Saddles (in 1-D maxima) are (⟨N⟩ − 1)/2, because minima − saddles + maxima is always 1.
    """
    total = parabola_critical_points(confinement, curvature_variance=curvature_variance, dimension=dimension)
    if _dimension(dimension, most=2) == 1:
        return Estimate((total.value + 1.0) / 2.0, total.assumptions, 0.0, total.reference)
    mu, s = float(confinement), 2.0 * float(curvature_variance) / 3.0
    value = _below(mu / math.sqrt(s)) + math.sqrt(s / (2.0 * math.pi)) * math.exp(-(mu**2) / (2.0 * s)) / mu
    value += s / (math.sqrt(3.0) * mu**2) * math.exp(-(mu**2) / (3.0 * s)) * _below(mu / math.sqrt(3.0 * s))
    return Estimate(value, total.assumptions, 0.0, total.reference)


def critical_confinement(dimension: int, *, curvature_variance: float = 3.0) -> float:
    """Return μ_c = √(dλ₄/3), at which a parabola leaves one critical point in many dimensions."""
    return math.sqrt(_dimension(dimension) * positive("curvature_variance", curvature_variance) / 3.0)


def parabola_complexity(ratio: float) -> Estimate:
    """Return Σ = lim ln⟨N⟩/d = (r² − 1)/2 − ln r for r = μ/μ_c < 1, and 0 above: the topology is trivial there.

    Parameters
    ----------
    ratio : float
        r = μ/μ_c, with `critical_confinement`.

    Returns
    -------
    Estimate
        The limit; a finite dimension adds ln(4√(d(1 − r²)/π))/d, as `parabola_critical_points_in_many_dimensions` has.

    Examples
    --------
    >>> round(float(parabola_complexity(0.5)), 13)
    0.3181471805599
    """
    r = positive("ratio", ratio)
    value = 0.5 * (r**2 - 1.0) - math.log(r) if r < 1.0 else 0.0
    return Estimate(value, (*_GAUSSIAN, "d → ∞"), 0.0, FYODOROV)


def parabola_critical_points_in_many_dimensions(ratio: float, *, dimension: int) -> Estimate:
    """Return ⟨N⟩ ≈ 4√(d(1 − r²)/π) e^{dΣ(r)} for r = μ/μ_c < 1, and 1 above.

    Parameters
    ----------
    ratio : float
        r = μ/μ_c.
    dimension : int
        d.

    Returns
    -------
    Estimate
        With `error_scale` 1/(d(1 − r)^{3/2}): near r = 1 the density of eigenvalues has to be resolved on the scale
        d^{−2/3} of its edge.

    Notes
    -----
    The semicircle at 2r√d and Stirling's formula in the finite formula of `parabola_critical_points`.
    """
    r, d = positive("ratio", ratio), _dimension(dimension)
    complexity = float(parabola_complexity(r))
    value = 4.0 * math.sqrt(d * (1.0 - r**2) / math.pi) * math.exp(d * complexity) if r < 1.0 else 1.0
    scale = 1.0 / (d * abs(1.0 - r) ** 1.5) if r != 1.0 else 1.0
    return Estimate(value, (*_GAUSSIAN, "d → ∞", "μ ≠ μ_c"), scale, FYODOROV)


def _below(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _dimension(dimension: int, most: int | None = None) -> int:
    if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < 1:
        raise TheoryError(f"dimension = {dimension!r} must be a positive integer")
    if most is not None and dimension > most:
        raise TheoryError(
            f"dimension = {dimension!r}: minima by themselves have a closed form up to {most} dimensions; "
            "count all critical points"
        )
    return dimension
