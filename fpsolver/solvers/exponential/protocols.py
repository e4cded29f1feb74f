"""Where a protocol must be looked at: intervals on which polynomials of low degree follow it.

An integrator that compares two rules on the same few nodes sees nothing of a pulse between them. Protocols are scalar
functions that cost next to nothing, so they are sampled densely beforehand, at points spread evenly but not
regularly (an even grid would take a fast oscillation for a slow one), and intervals are halved until a polynomial of
degree 8 through Chebyshev nodes meets all samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from fpsolver.errors import ConvergenceError, NumericalError
from fpsolver.solvers.exponential.system import EPSILON

SAMPLES = 16384
"""Samples over the whole time; pulses a few of them wide are found."""
FEWEST = 48
"""Samples of any interval."""
NODES = np.cos(np.pi * (np.arange(9) + 0.5) / 9)
COEFFICIENTS = np.cos(np.outer(np.arange(9), np.arccos(NODES))) * np.where(np.arange(9) > 0, 2.0, 1.0)[:, None] / 9
"""Matrix from values at the nodes to coefficients of Chebyshev polynomials."""
NARROWEST = 1e-10
"""Narrowest interval, relative to the whole time; a jump is left to the control of errors."""
MOST_INTERVALS = 30_000
UNBOUNDED = 100.0
"""Growth of a protocol over its largest sample, within the narrowest interval, that is taken for a singularity."""
GOLDEN = 0.6180339887498949


def resolved_knots(protocols: Mapping[str, Any], marks: Sequence[float], tolerance: float) -> list[float]:
    """Return times, ascending, between which every protocol is a polynomial of degree 8 to a relative tolerance.

    Parameters
    ----------
    protocols : mapping of str to callable
        Functions of an array of times.
    marks : sequence of float
        First time, breakpoints, last time; they are not among the times returned.
    tolerance : float
        Error allowed, relative to the typical size of each protocol.

    Raises
    ------
    NumericalError
        If a protocol is not finite, or grows without bound; the message names the time.
    ConvergenceError
        If a protocol oscillates too fast for the whole time.

    Examples
    --------
    >>> resolved_knots({"a": lambda t: 1 + 2 * t}, [0.0, 4.0], 1e-8)
    []
    >>> knots = resolved_knots({"a": lambda t: np.exp(-(((t - 1.3) / 0.01) ** 2))}, [0.0, 4.0], 1e-8)
    >>> sum(1.2 < knot < 1.4 for knot in knots) > 10
    True
    """
    whole = float(marks[-1] - marks[0])
    knots: list[float] = []
    for name, protocol in protocols.items():
        samples = [_samples(a, b, max(FEWEST, int(SAMPLES * (b - a) / whole))) for a, b in pairwise(marks)]
        values = [_finite(name, protocol, times) for times in samples]
        everything = np.concatenate(values)
        largest = float(np.abs(everything).max())
        spread = float(everything.max() - everything.min())
        typical = max(min(spread, float(np.median(np.abs(everything)))), 1e-3 * spread)
        allowed = max(tolerance, 1e-12) * typical
        for (a, b), times, seen in zip(pairwise(marks), samples, values, strict=True):
            knots += _bisected(name, protocol, (a, b), times, seen, allowed, NARROWEST * whole, UNBOUNDED * largest)
    return sorted(set(knots))


def _samples(begin: float, end: float, count: int) -> np.ndarray:
    """Return times inside an interval, one in each of `count` equal parts, each at another place in it."""
    k = np.arange(count)
    return begin + (end - begin) * (k + 0.05 + 0.9 * np.modf((k + 1) * GOLDEN)[0]) / count


def _finite(name: str, protocol: Any, times: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        values = np.asarray(protocol(times), dtype=float)
    if not np.isfinite(values).all():
        worst = int(np.argmin(np.isfinite(values)))
        raise NumericalError(
            f"the protocol of {name!r} is {values[worst]} at t = {times[worst]:g}; choose times that end before it"
        )
    return values


def _bisected(
    name: str,
    protocol: Any,
    ends: tuple[float, float],
    times: np.ndarray,
    values: np.ndarray,
    allowed: float,
    narrowest: float,
    bound: float,
) -> list[float]:
    """Return the points at which an interval is halved, and its halves where they need it."""
    knots: list[float] = []
    waiting = [(*ends, times, values)]
    while waiting:
        begin, end, times, values = waiting.pop()
        if len(times) < FEWEST:
            times = _samples(begin, end, FEWEST)
            values = _finite(name, protocol, times)
        middle, half = 0.5 * (begin + end), 0.5 * (end - begin)
        highest = float(np.abs(values).max())
        if highest > bound and half < 1e3 * narrowest:
            raise NumericalError(
                f"the protocol of {name!r} grows without bound at t = {middle:.7g} (it is {highest:.1e} next to it); "
                "choose times that end before, or start after it"
            )
        # rounding of time itself moves the samples of something steep
        noise = EPSILON * (8 * abs(middle) / half * float(np.ptp(values)) + 100 * highest)
        nodes = _finite(name, protocol, middle + half * NODES)
        if half < narrowest or _followed(nodes, (times - middle) / half, values, max(allowed, noise)):
            continue
        knots.append(middle)
        if len(knots) > MOST_INTERVALS:
            raise ConvergenceError(
                f"the protocol of {name!r} varies too fast: more than {MOST_INTERVALS} steps by t = {end:g}; evolve "
                "over a part of the time, or over one period and again from there"
            )
        left = times < middle
        waiting += [(begin, middle, times[left], values[left]), (middle, end, times[~left], values[~left])]
    return knots


def _followed(at_nodes: np.ndarray, places: np.ndarray, values: np.ndarray, allowed: float) -> bool:
    """Whether the polynomial through the nodes meets the samples, at places in [−1, 1]."""
    fitted = np.polynomial.chebyshev.chebval(places, COEFFICIENTS @ at_nodes)
    return bool(np.abs(fitted - values).max() <= allowed)
