"""Where a growth factor passes one: the learning rate at which a minimum stops being stable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fpsolver.errors import ConvergenceError, MethodError

FINEST = 1e-15
"""Relative width below which rounding keeps a bracket from shrinking: searches that are asked for less end here."""
# Growth factors carry rounding errors of this size: a direction that does not move at all must not count as growing.
_SLACK = 1e-13
_GROWTH = 1.5
_LONGEST_SEARCH = 400


@dataclass(frozen=True)
class Threshold:
    """A critical learning rate with the error of its numerical location.

    Attributes
    ----------
    value : float
        The learning rate; stable below.
    error : float
        Half the width of the last bracket, and what rounding of the growth factor can shift.
    evaluations : int
        Growth factors computed.
    """

    value: float
    error: float
    evaluations: int

    def __float__(self) -> float:
        return self.value


def first_crossing(growth: Callable[[float], float], start: float, tolerance: float = 1e-12) -> Threshold:
    """Return the learning rate at which a growth factor first exceeds one, by bisection.

    The search climbs from `start` by factors of 1.5 and halves the first interval in which the factor passes one.

    Parameters
    ----------
    growth : callable
        Growth factor at a learning rate: a spectral radius.
    start : float
        A learning rate small enough to be stable.
    tolerance : float
        Relative width at which the bisection ends.

    Raises
    ------
    MethodError
        If `start` is unstable already.
    ConvergenceError
        If no learning rate is unstable.

    Examples
    --------
    >>> round(first_crossing(lambda rate: abs(1.0 - 4.0 * rate), 1e-3).value, 9)
    0.5
    """
    evaluations = 1
    if growth(start) > 1.0 + _SLACK:
        raise MethodError(
            f"deviations grow at the learning rate {start:.3g} already: this is not a minimum for the optimiser, and "
            "no learning rate is stable; look at the smallest eigenvalue of the Hessian"
        )
    lower = start
    for _ in range(_LONGEST_SEARCH):
        upper = _GROWTH * lower
        evaluations += 1
        if growth(upper) > 1.0 + _SLACK:
            break
        lower = upper
    else:
        raise ConvergenceError(f"no learning rate up to {lower:.3g} is unstable")
    while upper - lower > max(tolerance, FINEST) * upper:
        middle = 0.5 * (lower + upper)
        evaluations += 1
        if growth(middle) > 1.0 + _SLACK:
            upper = middle
        else:
            lower = middle
    value = 0.5 * (lower + upper)
    slope = (growth(1.001 * value) - 1.0) / (0.001 * value)
    return Threshold(value, 0.5 * (upper - lower) + _SLACK / abs(slope), evaluations + 1)
