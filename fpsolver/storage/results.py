"""Reading results."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from fpsolver.errors import StorageError, suggest
from fpsolver.storage.encoding import SCHEMA, SCHEMA_VERSION, decoded
from fpsolver.storage.tables import Table, Variable

T = TypeVar("T")


def open_results(path: str | os.PathLike[str]) -> Results:
    """Open a result file for reading; use it in a ``with`` statement.

    Raises
    ------
    StorageError
        If there is no such file, or it is truncated, damaged, not HDF5 or not written by fpsolver.

    Examples
    --------
    >>> import fpsolver as fp
    >>> with fp.open_results("out.h5") as store:  # doctest: +SKIP
    ...     densities = store["density/density"]
    ...     times = store["density/time"]
    """
    return Results(path)


class Results:
    """A result file open for reading.

    ``results["density/density"]`` is an array, read when asked for; a pair ``name_re``, ``name_im`` can be had as one
    complex array under ``name``. Units and names of dimensions are in `variable`, whole groups in `table`.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    StorageError
        If it is not a readable result file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file = _open(self.path)
        try:
            self._check_schema()
        except StorageError:
            self.close()
            raise

    def _check_schema(self) -> None:
        schema = self._guarded("the attributes", lambda: decoded("schema", self._file.attrs.get("schema")))
        if schema != SCHEMA:
            raise StorageError(f"{self.path} is an HDF5 file, but no result file of fpsolver (schema = {schema!r})")
        version = int(self._guarded("the attributes", lambda: self._file.attrs["schema_version"]))
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"{self.path} has layout {version}, this fpsolver reads up to {SCHEMA_VERSION}; upgrade fpsolver"
            )

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Root attributes: versions, date, machine, study text, seed, wall time."""
        return self._attributes(self._file)

    def attributes_of(self, group: str) -> dict[str, Any]:
        """Return the attributes of a group, also of one that holds no dataset itself."""
        return self._guarded(group, lambda: self._attributes(self._file[group]))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups that hold datasets, nested ones with slashes."""
        import h5py

        names: list[str] = []

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                home = name.rpartition("/")[0]
                if home not in names:
                    names.append(home)

        self._guarded("the list of groups", lambda: self._file.visititems(visit))
        return tuple(names)

    def names(self, group: str) -> tuple[str, ...]:
        """Return the names of the datasets of a group, coordinates included."""
        import h5py

        self._require(group, self.groups, "group")

        def datasets() -> tuple[str, ...]:
            return tuple(name for name, item in self._file[group].items() if isinstance(item, h5py.Dataset))

        return self._guarded(group, datasets)

    def variable(self, name: str) -> Variable:
        """Return one array with its dimensions, units and attributes.

        Raises
        ------
        StorageError
            If there is no such array, or its checksum does not fit.
        """
        group, _, leaf = name.strip("/").rpartition("/")
        names = self.names(group)
        if leaf not in names and {f"{leaf}_re", f"{leaf}_im"} <= set(names):
            real, imaginary = self.variable(f"{group}/{leaf}_re"), self.variable(f"{group}/{leaf}_im")
            label = real.long_name.removesuffix(", real part")
            return Variable(real.dims, real.values + 1j * imaginary.values, real.units, label, real.attributes)
        self._require(leaf, names, f"dataset in {group!r}")
        return self._guarded(name, lambda: self._read(f"{group}/{leaf}"))

    def shape(self, name: str) -> dict[str, int]:
        """Return the length of each dimension of an array by name, without reading it."""
        group, _, leaf = name.strip("/").rpartition("/")
        self._require(leaf, self.names(group), f"dataset in {group!r}")

        def lengths() -> dict[str, int]:
            dataset = self._file[f"{group}/{leaf}"]
            return dict(zip(self._dims(dataset), dataset.shape, strict=True))

        return self._guarded(name, lengths)

    def table(self, group: str) -> Table:
        """Return a whole group as a `Table`, as stored: complex variables as pairs."""
        read = {name: self.variable(f"{group}/{name}") for name in self.names(group)}
        coordinates = {name: variable for name, variable in read.items() if variable.dims == (name,)}
        rest = {name: variable for name, variable in read.items() if name not in coordinates}
        return Table(coordinates, rest, self.attributes_of(group))

    def verify(self) -> int:
        """Read everything, so that every checksum is compared; return the number of datasets.

        Raises
        ------
        StorageError
            Naming the first dataset that is damaged.
        """
        return sum(len(self.table(group).coordinates) + len(self.table(group).variables) for group in self.groups)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.variable(name).values

    def __contains__(self, name: object) -> bool:
        group, _, leaf = str(name).strip("/").rpartition("/")
        if not group:
            return leaf in self.groups
        if group not in self.groups:
            return False
        names = set(self.names(group))
        return leaf in names or {f"{leaf}_re", f"{leaf}_im"} <= names

    def __iter__(self) -> Iterator[str]:
        return (f"{group}/{name}" for group in self.groups for name in self.names(group))

    def close(self) -> None:
        """Close the file; `with` does it too."""
        self._file.close()

    def __enter__(self) -> Results:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Results({str(self.path)!r})"

    def _read(self, name: str) -> Variable:
        dataset = self._file[name]
        self._load_filters(dataset)
        attributes = self._attributes(dataset)
        units, label = str(attributes.pop("units", "1")), str(attributes.pop("long_name", ""))
        return Variable(self._dims(dataset), dataset[()], units, label, attributes)

    def _load_filters(self, dataset: Any) -> None:
        """Load hdf5plugin where a dataset was compressed with one of its filters."""
        import h5py

        pipeline = dataset.id.get_create_plist()
        codes = [pipeline.get_filter(position)[0] for position in range(pipeline.get_nfilters())]
        if not all(h5py.h5z.filter_avail(code) for code in codes):
            try:
                import hdf5plugin  # noqa: F401  (importing it registers its filters)
            except ImportError:
                raise StorageError(
                    f'{self.path} is compressed with a filter of hdf5plugin: pip install "fpsolver[compression]"'
                ) from None

    def _dims(self, dataset: Any) -> tuple[str, ...]:
        """Return the names of a dataset's dimensions, found from the side of the scales.

        The dataset's own list of its scales lies in a heap without checksum; the lists that the scales keep do not.
        """
        if dataset.is_scale:
            return (dataset.name.rpartition("/")[2],)
        names = {}
        for name, other in dataset.parent.items():
            for reference, axis in other.attrs.get("REFERENCE_LIST", ()):
                if self._file[reference] == dataset:
                    names[int(axis)] = name
        return tuple(names[axis] for axis in range(dataset.ndim))

    def _attributes(self, item: Any) -> dict[str, Any]:
        hidden = ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST")
        return self._guarded(
            f"the attributes of {item.name}",
            lambda: {key: decoded(key, value) for key, value in item.attrs.items() if key not in hidden},
        )

    def _require(self, name: str, present: tuple[str, ...], what: str) -> None:
        if name not in present:
            raise StorageError(
                f"{self.path} has no {what} {name!r}{suggest(name, present)} (it has {', '.join(present)})"
            )

    def _guarded(self, what: str, read: Callable[[], T]) -> T:
        """Read, and turn what HDF5 says of damaged bytes into one kind of error."""
        if not self._file:
            raise StorageError(f"{self.path} has been closed; read inside the with statement")
        try:
            return read()
        except StorageError:
            raise
        except (OSError, RuntimeError, KeyError, ValueError, IndexError, TypeError) as error:
            raise StorageError(f"{self.path} is damaged: {what} cannot be read ({_first_line(error)})") from error


def _open(path: Path) -> Any:
    import h5py

    if path.is_dir():
        raise StorageError(f"{path} is a folder; give the name of a result file")
    if not path.exists():
        near = suggest(path.name, [entry.name for entry in path.parent.glob("*.h5")]) if path.parent.is_dir() else ""
        raise StorageError(f"there is no file {path}{near}")
    try:
        with path.open("rb") as raw:
            signature = raw.read(8)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {os.strerror(error.errno or 0)}") from None
    if not signature:
        raise StorageError(f"{path} is empty; copy it again, or run the study anew")
    if signature != b"\x89HDF\r\n\x1a\n":
        raise StorageError(f"{path} is not an HDF5 file")
    try:
        return h5py.File(path, "r")
    except (OSError, RuntimeError, ValueError) as error:
        whole = re.search(r"truncated file.*stored_eof = (\d+)", str(error))
        if whole:
            what = f"truncated: it has {path.stat().st_size} of {whole[1]} bytes"
        else:
            what = f"damaged: {_first_line(error)}"
        raise StorageError(f"{path} is {what}; copy it again, or run the study anew") from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip('"').splitlines() or [type(error).__name__])[0]
