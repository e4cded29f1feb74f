"""Where the wall of a target cuts the edges between cells, and the rate at which probability crosses to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics import Langevin
from fpsolver.generators.finite_volume import WEIGHTS, Sample, wall_rate
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.grids import Grid
from fpsolver.regions import Box, Region


@dataclass(frozen=True, eq=False)
class Crossing:
    """Edges along one signed lattice vector that lead from outside a target into it.

    Parameters
    ----------
    offset : tuple of int
        Signed lattice vector from the outer cell to the inner one.
    cells, inside : ndarray of int, shape (n,)
        Outer and inner cells, as indices in C order.
    labels : ndarray of int, shape (n,)
        Number of the target that the edge enters, from 1.
    fraction : ndarray, shape (n,)
        Where along the edge the wall stands, in (0, 1].
    rate : ndarray, shape (n,)
        Rate from the outer cell to the wall, before the outer cell's volume is cut at it.
    outward, inward : ndarray, shape (n,)
        Rates of the uncut edge, outer → inner cell and inner → outer.
    """

    offset: tuple[int, ...]
    cells: np.ndarray
    inside: np.ndarray
    labels: np.ndarray
    fraction: np.ndarray
    rate: np.ndarray
    outward: np.ndarray
    inward: np.ndarray

    @property
    def axis(self) -> int | None:
        """The axis the edge runs along, None for an oblique edge."""
        along = [k for k, step in enumerate(self.offset) if step]
        return along[0] if len(along) == 1 else None

    @property
    def side(self) -> int:
        """The direction of the first step that is not zero, +1 or −1."""
        return next(1 if step > 0 else -1 for step in self.offset if step)


def diffusive(W: Generator) -> bool:
    """Return whether the edges discretise diffusion, so that a wall between two centres has a rate of its own."""
    return isinstance(W.dynamics, Langevin)


def crossings(W: Generator, labels: np.ndarray, regions: tuple[Region, ...]) -> tuple[Crossing, ...]:
    """Return the edges that enter targets, with the rates to their walls.

    For diffusion along an edge of length h from x_i, rate K Φ(ΔU)/(h w_i), to a wall at distance d = f·h the rate is
    K Φ(ΔU_wall)/(d w_i), with ΔU_wall from the landscape's exact value at the wall and Φ the scheme's weight.
    Jump processes land in the target or do not; their rates stay as they are.

    Parameters
    ----------
    W : Generator
        The generator, with edges.
    labels : ndarray of int
        0 outside, k inside the k-th region, of the grid's shape.
    regions : tuple of Box, callable, ndarray or index
        The regions; the wall of a `Box` stands where it is, others are bounded by faces.
    """
    found = []
    for edge in W.edges:
        for sign in (1, -1):
            crossing = _crossing(W, edge, sign, labels, regions)
            if crossing is not None:
                found.append(crossing)
    return tuple(found)


def _crossing(W: Generator, edge: Edge, sign: int, labels: np.ndarray, regions: tuple[Region, ...]) -> Crossing | None:
    axes = tuple(range(W.grid.dimension))
    there = np.roll(labels, tuple(-step for step in edge.offset), axis=axes)
    exists = edge.forward + edge.backward > 0
    outer, inner = (labels, there) if sign > 0 else (there, labels)
    stored = np.nonzero(exists & (outer == 0) & (inner > 0))
    if len(stored[0]) == 0:
        return None
    ends = tuple((i + step) % n for i, step, n in zip(stored, edge.offset, W.grid.shape, strict=True))
    start, end = (stored, ends) if sign > 0 else (ends, stored)
    rates = (edge.forward[stored], edge.backward[stored])
    outward, inward = rates if sign > 0 else rates[::-1]
    offset = tuple(sign * step for step in edge.offset)
    entered = labels[end]
    position, displacement = _segments(W.grid, start, offset)
    if diffusive(W):
        fraction = np.ones(len(outward))
        for number, region in enumerate(regions, start=1):
            chosen = entered == number
            if isinstance(region, Box):
                fraction[chosen] = _box_fraction(W.grid, region, position[chosen], displacement[chosen])
            else:
                here = tuple(index[chosen] for index in start)
                fraction[chosen] = _face_fraction(W.grid, labels == number, here, offset)
        volumes = W.grid.volumes
        flow = (outward * volumes[start], inward * volumes[end])
        rate = _wall_rate(W, start, (position, displacement), fraction, flow)
    else:
        fraction, rate = np.full(len(outward), 0.5), outward
    flat = [np.ravel_multi_index(index, W.grid.shape) for index in (start, end)]
    return Crossing(offset, flat[0], flat[1], entered, fraction, rate, outward, inward)


def _segments(grid: Grid, start: tuple[np.ndarray, ...], offset: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the outer centres and the displacements to the inner ones, unwrapped, each of shape (n, d)."""
    positions, displacements = [], []
    for axis, index, step in zip(grid.axes, start, offset, strict=True):
        turns, wrapped = np.divmod(index + step, axis.cells)
        positions.append(axis.centres[index])
        displacements.append(axis.centres[wrapped] + turns * (axis.upper - axis.lower) - axis.centres[index])
    return np.stack(positions, axis=-1), np.stack(displacements, axis=-1)


