"""Critical damping: the friction, or the momentum of the heavy ball, that relaxes a harmonic mode fastest."""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate

MECHANICS = "L. D. Landau, E. M. Lifshitz, Mechanics, § 25"
POLYAK = "B. T. Polyak, USSR Comput. Math. Math. Phys. 4, 1 (1964), section 2"
_LINEAR = ("harmonic",)


def friction(mass: float, stiffness: float) -> Estimate:
    """Return γ_c = 2√(mK), the coefficient of mẍ + γẋ + Kx = 0 at which both rates are √(K/m).

    Parameters
    ----------
    mass, stiffness : float
        m and K.

    Notes
    -----
    mλ² − γλ + K has a double root. Written mẍ + 2γẋ + Kx = 0 the same damping is γ = √(mK).

    Examples
    --------
    >>> float(friction(1.0, 4.0))
    4.0
    """
    value = 2.0 * math.sqrt(positive("mass", mass) * positive("stiffness", stiffness))
    return Estimate(value, _LINEAR, 0.0, MECHANICS)


def friction_as_written(mass: float, stiffness: float) -> Estimate:
    """Return √(mK), which is half of it: the mode still oscillates.

    Parameters
    ----------
    mass, stiffness : float
        As for `friction`.
    """
    value = math.sqrt(positive("mass", mass) * positive("stiffness", stiffness))
    return Estimate(value, ("friction written 2γẋ",), 0.0, "as it circulates")


def relaxation_rate(coefficient: float, *, mass: float, stiffness: float) -> Estimate:
    """Return Re[γ − √(γ² − 4mK)]/2m, the slower rate of mẍ + γẋ + Kx = 0; largest, √(K/m), at critical damping.

    Parameters
    ----------
    coefficient, mass, stiffness : float
        γ, m and K.

    Examples
    --------
    >>> [round(float(relaxation_rate(c, mass=1.0, stiffness=1.0)), 9) for c in (1.0, 2.0, 3.0)]
    [0.5, 1.0, 0.381966011]
    """
    gamma, m, k = positive("coefficient", coefficient), positive("mass", mass), positive("stiffness", stiffness)
    square = gamma**2 - 4.0 * m * k
    # In the overdamped case the quotient does not cancel where friction is strong.
    value = 2.0 * k / (gamma + math.sqrt(square)) if square > 0.0 else gamma / (2.0 * m)
    return Estimate(value, _LINEAR, 0.0, MECHANICS)


def momentum(curvature: float, *, learning_rate: float) -> Estimate:
    """Return μ* = (1 − √(ηh))², the momentum at which the heavy ball relaxes fastest.

    Parameters
    ----------
    curvature, learning_rate : float
        h and η, ηh < 4.

    Raises
    ------
    TheoryError
        If ηh ≥ 4: no momentum below one is stable.

    Notes
    -----
    z² − (1 + μ − ηh)z + μ has a double root. With t = √η per step this is friction 2√h as η → 0.

    Examples
    --------
    >>> round(float(momentum(1.0, learning_rate=0.04)), 12)
    0.64
    """
    return Estimate((1.0 - _root(curvature, learning_rate)) ** 2, _LINEAR, 0.0, POLYAK)


def contraction(curvature: float, *, learning_rate: float) -> Estimate:
    """Return |1 − √(ηh)|, by which the heavy ball at μ* multiplies the distance in a step, in the long run.

    Parameters
    ----------
    curvature, learning_rate
        As for `momentum`.

    Examples
    --------
    >>> round(float(contraction(1.0, learning_rate=0.04)), 12)
    0.8
    """
    return Estimate(abs(1.0 - _root(curvature, learning_rate)), _LINEAR, 0.0, POLYAK)


def best_contraction(smallest: float, largest: float) -> Estimate:
    """Return (√κ − 1)/(√κ + 1), κ = h_max/h_min, the best that one η and μ do for all curvatures between.

    That is at η = [2/(√h_min + √h_max)]² and μ = [(√κ − 1)/(√κ + 1)]², critical damping at both ends; gradient descent
    reaches (κ − 1)/(κ + 1).

    Parameters
    ----------
    smallest, largest : float
        h_min and h_max.

    Examples
    --------
    >>> float(best_contraction(1.0, 9.0))
    0.5
    """
    low, high = positive("smallest", smallest), positive("largest", largest)
    if low > high:
        raise TheoryError(f"smallest = {low:g} exceeds largest = {high:g}")
    root = math.sqrt(high / low)
    return Estimate((root - 1.0) / (root + 1.0), _LINEAR, 0.0, f"{POLYAK}, theorem 9")


def _root(curvature: float, learning_rate: float) -> float:
    """Return √(ηh), checked."""
    product = positive("curvature", curvature) * positive("learning_rate", learning_rate)
    if product >= 4.0:
        raise TheoryError(f"ηh = {product:g} must be below 4: beyond it no momentum below one is stable")
    return math.sqrt(product)
