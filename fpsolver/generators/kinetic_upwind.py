"""Monotone generator of underdamped dynamics that keeps the Gibbs state exactly.

Written for the Gibbs density ρ = e^{−mv²/2T − L/T}, the motion dx = v dt, dv = −L'/m dt carries the flux
(vρ, −L'ρ/m) = (∂_vΨ, −∂_xΨ) with the stream function Ψ = −(T/m)ρ. Taking Ψ on the corners of the cells and its differences
as fluxes F through the faces makes the discrete flux free of divergence whatever Ψ is, so jumps at the rates max(±F, 0)/π
leave the weights π stationary. Ψ = 0 on a wall closes it: in the cells at a wall the flux turns from −v to v, which is
specular reflection as the cells shrink. Friction and noise add conductances K with detailed balance along v. There, jumps
at rates (K ± F/2)/π are admissible where K ≥ |F|/2; elsewhere K is raised to |F|/2, which is upwinding.
"""

from __future__ import annotations

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics.underdamped import UnderdampedLangevin
from fpsolver.generators.generator import Edge, Generator
from fpsolver.generators.kinetic_sample import KineticSample
from fpsolver.grids import Grid
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
        Position axes, reflecting (specular), absorbing or periodic, each with a velocity axis.

    Raises
    ------
    GridError
        If the grid has no velocity axes or does not fit the landscape.
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
    drifts, kicks = [], []
    for axis in range(sample.positions.dimension):
        pull = _pull(sample, axis)
        drifts.append(_position_edge(sample, axis, killing))
        kicks.append(_velocity_edge(sample, axis, pull))
    return Generator(grid, dynamics, "upwind", (*drifts, *kicks), killing, None, (NOTE,))


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


def _wall_weight(sample: KineticSample, axis: int, side: int) -> np.ndarray:
    """Return the Gibbs weight on a wall over that of the cell beside it: zero closes the wall.

    On an absorbing wall it is that of the face between the cell and its image, at twice the distance of the wall.
    """
    positions, cells = sample.positions, _side(sample.positions, axis, side)
    if positions.axes[axis].boundary[side] != "absorbing":
        return np.zeros_like(sample.potential[cells])
    centres = positions.points[cells]
    wall = centres.copy()
    wall[..., axis] = positions.axes[axis].faces[(0, -1)[side]]
    landscape = sample.dynamics.landscape
    rise = loss_on_grid(landscape, positions, wall) - loss_on_grid(landscape, positions, centres)
    return bernoulli_pair(2 * rise / sample.dynamics.temperature)[0]


def _position_edge(sample: KineticSample, axis: int, killing: np.ndarray) -> Edge:
    """Return the jumps along a position axis; outflow through absorbing walls is added to `killing`."""
    grid, positions = sample.grid, sample.positions
    diffusivity = sample.thermal_speeds[axis] ** 2
    drift = grid.along(positions.dimension + axis, _drift(sample, axis))
    outward, inward = diffusivity * np.maximum(drift, 0), diffusivity * np.maximum(-drift, 0)
    climb, descent = bernoulli_pair(sample.steps[axis])
    widths = positions.along(axis, positions.axes[axis].widths)
    up, down = climb / widths, descent / np.roll(widths, -1, axis=axis)
    if not positions.axes[axis].periodic:
        last = _side(positions, axis, 1)
        up[last] = down[last] = 0.0
        for side, leaving in ((0, inward), (1, outward)):
            cells = _side(positions, axis, side)
            killing[cells] += _beside_velocities(_wall_weight(sample, axis, side) / widths[cells]) * leaving
    offset = tuple(int(k == axis) for k in range(grid.dimension))
    return Edge(offset, _beside_velocities(up) * outward, _beside_velocities(down) * inward)


def _velocity_edge(sample: KineticSample, axis: int, pull: np.ndarray) -> Edge:
    """Return the jumps along a velocity axis: force, friction and noise."""
    grid, d = sample.grid, sample.positions.dimension
    velocity, diffusivity = sample.velocities[axis], sample.thermal_speeds[axis] ** 2
    climb, descent = bernoulli_pair(_kinetic_steps(sample, axis))
    widths, distances = velocity.widths, np.append(velocity.distances[:-1], np.inf)
    up = grid.along(d + axis, np.append(diffusivity * climb / widths[:-1], 0.0))
    down = grid.along(d + axis, np.append(diffusivity * descent / widths[1:], 0.0))
    half = _beside_velocities(0.5 * pull)
    friction = grid.along(d + axis, sample.dynamics.friction / distances)
    conductance = np.maximum(friction, np.abs(half))
    offset = tuple(int(k == d + axis) for k in range(grid.dimension))
    forward, backward = (conductance + half) * up, (conductance - half) * down
    return Edge(offset, *(np.broadcast_to(rates, grid.shape).copy() for rates in (forward, backward)))


def _beside_velocities(values: np.ndarray) -> np.ndarray:
    """Return an array on positions, shaped so that it broadcasts against positions and velocities."""
    return values.reshape(values.shape + (1,) * values.ndim)
