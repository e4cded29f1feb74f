"""Bins: the edges of one axis of a histogram, and how a kernel finds the bin of a number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any

import numpy as np

from fpsolver.errors import InputError
from fpsolver.grids import Axis

MOST_ERROR = 1e-3
"""Departure from equal widths, in bins, up to which a multiplication is tried before the edges are asked."""

GUIDES = 4
MOST_GUIDES = 1 << 16
"""Cells of the table that guides the search among unequal bins: for each bin, and at most."""


@dataclass(frozen=True)
class Bins:
    """Edges of bins along one axis.

    Parameters
    ----------
    edges : tuple of float
        Edges, ascending.
    periodic : bool
        Whether numbers outside are taken round into the range.
    """

    edges: tuple[float, ...]
    periodic: bool = False

    @classmethod
    def of(cls, given: Any, text: str) -> Bins:
        """Return bins from (lower, upper, bins), a list or array of edges, or an `Axis`.

        Parameters
        ----------
        given : tuple, array_like or Axis
            The edges. A tuple of three is always (lower, upper, bins).
        text : str
            The quantity, for messages.

        Raises
        ------
        InputError
            If they cannot be read or do not ascend.

        Examples
        --------
        >>> Bins.of((0, 1, 2), "x").edges
        (0.0, 0.5, 1.0)
        """
        if isinstance(given, Bins):
            return given
        if isinstance(given, Axis):
            return cls(tuple(given.faces.tolist()), given.periodic)
        edges = _equal(given, text) if isinstance(given, tuple) and len(given) == 3 else _edges(given, text)
        steps = np.diff(edges)
        if not (np.isfinite(edges).all() and (steps > 0).all()):
            wrong = int(np.argmin(np.where(np.isfinite(steps), steps, -np.inf)))
            raise InputError(
                f"Histogram of {text!r}: edges must be finite and ascend, but {edges[wrong]:g} is followed by "
                f"{edges[wrong + 1]:g}"
            )
        return cls(tuple(edges.tolist()))

    @property
    def bins(self) -> int:
        """Number of bins."""
        return len(self.edges) - 1

    @property
    def lower(self) -> float:
        """Lower bound."""
        return self.edges[0]

    @property
    def period(self) -> float:
        """Length of the range if it is periodic, else 0."""
        return self.edges[-1] - self.edges[0] if self.periodic else 0.0

    @cached_property
    def array(self) -> np.ndarray:
        """The edges, shape (bins + 1,)."""
        return np.array(self.edges)

    @cached_property
    def closed(self) -> np.ndarray:
        """The edges with the last one moved up by one rounding, so that the upper bound itself is inside."""
        edges = self.array.copy()
        edges[-1] = np.nextafter(edges[-1], np.inf)
        return edges

    @cached_property
    def rule(self) -> tuple[float, float]:
        """Scale and tolerance by which a kernel finds the bin of a number.

        Equal bins: bins per unit of length, and the error of that rule in bins. A product further from a whole number
        than this says the bin; nearer ones are compared with the edge itself, so that bins are those of a search,
        whatever the rounding. Unequal bins: cells of `guide` per unit of length, and zero.
        """
        span = self.edges[-1] - self.edges[0]
        error = np.abs((self.array - self.lower) * (self.bins / span) - np.arange(self.bins + 1)).max()
        tolerance = 2 * float(error) + 8 * np.finfo(float).eps * self.bins
        if tolerance < MOST_ERROR:
            return self.bins / span, tolerance
        return min(GUIDES * self.bins, MOST_GUIDES) / span, 0.0

    @cached_property
    def guide(self) -> np.ndarray:
        """Number of edges below each of many equal cells, shape (cells + 2,); empty for equal bins.

        The cell of a number never falls as the number grows: edges in lower cells are at or below it, edges in higher
        ones above it.
        """
        scale, tolerance = self.rule
        if tolerance > 0:
            return np.zeros(0, dtype=np.int32)
        cells = min(GUIDES * self.bins, MOST_GUIDES)
        own = np.clip((self.closed - self.lower) * scale, 0.0, float(cells)).astype(np.int64)
        return np.concatenate([[0], np.cumsum(np.bincount(own, minlength=cells + 1))]).astype(np.int32)


def _equal(given: tuple[Any, Any, Any], text: str) -> np.ndarray:
    try:
        lower, upper, bins = float(given[0]), float(given[1]), index(given[2])
    except (TypeError, ValueError):
        bins = 0
    if bins < 1 or not (np.isfinite(lower) and np.isfinite(upper) and lower < upper):
        raise InputError(
            f"Histogram of {text!r}: {given!r} is not (lower, upper, bins) with lower < upper and a whole number of "
            "bins; edges themselves are given as a list or an array"
        )
    return np.linspace(lower, upper, bins + 1)


def _edges(given: Any, text: str) -> np.ndarray:
    try:
        edges = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        edges = np.zeros(0)
    if edges.ndim != 1 or len(edges) < 2:
        raise InputError(
            f"Histogram of {text!r}: {given!r} cannot be used; give (lower, upper, bins), an Axis or at least two edges"
        )
    return edges