def _box_fraction(grid: Grid, box: Box, position: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """Return where along each segment the box begins, as a fraction of its length."""
    entry = np.zeros(len(position))
    for name, bounds in box.bounds.items():
        k = grid.index(name)
        entry = np.maximum(entry, _entry(grid.axes[k], bounds, position[:, k], displacement[:, k]))
    # A wall on a centre belongs to the inside, so only rounding can bring the fraction to zero.
    return np.clip(entry, 1e-12, 1.0)


def _face_fraction(grid: Grid, mask: np.ndarray, start: tuple[np.ndarray, ...], offset: tuple[int, ...]) -> np.ndarray:
    """Return where along edges with this offset the first cell of the mask begins, as a fraction of the edge."""
    along = [k for k, step in enumerate(offset) if step]
    if len(along) == 1 and abs(offset[along[0]]) == 1:
        axis, index = grid.axes[along[0]], start[along[0]]
        length = axis.distances[index if offset[along[0]] > 0 else index - 1]
        return 0.5 * axis.widths[index] / length
    # In lattice units the edge runs from one centre to another and meets the planes of faces at these fractions.
    met = {(j - 0.5) / abs(step) for step in offset for j in range(1, abs(step) + 1)}
    breaks = [*sorted(met), 1.0]
    fraction = np.full(len(start[0]), breaks[-2])
    for begin, end in reversed(list(pairwise(breaks))):
        shift = [int(np.floor(0.5 * (begin + end) * step + 0.5)) for step in offset]
        cell = tuple((i + s) % n for i, s, n in zip(start, shift, grid.shape, strict=True))
        fraction[mask[cell]] = begin
    return fraction


def _entry(axis: Any, bounds: tuple[float | None, float | None], x: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return the fraction of a step after which a coordinate lies between the bounds; 0 where it does already."""
    lower = -np.inf if bounds[0] is None else bounds[0]
    upper = np.inf if bounds[1] is None else bounds[1]
    period = axis.upper - axis.lower
    if axis.periodic:
        # An open side on a circle ends at the seam.
        lower, upper = max(lower, axis.lower), min(upper, axis.upper)
    outside = ((x < lower) | (x > upper)) & (step != 0)
    gap = np.where(step > 0, lower - x, x - upper)
    if axis.periodic:
        gap = gap % period
    return np.where(outside, gap / np.where(step == 0, 1.0, np.abs(step)), 0.0)


def _straight(W: Generator, crossing_axes: np.ndarray) -> bool:
    """Return whether the edges are those of the finite-volume scheme along one axis."""
    dynamics = W.dynamics
    return len(crossing_axes) == 1 and "tensor" not in (dynamics.mobility.kind, dynamics.noise.kind)


def _wall_rate(
    W: Generator,
    start: tuple[np.ndarray, ...],
    segments: tuple[np.ndarray, np.ndarray],
    fraction: np.ndarray,
    flow: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return the rates from outer cells, with their whole volumes, to a wall at a fraction of the edge."""
    position, displacement = segments
    wall = position + fraction[:, None] * displacement
    along = np.flatnonzero((displacement != 0).any(axis=0))
    if _straight(W, along):
        axis = int(along[0])
        width = W.grid.axes[axis].widths[start[axis]]
        loss = loss_on_grid(W.dynamics.landscape, W.grid, position)
        return wall_rate(Sample(W.dynamics, W.grid), axis, position, wall, loss, width, W.scheme)
    return _oblique_flow(W, position, displacement, fraction, flow) / W.grid.volumes[start]


def _oblique_flow(
    W: Generator,
    position: np.ndarray,
    displacement: np.ndarray,
    fraction: np.ndarray,
    flow: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return rate times volume towards a wall from the two flows along the uncut edge."""
    pair = WEIGHTS["sqra" if "sqra" in W.scheme else "scharfetter-gummel"]
    outward, inward = flow
    with np.errstate(divide="ignore"):
        whole = np.clip(np.log(inward) - np.log(outward), -1400.0, 1400.0)
    # The larger of the two flows carries the conductance with all its digits.
    conductance = np.where(outward >= inward, outward, inward) / np.maximum(*pair(whole))
    part = fraction * whole
    dynamics = W.dynamics
    if dynamics.diffusion_is_thermal:
        inside = np.ones(len(position), dtype=bool)
        for k, axis in enumerate(W.grid.axes):
            end = position[:, k] + displacement[:, k]
            inside &= (end >= axis.lower) & (end <= axis.upper)
        here, wall, there = (
            loss_on_grid(dynamics.landscape, W.grid, position[inside] + share * displacement[inside])
            for share in (0.0, fraction[inside, None], 1.0)
        )
        # What the loss does not explain, the work of a force, is spread evenly over the edge.
        rest = whole[inside] - (there - here) / dynamics.temperature
        part[inside] = (wall - here) / dynamics.temperature + fraction[inside] * rest
    return conductance * pair(part)[0] / fraction
