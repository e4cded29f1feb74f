"""Histograms at the output times: counts, densities with standard errors, and comparison with a density."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np

from fpsolver.ensembles.observables.bins import Bins
from fpsolver.ensembles.observables.chi_squared import ChiSquared, chi_squared
from fpsolver.ensembles.observables.observable import Column, Result, identifier
from fpsolver.errors import InputError
from fpsolver.units import inverse, product


@dataclass(frozen=True, eq=False, repr=False)
class HistogramResult(Result):
    """Histograms at the output times.

    Parameters
    ----------
    times : ndarray, shape (n_times,)
        Output times.
    quantities : tuple of str
        The quantities, one for each axis.
    axes : tuple of Bins
        Their bins.
    padded_counts : ndarray of int64, shape (n_times, bins + 2, …)
        Counts, with a first and last bin along each axis for what lies below and above.
    """

    times: np.ndarray
    quantities: tuple[str, ...]
    axes: tuple[Bins, ...]
    padded_counts: np.ndarray

    @property
    def edges(self) -> tuple[np.ndarray, ...]:
        """Edges of the bins of each axis."""
        return tuple(axis.array for axis in self.axes)

    @property
    def counts(self) -> np.ndarray:
        """Counts inside, shape (n_times, bins, …)."""
        return self.padded_counts[(slice(None), *(slice(1, -1),) * len(self.axes))]

    @cached_property
    def trajectories(self) -> np.ndarray:
        """Number of trajectories, shape (n_times,)."""
        return self.padded_counts.reshape(len(self.times), -1).sum(axis=1)

    @property
    def underflow(self) -> np.ndarray:
        """Number below the range of each axis, shape (n_times, n_axes)."""
        return self._beyond(0)

    @property
    def overflow(self) -> np.ndarray:
        """Number above the range of each axis, shape (n_times, n_axes)."""
        return self._beyond(-1)

    def _beyond(self, side: int) -> np.ndarray:
        columns = [np.take(self.padded_counts, side, axis=1 + k) for k in range(len(self.axes))]
        return np.stack([column.reshape(len(self.times), -1).sum(axis=1) for column in columns], axis=1)

    @property
    def outside(self) -> np.ndarray:
        """Number outside the bins, shape (n_times,)."""
        return self.trajectories - self.counts.reshape(len(self.times), -1).sum(axis=1)

    @cached_property
    def volumes(self) -> np.ndarray:
        """Sizes of the cells, shape (bins, …)."""
        return reduce(np.multiply.outer, [np.diff(edges) for edges in self.edges])

    @property
    def density(self) -> np.ndarray:
        """Counts over trajectories and cell size, shape (n_times, bins, …); its integral is the share inside."""
        return self.counts / self._trajectories / self.volumes

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of the density, binomial: √(f(1 − f)/n) over the cell size, f = count/n.

        An empty bin, and one that holds every trajectory, has the error 1/n of a single count instead of zero.
        """
        n = self._trajectories
        share = self.counts / n
        return np.where((share == 0) | (share == 1), 1 / n, np.sqrt(share * (1 - share) / n)) / self.volumes

    @property
    def _trajectories(self) -> np.ndarray:
        return self.trajectories.reshape(-1, *(1,) * len(self.axes)).astype(float)

    def chi_squared(self, probabilities: Any, time: int = -1) -> ChiSquared:
        """Test the counts of one time against given cell probabilities.

        What is missing from a total probability of one is expected outside. Cells where fewer than ten trajectories are
        expected are pooled (`chi_squared`).

        Parameters
        ----------
        probabilities : array_like, shape (bins, …)
            Probability of each cell, for a density p on a grid ``p * grid.volumes``.
        time : int
            Which of the output times.

        Raises
        ------
        InputError
            If the probabilities do not fit the bins, are negative, or sum to more than one.

        Returns
        -------
        ChiSquared
            Statistic, degrees of freedom and p-value.
        """
        expected = np.asarray(probabilities, dtype=float)
        if expected.shape != self.counts.shape[1:]:
            raise InputError(
                f"probabilities of shape {expected.shape} do not fit the {self.counts.shape[1:]} bins; "
                "give one for each cell"
            )
        return chi_squared(self.counts[time], expected, int(self.outside[time]))

    def coordinates(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return centres and edges of the bins."""
        found: dict[str, Column] = {}
        for word, unit, edges in zip(self._words, self._units(units), self.edges, strict=True):
            found[word] = ((word,), 0.5 * (edges[1:] + edges[:-1]), unit)
            found[f"{word}_edge"] = ((f"{word}_edge",), edges, unit)
        return found

    def variables(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return counts, densities and their standard errors."""
        dims = ("time", *self._words)
        unit = product(*(inverse(one) for one in self._units(units)))
        return {
            "trajectories": (("time",), self.trajectories, "1"),
            "counts": (dims, self.counts, "1"),
            "outside": (("time",), self.outside, "1"),
            "density": (dims, self.density, unit),
            "density_standard_error": (dims, self.standard_error, unit),
        }

    def attributes(self) -> dict[str, Any]:
        """Return the quantities and which of them are periodic."""
        return {"quantities": list(self.quantities), "periodic": [int(axis.periodic) for axis in self.axes]}

    @property
    def _words(self) -> list[str]:
        words = [identifier(text) for text in self.quantities]
        distinct = len(set(words)) == len(words) and not {"time", "trajectories", "counts", "outside"} & set(words)
        plain = all(word[0].isalpha() for word in words)
        return words if distinct and plain else [f"axis_{k}" for k in range(len(words))]

    def _units(self, units: Mapping[str, str] | None) -> list[str]:
        return [(units or {}).get(text, "1") for text in self.quantities]
