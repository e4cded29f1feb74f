"""Fixtures that many tests share."""

from __future__ import annotations

import pytest

import fpsolver as fp


@pytest.fixture(scope="session")
def quartic():
    """V = x⁴/4 − x²/2, the double well of most reference values."""
    return fp.Landscape("x**4/4 - x**2/2")
