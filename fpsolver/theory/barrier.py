"""A well and the barrier out of it, in one dimension: the numbers that rate formulas need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.conditions import positive

# The central difference of eighth order for the first and second derivative, steps −4 … 4.
_FIRST = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280])
_SECOND = np.array([-1 / 560, 8 / 315, -1 / 5, 8 / 5, -205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560])
# Step as a fraction of the distance between minimum and saddle: error 1e-14 for smooth L, rounding 1e-12.
_STEP = 0.02
# A point is stationary where a Newton step from it is shorter than this fraction of that distance.
_STATIONARY = 1e-5


@dataclass(frozen=True)
class Barrier:
    """Height of a barrier and curvatures at the minimum before it and at its top.

    Give numbers, or take them from a landscape with `Barrier.between`.

    Parameters
    ----------
    height : float
        ΔL = L_b − L_a, in units of loss.
    minimum_curvature : float
        L''_a > 0.
    saddle_curvature : float
        L''_b < 0, with its sign.
    action : float, optional
        S = ∮ p dx = 2∫√(2(L_b − L)) dx over the well at the energy of the barrier top, **for unit mass** (it grows as
        √m). Formulas for weak friction need it.
    minimum_derivatives, saddle_derivatives : tuple of float, optional
        (L''', L'''') at the minimum and at the top. Anharmonic corrections need them.
    landscape : Landscape, optional
        Where the numbers come from.
    minimum, saddle : float, optional
        Positions.

    Raises
    ------
    TheoryError
        If the barrier is not above the minimum, or a curvature has the wrong sign.

    Examples
    --------
    >>> Barrier(height=0.25, minimum_curvature=2.0, saddle_curvature=-1.0).minimum_frequency()
    1.4142135623730951
    """

    height: float
    minimum_curvature: float
    saddle_curvature: float
    action: float | None = None
    minimum_derivatives: tuple[float, float] | None = None
    saddle_derivatives: tuple[float, float] | None = None
    landscape: Landscape | None = None
    minimum: float | None = None
    saddle: float | None = None

    def __post_init__(self) -> None:
        check_height(self.height)
        if not (math.isfinite(self.minimum_curvature) and self.minimum_curvature > 0.0):
            raise TheoryError(
                f"minimum_curvature = {self.minimum_curvature!r} must be positive: L''_a > 0 at a minimum"
            )
        if not (math.isfinite(self.saddle_curvature) and self.saddle_curvature < 0.0):
            raise TheoryError(
                f"saddle_curvature = {self.saddle_curvature!r} must be negative: L''_b < 0 at the top of a barrier"
            )
        if self.action is not None and not (math.isfinite(self.action) and self.action > 0.0):
            raise TheoryError(f"action = {self.action!r} must be positive: it is the area ∮ p dx of the well")

    @classmethod
    def between(cls, landscape: Landscape, minimum: Any, saddle: Any) -> Barrier:
        """Return the barrier of a one-dimensional landscape.

        Parameters
        ----------
        landscape : Landscape
            In one variable.
        minimum, saddle : float or StationaryPoint
            Where they are, as `fpsolver.landscapes.minima` and `saddles` find them.

        Raises
        ------
        TheoryError
            If the landscape has more variables, a point is not stationary or not of its kind, or the landscape rises
            above the saddle on the way.

        Examples
        --------
        >>> barrier = Barrier.between(Landscape("x**4/4 - x**2/2"), -1.0, 0.0)
        >>> barrier.height, round(barrier.action, 12)
        (0.25, 1.333333333333)
        """
        if landscape.dimension != 1:
            raise TheoryError(
                f"a barrier in one dimension was asked of a landscape in {landscape.dimension}; use theory.langer"
            )
        a, b = position(minimum), position(saddle)
        if a == b:
            raise TheoryError(f"minimum and saddle are the same point {a!r}")
        well = _Well(landscape, a, b)
        low, high = (float(landscape.value([x])) for x in (a, b))
        bottom, top = (float(landscape.hessian([x])[0, 0]) for x in (a, b))
        check_height(high - low)
        for name, x, curvature in (("minimum", a, bottom), ("saddle", b, top)):
            slope = float(landscape.gradient([x])[0])
            if abs(slope) > _STATIONARY * abs(curvature) * abs(b - a):
                raise TheoryError(f"the {name} {x!r} is not stationary: L' = {slope:.3g} there")
        if np.any(well.depth(np.linspace(a, b, 202)[1:-1]) <= 0.0):
            raise TheoryError(f"the landscape rises above the saddle {b!r} on the way from the minimum {a!r}")
        return cls(
            height=high - low,
            minimum_curvature=bottom,
            saddle_curvature=top,
            action=well.action(),
            minimum_derivatives=well.derivatives(a),
            saddle_derivatives=well.derivatives(b),
            landscape=landscape,
            minimum=a,
            saddle=b,
        )

    def minimum_frequency(self, mass: float = 1.0) -> float:
        """Return ω₀ = √(L''_a/m)."""
        return math.sqrt(self.minimum_curvature / mass)

    def barrier_frequency(self, mass: float = 1.0) -> float:
        """Return ω_b = √(|L''_b|/m)."""
        return math.sqrt(-self.saddle_curvature / mass)

    def needed(self, name: str, purpose: str) -> Any:
        """Return an optional field, or raise `TheoryError` saying what it is needed for."""
        value = getattr(self, name)
        if value is None:
            raise TheoryError(
                f"{purpose} needs {name}: give Barrier(…, {name}=…), or take the barrier from a landscape with "
                "Barrier.between(landscape, minimum, saddle)"
            )
        return value


def check_height(height: float) -> None:
    """Raise `TheoryError` unless a barrier is above its minimum."""
    positive("the barrier ΔL", height, "the saddle has to be above the minimum")


def position(point: Any) -> float:
    """Return the coordinate of a number, an array of one or a stationary point."""
    values = np.asarray(getattr(point, "position", point), dtype=float).ravel()
    if values.shape != (1,) or not np.isfinite(values[0]):
        raise TheoryError(f"{point!r} is not a position in one dimension")
    return float(values[0])


@dataclass(frozen=True)
class _Well:
    """The well around a minimum a, closed by a saddle b on one side."""

    landscape: Landscape
    a: float
    b: float

    def depth(self, x: np.ndarray) -> np.ndarray:
        """Return L_b − L(x)."""
        x = np.asarray(x, dtype=float)
        return float(self.landscape.value([self.b])) - self.landscape.value(x[..., None])

    @cached_property
    def turning_point(self) -> float | None:
        """Where the landscape reaches the height of the saddle beyond the minimum; None if it never does."""
        from scipy.optimize import brentq

        lower, upper = self.landscape.domain[0]
        step, inside = (self.a - self.b) / 8.0, self.a
        for _ in range(80):
            outside = min(max(inside + step, lower), upper)
            if self.depth(np.array(outside)) <= 0.0:
                return float(brentq(lambda x: float(self.depth(np.array(x))), inside, outside, xtol=1e-15, rtol=1e-15))
            if outside in (lower, upper):
                return None
            inside, step = outside, step * 1.3
        return None

    def action(self) -> float | None:
        """Return 2∫√(2(L_b − L)) dx; the substitution at the turning point makes the integrand smooth."""
        end = self.turning_point
        if end is None:
            return None
        u, weights = np.polynomial.legendre.leggauss(64)
        total = 0.0
        for left, right in zip((0.0, 0.25, 0.5, 0.75), (0.25, 0.5, 0.75, 1.0), strict=True):
            s = left + (right - left) * (u + 1.0) / 2.0
            momentum = np.sqrt(2.0 * np.maximum(self.depth(end + (self.b - end) * s**2), 0.0))
            total += float(np.sum(weights * momentum * 2.0 * s)) * (right - left) / 2.0
        return 2.0 * abs(self.b - end) * total

    def derivatives(self, x: float) -> tuple[float, float] | None:
        """Return third and fourth derivative, from differences of the Hessian; None where those leave the domain."""
        step = _STEP * abs(self.b - self.a)
        points = x + step * np.arange(-4, 5)
        lower, upper = self.landscape.domain[0]
        if points[0] < lower or points[-1] > upper:
            return None
        curvature = self.landscape.hessian(points[:, None])[:, 0, 0]
        return float(_FIRST @ curvature) / step, float(_SECOND @ curvature) / step**2
