"""Exact trajectories of jump processes on a landscape: attempts come too often, and the surplus is thinned out.

With c = 1/2T (or 1/T for the full exponent) the rate A q(Δ) e^{−cΔL} of a jump is bounded in two ways, and at every
point the tighter one is taken: by A q e^{c(L − L₀)}, L₀ a lower bound of the loss; and where the curvature is −κ at
least, so that ΔL ≥ g·Δ − κΔ²/2, by A q e^{−c g·Δ + cκΔ²/2}, updates that are tilted along the slope g. Rates of the
other laws are bounded by A q itself, and the linearised law is a tilt without surplus. A bound that turns out not to be
one is a failure.

Attempt number k of a trajectory takes its own draw blocks, and its time is that of the attempt before plus a waiting
time that these blocks give: nothing depends on where a run is cut. Landscapes that depend on time have the values of
their parameters, and the temperature, as further rows behind the coordinates; the first bound is then taken with the
largest loss and the lowest temperature of a window of time, and an attempt that would come behind its end is none.

References
----------
P. A. W. Lewis and G. S. Shedler, Nav. Res. Logist. Q. 26, 403 (1979), theorem 1 (thinning); D. T. Gillespie,
J. Comput. Phys. 22, 403 (1976).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import trial_moves
from fpsolver.kernels.cpu.lanes import copy, row
from fpsolver.kernels.cpu.seats import leave, move, take
from fpsolver.kernels.elementary import exp, log, softplus
from fpsolver.kernels.options import ALLOCATING, OPTIONS

HALF, ARRHENIUS, LINEARISED, METROPOLIS, GLAUBER = range(5)
"""Laws, in the order of `fpsolver.dynamics.jump.LAWS`."""
LOOSE, FAST = 14.0, 30.0
"""Logarithms of how many attempts a jump may take, as far as the first bound tells, and of how often it may come."""
SLACK = 1e-9
"""What rounding may make of a bound that holds."""
ONE = np.uint64(1)


class Functions(NamedTuple):
    """Compiled block functions: loss, its gradient, attempt rate, and driven quantities of a row of times.

    Then whether the gradient is needed, whether the attempt rate varies, and how many quantities are driven.
    """

    value: Any
    gradient: Any
    rate: Any
    drive: Any
    has_slope: bool
    has_rate: bool
    driven: int


class Law(NamedTuple):
    """Law, kind of proposal, its scales (d,) and its shape, temperature, attempt rate, and the bounds L₀ and κ.

    Each bound comes with whether it is known; the last is the row of a driven temperature behind the coordinates, or
    −1.
    """

    law: int
    kind: int
    scales: np.ndarray
    shape: float
    temperature: float
    rate: float
    least: float
    has_least: bool
    bend: float
    has_bend: bool
    temperature_row: int


class Windows(NamedTuple):
    """Length of the windows of time (zero: there are none), and the number of the first.

    Then for each of them lower and upper values of the driven parameters, (windows, parameters), and the lowest
    temperature.
    """

    length: float
    first: int
    low: np.ndarray
    high: np.ndarray
    temperature: np.ndarray


class Rows(NamedTuple):
    """Rows of the state: jumps, attempts, time of the last attempt; entropy flow, heat, work, and the first loss.

    They are −1 where they are not asked for.
    """

    jumps: int
    attempts: int
    last: int
    flow: int
    heat: int
    work: int
    initial: int


class Seats(NamedTuple):
    """What is held for each seat: who sits there, its trajectory and state, then what an attempt needs."""

    who: np.ndarray
    ids: np.ndarray
    attempts: np.ndarray
    work: np.ndarray
    comes: np.ndarray
    tilted: np.ndarray
    failed: np.ndarray
    x: np.ndarray
    trial: np.ndarray
    slope: np.ndarray
    new_slope: np.ndarray
    unit: np.ndarray
    change: np.ndarray
    scalars: np.ndarray
    p: np.ndarray


WAIT, CHANCE, TIME, LOSS, NEW_LOSS, RATE, NEW_RATE, MASS, SAG, LIMIT = range(10)
"""Scalars of a seat."""


@njit(**ALLOCATING)
def make_seats(rows, d, driven, p):
    """Return empty seats."""
    return Seats(
        np.zeros(LANES, np.int64),
        np.zeros(LANES, np.uint64),
        np.zeros(LANES, np.uint64),
        np.zeros(rows * LANES),
        np.zeros(LANES, np.bool_),
        np.zeros(LANES, np.bool_),
        np.zeros(LANES, np.bool_),
        np.zeros((d + driven) * LANES),
        np.zeros((d + driven) * LANES),
        np.zeros(d * LANES),
        np.zeros(d * LANES),
        np.zeros(d * LANES),
        np.zeros(d * LANES),
        np.zeros(10 * LANES),
        p.copy(),
    )


@njit(inline="always")
def strength(law, x, d, i):
    """Return c, the factor of ΔL in the exponent, and the temperature."""
    temperature = law.temperature if law.temperature_row < 0 else x[(d + law.temperature_row) * LANES + i]
    return (1.0 if law.law == ARRHENIUS else 0.5) / temperature, temperature


@njit(inline="always")
def _bound(seats, f, law, d):
    """Find loss and slope of all seats, the rate of attempts, and whether they are tilted."""
    loss, rate, mass = row(seats.scalars, LOSS), row(seats.scalars, RATE), row(seats.scalars, MASS)
    if f.has_rate:
        f.rate(seats.x, seats.p, rate)
    else:
        for i in range(LANES):
            rate[i] = law.rate
    for i in range(LANES):
        seats.tilted[i], seats.failed[i], mass[i] = False, False, 0.0
    if law.law == METROPOLIS or law.law == GLAUBER or f.driven > 0:
        return
    f.value(seats.x, seats.p, loss)
    if f.has_slope:
        f.gradient(seats.x, seats.p, seats.slope)
    c, _ = strength(law, seats.x, d, 0)
    if law.law == LINEARISED or law.has_bend:
        trial_moves.add_log_mass(law.kind, law.scales, law.bend, c, seats.slope, mass, d)
    for i in range(LANES):
        tilted = law.law == LINEARISED or law.has_bend
        best, below = mass[i] if tilted else np.inf, False
        if law.law != LINEARISED and law.has_least:
            plain = c * (loss[i] - law.least)
            below = plain < -SLACK * (1.0 + c * abs(loss[i]))
            tilted = tilted and best < plain
            best = best if tilted else plain
        seats.tilted[i] = tilted
        # A bound far above the rate of attempts is useless, and so is NaN; one above the loss itself is wrong.
        seats.failed[i] = below or not (best < (FAST if tilted else LOOSE))
        rate[i] *= exp(best)


@njit(inline="always")
def _bound_in_window(seats, f, law, windows, rows, d):
    """Raise the rate of attempts to what bounds it up to the end of the window of time.

    Parameters enter linearly, so that the largest loss is at a corner of their ranges.
    """
    loss, largest, rate = row(seats.scalars, NEW_LOSS), row(seats.scalars, MASS), row(seats.scalars, RATE)
    limit, last = row(seats.scalars, LIMIT), row(seats.work, rows.last)
    count = windows.low.shape[1]
    for corner in range(1 << count):
        for i in range(LANES):
            w = _window(last[i], windows)
            for k in range(count):
                values = windows.high if (corner >> k) & 1 else windows.low
                seats.x[(d + k) * LANES + i] = values[w, k]
        f.value(seats.x, seats.p, loss)
        for i in range(LANES):
            largest[i] = loss[i] if corner == 0 else max(largest[i], loss[i])
    for i in range(LANES):
        w = _window(last[i], windows)
        limit[i] = (windows.first + w + 1) * windows.length
        c = (1.0 if law.law == ARRHENIUS else 0.5) / windows.temperature[w]
        size = c * abs(largest[i])
        largest[i] = c * (largest[i] - law.least)
        seats.failed[i] = not (-SLACK * (1.0 + size) <= largest[i] < LOOSE)
        rate[i] *= exp(largest[i])


@njit(inline="always")
def _window(time, windows):
    """Return the window that a time is in, the later one at a boundary."""
    w = np.int64(np.floor(time / windows.length))
    w += (w + 1) * windows.length <= time
    return min(max(w - windows.first, 0), len(windows.temperature) - 1)


@njit(inline="always")
def _schedule(seats, f, law, windows, rows, end, d):
    """Find the times of the next attempts, whether they come, and what is driven then."""
    wait, time, rate = row(seats.scalars, WAIT), row(seats.scalars, TIME), row(seats.scalars, RATE)
    last = row(seats.work, rows.last)
    for i in range(LANES):
        time[i] = last[i] + wait[i] / rate[i]
        seats.failed[i] |= not (rate[i] >= 0.0) or rate[i] == np.inf
    if windows.length > 0.0:
        limit = row(seats.scalars, LIMIT)
        for i in range(LANES):
            seats.tilted[i] = time[i] > limit[i]  # there is no attempt, but the next window
            time[i] = min(time[i], limit[i])
    for i in range(LANES):
        seats.comes[i] = time[i] <= end
    if f.driven > 0:
        f.drive(time, seats.p, seats.x[d * LANES :])
        copy(seats.trial[d * LANES :], seats.x[d * LANES :])


@njit(inline="always")
def _try(seats, f, law, d, k0, k1):
    """Make the updates and find the loss behind them."""
    loss, new_loss = row(seats.scalars, LOSS), row(seats.scalars, NEW_LOSS)
    trial_moves.fill_updates(law.kind, law.shape, seats.unit, seats.ids, seats.attempts, d, k0, k1)
    c, _ = strength(law, seats.x, d, 0)
    if law.kind == trial_moves.LATTICE:
        trial_moves.fill_steps(law.scales, seats.unit, seats.change, d)
    else:
        trial_moves.fill_change(
            law.kind, law.scales, law.bend, c, seats.unit, seats.slope, seats.tilted, f.has_slope, seats.change, d
        )
    for i in range(d * LANES):
        seats.trial[i] = seats.x[i] + seats.change[i]
    if law.law == METROPOLIS or law.law == GLAUBER or f.driven > 0:
        f.value(seats.x, seats.p, loss)
    f.value(seats.trial, seats.p, new_loss)
    if law.law == LINEARISED:
        f.gradient(seats.trial, seats.p, seats.new_slope)
    if f.has_rate:
        f.rate(seats.trial, seats.p, row(seats.scalars, NEW_RATE))


@njit(inline="always")
def _judge(seats, law, windows, d):
    """See which attempts are jumps: those that are not cease to come."""
    chance, sag = row(seats.scalars, CHANCE), row(seats.scalars, SAG)
    loss, new_loss = row(seats.scalars, LOSS), row(seats.scalars, NEW_LOSS)
    trial_moves.fill_sag(law.kind, law.scales, law.bend, seats.change, sag, d)
    for i in range(LANES):
        c, temperature = strength(law, seats.x, d, i)
        rise = new_loss[i] - loss[i]
        if law.law == LINEARISED:
            share = 0.0
        elif law.law == METROPOLIS:
            share = -rise / temperature if rise > 0.0 else 0.0
        elif law.law == GLAUBER:
            share = -softplus(rise / temperature)
        elif windows.length > 0.0:
            share = -np.inf if seats.tilted[i] else -c * rise - seats.scalars[MASS * LANES + i]
        elif seats.tilted[i]:
            along = 0.0
            for k in range(d):
                along += seats.slope[k * LANES + i] * seats.change[k * LANES + i]
            share = -c * (rise - along + sag[i])
        else:
            share = -c * (new_loss[i] - law.least)
        size = c * (abs(loss[i]) + abs(new_loss[i])) if new_loss[i] < np.inf else 0.0
        wrong = not (share <= SLACK * (1.0 + size)) or new_loss[i] != new_loss[i]
        seats.failed[i] |= wrong and seats.comes[i]
        seats.tilted[i] = chance[i] < exp(share)


@njit(inline="always")
def _land(seats, f, law, rows, d):
    """Count the attempts, and move those that jump; `tilted` says which."""
    loss, new_loss = row(seats.scalars, LOSS), row(seats.scalars, NEW_LOSS)
    last, time, jumps = row(seats.work, rows.last), row(seats.scalars, TIME), row(seats.work, rows.jumps)
    for i in range(LANES):
        goes = seats.comes[i] and not seats.failed[i]
        seats.attempts[i] += ONE if goes else np.uint64(0)
        last[i] = time[i] if goes else last[i]
        seats.tilted[i] = goes and seats.tilted[i]
        jumps[i] += 1.0 if seats.tilted[i] else 0.0
    if rows.heat >= 0:
        heat = row(seats.work, rows.heat)
        for i in range(LANES):
            heat[i] += loss[i] - new_loss[i] if seats.tilted[i] else 0.0
    if rows.flow >= 0:
        flow = row(seats.work, rows.flow)
        for i in range(LANES):
            if seats.tilted[i]:
                flow[i] += _log_ratio(seats, f, law, d, i)
    for k in range(d):
        x, trial = row(seats.x, k), row(seats.trial, k)
        for i in range(LANES):
            x[i] = trial[i] if seats.tilted[i] else x[i]


@njit(inline="always")
def _log_ratio(seats, f, law, d, i):
    """Return the logarithm of the rate of a jump over that of its return, at the same parameters."""
    c, temperature = strength(law, seats.x, d, i)
    if law.law == LINEARISED:
        ratio = 0.0
        for k in range(d):
            at = k * LANES + i
            ratio -= c * (seats.slope[at] + seats.new_slope[at]) * seats.change[at]
    else:
        rise = seats.scalars[NEW_LOSS * LANES + i] - seats.scalars[LOSS * LANES + i]
        ratio = -(2.0 if law.law == ARRHENIUS else 1.0) * rise / temperature
    if f.has_rate:
        ratio += log(seats.scalars[RATE * LANES + i] / seats.scalars[NEW_RATE * LANES + i])
    return ratio


@njit(**OPTIONS)
def _round(seats, f, law, windows, rows, end, d, k0, k1):
    """Let every seated trajectory have its next attempt, where that comes before the end."""
    wait, chance = row(seats.scalars, WAIT), row(seats.scalars, CHANCE)
    trial_moves.fill_chances(seats.ids, seats.attempts, trial_moves.draws(law.kind, d), wait, chance, k0, k1)
    _bound(seats, f, law, d)
    if windows.length > 0.0:
        _bound_in_window(seats, f, law, windows, rows, d)
    _schedule(seats, f, law, windows, rows, end, d)
    _try(seats, f, law, d, k0, k1)
    if f.has_rate:
        f.rate(seats.x, seats.p, row(seats.scalars, RATE))  # that of attempts was raised by the bound
    _judge(seats, law, windows, d)
    _land(seats, f, law, rows, d)


@njit(**OPTIONS)
def _losses(states, f, seats, time, d):
    """Find the loss of a block at one time."""
    loss = row(seats.scalars, LOSS)
    copy(seats.x[: d * LANES], states[: d * LANES])
    if f.driven > 0:
        moments = row(seats.scalars, TIME)
        for i in range(LANES):
            moments[i] = time
        f.drive(moments, seats.p, seats.x[d * LANES :])
    f.value(seats.x, seats.p, loss)


@njit(**OPTIONS)
def _begin(states, f, seats, rows, d):
    """Keep the losses at time zero, which work is counted from."""
    for b in range(len(states)):
        _losses(states[b], f, seats, 0.0, d)
        copy(row(states[b], rows.initial), row(seats.scalars, LOSS))


@njit(**OPTIONS)
def _settle(states, f, seats, rows, end, d):
    """Write the work so far: what the energy has gained and the bath has taken, by the first law."""
    for b in range(len(states)):
        _losses(states[b], f, seats, end, d)
        loss, work = row(seats.scalars, LOSS), row(states[b], rows.work)
        heat, initial = row(states[b], rows.heat), row(states[b], rows.initial)
        for i in range(LANES):
            work[i] = (loss[i] - initial[i]) + heat[i]


@njit(**ALLOCATING)
def advance(states, counts, first, step, begin, end, k0, k1, functions, p, law, windows, rows):
    """Let all trajectories make their attempts up to time `end`.

    Parameters
    ----------
    states : ndarray, shape (blocks, rows * 256)
        Coordinates and what `Rows` names; changed in place.
    counts : ndarray of int, shape (blocks,)
        Leading lanes that are real trajectories: all but in the last block.
    first : int
        Number of the first trajectory of the first block.
    step : int
        What to return as the step of a failure.
    begin, end : float
        Times.
    k0, k1 : int
        Key.
    functions, law, windows, rows : named tuples
        See `Functions`, `Law`, `Windows` and `Rows`.
    p : ndarray
        Parameters of the functions.

    Returns
    -------
    block, lane, step : int
        The first trajectory that failed, with its state before the attempt that did; −1, −1, −1 if there is none.
    """
    d, upcoming, seated, total, worst = len(law.scales), 0, 0, counts.sum(), -1
    seats = make_seats(states.shape[1] // LANES, d, functions.driven, p)
    if rows.work >= 0 and begin == 0.0:
        _begin(states, functions, seats, rows, d)
    while True:
        while seated < LANES and upcoming < total and worst < 0:
            take(states, upcoming, first, seats, seated, rows, d)
            seated += 1
            upcoming += 1
        if seated == 0:
            break
        _round(seats, functions, law, windows, rows, end, d, k0, k1)
        for seat in range(seated - 1, -1, -1):
            if seats.failed[seat] or not seats.comes[seat]:
                if seats.failed[seat] and (worst < 0 or seats.who[seat] < worst):
                    worst = seats.who[seat]
                leave(states, seats, seat, rows, d)
                seated -= 1
                move(seats, seated, seat, d)
    if rows.work >= 0:
        _settle(states, functions, seats, rows, end, d)
    return (worst // LANES, worst % LANES, step) if worst >= 0 else (-1, -1, -1)
