"""Driving in steps: mean work under parameters that are constant between jumps, and its exact gradient.

Work is done at the jumps alone, W = Σ_k ⟨L_{k+1} − L_k⟩ in the density P_k there; in between P_k = e^{ΔW(λ_k)} P_{k−1}.
One sweep back in time with the adjoint gives the derivatives with respect to all parameters of all intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fpsolver.densities import boltzmann, loss_on_grid
from fpsolver.density_moments import checked_density
from fpsolver.dynamics import Langevin
from fpsolver.errors import MethodError
from fpsolver.generators.finite_volume import Sample
from fpsolver.grids import Grid
from fpsolver.kernels.edge_weights import bernoulli_pair
from fpsolver.landscapes import Landscape
from fpsolver.thermodynamics.conditions import check_positive
from fpsolver.thermodynamics.friction import conjugate_force
from fpsolver.thermodynamics.rational_exponential import Tridiagonal, from_resolvents, partial_fractions


@dataclass(frozen=True, eq=False)
class SteppedDriving:
    """A density on one axis, driven from given to given parameters within a time, in steps.

    Parameters
    ----------
    dynamics : Langevin
        Undriven overdamped motion with a temperature, in one variable. Mobility and force do not depend on the
        parameters that are driven.
    grid : Grid
        One axis with reflecting ends.
    controls : mapping of str to (float, float)
        Driven parameters of the landscape, each with its value before the start and after the end.
    duration : float
        t_f.
    intervals : int
        Number n of equal intervals on which the parameters are constant; they may jump at 0 and t_f as well.
    initial : array_like, optional
        Density at the start; by default the equilibrium there.

    Raises
    ------
    MethodError
        If the dynamics, the grid, a control or a number cannot be used.
    """

    dynamics: Langevin
    grid: Grid
    controls: Mapping[str, tuple[float, float]]
    duration: float
    intervals: int = 40
    initial: Any = None

    def __post_init__(self) -> None:
        check_positive(duration=self.duration)
        if self.intervals < 1:
            raise MethodError(f"intervals = {self.intervals!r}: driving takes one at least")
        dynamics = self.dynamics
        if not isinstance(dynamics, Langevin) or dynamics.driven or not dynamics.diffusion_is_thermal:
            raise MethodError(f"{dynamics!r}: give undriven Langevin dynamics with a temperature; controls= drive it")
        if self.grid.dimension != 1 or self.grid.axes[0].boundary != ("reflecting", "reflecting"):
            raise MethodError(f"{self.grid!r}: driving in steps needs one axis with reflecting ends")
        unknown = [name for name in self.controls if name not in dynamics.landscape.parameters]
        if unknown or not self.controls:
            allowed = ", ".join(dynamics.landscape.parameters) or "none"
            raise MethodError(f"controls = {dict(self.controls)!r}: the landscape's parameters are {allowed}")
        first, last = (self._coefficients(end) for end in (self.start, self.stop))
        if not all(np.array_equal(a, b) for a, b in zip(first, last, strict=True)):
            raise MethodError("mobility and force must not depend on the parameters that are driven")

    @property
    def start(self) -> np.ndarray:
        """Parameters before the start, shape (m,)."""
        return np.array([float(ends[0]) for ends in self.controls.values()])

    @property
    def stop(self) -> np.ndarray:
        """Parameters after the end, shape (m,)."""
        return np.array([float(ends[1]) for ends in self.controls.values()])

    @property
    def times(self) -> np.ndarray:
        """Ends of the intervals, shape (n + 1,)."""
        return np.linspace(0.0, self.duration, self.intervals + 1)

    @property
    def middles(self) -> np.ndarray:
        """Middles of the intervals, shape (n,)."""
        return 0.5 * (self.times[1:] + self.times[:-1])

    @property
    def ramp(self) -> np.ndarray:
        """The linear ramp in steps, shape (n, m)."""
        return self.start + np.outer(self.middles / self.duration, self.stop - self.start)

    def landscape(self, parameters: np.ndarray) -> Landscape:
        """Return the landscape at given values of the m driven parameters."""
        values = {name: float(value) for name, value in zip(self.controls, parameters, strict=True)}
        return self.dynamics.landscape.with_parameters(**values)

    def densities(self, values: Any) -> np.ndarray:
        """Return the densities at `times` under parameters (n, m), shape (n + 1, cells)."""
        return np.array([mass for mass, _ in self._forwards(self._checked(values))]) / self.grid.volumes

    def work(self, values: Any) -> float:
        """Return the mean work under parameters (n, m) on the intervals."""
        return self._work(self._checked(values))[0]

    def work_and_gradient(self, values: Any) -> tuple[float, np.ndarray]:
        """Return the mean work and its derivatives by every parameter on every interval, shape (n, m).

        The derivatives are those of the steps themselves, exact to rounding.

        Parameters
        ----------
        values : array_like (n, m)
            Parameters on the intervals; (n,) for one.
        """
        steps = self._checked(values)
        work, losses, sweep = self._work(steps)
        gradient = np.empty_like(steps)
        costate = losses[-1] - losses[-2]
        _, weights = partial_fractions()
        length = self.duration / self.intervals
        for k in range(self.intervals, 0, -1):
            before, after = sweep[k - 1][0], sweep[k]
            adjoint = self._rates(losses[k]).transpose.resolvents(costate)
            forces = self._forces(steps[k - 1])
            tilted = self._tilted(losses[k], forces)
            # d(A − z)⁻¹ = −(A − z)⁻¹ dA (A − z)⁻¹, and dA moves probability along the edges.
            moved = after[1][None, :, :-1] * tilted[0][:, None] - after[1][None, :, 1:] * tilted[1][:, None]
            response = -2.0 * np.einsum("j,mji,ji->m", weights, moved, np.diff(adjoint, axis=1)).real * length
            gradient[k - 1] = forces @ (before - after[0]) + response
            costate = losses[k] - losses[k - 1] + from_resolvents(adjoint)
        return work, gradient

    @cached_property
    def _edges(self) -> tuple[np.ndarray, np.ndarray]:
        return self._coefficients(self.start)

    @cached_property
    def _initial_mass(self) -> np.ndarray:
        if self.initial is None:
            density = boltzmann(self.landscape(self.start), self.grid, self._temperature)
        else:
            density, _ = checked_density(self.initial, self.grid, "initial")
        return density * self.grid.volumes

    @property
    def _temperature(self) -> float:
        assert self.dynamics.temperature is not None
        return self.dynamics.temperature

    def _checked(self, values: Any) -> np.ndarray:
        steps = np.asarray(values, dtype=float)
        if steps.ndim == 1:
            steps = steps[:, None]
        if steps.shape != (self.intervals, len(self.controls)):
            raise MethodError(
                f"values of shape {np.shape(values)}: give one row for each of {self.intervals} intervals and one "
                f"column for each of {len(self.controls)} parameters"
            )
        return steps

    def _coefficients(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return conductances D/h and what a non-conservative force adds to the potential step, on the edges."""
        dynamics = replace(self.dynamics, landscape=self.landscape(parameters))
        points = self.grid.points
        rest = np.zeros(len(points) - 1)
        diffusion, force = Sample(dynamics, self.grid).edge(0, points[:-1], points[1:], rest)
        return np.broadcast_to(diffusion, rest.shape) / self.grid.axes[0].distances[:-1], force + rest

    def _weights(self, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the potential steps along the edges and the weights of the jumps along and against them."""
        step = np.diff(loss) / self._temperature + self._edges[1]
        return step, *bernoulli_pair(step)

    def _rates(self, loss: np.ndarray) -> Tridiagonal:
        """Return ΔW, the generator times the length of an interval."""
        _, along, against = self._weights(loss)
        scale, widths = self._edges[0] * self.duration / self.intervals, self.grid.volumes
        up, down = scale * along / widths[:-1], scale * against / widths[1:]
        return Tridiagonal(up, -np.append(up, 0.0) - np.insert(down, 0, 0.0), down)

    def _tilted(self, loss: np.ndarray, forces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the derivatives of the rates along and against the edges by the parameters, shape (m, n − 1)."""
        step, along, against = self._weights(loss)
        safe = np.where(np.abs(step) < 1e-2, 1.0, step)
        slope = np.where(np.abs(step) < 1e-2, -0.5 + step / 6.0 - step**3 / 180.0, along * (1.0 - against) / safe)
        change = self._edges[0] * np.diff(forces, axis=1) / self._temperature
        return change * slope / self.grid.volumes[:-1], change * (slope + 1.0) / self.grid.volumes[1:]

    def _forces(self, parameters: np.ndarray) -> np.ndarray:
        landscape = self.landscape(parameters)
        return np.array([conjugate_force(landscape, self.grid, name) for name in self.controls])

    def _forwards(self, steps: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        return self._sweep([loss_on_grid(self.landscape(row), self.grid) for row in steps])

    def _sweep(self, losses: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return cell probabilities after every interval, with the resolvents that gave them."""
        mass = self._initial_mass
        sweep = [(mass, np.empty(0))]
        for loss in losses:
            resolvents = self._rates(loss).resolvents(mass)
            mass = from_resolvents(resolvents)
            sweep.append((mass, resolvents))
        return sweep

    def _work(self, steps: np.ndarray) -> tuple[float, list[np.ndarray], list[tuple[np.ndarray, np.ndarray]]]:
        """Return the mean work, the losses from before the start to after the end, and the sweep of densities."""
        rows = [self.start, *steps, self.stop]
        losses = [loss_on_grid(self.landscape(row), self.grid) for row in rows]
        sweep = self._sweep(losses[1:-1])
        work = sum(float((losses[k + 1] - losses[k]) @ mass) for k, (mass, _) in enumerate(sweep))
        return work, losses, sweep
