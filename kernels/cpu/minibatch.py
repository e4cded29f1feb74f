"""Gradients of minibatches drawn at random, for linear and logistic regression, in blocks of 256 lanes.

Every lane draws a batch of its own, and the lanes of a tile take one example each at a time: their rows of the features
come from anywhere, and everything else is the same work in every lane. Draw k of a step has two random words, half a
draw block, so that an index below N is uniform to N/2⁶⁴.

References
----------
R. W. Floyd, in J. Bentley and R. Floyd, Commun. ACM 30, 754 (1987): samples without replacement.
D. Lemire, ACM Trans. Model. Comput. Simul. 29, 3 (2019), eq. (1): indices by multiplication.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels import elementary
from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.options import ALLOCATING, FORMULA, OPTIONS, SUMS
from fpsolver.kernels.philox import DYNAMICS, SHIFT_32, draw

TILE = 64
"""Lanes that take an example together: their rows of the features stay in the first-level cache."""

LONG, BUNDLE = 16, 8
"""Dimension from which rows are longer than two cache lines, and lanes take turns in bundles of eight."""

PAIR_BITS = 15
LARGEST_BATCH = 2 << PAIR_BITS
"""The draw block is step · 2¹⁵ + pair of draws, whatever the batches of other steps."""


class Examples(NamedTuple):
    """The data, shared by all lanes: features (N · d,) row by row, targets (N,), penalty switches (d,)."""

    features: np.ndarray
    targets: np.ndarray
    penalised: np.ndarray
    logistic: bool
    replacement: bool


class Batch(NamedTuple):
    """Arrays to work with.

    Examples drawn (rows of uint32), examples in use, and what the sums over a tile of lanes need.
    """

    drawn: np.ndarray
    used: np.ndarray
    tile: np.ndarray


@njit(**ALLOCATING)
def make_batch(like, examples, size):
    """Return arrays for batches of up to `size` examples; 0 for none."""
    d = len(examples.penalised)
    return Batch(
        np.zeros((size + size % 2) * LANES, np.uint32),
        np.zeros(0 if examples.replacement else len(examples.targets), np.uint8),
        np.zeros((3 * d + 1) * TILE, like.dtype),
    )


@njit(**FORMULA)
def index_below(n, high, low):
    """Return the part of n at the 64-bit fraction of two random words, in uint64; n below 2³².

    Examples
    --------
    >>> int(index_below(np.uint64(10), np.uint64(2**31), np.uint64(0)))
    5
    """
    n, high, low = np.uint64(n), np.uint64(high), np.uint64(low)
    return (n * high + ((n * low) >> SHIFT_32)) >> SHIFT_32


@njit(**OPTIONS)
def _draw_pair(drawn, ids, block, first, second, k0, k1):
    """Fill two rows with indices below `first` and `second`."""
    counter, use, key0, key1 = np.uint64(block), np.uint64(DYNAMICS), np.uint64(k0), np.uint64(k1)
    n, m = np.uint64(first), np.uint64(second)
    for i in range(LANES):
        a, b, c, e = draw(ids[i], counter, use, key0, key1)
        drawn[i] = index_below(n, a, b)
        drawn[LANES + i] = index_below(m, c, e)


@njit(**OPTIONS)
def _separate(drawn, used, size, total):
    """Make draws below total − size + 1, …, total a sample without replacement: Floyd's algorithm, lane by lane."""
    for i in range(LANES):
        for k in range(size):
            e = drawn[k * LANES + i]
            if used[e]:
                e = np.uint32(total - size + k)
                drawn[k * LANES + i] = e
            used[e] = 1
        for k in range(size):
            used[drawn[k * LANES + i]] = 0


