"""The slowest eigenpairs of convolutions, by LOBPCG with the diagonal as a preconditioner."""

from __future__ import annotations

import warnings

import numpy as np

from fpsolver.errors import AccuracyWarning
from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.solvers.eigenpairs import Eigenpairs
from fpsolver.solvers.exponential.convolution_operator import symmetric_convolution

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
    from scipy.sparse.linalg import LinearOperator, lobpcg

    assert W.log_equilibrium is not None
    symmetric = symmetric_convolution(W)
    logarithm = W.log_equilibrium.ravel()
    ground = np.exp(0.5 * (logarithm - logarithm.max()))
    ground /= np.sqrt(ground @ ground)
    n, leaving = W.n_state, -W.diagonal.ravel()
    first = 0 if W.absorbing else 1
    wanted = k - first
    vectors = ground[:, None]
    rates, residuals, iterations = np.zeros(1), np.zeros(0), 0
    if wanted or not first:
        block = min(wanted + SPARE, n // 5)
        floor = 1e-3 * W.mean_rate

        def columns(x: np.ndarray) -> np.ndarray:
            return -np.stack([symmetric(np.ascontiguousarray(column)) for column in x.reshape(n, -1).T], axis=1)

        def scaled(x: np.ndarray) -> np.ndarray:
            return (x.reshape(n, -1).T / np.maximum(leaving, floor)).T

        # The start is smooth, so that little of it is fast: products of the ground state and low powers of the places.
        start = _start(W, ground, block, first)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what is left is judged below
            values, found, history = lobpcg(
                LinearOperator((n, n), matvec=columns, matmat=columns, dtype=float),
                start,
                M=LinearOperator((n, n), matvec=scaled, matmat=scaled, dtype=float),
                Y=ground[:, None] if first else None,
                tol=tolerance * W.mean_rate,
                maxiter=MOST_ITERATIONS,
                largest=False,
                retResidualNormsHistory=True,
            )
        iterations = len(history)
        order = np.argsort(values)[:wanted]
        vectors = np.hstack([ground[:, None], found[:, order]]) if first else found[:, order]
        rates = np.append(np.zeros(first), values[order])
        beyond = np.sort(values)[wanted]
        left_over = columns(vectors[:, first:]) - vectors[:, first:] * rates[first:]
        residuals = np.sqrt((left_over**2).sum(axis=0))
        gaps = np.maximum(beyond - rates[first:], 1e-300)
        accuracy = float(np.minimum(residuals, residuals**2 / gaps).max(initial=0.0)) + 4 * EPSILON * W.mean_rate
    else:
        accuracy = 0.0
    if accuracy > tolerance * W.mean_rate and accuracy > 1e-6 * rates[-1]:
        warnings.warn(
            f"rates are known to {accuracy:.1e} only, after {iterations} iterations; take a coarser grid, or loosen the "
            "tolerance",
            AccuracyWarning,
            stacklevel=4,
        )
    rates = np.maximum(rates, 0.0)
    left = np.stack([_function(W, vector, rate, ground) for vector, rate in zip(vectors.T, rates, strict=True)])
    stats = {"method": "LOBPCG on a convolution", "accuracy": accuracy, "accuracy_kind": "absolute"}
    return Eigenpairs(rates, vectors.T * ground, left, stats)


def _start(W: ConvolutionGenerator, ground: np.ndarray, count: int, first: int) -> np.ndarray:
    """Return vectors to start from, as columns."""
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
        for index in powers[first : first + count]
    ]
    noise = np.random.default_rng(0).normal(size=(count, len(ground))) * ground * 1e-3
    return np.linalg.qr(np.stack(chosen, axis=1) + noise.T)[0]


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
