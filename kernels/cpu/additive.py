"""Overdamped trajectories with additive noise, dθ = −M s dt + B dW with slope s = ∇L − F, in blocks of 256 lanes.

A block is flat: row k of an array occupies ``[256 k, 256 (k + 1))``. A step is a sequence of short loops over arrays
that stay in the first-level cache; the landscape enters as compiled functions of whole blocks, so that one call serves
256 trajectories and these loops are compiled once for all landscapes. Parameters are frozen at the middle of a step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise
from fpsolver.kernels.cpu.accounts import add_difference, add_log_ratio, add_path_integral, add_time_integral
from fpsolver.kernels.cpu.driver import STRETCH, judge, switch
from fpsolver.kernels.cpu.lanes import copy, lane_ids, row, set_parameters, subtract
from fpsolver.kernels.cpu.linear_maps import add, apply
from fpsolver.kernels.options import ALLOCATING, OPTIONS

EULER_MARUYAMA, HEUN, LEIMKUHLER_MATTHEWS, ORNSTEIN_UHLENBECK = 0, 1, 2, 3


class Functions(NamedTuple):
    """Compiled block functions ``f(x, p, out)``: loss, its gradient, force, integrands over time and along the path."""

    value: Any
    gradient: Any
    force: Any
    has_force: bool
    rates: Any
    fields: Any


class Law(NamedTuple):
    """Matrices (n, d, d) of one step, with n the number of steps or 1 where all steps are alike.

    x′ = x − drift s + noise z; for the exact Ornstein–Uhlenbeck step x′ = drift x + offset + noise z, offset (n, d).
    `reverse` is noise⁻¹ drift, for the Ornstein–Uhlenbeck step noise⁻¹; `conjugate` is D⁻¹M, the force that does the
    work T ln p(x→x′)/p(x′→x) in the limit of small steps, over −s.
    """

    diagonal: bool
    drift: np.ndarray
    offset: np.ndarray
    noise: np.ndarray
    reverse: np.ndarray
    conjugate: np.ndarray


class Scratch(NamedTuple):
    """Arrays of one block that live for a call: few of them, because they are passed to functions one by one.

    `vectors` holds eight blocks of d rows, see `part`; `scalars` two losses and twice the integrands over time;
    `fields` twice the integrands along the path.
    """

    p: np.ndarray
    buffer: np.ndarray
    words: np.ndarray
    vectors: np.ndarray
    scalars: np.ndarray
    fields: np.ndarray
    backup: np.ndarray


PREVIOUS, OLD, SLOPE, NEW_SLOPE, FORCE, NEW_FORCE, CHANGE, WORK = range(8)
"""Vectors: the noise of the step before (Leimkuhler–Matthews), position, slope and force at both ends, two for work."""

LOSS, NEW_LOSS, RATES = range(3)
"""Scalars: loss before and after, then integrands over time before, then after."""


@njit(inline="always")
def part(vectors, k, d):
    """Return the k-th block of d rows."""
    return vectors[k * d * LANES : (k + 1) * d * LANES]


@njit(**ALLOCATING)
def make_scratch(like, p, kind, d, size, rates, fields):
    """Return arrays of the block's type."""
    return Scratch(
        p.copy(),
        np.zeros(noise.buffer_rows(kind, d) * LANES, like.dtype),
        np.zeros(noise.word_rows(kind, d) * LANES, np.uint32),
        np.zeros(8 * d * LANES, like.dtype),
        np.zeros((2 + 2 * rates) * LANES, like.dtype),
        np.zeros(2 * fields * d * LANES, like.dtype),
        np.zeros(size, like.dtype),
    )


@njit(**OPTIONS)
def fill_slope(functions, x, p, s, force, d):
    """Fill `s` with ∇L − F, and `force` with F where there is one."""
    functions.gradient(x, p, s)
    if functions.has_force:
        functions.force(x, p, force)
        for i in range(d * LANES):
            s[i] -= force[i]


