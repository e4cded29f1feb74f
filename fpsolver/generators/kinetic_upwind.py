"""Monotone generator of underdamped dynamics that keeps the Gibbs state exactly.

Written for the Gibbs density ρ = e^{−mv²/2T − L/T}, the motion dx = v dt, dv = −L'/m dt carries the flux
(vρ, −L'ρ/m) = (∂_vΨ, −∂_xΨ) with the stream function Ψ = −(T/m)ρ. With Ψ on the corners of cells and its differences as
fluxes F through the faces, the discrete flux is free of divergence whatever Ψ is, so jumps at the rates max(±F, 0)/π
leave the weights π stationary. Friction and noise add conductances K with detailed balance along v. There, jumps at
rates (K ± F/2)/π are admissible where K ≥ |F|/2; elsewhere K is raised to |F|/2, which is upwinding.

A wall given as boundary="reflecting" reflects specularly: what leaves through it at v comes back at −v, by a jump
within the cell at the wall. A wall that merely truncates open space (no boundary was given) is closed by Ψ = 0, which
turns the flux inside the cell and needs neighbouring cells only; the velocities that come back are then thermal. No
density notices if the grid is wide enough; a `GridWarning` says so if it is not.
"""

from __future__ import annotations

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics.underdamped import UnderdampedLangevin
from fpsolver.errors import GridError
from fpsolver.generators.kinetic_sample import KineticSample
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.grids import Axis, Grid
from fpsolver.kernels.edge_weights import bernoulli_pair

NOTE = "monotone, first order in the cell widths: numerical diffusion |v|h/2 along x acts beside the physical friction"


def upwind_generator(dynamics: UnderdampedLangevin, grid: Grid) -> Generator:
    """Return the monotone generator of underdamped dynamics on cells of position and velocity.

    With B(z) = z/(e^z − 1), U = L/T and ε = mv²/2T the rates along x and v are

        x → x + h:  (T/m) B(ΔU)/h · max(g, 0),             g = [B(−Δε₋) − B(Δε₊)]/k ≈ mv/T,
        v → v + k:  (T/m) B(Δε)/k · (max(γ/k, |f|/2) + f/2),  f = [B(ΔU₊) − B(−ΔU₋)]/h ≈ −L'/T.

    Parameters
    ----------
    dynamics : UnderdampedLangevin
        Undriven dynamics.
    grid : Grid
        Position axes, reflecting, absorbing or periodic, each with a velocity axis.

    Raises
    ------
    GridError
        If the grid has no velocity axes, does not fit the landscape, or has a reflecting wall beside velocity cells
        that are not symmetric about zero.
    DynamicsError
        If the temperature is zero.

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=0.1, friction=1.0)
    >>> grid = fp.Grid(x=(-2.5, 2.5, 50), velocity={"x": (-2, 2, 40)})
    >>> W = upwind_generator(dynamics, grid)
    >>> gibbs = np.exp(-(grid.points**2).sum(axis=-1) / 0.2)
    >>> bool(abs(W.apply(gibbs)).max() < 1e-12)
    True
    """
    sample = KineticSample(dynamics, grid)
    sample.warn_if_cut()
    killing = np.zeros(grid.shape)
    edges, mirrors = [], []
    for axis in range(sample.positions.dimension):
        edges += [_position_edge(sample, axis), _velocity_edge(sample, axis)]
        mirrors += _walls(sample, axis, killing)
    return Generator(grid, dynamics, "upwind", (*edges, *mirrors), killing, None, (NOTE,))


def _drift(sample: KineticSample, axis: int) -> np.ndarray:
    """Return g ≈ mv/T in each cell of a velocity axis: the difference of the stream function across the cell."""
    velocity = sample.velocities[axis]
    climb, descent = bernoulli_pair(_kinetic_steps(sample, axis))
    # The stream function is zero at the ends of the axis, which closes them.
    upper, lower = np.append(climb, 0.0), np.insert(descent, 0, 0.0)
    return (lower - upper) / velocity.widths


def _kinetic_steps(sample: KineticSample, axis: int) -> np.ndarray:
    """Return the difference of mv²/2T between neighbouring cells of a velocity axis."""
    centres = sample.velocities[axis].centres / sample.thermal_speeds[axis]
    return 0.5 * (centres[1:] - centres[:-1]) * (centres[1:] + centres[:-1])


def _pull(sample: KineticSample, axis: int) -> np.ndarray:
    """Return f ≈ −L'/T in each position cell: the difference of the stream function along the axis."""
    positions = sample.positions
    climb, descent = bernoulli_pair(sample.steps[axis])
    upper, lower = climb.copy(), np.roll(descent, 1, axis=axis)
    for side, face in ((0, lower), (1, upper)):
        if not positions.axes[axis].periodic:
            face[_side(positions, axis, side)] = _wall_weight(sample, axis, side)
    return (upper - lower) / positions.along(axis, positions.axes[axis].widths)


def _side(positions: Grid, axis: int, side: int) -> tuple[slice | list[int], ...]:
    return tuple([(0, -1)[side]] if k == axis else slice(None) for k in range(positions.dimension))


def _leaky(axis: Axis, side: int) -> bool:
    """Return whether something passes through a side of an axis, to be absorbed or reflected."""
    return axis.boundary[side] == "absorbing" or (axis.boundary[side] == "reflecting" and axis.physical)


