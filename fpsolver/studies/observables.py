"""Numbers that a density has at a time: mass, mean loss, entropy, free energy, moments, and their error from the grid."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fpsolver.errors import InputError
from fpsolver.generators import generator
from fpsolver.grids import Axis, Grid
from fpsolver.density_moments import moments
from fpsolver.studies.building import build_initial

ERROR_BY_HALF_GRID = (
    "|q(h) - q(2h)|/3 from a second run on the grid of half the cells along each position axis "
    "(Richardson, scheme of second order); the tolerance of the time evolution comes on top"
)
ESTIMATED = ("mean_loss", "entropy", "free_energy")


def observables(at: Any, density: np.ndarray) -> dict[str, np.ndarray]:
    """Return the observables of a density.

    Parameters
    ----------
    at : Generator
        The generator at the time of the density; it fixes landscape, temperature and grid.
    density : ndarray
        The density, of the grid's shape.

    Returns
    -------
    dict
        "mass", "mean_loss", "entropy", "free_energy" (where there is a temperature), "mean" (d,), "covariance" (d, d);
        "negative_mass" where the scheme can give negative densities, which are cut to zero for the entropy.
    """
    from fpsolver.thermodynamics.entropy import entropy, free_energy, mean_loss

    grid, dynamics = at.grid, at.dynamics
    found: dict[str, Any] = {}
    positive = density
    if not at.markov:
        positive = np.maximum(density, 0.0)
        found["negative_mass"] = float(((positive - density) * grid.volumes).sum())
    statistics = moments(density, grid)
    found |= {"mass": statistics.mass, "mean": statistics.mean, "covariance": statistics.covariance}
    found["mean_loss"] = mean_loss(dynamics.landscape, density, grid)
    found["entropy"] = entropy(positive, grid)
    if dynamics.temperature is not None:
        found["free_energy"] = free_energy(at, positive, grid)
    return {name: np.asarray(value, dtype=float) for name, value in found.items()}


def half_grid_observables(study: Any) -> list[dict[str, np.ndarray]] | None:
    """Return the observables of the same study on half as many cells, one entry for each output time.

    None where the grid is too small to be halved.
    """
    grid = halved(study.grid)
    if grid is None:
        return None
    section = study.sections["evolve"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the same walls as the full grid's
        try:
            W = generator(study.dynamics, grid, study.section("generator").scheme)
            initial = build_initial(study.sections["initial"], grid, study.dynamics.at(0.0))
        except InputError:
            return None  # for example a region that has no cell of the coarse grid
    from fpsolver.solvers.evolve import evolve

    solution = evolve(
        W, initial, study.times, method=section.method, tolerance=section.tolerance, positive=section.positive, progress=False
    )
    driven = hasattr(W, "breakpoints")
    pairs = zip(solution.times, solution.densities, strict=True)
    return [observables(W.at(t) if driven else W, density) for t, density in pairs]


def halved(grid: Grid) -> Grid | None:
    """Return the grid with pairs of cells merged along each position axis, or None where an axis has fewer than 16 cells.

    Examples
    --------
    >>> halved(Grid(x=(0, 1, 20))).shape
    (10,)
    """
    positions = dict(zip(grid.names, grid.axes[: grid.position_dimension], strict=False))
    if any(axis.cells < 16 for axis in positions.values()):
        return None
    return Grid(**{name: _halved(axis) for name, axis in positions.items()}, velocity=grid.velocity or None)


def _halved(axis: Axis) -> Axis:
    faces = axis.faces[::2]
    if axis.cells % 2:
        faces = np.append(faces, axis.faces[-1])
    return Axis(faces=faces, boundary=axis.boundary) if axis.physical else Axis(faces=faces)


def with_errors(fine: dict[str, np.ndarray], coarse: dict[str, np.ndarray] | None) -> dict[str, np.ndarray]:
    """Return the observables with ``name_error`` for each that has an estimate."""
    if coarse is None:
        return fine
    errors = {f"{name}_error": np.abs(fine[name] - coarse[name]) / 3 for name in ESTIMATED if name in fine}
    return fine | errors
