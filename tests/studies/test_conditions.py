"""Conditions as regions."""

from __future__ import annotations

import pytest

from fpsolver.errors import RegionError
from fpsolver.studies.conditions import parse_region


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("x >= 1", {"x": (1.0, None)}),
        ("x<1e-3", {"x": (None, 1e-3)}),
        ("-1 < x", {"x": (-1.0, None)}),
        ("2 >= x > -.5", {"x": (-0.5, 2.0)}),
        ("x >= 1 and -2 < y <= 2", {"x": (1.0, None), "y": (-2.0, 2.0)}),
        ("x > 0 and x < 1", {"x": (0.0, 1.0)}),
        ("weight_2 > 0", {"weight_2": (0.0, None)}),
    ],
)
def test_conditions(text, bounds):
    assert parse_region(text).bounds == bounds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "is not a condition"),
        ("x > y", "is not a condition"),
        ("x > 0 or x < -1", "is not a condition"),
        ("x > 0 and x > 1", "twice from the same side"),
        ("1 < x < 0", "not below the upper"),
        ("__import__('os') > 1", "is not a condition"),
        ("", "is not a condition"),
    ],
)
def test_what_is_not_a_condition(text, message):
    with pytest.raises(RegionError, match=message):
        parse_region(text)
