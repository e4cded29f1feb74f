"""Slow modes of large generators with detailed balance: a full-multigrid eigensolver.

The modes are found densely on the coarsest level of an algebraic multigrid hierarchy, and then carried from level to
level, where a few steps of a preconditioned block method correct them: a Rayleigh–Ritz step in the space of the modes,
of their residuals after one V-cycle, and of their last change.

Source: A. V. Knyazev, SIAM J. Sci. Comput. 23, 517 (2001), the block method; A. Brandt, S. McCormick, J. Ruge, SIAM
J. Sci. Stat. Comput. 4, 244 (1983), the passage through the levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import ConvergenceError
from fpsolver.solvers.krylov import inner, length
from fpsolver.solvers.multigrid import Multigrid

Operator = Callable[[np.ndarray], np.ndarray]

# Modes carried beyond those asked for: they widen the gap on which the rate of convergence depends.
_GUARDS = 3
# Unknowns, for each mode, that the level needs where the passage begins.
_ROOM = 10
# Steps on a coarse level and accuracy there: its modes need not be better than their own error of discretisation.
_COARSE_STEPS, _COARSE_TOLERANCE = 3, 1e-3
# Steps on the finest level.
_FINE_STEPS = 60
# Smallest weight, relative to the largest one: products of two are still far from underflow.
_LIGHTEST = 1e-200
# Shift that makes the preconditioner definite, relative to the fastest rate.
_SHIFT = 1e-10
# Relative distance below which modes count as one cluster, in which only their span can be judged.
_CLUSTER = 1e-3
# Columns handled at a time, few enough for BLAS to use one thread.
_BLOCK = 512


def multigrid_modes(
    generator: Any, symmetric: sparse.csr_array, ground: np.ndarray, k: int, tolerance: float
) -> tuple[np.ndarray, float]:
    """Return the k slowest eigenvectors of a symmetrised generator as columns, and about the rate that follows.

    Parameters
    ----------
    generator : Generator
        One with detailed balance.
    symmetric : csr_array, shape (n, n)
        √(W_ij W_ji).
    ground : ndarray, shape (n,)
        √Π, of norm 1: the null vector where nothing absorbs.
    k : int
        Number of eigenvectors.
    tolerance : float
        Relative accuracy asked of the rates, whose error is the square of that of the vectors.

    Raises
    ------
    ConvergenceError
        If a residual stays too large.
    """
    closed = not generator.absorbing
    wanted = k - 1 if closed else k
    if not wanted:
        # A bound on the gap is not needed for a rate that is known.
        return ground[:, None].copy(), np.inf
    fastest = float(np.abs(symmetric.diagonal()).max())
    weights = np.maximum((ground / ground.max()) ** 2, _LIGHTEST)
    solver = _conductances(generator.matrix, np.ravel(generator.killing), weights, _SHIFT * fastest)
    root = np.sqrt(weights)

    def project(vector: np.ndarray) -> np.ndarray:
        return vector - inner(ground, vector) * ground if closed else vector

    count = min(wanted + _GUARDS + closed, symmetric.shape[0])
    functions = _from_coarse_levels(solver, weights, count)
    start = functions * root
    if closed:
        # The first one is the ground state, which is known.
        start = np.stack([project(mode) for mode in start])[1:]
    problem = _Problem(
        lambda mode: -(symmetric @ mode),
        lambda residual: project(-root * solver.approximate(project(residual) * root)),
        fastest,
    )
    modes, values, unsettled = problem.improve(start, wanted, 0.3 * np.sqrt(tolerance), _FINE_STEPS)
    if unsettled > 1.0:
        raise ConvergenceError(
            f"the eigenvectors' residuals exceed what a relative accuracy of {tolerance:.1e} needs by {unsettled:.1e} "
            f"after {_FINE_STEPS} steps; ask for another number of modes or coarsen the grid"
        )
    beyond = float(values[wanted]) if wanted < len(values) else np.inf
    modes = modes[:wanted]
    return (np.column_stack([ground, modes.T]) if closed else modes.T.copy()), beyond


def _conductances(matrix: Any, killing: np.ndarray, weights: np.ndarray, shift: float) -> Multigrid:
    """Return a solver for W Π − shift Π, a symmetric matrix whose rows sum to what is killed."""
    rates = matrix.data * weights[matrix.indices]
    rows = np.repeat(np.arange(matrix.shape[0], dtype=matrix.indices.dtype), np.diff(matrix.indptr))
    own = matrix.indices == rows
    rates[own] -= shift * weights
    conductances = sparse.csr_array((rates, matrix.indices, matrix.indptr), shape=matrix.shape)
    return Multigrid(conductances, True, (killing + shift) * weights)


def _from_coarse_levels(solver: Multigrid, weights: np.ndarray, count: int) -> np.ndarray:
    """Return approximate eigenfunctions on the finest level as rows, slowest first."""
    masses = [weights if solver.reduction is None else solver.reduction.source(weights, True)]
    for level in solver.levels:
        masses.append(np.maximum(level.interpolation.T @ masses[-1], _LIGHTEST))
    matrices = [*(level.matrix for level in solver.levels), solver.coarsest]
    roomy = [depth for depth, matrix in enumerate(matrices) if matrix.shape[0] >= _ROOM * count]
    deepest = max(roomy, default=0)
    functions = _dense(matrices[deepest], np.sqrt(masses[deepest]), count)
    for depth in range(deepest - 1, -1, -1):
        level = solver.levels[depth]
        root = np.sqrt(masses[depth])
        start = (level.interpolation @ functions.T).T * root
        problem = _level_problem(solver, depth, root)
        functions = problem.improve(start, count, _COARSE_TOLERANCE, _COARSE_STEPS)[0] / root
    return np.stack([solver.extended_from_coarse(function) for function in functions])


def _dense(matrix: Any, root: np.ndarray, count: int) -> np.ndarray:
    from scipy.linalg import eigh

    dense = matrix.toarray() if sparse.issparse(matrix) else matrix
    last = min(count, len(root)) - 1
    return eigh(dense / root / root[:, None], subset_by_index=[0, last])[1].T / root


def _level_problem(solver: Multigrid, depth: int, root: np.ndarray) -> _Problem:
    matrix = solver.levels[depth].matrix
    return _Problem(
        lambda mode: (matrix @ (mode / root)) / root, lambda residual: root * solver.cycle(residual * root, depth), 0.0
    )


@dataclass(frozen=True, eq=False)
class _Problem:
    """A symmetric operator, an approximate inverse of it, and its norm."""

    apply: Operator
    precondition: Operator
    norm: float

    def improve(
        self, start: np.ndarray, wanted: int, tolerance: float, steps: int
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Return better eigenvectors as rows, eigenvalues, and the largest residual relative to a sufficient one."""
        m = len(start)
        basis = np.empty((3 * m, start.shape[1]))
        images = np.empty_like(basis)
        basis[:m] = start
        held, unsettled = m, np.inf
        self._images(basis, images, 0, m)
        values = _rayleigh_ritz(basis, images, m, m)
        for _ in range(steps):
            residuals = [images[j] - values[j] * basis[j] for j in range(m)]
            sizes = np.array([length(residual) for residual in residuals])
            relative = sizes / self._sufficient(values, tolerance)
            unsettled = float(relative[:wanted].max())
            if unsettled <= 1.0:
                break
            # The last changes stay behind the modes; new directions follow them. Settled modes need none.
            for j in np.flatnonzero(relative > 0.1):
                basis[held] = self.precondition(residuals[j])
                basis[held] /= length(basis[held])
                held += 1
            self._images(basis, images, held - int((relative > 0.1).sum()), held)
            values = _rayleigh_ritz(basis, images, held, m)
            held = 2 * m
        return basis[:m].copy(), values, unsettled

    def _images(self, basis: np.ndarray, images: np.ndarray, first: int, last: int) -> None:
        for j in range(first, last):
            images[j] = self.apply(basis[j])

    def _sufficient(self, values: np.ndarray, tolerance: float) -> np.ndarray:
        """Return the residuals r at which r²/gap is a small enough error of λ, and r/gap of the vector."""
        result = np.empty(len(values))
        for j, value in enumerate(values):
            apart = np.abs(values - value)
            apart = apart[apart > _CLUSTER * values]
            gap = float(apart.min()) if len(apart) else abs(value)
            result[j] = tolerance * min(np.sqrt(abs(value) * gap), gap)
        # Below the rounding of the operator nothing can be gained.
        return np.maximum(result, 50 * np.finfo(float).eps * self.norm + np.finfo(float).tiny)


