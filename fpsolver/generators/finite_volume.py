"""Finite-volume generator of overdamped dynamics whose diffusion is diagonal in the grid's axes.

Between neighbouring cells i and j at distance h, of widths w_i and w_j, the jump rates are

    r(i → j) = D/(h w_i) f(z),    r(j → i) = D/(h w_j) f(−z),    f(−z) = e^z f(z),

with D on the face and z the step of the drift potential, −∫D⁻¹b·dl from centre to centre. Where D = T·M, z is the exact
difference of the loss over T, less the work of the non-conservative force, so the Boltzmann density is stationary to
rounding for any mesh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics.coefficient import Coefficient, check_semidefinite
from fpsolver.dynamics.langevin import Langevin
from fpsolver.errors import DynamicsError, GridError, suggest
from fpsolver.generators.periodic import period_gain
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.generators.walls import warn_if_cut
from fpsolver.grids import Grid
from fpsolver.kernels.edge_weights import bernoulli_pair, square_root_pair

WEIGHTS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "scharfetter-gummel": bernoulli_pair,
    "sqra": square_root_pair,
}
SPURIOUS_DRIFT = {"ito": 1.0, "stratonovich": 0.5, "klimontovich": 0.0}
"""Share c of ∇·D that the convention takes from the drift: flux = (b − c∇·D)p − D∇p."""


def finite_volume_generator(dynamics: Langevin, grid: Grid, scheme: str = "scharfetter-gummel") -> Generator:
    """Return the generator of overdamped dynamics with scalar or diagonal noise.

    Parameters
    ----------
    dynamics : Langevin
        Undriven dynamics; scalar or vector mobility and diffusion.
    grid : Grid
        One axis per variable.
    scheme : {"scharfetter-gummel", "sqra"}
        Edge weights.

    Raises
    ------
    GridError
        If the axes do not match the variables, or a periodic axis does not fit the landscape.
    LandscapeError
        If the loss is not finite on the grid.
    DynamicsError
        If the temperature is zero or the noise vanishes where the drift does not.
    NumericalError
        If a rate overflows.

    References
    ----------
    J. S. Chang and G. Cooper, J. Comput. Phys. 6, 1 (1970), eq. (18).
    """
    if scheme not in WEIGHTS:
        raise GridError(f"scheme = {scheme!r} is not one of {', '.join(WEIGHTS)}{suggest(scheme, WEIGHTS)}")
    check_noise(dynamics)
    sample = Sample(dynamics, grid)
    loss = loss_on_grid(dynamics.landscape, grid)
    edges, killing, tilted = [], np.zeros(grid.shape), False
    for axis in range(grid.dimension):
        edge, tilt = _axis_edge(sample, loss, axis, scheme)
        edges.append(edge)
        tilted = tilted or tilt
        for side in (0, 1):
            if grid.axes[axis].boundary[side] == "absorbing":
                _add_wall(killing, sample, loss, axis, side, scheme)
    log_equilibrium = None
    if dynamics.diffusion_is_thermal and not sample.forced and not tilted:
        assert dynamics.temperature is not None
        log_equilibrium = np.log(grid.volumes) - (loss - loss.min()) / dynamics.temperature
        if not killing.any():
            warn_if_cut(grid, np.exp(log_equilibrium - log_equilibrium.max()))
    return Generator(grid, dynamics, scheme, tuple(edges), killing, log_equilibrium)


def check_noise(dynamics: Langevin) -> None:
    """Raise where there is no noise, hence no Fokker–Planck operator of second order.

    Raises
    ------
    DynamicsError
        If the temperature or a constant mobility or diffusion is zero.
    """
    if dynamics.temperature == 0:
        raise DynamicsError("temperature = 0 leaves gradient flow, which has no Fokker–Planck generator; give T > 0")
    constant = dynamics.noise.constant
    if constant is not None and not np.any(constant):
        raise DynamicsError(f"{dynamics.noise.name} = {dynamics.noise.given!r} leaves no noise; it must be positive")


@dataclass(frozen=True)
class Sample:
    """Coefficients of the dynamics sampled at points of a grid, components in the order of its axes.

    Parameters
    ----------
    dynamics : Langevin
        The dynamics.
    grid : Grid
        The grid.
    """

    dynamics: Langevin
    grid: Grid

    @property
    def forced(self) -> bool:
        """Whether a non-conservative force acts."""
        force = self.dynamics.force
        return force is not None and (force.constant is None or bool(np.any(force.constant)))

    def diagonal(self, coefficient: Coefficient, points: np.ndarray, axis: int) -> np.ndarray:
        """Return the component of a scalar or vector coefficient along an axis, checked not to be negative."""
        theta = points[..., self.grid.order(self.dynamics.landscape.variables)]
        parameters = self.dynamics.landscape.parameters
        if coefficient.constant is None:
            check_semidefinite(coefficient, coefficient.evaluate(theta, parameters), theta)
        component = self.dynamics.landscape.variables.index(self.grid.names[axis])
        return coefficient.diagonal(theta, parameters)[..., component]

    def force(self, points: np.ndarray, axis: int) -> np.ndarray | float:
        """Return the component of the non-conservative force along an axis."""
        if not self.forced:
            return 0.0
        theta = points[..., self.grid.order(self.dynamics.landscape.variables)]
        component = self.dynamics.landscape.variables.index(self.grid.names[axis])
        return self.dynamics.force.evaluate(theta, self.dynamics.landscape.parameters)[..., component]

    def edge(
        self, axis: int, start: np.ndarray, stop: np.ndarray, loss_step: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the diffusion on, and the drift-potential step z along, straight edges parallel to an axis.

        Parameters
        ----------
        axis : int
            Direction of the edges.
        start, stop : ndarray, shape (..., d)
            Their ends.
        loss_step : ndarray, shape (...)
            L(stop) − L(start).
        """
        dynamics, middle = self.dynamics, 0.5 * (start + stop)
        length = (stop - start)[..., axis]
        mobility = self.diagonal(dynamics.mobility, middle, axis)
        work = self.force(middle, axis) * length
        if dynamics.diffusion_is_thermal:
            return dynamics.temperature * mobility, (loss_step - work) / dynamics.temperature
        diffusion = self.diagonal(dynamics.diffusion, middle, axis)
        ends = [self.diagonal(dynamics.diffusion, end, axis) for end in (start, stop)]
        if min(diffusion.min(), ends[0].min(), ends[1].min()) <= 0:
            raise DynamicsError(
                f"diffusion = {dynamics.diffusion.given!r} vanishes on the grid along {self.grid.names[axis]}; "
                "give it a floor, or keep the grid away from where it vanishes"
            )
        share = SPURIOUS_DRIFT[dynamics.convention or "klimontovich"]
        spurious = share * np.log(ends[1] / ends[0]) if dynamics.diffusion.varies else 0.0
        return diffusion, mobility * (loss_step - work) / diffusion + spurious