def _wall_weight(sample: KineticSample, axis: int, side: int) -> np.ndarray:
    """Return the Gibbs weight on a wall over that of the cell beside it; zero closes the wall.

    Elsewhere it is that of the face between the cell and its image, at twice the distance of the wall.
    """
    positions, cells = sample.positions, _side(sample.positions, axis, side)
    if not _leaky(positions.axes[axis], side):
        return np.zeros_like(sample.potential[cells])
    centres = positions.points[cells]
    wall = centres.copy()
    wall[..., axis] = positions.axes[axis].faces[(0, -1)[side]]
    landscape = sample.dynamics.landscape
    rise = loss_on_grid(landscape, positions, wall) - loss_on_grid(landscape, positions, centres)
    return bernoulli_pair(2 * rise / sample.dynamics.temperature)[0]


def _position_edge(sample: KineticSample, axis: int) -> Edge:
    """Return the jumps along a position axis."""
    grid, positions = sample.grid, sample.positions
    climb, descent = bernoulli_pair(sample.steps[axis])
    widths = positions.along(axis, positions.axes[axis].widths)
    up, down = climb / widths, descent / np.roll(widths, -1, axis=axis)
    if not positions.axes[axis].periodic:
        last = _side(positions, axis, 1)
        up[last] = down[last] = 0.0
    offset = tuple(int(k == axis) for k in range(grid.dimension))
    rightward, leftward = _speeds(sample, axis)
    return _edge(grid, offset, _beside_velocities(up) * rightward, _beside_velocities(down) * leftward)


def _speeds(sample: KineticSample, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the speed to the right of cells of positive velocity, and to the left of those of negative velocity."""
    drift = sample.grid.along(sample.positions.dimension + axis, _drift(sample, axis))
    diffusivity = sample.thermal_speeds[axis] ** 2
    return diffusivity * np.maximum(drift, 0), diffusivity * np.maximum(-drift, 0)


def _walls(sample: KineticSample, axis: int, killing: np.ndarray) -> list[Edge]:
    """Return the jumps v → −v in cells at specular walls; the outflow through absorbing walls is added to `killing`."""
    grid, positions = sample.grid, sample.positions
    this, d = positions.axes[axis], positions.dimension
    rightward, leftward = _speeds(sample, axis)
    reflected = [np.zeros(grid.shape), np.zeros(grid.shape)]
    for side, leaving in ((0, leftward), (1, rightward)):
        if not this.periodic and _leaky(this, side):
            cells = _side(positions, axis, side)
            weight = _wall_weight(sample, axis, side) / positions.along(axis, this.widths)[cells]
            goes = killing if this.boundary[side] == "absorbing" else reflected[side]
            goes[cells] += _beside_velocities(weight) * leaving
    if not (reflected[0].any() or reflected[1].any()):
        return []
    velocity = sample.velocities[axis]
    if not np.allclose(velocity.faces, -velocity.faces[::-1], rtol=0, atol=1e-12 * velocity.upper):
        name = positions.names[axis]
        raise GridError(
            f"axis {name!r} reflects v into −v, but the cells of v_{name} are not symmetric about zero; make them "
            "symmetric, or let the position axis reach to where there is no density and leave its boundary out"
        )
    return [_mirror(grid, d + axis, j, *reflected) for j in range(velocity.cells // 2)]


def _mirror(grid: Grid, axis: int, j: int, at_lower: np.ndarray, at_upper: np.ndarray) -> Edge:
    """Return the jumps between velocity cell j and its mirror image: forward at lower walls, backward at upper ones."""
    image = grid.axes[axis].cells - 1 - j
    take, give = (tuple(cell if k == axis else slice(None) for k in range(grid.dimension)) for cell in (j, image))
    forward, backward = np.zeros(grid.shape), np.zeros(grid.shape)
    forward[take], backward[take] = at_lower[take], at_upper[give]
    return Edge(tuple(image - j if k == axis else 0 for k in range(grid.dimension)), forward, backward)


def _velocity_edge(sample: KineticSample, axis: int) -> Edge:
    """Return the jumps along a velocity axis: force, friction and noise."""
    grid, d = sample.grid, sample.positions.dimension
    velocity, diffusivity = sample.velocities[axis], sample.thermal_speeds[axis] ** 2
    climb, descent = bernoulli_pair(_kinetic_steps(sample, axis))
    widths, distances = velocity.widths, np.append(velocity.distances[:-1], np.inf)
    up = grid.along(d + axis, np.append(diffusivity * climb / widths[:-1], 0.0))
    down = grid.along(d + axis, np.append(diffusivity * descent / widths[1:], 0.0))
    half = _beside_velocities(0.5 * _pull(sample, axis))
    friction = grid.along(d + axis, sample.dynamics.friction / distances)
    conductance = np.maximum(friction, np.abs(half))
    offset = tuple(int(k == d + axis) for k in range(grid.dimension))
    forward, backward = (conductance + half) * up, (conductance - half) * down
    return _edge(grid, offset, forward, backward)


def _edge(grid: Grid, offset: tuple[int, ...], forward: np.ndarray, backward: np.ndarray) -> Edge:
    """Return an edge whose rates, constant along the other axes, are spread over the grid."""
    return Edge(offset, *(np.broadcast_to(rates, grid.shape).copy() for rates in (forward, backward)))


def _beside_velocities(values: np.ndarray) -> np.ndarray:
    """Return an array on positions, shaped so that it broadcasts against positions and velocities."""
    return values.reshape(values.shape + (1,) * values.ndim)
