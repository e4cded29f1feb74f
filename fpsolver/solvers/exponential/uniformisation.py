"""Uniformisation: e^{tW} = Σ Poisson(k; ct) (1 + W/c)^k, sums of non-negative terms only."""

from __future__ import annotations

import numpy as np

from fpsolver.errors import ConvergenceError
from fpsolver.solvers.exponential.implicit import stationary_state
from fpsolver.solvers.exponential.system import EPSILON, Outcome, System

MOST_UPDATES = 3e10
"""Products times cells beyond which the series is not begun: some minutes."""
CHUNK = 4096
"""Powers between two looks at the change per step, which ends the series once the state has settled."""


def poisson_weights(mean: float, tolerance: float) -> tuple[int, np.ndarray]:
    """Return the first index and the Poisson probabilities, leaving out less than `tolerance` in both tails.

    Examples
    --------
    >>> first, weights = poisson_weights(100.0, 1e-12)
    >>> bool(abs(weights.sum() - 1) < 1e-12 and weights.min() > 0)
    True
    """
    from scipy.special import gammaln

    digits = np.log(4 / tolerance)
    # Bernstein: P(|k − m| ≥ x) ≤ 2 exp(−x²/(2m + 2x/3))
    spread = digits / 3 + np.sqrt(digits * digits / 9 + 2 * mean * digits)
    first = max(0, int(mean - spread))
    k = np.arange(first, int(mean + spread) + 2)
    mode = int(mean)
    ratios = np.zeros(len(k))
    # relative to the mode by a sum of logarithms: gammaln of large numbers would lose the digits asked for
    inner = np.log(mean / k[1:]) if mean > 0 else np.full(len(k) - 1, -np.inf)
    ratios[1:] = np.cumsum(inner)
    ratios -= ratios[mode - first]
    weights = np.exp(ratios)
    if first == 0:
        weights *= np.exp(-mean + mode * np.log(mean) - gammaln(mode + 1)) if mean < 50 else 1 / weights.sum()
    else:
        weights /= weights.sum()
    return first, weights


def uniformisation(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Evolve any Markov generator with non-negative arithmetic; the cost grows as the largest rate times time.

    The result is never negative, and small values are as accurate, relatively, as large ones. The series ends early
    once the state no longer changes: ‖(P − 1)P^k p‖₁ never grows, so it bounds all that is still to come.

    Parameters
    ----------
    system : System
        With edges of non-negative rates.
    state : ndarray
        Cell probabilities, of total one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Error in L1 allowed for truncation.

    Raises
    ------
    ConvergenceError
        If the time is so long that the products would take minutes, and the state does not come to rest before.

    References
    ----------
    A. Jensen, Scand. Actuar. J. 1953, 87; W. K. Grassmann, Eur. J. Oper. Res. 1, 122 (1977).
    """
    states, applications, error, start = [], 0, 0.0, 0.0
    share = tolerance / (4 * len(durations))
    most = MOST_UPDATES / len(state)
    for duration in durations:
        step = float(duration) - start
        if applications + system.rate * step > most:
            state, steps, slip = _settle(system, state, step, share, most - applications)
        else:
            state, steps, slip = _advance(system, state, step, share)
        start = float(duration)
        applications += steps
        error += share + slip
        states.append(state)
    return Outcome(np.array(states), applications, error, "uniformisation")


def _advance(system: System, state: np.ndarray, duration: float, tolerance: float) -> tuple[np.ndarray, int, float]:
    """Return the state after a duration, the steps taken and an estimate of rounding."""
    rate = system.rate
    mass = float(state.sum())
    if rate * duration == 0:
        return state, 0, 0.0
    first, weights = poisson_weights(rate * duration, tolerance)
    last = first + len(weights) - 1
    done, total, power = 0, np.zeros_like(state), state
    while done < last:
        steps = min(CHUNK, last - done)
        row = _row(first, weights, done, steps, include_first=done == 0)
        sums, power = _powers(system, power, row)
        total += sums
        done += steps
        if done < last and _settled(system, power, last - done, tolerance):
            rest = weights[max(0, done + 1 - first) :].sum()
            total += rest * power
            break
    if last == 0:
        total = weights[0] * state
    if not system.generator.absorbing:
        total *= mass / total.sum()
    # rounding of non-negative sums is relative in every cell; one unit per hop of the typical path
    return total, done, EPSILON * np.sqrt(max(done, 1)) * 2


def _settle(
    system: System, state: np.ndarray, duration: float, tolerance: float, most: float
) -> tuple[np.ndarray, int, float]:
    """Return the state after a duration too long for a series, if it comes to rest within `most` products.

    The distance to the stationary state never grows, so that it bounds the error of staying where it is small.
    """
    rest, doubt = stationary_state(system, tolerance)
    used, slip, now, span = 0, 0.0, 0.0, 1000.0 / system.rate
    while rest is not None and used < most and now + span < duration:
        distance = float(np.abs(state - rest).sum())
        if distance + doubt < tolerance:
            return state, used, slip + distance + doubt
        state, steps, lost = _advance(system, state, span, 0.01 * tolerance)
        now, used, slip = now + span, used + steps, slip + lost + 0.01 * tolerance
        span *= 1.5
    raise ConvergenceError(
        f"uniformisation would take {system.rate * duration:.1e} products and the density has not come to rest after "
        f"{used}; choose method='auto' without positive=True, a coarser grid (up to 2000 cells any time is short), or "
        "shorter times"
    )


def _row(first: int, weights: np.ndarray, done: int, steps: int, *, include_first: bool) -> np.ndarray:
    """Return the weights of the powers done, …, done + steps; the first only if it was not summed before."""
    row = np.zeros(steps + 1)
    k = np.arange(done, done + steps + 1) - first
    inside = (k >= 0) & (k < len(weights))
    row[inside] = weights[k[inside]]
    if not include_first:
        row[0] = 0.0
    return row


def _powers(system: System, state: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    steps = len(row) - 1
    sums, power = system.plain.polynomial(
        state,
        scale=1 / system.rate,
        shift=1.0,
        gains=np.ones(steps),
        pulls=np.zeros(steps),
        weights=row[None],
    )
    return sums[0], power


def _settled(system: System, power: np.ndarray, remaining: int, tolerance: float) -> bool:
    _, after = _powers(system, power, np.zeros(2))
    return float(np.abs(after - power).sum()) * remaining < tolerance
