"""Exact trajectories of Markov networks: Gillespie's direct method, many trajectories in step.

Event number k of a trajectory takes draw block k: 52 bits say how long it is waited for, 64 which jump it is. The time
of the event before belongs to the state, so that nothing depends on where a run is cut. While one trajectory waits for
its record from memory the others go on.

References
----------
D. T. Gillespie, J. Comput. Phys. 22, 403 (1976), section 3 (direct method).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu.alias_tables import HEAD, SLOT, SLOT_WITH_FLOWS
from fpsolver.kernels.cpu.prefetch import prefetch
from fpsolver.kernels.cpu.seats import PACK, packs
from fpsolver.kernels.jump_variables import exponential
from fpsolver.kernels.options import ALLOCATING, OPTIONS
from fpsolver.kernels.philox import DYNAMICS, LOW, SHIFT_32, draw

STATE, JUMPS, LAST, FLOW = range(4)
"""Rows: number of the state, events so far, time of the last one, entropy flow."""
ONE = np.uint64(1)
LINE = 8
"""Words of a line of the cache."""
ZERO = np.uint64(0)
TO_FRACTION = 2.0**-32
TO_REST = 2.0**-64


class Table(NamedTuple):
    """The words of an alias table, the record of each state, and whether entropy flows are in it."""

    words: np.ndarray
    records: np.ndarray
    flows: bool


class Seats(NamedTuple):
    """What is held for each seat: who sits there, its trajectory and state, then what an event needs.

    The state is the number of events so far, the record, the time of the last event and the entropy flow; an event
    needs the words that choose it, its time, and whether it comes.
    """

    who: np.ndarray
    ids: np.ndarray
    events: np.ndarray
    record: np.ndarray
    last: np.ndarray
    flow: np.ndarray
    choice: np.ndarray
    rest: np.ndarray
    next: np.ndarray
    comes: np.ndarray


@njit(**ALLOCATING)
def make_seats():
    """Return empty seats."""
    return Seats(
        np.zeros(LANES, np.int64),
        np.zeros(LANES, np.uint64),
        np.zeros(LANES, np.uint64),
        np.zeros(LANES, np.int64),
        np.zeros(LANES),
        np.zeros(LANES),
        np.zeros(LANES, np.uint64),
        np.zeros(LANES, np.uint64),
        np.zeros(LANES),
        np.zeros(LANES, np.bool_),
    )


@njit(**OPTIONS)
def _draw(ids, events, choice, rest, wait, k0, k1):
    """Fill the random variables of the next event of a pack."""
    for i in range(PACK):
        a, b, c, d = draw(ids[i], events[i] + ONE, DYNAMICS, k0, k1)
        wait[i] = exponential(a, b)
        choice[i] = c
        rest[i] = d


@njit(**OPTIONS)
def _wait(words, record, last, wait, comes, end):
    """Find the time of the next event, and whether it comes; what comes from memory is asked for all at once."""
    for i in range(PACK):
        wait[i] = last[i] + wait[i] * np.uint64(words[record[i]]).view(np.float64)
        comes[i] = wait[i] <= end


@njit(**OPTIONS)
def _jump(words, flows, record, events, last, flow, choice, rest, following, comes):
    """Move a pack to the records of the states they jump to."""
    width = SLOT_WITH_FLOWS if flows else SLOT
    for i in range(PACK):
        if comes[i]:
            here = record[i]
            # Multiplied by the number of jumps, the 64 bits have the slot above them and a new fraction in them.
            degree = words[here + 1] & LOW
            low = rest[i] * degree
            high = choice[i] * degree + (low >> SHIFT_32)
            part = np.float64(high & LOW) * TO_FRACTION + np.float64(low & LOW) * TO_REST
            slot = here + HEAD + width * np.int64(high >> SHIFT_32)
            own = part < np.uint64(words[slot]).view(np.float64)
            pair = words[slot + 1]
            if flows:
                flow[i] += np.uint64(words[slot + 2] if own else words[slot + 3]).view(np.float64)
            target = np.int64((pair if own else pair >> SHIFT_32) & LOW)
            prefetch(words, target)
            prefetch(words, target + LINE)
            if flows:
                prefetch(words, target + 2 * LINE)
            record[i] = target
            last[i] = following[i]
            events[i] += ONE


@njit(**OPTIONS)
def _event(seats, seated, table, end, k0, k1):
    """Let every seated trajectory have its next event, where that comes before the end."""
    for pack in range(packs(seated)):
        here = slice(pack * PACK, (pack + 1) * PACK)
        record, events, last, flow = seats.record[here], seats.events[here], seats.last[here], seats.flow[here]
        choice, rest, following, comes = seats.choice[here], seats.rest[here], seats.next[here], seats.comes[here]
        _draw(seats.ids[here], events, choice, rest, following, k0, k1)
        _wait(table.words, record, last, following, comes, end)
        _jump(table.words, table.flows, record, events, last, flow, choice, rest, following, comes)


@njit(**OPTIONS)
def _take(states, who, first, seats, seat, table):
    """Seat trajectory `who`."""
    block, lane = who // LANES, who % LANES
    seats.who[seat], seats.ids[seat] = who, np.uint64(first + who)
    seats.record[seat] = np.int64(table.records[np.int64(states[block, STATE * LANES + lane])])
    seats.last[seat] = states[block, LAST * LANES + lane]
    seats.events[seat] = np.uint64(states[block, JUMPS * LANES + lane])
    if table.flows:
        seats.flow[seat] = states[block, FLOW * LANES + lane]


@njit(**OPTIONS)
def _leave(states, seats, seat, table):
    """Write the state of a seated trajectory."""
    block, lane = seats.who[seat] // LANES, seats.who[seat] % LANES
    states[block, STATE * LANES + lane] = np.float64(table.words[seats.record[seat] + 1] >> SHIFT_32)
    states[block, JUMPS * LANES + lane] = np.float64(seats.events[seat])
    states[block, LAST * LANES + lane] = seats.last[seat]
    if table.flows:
        states[block, FLOW * LANES + lane] = seats.flow[seat]


@njit(**OPTIONS)
def _move(seats, source, target):
    """Move a trajectory to another seat."""
    seats.who[target], seats.ids[target] = seats.who[source], seats.ids[source]
    seats.events[target], seats.record[target] = seats.events[source], seats.record[source]
    seats.last[target], seats.flow[target] = seats.last[source], seats.flow[source]


@njit(**ALLOCATING)
def advance(states, counts, first, end, k0, k1, table):
    """Let all trajectories have their events up to time `end`.

    Parameters
    ----------
    states : ndarray, shape (blocks, rows * 256)
        State, events so far, time of the last one and, where the table has them, entropy flow; changed in place.
    counts : ndarray of int, shape (blocks,)
        Leading lanes that are real trajectories: all but in the last block.
    first : int
        Number of the first trajectory of the first block.
    end : float
        Time.
    k0, k1 : int
        Key.
    table : Table
        The network.

    Returns
    -------
    block, lane, step : int
        −1, −1, −1: nothing can fail.
    """
    seats, seated, upcoming, total = make_seats(), 0, 0, counts.sum()
    while True:
        while seated < LANES and upcoming < total:
            _take(states, upcoming, first, seats, seated, table)
            seated += 1
            upcoming += 1
        if seated == 0:
            return -1, -1, -1
        _event(seats, seated, table, end, k0, k1)
        for seat in range(seated - 1, -1, -1):
            if not seats.comes[seat]:
                _leave(states, seats, seat, table)
                seated -= 1
                _move(seats, seated, seat)
