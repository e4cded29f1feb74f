"""The spherical p-spin glass: how many critical points a random polynomial of degree p has on a sphere, and at which E.

f(x) is homogeneous of degree p on the unit sphere in N dimensions, Gaussian with covariance (x·y)^p; the energy per
degree of freedom is E = f/√N.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.random_determinant import log_mean_absolute_determinant

AUFFINGER = "A. Auffinger, G. Ben Arous, J. Černý, Comm. Pure Appl. Math. 66, 165 (2013)"

_LIMIT = ("Gaussian couplings", "N → ∞")


def critical_points(degree: int, *, spins: int) -> Estimate:
    """Return the mean number of critical points on the sphere; 2√(3p − 2) for N = 2.

    Vol(S^d) ((p − 1)/2π)^{d/2} E|det(M + ξ√(p/(p − 1)))| with d = N − 1, M in the Gaussian orthogonal ensemble.

    Parameters
    ----------
    degree : int
        p ≥ 2. For p = 2 these are the 2N eigenvectors, up to sign, of a random symmetric matrix.
    spins : int
        N ≥ 2.

    Returns
    -------
    Estimate
        Exact.

    Notes
    -----
    On the sphere the Hessian at x is that along the sphere, √(p(p − 1)) M, minus the radial slope pf; both are
    independent of the gradient, of variance p.

    Examples
    --------
    >>> round(float(critical_points(3, spins=2)), 12), round(float(critical_points(2, spins=7)), 9)
    (5.291502622129, 14.0)
    """
    p, d = _integer("degree", degree, 2), _integer("spins", spins, 2) - 1
    log_volume = math.log(2.0) + 0.5 * (d + 1) * math.log(math.pi) - math.lgamma(0.5 * (d + 1))
    log_scale = 0.5 * d * math.log((p - 1) / (2.0 * math.pi))
    value = math.exp(log_volume + log_scale + log_mean_absolute_determinant(d, 0.0, math.sqrt(p / (p - 1))))
    return Estimate(value, ("Gaussian couplings",), 0.0, AUFFINGER)


def total_complexity(degree: int) -> Estimate:
    """Return lim ln⟨N_crit⟩/N = ½ ln(p − 1).

    Parameters
    ----------
    degree : int
        p ≥ 2.
    """
    return Estimate(0.5 * math.log(_integer("degree", degree, 2) - 1), _LIMIT, 0.0, AUFFINGER)


def threshold_energy(degree: int) -> Estimate:
    """Return E_inf = 2√((p − 1)/p): below −E_inf nearly all critical points are minima, above it saddles.

    Parameters
    ----------
    degree : int
        p ≥ 2.
    """
    p = _integer("degree", degree, 2)
    return Estimate(2.0 * math.sqrt((p - 1) / p), _LIMIT, 0.0, AUFFINGER)


def minimum_complexity(energy: float, *, degree: int) -> Estimate:
    """Return lim ln⟨number of minima below E⟩/N; negative where there are none, constant above −E_inf.

    ½ln(p − 1) − (p − 2)E²/(4(p − 1)) − I(E), I = [|E|√(E² − E_inf²)/E_inf² − ln((|E| + √(E² − E_inf²))/E_inf)].

    Parameters
    ----------
    energy : float
        E per degree of freedom.
    degree : int
        p ≥ 3.
    """
    p, edge = _integer("degree", degree, 3), float(threshold_energy(degree))
    e = max(-float(energy), edge)
    root = math.sqrt(e**2 - edge**2)
    rate = e * root / edge**2 - math.log((e + root) / edge)
    value = 0.5 * math.log(p - 1) - (p - 2) / (4.0 * (p - 1)) * e**2 - rate
    return Estimate(value, _LIMIT, 0.0, AUFFINGER)


def ground_state_energy(degree: int) -> Estimate:
    """Return E_0: the lowest minimum is at −E_0, where `minimum_complexity` vanishes.

    Parameters
    ----------
    degree : int
        p ≥ 3.

    Examples
    --------
    >>> round(float(ground_state_energy(3)), 12)
    1.656998363527
    """
    from scipy.optimize import brentq

    edge = float(threshold_energy(degree))
    upper = 2.0 * edge
    while float(minimum_complexity(-upper, degree=degree)) > 0.0:
        upper *= 2.0
    value = brentq(lambda e: float(minimum_complexity(-e, degree=degree)), edge, upper, xtol=1e-15, rtol=1e-14)
    return Estimate(value, _LIMIT, 0.0, AUFFINGER)


def _integer(name: str, value: int, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise TheoryError(f"{name} = {value!r} must be an integer, at least {least}")
    return value
