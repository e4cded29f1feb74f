"""Checked tables turned into the objects of the problem: landscape, dynamics, grid, generator, initial density."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.densities import boltzmann, density, gaussian
from fpsolver.dynamics import (
    SGD,
    GaussianNoise,
    GaussianProposal,
    JumpProcess,
    Langevin,
    LaplaceProposal,
    LatticeProposal,
    MinibatchNoise,
    Protocol,
    StableProposal,
    StudentProposal,
    UnderdampedLangevin,
    UniformProposal,
)
from fpsolver.errors import DensityError, GridError, InputError
from fpsolver.grids import Axis, Grid
from fpsolver.regions import region_mask
from fpsolver.studies import dynamics_schema, schema
from fpsolver.studies.entries import Section
from fpsolver.studies.problems import Problems, shown
from fpsolver.studies.sections import LIBRARY, checked, checked_kind
from fpsolver.studies.toml_lines import Key

PROPOSALS: dict[str, Any] = {
    "gaussian": GaussianProposal,
    "laplace": LaplaceProposal,
    "uniform": UniformProposal,
    "student": StudentProposal,
    "stable": StableProposal,
    "lattice": LatticeProposal,
}
NOISES: dict[str, Any] = {"gaussian": GaussianNoise, "minibatch": MinibatchNoise}


@dataclass(frozen=True)
class LandscapeSource:
    """Where a landscape comes from, in words for reports.

    Parameters
    ----------
    landscape : Landscape
        The landscape.
    description : str
        The formula, the name in the library, or the data and what was done to them.
    """

    landscape: Any
    description: str


def build_landscape(section: Any) -> LandscapeSource:
    """Return the landscape of the table [landscape].

    Raises
    ------
    InputError
        If the expression, an argument or the choice of data is not admissible.
    """
    from fpsolver import landscapes

    if isinstance(section, schema.ExpressionLandscape):
        built = landscapes.Landscape(section.expression, dict(section.parameters), section.variables)
        return LandscapeSource(built, section.expression)
    if isinstance(section, schema.RegressionLandscape):
        return _regression(section)
    assert section.name in LIBRARY
    arguments = {name: getattr(section, name) for name in section.model_fields_set - {"name"}}
    given = ", ".join(f"{name} = {shown(value)}" for name, value in arguments.items())
    return LandscapeSource(
        getattr(landscapes, section.name)(**arguments), section.name + (f" ({given})" if given else "")
    )


def _regression(section: schema.RegressionLandscape) -> LandscapeSource:
    from fpsolver import landscapes
    from fpsolver.data import iris

    table = iris()
    common: dict[str, Any] = {"ridge": section.ridge, "intercept": section.intercept}
    common |= {"penalise_intercept": section.penalise_intercept, "variables": section.variables}
    if section.name == "logistic_regression":
        if section.classes is None or section.target is not None:
            raise InputError("a logistic regression needs classes = [first, second] and no target")
        X, y = table.select(section.features, section.classes)
        what = f"{' and '.join(section.features)}, {section.classes[0]} (0) against {section.classes[1]} (1)"
    else:
        if section.target is None:
            raise InputError("a linear regression needs target, the name of the measurement to predict")
        columns, _ = table.select([*section.features, section.target], section.classes or table.classes)
        X, y = columns[:, :-1], columns[:, -1]
        what = f"{section.target} from {' and '.join(section.features)}"
    if section.standardise:
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        what += ", features standardised to mean 0 and deviation 1"
    build = getattr(landscapes, section.name)
    kind = section.name.replace("_", " ")
    return LandscapeSource(
        build(X, y, **common), f"{kind} of {len(X)} flowers ({section.data}): {what}, ridge {section.ridge:g}"
    )


def build_dynamics(section: Any, landscape: Any, problems: Problems) -> Any:
    """Return the dynamics of the table [dynamics], or None where a protocol is wrong.

    Raises
    ------
    InputError
        If coefficients contradict each other or do not fit the landscape.
    """
    protocol = _protocols(section.protocol, problems)
    if protocol is None:
        return None
    if isinstance(section, dynamics_schema.JumpDynamics):
        return _jump_process(section, landscape, protocol, problems)
    if isinstance(section, dynamics_schema.SGDDynamics):
        return _sgd(section, landscape, protocol, problems)
    if isinstance(section, dynamics_schema.UnderdampedDynamics):
        return UnderdampedLangevin(
            landscape,
            temperature=section.temperature,
            friction=section.friction,
            mass=section.mass,
            protocol=protocol or None,
        )
    force = section.force if section.force is None or isinstance(section.force, list) else [section.force]
    return Langevin(
        landscape,
        temperature=section.temperature,
        mobility=section.mobility,
        force=None if force is None else tuple(force),
        diffusion=section.diffusion,
        convention=section.convention,
        protocol=protocol or None,
    )


def _jump_process(section: Any, landscape: Any, protocol: dict[str, Protocol], problems: Problems) -> Any:
    update = _entry(dynamics_schema.UPDATES, section.proposal, ("dynamics", "proposal"), problems)
    proposal = None
    if update is not None:
        with problems.about("dynamics", "proposal"):
            proposal = PROPOSALS[update.kind](**_given(update))
    if proposal is None:
        return None
    return JumpProcess(landscape, **_given(section) | {"proposal": proposal, "protocol": protocol or None})


def _sgd(section: Any, landscape: Any, protocol: dict[str, Protocol], problems: Problems) -> Any:
    noise: Any = None
    if section.noise is not None:
        entry = _entry(dynamics_schema.GRADIENT_NOISE, section.noise, ("dynamics", "noise"), problems)
        if entry is None:
            return None
        noise = NOISES[entry.kind](**_given(entry))
    return SGD(landscape, **_given(section) | {"noise": noise, "protocol": protocol or None})


def _given(section: Any) -> dict[str, Any]:
    """Return the keys of a table, which are the arguments of what it stands for."""
    return {name: getattr(section, name) for name in type(section).model_fields if name != "kind"}


def _entry(models: Mapping[str, type[Section]], given: Any, key: Key, problems: Problems) -> Any:
    """Return the checked model of a table inside [dynamics], or None after noting what is wrong with it."""
    model = checked_kind(models, given, key, "", problems)
    return model and checked(model, given, key, problems)


def _protocols(given: Mapping[str, Any], problems: Problems) -> dict[str, Protocol] | None:
    protocols: dict[str, Protocol] = {}
    for name, entry in given.items():
        key: Key = ("dynamics", "protocol", name)
        if isinstance(entry, str):
            entry = {"kind": "expression", "expression": entry}
        if not isinstance(entry, dict):
            problems.add(key, f'{shown(entry)} is neither an expression in t nor a table such as {{kind = "ramp", …}}')
            continue
        model = checked_kind(dynamics_schema.PROTOCOLS, entry, key, "expression", problems)
        section: Any = model and checked(model, entry, key, problems)
        if section is not None:
            with problems.about(*key):
                protocols[name] = _protocol(section)
    return protocols if len(protocols) == len(given) else None


def _protocol(section: Any) -> Protocol:
    if isinstance(section, dynamics_schema.RampProtocol):
        return Protocol.ramp(section.start, section.stop, duration=section.duration, begin=section.begin)
    if isinstance(section, dynamics_schema.StepProtocol):
        return Protocol.step(section.before, section.after, time=section.time)
    if isinstance(section, dynamics_schema.SinusoidProtocol):
        return Protocol.sinusoid(section.mean, section.amplitude, period=section.period, phase=section.phase)
    if isinstance(section, dynamics_schema.TableProtocol):
        return Protocol.tabulated(section.times, section.values)
    return Protocol(section.expression, tuple(section.breakpoints))


def build_grid(axes: Mapping[str, Any], problems: Problems) -> Grid | None:
    """Return the grid of the table [grid], or None after noting what is wrong with an axis."""
    before = len(problems.found)
    positions = {name: axis for name, axis in axes.items() if name != "velocity"}
    built = _built_axes(positions, ("grid",), problems)
    velocity = _built_axes(axes.get("velocity", {}), ("grid", "velocity"), problems)
    if (
        not positions
        or len(problems.found) > before
        or len(built) < len(positions)
        or len(velocity) < len(axes.get("velocity", {}))
    ):
        return None
    with problems.about("grid"):
        return Grid(**built, velocity=velocity or None)
    return None


def axes_of(tables: Mapping[str, Any], above: Key, problems: Problems) -> dict[str, Axis]:
    """Return the axes of tables that have not been checked yet; note what is wrong with them."""
    sections = {name: checked(schema.AxisSection, table, (*above, name), problems) for name, table in tables.items()}
    return _built_axes(sections, above, problems)


def _built_axes(sections: Mapping[str, Any], above: Key, problems: Problems) -> dict[str, Axis]:
    built: dict[str, Axis] = {}
    for name, section in sections.items():
        if section is None:
            continue
        with problems.about(*above, name):
            boundary = {} if section.boundary is None else {"boundary": _boundary(section.boundary)}
            built[name] = Axis(
                section.lower,
                section.upper,
                section.cells,
                faces=section.faces,
                spacing=section.spacing,
                stretch=section.stretch,
                **boundary,
            )
    return built


def _boundary(given: Any) -> Any:
    if isinstance(given, list) and len(given) == 2 and all(isinstance(side, str) for side in given):
        return tuple(given)
    if isinstance(given, str):
        return given
    raise GridError(f"boundary = {shown(given)} is neither a name nor a pair of names")


def build_initial(section: Any, grid: Grid, dynamics: Any) -> np.ndarray:
    """Return the initial density of the table [initial].

    Raises
    ------
    InputError
        If it has no mass on the grid, is negative, or does not fit.
    """
    if isinstance(section, schema.GaussianInitial):
        mean, covariance = gaussian_of(section)
        return gaussian(grid, mean.tolist(), covariance)
    if isinstance(section, schema.UniformInitial):
        inside = np.ones(grid.shape) if section.region is None else region_mask(section.region, grid, "region")
        return density(grid, inside.astype(float))
    landscape = dynamics.landscape
    if isinstance(section, schema.ExpressionInitial):
        return density(grid, _expression_values(section.expression, grid, landscape))
    temperature = section.temperature if section.temperature is not None else temperature_of(dynamics)
    if temperature is None:
        raise DensityError("the dynamics has no temperature; give temperature here")
    return equilibrium(dynamics, grid, temperature)


def temperature_of(dynamics: Any) -> float | None:
    """Return the temperature of a law of motion; None where it has a diffusion or is a chain of steps."""
    return getattr(dynamics, "temperature", None)


def equilibrium(dynamics: Any, grid: Grid, temperature: float) -> np.ndarray:
    """Return exp(−E/T)/Z: the loss at cell centres, the Maxwell density of velocities averaged over cells."""
    p = boltzmann(dynamics.landscape, grid.position_grid(), temperature)
    if not grid.velocity:
        return p
    axes: dict[str, Any] = {f"v_{name}": axis for name, axis in grid.velocity.items()}
    maxwell = gaussian(Grid(**axes), [0.0] * len(axes), np.diag(temperature / dynamics.masses))
    return np.multiply.outer(p, maxwell)


def gaussian_of(section: schema.GaussianInitial) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance matrix; a number stands for all variances, a list for each of them.

    Raises
    ------
    DensityError
        If a list is not rectangular.
    """
    try:
        given = np.asarray(section.covariance, dtype=float)
        mean = np.atleast_1d(np.asarray(section.mean, dtype=float))
    except ValueError:
        raise DensityError(
            "mean and covariance must be rectangular: a list, and a number, a list or a list of rows"
        ) from None
    if given.ndim == 0:
        return mean, float(given) * np.eye(len(mean))
    return mean, np.diag(given) if given.ndim == 1 else given


