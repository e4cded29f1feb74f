"""The dominant eigenpairs of an operator by Arnoldi's method, restarted as Krylov and Schur vectors.

Source: G. W. Stewart, SIAM J. Matrix Anal. Appl. 23, 601 (2001).
"""

from __future__ import annotations

import numpy as np

from fpsolver.errors import ConvergenceError
from fpsolver.solvers.krylov import Operator, length

# Numbers that a product over a part of the vectors handles, few enough for BLAS to use one thread.
_BLOCK = 256


def dominant_pairs(
    operator: Operator, start: np.ndarray, k: int, tolerance: float, *, vectors: int = 0, restarts: int = 300
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k eigenvalues of largest modulus of a real operator, in descending order, and their vectors.

    Parameters
    ----------
    operator : callable
        x → A x for real vectors.
    start : ndarray, shape (n,)
        First vector of the Krylov space; what it lacks of a mode is found by rounding only.
    k : int
        Number of eigenpairs; of a conjugate pair both are returned, so that there may be one more.
    tolerance : float
        Residual ‖A x − θ x‖ relative to |θ|.
    vectors : int
        Vectors kept, which sets the memory; by default 2 k + 12.
    restarts : int
        Restarts before giving up.

    Returns
    -------
    values : ndarray, shape (k or k + 1,)
        Eigenvalues, real if all of them are.
    vectors : ndarray, shape (n, k or k + 1)
        Eigenvectors of norm 1 as columns.

    Raises
    ------
    ConvergenceError
        If a residual still exceeds the tolerance.

    Examples
    --------
    >>> matrix = np.diag(np.arange(1.0, 41.0))
    >>> values, _ = dominant_pairs(matrix.__matmul__, np.ones(40), 2, 1e-10)
    >>> values.round(8).tolist()
    [40.0, 39.0]
    """
    size = len(start)
    most = min(size, vectors or 2 * k + 12)
    basis = np.empty((most + 1, size))
    np.divide(start, length(start), out=basis[0])
    projected = np.zeros((most + 1, most))
    held = 0
    for _ in range(restarts):
        used = _expand(operator, basis, projected, held, most)
        values, small = np.linalg.eig(projected[:used, :used])
        order = _wanted(values, k)
        values, small = values[order], small[:, order]
        rest = np.abs(projected[used, :used] @ small)
        if used < most or most == size or (rest <= tolerance * np.abs(values)).all():
            found = np.einsum("ji,jk->ki", basis[:used], small)
            return values, (found / np.linalg.norm(found, axis=1, keepdims=True)).T
        held = _restart(basis, projected, used, k + (used - k) // 2)
    raise ConvergenceError(
        f"Arnoldi's iteration stopped at a relative residual of {(rest / np.abs(values)).max():.1e} after {restarts} "
        "restarts; ask for more or fewer modes, or coarsen the grid"
    )


def _expand(operator: Operator, basis: np.ndarray, projected: np.ndarray, held: int, most: int) -> int:
    """Continue the basis from `held` vectors to `most`; return how many there are, fewer if they are invariant."""
    for j in range(held, most):
        vector = np.array(operator(basis[j]), dtype=float)
        size = length(vector)
        # One pass leaves what rounding of a strong cancellation makes; a second one suffices.
        for _ in range(2):
            overlap = np.einsum("ij,j->i", basis[: j + 1], vector)
            vector -= np.einsum("i,ij->j", overlap, basis[: j + 1])
            projected[: j + 1, j] += overlap
        rest = length(vector)
        if rest <= 1e-14 * size:
            projected[j + 1] = 0.0
            return j + 1
        projected[j + 1, j] = rest
        np.divide(vector, rest, out=basis[j + 1])
    return most


def _wanted(values: np.ndarray, k: int) -> np.ndarray:
    """Return the order of the k largest values, and one more where a conjugate pair would be parted."""
    order = np.lexsort((values.imag, -np.abs(values)))
    if k < len(order) and values[order[k - 1]].imag and values[order[k]] == values[order[k - 1]].conj():
        return order[: k + 1]
    return order[:k]


def _restart(basis: np.ndarray, projected: np.ndarray, used: int, keep: int) -> int:
    """Compress the basis to the Schur vectors of the dominant values; return how many were kept."""
    from scipy.linalg import schur

    moduli = np.sort(np.abs(np.linalg.eigvals(projected[:used, :used])))[::-1]
    # The middle of a gap cannot part a conjugate pair.
    last = int(np.argmax(moduli[keep - 1 : used - 1] > moduli[keep:used] * (1 + 1e-10))) + keep
    threshold = 0.5 * (moduli[last - 1] + moduli[last])

    def dominant(real: float, imaginary: float) -> bool:
        return abs(complex(real, imaginary)) > threshold

    triangle, rotation, held = schur(projected[:used, :used], output="real", sort=dominant)
    link = projected[used, :used] @ rotation
    for at in range(0, basis.shape[1], _BLOCK):
        part = basis[:used, at : at + _BLOCK]
        part[:held] = rotation[:, :held].T @ part
    basis[held] = basis[used]
    projected[:] = 0.0
    projected[:held, :held] = triangle[:held, :held]
    projected[held, :held] = link[:held]
    return held