def _axis_edge(sample: Sample, loss: np.ndarray, axis: int, scheme: str) -> tuple[Edge, bool]:
    """Return the edges along an axis, and whether the loss is tilted round a periodic one."""
    grid = sample.grid
    this, inner = grid.axes[axis], slice(None) if grid.axes[axis].periodic else slice(0, -1)
    take = tuple(inner if k == axis else slice(None) for k in range(grid.dimension))
    step, tilted = loss_steps(sample.dynamics.landscape, grid, loss, axis)
    start = grid.points[take]
    stop = start.copy()
    stop[..., axis] += grid.along(axis, this.distances[inner])
    diffusion, z = sample.edge(axis, start, stop, step[take])
    forward_weight, backward_weight = WEIGHTS[scheme](z)
    conductance = diffusion / grid.along(axis, this.distances[inner])
    widths, next_widths = this.widths[inner], np.roll(this.widths, -1)[inner]
    forward, backward = np.zeros(grid.shape), np.zeros(grid.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        forward[take] = conductance * forward_weight / grid.along(axis, widths)
        backward[take] = conductance * backward_weight / grid.along(axis, next_widths)
    offset = tuple(int(k == axis) for k in range(grid.dimension))
    return Edge(offset, forward, backward), tilted


def loss_steps(landscape: Any, grid: Grid, loss: np.ndarray, axis: int) -> tuple[np.ndarray, bool]:
    """Return L(next) − L(here) along an axis, and whether a turn round a periodic axis changes the loss.

    On a periodic axis the last step goes on to the image of the first cell one period up. A loss that only grows by a
    constant in a period (a tilted washboard) is admissible: its tilt is then a non-conservative force.

    Raises
    ------
    GridError
        If the gradient of the loss does not have the period of the axis.
    """
    step = np.roll(loss, -1, axis=axis) - loss
    this = grid.axes[axis]
    if not this.periodic:
        return step, False
    gain = period_gain(landscape, grid, loss, axis)
    if not gain:
        return step, False
    final = tuple(slice(-1, None) if k == axis else slice(None) for k in range(grid.dimension))
    step[final] += gain
    return step, True


def _add_wall(killing: np.ndarray, sample: Sample, loss: np.ndarray, axis: int, side: int, scheme: str) -> None:
    """Add the rate to an absorbing wall, which sits on the face half a cell away."""
    grid = sample.grid
    cell = (0, -1)[side]
    take = tuple([cell] if k == axis else slice(None) for k in range(grid.dimension))
    start = grid.points[take]
    stop = start.copy()
    stop[..., axis] = grid.axes[axis].faces[cell]
    killing[take] += wall_rate(sample, axis, start, stop, loss[take], grid.axes[axis].widths[cell], scheme)


def wall_rate(
    sample: Sample,
    axis: int,
    start: np.ndarray,
    stop: np.ndarray,
    loss: np.ndarray,
    width: float | np.ndarray,
    scheme: str,
) -> np.ndarray:
    """Return the rate of the jump from cell centres to an absorbing wall.

    Parameters
    ----------
    sample : Sample
        The dynamics on the grid.
    axis : int
        Direction of the jump.
    start, stop : ndarray, shape (..., d)
        Cell centres, and the points of the wall.
    loss : ndarray, shape (...)
        Loss at `start`.
    width : float or ndarray
        Width of the control volume along the axis.
    scheme : str
        Edge weights.
    """
    step = loss_on_grid(sample.dynamics.landscape, sample.grid, stop) - loss
    diffusion, z = sample.edge(axis, start, stop, step)
    # z is the step from start to stop whichever way the edge points; lengths enter by their size.
    distance = np.abs((stop - start)[..., axis])
    return diffusion / (distance * width) * WEIGHTS[scheme](z)[0]
