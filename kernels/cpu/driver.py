"""What time loops share: the run, parameters in time, work of switching them, and the search for failures.

A block takes its steps in stretches. After each it is seen whether a trajectory has failed; if so, the stretch is taken
again from its beginning, step by step, and the failure comes in the step in which it came before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.cpu.accounts import add_difference
from fpsolver.kernels.cpu.lanes import copy, first_failure, row, set_parameters
from fpsolver.kernels.options import INLINE

STRETCH = 64
"""Steps between two looks for values that are not finite."""


class Run(NamedTuple):
    """Scheme, kind of noise, key, first step, number of steps, time step, and the largest value that is no failure."""

    scheme: int
    kind: int
    k0: np.uint64
    k1: np.uint64
    step: int
    steps: int
    dt: float
    limit: float


class Schedule(NamedTuple):
    """Entries of p that depend on time, and their values at steps, half steps and steps: (2 steps + 1, entries)."""

    driven: np.ndarray
    table: np.ndarray


@njit(**INLINE)
def switch(value, block, x, p, loss, new_loss, rows, schedule, moment):
    """Set the parameters to the next half step, and add the work of switching them at fixed positions."""
    if rows.work >= 0:
        value(x, p, loss)
    set_parameters(p, schedule.driven, schedule.table, moment)
    if rows.work >= 0:
        value(x, p, new_loss)
        add_difference(row(block, rows.work), new_loss, loss)


@njit(**INLINE)
def judge(block, backup, lanes, run, schedule, p, done, steps):
    """Look at a block after some steps.

    Parameters
    ----------
    block, backup : ndarray
        The block after and before the steps; after a failure it is put back.
    lanes : int
        Leading lanes that are real trajectories.
    run, schedule : named tuples
        See `Run` and `Schedule`.
    p : ndarray
        Parameters; after a failure they are put back.
    done, steps : int64
        Steps of the run before these, and how many these are.

    Returns
    -------
    done, steps, lane : int64
        Steps that are done now, how many to take next, and the lane that failed in the only step taken, or −1.
    """
    lane = first_failure(block, lanes, run.limit)
    if lane < 0:
        # Once a failure is known to come, steps are taken one by one until it is there.
        done += steps
        return done, min(steps, run.steps - done), -1
    copy(block, backup)
    set_parameters(p, schedule.driven, schedule.table, 2 * done)
    return done, np.int64(1), lane if steps == 1 else -1
