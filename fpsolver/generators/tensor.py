"""Generator of overdamped dynamics whose diffusion tensor has off-diagonal entries.

In lattice units, D_kl/(h_k h_l), the tensor of each cell is written as Σ_e λ_e e eᵀ with integer offsets e and
λ_e ≥ 0 (`lattice_basis`). Cells i and j = i + e then exchange probability at the rates

    r(i → j) = λ f(z),    r(j → i) = λ f(−z),    f(−z) = e^z f(z),

with λ the mean of both cells' λ_e and z the step of the drift potential, −∫D⁻¹b_eff·dl along the hop. All rates are
≥ 0 for every positive definite tensor. Where D = T·M, z is the exact difference of the loss over T less the work F·Δx/T
of the non-conservative force (drift M F), so that the Boltzmann density is stationary to rounding. Where D is given
independently, b_eff = M(F − ∇L) − s with the spurious drift s of the convention, see `TensorNoise.drift_field`.

The scheme is second order, with reflecting walls too (`tensor_walls`). Measured in two dimensions with anisotropy 30,
angles from 10° to 80° and densities that touch the walls (``validation/tensor_orders.py``): relaxation rates 1.9 to
3.0; densities 2.0 to 2.2 in L1 and 1.9 in the maximum norm off the corners; rates in three dimensions 2.1; turning
tensors with a landscape and a force 1.9 to 2.1; exit times through absorbing walls 2.0. In the corner cells themselves
the order is 0.9 to 1.8: where two walls meet at the angle α in the metric of D⁻¹ the solution is as rough as r^{π/α}.
Where an absorbing meets a reflecting wall it is like r^{π/2α}, which holds the order of an exit time to about π/α
(measured 1.1 at 70°, where π/α = 1.2).

References
----------
J. Fehrenbach and J.-M. Mirebeau, J. Math. Imaging Vis. 49, 123 (2014), for Selling's formula in monotone schemes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics.langevin import Langevin
from fpsolver.errors import DynamicsError, GridError, suggest
from fpsolver.generators.finite_volume import WEIGHTS, check_noise
from fpsolver.generators.periodic import period_gain
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.generators.tensor_noise import TensorNoise
from fpsolver.generators.tensor_walls import (
    Offset,
    add_tangential,
    decompose,
    inside,
    link_corners,
    shifted,
    taper,
    wall_layer,
    walls,
)
from fpsolver.generators.walls import warn_if_cut
from fpsolver.grids import Grid

ORDER_NOTE = (
    "tensor diffusion: second order; measured at anisotropy 30 with reflecting walls: L1 2.0 to 2.2, rates 1.9 to 3.0, "
    "corner cells 0.9 to 1.8"
)


def tensor_generator(
    dynamics: Langevin, grid: Grid, scheme: str = "scharfetter-gummel", *, floor: float | None = None
) -> Generator:
    """Return the generator of overdamped dynamics with a full diffusion tensor.

    Parameters
    ----------
    dynamics : Langevin
        Undriven dynamics; mobility and diffusion of any kind, constant or dependent on θ.
    grid : Grid
        One uniform axis per variable, three at most.
    scheme : {"scharfetter-gummel", "sqra"}
        Edge weights.
    floor : float, optional
        Eigenvalues of D below this are raised to it, so that rank-deficient noise can be used. Units of D.

    Raises
    ------
    GridError
        If axes are not uniform, too short for the offsets that the anisotropy needs, or do not match the variables.
    LandscapeError
        If the loss is not finite on the grid.
    DynamicsError
        If D is indefinite, or rank-deficient without a floor.
    NumericalError
        If a rate overflows.

    Examples
    --------
    >>> import fpsolver as fp
    >>> L = fp.Landscape("(x**2 + y**2)/2")
    >>> dynamics = fp.Langevin(L, temperature=1.0, mobility=[[2.0, 1.0], [1.0, 2.0]])
    >>> W = tensor_generator(dynamics, fp.Grid(x=(-6, 6, 24), y=(-6, 6, 24)))
    >>> [edge.offset for edge in W.edges]
    [(0, 1), (1, 0), (1, 1)]
    """
    _check(dynamics, grid, scheme, floor)
    noise = TensorNoise(dynamics, grid, floor)
    spacings = np.array(grid.spacings)
    diffusion = noise.diffusion(noise.cells(dynamics.noise))
    tensors = diffusion / np.multiply.outer(spacings, spacings)
    weights = decompose(tensors)
    longest = max(weights, key=lambda offset: sum(step * step for step in offset))
    _check_reach(grid, weights)
    conductances, untapered = _conductances(weights, tensors, grid)
    steps = Steps.of(noise, diffusion)
    edges = tuple(_edge(offset, conductances[offset], steps, scheme) for offset in sorted(conductances))
    killing = _killing(weights, steps, scheme)
    notes = [ORDER_NOTE, f"tensor diffusion: longest offset {longest} cells, {len(edges)} offsets"]
    raised = noise.floored()
    if raised:
        notes.append(f"tensor diffusion: eigenvalues of D raised to floor = {floor:g} in {raised} cells")
    if untapered:
        notes.append("tensor diffusion: the grid is too small for the anisotropy; first order at reflecting walls")
    log_equilibrium = None
    if dynamics.diffusion_is_thermal and steps.field is None and not any(steps.gains):
        assert dynamics.temperature is not None
        log_equilibrium = np.log(grid.volumes) - (steps.loss - steps.loss.min()) / dynamics.temperature
        if not killing.any():
            warn_if_cut(grid, np.exp(log_equilibrium - log_equilibrium.max()))
    return Generator(grid, dynamics, scheme, edges, killing, log_equilibrium, tuple(notes))


@dataclass(frozen=True, eq=False)
class Steps:
    """The step z of the drift potential along hops: −∫D⁻¹b_eff·dl with D⁻¹b_eff = −κ∇L + r.

    Parameters
    ----------
    noise : TensorNoise
        The dynamics on the grid.
    loss : ndarray
        L at the cell centres.
    gains : tuple of float
        Growth of L in a turn round each axis, zero unless periodic.
    kappa : ndarray
        κ at the cell centres, 1/T where D = T·M.
    field : ndarray or None
        r at the cell centres, shape (..., d), F/T where D = T·M.
    """

    noise: TensorNoise
    loss: np.ndarray
    gains: tuple[float, ...]
    kappa: np.ndarray
    field: np.ndarray | None

    @classmethod
    def of(cls, noise: TensorNoise, diffusion: np.ndarray) -> Steps:
        """Return the steps of a dynamics on a grid, given D at the cell centres."""
        dynamics, grid = noise.dynamics, noise.grid
        loss = loss_on_grid(dynamics.landscape, grid)
        gains = tuple(
            period_gain(dynamics.landscape, grid, loss, k) if axis.periodic else 0.0 for k, axis in enumerate(grid.axes)
        )
        if not dynamics.diffusion_is_thermal:
            kappa, field = noise.drift_field(diffusion)
            return cls(noise, loss, gains, kappa, field if np.any(field) else None)
        assert dynamics.temperature is not None
        force = noise.force()
        kappa = np.full((1,) * grid.dimension, 1.0 / dynamics.temperature)
        return cls(noise, loss, gains, kappa, None if force is None else force / dynamics.temperature)

    def along(self, offset: Offset) -> np.ndarray:
        """Return z from every cell to the one at an offset."""
        grid = self.noise.grid
        step = shifted(self.loss, offset) - self.loss
        for k, gain in enumerate(self.gains):
            if gain:
                turns = (np.arange(grid.shape[k]) + offset[k]) // grid.shape[k]
                step = step + gain * grid.along(k, turns)
        z = 0.5 * (self.kappa + shifted(self.kappa, offset)) * step
        if self.field is not None:
            hop = np.array(offset) * np.array(grid.spacings)
            work = self.field @ hop
            z = z - 0.5 * (work + shifted(work, offset))
        return z

    def to_wall(self, cells: tuple[np.ndarray, ...], hop: np.ndarray) -> np.ndarray:
        """Return z from some cells to the points `hop` away, with κ and r taken at the cells."""
        grid = self.noise.grid
        there = loss_on_grid(self.noise.dynamics.landscape, grid, grid.points[cells] + hop)
        z = np.broadcast_to(self.kappa, grid.shape)[cells] * (there - self.loss[cells])
        if self.field is not None:
            field = np.broadcast_to(self.field, (*grid.shape, grid.dimension))[cells]
            z = z - np.einsum("ni,ni->n", field, hop)
        return z


def _conductances(
    weights: dict[Offset, np.ndarray], tensors: np.ndarray, grid: Grid
) -> tuple[dict[Offset, np.ndarray], bool]:
    """Return symmetric edge conductances by offset, mended at reflecting walls, and whether a layer did not fit."""
    conductances = {}
    for offset, weight in weights.items():
        mean = 0.5 * (weight + shifted(weight, offset))
        conductances[offset] = np.array(np.broadcast_to(mean, grid.shape))
    layers = [wall_layer(weights, grid, wall) for wall in walls(grid, "reflecting")]
    present = [layer for layer in layers if layer is not None]
    for layer in present:
        taper(conductances, layer)
    for layer in present:
        add_tangential(conductances, weights, tensors, grid, layer)
    link_corners(conductances, weights, tensors, grid)
    for offset, conductance in conductances.items():
        conductance *= inside(grid, offset)
    return {offset: value for offset, value in conductances.items() if value.any()}, any(
        layer.untapered for layer in present
    )


def _edge(offset: Offset, conductance: np.ndarray, steps: Steps, scheme: str) -> Edge:
    with np.errstate(over="ignore", invalid="ignore"):
        forward, backward = WEIGHTS[scheme](steps.along(offset))
        there = conductance > 0
        return Edge(
            offset,
            np.where(there, conductance * forward, 0.0),
            np.where(there, conductance * backward, 0.0),
        )


def _killing(weights: dict[Offset, np.ndarray], steps: Steps, scheme: str) -> np.ndarray:
    """Return the rates to absorbing walls.

    A hop that meets the wall after a fraction t of its way ends there: its rate is λ f(z_t)/t, exact for densities that
    fall linearly to zero at the wall.
    """
    grid = steps.noise.grid
    killing = np.zeros(grid.shape)
    if not any(True for _ in walls(grid, "absorbing")):
        return killing
    for stored, weight in weights.items():
        for offset in (stored, tuple(-step for step in stored)):
            fraction, absorbed = _exits(grid, offset)
            cells = np.nonzero(absorbed & (weight > 0))
            part = fraction[cells]
            hop = part[:, None] * np.array(offset) * np.array(grid.spacings)
            forward, _ = WEIGHTS[scheme](steps.to_wall(cells, hop))
            killing[cells] += np.broadcast_to(weight, grid.shape)[cells] / part * forward
    return killing


def _exits(grid: Grid, offset: Offset) -> tuple[np.ndarray, np.ndarray]:
    """Return after what fraction of its way a hop leaves the grid, and whether through an absorbing wall."""
    fraction = np.full(grid.shape, np.inf)
    absorbed = np.zeros(grid.shape, dtype=bool)
    for k, axis in enumerate(grid.axes):
        if axis.periodic or not offset[k]:
            continue
        row = np.arange(axis.cells)
        to_wall = (axis.cells - row - 0.5 if offset[k] > 0 else row + 0.5) / abs(offset[k])
        here = grid.along(k, np.where(to_wall < 1, to_wall, np.inf))
        absorbing = axis.boundary[int(offset[k] > 0)] == "absorbing"
        nearer = here < fraction
        absorbed = np.where(nearer, absorbing, absorbed | (absorbing & np.isfinite(here) & (here == fraction)))
        fraction = np.where(nearer, here, fraction)
    return fraction, absorbed


def _check(dynamics: Langevin, grid: Grid, scheme: str, floor: float | None) -> None:
    if scheme not in WEIGHTS:
        raise GridError(f"scheme = {scheme!r} is not one of {', '.join(WEIGHTS)}{suggest(scheme, WEIGHTS)}")
    if floor is not None and not (np.isfinite(floor) and floor > 0):
        raise DynamicsError(f"floor = {floor!r} must be positive and finite, in the units of the diffusion")
    grid.order(dynamics.landscape.variables)
    if floor is None:
        check_noise(dynamics)
    if grid.dimension > 3:
        raise GridError(
            f"diffusion with off-diagonal entries needs a grid of at most three axes, this one has {grid.dimension}; "
            "rotate the variables so that the tensor is diagonal"
        )
    for name, axis in zip(grid.names, grid.axes, strict=True):
        if not axis.uniform:
            raise GridError(
                f"diffusion with off-diagonal entries needs uniform axes, but {name!r} is stretched "
                f"(spacing={axis.spacing!r}); give it as Axis({axis.lower:g}, {axis.upper:g}, {axis.cells})"
            )


def _check_reach(grid: Grid, weights: dict[Offset, np.ndarray]) -> None:
    for k, (name, axis) in enumerate(zip(grid.names, grid.axes, strict=True)):
        reach = max(abs(offset[k]) for offset in weights)
        if reach >= axis.cells and not axis.periodic:
            raise GridError(
                f"the anisotropy of the diffusion needs hops over {reach} cells along {name!r}, which has only "
                f"{axis.cells}; use more cells, or a floor= for the smallest eigenvalue"
            )
