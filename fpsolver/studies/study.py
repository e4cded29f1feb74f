"""A study: a problem and what is asked of it, checked as a whole before anything is computed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fpsolver.dynamics import SGD
from fpsolver.errors import GridError, InputError, LandscapeError, suggest
from fpsolver.grids import Grid
from fpsolver.regions import region_mask
from fpsolver.studies import dynamics_schema, schema
from fpsolver.studies.problems import Problems, shown
from fpsolver.studies.reading import StudyText, parse_study, read_study


@dataclass(frozen=True, eq=False)
class Study:
    """A checked study; made by `load_study` and `study_from_text`.

    Parameters
    ----------
    source : StudyText
        The file it came from.
    title, description : str
        What the user calls it.
    seed : int or None
        Seed of random numbers; densities use none, [simulate] needs one.
    landscape : Landscape
        The loss.
    landscape_description : str
        The landscape in words.
    dynamics : Langevin or UnderdampedLangevin
        The law of motion.
    grid : Grid or None
        The grid; a study of trajectories alone may have none.
    generator : Generator, DrivenGenerator or None
        The rate matrix, where something is asked of the density.
    initial : ndarray or None
        Initial density.
    times : ndarray or None
        Output times of the evolution.
    sections : dict
        The checked tables, by name.
    warnings : tuple of str
        What the grid or the generator warned of.
    ensemble : EnsemblePlan or None
        What [simulate] asks for.
    """

    source: StudyText
    title: str
    description: str
    seed: int | None
    landscape: Any
    landscape_description: str
    dynamics: Any
    grid: Any
    generator: Any
    initial: np.ndarray | None
    times: np.ndarray | None
    sections: dict[str, Any]
    warnings: tuple[str, ...]
    ensemble: Any = None

    def section(self, name: str) -> Any:
        """Return a checked table, with its defaults if the file has none and it is one of settings, else None."""
        if name in self.sections:
            return self.sections[name]
        model = schema.SECTIONS[name]
        return model() if model is not None and name in ("generator", "output", "units") else None

    @property
    def generator_scheme(self) -> str:
        """Name of the discretisation; empty where nothing is asked of the density."""
        if self.generator is None:
            return ""
        return str((self.generator.at(0.0) if self.dynamics.driven else self.generator).scheme)

    @property
    def units(self) -> Any:
        """The table [units]; SGD counts time in steps unless the table calls them otherwise."""
        units = self.section("units")
        counted = isinstance(self.dynamics, SGD) and "time" not in units.model_fields_set
        return units.model_copy(update={"time": "step"}) if counted else units


def load_study(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path : path
        A TOML file.
    overrides : sequence of str
        Entries ``KEY=VALUE`` that replace those of the file, as in ``dynamics.temperature=0.2``.

    Raises
    ------
    StudyError
        With a line for everything that is wrong: file, line, key, what was given, what is allowed.
    """
    return check_study(read_study(path, overrides))


def study_from_text(text: str, name: str = "study.toml", overrides: Sequence[str] = ()) -> Study:
    """Check a study given as text; see `load_study`.

    Examples
    --------
    >>> study_from_text('''
    ... [landscape]
    ... expression = "x**2/2"
    ... [dynamics]
    ... temperture = 0.1
    ... [grid.x]
    ... lower = -3
    ... upper = 3
    ... cells = 60
    ... ''')
    Traceback (most recent call last):
        ...
    fpsolver.errors.StudyError: study.toml:5: dynamics.temperture: unknown key; did you mean "temperature"?
    """
    return check_study(parse_study(text, name, overrides))


def check_study(source: StudyText) -> Study:
    """Return the study of a text, or raise with everything that is wrong with it.

    Raises
    ------
    StudyError
        With a line for every complaint.
    """
    from fpsolver.studies import building
    from fpsolver.studies.ensemble_plan import check_density
    from fpsolver.studies.sections import checked_sections

    problems = source.problems
    sections = checked_sections(source.data, problems)
    found: dict[str, Any] = {}
    if "landscape" in sections:
        with problems.about("landscape", *_formula(sections["landscape"])):
            found["landscape"] = building.build_landscape(sections["landscape"])
    if "grid" in sections:
        found["grid"] = building.build_grid(sections["grid"], problems)
    if "landscape" in found and "dynamics" in sections:
        with problems.about("dynamics"):
            landscape = found["landscape"].landscape
            found["dynamics"] = building.build_dynamics(sections["dynamics"], landscape, problems)
    _complete_time_step(sections, problems)
    times, output_times = _all_times(source.data, sections, problems)
    _check_tasks(sections, problems)
    if found.get("dynamics") is not None and found["dynamics"].driven:
        _check_driven(sections, problems)
    _add_density(found, sections, problems)
    check_density(sections, times, output_times, problems)
    if found.get("dynamics") is not None and "simulate" in sections and ("grid" in found) == ("grid" in sections):
        found["ensemble"] = _plan(found, sections, source.data.get("seed"), output_times, problems)
    problems.raise_any()
    top = source.data
    return Study(
        source=source,
        title=top.get("title", Path(source.path).stem),
        description=top.get("description", ""),
        seed=top.get("seed"),
        landscape=found["landscape"].landscape,
        landscape_description=found["landscape"].description,
        dynamics=found["dynamics"],
        grid=found.get("grid"),
        generator=found.get("generator"),
        initial=found.get("initial"),
        times=times,
        sections=sections,
        warnings=found.get("warnings", ()),
        ensemble=found.get("ensemble"),
    )


