"""Tables: named arrays with dimensions, coordinates and units, the content of one group of a result file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.errors import StorageError

# xarray reads these words as lengths of time and turns the numbers into timedeltas.
TIMEDELTA_WORDS = ("days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds")


@dataclass(frozen=True, eq=False)
class Variable:
    """An array with a name for each dimension.

    Parameters
    ----------
    dims : tuple of str
        Names of the dimensions, all different, at least one.
    values : ndarray
        Real or complex numbers, one dimension for each name.
    units : str
        Units; "1" for a dimensionless quantity.
    long_name : str
        What the quantity is, as it would stand on the axis of a plot.
    attributes : mapping
        Anything else worth knowing; "compression" says that this array is not compressed as the file is.

    Raises
    ------
    StorageError
        If dimensions and values do not match, or values are not numbers.
    """

    dims: tuple[str, ...]
    values: np.ndarray
    units: str = "1"
    long_name: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values))
        object.__setattr__(self, "dims", tuple(self.dims))
        if self.values.ndim != len(self.dims) or not self.dims:
            raise StorageError(
                f"values of shape {self.values.shape} do not have the dimensions {self.dims}; a variable needs one "
                "name for each dimension, and a single number is an attribute"
            )
        if len(set(self.dims)) < len(self.dims):
            raise StorageError(f"dimensions {self.dims} repeat a name; give the second one a name of its own")
        if self.values.dtype.kind not in "biufc":
            raise StorageError(f"values of type {self.values.dtype} are not numbers; strings are attributes")
        if not self.units or self.units in TIMEDELTA_WORDS:
            raise StorageError(f'units = {self.units!r}; give "1" for a plain number and a short symbol otherwise')


@dataclass(frozen=True, eq=False)
class Table:
    """Variables on common coordinates.

    Parameters
    ----------
    coordinates : mapping of str to Variable
        For each dimension a one-dimensional variable of the same name.
    variables : mapping of str to Variable
        The data. Complex variables are stored as two real ones, ``name_re`` and ``name_im``.
    attributes : mapping
        Numbers, strings, None, Booleans, dictionaries and lists that belong to the whole group.

    Raises
    ------
    StorageError
        If a dimension has no coordinate, or lengths disagree.

    Examples
    --------
    >>> time = Variable(("time",), [0.0, 1.0])
    >>> Table({"time": time}, {"mass": Variable(("time",), [1.0, 1.0])}).lengths
    {'time': 2}
    """

    coordinates: Mapping[str, Variable]
    variables: Mapping[str, Variable] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, coordinate in self.coordinates.items():
            if coordinate.dims != (name,) or coordinate.values.dtype.kind == "c":
                raise StorageError(
                    f"coordinate {name!r} has dimensions {coordinate.dims}; it must be real, ({name!r},)"
                )
        for name, variable in self.variables.items():
            if not re.fullmatch(r"[A-Za-z]\w*", name) or name in self.coordinates:
                raise StorageError(
                    f"{name!r} cannot name a variable; use letters, digits and _, and no coordinate's name"
                )
            for dim, length in zip(variable.dims, variable.values.shape, strict=True):
                if self.lengths.get(dim) != length:
                    raise StorageError(
                        f"variable {name!r} has {length} entries along {dim!r}, its coordinate {self.lengths.get(dim)}"
                    )

    @property
    def lengths(self) -> dict[str, int]:
        """Length of each dimension."""
        return {name: len(coordinate.values) for name, coordinate in self.coordinates.items()}

    def real(self) -> dict[str, Variable]:
        """Return the variables with each complex one split into ``name_re`` and ``name_im``, Booleans as int8."""
        parts: dict[str, Variable] = {}
        for name, given in self.variables.items():
            if given.values.dtype.kind == "c":
                for suffix, word, values in (("re", "real", given.values.real), ("im", "imaginary", given.values.imag)):
                    label = f"{given.long_name}, {word} part"
                    parts[f"{name}_{suffix}"] = Variable(given.dims, values, given.units, label, given.attributes)
            elif given.values.dtype.kind == "b":
                values = given.values.astype(np.int8)
                parts[name] = Variable(given.dims, values, given.units, given.long_name, given.attributes)
            else:
                parts[name] = given
        return parts


def joined(tables: Sequence[Table], along: str) -> Table:
    """Return tables of the same variables, one after the other along one dimension.

    Parameters
    ----------
    tables : sequence of Table
        At least one; variables without the dimension are taken from the last table.
    along : str
        Name of the dimension.

    Raises
    ------
    StorageError
        If the tables do not hold the same variables.
    """
    last = tables[-1]
    for table in tables:
        if table.variables.keys() != last.variables.keys() or along not in table.coordinates:
            raise StorageError(
                f"frames differ: one holds {sorted(table.variables)}, another {sorted(last.variables)}, along {along!r}"
            )

    def join(name: str, kind: str) -> Variable:
        parts = [getattr(table, kind)[name] for table in tables]
        whole = parts[-1]
        if along not in whole.dims:
            return whole
        values = np.concatenate([part.values for part in parts], axis=whole.dims.index(along))
        return Variable(whole.dims, values, whole.units, whole.long_name, whole.attributes)

    return Table(
        {name: join(name, "coordinates") for name in last.coordinates},
        {name: join(name, "variables") for name in last.variables},
        {key: value for table in tables for key, value in table.attributes.items()},
    )
