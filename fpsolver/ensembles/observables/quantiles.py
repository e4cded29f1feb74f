"""Quantiles of a quantity from integer counts in logarithmic bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.ensembles.observables.magnitude_sketch import bin_edges, merge, quantile
from fpsolver.ensembles.observables.observable import Arrays, Column, Observable, Result, as_name, as_texts
from fpsolver.ensembles.observables.quantities import Quantities
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.errors import InputError
from fpsolver.kernels.cpu.counting import count_magnitudes, magnitude_keys, magnitude_range

FINEST = 1e-4
COARSEST = 0.5


@dataclass(frozen=True, init=False)
class Quantiles(Observable):
    """Quantiles of a quantity, to a stated relative accuracy.

    Numbers are counted by sign and magnitude: every octave is cut into 2^s equal bins, none wider than `accuracy` times
    its lower edge, so that a quantile is never further than that share from the sample of its rank, and within its bin
    it is interpolated by rank. Zero has a bin of its own. Counts are integers, so that the order of merging leaves no
    trace.

    Parameters
    ----------
    quantity : str
        Name or expression.
    probabilities : sequence of float
        Ranks as shares of the number of trajectories, between 0 and 1.
    accuracy : float
        Allowed relative error against the sample quantile, from 1e-4 to 0.5. Memory grows as its inverse: about 8 bytes
        for each bin between the smallest and the largest magnitude.
    name : str, optional
        Name of the result.

    Raises
    ------
    InputError
        If there is no probability, one is outside [0, 1], or the accuracy is out of range.

    References
    ----------
    C. Masson, J. E. Rim and H. K. Lee, DDSketch: a fast and fully-mergeable quantile sketch with relative-error
    guarantees, Proc. VLDB Endowment 12, 2195 (2019). Bins here are linear within an octave, so that no logarithm is
    taken.

    Examples
    --------
    >>> Quantiles("heat", [0.05, 0.5, 0.95]).steps
    128
    """

    quantity: str
    probabilities: tuple[float, ...]
    accuracy: float
    name: str

    def __init__(
        self,
        quantity: str,
        probabilities: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
        *,
        accuracy: float = 0.01,
        name: str | None = None,
    ) -> None:
        (text,) = as_texts((quantity,), "Quantiles")
        object.__setattr__(self, "quantity", text)
        object.__setattr__(self, "probabilities", _as_probabilities(probabilities, text))
        if not (isinstance(accuracy, (int, float)) and FINEST <= accuracy <= COARSEST):
            raise InputError(f"Quantiles({text!r}): accuracy = {accuracy!r} must be from {FINEST:g} to {COARSEST:g}")
        object.__setattr__(self, "accuracy", float(accuracy))
        object.__setattr__(self, "name", as_name(name, "quantiles", (text,)))

    @property
    def steps(self) -> int:
        """Bins per octave, a power of two."""
        return 1 << int(np.ceil(-np.log2(self.accuracy)))

    def check(self, quantities: Quantities) -> Quantiles:
        """Return the observable itself."""
        quantities.require(self.quantity, "Quantiles")
        return self

    def empty(self) -> Arrays:
        """Return no counts: (first keys, positive and negative counts, zeros, least and greatest value)."""
        none = np.zeros(0, dtype=np.int64)
        return np.zeros(2, np.int64), none, none, np.zeros(1, np.int64), np.array([np.inf, -np.inf])

    def measure(self, snapshot: Snapshot) -> Arrays:
        """Return the counts of the batch."""
        values, rows = snapshot.rows([self.quantity])
        keys = np.empty(snapshot.trajectories, dtype=np.int32)
        shift = np.int64(53 - self.steps.bit_length())
        extremes = np.array(magnitude_keys(values, rows[0], snapshot.counts, shift, keys))
        low, high = magnitude_range(keys)
        widths = np.where(high < 0, 0, high - low + 1)
        counts = np.zeros(widths.sum() + 1, dtype=np.int64)
        count_magnitudes(keys, low, high, counts)
        negative, zeros, positive = np.split(counts, [widths[1], widths[1] + 1])
        return low, positive, negative[::-1].copy(), zeros, extremes

    def fold(self, total: Arrays, partial: Arrays) -> Arrays:
        """Return the total with the counts of a batch added; the order does not matter."""
        return merge(total, partial)

    def report(self, times: np.ndarray, totals: Sequence[Arrays]) -> QuantilesResult:
        """Return the quantiles with standard errors."""
        p = np.array(self.probabilities)
        values, errors, numbers = [], [], []
        for total in totals:
            counts, lower, upper = bin_edges(total, self.steps)
            n = int(counts.sum())
            # The rank of a quantile is binomial: one standard deviation of ranks to either side, halved.
            spread = np.sqrt(p * (1 - p) / max(n, 1))
            above, below = (
                quantile(np.clip(p + side * spread, 0, 1), counts, lower, upper, total[4]) for side in (1, -1)
            )
            values.append(quantile(p, counts, lower, upper, total[4]))
            errors.append(0.5 * (above - below) if n > 1 else np.full(len(p), np.nan))
            numbers.append(n)
        return QuantilesResult(
            times, self.quantity, p, np.array(numbers), np.stack(values), np.stack(errors), 1 / self.steps
        )


def _as_probabilities(given: Any, text: str) -> tuple[float, ...]:
    try:
        values = np.atleast_1d(np.asarray(given, dtype=float))
    except (TypeError, ValueError):
        values = np.zeros(0)
    if values.ndim != 1 or not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise InputError(
            f"Quantiles({text!r}): probabilities = {given!r} must be numbers from 0 to 1, for example [0.05, 0.5, 0.95]"
        )
    return tuple(values.tolist())


@dataclass(frozen=True, eq=False, repr=False)
class QuantilesResult(Result):
    """Quantiles at the output times.

    Parameters
    ----------
    times : ndarray, shape (n_times,)
        Output times.
    quantity : str
        The quantity.
    probabilities : ndarray, shape (k,)
        Which quantiles.
    trajectories : ndarray, shape (n_times,)
        Number of trajectories.
    values : ndarray, shape (n_times, k)
        The quantiles.
    standard_error : ndarray, shape (n_times, k)
        Standard errors, from the binomial spread of the rank; one-sided at probabilities 0 and 1, where they are 0.
    relative_accuracy : float
        Largest relative error of a value against the sample of its rank, which comes on top.
    """

    times: np.ndarray
    quantity: str
    probabilities: np.ndarray
    trajectories: np.ndarray
    values: np.ndarray
    standard_error: np.ndarray
    relative_accuracy: float

    def coordinates(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return the probabilities."""
        return {"probability": (("probability",), self.probabilities, "1")}

    def variables(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return the quantiles and their standard errors."""
        unit = (units or {}).get(self.quantity, "1")
        dims = ("time", "probability")
        return {
            "trajectories": (("time",), self.trajectories, "1"),
            "quantile": (dims, self.values, unit),
            "quantile_standard_error": (dims, self.standard_error, unit),
        }

    def attributes(self) -> dict[str, Any]:
        """Return quantity and accuracy."""
        return {"quantity": self.quantity, "relative_accuracy": self.relative_accuracy}
