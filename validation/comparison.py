"""Comparisons: a prediction, a measurement with its error, and a tolerance that says where it comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import InputError

RELATIONS = ("=", "≤", "≥", "≠")


@dataclass(frozen=True)
class Comparison:
    """A number predicted and measured.

    Parameters
    ----------
    name : str
        What and where.
    predicted, measured : float
        Both in the same units.
    error : float
        Standard error, or grid error, of the measurement; zero where there is none beyond rounding.
    error_source : str
        Where the error comes from.
    tolerance : float
        Largest deviation that agrees; for "≠" the smallest that disagrees.
    tolerance_source : str
        Where the tolerance comes from.
    relation : {"=", "≤", "≥", "≠"}
        How the measurement should stand to the prediction.

    Raises
    ------
    InputError
        If the relation is not one of those, a name or a source is no string, or an error or a tolerance is negative.

    Examples
    --------
    >>> statistical("rate", 1.0, 1.02, 0.01).passed, misses("rate as written", 2.0, 1.02, 0.01).passed
    (True, True)
    """

    name: str
    predicted: float
    measured: float
    error: float
    error_source: str
    tolerance: float
    tolerance_source: str
    relation: str = "="

    def __post_init__(self) -> None:
        for name in ("predicted", "measured", "error", "tolerance"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.relation not in RELATIONS:
            raise InputError(
                f"comparison {self.name!r}: relation = {self.relation!r} is not one of {' '.join(RELATIONS)}"
            )
        for name in ("name", "error_source", "tolerance_source"):
            if not isinstance(getattr(self, name), str):
                raise InputError(f"comparison {self.name!r}: {name} = {getattr(self, name)!r} must be a string")
        for name in ("error", "tolerance"):
            if getattr(self, name) < 0.0:
                raise InputError(f"comparison {self.name!r}: {name} = {getattr(self, name)!r} must not be negative")

    @property
    def deviation(self) -> float:
        """Measured minus predicted."""
        return self.measured - self.predicted

    @property
    def passed(self) -> bool:
        """Whether the measurement stands to the prediction as it should; never where a number is not finite."""
        if not all(math.isfinite(value) for value in (self.predicted, self.measured, self.error, self.tolerance)):
            return False
        if self.relation == "≤":
            return self.deviation <= self.tolerance
        if self.relation == "≥":
            return self.deviation >= -self.tolerance
        near = abs(self.deviation) <= self.tolerance
        return near if self.relation == "=" else not near

    @property
    def share(self) -> float:
        """Share of the tolerance that the deviation takes, at most one where it passes; infinite where not finite."""
        if not all(math.isfinite(value) for value in (self.predicted, self.measured, self.error, self.tolerance)):
            return math.inf
        if self.relation == "≠":
            return self.tolerance / abs(self.deviation) if self.deviation else math.inf
        beyond = {"=": abs(self.deviation), "≤": self.deviation, "≥": -self.deviation}[self.relation]
        if beyond <= 0.0:
            return 0.0
        return beyond / self.tolerance if self.tolerance else math.inf


def statistical(
    name: str,
    predicted: Any,
    measured: Any,
    standard_error: float,
    *,
    sigmas: float = 4.0,
    bias: float = 0.0,
    bias_source: str = "",
) -> Comparison:
    """Compare within standard errors.

    Parameters
    ----------
    name : str
        What and where.
    predicted, measured : float or Estimate
        The numbers.
    standard_error : float
        Of the measurement.
    sigmas : float
        How many standard errors agree; 4 are exceeded by chance once in 16 000.
    bias : float
        Largest known systematic error, for instance of a time step, that adds to the tolerance.
    bias_source : str
        Where that comes from.
    """
    source = f"{sigmas:g} standard errors" + (f" and {bias_source} ({bias:.2g})" if bias else "")
    return Comparison(
        name, predicted, measured, standard_error, "standard error", sigmas * standard_error + bias, source
    )


def gridded(
    name: str, predicted: Any, measured: Any, grid_error: float, *, rounding: float = 1e-10, source: str = "grid error"
) -> Comparison:
    """Compare within the error of a grid, as `richardson` gives it, and a relative `rounding`."""
    tolerance = grid_error + rounding * abs(float(predicted))
    return Comparison(name, predicted, measured, grid_error, source, tolerance, source)


def rounded(name: str, predicted: Any, measured: Any, *, rounding: float, source: str = "rounding") -> Comparison:
    """Compare two exact numbers within a relative rounding error, whose source says how it adds up."""
    scale = max(abs(float(predicted)), abs(float(measured)))
    return Comparison(
        name, predicted, measured, 0.0, "rounding", rounding * scale, f"{source} ({rounding:.1g} relative)"
    )


def asymptotic(name: str, estimate: Any, measured: Any, error: float = 0.0, *, factor: float = 1.0) -> Comparison:
    """Compare an asymptotic formula with a measurement, within the size of the formula's small parameter.

    Parameters
    ----------
    name : str
        What and where.
    estimate : Estimate
        The prediction, whose `error_scale` is the small parameter.
    measured : float
        The measurement.
    error : float
        Of the measurement; twice of it adds to the tolerance.
    factor : float
        Coefficient of the small parameter, where the first correction is known.
    """
    tolerance = factor * estimate.error_scale * abs(float(estimate)) + 2.0 * error
    times = "" if factor == 1.0 else f"{factor:.3g} × "
    return Comparison(
        name, estimate, measured, error, "error of the measurement", tolerance,
        f"{times}the formula's small parameter {estimate.error_scale:.2g}",
    )  # fmt: skip


def misses(
    name: str, predicted: Any, measured: Any, error: float, *, errors: float = 6.0, margin: float = 0.0
) -> Comparison:
    """Expect that a form misses the measurement by more than so many of its errors, and by more than `margin`."""
    tolerance = max(errors * error, margin)
    source = f"misses by more than {errors:g} errors" + (f" and {margin:.2g}" if margin else "")
    return Comparison(name, predicted, measured, error, "error of the measurement", tolerance, source, "≠")


def bounded(name: str, bound: Any, measured: Any, error: float = 0.0, *, side: str, sigmas: float = 4.0) -> Comparison:
    """Expect that a measurement keeps to a bound: `side` is "≤" or "≥", measured against bound."""
    return Comparison(
        name, bound, measured, error, "standard error", sigmas * error, f"{sigmas:g} standard errors", side
    )


def richardson(fine: float, coarse: float, *, order: float = 2.0, ratio: float = 2.0) -> tuple[float, float]:
    """Return the value extrapolated from two grids and its error, the size of the correction.

    q* = q(h) + (q(h) − q(rh))/(rᵖ − 1); what remains is smaller than the correction wherever the order shows.

    Examples
    --------
    >>> richardson(1.25, 2.0)
    (1.0, 0.25)
    """
    correction = (fine - coarse) / (ratio**order - 1.0)
    return fine + correction, abs(correction)


def slope(
    name: str, x: ArrayLike, y: ArrayLike, expected: float, *, errors: ArrayLike | None = None, towards: str = "small"
) -> Comparison:
    """Compare the slope of ln|y| against ln x with the expected power.

    Parameters
    ----------
    name : str
        What shrinks with what.
    x : array_like (n,)
        Small parameter, at least four values, in any order.
    y : array_like (n,)
        What should go as x to the power `expected`.
    expected : float
        The power.
    errors : array_like (n,), optional
        Standard errors of y; points count by their relative size.
    towards : {"small", "large"}
        Where the power law holds.

    Returns
    -------
    Comparison
        The slope fitted over the half of the points where the law holds best; how far it differs from the slope over
        all points is the tolerance, since a next order changes both, beside four standard errors. It is 1/2 at most:
        a fit that cannot tell a power from the next whole one shows neither.

    Raises
    ------
    InputError
        If there are fewer than four values.
    """
    if np.size(x) < 4:
        raise InputError(f"slope {name!r}: {np.size(x)} values are too few for two fits; give at least four")
    order = np.argsort(np.asarray(x, dtype=float))[:: 1 if towards == "small" else -1]
    abscissa, size = np.log(np.asarray(x, dtype=float))[order], np.abs(np.asarray(y, dtype=float))[order]
    relative = np.zeros_like(size) if errors is None else np.asarray(errors, dtype=float)[order] / size
    half = (len(size) + 1) // 2
    near, error = _line(abscissa[:half], np.log(size[:half]), relative[:half])
    whole, _ = _line(abscissa, np.log(size), relative)
    tolerance = min(abs(near - whole) + 4.0 * error + 1e-6, 0.5)  # the millionth is for rounding
    source = "slope over half of the points against all" + (", 4 standard errors" if errors is not None else "")
    source += ", 1/2 at most" if tolerance == 0.5 else ""
    return Comparison(name, expected, near, error, "standard error of the fit", tolerance, source)


def power(name: str, x: np.ndarray, y: np.ndarray, expected: float) -> Comparison:
    """Compare a power law as x → 0 with the power p of ln y = p ln x + a + bx + cx², fitted to exact numbers.

    The larger of what the last two terms of the fit change is taken for its error.
    """
    columns = np.stack([np.log(x), np.ones_like(x), x, x**2], axis=1)
    logarithms = np.log(np.abs(y))
    fits = [float(np.linalg.lstsq(columns[:, :n], logarithms, rcond=None)[0][0]) for n in (2, 3, 4)]
    error = float(np.abs(np.diff(fits)).max())
    return gridded(name, expected, fits[-1], error, source="last two terms of the fit")


def _line(x: np.ndarray, y: np.ndarray, sigma: np.ndarray) -> tuple[float, float]:
    """Return the slope of a straight line and its standard error, zero where the points have none."""
    weighted = bool(np.all(sigma > 0.0))
    weights = 1.0 / sigma**2 if weighted else np.ones_like(y)
    centred = x - np.average(x, weights=weights)
    spread = float(np.sum(weights * centred**2))
    return float(np.sum(weights * centred * y)) / spread, math.sqrt(1.0 / spread) if weighted else 0.0
