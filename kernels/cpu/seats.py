"""Seats: 256 places where the trajectories of a batch take turns.

Jumps come at times of their own, so that some trajectories have many to make before a given time and some have none.
Those at work sit side by side in the first seats; whoever is done goes home and the next of the batch sits down. Where
a trajectory sits has no influence on it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.options import OPTIONS

PACK = 64
"""Seats that are worked on together: loops of known length become packed instructions, and few trajectories do not
wait for many empty seats."""


@njit(**OPTIONS)
def packs(seated):
    """Return how many packs of seats are in use."""
    return (seated + PACK - 1) // PACK


@njit(**OPTIONS)
def _sit_down(states, who, work, seat):
    """Copy the rows of trajectory `who` of the batch to a seat."""
    block, lane = who // LANES, who % LANES
    for k in range(states.shape[1] // LANES):
        work[k * LANES + seat] = states[block, k * LANES + lane]


@njit(**OPTIONS)
def _go_home(states, who, work, seat):
    """Copy the rows of a seat to those of trajectory `who` of the batch."""
    block, lane = who // LANES, who % LANES
    for k in range(states.shape[1] // LANES):
        states[block, k * LANES + lane] = work[k * LANES + seat]


@njit(**OPTIONS)
def take(states, who, first, seats, seat, rows, d):
    """Seat trajectory `who`; seats have `who`, `ids`, `attempts`, `work` with all rows of the state, and `x`."""
    _sit_down(states, who, seats.work, seat)
    seats.who[seat], seats.ids[seat] = who, np.uint64(first + who)
    seats.attempts[seat] = np.uint64(seats.work[rows.attempts * LANES + seat])
    for k in range(d):
        seats.x[k * LANES + seat] = seats.work[k * LANES + seat]


@njit(**OPTIONS)
def leave(states, seats, seat, rows, d):
    """Write the state of a seated trajectory."""
    seats.work[rows.attempts * LANES + seat] = np.float64(seats.attempts[seat])
    for k in range(d):
        seats.work[k * LANES + seat] = seats.x[k * LANES + seat]
    _go_home(states, seats.who[seat], seats.work, seat)


@njit(**OPTIONS)
def move(seats, source, target, d):
    """Move a trajectory to another seat."""
    seats.who[target], seats.ids[target] = seats.who[source], seats.ids[source]
    seats.attempts[target] = seats.attempts[source]
    for k in range(d):
        seats.x[k * LANES + target] = seats.x[k * LANES + source]
    for k in range(len(seats.work) // LANES):
        seats.work[k * LANES + target] = seats.work[k * LANES + source]
