"""Running a study: from the checked problem to the result file."""

from __future__ import annotations

import os
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics import JumpProcess, Langevin
from fpsolver.errors import ConvergenceError
from fpsolver.storage.files import Compression
from fpsolver.storage.provenance import git_commit, provenance
from fpsolver.storage.segments import FileStore
from fpsolver.storage.store import Store
from fpsolver.studies.building import equilibrium, temperature_of
from fpsolver.studies.harmonic import deepest_minimum, harmonic_rates
from fpsolver.studies.observables import ERROR_BY_HALF_GRID, ESTIMATED, Observer, half_grid_observables, with_errors
from fpsolver.studies.study import Study
from fpsolver.studies.tabulation import Tabulation


@dataclass
class Outcome:
    """What a run found, in numbers for the report; the arrays are in the file.

    Parameters
    ----------
    path : Path
        The result file.
    wall_time : float
        Seconds.
    evolution, stationary, spectrum, first_passage, simulation : dict
        Numbers by name; empty where the study did not ask.
    warnings : list of str
        What was warned of.
    """

    path: Path
    wall_time: float = 0.0
    evolution: dict[str, Any] = field(default_factory=dict)
    stationary: dict[str, Any] = field(default_factory=dict)
    spectrum: dict[str, Any] = field(default_factory=dict)
    first_passage: dict[str, Any] = field(default_factory=dict)
    simulation: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def run_study(
    study: Study, output: str | os.PathLike[str], *, overwrite: bool = False, progress: bool = True
) -> Outcome:
    """Compute what a study asks for and store it.

    Parameters
    ----------
    study : Study
        A checked study, see `load_study`.
    output : path
        The HDF5 file to write; it appears when it is complete.
    overwrite : bool
        Whether an existing file may be replaced, which happens when the new one is complete.
    progress : bool
        Progress bar on a terminal.

    Raises
    ------
    StorageError
        Before anything is computed, if the file exists or cannot be written.
    ConvergenceError, NumericalError
        If a solver fails; frames that were computed stay in ``<output>.partial``.
    """
    began = time.perf_counter()
    settings = study.section("output")
    store = FileStore(
        output,
        overwrite=overwrite,
        compression=Compression(settings.compression, settings.level),
        attributes=root_attributes(study),
    )
    outcome = Outcome(Path(output), warnings=list(study.warnings))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            compute(study, store, outcome, progress=progress)
        outcome.warnings += list(dict.fromkeys(str(entry.message) for entry in caught))
        outcome.wall_time = time.perf_counter() - began
        notes = [*getattr(study.generator, "notes", ()), *outcome.warnings]
        solvers = {"evolve": _plain(outcome.evolution["stats"])} if outcome.evolution else {}
        if outcome.simulation:
            solvers["simulate"] = _plain(outcome.simulation["ensemble"].stats)
        store.finish({"wall_time": outcome.wall_time, "notes": notes, "solvers": solvers})
    except BaseException:
        store.abandon()
        raise
    return outcome


def root_attributes(study: Study) -> dict[str, Any]:
    """Return the root attributes that are known before the run."""
    return {
        **provenance(),
        "title": study.title,
        "study": study.source.text,
        "study_overrides": list(study.source.overrides),
        "seed": study.seed,
        "git_commit": git_commit(Path(study.source.path).absolute()),
        "wall_time": None,
        "notes": [],
        "solvers": {},
    }


def compute(study: Study, store: Store, outcome: Outcome, *, progress: bool = True) -> None:
    """Put everything that a study asks for into a store, and the numbers of the report into `outcome`."""
    evolution = None
    if study.grid is not None:
        evolution = _compute_on_grid(study, store, outcome, progress)
    if study.ensemble is not None:
        from fpsolver.studies.ensemble_run import run_ensemble

        store.flush()
        outcome.simulation = run_ensemble(study, store, evolution, progress=progress)
    store.flush()


def _compute_on_grid(study: Study, store: Store, outcome: Outcome, progress: bool) -> Any:
    """Compute what is asked of the density; return its evolution, None where it is not asked for."""
    tables = Tabulation(study.grid, study.units)
    at_start = study.dynamics.at(0.0)
    landscape = at_start.landscape
    loss = loss_on_grid(landscape, study.grid.position_grid())
    minimum = deepest_minimum(landscape, study.grid)
    if minimum is not None:
        order = [landscape.variables.index(name) for name in study.grid.names[: study.grid.position_dimension]]
        minimum = minimum[order]
    masses = getattr(at_start, "masses", None)
    store.write("grid", tables.landscape(loss, study.landscape_description, minimum, masses))
    evolution = _evolve(study, store, tables, outcome, progress) if "evolve" in study.sections else None
    if "stationary" in study.sections:
        _stationary(study, store, tables, outcome)
    if "spectrum" in study.sections:
        _spectrum(study, store, tables, outcome)
    if "first_passage" in study.sections:
        _first_passage(study, store, tables, outcome)
    return evolution