@njit(**OPTIONS)
def draw_batch(drawn, used, ids, step, size, total, replacement, k0, k1):
    """Fill `size` rows with the examples of a batch; all of them in their order where none is left out.

    Parameters
    ----------
    drawn : ndarray of uint32
        Rows for the result, and one more where their number is odd.
    used : ndarray of uint8, shape (total,)
        Zeros, as it is again afterwards; empty with replacement.
    ids : ndarray of uint64
        Trajectory of each lane.
    step, size, total : int
        Number of the step, examples in the batch, and in all.
    replacement : bool
        Whether a batch may have an example twice.
    k0, k1 : int
        Key.
    """
    if not replacement and size == total:
        for k in range(size):
            for i in range(LANES):
                drawn[k * LANES + i] = k
        return
    for pair in range((size + 1) // 2):
        first, second = total, total
        if not replacement:
            first = total - size + 2 * pair + 1
            second = first + 1
        _draw_pair(drawn[2 * pair * LANES :], ids, (step << PAIR_BITS) + pair, first, second, k0, k1)
    if not replacement:
        _separate(drawn, used, size, total)


@njit(**OPTIONS)
def _residuals(z, index, examples, lanes):
    """Replace the predictions of one example for each of some lanes by the derivatives of its loss."""
    if examples.logistic:
        for i in range(lanes):
            z[i] = elementary.logistic(z[i])
    for i in range(lanes):
        z[i] -= examples.targets[index[i]]


@njit(**OPTIONS)
def _sum_by_columns(x, out, drawn, size, examples, tile, d):
    """Fill `out` with the sums of the gradients of a tile of lanes, all lanes at once, coordinate by coordinate.

    Coordinates and sums are kept side by side, because rows of blocks, a power of two apart, get in each other's way in
    the cache; and features are brought into rows of their own, because to gather them twice would take longer.
    """
    theta, total = tile[: d * TILE], tile[d * TILE : 2 * d * TILE]
    columns, z = tile[2 * d * TILE : 3 * d * TILE], tile[3 * d * TILE :]
    for k in range(d):
        position, gradient, source = theta[k * TILE :], total[k * TILE :], x[k * LANES :]
        for i in range(TILE):
            position[i] = source[i]
            gradient[i] = 0
    for b in range(size):
        index = drawn[b * LANES :]
        for i in range(TILE):
            z[i] = 0
        for k in range(d):
            column, position = columns[k * TILE : (k + 1) * TILE], theta[k * TILE : (k + 1) * TILE]
            for i in range(TILE):
                column[i] = examples.features[np.uint64(index[i]) * np.uint64(d) + np.uint64(k)]
            for i in range(TILE):
                z[i] += column[i] * position[i]
        _residuals(z, index, examples, TILE)
        for k in range(d):
            column, gradient = columns[k * TILE : (k + 1) * TILE], total[k * TILE : (k + 1) * TILE]
            for i in range(TILE):
                gradient[i] += column[i] * z[i]
    for k in range(d):
        target, gradient = out[k * LANES :], total[k * TILE :]
        for i in range(TILE):
            target[i] = gradient[i]


@njit(**SUMS)
def _product(features, at, theta, first, d):
    """Return the product of d features from place `at` on with the coordinates from place `first` on."""
    found = theta.dtype.type(0)
    for k in range(d):
        found += features[at + np.uint64(k)] * theta[first + np.uint64(k)]
    return found


@njit(**OPTIONS)
def _sum_by_rows(x, out, drawn, size, examples, tile, d):
    """Do what `_sum_by_columns` does lane by lane: the d features of an example are neighbours in memory."""
    theta, total, z = tile[: d * BUNDLE], tile[d * BUNDLE : 2 * d * BUNDLE], tile[2 * d * BUNDLE :]
    width, features = np.uint64(d), examples.features
    for k in range(d):
        source = x[k * LANES :]
        for i in range(BUNDLE):
            theta[np.uint64(i) * width + np.uint64(k)] = source[i]
    for i in range(d * BUNDLE):
        total[i] = 0
    for b in range(size):
        index = drawn[b * LANES :]
        for i in range(BUNDLE):
            z[i] = _product(features, np.uint64(index[i]) * width, theta, np.uint64(i) * width, d)
        _residuals(z, index, examples, BUNDLE)
        for i in range(BUNDLE):
            at, first, residual = np.uint64(index[i]) * width, np.uint64(i) * width, z[i]
            for k in range(d):
                total[first + np.uint64(k)] += residual * features[at + np.uint64(k)]
    for k in range(d):
        target = out[k * LANES :]
        for i in range(BUNDLE):
            target[i] = total[np.uint64(i) * width + np.uint64(k)]


@njit(**OPTIONS)
def fill_batch_slope(x, out, ids, step, size, ridge, examples, t, k0, k1, d):
    """Fill `out` (d rows) with the mean gradient of a batch of examples that each lane draws, and the ridge penalty.

    Parameters
    ----------
    x, out : ndarray
        Coordinates and result.
    ids : ndarray of uint64
        Trajectory of each lane.
    step, size : int
        Number of the step, and examples in the batch.
    ridge : float
        Penalty r of r|θ|²/2.
    examples : Examples
        The data.
    t : Batch
        Arrays to work with.
    k0, k1 : int
        Key.
    """
    draw_batch(t.drawn, t.used, ids, step, size, len(examples.targets), examples.replacement, k0, k1)
    if d < LONG:
        for start in range(0, LANES, TILE):
            _sum_by_columns(x[start:], out[start:], t.drawn[start:], size, examples, t.tile, d)
    else:
        for start in range(0, LANES, BUNDLE):
            _sum_by_rows(x[start:], out[start:], t.drawn[start:], size, examples, t.tile, d)
    share = out.dtype.type(1.0 / size)
    for k in range(d):
        weight = out.dtype.type(ridge * examples.penalised[k])
        total, position = out[k * LANES : (k + 1) * LANES], x[k * LANES : (k + 1) * LANES]
        for i in range(LANES):
            total[i] = share * total[i] + weight * position[i]