@njit(**OPTIONS)
def _descend(x, s, z, drift, amplitude, d, diagonal, work):
    """Add −drift s + amplitude z to x."""
    if diagonal:
        for k in range(d):
            here = slice(k * LANES, (k + 1) * LANES)
            position, descent, kick = x[here], s[here], z[here]
            m = x.dtype.type(drift[k, k])
            b = x.dtype.type(amplitude[k, k])
            for i in range(LANES):
                position[i] += b * kick[i] - m * descent[i]
    else:
        apply(drift, s, work, d, False)
        for i in range(d * LANES):
            x[i] -= work[i]
        apply(amplitude, z, work, d, False)
        add(x, work, d)


@njit(**OPTIONS)
def _descend_with_signs(x, s, words, slot, drift, amplitude, d):
    """Take an Euler step with the signs of slot `slot`, which are not written down: three times faster."""
    for k in range(d):
        here = slice(k * LANES, (k + 1) * LANES)
        first, bit = (slot + k) // noise.WORD_BITS * LANES, (slot + k) % noise.WORD_BITS
        position, descent, signs = x[here], s[here], words[first : first + LANES]
        m = x.dtype.type(drift[k, k])
        b = x.dtype.type(amplitude[k, k])
        for i in range(LANES):
            position[i] += b * noise.sign_of(signs[i], bit, position) - m * descent[i]


@njit(**OPTIONS)
def _heun(functions, x, z, law, j, d, t):
    """Take a step with the mean of the slopes before and after an Euler step; the first is known."""
    slope, mean, predicted = part(t.vectors, SLOPE, d), part(t.vectors, NEW_SLOPE, d), part(t.vectors, CHANGE, d)
    force, work = part(t.vectors, NEW_FORCE, d), part(t.vectors, WORK, d)
    copy(predicted, x)
    _descend(predicted, slope, z, law.drift[j], law.noise[j], d, law.diagonal, work)
    fill_slope(functions, predicted, t.p, mean, force, d)
    half = x.dtype.type(0.5)
    for i in range(d * LANES):
        mean[i] = half * (slope[i] + mean[i])
    _descend(x, mean, z, law.drift[j], law.noise[j], d, law.diagonal, work)


@njit(**OPTIONS)
def _leimkuhler_matthews(x, z, law, j, d, t):
    """Take an Euler step with the mean of two successive noises."""
    previous, mean = part(t.vectors, PREVIOUS, d), part(t.vectors, CHANGE, d)
    half = x.dtype.type(0.5)
    for i in range(d * LANES):
        mean[i] = half * (previous[i] + z[i])
        previous[i] = z[i]
    slope, work = part(t.vectors, SLOPE, d), part(t.vectors, WORK, d)
    _descend(x, slope, mean, law.drift[j], law.noise[j], d, law.diagonal, work)


@njit(**OPTIONS)
def _ornstein_uhlenbeck(x, z, law, j, d, t):
    """Take the exact step x′ = drift x + offset + noise z."""
    work = part(t.vectors, WORK, d)
    apply(law.drift[j], x, work, d, law.diagonal)
    for k in range(d):
        shift = x.dtype.type(law.offset[j, k])
        position, moved = row(x, k), row(work, k)
        for i in range(LANES):
            position[i] = moved[i] + shift
    apply(law.noise[j], z, work, d, law.diagonal)
    add(x, work, d)


@njit(**OPTIONS)
def move(functions, x, z, run, law, j, d, t):
    """Take one step; the slope at x is known where the scheme needs it."""
    if run.scheme == ORNSTEIN_UHLENBECK:
        _ornstein_uhlenbeck(x, z, law, j, d, t)
    elif run.scheme == HEUN:
        _heun(functions, x, z, law, j, d, t)
    elif run.scheme == LEIMKUHLER_MATTHEWS:
        _leimkuhler_matthews(x, z, law, j, d, t)
    else:
        slope, work = part(t.vectors, SLOPE, d), part(t.vectors, WORK, d)
        _descend(x, slope, z, law.drift[j], law.noise[j], d, law.diagonal, work)


