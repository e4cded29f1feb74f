"""Seats: 256 places where the trajectories of a batch take turns.

Jumps come at times of their own, so that some trajectories have many to make before a given time and some have none.
Those at work sit side by side in the first seats; whoever is done goes home and the next of the batch sits down. Where
a trajectory sits has no influence on it.
"""

from __future__ import annotations

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
def sit_down(states, who, work, seat):
    """Copy the rows of trajectory `who` of the batch to a seat."""
    block, lane = who // LANES, who % LANES
    for k in range(states.shape[1] // LANES):
        work[k * LANES + seat] = states[block, k * LANES + lane]


@njit(**OPTIONS)
def go_home(states, who, work, seat):
    """Copy the rows of a seat to those of trajectory `who` of the batch."""
    block, lane = who // LANES, who % LANES
    for k in range(states.shape[1] // LANES):
        states[block, k * LANES + lane] = work[k * LANES + seat]
