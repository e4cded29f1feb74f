"""Overdamped trajectories whose mobility or diffusion depends on the position, in blocks of 256 lanes.

See `multiplicative_steps` for the law and its steps, `additive` for blocks, parameters and functionals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise
from fpsolver.kernels.cpu.accounts import add_difference, add_path_integral, add_time_integral
from fpsolver.kernels.cpu.additive import fill_slope
from fpsolver.kernels.cpu.driver import STRETCH, judge, switch
from fpsolver.kernels.cpu.lanes import copy, lane_ids, row, set_parameters, subtract
from fpsolver.kernels.cpu.multiplicative_steps import irreversible, make_step_scratch, move, variables_of
from fpsolver.kernels.options import ALLOCATING, INLINE, OPTIONS


class Ends(NamedTuple):
    """What path functionals need of both ends of a step, for one block."""

    old: np.ndarray
    flow: np.ndarray
    new_flow: np.ndarray
    loss: np.ndarray
    new_loss: np.ndarray
    rates: np.ndarray
    new_rates: np.ndarray
    fields: np.ndarray
    new_fields: np.ndarray
    backup: np.ndarray


@njit(**ALLOCATING)
def make_ends(like, d, size, rows):
    """Return arrays of the block's type."""
    t = like.dtype
    return Ends(
        np.zeros(d * LANES, t),
        np.zeros(d * LANES, t),
        np.zeros(d * LANES, t),
        np.zeros(LANES, t),
        np.zeros(LANES, t),
        np.zeros(rows.rates * LANES, t),
        np.zeros(rows.rates * LANES, t),
        np.zeros(rows.fields * d * LANES, t),
        np.zeros(rows.fields * d * LANES, t),
        np.zeros(size, t),
    )


@njit(**ALLOCATING)
def make_scratch(like, p, kind, m, law, rows):
    """Return the arrays of one block that live for a call: those of a step, and those of both of its ends.

    They are two tuples, as Numba does not compile calls with more than thirty arguments reliably.
    """
    return make_step_scratch(like, p, kind, m, law), make_ends(like, law.dimension, like.shape[1], rows)


@njit(**INLINE)
def _account(functions, block, x, law, j, rows, t, u):
    """Add the step's contribution to the functionals along the path; slopes and positions of both ends are known."""
    d = law.dimension
    subtract(x, u.old, t.change, d)
    if rows.heat >= 0:
        add_path_integral(row(block, rows.heat), t.slope, t.new_slope, t.change, d, -1.0)
    if rows.midpoint_flow >= 0:
        irreversible(functions, x, t.new_slope, law, j, u.new_flow, t)
        add_path_integral(row(block, rows.midpoint_flow), u.flow, u.new_flow, t.change, d, 1.0)
        copy(u.flow, u.new_flow)
    if rows.work >= 0 and functions.has_force:
        add_path_integral(row(block, rows.work), t.force, t.new_force, t.change, d, 1.0)
    if rows.shadow >= 0:
        functions.value(x, t.p, u.new_loss)
        add_difference(row(block, rows.shadow), u.new_loss, u.loss)
        add_path_integral(row(block, rows.shadow), t.slope, t.new_slope, t.change, d, -1.0)
        if functions.has_force:
            add_path_integral(row(block, rows.shadow), t.force, t.new_force, t.change, d, -1.0)
    if rows.fields > 0:
        functions.fields(x, t.p, u.new_fields)
        for k in range(rows.fields):
            here = slice(k * d * LANES, (k + 1) * d * LANES)
            total = row(block, rows.first_field + k)
            add_path_integral(total, u.fields[here], u.new_fields[here], t.change, d, 1.0)


@njit(**OPTIONS)
def _stretch(block, ids, begin, steps, entering, run, functions, law, schedule, rows, t, u):
    """Advance one block by some steps, the first of them `begin` steps after the first of the call."""
    d = law.dimension
    x = block[: d * LANES]
    m = variables_of(run.scheme, law.separable, d)
    path = rows.heat >= 0 or rows.shadow >= 0 or rows.midpoint_flow >= 0 or rows.fields > 0
    path = path or (rows.work >= 0 and functions.has_force)
    driven = len(schedule.driven) > 0
    varies = driven or len(law.scale) > 1
    known = False  # whether t.slope and u.flow are those at x
    for n in range(begin, begin + steps):
        fresh = entering and n == begin
        at = noise.prepare(run.kind, t.buffer, t.words, m, run.step + n, fresh, ids, run.k0, run.k1)
        z = t.buffer[at : at + m * LANES]
        j = min(n, len(law.scale) - 1)
        if rows.rates > 0:
            functions.rates(x, t.p, u.rates)
        if driven:
            switch(functions.value, block, x, t.p, u.loss, u.new_loss, rows, schedule, 2 * n + 1)
        if varies or not known:
            fill_slope(functions, x, t.p, t.slope, t.force, d)
            if rows.midpoint_flow >= 0:
                irreversible(functions, x, t.slope, law, j, u.flow, t)
        if path:
            if rows.shadow >= 0:
                functions.value(x, t.p, u.loss)
            if rows.fields > 0:
                functions.fields(x, t.p, u.fields)
            copy(u.old, x)
        move(functions, x, z, run, law, j, t)
        if path:
            fill_slope(functions, x, t.p, t.new_slope, t.new_force, d)
            _account(functions, block, x, law, j, rows, t, u)
            copy(t.slope, t.new_slope)
            copy(t.force, t.new_force)
            known = True
        if driven:
            switch(functions.value, block, x, t.p, u.loss, u.new_loss, rows, schedule, 2 * n + 2)
        if rows.rates > 0:
            functions.rates(x, t.p, u.new_rates)
            for k in range(rows.rates):
                add_time_integral(row(block, rows.first_rate + k), row(u.rates, k), row(u.new_rates, k), run.dt)


@njit(**ALLOCATING)
def advance(states, counts, first, run, functions, p, law, schedule, rows):
    """Advance all blocks by ``run.steps`` steps.

    Parameters
    ----------
    states : ndarray, shape (blocks, rows * 256)
        Positions, then functionals; changed in place.
    counts : ndarray of int, shape (blocks,)
        Leading lanes that are real trajectories.
    first : int
        Number of the first trajectory of the first block.
    run, functions, law, schedule, rows : named tuples
        See `Functions` and `Law` of `multiplicative_steps`, `Run` and `Schedule` of `driver`, `Rows` of `accounts`.
    p : ndarray
        Parameters of the functions.

    Returns
    -------
    block, lane, step : int
        The first failure, with the block's state before that step left in `states`; −1, −1, −1 if there is none.
    """
    m = variables_of(run.scheme, law.separable, law.dimension)
    t, u = make_scratch(states, p, run.kind, m, law, rows)
    for b in range(len(states)):
        block = states[b]
        ids = lane_ids(first, b)
        set_parameters(t.p, schedule.driven, schedule.table, 0)
        done, steps = np.int64(0), min(np.int64(STRETCH), run.steps)
        while done < run.steps:
            copy(u.backup, block)
            entering = done == 0 or steps == 1
            _stretch(block, ids, done, steps, entering, run, functions, law, schedule, rows, t, u)
            done, steps, lane = judge(block, u.backup, counts[b], run, schedule, t.p, done, steps)
            if lane >= 0:
                return b, lane, run.step + done
    return -1, -1, -1
