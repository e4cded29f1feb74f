"""Underdamped trajectories, dθ = v dt, dv = −∇L/m dt − γv dt + √(2γT/m) dW, by splitting, in blocks of 256 lanes.

Three parts of the motion are solved exactly, one after the other: B, a kick by the gradient; A, a drift with constant
velocity; O, the thermostat v → c v + √((1 − c²)T/m) z with c = exp(−γτ). The first two keep volume in phase space and are
undone by reversing the velocity, the third is in detailed balance with the Maxwellian: the heat it takes, over T, is
ln p(path)/p(reversed path) at any time step, and only A and B change the energy otherwise (shadow work).

As in `additive`, a step is a sequence of short loops over rows in the first-level cache, and parameters are frozen at its
middle.

References
----------
B. Leimkuhler and C. Matthews, Appl. Math. Res. Express 2013, 34, eqs. (7) to (10).
D. A. Sivak, J. D. Chodera and G. E. Crooks, Phys. Rev. X 3, 011007 (2013), eqs. (6) to (11).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise
from fpsolver.kernels.cpu.accounts import add_difference, add_path_integral, add_time_integral
from fpsolver.kernels.cpu.additive import STRETCH, Run, Schedule
from fpsolver.kernels.cpu.lanes import first_failure, lane_ids, row, set_parameters, subtract

OPTIONS: Any = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

BAOAB, OBABO = 0, 1


class Functions(NamedTuple):
    """Compiled block functions ``f(x, p, out)``: loss, its gradient, integrands over time and along the path.

    The integrands take positions and velocities, the others positions.
    """

    value: Any
    gradient: Any
    rates: Any
    fields: Any


class Law(NamedTuple):
    """Constants of one step; the first axis of those that may be driven is the step, or 1 where all steps are alike.

    `masses` (d,); `kick` dt/2m (d,); `keep` c (n,) and `noise` √((1 − c²)T/m) (n, d) of one thermostat, which acts for
    dt in BAOAB and for dt/2 in OBABO; `inverse_temperature` (n,); `silent` where there is no noise at any time.
    """

    masses: np.ndarray
    kick: np.ndarray
    keep: np.ndarray
    noise: np.ndarray
    inverse_temperature: np.ndarray
    silent: bool


class Scratch(NamedTuple):
    """Arrays of one block that live for a call."""

    p: np.ndarray
    buffer: np.ndarray
    words: np.ndarray
    slope: np.ndarray
    old: np.ndarray
    before: np.ndarray  # velocities before a part of the step
    loss: np.ndarray
    new_loss: np.ndarray
    rates: np.ndarray
    new_rates: np.ndarray
    fields: np.ndarray
    new_fields: np.ndarray
    backup: np.ndarray


@njit(**OPTIONS)
def make_scratch(like, p, kind, d, m, size, rates, fields):
    """Return arrays of the block's type, for d variables and m random variables a step."""
    rows = d * LANES
    return Scratch(
        p.copy(),
        np.zeros(noise.buffer_rows(kind, m) * LANES, like.dtype),
        np.zeros(noise.word_rows(kind, m) * LANES, np.uint32),
        np.zeros(rows, like.dtype),
        np.zeros(rows, like.dtype),
        np.zeros(rows, like.dtype),
        np.zeros(LANES, like.dtype),
        np.zeros(LANES, like.dtype),
        np.zeros(rates * LANES, like.dtype),
        np.zeros(rates * LANES, like.dtype),
        np.zeros(fields * rows, like.dtype),
        np.zeros(fields * rows, like.dtype),
        np.zeros(size, like.dtype),
    )


@njit(**OPTIONS)
def copy(source, target, rows):
    """Copy some rows; unlike an assignment of slices it has no way to fail, which would keep reference counts alive."""
    for i in range(rows * LANES):
        target[i] = source[i]


