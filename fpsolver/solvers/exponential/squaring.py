"""Repeated squaring of a dense stochastic matrix: any time, any small Markov generator, no subtraction."""

from __future__ import annotations

import numpy as np

from fpsolver.errors import MethodError
from fpsolver.solvers.exponential.system import EPSILON, Outcome, System
from fpsolver.solvers.exponential.uniformisation import poisson_weights

MOST_CELLS = 2000
NEGLIGIBLE = 1e-150
"""Probabilities cut to zero: their products would be subnormal numbers, a hundred times slower to multiply."""


def squaring(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Evolve a small Markov system by squaring e^{W dt}, made of non-negative numbers.

    After each squaring the diagonal is set from the rest of its column, so that a column sums to what it must (as in
    the elimination of Grassmann, Taksar and Heyman): errors are then relative errors of rates, and do not double.

    Parameters
    ----------
    system : System
        Markov, of at most 2000 cells.
    state : ndarray
        Cell probabilities, of total one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Error in L1 allowed for the truncation of the first factor.

    Raises
    ------
    MethodError
        If there are too many cells.
    """
    n = system.generator.n_state
    if n > MOST_CELLS:
        raise MethodError(f"method='squaring' stores {n}² numbers for {n} cells; above {MOST_CELLS} choose 'auto'")
    # absorbed probability is kept in one more state, so that all columns sum to one
    extended = np.append(state, 0.0)
    rows, start, most, applications = [], 0.0, 0, 0
    matrix, known = np.empty((0, 0)), 0.0
    for duration in durations:
        step = float(duration) - start
        if step > 0:
            if abs(step - known) > 1e-14 * float(duration):
                matrix, squarings = _propagator(system, step, tolerance)
                known, most = step, max(most, squarings)
                applications += squarings
            extended = matrix @ extended
        start = float(duration)
        rows.append(extended[:n])
    error = EPSILON * n * (most + 1) + 0.1 * tolerance
    return Outcome(np.array(rows), applications, float(error), "squaring")


def _propagator(system: System, step: float, tolerance: float) -> tuple[np.ndarray, int]:
    """Return e^{W step}, the absorbed state last, and the number of squarings."""
    rate = max(system.rate, 1e-300)
    squarings = max(0, int(np.ceil(np.log2(max(rate * step, 1e-300)))))
    n = system.generator.n_state
    kernel = np.zeros((n + 1, n + 1))
    kernel[:n, :n] = system.plain.dense() / rate
    kernel[n, :n] = system.generator.killing.ravel() / rate
    kernel[np.diag_indices(n + 1)] += 1.0
    kernel = np.maximum(kernel, 0.0)
    # what the series leaves out doubles with every squaring, as the number of factors does
    _, weights = poisson_weights(rate * step / 2.0**squarings, max(0.1 * tolerance / 2.0**squarings, 1e-30))
    result, power = np.eye(n + 1) * weights[0], np.eye(n + 1)
    for weight in weights[1:]:
        power = kernel @ power
        result += weight * power
    normalise_columns(result)
    for _ in range(squarings):
        result = result @ result
        normalise_columns(result)
    return result, squarings


def normalise_columns(matrix: np.ndarray) -> None:
    """Set each diagonal element, where it is the larger part of its column, from the rest; then scale the columns."""
    diagonal = np.diag(matrix).copy()
    np.fill_diagonal(matrix, 0.0)
    leaving = matrix.sum(axis=0)
    np.fill_diagonal(matrix, np.where(leaving < 0.5, 1.0 - leaving, diagonal))
    matrix[matrix < NEGLIGIBLE] = 0.0
    matrix /= matrix.sum(axis=0)
