"""Tables of a study turned into checked models, each table on its own, so that every error is found at once."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, create_model

from fpsolver.errors import suggest
from fpsolver.studies import dynamics_schema, schema
from fpsolver.studies.entries import Number, Numbers, Section
from fpsolver.studies.problems import Problems, add_validation_errors, shown
from fpsolver.studies.toml_lines import Key

LIBRARY = (
    "quadratic",
    "double_well",
    "tilted_double_well",
    "tilted_washboard",
    "mueller_brown",
    "coupled_double_well",
    "matrix_factorisation",
    "two_layer_linear",
    "rastrigin",
    "piecewise_quadratic",
)
REGRESSIONS = ("logistic_regression", "linear_regression")


def checked_sections(data: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Return the model of every table that is in order; note what is wrong with the others.

    The entries of "grid" are a dictionary of axes, and under "velocity" a dictionary of velocity axes.
    """
    allowed = [*schema.SECTIONS, *schema.TOP_LEVEL]
    sections: dict[str, Any] = {}
    for name, given in data.items():
        if name not in allowed:
            hint = suggest(name, allowed) or f"; known here: {', '.join(allowed)}"
            problems.add((name,), f"unknown {'table' if isinstance(given, dict) else 'key'}{hint}")
        elif name in schema.TOP_LEVEL:
            _check_top(name, given, problems)
        elif not isinstance(given, dict):
            problems.add((name,), f"{shown(given)} is not a table; write [{name}] and its keys below")
        elif name == "grid":
            sections[name] = _grid(given, problems)
        else:
            model = _model(name, given, problems)
            section = model and checked(model, given, (name,), problems)
            if section is not None:
                sections[name] = section
    simulated = any(name == "simulate" or (name not in allowed and suggest(name, ["simulate"])) for name in data)
    without_grid = simulated and not any(name in data for name in schema.DENSITY_TASKS)
    for name in ("landscape", "dynamics", "grid"):
        if name not in data and not (name == "grid" and without_grid):
            misspelt = any(suggest(other, [name]) for other in data if other not in allowed)
            if not misspelt:
                problems.add((), f"the table [{name}] is missing")
    return sections


def checked(model: type[Section], given: Any, key: Key, problems: Problems) -> Any:
    """Return a validated model, or None after noting what is wrong."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        add_validation_errors(problems, key, error, lambda location: _keys(model, location))
        return None


def checked_kind(
    models: Mapping[str, type[Section]], given: Any, key: Key, default: str, problems: Problems
) -> type[Section] | None:
    """Return the model that the table's ``kind`` names, or None after noting that there is none."""
    kind = given.get("kind", default)
    if not isinstance(kind, str) or kind not in models:
        hint = suggest(str(kind), models)
        what = f"{shown(kind)} is not" if kind else "missing; give"
        problems.add((*key, "kind"), f"{what} one of {', '.join(models)}{hint}")
        return None
    return models[kind]


def _keys(model: type[Section], location: Key) -> list[str]:
    return list(model.model_fields) if not location else []


def _check_top(name: str, given: Any, problems: Problems) -> None:
    if name == "seed":
        if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < 2**63:
            problems.add((name,), f"{shown(given)} is not a whole number from 0 to 2^63 − 1")
    elif not isinstance(given, str):
        problems.add((name,), f"{shown(given)} is not a string")


def _model(name: str, given: dict[str, Any], problems: Problems) -> type[Section] | None:
    if name == "landscape":
        return _landscape_model(given, problems)
    if name == "dynamics":
        return checked_kind(dynamics_schema.DYNAMICS, given, (name,), "langevin", problems)
    if name == "initial":
        return checked_kind(schema.INITIAL, given, (name,), "", problems)
    return schema.SECTIONS[name]


def _landscape_model(given: dict[str, Any], problems: Problems) -> type[Section] | None:
    if "name" not in given:
        if "expression" not in given:
            near = suggest("expression", given) or suggest("name", given)
            if not near:
                problems.add(("landscape",), 'give expression = "…", or name = "…" of a landscape in the library')
        return schema.ExpressionLandscape
    name = given["name"]
    if name in REGRESSIONS:
        return schema.RegressionLandscape
    if not isinstance(name, str) or name not in LIBRARY:
        known = (*LIBRARY, *REGRESSIONS)
        problems.add(
            ("landscape", "name"), f"{shown(name)} is not one of {', '.join(known)}{suggest(str(name), known)}"
        )
        return None
    return library_model(name)


def library_model(name: str) -> type[Section]:
    """Return the model of [landscape] for a function of the library: a key for each argument of the function."""
    from fpsolver.landscapes import library

    kinds = {"float": Number, "int": int}
    fields: dict[str, Any] = {"name": (str, ...)}
    for parameter in inspect.signature(getattr(library, name)).parameters.values():
        kind = kinds.get(str(parameter.annotation), Numbers)
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (kind, Field(default))
    return create_model(f"Landscape_{name}", __base__=Section, **fields)


def _grid(given: dict[str, Any], problems: Problems) -> dict[str, Any]:
    axes: dict[str, Any] = {}
    if not any(name != "velocity" for name in given):
        problems.add(("grid",), "has no axis; write [grid.x] with lower, upper and cells")
    for name, table in given.items():
        if name == "velocity":
            axes[name] = {}
            if not isinstance(table, dict) or not all(isinstance(entry, dict) for entry in table.values()):
                problems.add(("grid", name), "write [grid.velocity.x] for the velocity axis that belongs to x")
                continue
            for inner, entry in table.items():
                axes[name][inner] = checked(schema.AxisSection, entry, ("grid", name, inner), problems)
        elif not isinstance(table, dict):
            problems.add(
                ("grid", name), f"{shown(table)} is not a table; write [grid.{name}] with lower, upper and cells"
            )
        else:
            axes[name] = checked(schema.AxisSection, table, ("grid", name), problems)
    return axes
