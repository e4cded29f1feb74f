"""What leaps over many jumps share: how far they may go, and where they end."""

from __future__ import annotations

import math
from typing import NamedTuple

from numba import njit

from fpsolver.kernels.options import OPTIONS


class Leap(NamedTuple):
    """Tolerance ε (zero: single jumps alone), fewest jumps of a leap, and the distance of times that leaps end at."""

    tolerance: float
    gain: float
    dt: float


@njit(**OPTIONS)
def end_of_leap(last, length, dt):
    """Return the time at the end of a leap of some length: the next multiple of dt at most, whatever a run ends at."""
    stop = (math.floor(last / dt) + 1.0) * dt
    if stop <= last:
        stop = (math.floor(last / dt) + 2.0) * dt
    return min(last + length, stop)
