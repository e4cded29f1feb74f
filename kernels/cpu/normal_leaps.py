"""Trajectories of the linearised law with normal updates: single jumps, which are exact, and leaps over many.

With c = 1/2T and slope g, jumps come at the rate R = A e^{c²Σs²g²/2} and are normal of mean m = −c s² g and variance
s², so that N of them make an update of mean N m and variance N s², N a Poisson number. A leap lasts as long as R is
expected to change by no more than a share ε, on average and by its spread, and the mean drift R m by no more than a
share ε of itself. Leaps end at multiples of the time step, single jumps do not.

References
----------
Y. Cao, D. T. Gillespie and L. R. Petzold, J. Chem. Phys. 124, 044109 (2006), section III.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu.lanes import copy, row
from fpsolver.kernels.cpu.leaps import end_of_leap
from fpsolver.kernels.cpu.seats import leave, move, take
from fpsolver.kernels.cpu.thinning import (
    CHANCE,
    LOSS,
    MASS,
    NEW_LOSS,
    NEW_RATE,
    RATE,
    TIME,
    WAIT,
    make_seats,
)
from fpsolver.kernels.cpu.trial_moves import GAUSSIAN, draws, fill_chances, fill_normals
from fpsolver.kernels.elementary import exp, log
from fpsolver.kernels.options import ALLOCATING, INLINE, OPTIONS
from fpsolver.kernels.poisson_variables import TRIES, poisson

ONE = np.uint64(1)


class Near(NamedTuple):
    """Slopes, d blocks of d rows, and attempt rates, d rows, one scale further along each coordinate."""

    slopes: np.ndarray
    rates: np.ndarray


@njit(**ALLOCATING)
def make_near(d):
    """Return arrays for the neighbourhood of all seats."""
    return Near(np.zeros(d * d * LANES), np.zeros(d * LANES))


@njit(**INLINE)
def _look(seats, near, f, law, d):
    """Find the slope at all states and one scale further along each coordinate, and the rates of jumps."""
    f.gradient(seats.x, seats.p, seats.slope)
    base, total = row(seats.scalars, RATE), row(seats.scalars, MASS)
    if f.has_rate:
        f.rate(seats.x, seats.p, base)
    else:
        for i in range(LANES):
            base[i] = law.rate
    copy(seats.trial, seats.x)
    for k in range(d):
        x, moved = row(seats.x, k), row(seats.trial, k)
        for i in range(LANES):
            moved[i] = x[i] + law.scales[k]
        f.gradient(seats.trial, seats.p, near.slopes[k * d * LANES : (k + 1) * d * LANES])
        if f.has_rate:
            f.rate(seats.trial, seats.p, row(near.rates, k))
        copy(moved, x)
    c = 0.5 / law.temperature
    for i in range(LANES):
        total[i] = 0.0
    for k in range(d):
        g, half = row(seats.slope, k), 0.5 * (c * law.scales[k]) ** 2
        for i in range(LANES):
            total[i] += half * g[i] * g[i]
    for i in range(LANES):
        total[i] = base[i] * exp(total[i])


@njit(**INLINE)
def _length(seats, near, f, law, leap, d, i):
    """Return the length of the leap that the tolerance allows."""
    c, rate = 0.5 / law.temperature, seats.scalars[MASS * LANES + i]
    drift, spread, most = 0.0, 0.0, 0.0
    for k in range(d):
        # per scale: how the logarithm of the rate grows, and how the mean update answers
        growth, answer = 0.0, 0.0
        for j in range(d):
            at = j * LANES + i
            bend = c * law.scales[j] * (near.slopes[k * d * LANES + at] - seats.slope[at])
            growth += bend * c * law.scales[j] * seats.slope[at]
            answer += abs(bend)
        if f.has_rate:
            growth += log(near.rates[k * LANES + i] / seats.scalars[RATE * LANES + i])
        mean = -c * law.scales[k] * seats.slope[k * LANES + i]
        drift += growth * mean
        spread += growth * growth
        most = max(most, answer)
    spread += drift * drift
    share = max(abs(drift) / leap.tolerance, spread / leap.tolerance**2, most / leap.tolerance)
    return 1.0 / (share * rate) if share > 0.0 else np.inf


@njit(**INLINE)
def _choose(seats, near, seated, f, law, rows, leap, end, stride, d, k0, k1):
    """Find the number of jumps of the next event of every seated trajectory, its time, and whether it comes."""
    count, total = row(seats.scalars, CHANCE), row(seats.scalars, MASS)
    time, wait, last = row(seats.scalars, TIME), row(seats.scalars, WAIT), row(seats.work, rows.last)
    for i in range(LANES):
        seats.failed[i] = not (total[i] < np.inf) or not (total[i] >= 0.0)
        seats.comes[i], count[i] = False, 0.0
    for i in range(seated):
        if seats.failed[i]:
            continue
        length = _length(seats, near, f, law, leap, d, i)
        if leap.gain < length * total[i] < np.inf:
            time[i] = end_of_leap(last[i], length, leap.dt)
            seats.comes[i] = last[i] < end
            block = (seats.attempts[i] + ONE) * np.uint64(stride) + np.uint64(draws(GAUSSIAN, d))
            count[i] = poisson(total[i] * (time[i] - last[i]), seats.ids[i], block, k0, k1)
        else:
            time[i] = last[i] + wait[i] / total[i]
            seats.comes[i], count[i] = time[i] <= end, 1.0


@njit(**INLINE)
def _land(seats, f, law, rows, d):
    """Move those whose event comes, and add what it contributes."""
    count, c = row(seats.scalars, CHANCE), 0.5 / law.temperature
    last, time, jumps = row(seats.work, rows.last), row(seats.scalars, TIME), row(seats.work, rows.jumps)
    for k in range(d):
        s = law.scales[k]
        x, moved, z, g = row(seats.x, k), row(seats.trial, k), row(seats.unit, k), row(seats.slope, k)
        for i in range(LANES):
            n = count[i] if seats.comes[i] else 0.0
            moved[i] = x[i] + (s * math.sqrt(n) * z[i] - n * c * s * s * g[i])
    for i in range(LANES):
        last[i] = time[i] if seats.comes[i] else last[i]
        jumps[i] += count[i] if seats.comes[i] else 0.0
        seats.attempts[i] += ONE if seats.comes[i] else np.uint64(0)
    if rows.heat >= 0:
        loss, new_loss, heat = row(seats.scalars, LOSS), row(seats.scalars, NEW_LOSS), row(seats.work, rows.heat)
        f.value(seats.x, seats.p, loss)
        f.value(seats.trial, seats.p, new_loss)
        for i in range(LANES):
            heat[i] += loss[i] - new_loss[i] if seats.comes[i] else 0.0
    if rows.flow >= 0:
        _add_flow(seats, f, rows, c, d)
    copy(seats.x, seats.trial)


@njit(**INLINE)
def _add_flow(seats, f, rows, c, d):
    """Add the logarithm of the rate of the jumps over that of their return."""
    flow, base, new_base = row(seats.work, rows.flow), row(seats.scalars, RATE), row(seats.scalars, NEW_RATE)
    f.gradient(seats.trial, seats.p, seats.new_slope)
    if f.has_rate:
        f.rate(seats.trial, seats.p, new_base)
    for i in range(LANES):
        gain = log(base[i] / new_base[i]) if f.has_rate else 0.0
        for k in range(d):
            at = k * LANES + i
            gain -= c * (seats.slope[at] + seats.new_slope[at]) * (seats.trial[at] - seats.x[at])
        flow[i] += gain if seats.comes[i] else 0.0


@njit(**OPTIONS)
def _round(seats, near, seated, f, law, rows, leap, end, d, k0, k1):
    """Let every seated trajectory have its next event, where that comes before the end."""
    wait, chance, stride = row(seats.scalars, WAIT), row(seats.scalars, CHANCE), draws(GAUSSIAN, d) + TRIES
    fill_chances(seats.ids, seats.attempts, stride, wait, chance, k0, k1)
    fill_normals(seats.unit, seats.ids, seats.attempts, stride, d, k0, k1)
    _look(seats, near, f, law, d)
    _choose(seats, near, seated, f, law, rows, leap, end, stride, d, k0, k1)
    _land(seats, f, law, rows, d)


@njit(**ALLOCATING)
def advance(states, counts, first, step, end, k0, k1, functions, p, law, rows, leap):
    """Let all trajectories jump up to time `end`; arguments and results are those of `lattice_jumps.advance`."""
    d, upcoming, seated, total, worst = len(law.scales), 0, 0, counts.sum(), -1
    seats, near = make_seats(states.shape[1] // LANES, d, 0, p), make_near(d)
    while True:
        while seated < LANES and upcoming < total and worst < 0:
            take(states, upcoming, first, seats, seated, rows, d)
            seated += 1
            upcoming += 1
        if seated == 0:
            break
        _round(seats, near, seated, functions, law, rows, leap, end, d, k0, k1)
        for seat in range(seated - 1, -1, -1):
            if seats.failed[seat] or not seats.comes[seat]:
                if seats.failed[seat] and (worst < 0 or seats.who[seat] < worst):
                    worst = seats.who[seat]
                leave(states, seats, seat, rows, d)
                seated -= 1
                move(seats, seated, seat, d)
    return (worst // LANES, worst % LANES, step) if worst >= 0 else (-1, -1, -1)
