"""Entropy, heat and work of densities and trajectories, their fluctuations, and what bounds them.

Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {
    "entropy_production": "entropy_rates",
    "EntropyProduction": "entropy_rates",
    "energy_rates": "first_law",
    "EnergyRates": "first_law",
    "energy_balance": "first_law",
    "EnergyBalance": "first_law",
    "hatano_sasa_split": "housekeeping",
    "geometric_split": "housekeeping",
    "DissipationSplit": "housekeeping",
    "kinetic_entropy_production": "kinetic_dissipation",
    "kinetic_heat": "kinetic_dissipation",
    "exponential_average": "jarzynski",
    "ExponentialAverage": "jarzynski",
    "integral_theorem": "fluctuation_theorems",
    "IntegralTheorem": "fluctuation_theorems",
    "detailed_theorem": "fluctuation_theorems",
    "DetailedTheorem": "fluctuation_theorems",
    "switched_steady_states": "hatano_sasa",
    "Transitions": "hatano_sasa",
    "housekeeping_on_a_ring": "hatano_sasa",
    "bennett": "acceptance_ratio",
    "Bennett": "acceptance_ratio",
    "crooks_line": "crooks",
    "CrooksLine": "crooks",
    "log_ratio": "crooks",
    "LogRatio": "crooks",
    "gaussian_crossing": "crooks_crossing",
    "Crossing": "crooks_crossing",
    "cumulant_expansion": "cumulants",
    "CumulantExpansion": "cumulants",
    "bootstrap": "resampling",
    "Bootstrap": "resampling",
    "block_average": "correlated_samples",
    "BlockAverage": "correlated_samples",
    "statistical_inefficiency": "correlated_samples",
    "wasserstein_distance": "wasserstein",
    "optimal_transport": "wasserstein",
    "Transport": "wasserstein",
    "speed_limit": "wasserstein",
    "transport_landscape": "transport_landscapes",
    "full_control": "transport_work",
    "FullControl": "transport_work",
    "friction_tensor": "friction",
    "slow_driving": "slow_protocols",
    "SlowDriving": "slow_protocols",
    "SteppedDriving": "stepped_driving",
    "optimal_protocol": "optimal_protocols",
    "OptimalProtocol": "optimal_protocols",
    "tilted": "large_deviations",
    "TiltedGenerator": "large_deviations",
    "Counting": "large_deviations",
    "counting": "large_deviations",
    "winding": "large_deviations",
    "current_across": "large_deviations",
    "time_integral": "large_deviations",
    "entropy_flow": "large_deviations",
    "heat": "large_deviations",
    "force_work": "large_deviations",
    "dominant_state": "dominant_states",
    "DominantState": "dominant_states",
    "scgf": "large_deviations",
    "CumulantGeneratingFunction": "large_deviations",
    "scaled_cumulants": "large_deviations",
    "ScaledCumulants": "large_deviations",
    "rate_function": "large_deviations",
    "RateFunction": "large_deviations",
    "work_generating_function": "work_statistics",
    "GeneratingFunction": "work_statistics",
    "work_moments": "work_statistics",
    "WorkMoments": "work_statistics",
    "work_weighted_densities": "work_statistics",
    "log_partition_ratio": "work_statistics",
    "work_distribution": "work_distributions",
    "WorkDistribution": "work_distributions",
    "crooks_pair": "work_distributions",
    "CrooksPair": "work_distributions",
    "cycle_decomposition": "network_cycles",
    "CycleDecomposition": "network_cycles",
    "least_entropy_production": "minimum_entropy_production",
    "LeastProduction": "minimum_entropy_production",
    "uncertainty_product": "uncertainty",
    "current_fluctuations": "uncertainty",
    "chain_fluctuations": "uncertainty",
    "sharpest_current": "uncertainty",
    "CurrentFluctuations": "uncertainty",
    "jump_moments": "update_moments",
    "JumpMoments": "update_moments",
    "kramers_moyal_limit": "update_moments",
    "KramersMoyalLimit": "update_moments",
    "kramers_moyal": "lagged_moments",
    "FiniteLagCoefficients": "lagged_moments",
    "fit_drift_and_diffusion": "drift_fit",
    "finite_lag_moments": "drift_fit",
    "DriftAndDiffusion": "drift_fit",
    "entropy_production_from_currents": "entropy_estimation",
    "entropy_production_of_linear_dynamics": "entropy_estimation",
    "EstimatedEntropyProduction": "entropy_estimation",
    "mutual_information": "information",
    "information_flow": "information",
    "InformationFlow": "information",
}
_MODULES: tuple[str, ...] = ()

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
