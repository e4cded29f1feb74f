"""The slowest eigenpairs of convolutions, by LOBPCG with the diagonal taken out.

With D the total rates out of cells and v = √D y, S y = −λ y becomes (1 − K) v = λ D^{−1} v, where 1 − K has its
spectrum in [0, 2] however many orders of magnitude rates span.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fpsolver.errors import AccuracyWarning
from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.solvers.eigenpairs import Eigenpairs, reversible_pairs
from fpsolver.solvers.exponential.convolution_operator import ConvolutionOperator, symmetric_convolution

SPARE = 4
"""Vectors beyond those asked for, whose gap sets the pace."""
MOST_ITERATIONS = 500
EMPTY = 1e-7
"""√π, over its maximum, below which functions are continued from the cells that jumps lead to."""
SWEEPS = 100
EPSILON = float(np.finfo(float).eps)


def convolved_pairs(W: ConvolutionGenerator, k: int, tolerance: float) -> Eigenpairs:
    """Return the k slowest eigenpairs of a convolution.

    Rates are Rayleigh quotients of the symmetric form; their accuracy is absolute.

    Parameters
    ----------
    W : ConvolutionGenerator
        The generator.
    k : int
        Number of eigenpairs.
    tolerance : float
        Residual of modes, over the mean rate of jumps.

    References
    ----------
    A. V. Knyazev, SIAM J. Sci. Comput. 23, 517 (2001).
    """
    if 5 * (k + SPARE) > W.n_state:  # too few states for blocks of that size
        return reversible_pairs(W, k, tolerance)
    assert W.log_equilibrium is not None
    logarithm = W.log_equilibrium.ravel()
    ground = np.exp(0.5 * (logarithm - logarithm.max()))
    ground /= np.sqrt(ground @ ground)
    known = None if W.absorbing else ground
    vectors, rates, accuracy = np.empty((W.n_state, 0)), np.empty(0), 0.0
    if k > 1 or known is None:
        vectors, rates, accuracy = _slowest(W, known, ground, k - (known is not None), tolerance)
    if known is not None:
        vectors, rates = np.hstack([ground[:, None], vectors]), np.append(0.0, rates)
    if accuracy > 1e-3 * rates[0 if known is None else 1 :].min(initial=np.inf):
        warnings.warn(
            f"rates are known to {accuracy:.1e} only, and the slowest is no more than that; take a higher temperature, "
            'give the generator scheme="matrix" on a coarse grid, or ask for mean_first_passage_time, which keeps its '
            "digits",
            AccuracyWarning,
            stacklevel=3,
        )
    left = np.stack([_function(W, vector, rate, ground) for vector, rate in zip(vectors.T, rates, strict=True)])
    stats = {"method": "LOBPCG on a convolution", "accuracy": accuracy, "accuracy_kind": "absolute"}
    return Eigenpairs(rates, vectors.T * ground, left, stats)


def _slowest(
    W: ConvolutionGenerator, known: np.ndarray | None, ground: np.ndarray, count: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the slowest eigenvectors of S, orthogonal to a known one, as columns, their rates, and the accuracy."""
    from scipy.sparse.linalg import LinearOperator, lobpcg

    n, root = W.n_state, np.sqrt(-W.diagonal.ravel())
    symmetric = symmetric_convolution(W)

    def balanced(v: np.ndarray) -> np.ndarray:
        return _columns(symmetric, v.reshape(n, -1) / root[:, None]) / root[:, None]

    def weighted(v: np.ndarray) -> np.ndarray:
        return v.reshape(n, -1) / root[:, None] ** 2

    def operator(function: Any) -> LinearOperator:
        return LinearOperator((n, n), matvec=function, matmat=function, dtype=float)

    block = count + SPARE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is left is judged below
        values, found = lobpcg(
            operator(balanced),
            _start(W, ground, block, known is not None) * root[:, None],
            B=operator(weighted),
            Y=None if known is None else (known * root)[:, None],
            tol=tolerance * np.sqrt(W.mean_rate),
            maxiter=MOST_ITERATIONS,
            largest=False,
        )
    order = np.argsort(values)
    beyond = values[order[count]] if len(values) > count else np.inf
    vectors = found[:, order[:count]] / root[:, None]
    vectors /= np.sqrt((vectors**2).sum(axis=0))
    images = _columns(symmetric, vectors)
    rates = np.maximum(np.einsum("ij,ij->j", vectors, images), 0.0)
    # Cells that are left at once weigh in with their residual over √D, as they do in the balanced form.
    weights = root**2 / W.mean_rate
    residuals = np.sqrt((((images - vectors * rates) / np.maximum(1.0, np.sqrt(weights))[:, None]) ** 2).sum(axis=0))
    gaps = np.maximum(beyond - rates, 1e-300)
    accuracy = float(np.minimum(residuals, residuals**2 / gaps).max()) + 4 * EPSILON * W.mean_rate
    return vectors, rates, accuracy if np.isfinite(accuracy) else np.inf


def _columns(symmetric: ConvolutionOperator, x: np.ndarray) -> np.ndarray:
    """Return −S times every column."""
    return -np.stack([symmetric(np.ascontiguousarray(column)) for column in x.T], axis=1)


def _start(W: ConvolutionGenerator, ground: np.ndarray, count: int, excited: bool) -> np.ndarray:
    """Return vectors to start from, as columns: the ground state times low powers of the places, and a little noise."""
    grid = W.grid
    powers = sorted(np.ndindex(*(count + 1,) * grid.dimension), key=lambda index: (sum(index), index))
    weights = (ground**2).reshape(grid.shape)
    places = []
    for k in range(grid.dimension):
        x = grid.points[..., k]
        mean = (weights * x).sum()
        places.append((x - mean) / np.sqrt((weights * (x - mean) ** 2).sum()))
    chosen = [
        np.prod([place**power for place, power in zip(places, index, strict=True)], axis=0).ravel() * ground
        for index in powers[excited : excited + count]
    ]
    noise = np.random.default_rng(0).normal(size=(len(ground), count)) * ground[:, None] * 1e-3
    return np.linalg.qr(np.stack(chosen, axis=1) + noise)[0]


def _function(W: ConvolutionGenerator, vector: np.ndarray, rate: float, ground: np.ndarray) -> np.ndarray:
    """Return the left eigenvector ψ/√π, continued into cells so empty that ψ is rounding there."""
    full = ground > EMPTY * ground.max()
    values = np.where(full, vector / np.where(full, ground, 1.0), 0.0).reshape(W.grid.shape)
    empty = ~full.reshape(W.grid.shape) & (-W.diagonal > 2.0 * rate)
    for _ in range(SWEEPS if empty.any() else 0):
        following = np.where(empty, W.mean(values) / np.where(empty, -W.diagonal - rate, 1.0), values)
        moved = np.abs(following - values).max()
        values = following
        if moved <= 1e-12 * np.abs(values).max():
            break
    return values.ravel()