def _add_density(found: dict[str, Any], sections: dict[str, Any], problems: Problems) -> None:
    """Add what lives on the grid: initial density and generator, each where it is wanted."""
    dynamics, grid = found.get("dynamics"), found.get("grid")
    wanted = [name for name in schema.DENSITY_TASKS if name in sections] or "simulate" not in sections
    if dynamics is None or (wanted and grid is None):
        return
    if wanted and grid is not None and not _velocity_is_there(sections, grid, problems):
        return
    _check_units(sections, grid.names if grid is not None else dynamics.landscape.variables, problems)
    if grid is None:
        return
    if wanted or not isinstance(sections.get("initial"), schema.GaussianInitial):
        found["initial"] = _initial(sections, grid, dynamics, problems)
    _check_target(sections, grid, problems)
    if wanted:
        found["generator"], found["warnings"] = _generator(sections, grid, dynamics, problems)


def _plan(
    found: dict[str, Any], sections: dict[str, Any], seed: Any, times: np.ndarray | None, problems: Problems
) -> Any:
    from fpsolver.studies.ensemble_plan import build_plan

    usable = seed if isinstance(seed, int) and not isinstance(seed, bool) else None
    return build_plan(sections, found["dynamics"], found.get("grid"), found.get("initial"), usable, times, problems)


def _formula(section: Any) -> tuple[str, ...]:
    """Return the key of what is most likely wrong with a landscape."""
    return ("expression",) if isinstance(section, schema.ExpressionLandscape) else ()


def _complete_time_step(sections: dict[str, Any], problems: Problems) -> None:
    """Set the time step of SGD to one step where none is given; elsewhere note that it is missing."""
    section, dynamics = sections.get("simulate"), sections.get("dynamics")
    if section is None:
        return
    counted = isinstance(dynamics, dynamics_schema.SGDDynamics)
    if section.dt is not None:
        if counted and section.dt != 1.0:
            problems.add(("simulate", "dt"), f"{section.dt:g}, but SGD counts time in steps; leave it out")
        return
    if dynamics is not None and not counted:
        hint = " (jumps come at their own times: the distance of output times)"
        jumps = isinstance(dynamics, dynamics_schema.JumpDynamics)
        problems.add(("simulate", "dt"), f"missing; it must be given{hint if jumps else ''}")
    sections["simulate"] = section.model_copy(update={"dt": 1.0})


