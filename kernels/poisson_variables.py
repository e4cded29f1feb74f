"""Poisson variables from counter-based words: inversion for small means, transformed rejection for large ones.

References
----------
W. Hörmann, Insurance Math. Econ. 12, 39 (1993), algorithm PTRS.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from fpsolver.kernels.jump_variables import fraction
from fpsolver.kernels.options import ALLOCATING
from fpsolver.kernels.philox import DYNAMICS, draw

LARGE = 10.0
"""Mean from which on variables are tried and rejected."""
TRIES = 24
"""Draw blocks that a variable may take; all are rejected once in 10¹⁴ variables or less often."""
LONGEST = 1000
"""Terms of an inversion: with a mean below `LARGE` the sum is one to rounding long before."""


@njit(**ALLOCATING)
def poisson(mean, trajectory, block, k0, k1):
    """Return a Poisson variable, a whole double, from the draw blocks `block` to ``block + TRIES − 1``."""
    if mean < LARGE:
        a, b, _, _ = draw(trajectory, block, DYNAMICS, k0, k1)
        return inverted(mean, fraction(a, b))
    count = 0.0
    for attempt in range(TRIES):
        a, b, c, d = draw(trajectory, block + np.uint64(attempt), DYNAMICS, k0, k1)
        accepted, count = tried(mean, fraction(a, b), fraction(c, d))
        if accepted:
            return count
    return math.floor(mean + 0.5)


@njit(**ALLOCATING)
def inverted(mean, u):
    """Return the least count whose cumulative probability exceeds u, for means below `LARGE`."""
    term = math.exp(-mean)
    for count in range(LONGEST):
        if u < term:
            return float(count)
        u -= term
        term *= mean / (count + 1.0)
    return float(LONGEST)


@njit(**ALLOCATING)
def tried(mean, u, v):
    """Return whether two uniform variables give a Poisson one, and which, for means from `LARGE` on."""
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    u -= 0.5
    edge = 0.5 - abs(u)
    count = math.floor((2.0 * a / edge + b) * u + mean + 0.43)
    if edge >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2.0):
        return True, count
    if count < 0.0 or (edge < 0.013 and v > edge):
        return False, count
    height = math.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (edge * edge) + b))
    return height <= count * math.log(mean) - mean - math.lgamma(count + 1.0), count
