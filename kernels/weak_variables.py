"""Variables with few values for weak schemes, and uniform variables: one or thirty-two to a random word.

A weak scheme asks of its noise only the moments: a sign ±1 has those of a normal up to the third, enough for order
one; 0 and ±√3 have them up to the fifth, enough for order two.

References
----------
P. E. Kloeden and E. Platen, Numerical Solution of Stochastic Differential Equations, section 14.1 (signs) and
eq. (14.2.4) (three points), Springer 1992.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from fpsolver.kernels.options import FORMULA

ROOT_3 = math.sqrt(3.0)
SIXTH = round(2**32 / 6)
"""Words of 2³² that give +√3, and as many −√3; a sixth to 8·10⁻¹¹."""
MINUS_BELOW = np.uint64(SIXTH)
PLUS_FROM = np.uint64(2**32 - SIXTH)

SHIFT_20 = np.uint64(20)
ONE = np.uint64(0x3FF0000000000000)
HALF_A_WORD = np.uint64(1 << 19)
BELOW_ONE = 1.0 - 2.0**-24
TOP_BIT, SIGN_BIT = np.uint64(63), np.uint64(1 << 63)
TOP_BIT_32, SIGN_BIT_32, ONE_32 = np.uint32(31), np.uint32(1 << 31), np.uint32(0x3F800000)


@njit(**FORMULA)
def uniform(word):
    """Return the uniform variable (w + ½)/2³² of a random word, in uint64: never 0 and never 1."""
    return np.uint64((np.uint64(word) << SHIFT_20) | HALF_A_WORD | ONE).view(np.float64) - 1.0


@njit(**FORMULA)
def uniform_single(word):
    """Return the uniform variable in single precision, rounded to below one: small values keep their resolution."""
    return np.float32(min(uniform(word), BELOW_ONE))


@njit(**FORMULA)
def three_point(word):
    """Return −√3, 0 or √3 with probabilities 1/6, 2/3 and 1/6, from a random word in uint64.

    Odd moments vanish exactly; the even ones are 3ⁿ/3 to a relative 5·10⁻¹⁰, the rounding of 2³²/6.
    """
    word = np.uint64(word)
    return ROOT_3 if word >= PLUS_FROM else (-ROOT_3 if word < MINUS_BELOW else 0.0)


@njit(**FORMULA)
def sign(word, bit):
    """Return −1 or 1 as bit `bit` < 32 of a random word is set or not; both in uint64."""
    return np.uint64(((np.uint64(word) << (TOP_BIT - np.uint64(bit))) & SIGN_BIT) | ONE).view(np.float64)


@njit(**FORMULA)
def sign_single(word, bit):
    """Return −1 or 1 in single precision as bit `bit` < 32 of a random word is set or not; both in uint32."""
    # Without the mask the compiler must reckon with shifts of more than 31 and takes 64-bit lanes.
    place = np.uint32(np.uint32(TOP_BIT_32 - np.uint32(bit)) & TOP_BIT_32)
    return np.uint32(np.uint32(np.uint32(np.uint32(word) << place) & SIGN_BIT_32) | ONE_32).view(np.float32)
