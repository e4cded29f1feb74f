"""Regions of parameter space as conditions in a study file: ``x >= 1 and -2 < y < 2``."""

from __future__ import annotations

import re

from fpsolver.errors import RegionError
from fpsolver.regions import Box, where

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NAME = r"[A-Za-z_]\w*"
_AFTER = re.compile(rf"({_NAME})\s*(<=?|>=?)\s*({_NUMBER})")
_BEFORE = re.compile(rf"({_NUMBER})\s*(<=?|>=?)\s*({_NAME})(?:\s*(<=?|>=?)\s*({_NUMBER}))?")


def parse_region(text: str) -> Box:
    """Return the box that a condition describes; ``<`` and ``<=`` mean the same, as walls have no width.

    Raises
    ------
    RegionError
        If the text is not a chain of bounds joined by "and", or bounds are contradictory.

    Examples
    --------
    >>> parse_region("x >= 1 and -2 < y < 2").bounds
    {'x': (1.0, None), 'y': (-2.0, 2.0)}
    """
    bounds: dict[str, list[float | None]] = {}
    for part in re.split(r"\band\b|&", text):
        for name, side, value in _bounds(part.strip(), text):
            pair = bounds.setdefault(name, [None, None])
            if pair[side] is not None:
                raise RegionError(f'"{text}" bounds {name} twice from the same side')
            pair[side] = value
    return where(**{name: (pair[0], pair[1]) for name, pair in bounds.items()})


def _bounds(part: str, text: str) -> list[tuple[str, int, float]]:
    """Return (name, 0 for a lower or 1 for an upper bound, value) for each bound of one condition."""
    match = _AFTER.fullmatch(part)
    if match:
        name, relation, value = match.groups()
        return [(name, 0 if relation[0] == ">" else 1, float(value))]
    match = _BEFORE.fullmatch(part)
    if match:
        left, first, name, second, right = match.groups()
        found = [(name, 0 if first[0] == "<" else 1, float(left))]
        if right is not None:
            found.append((name, 1 if second[0] == "<" else 0, float(right)))
        return found
    raise RegionError(f'"{text}" is not a condition such as "x >= 1" or "x >= 1 and -2 < y < 2"')
