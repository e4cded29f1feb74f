"""On which line of a TOML text each key stands; `tomllib` reads values but keeps no positions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Key = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_SCALAR = re.compile(r"[^,\]}\n#]*")


def key_lines(text: str) -> dict[Key, int]:
    r"""Return the line, counted from 1, of every table, key and array entry of a TOML text that `tomllib` accepts.

    Examples
    --------
    >>> lines = key_lines("[grid]\nx.cells = 3\n[dynamics]\nforce = [1,\n 2]")
    >>> lines["grid", "x", "cells"], lines["dynamics",], lines["dynamics", "force", 1]
    (2, 3, 5)
    """
    return _Scanner(text).scan()


@dataclass
class _Scanner:
    """One pass over a text that is known to be valid, so that a little of the grammar is enough."""

    text: str
    place: int = 0
    lines: dict[Key, int] = field(default_factory=dict)

    def scan(self) -> dict[Key, int]:
        table: Key = ()
        tables: dict[Key, int] = {}
        self._skip(_BLANK)
        while self.place < len(self.text):
            if self._next("["):
                many = self._next("[")
                self._skip(_SPACE)
                table = self._below(self._key())
                if many:
                    tables[table] = tables.get(table, -1) + 1
                    self._note(table)
                    table = (*table, tables[table])
                for length in range(1, len(table) + 1):
                    self._note(table[:length])
                self._skip(_SPACE)
                self._next("]")
                self._next("]")
            else:
                self._entry(table)
            self._skip(_BLANK)
        return self.lines

    def _below(self, key: Key) -> Key:
        """Return a header's key with the number of the current entry put in behind each array of tables."""
        path: Key = ()
        for part in key:
            path = (*path, part)
            entries = [known[-1] for known in self.lines if known[:-1] == path and isinstance(known[-1], int)]
            if entries and path != key:
                path = (*path, max(int(entry) for entry in entries))
        return path

    def _entry(self, table: Key) -> None:
        key = (*table, *self._key())
        for length in range(len(table) + 1, len(key) + 1):
            self._note(key[:length])
        self._skip(_SPACE)
        self._next("=")
        self._skip(_SPACE)
        self._value(key)

    def _value(self, key: Key) -> None:
        if self._next("["):
            self._skip(_BLANK)
            entry = 0
            while not self._next("]"):
                self._note((*key, entry))
                self._value((*key, entry))
                self._skip(_BLANK)
                self._next(",")
                self._skip(_BLANK)
                entry += 1
        elif self._next("{"):
            self._skip(_BLANK)
            while not self._next("}"):
                self._entry(key)
                self._skip(_BLANK)
                self._next(",")
                self._skip(_BLANK)
        elif self.text[self.place] in "\"'":
            self._string()
        else:
            self._skip(_SCALAR)

    def _key(self) -> Key:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            if self.text[self.place] in "\"'":
                parts.append(self._string())
            else:
                parts.append(self._skip(_BARE))
            self._skip(_SPACE)
            if not self._next("."):
                return tuple(parts)

    def _string(self) -> str:
        quote = self.text[self.place]
        mark = quote * 3 if self.text.startswith(quote * 3, self.place) else quote
        end = self.place + len(mark)
        while not self.text.startswith(mark, end):
            end += 2 if quote == '"' and self.text[end] == "\\" else 1
        content = self.text[self.place + len(mark) : end]
        self.place = end + len(mark)
        while len(mark) == 3 and self.text.startswith(quote, self.place):  # up to two quotes may end the content
            self.place += 1
        return content

    def _note(self, key: Key) -> None:
        self.lines.setdefault(key, self.text.count("\n", 0, self.place) + 1)

    def _next(self, mark: str) -> bool:
        found = self.text.startswith(mark, self.place)
        self.place += len(mark) if found else 0
        return found

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.place)
        assert match is not None
        if not match.group() and pattern is _BARE:
            raise ValueError(f"not a key at {self.place}")  # never in a text that tomllib has accepted
        self.place = match.end()
        return match.group()
