"""The lists simulate.functionals and simulate.observe turned into objects of the package."""

from __future__ import annotations

from typing import Any

from fpsolver.errors import InputError, suggest
from fpsolver.grids import Grid
from fpsolver.studies import schema
from fpsolver.studies.building import axes_of, temperature_of
from fpsolver.studies.problems import Problems, shown
from fpsolver.studies.sections import checked, checked_kind
from fpsolver.studies.toml_lines import Key


def functionals_of(section: Any, where: Key, problems: Problems) -> tuple[Any, ...]:
    """Return path functionals as `fpsolver.simulate` takes them; note what is wrong with the others.

    Parameters
    ----------
    section : SimulateSection
        The checked table.
    where : tuple
        Key of the list.
    problems : Problems
        Where complaints go.
    """
    from fpsolver.ensembles.functionals import STANDARD, PathIntegral, TimeIntegral

    found: list[Any] = []
    for position, entry in enumerate(section.functionals):
        key: Key = (*where, position)
        if isinstance(entry, str):
            if entry not in STANDARD:
                problems.add(key, f"{shown(entry)} is not one of {', '.join(STANDARD)}{suggest(entry, STANDARD)}")
            found.append(entry)
            continue
        if not isinstance(entry, dict):
            problems.add(key, f'{shown(entry)} is neither a name such as "work" nor a table such as '
                         '{kind = "time-integral", …}')  # fmt: skip
            continue
        model = checked_kind(schema.FUNCTIONALS, entry, key, "", problems)
        one: Any = model and checked(model, entry, key, problems)
        if one is not None:
            with problems.about(*key):
                found.append(
                    TimeIntegral(one.expression, one.name)
                    if one.kind == "time-integral"
                    else PathIntegral(one.expressions, one.name)
                )
    return tuple(found)


def observables_of(
    section: Any, where: Key, dynamics: Any, grid: Grid | None, problems: Problems
) -> tuple[dict[Key, Any], dict[Key, tuple[str, ...]]]:
    """Return observables by their keys, and the axes of those that are histograms on the cells of the grid.

    Parameters
    ----------
    section : SimulateSection
        The checked table.
    where : tuple
        Key of the list.
    dynamics : Langevin or UnderdampedLangevin
        Law of motion.
    grid : Grid or None
        The grid, where the study has one.
    problems : Problems
        Where complaints go.
    """
    found: dict[Key, Any] = {}
    compared: dict[Key, tuple[str, ...]] = {}
    for position, entry in enumerate(section.observe):
        key: Key = (*where, position)
        if not isinstance(entry, dict):
            problems.add(key, f'{shown(entry)} is not a table such as {{kind = "moments"}}')
            continue
        model = checked_kind(schema.OBSERVABLES, entry, key, "", problems)
        one: Any = model and checked(model, entry, key, problems)
        if one is None:
            continue
        with problems.about(*key):
            if isinstance(one, schema.HistogramObservable):
                found[key], cells = _histogram(one, grid, key, problems)
                if cells:
                    compared[key] = cells
            else:
                found[key] = _observable(one, dynamics)
    return {key: one for key, one in found.items() if one is not None}, compared


def _histogram(one: Any, grid: Grid | None, key: Key, problems: Problems) -> tuple[Any, tuple[str, ...]]:
    """Return a histogram, and its axes where all of them are axes of the grid."""
    from fpsolver.ensembles.observables.histogram import Histogram

    before = len(problems.found)
    axes = axes_of(one.axes, (*key, "axes"), problems)
    if len(problems.found) > before:
        return None, ()
    names = tuple(one.quantities) or (() if axes or grid is None else grid.names)
    given = {name: axes[name] if name in axes else _grid_axis(name, grid) for name in dict.fromkeys((*names, *axes))}
    if not given:
        raise InputError(
            "the study has no grid; give the histogram its axes, axes.x = { lower = -2, upper = 2, cells = 100 }"
        )
    return Histogram(tuple(given), tuple(given.values()), name=one.name), () if axes else tuple(given)


def _grid_axis(name: str, grid: Grid | None) -> Any:
    if grid is None or name not in grid.names:
        known = f"the axes of the grid are {', '.join(grid.names)}" if grid is not None else "the study has no grid"
        raise InputError(f"{shown(name)} needs bins, axes.{name} = {{ lower = …, upper = …, cells = … }}: {known}")
    return grid.axis(name)


def _observable(one: Any, dynamics: Any) -> Any:
    from fpsolver.ensembles.observables import LogSumExp, Mean, Moments, Quantiles, Trajectories

    if isinstance(one, schema.MomentsObservable):
        return Moments(*one.quantities, name=one.name)
    if isinstance(one, schema.MeanObservable):
        return Mean(*one.quantities, name=one.name)
    if isinstance(one, schema.QuantilesObservable):
        return Quantiles(one.quantity, one.probabilities, accuracy=one.accuracy, name=one.name)
    if isinstance(one, schema.TrajectoriesObservable):
        return Trajectories(one.numbers, *one.quantities, name=one.name)
    if one.factor is not None:
        return LogSumExp(one.quantity, factor=one.factor, name=one.name)
    temperature = temperature_of(dynamics)
    if not temperature or "temperature" in dynamics.protocol:
        raise InputError("give factor: the dynamics has no constant temperature above 0 that −1/T could be taken from")
    return LogSumExp(one.quantity, factor=-1.0 / temperature, name=one.name)
