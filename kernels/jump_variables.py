"""Variables of jump processes from random words: waiting times, and updates with tails of every kind.

All are closed formulas of a fixed number of words, so that the words of a jump can be found by its number alone; a
method of rejection would need an unknown number of them. A fraction has 52 bits.

References
----------
L. Devroye, Non-Uniform Random Variate Generation (1986), ch. II.2 (inversion); R. W. Bailey, Math. Comp. 62, 779
(1994), theorem 1 (Student's t in polar form); J. M. Chambers, C. L. Mallows and B. W. Stuck, J. Am. Stat. Assoc. 71,
340 (1976), eq. (2.2) (stable laws).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from fpsolver.kernels.elementary import cos, exp, expm1, sin
from fpsolver.kernels.normal_variables import cosine_sine, log_positive
from fpsolver.kernels.options import FORMULA

SHIFT_12, SHIFT_20 = np.uint64(12), np.uint64(20)
MANTISSA, ONE = np.uint64(0x000FFFFFFFFFFFFF), np.uint64(0x3FF0000000000000)
HALF_A_STEP = 2.0**-53
LARGEST_EXPONENT = 700.0
"""Heavy tails end at e³⁵⁰, where squares would overflow."""


@njit(**FORMULA)
def fraction(w0, w1):
    """Return the uniform variable (n + ½)/2⁵² of the upper 52 bits of two words, in uint64: never 0 and never 1."""
    bits = (((np.uint64(w1) << SHIFT_20) | (np.uint64(w0) >> SHIFT_12)) & MANTISSA) | ONE
    return (np.uint64(bits).view(np.float64) - 1.0) + HALF_A_STEP


@njit(**FORMULA)
def exponential(w0, w1):
    """Return an exponential variable of mean one, −ln u."""
    return -log_positive(fraction(w0, w1))


@njit(**FORMULA)
def laplace(w0, w1):
    """Return a variable of density e^{−|x|}/2: an exponential one with a sign."""
    u = fraction(w0, w1)
    below = u < 0.5
    size = -log_positive(2.0 * (u if below else 1.0 - u))
    return -size if below else size


@njit(**FORMULA)
def student(w0, w1, degrees):
    """Return a variable of Student's t: √(ν (u^{−2/ν} − 1)) cos 2πv, with the angle from the lowest 23 bits."""
    growth = -2.0 / degrees * log_positive(fraction(w0, w1))
    growth = LARGEST_EXPONENT if growth > LARGEST_EXPONENT else growth
    x, _ = cosine_sine(w0)
    return math.sqrt(degrees * expm1(growth)) * x


@njit(**FORMULA)
def stable(w0, w1, w2, w3, index):
    """Return a symmetric stable variable, of characteristic function e^{−|k|^α}.

    sin(αV)/cos(V)^{1/α} (cos((1 − α)V)/E)^{(1 − α)/α} with V uniform in (−π/2, π/2) and E exponential.
    """
    u = fraction(w0, w1)
    angle = math.pi * (u - 0.5)
    # cos V, right to rounding near the ends too, whence the tails come
    near = sin(math.pi * (u if u < 0.5 else 1.0 - u))
    wide = log_positive(cos((1.0 - index) * angle)) - log_positive(exponential(w2, w3))
    exponent = ((1.0 - index) * wide - log_positive(near)) / index
    exponent = LARGEST_EXPONENT / 2 if exponent > LARGEST_EXPONENT / 2 else exponent
    return sin(index * angle) * exp(exponent)
