"""Underdamped trajectories, dθ = v dt, dv = −∇L/m dt − γv dt + √(2γT/m) dW, by splitting, in blocks of 256 lanes.

Three parts of the motion are solved exactly, one after the other: B, a kick by the gradient; A, a drift with constant
velocity; O, the thermostat v → c v + √((1 − c²)T/m) z with c = exp(−γτ). The first two keep volume in phase space and
are undone by reversing the velocity, the third is in detailed balance with the Maxwellian: the heat it takes, over T,
is ln p(path)/p(reversed path) at any time step, and only A and B change the energy otherwise (shadow work).

A step is a sequence of such parts, each a short loop over rows that stay in the first-level cache; parameters are
frozen at its middle.

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
from fpsolver.kernels.cpu.driver import STRETCH, judge
from fpsolver.kernels.cpu.lanes import copy, lane_ids, row, set_parameters, subtract
from fpsolver.kernels.options import ALLOCATING, OPTIONS

KICK, DRIFT, THERMOSTAT, GRADIENT = 0, 1, 2, 3
"""Parts of a step: B, A, O, and the gradient at the positions reached."""


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

    `parts` of a step, in their order, of int64; it begins and ends with the gradient known. `masses` (d,); `kick` τ/m
    (d,) and `drift` τ, where τ is the part of dt that falls to one kick or drift; `keep` c (n,) and `noise`
    √((1 − c²)T/m) (n, d) of one thermostat; `inverse_temperature` (n,); `silent` where there is no noise at any time.
    """

    parts: np.ndarray
    masses: np.ndarray
    kick: np.ndarray
    drift: float
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
    spare: np.ndarray  # takes what is not asked for
    backup: np.ndarray


@njit(**ALLOCATING)
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
        np.zeros(LANES, like.dtype),
        np.zeros(size, like.dtype),
    )


@njit(**OPTIONS)
def add_kinetic_loss(total, before, after, masses, weight, d):
    """Add ``weight ½ m (before² − after²)`` to a row; nothing where the velocity stays the same."""
    for k in range(d):
        u, v = before[k * LANES : (k + 1) * LANES], after[k * LANES : (k + 1) * LANES]
        factor = total.dtype.type(0.5 * weight * masses[k])
        for i in range(LANES):
            total[i] += factor * (u[i] - v[i]) * (u[i] + v[i])


@njit(**OPTIONS)
def kick(v, slope, factors, d):
    """Part B, for half a step: v −= (dt/2m) ∇L."""
    for k in range(d):
        velocity, descent = v[k * LANES : (k + 1) * LANES], slope[k * LANES : (k + 1) * LANES]
        factor = v.dtype.type(factors[k])
        for i in range(LANES):
            velocity[i] -= factor * descent[i]


@njit(**OPTIONS)
def drift(x, v, time, d):
    """Part A: x += v time."""
    h = x.dtype.type(time)
    for k in range(d):
        position, velocity = x[k * LANES : (k + 1) * LANES], v[k * LANES : (k + 1) * LANES]
        for i in range(LANES):
            position[i] += h * velocity[i]


@njit(**OPTIONS)
def thermostat(v, z, first, keep, amplitudes, j, d):
    """Part O: v → c v + √((1 − c²)T/m) z, with the random variables from row `first` on."""
    c = v.dtype.type(keep[j])
    for k in range(d):
        velocity, random = v[k * LANES : (k + 1) * LANES], z[(first + k) * LANES : (first + k + 1) * LANES]
        amplitude = v.dtype.type(amplitudes[j, k])
        for i in range(LANES):
            velocity[i] = c * velocity[i] + amplitude * random[i]


@njit(**OPTIONS)
def count(parts, kind):
    """Return how many parts of a step are of a kind."""
    found = 0
    for part in parts:
        found += part == kind
    return found


@njit(**OPTIONS)
def _follow(value, x, p, total, loss, new_loss):
    """Add the change of the loss, known before, to a row."""
    value(x, p, new_loss)
    add_difference(total, new_loss, loss)
    copy(loss, new_loss)


@njit(**OPTIONS)
def _add_path_integrals(totals, before, after, x, old, change, fields, d):
    """Add ½ (before + after) · (x − old) to the rows of the integrals along the path."""
    subtract(x, old, change, d)
    for k in range(fields):
        here = slice(k * d * LANES, (k + 1) * d * LANES)
        add_path_integral(totals[k * LANES : (k + 1) * LANES], before[here], after[here], change, d, 1.0)


