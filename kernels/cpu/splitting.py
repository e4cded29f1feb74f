"""Pieces of overdamped trajectories between two sets, as adaptive multilevel splitting needs them.

A job is one piece: a state to start from, the number of a trajectory whose noise is used from step 0 on, and a level of
the score. Jobs live in blocks of 256 lanes; all march together, and those under way are moved to the leading lanes.

References
----------
F. Cérou and A. Guyader, Stoch. Anal. Appl. 25, 417 (2007), section 2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise
from fpsolver.kernels.cpu.additive import FORCE, ORNSTEIN_UHLENBECK, SLOPE, fill_slope, make_scratch, move, part
from fpsolver.kernels.cpu.lanes import close_gap, copy, first_living_failure, is_finite, row
from fpsolver.kernels.options import ALLOCATING, OPTIONS

STRETCH = 32
"""Steps between two looks at who is still under way, and for values that are not finite."""

CLIMB, RUN = 0, 1
"""Kinds of pieces: until the score exceeds the level outside A, or B; until A or B, with the highest score so far."""

UNDER_WAY, IN_A, IN_B, ABOVE = 0, 1, 2, 3
"""How a piece ended."""


class Score(NamedTuple):
    """The score as a compiled block function ``f(x, p, out)``, and what it takes as p."""

    function: Any
    p: np.ndarray


class Jobs(NamedTuple):
    """The pieces; all but `level` and `ids` are changed.

    `position` (jobs, d) holds the start, then the end. `score` holds the score of the start, then for CLIMB that of the
    end, for RUN the highest of the piece outside A. `steps` is how long it took, `end` how it ended.
    """

    ids: np.ndarray
    level: np.ndarray
    position: np.ndarray
    score: np.ndarray
    steps: np.ndarray
    end: np.ndarray


class Lanes(NamedTuple):
    """What lanes hold besides positions: the job, its trajectory and level, the highest score, whether under way."""

    job: np.ndarray
    ids: np.ndarray
    level: np.ndarray
    best: np.ndarray
    live: np.ndarray


class Here(NamedTuple):
    """Where a block is: the score, and margins of A and B, not negative inside; values of level functions."""

    score: np.ndarray
    margins: np.ndarray
    levels: np.ndarray


@njit(**OPTIONS)
def _fill_margins(x, p, walls, here):
    """Fill how far inside A (row 0) and B (row 1) the lanes are: the least over the faces, or the level function."""
    last = -1
    for k in range(len(walls.target)):
        target = walls.target[k]
        margin, position = row(here.margins, target), row(x, walls.axis[k])
        side, wall = walls.side[k], walls.wall[k]
        if target != last:
            for i in range(LANES):
                margin[i] = side * (position[i] - wall)
        else:
            for i in range(LANES):
                beyond = side * (position[i] - wall)
                margin[i] = beyond if beyond < margin[i] else margin[i]
        last = target
    if len(walls.levels) > 0:
        walls.level(x, p, here.levels)
        for k in range(len(walls.levels)):
            copy(row(here.margins, walls.levels[k]), row(here.levels, k))


@njit(**OPTIONS)
def _look(kind, level, best, live, here):
    """Keep the highest scores outside A; return whether a lane under way has ended its piece."""
    score, in_a, in_b = here.score, row(here.margins, 0), row(here.margins, 1)
    found = False
    if kind == RUN:
        for i in range(LANES):
            best[i] = score[i] if (score[i] > best[i]) & (in_a[i] < 0.0) else best[i]
        for i in range(LANES):
            found |= live[i] & ((in_a[i] >= 0.0) | (in_b[i] >= 0.0))
    else:
        for i in range(LANES):
            found |= live[i] & (((score[i] > level[i]) & (in_a[i] < 0.0)) | (in_b[i] >= 0.0))
    return found


@njit(**OPTIONS)
def _finish(kind, x, step, limit, job, level, best, live, here, jobs, d):
    """Write down the pieces that have ended."""
    in_a, in_b = row(here.margins, 0), row(here.margins, 1)
    for i in range(LANES):
        if not live[i]:
            continue
        above = kind == CLIMB and here.score[i] > level[i] and in_a[i] < 0.0
        back = kind == RUN and in_a[i] >= 0.0
        if not (above or back or in_b[i] >= 0.0) or not is_finite(x, limit, d, i):
            continue
        live[i] = False
        number = job[i]
        jobs.end[number] = IN_B if in_b[i] >= 0.0 else (IN_A if back else ABOVE)
        jobs.score[number] = best[i] if kind == RUN else here.score[i]
        jobs.steps[number] = step
        for k in range(d):
            jobs.position[number, k] = x[k * LANES + i]


@njit(**OPTIONS)
def _stretch(kind, x, job, ids, level, best, live, begin, steps, run, functions, law, score, walls, here, jobs, d, t):
    """Advance one block by some steps."""
    slope, force = part(t.vectors, SLOPE, d), part(t.vectors, FORCE, d)
    for n in range(begin, begin + steps):
        at = noise.prepare(run.kind, t.buffer, t.words, d, n, n == begin, ids, run.k0, run.k1)
        if run.scheme != ORNSTEIN_UHLENBECK:
            fill_slope(functions, x, t.p, slope, force, d)
        move(functions, x, t.buffer[at : at + d * LANES], run, law, 0, d, t)
        score.function(x, score.p, here.score)
        _fill_margins(x, t.p, walls, here)
        if _look(kind, level, best, live, here):
            _finish(kind, x, n + 1, run.limit, job, level, best, live, here, jobs, d)


@njit(**OPTIONS)
def _compact(states, lanes, n, d):
    """Move lanes under way from the end to where others have finished; return how many there are."""
    front, back = close_gap(states, lanes.live, np.int64(0), n - 1, d)
    while front < back:
        lanes.job[front], lanes.ids[front] = lanes.job[back], lanes.ids[back]
        lanes.level[front], lanes.best[front] = lanes.level[back], lanes.best[back]
        front, back = close_gap(states, lanes.live, front, back, d)
    return front


@njit(**ALLOCATING)
def _fill_lanes(jobs, d):
    """Return blocks of positions and lanes with the jobs; lanes left over repeat the last job and are not under way."""
    n = len(jobs.ids)
    blocks = (n + LANES - 1) // LANES
    size = blocks * LANES
    states = np.empty((blocks, d * LANES))
    lanes = Lanes(
        np.empty(size, np.int64), np.empty(size, np.uint64), np.empty(size), np.empty(size), np.zeros(size, np.bool_)
    )
    for i in range(size):
        job = min(i, n - 1)
        lanes.job[i], lanes.ids[i] = job, jobs.ids[job]
        lanes.level[i], lanes.best[i] = jobs.level[job], jobs.score[job]
        lanes.live[i] = i < n
        for k in range(d):
            states[i // LANES, k * LANES + i % LANES] = jobs.position[job, k]
    return states, lanes


@njit(**ALLOCATING)
def advance(kind, jobs, run, functions, p, law, score, walls):
    """Follow all pieces to their ends, for ``run.steps`` steps at most.

    Parameters
    ----------
    kind : int
        CLIMB or RUN.
    jobs : Jobs
        The pieces; filled in.
    run, functions, law : named tuples
        See `fpsolver.kernels.cpu.driver` and `fpsolver.kernels.cpu.additive`; nothing depends on time.
    p : ndarray
        Parameters of the functions.
    score : Score
        The score.
    walls : fpsolver.kernels.cpu.passage.Walls
        The sets A (target 0) and B (target 1).

    Returns
    -------
    left, failed, step, taken : int
        Pieces still under way; the job that failed and its step, with the state before that step as its position, or
        −1; steps taken by all together.
    """
    d = jobs.position.shape[1]
    states, lanes = _fill_lanes(jobs, d)
    t = make_scratch(states, p, run.kind, d, d * LANES, 0, 0)
    here = Here(np.zeros(LANES), np.zeros(2 * LANES), np.zeros(max(len(walls.levels), 1) * LANES))
    n, done, taken = len(jobs.ids), 0, 0
    while done < run.steps and n > 0:
        steps = min(STRETCH, run.steps - done)
        taken += n * steps
        for b in range((n + LANES - 1) // LANES):
            x, own = states[b], slice(b * LANES, (b + 1) * LANES)
            job, ids, level = lanes.job[own], lanes.ids[own], lanes.level[own]
            best, live = lanes.best[own], lanes.live[own]
            begin, width = done, steps
            while begin < done + steps:
                copy(t.backup, x)
                _stretch(
                    kind,
                    x,
                    job,
                    ids,
                    level,
                    best,
                    live,
                    begin,
                    width,
                    run,
                    functions,
                    law,
                    score,
                    walls,
                    here,
                    jobs,
                    d,
                    t,
                )
                lane = first_living_failure(x, live, run.limit, d)
                if lane < 0:
                    begin += width
                    continue
                if width == 1:
                    for k in range(d):
                        jobs.position[job[lane], k] = t.backup[k * LANES + lane]
                    return n, job[lane], begin, taken
                # Once more, step by step, with this lane alone: that one will fail for certain.
                copy(x, t.backup)
                for i in range(LANES):
                    live[i] = i == lane
                width = 1
        n = _compact(states, lanes, n, d)
        done += steps
    return n, -1, -1, taken


@njit(**ALLOCATING)
def trace(start, number, steps, run, functions, p, law):
    """Return the positions of a piece, shape (steps + 1, d), the start included: all lanes do the same.

    Parameters
    ----------
    start : ndarray, shape (d,)
        Where it starts.
    number : uint64
        Its trajectory.
    steps : int
        How long it is.
    run, functions, p, law
        As for `advance`.
    """
    d = len(start)
    path, x, ids = np.empty((steps + 1, d)), np.empty(d * LANES), np.empty(LANES, np.uint64)
    t = make_scratch(x, p, run.kind, d, d * LANES, 0, 0)
    slope, force = part(t.vectors, SLOPE, d), part(t.vectors, FORCE, d)
    for i in range(LANES):
        ids[i] = number
        for k in range(d):
            x[k * LANES + i] = start[k]
    path[0] = start
    for n in range(steps):
        at = noise.prepare(run.kind, t.buffer, t.words, d, n, n == 0, ids, run.k0, run.k1)
        if run.scheme != ORNSTEIN_UHLENBECK:
            fill_slope(functions, x, t.p, slope, force, d)
        move(functions, x, t.buffer[at : at + d * LANES], run, law, 0, d, t)
        for k in range(d):
            path[n + 1, k] = x[k * LANES]
    return path
