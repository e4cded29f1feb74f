"""The store that survives a kill: segment files written whole, and the consolidator that makes one file of them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fpsolver.errors import StorageError
from fpsolver.storage.encoding import SCHEMA, SCHEMA_VERSION, put_attributes
from fpsolver.storage.files import Compression, Hook, extend_table, no_hook, write_table, written_whole
from fpsolver.storage.store import FRAMES, Store
from fpsolver.storage.tables import Table, joined

SEGMENT_BYTES = 64 << 20
SEGMENT_SECONDS = 5.0


class FileStore(Store):
    """Results in an HDF5 file that appears, whole, when the run is finished.

    Until then they lie in segment files in the folder ``<path>.partial``, which is made at once, so that a folder that
    cannot be written is found before anything is computed. The folder is also the lock: two runs cannot write one file.

    Parameters
    ----------
    path : str or Path
        The final file.
    overwrite : bool
        Replace an existing file, once the new one is complete, and remains of an interrupted run, at once.
    compression : Compression
        Filters of the final file.
    attributes : mapping
        Root attributes that are known from the start; every segment carries them.
    hook : callable
        Called with the name of each point of writing; for tests of crash safety.

    Raises
    ------
    StorageError
        If the file exists, an interrupted run left a folder, or the folder cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        compression: Compression | None = None,
        attributes: Mapping[str, Any] | None = None,
        hook: Hook = no_hook,
    ) -> None:
        self.path = Path(path)
        self.partial = partial_folder(self.path)
        self._overwrite = overwrite
        self._compression = compression or Compression()
        self._attributes = dict(attributes or {})
        self._hook = hook
        self._frames: dict[str, list[Table]] = {}
        self._tables: dict[str, Table] = {}
        self._known: dict[str, Table] = {}
        self._safe: dict[str, int] = {}
        self._segments = 0
        self._last_flush = time.monotonic()
        _claim(self.path, self.partial, overwrite=overwrite)

    def append(self, group: str, frames: Table) -> None:
        """Add frames; they are written with the next segment, after 64 MiB or 5 s at the latest."""
        copied = joined([frames], FRAMES)
        if group in self._known:
            joined([self._known[group], copied], FRAMES)  # raises where frames differ, before either is written
        self._known[group] = copied
        self._frames.setdefault(group, []).append(copied)
        waiting = sum(_size(table) for tables in self._frames.values() for table in tables)
        if waiting > SEGMENT_BYTES or time.monotonic() - self._last_flush > SEGMENT_SECONDS:
            self.flush()

    def write(self, group: str, table: Table) -> None:  # noqa: D102
        self._tables[group] = table

    def flush(self) -> int:
        """Write a segment of what is waiting; return the number of frames that would survive a kill now."""
        if self._frames or self._tables:
            path = self.partial / f"seg-{self._segments:06d}.h5"
            with written_whole(path, hook=self._hook, label="segment") as file:
                _mark(file, self._attributes)
                for group, parts in self._frames.items():
                    table = joined(parts, FRAMES)
                    write_table(file, group, table, compression=Compression("none"))
                    file[group].attrs["frames_before"] = self._safe.get(group, 0)
                    self._hook(f"segment: {group}")
                for group, table in self._tables.items():
                    write_table(file, group, table, compression=Compression("none"))
                    self._hook(f"segment: {group}")
            for group, parts in self._frames.items():
                self._safe[group] = self._safe.get(group, 0) + sum(part.lengths[FRAMES] for part in parts)
            self._frames, self._tables = {}, {}
            self._segments += 1
        self._last_flush = time.monotonic()
        return max(self._safe.values(), default=0)

    def finish(self, attributes: Mapping[str, Any]) -> Path:
        """Write the final file, remove the segments, return the path of the file."""
        self.flush()
        self._attributes |= attributes
        consolidate(
            self.partial,
            self.path,
            attributes=self._attributes,
            compression=self._compression,
            overwrite=self._overwrite,
            hook=self._hook,
        )
        shutil.rmtree(self.partial)
        self._hook("partial removed")
        return self.path

    def abandon(self) -> None:
        """After a failure: keep what is safe in segments; leave no trace if there is nothing."""
        if not self._segments:
            shutil.rmtree(self.partial, ignore_errors=True)