def _rayleigh_ritz(basis: np.ndarray, images: np.ndarray, used: int, m: int) -> np.ndarray:
    """Replace the basis by the m lowest Ritz vectors and, behind them, what is new in them; return the Ritz values."""
    gram, energy = np.zeros((used, used)), np.zeros((used, used))
    for at in range(0, basis.shape[1], _BLOCK):
        part = basis[:used, at : at + _BLOCK]
        gram += part @ part.T
        energy += part @ images[:used, at : at + _BLOCK].T
    scale = 1.0 / np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    spread, rotation = np.linalg.eigh(gram * scale * scale[:, None])
    # Directions that all but repeat others hold rounding only.
    kept = spread > 1e-13 * spread[-1]
    frame = scale[:, None] * rotation[:, kept] / np.sqrt(spread[kept])
    values, mixing = np.linalg.eigh(frame.T @ (0.5 * (energy + energy.T)) @ frame)
    lowest = frame @ mixing[:, :m]
    change = lowest.copy()
    change[:m] = 0.0
    combined = np.hstack([lowest, change])[:, : 2 * m if used > m else m].T
    for at in range(0, basis.shape[1], _BLOCK):
        for array in (basis, images):
            part = array[:used, at : at + _BLOCK]
            array[: len(combined), at : at + _BLOCK] = combined @ part
    return values[:m]
