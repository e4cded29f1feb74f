"""Inverse problems of first passage: the landscape, the temperature or the barrier that given mean times imply."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolver.errors import TheoryError
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.first_passage import mean_time, thermal

Floats = NDArray[np.float64]


def landscape_from_starts(
    positions: ArrayLike,
    times: ArrayLike,
    *,
    temperature: float,
    mobility: float | Callable[[Floats], Any] = 1.0,
) -> Floats:
    """Return L(x) − L(x₀) from the mean time τ(x) that motion started at x takes to a fixed target.

    L/T = ln(D|τ'|) − ∫dx/(D|τ'|) for a target to the right (plus for one to the left), with D = Tμ.

    Parameters
    ----------
    positions : array_like (n,)
        Ascending starting points x₀ < x₁ < …, at least six, on one side of the target.
    times : array_like (n,)
        Mean times; strictly monotonic.
    temperature : float
        T in units of loss.
    mobility : float or callable
        μ, or a function of an array of positions.

    Returns
    -------
    ndarray (n,)
        The landscape relative to the first position. Where the other boundary is, and whether it reflects, need not be
        known. Errors grow as those of τ' relative to itself: times within a deep well differ by little.

    Raises
    ------
    TheoryError
        If the times are not monotonic.

    Notes
    -----
    The first integral of (ψτ')' = −ψ/D is solved for ψ: with w = ∫ψ/D, −τ' = w/(Dw'). Times are interpolated by a
    spline of degree five, so that the result is of fourth order in the spacing.

    Examples
    --------
    Flat between a reflecting wall at 0 and a target at 1, D = 1: τ = (1 − x²)/2.

    >>> x = np.linspace(0.2, 0.9, 8)
    >>> bool(np.abs(landscape_from_starts(x, (1 - x**2) / 2, temperature=1.0)).max() < 1e-10)
    True
    """
    x, slope = _slope(positions, times)
    return _landscape(x, slope, -1.0 if slope(x[:1])[0] < 0.0 else 1.0, temperature, mobility)


def landscape_from_targets(
    positions: ArrayLike,
    times: ArrayLike,
    *,
    temperature: float,
    mobility: float | Callable[[Floats], Any] = 1.0,
) -> Floats:
    """Return L(x) − L(x₀) from the mean time t(x) that motion takes from one start to a target at x.

    Parameters
    ----------
    positions, times, temperature, mobility
        As for `landscape_from_starts`, with targets in place of starting points, all on one side of the start.

    Returns
    -------
    ndarray (n,)
        The landscape relative to the first position. One run to the farthest target records all the times.
    """
    x, slope = _slope(positions, times)
    return _landscape(x, slope, -1.0 if slope(x[:1])[0] > 0.0 else 1.0, temperature, mobility)


def temperature_from_time(
    landscape: Landscape,
    start: float,
    target: float,
    *,
    time: float,
    mobility: float = 1.0,
    reflecting: float | None = None,
) -> Estimate:
    """Return the temperature at which the mean overdamped first-passage time has a given value.

    Parameters
    ----------
    landscape : Landscape
        In one variable.
    start, target, reflecting
        As for `fpsolver.theory.first_passage.mean_time`.
    time : float
        The mean time.
    mobility : float
        μ.

    Returns
    -------
    Estimate
        T, exact.

    Raises
    ------
    TheoryError
        If no temperature in the range of floating point gives that time.
    """
    from scipy.optimize import brentq

    time = positive("time", time)

    def excess(logarithm: float) -> float:
        process = thermal(landscape, temperature=math.exp(logarithm), mobility=mobility)
        return math.log(mean_time(process, start, target, reflecting=reflecting).value / time)

    spread = float(np.ptp(landscape.value(np.linspace(start, target, 65)[:, None])))
    cold, hot = math.log(max(spread, 1e-300) / 100.0), math.log(max(spread, 1e-300))
    for _ in range(40):
        if excess(hot) <= 0.0:
            break
        hot += 1.0
    if excess(cold) < 0.0 or excess(hot) > 0.0:
        raise TheoryError(
            f"time = {time:g} is not the mean time from {start!r} to {target!r} at any temperature between "
            f"{math.exp(cold):.3g} and {math.exp(hot):.3g}"
        )
    return Estimate(math.exp(brentq(excess, cold, hot, xtol=1e-13, rtol=1e-13)), ("overdamped motion",), 0.0, "inverse")


def barrier_from_times(temperatures: tuple[float, float], times: tuple[float, float]) -> Estimate:
    """Return ΔL = ln(τ₁/τ₂)/(1/T₁ − 1/T₂), the barrier that mean escape times at two temperatures imply.

    Parameters
    ----------
    temperatures : tuple of float
        T₁ and T₂, different.
    times : tuple of float
        Mean escape times τ₁ and τ₂ with a prefactor that does not depend on temperature.

    Returns
    -------
    Estimate
        ΔL; `error_scale` is (T/ΔL)² at the higher temperature, because a prefactor 1 + cT adds about −cT₁T₂.
    """
    first, second = (positive("temperature", value) for value in temperatures)
    tau_1, tau_2 = (positive("time", value) for value in times)
    if first == second:
        raise TheoryError(f"the temperatures must differ: both are {first:g}")
    value = math.log(tau_1 / tau_2) / (1.0 / first - 1.0 / second)
    if value <= 0.0:
        raise TheoryError(f"the times {times!r} do not fall with temperature {temperatures!r}: there is no barrier")
    return Estimate(value, ("T ≪ ΔL",), (max(first, second) / value) ** 2, "S. Arrhenius (1889)")


def _slope(positions: ArrayLike, times: ArrayLike) -> tuple[Floats, Callable[[Floats], Floats]]:
    from scipy.interpolate import make_interp_spline

    x, t = np.asarray(positions, dtype=float), np.asarray(times, dtype=float)
    if x.ndim != 1 or x.shape != t.shape or len(x) < 6 or not (np.isfinite(x).all() and np.isfinite(t).all()):
        raise TheoryError(f"positions and times must be two lists of at least six numbers, not {x.shape} and {t.shape}")
    if np.any(np.diff(x) <= 0.0):
        raise TheoryError("the positions must ascend")
    step = np.diff(t)
    if not (np.all(step > 0.0) or np.all(step < 0.0)):
        worst = int(np.flatnonzero(np.sign(step) != np.sign(step[0]))[0]) if step[0] else 0
        raise TheoryError(
            f"mean times must change in one direction, but do not between x = {x[worst]:g} and {x[worst + 1]:g}: "
            "keep to one side of the target, or average longer"
        )
    derivative = make_interp_spline(x, t, k=5).derivative()
    return x, lambda points: np.asarray(derivative(points))


def _landscape(x: Floats, slope: Callable[[Floats], Floats], sign: float, temperature: float, mobility: Any) -> Floats:
    temperature = positive("temperature", temperature)
    nodes, weights = np.polynomial.legendre.leggauss(8)
    fine = x[:-1, None] + np.diff(x)[:, None] * (nodes + 1.0) / 2.0

    def pace(points: Floats) -> Floats:
        mu = np.asarray(mobility(points) if callable(mobility) else positive("mobility", mobility), dtype=float)
        value = temperature * mu * np.abs(slope(points))
        if np.any(value <= 0.0):
            raise TheoryError("the spline through the times has a flat spot: give times at more positions")
        return np.asarray(value)

    steps = (1.0 / pace(fine)) @ weights * np.diff(x) / 2.0
    exponent = np.log(pace(x)) + sign * np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(temperature * (exponent - exponent[0]))
