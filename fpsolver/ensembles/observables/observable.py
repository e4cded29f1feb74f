"""The contract of observables, and of the results that they report."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from fpsolver.ensembles.observables.quantities import Quantities
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.errors import InputError, suggest

Arrays: TypeAlias = tuple[np.ndarray, ...]
Column: TypeAlias = tuple[tuple[str, ...], np.ndarray, str]


class Result(ABC):
    """What an observable found at the output times; every array has time as its first axis."""

    times: np.ndarray

    @abstractmethod
    def coordinates(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return, for every dimension but "time", (dimensions, values, units).

        Parameters
        ----------
        units : mapping of str to str, optional
            Units of the quantities; "1" where not given.
        """

    @abstractmethod
    def variables(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return (dimensions, values, units) of each array, for the table of a result file.

        Parameters
        ----------
        units : mapping of str to str, optional
            Units of the quantities; "1" where not given.
        """

    def attributes(self) -> dict[str, Any]:
        """Return what is worth knowing besides the arrays."""
        return {}

    def __repr__(self) -> str:
        # The arrays would fill several screens.
        known = ", ".join(f"{name} = {value}" for name, value in self.attributes().items())
        return f"{type(self).__name__}({known}; {_range(self.times)})"


class NamedResults(dict[str, Result]):
    """Results by the names of their observables.

    Raises
    ------
    InputError
        If there is no result of a name.

    Examples
    --------
    >>> NamedResults()["mean_x"]
    Traceback (most recent call last):
    fpsolver.errors.InputError: there is no observable "mean_x"; nothing was observed
    """

    def __missing__(self, name: str) -> Result:
        known = f"there are {', '.join(self)}{suggest(str(name), self)}" if self else "nothing was observed"
        raise InputError(f'there is no observable "{name}"; {known}')


def _range(times: np.ndarray) -> str:
    """Return how many times there are, and from when to when."""
    if len(times) < 2:
        return f"t = {times[0]:g}" if len(times) else "no times yet"
    return f"{len(times)} times, t = {times[0]:g} … {times[-1]:g}"


class Observable(ABC):
    """Something to be observed of an ensemble at its output times, without keeping trajectories.

    A run first calls `check`, and uses the observable that this returns. For each output time it begins with
    ``total = empty()``; worker threads call `measure` on batches of blocks; the host calls
    ``total = fold(total, partial)`` in the order of the blocks, and at the end ``report(times, totals)``. Floating sums
    in a partial result are kept for each block and folded block by block, and integers are exact, so that the same bits
    come out however the blocks were shared out into batches. Totals and partial results are plain tuples of arrays, so
    that a checkpoint can hold them.
    """

    name: str

    @abstractmethod
    def check(self, quantities: Quantities) -> Observable:
        """Return the observable with its defaults filled in, before the run.

        Parameters
        ----------
        quantities : Quantities
            What there is.

        Raises
        ------
        InputError
            If it asks for a quantity that is not there; the message lists those that are.
        """

    @abstractmethod
    def empty(self) -> Arrays:
        """Return the total of no trajectories."""

    @abstractmethod
    def measure(self, snapshot: Snapshot) -> Arrays:
        """Return the partial result of a batch of blocks; it changes nothing and may run in any thread.

        Parameters
        ----------
        snapshot : Snapshot
            The batch.
        """

    @abstractmethod
    def fold(self, total: Arrays, partial: Arrays) -> Arrays:
        """Return the total with a partial result added. Both may be overwritten.

        Parameters
        ----------
        total : tuple of ndarray
            What was folded so far, blocks 0 … b − 1.
        partial : tuple of ndarray
            The result of `measure` for the next blocks, b and following.
        """

    @abstractmethod
    def report(self, times: np.ndarray, totals: Sequence[Arrays]) -> Result:
        """Return the result.

        Parameters
        ----------
        times : ndarray, shape (n_times,)
            Output times.
        totals : sequence of tuple of ndarray
            The total of each time.
        """


def as_texts(given: Iterable[Any], kind: str) -> tuple[str, ...]:
    """Return quantities as a tuple of strings, and raise `InputError` if one is something else or comes twice."""
    texts = tuple(given)
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise InputError(f'{kind}: {text!r} is not a quantity; give names or expressions, such as "x" or "x**2"')
    repeated = [text for k, text in enumerate(texts) if text in texts[:k]]
    if repeated:
        raise InputError(f"{kind}: {repeated[0]!r} is given twice")
    return texts


def as_name(name: Any, kind: str, texts: Sequence[str]) -> str:
    """Return the name of an observable, made from its kind and its quantities where none is given.

    Examples
    --------
    >>> as_name(None, "mean", ["x**2", "loss"])
    'mean_x_2_loss'
    """
    if name is None:
        return "_".join((kind, *(identifier(text) for text in texts)))
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z]\w*", name):
        raise InputError(f"name = {name!r} cannot name an observable; use letters, digits and _, letter first")
    return name


def identifier(text: str) -> str:
    """Return an expression as a word of letters, digits and single underscores.

    Examples
    --------
    >>> identifier("x**2 - v_x")
    'x_2_v_x'
    """
    return re.sub(r"\W+", "_", text).strip("_") or "expression"


def common(units: Sequence[str]) -> str:
    """Return the unit that all quantities share, or all of them.

    Examples
    --------
    >>> common(["m", "m"]), common(["m", "s"])
    ('m', 'm, s')
    """
    return units[0] if len(set(units)) == 1 else ", ".join(units)


def named(observables: Iterable[Observable]) -> dict[str, Observable]:
    """Return observables by their names.

    Parameters
    ----------
    observables : iterable of Observable
        What to observe.

    Raises
    ------
    InputError
        If one is no observable, or two have the same name.
    """
    found: dict[str, Observable] = {}
    listed = isinstance(observables, Iterable) and not isinstance(observables, str | type)
    for one in observables if listed else (observables,):
        if one is None and not listed:
            raise InputError("observe = None is no observable; leave it out to observe nothing")
        if not isinstance(one, Observable):
            raise InputError(
                f"observe = [… {one!r} …]: that is no observable; there are Moments, Mean, Histogram, LogSumExp, "
                'Quantiles and Trajectories, for example Moments("x")'
            )
        if one.name in found:
            raise InputError(f'two observables are called {one.name!r}; give one of them another name, name="…"')
        found[one.name] = one
    return found
