"""The four methods by which results are written, and the store that keeps them in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from fpsolver.storage.tables import Table, joined

FRAMES = "time"
"""Dimension along which frames are appended."""


class Store(ABC):
    """Where a run puts its results, group by group, frame by frame.

    `append` and `write` take a table and return at once; what they took is safe when `flush` has returned. `finish`
    ends the run. Stores keep no reference to the arrays they were given beyond the next `flush`.
    """

    @abstractmethod
    def append(self, group: str, frames: Table) -> None:
        """Add frames, a table whose variables have the dimension "time", behind those that the group has.

        Raises
        ------
        StorageError
            If the variables differ from those of earlier frames, or nothing can be written.
        """

    @abstractmethod
    def write(self, group: str, table: Table) -> None:
        """Put a whole group in place of what was written under that name before."""

    @abstractmethod
    def flush(self) -> int:
        """Make safe whatever was appended and written; return the number of frames that are safe now."""

    @abstractmethod
    def finish(self, attributes: Mapping[str, Any]) -> Any:
        """Close the store with the root attributes of the run; return what holds the results."""


class MemoryStore(Store):
    """Results kept in memory, as tables by group.

    Examples
    --------
    >>> from fpsolver.storage import Variable
    >>> store = MemoryStore()
    >>> for moment in (0.0, 1.0):
    ...     time = Variable(("time",), [moment])
    ...     store.append("observables", Table({"time": time}, {"mass": Variable(("time",), [1.0])}))
    >>> store.flush()
    2
    >>> store.finish({})["observables"].variables["mass"].values.tolist()
    [1.0, 1.0]
    """

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self._frames: dict[str, list[Table]] = {}
        self._tables: dict[str, Table] = {}

    def append(self, group: str, frames: Table) -> None:  # noqa: D102
        joined([*self._frames.get(group, [])[-1:], frames], FRAMES)
        self._frames.setdefault(group, []).append(frames)

    def write(self, group: str, table: Table) -> None:  # noqa: D102
        self._tables[group] = table

    def flush(self) -> int:  # noqa: D102
        for group, parts in self._frames.items():
            self._frames[group] = [joined(parts, FRAMES)]
        return max((parts[0].lengths[FRAMES] for parts in self._frames.values()), default=0)

    def finish(self, attributes: Mapping[str, Any]) -> dict[str, Table]:
        """Keep the attributes; return the tables by group."""
        self.flush()
        self.attributes = dict(attributes)
        return {**{group: parts[0] for group, parts in self._frames.items()}, **self._tables}
