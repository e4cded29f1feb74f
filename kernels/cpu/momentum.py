"""Steps of gradient descent with momentum, v′ = βv − η s + B z, θ′ = θ + v′, in blocks of 256 lanes.

The slope s = ∇L − F is that of the loss, or of a minibatch of examples drawn at random; it is taken at θ, or for
Nesterov's method at θ + βv. Minibatches may do without momentum, and then no velocities are kept. The noise matrix B is
constant or depends on the place where the slope is taken. See `additive` for blocks and parameters; a step takes the
values at its beginning.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise
from fpsolver.kernels.cpu.accounts import add_path_integral, add_time_integral
from fpsolver.kernels.cpu.additive import fill_slope, part
from fpsolver.kernels.cpu.driver import STRETCH, judge, switch
from fpsolver.kernels.cpu.factors import TENSOR, add_lower, cholesky, rows_of, square_roots, work_rows
from fpsolver.kernels.cpu.lanes import copy, lane_ids, row, set_parameters, subtract
from fpsolver.kernels.cpu.linear_maps import add, apply
from fpsolver.kernels.cpu.minibatch import Batch, Examples, fill_batch_slope, make_batch
from fpsolver.kernels.options import ALLOCATING, OPTIONS

NONE, CONSTANT, VARYING, BATCHES = 0, 1, 2, 3
"""Kinds of noise: none, normal with a constant matrix or one that depends on θ, minibatches."""


class Functions(NamedTuple):
    """Compiled block functions ``f(x, p, out)``: loss, its gradient, force, integrands, and the packed rows of C₁."""

    value: Any
    gradient: Any
    force: Any
    has_force: bool
    rates: Any
    fields: Any
    noise: Any


class Law(NamedTuple):
    """What steps are made of; the first axis of arrays is the step, or 1 where all steps are alike.

    `inertial`: velocities are kept. `source`: the kind of noise. `kind` of C₁(θ) as in `factors`. `constants` (n, 3):
    η, β and η/√B. `matrix` η√(C₁/B) (n, d, d) of constant noise, `diagonal` whether it is; `weight` (n, d) its diagonal
    then, else ones. `batch` (n,) examples a step, `largest` the most.
    """

    dimension: int
    inertial: bool
    nesterov: bool
    source: int
    kind: int
    diagonal: bool
    largest: int
    constants: np.ndarray
    matrix: np.ndarray
    weight: np.ndarray
    batch: np.ndarray
    examples: Examples


class Scratch(NamedTuple):
    """Arrays of one block that live for a call.

    `vectors` holds five blocks of d rows, see `part`; `scalars` two losses and twice the integrands over time; `fields`
    twice the integrands along the path; `factor` is for noise that varies.
    """

    p: np.ndarray
    buffer: np.ndarray
    words: np.ndarray
    vectors: np.ndarray
    scalars: np.ndarray
    fields: np.ndarray
    factor: np.ndarray
    batch: Batch
    backup: np.ndarray


SLOPE, FORCE, AHEAD, KICK, OLD = range(5)
"""Vectors: slope and force, the place where they are taken, what the noise adds, the position before the step."""

LOSS, NEW_LOSS, RATES = range(3)
"""Scalars: loss before and after, then integrands over time before, then after."""


@njit(**ALLOCATING)
def make_scratch(like, p, law, rows):
    """Return arrays of the block's type."""
    d = law.dimension
    gaussian = law.source == CONSTANT or law.source == VARYING
    return Scratch(
        p.copy(),
        np.zeros(noise.buffer_rows(noise.GAUSSIAN, d) * LANES if gaussian else 0, like.dtype),
        np.zeros(0, np.uint32),
        np.zeros(5 * d * LANES, like.dtype),
        np.zeros((2 + 2 * rows.rates) * LANES, like.dtype),
        np.zeros(2 * rows.fields * d * LANES, like.dtype),
        np.zeros((rows_of(law.kind, d) + work_rows(d)) * LANES if law.source == VARYING else 0, like.dtype),
        make_batch(like, law.examples, law.largest),
        np.zeros(like.shape[1], like.dtype),
    )


