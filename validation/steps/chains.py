"""Plain chains of SGD in NumPy, the route that shares nothing with the package but the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np


class Step(NamedTuple):
    """Where runs are, what they see and what they do: arrays of shape (runs, d)."""

    theta: np.ndarray
    slope: np.ndarray
    gradient: np.ndarray
    velocity: np.ndarray


def descent(
    slope: Callable[[np.ndarray], np.ndarray],
    spread: np.ndarray,
    learning_rate: float,
    start: np.ndarray,
    steps: int,
    rng: np.random.Generator,
    *,
    momentum: float = 0.0,
) -> Iterator[Step]:
    """Yield each step of v′ = μv − ηg, θ′ = θ + v′ with g = ∇L + Rξ; the velocity is the one that follows, v′.

    Parameters
    ----------
    slope : callable
        ∇L of positions (runs, d).
    spread : ndarray, shape (d, d)
        R, with RRᵀ = C.
    learning_rate, momentum : float
        η and μ.
    start : ndarray, shape (runs, d)
        Where the runs begin, at rest.
    steps : int
        How many.
    rng : Generator
        Of the noise.
    """
    theta, velocity = np.array(start, dtype=float), np.zeros(start.shape)
    for _ in range(steps):
        exact = slope(theta)
        gradient = exact + rng.standard_normal(theta.shape) @ spread.T
        velocity = momentum * velocity - learning_rate * gradient
        yield Step(theta, exact, gradient, velocity)
        theta = theta + velocity
