"""The tables [simulate] and [initial] turned into the arguments of `simulate`, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics import UnderdampedLangevin
from fpsolver.errors import InputError
from fpsolver.grids import Grid
from fpsolver.studies import schema
from fpsolver.studies.building import gaussian_of, in_order, ordered_grid
from fpsolver.studies.ensemble_observables import functionals_of, observables_of
from fpsolver.studies.problems import Problems
from fpsolver.studies.toml_lines import Key

TABLE = "simulate"


@dataclass(frozen=True, eq=False)
class EnsemblePlan:
    """What `fpsolver.simulate` is asked for.

    Parameters
    ----------
    section : SimulateSection
        The checked table.
    seed : int
        Seed of the random numbers.
    scheme : str
        The scheme, also where the table names none.
    initial : ndarray, Gaussian, Field or str
        Initial state, in the order of the landscape's variables.
    times : ndarray
        Output times.
    t_final : float
        Time at the end.
    functionals : tuple
        Path functionals.
    observe : tuple of Observable
        Observables.
    compared : dict of str to tuple of str
        Histograms whose bins are the cells of the grid: the axes of each, by name.
    """

    section: Any
    seed: int
    scheme: str
    initial: Any
    times: np.ndarray
    t_final: float
    functionals: tuple[Any, ...]
    observe: tuple[Any, ...]
    compared: dict[str, tuple[str, ...]]

    def arguments(self) -> dict[str, Any]:
        """Return the keywords of `fpsolver.simulate`, all but the dynamics."""
        section = self.section
        return {
            "n": section.n,
            "initial": self.initial,
            "dt": section.dt,
            "t_final": self.t_final,
            "seed": self.seed,
            "scheme": self.scheme,
            "observe": self.observe,
            "times": self.times,
            "functionals": self.functionals,
            "noise": section.noise,
            "precision": section.precision,
            "device": section.device,
            "experiment": section.experiment,
        }


def build_plan(
    sections: dict[str, Any], dynamics: Any, grid: Grid | None, density: np.ndarray | None, seed: int | None,
    times: np.ndarray | None, problems: Problems,
) -> EnsemblePlan | None:  # fmt: skip
    """Return the plan of the table [simulate], or None after noting what is wrong.

    Parameters
    ----------
    sections : dict
        The checked tables.
    dynamics : Langevin or UnderdampedLangevin
        Law of motion.
    grid : Grid or None
        The grid, where the study has one.
    density : ndarray or None
        Initial density on it, where there is one.
    seed : int or None
        The study's seed.
    times : ndarray or None
        Output times, multiples of the time step; None where the table gives `t_final` alone.
    problems : Problems
        Where complaints go.
    """
    section, before = sections[TABLE], len(problems.found)
    if seed is None:
        problems.add((TABLE,), "trajectories need a seed; write seed = 7, or any whole number, above the first table")
    end = _end(section, times, problems)
    functionals = functionals_of(section, (TABLE, "functionals"), problems)
    observe, compared = observables_of(section, (TABLE, "observe"), dynamics, grid, problems)
    initial = None
    if "initial" in sections:
        with problems.about("initial"):
            initial = initial_state(sections["initial"], dynamics, grid, density)
    elif not any("initial" in line for _, line in problems.found):
        problems.add((TABLE,), "needs an initial state; add the table [initial]")
    if len(problems.found) > before or seed is None or end is None or initial is None:
        return None
    scheme = _check_request(section, seed, dynamics, functionals, observe, problems)
    if scheme is None:
        return None
    at = np.array([end]) if times is None else times
    return EnsemblePlan(
        section, seed, scheme, initial, at, end, functionals, tuple(observe.values()), _compared(observe, compared)
    )


def initial_state(section: Any, dynamics: Any, grid: Grid | None, density: np.ndarray | None) -> Any:
    """Return the initial state of trajectories: an array, a `Gaussian`, a `Field` or "stationary".

    Raises
    ------
    InputError
        If components are missing, or a density is wanted and there is no grid.
    """
    from fpsolver.ensembles.initial import Gaussian
    from fpsolver.fields import Field

    variables = dynamics.landscape.variables
    names = grid.names[: grid.position_dimension] if grid is not None else variables
    moving = isinstance(dynamics, UnderdampedLangevin)
    if isinstance(section, schema.StationaryInitial):
        return "stationary"
    if isinstance(section, schema.PointInitial):
        point = np.atleast_1d(np.asarray(section.position, dtype=float))
        return point[in_order(names, variables, len(point), "position", velocities=moving)]
    if isinstance(section, schema.GaussianInitial):
        mean, covariance = gaussian_of(section)
        order = in_order(names, variables, len(mean), "mean", velocities=moving)
        return Gaussian(mean[order], covariance[np.ix_(order, order)])
    if grid is None or density is None:
        raise InputError(f'kind = "{section.kind}" is a density on a grid; add [grid.{variables[0]}] …')
    wanted, axes = ordered_grid(grid, variables)
    return Field(wanted, np.transpose(density, axes))


def _end(section: Any, times: np.ndarray | None, problems: Problems) -> float | None:
    """Return the time at the end, a multiple of the time step."""
    if section.t_final is None and times is None:
        if not any(".times" in line for _, line in problems.found):
            problems.add((TABLE,), "needs t_final, or times, or the times of [evolve]")
        return None
    end = float(times[-1]) if section.t_final is None and times is not None else float(section.t_final)
    if times is not None and times[-1] > end * (1 + 1e-12):
        problems.add((TABLE, "t_final"), f"{end:g} lies before the last output time {times[-1]:g}")
        return None
    return end if on_steps(np.array([end]), section.dt, (TABLE, "t_final"), problems) is not None else None


def on_steps(times: np.ndarray, dt: float, key: Key, problems: Problems) -> np.ndarray | None:
    """Return times as multiples of the time step, or None after noting one that is none."""
    steps = np.round(times / dt)
    wrong = np.flatnonzero(np.abs(steps * dt - times) > 1e-6 * dt)
    if not len(wrong):
        return steps * dt
    bad = wrong[0]
    problems.add(
        key,
        f"{times[bad]:g} is no multiple of the time step simulate.dt = {dt:g}; the nearest is {steps[bad] * dt:.12g}",
    )
    return None


def rounded(times: np.ndarray, dt: float) -> np.ndarray:
    """Return the multiples of a time step that are nearest to some times, each once.

    Examples
    --------
    >>> rounded(np.array([0.0, 0.26, 0.24]), 0.25).tolist()
    [0.0, 0.25]
    """
    return np.unique(np.round(times / dt)) * dt


def _entropies(names: Sequence[str]) -> tuple[str, ...]:
    """Return the quantities that a density adds to those of the rows."""
    from fpsolver.ensembles.system_entropy import FLOWS

    return ("system_entropy", *(name for name, flow in FLOWS.items() if flow in names))


def check_density(
    sections: dict[str, Any], times: np.ndarray | None, outputs: np.ndarray | None, problems: Problems
) -> None:
    """Note where the density is to give entropies, and [evolve] does not have it at time 0 and all output times."""
    section = sections.get(TABLE)
    if section is None or not section.density or "evolve" not in sections:
        if section is not None and section.density:
            problems.add((TABLE, "density"), "needs the density; add the table [evolve]")
        return
    if times is None or (outputs is None and section.t_final is None):
        return  # output times are missing or wrong, which has been noted
    wanted = np.append(0.0, outputs if outputs is not None else [section.t_final])
    missing = [t for t in wanted if np.abs(times - t).min() > 1e-9 * max(1.0, t)]
    if missing:
        problems.add((TABLE, "density"), f"[evolve] has no density at t = {missing[0]:g}; add it to evolve.times")


def _compared(observe: dict[Key, Any], cells: dict[Key, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {observe[key].name: axes for key, axes in cells.items()}


def _check_request(
    section: Any, seed: int, dynamics: Any, functionals: tuple[Any, ...], observe: dict[Key, Any], problems: Problems
) -> str | None:
    """See that the scheme can serve and that observables ask for what there is; return the scheme."""
    from fpsolver.ensembles.functionals import sorted_functionals
    from fpsolver.ensembles.integrators.choose import default_scheme, integrator
    from fpsolver.ensembles.integrators.integrator import Request
    from fpsolver.ensembles.observables.observable import named
    from fpsolver.ensembles.observables.quantities import LOSS, Quantities
    from fpsolver.ensembles.seeds import key_of

    landscape, before = dynamics.landscape, len(problems.found)
    scheme = section.scheme or default_scheme(dynamics)
    names: tuple[str, ...] = ()
    with problems.about(TABLE, "functionals"):
        chosen = sorted_functionals(functionals, dynamics)
    if len(problems.found) > before:
        return None
    with problems.about(TABLE):
        key = key_of(seed, section.experiment)
        request = Request(dynamics, scheme, section.noise, chosen, section.dt, key, section.precision, section.device)
        names = integrator(request).names
        named(observe.values())
    if not names:
        return None
    rows = {name: k for k, name in enumerate(names)}
    derived = (LOSS, *_entropies(names)) if section.density else (LOSS,)
    quantities = Quantities(rows, landscape.dimension, section.n, tuple(landscape.parameters), derived)
    for where, one in observe.items():
        with problems.about(*where):
            one.check(quantities)
    return scheme if len(problems.found) == before else None
