"""Krylov iterations preconditioned by multigrid: GMRES, and conjugate gradients for symmetric matrices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fpsolver.errors import ConvergenceError

Operator = Callable[[np.ndarray], np.ndarray]


def conjugate_gradients(
    operator: Operator, precondition: Operator, rhs: np.ndarray, tolerance: float, maximum: int = 300
) -> np.ndarray:
    """Solve A x = rhs for a symmetric, positive semidefinite A and a right-hand side in its range.

    Parameters
    ----------
    operator, precondition : callable
        x → A x and x → M⁻¹ x, symmetric.
    rhs : ndarray, shape (n,)
        Right-hand side.
    tolerance : float
        Residual at which to stop, relative to `rhs`, in the Euclidean norm.
    maximum : int
        Iterations before giving up.

    Raises
    ------
    ConvergenceError
        If the residual still exceeds the tolerance.

    Examples
    --------
    >>> matrix = np.diag([1.0, 2.0, 4.0])
    >>> conjugate_gradients(matrix.__matmul__, lambda x: x, np.ones(3), 1e-10).round(9).tolist()
    [1.0, 0.5, 0.25]
    """
    solution, residual = np.zeros_like(rhs), rhs.copy()
    goal = tolerance * float(np.linalg.norm(rhs))
    direction, before = np.zeros_like(rhs), 1.0
    for _ in range(maximum):
        if np.linalg.norm(residual) <= goal:
            return solution
        guess = precondition(residual)
        overlap = float(residual @ guess)
        direction = guess + (overlap / before) * direction
        before = overlap
        image = operator(direction)
        length = overlap / float(direction @ image)
        solution += length * direction
        residual -= length * image
    raise ConvergenceError(
        f"conjugate gradients stopped at a relative residual of {np.linalg.norm(residual) / np.linalg.norm(rhs):.1e} "
        f"after {maximum} iterations; coarsen the grid or raise the temperature"
    )


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
    goal = tolerance * float(np.linalg.norm(rhs))
    before = np.inf
    for _ in range(cycles):
        size = float(np.linalg.norm(residual))
        if size <= goal:
            return solution, iterations
        if size > 0.8 * before:
            break
        before = size
        step, used = _gmres_cycle(operator, precondition, residual, goal, restart)
        solution += step
        iterations += used
        residual = rhs - operator(solution)
    size = float(np.linalg.norm(residual))
    # Below the rounding of A x nothing can be gained, and the caller's error estimate says so.
    if size <= max(goal, 1e-7 * float(np.linalg.norm(rhs))):
        return solution, iterations
    raise ConvergenceError(
        f"multigrid GMRES stopped at a relative residual of {size / np.linalg.norm(rhs):.1e} after {iterations} "
        'iterations; use method="lu" if the memory allows'
    )


def _gmres_cycle(
    operator: Operator, precondition: Operator, residual: np.ndarray, goal: float, restart: int
) -> tuple[np.ndarray, int]:
    """Return the correction of one GMRES cycle and the number of steps it took."""
    size = float(np.linalg.norm(residual))
    basis = [residual / size]
    projected = np.zeros((restart + 1, restart))
    weights: np.ndarray = np.zeros(0)
    for k in range(restart):
        vector = operator(precondition(basis[k]))
        for j, old in enumerate(basis):
            projected[j, k] = old @ vector
            vector -= projected[j, k] * old
        projected[k + 1, k] = np.linalg.norm(vector)
        target = np.zeros(k + 2)
        target[0] = size
        square = projected[: k + 2, : k + 1]
        weights = np.linalg.lstsq(square, target, rcond=None)[0]
        if np.linalg.norm(square @ weights - target) <= 0.7 * goal or projected[k + 1, k] <= 1e-14 * size:
            break
        vector /= projected[k + 1, k]
        basis.append(vector)
    combined = np.zeros_like(residual)
    for weight, vector in zip(weights, basis, strict=False):
        combined += weight * vector
    return precondition(combined), len(weights)