def partial_folder(path: Path) -> Path:
    """Return the folder that holds the segments of a run until `path` is complete."""
    return path.parent / f"{path.name}.partial"


def segment_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the complete segments of a folder, in the order in which they were written."""
    return sorted(Path(folder).glob("seg-*.h5"))


def consolidate(
    partial: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    attributes: Mapping[str, Any] | None = None,
    compression: Compression | None = None,
    overwrite: bool = False,
    hook: Hook = no_hook,
) -> Path:
    """Make one result file of the segments of a run, also of one that was killed; the segments stay.

    Parameters
    ----------
    partial : path
        Folder of segments, ``OUT.h5.partial``.
    path : path
        File to write.
    attributes : mapping, optional
        Root attributes, over those that the segments carry.
    compression : Compression, optional
        Filters; gzip unless given.
    overwrite : bool
        Whether an existing file may be replaced.
    hook : callable
        Called with the name of each point of writing.

    Raises
    ------
    StorageError
        If there is no segment, one is damaged, or the file cannot be written.
    """
    from fpsolver.storage.results import open_results

    files = segment_files(partial)
    if not files:
        raise StorageError(f"{partial} holds no segment; nothing was saved before the run ended")
    frames: dict[str, list[tuple[Path, int]]] = {}
    tables: dict[str, Path] = {}
    found: dict[str, Any] = {}
    for file in files:
        with open_results(file) as segment:
            found |= segment.attributes
            for group in segment.groups:
                table = segment.table(group)
                if "frames_before" in table.attributes:
                    frames.setdefault(group, []).append((file, table.lengths[FRAMES]))
                else:
                    tables[group] = file
    chosen = compression or Compression()
    with written_whole(Path(path), hook=hook, replace=overwrite, label="final") as target:
        _mark(target, found | dict(attributes or {}))
        for group, parts in frames.items():
            _join_segments(target, group, parts, chosen)
            hook(f"final: {group}")
        for group, file in tables.items():
            with open_results(file) as segment:
                write_table(target, group, segment.table(group), compression=chosen)
            hook(f"final: {group}")
    return Path(path)


def _join_segments(target: Any, group: str, parts: list[tuple[Path, int]], compression: Compression) -> None:
    """Write the frames of one group, one segment in memory at a time."""
    from fpsolver.storage.results import open_results

    total = sum(length for _, length in parts)
    start = 0
    for file, length in parts:
        with open_results(file) as segment:
            table = segment.table(group)
        if start == 0:
            kept = {key: value for key, value in table.attributes.items() if key != "frames_before"}
            first = Table(table.coordinates, table.variables, kept)
            write_table(target, group, first, compression=compression, lengths={FRAMES: total})
        else:
            extend_table(target, group, table, along=FRAMES, start=start)
        start += length


def _mark(file: Any, attributes: Mapping[str, Any]) -> None:
    """Write root attributes, the schema first."""
    put_attributes(file, {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **attributes})


def _claim(path: Path, partial: Path, *, overwrite: bool) -> None:
    """Make the folder of segments and write into it, or say why not; touch nothing that exists unless allowed."""
    if path.is_dir():
        raise StorageError(f"{path} is a folder; give the name of a file")
    if path.exists() and not overwrite:
        raise StorageError(
            f"{path} exists; choose another (-o), or allow replacing it (--overwrite, in Python overwrite=True)"
        )
    if partial.exists():
        count = len(segment_files(partial))
        if not overwrite:
            raise StorageError(
                f"{partial} holds {count} segment(s) of a run that was interrupted, or is still going; if it is not, "
                "save it with fpsolver.storage.consolidate or remove it, or drop it with --overwrite"
            )
        shutil.rmtree(partial)
    with _as_storage_error(path.parent):
        partial.mkdir()
        probe = partial / ".probe"
        probe.write_bytes(b"\0")
        probe.unlink()


@contextmanager
def _as_storage_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise StorageError(f"the folder {folder} does not exist; make it first") from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StorageError(f"cannot write into the folder {folder}: {reason}; choose another with -o") from None


def _size(table: Table) -> int:
    return int(sum(np.asarray(variable.values).nbytes for variable in table.variables.values()))
