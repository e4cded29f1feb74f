"""Histograms of one to four quantities: marginals of the density, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from fpsolver.ensembles.observables.bins import Bins
from fpsolver.ensembles.observables.histogram_result import HistogramResult
from fpsolver.ensembles.observables.observable import Arrays, Observable, as_name, as_texts
from fpsolver.ensembles.observables.quantities import Quantities
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.errors import InputError
from fpsolver.grids import Grid
from fpsolver.kernels.cpu.counting import count_cells, count_few_cells, histogram_cells

MOST_AXES = 4
MOST_CELLS = 100_000_000
FEW_CELLS = 2048
"""Cells up to which four tables of counts stay in the first-level cache."""


@dataclass(frozen=True, init=False)
class Histogram(Observable):
    """Counts of trajectories in the cells of one to four quantities.

    Bins are closed below and open above, except the last, which is closed (as in `numpy.histogram`); what lies outside
    is counted separately. Counts are exactly those of a search among the edges, however bins are found.

    Parameters
    ----------
    quantity : str or sequence of str, optional
        One quantity, or several.
    edges : tuple (lower, upper, bins), array_like, Axis or sequence of these, optional
        Equal bins given as a tuple, edges given as a list or an array, or an axis of a grid, whose faces are the edges
        and which takes positions round if it is periodic. For several quantities a sequence, one for each.
    name : str, optional
        Name of the result.
    **axes : tuple, array_like or Axis
        Instead of both, edges by quantity, as in `Grid`.

    Raises
    ------
    InputError
        If there is no axis or more than four, edges do not ascend, or there are too many cells.

    Examples
    --------
    >>> Histogram("x", (-2, 2, 100)).name
    'histogram_x'
    >>> Histogram(x=(-2, 2, 100), y=[0.0, 0.5, 2.0]).shape
    (100, 2)
    >>> Histogram("x**2 + y**2", (0, 4, 100)).quantities
    ('x**2 + y**2',)
    """

    quantities: tuple[str, ...]
    axes: tuple[Bins, ...]
    name: str

    def __init__(
        self, quantity: str | Sequence[str] | None = None, edges: Any = None, /, *, name: str | None = None, **axes: Any
    ) -> None:
        texts, given = _pairs(quantity, edges, axes)
        object.__setattr__(self, "quantities", as_texts(texts, "Histogram"))
        object.__setattr__(
            self, "axes", tuple(Bins.of(one, text) for text, one in zip(self.quantities, given, strict=True))
        )
        object.__setattr__(self, "name", as_name(name, "histogram", self.quantities))
        if not 1 <= len(self.axes) <= MOST_AXES:
            raise InputError(f"Histogram: {len(self.axes)} axes; give one to {MOST_AXES}, Histogram(x=(-2, 2, 100))")
        if self.slots > MOST_CELLS:
            raise InputError(
                f"Histogram of {', '.join(self.quantities)}: {self.slots} cells, {8e-9 * self.slots:.1f} GB for each "
                f"output time; take fewer bins (at most {MOST_CELLS} cells)"
            )

    @classmethod
    def on(cls, grid: Grid, *quantities: str, name: str | None = None) -> Histogram:
        """Return the histogram whose bins are the cells of a grid, to be compared with densities on it.

        Parameters
        ----------
        grid : Grid
            The grid.
        *quantities : str
            Which of its axes; all where left out.
        name : str, optional
            Name of the result.

        Raises
        ------
        GridError
            If the grid has no such axis.

        Examples
        --------
        >>> Histogram.on(Grid(x=(-1, 1, 10), y=(-2, 2, 30))).shape
        (10, 30)
        """
        names = quantities or grid.names
        return cls(names, [grid.axis(one) for one in names], name=name)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of bins along each axis."""
        return tuple(axis.bins for axis in self.axes)

    @property
    def padded_shape(self) -> tuple[int, ...]:
        """The same with one bin below and one above each axis."""
        return tuple(axis.bins + 2 for axis in self.axes)

    @cached_property
    def slots(self) -> int:
        """Number of cells, those outside included."""
        return prod(self.padded_shape)

    @cached_property
    def _search(self) -> Arrays:
        """Edges, guides and rules of all axes, and where each axis begins in them (`histogram_cells`)."""
        edges, guides = ([getattr(axis, part) for axis in self.axes] for part in ("closed", "guide"))
        starts = [np.cumsum([0, *(len(one) for one in parts)]) for parts in (edges, guides)]
        rules = np.array([(axis.lower, axis.period, *axis.rule) for axis in self.axes])
        return np.concatenate(edges), starts[0], np.concatenate(guides), starts[1], rules

    def check(self, quantities: Quantities) -> Histogram:
        """Return the histogram itself."""
        for text in self.quantities:
            quantities.require(text, "Histogram")
        return self

    def empty(self) -> Arrays:
        """Return zero counts, of the padded shape."""
        return (np.zeros(self.padded_shape, dtype=np.int64),)

    def measure(self, snapshot: Snapshot) -> Arrays:
        """Return the counts of the batch, or, where there are fewer trajectories than cells, the cell of each."""
        values, rows = snapshot.rows(self.quantities)
        cells = np.empty(snapshot.trajectories, dtype=np.int32)
        histogram_cells(values, rows, snapshot.counts, *self._search, cells)
        if len(cells) < self.slots:
            return (cells,)
        counts = np.zeros(self.slots, dtype=np.int64)
        (count_few_cells if self.slots <= FEW_CELLS else count_cells)(cells, counts)
        return (counts,)

    def fold(self, total: Arrays, partial: Arrays) -> Arrays:
        """Return the total with the counts of a batch added; the order does not matter."""
        counts = total[0].reshape(-1)  # a view where the total is contiguous, as it is unless it was stored
        if partial[0].dtype == np.int32:
            count_cells(partial[0], counts)
        else:
            counts += partial[0]
        return (counts.reshape(self.padded_shape),)

    def report(self, times: np.ndarray, totals: Sequence[Arrays]) -> HistogramResult:
        """Return the counts and what follows from them."""
        return HistogramResult(times, self.quantities, self.axes, np.stack([total[0] for total in totals]))


def _pairs(quantity: Any, edges: Any, axes: dict[str, Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    if quantity is None or edges is None:
        if quantity is not None:
            raise InputError(f"Histogram({quantity!r}) has no edges; give them, for example (-2, 2, 100)")
        return tuple(axes), tuple(axes.values())
    if axes:
        raise InputError(f"Histogram({quantity!r}, …, {next(iter(axes))}=…): give axes in one of the two ways")
    if isinstance(quantity, str):
        return (quantity,), (edges,)
    if len(quantity) != len(edges):
        raise InputError(f"Histogram: {len(quantity)} quantities, but edges for {len(edges)}; give one set for each")
    return tuple(quantity), tuple(edges)
