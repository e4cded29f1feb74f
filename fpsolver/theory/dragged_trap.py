"""Work on a harmonic trap that is dragged: L = k(x − λ)²/2, with λ moved at constant speed or in steps.

The free energy does not depend on λ, so that all mean work is dissipated. dx = −μk(x − λ)dt + √(2μT) dW.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate

MAZONKA = "O. Mazonka, C. Jarzynski, cond-mat/9912121 (1999)"
ZON = "R. van Zon, E. G. D. Cohen, Phys. Rev. E 67, 046102 (2003)"
CHAIN = "own derivation: the AR(1) chain is reversible with respect to N(λ, T_st/k)"
EQUILIBRIUM = "the start is in equilibrium"


def mean_work(*, stiffness: float, speed: float, duration: float, mobility: float = 1.0) -> Estimate:
    """Return ⟨W⟩ = (v²/μ)[t − (1 − e^{−μkt})/(μk)] of a trap that is dragged at speed v from equilibrium.

    Parameters
    ----------
    stiffness : float
        k.
    speed : float
        v, in units of x over time.
    duration : float
        t.
    mobility : float
        μ.

    Raises
    ------
    TheoryError
        If an argument but the speed is not positive.

    Examples
    --------
    >>> round(float(mean_work(stiffness=1, speed=1, duration=2)), 10)
    1.1353352832
    """
    rate, t = _rate(stiffness, mobility), positive("duration", duration)
    return Estimate(speed**2 / mobility * (t + math.expm1(-rate * t) / rate), (EQUILIBRIUM,), 0.0, MAZONKA)


def work_variance(
    *, stiffness: float, speed: float, duration: float, temperature: float, mobility: float = 1.0
) -> Estimate:
    """Return var W = 2T⟨W⟩; work is Gaussian, so that the Jarzynski equality and Crooks' theorem hold exactly."""
    mean = mean_work(stiffness=stiffness, speed=speed, duration=duration, mobility=mobility)
    return Estimate(2.0 * positive("temperature", temperature) * mean.value, (EQUILIBRIUM,), 0.0, MAZONKA)


def negative_work_probability(
    *, stiffness: float, speed: float, duration: float, temperature: float, mobility: float = 1.0
) -> Estimate:
    """Return P(W < 0) = ½ erfc(½ √(⟨W⟩/T)), how often a single drag seems to break the second law.

    Examples
    --------
    >>> round(float(negative_work_probability(stiffness=1, speed=1, duration=2, temperature=1)), 10)
    0.2255936124
    """
    mean = mean_work(stiffness=stiffness, speed=speed, duration=duration, mobility=mobility)
    ratio = mean.value / positive("temperature", temperature)
    return Estimate(0.5 * math.erfc(0.5 * math.sqrt(ratio)), (EQUILIBRIUM,), 0.0, MAZONKA)


def transient_slope(*, stiffness: float, duration: float, temperature: float, mobility: float = 1.0) -> Estimate:
    """Return 1/T, the slope of ln[P(W)/P(−W)] against W where the drag starts in equilibrium."""
    _rate(stiffness, mobility), positive("duration", duration)
    return Estimate(1.0 / positive("temperature", temperature), (EQUILIBRIUM,), 0.0, ZON)


def steady_slope(*, stiffness: float, duration: float, temperature: float, mobility: float = 1.0) -> Estimate:
    """Return the slope of ln[P(W)/P(−W)] against W in the steady state that moves with the trap.

    (1/T) t/[t − (1 − e^{−μkt})/(μk)], which becomes 1/T only as t → ∞.

    Examples
    --------
    >>> round(float(steady_slope(stiffness=1, duration=2, temperature=1)), 9)
    1.761594156
    """
    rate, t = _rate(stiffness, mobility), positive("duration", duration)
    lag = t + math.expm1(-rate * t) / rate
    return Estimate(
        t / lag / positive("temperature", temperature), ("the start is the steady state of the moving trap",), 0.0, ZON
    )


def chain_temperature(*, stiffness: float, temperature: float, learning_rate: float) -> Estimate:
    """Return T_st = T/(1 − ηk/2), the temperature of the stationary state of x' = x − ηkx + √(2ηT) ξ.

    Raises
    ------
    TheoryError
        If ηk ≥ 2, where the chain has none.
    """
    contraction = positive("learning_rate", learning_rate) * positive("stiffness", stiffness)
    if contraction >= 2.0:
        raise TheoryError(f"ηk = {contraction:g} must be below 2: the chain has no stationary state")
    return Estimate(positive("temperature", temperature) / (1.0 - contraction / 2.0), (), 0.0, CHAIN)


def chain_mean_work(
    *, stiffness: float, shift: float, steps: int, learning_rate: float, exact_kernel: bool = False
) -> Estimate:
    """Return ⟨W⟩ of a trap that jumps by `shift` and then relaxes for one step, so many times.

    ⟨W⟩ = kN a²/2 + k a² ρ/(1 − ρ) [N − (1 − ρᴺ)/(1 − ρ)] with ρ = 1 − ηk, or e^{−ηk} with the exact kernel.

    Parameters
    ----------
    stiffness : float
        k.
    shift : float
        a, per jump.
    steps : int
        N.
    learning_rate : float
        η, or the time per step.
    exact_kernel : bool
        Whether the trap relaxes by the exact Ornstein–Uhlenbeck kernel in place of the Euler–Maruyama (SGD) step.

    Examples
    --------
    >>> round(float(chain_mean_work(stiffness=1, shift=0.1, steps=20, learning_rate=0.1)), 10)
    1.1094189891
    """
    k, eta = positive("stiffness", stiffness), positive("learning_rate", learning_rate)
    kept = math.exp(-eta * k) if exact_kernel else 1.0 - eta * k
    if kept <= -1.0:
        raise TheoryError(f"ηk = {eta * k:g} must be below 2: the chain diverges")
    lag = kept / (1.0 - kept) * (steps - (1.0 - kept**steps) / (1.0 - kept))
    return Estimate(k * shift**2 * (steps / 2.0 + lag), ("⟨x⟩ = λ at the start",), 0.0, CHAIN)


def chain_work_variance(
    *, stiffness: float, shift: float, steps: int, learning_rate: float, temperature: float, exact_kernel: bool = False
) -> Estimate:
    """Return var W = 2T_st⟨W⟩ of the same, from the stationary state; T_st = T with the exact kernel, at any step."""
    mean = chain_mean_work(
        stiffness=stiffness, shift=shift, steps=steps, learning_rate=learning_rate, exact_kernel=exact_kernel
    )
    stationary = positive("temperature", temperature)
    if not exact_kernel:
        stationary = chain_temperature(stiffness=stiffness, temperature=stationary, learning_rate=learning_rate).value
    return Estimate(2.0 * stationary * mean.value, ("the start is the chain's stationary state",), 0.0, CHAIN)


def _rate(stiffness: float, mobility: float) -> float:
    """Return μk, both positive."""
    return positive("stiffness", stiffness) * positive("mobility", mobility)
