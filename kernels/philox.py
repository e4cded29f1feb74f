"""Philox4x32-10: random words as a function of a counter and a key, with no state to carry.

Words are 32 bits wide and held in 64-bit integers, where the product of two of them is exact. The counter of a draw
says who draws (the trajectory), what for (the purpose) and which draw it is, so that any thread can find any number at
any time, and the same numbers come out whatever the order.

Formulas cast what they are given: compiled ones return Python's integers to plain Python, where a simulated device
runs.

References
----------
J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, Parallel random numbers: as easy as 1, 2, 3, SC '11,
doi:10.1145/2063384.2063405: section 3.3 (rounds and key schedule), table 2 (Philox4x32-10 passes BigCrush).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from fpsolver.kernels.options import FORMULA

DYNAMICS, INITIAL, BRIDGE, BRANCHING, CELL = 0, 1, 2, 3, 4
"""Purposes of a draw: noise of the steps, initial states, bridges between steps, branching, cells of a grid."""

LOW = np.uint64(0xFFFFFFFF)
HALF_WORD = np.uint64(0xFFFF)
SHIFT_16 = np.uint64(16)
SHIFT_32 = np.uint64(32)
MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)

# The key of round r is k + r·W modulo 2³², with the Weyl constants W = 0x9E3779B9 and 0xBB67AE85.
KEY_0 = tuple(np.uint64(r * 0x9E3779B9 % 2**32) for r in range(10))
KEY_1 = tuple(np.uint64(r * 0xBB67AE85 % 2**32) for r in range(10))


@njit(**FORMULA)
def philox_round(c0, c1, c2, c3, k0, k1):
    """Return the four words after one round with the round key (k0, k1), all in uint64."""
    a = MULTIPLIER_0 * np.uint64(c0)
    b = MULTIPLIER_1 * np.uint64(c2)
    c1, c3, k0, k1 = np.uint64(c1), np.uint64(c3), np.uint64(k0), np.uint64(k1)
    return (b >> SHIFT_32) ^ c1 ^ k0, b & LOW, (a >> SHIFT_32) ^ c3 ^ k1, a & LOW


@njit(**FORMULA)
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four random words of the counter (c0, c1, c2, c3) under the key (k0, k1), all in uint64 below 2³².

    Ten rounds, written one by one: a loop would be unrolled too late for the loop around it to be vectorised.

    Examples
    --------
    >>> zero = np.uint64(0)
    >>> [f"{int(word):08x}" for word in philox(zero, zero, zero, zero, zero, zero)]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    k0, k1 = np.uint64(k0), np.uint64(k1)
    c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, k0, k1)
    c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, (k0 + KEY_0[1]) & LOW, (k1 + KEY_1[1]) & LOW)
    c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, (k0 + KEY_0[2]) & LOW, (k1 + KEY_1[2]) & LOW)
    c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, (k0 + KEY_0[3]) & LOW, (k1 + KEY_1[3]) & LOW)
    c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, (k0 + KEY_0[4]) & LOW, (k1 + KEY_1[4]) & LOW)
    c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, (k0 + KEY_0[5]) & LOW, (k1 + KEY_1[5]) & LOW)
    c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, (k0 + KEY_0[6]) & LOW, (k1 + KEY_1[6]) & LOW)
    c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, (k0 + KEY_0[7]) & LOW, (k1 + KEY_1[7]) & LOW)
    c0, c1, c2, c3 = philox_round(c0, c1, c2, c3, (k0 + KEY_0[8]) & LOW, (k1 + KEY_1[8]) & LOW)
    return philox_round(c0, c1, c2, c3, (k0 + KEY_0[9]) & LOW, (k1 + KEY_1[9]) & LOW)


@njit(**FORMULA)
def draw(trajectory, block, purpose, k0, k1):
    """Return the four random words of draw block `block` of a trajectory, for a purpose; everything in uint64.

    The counter is (trajectory mod 2³², trajectory div 2³² + 2¹⁶ purpose, block mod 2³², block div 2³²): 2⁴⁸
    trajectories, 2¹⁶ purposes, 2⁶⁴ blocks.
    """
    trajectory, block, purpose = np.uint64(trajectory), np.uint64(block), np.uint64(purpose)
    c1 = ((trajectory >> SHIFT_32) & HALF_WORD) | (purpose << SHIFT_16)
    return philox(trajectory & LOW, c1, block & LOW, block >> SHIFT_32, k0, k1)
