"""Reflecting and absorbing walls for jumps along oblique lattice offsets.

A reflecting wall cuts every oblique edge that would cross it. Left so, the diffusion along the wall is too weak in a
layer as deep as the longest offset and the scheme is first order. Here the layer is mended such that

1. a linear function u without conormal flux, n·D∇u = 0, is a steady state in every row of cells at the wall. With j
   counting rows from the wall, edges that span a rows are weighted by a profile s_a(j) for which the flux through
   every face is the same multiple of Σ_e λ_e a_e ∂_e u = 0: s_a is the running sum of Π_{b≠a} (1 + … + z^{b−1})/b,
   the product taken over the spans b that occur. It is 1 in all rows where all spans are 1.
2. the Dirichlet form of such a function loses nothing: each offset lacks d_e = a/2 + Σ_j (1 − s_a(j)) rows of edges,
   and as ∂_e u = t_e·∇u with the tangential vector t_e = e_t − a D_tn/D_nn, the sum Σ_e d_e λ_e t_e t_eᵀ is put back
   as diffusion inside the wall, decomposed into tangential offsets. It is positive, so rates stay so.

Both change symmetric conductances only, so that detailed balance and conservation are untouched. Cells in a corner
that are cut on both sides of an offset are linked to their neighbours, by up to 1/(D⁻¹)_kk along axis k.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fpsolver.generators.lattice_basis import selling_decomposition
from fpsolver.grids import Grid

Offset = tuple[int, ...]
PLANE_ANISOTROPY = 1e3
"""Largest anisotropy of the diffusion that is put back inside a wall plane of three-dimensional grids."""


@dataclass(frozen=True)
class Wall:
    """One side of a grid.

    Parameters
    ----------
    axis : int
        The normal direction.
    side : {0, 1}
        Lower or upper end.
    """

    axis: int
    side: int

    def rows(self, field: np.ndarray, depth: int | None = None) -> np.ndarray:
        """Return a view of a field with the rows counted from the wall first, at most `depth` of them.

        Fields with one row only, which broadcast, keep it.
        """
        moved = np.moveaxis(field, self.axis, 0)
        if moved.shape[0] == 1:
            return moved
        return (moved[::-1] if self.side else moved)[:depth]

    def span(self, offset: Offset) -> int:
        """Return how many rows an offset leads away from the wall."""
        return -offset[self.axis] if self.side else offset[self.axis]

    def tangential(self, offset: Offset) -> Offset:
        """Return the offset without its normal component."""
        return tuple(step for k, step in enumerate(offset) if k != self.axis)


def walls(grid: Grid, kind: str) -> Iterator[Wall]:
    """Yield the sides of a grid that have a kind of boundary."""
    for k, axis in enumerate(grid.axes):
        for side in (0, 1):
            if axis.boundary[side] == kind:
                yield Wall(k, side)


def taper_profile(span: int, spans: tuple[int, ...], rows: int) -> np.ndarray:
    """Return the weight s_a(j) of edges that span a rows and begin in row j from a reflecting wall.

    Parameters
    ----------
    span : int
        a.
    spans : tuple of int
        All spans that occur.
    rows : int
        How many values are wanted.

    Examples
    --------
    >>> taper_profile(1, (1, 2), 3).tolist(), taper_profile(2, (1, 2), 3).tolist()
    ([0.5, 1.0, 1.0], [1.0, 1.0, 1.0])
    """
    steps = np.ones(1)
    for other in spans:
        if other != span:
            steps = np.convolve(steps, np.full(other, 1.0 / other))
    profile = np.ones(rows)
    profile[: len(steps)] = np.cumsum(steps)[:rows]
    return profile


@dataclass(frozen=True, eq=False)
class WallLayer:
    """How edges are weighted in the layer at a reflecting wall, for each column of cells at it.

    Parameters
    ----------
    wall : Wall
        The wall.
    profiles : dict
        s_a(j) by span, shape (rows, *columns).
    deficits : dict
        Missing rows of edges by span, shape (*columns).
    depth : ndarray
        Rows over which the missing diffusion is spread, the longest span, shape (*columns).
    untapered : bool
        Whether in some column the layer would not fit into half the grid, so that there all weights are 1.
    """

    wall: Wall
    profiles: dict[int, np.ndarray]
    deficits: dict[int, np.ndarray]
    depth: np.ndarray
    untapered: bool


def wall_layer(weights: dict[Offset, np.ndarray], grid: Grid, wall: Wall) -> WallLayer | None:
    """Return the layer at a reflecting wall, or None where all offsets run along it.

    Parameters
    ----------
    weights : dict
        λ_e by offset.
    grid : Grid
        The grid.
    wall : Wall
        The wall.
    """
    spans = tuple(sorted({abs(wall.span(e)) for e in weights} - {0}))
    if not spans:
        return None
    at_wall = {e: wall.rows(weight, 1)[0] > 0 for e, weight in weights.items()}
    present = np.stack([np.any([at_wall[e] for e in weights if abs(wall.span(e)) == a], axis=0) for a in spans])
    columns = present.shape[1:]
    patterns, which = np.unique(present.reshape(len(spans), -1), axis=1, return_inverse=True)
    chosen = [tuple(a for a, there in zip(spans, pattern, strict=True) if there) for pattern in patterns.T]
    half = grid.shape[wall.axis] // 2
    fits = [sum(a - 1 for a in pattern) < half for pattern in chosen]
    rows = 1 + max((sum(a - 1 for a in pattern) for pattern, fit in zip(chosen, fits, strict=True) if fit), default=0)
    profiles, deficits = {}, {}
    for a in spans:
        table = np.stack(
            [taper_profile(a, pattern if fit else (), rows) for pattern, fit in zip(chosen, fits, strict=True)], axis=1
        )
        profiles[a] = table[:, which.ravel()].reshape(rows, *columns)
        deficits[a] = 0.5 * a + (1.0 - profiles[a]).sum(axis=0)
    longest = np.array([max(pattern, default=1) for pattern in chosen])
    depth = np.minimum(longest, grid.shape[wall.axis])[which.ravel()].reshape(columns)
    return WallLayer(wall, profiles, deficits, depth, not all(fits))


def taper(conductances: dict[Offset, np.ndarray], layer: WallLayer) -> None:
    """Weight the edges in the layer at a wall by their profiles, in place."""
    wall = layer.wall
    for offset, conductance in conductances.items():
        span = wall.span(offset)
        if span == 0 or (layer.profiles[abs(span)] == 1).all():
            continue
        profile = layer.profiles[abs(span)]
        # An edge has its two ends in different columns: the mean of their profiles is symmetric.
        profile = 0.5 * (profile + shifted(profile, (0, *wall.tangential(offset))))
        stored = wall.rows(conductance)[max(0, -span) :][: len(profile)]
        stored *= profile[: len(stored)]


def add_tangential(
    conductances: dict[Offset, np.ndarray],
    weights: dict[Offset, np.ndarray],
    tensors: np.ndarray,
    grid: Grid,
    layer: WallLayer,
) -> None:
    """Put the diffusion along a wall that cut edges lack back as edges inside the wall, in place.

    Parameters
    ----------
    conductances : dict
        Edge conductances by offset, of the grid's shape.
    weights : dict
        λ_e by offset.
    tensors : ndarray, shape (..., d, d)
        D in lattice units.
    grid : Grid
        The grid.
    layer : WallLayer
        The layer.
    """
    wall, k = layer.wall, layer.wall.axis
    rows = int(layer.depth.max())
    others = [n for n in range(grid.dimension) if n != k]
    near = wall.rows(tensors, rows)
    slope = near[..., others, k] / near[..., k, k][..., None]
    missing = np.zeros((*near.shape[:-2], len(others), len(others)))
    for offset, weight in weights.items():
        if offset[k] == 0:
            continue
        tangent = np.array(wall.tangential(offset)) - offset[k] * slope
        share = wall.rows(weight, rows) * layer.deficits[abs(offset[k])] / layer.depth
        missing = missing + share[..., None, None] * tangent[..., :, None] * tangent[..., None, :]
    inside = np.arange(rows).reshape(-1, *(1,) * len(others)) < layer.depth
    for tangential, weight in decompose(_bounded_anisotropy(missing)).items():
        offset = (*tangential[:k], 0, *tangential[k:])
        added = np.where(inside, weight, 0.0)
        added = 0.5 * (added + shifted(added, (0, *tangential)))
        conductance = conductances.setdefault(offset, np.zeros(grid.shape))
        stored = wall.rows(conductance, rows)
        stored += added


def link_corners(
    conductances: dict[Offset, np.ndarray], weights: dict[Offset, np.ndarray], tensors: np.ndarray, grid: Grid
) -> None:
    """Link cells that are cut on both sides of an offset to all their neighbours, in place.

    They fill the neighbourhood of lines where walls meet, whose share of the Dirichlet form is of second order. Along
    axis k, which such a line may follow, ∇u is parallel to D⁻¹e_k; the link brings its form up to (∂_k u)²/(D⁻¹)_kk.
    """
    cut = np.zeros(grid.shape, dtype=bool)
    for offset, weight in weights.items():
        backward = tuple(-step for step in offset)
        cut |= ~inside(grid, offset) & ~inside(grid, backward) & (weight > 0)
    if not cut.any():
        return
    inverse = np.linalg.inv(np.broadcast_to(tensors, (*grid.shape, *tensors.shape[-2:]))[cut])
    links = {}
    for k in range(grid.dimension):
        full = 1.0 / inverse[:, k, k]
        # The gradient that two walls leave where they meet along axis k, with unit slope along it.
        gradient = inverse[:, :, k] * full[:, None]
        links[k] = np.zeros(grid.shape)
        links[k][cut] = np.maximum(full - _dirichlet_form(conductances, cut, gradient, grid), 0.0)
    for k, linked in links.items():
        offset = tuple(int(n == k) for n in range(grid.dimension))
        conductance = conductances.setdefault(offset, np.zeros(grid.shape))
        conductance += 0.5 * (linked + shifted(linked, offset))


def _dirichlet_form(
    conductances: dict[Offset, np.ndarray], cells: np.ndarray, gradient: np.ndarray, grid: Grid
) -> np.ndarray:
    """Return Σ c_e (e·∇u)² over the edges of some cells, half of each edge counted at either end."""
    total = np.zeros(len(gradient))
    for offset, conductance in conductances.items():
        present = conductance * inside(grid, offset)
        backward = tuple(-step for step in offset)
        total += 0.5 * (present + shifted(present, backward))[cells] * (gradient @ np.array(offset)) ** 2
    return total


def decompose(tensors: np.ndarray) -> dict[Offset, np.ndarray]:
    """Return λ_e by offset, the union over cells; zero in cells where another decomposition holds.

    Parameters
    ----------
    tensors : ndarray, shape (..., d, d)
        D in lattice units; zero matrices are allowed.
    """
    cells = tensors.shape[:-2]
    flat = tensors.reshape(-1, *tensors.shape[-2:])
    nonzero = np.flatnonzero(np.einsum("...kk->...", flat) > 0)
    weights, offsets = selling_decomposition(flat[nonzero])
    owner = np.broadcast_to(nonzero[:, None], weights.shape)[weights > 0]
    offsets, weights = offsets[weights > 0], weights[weights > 0]
    if not len(weights):
        return {}
    reach = int(np.abs(offsets).max())
    base = (2 * reach + 1) ** np.arange(offsets.shape[1])
    _, first, which = np.unique((offsets + reach) @ base, return_index=True, return_inverse=True)
    union = {}
    for n, index in enumerate(first):
        field = np.zeros(len(flat))
        field[owner[which == n]] = weights[which == n]
        union[tuple(int(step) for step in offsets[index])] = field.reshape(cells)
    return union


def inside(grid: Grid, offset: Offset) -> np.ndarray:
    """Return in which cells a jump along an offset stays on the grid, broadcastable to its shape."""
    stays = np.ones((1,) * grid.dimension, dtype=bool)
    for k, axis in enumerate(grid.axes):
        if not axis.periodic:
            target = np.arange(axis.cells) + offset[k]
            stays = stays & grid.along(k, (target >= 0) & (target < axis.cells))
    return stays


def shifted(field: np.ndarray, offset: Offset) -> np.ndarray:
    """Return the field at cell + offset, stored at the cell; axes of one cell broadcast."""
    steps = [(k, -step) for k, step in enumerate(offset) if step and field.shape[k] > 1]
    if not steps:
        return field
    return np.roll(field, [step for _, step in steps], axis=[k for k, _ in steps])


def _bounded_anisotropy(tensors: np.ndarray) -> np.ndarray:
    """Raise small eigenvalues of tangential tensors, so that their offsets stay short."""
    if tensors.shape[-1] == 1:
        return tensors
    eigenvalues, vectors = np.linalg.eigh(tensors)
    raised = np.maximum(eigenvalues, eigenvalues[..., -1:] / PLANE_ANISOTROPY)
    return np.einsum("...ik,...k,...jk->...ij", vectors, raised, vectors)
