"""Multilinear interpolation between the points of a grid in one to three dimensions, as block functions.

All that describes the grid is packed into one array p: for each axis the period (0 where there is none), the first
coordinate, bins per length, the number of bins and that of points; then for each axis its coordinates, and for each bin
the last point at or below its lower end, from where the search goes up; then the values in row-major order. Beyond the
outermost points of an axis the values are those of these points: the function is bounded, and monotone where they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import cfunc, njit, types

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.options import INLINE

HEAD = 5
"""Numbers of each axis at the beginning of p."""

LARGEST = 3
"""Most dimensions."""

_numbers = types.float64[::1]


@njit(**INLINE)
def _bracket(p, head, data, place):
    """Return the point at or below a place, and the weight of the next one.

    Parameters
    ----------
    p : ndarray
        The grid.
    head, data : int
        Where the numbers of the axis stand, and its coordinates.
    place : float
        The coordinate; NaN goes to the first point.
    """
    period, first, density = p[head], p[head + 1], p[head + 2]
    bins, points = int(p[head + 3]), int(p[head + 4])
    if period > 0.0:
        place -= period * np.floor((place - first) / period)
    along = (place - first) * density
    number = int(along) if (along > 0.0) & (along < bins) else (bins - 1 if along >= bins else 0)
    cell = int(p[data + points + number])
    while cell < points - 2 and p[data + cell + 1] <= place:
        cell += 1
    weight = (place - p[data + cell]) / (p[data + cell + 1] - p[data + cell])
    return cell, (weight if weight < 1.0 else 1.0) if weight > 0.0 else 0.0


@njit(**INLINE)
def _after(p, head, data):
    """Return where what follows the data of an axis stands."""
    return data + int(p[head + 3]) + int(p[head + 4])


@cfunc(types.void(_numbers, _numbers, _numbers), cache=True, error_model="numpy", fastmath={"contract"})
def linear(x, p, out):
    """Fill one row with the interpolated values at x, on a line."""
    values = _after(p, 0, HEAD)
    for i in range(LANES):
        cell, weight = _bracket(p, 0, HEAD, x[i])
        left, right = p[values + cell], p[values + cell + 1]
        out[i] = left + weight * (right - left)


@cfunc(types.void(_numbers, _numbers, _numbers), cache=True, error_model="numpy", fastmath={"contract"})
def bilinear(x, p, out):
    """Fill one row with the interpolated values at x, in the plane."""
    second = _after(p, 0, 2 * HEAD)
    values, stride = _after(p, HEAD, second), int(p[HEAD + 4])
    for i in range(LANES):
        j, v = _bracket(p, 0, 2 * HEAD, x[i])
        k, w = _bracket(p, HEAD, second, x[LANES + i])
        at = values + j * stride + k
        near = p[at] + w * (p[at + 1] - p[at])
        far = p[at + stride] + w * (p[at + stride + 1] - p[at + stride])
        out[i] = near + v * (far - near)


@cfunc(types.void(_numbers, _numbers, _numbers), cache=True, error_model="numpy", fastmath={"contract"})
def trilinear(x, p, out):
    """Fill one row with the interpolated values at x, in space."""
    second = _after(p, 0, 3 * HEAD)
    third = _after(p, HEAD, second)
    values, stride = _after(p, 2 * HEAD, third), int(p[2 * HEAD + 4])
    plane = stride * int(p[HEAD + 4])
    for i in range(LANES):
        j, u = _bracket(p, 0, 3 * HEAD, x[i])
        k, v = _bracket(p, HEAD, second, x[LANES + i])
        m, w = _bracket(p, 2 * HEAD, third, x[2 * LANES + i])
        total = 0.0
        for side in range(2):
            at = values + (j + side) * plane + k * stride + m
            near = p[at] + w * (p[at + 1] - p[at])
            far = p[at + stride] + w * (p[at + stride + 1] - p[at + stride])
            total += (u if side else 1.0 - u) * (near + v * (far - near))
        out[i] = total


FUNCTIONS = (linear, bilinear, trilinear)
"""Block functions by dimension, from one on."""


def pack(coordinates: Sequence[np.ndarray], periods: Sequence[float], values: np.ndarray) -> np.ndarray:
    """Return p for the block functions.

    Parameters
    ----------
    coordinates : sequence of ndarray
        Ascending coordinates of the points, at least two per axis.
    periods : sequence of float
        Period of each axis, 0 where there is none.
    values : ndarray, shape (points of axis 0, points of axis 1, …)
        Values at the points.

    Examples
    --------
    >>> p = pack([np.array([0.0, 2.0])], [0.0], np.array([1.0, 3.0]))
    >>> out = np.empty(256)
    >>> linear(np.full(256, 0.5), p, out)
    >>> float(out[0])
    1.5
    """
    heads, data = [], []
    for axis, (points, period) in enumerate(zip(coordinates, periods, strict=True)):
        if period > 0:
            # One more point closes the circle.
            points = np.append(points, points[0] + period)
            values = np.concatenate([values, np.take(values, [0], axis=axis)], axis=axis)
        bins = len(points) - 1
        edges = points[0] + (points[-1] - points[0]) / bins * np.arange(bins)
        cells = np.clip(np.searchsorted(points, edges, side="right") - 1, 0, len(points) - 2)
        heads.append([period, points[0], bins / (points[-1] - points[0]), bins, len(points)])
        data += [points, cells]
    return np.concatenate([*heads, *data, np.ravel(values)]).astype(float)
