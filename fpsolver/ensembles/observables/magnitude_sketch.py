"""Counts of numbers by sign and magnitude: merging them, and reading quantiles off them.

A sketch is a tuple (first keys, positive counts, negative counts, zeros, extremes): ``positive[i]`` counts the numbers
whose key is ``first[0] + i``, ``negative[i]`` those whose opposite has the key ``first[1] + i``. Keys count through the
octaves of normal double-precision numbers in equal steps; see `fpsolver.kernels.cpu.counting.magnitude_keys`.
"""

from __future__ import annotations

import numpy as np

from fpsolver.ensembles.observables.observable import Arrays


def merge(one: Arrays, other: Arrays) -> Arrays:
    """Return the sketch of the numbers of both; `one` may be overwritten."""
    first, sides = np.zeros(2, np.int64), []
    for side in (0, 1):
        first[side], counts = _added(one[0][side], one[1 + side], other[0][side], other[1 + side])
        sides.append(counts)
    least, greatest = min(one[4][0], other[4][0]), max(one[4][1], other[4][1])
    return first, sides[0], sides[1], one[3] + other[3], np.array([least, greatest])


def _added(
    first: np.int64, counts: np.ndarray, other_first: np.int64, other: np.ndarray
) -> tuple[np.int64, np.ndarray]:
    if not len(other):
        return first, counts
    if not len(counts):
        return other_first, other
    low = min(first, other_first)
    high = max(first + len(counts), other_first + len(other))
    if (low, high) != (first, first + len(counts)):
        grown = np.zeros(high - low, np.int64)
        grown[first - low : first - low + len(counts)] = counts
        counts = grown
    counts[other_first - low : other_first - low + len(other)] += other
    return low, counts


def bin_edges(sketch: Arrays, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return counts, lower and upper edges of the occupied bins, from the lowest numbers to the highest.

    Parameters
    ----------
    sketch : tuple of ndarray
        The sketch.
    steps : int
        Bins per octave.
    """
    first, positive, negative, zeros, _ = sketch
    above, below = np.flatnonzero(positive), np.flatnonzero(negative)[::-1]
    inner, outer = (_edge(first[1] + below + k, steps) for k in (0, 1))
    zero = np.zeros(1 if zeros[0] else 0)
    counts = np.concatenate([negative[below], zeros[: len(zero)], positive[above]])
    lower = np.concatenate([-outer, zero, _edge(first[0] + above, steps)])
    upper = np.concatenate([-inner, zero, _edge(first[0] + above + 1, steps)])
    return counts, lower, upper


def _edge(keys: np.ndarray, steps: int) -> np.ndarray:
    """Return the smallest positive number with each key; the greatest finite number where a key is beyond."""
    shift = 53 - steps.bit_length()
    edge = (keys.astype(np.int64) << shift).view(np.float64)
    return np.minimum(edge, np.finfo(float).max)


def quantile(
    probabilities: np.ndarray, counts: np.ndarray, lower: np.ndarray, upper: np.ndarray, extremes: np.ndarray
) -> np.ndarray:
    """Return quantiles: the bin that holds the number of rank p(n − 1), from 0, and within it by rank.

    Parameters
    ----------
    probabilities : ndarray, shape (k,)
        p.
    counts, lower, upper : ndarray, shape (bins,)
        Occupied bins in ascending order.
    extremes : ndarray, shape (2,)
        Least and greatest number, which no quantile passes.
    """
    n = int(counts.sum())
    if n == 0:
        return np.full(len(probabilities), np.nan)
    rank = probabilities * (n - 1)
    ends = np.cumsum(counts)
    chosen = np.searchsorted(ends, np.floor(rank), side="right")
    inside = (rank - (ends[chosen] - counts[chosen]) + 0.5) / counts[chosen]
    value = lower[chosen] + np.minimum(inside, 1.0) * (upper[chosen] - lower[chosen])
    value = np.clip(value, *extremes)
    return np.where(probabilities == 0, extremes[0], np.where(probabilities == 1, extremes[1], value))
