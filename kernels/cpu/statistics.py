"""Moments and exponential sums of blocks of 256 trajectories.

A block is ``values[b, row]``, 256 numbers of which the first ``counts[b]`` belong to trajectories; the others are
ghosts and never enter. Floating sums are made for each block by itself, always in the same order (halves are added
until one number is left, which vectorises and loses few digits), and folded block after block: the result does not
depend on how blocks were shared out among calls or threads.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from fpsolver.kernels.elementary import exp

FAST = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(forceinline=True, **FAST)
def _fold_halves(work):
    """Return the sum of work[:128], which is overwritten."""
    for i in range(64):
        work[i] += work[i + 64]
    for i in range(32):
        work[i] += work[i + 32]
    for i in range(16):
        work[i] += work[i + 16]
    for i in range(8):
        work[i] += work[i + 8]
    return ((work[0] + work[4]) + (work[2] + work[6])) + ((work[1] + work[5]) + (work[3] + work[7]))


@njit(**FAST)
def _total(x, work):
    for i in range(128):
        work[i] = x[i] + x[i + 128]
    return _fold_halves(work)


@njit(**FAST)
def _dot(x, y, work):
    for i in range(128):
        work[i] = x[i] * y[i] + x[i + 128] * y[i + 128]
    return _fold_halves(work)


@njit(**FAST)
def _centre(x, count, out, work):
    """Write x minus its mean to `out`, zero for ghosts, and return the mean."""
    for i in range(256):
        out[i] = x[i]
    for i in range(count, 256):
        out[i] = 0.0
    mean = _total(out, work) / count
    for i in range(256):
        out[i] -= mean
    for i in range(count, 256):
        out[i] = 0.0
    return mean


@njit(**FAST)
def block_means(values, rows, counts, means, squares):
    """Write mean and Σ(x − mean)² of each block, shapes (n_blocks, k), for the k given rows."""
    centred, work = np.empty(256), np.empty(128)
    for b in range(counts.size):
        for k in range(rows.size):
            if counts[b] > 0:
                means[b, k] = _centre(values[b, rows[k]], counts[b], centred, work)
                squares[b, k] = _dot(centred, centred, work)
            else:
                means[b, k] = 0.0
                squares[b, k] = 0.0


@njit(**FAST)
def block_moments(values, rows, counts, means, second, third, fourth):
    """Write means (n_blocks, k) and central sums (n_blocks, k, k) of each block.

    With d = x − mean: second = Σ d_k d_l, third = Σ d_k² d_l, fourth = Σ d_k² d_l², which is what the standard error of
    a covariance needs.
    """
    n = rows.size
    centred, squared, work = np.empty((n, 256)), np.empty((n, 256)), np.empty(128)
    for b in range(counts.size):
        if counts[b] == 0:
            means[b], second[b], third[b], fourth[b] = 0.0, 0.0, 0.0, 0.0
            continue
        for k in range(n):
            d, q = centred[k], squared[k]
            means[b, k] = _centre(values[b, rows[k]], counts[b], d, work)
            for i in range(256):
                q[i] = d[i] * d[i]
        for k in range(n):
            for m in range(n):
                third[b, k, m] = _dot(squared[k], centred[m], work)
            for m in range(k + 1):
                second[b, k, m] = second[b, m, k] = _dot(centred[k], centred[m], work)
                fourth[b, k, m] = fourth[b, m, k] = _dot(squared[k], squared[m], work)


@njit(**FAST)
def fold_means(total, mean, square, counts, means, squares):
    """Add blocks, in order, to the running ``total`` (1,), ``mean`` and ``square`` (k,), in place.

    Pairwise update of Chan, Golub and LeVeque (1979), eq. 2.1.
    """
    for b in range(counts.size):
        if counts[b] == 0:
            continue
        n = total[0]
        share = counts[b] / (n + counts[b])
        for k in range(mean.size):
            delta = means[b, k] - mean[k]
            mean[k] += delta * share
            square[k] += squares[b, k] + delta * delta * n * share
        total[0] = n + counts[b]


@njit(**FAST)
def _shift(n, d, second, third, fourth):
    """Move central sums of n numbers to a point that lies −d from their mean, highest order first."""
    for k in range(d.size):
        for m in range(d.size):
            fourth[k, m] += (
                2.0 * (d[m] * third[k, m] + d[k] * third[m, k])
                + d[m] * d[m] * second[k, k]
                + d[k] * d[k] * second[m, m]
                + 4.0 * d[k] * d[m] * second[k, m]
                + n * (d[k] * d[k]) * (d[m] * d[m])
            )
    for k in range(d.size):
        for m in range(d.size):
            third[k, m] += d[m] * second[k, k] + 2.0 * d[k] * second[k, m] + n * (d[k] * d[k]) * d[m]
    for k in range(d.size):
        for m in range(d.size):
            second[k, m] += n * d[k] * d[m]


@njit(**FAST)
def fold_moments(total, mean, second, third, fourth, counts, means, seconds, thirds, fourths):
    """Add blocks, in order, to running moments, in place: both sides move to the common mean and are added.

    The partial sums of the blocks are overwritten.
    """
    old, new = np.empty(mean.size), np.empty(mean.size)
    for b in range(counts.size):
        if counts[b] == 0:
            continue
        n, added = total[0], counts[b]
        share = added / (n + added)
        for k in range(mean.size):
            delta = means[b, k] - mean[k]
            old[k] = -delta * share
            new[k] = delta * (1.0 - share)
            mean[k] += delta * share
        _shift(n, old, second, third, fourth)
        _shift(added, new, seconds[b], thirds[b], fourths[b])
        for k in range(mean.size):
            for m in range(mean.size):
                second[k, m] += seconds[b, k, m]
                third[k, m] += thirds[b, k, m]
                fourth[k, m] += fourths[b, k, m]
        total[0] = n + added


@njit(**FAST)
def block_exponential_sums(values, row, counts, factor, largest, first, second):
    """Write max a, Σ e^(a − max) and Σ e^(2(a − max)) of each block, where a = factor·value; (−∞, 0, 0) if empty."""
    a, square, work = np.empty(256), np.empty(256), np.empty(128)
    for b in range(counts.size):
        x = values[b, row]
        for i in range(256):
            a[i] = factor * x[i]
        for i in range(counts[b], 256):
            a[i] = -np.inf
        top = -np.inf
        for i in range(256):
            top = a[i] if a[i] > top else top
        largest[b] = top
        for i in range(256):
            e = exp(a[i] - top)
            a[i] = e
            square[i] = e * e
        for i in range(counts[b], 256):
            a[i] = 0.0
            square[i] = 0.0
        first[b] = _total(a, work)
        second[b] = _total(square, work)


@njit(**FAST)
def fold_exponential_sums(total, sums, counts, largest, first, second):
    """Add blocks, in order, to the running ``total`` (1,) and ``sums`` = (max, Σ e, Σ e²), in place."""
    for b in range(counts.size):
        if counts[b] == 0:
            continue
        if largest[b] > sums[0]:
            scale = math.exp(sums[0] - largest[b])
            sums[0] = largest[b]
            sums[1] = sums[1] * scale + first[b]
            sums[2] = sums[2] * scale * scale + second[b]
        else:
            scale = math.exp(largest[b] - sums[0])
            sums[1] += first[b] * scale
            sums[2] += second[b] * scale * scale
        total[0] += counts[b]
