"""Rates between minima measured from committors: cores around the minima and the last core that was visited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.densities import loss_on_grid
from fpsolver.errors import LandscapeError, MethodError
from fpsolver.grids import Grid
from fpsolver.landscapes.critical_points import StationaryPoint
from fpsolver.landscapes.landscape import Landscape
from fpsolver.solvers.linear import solve_generator
from fpsolver.solvers.stationary import stationary

# Probability below which a cell counts as empty: its reversed rates would be ratios of numbers that underflow.
_NO_MASS = 1e-200


@dataclass(frozen=True, eq=False)
class CoreRates:
    """Transitions between cores in the stationary state.

    Parameters
    ----------
    fluxes : ndarray, shape (n, n)
        Transitions i → j per unit time, zero on the diagonal.
    overlaps : ndarray, shape (n, n)
        M_ij = ⟨q⁻_i, q⁺_j⟩_π: probability to have come from core i and to go to core j next.
    committors : ndarray, shape (n, *shape)
        q⁺_j, the probability to reach core j before any other.
    """

    fluxes: np.ndarray
    overlaps: np.ndarray
    committors: np.ndarray


def cores_around(
    landscape: Landscape, grid: Grid, minima: Sequence[StationaryPoint], depth: float
) -> tuple[np.ndarray, ...]:
    """Return a core for each minimum: the cells around it with L ≤ L_min + depth.

    Where such a set holds a second minimum the depth is halved until it does not.

    Parameters
    ----------
    landscape : Landscape
        The landscape.
    grid : Grid
        The grid.
    minima : sequence of StationaryPoint
        The minima.
    depth : float
        In units of loss.

    Returns
    -------
    tuple of ndarray of bool
        Of the grid's shape.

    Raises
    ------
    LandscapeError
        If two minima lie in one cell.
    """
    from scipy.ndimage import label

    loss = loss_on_grid(landscape, grid)
    cells = [cell_of(landscape, grid, minimum) for minimum in minima]
    if len(set(cells)) < len(cells):
        raise LandscapeError("two of the minima lie in one cell of the grid; refine it, or leave one out of minima=")
    result = []
    for cell in cells:
        level = depth
        while True:
            components, _ = label(loss <= loss[cell] + level)
            core = components == components[cell]
            if not any(core[other] for other in cells if other != cell):
                break
            level /= 2.0
        result.append(core)
    return tuple(result)


def cell_of(landscape: Landscape, grid: Grid, point: StationaryPoint) -> tuple[int, ...]:
    """Return the index of the cell that holds a point."""
    order = grid.order(landscape.variables)
    place = dict(zip(order, point.position, strict=True))
    return tuple(
        int(np.clip(np.searchsorted(axis.faces, place[k], side="right") - 1, 0, axis.cells - 1))
        for k, axis in enumerate(grid.axes)
    )


def core_rates(W: Any, cores: Sequence[np.ndarray], tolerance: float = 1e-9) -> CoreRates:
    """Return the stationary transitions between cores of a Markov generator, from its committors.

    With q⁺_j the probability to reach core j before any other and q⁻_i that to have come from core i last, there are
    Σ_{x ∈ i} π_x Σ_y W_yx q⁺_j(y) transitions i → j per unit time: a sum of positive terms, which keeps its digits over
    high barriers.

    Parameters
    ----------
    W : Generator
        Autonomous, Markov, without absorbing walls; detailed balance is not needed.
    cores : sequence of ndarray of bool
        Disjoint sets of cells, of the grid's shape.
    tolerance : float
        Error asked of the linear solver.

    Raises
    ------
    MethodError
        If walls of the grid absorb, the generator is not Markov, or cores overlap.
    """
    if not W.markov or W.absorbing:
        raise MethodError(
            "rates from committors need a Markov generator without absorbing walls, which would leave no stationary "
            f"state, not {W!r}; make the walls reflecting, or choose a Markov scheme"
        )
    masks = np.array([np.ravel(core) for core in cores])
    if masks.sum(axis=0).max() > 1:
        raise MethodError("cores overlap; make them disjoint, for instance by a smaller core_depth=")
    if not masks.any(axis=1).all():
        raise MethodError("a core holds no cell centre; refine the grid or give a larger core")
    mass = (np.asarray(stationary(W)) * W.grid.volumes).ravel()
    mass /= mass.sum()
    forward = _committors(W.matrix, masks, tolerance)
    backward = forward if W.reversible else _committors(_reversed(W.matrix, mass), masks, tolerance)
    # Row x of Wᵀ holds the rates out of x.
    leaving = (W.matrix.T @ forward.T).T
    fluxes = np.where(masks, mass, 0.0) @ leaving.T
    np.fill_diagonal(fluxes, 0.0)
    overlaps = (backward * mass) @ forward.T
    if W.reversible:
        fluxes, overlaps = (fluxes + fluxes.T) / 2.0, (overlaps + overlaps.T) / 2.0
    return CoreRates(fluxes, overlaps, forward.reshape(-1, *W.grid.shape))


def times_to_core(W: Any, core: np.ndarray, tolerance: float = 1e-9) -> np.ndarray:
    """Return the mean time from each cell to reach the cells of a core, of the grid's shape; in them it is zero.

    The core is that of `core_rates`, entered where its cells are, not where their walls stand: a rare way past a small
    core into a deep basin may decide a time, and then both sides of a comparison have to mean the same core.
    """
    outside = ~np.ravel(core)
    columns = sparse.csc_array(W.matrix)[:, outside].tocsr()
    killing = np.asarray(columns[~outside].sum(axis=0)).ravel()
    times = np.zeros(outside.size)
    times[outside] = solve_generator(
        columns[outside], -np.ones(int(outside.sum())), tolerance, adjoint=True, killing=killing
    )[0]
    return times.reshape(W.grid.shape)


def _committors(matrix: sparse.csr_array, masks: np.ndarray, tolerance: float) -> np.ndarray:
    """Return the probability to reach each core before the others, shape (cores, cells)."""
    outside = ~masks.any(axis=0)
    columns = sparse.csc_array(matrix)[:, outside]
    rates = np.array([np.asarray(columns[mask].sum(axis=0)).ravel() for mask in masks])
    inner = columns.tocsr()[outside]
    solution, _ = solve_generator(inner, -rates.T, tolerance, adjoint=True, killing=rates.sum(axis=0))
    result = masks.astype(float)
    result[:, outside] = np.maximum(solution.T, 0.0)
    # They add up to one; what the solver left is shared out in proportion.
    return result / result.sum(axis=0)


def _reversed(matrix: sparse.csr_array, mass: np.ndarray) -> sparse.csr_array:
    """Return the generator Π Wᵀ Π⁻¹ of the process seen backwards in time; that of W itself in cells without mass."""
    full = mass > _NO_MASS
    inverse = np.where(full, 1.0 / np.where(full, mass, 1.0), 0.0)
    backward = sparse.diags_array(mass) @ matrix.T @ sparse.diags_array(inverse)
    rates = sparse.csr_array(backward + matrix @ sparse.diags_array(np.where(full, 0.0, 1.0)))
    # Columns have to sum to zero to rounding also where the mass is next to nothing.
    off = rates - sparse.diags_array(rates.diagonal())
    return sparse.csr_array(off - sparse.diags_array(np.asarray(off.sum(axis=0)).ravel()))
