"""Driven generators: extrapolated exponential midpoint steps, adaptive in length.

One step of length h is e^{hW(t + h/2)}, by the methods for autonomous generators: it conserves mass, is stable for
any h and, being symmetric in time, has an error in even powers of h. Crossing a span in 1, 2, 3, 4 and 5 such steps and
extrapolating gives order 10; the difference from the order-8 value of the last four controls the span. In L1 errors do
not grow under a Markov generator, so the local errors, each kept below its share of the tolerance, add up to no more
than all of it. What happens between the nodes of a span is not left to chance: spans are no longer than the intervals
on which the protocols themselves, sampled densely, are smooth. States in Hermite functions are measured by their
length, which bounds the L1 norm of the density.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from fpsolver.errors import ConvergenceError
from fpsolver.generators.driven import DrivenGenerator
from fpsolver.generators.rate_matrix import Generator
from fpsolver.solvers.exponential.protocols import resolved_knots
from fpsolver.solvers.exponential.system import Outcome, norm

DIVISIONS = (1, 2, 3, 4, 5)
INNER = 0.005
"""Tolerance of one exponential relative to that of a span; extrapolation multiplies their errors by 55 altogether."""
SHORTEST = 1e-10
"""Shortest span, relative to the whole time, before the control gives up."""
FINEST = 1e-13
"""Least tolerance asked of one exponential; double precision gives no less."""
FIRST_SPAN = 0.02
"""First span tried, relative to the whole time."""


@dataclass
class _Tally:
    """What the run has cost and how wrong it may be."""

    applications: int = 0
    error: float = 0.0
    methods: list[str] = field(default_factory=list)


def driven_propagation(
    generator: DrivenGenerator,
    state: np.ndarray,
    start: float,
    times: np.ndarray,
    tolerance: float,
    *,
    method: str,
    positive: bool,
) -> Iterator[Outcome]:
    """Yield the state at each time.

    Parameters
    ----------
    generator : DrivenGenerator
        Gives W(t); its breakpoints are never stepped across, nor short features of its protocols.
    state : ndarray
        State of total mass one at `start`.
    start : float
        Initial time.
    times : ndarray, shape (n_times,)
        Ascending, after `start`.
    tolerance : float
        Allowed error in L1 at the last time.
    method : str
        Method for each exponential.
    positive : bool
        Whether values may never be negative: then the steps are not extrapolated, and many more are needed.

    Raises
    ------
    ConvergenceError
        If spans shrink to nothing, as under a protocol with a jump that is not among its breakpoints.
    NumericalError
        If a protocol is singular.

    References
    ----------
    S. Blanes, F. Casas, J. A. Oteo and J. Ros, Phys. Rep. 470, 151 (2009), on the exponential midpoint rule;
    E. Hairer, S. P. Nørsett and G. Wanner, Solving Ordinary Differential Equations I, section II.9.
    """
    whole = float(times[-1]) - start
    marks = [float(b) for b in generator.breakpoints if start < b < times[-1]]
    protocols = getattr(generator.dynamics, "protocol", None) or {}
    knots = resolved_knots(protocols, [start, *marks, float(times[-1])], tolerance)
    marks = sorted({*marks, *knots})
    now, guess = start, FIRST_SPAN * whole
    tally = _Tally()
    for time in times:
        tally.applications = 0
        while now < time:
            end = min([float(time), *(mark for mark in marks if mark > now)])
            span = min(guess, end - now)
            if end - now - span < 0.1 * span:
                span = end - now
            share = 0.5 * tolerance * span / whole
            candidate, error = _cross(generator, state, now, span, share, tally, method=method, positive=positive)
            order = 3 if positive else 2 * len(DIVISIONS) - 1
            change = float(np.clip(0.9 * (share / max(error, 1e-300)) ** (1 / (order - 1)), 0.2, 3.0))
            if error > share:
                guess = span * min(change, 0.8)
                if guess < SHORTEST * whole:
                    raise ConvergenceError(
                        f"at t = {now:g} spans shrank to {guess:.1e}; if the protocol jumps there, declare a "
                        "breakpoint; rounding allows no tolerance below about 1e-11"
                    )
                continue
            state = candidate
            tally.error += error
            now = end if span == end - now else now + span
            guess = max(guess, span * change) if span < guess else span * change
        error = tally.error + 0.25 * tolerance
        yield Outcome(state[None], tally.applications, error, f"magnus ({', '.join(tally.methods)})")


def _cross(
    generator: DrivenGenerator,
    state: np.ndarray,
    now: float,
    span: float,
    share: float,
    tally: _Tally,
    *,
    method: str,
    positive: bool,
) -> tuple[np.ndarray, float]:
    """Return the state after a span, and the estimate of its error in L1."""
    inner = max(INNER * share, FINEST)
    # odd divisions share the generator in the middle of the span
    frozen = {0.5: generator.at(now + 0.5 * span)}
    column: list[np.ndarray] = []
    for n in DIVISIONS:
        parts = [(k + 0.5) / n for k in range(n)]
        middles = [frozen[part] if part in frozen else generator.at(now + part * span) for part in parts]
        column.append(_midpoint_steps(middles, state, span / n, inner, tally, method=method, positive=positive))
    plain = column[-1]
    below = column
    for level in range(1, len(DIVISIONS)):
        finer = []
        for j in range(level, len(DIVISIONS)):
            ratio = (DIVISIONS[j] / DIVISIONS[j - level]) ** 2
            finer.append(below[j - level + 1] + (below[j - level + 1] - below[j - level]) / (ratio - 1))
        column, below = below, finer
    best, next_best = below[-1], column[-1]
    chosen, other = (plain, best) if positive else (best, next_best)
    error = float(np.abs(chosen - other).sum()) if frozen[0.5].markov else norm(chosen - other)
    return chosen, error


def _midpoint_steps(
    middles: list[Generator],
    state: np.ndarray,
    h: float,
    tolerance: float,
    tally: _Tally,
    *,
    method: str,
    positive: bool,
) -> np.ndarray:
    """Return the state after one step of length h with each generator in turn."""
    from fpsolver.solvers.exponential.choose import propagation

    duration = np.array([h])
    for frozen in middles:
        mass = float(frozen.mass_weights @ state)
        for outcome in propagation(frozen, state, duration, tolerance, method=method, positive=positive):
            tally.applications += outcome.applications
            if outcome.method not in tally.methods:
                tally.methods.append(outcome.method)
            if len(outcome.states):
                state = outcome.states[-1]
        if not frozen.absorbing:
            state = state * (mass / float(frozen.mass_weights @ state))
    return state
