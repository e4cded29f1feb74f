"""Stochastic thermodynamics: the claims about work, heat, entropy production; importing this registers them."""

from __future__ import annotations

from importlib import import_module

MODULES: tuple[str, ...] = (
    "trajectory_entropy",
    "integral_theorem",
    "detailed_theorem",
    "readings",
    "effective_temperature",
    "heat_tails",
    "large_deviations",
    "jarzynski",
    "estimators",
    "first_and_second_law",
    "heat_rates",
    "fokker_planck_form",
    "stationary_sgd",
    "convergence_to_equilibrium",
    "work_and_heat",
    "optimal_protocols",
    "temperature_ramp",
    "minimum_entropy_production",
    "uncertainty_relation",
    "kramers_moyal",
    "feedback",
)
"""The files of the family, each with one claim or a few of one subject."""

for module in MODULES:
    import_module(f"{__name__}.{module}")
