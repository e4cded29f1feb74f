"""Basins of attraction on a grid: cells by the minimum where descent ends, with their Boltzmann weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import LandscapeError
from fpsolver.grids import Grid
from fpsolver.landscapes.critical_cells import CriticalCells
from fpsolver.landscapes.descent import lowest_passes, ranks
from fpsolver.landscapes.sublevel_tree import MergeTree, checked_threshold, complete_tree
from fpsolver.landscapes.values_on_grid import cell_values


@dataclass(frozen=True, eq=False)
class Passes:
    """The lowest pass between every two basins that touch.

    Attributes
    ----------
    pairs : ndarray of int (m, 2)
        The two basins, the one with the lower minimum first.
    saddles : CriticalCells
        The m passes.
    """

    pairs: np.ndarray
    saddles: CriticalCells

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True, eq=False)
class Basins:
    """A partition of a grid into basins, numbered as the minima of the tree, lowest first.

    Attributes
    ----------
    grid : Grid
        The grid.
    values : ndarray
        The landscape at cell centres, of the grid's shape.
    labels : ndarray of int
        Number of the basin of every cell, of the grid's shape.
    tree : MergeTree
        The minima and how they merge.
    """

    grid: Grid
    values: np.ndarray
    labels: np.ndarray
    tree: MergeTree

    def __len__(self) -> int:
        return len(self.tree)

    def __repr__(self) -> str:
        return f"Basins({len(self)} on {self.grid!r})"

    def mask(self, k: int, height: float | None = None) -> np.ndarray:
        """Return which cells belong to basin k, or to its core up to a height above its minimum.

        Parameters
        ----------
        k : int
            The basin.
        height : float, optional
            Leaves out what is higher above the minimum, so that cores do not touch: sets for `fpsolver.committor`.

        Raises
        ------
        LandscapeError
            If there is no such basin.
        """
        if not 0 <= k < len(self):
            raise LandscapeError(
                f"there is no basin {k!r}: there are {len(self)}, counted from 0, lowest minimum first"
            )
        inside = self.labels == k
        return inside if height is None else inside & (self.values <= self.tree.minima.values[k] + height)

    def passes(self) -> Passes:
        """Return the lowest pass between every two basins that touch."""
        rank = ranks(self.values)
        pairs, heights = lowest_passes(self.labels.ravel(), rank, self.grid)
        return Passes(pairs, CriticalCells.of(self.grid, self.values, np.argsort(rank)[heights]))

    def free_energies(self, temperature: float) -> np.ndarray:
        """Return F_k = −T ln Σ_{cells of k} volume·e^{−L/T} for every basin.

        Parameters
        ----------
        temperature : float
            T > 0, in units of loss.

        Raises
        ------
        LandscapeError
            If the temperature is not positive.
        """
        if not (np.isfinite(temperature) and temperature > 0):
            raise LandscapeError(f"temperature = {temperature!r} must be positive and finite")
        lowest = self.tree.minima.values
        above = self.values - lowest[self.labels]
        sums = np.bincount(
            self.labels.ravel(), weights=(self.grid.volumes * np.exp(-above / temperature)).ravel(), minlength=len(self)
        )
        return lowest - temperature * np.log(sums)

    def weights(self, temperature: float) -> np.ndarray:
        """Return the Boltzmann probability of every basin: the mass of `fpsolver.boltzmann` in its cells.

        Raises
        ------
        LandscapeError
            If the temperature is not positive.
        """
        energies = self.free_energies(temperature)
        weights = np.exp(-(energies - energies.min()) / temperature)
        return weights / weights.sum()


def basins(landscape: Any, grid: Grid, *, threshold: float = 0.0) -> Basins:
    """Return the basins of attraction into which descent divides a grid.

    Parameters
    ----------
    landscape : Landscape or array_like
        The landscape, taken at cell centres, or one value per cell.
    grid : Grid
        The grid; the ends of periodic axes are joined.
    threshold : float
        Basins whose barrier is below this height are joined to the one beyond their saddle.

    Returns
    -------
    Basins

    Raises
    ------
    GridError
        If landscape and grid do not fit.
    LandscapeError
        If a value is not finite, or the threshold is negative.

    Notes
    -----
    Each step of the descent crosses a face, with a probability that makes the mean step one along the gradient, always
    from the same random numbers; only where no face leads down, a corner may. A basin is connected. The borders are
    ragged on the scale of some cells and converge to those of the gradient flow with the square root of the cell width.

    Examples
    --------
    >>> import fpsolver as fp
    >>> found = basins(fp.Landscape("x**4/4 - x**2/2 + 0.1*x"), Grid(x=(-2, 2, 400)))
    >>> len(found), found.weights(0.1).round(4).tolist()
    (2, [0.859, 0.141])
    """
    least = checked_threshold(threshold)
    values = cell_values(landscape, grid)
    tree, labels = complete_tree(values, grid)
    tree, taken = tree.pruned((tree.persistence > 0.0) & (tree.persistence >= least))
    return Basins(grid, values, taken[labels], tree)
