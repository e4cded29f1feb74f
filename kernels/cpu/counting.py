"""Counting trajectories in cells: histograms over several axes, and logarithmic bins for quantiles.

A block is ``values[b, row]``, 256 numbers of which the first ``counts[b]`` belong to trajectories; the others are
ghosts and never counted. Counts are integers, so that they may be added in any order.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FAST = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_MAGNITUDE = np.int64(0x7FFFFFFFFFFFFFFF)
_SMALLEST_NORMAL = np.int64(0x0010000000000000)


@njit(**FAST)
def _multiply(x, edges, lower, scale, tolerance, slots):
    """Write the slot of each x among equal bins by a multiplication; near an edge the edge itself decides."""
    bins = np.float64(edges.size - 1)
    near = 0
    for i in range(256):
        guess = (x[i] - lower) * scale
        near += abs(guess - np.rint(guess)) < tolerance
        guess = np.floor(guess)
        guess = guess if guess > -1.0 else -1.0
        guess = guess if guess < bins else bins
        slots[i] = np.int32(guess + 1.0)
    if near > 0:
        for i in range(256):
            j = slots[i]
            if j > 0 and x[i] < edges[j - 1]:
                slots[i] = j - 1
            elif j < edges.size and x[i] >= edges[j]:
                slots[i] = j + 1


@njit(**FAST)
def _search(x, edges, lower, scale, guide, slots):
    """Write the number of edges at or below each x: a table of equal cells says between which to bisect."""
    cells = np.float64(guide.size - 2)
    for i in range(256):
        value = x[i]
        cell = (value - lower) * scale
        cell = cell if cell > 0.0 else 0.0
        cell = cell if cell < cells else cells
        k = np.int64(cell)
        low, high = np.int64(guide[k]), np.int64(guide[k + 1])
        while low < high:
            middle = (low + high) >> 1
            if edges[middle] <= value:
                low = middle + 1
            else:
                high = middle
        slots[i] = low


@njit(**FAST)
def _locate(x, edges, guide, rule, position, slots):
    """Write the slot of each lane of one axis: 0 below, 1 … bins inside, bins + 1 above."""
    lower, period, scale, tolerance = rule
    for i in range(256):
        position[i] = x[i]
    if period > 0.0:
        for i in range(256):
            position[i] -= period * np.floor((position[i] - lower) / period)
    if guide.size == 0:
        _multiply(position, edges, lower, scale, tolerance, slots)
    else:
        _search(position, edges, lower, scale, guide, slots)


@njit(**FAST)
def histogram_cells(values, rows, counts, edges, edge_starts, guides, guide_starts, rules, cells):
    """Write the flat cell, with one slot below and above each axis, of every trajectory, one after the other.

    ``edges[edge_starts[a]:edge_starts[a + 1]]`` are the edges of axis a, the last one moved up by one rounding so that
    the last bin is closed. A row of `rules` has the lower bound, the period (0 if there is none), a scale and a
    tolerance. Without a guide the scale is bins per unit of length, and the tolerance how near to an edge, in bins,
    that product can err. With a guide, the scale is cells of it per unit of length, and edges ``guide[k]`` to
    ``guide[k + 1]`` lie in cell k. `cells` is int32, as long as all counts together.
    """
    position, slots, flat = np.empty(256), np.empty(256, np.int32), np.empty(256, np.int32)
    done = 0
    for b in range(counts.size):
        for i in range(256):
            flat[i] = 0
        for a in range(rows.size):
            own = edges[edge_starts[a] : edge_starts[a + 1]]
            guide = guides[guide_starts[a] : guide_starts[a + 1]]
            rule = (rules[a, 0], rules[a, 1], rules[a, 2], rules[a, 3])
            _locate(values[b, rows[a]], own, guide, rule, position, slots)
            size = np.int32(own.size + 1)
            for i in range(256):
                flat[i] = flat[i] * size + slots[i]
        cells[done : done + counts[b]] = flat[: counts[b]]
        done += counts[b]


@njit(**FAST)
def count_cells(cells, counts):
    """Add one to the count of each cell, in place."""
    for i in range(cells.size):
        counts[cells[i]] += 1


@njit(**FAST)
def count_few_cells(cells, counts):
    """Do as `count_cells`, with four tables in turn: neighbours in one cell do not wait for each other's store."""
    tables = np.zeros((4, counts.size), np.int64)
    whole = cells.size & ~3
    for i in range(0, whole, 4):
        tables[0, cells[i]] += 1
        tables[1, cells[i + 1]] += 1
        tables[2, cells[i + 2]] += 1
        tables[3, cells[i + 3]] += 1
    for i in range(whole, cells.size):
        tables[0, cells[i]] += 1
    for j in range(counts.size):
        counts[j] += (tables[0, j] + tables[1, j]) + (tables[2, j] + tables[3, j])


@njit(**FAST)
def magnitude_keys(values, row, counts, shift, keys):
    """Write the signed key of every trajectory's value, and return the least and the greatest value.

    The key of x > 0 is its bit pattern without the last `shift` bits, which counts through the octaves in
    2^(52 − shift) equal steps each; −x has the opposite key, and 0 and subnormal numbers have key 0.
    """
    position, lanes = np.empty(256), np.empty(256, np.int32)
    least, greatest = np.full(256, np.inf), np.full(256, -np.inf)
    done = 0
    for b in range(counts.size):
        x = values[b, row]
        for i in range(256):
            position[i] = x[i]
        for i in range(counts[b], 256):
            position[i] = position[0]
        for i in range(256):
            value = position[i]
            bits = np.float64(value).view(np.int64) & _MAGNITUDE
            key = np.int32(bits >> shift) if bits >= _SMALLEST_NORMAL else np.int32(0)
            lanes[i] = key if value > 0.0 else -key
        if counts[b] > 0:
            for i in range(256):
                least[i] = position[i] if position[i] < least[i] else least[i]
                greatest[i] = position[i] if position[i] > greatest[i] else greatest[i]
        keys[done : done + counts[b]] = lanes[: counts[b]]
        done += counts[b]
    return least.min(), greatest.max()


@njit(**FAST)
def magnitude_range(keys):
    """Return the least and greatest positive key, and the same of the negated negative keys; (0, −1) if none."""
    huge, none = np.int32(2**31 - 1), np.int32(-1)
    low_positive, high_positive, low_negative, high_negative = huge, none, huge, none
    for i in range(keys.size):
        key = keys[i]
        positive = key if key > 0 else huge
        negative = np.int32(-key) if key < 0 else huge
        low_positive = min(low_positive, positive)
        low_negative = min(low_negative, negative)
        high_positive = max(high_positive, key)
        high_negative = max(high_negative, np.int32(-key))
    low, high = np.zeros(2, np.int64), np.full(2, np.int64(-1))
    if low_positive < huge:
        low[0], high[0] = low_positive, high_positive
    if low_negative < huge:
        low[1], high[1] = low_negative, high_negative
    return low, high


@njit(**FAST)
def count_magnitudes(keys, low, high, counts):
    """Count keys, in place: negative ones from the lowest number upwards, then zeros, then positive ones.

    ``counts`` has room for both windows of keys from `low` to `high` and for the zeros between them.
    """
    zero = high[1] - low[1] + 1
    rising, falling = zero + 1 - low[0], zero - 1 + low[1]
    for i in range(keys.size):
        key = np.int64(keys[i])
        slot = key + rising if key > 0 else key + falling
        counts[slot if key != 0 else zero] += 1
