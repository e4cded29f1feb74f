"""Schemes for jump processes: exact ones, and leaps over many jumps at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fpsolver.errors import InputError, MethodError, suggest

NAMES = ("thinning", "direct", "tau-leaping")


@dataclass(frozen=True)
class Thinning:
    """Exact trajectories by attempts that come at least as often as jumps, of which the surplus is thinned out.

    Parameters
    ----------
    least_loss : float, optional
        A number that the loss never falls below, for the laws "half" and "arrhenius"; by default it is looked for. A
        trajectory that finds less ends the run.
    least_curvature : float, optional
        A number that no second derivative of the loss, in any direction, falls below: where it is known, attempts
        follow the slope, and fewer of them fail. By default it is looked for.
    window : float, optional
        Where protocols drive these laws: time over which rates are bounded at once, by default one over the attempt
        rate; `least_loss` must then hold at all times, and be given unless the temperature alone is driven.

    Examples
    --------
    >>> str(Thinning(least_loss=0.0))
    'thinning'
    """

    least_loss: float | None = None
    least_curvature: float | None = None
    window: float | None = None

    def __post_init__(self) -> None:
        for name in ("least_loss", "least_curvature"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and abs(value) < float("inf")):
                raise InputError(f"{name} = {value!r} must be a finite number")
        if self.window is not None and not (isinstance(self.window, int | float) and 0.0 < self.window < float("inf")):
            raise InputError(f"window = {self.window!r} must be a positive time")

    def __str__(self) -> str:
        return "thinning"


@dataclass(frozen=True)
class TauLeaping:
    """Leaps over many jumps at a time, with rates that are frozen over a leap.

    Parameters
    ----------
    tolerance : float
        ε, the largest change that is expected within a leap: of each rate relative to itself (slow ones to the mean
        rate), and of the net rate along each axis relative to itself. Errors are proportional to it.
    least_gain : float
        Jumps that a leap must take on average; where it would take fewer, single jumps are made, which are exact.

    References
    ----------
    Y. Cao, D. T. Gillespie and L. R. Petzold, J. Chem. Phys. 124, 044109 (2006).

    Examples
    --------
    >>> str(TauLeaping(0.01))
    'tau-leaping'
    """

    tolerance: float = 0.03
    least_gain: float = 10.0

    def __post_init__(self) -> None:
        for name, upper in (("tolerance", 1.0), ("least_gain", float("inf"))):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < upper:
                raise InputError(f"{name} = {value!r} must be a positive number" + (" below 1" if upper == 1 else ""))

    def __str__(self) -> str:
        return "tau-leaping"


def jump_scheme(given: Any) -> Any:
    """Return "direct", a `Thinning` or a `TauLeaping`, for what the user gave as a scheme.

    Raises
    ------
    MethodError
        If it is something else.
    """
    if isinstance(given, Thinning | TauLeaping) or given == "direct":
        return given
    if given == "thinning":
        return Thinning()
    if given == "tau-leaping":
        return TauLeaping()
    hint = suggest(str(given), NAMES)
    raise MethodError(
        f"scheme = {given!r} cannot serve a jump process; choose one of {', '.join(NAMES)}, fp.Thinning(…) or "
        f"fp.TauLeaping(…){hint}"
    )
