"""What loops over blocks of 256 lanes share: rows, trajectory numbers, parameters of the moment, failed lanes, gaps."""

from __future__ import annotations

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.options import ALLOCATING, OPTIONS


@njit(inline="always")
def row(block, k):
    """Return row k of a block; put in place by Numba itself, because without counts a view cannot be returned."""
    return block[k * LANES : (k + 1) * LANES]


@njit(**OPTIONS)
def copy(target, source):
    """Copy an array; an assignment of slices would look for overlap, with memory of its own."""
    for i in range(len(target)):
        target[i] = source[i]


@njit(**OPTIONS)
def subtract(after, before, out, d):
    """Write ``after − before`` to `out`."""
    for i in range(d * LANES):
        out[i] = after[i] - before[i]


@njit(**OPTIONS)
def set_parameters(p, driven, table, moment):
    """Set the driven entries of p to row `moment` of their table."""
    for j in range(len(driven)):
        p[driven[j]] = table[moment, j]


@njit(**OPTIONS)
def first_failure(block, lanes, limit):
    """Return the first of the leading lanes with a value that is not finite or exceeds `limit`, or −1.

    A sweep over all values looks for any; only if there is one are the lanes searched.
    """
    bad = 0
    for i in range(len(block)):
        bad |= not (abs(block[i]) <= limit)
    if not bad:
        return -1
    rows = len(block) // LANES
    for i in range(lanes):
        for k in range(rows):
            if not (abs(block[k * LANES + i]) <= limit):
                return i
    return -1


@njit(**OPTIONS)
def first_living_failure(block, live, limit, d):
    """Return the first living lane with a value that is not finite or exceeds `limit`, or −1."""
    bad = 0
    for k in range(d):
        values = row(block, k)
        for i in range(LANES):
            bad |= live[i] & (not (abs(values[i]) <= limit))
    if not bad:
        return -1
    for i in range(LANES):
        for k in range(d):
            if live[i] and not (abs(block[k * LANES + i]) <= limit):
                return i
    return -1


@njit(**OPTIONS)
def is_finite(x, limit, d, i):
    """Return whether the position of lane i is finite: a trajectory that ran away has come nowhere."""
    finite = True
    for k in range(d):
        finite &= abs(x[k * LANES + i]) <= limit
    return finite


@njit(**OPTIONS)
def close_gap(states, live, front, back, d):
    """Move the last living lane up to `back` to the first finished one from `front` on, in the d rows of all blocks.

    Returns
    -------
    front, back : int
        Where to and where from; ``front >= back`` if the first `front` lanes live and no others.
    """
    while front <= back and live[front]:
        front += 1
    while front <= back and not live[back]:
        back -= 1
    if front < back:
        live[front], live[back] = True, False
        for k in range(d):
            moved = states[back // LANES, k * LANES + back % LANES]
            states[front // LANES, k * LANES + front % LANES] = moved
    return front, back


@njit(**ALLOCATING)
def lane_ids(first, block):
    """Return the trajectory numbers of the lanes of a block."""
    ids = np.empty(LANES, np.uint64)
    for i in range(LANES):
        ids[i] = np.uint64(first + block * LANES + i)
    return ids
