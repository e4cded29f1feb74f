"""Optimal protocols of harmonic traps in finite time: least mean work, and the jumps that it takes.

Overdamped motion dx = −μ ∂L/∂x dt + √(2μT) dW that starts in equilibrium; the trap goes from given to given within
t_f and may jump at both ends. Moving trap: L = k(x − λ)²/2. Stiffening trap: L = kx²/2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fpsolver.theory import dragged_trap, stiffening_trap
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate

_SOURCE = "T. Schmiedl, U. Seifert, Phys. Rev. Lett. 98, 108301 (2007)"
_START = "overdamped, equilibrium at the start"


def moving_trap_work(
    displacement: float, duration: float, *, stiffness: float = 1.0, mobility: float = 1.0
) -> Estimate:
    """Return the least mean work W* = kλ²/(μkt_f + 2) that moves a harmonic trap by λ within t_f, at any temperature.

    Parameters
    ----------
    displacement : float
        λ, how far the centre goes.
    duration : float
        t_f > 0. The sudden shift costs kλ²/2.
    stiffness, mobility : float
        k and μ.

    Raises
    ------
    TheoryError
        If the duration, the stiffness or the mobility is not positive.

    Examples
    --------
    >>> round(float(moving_trap_work(1.0, 1.0)), 6)
    0.333333
    """
    k, relaxations = _relaxations(stiffness, mobility, duration)
    return Estimate(k * displacement**2 / (relaxations + 2.0), (_START,), 0.0, f"{_SOURCE}, case study I")


def moving_trap_linear_work(
    displacement: float, duration: float, *, stiffness: float = 1.0, mobility: float = 1.0
) -> Estimate:
    """Return the mean work kλ²(τ − 1 + e^{−τ})/τ², τ = μkt_f, of moving a harmonic trap at constant speed.

    Parameters
    ----------
    displacement, duration, stiffness, mobility : float
        As for `moving_trap_work`.

    Examples
    --------
    >>> round(float(moving_trap_linear_work(1.0, 1.0)), 6)
    0.367879
    """
    speed = displacement / positive("duration", duration)
    return dragged_trap.mean_work(stiffness=stiffness, speed=speed, duration=duration, mobility=mobility)


def moving_trap_protocol(
    displacement: float, duration: float, *, stiffness: float = 1.0, mobility: float = 1.0
) -> Callable[[Any], np.ndarray]:
    """Return the optimal centre λ(t) = λ(μkt + 1)/(μkt_f + 2) for 0 < t < t_f; it jumps by λ/(μkt_f + 2) at both ends.

    Parameters
    ----------
    displacement, duration, stiffness, mobility : float
        As for `moving_trap_work`.

    Examples
    --------
    >>> centre = moving_trap_protocol(1.0, 1.0)
    >>> [round(float(centre(t)), 6) for t in (0.0, 0.5, 1.0)]
    [0.333333, 0.5, 0.666667]
    """
    k, relaxations = _relaxations(stiffness, mobility, duration)
    return lambda t: displacement * (mobility * k * np.asarray(t, dtype=float) + 1.0) / (relaxations + 2.0)


def stiffening_trap_work(
    initial: float, final: float, duration: float, *, temperature: float = 1.0, mobility: float = 1.0
) -> Estimate:
    """Return the least mean work that changes the stiffness of a harmonic trap within t_f.

    W* = k_f σ_f²/2 − T/2 − T ln(σ_f/σ_i) + (σ_f − σ_i)²/(μt_f), with the final width of `stiffening_trap_width`.

    Parameters
    ----------
    initial, final : float
        k_i and k_f.
    duration : float
        t_f > 0.
    temperature, mobility : float
        T and μ.

    Raises
    ------
    TheoryError
        If a number is not positive.

    Examples
    --------
    >>> round(float(stiffening_trap_work(1.0, 2.0, 1.0)), 10)
    0.4029183611
    """
    begin, end = _widths(initial, final, duration, temperature, mobility)
    work = 0.5 * final * end**2 - 0.5 * temperature - temperature * math.log(end / begin)
    return Estimate(work + (end - begin) ** 2 / (mobility * duration), (_START,), 0.0, f"{_SOURCE}, case study II")


def stiffening_trap_linear_work(
    initial: float, final: float, duration: float, *, temperature: float = 1.0, mobility: float = 1.0
) -> Estimate:
    """Return the mean work W = (k_f − k_i)/2 · ∫ s dt/t_f of a linear ramp of the stiffness, with ṡ = −2μ(ks − T).

    Parameters
    ----------
    initial, final, duration, temperature, mobility : float
        As for `stiffening_trap_work`.

    Examples
    --------
    >>> round(float(stiffening_trap_linear_work(1.0, 2.0, 1.0)), 10)
    0.4124657985
    """
    return stiffening_trap.mean_work(initial, final, duration=duration, temperature=temperature, mobility=mobility)


def stiffening_trap_width(
    initial: float, final: float, duration: float, *, temperature: float = 1.0, mobility: float = 1.0
) -> Estimate:
    """Return the standard deviation σ_f at the end of the optimal protocol: (k_f + a)σ² − aσ_iσ − T = 0, a = 2/(μt_f).

    Parameters
    ----------
    initial, final, duration, temperature, mobility : float
        As for `stiffening_trap_work`.

    Examples
    --------
    >>> round(float(stiffening_trap_width(1.0, 2.0, 1.0)) ** 2, 10)
    0.6545084972
    """
    _, end = _widths(initial, final, duration, temperature, mobility)
    return Estimate(end, (_START,), 0.0, f"{_SOURCE}, case study II")


def stiffening_trap_protocol(
    initial: float, final: float, duration: float, *, temperature: float = 1.0, mobility: float = 1.0
) -> Callable[[Any], np.ndarray]:
    """Return the optimal stiffness k(t) = (T − σσ̇/μ)/σ² for 0 < t < t_f, where σ grows or shrinks linearly.

    It jumps at both ends, from k_i to k(0) and from k(t_f) to k_f, and may be negative for fast expansions.

    Parameters
    ----------
    initial, final, duration, temperature, mobility : float
        As for `stiffening_trap_work`.

    Examples
    --------
    >>> stiffness = stiffening_trap_protocol(1.0, 2.0, 1.0)
    >>> [round(float(stiffness(t)), 6) for t in (0.0, 1.0)]
    [1.190983, 1.763932]
    """
    begin, end = _widths(initial, final, duration, temperature, mobility)
    speed = (end - begin) / duration

    def stiffness(t: Any) -> np.ndarray:
        width = begin + speed * np.asarray(t, dtype=float)
        return (temperature - width * speed / mobility) / width**2

    return stiffness


def _relaxations(stiffness: float, mobility: float, duration: float) -> tuple[float, float]:
    """Return k, and the duration in relaxation times 1/(μk)."""
    k = positive("stiffness", stiffness)
    return k, positive("mobility", mobility) * k * positive("duration", duration)


def _widths(initial: float, final: float, duration: float, temperature: float, mobility: float) -> tuple[float, float]:
    """Return the standard deviations at the start and at the end of the optimal protocol."""
    begin = math.sqrt(positive("temperature", temperature) / positive("initial", initial, "a stiffness"))
    pull = 2.0 / (positive("mobility", mobility) * positive("duration", duration))
    both = positive("final", final, "a stiffness") + pull
    root = math.sqrt((pull * begin) ** 2 + 4.0 * both * temperature)
    return begin, (pull * begin + root) / (2.0 * both)
