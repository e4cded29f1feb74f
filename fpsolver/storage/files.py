"""HDF5 files written whole: filters, chunks, dimension scales, and the temporary name that is synced and renamed."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fpsolver.errors import StorageError, suggest
from fpsolver.storage.encoding import put_attributes
from fpsolver.storage.tables import Table, Variable

FORMAT = ("v110", "v110")  # the oldest format with checksummed metadata; later ones are closed to HDF5 1.10 readers
CHUNK_BYTES = 1 << 20  # the default chunk cache of HDF5 holds one such chunk

Hook = Callable[[str], None]


def no_hook(point: str) -> None:
    """Do nothing at a write point (tests put a kill here)."""


@dataclass(frozen=True)
class Compression:
    """How datasets are compressed; shuffle and a fletcher32 checksum go with every choice.

    Parameters
    ----------
    name : {"gzip", "none", "zstd", "blosc2"}
        "zstd" and "blosc2" need the extra ``compression`` (hdf5plugin), here and wherever the file is read.
    level : int, optional
        Effort, 0 to 9; the default is 4 for gzip and 5 for the others.

    Raises
    ------
    StorageError
        If the name or the level is unknown, or hdf5plugin is missing.
    """

    name: str = "gzip"
    level: int | None = None

    def __post_init__(self) -> None:
        if self.name not in COMPRESSIONS:
            hint = suggest(str(self.name), COMPRESSIONS)
            raise StorageError(f"compression = {self.name!r} is not one of {', '.join(COMPRESSIONS)}{hint}")
        if self.level is not None and not 0 <= self.level <= 9:
            raise StorageError(f"compression level = {self.level!r} is not between 0 and 9")
        self.filters()

    def filters(self) -> dict[str, Any]:
        """Return the keywords of `h5py.Group.create_dataset`."""
        common: dict[str, Any] = {"shuffle": True, "fletcher32": True}
        if self.name == "none":
            return common
        if self.name == "gzip":
            return common | {"compression": "gzip", "compression_opts": 4 if self.level is None else self.level}
        try:
            import hdf5plugin
        except ImportError:
            raise StorageError(
                f'compression = "{self.name}" needs hdf5plugin: pip install "fpsolver[compression]", or choose "gzip"'
            ) from None
        level = 5 if self.level is None else self.level
        chosen = hdf5plugin.Zstd(clevel=max(level, 1)) if self.name == "zstd" else hdf5plugin.Blosc2(clevel=level)
        return common | dict(chosen)


COMPRESSIONS = ("gzip", "none", "zstd", "blosc2")


@contextmanager
def written_whole(
    path: Path, *, hook: Hook = no_hook, replace: bool = False, extends: bool = False, label: str = "file"
) -> Iterator[Any]:
    """Give an open HDF5 file under a temporary name; on success sync it and rename it to `path`.

    With `extends` it begins as a copy of what `path` holds, and takes its place.

    Whoever looks sees either no file, the old file or the whole new one, also after a power failure.

    Raises
    ------
    StorageError
        If the folder cannot be written or the disk is full, or `path` exists and `replace` is False.
    """
    import h5py

    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if extends:
            shutil.copyfile(path, temporary)
        with h5py.File(temporary, "r+" if extends else "w", libver=FORMAT) as file:
            hook(f"{label} created")
            yield file
            hook(f"{label} filled")
        hook(f"{label} closed")
        _sync(temporary)
        hook(f"{label} synced")
        publish(temporary, path, replace=replace or extends)
        hook(f"{label} published")
    except (OSError, RuntimeError) as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"cannot write {path}: {_reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let other processes that ask for the same folder wait; where the file system has no locks, nobody waits."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # which lets the next one in, as the end of a process does


def publish(temporary: Path, path: Path, *, replace: bool) -> None:
    """Give a synced file its final name; without `replace` an existing file is left alone.

    Raises
    ------
    StorageError
        If `path` exists and `replace` is False.
    """
    if replace:
        temporary.replace(path)
    else:
        try:
            os.link(temporary, path)  # unlike a rename, fails where the name is taken in the meantime
        except FileExistsError:
            raise StorageError(f"{path} exists; choose another output or allow overwriting") from None
        except OSError:  # a file system without hard links
            if path.exists():
                raise StorageError(f"{path} exists; choose another output or allow overwriting") from None
            temporary.replace(path)
    _sync(path.parent)


def write_table(
    file: Any, group: str, table: Table, *, compression: Compression, lengths: Mapping[str, int] | None = None
) -> None:
    """Write a table as a group of an open file.

    Parameters
    ----------
    file : h5py.File
        Open for writing.
    group : str
        Name of the group.
    table : Table
        What to write.
    compression : Compression
        Filters of the datasets.
    lengths : mapping of str to int, optional
        Dimensions that are to be longer than in `table`, whose values fill their beginning; `extend_table` adds the
        rest.
    """
    home = file.require_group(group)  # it is there where a group below it came first
    put_attributes(home, table.attributes)
    final = {**table.lengths, **(lengths or {})}
    for name, coordinate in table.coordinates.items():
        _create(home, name, coordinate, final, compression).make_scale(name)
    for name, variable in table.real().items():
        dataset = _create(home, name, variable, final, compression)
        for axis, dim in enumerate(variable.dims):
            dataset.dims[axis].attach_scale(home[dim])


def extend_table(file: Any, group: str, table: Table, *, along: str, start: int) -> None:
    """Fill the datasets of a group that was made longer, from position `start` along one dimension."""
    home = file[group]
    pieces = {**table.real(), along: table.coordinates[along]}
    for name, piece in pieces.items():
        if along in piece.dims:
            axis = piece.dims.index(along)
            where = [slice(None)] * len(piece.dims)
            where[axis] = slice(start, start + piece.values.shape[axis])
            home[name][tuple(where)] = piece.values


def chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return a chunk of at most `CHUNK_BYTES`, cut along leading dimensions first, so that frames stay whole.

    Examples
    --------
    >>> chunk_shape((40, 512, 512), 8)
    (1, 256, 512)
    """
    chunk = [max(length, 1) for length in shape]
    axis = 0
    while np.prod(chunk) * itemsize > CHUNK_BYTES:
        if chunk[axis] == 1:
            axis += 1
        else:
            chunk[axis] = -(-chunk[axis] // 2)
    return tuple(chunk)


def _create(home: Any, name: str, variable: Variable, lengths: Mapping[str, int], compression: Compression) -> Any:
    values = variable.values
    shape = tuple(lengths[dim] for dim in variable.dims)
    own = variable.attributes.get("compression")
    filters = (compression if own is None else Compression(own)).filters()
    dataset = home.create_dataset(
        name, shape=shape, dtype=values.dtype, chunks=chunk_shape(shape, values.dtype.itemsize), **filters
    )
    dataset[tuple(slice(length) for length in values.shape)] = values
    label = variable.long_name or name.replace("_", " ")
    put_attributes(dataset, {"units": variable.units, "long_name": label, **variable.attributes})
    return dataset


def _sync(path: Path) -> None:
    """Ask the operating system to put a file or a folder's list of names on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: BaseException) -> str:
    code = getattr(error, "errno", None)
    return os.strerror(code) if code else str(error)