@njit(**OPTIONS)
def _reverse_noise(x, z, run, law, j, d, t):
    """Write to the change the standardised noise with which the step would be taken back."""
    change, work = part(t.vectors, CHANGE, d), part(t.vectors, WORK, d)
    if run.scheme == ORNSTEIN_UHLENBECK:
        old = part(t.vectors, OLD, d)
        apply(law.drift[j], x, work, d, law.diagonal)
        for k in range(d):
            shift = x.dtype.type(law.offset[j, k])
            before, image = row(old, k), row(work, k)
            for i in range(LANES):
                image[i] = before[i] - image[i] - shift
        apply(law.reverse[j], work, change, d, law.diagonal)
    else:
        slope, new_slope = part(t.vectors, SLOPE, d), part(t.vectors, NEW_SLOPE, d)
        for i in range(d * LANES):
            work[i] = slope[i] + new_slope[i]
        apply(law.reverse[j], work, change, d, law.diagonal)
        for i in range(d * LANES):
            change[i] -= z[i]


@njit(**OPTIONS)
def _account(functions, block, x, z, run, law, j, rows, d, t):
    """Add the step's contribution to the functionals along the path; slopes and positions of both ends are known."""
    slope, new_slope = part(t.vectors, SLOPE, d), part(t.vectors, NEW_SLOPE, d)
    force, new_force = part(t.vectors, FORCE, d), part(t.vectors, NEW_FORCE, d)
    change, work = part(t.vectors, CHANGE, d), part(t.vectors, WORK, d)
    if rows.exact_flow >= 0:
        _reverse_noise(x, z, run, law, j, d, t)
        add_log_ratio(row(block, rows.exact_flow), z, change, d)
    subtract(x, part(t.vectors, OLD, d), change, d)
    if rows.heat >= 0:
        add_path_integral(row(block, rows.heat), slope, new_slope, change, d, -1.0)
    if rows.midpoint_flow >= 0:
        apply(law.conjugate[j], change, work, d, law.diagonal)
        add_path_integral(row(block, rows.midpoint_flow), slope, new_slope, work, d, -1.0)
    if rows.work >= 0 and functions.has_force:
        add_path_integral(row(block, rows.work), force, new_force, change, d, 1.0)
    if rows.shadow >= 0:
        total, loss, new_loss = row(block, rows.shadow), row(t.scalars, LOSS), row(t.scalars, NEW_LOSS)
        functions.value(x, t.p, new_loss)
        add_difference(total, new_loss, loss)
        add_path_integral(total, slope, new_slope, change, d, -1.0)
        if functions.has_force:
            add_path_integral(total, force, new_force, change, d, -1.0)
    if rows.fields > 0:
        functions.fields(x, t.p, t.fields[rows.fields * d * LANES :])
        for k in range(rows.fields):
            before, after = part(t.fields, k, d), part(t.fields, rows.fields + k, d)
            add_path_integral(row(block, rows.first_field + k), before, after, change, d, 1.0)


@njit(**OPTIONS)
def _euler_stretch(x, ids, begin, end, entering, run, functions, law, d, t):
    """Do what `_stretch` does where nothing depends on time and nothing is carried along: the least there is to do."""
    p, buffer, words = t.p, t.buffer, t.words
    slope, force = part(t.vectors, SLOPE, d), part(t.vectors, FORCE, d)
    drift, amplitude = law.drift[0], law.noise[0]
    for n in range(begin, end):
        fresh = entering and n == begin
        fill_slope(functions, x, p, slope, force, d)
        if run.kind == noise.RADEMACHER:
            slot = noise.prepare_words(words, d, run.step + n, fresh, ids, run.k0, run.k1)
            _descend_with_signs(x, slope, words, slot, drift, amplitude, d)
        else:
            at = noise.prepare(run.kind, buffer, words, d, run.step + n, fresh, ids, run.k0, run.k1)
            _descend(x, slope, buffer[at : at + d * LANES], drift, amplitude, d, True, slope)


@njit(**OPTIONS)
def _follows_path(rows, functions):
    """Return whether a functional needs slopes and positions at both ends of a step."""
    standard = max(rows.heat, rows.shadow, rows.exact_flow, rows.midpoint_flow) >= 0
    return standard or rows.fields > 0 or (rows.work >= 0 and functions.has_force)


