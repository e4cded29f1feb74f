"""What both kinetic schemes need: potential, thermal speeds and friction on a grid with velocity axes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics.underdamped import UnderdampedLangevin
from fpsolver.errors import DynamicsError, GridError, GridWarning
from fpsolver.generators.finite_volume import loss_steps
from fpsolver.generators.periodic import period_gain
from fpsolver.generators.velocity_functions import maxwell_masses
from fpsolver.generators.walls import CUT_MASS, warn_if_cut
from fpsolver.grids import Axis, Grid


@dataclass(frozen=True, eq=False)
class KineticSample:
    """Underdamped dynamics sampled on a grid, in the order of its axes.

    Parameters
    ----------
    dynamics : UnderdampedLangevin
        Undriven dynamics with T > 0.
    grid : Grid
        Position axes and one velocity axis for each.

    Raises
    ------
    GridError
        If there are no velocity axes, one of them absorbs, or the position axes do not fit the landscape.
    DynamicsError
        If the temperature is zero.
    """

    dynamics: UnderdampedLangevin
    grid: Grid

    def __post_init__(self) -> None:
        names = self.grid.names[: self.grid.position_dimension]
        if not self.grid.velocity:
            example = ", ".join(f'"{name}": (-4, 4, 160)' for name in names)
            raise GridError(f"underdamped dynamics needs velocity axes; add velocity={{{example}}} to the grid")
        for name, axis in self.grid.velocity.items():
            if axis.boundary != ("reflecting", "reflecting"):
                raise GridError(
                    f"the velocity axis of {name!r} has boundary {axis.boundary!r}; velocities cannot be absorbed, "
                    'leave it "reflecting"'
                )
        if self.dynamics.temperature == 0:
            raise DynamicsError("temperature = 0 leaves motion without noise, which has no generator; give T > 0")

    @cached_property
    def positions(self) -> Grid:
        """Grid of the position axes."""
        return self.grid.position_grid()

    @cached_property
    def velocities(self) -> tuple[Axis, ...]:
        """Velocity axes, in the order of the position axes."""
        return self.grid.axes[self.positions.dimension :]

    @cached_property
    def thermal_speeds(self) -> tuple[float, ...]:
        """Thermal speed √(T/m) along each position axis."""
        variables = self.dynamics.landscape.variables
        masses = [self.dynamics.masses[variables.index(name)] for name in self.positions.names]
        return tuple(float(np.sqrt(self.dynamics.temperature / mass)) for mass in masses)

    @cached_property
    def _loss(self) -> np.ndarray:
        return loss_on_grid(self.dynamics.landscape, self.positions)

    @cached_property
    def potential(self) -> np.ndarray:
        """L/T at position cell centres, the lowest value shifted to zero."""
        return (self._loss - self._loss.min()) / self.dynamics.temperature

    @cached_property
    def steps(self) -> tuple[np.ndarray, ...]:
        """Exact difference of L/T from each position cell to the next, along each axis.

        Of the position grid's shape; the last entry along an axis counts on periodic axes only.
        """
        landscape, axes = self.dynamics.landscape, range(self.positions.dimension)
        steps = [loss_steps(landscape, self.positions, self._loss, axis)[0] for axis in axes]
        return tuple(step / self.dynamics.temperature for step in steps)

    @cached_property
    def gains(self) -> tuple[float, ...]:
        """What L/T gains in one turn round each axis; zero on axes that are not periodic, or not tilted."""
        gains = [
            period_gain(self.dynamics.landscape, self.positions, self._loss, k) if axis.periodic else 0.0
            for k, axis in enumerate(self.positions.axes)
        ]
        return tuple(gain / self.dynamics.temperature for gain in gains)

    @property
    def conservative(self) -> bool:
        """Whether the force derives from the potential on the grid as well, so that there is a Gibbs state."""
        return not any(self.gains)

    def warn_if_cut(self) -> None:
        """Warn where walls or the ends of velocity axes cut through the Gibbs state.

        Warns
        -----
        GridWarning
            If more than a millionth of it sits in the end cells.
        """
        absorbing = any("absorbing" in axis.boundary for axis in self.positions.axes)
        if self.conservative and not absorbing:
            warn_if_cut(self.positions, self.positions.volumes * np.exp(-self.potential))
        for k, name in enumerate(self.positions.names):
            masses = maxwell_masses(self.velocities[k], self.thermal_speeds[k])
            share = float(masses[0] + masses[-1])
            if share > CUT_MASS:
                axis = self.velocities[k]
                warnings.warn(
                    f"the velocity axis of {name!r} cuts through the Maxwell distribution: {share:.2g} of it lies in "
                    f"or beyond its end cells (±{axis.upper:g}, thermal speed {self.thermal_speeds[k]:.3g}); "
                    f"extend it to about ±{7 * self.thermal_speeds[k]:.2g}",
                    GridWarning,
                    stacklevel=5,
                )
