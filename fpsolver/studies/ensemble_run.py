"""Running the ensemble of a study: frames into the store, a bar, and the χ² test of histograms against densities."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from fpsolver.errors import AccuracyWarning, InputError
from fpsolver.storage import EnsembleWriter, Store, Table, Variable
from fpsolver.studies.study import Study
from fpsolver.units import inverse, product

COMPARISON = "comparison"
"""Group, one below it for each histogram, of the tests against the density."""

ENTROPIES = ("entropy_flow", "entropy_flow_midpoint", "system_entropy", "entropy_production",
             "entropy_production_midpoint")  # fmt: skip


def run_ensemble(study: Study, store: Store, evolution: Any, *, progress: bool = True) -> dict[str, Any]:
    """Simulate what [simulate] asks for, put it into a store, and return the numbers of the report.

    Parameters
    ----------
    study : Study
        The study, with an ensemble plan.
    store : Store
        Where to.
    evolution : Evolution or None
        The density of the same study.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    dict
        "ensemble", the `Ensemble`, and "comparisons", for each histogram on the cells of the grid times and p-values.
    """
    from fpsolver.ensembles.simulate import simulate

    plan, unit = study.ensemble, study.units.time
    writer = EnsembleWriter(store, quantity_units(study), time_units=unit)
    density = evolution if plan.section.density else None
    bar = None if progress else False
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        ensemble = simulate(study.dynamics, **plan.arguments(), density=density, progress=bar, on_output=writer)
    _warn_once(caught)
    writer.finish(ensemble, final=plan.section.final)
    comparisons = {}
    for name, axes in plan.compared.items() if evolution is not None else ():
        found = compared(ensemble.observables[name], axes, evolution, study.grid)
        if found is not None:
            store.write(f"{COMPARISON}/{name}", _comparison_table(found, unit))
            comparisons[name] = found
    return {"ensemble": ensemble, "comparisons": comparisons}


def quantity_units(study: Study) -> dict[str, str]:
    """Return the unit of each quantity that observables may use, by name."""
    units, variables = study.units, study.dynamics.landscape.variables
    own = {name: units.variables.get(name, "1") for name in variables}
    velocities = {
        f"v_{name}": units.variables.get(f"v_{name}", product(own[name], inverse(units.time))) for name in own
    }
    energies = dict.fromkeys(("loss", "work", "heat", "shadow_work"), units.loss)
    return own | velocities | energies | dict.fromkeys(ENTROPIES, "nat")


def compared(histogram: Any, axes: tuple[str, ...], evolution: Any, grid: Any) -> dict[str, np.ndarray] | None:
    """Return the χ² tests of a histogram against the density, at the times that both have.

    Parameters
    ----------
    histogram : HistogramResult
        Counts in the cells of some axes of the grid.
    axes : tuple of str
        These axes.
    evolution : Evolution
        The density.
    grid : Grid
        Its grid.

    Returns
    -------
    dict or None
        "times", "statistic", "degrees_of_freedom" and "p_value"; None where there is no common time, or where walls
        hold or absorb the density: trajectories know of none.
    """
    if any(axis.physical and not axis.periodic for axis in grid.axes):
        return None
    rows = []
    for i, t in enumerate(histogram.times):
        frames = np.flatnonzero(np.abs(evolution.times - t) <= 1e-9 * max(1.0, t))
        if len(frames):
            expected = cell_probabilities(evolution.densities[frames[0]], axes, grid)
            try:
                test = histogram.chi_squared(expected, i)
            except InputError:  # too few trajectories, or too few cells that hold any, for a test
                continue
            rows.append((t, test.statistic, test.degrees_of_freedom, test.p_value))
    if not rows:
        return None
    columns = (np.array(column) for column in zip(*rows, strict=True))
    return dict(zip(("times", "statistic", "degrees_of_freedom", "p_value"), columns, strict=True))


def cell_probabilities(density: np.ndarray, axes: tuple[str, ...], grid: Any) -> np.ndarray:
    """Return the probability of each cell of some axes, in their order; negative values of spectral schemes are cut."""
    mass = np.maximum(density * grid.volumes, 0.0)
    places = [grid.index(name) for name in axes]
    others = tuple(k for k in range(grid.dimension) if k not in places)
    kept = [k for k in range(grid.dimension) if k in places]
    marginal = np.transpose(mass.sum(axis=others), [kept.index(place) for place in places])
    return marginal / max(1.0, float(marginal.sum()))


def _comparison_table(found: Mapping[str, np.ndarray], time_units: str) -> Table:
    labels = {
        "statistic": "Pearson's chi-squared of the histogram against the density",
        "degrees_of_freedom": "degrees of freedom",
        "p_value": "probability of a statistic at least as large",
    }
    time = Variable(("time",), found["times"], time_units, "time")
    return Table({"time": time}, {name: Variable(("time",), found[name], "1", label) for name, label in labels.items()})


def _warn_once(caught: list[warnings.WarningMessage]) -> None:
    """Warn again of what was warned of; of each observable that lacks samples, only what is said last."""
    last = {}
    for entry in caught:
        text = str(entry.message)
        last[text.partition(":")[0] if issubclass(entry.category, AccuracyWarning) else text] = entry
    for entry in last.values():
        warnings.warn(entry.message, entry.category, stacklevel=3)
