"""Storage of selected trajectories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from fpsolver.ensembles.observables.observable import Arrays, Column, Observable, Result, as_name, as_texts, common
from fpsolver.ensembles.observables.quantities import Quantities
from fpsolver.ensembles.observables.snapshot import LANES, Snapshot
from fpsolver.errors import InputError


@dataclass(frozen=True, init=False)
class Trajectories(Observable):
    """Quantities of selected trajectories at every output time.

    Parameters
    ----------
    numbers : iterable of int
        Which trajectories, counted from 0.
    *quantities : str
        Names or expressions; all positions where left out.
    name : str, optional
        Name of the result, "trajectories" where left out.

    Raises
    ------
    InputError
        If a number is negative, not whole, or given twice.

    Examples
    --------
    >>> Trajectories(range(3)).numbers
    (0, 1, 2)
    """

    numbers: tuple[int, ...]
    quantities: tuple[str, ...]
    name: str

    def __init__(self, numbers: Iterable[int], *quantities: str, name: str | None = None) -> None:
        object.__setattr__(self, "numbers", _as_numbers(numbers))
        object.__setattr__(self, "quantities", as_texts(quantities, "Trajectories"))
        object.__setattr__(self, "name", as_name(name, "trajectories", ()))

    def check(self, quantities: Quantities) -> Trajectories:
        """Return the observable with the positions filled in where no quantity was named."""
        for text in self.quantities:
            quantities.require(text, "Trajectories")
        if max(self.numbers) >= quantities.trajectories:
            raise InputError(
                f"Trajectories: there is no trajectory {max(self.numbers)}; "
                f"the {quantities.trajectories} trajectories are counted from 0 to {quantities.trajectories - 1}"
            )
        return Trajectories(self.numbers, *(self.quantities or quantities.positions), name=self.name)

    def empty(self) -> Arrays:
        """Return values (n_numbers, k), all of them NaN."""
        return (np.full((len(self.numbers), len(self.quantities)), np.nan),)

    def measure(self, snapshot: Snapshot) -> Arrays:
        """Return the places and the values of the trajectories that are in the batch."""
        offsets = np.array(self.numbers) - snapshot.first
        inside = np.flatnonzero((offsets >= 0) & (offsets < LANES * len(snapshot.counts)))
        blocks, lanes = np.divmod(offsets[inside], LANES)
        values = [snapshot.quantity(text)[blocks, lanes] for text in self.quantities] if len(inside) else []
        return inside, np.array(values, dtype=float).reshape(len(self.quantities), len(inside)).T

    def fold(self, total: Arrays, partial: Arrays) -> Arrays:
        """Return the total with these trajectories filled in."""
        places, values = partial
        total[0][places] = values
        return total

    def report(self, times: np.ndarray, totals: Sequence[Arrays]) -> TrajectoriesResult:
        """Return the stored values."""
        return TrajectoriesResult(times, self.numbers, self.quantities, np.stack([total[0] for total in totals]))


def _as_numbers(given: Iterable[int]) -> tuple[int, ...]:
    try:
        numbers = tuple(index(number) for number in given)
    except TypeError:
        raise InputError(f"Trajectories({given!r}): give a list of whole numbers, for example [0, 17, 42]") from None
    if not numbers or min(numbers) < 0 or len(set(numbers)) < len(numbers):
        raise InputError(
            f"Trajectories({list(numbers)}): give at least one number, each once, counted from 0, for example [0, 17]"
        )
    return numbers


@dataclass(frozen=True, eq=False, repr=False)
class TrajectoriesResult(Result):
    """Selected trajectories at the output times.

    Parameters
    ----------
    times : ndarray, shape (n_times,)
        Output times.
    numbers : tuple of int
        Which trajectories.
    quantities : tuple of str
        The k quantities.
    values : ndarray, shape (n_times, n_numbers, k)
        The quantities.
    """

    times: np.ndarray
    numbers: tuple[int, ...]
    quantities: tuple[str, ...]
    values: np.ndarray

    def __getitem__(self, quantity: str) -> np.ndarray:
        """Return one quantity, shape (n_times, n_numbers)."""
        return self.values[:, :, self.quantities.index(quantity)]

    def coordinates(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return the numbers of the trajectories and of the quantities."""
        numbers = np.array(self.numbers)
        quantities = np.arange(len(self.quantities))
        return {"trajectory": (("trajectory",), numbers, "1"), "quantity": (("quantity",), quantities, "1")}

    def variables(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return the values."""
        unit = common([(units or {}).get(text, "1") for text in self.quantities])
        return {"values": (("time", "trajectory", "quantity"), self.values, unit)}

    def attributes(self) -> dict[str, Any]:
        """Return the quantities."""
        return {"quantities": list(self.quantities)}
