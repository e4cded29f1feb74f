"""What tells one density of a run from another: hashes of their content."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np

from fpsolver.ensembles.initial import Gaussian
from fpsolver.fields import Field
from fpsolver.grids import Grid
from fpsolver.landscapes.source_cache import content_hash


def density_hash(given: Any) -> str:
    """Return a hash of a density as `fpsolver.simulate` takes it, the same in any process.

    Arrays count with all of their numbers. A Python function counts with its name and byte code, its defaults, and the
    numbers, arrays and functions of the same module that it uses; of other objects that it uses, and of callable
    objects that are no functions, only the type counts. Another version of Python has other byte code.

    Parameters
    ----------
    given : Gaussian, Field, Evolution or callable
        The density.

    Examples
    --------
    >>> density_hash(Gaussian([0.0], 1.0)) == density_hash(Gaussian([0.0], 1.0))
    True
    >>> density_hash(Gaussian([0.0], 1.0)) == density_hash(Gaussian([0.0], 1.5))
    False
    """
    if isinstance(given, Gaussian):
        return content_hash(("gaussian", _plain(given.mean), _plain(given.covariance)))
    if isinstance(given, Field):
        return content_hash(("field", _grid(given.grid), _plain(given.values)))
    if hasattr(given, "densities") and hasattr(given, "times"):
        return content_hash(("evolution", _grid(given.grid), _plain(given.times), _plain(given.densities)))
    return content_hash(("callable", _plain(given)))


def _grid(grid: Grid) -> tuple[Any, ...]:
    return tuple((name, axis.boundary, _plain(axis.faces)) for name, axis in zip(grid.names, grid.axes, strict=True))


def _plain(value: Any, within: tuple[CodeType, ...] = ()) -> Any:
    """Return a value as strings, numbers and tuples of them."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, content_hash((value.tobytes(),))
    if isinstance(value, int | float | complex | str | bytes | np.generic | None):
        return repr(value)
    if isinstance(value, tuple | list):
        return type(value).__name__, *(_plain(one, within) for one in value)
    if isinstance(value, frozenset):
        return tuple(sorted(repr(one) for one in value))
    if isinstance(value, CodeType):
        constants = tuple(_plain(constant, within) for constant in value.co_consts)
        return value.co_code, value.co_names, constants
    if inspect.isfunction(value) or inspect.ismethod(value):
        return _function(value, within)
    return f"{type(value).__module__}.{type(value).__qualname__}", getattr(value, "__name__", "")


def _function(function: Callable[..., Any], within: tuple[CodeType, ...]) -> Any:
    """Return a function's name, byte code and what it uses; `within` are the functions that are being looked at."""
    name, code = f"{function.__module__}.{function.__qualname__}", function.__code__
    if code in within:
        return name
    outside = inspect.getclosurevars(function)
    used = []
    for key, value in sorted({**outside.globals, **outside.nonlocals}.items()):
        foreign = getattr(value, "__module__", None) != function.__module__
        by_name = inspect.isfunction(value) and foreign
        used.append((key, f"{value.__module__}.{value.__qualname__}" if by_name else _plain(value, (*within, code))))
    return name, _plain(code), _plain(function.__defaults__ or ()), tuple(used)
