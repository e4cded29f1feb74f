"""Densities that give trajectories a system entropy s = −ln p(θ, t)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fpsolver.ensembles.initial import Gaussian, axes_of
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.errors import InputError
from fpsolver.fields import Field
from fpsolver.grids import Grid

INITIAL_LOG_DENSITY = "initial_log_density"
"""Row of the state that keeps ln p(θ_0, 0)."""

FLOWS = {"entropy_production": "entropy_flow", "entropy_production_midpoint": "entropy_flow_midpoint"}
"""Entropy production by the flow that goes into it."""


def initial_log_density(density: Any, states: np.ndarray, variables: Sequence[str]) -> np.ndarray:
    """Return ln p of initial states (n, d), or (n, 2 d) with velocities.

    Parameters
    ----------
    density : object
        As given to `fpsolver.simulate`.
    states : ndarray
        The states.
    variables : sequence of str
        The d variables.

    Raises
    ------
    InputError
        If it vanishes for one of them.
    """
    known = log_density(parts(density)[0], states, 0.0, variables)
    if not np.isfinite(known).all():
        bad = int(np.argmin(np.isfinite(known)))
        raise InputError(f"the density given as density= vanishes at the initial state {states[bad].tolist()}")
    return known


def entropies(
    density: Any, names: Sequence[str], variables: Sequence[str], width: int
) -> dict[str, Callable[[Snapshot], np.ndarray]]:
    """Return the quantities that a density adds: "system_entropy", and entropy production where its flow is known.

    Parameters
    ----------
    density : object
        As given to `fpsolver.simulate`.
    names, variables : sequence of str
        Rows of the state, and the variables.
    width : int
        Number of positions and velocities.
    """
    later = parts(density)[1]

    def system_entropy(snapshot: Snapshot) -> np.ndarray:
        points = np.moveaxis(snapshot.states[:, :width], 1, -1).astype(float)
        return snapshot.quantity(INITIAL_LOG_DENSITY) - log_density(later, points, snapshot.t, variables)

    def produced(flow: str) -> Callable[[Snapshot], np.ndarray]:
        return lambda snapshot: snapshot.quantity("system_entropy") + snapshot.quantity(flow)

    found: dict[str, Callable[[Snapshot], np.ndarray]] = {"system_entropy": system_entropy}
    return found | {name: produced(flow) for name, flow in FLOWS.items() if flow in names}


def parts(density: Any) -> tuple[Any, Any]:
    """Return the densities at time zero and later."""
    if isinstance(density, tuple | list):
        if len(density) != 2:
            raise InputError(f"density= has {len(density)} parts; a pair is for time zero and for later times")
        return density[0], density[1]
    return density, density


def log_density(given: Any, points: np.ndarray, t: float, variables: Sequence[str]) -> np.ndarray:
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
    variables : sequence of str
        Names of the first columns of the points, which a grid may have in another order.

    Raises
    ------
    InputError
        If the density is not known at this time, or is negative somewhere.
    """
    dimension = _dimension(given)
    if dimension is not None and dimension != points.shape[-1]:
        raise InputError(
            f"the density given as density= has {dimension} variable(s), and the state {points.shape[-1]} "
            "(positions, and velocities where there are any)"
        )
    if isinstance(given, Gaussian):
        return given.log_density(points)
    if isinstance(given, Field):
        values = _on_cells(given.grid, given.values, points, variables)
    elif hasattr(given, "densities") and hasattr(given, "times"):
        k = int(np.argmin(np.abs(np.asarray(given.times) - t)))
        if abs(given.times[k] - t) > 1e-9 * max(1.0, abs(t)):
            raise InputError(f"the evolution given as density= has no density at t = {t:g}; evolve to all output times")
        values = _on_cells(given.grid, given.densities[k], points, variables)
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


def _dimension(given: Any) -> int | None:
    if isinstance(given, Gaussian):
        return len(given.mean)
    grid = getattr(given, "grid", None)
    return len(grid.axes) if isinstance(grid, Grid) else None


def _on_cells(grid: Grid, values: np.ndarray, points: np.ndarray, variables: Sequence[str]) -> np.ndarray:
    inside = np.ones(points.shape[:-1], dtype=bool)
    index: dict[int, np.ndarray] = {}
    for column, k in enumerate(axes_of(grid, variables)):
        axis, coordinate = grid.axes[k], points[..., column]
        if axis.periodic:
            coordinate = axis.lower + np.mod(coordinate - axis.lower, axis.upper - axis.lower)
        cell = np.searchsorted(axis.faces, coordinate, side="right") - 1
        inside &= (cell >= 0) & (cell < axis.cells)
        index[k] = np.clip(cell, 0, axis.cells - 1)
    return np.where(inside, np.asarray(values)[tuple(index[k] for k in sorted(index))], 0.0)
