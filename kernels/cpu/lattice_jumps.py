"""Trajectories of jump processes on a lattice: single jumps, which are exact, and leaps over many.

The rates of all 2d jumps are known at every state, so that no attempt fails. A leap of length τ takes a Poisson number
of jumps along each direction at frozen rates. With f_jj′ the change of rate j by a jump j′, rate j changes over a leap
by μ_j τ ± √(σ_j² τ) with μ_j = Σ f_jj′ a_j′ and σ_j² = Σ f²_jj′ a_j′, and τ is the longest for which neither exceeds
ε max(a_j, ā), ā the mean rate. Up and down nearly cancel on a fine lattice: what must not change by more than a share ε
is their difference, the net rate, and it does so within ε over the rate at which it answers to jumps. Leaps end at
multiples of the time step, single jumps do not.

References
----------
D. T. Gillespie, J. Comput. Phys. 22, 403 (1976); Y. Cao, D. T. Gillespie and L. R. Petzold, J. Chem. Phys. 124, 044109
(2006), section III.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu.lanes import copy, row
from fpsolver.kernels.cpu.leaps import end_of_leap
from fpsolver.kernels.cpu.seats import leave, move, take
from fpsolver.kernels.cpu.thinning import ARRHENIUS, GLAUBER, LINEARISED, METROPOLIS
from fpsolver.kernels.cpu.trial_moves import fill_chances
from fpsolver.kernels.elementary import exp, log, logistic, softplus
from fpsolver.kernels.options import ALLOCATING, INLINE, OPTIONS
from fpsolver.kernels.poisson_variables import TRIES, poisson

ONE = np.uint64(1)


class Seats(NamedTuple):
    """What is held for each seat: who sits there, its trajectory and state, then what an event needs.

    `near` holds 2d rows a kind, `slopes` 2d + 1 blocks of d rows, the last at the state itself.
    """

    who: np.ndarray
    ids: np.ndarray
    attempts: np.ndarray
    work: np.ndarray
    comes: np.ndarray
    failed: np.ndarray
    x: np.ndarray
    trial: np.ndarray
    slopes: np.ndarray
    near: np.ndarray
    scalars: np.ndarray
    p: np.ndarray


WAIT, CHANCE, TIME, LOSS, NEW_LOSS, RATE, NEW_RATE, TOTAL = range(8)
"""Scalars of a seat."""
LOSSES, RATES, ATTEMPTS, COUNTS = range(4)
"""Kinds of rows of neighbours: loss, rate of the jump there, attempt rate, number of jumps."""


@njit(**ALLOCATING)
def make_seats(rows, d, p):
    """Return empty seats."""
    return Seats(
        np.zeros(LANES, np.int64),
        np.zeros(LANES, np.uint64),
        np.zeros(LANES, np.uint64),
        np.zeros(rows * LANES),
        np.zeros(LANES, np.bool_),
        np.zeros(LANES, np.bool_),
        np.zeros(d * LANES),
        np.zeros(d * LANES),
        np.zeros((2 * d + 1) * d * LANES),
        np.zeros(4 * 2 * d * LANES),
        np.zeros(8 * LANES),
        p.copy(),
    )


@njit(inline="always")
def _near(seats, kind, j, d):
    """Return row j of a kind of rows of neighbours."""
    return row(seats.near, kind * 2 * d + j)


@njit(inline="always")
def _slope(seats, j, d):
    """Return the slope at neighbour j, or at the state for j = 2d."""
    return seats.slopes[j * d * LANES : (j + 1) * d * LANES]


@njit(inline="always")
def _look(seats, f, law, leap, d):
    """Find loss, slope and attempt rate at the state and its neighbours, as far as they are needed."""
    leaping = leap.tolerance > 0.0
    f.value(seats.x, seats.p, row(seats.scalars, LOSS))
    if law.law == LINEARISED or leaping:
        f.gradient(seats.x, seats.p, _slope(seats, 2 * d, d))
    base = row(seats.scalars, RATE)
    if f.has_rate:
        f.rate(seats.x, seats.p, base)
    else:
        for i in range(LANES):
            base[i] = law.rate
    copy(seats.trial, seats.x)
    for j in range(2 * d):
        moved, x = row(seats.trial, j // 2), row(seats.x, j // 2)
        step = law.scales[j // 2] if j % 2 == 0 else -law.scales[j // 2]
        for i in range(LANES):
            moved[i] = x[i] + step
        f.value(seats.trial, seats.p, _near(seats, LOSSES, j, d))
        if leaping:
            f.gradient(seats.trial, seats.p, _slope(seats, j, d))
            if f.has_rate:
                f.rate(seats.trial, seats.p, _near(seats, ATTEMPTS, j, d))
        for i in range(LANES):
            moved[i] = x[i]


@njit(inline="always")
def _weigh(seats, law, d):
    """Find the rates of all jumps, and their sum."""
    loss, base, total = row(seats.scalars, LOSS), row(seats.scalars, RATE), row(seats.scalars, TOTAL)
    for i in range(LANES):
        total[i] = 0.0
    for j in range(2 * d):
        there, rate = _near(seats, LOSSES, j, d), _near(seats, RATES, j, d)
        g = row(_slope(seats, 2 * d, d), j // 2)
        step = law.scales[j // 2] if j % 2 == 0 else -law.scales[j // 2]
        for i in range(LANES):
            rise = (step * g[i] if law.law == LINEARISED else there[i] - loss[i]) / law.temperature
            if law.law == METROPOLIS:
                weight = exp(-rise) if rise > 0.0 else (1.0 if rise <= 0.0 else np.nan)
            elif law.law == GLAUBER:
                weight = exp(-softplus(rise))
            else:
                weight = exp(-rise if law.law == ARRHENIUS else -0.5 * rise)
            rate[i] = base[i] / (2 * d) * weight
            total[i] += rate[i]


@njit(**INLINE)
def _sensitivity(seats, law, j, d, i):
    """Return by how much the logarithm of the weight of jump j falls with a rise of its loss difference.

    Downhill the rates of Metropolis and Glauber do not answer to the loss, until the bottom is passed: there they are
    followed as at the bottom, or leaps would miss it.
    """
    if law.law == GLAUBER:
        rise = seats.near[(LOSSES * 2 * d + j) * LANES + i] - seats.scalars[LOSS * LANES + i]
        return max(0.5, logistic(rise / law.temperature))
    return 1.0 if law.law == ARRHENIUS or law.law == METROPOLIS else 0.5


@njit(**INLINE)
def _change(seats, f, law, j, other, d, i):
    """Return the relative change of rate j by a jump `other`, to first order."""
    here, there = (2 * d * d + other // 2) * LANES + i, (j * d + other // 2) * LANES + i
    rise = seats.slopes[there] - seats.slopes[here]
    step = law.scales[other // 2] if other % 2 == 0 else -law.scales[other // 2]
    if law.law == LINEARISED:
        # The slope along j is what counts, and how it differs behind the other jump.
        along = law.scales[j // 2] if j % 2 == 0 else -law.scales[j // 2]
        at = j // 2
        rise = seats.slopes[(other * d + at) * LANES + i] - seats.slopes[(2 * d * d + at) * LANES + i]
        step = along
    change = -_sensitivity(seats, law, j, d, i) * rise * step / law.temperature
    if f.has_rate:
        change += log(seats.near[(ATTEMPTS * 2 * d + other) * LANES + i] / seats.scalars[RATE * LANES + i])
    return change


@njit(**INLINE)
def _length(seats, f, law, leap, d, i):
    """Return the length of the leap that the tolerance allows."""
    mean_rate = seats.scalars[TOTAL * LANES + i] / (2 * d)
    length = np.inf
    for j in range(2 * d):
        rate = seats.near[(RATES * 2 * d + j) * LANES + i]
        drift, spread = 0.0, 0.0
        for other in range(2 * d):
            change = rate * _change(seats, f, law, j, other, d, i)
            weight = seats.near[(RATES * 2 * d + other) * LANES + i]
            drift += change * weight
            spread += change * change * weight
        bound = leap.tolerance * max(rate, mean_rate)
        if drift != 0.0:
            length = min(length, bound / abs(drift))
        if spread != 0.0:
            length = min(length, bound * bound / spread)
    for k in range(d):
        return_rate = 0.0
        for other in range(0, 2 * d, 2):
            answer = 0.0
            for j in range(2 * k, 2 * k + 2):
                change = seats.near[(RATES * 2 * d + j) * LANES + i] * _change(seats, f, law, j, other, d, i)
                answer += change if j % 2 == 0 else -change
            return_rate += abs(answer)
        if return_rate > 0.0:
            length = min(length, leap.tolerance / return_rate)
    return length


@njit(**INLINE)
def _jump(seats, end, d, i):
    """Choose the next single jump, and see whether it comes."""
    total, chance = seats.scalars[TOTAL * LANES + i], seats.scalars[CHANCE * LANES + i]
    seats.comes[i] = seats.scalars[TIME * LANES + i] <= end
    left, chosen = chance * total, -1
    for j in range(2 * d):
        rate = seats.near[(RATES * 2 * d + j) * LANES + i]
        if left >= 0.0 and rate > 0.0:
            chosen = j
        left -= rate
        seats.near[(COUNTS * 2 * d + j) * LANES + i] = 0.0
    if chosen >= 0:
        seats.near[(COUNTS * 2 * d + chosen) * LANES + i] = 1.0


@njit(**INLINE)
def _leap(seats, last, length, leap, end, d, i, k0, k1):
    """Take a leap, to the next multiple of the time step at most."""
    stop = end_of_leap(last, length, leap.dt)
    seats.comes[i], seats.scalars[TIME * LANES + i] = last < end, stop
    stride = np.uint64(1 + 2 * d * TRIES)
    block = (seats.attempts[i] + ONE) * stride + ONE
    for j in range(2 * d):
        mean = seats.near[(RATES * 2 * d + j) * LANES + i] * (stop - last)
        count = poisson(mean, seats.ids[i], block + np.uint64(j * TRIES), k0, k1)
        seats.near[(COUNTS * 2 * d + j) * LANES + i] = count


@njit(inline="always")
def _choose(seats, seated, f, law, rows, leap, end, d, k0, k1):
    """Decide what every seated trajectory does next: a jump, a leap, or nothing before the end."""
    time, total, wait = row(seats.scalars, TIME), row(seats.scalars, TOTAL), row(seats.scalars, WAIT)
    last = row(seats.work, rows.last)
    for i in range(LANES):
        time[i] = last[i] + wait[i] / total[i]
        seats.failed[i] = not (total[i] < np.inf) or not (total[i] >= 0.0)
        seats.comes[i] = False
    for i in range(seated):
        if seats.failed[i]:
            continue
        length = _length(seats, f, law, leap, d, i) if leap.tolerance > 0.0 else 0.0
        if length * total[i] > leap.gain and length < np.inf:
            _leap(seats, last[i], length, leap, end, d, i, k0, k1)
        else:
            _jump(seats, end, d, i)


@njit(inline="always")
def _land(seats, f, law, rows, d):
    """Move those whose event comes, and add what it contributes."""
    last, time, jumps = row(seats.work, rows.last), row(seats.scalars, TIME), row(seats.work, rows.jumps)
    for k in range(d):
        up, down = _near(seats, COUNTS, 2 * k, d), _near(seats, COUNTS, 2 * k + 1, d)
        x, moved = row(seats.x, k), row(seats.trial, k)
        for i in range(LANES):
            moved[i] = x[i] + law.scales[k] * (up[i] - down[i]) if seats.comes[i] else x[i]
            jumps[i] += up[i] + down[i] if seats.comes[i] else 0.0
    for i in range(LANES):
        last[i] = time[i] if seats.comes[i] else last[i]
        seats.attempts[i] += ONE if seats.comes[i] else np.uint64(0)
    if rows.heat >= 0 or rows.flow >= 0:
        _account(seats, f, law, rows, d)
    copy(seats.x, seats.trial)


@njit(inline="always")
def _account(seats, f, law, rows, d):
    """Add heat and entropy flow, which but for the linearised law depend on both ends of an event alone."""
    loss, new_loss = row(seats.scalars, LOSS), row(seats.scalars, NEW_LOSS)
    f.value(seats.trial, seats.p, new_loss)
    if rows.heat >= 0:
        heat = row(seats.work, rows.heat)
        for i in range(LANES):
            heat[i] += loss[i] - new_loss[i] if seats.comes[i] else 0.0
    if rows.flow < 0:
        return
    flow, base, new_base = row(seats.work, rows.flow), row(seats.scalars, RATE), row(seats.scalars, NEW_RATE)
    if f.has_rate:
        f.rate(seats.trial, seats.p, new_base)
    factor = (2.0 if law.law == ARRHENIUS else 1.0) / law.temperature
    here, there = _slope(seats, 2 * d, d), _slope(seats, 0, d)
    if law.law == LINEARISED:
        f.gradient(seats.trial, seats.p, there)
    for i in range(LANES):
        gain = factor * (loss[i] - new_loss[i])
        if law.law == LINEARISED:
            gain = 0.0
            for k in range(d):
                at = k * LANES + i
                gain -= 0.5 * factor * (here[at] + there[at]) * (seats.trial[at] - seats.x[at])
        if f.has_rate:
            gain += log(base[i] / new_base[i])
        flow[i] += gain if seats.comes[i] else 0.0


@njit(**OPTIONS)
def _round(seats, seated, f, law, rows, leap, end, d, k0, k1):
    """Let every seated trajectory have its next event, where that comes before the end."""
    wait, chance = row(seats.scalars, WAIT), row(seats.scalars, CHANCE)
    fill_chances(seats.ids, seats.attempts, 1 + 2 * d * TRIES, wait, chance, k0, k1)
    _look(seats, f, law, leap, d)
    _weigh(seats, law, d)
    _choose(seats, seated, f, law, rows, leap, end, d, k0, k1)
    _land(seats, f, law, rows, d)


@njit(**ALLOCATING)
def advance(states, counts, first, step, end, k0, k1, functions, p, law, rows, leap):
    """Let all trajectories jump up to time `end`; arguments and results are those of `thinning.advance`, and `Leap`."""
    d, upcoming, seated, total, worst = len(law.scales), 0, 0, counts.sum(), -1
    seats = make_seats(states.shape[1] // LANES, d, p)
    while True:
        while seated < LANES and upcoming < total and worst < 0:
            take(states, upcoming, first, seats, seated, rows, d)
            seated += 1
            upcoming += 1
        if seated == 0:
            break
        _round(seats, seated, functions, law, rows, leap, end, d, k0, k1)
        for seat in range(seated - 1, -1, -1):
            if seats.failed[seat] or not seats.comes[seat]:
                if seats.failed[seat] and (worst < 0 or seats.who[seat] < worst):
                    worst = seats.who[seat]
                leave(states, seats, seat, rows, d)
                seated -= 1
                move(seats, seated, seat, d)
    return (worst // LANES, worst % LANES, step) if worst >= 0 else (-1, -1, -1)
