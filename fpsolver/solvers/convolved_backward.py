"""Mean first-passage times and committors of convolutions, by conjugate gradients.

Conjugate gradients solve the symmetric form, whose errors are relative to √π. Where √π is next to nothing the values
follow from those of the cells that jumps lead to. What a high barrier magnifies, the multiple of the slowest mode, is
set by a balance of non-negative terms: Σ π s = Σ π κ f for (−Wᵀ) f = s, with the rates κ of absorption.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.errors import ConvergenceError, MethodError
from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.solvers.convolved import Count, conjugate_gradients

ROUNDS = 4
"""Corrections by what is left of the equation, at most."""
MOST_SWEEPS = 200
"""Sweeps that continue values into cells of next to no probability."""
EMPTY = 1e-5
"""√π, over its maximum, below which values are continued."""
METHOD = "conjugate gradients on a convolution"


def backward_convolved(
    W: ConvolutionGenerator, source: np.ndarray, outside: np.ndarray, tolerance: float
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return f with (−Wᵀ) f = source, zero outside the part of the grid where the process lives, and solver stats.

    Parameters
    ----------
    W : ConvolutionGenerator
        Restricted to the part, with rates out of it as killing.
    source : ndarray
        Not negative, of the grid's shape.
    outside : ndarray of bool
        The part: outside the targets.
    tolerance : float
        Relative error asked for.

    Raises
    ------
    MethodError
        If absorption is so slow that rounding takes it for nothing.
    """
    assert W.log_equilibrium is not None
    half = np.where(outside, 0.5 * W.log_equilibrium, -np.inf)
    root = np.exp(half - half.max())
    leaving = np.where(outside, -W.diagonal, 1.0)
    balance = float((root**2 * source).sum())
    count, change = Count(), np.inf
    if balance == 0.0:
        return np.zeros(source.shape), {"method": METHOD, "residual": 0.0, "estimated_error": 0.0, "iterations": 0}
    values = np.zeros(source.shape)
    for _ in range(ROUNDS):
        rest = source if not values.any() else source + W.mean(values) - leaving * values
        rest = np.where(outside, rest, 0.0)
        try:
            y = conjugate_gradients(W, 0.0, (root * rest).ravel(), 0.1 * tolerance, count).reshape(source.shape)
        except ConvergenceError as error:
            raise ConvergenceError(f"{error}, or a target that is reached sooner") from None
        before, step = values, np.where(root > EMPTY * root.max(), y / np.where(root > 0.0, root, 1.0), 0.0)
        values = _continued(W, values + step, source, leaving, outside & (root <= EMPTY * root.max()), tolerance)
        values = np.where(outside, np.maximum(values, 0.0), 0.0)
        absorbed = float((root**2 * W.killing * values).sum())
        if not (absorbed > 0.0 and np.isfinite(absorbed)):
            raise MethodError(
                "nothing reaches the target within what double precision can tell; take a higher temperature, or a "
                "target that is nearer"
            )
        values *= balance / absorbed
        # The multiple of the slowest mode, which rounding may have put anything into, is right by now.
        change = float(np.abs(values - before).max() / values.max()) if before.any() else np.inf
        if change < tolerance:
            break
    turnover = source + leaving * values
    residual = np.where(turnover > 0.0, source + W.mean(values) - leaving * values, 0.0)
    residual /= np.where(turnover > 0.0, turnover, 1.0)
    return values, {
        "method": METHOD,
        "residual": float(np.abs(residual).max()),
        "estimated_error": float(change),
        "iterations": count.products,
    }


def _continued(
    W: ConvolutionGenerator,
    values: np.ndarray,
    source: np.ndarray,
    leaving: np.ndarray,
    empty: np.ndarray,
    tolerance: float,
) -> np.ndarray:
    """Return values continued into empty cells: the mean over where the next jump leads, plus the time until it."""
    if not empty.any():
        return values
    for _ in range(MOST_SWEEPS):
        following = np.where(empty, (source + W.mean(values)) / leaving, values)
        moved = float(np.abs(following - values).max())
        values = following
        if moved <= 0.1 * tolerance * float(np.abs(values).max()):
            break
    return values
