"""Measured data that come with the package, each with its source and licence (see ``README.md`` here).

Examples
--------
>>> from fpsolver.data import iris
>>> iris().measurements.shape
(150, 4)
"""

from __future__ import annotations

from fpsolver.data.measurements import Measurements, iris

__all__ = ["Measurements", "iris"]
