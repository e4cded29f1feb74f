"""Closed forms: escape rates, first-passage times, depopulation factors; each with its assumptions and its source.

Nothing here sees a grid, a generator, a solver or an ensemble, so that agreement with those is evidence.
Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Estimate": "estimate",
    "Barrier": "barrier",
    "LineDiffusion": "line_diffusion",
}
_MODULES = (
    "kramers",
    "anharmonic",
    "depopulation",
    "energy_diffusion",
    "turnover",
    "langer",
    "first_passage",
    "inverse_passage",
    "loss_noise_escape",
    "sgd_noise",
    "sgd_escape",
    "discrete_chain",
    "kac_rice",
    "spherical_glass",
    "random_energy",
    "barrier_statistics",
    "chain_passage",
    "learning_readings",
    "two_level",
    "relaxing_trap",
    "heat_tails",
    "ring_entropy",
    "batch_temperature",
    "gaussian_work",
    "dragged_trap",
    "stiffening_trap",
    "quadratic_chain",
    "schmiedl_seifert",
    "optimal_transport",
    "thermodynamic_length",
    "work_and_heat",
    "linear_diffusion",
    "stationary_sgd",
    "dissipation",
    "biased_walk",
    "tilted_ring",
    "linear_entropy",
    "uncertainty",
    "kramers_moyal",
    "trap_and_curl",
    "feedback",
    "learning_efficiency",
    "coupling_cycle",
    "linear_information",
    "two_reservoirs",
    "temperature_ramp",
    "sgd_temperatures",
    "heavy_ball",
    "minibatch_sampling",
    "exact_interpolation",
    "modified_equation",
    "noncommuting_exit",
    "step_factor",
    "critical_learning_rates",
    "period_doubling",
    "mean_square_threshold",
    "almost_sure_threshold",
    "kesten",
    "critical_damping",
    "reaction_rates",
    "quadratic_reactions",
    "metropolis",
    "attempt_rates",
    "small_jumps",
    "jump_transitions",
    "quantised_updates",
    "one_step_optimum",
    "batch_readings",
)

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
