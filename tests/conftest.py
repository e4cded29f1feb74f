"""Fixtures that many tests share."""

from __future__ import annotations

import os

# Matrices here are small: where tests run beside other work, the barriers of a threaded BLAS take longer than its sums.
# It reads this when NumPy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

import fpsolver as fp


@pytest.fixture(scope="session")
def quartic():
    """V = x⁴/4 − x²/2, the double well of most reference values."""
    return fp.Landscape("x**4/4 - x**2/2")
