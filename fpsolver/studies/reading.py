"""Study files as text: TOML, with overrides from the command line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpsolver.errors import StudyError, suggest
from fpsolver.studies.problems import Problems, shown
from fpsolver.studies.toml_lines import Key, key_lines


@dataclass(frozen=True)
class StudyText:
    """A study file as read.

    Parameters
    ----------
    path : str
        Its name, as the user gave it.
    text : str
        Its content.
    overrides : tuple of str
        The ``KEY=VALUE`` that replace entries of it.
    data : dict
        The tables, overrides applied.
    problems : Problems
        Where complaints go.
    """

    path: str
    text: str
    overrides: tuple[str, ...]
    data: dict[str, Any]
    problems: Problems


def read_study(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> StudyText:
    """Read a study file and apply ``KEY=VALUE`` overrides, as in ``dynamics.temperature=0.2``.

    Raises
    ------
    StudyError
        If the file cannot be read, is not TOML, or an override is malformed.
    """
    name = os.fspath(path)
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except FileNotFoundError:
        folder = Path(path).parent
        near = suggest(Path(path).name, [entry.name for entry in folder.glob("*.toml")]) if folder.is_dir() else ""
        raise StudyError(f"there is no study file {name}{near}") from None
    except UnicodeDecodeError as error:
        raise StudyError(f"{name}: not a text file in UTF-8 ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise StudyError(f"{name}: cannot be read: {os.strerror(error.errno or 0)}") from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return parse_study(text, name, overrides)


def parse_study(text: str, name: str, overrides: Sequence[str] = ()) -> StudyText:
    """Return a study given as text; `name` stands for the file in messages.

    Raises
    ------
    StudyError
        If it is not TOML, or an override is malformed.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(_syntax(name, str(error))) from None
    except RecursionError:
        raise StudyError(f"{name}: nested too deeply") from None
    overridden = dict(_override(data, entry) for entry in overrides)
    return StudyText(name, text, tuple(overrides), data, Problems(name, key_lines(text), overridden))


def _syntax(name: str, message: str) -> str:
    place = re.search(r"\s*\(at line (\d+), column (\d+)\)", message)
    if not place:
        return f"{name}: not valid TOML: {message}"
    what = message.replace(place.group(0), "")
    return f"{name}:{place.group(1)}: not valid TOML: {what[:1].lower()}{what[1:]} (column {place.group(2)})"


def _override(data: dict[str, Any], entry: str) -> tuple[Key, str]:
    """Put one override into the tables; return its key and text."""
    name, equals, value = entry.partition("=")
    parts = tuple(part.strip().strip('"') for part in name.split("."))
    if not equals or not all(parts):
        raise StudyError(f"--set {entry}: give KEY=VALUE, for example --set dynamics.temperature=0.2")
    table: Any = data
    for depth, part in enumerate(parts[:-1], start=1):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise StudyError(f"--set {entry}: {'.'.join(parts[:depth])} is {shown(table)}, not a table")
    table[parts[-1]] = _value(value.strip())
    return parts, entry


def _value(text: str) -> Any:
    """Return what a TOML value says, or the text itself where it is none, so that strings need no quotes."""
    try:
        parsed: Mapping[str, Any] = tomllib.loads(f"value = {text}\n")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if set(parsed) == {"value"} else text
