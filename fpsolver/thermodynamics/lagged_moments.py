"""Drift and diffusion from trajectories: conditional moments of the displacement over a lag, bin by bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import InputError
from fpsolver.thermodynamics.samples import checked_samples

FEWEST = 100
"""Pairs without which a bin gives no standard error worth the name (that of ⟨Δx²⟩ takes fourth moments)."""


@dataclass(frozen=True, eq=False)
class FiniteLagCoefficients:
    """Kramers–Moyal coefficients at a finite lag, one entry a bin.

    Parameters
    ----------
    lag : float
        τ.
    x : ndarray, shape (b,)
        Mean position in each bin.
    counts : ndarray of int, shape (b,)
        Pairs that start there.
    spread : ndarray, shape (b,)
        Variance of the positions within the bin. Averages over a bin differ from the values at `x` by ½ D'' times it.
    drift, diffusion : ndarray, shape (b,)
        ⟨Δx⟩/τ and ⟨Δx²⟩/2τ.
    drift_error, diffusion_error : ndarray, shape (b,)
        Their standard errors.
    covariance : ndarray, shape (b,)
        Covariance of the errors of both.
    """

    lag: float
    x: np.ndarray
    counts: np.ndarray
    spread: np.ndarray
    drift: np.ndarray
    diffusion: np.ndarray
    drift_error: np.ndarray
    diffusion_error: np.ndarray
    covariance: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"FiniteLagCoefficients({len(self)} bins, {int(self.counts.sum())} pairs, lag = {self.lag:g})"


def kramers_moyal(before: Any, after: Any, lag: float, *, bins: Any = 50) -> FiniteLagCoefficients:
    """Return drift and diffusion at a finite lag from pairs of positions (x_t, x_{t+τ}).

    They differ from those of the dynamics to first order in τ; `fit_drift_and_diffusion` removes that.

    Parameters
    ----------
    before, after : array_like (n,)
        Positions at the begin and at the end of each pair. Pairs from one trajectory must not overlap in time: then the
        Markov property makes their errors independent, however the positions correlate.
    lag : float
        τ.
    bins : int or array_like
        Number of bins between the outermost positions, or their edges. Bins with fewer than 100 pairs are left out.

    Raises
    ------
    InputError
        If the pairs are malformed, or no bin has enough of them.

    References
    ----------
    S. Siegert, R. Friedrich, J. Peinke, Phys. Lett. A 243, 275 (1998).

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(2, 100_000))
    >>> found = kramers_moyal(noise[0], 0.9 * noise[0] + 0.4 * noise[1], 0.1, bins=[-2.0, -1.0, 0.0, 1.0, 2.0])
    >>> bool((abs(found.drift + found.x) < 4 * found.drift_error).all())
    True
    """
    start = checked_samples("before", before)
    end = checked_samples("after", after)
    if len(start) != len(end):
        raise InputError(f"before has {len(start)} positions and after {len(end)}; give pairs")
    if not lag > 0.0:
        raise InputError(f"lag = {lag!r} must be positive")
    edges = np.histogram_bin_edges(start, bins)
    index = np.searchsorted(edges, start, side="right") - 1
    index[start == edges[-1]] = len(edges) - 2
    inside = (index >= 0) & (index < len(edges) - 1)
    index, start, step = index[inside], start[inside], (end - start)[inside]
    b = len(edges) - 1
    counts = np.bincount(index, minlength=b)
    kept = counts >= FEWEST
    if not kept.any():
        raise InputError(f"no bin holds {FEWEST} of the {len(end)} pairs; give fewer or wider bins")

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(index, values, b)[kept] / counts[kept]

    samples = counts[kept] - 1.0
    first, second, third, fourth = (mean(step**n) for n in range(1, 5))
    x = mean(start)
    return FiniteLagCoefficients(
        float(lag), x, counts[kept], mean(start**2) - x**2, first / lag, second / (2.0 * lag),
        np.sqrt((second - first**2) / samples) / lag,
        np.sqrt((fourth - second**2) / samples) / (2.0 * lag),
        (third - first * second) / samples / (2.0 * lag**2),
    )  # fmt: skip
