"""Time series of ensemble means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.ensembles.observables.observable import Arrays, Column, Observable, Result, as_name, as_texts, common
from fpsolver.ensembles.observables.quantities import Quantities
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.errors import InputError
from fpsolver.kernels.cpu.statistics import block_means, fold_means


@dataclass(frozen=True, init=False)
class Mean(Observable):
    """Ensemble means of quantities, with standard errors √(variance/n).

    Parameters
    ----------
    *quantities : str
        Names or expressions.
    name : str, optional
        Name of the result.

    Raises
    ------
    InputError
        If no quantity is given.

    Examples
    --------
    >>> Mean("x**2", "loss").quantities
    ('x**2', 'loss')
    """

    quantities: tuple[str, ...]
    name: str

    def __init__(self, *quantities: str, name: str | None = None) -> None:
        object.__setattr__(self, "quantities", as_texts(quantities, "Mean"))
        object.__setattr__(self, "name", as_name(name, "mean", self.quantities))
        if not self.quantities:
            raise InputError('Mean() has no quantity; give names or expressions, for example Mean("x**2", "loss")')

    def check(self, quantities: Quantities) -> Mean:
        """Return the observable itself."""
        for text in self.quantities:
            quantities.require(text, "Mean")
        return self

    def empty(self) -> Arrays:
        """Return number, mean (k,) and Σ(x − mean)² (k,) of nothing."""
        return np.zeros(1, dtype=np.int64), np.zeros(len(self.quantities)), np.zeros(len(self.quantities))

    def measure(self, snapshot: Snapshot) -> Arrays:
        """Return counts, means and squares about the mean of each block."""
        values, rows = snapshot.rows(self.quantities)
        means, squares = (np.empty((len(snapshot.counts), len(rows))) for _ in range(2))
        block_means(values, rows, snapshot.counts, means, squares)
        return snapshot.counts, means, squares

    def fold(self, total: Arrays, partial: Arrays) -> Arrays:
        """Return the total with blocks added, one after the other."""
        fold_means(*total, *partial)
        return total

    def report(self, times: np.ndarray, totals: Sequence[Arrays]) -> MeanResult:
        """Return the means with standard errors."""
        number, mean, squares = (np.stack(parts) for parts in zip(*totals, strict=True))
        with np.errstate(all="ignore"):
            error = np.sqrt(squares / (number - 1) / number)
        return MeanResult(times, self.quantities, number[:, 0], mean, error)


@dataclass(frozen=True, eq=False, repr=False)
class MeanResult(Result):
    """Ensemble means at the output times.

    Parameters
    ----------
    times : ndarray, shape (n_times,)
        Output times.
    quantities : tuple of str
        The k quantities.
    trajectories : ndarray, shape (n_times,)
        Number of trajectories.
    mean : ndarray, shape (n_times, k)
        Sample means.
    standard_error : ndarray, shape (n_times, k)
        Standard errors of the means; NaN for a single trajectory.
    """

    times: np.ndarray
    quantities: tuple[str, ...]
    trajectories: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray

    def __getitem__(self, quantity: str) -> np.ndarray:
        """Return the mean of one quantity, shape (n_times,)."""
        return self.mean[:, self.quantities.index(quantity)]

    def coordinates(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return the numbers of the quantities."""
        return {"quantity": (("quantity",), np.arange(len(self.quantities)), "1")}

    def variables(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return the means and their standard errors."""
        unit = common([(units or {}).get(text, "1") for text in self.quantities])
        dims = ("time", "quantity")
        return {
            "trajectories": (("time",), self.trajectories, "1"),
            "mean": (dims, self.mean, unit),
            "mean_standard_error": (dims, self.standard_error, unit),
        }

    def attributes(self) -> dict[str, Any]:
        """Return the quantities."""
        return {"quantities": list(self.quantities)}