@njit(**OPTIONS)
def add_kinetic_loss(total, before, after, masses, weight, d):
    """Add ``weight ½ m (before² − after²)`` to a row; nothing where the velocity stays the same."""
    for k in range(d):
        here = slice(k * LANES, (k + 1) * LANES)
        u, v = before[here], after[here]
        factor = total.dtype.type(0.5 * weight * masses[k])
        for i in range(LANES):
            total[i] += factor * (u[i] - v[i]) * (u[i] + v[i])


@njit(**OPTIONS)
def _kick(block, v, law, rows, d, t):
    """Part B, for half a step: v −= (dt/2m) ∇L."""
    if rows.shadow >= 0:
        copy(v, t.before, d)
    for k in range(d):
        velocity, slope = row(v, k), row(t.slope, k)
        factor = v.dtype.type(law.kick[k])
        for i in range(LANES):
            velocity[i] -= factor * slope[i]
    if rows.shadow >= 0:
        add_kinetic_loss(row(block, rows.shadow), t.before, v, law.masses, -1.0, d)


@njit(**OPTIONS)
def _drift(x, v, time, d):
    """Part A: x += v time."""
    h = x.dtype.type(time)
    for k in range(d):
        position, velocity = row(x, k), row(v, k)
        for i in range(LANES):
            position[i] += h * velocity[i]


@njit(**OPTIONS)
def _thermostat(block, v, z, law, j, rows, d, t):
    """Part O: v → c v + √((1 − c²)T/m) z; what it takes is heat."""
    accounted = rows.heat >= 0 or rows.exact_flow >= 0
    if accounted:
        copy(v, t.before, d)
    c = v.dtype.type(law.keep[j])
    for k in range(d):
        velocity, kick = row(v, k), row(z, k)
        amplitude = v.dtype.type(law.noise[j, k])
        for i in range(LANES):
            velocity[i] = c * velocity[i] + amplitude * kick[i]
    if rows.heat >= 0:
        add_kinetic_loss(row(block, rows.heat), t.before, v, law.masses, 1.0, d)
    if rows.exact_flow >= 0:
        add_kinetic_loss(row(block, rows.exact_flow), t.before, v, law.masses, law.inverse_temperature[j], d)


@njit(**OPTIONS)
def _move(functions, block, x, v, z, run, law, j, rows, d, t):
    """Take one step; t.slope holds ∇L at x before, and after."""
    if run.scheme == OBABO:
        _thermostat(block, v, z[: d * LANES], law, j, rows, d, t)
        _kick(block, v, law, rows, d, t)
        _drift(x, v, run.dt, d)
        functions.gradient(x, t.p, t.slope)
        _kick(block, v, law, rows, d, t)
        _thermostat(block, v, z[d * LANES :], law, j, rows, d, t)
    else:
        _kick(block, v, law, rows, d, t)
        _drift(x, v, 0.5 * run.dt, d)
        _thermostat(block, v, z, law, j, rows, d, t)
        _drift(x, v, 0.5 * run.dt, d)
        functions.gradient(x, t.p, t.slope)
        _kick(block, v, law, rows, d, t)


@njit(**OPTIONS)
def _account(functions, block, x, phase, rows, d, t):
    """Add the change of the loss to the shadow work, and the integrals along the path."""
    if rows.shadow >= 0:
        add_difference(row(block, rows.shadow), t.new_loss, t.loss)
    if rows.fields > 0:
        subtract(x, t.old, t.before, d)
        functions.fields(phase, t.p, t.new_fields)
        for k in range(rows.fields):
            here = slice(k * d * LANES, (k + 1) * d * LANES)
            total = row(block, rows.first_field + k)
            add_path_integral(total, t.fields[here], t.new_fields[here], t.before, d, 1.0)


@njit(**OPTIONS)
def _switch(functions, block, x, rows, schedule, moment, follow, t):
    """Set the parameters to the next half step, and add the work of switching them at fixed positions.

    With `follow`, t.loss is the loss before, and becomes the loss after.
    """
    if len(schedule.driven) == 0:
        return
    set_parameters(t.p, schedule.driven, schedule.table, moment)
    if follow:
        functions.value(x, t.p, t.new_loss)
        if rows.work >= 0:
            add_difference(row(block, rows.work), t.new_loss, t.loss)
        copy(t.new_loss, t.loss, 1)


