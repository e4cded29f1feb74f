"""Algebraic multigrid for generators: GMRES preconditioned by one V-cycle of Ruge and Stüben's method.

The hierarchy is always set up on −Wᵀ, an M-matrix whose rows sum to the killing rates, for which interpolation is known
to work; the forward problem uses the transposed hierarchy, whose convergence is the same because a transposed
iteration has the same spectrum.

Source: J. W. Ruge, K. Stüben, in Multigrid Methods, ed. S. F. McCormick (SIAM 1987), ch. 4; set up by pyamg.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.solvers.krylov import gmres

# Unknowns at which a dense factorisation takes over.
_COARSE = 300


@dataclass(frozen=True, eq=False)
class _Level:
    """A matrix, and the map from the next coarser level, whose transpose restricts, in both problems."""

    matrix: sparse.csr_matrix
    interpolation: sparse.csr_matrix


class Multigrid:
    """A solver of −W x = b or −Wᵀ x = b for large generators.

    Parameters
    ----------
    matrix : sparse matrix
        W, losing probability somewhere.
    adjoint : bool
        Solve with Wᵀ.
    """

    name = "multigrid GMRES"

    def __init__(self, matrix: Any, adjoint: bool) -> None:
        import pyamg
        from scipy.linalg import lu_factor

        backward = sparse.csr_matrix(matrix.T)
        backward.data *= -1.0
        hierarchy = pyamg.ruge_stuben_solver(
            backward, max_coarse=_COARSE, presmoother=None, postsmoother=None, coarse_solver="lu"
        )
        self.operator = backward if adjoint else sparse.csr_matrix(backward.T)
        del backward
        levels = hierarchy.levels
        del hierarchy
        self.levels: list[_Level] = []
        # Each level is freed once it is turned, so that the two hierarchies never exist side by side.
        for depth, level in enumerate(levels[:-1]):
            turned = self.operator if depth == 0 else level.A if adjoint else sparse.csr_matrix(level.A.T)
            level.A = None
            level.R = None
            self.levels.append(_Level(turned, level.P))
        coarsest = levels[-1].A.toarray()
        self.factors = lu_factor(coarsest if adjoint else coarsest.T)

    def __call__(self, rhs: np.ndarray, tolerance: float) -> tuple[np.ndarray, int]:
        """Return x for W x = rhs to a relative residual, and the number of V-cycles."""
        return gmres(self.operator.__matmul__, self.cycle, -rhs, tolerance)

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
