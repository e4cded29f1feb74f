"""Solving (σ − W) x = b for convolutions, by Krylov methods that take the diagonal as a preconditioner.

Rates out of cells differ by many orders of magnitude, e^{ΔL/2T} where the half law leads downhill, but only on the
diagonal: with that taken out, a slope costs no iterations. What is left are √(mean rate/slowest rate) of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fpsolver.errors import ConvergenceError
from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.solvers.exponential.convolution_operator import symmetric_convolution
from fpsolver.solvers.krylov import inner

MOST_ITERATIONS = 20_000
"""Products of a solve, some minutes on a plane."""
EPSILON = float(np.finfo(float).eps)


@dataclass
class Count:
    """Products taken so far."""

    products: int = field(default=0)


def conjugate_gradients(
    W: ConvolutionGenerator,
    shift: float,
    rhs: np.ndarray,
    tolerance: float,
    count: Count | None = None,
    *,
    start: np.ndarray | None = None,
    deflated: np.ndarray | None = None,
) -> np.ndarray:
    """Solve (σ − S) y = b with S = Π^{−1/2} W Π^{1/2}.

    Parameters
    ----------
    W : ConvolutionGenerator
        The generator.
    shift : float
        σ ≥ 0, positive where nothing leaks.
    rhs : ndarray, shape (n,)
        b.
    tolerance : float
        Residual, over that of zero, in the norm in which the diagonal is one.
    count : Count, optional
        Where products are counted.
    start : ndarray, optional
        A first guess.
    deflated : ndarray, optional
        A unit vector that b and y are kept orthogonal to, the null vector of S.

    Raises
    ------
    ConvergenceError
        If it takes too many products.
    """
    operator = symmetric_convolution(W)
    diagonal = shift - operator.diagonal
    diagonal = np.where(diagonal > 0.0, diagonal, 1.0)

    def clean(vector: np.ndarray) -> np.ndarray:
        return vector if deflated is None else vector - deflated * inner(deflated, vector)

    y = np.zeros_like(rhs) if start is None else clean(start)
    residual = clean(rhs) if start is None else clean(rhs - shift * y + operator(y))
    goal = tolerance * np.sqrt(inner(rhs, rhs / diagonal))
    direction, before = np.zeros_like(rhs), np.inf
    for taken in range(MOST_ITERATIONS):
        scaled = clean(residual / diagonal)
        size = inner(residual, scaled)
        if not size > goal**2:
            if count is not None:
                count.products += taken
            return y
        direction = scaled + (size / before) * direction
        image = clean(shift * direction - operator(direction))
        step = size / inner(direction, image)
        y = y + step * direction
        residual = residual - step * image
        before = size
    raise ConvergenceError(
        f"{MOST_ITERATIONS} products leave a residual of {np.sqrt(size) / max(goal, 1e-300) * tolerance:.1e}, above "
        f"{tolerance:.1e}: the slowest rate is too far below the mean rate of jumps; take a coarser grid or a higher "
        "temperature"
    )


def resolvent(
    W: ConvolutionGenerator, shift: float, rhs: np.ndarray, tolerance: float, count: Count | None = None
) -> np.ndarray:
    """Solve (σ − W) P = b for σ > 0, however large b is where the equilibrium is next to nothing.

    Jumps are followed one by one, P = Σ_n D^{−1}(G D^{−1})^n b with D = σ + r, until what is left can be trusted to the
    symmetric form; each of them leads out of the wilderness at the rate it has there.

    Parameters
    ----------
    W : ConvolutionGenerator
        The generator.
    shift : float
        σ.
    rhs : ndarray, shape (n,)
        b, of either sign.
    tolerance : float
        Error in L1, over the size of b.
    count : Count, optional
        Where products are counted.
    """
    assert W.log_equilibrium is not None
    half = 0.5 * (W.log_equilibrium.ravel() - W.log_equilibrium.max())
    total = shift - W.diagonal.ravel()
    size = float(np.abs(rhs).sum())
    left, solution = rhs, np.zeros_like(rhs)
    scale = np.exp(half)
    scale /= np.sqrt(inner(scale, scale))
    count = Count() if count is None else count
    for _ in range(MOST_ITERATIONS):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            scaled = np.where(left == 0.0, 0.0, left / scale)
        amplified = np.sqrt(inner(scaled, scaled))
        if EPSILON * amplified < 0.1 * tolerance * size:
            break
        solution = solution + left / total
        left = W.gain((left / total).reshape(W.grid.shape)).ravel()
        count.products += 1
        if np.abs(left).sum() < 0.1 * tolerance * shift / (shift + W.mean_rate) * size:
            return solution
    return solution + scale * conjugate_gradients(
        W, shift, scaled, 0.1 * tolerance * size / max(amplified, size), count
    )
