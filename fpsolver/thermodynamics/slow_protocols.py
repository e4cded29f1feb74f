"""Slow driving of one parameter: thermodynamic length, excess work, and the protocol of least excess work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fpsolver.dynamics import Protocol
from fpsolver.errors import MethodError
from fpsolver.grids import Grid
from fpsolver.thermodynamics.conditions import check_positive
from fpsolver.thermodynamics.friction import friction_tensor


@dataclass(frozen=True, eq=False)
class SlowDriving:
    """A path of one parameter with its friction coefficient; made by `slow_driving`.

    Parameters
    ----------
    parameter : str
        Its name.
    values : ndarray (n,)
        Parameter values at equal distances from start to stop.
    friction : ndarray (n,)
        ζ there.
    """

    parameter: str
    values: np.ndarray
    friction: np.ndarray

    @cached_property
    def _lengths(self) -> Any:
        from scipy.interpolate import CubicSpline

        fractions = np.linspace(0.0, 1.0, len(self.values))
        return CubicSpline(fractions, np.sqrt(self.friction)).antiderivative()

    @property
    def _way(self) -> float:
        return float(self.values[-1] - self.values[0])

    @property
    def length(self) -> float:
        """Thermodynamic length ∫√ζ |dλ|."""
        return abs(self._way) * float(self._lengths(1.0))

    def excess_work(self, duration: float) -> float:
        """Return the least excess work length²/t_f, to leading order in 1/t_f."""
        check_positive(duration=duration)
        return self.length**2 / duration

    def linear_excess_work(self, duration: float) -> float:
        """Return the excess work (Δλ)²∫₀¹ζ ds/t_f of a linear ramp, to leading order in 1/t_f."""
        from scipy.interpolate import CubicSpline

        check_positive(duration=duration)
        fractions = np.linspace(0.0, 1.0, len(self.values))
        return self._way**2 * float(CubicSpline(fractions, self.friction).integrate(0.0, 1.0)) / duration

    def along(self, fraction: Any) -> np.ndarray:
        """Return the parameter after a fraction of the time, where √ζ λ̇ is constant.

        Parameters
        ----------
        fraction : array_like
            t/t_f between 0 and 1.
        """
        from scipy.interpolate import PchipInterpolator

        fine = np.linspace(0.0, 1.0, 16 * len(self.values))
        passed = self._lengths(fine) / self._lengths(1.0)
        return self.values[0] + self._way * PchipInterpolator(passed, fine)(np.asarray(fraction, dtype=float))

    def protocol(self, duration: float, points: int = 129) -> Protocol:
        """Return the geodesic as a tabulated protocol of the parameter, constant before and after."""
        check_positive(duration=duration)
        fractions = np.linspace(0.0, 1.0, points)
        return Protocol.tabulated((duration * fractions).tolist(), self.along(fractions).tolist())


def slow_driving(
    dynamics: Any, grid: Grid, parameter: str, start: float, stop: float, *, points: int = 33
) -> SlowDriving:
    """Return the friction coefficient along a path of one parameter, by one linear solve a point.

    Parameters
    ----------
    dynamics : Langevin
        Undriven, in detailed balance.
    grid : Grid
        Wide enough for the equilibria on the whole path.
    parameter : str
        Name of a parameter of the landscape.
    start, stop : float
        Ends of the path.
    points : int
        How many; what lies between is interpolated by cubic splines.

    Raises
    ------
    MethodError
        If the path has no length, there are fewer than four points, or `friction_tensor` refuses the dynamics.

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Landscape("k*x**2/2", {"k": 1.0}, ("x",))
    >>> slow = slow_driving(fp.Langevin(trap, temperature=1.0), fp.Grid(x=(-7, 7, 200)), "k", 1.0, 2.0)
    >>> round(slow.excess_work(1.0), 3), round(float(slow.along(0.5)), 2)
    (0.086, 1.37)
    """
    if points < 4 or start == stop:
        raise MethodError(
            f"start = {start!r}, stop = {stop!r}, points = {points!r}: give a path of four points or more"
        )
    values = np.linspace(start, stop, points)
    friction = [
        float(friction_tensor(_at(dynamics, parameter, float(value)), grid, parameter)[0, 0]) for value in values
    ]
    return SlowDriving(parameter, values, np.array(friction))


def _at(dynamics: Any, parameter: str, value: float) -> Any:
    return replace(dynamics, landscape=dynamics.landscape.with_parameters(**{parameter: value}))
