"""Loss landscapes: expressions, functions, measured surfaces, data, a library, critical points, topology."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Landscape": "landscape",
    "CompiledExpressions": "compiled_expressions",
    "compile_expressions": "compiled_expressions",
    "parse": "expression",
    "quadratic": "library",
    "double_well": "library",
    "tilted_double_well": "library",
    "tilted_washboard": "library",
    "mueller_brown": "library",
    "coupled_double_well": "library",
    "matrix_factorisation": "library",
    "two_layer_linear": "library",
    "rastrigin": "library",
    "piecewise_quadratic": "library",
    "EmpiricalRisk": "regression",
    "logistic_regression": "regression",
    "linear_regression": "regression",
    "StationaryPoint": "critical_points",
    "minima": "critical_points",
    "saddles": "critical_points",
    "stationary_points": "critical_points",
    "EnergyPath": "energy_path",
    "minimum_energy_path": "energy_path",
    "PeriodicField": "random_fields",
    "PeriodicSpectrum": "random_fields",
    "gaussian_spectrum": "random_fields",
    "random_field": "random_fields",
    "FieldCriticalPoints": "torus_critical_points",
    "count_crossings": "torus_critical_points",
    "field_critical_points": "torus_critical_points",
    "brownian_path": "brownian",
    "threshold_extrema": "brownian",
    "random_energies": "random_cube",
    "cube_minima": "random_cube",
    "MergeTree": "sublevel_tree",
    "merge_tree": "sublevel_tree",
    "RefinedTree": "tree_refinement",
    "Basins": "watershed",
    "basins": "watershed",
    "PersistencePairs": "cubical_persistence",
    "persistence_pairs": "cubical_persistence",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_HOMES)
