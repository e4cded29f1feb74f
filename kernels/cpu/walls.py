"""How far a block of trajectories is from its targets, in standard deviations of a step along the normal.

Targets are boxes, whose distance is the Euclidean one after each axis is divided by its standard deviation, and regions
where a level function g is not negative, whose distance is −g/√(∇g·C∇g) with the covariance C = BBᵀ of the step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu.lanes import row
from fpsolver.kernels.options import ALLOCATING, OPTIONS

FARTHEST = 1e15
"""Largest squared distance that is told apart; its products are finite in single precision."""


class Walls(NamedTuple):
    """The targets: boxes, as faces across the axes, and regions where a level function is not negative.

    Face k belongs to target ``target[k]``, which lies where ``side[k] (x[axis[k]] − wall[k]) ≥ 0`` for all its faces;
    row k of `level(x, p, out)` belongs to target ``levels[k]``, and the rows k d … of `gradient` are its gradient.
    """

    targets: int
    target: np.ndarray
    axis: np.ndarray
    side: np.ndarray
    wall: np.ndarray
    levels: np.ndarray
    level: Any
    gradient: Any


class End(NamedTuple):
    """One end of a step: squared distances from the boxes, level functions and the variances of a step along them."""

    distance: np.ndarray
    value: np.ndarray
    variance: np.ndarray


class Near(NamedTuple):
    """Arrays of one block: gradients of the level functions at the last end; lanes under way, now and at a backup."""

    gradient: np.ndarray
    projection: np.ndarray
    live: np.ndarray
    alive: np.ndarray


@njit(**ALLOCATING)
def make_end(like, walls):
    """Return arrays for one end of a step, of the block's type."""
    levels = len(walls.levels) * LANES
    # Rows of level functions stay as they are: far from a box.
    return End(
        np.full(walls.targets * LANES, FARTHEST, like.dtype), np.zeros(levels, like.dtype), np.zeros(levels, like.dtype)
    )


@njit(**ALLOCATING)
def make_near(like, walls, d):
    """Return arrays for the surroundings of a block."""
    gradient = np.zeros(len(walls.levels) * d * LANES, like.dtype)
    return Near(gradient, np.zeros(LANES, like.dtype), np.zeros(LANES, np.bool_), np.zeros(LANES, np.bool_))


@njit(**OPTIONS)
def axis_variance(amplitude, k):
    """Return the variance of a step along axis k."""
    total = 0.0
    for j in range(amplitude.shape[1]):
        total += amplitude[k, j] * amplitude[k, j]
    return total


@njit(**OPTIONS)
def _measure_face(position, side, wall, weight, floor, fresh, total):
    """Add to (or, where `fresh`, write to) a box's squared distance what one of its faces contributes."""
    number = position.dtype.type
    nothing, most = number(0.0), number(FARTHEST)
    if fresh:
        for i in range(LANES):
            before = side * (wall - position[i])
            square = weight * before * before + floor if before > nothing else nothing
            total[i] = square if square < most else most
    else:
        for i in range(LANES):
            before = side * (wall - position[i])
            square = total[i] + (weight * before * before + floor if before > nothing else nothing)
            total[i] = square if square < most else most


@njit(**OPTIONS)
def _measure_boxes(x, amplitude, walls, distance):
    """Fill the squared distances of boxes: the sum over faces of (how far x is before the face)² / variance."""
    number = x.dtype.type
    last = -1
    for k in range(len(walls.target)):
        target, axis = walls.target[k], walls.axis[k]
        variance = axis_variance(amplitude, axis)
        # Without noise along the normal, whatever is outside is far.
        weight, floor = (1.0 / variance, 0.0) if variance > 0.0 else (0.0, FARTHEST)
        side, wall = number(walls.side[k]), number(walls.wall[k])
        _measure_face(row(x, axis), side, wall, number(weight), number(floor), target != last, row(distance, target))
        last = target


@njit(**OPTIONS)
def _add_scaled(total, weight, values, fresh):
    """Add weight·values to a row, or write it there where `fresh`."""
    factor = total.dtype.type(weight)
    if fresh:
        for i in range(LANES):
            total[i] = factor * values[i]
    else:
        for i in range(LANES):
            total[i] += factor * values[i]


