"""Solving with generators of long jumps, whose rows are too full for a factorisation."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.solvers.krylov import gmres

FULL = 100
"""Elements a row from which jumps are long: a factorisation fills up, and products mix fast."""


class LongJumps:
    """GMRES on W or Wᵀ scaled by the total rates, 1 − (what one jump does).

    Jumps that are long against the cells smooth: the operator of one jump is all but of finite rank, so that GMRES
    takes a number of steps that does not grow with the grid. Rare events, with rates below the rounding of the fastest
    one, it cannot see, and its error estimate says so.

    Parameters
    ----------
    matrix : sparse.csr_array, shape (n, n)
        W, losing probability somewhere.
    adjoint : bool
        Solve with Wᵀ.

    Examples
    --------
    >>> rates = np.full((50, 50), 0.02) - np.diag(np.full(50, 1.1))
    >>> x, _ = LongJumps(sparse.csr_array(rates), True)(-np.ones(50), 1e-12)
    >>> bool(np.allclose(x, 10.0))
    True
    """

    name = "GMRES on jumps"

    def __init__(self, matrix: Any, adjoint: bool) -> None:
        self.matrix = sparse.csr_array(matrix.T) if adjoint else matrix
        self.diagonal = matrix.diagonal()

    def __call__(self, rhs: np.ndarray, tolerance: float) -> tuple[np.ndarray, int]:
        """Return the solution and the number of products."""
        return gmres(self._apply, self._scale, rhs, tolerance, restart=80, cycles=10)

    def _apply(self, vector: np.ndarray) -> np.ndarray:
        return self.matrix @ vector

    def _scale(self, vector: np.ndarray) -> np.ndarray:
        return vector / self.diagonal
