"""Numbers that a density has: mass, mean loss, entropy, free energy, moments, and their error from the grid."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.density_moments import moments
from fpsolver.errors import InputError
from fpsolver.generators import generator
from fpsolver.grids import Axis, Grid
from fpsolver.studies.building import build_initial, temperature_of
from fpsolver.thermodynamics.entropy import entropy

ERROR_BY_HALF_GRID = (
    "|q(h) - q(2h)|/3 from a second run on the grid of half the cells along each position axis "
    "(Richardson, scheme of second order); the tolerance of the time evolution comes on top"
)
ESTIMATED = ("mean_loss", "entropy", "free_energy")


class Observer:
    """Takes the observables of densities under one generator; the loss is evaluated once, not for every density.

    Parameters
    ----------
    generator : Generator or DrivenGenerator
        The generator, which fixes landscape, temperature and grid.
    """

    def __init__(self, generator: Any) -> None:
        self.generator = generator
        self.grid: Grid = generator.grid
        self.driven = hasattr(generator, "breakpoints")
        self._markov = (generator.at(0.0) if self.driven else generator).markov
        self._loss: np.ndarray | None = None

    def __call__(self, time: float, density: np.ndarray) -> dict[str, np.ndarray]:
        """Return the observables of a density at a time.

        Parameters
        ----------
        time : float
            When; it matters under a protocol.
        density : ndarray
            The density, of the grid's shape.

        Returns
        -------
        dict
            "mass", "mean_loss", "entropy", "free_energy" ⟨E⟩ − T S (where there is a temperature), "mean" (d,),
            "covariance" (d, d); "negative_mass" where the scheme can give negative densities, which are cut to zero for
            the entropy.
        """
        dynamics = self.generator.dynamics.at(time) if self.driven else self.generator.dynamics
        if self._loss is None or self.driven:
            self._loss = loss_on_grid(dynamics.landscape, self.grid)
        positive = np.maximum(density, 0.0)
        mass = density * self.grid.volumes
        statistics = moments(density, self.grid)
        found: dict[str, Any] = {
            "mass": statistics.mass,
            "mean": statistics.mean,
            "covariance": statistics.covariance,
            "mean_loss": (mass * self._loss).sum(),
            "entropy": entropy(positive, self.grid),
        }
        temperature = temperature_of(dynamics)
        if temperature is not None:
            found["free_energy"] = found["mean_loss"] + self._kinetic(dynamics, mass) - temperature * found["entropy"]
        if not self._markov:
            found["negative_mass"] = (positive * self.grid.volumes - mass).sum()
        return {name: np.asarray(value, dtype=float) for name, value in found.items()}

    def _kinetic(self, dynamics: Any, mass: np.ndarray) -> float:
        """Return the mean kinetic energy, zero for overdamped motion."""
        if not self.grid.velocity:
            return 0.0
        n = self.grid.position_dimension
        return float((mass * 0.5 * np.sum(dynamics.masses * self.grid.points[..., n:] ** 2, axis=-1)).sum())


def half_grid_observables(study: Any) -> list[dict[str, np.ndarray]] | None:
    """Return the observables of the same study on half as many cells, one entry for each output time.

    None where the grid is too small to be halved, or the coarse problem cannot be solved.
    """
    from fpsolver.solvers.evolve import evolve

    grid = halved(study.grid)
    if grid is None:
        return None
    section = study.sections["evolve"]
    options = {"method": section.method, "tolerance": section.tolerance, "positive": section.positive}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the same walls as the full grid's
        try:
            W = generator(study.dynamics, grid, study.section("generator").scheme)
            initial = build_initial(study.sections["initial"], grid, study.dynamics.at(0.0))
            solution = evolve(W, initial, study.times, progress=False, **options)
        except InputError:
            return None  # for example a region that has no cell of the coarse grid
    if not solution.stats["estimated_error"] <= section.tolerance:
        return None
    observe = Observer(W)
    return [observe(t, density) for t, density in zip(solution.times, solution.densities, strict=True)]


def halved(grid: Grid) -> Grid | None:
    """Return the grid with pairs of cells merged along each position axis, None where an axis has under 16 cells.

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
