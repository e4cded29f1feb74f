"""Axes continued beyond their walls, for steps that may lead anywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fpsolver.grids import Axis


class ContinuedAxis:
    """The sites of an axis, one a cell, and their images behind its walls.

    Behind a wall the axis goes on as its own mirror image, on a periodic axis as its own copy. A step that leads behind
    a reflecting wall is folded back from the image to the cell (for a kernel of steps that is the method of images),
    one that leads behind an absorbing wall is lost.

    Parameters
    ----------
    axis : Axis
        The axis.

    Examples
    --------
    >>> line = ContinuedAxis(Axis(0.0, 3.0, 3))
    >>> line.centres(np.array([-2, -1, 0, 3])).tolist()
    [-1.5, -0.5, 0.5, 3.5]
    >>> line.home(np.array([-2, -1, 0, 3])).tolist()
    [1, 0, 0, 2]
    """

    def __init__(self, axis: Axis) -> None:
        self.axis = axis
        self.length = axis.upper - axis.lower
        steps = axis.widths if axis.periodic else np.concatenate([axis.widths, axis.widths[::-1]])
        offsets = np.concatenate([[0.0], np.cumsum(steps)])
        self.period = float(offsets[-1])
        self._widths = steps
        self._centres = axis.lower + (offsets[:-1] + offsets[1:]) / 2.0
        self._centres[: axis.cells] = axis.centres

    def centres(self, sites: np.ndarray) -> np.ndarray:
        """Return the positions of sites."""
        return _tabulated(self._placed, sites)

    def _placed(self, sites: np.ndarray) -> np.ndarray:
        turns, cell = np.divmod(sites, len(self._centres))
        return self._centres[cell] + turns * self.period

    def widths(self, sites: np.ndarray) -> np.ndarray:
        """Return the widths of the cells of sites."""
        return _tabulated(lambda given: self._widths[given % len(self._widths)], sites)

    def below(self, positions: np.ndarray) -> np.ndarray:
        """Return the last site whose centre is not above each position, as a whole number (int64)."""
        turns = np.floor((positions - self._centres[0]) / self.period)
        rest = positions - turns * self.period
        # Rounding may put what lies next to a full turn on either side of it.
        found = np.searchsorted(self._centres, rest, side="right") - 1
        return (turns * len(self._centres)).astype(np.int64) + found

    def home(self, sites: np.ndarray) -> np.ndarray:
        """Return the cells to which sites belong, −1 behind an absorbing wall."""
        return _tabulated(self._folded, sites)

    def _folded(self, sites: np.ndarray) -> np.ndarray:
        n = self.axis.cells
        if self.axis.periodic:
            return sites % n
        lower, upper = self.axis.boundary
        if lower == upper == "reflecting":
            folded = sites % (2 * n)
            return np.where(folded < n, folded, 2 * n - 1 - folded)
        cells = sites
        if lower == "reflecting":
            cells = np.where(sites < 0, -1 - sites, sites)
        if upper == "reflecting":
            cells = np.where(sites >= n, 2 * n - 1 - sites, sites)
        return np.where((cells >= 0) & (cells < n), cells, -1)

    def mirrored(self, sites: np.ndarray) -> np.ndarray:
        """Return whether sites are images seen in a mirror, in which velocities are reversed."""
        n = self.axis.cells
        return np.zeros(sites.shape, dtype=bool) if self.axis.periodic else sites % (2 * n) >= n

    def open(self, sites: np.ndarray) -> np.ndarray:
        """Return whether sites lie behind a wall that only truncates an open space."""
        if self.axis.physical:
            return np.zeros(sites.shape, dtype=bool)
        return (sites < 0) | (sites >= self.axis.cells)


def _tabulated(function: Callable[[np.ndarray], np.ndarray], sites: np.ndarray) -> np.ndarray:
    """Return a function of whole numbers, by a table where many fall on few: division is slow."""
    if not sites.size:
        return function(sites)
    low, high = int(sites.min()), int(sites.max())
    if high - low >= sites.size:
        return function(sites)
    return function(np.arange(low, high + 1))[sites - low]
