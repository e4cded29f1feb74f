"""How the batch size enters the density of updates, and the rate of escape: as written and right."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import exponential, finite, positive
from fpsolver.theory.estimate import Estimate


def update_density(
    update: ArrayLike,
    *,
    gradient: ArrayLike,
    learning_rate: float,
    per_example_covariance: ArrayLike,
    batch_size: float,
    reference_batch: float,
) -> np.ndarray:
    """Return ρ_B(Δ) = N(Δ; −ηg, η²Σ₁/B): larger batches make updates narrower.

    Parameters
    ----------
    update : array_like, shape (..., d)
        Δ; the last axis runs over coordinates.
    gradient : array_like, shape (d,)
        g.
    learning_rate : float
        η.
    per_example_covariance : array_like, shape (d, d)
        Σ₁, that of the gradient of one example.
    batch_size : float
        B, drawn with replacement.
    reference_batch : float
        N, for the written form; without influence.

    Examples
    --------
    >>> numbers = {"gradient": [1.0], "learning_rate": 0.1, "per_example_covariance": [[1.0]], "reference_batch": 16.0}
    >>> density = update_density([[-0.1]], batch_size=4.0, **numbers)
    >>> (density / update_density([[-0.1]], batch_size=16.0, **numbers)).round(12)  # at the centre √(B/N)
    array([0.5])
    """
    positive("reference_batch", reference_batch)
    return _normal(update, gradient, learning_rate, per_example_covariance, batch_size)


def update_density_as_written(
    update: ArrayLike,
    *,
    gradient: ArrayLike,
    learning_rate: float,
    per_example_covariance: ArrayLike,
    batch_size: float,
    reference_batch: float,
) -> np.ndarray:
    """Return √(B/N) ρ_N(Δ), which adds up to √(B/N): the normaliser of a Gaussian in one dimension, at its centre.

    Parameters
    ----------
    update, gradient, learning_rate, per_example_covariance, batch_size, reference_batch
        As for `update_density`.
    """
    share = math.sqrt(positive("batch_size", batch_size) / positive("reference_batch", reference_batch))
    return share * _normal(update, gradient, learning_rate, per_example_covariance, reference_batch)


def escape_ratio(
    barrier: float, *, learning_rate: float, variance: float, batch_size: float, reference_batch: float
) -> Estimate:
    """Return k_B/k_N = e^{−2(B − N)ΔL/ησ²}: the batch size enters the temperature ησ²/2B, and so the exponent.

    Parameters
    ----------
    barrier : float
        ΔL.
    learning_rate, variance : float
        η and σ², the variance of one example's gradient in every direction.
    batch_size, reference_batch : float
        B and N.

    Returns
    -------
    Estimate
        With error scale ησ²/2ΔL min(B, N), since rates are Kramers' for high barriers.

    Examples
    --------
    >>> round(float(escape_ratio(0.25, learning_rate=0.1, variance=1.0, batch_size=2, reference_batch=1)), 6)
    0.006738
    """
    size, reference = positive("batch_size", batch_size), positive("reference_batch", reference_batch)
    noise = positive("learning_rate", learning_rate) * positive("variance", variance)
    value = exponential(-2.0 * (size - reference) * positive("barrier", barrier) / noise)
    hottest = noise / (2.0 * min(size, reference))
    return Estimate(
        value, ("additive isotropic noise", "high barrier", "small learning rate"), hottest / barrier,
        "H. A. Kramers, Physica 7, 284 (1940), with T = ησ²/2B",
    )  # fmt: skip


def escape_ratio_as_written(
    barrier: float, *, learning_rate: float, variance: float, batch_size: float, reference_batch: float
) -> Estimate:
    """Return k_B/k_N = √(B/N): larger batches would escape sooner.

    Parameters
    ----------
    barrier, learning_rate, variance, batch_size, reference_batch
        As for `escape_ratio`.
    """
    for name, value in (("barrier", barrier), ("learning_rate", learning_rate), ("variance", variance)):
        positive(name, value)
    size, reference = positive("batch_size", batch_size), positive("reference_batch", reference_batch)
    return Estimate(math.sqrt(size / reference), (), 0.0, "as it circulates")


def _normal(
    update: ArrayLike, gradient: ArrayLike, learning_rate: float, per_example_covariance: ArrayLike, batch: float
) -> np.ndarray:
    mean = -positive("learning_rate", learning_rate) * np.atleast_1d(finite("gradient", gradient))
    covariance = np.atleast_2d(finite("per_example_covariance", per_example_covariance)) * learning_rate**2
    covariance = covariance / positive("batch_size", batch)
    if covariance.shape != (mean.size, mean.size) or np.linalg.eigvalsh(covariance)[0] <= 0.0:
        raise TheoryError(f"Σ₁ of shape {covariance.shape} must be positive definite for a gradient of {mean.size}")
    left = finite("update", update) - mean
    squares = np.einsum("...i,ij,...j->...", left, np.linalg.inv(covariance), left)
    norm = mean.size * math.log(2.0 * math.pi) + np.linalg.slogdet(covariance)[1]
    return np.asarray(np.exp(-0.5 * (squares + norm)))
