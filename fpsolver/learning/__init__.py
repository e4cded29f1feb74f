"""Learning as it is practised: critical learning rates, temperatures, schedules and precision, measured and predicted.

Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {
    "Optimiser": "stability",
    "update_map": "stability",
    "spectral_radius": "stability",
    "critical_learning_rate": "stability",
    "critical_momentum": "stability",
    "CriticalMomentum": "stability",
    "Threshold": "thresholds",
    "sharpness": "largest_curvature",
    "Sharpness": "largest_curvature",
    "GaussianInputs": "regression_inputs",
    "moments": "moment_recursion",
    "Moments": "moment_recursion",
    "stationary_moments": "moment_recursion",
    "sgd_recursion": "moment_recursion",
    "regression_recursion": "moment_recursion",
    "MomentRecursion": "moment_recursion",
    "mean_square_radius": "moment_recursion",
    "mean_square_learning_rate": "moment_recursion",
    "lyapunov_exponent": "random_products",
    "almost_sure_learning_rate": "random_products",
    "AlmostSureThreshold": "random_products",
    "moment_growth": "kesten_tails",
    "tail_index": "kesten_tails",
    "hill_tail_index": "kesten_tails",
    "stationary_weights": "kesten_tails",
    "bifurcation_diagram": "bifurcation",
    "BifurcationDiagram": "bifurcation",
    "doubling_learning_rate": "bifurcation",
    "sharpness_history": "bifurcation",
    "SharpnessHistory": "bifurcation",
    "ulam_generator": "transfer_operator",
    "density_diagram": "transfer_operator",
    "DensityDiagram": "transfer_operator",
    "escape_rates": "basin_escape",
    "EscapeRates": "basin_escape",
    "TemperatureReading": "thermometer",
    "read_temperature": "thermometer",
    "measure_temperature": "thermometer",
    "QuantisedSGD": "quantised",
    "Optimum": "optimal_rate",
    "minimise": "optimal_rate",
    "optimise": "optimal_rate",
    "loss_after": "optimal_rate",
    "stationary_loss": "optimal_rate",
    "escape_time": "optimal_rate",
    "expected_progress": "learning_rate_control",
    "one_step_rate": "learning_rate_control",
    "adaptive_rate": "learning_rate_control",
    "greedy_schedule": "learning_rate_control",
    "controlled_descent": "learning_rate_control",
    "RateSchedule": "learning_rate_control",
    "ControlledRun": "learning_rate_control",
    "constant_temperature": "batch_size_control",
    "linear_scaling": "batch_size_control",
    "matching_batch_sizes": "batch_size_control",
    "whole_batches": "batch_size_control",
    "schedule": "batch_size_control",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
