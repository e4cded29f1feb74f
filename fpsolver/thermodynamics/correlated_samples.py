"""Means of correlated samples: how long they correlate, and standard errors of block averages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import InputError
from fpsolver.thermodynamics.samples import block_averages, block_starts, checked_samples

WINDOW = 5.0
"""Autocorrelations are summed up to so many correlation times (Sokal)."""


def statistical_inefficiency(values: Any) -> float:
    """Return g = 1 + 2∑ρ(τ), as many consecutive samples as are worth one independent one.

    Parameters
    ----------
    values : array_like (n,)
        Samples in the order in which they were drawn.

    Returns
    -------
    float
        At least one. The autocorrelations ρ are summed up to five times g/2, where noise takes over.

    Raises
    ------
    InputError
        If the samples are malformed.

    References
    ----------
    A. D. Sokal, in Functional Integration (1997), section 3.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=20_000)
    >>> bool(statistical_inefficiency(np.repeat(noise, 10)) > 9.0), bool(statistical_inefficiency(noise) < 1.2)
    (True, True)
    """
    from scipy.fft import irfft, next_fast_len, rfft

    centred = checked_samples("values", values)
    centred = centred - centred.mean()
    n, length = len(centred), next_fast_len(2 * len(centred), real=True)
    correlation = irfft(np.abs(rfft(centred, length)) ** 2, length)[:n]
    if not correlation[0] > 0.0:
        return 1.0
    inefficiency = 2.0 * np.cumsum(correlation / correlation[0]) - 1.0
    inside = np.flatnonzero(np.arange(n) >= WINDOW * inefficiency / 2.0)
    return max(1.0, float(inefficiency[inside[0] if inside.size else -1]))


@dataclass(frozen=True)
class BlockAverage:
    """A mean with the standard error of its blocks.

    Parameters
    ----------
    value, standard_error : float
        Mean and error.
    block : int
        Samples in a block.
    blocks : int
        How many.
    """

    value: float
    standard_error: float
    block: int
    blocks: int

    def __float__(self) -> float:
        return self.value


def block_average(values: Any, *, weights: Any = None, block: int | None = None) -> BlockAverage:
    """Return the mean of samples, weighted or not, with the standard error of block averages.

    Parameters
    ----------
    values : array_like (n,)
        Samples in the order in which they were drawn.
    weights : array_like (n,), optional
        Weights of the samples, not negative; the mean is ∑wx/∑w.
    block : int, optional
        Samples in a block; by default ten times the statistical inefficiency, at least one, where samples correlate.

    Raises
    ------
    InputError
        If samples, weights or blocks are malformed.

    References
    ----------
    H. Flyvbjerg, H. G. Petersen, J. Chem. Phys. 91, 461 (1989).

    Examples
    --------
    >>> mean = block_average([1.0, 2.0, 3.0, 4.0], block=1)
    >>> mean.value, round(mean.standard_error, 6)
    (2.5, 0.645497)
    """
    x = checked_samples("values", values)
    w = checked_weights(weights, len(x))
    if block is None:
        inefficiency = statistical_inefficiency(x if weights is None else w * x)
        # What independent samples show by chance has the standard deviation √(2(2w + 1)/n), with a window w of 5g/2.
        correlated = inefficiency > 1.0 + 4.0 * np.sqrt(2.0 * (WINDOW + 1.0) / len(x))
        block = min(int(np.ceil(10.0 * inefficiency)), len(x) // 2) if correlated else 1
    blocks = len(block_starts(len(x), block))
    mean = float(w @ x / w.sum())
    # A ratio of sums: to first order its error is that of the mean of w(x − mean)/⟨w⟩ over blocks.
    residual = block_averages(w * (x - mean), block) / w.mean()
    return BlockAverage(mean, float(np.sqrt(np.sum(residual**2) / (blocks * (blocks - 1)))), int(block), blocks)


def checked_weights(weights: Any, samples: int) -> np.ndarray:
    """Return weights of samples, ones where none are given.

    Raises
    ------
    InputError
        If they do not fit the samples, or are negative or all zero.
    """
    if weights is None:
        return np.ones(samples)
    values = checked_samples("weights", weights)
    if len(values) != samples or values.min() < 0.0 or not values.sum() > 0.0:
        raise InputError(
            f"weights: {len(values)} of them between {values.min():g} and {values.max():g} for {samples} samples; "
            "give one a sample, none negative and not all zero"
        )
    return values
