"""What can be observed of an ensemble: moments, histograms, quantiles, exponential averages, trajectories."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Observable": "observable",
    "Result": "observable",
    "named": "observable",
    "Quantities": "quantities",
    "Snapshot": "snapshot",
    "Moments": "moments",
    "Mean": "means",
    "Histogram": "histogram",
    "LogSumExp": "log_sum_exp",
    "Quantiles": "quantiles",
    "Trajectories": "positions",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_HOMES)
