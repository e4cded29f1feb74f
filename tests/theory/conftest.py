"""The well of most tests."""

from __future__ import annotations

import pytest

from fpsolver.theory import Barrier


@pytest.fixture(scope="session")
def well(quartic):
    """The left well of x⁴/4 − x²/2: ΔL = 1/4, L'' = 2 and −1, action 4/3."""
    return Barrier.between(quartic, -1.0, 0.0)