@njit(**OPTIONS)
def _add_time_integrals(totals, before, after, dt, rates):
    """Add ½ (before + after) dt to the rows of the integrals over time."""
    for k in range(rates):
        here = slice(k * LANES, (k + 1) * LANES)
        add_time_integral(totals[here], before[here], after[here], dt)


@njit(**OPTIONS)
def _stretch(block, ids, begin, steps, entering, run, functions, law, schedule, rows, d, t):
    """Advance one block by some steps, the first of them `begin` steps after the first of the call."""
    x, v, phase = block[: d * LANES], block[d * LANES : 2 * d * LANES], block[: 2 * d * LANES]
    p, buffer, words, slope, old, before, spare = t.p, t.buffer, t.words, t.slope, t.old, t.before, t.spare
    loss, new_loss, rates, new_rates = t.loss, t.new_loss, t.rates, t.new_rates
    fields, new_fields, parts, masses = t.fields, t.new_fields, law.parts, law.masses
    value, gradient = functions.value, functions.gradient
    integrands, field = functions.rates, functions.fields
    heated, flowing, shadowed, worked = rows.heat >= 0, rows.exact_flow >= 0, rows.shadow >= 0, rows.work >= 0
    heat = row(block, rows.heat) if heated else spare
    flow = row(block, rows.exact_flow) if flowing else spare
    shadow = row(block, rows.shadow) if shadowed else spare
    work = row(block, rows.work) if worked else spare
    rate_totals, field_totals = block[rows.first_rate * LANES :], block[rows.first_field * LANES :]
    m = d * count(parts, THERMOSTAT)
    driven = len(schedule.driven) > 0
    followed = shadowed or (worked and driven)
    if followed:
        value(x, p, loss)
    at = 0
    for n in range(begin, begin + steps):
        first = n == begin
        if not law.silent:
            fresh = entering and first
            at = noise.prepare(run.kind, buffer, words, m, run.step + n, fresh, ids, run.k0, run.k1) // LANES
        if rows.rates > 0:
            integrands(phase, p, rates)
        if driven:
            set_parameters(p, schedule.driven, schedule.table, 2 * n + 1)
            if followed:
                _follow(value, x, p, work, loss, new_loss)
        if driven or first:
            gradient(x, p, slope)
        if rows.fields > 0:
            copy(old, x)
            field(phase, p, fields)
        j, random = min(n, len(law.keep) - 1), at
        for part in parts:
            if part == KICK:
                if shadowed:
                    copy(before, v)
                kick(v, slope, law.kick, d)
                if shadowed:
                    add_kinetic_loss(shadow, before, v, masses, -1.0, d)
            elif part == DRIFT:
                drift(x, v, law.drift, d)
            elif part == GRADIENT:
                gradient(x, p, slope)
            else:
                if heated or flowing:
                    copy(before, v)
                thermostat(v, buffer, random, law.keep, law.noise, j, d)
                random += d
                if heated:
                    add_kinetic_loss(heat, before, v, masses, 1.0, d)
                if flowing:
                    add_kinetic_loss(flow, before, v, masses, law.inverse_temperature[j], d)
        if followed:
            _follow(value, x, p, shadow, loss, new_loss)
        if rows.fields > 0:
            field(phase, p, new_fields)
            _add_path_integrals(field_totals, fields, new_fields, x, old, before, rows.fields, d)
        if driven:
            set_parameters(p, schedule.driven, schedule.table, 2 * n + 2)
            if followed:
                _follow(value, x, p, work, loss, new_loss)
        if rows.rates > 0:
            integrands(phase, p, new_rates)
            _add_time_integrals(rate_totals, rates, new_rates, run.dt, rows.rates)


@njit(**ALLOCATING)
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
        See `fpsolver.kernels.cpu.driver`; the scheme is in the law's parts.
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
    m = d * count(law.parts, THERMOSTAT)
    t = make_scratch(states, p, run.kind, d, m, states.shape[1], rows.rates, rows.fields)
    for b in range(len(states)):
        block = states[b]
        ids = lane_ids(first, b)
        set_parameters(t.p, schedule.driven, schedule.table, 0)
        done, steps = np.int64(0), min(np.int64(STRETCH), run.steps)
        while done < run.steps:
            copy(t.backup, block)
            entering = done == 0 or steps == 1
            _stretch(block, ids, done, steps, entering, run, functions, law, schedule, rows, d, t)
            done, steps, lane = judge(block, t.backup, counts[b], run, schedule, t.p, done, steps)
            if lane >= 0:
                return b, lane, run.step + done
    return -1, -1, -1
