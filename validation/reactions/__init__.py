"""Reaction rates of updates: the claims about jump processes and master equations; importing this registers them."""

from __future__ import annotations

from importlib import import_module

MODULES: tuple[str, ...] = (
    "rate_density",
    "attempt_frequency",
    "transition_probability",
    "small_jump_limit",
    "batch_size",
    "rounding",
    "best_steps",
)
"""The files of the family, each with one claim or a few of one subject."""

for module in MODULES:
    import_module(f"{__name__}.{module}")
