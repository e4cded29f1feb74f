"""What is wrong with a study file, collected and said in one message, a line for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fpsolver.errors import InputError, StudyError, suggest
from fpsolver.studies.toml_lines import Key


@dataclass
class Problems:
    """A list of complaints about keys of one study file.

    Parameters
    ----------
    path : str
        Name of the file, as the user gave it.
    lines : mapping of key to int
        Line of each key.
    overridden : mapping of key to str
        The option ``--set KEY=VALUE`` that replaced the key, where one did.
    """

    path: str
    lines: Mapping[Key, int] = field(default_factory=dict)
    overridden: Mapping[Key, str] = field(default_factory=dict)
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, key: Key, message: str) -> None:
        """Note a complaint about a key, or about its table where the key is missing."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.overridden:
                where, line = f"--set {self.overridden[key[:length]]}", 0
                break
            if key[:length] in self.lines:
                line = self.lines[key[:length]]
                where = f"{self.path}:{line}"
                break
        else:
            where, line = self.path, 0
        name = f"{dotted(key)}: " if key else ""
        self.found.append((line, f"{where}: {name}{message}"))

    @contextmanager
    def about(self, *key: str | int) -> Iterator[None]:
        """Turn an `InputError` of the package into a complaint about a key.

        A message that begins with ``name = …``, ``name 'key' …`` or ``name '…'`` is about that key of the table, if the
        table has it.
        """
        try:
            yield
        except InputError as error:
            message = str(error)
            start = re.match(r"([A-Za-z_]\w*)(?: = | '([^']*)')", message)
            if start:
                name, inner = start.groups()
                known = {**self.lines, **self.overridden}
                key = next((more for more in ((*key, name, inner), (*key, name)) if more in known), key)
            self.add(key, message)

    def raise_any(self) -> None:
        """Raise `StudyError` with every complaint, in the order of the file, if there is one."""
        if self.found:
            raise StudyError(
                "\n".join(dict.fromkeys(line for _, line in sorted(self.found, key=lambda entry: entry[0])))
            )


def dotted(key: Key) -> str:
    """Return a key as it is written: names joined by dots, positions in brackets.

    Examples
    --------
    >>> dotted(("evolve", "times", 2))
    'evolve.times[2]'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return text.removeprefix(".")


def add_validation_errors(problems: Problems, section: Key, error: Any, allowed: Callable[[Key], list[str]]) -> None:
    """Note what pydantic found in a section.

    Parameters
    ----------
    problems : Problems
        The list to add to.
    section : tuple
        Key of the section.
    error : pydantic.ValidationError
        What pydantic raised.
    allowed : callable
        Gives the keys that the table at a location may have.
    """
    entries = error.errors(include_url=False)
    meant = {suggest(str(e["loc"][-1]), allowed(e["loc"][:-1])) for e in entries if e["type"] == "extra_forbidden"}
    for entry in entries:
        location: Key = tuple(entry["loc"])
        if entry["type"] == "missing" and f'; did you mean "{location[-1]}"?' in meant:
            continue  # the key is there, misspelt, and already named
        problems.add((*section, *location), _message(entry, allowed(location[:-1]) if location else []))


def _message(entry: Mapping[str, Any], allowed: list[str]) -> str:
    kind, given, context = entry["type"], entry.get("input"), entry.get("ctx", {})
    if kind == "extra_forbidden":
        hint = suggest(str(entry["loc"][-1]), allowed)
        return "unknown key" + (hint or f"; known here: {', '.join(allowed)}")
    if kind == "missing":
        return "missing; it must be given"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"{shown(given)} is not one of {', '.join(choices)}{suggest(str(given), choices)}"
    wanted = {
        "float_type": "a number",
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "finite_number": "a finite number",
        "string_type": "a string",
        "bool_type": "true or false",
        "list_type": "a list",
        "dict_type": "a table",
        "model_type": "a table",
        "model_attributes_type": "a table",
    }
    bounds = {
        "greater_than": ("gt", "above"),
        "greater_than_equal": ("ge", "at least"),
        "less_than": ("lt", "below"),
        "less_than_equal": ("le", "at most"),
    }
    if kind in wanted:
        return f"{shown(given)} is not {wanted[kind]}"
    if kind in bounds:
        name, word = bounds[kind]
        limit = context[name]
        allowed_range = "positive" if (word, limit) == ("above", 0) else f"{word} {limit:g}"
        return f"{shown(given)} is out of range; it must be {allowed_range}"
    if kind == "value_error":
        return str(context["error"])
    return f"{shown(given)}: {entry['msg'][:1].lower()}{entry['msg'][1:]}"


def shown(value: Any) -> str:
    """Return a value as it would stand in TOML, shortened.

    Examples
    --------
    >>> shown(True), shown("a"), shown([1, 2])
    ('true', '"a"', '[1, 2]')
    """
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, Mapping):
        text = f"the table {{{', '.join(map(str, value))}}}"
    else:
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
