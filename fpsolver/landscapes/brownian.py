"""Brownian landscapes: random walks, and their maxima and minima above a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolver.errors import LandscapeError
from fpsolver.landscapes.array_evaluation import Floats


def brownian_path(steps: int, *, step: float, drift: float = 0.0, seed: int | Sequence[int] = 0) -> Floats:
    """Return a walk of independent normal steps that begins at 0.

    Parameters
    ----------
    steps : int
        Their number n.
    step : float
        Standard deviation s = σ√dx of one.
    drift : float
        Mean of one, m·dx.
    seed : int or sequence of int
        Of the steps, as `numpy.random.default_rng` takes it.

    Returns
    -------
    ndarray (n + 1,)
    """
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 1:
        raise LandscapeError(f"steps = {steps!r} must be a positive integer")
    if not (math.isfinite(step) and step > 0.0):
        raise LandscapeError(f"step = {step!r} must be positive and finite")
    noise = np.random.default_rng(seed).standard_normal(steps)
    return np.concatenate([[0.0], np.cumsum(drift + step * noise)])


def threshold_extrema(values: ArrayLike, threshold: float) -> NDArray[np.int64]:
    """Return where the maxima and minima of a path are that a threshold h leaves (h-extrema).

    They alternate, neighbours differ by h at least, and between them the path nowhere goes back by h. Both ends of the
    path are among them where they are highest or lowest; what they bound is not a complete rise or fall.

    Parameters
    ----------
    values : array_like (n,)
        The path.
    threshold : float
        h > 0.

    Returns
    -------
    ndarray of int
        Ascending indices into `values`. Where all variation is below h, the first only.

    Notes
    -----
    Neighbouring extrema that differ by less than h, and by less than their other neighbours do, cancel in pairs, as in
    topological persistence; all such pairs at once, until there is none.

    Examples
    --------
    >>> threshold_extrema([0.0, 3.0, 2.5, 4.0, 1.0, 1.2, 0.0, 5.0], 1.0)
    array([0, 3, 6, 7])
    """
    path = np.asarray(values, dtype=float)
    if path.ndim != 1 or path.size < 2 or not np.isfinite(path).all():
        raise LandscapeError(f"a path needs at least two finite values in a row, not an array of shape {path.shape}")
    if not threshold > 0.0:
        raise LandscapeError(f"threshold = {threshold!r} must be positive")
    kept = np.arange(path.size)
    while True:
        kept = _turning(path, kept)
        sizes = np.abs(np.diff(path[kept]))
        # An end has no other neighbour: beside it a small difference always cancels, and takes the end along.
        around = np.concatenate([[np.inf], sizes, [np.inf]])
        small = (sizes < threshold) & (sizes <= around[:-2]) & (sizes < around[2:])
        if not small.any():
            return kept
        remove = np.zeros(len(kept), dtype=bool)
        remove[:-1] |= small
        remove[1:] |= small
        if small[0]:
            remove[1] = False
        if small[-1] and len(small) > 1:
            remove[-2] = False
        kept = kept[~remove] if not remove.all() else kept[:1]


def _turning(path: Floats, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those of the points kept where the path turns, and both ends; of equal neighbours the first."""
    values = path[kept]
    kept = kept[np.concatenate([[True], np.diff(values) != 0.0])]
    signs = np.sign(np.diff(path[kept]))
    turns = np.ones(len(kept), dtype=bool)
    turns[1:-1] = signs[:-1] != signs[1:]
    return kept[turns]
