"""Series: how a measured quantity depends on a parameter, beside the prediction; what the plots are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import InputError
from fpsolver.validation.comparison import Comparison

SCALES = ("", "x", "y", "xy")


@dataclass(frozen=True, eq=False)
class Curve:
    """A predicted curve.

    Parameters
    ----------
    label : str
        For the legend.
    x, y : array_like (n,)
        Its points, in the order of the line.
    """

    label: str
    x: ArrayLike
    y: ArrayLike

    def __post_init__(self) -> None:
        _as_columns(self, "x", "y")


@dataclass(frozen=True, eq=False)
class Points:
    """Measured points.

    Parameters
    ----------
    label : str
        For the legend: the route by which they were measured.
    x, y : array_like (n,)
        Where and what.
    error : array_like (n,), optional
        Standard errors or grid errors of y.
    """

    label: str
    x: ArrayLike
    y: ArrayLike
    error: ArrayLike | None = None

    def __post_init__(self) -> None:
        _as_columns(self, "x", "y", *(() if self.error is None else ("error",)))


@dataclass(frozen=True, eq=False)
class Series:
    """A dependence: predicted curves, measured points, and the slope where a power law is the point.

    Parameters
    ----------
    name : str
        What depends on what, on which system.
    x, y : str
        Labels of the axes, with units where there are any.
    curves : tuple of Curve
        Predictions.
    points : tuple of Points
        Measurements.
    logarithmic : {"", "x", "y", "xy"}
        Axes with a logarithmic scale.
    slope : Comparison, optional
        Fitted power against the expected one, as `fpsolver.validation.slope` makes it.

    Raises
    ------
    InputError
        If the scale is not one of those, or a part is no curve or no set of points.
    """

    name: str
    x: str
    y: str
    curves: tuple[Curve, ...] = ()
    points: tuple[Points, ...] = ()
    logarithmic: str = ""
    slope: Comparison | None = None

    def __post_init__(self) -> None:
        if self.logarithmic not in SCALES:
            raise InputError(f"series {self.name!r}: logarithmic = {self.logarithmic!r} is not one of {SCALES}")
        for name, kind in (("curves", Curve), ("points", Points)):
            for part in getattr(self, name):
                if not isinstance(part, kind):
                    raise InputError(f"series {self.name!r}: {name} holds {part!r}, which is no {kind.__name__}")

    @property
    def passed(self) -> bool:
        """Whether the slope is as expected; true where no slope was asked for."""
        return self.slope is None or self.slope.passed


def _as_columns(item: object, *names: str) -> None:
    """Turn the entries of a frozen dataclass into one-dimensional arrays of one length."""
    columns = {name: np.atleast_1d(np.asarray(getattr(item, name), dtype=float)) for name in names}
    if len({column.shape for column in columns.values()}) > 1 or columns[names[0]].ndim != 1:
        shapes = ", ".join(f"{name} {column.shape}" for name, column in columns.items())
        raise ValueError(f"the columns of a curve must have one length: {shapes}")
    for name, column in columns.items():
        object.__setattr__(item, name, column)
