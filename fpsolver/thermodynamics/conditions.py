"""Checks that what drives a system shares."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.errors import MethodError


def check_positive(**numbers: Any) -> None:
    """Raise `MethodError` for the first number that is not positive and finite."""
    for name, number in numbers.items():
        if not (np.isfinite(number) and number > 0):
            raise MethodError(f"{name} = {number!r} must be positive and finite")
