"""First corrections to Kramers' rates from the cubic and quartic terms at the minimum and at the barrier top."""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.barrier import Barrier
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.kramers import intermediate_rate, overdamped_rate, unstable_rate


def minimum_coefficient(barrier: Barrier) -> float:
    """Return c_a in ∫ e^{−(L − L_a)/T} dx = √(2πT/L''_a) [1 + c_a T + O(T²)] over the well.

    c_a = 5 L'''²/(24 L''³) − L''''/(8 L''²) at the minimum, from Laplace's method.

    Raises
    ------
    TheoryError
        If the barrier does not know its third and fourth derivatives.
    """
    third, fourth = barrier.needed("minimum_derivatives", "the anharmonic correction")
    curvature = barrier.minimum_curvature
    return float(5.0 * third**2 / (24.0 * curvature**3) - fourth / (8.0 * curvature**2))


def saddle_coefficient(barrier: Barrier, friction: float = math.inf, mass: float = 1.0) -> float:
    """Return c_b: crossing the barrier top takes 1 + c_b T times as long as over a parabola.

    c_b = (L''''/8L''²) γ²/(γ + 2λ)² + (L'''²/24|L''|³) γ²(10γ² + 61γλ + 61λ²)/[(γ + 2λ)²(γ + 3λ)(2γ + 3λ)], with
    λ = √(γ²/4 + ω_b²) − γ/2. It is L''''/8L''² + 5L'''²/24|L''|³ for γ → ∞ and zero for γ → 0.

    Parameters
    ----------
    barrier : Barrier
        With its derivatives.
    friction : float
        Rate γ; infinite for overdamped motion.
    mass : float
        Mass m.

    Notes
    -----
    Own derivation, by perturbation of the Klein–Kramers committor about Kramers' solution q₀(u), u = (λ + γ)x + v: each
    order is a polynomial in x and v times q₀'(u), and the flux follows from Gaussian moments. The expansion is that of
    P. Talkner, Chem. Phys. 180, 199 (1994) and E. Pollak, P. Talkner, Phys. Rev. E 47, 922 (1993).
    """
    third, fourth = barrier.needed("saddle_derivatives", "the anharmonic correction")
    curvature = -barrier.saddle_curvature
    quartic, cubic = fourth / (8.0 * curvature**2), third**2 / (24.0 * curvature**3)
    if math.isinf(friction):
        return float(quartic + 5.0 * cubic)
    positive("friction", friction, "γ is a rate")
    ratio = unstable_rate(friction, barrier.barrier_frequency(mass)) / friction
    both = 1.0 / (1.0 + 2.0 * ratio) ** 2
    asymmetric = (10.0 + 61.0 * ratio + 61.0 * ratio**2) / ((1.0 + 3.0 * ratio) * (2.0 + 3.0 * ratio))
    return float(both * (quartic + cubic * asymmetric))


def coefficient(barrier: Barrier, friction: float = math.inf, mass: float = 1.0) -> float:
    """Return c in τ = τ_Kramers [1 + cT + O(T²)]: the sum of both ends; 3/2 for x⁴/4 − x²/2 overdamped.

    Examples
    --------
    >>> from fpsolver.landscapes import double_well
    >>> round(coefficient(Barrier.between(double_well(), -1.0, 0.0)), 9)
    1.5
    """
    return minimum_coefficient(barrier) + saddle_coefficient(barrier, friction, mass)


def corrected_overdamped_rate(barrier: Barrier, *, temperature: float, mobility: float = 1.0) -> Estimate:
    """Return k = k_Kramers/(1 + cT) for overdamped motion.

    Parameters
    ----------
    barrier, temperature, mobility
        As for `fpsolver.theory.kramers.overdamped_rate`; the barrier needs its derivatives.

    Returns
    -------
    Estimate
        Escapes per unit time; `error_scale` is (T/ΔL)².

    Raises
    ------
    TheoryError
        If the correction is not small, cT ≤ −1/2.
    """
    k = overdamped_rate(barrier, temperature=temperature, mobility=mobility)
    return _corrected(k, coefficient(barrier) * temperature, temperature / barrier.height)


def corrected_intermediate_rate(
    barrier: Barrier, *, temperature: float, friction: float, mass: float = 1.0
) -> Estimate:
    """Return k = k_Kramers/(1 + cT) for moderate to strong friction.

    Parameters
    ----------
    barrier, temperature, friction, mass
        As for `fpsolver.theory.kramers.intermediate_rate`; the barrier needs its derivatives.

    Returns
    -------
    Estimate
        Escapes per unit time.
    """
    k = intermediate_rate(barrier, temperature=temperature, friction=friction, mass=mass)
    return _corrected(k, coefficient(barrier, friction, mass) * temperature, temperature / barrier.height)


def corrected_time_to_top(barrier: Barrier, *, temperature: float, mobility: float = 1.0) -> Estimate:
    """Return the mean overdamped time from the minimum to the barrier top, with its corrections of order √T and T.

    τ = ½τ_Kramers [1 ∓ (2/3) L'''_b √(T/2π)/|L''_b|^{3/2} + cT], minus for a minimum to the left of the top: a top
    that is steeper before than behind it takes less time to be reached.

    Parameters
    ----------
    barrier : Barrier
        With its derivatives and positions.
    temperature, mobility
        As for `fpsolver.theory.kramers.overdamped_rate`.

    Returns
    -------
    Estimate
        Time; `error_scale` is (T/ΔL)^{3/2}.

    Notes
    -----
    Laplace's method on the half-line; H. Risken, The Fokker-Planck Equation, section 5.10.
    """
    k = overdamped_rate(barrier, temperature=temperature, mobility=mobility)
    third, _ = barrier.needed("saddle_derivatives", "the anharmonic correction")
    side = math.copysign(1.0, barrier.needed("saddle", "the sign of L'''") - barrier.needed("minimum", "that sign"))
    skew = -side * third * 2.0 / 3.0 * math.sqrt(temperature / (2.0 * math.pi)) / (-barrier.saddle_curvature) ** 1.5
    value = 0.5 / k.value * (1.0 + skew + coefficient(barrier) * temperature)
    assumptions = (*k.assumptions, "smooth at both ends")
    return Estimate(value, assumptions, (temperature / barrier.height) ** 1.5, "Risken, section 5.10; Laplace's method")


def _corrected(k: Estimate, correction: float, ratio: float) -> Estimate:
    if correction <= -0.5:
        raise TheoryError(f"the anharmonic correction cT = {correction:.3g} is not small: lower the temperature")
    # What else the rate neglects (a thermalised well, say) stays neglected.
    scale = ratio**2 if k.error_scale <= ratio else max(ratio**2, k.error_scale)
    assumptions = (*k.assumptions, "smooth at minimum and top")
    return Estimate(k.value / (1.0 + correction), assumptions, scale, f"{k.reference}; Laplace's method to order T")