def _all_times(
    data: dict[str, Any], sections: dict[str, Any], problems: Problems
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the output times of [evolve] and those of [simulate], which takes over the first where it has none.

    Times by rule become multiples of the time step, in [evolve] too where they are shared: densities and histograms are
    then of the same times.
    """
    times = _times(data.get("evolve"), "evolve", problems)
    section = sections.get("simulate")
    if section is None:
        return times, None
    from fpsolver.studies.ensemble_plan import on_steps, rounded

    own = "simulate" if section.times is not None else "evolve"
    if own == "simulate":
        wanted = _times(data["simulate"], own, problems)
    else:
        wanted = times if section.t_final is None else None
    if wanted is None:
        return times, None
    if isinstance(data[own]["times"], dict):
        wanted = rounded(wanted, section.dt)
        return (wanted if own == "evolve" else times), wanted
    return times, on_steps(wanted, section.dt, (own, "times"), problems)


def _times(table: Any, name: str, problems: Problems) -> np.ndarray | None:
    """Return the output times of a table, or None after noting what is wrong with them."""
    from fpsolver.studies.sections import checked

    if not isinstance(table, dict) or "times" not in table:
        return None
    given, key = table["times"], (name, "times")
    if isinstance(given, dict):
        rule = checked(schema.Times, given, key, problems)
        if rule is None:
            return None
        if rule.spacing == "linear":
            return np.linspace(rule.start, rule.stop, rule.number)
        return np.concatenate([[0.0], np.geomspace(rule.start, rule.stop, rule.number)])
    numbers = isinstance(given, list) and all(isinstance(t, int | float) and not isinstance(t, bool) for t in given)
    if not numbers or not given:
        problems.add(key, f"{shown(given)} is neither a list of times nor a table {{start, stop, number, spacing}}")
        return None
    times = np.array(given, dtype=float)
    if not np.isfinite(times).all() or times[0] < 0 or (np.diff(times) <= 0).any():
        problems.add(key, f"{shown(given)} must be finite, not negative, and ascend")
        return None
    return times


def _check_tasks(sections: dict[str, Any], problems: Problems) -> None:
    if not problems.found and not any(name in sections for name in schema.TASKS):
        wanted = ", ".join(f"[{name}]" for name in schema.TASKS)
        problems.add((), f"nothing to compute; add at least one of the tables {wanted}")
    if "evolve" in sections:
        from fpsolver.solvers.exponential.choose import METHODS

        method = sections["evolve"].method
        if method not in METHODS:
            problems.add(
                ("evolve", "method"), f"{shown(method)} is not one of {', '.join(METHODS)}{suggest(method, METHODS)}"
            )
    if "evolve" in sections and "initial" not in sections and not any("initial" in line for _, line in problems.found):
        problems.add(("evolve",), "needs an initial density; add the table [initial]")


def _check_driven(sections: dict[str, Any], problems: Problems) -> None:
    for name in ("stationary", "spectrum", "first_passage"):
        if name in sections:
            problems.add((name,), "needs rates that do not depend on time; remove it, or [dynamics.protocol]")


def _check_units(sections: dict[str, Any], names: Sequence[str], problems: Problems) -> None:
    units = sections.get("units")
    for name in units.variables if units else ():
        if name not in names:
            hint = suggest(name, names) or f"; the axes are {', '.join(names)}"
            problems.add(("units", "variables", name), f"is no axis of the grid{hint}")


def _velocity_is_there(sections: dict[str, Any], grid: Grid, problems: Problems) -> bool:
    """Note where underdamped dynamics has no velocity axes: nothing else on such a grid would be worth a complaint."""
    if not isinstance(sections["dynamics"], dynamics_schema.UnderdampedDynamics) or grid.velocity:
        return True
    wanted = ", ".join(f"[grid.velocity.{name}]" for name in grid.names)
    problems.add(("grid",), f"underdamped dynamics needs velocity axes; add {wanted}")
    return False


def _initial(sections: dict[str, Any], grid: Grid, dynamics: Any, problems: Problems) -> np.ndarray | None:
    from fpsolver.studies.building import build_initial

    section = sections.get("initial")
    if isinstance(section, schema.PointInitial | schema.StationaryInitial):
        if "evolve" in sections:
            wanted = '[evolve] needs a density, such as kind = "gaussian"'
            problems.add(("initial", "kind"), f'"{section.kind}" is for trajectories; {wanted}')
        return None
    if section is not None:
        with problems.about("initial"):
            return build_initial(section, grid, dynamics.at(0.0))
    return None


def _check_target(sections: dict[str, Any], grid: Grid, problems: Problems) -> None:
    task = sections.get("first_passage")
    if task is None:
        return
    with problems.about("first_passage", "target"):
        region_mask(task.target, grid)
    if task.start is None:
        return
    with problems.about("first_passage", "start"):
        start = np.atleast_1d(np.asarray(task.start, dtype=float))
        if start.shape != (grid.dimension,):
            raise GridError(f"{shown(task.start)} must have a number for each axis: {', '.join(grid.names)}")
        for value, name, axis in zip(start, grid.names, grid.axes, strict=True):
            if not axis.lower <= value <= axis.upper:
                raise GridError(f"{name} = {value:g} lies outside the grid [{axis.lower:g}, {axis.upper:g}]")


def _culprit(error: Exception) -> str:
    """Return the table that an error of the discretisation is about."""
    if str(error).startswith("scheme"):
        return "generator"
    if isinstance(error, LandscapeError):
        return "landscape"
    return "grid" if isinstance(error, GridError | ArithmeticError) else "dynamics"


def _generator(sections: dict[str, Any], grid: Grid, dynamics: Any, problems: Problems) -> tuple[Any, tuple[str, ...]]:
    """Return the generator and what was warned of while it was made."""
    from fpsolver.generators import generator

    scheme = sections["generator"].scheme if "generator" in sections else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            built = generator(dynamics, grid, scheme)
        except (InputError, ArithmeticError) as error:
            with problems.about(_culprit(error)):
                raise InputError(str(error)) from None
        else:
            return built, tuple(dict.fromkeys(str(entry.message) for entry in caught))
    return None, ()
