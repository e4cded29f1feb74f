"""Scaled Taylor series of e^{hW}, shifted by the mean diagonal: for any generator, also one that is not Markov."""

from __future__ import annotations

import numpy as np

from fpsolver.solvers.exponential.system import EPSILON, Outcome, System

RADIUS = 4.0
"""Norm of one step's matrix: larger steps take fewer products and lose more digits, e^{2·RADIUS} units of rounding."""
MOST_TERMS = 60


def taylor(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Evolve any generator by a Taylor series in steps of moderate norm.

    Parameters
    ----------
    system : System
        Any.
    state : ndarray
        State of total mass one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Allowed error in L1 (in the norm of the state vector where that is not a vector of probabilities).

    References
    ----------
    A. H. Al-Mohy and N. J. Higham, SIAM J. Sci. Comput. 33, 488 (2011).
    """
    shift, norm = shifted_norm(system)
    total_steps = max(1, int(np.ceil(norm * float(durations[-1]) / RADIUS)))
    share = 0.5 * tolerance / (total_steps + len(durations))
    rows, start, applications, growth = [], 0.0, 0, 0.0
    for duration in durations:
        span = float(duration) - start
        steps = max(1, int(np.ceil(norm * span / RADIUS)))
        for _ in range(steps if span > 0 else 0):
            state, terms, sizes = _step(system, state, span / steps, shift, norm, share)
            applications += terms
            growth += EPSILON * sizes
        start = float(duration)
        rows.append(state)
    return Outcome(np.array(rows), applications, 0.5 * tolerance + growth, "taylor")


def shifted_norm(system: System) -> tuple[float, float]:
    """Return the mean diagonal μ of W, and the 1-norm of W − μ."""
    matrix = system.generator.matrix
    diagonal = matrix.diagonal()
    shift = float(diagonal.mean())
    # column sums of |W|, with the diagonal exchanged for its distance to the mean
    columns = np.asarray(abs(matrix).sum(axis=0)).ravel() - np.abs(diagonal) + np.abs(diagonal - shift)
    return shift, float(columns.max())


def _step(
    system: System, state: np.ndarray, h: float, shift: float, norm: float, tolerance: float
) -> tuple[np.ndarray, int, float]:
    """Return e^{hW} state, the products taken, and the sum of the sizes of all terms."""
    matrix = system.generator.matrix
    factor = np.exp(shift * h)
    term, total = state * factor, state * factor
    sizes = float(np.abs(term).sum())
    for k in range(1, MOST_TERMS + 1):
        term = (matrix @ term - shift * term) * (h / k)
        total = total + term
        size = float(np.abs(term).sum())
        sizes += size
        ratio = h * norm / (k + 1)
        if ratio < 0.9 and size * ratio / (1 - ratio) < tolerance:
            return total, k, 0.2 * sizes
    return total, MOST_TERMS, 0.2 * sizes
