"""GMRES, preconditioned by multigrid.

Products of long vectors go through `einsum`, not through BLAS: its threads cost more than they gain for so little work
per number, a hundred times more where other programs share the cores, and sums would depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fpsolver.errors import ConvergenceError

Operator = Callable[[np.ndarray], np.ndarray]


def inner(left: np.ndarray, right: np.ndarray) -> float:
    """Return the scalar product of two real vectors."""
    return float(np.einsum("i,i->", left, right))


def length(vector: np.ndarray) -> float:
    """Return the Euclidean norm of a real vector."""
    return float(np.sqrt(np.einsum("i,i->", vector, vector)))


def gmres(
    operator: Operator,
    precondition: Operator,
    rhs: np.ndarray,
    tolerance: float,
    *,
    restart: int = 12,
    cycles: int = 20,
) -> tuple[np.ndarray, int]:
    """Solve A x = rhs by restarted GMRES, preconditioned from the right so that the true residual is seen.

    Parameters
    ----------
    operator, precondition : callable
        x → A x and x → M⁻¹ x.
    rhs : ndarray, shape (n,)
        Right-hand side.
    tolerance : float
        Residual at which to stop, relative to `rhs`, in the Euclidean norm.
    restart : int
        Vectors kept before a restart, which sets the memory.
    cycles : int
        Restarts before giving up.

    Returns
    -------
    solution : ndarray
        x.
    iterations : int
        Applications of the preconditioner.

    Raises
    ------
    ConvergenceError
        If the residual still exceeds the tolerance.
    """
    solution, residual, iterations = np.zeros_like(rhs), rhs.copy(), 0
    goal = tolerance * length(rhs)
    before = np.inf
    for _ in range(cycles):
        size = length(residual)
        if size <= goal:
            return solution, iterations
        if size > 0.8 * before:
            break
        before = size
        step, used = _gmres_cycle(operator, precondition, residual, goal, restart)
        solution += step
        iterations += used
        residual = rhs - operator(solution)
    size = length(residual)
    # Below the rounding of A x nothing can be gained, and the caller's error estimate says so.
    if size <= max(goal, 1e-7 * length(rhs)):
        return solution, iterations
    raise ConvergenceError(
        f"multigrid GMRES stopped at a relative residual of {size / length(rhs):.1e} after {iterations} "
        'iterations; use method="lu" if the memory allows'
    )


def _gmres_cycle(
    operator: Operator, precondition: Operator, residual: np.ndarray, goal: float, restart: int
) -> tuple[np.ndarray, int]:
    """Return the correction of one GMRES cycle and the number of steps it took."""
    size = length(residual)
    basis = np.empty((restart + 1, len(residual)))
    np.divide(residual, size, out=basis[0])
    projected = np.zeros((restart + 1, restart))
    weights: np.ndarray = np.zeros(0)
    for k in range(restart):
        vector = operator(precondition(basis[k]))
        for j in range(k + 1):
            projected[j, k] = inner(basis[j], vector)
            vector -= projected[j, k] * basis[j]
        projected[k + 1, k] = length(vector)
        target = np.zeros(k + 2)
        target[0] = size
        square = projected[: k + 2, : k + 1]
        weights = np.linalg.lstsq(square, target, rcond=None)[0]
        if np.linalg.norm(square @ weights - target) <= 0.7 * goal or projected[k + 1, k] <= 1e-14 * size:
            break
        np.divide(vector, projected[k + 1, k], out=basis[k + 1])
    combined = np.einsum("i,ij->j", weights, basis[: len(weights)])
    return precondition(combined), len(weights)
