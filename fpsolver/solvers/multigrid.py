"""Algebraic multigrid for generators: GMRES preconditioned by one V-cycle of Ruge and Stüben's method.

The hierarchy is always set up on −Wᵀ, an M-matrix whose rows sum to the killing rates, for which interpolation is known
to work; the forward problem uses the transposed hierarchy, whose convergence is the same because a transposed
iteration has the same spectrum.

Source: J. W. Ruge, K. Stüben, in Multigrid Methods, ed. S. F. McCormick (SIAM 1987), ch. 4; set up by pyamg.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.solvers.krylov import gmres
from fpsolver.solvers.reduction import reduce_network

# Unknowns at which a dense factorisation takes over.
_COARSE = 300


@dataclass(frozen=True, eq=False)
class _Level:
    """A matrix, and the map from the next coarser level, whose transpose restricts, in both problems."""

    matrix: sparse.csr_matrix
    interpolation: sparse.csr_matrix


class Multigrid:
    """A solver of W x = b or Wᵀ x = b for large Markov generators.

    On a grid every other cell is first taken out exactly (`reduce_network`): what is left is the first coarse level
    that Ruge and Stüben's method would choose by itself, so that a cycle is spared the work on the finest one.

    Parameters
    ----------
    matrix : csr_array
        W, losing probability somewhere.
    adjoint : bool
        Solve with Wᵀ.
    killing : ndarray
        Rate at which each cell loses probability.
    """

    name = "multigrid GMRES"

    def __init__(self, matrix: Any, adjoint: bool, killing: np.ndarray) -> None:
        from scipy.linalg import lu_factor

        self.adjoint = adjoint
        self.reduction = reduce_network(matrix, killing)
        if self.reduction is None:
            backward = sparse.csr_matrix(matrix.T)
        else:
            backward = sparse.csr_matrix(self.reduction.reduced.T)
            # Freed before the set-up, which is the peak of memory.
            self.reduction = replace(self.reduction, reduced=None)
        backward.data *= -1.0
        levels = _hierarchy(backward)
        del backward
        self.levels: list[_Level] = []
        # Each level is freed once it is turned, so that the two hierarchies never exist side by side.
        for level in levels[:-1]:
            turned = level.A if adjoint else sparse.csr_matrix(level.A.T)
            level.A = None
            self.levels.append(_Level(turned, level.P))
        coarsest = levels[-1].A.toarray()
        self.coarsest = coarsest if adjoint else coarsest.T
        self.operator = self.levels[0].matrix if self.levels else self.coarsest
        self.factors = lu_factor(self.coarsest)

    def __call__(self, rhs: np.ndarray, tolerance: float) -> tuple[np.ndarray, int]:
        """Return x for W x = rhs to a relative residual, and the number of V-cycles."""
        source = rhs if self.reduction is None else self.reduction.source(rhs, self.adjoint)
        solution, iterations = gmres(self.operator.__matmul__, self.cycle, -source, tolerance)
        return self._extended(solution, rhs), iterations

    def approximate(self, rhs: np.ndarray) -> np.ndarray:
        """Return an approximate x for W x = rhs, linear in `rhs`, by one V-cycle; symmetric where W is."""
        source = rhs if self.reduction is None else self.reduction.source(rhs, self.adjoint)
        return self._extended(self.cycle(-source), rhs)

    def extended_from_coarse(self, solution: np.ndarray) -> np.ndarray:
        """Return a function on all cells that solves W x = 0 where cells were taken out, from one on the others."""
        if self.reduction is None:
            return solution
        return self._extended(solution, np.zeros(len(self.reduction.left)))

    def _extended(self, solution: np.ndarray, rhs: np.ndarray) -> np.ndarray:
        return solution if self.reduction is None else self.reduction.extended(solution, rhs, self.adjoint)

    def cycle(self, rhs: np.ndarray, depth: int = 0) -> np.ndarray:
        """Return the result of one V-cycle from zero.

        Smoothing is by symmetric Gauss–Seidel sweeps: sweeps in one direction stall where drift dominates diffusion
        across a cell.
        """
        from pyamg.relaxation.relaxation import gauss_seidel
        from scipy.linalg import lu_solve

        if depth == len(self.levels):
            return lu_solve(self.factors, rhs, check_finite=False)
        level = self.levels[depth]
        solution = np.zeros_like(rhs)
        gauss_seidel(level.matrix, solution, rhs, sweep="symmetric")
        residual = rhs - level.matrix @ solution
        solution += level.interpolation @ self.cycle(level.interpolation.T @ residual, depth + 1)
        gauss_seidel(level.matrix, solution, rhs, sweep="symmetric")
        return solution


def _hierarchy(backward: sparse.csr_matrix) -> list[Any]:
    """Return the levels of a hierarchy for −Wᵀ, with matrices `A` and interpolations `P`."""
    import pyamg

    hierarchy = pyamg.ruge_stuben_solver(
        backward, max_coarse=_COARSE, presmoother=None, postsmoother=None, coarse_solver="lu"
    )
    for level in hierarchy.levels:
        level.R = None
    return hierarchy.levels
