"""LU factorisations of generators: sparse ones, and dense ones where most cells are linked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sparse

FULL = 0.1
"""Share of elements that are not zero above which elimination fills a sparse matrix up anyway."""
DENSE = range(200, 8000)
"""Numbers of cells for which that matters, up to half a gigabyte."""

Solve = Callable[..., np.ndarray]


def factorise(matrix: Any, *, markov: bool) -> Solve:
    """Return the map (x, trans="N" or "T") → A⁻¹ x or A⁻ᵀ x.

    Parameters
    ----------
    matrix : sparse matrix, shape (n, n)
        A.
    markov : bool
        Whether A is a Markov generator or a multiple of one less a multiple of unity: its diagonal dominates, no
        pivoting is needed, and the order is that of a symmetric matrix.

    Raises
    ------
    RuntimeError
        If A is singular.

    Examples
    --------
    >>> solve = factorise(sparse.csc_array(np.array([[2.0, 0.0], [1.0, 4.0]])), markov=False)
    >>> solve(np.array([2.0, 9.0])), solve(np.array([3.0, 4.0]), "T")
    (array([1., 2.]), array([1., 1.]))
    """
    n = matrix.shape[0]
    if matrix.nnz > FULL * n * n and n in DENSE:
        return _dense(matrix)
    from scipy.sparse.linalg import splu

    options: dict[str, Any] = {}
    if markov:
        options = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
    solve: Solve = splu(sparse.csc_matrix(matrix), **options).solve
    return solve


def _dense(matrix: Any) -> Solve:
    from scipy.linalg.lapack import dgetrf, dgetrs

    factors, pivots, singular = dgetrf(np.asfortranarray(matrix.toarray()), overwrite_a=True)
    if singular:
        raise RuntimeError("Factor is exactly singular")

    def solve(rhs: np.ndarray, trans: str = "N") -> np.ndarray:
        return np.asarray(dgetrs(factors, pivots, rhs, trans=int(trans == "T"))[0])

    return solve
