"""Learning in finite steps: claims about SGD as a chain and critical learning rates; importing this registers them."""

from __future__ import annotations

from importlib import import_module

MODULES: tuple[str, ...] = (
    "critical_learning_rates",
    "stability_of_minibatch_sgd",
    "critical_damping",
    "sgd_temperature",
    "minibatch_noise",
    "finite_learning_rate",
    "interpolation",
    "noncommuting_exit",
    "controllers",
)
"""The files of the family, each with one claim or a few of one subject."""

for module in MODULES:
    import_module(f"{__name__}.{module}")