@njit(**OPTIONS)
def _stretch(block, ids, begin, steps, entering, run, functions, law, schedule, rows, d, t):
    """Advance one block by some steps, the first of them `begin` steps after the first of the call."""
    x, v, phase = block[: d * LANES], block[d * LANES : 2 * d * LANES], block[: 2 * d * LANES]
    m = 2 * d if run.scheme == OBABO else d
    driven = len(schedule.driven) > 0
    follow = rows.shadow >= 0 or (rows.work >= 0 and driven)  # whether the loss is followed from part to part
    if follow:
        functions.value(x, t.p, t.loss)
    at = 0
    for n in range(begin, begin + steps):
        first = n == begin
        if not law.silent:
            fresh = entering and first
            at = noise.prepare(run.kind, t.buffer, t.words, m, run.step + n, fresh, ids, run.k0, run.k1)
        z = t.buffer[at : at + m * LANES]
        if rows.rates > 0:
            functions.rates(phase, t.p, t.rates)
        _switch(functions, block, x, rows, schedule, 2 * n + 1, follow, t)
        if driven or first:
            functions.gradient(x, t.p, t.slope)
        if rows.fields > 0:
            copy(x, t.old, d)
            functions.fields(phase, t.p, t.fields)
        j = min(n, len(law.keep) - 1)
        _move(functions, block, x, v, z, run, law, j, rows, d, t)
        if follow:
            functions.value(x, t.p, t.new_loss)
        _account(functions, block, x, phase, rows, d, t)
        if follow:
            copy(t.new_loss, t.loss, 1)
        _switch(functions, block, x, rows, schedule, 2 * n + 2, follow, t)
        if rows.rates > 0:
            functions.rates(phase, t.p, t.new_rates)
            for k in range(rows.rates):
                add_time_integral(row(block, rows.first_rate + k), row(t.rates, k), row(t.new_rates, k), run.dt)


@njit(**OPTIONS)
def advance(states, counts, first, run, functions, p, law, schedule, rows):
    """Advance all blocks by ``run.steps`` steps.

    Parameters
    ----------
    states : ndarray, shape (blocks, rows * 256)
        Positions, velocities, then functionals; changed in place.
    counts : ndarray of int, shape (blocks,)
        Leading lanes that are real trajectories.
    first : int
        Number of the first trajectory of the first block.
    run, schedule : named tuples
        See `fpsolver.kernels.cpu.additive`.
    functions, law : named tuples
        See `Functions` and `Law`.
    p : ndarray
        Parameters of the functions.
    rows : Rows
        Where the functionals stand; "entropy_flow" is the row called `exact_flow`.

    Returns
    -------
    block, lane, step : int
        The first failure, with the block's state before that step left in `states`; −1, −1, −1 if there is none.
    """
    d = len(law.masses)
    m = 2 * d if run.scheme == OBABO else d
    t = make_scratch(states, p, run.kind, d, m, states.shape[1], rows.rates, rows.fields)
    for b in range(len(states)):
        block = states[b]
        ids = lane_ids(first, b)
        set_parameters(t.p, schedule.driven, schedule.table, 0)
        done = 0
        while done < run.steps:
            steps = min(STRETCH, run.steps - done)
            t.backup[:] = block
            _stretch(block, ids, done, steps, done == 0, run, functions, law, schedule, rows, d, t)
            if first_failure(block, counts[b], run.limit) >= 0:
                block[:] = t.backup
                for n in range(done, done + steps):
                    t.backup[:] = block
                    if len(schedule.driven) > 0:
                        set_parameters(t.p, schedule.driven, schedule.table, 2 * n)
                    _stretch(block, ids, n, 1, True, run, functions, law, schedule, rows, d, t)
                    lane = first_failure(block, counts[b], run.limit)
                    if lane >= 0:
                        block[:] = t.backup
                        return b, lane, run.step + n
            done += steps
    return -1, -1, -1
