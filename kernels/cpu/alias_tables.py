"""The jumps of a network as alias tables: which link comes next is found with one comparison, whatever their number.

The table is a row of 64-bit words with a record for each state: the mean waiting time; the number of the state (upper
half) and of its jumps (lower half); then for each of d equally likely slots a threshold between 0 and 1 and the records
of two targets, the own (lower half) below the threshold, the other from there on; where entropy flows are asked for,
those of the two jumps follow. What an event needs of a lattice lies in two cache lines.

References
----------
A. J. Walker, ACM Trans. Math. Softw. 3, 253 (1977); M. D. Vose, IEEE Trans. Softw. Eng. 17, 972 (1991).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from fpsolver.kernels.options import ALLOCATING

HEAD, SLOT, SLOT_WITH_FLOWS = 2, 2, 4
"""Words of a record's head, and of a slot without and with entropy flows."""
SHIFT_32 = np.uint64(32)


def alias_table(
    first: np.ndarray, targets: np.ndarray, rates: np.ndarray, flows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the words of the table, and the record of each state.

    Parameters
    ----------
    first : ndarray of int64, shape (states + 1,)
        Jumps of state i are numbers ``first[i]`` to ``first[i + 1]``.
    targets : ndarray of int64, shape (jumps,)
        Where they lead.
    rates : ndarray, shape (jumps,)
        Their rates, positive.
    flows : ndarray, shape (jumps,) or (0,)
        ln of their rate over that of the return.
    """
    states = len(first) - 1
    width = SLOT_WITH_FLOWS if len(flows) else SLOT
    # NumPy asks for large pages where it can; compiled code would not, and wait for the page table instead.
    words = np.zeros(HEAD * states + width * len(targets), np.uint64)
    records = np.zeros(states, np.uint32)
    _lay(words, records, first, targets, rates, flows)
    return words, records


@njit(**ALLOCATING)
def _lay(words, records, first, targets, rates, flows):
    """Fill the words of the table, and the record of each state."""
    states = len(first) - 1
    width = SLOT_WITH_FLOWS if len(flows) else SLOT
    place = 0
    most = 1
    for i in range(states):
        records[i] = place
        degree = first[i + 1] - first[i]
        place += HEAD + width * degree
        most = max(most, degree)
    share, other = np.empty(most), np.empty(most, np.int64)
    small, large = np.empty(most, np.int64), np.empty(most, np.int64)
    for i in range(states):
        begin, degree = first[i], first[i + 1] - first[i]
        here = np.int64(records[i])
        total = 0.0
        for k in range(degree):
            total += rates[begin + k]
        words[here] = np.float64(1.0 / total if degree else np.inf).view(np.uint64)
        words[here + 1] = (np.uint64(i) << SHIFT_32) | np.uint64(degree)
        _pair(rates[begin : begin + degree], total, share, other, small, large)
        for k in range(degree):
            slot = here + HEAD + width * k
            own, second = targets[begin + k], targets[begin + other[k]]
            words[slot] = np.float64(share[k]).view(np.uint64)
            words[slot + 1] = (np.uint64(records[second]) << SHIFT_32) | np.uint64(records[own])
            if len(flows):
                words[slot + 2] = np.float64(flows[begin + k]).view(np.uint64)
                words[slot + 3] = np.float64(flows[begin + other[k]]).view(np.uint64)


@njit(**ALLOCATING)
def _pair(rates, total, share, other, small, large):
    """Fill the thresholds, and who takes the rest of each slot.

    A rate below the mean keeps its own slot's threshold as it is, so that rare jumps keep their relative accuracy.
    """
    degree = len(rates)
    smalls, larges = 0, 0
    for k in range(degree):
        share[k], other[k] = rates[k] / total * degree, k
        if share[k] < 1.0:
            small[smalls] = k
            smalls += 1
        else:
            large[larges] = k
            larges += 1
    while smalls and larges:
        smalls -= 1
        poor, rich = small[smalls], large[larges - 1]
        other[poor] = rich
        share[rich] -= 1.0 - share[poor]
        if share[rich] < 1.0:
            larges -= 1
            small[smalls] = rich
            smalls += 1
    # What is left differs from one by rounding.
    for k in range(smalls):
        share[small[k]] = 1.0
    for k in range(larges):
        share[large[k]] = 1.0
