"""Solving W x = b and Wᵀ x = b for Markov generators of any size, with an estimate of the error.

Four routes, chosen by size: subtraction-free elimination (small, or one-dimensional of any length), sparse LU, and
GMRES, preconditioned by algebraic multigrid, or by itself where jumps are long.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import AccuracyWarning, ConvergenceError, MethodError
from fpsolver.solvers.elimination import bandwidth, eliminate_network
from fpsolver.solvers.factorisation import factorise
from fpsolver.solvers.krylov import Operator
from fpsolver.solvers.long_jumps import FULL, LongJumps
from fpsolver.solvers.multigrid import Multigrid

METHODS = ("auto", "elimination", "lu", "multigrid", "jumps")

# Operations that elimination may cost before a factorisation is preferred (about 0.2 s), and before it is given up as
# the remedy for a factorisation that has lost its digits (about 10 s).
_QUICK_ELIMINATION, _LAST_ELIMINATION = 3e8, 1.5e10
# Cells up to which LU is preferred: fill grows as n log n on a plane, as n^(4/3) in space.
_LU_PLANE, _LU_SPACE = 150_000, 15_000
# Cells up to which LU is tried where multigrid fails.
_LAST_LU = 1_100_000


def solve_generator(
    matrix: Any,
    rhs: Any,
    tolerance: float = 1e-8,
    *,
    adjoint: bool = False,
    killing: Any = None,
    method: str = "auto",
) -> tuple[np.ndarray, dict[str, Any]]:
    """Solve W x = rhs, or Wᵀ x = rhs, for a generator W that loses probability somewhere.

    Parameters
    ----------
    matrix : sparse matrix, shape (n, n)
        W, acting on cell probabilities: element (i, j) is the rate j → i, columns sum to −killing. Restrict it to the
        cells outside a target by slicing; what the target takes is then part of the killing.
    rhs : array_like, shape (n,) or (n, m)
        Right-hand sides: −1 for a mean first-passage time (with ``adjoint=True``).
    tolerance : float
        Error of the solution that is asked for, relative to its largest element (adjoint) or its sum.
    adjoint : bool
        Solve with Wᵀ, the backward operator, instead of W.
    killing : array_like, shape (n,), optional
        Rate out of W from each cell, ≥ 0. Give it where it is known: recomputed from the columns of W it
        carries rounding errors, which a high barrier magnifies.
    method : {"auto", "elimination", "lu", "multigrid", "jumps"}
        The route; "auto" chooses by size, and "jumps" (GMRES) where rows are full because jumps are long.

    Returns
    -------
    solution : ndarray
        x, of the shape of `rhs`.
    stats : dict
        "method", "residual" (relative), "estimated_error" (relative, an upper bound up to rounding) and "iterations".

    Raises
    ------
    MethodError
        If some cells never reach a place where probability is lost, so that W is singular.
    ConvergenceError
        If multigrid does not converge and the problem is too large for a factorisation.

    Warns
    -----
    AccuracyWarning
        If the estimated error exceeds the tolerance.

    Examples
    --------
    Mean time to leave two sites, hopping at rate 1 between them and at rate 1 out of the second.

    >>> W = sparse.csr_array(np.array([[-1.0, 1.0], [1.0, -2.0]]))
    >>> solution, stats = solve_generator(W, [-1.0, -1.0], adjoint=True)
    >>> solution, stats["method"]
    (array([3., 2.]), 'elimination')
    """
    if method not in METHODS:
        raise MethodError(f"method = {method!r} is not one of {', '.join(METHODS)}")
    columns = sparse.csr_array(matrix)
    given = np.asarray(rhs, dtype=float)
    if given.shape[:1] != columns.shape[:1]:
        raise MethodError(f"a right-hand side of shape {given.shape} does not fit a matrix of shape {columns.shape}")
    if given.size == 0:
        return given.copy(), {"method": "none", "residual": 0.0, "estimated_error": 0.0, "iterations": 0}
    problem = _Problem(columns, killing, adjoint)
    route = _route(problem) if method == "auto" else method
    if route == "elimination":
        return problem.eliminate(given)
    fallback = method == "auto" and problem.size <= _LAST_LU
    parts = problem.solve_all(given.reshape(len(given), -1).T, route, tolerance, fallback)
    worst = max(part[1]["estimated_error"] for part in parts)
    if worst > tolerance and method == "auto" and problem.markov and problem.cost < _LAST_ELIMINATION:
        return problem.eliminate(given)
    if worst > tolerance:
        warnings.warn(
            f"the solution by {parts[0][1]['method']} may be wrong by {worst:.1e} of its size, more than the tolerance "
            f"{tolerance:.1e}: the slowest escape is lost in the rounding of the fastest rate; coarsen the grid "
            'or, on a narrow grid, use method="elimination"',
            AccuracyWarning,
            stacklevel=2,
        )
    stats = {**parts[0][1], "estimated_error": worst, "residual": max(part[1]["residual"] for part in parts)}
    return np.stack([part[0] for part in parts], axis=-1).reshape(given.shape), stats


def inverse_generator(
    matrix: Any, killing: Any = None, *, adjoint: bool = False, tolerance: float = 1e-11
) -> tuple[Operator, str]:
    """Return the map x → (−W)⁻¹ x, or x → (−Wᵀ)⁻¹ x, prepared once for many solves, and the name of its method.

    Parameters
    ----------
    matrix : sparse matrix, shape (n, n)
        W, Markov and losing probability from every cell sooner or later.
    killing : array_like, shape (n,), optional
        Rate out of W from each cell; from the columns of W if left out.
    adjoint : bool
        Invert −Wᵀ instead.
    tolerance : float
        Residual of each solve, where multigrid does it.
    """
    problem = _Problem(sparse.csr_array(matrix), killing, adjoint)
    route = _route(problem)
    if route == "elimination":
        network = eliminate_network(problem.matrix, problem.killing)
        return (network.backward if adjoint else network.forward), "elimination"
    solver = problem.solver(route)
    return (lambda x: -solver(x, tolerance)[0]), solver.name


class _Problem:
    """One matrix, with what is needed to solve it by any route and to judge the answer."""

    def __init__(self, matrix: sparse.csr_array, killing: Any, adjoint: bool) -> None:
        self.matrix = matrix
        self.adjoint = adjoint
        self.size = matrix.shape[0]
        self.diagonal = matrix.diagonal()
        self.markov = bool((matrix.data >= 0).sum() + (self.diagonal < 0).sum() == matrix.nnz)
        self.killing = _killing(matrix, self.diagonal) if killing is None else np.asarray(killing, dtype=float).ravel()
        self.band = bandwidth(matrix)

    @property
    def cost(self) -> float:
        """Operations of an elimination, or infinity where its table would not fit."""
        folded = 2 if self._is_ring() else self.band
        return np.inf if self.size * (2.0 * folded + 1) > 1e8 else self.size * float(folded) ** 2

    def _is_ring(self) -> bool:
        """Whether the band is as wide as the matrix only because a chain closes on itself."""
        return self.band == self.size - 1 and self.matrix.nnz <= 3 * self.size

    def eliminate(self, rhs: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """Solve without subtractions; a right-hand side of both signs is split into two."""
        network = eliminate_network(self.matrix, self.killing)
        solve = network.backward if self.adjoint else network.forward
        solution = solve(np.maximum(-rhs, 0.0))
        if (rhs > 0).any():
            solution = solution - solve(np.maximum(rhs, 0.0))
        size = np.abs(rhs).max()
        error = self.apply(solution) - rhs
        residual = float(np.abs(error).max() / size) if size else 0.0
        # Rounding adds up at random over the states that a path is rerouted through.
        estimated = float(4 * np.finfo(float).eps * np.sqrt(self.size))
        return solution, {"method": "elimination", "residual": residual, "estimated_error": estimated, "iterations": 0}

    def apply(self, vector: np.ndarray) -> np.ndarray:
        """Return W x or Wᵀ x."""
        return self.matrix.T @ vector if self.adjoint else self.matrix @ vector

    def solve_all(self, columns: np.ndarray, route: str, tolerance: float, fallback: bool) -> list[Any]:
        """Solve each right-hand side by LU or multigrid, by LU where multigrid does not converge."""
        try:
            solver = self.solver(route)
            return [self.solve(column, solver, tolerance) for column in columns]
        except ConvergenceError:
            if not fallback:
                raise
        return self.solve_all(columns, "lu", tolerance, False)

    def solve(self, rhs: np.ndarray, solve: Any, tolerance: float) -> tuple[np.ndarray, dict[str, Any]]:
        """Solve one right-hand side to the tolerance, which a loose solve with the size of the residual translates.

        The inverse of an M-matrix is non-negative, so that |x − x̂| ≤ |W⁻¹| |r|; to the residual r is added what the
        rounding of the elements of W may change.
        """
        size = np.abs(rhs).max()
        if size == 0.0:
            return np.zeros_like(rhs), {"method": solve.name, "residual": 0.0, "estimated_error": 0.0, "iterations": 0}
        solution, iterations = solve(rhs, 1e-3)
        residual = rhs - self.apply(solution)
        doubt = self._doubt(residual, solution)
        bound, loose = solve(-doubt, 0.2)
        norm: Callable[[np.ndarray], float] = np.max if self.adjoint else np.sum
        error = float(norm(np.abs(bound)) / norm(np.abs(solution)))
        goal, before = 0.3 * tolerance, float(norm(doubt))
        if error > goal:
            step, more = solve(residual, max(goal / error, 1e-12))
            solution += step
            residual = rhs - self.apply(solution)
            error *= float(norm(self._doubt(residual, solution))) / before
            iterations += more
        return solution, {
            "method": solve.name,
            "residual": float(np.abs(residual).max() / size),
            "estimated_error": error,
            "iterations": iterations + loose,
        }

    def _doubt(self, residual: np.ndarray, solution: np.ndarray) -> np.ndarray:
        """Return how far each equation may be from holding."""
        return np.abs(residual) + np.finfo(float).eps * np.abs(self.diagonal * solution)

    def solver(self, route: str) -> Any:
        """Return a solver by sparse LU, or by GMRES with algebraic multigrid or on the jumps themselves."""
        if route == "lu":
            return _Factorised(self.matrix, self.adjoint, self.markov)
        if route == "jumps":
            return LongJumps(self.matrix, self.adjoint)
        return Multigrid(self.matrix, self.adjoint, self.killing)


def _killing(matrix: sparse.csr_array, diagonal: np.ndarray) -> np.ndarray:
    """Return minus the column sums, with what is rounding taken for zero."""
    lost = -np.asarray(matrix.sum(axis=0)).ravel()
    return np.where(lost > 8 * np.finfo(float).eps * np.abs(diagonal), lost, 0.0)


def _route(problem: _Problem) -> str:
    if problem.markov and problem.cost <= _QUICK_ELIMINATION:
        return "elimination"
    if problem.markov and problem.matrix.nnz > FULL * problem.size:
        return "jumps"
    plane = problem.band <= 4 * np.sqrt(problem.size)
    if not problem.markov or problem.size <= (_LU_PLANE if plane else _LU_SPACE):
        return "lu"
    return "multigrid"


class _Factorised:
    """LU of −W, which is sparse as a rule."""

    name = "sparse LU"

    def __init__(self, matrix: sparse.csr_array, adjoint: bool, markov: bool) -> None:
        try:
            self.factors = factorise(matrix, markov=markov)
        except RuntimeError:
            raise MethodError(
                "the generator is singular: from some cells nothing ever reaches the target or an absorbing wall; "
                "connect them to the rest or leave them out"
            ) from None
        self.transpose = "T" if adjoint else "N"

    def __call__(self, rhs: np.ndarray, tolerance: float) -> tuple[np.ndarray, int]:
        return self.factors(rhs, self.transpose), 0
