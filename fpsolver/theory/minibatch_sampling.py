"""Noise of minibatches drawn from a finite set of examples: with replacement, without, and as it is approximated.

C₁ is the covariance of one example's gradient over the set, normalised by the number N of examples. Every batch is
drawn anew from all of them; batches of one shuffled epoch are anticorrelated, and not described here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import finite, positive
from fpsolver.theory.estimate import Estimate

COCHRAN = "W. G. Cochran, Sampling Techniques (1977), theorem 2.2"
SMITH_LE = "S. L. Smith, Q. V. Le, ICLR 2018 (arXiv 1710.06451), noise scale g = ε(N/B − 1)"


def variance_factor(*, examples: int, batch_size: int, replacement: bool = False) -> Estimate:
    """Return Cov(minibatch g)/C₁: 1/B with replacement, (N − B)/(B(N − 1)) without.

    Parameters
    ----------
    examples, batch_size : int
        N, and B ≤ N.
    replacement : bool
        Whether a batch may hold an example twice.

    Raises
    ------
    TheoryError
        If the numbers are not whole, or B > N without replacement.

    Examples
    --------
    >>> round(float(variance_factor(examples=100, batch_size=25)), 12)
    0.030303030303
    """
    n, b = _whole("examples", examples), _whole("batch_size", batch_size)
    if replacement or n == 1:
        return Estimate(1.0 / b if replacement else 0.0, (), 0.0, COCHRAN)
    _within(b, n)
    return Estimate((n - b) / (b * (n - 1.0)), ("batches drawn independently",), 0.0, COCHRAN)


def minibatch_covariance(
    per_example_covariance: ArrayLike, *, examples: int, batch_size: int, replacement: bool = False
) -> np.ndarray:
    """Return Cov(minibatch g) = C₁·`variance_factor`, shape (d, d).

    Parameters
    ----------
    per_example_covariance : array_like, shape (d, d)
        C₁, normalised by N.
    examples, batch_size, replacement
        As for `variance_factor`.

    Examples
    --------
    >>> minibatch_covariance([[3.0]], examples=4, batch_size=2)
    array([[1.]])
    """
    factor = float(variance_factor(examples=examples, batch_size=batch_size, replacement=replacement))
    return factor * np.atleast_2d(finite("per_example_covariance", per_example_covariance))


def noise_scale(*, learning_rate: float, examples: int, batch_size: int) -> Estimate:
    """Return q = η(N/B − 1)·N/(N − 1), the noise scale of batches without replacement; with it, ηN/B is exact.

    Parameters
    ----------
    learning_rate : float
        η.
    examples, batch_size : int
        N and B.

    Returns
    -------
    Estimate
        ηN Cov(minibatch g)/C₁: in learning time the noise of the summed loss is qC₁ per unit.

    Examples
    --------
    >>> round(float(noise_scale(learning_rate=0.1, examples=100, batch_size=25)), 12)
    0.30303030303
    """
    factor = variance_factor(examples=examples, batch_size=batch_size)
    value = positive("learning_rate", learning_rate) * examples * factor.value
    return Estimate(value, ("without replacement", *factor.assumptions), 0.0, COCHRAN)


def noise_scale_of_smith_and_le(*, learning_rate: float, examples: int, batch_size: int) -> Estimate:
    """Return η(N/B − 1), exact where C₁ is normalised by N − 1 in place of N.

    Parameters
    ----------
    learning_rate, examples, batch_size
        As for `noise_scale`, of which it falls short by 1/N.
    """
    eta, n, b = positive("learning_rate", learning_rate), _whole("examples", examples), _whole("batch_size", batch_size)
    _within(b, n)
    return Estimate(eta * (n / b - 1.0), ("without replacement", "N ≫ 1"), 1.0 / n, SMITH_LE)


def noise_scale_as_written(*, learning_rate: float, examples: int, batch_size: int) -> Estimate:
    """Return ηN/B, for B ≪ N: a full batch, which has no noise, keeps the scale η.

    Parameters
    ----------
    learning_rate, examples, batch_size
        As for `noise_scale`; it exceeds that by the factor (N − 1)/(N − B).

    Examples
    --------
    >>> float(noise_scale_as_written(learning_rate=0.1, examples=100, batch_size=25))
    0.4
    """
    eta, n, b = positive("learning_rate", learning_rate), _whole("examples", examples), _whole("batch_size", batch_size)
    _within(b, n)
    # The relative excess of N/B over its true value, or all of it where that is zero.
    excess = (b - 1.0) / (n - b) if n > b else 1.0
    return Estimate(eta * n / b, ("B ≪ N",), excess, SMITH_LE)


def batch_size_of_noise_scale(scale: float, *, learning_rate: float, examples: int) -> Estimate:
    """Return B = ηN/(η + q(N − 1)/N), the batch without replacement that has the noise scale q; not rounded.

    Parameters
    ----------
    scale : float
        q, as `noise_scale` gives it.
    learning_rate : float
        η.
    examples : int
        N.

    Raises
    ------
    TheoryError
        If no batch is so noisy: q > ηN.

    Examples
    --------
    >>> scale = float(noise_scale(learning_rate=0.1, examples=100, batch_size=25))
    >>> round(float(batch_size_of_noise_scale(scale, learning_rate=0.1, examples=100)), 9)
    25.0
    """
    eta, q, n = positive("learning_rate", learning_rate), positive("scale", scale), _whole("examples", examples)
    if q > eta * n * (1.0 + 1e-12):
        raise TheoryError(f"scale = {q:g} is above that of single examples, ηN = {eta * n:g}: raise the learning rate")
    return Estimate(eta * n / (eta + q * (n - 1.0) / n), ("without replacement",), 0.0, COCHRAN)


def _whole(name: str, number: int) -> int:
    whole = int(positive(name, number, "a number of examples"))
    if whole != number:
        raise TheoryError(f"{name} = {number!r} must be a whole number of examples, at least one")
    return whole


def _within(batch: int, examples: int) -> None:
    if batch > examples:
        raise TheoryError(f"batch_size = {batch} is above the number of examples, {examples}; draw with replacement")
