"""Tables of measurements with one class label a row, and the loader of Fisher's irises."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from fpsolver.errors import InputError, suggest


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measured features of labelled specimens.

    Parameters
    ----------
    measurements : ndarray, shape (n, d)
        One row a specimen, one column a feature, in `units`; read-only.
    names : tuple of str
        Names of the columns.
    species : tuple of str
        Class of each row.
    units : str
        Unit of every column.
    source : str
        Where the numbers were published.
    licence : str
        Under which licence they may be used.
    """

    measurements: np.ndarray
    names: tuple[str, ...]
    species: tuple[str, ...]
    units: str
    source: str
    licence: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in order of appearance."""
        return tuple(dict.fromkeys(self.species))

    def select(self, features: Sequence[str], classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the features X, shape (n, len(features)), and labels y of the specimens of two or more classes.

        The label is the position of the class in `classes`, so that of a pair the first is 0 and the second 1.

        Raises
        ------
        InputError
            If a feature or class is unknown or named twice, or fewer than two classes are given.

        Examples
        --------
        >>> X, y = iris().select(["petal_length"], ["versicolor", "virginica"])
        >>> X.shape, y.mean().item()
        ((100, 1), 0.5)
        """
        columns = [_position(name, self.names, "feature") for name in features]
        wanted = [self.classes[_position(name, self.classes, "class")] for name in classes]
        if not columns or len(set(columns)) < len(columns):
            raise InputError(f"features = {list(features)!r}: name at least one feature, each once")
        if len(wanted) < 2 or len(set(wanted)) < len(wanted):
            raise InputError(f"classes = {list(classes)!r}: name at least two classes, each once")
        rows = [row for row, name in enumerate(self.species) if name in wanted]
        labels = np.array([wanted.index(self.species[row]) for row in rows], dtype=float)
        return self.measurements[np.ix_(rows, columns)], labels


@cache
def iris() -> Measurements:
    """Return Fisher's measurements of 150 iris flowers, in centimetres.

    Source: R. A. Fisher, Annals of Eugenics 7, 179 (1936), measured by E. Anderson.

    Examples
    --------
    >>> flowers = iris()
    >>> flowers.names
    ('sepal_length', 'sepal_width', 'petal_length', 'petal_width')
    >>> flowers.classes
    ('setosa', 'versicolor', 'virginica')
    """
    with Path(__file__).with_name("iris.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    values = np.array([[float(value) for value in row[:-1]] for row in rows])
    values.setflags(write=False)
    return Measurements(
        measurements=values,
        names=tuple(header[:-1]),
        species=tuple(row[-1] for row in rows),
        units="cm",
        source="R. A. Fisher, Annals of Eugenics 7, 179 (1936); measured by E. Anderson; UCI doi:10.24432/C56C76",
        licence="CC BY 4.0",
    )


def _position(name: str, allowed: Sequence[str], what: str) -> int:
    if name not in allowed:
        hint = suggest(str(name), allowed)
        raise InputError(f"{what} {name!r} is not one of {', '.join(allowed)}{hint}")
    return list(allowed).index(name)