@njit(**OPTIONS)
def _level_variance(gradient, amplitude, variance, projection, d, k):
    """Write |Bᵀ∇g|², the variance of level function k over a step, to `variance`."""
    for i in range(LANES):
        variance[i] = 0
    for j in range(amplitude.shape[1]):
        fresh = True
        for r in range(d):
            if amplitude[r, j] != 0.0:
                _add_scaled(projection, amplitude[r, j], row(gradient, k * d + r), fresh)
                fresh = False
        if not fresh:
            for i in range(LANES):
                variance[i] += projection[i] * projection[i]


@njit(**OPTIONS)
def measure(x, p, amplitude, walls, end, near, d):
    """Fill one end with what tells the distances of x from the targets in standard deviations of the step."""
    _measure_boxes(x, amplitude, walls, end.distance)
    if len(walls.levels) == 0:
        return
    walls.level(x, p, end.value)
    walls.gradient(x, p, near.gradient)
    for k in range(len(walls.levels)):
        _level_variance(near.gradient, amplitude, row(end.variance, k), near.projection, d, k)


@njit(**OPTIONS)
def _boxes_near(old, new, live, limit):
    """Return whether a living lane has squared distances from a box whose product is not above `limit`."""
    found = False
    bound = old.dtype.type(limit)
    for i in range(LANES):
        found |= live[i] & (not (old[i] * new[i] > bound))
    return found


@njit(**OPTIONS)
def _levels_near(old, old_variance, new, new_variance, live, limit):
    """Return the same for a level function; written without a division, which would take longer than all the rest."""
    found = False
    bound, nothing = old.dtype.type(limit), old.dtype.type(0.0)
    for i in range(LANES):
        product = old[i] * new[i]
        far = product * product > bound * (old_variance[i] * new_variance[i])
        found |= live[i] & (not (far & (new[i] < nothing)))
    return found


@njit(**OPTIONS)
def any_near(before, after, walls, live, limit):
    """Return whether a living lane may have touched a target in the step, or does not know how far away it is."""
    found = False
    if len(walls.target) > 0:
        for k in range(walls.targets):
            found |= _boxes_near(row(before.distance, k), row(after.distance, k), live, limit)
    for k in range(len(walls.levels)):
        old, old_variance = row(before.value, k), row(before.variance, k)
        found |= _levels_near(old, old_variance, row(after.value, k), row(after.variance, k), live, limit)
    return found


@njit(**OPTIONS)
def squared_distance(end, walls, target, i):
    """Return the squared distance of lane i from a target, 0 inside, NaN where a level function has no value."""
    for k in range(len(walls.levels)):
        if walls.levels[k] == target:
            g, variance = np.float64(row(end.value, k)[i]), np.float64(row(end.variance, k)[i])
            if g >= 0.0:
                return 0.0
            ratio = g * g / variance
            return FARTHEST if ratio > FARTHEST else ratio
    return np.float64(end.distance[target * LANES + i])


@njit(**OPTIONS)
def _nearest_face(x, amplitude, walls, target, i):
    """Return the face of a box that lane i is farthest before, in standard deviations of the step."""
    best, most = -1, -1.0
    for k in range(len(walls.target)):
        if walls.target[k] == target:
            variance = max(axis_variance(amplitude, walls.axis[k]), 1.0 / FARTHEST)
            before = walls.side[k] * (walls.wall[k] - np.float64(row(x, walls.axis[k])[i]))
            if before * abs(before) / variance > most or best < 0:
                best, most = k, before * abs(before) / variance
    return best


@njit(**OPTIONS)
def wall_ends(old, x, amplitude, walls, before, after, target, i):
    """Return distances before and behind the wall at the two ends, the variance of the step, and face or level."""
    for k in range(len(walls.levels)):
        if walls.levels[k] == target:
            a, b = -np.float64(row(before.value, k)[i]), abs(np.float64(row(after.value, k)[i]))
            first, last = np.float64(row(before.variance, k)[i]), np.float64(row(after.variance, k)[i])
            if first > 0.0 and last > 0.0:
                a *= np.sqrt(last / first)
            return a, b, last, -1 - k
    face = _nearest_face(old, amplitude, walls, target, i)
    at, side, wall = walls.axis[face], walls.side[face], walls.wall[face]
    a = max(side * (wall - np.float64(row(old, at)[i])), 0.0)
    b = abs(side * (wall - np.float64(row(x, at)[i])))
    return a, b, axis_variance(amplitude, at), face
