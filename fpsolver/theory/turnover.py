"""Kramers' turnover: one rate for every friction, by Mel'nikov and Meshkov, and by Pollak, Grabert and Hänggi.

Friction γ is a rate, ζ = mγ the coefficient. Both are k = F(δ) (λ_b/ω_b)(ω₀/2π) e^{−ΔL/T}; they differ in the energy δ
(in units of T) that they let a particle lose per round trip: along the coordinate x, or along the unstable normal mode
of particle and bath.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.theory.barrier import Barrier
from fpsolver.theory.conditions import barrier_parameter, positive
from fpsolver.theory.depopulation import logarithm
from fpsolver.theory.energy_diffusion import energy_loss, weak_scale
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.kramers import intermediate_rate, transition_state, transmission, unstable_rate
from fpsolver.theory.panels import Floats, Panels

MELNIKOV_MESHKOV = "V. I. Mel'nikov, S. V. Meshkov, J. Chem. Phys. 85, 1018 (1986)"
POLLAK_GRABERT_HAENGGI = "E. Pollak, H. Grabert, P. Hänggi, J. Chem. Phys. 91, 4073 (1989)"
# The trajectory ends where the landscape is as near the top as this fraction of the way.
_NEAR = 1e-6


def melnikov_meshkov_rate(
    barrier: Barrier, *, temperature: float, friction: float, mass: float = 1.0, beyond: Barrier | None = None
) -> Estimate:
    """Return k = F (λ_b/ω_b)(ω₀/2π) e^{−ΔL/T} with F = Υ(δ), or Υ(δ₁)Υ(δ₂)/Υ(δ₁ + δ₂) of a double well, δ = γS/T.

    Parameters
    ----------
    barrier : Barrier
        The well, with its action S (for unit mass).
    temperature : float
        T in units of loss.
    friction : float
        Rate γ = ζ/m, of any size.
    mass : float
        Mass m.
    beyond : Barrier, optional
        The well behind the barrier; ``beyond=barrier`` in a symmetric double well. By default what crosses is gone.

    Returns
    -------
    Estimate
        Escapes per unit time; `error_scale` is (T/ΔL) ln(ΔL/T) where energy diffuses, going over to T/ΔL.

    Examples
    --------
    The slowest rate 2k of x⁴/4 − x²/2 at T = 0.1, γ = 0.1; the full Klein–Kramers operator has 0.0132227.

    >>> from fpsolver.landscapes import double_well
    >>> well = Barrier.between(double_well(), -1.0, 0.0)
    >>> round(2 * float(melnikov_meshkov_rate(well, temperature=0.1, friction=0.1, beyond=well)), 9)
    0.013264632
    """
    loss = energy_loss(barrier, temperature=temperature, friction=friction, mass=mass)
    other = None if beyond is None else energy_loss(beyond, temperature=temperature, friction=friction, mass=mass)
    return _rate(barrier, temperature, friction, mass, loss, other, MELNIKOV_MESHKOV)


def pollak_grabert_haenggi_rate(
    barrier: Barrier, *, temperature: float, friction: float, mass: float = 1.0, beyond: Barrier | None = None
) -> Estimate:
    """Return the turnover rate with the energy loss of the unstable normal mode, `normal_mode_energy_loss`.

    Parameters
    ----------
    barrier, temperature, friction, mass, beyond
        As for `melnikov_meshkov_rate`; barriers made by `Barrier.between`.

    Returns
    -------
    Estimate
        Escapes per unit time.
    """
    positive("temperature", temperature)
    loss = normal_mode_energy_loss(barrier, friction=friction, mass=mass) / temperature
    other = None
    if beyond is not None:
        other = loss
        if beyond is not barrier:
            other = normal_mode_energy_loss(beyond, friction=friction, mass=mass) / temperature
    return _rate(barrier, temperature, friction, mass, loss, other, POLLAK_GRABERT_HAENGGI)


def relaxation_rate(
    well: Barrier, beyond: Barrier, *, temperature: float, friction: float, mass: float = 1.0
) -> Estimate:
    """Return the slowest rate λ₁ = k₊ + k₋ of a double well, each by `melnikov_meshkov_rate`.

    Parameters
    ----------
    well, beyond : Barrier
        The two wells, with their actions; twice the same one where the double well is symmetric.
    temperature, friction, mass
        As for `melnikov_meshkov_rate`.

    Returns
    -------
    Estimate
        λ₁; `error_scale` is the larger one of the two rates.

    Examples
    --------
    >>> from fpsolver.landscapes import double_well
    >>> well = Barrier.between(double_well(), -1.0, 0.0)
    >>> round(float(relaxation_rate(well, well, temperature=0.1, friction=0.1)), 9)
    0.013264632
    """
    there = melnikov_meshkov_rate(well, temperature=temperature, friction=friction, mass=mass, beyond=beyond)
    back = melnikov_meshkov_rate(beyond, temperature=temperature, friction=friction, mass=mass, beyond=well)
    return _sum(there, back)


def relaxation_rate_above_turnover(
    well: Barrier, beyond: Barrier, *, temperature: float, friction: float, mass: float = 1.0
) -> Estimate:
    """Return λ₁ = k₊ + k₋ with Kramers' `intermediate_rate`, which grows where the rate falls again: at weak friction.

    Parameters
    ----------
    well, beyond, temperature, friction, mass
        As for `relaxation_rate`.

    Returns
    -------
    Estimate
        λ₁; `error_scale` is the larger one of the two rates.

    Warns
    -----
    ValidityWarning
        If a well loses less than T per round trip: below the turnover.
    """
    there = intermediate_rate(well, temperature=temperature, friction=friction, mass=mass)
    back = intermediate_rate(beyond, temperature=temperature, friction=friction, mass=mass)
    return _sum(there, back)


def _sum(there: Estimate, back: Estimate) -> Estimate:
    scale = max(there.error_scale, back.error_scale)
    return Estimate(there.value + back.value, there.assumptions, scale, there.reference)


def normal_mode_energy_loss(barrier: Barrier, *, friction: float, mass: float = 1.0) -> float:
    """Return the energy ΔE that the unstable normal mode loses to the others between leaving the top and returning.

    ΔE = ½∫∫ F(t) F(s) [Λe^{−Λ|t − s|} − λe^{−λ|t − s|}]/(λ + Λ) dt ds, with λ = √(γ²/4 + ω_b²) − γ/2, Λ = λ + γ, and
    F = L' + mω_b²x the anharmonic force along the trajectory x = √(2λ/(λ + Λ)) ρ that starts at rest at the top.

    Parameters
    ----------
    barrier : Barrier
        Made by `Barrier.between`.
    friction : float
        Rate γ.
    mass : float
        Mass m.

    Returns
    -------
    float
        Energy in units of loss; γS for weak friction.

    Notes
    -----
    Pollak, Grabert, Hänggi 1989, section III, with the sum over normal modes done for memoryless friction: the inverse
    Laplace transform of Σⱼuⱼ²/(s² + λⱼ²) = [γ/(λ + Λ)]/[(s + Λ)(s + λ)].
    """
    positive("friction", friction, "γ is a rate, ζ = mγ the coefficient")
    positive("mass", mass)
    slow = unstable_rate(friction, barrier.barrier_frequency(mass))
    fast = slow + friction
    share = 2.0 * slow / (slow + fast)
    force, dent = _mode(barrier, mass, slow * friction)
    end = _turning_point(dent, abs(barrier.needed("minimum", "the trajectory") - barrier.needed("saddle", "it")))
    # q = end·sech²s runs from the top (s = −∞) to the turning point (s = 0) and back; dt/ds stays finite.
    last = math.asinh(1.0 / math.sqrt(_NEAR))
    panels = Panels(np.linspace(-last, last, 49))
    q = end / np.cosh(panels.nodes) ** 2
    pace = 2.0 * q * np.abs(np.tanh(panels.nodes)) / np.sqrt(2.0 * dent(q) * share / mass)
    pushed = pace * force(q)

    def pairs(rate: float) -> float:
        """Return ∫∫ F(t) F(s) e^{−rate|t − s|} dt ds."""
        return 2.0 * float(panels.over_panels(pushed * panels.relaxed(pushed, rate * pace)).sum())

    return 0.5 * (fast * pairs(fast) - slow * pairs(slow)) / (slow + fast) / mass


def _mode(
    barrier: Barrier, mass: float, product: float
) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
    """Return the anharmonic force and the depth of the mode's potential, at distances q from the top.

    The mode feels the landscape and, on top of it, a parabola of curvature mλγ/2; `product` is λγ.
    """
    landscape = barrier.needed("landscape", "the trajectory along the normal mode")
    top, bottom = (barrier.needed(name, "the trajectory along the normal mode") for name in ("saddle", "minimum"))
    side = math.copysign(1.0, bottom - top)
    level, stiffness, extra = float(landscape.value([top])), barrier.saddle_curvature, mass * product / 2.0

    def force(q: Floats) -> Floats:
        return np.asarray(side * landscape.gradient((top + side * q)[..., None])[..., 0] - stiffness * q)

    def dent(q: Floats) -> Floats:
        return np.asarray(level - landscape.value((top + side * q)[..., None]) - extra * q * q / 2.0)

    return force, dent


def _turning_point(dent: Callable[[Floats], Floats], scale: float) -> float:
    """Return the first distance from the top at which the mode comes to rest."""
    from scipy.optimize import brentq

    steps = scale / 64.0 * 1.02 ** np.arange(600.0)
    for inside, outside in pairwise(np.cumsum(steps)):
        if dent(np.array(outside)) <= 0.0:
            return float(brentq(lambda q: float(dent(np.array(q))), inside, outside, xtol=1e-15, rtol=1e-14))
    raise TheoryError("the well is not closed: a particle that leaves the top never returns")


def _rate(
    barrier: Barrier, temperature: float, friction: float, mass: float, loss: float, other: float | None, source: str
) -> Estimate:
    ratio = barrier_parameter(barrier.height, temperature)
    exponent = logarithm(loss)
    if other is not None:
        exponent += logarithm(other) - logarithm(loss + other)
    factor = math.exp(exponent)
    value = factor * transmission(barrier, friction, mass) * transition_state(barrier, temperature, mass)
    # Corrections are larger the more the well is depopulated.
    scale = ratio + (1.0 - factor) * (weak_scale(ratio) - ratio)
    return Estimate(value, ("T ≪ ΔL", "memoryless friction"), scale, source)
