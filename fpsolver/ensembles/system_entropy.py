"""Densities that give trajectories a system entropy s = −ln p(θ, t)."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.ensembles.initial import Gaussian
from fpsolver.errors import InputError
from fpsolver.fields import Field
from fpsolver.grids import Grid

INITIAL_LOG_DENSITY = "initial_log_density"


def log_density(given: Any, points: np.ndarray, t: float) -> np.ndarray:
    """Return ln p at points (..., d) and a time.

    Parameters
    ----------
    given : Gaussian, Field, Evolution or callable
        A density; on a grid it is constant in each cell, so that it stays normalised, and zero outside. An evolution
        must have been computed for this time. A callable takes points (..., d) and the time and returns values (...).
    points : ndarray, shape (..., d)
        Where.
    t : float
        Time.

    Raises
    ------
    InputError
        If the density is not known at this time, or is negative somewhere.
    """
    if isinstance(given, Gaussian):
        return given.log_density(points)
    if isinstance(given, Field):
        values = _on_cells(given.grid, given.values, points)
    elif hasattr(given, "densities") and hasattr(given, "times"):
        k = int(np.argmin(np.abs(np.asarray(given.times) - t)))
        if abs(given.times[k] - t) > 1e-9 * max(1.0, abs(t)):
            raise InputError(f"the evolution given as density= has no density at t = {t:g}; evolve to all output times")
        values = _on_cells(given.grid, given.densities[k], points)
    elif callable(given):
        values = np.asarray(given(points, t), dtype=float)
        if values.shape != points.shape[:-1]:
            raise InputError(f"density= gave shape {values.shape} for points of shape {points.shape}")
    else:
        raise InputError(
            f"density = {given!r} is no density: give an fp.Gaussian, an fp.Field, the result of fp.evolve, or a "
            "function of points and time; or a pair of them, for time zero and for later"
        )
    if np.any(values < 0):
        raise InputError(f"the density given as density= is {values.min():g} somewhere at t = {t:g}")
    with np.errstate(divide="ignore"):
        return np.log(values)


def _on_cells(grid: Grid, values: np.ndarray, points: np.ndarray) -> np.ndarray:
    inside = np.ones(points.shape[:-1], dtype=bool)
    index = []
    for k, axis in enumerate(grid.axes):
        coordinate = points[..., k]
        if axis.periodic:
            coordinate = axis.lower + np.mod(coordinate - axis.lower, axis.upper - axis.lower)
        cell = np.searchsorted(axis.faces, coordinate, side="right") - 1
        inside &= (cell >= 0) & (cell < axis.cells)
        index.append(np.clip(cell, 0, axis.cells - 1))
    return np.where(inside, np.asarray(values)[tuple(index)], 0.0)
