"""Persistent homology of sublevel sets on a grid, in every dimension, by gudhi's cubical complexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import LandscapeError
from fpsolver.grids import Grid
from fpsolver.landscapes.critical_cells import CriticalCells
from fpsolver.landscapes.values_on_grid import cell_values


@dataclass(frozen=True, eq=False)
class PersistencePairs:
    """Features of the sublevel sets {L ≤ c}: where each appears and where it is gone, lowest birth first.

    Attributes
    ----------
    births, deaths : CriticalCells
        In dimension 0, minima and the saddles where their components merge; in dimension 1, saddles that close a loop
        and the cells that fill it (in two dimensions, maxima). What stays for ever dies at infinity.
    """

    births: CriticalCells
    deaths: CriticalCells

    def __len__(self) -> int:
        return len(self.births)

    @property
    def persistence(self) -> np.ndarray:
        """Death minus birth, (n,)."""
        return self.deaths.values - self.births.values


def persistence_pairs(landscape: Any, grid: Grid, *, dimension: int = 0) -> PersistencePairs:
    """Return the pairs of birth and death of the homology of sublevel sets.

    Parameters
    ----------
    landscape : Landscape or array_like
        The landscape, taken at cell centres, or one value per cell.
    grid : Grid
        The grid; the ends of periodic axes are joined.
    dimension : int
        0 for components, 1 for loops, 2 for voids; below the dimension of the grid, or equal to it where all axes are
        periodic.

    Returns
    -------
    PersistencePairs
        Without the pairs of no persistence, which tell of plateaus only.

    Raises
    ------
    GridError
        If landscape and grid do not fit.
    LandscapeError
        If a value is not finite, there is no such dimension, or gudhi is missing.

    Notes
    -----
    Cells are closed cubes, so that two that share a corner are connected, as in `merge_tree`; faces, edges and corners
    appear with the lowest cell around them.

    Examples
    --------
    >>> pairs = persistence_pairs([0.0, 3.0, 1.0, 2.0, -1.0], Grid(x=(0, 5, 5)))
    >>> pairs.births.values.tolist(), pairs.deaths.values.tolist()
    ([-1.0, 0.0, 1.0], [inf, 3.0, 2.0])
    """
    values = cell_values(landscape, grid)
    if not 0 <= dimension <= grid.dimension:
        raise LandscapeError(f"dimension = {dimension!r}: homology here goes from 0 to {grid.dimension}")
    paired, lasting = _complex(values, grid).cofaces_of_persistence_pairs()
    first, last = paired[dimension].T if dimension < len(paired) else np.empty((2, 0), dtype=np.int64)
    stays = lasting[dimension] if dimension < len(lasting) else np.empty(0, dtype=np.int64)
    births = _cells(np.concatenate([first, stays]), grid)
    deaths = np.concatenate([_cells(last, grid), np.full(len(stays), -1)])
    order = np.argsort(values.ravel()[births], kind="stable")
    return PersistencePairs(
        CriticalCells.of(grid, values, births[order]), CriticalCells.of(grid, values, deaths[order])
    )


def _cells(numbers: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the numbers of cells in C order; gudhi counts along the first axis first."""
    return np.ravel_multi_index(np.unravel_index(numbers.astype(np.int64), grid.shape, order="F"), grid.shape)


def _complex(values: np.ndarray, grid: Grid) -> Any:
    try:
        import gudhi
    except ImportError:
        raise LandscapeError('persistent homology needs gudhi: pip install "fpsolver[topology]"') from None
    periodic = [axis.periodic for axis in grid.axes]
    if any(periodic):
        cells = gudhi.PeriodicCubicalComplex(top_dimensional_cells=values, periodic_dimensions=periodic)
    else:
        cells = gudhi.CubicalComplex(top_dimensional_cells=values)
    cells.compute_persistence(homology_coeff_field=2)
    return cells