@njit(**OPTIONS)
def _look_ahead(x, v, keep, ahead, d):
    """Write x + βv, where momentum leads to."""
    beta = x.dtype.type(keep)
    for i in range(d * LANES):
        ahead[i] = x[i] + beta * v[i]


@njit(**OPTIONS)
def _push(v, slope, rate, keep, d):
    """Write βv − ηs to the velocity."""
    eta, beta = v.dtype.type(rate), v.dtype.type(keep)
    for i in range(d * LANES):
        v[i] = beta * v[i] - eta * slope[i]


@njit(**OPTIONS)
def _push_and_kick(v, slope, kick, rate, keep, weight, d):
    """Write βv − ηs + w kick to the velocity."""
    eta, beta = v.dtype.type(rate), v.dtype.type(keep)
    for k in range(d):
        here = slice(k * LANES, (k + 1) * LANES)
        velocity, descent, push = v[here], slope[here], kick[here]
        w = v.dtype.type(weight[k])
        for i in range(LANES):
            velocity[i] = beta * velocity[i] - eta * descent[i] + w * push[i]


@njit(**OPTIONS)
def _descend(x, slope, rate, d):
    """Take a step without momentum and noise, x −= ηs."""
    eta = x.dtype.type(rate)
    for i in range(d * LANES):
        x[i] -= eta * slope[i]


@njit(inline="always")
def _fill_slope(functions, place, step, ids, run, law, j, t):
    """Fill the slope at a place: that of the loss, or of the minibatch of the step."""
    d = law.dimension
    slope, force = part(t.vectors, SLOPE, d), part(t.vectors, FORCE, d)
    if law.source != BATCHES:
        fill_slope(functions, place, t.p, slope, force, d)
        return
    size = law.batch[min(j, len(law.batch) - 1)]
    fill_batch_slope(place, slope, ids, step, size, t.p[0], law.examples, t.batch, run.k0, run.k1, d)
    if functions.has_force:
        functions.force(place, t.p, force)
        subtract(slope, force, slope, d)


@njit(inline="always")
def _fill_kick(functions, place, z, law, j, t):
    """Fill what the noise adds to the velocity, up to the weights of the law, where it is not z itself."""
    d, kick, packed = law.dimension, part(t.vectors, KICK, law.dimension), rows_of(law.kind, law.dimension)
    if law.source == CONSTANT:
        apply(law.matrix[min(j, len(law.matrix) - 1)], z, kick, d, False)
        return
    c = t.factor[: packed * LANES]
    functions.noise(place, t.p, c)
    if law.kind == TENSOR:
        cholesky(c, t.factor[packed * LANES :], d)
    else:
        square_roots(c, packed)
    for i in range(d * LANES):
        kick[i] = 0
    add_lower(law.kind, c, z, law.constants[min(j, len(law.constants) - 1), 2], kick, d)


@njit(inline="always")
def _account(functions, block, x, rows, d, t):
    """Add the step's contribution to the integrals along the path."""
    change = part(t.vectors, KICK, d)
    subtract(x, part(t.vectors, OLD, d), change, d)
    functions.fields(x, t.p, t.fields[rows.fields * d * LANES :])
    for k in range(rows.fields):
        before, after = part(t.fields, k, d), part(t.fields, rows.fields + k, d)
        add_path_integral(row(block, rows.first_field + k), before, after, change, d, 1.0)


