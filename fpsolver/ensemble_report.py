"""What the command line says of an ensemble: each observable at its last time, and how histograms fit the density."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

MOST_ROWS = 8

SMALL = 1e-3
"""p-value, times the number of tests, below which a disagreement is no longer put down to chance."""


def ensemble_rows(found: Mapping[str, Any], with_error: Callable[[float, float | None], str]) -> list[tuple[str, str]]:
    """Return label and text of each line.

    Parameters
    ----------
    found : mapping
        "ensemble" and "comparisons", from `fpsolver.studies.ensemble_run.run_ensemble`.
    with_error : callable
        Writes a value with its error.
    """
    if not found:
        return []
    ensemble = found["ensemble"]
    stats = ensemble.stats
    rows = [
        (
            "trajectories",
            f"{ensemble.n} by {stats['scheme']}, dt = {ensemble.dt:g}, to t = {ensemble.t:g}; seed {stats['seed']}; "
            f"{ensemble.pace}",
        )
    ]
    for name, result in ensemble.observables.items():
        if len(result.times):
            kind = type(result).__name__.removesuffix("Result")
            rows += [("", text) for text in LINES.get(kind, _nothing)(name, result, with_error)[:MOST_ROWS]]
    comparisons = found["comparisons"]
    rows += [("", _comparison(name, test)) for name, test in comparisons.items()]
    if any(len(test["p_value"]) * test["p_value"].min() < SMALL for test in comparisons.values()):
        step = "" if ensemble.stats.get("unit_of_time") == "step" else ", or dt is too long"
        rows.append(("", f"so small a p is no chance: for this many trajectories cells are too wide{step}"))
    return rows


def _nothing(name: str, result: Any, with_error: Any) -> list[str]:
    return []


def _means(name: str, result: Any, with_error: Any) -> list[str]:
    width = max(12, *map(len, result.quantities))
    return [
        f"mean {quantity:<{width}} {with_error(float(mean), float(error))}"
        for quantity, mean, error in zip(result.quantities, result.mean[-1], result.standard_error[-1], strict=True)
    ]


def _histogram(name: str, result: Any, with_error: Any) -> list[str]:
    outside = int(result.outside[-1])
    if not outside:
        return []
    return [f"{name}: {outside} of {int(result.trajectories[-1])} trajectories outside the bins at the end"]


def _quantiles(name: str, result: Any, with_error: Any) -> list[str]:
    parts = [
        f"{100 * p:g}%: {with_error(float(value), float(error))}"
        for p, value, error in zip(result.probabilities, result.values[-1], result.standard_error[-1], strict=True)
    ]
    return [f"quantiles of {result.quantity}  {', '.join(parts)}"]


def _exponential(name: str, result: Any, with_error: Any) -> list[str]:
    value, error = float(result.value[-1]), float(result.standard_error[-1])
    few = f"{result.effective_samples[-1]:.0f} effective samples of {int(result.trajectories[-1])}"
    return [f"ln⟨exp({result.factor:g} {result.quantity})⟩ = {with_error(value, error)}, {few}"]


def _trajectories(name: str, result: Any, with_error: Any) -> list[str]:
    return [f"{name}: {len(result.numbers)} stored, {', '.join(result.quantities)}"]


def _comparison(name: str, test: Mapping[str, np.ndarray]) -> str:
    p = test["p_value"]
    worst = int(np.argmin(p))
    if len(p) == 1:
        return f"{name} against the density: χ² at t = {test['times'][0]:g} has p = {p[0]:.2g}"
    return (
        f"{name} against the density: χ² at {len(p)} times, p from {p[worst]:.2g} (t = {test['times'][worst]:g}) "
        f"to {p.max():.2g}, median {np.median(p):.2g}"
    )


LINES: dict[str, Callable[[str, Any, Any], list[str]]] = {
    "Moments": _means,
    "Mean": _means,
    "Histogram": _histogram,
    "Quantiles": _quantiles,
    "LogSumExp": _exponential,
    "Trajectories": _trajectories,
}
"""The lines of each kind of observable."""
