"""Results of a study as tables of the result file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fpsolver.grids import Grid
from fpsolver.storage import Table, Variable
from fpsolver.studies.harmonic import Harmonic
from fpsolver.units import inverse, product


class Tabulation:
    """Makes the tables of one study: it knows grid and units.

    Parameters
    ----------
    grid : Grid
        The grid.
    units : UnitsSection
        Names of the units.
    """

    def __init__(self, grid: Grid, units: Any) -> None:
        self.grid = grid
        self.time_units: str = units.time
        self.loss_units: str = units.loss
        self.axis_units = tuple(self._axis_unit(name, units) for name in grid.names)
        self.density_units = product(*(inverse(unit) for unit in self.axis_units))

    def _axis_unit(self, name: str, units: Any) -> str:
        if name in units.variables or not name.startswith("v_") or name.removeprefix("v_") not in self.grid.velocity:
            return units.variables.get(name, "1")
        return product(units.variables.get(name.removeprefix("v_"), "1"), inverse(units.time))

    def axes(self) -> dict[str, Variable]:
        """Return the cell centres, as coordinates."""
        return {
            name: Variable(
                (name,),
                axis.centres,
                unit,
                f"velocity of {name[2:]}" if name[2:] in self.grid.velocity and name[:2] == "v_" else name,
                {"boundary": "/".join(dict.fromkeys(axis.boundary)), "lower": axis.lower, "upper": axis.upper},
            )
            for name, axis, unit in zip(self.grid.names, self.grid.axes, self.axis_units, strict=True)
        }

    def times(self, times: Any) -> Variable:
        """Return output times, as a coordinate."""
        return Variable(("time",), np.atleast_1d(np.asarray(times, dtype=float)), self.time_units, "time")

    def landscape(
        self, loss: np.ndarray, description: str, minimum: np.ndarray | None, masses: np.ndarray | None = None
    ) -> Table:
        """Return the group "grid": faces and the loss at cell centres of the position axes.

        `minimum` is in the order of the position axes; `masses` belong to underdamped motion.
        """
        faces = {
            f"{name}_face": Variable((f"{name}_face",), axis.faces, unit, f"cell faces of {name}")
            for name, axis, unit in zip(self.grid.names, self.grid.axes, self.axis_units, strict=True)
        }
        positions = self.grid.names[: self.grid.position_dimension]
        variable = Variable(positions, loss, self.loss_units, "loss")
        attributes: dict[str, Any] = {"landscape": description, "axes": list(self.grid.names)}
        if minimum is not None:
            attributes["deepest_minimum"] = minimum
        if masses is not None:
            attributes["masses"] = np.array(masses)
        return Table({**self.axes(), **faces}, {"landscape": variable}, attributes)

    def frame(self, time: float, density: np.ndarray) -> Table:
        """Return one frame of the group "density"."""
        values = Variable(("time", *self.grid.names), density[None], self.density_units, "probability density")
        return Table({"time": self.times(time), **self.axes()}, {"density": values})

    def observables(self, time: float, found: Mapping[str, np.ndarray], attributes: Mapping[str, Any]) -> Table:
        """Return one frame of the group "observables"."""
        variable = Variable(("variable",), np.arange(self.grid.dimension), "1", "axis of the grid")
        other = Variable(("other_variable",), np.arange(self.grid.dimension), "1", "axis of the grid")
        units = {"mass": "1", "negative_mass": "1", "entropy": "nat", "mean": _common(self.axis_units)}
        units["covariance"] = _common(tuple(product(unit, unit) for unit in self.axis_units))
        rows = {}
        for name, value in found.items():
            dims = ("time", "variable", "other_variable")[: 1 + value.ndim]
            plain = name.removesuffix("_error")
            label = f"error of {plain.replace('_', ' ')}" if name.endswith("_error") else plain.replace("_", " ")
            rows[name] = Variable(dims, value[None], units.get(plain, self.loss_units), label)
        coordinates = {"time": self.times(time), "variable": variable, "other_variable": other}
        return Table(coordinates, rows, {"axes": list(self.grid.names), **attributes})

    def stationary(self, density: np.ndarray, boltzmann: np.ndarray | None, attributes: Mapping[str, Any]) -> Table:
        """Return the group "stationary"."""
        names = self.grid.names
        variables = {"density": Variable(names, density, self.density_units, "stationary density")}
        if boltzmann is not None:
            variables["boltzmann"] = Variable(names, boltzmann, self.density_units, "Boltzmann density")
        return Table(self.axes(), variables, attributes)

    def spectrum(
        self, rates: np.ndarray, modes: np.ndarray | None, harmonic: Harmonic | None, attributes: Mapping[str, Any]
    ) -> Table:
        """Return the group "spectrum"; `modes` has one mode along the first dimension for each rate."""
        unit = inverse(self.time_units)
        mode = Variable(("mode",), np.arange(len(rates)), "1", "number of the mode, slowest first")
        variables = {"rate": Variable(("mode",), rates.astype(complex), unit, "relaxation rate")}
        if harmonic is not None:
            variables["harmonic_rate"] = Variable(
                ("mode",), harmonic.rates.astype(complex), unit, "rate of the motion linearised at the deepest minimum"
            )
            attributes = {**attributes, "minimum": harmonic.minimum, "curvatures": harmonic.curvatures}
        coordinates = {"mode": mode}
        if modes is not None:
            coordinates |= self.axes()
            dims = ("mode", *self.grid.names)
            variables["mode_shape"] = Variable(dims, modes.astype(complex), self.density_units, "mode")
        return Table(coordinates, variables, attributes)

    def first_passage(self, times: np.ndarray, attributes: Mapping[str, Any]) -> Table:
        """Return the group "first_passage"."""
        label = "mean first-passage time"
        variable = Variable(self.grid.names, times, self.time_units, label)
        return Table(self.axes(), {"mean_first_passage_time": variable}, attributes)


def _common(units: tuple[str, ...]) -> str:
    """Return the unit that all components share, or all of them."""
    return units[0] if len(set(units)) == 1 else ", ".join(units)