@njit(**OPTIONS)
def _stretch(block, ids, begin, steps, entering, run, functions, law, schedule, rows, t):
    """Advance one block by some steps, the first of them `begin` steps after the first of the call."""
    d = law.dimension
    x, ahead, kick = block[: d * LANES], part(t.vectors, AHEAD, d), part(t.vectors, KICK, d)
    v = block[d * LANES : 2 * d * LANES] if law.inertial else x
    loss, new_loss = row(t.scalars, LOSS), row(t.scalars, NEW_LOSS)
    gaussian = law.source == CONSTANT or law.source == VARYING
    direct = law.source == CONSTANT and law.diagonal
    driven = len(schedule.driven) > 0
    for n in range(begin, begin + steps):
        j = min(n, len(law.constants) - 1)
        rate, keep = law.constants[j, 0], law.constants[j, 1]
        at = 0
        if gaussian:
            fresh = entering and n == begin
            at = noise.prepare(noise.GAUSSIAN, t.buffer, t.words, d, run.step + n, fresh, ids, run.k0, run.k1)
        z = t.buffer[at : at + d * LANES]
        if rows.rates > 0:
            functions.rates(block, t.p, t.scalars[RATES * LANES :])
        if rows.fields > 0:
            copy(part(t.vectors, OLD, d), x)
            functions.fields(x, t.p, t.fields)
        if law.nesterov:
            _look_ahead(x, v, keep, ahead, d)
        place = ahead if law.nesterov else x
        _fill_slope(functions, place, run.step + n, ids, run, law, n, t)
        if gaussian and not direct:
            _fill_kick(functions, place, z, law, n, t)
        slope = part(t.vectors, SLOPE, d)
        if gaussian:
            weight = law.weight[min(n, len(law.weight) - 1)]
            _push_and_kick(v, slope, z if direct else kick, rate, keep, weight, d)
            add(x, v, d)
        elif law.inertial:
            _push(v, slope, rate, keep, d)
            add(x, v, d)
        else:
            _descend(x, slope, rate, d)
        if rows.fields > 0:
            _account(functions, block, x, rows, d, t)
        if driven:
            switch(functions.value, block, x, t.p, loss, new_loss, rows, schedule, 2 * n + 2)
        if rows.rates > 0:
            functions.rates(block, t.p, t.scalars[(RATES + rows.rates) * LANES :])
            for k in range(rows.rates):
                before, after = row(t.scalars, RATES + k), row(t.scalars, RATES + rows.rates + k)
                add_time_integral(row(block, rows.first_rate + k), before, after, run.dt)


@njit(**ALLOCATING)
def advance(states, counts, first, run, functions, p, law, schedule, rows):
    """Advance all blocks by ``run.steps`` steps.

    Parameters
    ----------
    states : ndarray, shape (blocks, rows * 256)
        Positions, velocities where there is momentum, then functionals; changed in place.
    counts : ndarray of int, shape (blocks,)
        Leading lanes that are real trajectories.
    first : int
        Number of the first trajectory of the first block.
    run, schedule : named tuples
        See `fpsolver.kernels.cpu.driver`; tables have the values at the beginnings of steps.
    functions, law : named tuples
        See `Functions` and `Law`.
    p : ndarray
        Parameters of the functions; the first is the ridge penalty where there are minibatches.
    rows : Rows
        Where the functionals stand.

    Returns
    -------
    block, lane, step : int
        The first failure, with the block's state before that step left in `states`; −1, −1, −1 if there is none.
    """
    t = make_scratch(states, p, law, rows)
    for b in range(len(states)):
        block = states[b]
        ids = lane_ids(first, b)
        set_parameters(t.p, schedule.driven, schedule.table, 0)
        done, steps = np.int64(0), min(np.int64(STRETCH), run.steps)
        while done < run.steps:
            copy(t.backup, block)
            entering = done == 0 or steps == 1
            _stretch(block, ids, done, steps, entering, run, functions, law, schedule, rows, t)
            done, steps, lane = judge(block, t.backup, counts[b], run, schedule, t.p, done, steps)
            if lane >= 0:
                return b, lane, run.step + done
    return -1, -1, -1