def _evolve(study: Study, store: Store, tables: Tabulation, outcome: Outcome, progress: bool) -> Any:
    from fpsolver.solvers.evolve import evolve

    section, W = study.sections["evolve"], study.generator
    assert study.times is not None  # the study has been checked
    coarse = half_grid_observables(study) if section.error_estimate == "half-grid" else None
    how = {"error_estimate": ERROR_BY_HALF_GRID if coarse else "none"}
    rows: list[dict[str, np.ndarray]] = []
    observe = Observer(W)

    def keep(moment: float, density: np.ndarray) -> None:
        rows.append(with_errors(observe(moment, density), coarse[len(rows)] if coarse else None))
        store.append("density", tables.frame(moment, density))
        store.append("observables", tables.observables(moment, rows[-1], how))

    solution = evolve(
        W,
        study.initial,
        study.times,
        method=section.method,
        tolerance=section.tolerance,
        positive=section.positive,
        callback=keep,
        progress=progress,
    )
    _check_promise(solution.stats)
    outcome.evolution = {
        "times": solution.times,
        "first": rows[0],
        "last": rows[-1],
        "stats": dict(solution.stats),
        **how,
    }
    return solution


def _check_promise(stats: Any) -> None:
    """Raise if a solver says that it has missed the tolerance: such densities must not pass for results."""
    error, tolerance = float(stats["estimated_error"]), float(stats["tolerance"])
    if not error <= tolerance:
        raise ConvergenceError(
            f"the evolution by {stats['method']} has an estimated error of {error:.1e}, above the tolerance "
            f"{tolerance:.1e}; "
            'try another method = "…" in [evolve], or a coarser tolerance'
        )


def _stationary(study: Study, store: Store, tables: Tabulation, outcome: Outcome) -> None:
    from fpsolver.solvers.stationary import stationary

    tolerance = study.sections["stationary"].tolerance
    state = stationary(study.generator, **({} if tolerance is None else {"tolerance": tolerance}))
    reference = _boltzmann(study)
    numbers: dict[str, Any] = {"method": state.stats["method"], "residual": float(state.stats["residual"])}
    if reference is not None:
        numbers["l1_difference"] = float((np.abs(state.values - reference) * study.grid.volumes).sum())
    observed = Observer(study.generator)(0.0, state.values)
    numbers |= {name: float(observed[name]) for name in ESTIMATED if name in observed}
    velocity = ring_velocity(study, state.values)
    if velocity is not None:
        numbers["mean_velocity"] = velocity
    store.write("stationary", tables.stationary(state.values, reference, numbers))
    outcome.stationary = numbers


def _boltzmann(study: Study) -> np.ndarray | None:
    """Return exp(−E/T)/Z at cell centres where theory promises it, found from the loss and not from the generator."""
    dynamics, grid = study.dynamics, study.grid
    if dynamics.driven or not temperature_of(dynamics):
        return None
    if isinstance(dynamics, Langevin) and dynamics.force is not None:
        return None
    if isinstance(dynamics, JumpProcess):
        # The linearised law balances where the loss is a parabola, and an attempt rate that varies moves the balance.
        if dynamics.attempts.varies or dynamics.law == "linearised":
            return None
        return equilibrium(dynamics, grid, dynamics.balance_temperature)
    return equilibrium(dynamics, grid, dynamics.temperature)


def ring_velocity(study: Study, density: np.ndarray) -> float | None:
    """Return the mean velocity ⟨ẋ⟩ = ∮J dx on a periodic axis in one dimension, None elsewhere."""
    if study.grid.dimension != 1 or not study.grid.axes[0].periodic or not study.generator.edges:
        return None
    from fpsolver.solvers.currents import edge_fluxes

    mass = density * study.grid.volumes
    total = sum(float((flux * study.grid.axes[0].distances).sum()) for _, flux in edge_fluxes(study.generator, mass))
    return total


def _spectrum(study: Study, store: Store, tables: Tabulation, outcome: Outcome) -> None:
    from fpsolver.solvers.spectrum import spectrum

    section = study.sections["spectrum"]
    found = spectrum(study.generator, k=section.k)
    rates = np.asarray(found.rates)
    harmonic = harmonic_rates(study.dynamics, study.grid, len(rates))
    modes = np.asarray(found.modes) if section.modes else None
    store.write("spectrum", tables.spectrum(rates, modes, harmonic, _plain(found.stats)))
    outcome.spectrum = {"rates": rates, "harmonic": harmonic}


def _first_passage(study: Study, store: Store, tables: Tabulation, outcome: Outcome) -> None:
    from fpsolver.solvers.first_passage import mean_first_passage_time

    task = study.sections["first_passage"]
    tau = mean_first_passage_time(study.generator, task.target)
    condition = study.source.data["first_passage"]["target"]
    numbers: dict[str, Any] = {"target": condition}
    if task.start is not None:
        start = np.atleast_1d(np.asarray(task.start, dtype=float))
        numbers |= {"start": start, "time_from_start": float(tau.at(start[None])[0])}
    store.write("first_passage", tables.first_passage(tau.values, numbers))
    outcome.first_passage = numbers


def _plain(stats: Any) -> dict[str, Any]:
    """Return what of a solver's report can be an attribute."""
    kept = (bool, int, float, str, np.generic)
    return {name: value for name, value in dict(stats).items() if isinstance(value, kept)}
