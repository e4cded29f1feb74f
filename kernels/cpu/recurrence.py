"""Three-term recurrences x(k+1) = g A x(k) − h x(k−1) with a lattice operator A, several steps per sweep.

The operator lives on flat arrays. An edge class with flat shift F contributes
``(A x)[i] += into[i − F] x[i − F] + outof[i] x[i + F]``, where ``into[j]`` is the rate j → j + F and ``outof[j]`` the
rate j + F → j; both are zero where the edge does not exist, so that rows need no ends and every loop is one long
vector loop. A sweep takes several steps while a window of the arrays stays in the first-level cache: step j trails
step j − 1 by the largest shift. Blocks, one for each thread, carry halos deep enough for a whole sweep and
recompute them, so that threads meet once a sweep.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

CONTRACT = {"contract"}


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step_diagonal(x, out, diagonal, lo, hi, g, h):
    centre = x[lo:hi]
    new = out[lo:hi]
    rate = diagonal[lo:hi]
    for i in range(hi - lo):
        new[i] = g * (rate[i] * centre[i]) - h * new[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step_line(x, out, diagonal, into, outof, lo, hi, g, h):
    """Diagonal and the edges to the next cell in memory."""
    near = x[lo - 1 : hi + 1]
    new = out[lo:hi]
    rate = diagonal[lo:hi]
    left = into[lo - 1 : hi - 1]
    right = outof[lo:hi]
    for i in range(hi - lo):
        total = rate[i] * near[i + 1] + left[i] * near[i] + right[i] * near[i + 2]
        new[i] = g * total - h * new[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step_plane(x, out, diagonal, into, outof, far_into, far_outof, shift, lo, hi, g, h):
    """Diagonal, the edges to the next cell in memory and one class of longer edges.

    Eight input slices is what LLVM will check for aliasing before it vectorises; longer stencils take more loops.
    """
    near = x[lo - 1 : hi + 1]
    above = x[lo - shift : hi - shift]
    below = x[lo + shift : hi + shift]
    new = out[lo:hi]
    rate = diagonal[lo:hi]
    left = into[lo - 1 : hi - 1]
    right = outof[lo:hi]
    down = far_into[lo - shift : hi - shift]
    up = far_outof[lo:hi]
    for i in range(hi - lo):
        total = rate[i] * near[i + 1] + left[i] * near[i] + right[i] * near[i + 2]
        total += down[i] * above[i] + up[i] * below[i]
        new[i] = g * total - h * new[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _add_edges(x, out, into, outof, shift, lo, hi, g):
    above = x[lo - shift : hi - shift]
    below = x[lo + shift : hi + shift]
    new = out[lo:hi]
    down = into[lo - shift : hi - shift]
    up = outof[lo:hi]
    for i in range(hi - lo):
        new[i] += g * (down[i] * above[i] + up[i] * below[i])


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _accumulate(total, x, new, lo, hi, a, b):
    sums = total[lo:hi]
    first = x[lo:hi]
    second = new[lo:hi]
    for i in range(hi - lo):
        sums[i] += a * first[i] + b * second[i]


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _step(x, out, diagonal, into, outof, shifts, lo, hi, g, h):
    """One step on the cells lo ≤ i < hi; a unit shift, if there is one, comes first in `shifts`."""
    classes = len(shifts)
    if classes == 0 or shifts[0] != 1:
        _step_diagonal(x, out, diagonal, lo, hi, g, h)
        done = 0
    elif classes == 1:
        _step_line(x, out, diagonal, into[0], outof[0], lo, hi, g, h)
        done = 1
    else:
        _step_plane(x, out, diagonal, into[0], outof[0], into[1], outof[1], shifts[1], lo, hi, g, h)
        done = 2
    for e in range(done, classes):
        _add_edges(x, out, into[e], outof[e], shifts[e], lo, hi, g)


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep(x, out, sums, diagonal, into, outof, shifts, length, lead, depth, reach, closed, gains, pulls, weights, k, window):
    """Advance one block by `depth` steps (even), from step k; `x` holds x(k) and `out` x(k−1) on entry."""
    low, high = lead, lead + length
    front = low if closed[0] else low - (depth - 1) * reach
    last = high if closed[1] else high + (depth - 1) * reach
    while front - (depth - 1) * reach < high:
        for j in range(depth):
            spread = (depth - 1 - j) * reach
            first = low if closed[0] else low - spread
            end = high if closed[1] else high + spread
            lo = max(first, front - j * reach)
            hi = min(end, front + window - j * reach)
            if lo >= hi:
                continue
            if j % 2 == 0:
                _step(x, out, diagonal, into, outof, shifts, lo, hi, gains[k + j], pulls[k + j])
            else:
                _step(out, x, diagonal, into, outof, shifts, lo, hi, gains[k + j], pulls[k + j])
                for m in range(len(weights)):
                    a, b = weights[m, k + j], weights[m, k + j + 1]
                    if a != 0.0 or b != 0.0:
                        _accumulate(sums[m], out, x, lo, hi, a, b)
        front += window
    return last


@njit(cache=True, nogil=True, error_model="numpy")
def run_block(x, old, sums, diagonal, into, outof, shifts, length, lead, reach, gains, pulls, weights, depth, window):
    """Take len(gains) steps (an even number) on one block; see `run_blocks`."""
    closed = (True, True)
    k = 0
    while k < len(gains):
        steps = min(depth, len(gains) - k)
        _sweep(
            x, old, sums, diagonal, into, outof, shifts, length, lead, steps, reach, closed,
            gains, pulls, weights, k, window,
        )  # fmt: skip
        k += steps
