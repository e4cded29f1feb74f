"""Probability currents, from the same edge rates that move the density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import DensityError, MethodError
from fpsolver.generators.rate_matrix import Generator
from fpsolver.grids import Grid


@dataclass(frozen=True, eq=False)
class Current:
    """The probability current of a density.

    Parameters
    ----------
    grid : Grid
        The grid.
    edges : tuple of (offset, flux)
        Net flux of probability i → i + offset per unit time through every edge, stored at cell i.
    to_walls : ndarray
        Probability per unit time that each cell loses to absorbing walls, of the grid's shape.
    vectors : ndarray, shape (*shape, d)
        The current density J at cell centres, in probability per area and time; component k is along axis k.
    """

    grid: Grid
    edges: tuple[tuple[tuple[int, ...], np.ndarray], ...]
    to_walls: np.ndarray
    vectors: np.ndarray

    def faces(self, name: str) -> np.ndarray:
        """Return the normal component of J on the faces of an axis, positive towards larger coordinates.

        Parameters
        ----------
        name : str
            The axis.

        Returns
        -------
        ndarray
            One more than the cells along that axis: the first and last are the walls (zero where reflecting), on a
            periodic axis one and the same face.

        Raises
        ------
        MethodError
            If oblique edges (tensor diffusion) leave a face no flux of its own.
        """
        if any(np.count_nonzero(offset) > 1 or max(map(abs, offset)) > 1 for offset, _ in self.edges):
            raise MethodError(
                "with tensor diffusion probability also moves along oblique edges, so faces have no flux of their own; "
                "use vectors, or the fluxes in edges"
            )
        k = self.grid.index(name)
        axis = self.grid.axes[k]
        flux = np.zeros(self.grid.shape)
        for offset, along in self.edges:
            if offset[k]:
                flux = flux + offset[k] * along
        last = np.take(flux, [-1], axis=k)
        first = last if axis.periodic else np.zeros_like(last)
        faces = np.concatenate([first, flux], axis=k)
        if not axis.periodic:
            for side, cell in ((0, 0), (1, -1)):
                if axis.boundary[side] == "absorbing":
                    wall = tuple(cell if m == k else slice(None) for m in range(self.grid.dimension))
                    faces[wall] = (2 * side - 1) * wall_losses(self.grid, self.to_walls, k)[wall]
        area = self.grid.volumes / self.grid.along(k, axis.widths)
        return faces / np.take(area, [0], axis=k)

    def divergence(self) -> np.ndarray:
        """Return ∇·J at cells, which is −∂p/∂t of the density it was made of, to rounding."""
        axes = tuple(range(self.grid.dimension))
        out = self.to_walls.copy()
        for offset, flux in self.edges:
            out += flux - np.roll(flux, offset, axis=axes)
        return out / self.grid.volumes

    def mean_velocity(self) -> np.ndarray:
        """Return ∫J dθ, the mean velocity d⟨θ⟩/dt of the ensemble (windings on periodic axes counted), shape (d,)."""
        total = np.zeros(self.grid.dimension)
        for offset, flux in self.edges:
            for k, step in enumerate(offset):
                if step:
                    total[k] += float(np.sum(flux * _lengths(self.grid, offset, k)))
        for k, axis in enumerate(self.grid.axes):
            if "absorbing" in axis.boundary:
                outward = _outward(self.grid, k) * wall_losses(self.grid, self.to_walls, k)
                total[k] += float(np.sum(outward * self.grid.along(k, 0.5 * axis.widths)))
        return total


def current(W: Any, p: ArrayLike) -> Current:
    """Return the probability current of a density under a generator.

    The net flux through an edge is k_ij P_i − k_ji P_j with the rates of `W` itself, so that ∇·J = −W p holds to
    rounding and a density in detailed balance carries no current. The vector field at centres is
    J = ½ Σ_edges flux · offset · h / volume over the edges of each cell, of second order.

    Parameters
    ----------
    W : Generator
        A Markov generator at a stated time.
    p : array_like
        A density of the grid's shape.

    Raises
    ------
    MethodError
        If W is driven (use ``W.at(t)``) or not a Markov generator on cells.
    DensityError
        If the density does not fit the grid.

    Examples
    --------
    >>> import fpsolver as fp
    >>> L = fp.Landscape("cos(x) - 0.5*x")
    >>> ring = fp.Grid(x=fp.Axis(0, 2*np.pi, 64, boundary="periodic"))
    >>> W = fp.generator(fp.Langevin(L, temperature=1.0), ring)
    >>> bool(current(W, np.full(64, 1 / (2*np.pi))).mean_velocity()[0] > 0)
    True
    """
    if not hasattr(W, "killing"):
        raise MethodError(f"{type(W).__name__} depends on time; freeze it with W.at(t) to ask for a current")
    if W.markov and not W.lattice:
        raise MethodError(
            f"the {W.scheme} scheme jumps across any distance, and its current is no vector field; take the currents "
            "between cells, fp.markov_network(W).currents(P) with P = density × volume, or for jump processes "
            "fp.thermodynamics.jump_moments"
        )
    if not W.markov:
        raise MethodError(
            f'the {W.scheme} scheme has no fluxes between cells; use scheme="upwind" for currents with velocities'
        )
    values = np.asarray(p, dtype=float)
    if values.shape != W.grid.shape:
        raise DensityError(f"a density of shape {values.shape} does not fit a grid of shape {W.grid.shape}")
    mass = values * W.grid.volumes
    fluxes = edge_fluxes(W, mass)
    lost = W.killing * mass
    vectors = cell_vectors(W.grid, fluxes)
    for k, axis in enumerate(W.grid.axes):
        if "absorbing" in axis.boundary:
            outward = _outward(W.grid, k) * wall_losses(W.grid, lost, k)
            vectors[..., k] += 0.5 * outward * W.grid.along(k, axis.widths) / W.grid.volumes
    return Current(W.grid, fluxes, lost, vectors)


def wall_losses(grid: Grid, lost: np.ndarray, k: int) -> np.ndarray:
    """Return what each cell loses to absorbing walls across axis k.

    A cell in a corner loses through walls of several axes; its loss is shared in proportion to the inverse square
    widths, as without drift.
    """
    shares = [_at_walls(grid, m) * grid.along(m, axis.widths**-2.0) for m, axis in enumerate(grid.axes)]
    total = sum(shares[1:], start=shares[0])
    return lost * shares[k] / np.where(total > 0, total, 1.0)


def _at_walls(grid: Grid, k: int) -> np.ndarray:
    """Return how many absorbing walls across axis k each cell touches."""
    return np.abs(_sides(grid, k)).sum(axis=0)


def _outward(grid: Grid, k: int) -> np.ndarray:
    """Return the direction, −1 or +1, of the absorbing wall across axis k that each cell touches, 0 elsewhere."""
    return _sides(grid, k).sum(axis=0)


def _sides(grid: Grid, k: int) -> np.ndarray:
    """Return −1 at cells on the lower and +1 at cells on the upper absorbing wall across axis k, shape (2, *shape)."""
    sides = np.zeros((2, *grid.shape))
    for side, cell in ((0, 0), (1, -1)):
        if grid.axes[k].boundary[side] == "absorbing":
            sides[(side, *(cell if m == k else slice(None) for m in range(grid.dimension)))] = 2 * side - 1
    return sides


def edge_fluxes(W: Generator, mass: np.ndarray) -> tuple[tuple[tuple[int, ...], np.ndarray], ...]:
    """Return the net flux of probability along every edge, for cell probabilities `mass`."""
    axes = tuple(range(W.grid.dimension))
    result = []
    for edge in W.edges:
        there = np.roll(mass, tuple(-step for step in edge.offset), axis=axes)
        result.append((edge.offset, edge.forward * mass - edge.backward * there))
    return tuple(result)


def cell_vectors(grid: Grid, fluxes: Sequence[tuple[tuple[int, ...], np.ndarray]]) -> np.ndarray:
    """Return ½ Σ flux · offset · h / volume over the edges of every cell, shape (*shape, d)."""
    axes = tuple(range(grid.dimension))
    vectors = np.zeros((*grid.shape, grid.dimension))
    for offset, flux in fluxes:
        for k, step in enumerate(offset):
            if step:
                moved = flux * _lengths(grid, offset, k)
                vectors[..., k] += moved + np.roll(moved, offset, axis=axes)
    return 0.5 * vectors / grid.volumes[..., None]


def _lengths(grid: Grid, offset: tuple[int, ...], k: int) -> np.ndarray:
    """Return the displacement along axis k of every edge with this offset, shaped to broadcast; periodic unwrapped."""
    axis = grid.axes[k]
    turns, wrapped = np.divmod(np.arange(axis.cells) + offset[k], axis.cells)
    displacement = axis.centres[wrapped] + turns * (axis.upper - axis.lower) - axis.centres
    return grid.along(k, displacement)