@njit(**OPTIONS)
def _stretch(block, ids, begin, end, entering, run, functions, law, schedule, rows, d, t):
    """Take the steps from `begin` to `end`, counted from the first of the call, with one block."""
    x, slope, force = block[: d * LANES], part(t.vectors, SLOPE, d), part(t.vectors, FORCE, d)
    loss, new_loss = row(t.scalars, LOSS), row(t.scalars, NEW_LOSS)
    path, driven = _follows_path(rows, functions), len(schedule.driven) > 0
    if run.scheme == EULER_MARUYAMA and law.diagonal and len(law.drift) == 1 and not (path or driven or rows.rates):
        _euler_stretch(x, ids, begin, end, entering, run, functions, law, d, t)
        return
    ahead = 1 if run.scheme == LEIMKUHLER_MATTHEWS else 0
    if entering and ahead == 1:
        at = noise.prepare(run.kind, t.buffer, t.words, d, run.step + begin, entering, ids, run.k0, run.k1)
        copy(part(t.vectors, PREVIOUS, d), t.buffer[at : at + d * LANES])
    known = run.scheme == ORNSTEIN_UHLENBECK and not path  # whether the slope at x is known, or not needed
    for n in range(begin, end):
        fresh = entering and n == begin
        at = noise.prepare(run.kind, t.buffer, t.words, d, run.step + n + ahead, fresh, ids, run.k0, run.k1)
        z = t.buffer[at : at + d * LANES]
        if rows.rates > 0:
            functions.rates(x, t.p, t.scalars[RATES * LANES :])
        if driven:
            switch(functions.value, block, x, t.p, loss, new_loss, rows, schedule, 2 * n + 1)
        if not known or (driven and path):
            fill_slope(functions, x, t.p, slope, force, d)
        j = min(n, len(law.drift) - 1)
        if path:
            copy(part(t.vectors, OLD, d), x)
            if rows.shadow >= 0:
                functions.value(x, t.p, loss)
            if rows.fields > 0:
                functions.fields(x, t.p, t.fields)
        move(functions, x, z, run, law, j, d, t)
        if path:
            new_slope, new_force = part(t.vectors, NEW_SLOPE, d), part(t.vectors, NEW_FORCE, d)
            fill_slope(functions, x, t.p, new_slope, new_force, d)
            _account(functions, block, x, z, run, law, j, rows, d, t)
            copy(slope, new_slope)
            copy(force, new_force)
            known = True
        if driven:
            switch(functions.value, block, x, t.p, loss, new_loss, rows, schedule, 2 * n + 2)
        if rows.rates > 0:
            functions.rates(x, t.p, t.scalars[(RATES + rows.rates) * LANES :])
            for k in range(rows.rates):
                before, after = row(t.scalars, RATES + k), row(t.scalars, RATES + rows.rates + k)
                add_time_integral(row(block, rows.first_rate + k), before, after, run.dt)


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
        See `Functions` and `Law`, `Run` and `Schedule` of `driver`, and `Rows` of `accounts`.
    p : ndarray
        Parameters of the functions.

    Returns
    -------
    block, lane, step : int
        The first failure, with the block's state before that step left in `states`; −1, −1, −1 if there is none.
    """
    d = law.drift.shape[1]
    t = make_scratch(states, p, run.kind, d, states.shape[1], rows.rates, rows.fields)
    for b in range(len(states)):
        block = states[b]
        ids = lane_ids(first, b)
        set_parameters(t.p, schedule.driven, schedule.table, 0)
        done, steps = np.int64(0), min(np.int64(STRETCH), run.steps)
        while done < run.steps:
            copy(t.backup, block)
            entering = done == 0 or steps == 1
            _stretch(block, ids, done, done + steps, entering, run, functions, law, schedule, rows, d, t)
            done, steps, lane = judge(block, t.backup, counts[b], run, schedule, t.p, done, steps)
            if lane >= 0:
                return b, lane, run.step + done
    return -1, -1, -1
