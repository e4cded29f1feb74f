"""First passage of overdamped trajectories with additive noise, in blocks of 256 lanes that survivors fill up.

Between two steps of the Euler–Maruyama scheme the path is a Brownian bridge, whatever the drift. Let a and b be the
distances of its ends from a flat wall in units of the standard deviation of the step along the normal. A bridge that
ends outside has touched the wall with probability exp(−2ab); one that ends beyond it has crossed for certain. In both
cases the wall is touched first at the fraction s = u/(1 + u) of the step, where u has the inverse Gaussian law of mean
a/b and shape a²: under the time change u = s/(1 − s) the bridge becomes a Brownian motion that drifts towards the wall
at speed b, and a bridge that returns is, beyond the touch, the mirror image of one that does not.

References
----------
E. Gobet, Stoch. Proc. Appl. 87, 167 (2000): weak order one of the killed Euler scheme with this correction, one half
without. J. R. Michael, W. R. Schucany and R. W. Haas, Am. Stat. 30, 88 (1976): inverse Gaussian variables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise
from fpsolver.kernels.cpu.additive import FORCE, OLD, SLOPE, fill_slope, make_scratch, move, part
from fpsolver.kernels.cpu.driver import STRETCH
from fpsolver.kernels.cpu.lanes import close_gap, copy, first_living_failure, is_finite, row, set_parameters
from fpsolver.kernels.cpu.walls import (
    any_near,
    axis_variance,
    make_end,
    make_near,
    measure,
    squared_distance,
    wall_ends,
)
from fpsolver.kernels.normal_variables import normal_pair
from fpsolver.kernels.options import ALLOCATING, OPTIONS
from fpsolver.kernels.philox import BRIDGE, draw
from fpsolver.kernels.weak_variables import uniform

FAR = 22.9
"""A bridge with 2ab above this has probability below 2⁻³³, the smallest uniform variable: it is never drawn."""


class Exits(NamedTuple):
    """Time in steps, target and position at first passage of each trajectory, from number `first` on."""

    first: int
    time: np.ndarray
    target: np.ndarray
    keep: bool
    position: np.ndarray


@njit(**OPTIONS)
def touching_fraction(a, b, variance, z, u):
    """Return the fraction of a step at which a bridge first touches a wall, given that it does.

    Parameters
    ----------
    a, b : float
        Distances from the wall at the beginning and at the end, on whichever side; both not negative.
    variance : float
        Variance of the step along the normal.
    z, u : float
        A standard normal and a uniform variable in (0, 1).
    """
    if a <= 0.0:
        return 0.0
    y = variance * z * z
    ratio = 2.0 * a * a / (2.0 * a * b + y + np.sqrt(y * (y + 4.0 * a * b)))
    if u * (a + b * ratio) > a:
        ratio = (a / b) * (a / b) / ratio
    return ratio / (1.0 + ratio) if ratio < 1e300 else 1.0


@njit(**OPTIONS)
def _keep_position(exits, lane, old, x, amplitude, walls, before, after, near, fraction, face, d, i):
    """Keep the mean position of the bridge at the touch: on the line between its ends, moved along D∇g to the wall."""
    k = -1 - face
    for r in range(d):
        begin, end = np.float64(row(old, r)[i]), np.float64(row(x, r)[i])
        exits.position[lane, r] = begin + fraction * (end - begin)
    level, spread = 0.0, 0.0
    if face >= 0:
        level = walls.wall[face] - exits.position[lane, walls.axis[face]]
        spread = axis_variance(amplitude, walls.axis[face])
    else:
        first, last = np.float64(row(before.value, k)[i]), np.float64(row(after.value, k)[i])
        level = -(1.0 - fraction) * first - fraction * last
        spread = np.float64(row(after.variance, k)[i])
    if not spread > 0.0:
        return
    for j in range(amplitude.shape[1]):
        along = 0.0
        if face >= 0:
            along = amplitude[walls.axis[face], j]
        else:
            for r in range(d):
                along += amplitude[r, j] * np.float64(row(near.gradient, k * d + r)[i])
        for r in range(d):
            exits.position[lane, r] += amplitude[r, j] * along * level / spread


@njit(**OPTIONS)
def _finish(exits, ids, step, old, x, amplitude, walls, before, after, near, run, limit, d):
    """Find the lanes that touched a target in the step, and write down when, which, and where."""
    for i in range(LANES):
        if not near.live[i] or not is_finite(x, run.limit, d, i):
            continue
        lane = np.int64(ids[i]) - exits.first
        earliest = 2.0
        for target in range(walls.targets):
            there = squared_distance(after, walls, target, i)
            product = squared_distance(before, walls, target, i) * there
            if np.isnan(product):
                x[i] = product  # a level function without a value ends the run as a position without one does
            if not product <= limit:
                continue
            block = np.uint64(step * walls.targets + target)
            w0, w1, w2, w3 = draw(ids[i], block, np.uint64(BRIDGE), np.uint64(run.k0), np.uint64(run.k1))
            if there > 0.0 and uniform(w0) >= np.exp(-2.0 * np.sqrt(product)):
                continue
            a, b, variance, face = wall_ends(old, x, amplitude, walls, before, after, target, i)
            fraction = touching_fraction(a, b, variance, normal_pair(w2, w3)[0], uniform(w1)) if limit > 0.0 else 1.0
            if fraction < earliest:
                earliest = fraction
                exits.time[lane] = step + fraction
                exits.target[lane] = target
                near.live[i] = False
                if exits.keep:
                    _keep_position(exits, lane, old, x, amplitude, walls, before, after, near, fraction, face, d, i)


@njit(**OPTIONS)
def _stretch(block, ids, begin, steps, run, functions, law, schedule, walls, limit, exits, ends, near, d, t):
    """Advance one block by some steps, the first of them `begin` steps after the first of the call."""
    x, varies = block, len(law.drift) > 1
    old, slope, force = part(t.vectors, OLD, d), part(t.vectors, SLOPE, d), part(t.vectors, FORCE, d)
    before, after = ends
    amplitude = law.noise[min(begin, len(law.noise) - 1)]
    set_parameters(t.p, schedule.driven, schedule.table, 2 * begin)
    measure(x, t.p, amplitude, walls, before, near, d)
    for n in range(begin, begin + steps):
        at = noise.prepare(noise.GAUSSIAN, t.buffer, t.words, d, run.step + n, n == begin, ids, run.k0, run.k1)
        z = t.buffer[at : at + d * LANES]
        if varies and n > begin:
            # The distance at the beginning of the step, in units of this step's noise.
            amplitude = law.noise[n]
            measure(x, t.p, amplitude, walls, before, near, d)
        set_parameters(t.p, schedule.driven, schedule.table, 2 * n + 1)
        fill_slope(functions, x, t.p, slope, force, d)
        copy(old, x)
        move(functions, x, z, run, law, n if varies else 0, d, t)
        set_parameters(t.p, schedule.driven, schedule.table, 2 * n + 2)
        measure(x, t.p, amplitude, walls, after, near, d)
        if any_near(before, after, walls, near.live, limit):
            _finish(exits, ids, run.step + n, old, x, amplitude, walls, before, after, near, run, limit, d)
        before, after = after, before


@njit(**OPTIONS)
def _begin(block, ids, schedule, law, walls, exits, ends, near, d, t):
    """Finish the lanes that start inside a target, at time zero."""
    end = ends[0]
    set_parameters(t.p, schedule.driven, schedule.table, 0)
    measure(block, t.p, law.noise[0], walls, end, near, d)
    for i in range(LANES):
        for target in range(walls.targets):
            if near.live[i] and squared_distance(end, walls, target, i) == 0.0:
                lane = np.int64(ids[i]) - exits.first
                near.live[i] = False
                exits.time[lane] = 0.0
                exits.target[lane] = target
                if exits.keep:
                    for r in range(d):
                        exits.position[lane, r] = row(block, r)[i]


@njit(**OPTIONS)
def _compact(states, ids, live, n, d):
    """Move living lanes from the end to where lanes have finished; return how many live."""
    front, back = close_gap(states, live, np.int64(0), n - 1, d)
    while front < back:
        ids[front] = ids[back]
        front, back = close_gap(states, live, front, back, d)
    return front


@njit(**OPTIONS)
def _advance_block(block, ids, done, steps, run, functions, law, schedule, walls, limit, exits, ends, near, d, t):
    """Advance one block; return lane and step of the first failure, with the state before that step left, or −1."""
    begin, end, span = done, done + steps, steps
    while begin < end:
        copy(near.alive, near.live)
        copy(t.backup, block)
        _stretch(block, ids, begin, span, run, functions, law, schedule, walls, limit, exits, ends, near, d, t)
        lane = first_living_failure(block, near.live, run.limit, d)
        if lane < 0:
            begin += span
            continue
        copy(block, t.backup)
        if span == 1:
            return lane, run.step + begin
        # Somewhere in these steps: take them again one by one.
        copy(near.live, near.alive)
        span = 1
    return -1, -1


@njit(**ALLOCATING)
def advance(states, ids, n, run, functions, p, law, schedule, walls, bridge, exits):
    """Advance the trajectories by ``run.steps`` steps or to a target, whichever is first.

    Parameters
    ----------
    states : ndarray, shape (blocks, d * 256)
        Positions; changed in place, the survivors in the leading lanes.
    ids : ndarray of uint64, shape (blocks * 256,)
        Trajectory of each lane; changed in place.
    n : int
        Leading lanes that are real trajectories.
    run, functions, law, schedule : named tuples
        See `fpsolver.kernels.cpu.driver` and `fpsolver.kernels.cpu.additive`.
    p : ndarray
        Parameters of the functions.
    walls, exits : named tuples
        See `Walls` and `Exits`; `exits` is filled in.
    bridge : bool
        Whether paths touch targets between steps; otherwise they are seen at the ends of steps alone.

    Returns
    -------
    survivors, lane, step, taken : int
        How many survive; lane and step of the first failure, with the state before that step left in `states`, or −1;
        steps taken by all trajectories together.
    """
    d = law.drift.shape[1]
    t = make_scratch(states, p, noise.GAUSSIAN, d, d * LANES, 0, 0)
    ends, near = (make_end(states, walls), make_end(states, walls)), make_near(states, walls, d)
    limit = 0.25 * FAR * FAR if bridge else 0.0
    live = np.ones(len(ids), np.bool_)
    done, taken = 0, 0
    while done < run.steps and n > 0:
        steps = min(STRETCH, run.steps - done)
        taken += n * steps
        for b in range((n + LANES - 1) // LANES):
            block, here = states[b], slice(b * LANES, (b + 1) * LANES)
            for i in range(LANES):
                near.live[i] = b * LANES + i < n
            if run.step + done == 0:
                _begin(block, ids[here], schedule, law, walls, exits, ends, near, d, t)
            lane, step = _advance_block(
                block, ids[here], done, steps, run, functions, law, schedule, walls, limit, exits, ends, near, d, t
            )
            if step >= 0:
                return n, b * LANES + lane, step, taken
            copy(live[here], near.live)
        n = _compact(states, ids, live, n, d)
        live[:n] = True
        done += steps
    return n, -1, -1, taken
