"""Escape over barriers: the claims about rates, prefactors and landscapes; importing this registers them."""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "kramers",
    "escape_time",
    "turnover",
    "langer",
    "learning_rate",
    "discrete_chain",
    "curvature_noise",
    "random_landscapes",
    "barrier_heights",
)
"""The files of the family, each with one claim or a few of one subject."""

for module in MODULES:
    import_module(f"{__name__}.{module}")