def in_order(
    names: Sequence[str], variables: Sequence[str], length: int, what: str, *, velocities: bool = False
) -> list[int]:
    """Return where each component of a state stands in a list that follows the axes, velocities last.

    Parameters
    ----------
    names : sequence of str
        Position axes, in the order of the list.
    variables : sequence of str
        The landscape's variables, in the order that is wanted.
    length : int
        Number of components, with or without velocities.
    what : str
        The list, for messages.
    velocities : bool
        Whether the list may go on with velocities.

    Raises
    ------
    InputError
        If the length does not fit.

    Examples
    --------
    >>> in_order(("y", "x"), ("x", "y"), 4, "mean", velocities=True)
    [1, 0, 3, 2]
    """
    d = len(variables)
    if sorted(names) != sorted(variables):
        raise GridError(f"the axes ({', '.join(names)}) are not the landscape's variables ({', '.join(variables)})")
    if length != d and not (velocities and length == 2 * d):
        more = ", or velocities too" if velocities else ""
        raise InputError(f"{what} = … has {length} components; it needs one for each of {', '.join(names)}{more}")
    first = [list(names).index(name) for name in variables]
    return first if length == d else first + [d + k for k in first]


def ordered_grid(grid: Grid, variables: Sequence[str]) -> tuple[Grid, list[int]]:
    """Return the grid with its position axes in the order of the variables, and where each axis stood."""
    order = grid.order(variables)
    positions: dict[str, Any] = {name: grid.axes[k] for name, k in zip(variables, order, strict=True)}
    velocity = {name: grid.velocity[name] for name in variables if name in grid.velocity}
    wanted = Grid(**positions, velocity=velocity or None)
    return wanted, [grid.names.index(name) for name in wanted.names]


def _expression_values(text: str, grid: Grid, landscape: Any) -> np.ndarray:
    from fpsolver.landscapes.compiled_expressions import compile_expressions

    parameters = dict(landscape.parameters)
    compiled = compile_expressions([text], variables=grid.names, parameters=tuple(parameters))
    return np.broadcast_to(np.asarray(compiled(grid.points, parameters))[0], grid.shape)
