"""Coefficients of a law of motion: mobility, diffusion and force, as numbers, expressions or functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import DynamicsError

KINDS = ("scalar", "vector", "tensor")


@dataclass(frozen=True, eq=False)
class Coefficient:
    """A scalar, vector or tensor that may depend on the parameters θ.

    Built by `coefficient`; evaluated on arrays of points.

    Parameters
    ----------
    name : str
        What it is called in messages.
    kind : {"scalar", "vector", "tensor"}
        Shape of one value: (), (d,) or (d, d).
    given : object
        What the user gave.
    constant : ndarray or None
        The value, where it does not depend on θ.
    function : callable or None
        ``function(points, parameters)`` with values of shape (...), (..., d) or (..., d, d), where it does.
    """

    name: str
    kind: str
    given: Any
    constant: np.ndarray | None
    function: Callable[[np.ndarray, Mapping[str, float]], np.ndarray] | None = None

    @property
    def varies(self) -> bool:
        """Whether it may depend on θ (a function is taken to)."""
        if isinstance(self.function, _Expressions):
            return bool(self.function.compiled.depends_on_variables)
        return self.constant is None

    @property
    def texts(self) -> tuple[str, ...] | None:
        """The entries as expressions, in C order; None for a Python function."""
        if isinstance(self.function, _Expressions):
            return tuple(self.function.compiled.texts)
        return None if self.constant is None else tuple(repr(float(entry)) for entry in self.constant.ravel())

    def evaluate(self, points: np.ndarray, parameters: Mapping[str, float]) -> np.ndarray:
        """Return values at points of shape (..., d).

        Parameters
        ----------
        points : ndarray, shape (..., d)
            Where to evaluate.
        parameters : mapping
            Values of the landscape's parameters, which expressions may use.

        Raises
        ------
        DynamicsError
            If a value is not finite or has the wrong shape.
        """
        dimension = points.shape[-1]
        trailing = {"scalar": (), "vector": (dimension,), "tensor": (dimension, dimension)}[self.kind]
        if self.constant is not None:
            return np.broadcast_to(self.constant, points.shape[:-1] + trailing)
        assert self.function is not None
        values = np.asarray(self.function(points, parameters), dtype=float)
        if values.shape != points.shape[:-1] + trailing:
            raise DynamicsError(
                f"{self.name} gave values of shape {values.shape} at points of shape {points.shape}; "
                f"a {self.kind} needs {points.shape[:-1] + trailing}"
            )
        bad = ~np.isfinite(values).reshape(*points.shape[:-1], -1).all(axis=-1)
        if bad.any():
            raise DynamicsError(f"{self.name} is not finite at θ = {points[bad][0].tolist()}")
        return values

    def diagonal(self, points: np.ndarray, parameters: Mapping[str, float]) -> np.ndarray:
        """Return the diagonal entries at points, shape (..., d); a scalar stands for a multiple of unity."""
        values = self.evaluate(points, parameters)
        if self.kind == "scalar":
            return np.broadcast_to(values[..., None], points.shape)
        return np.einsum("...ii->...i", values) if self.kind == "tensor" else values


def coefficient(name: str, given: Any, variables: Sequence[str], parameters: Mapping[str, float]) -> Coefficient:
    """Return the coefficient that the user's number, expression, nested sequence or function stands for.

    Parameters
    ----------
    name : str
        What it is called in messages.
    given : float, str, sequence, array or callable
        Numbers and expressions in the variables may be mixed in a sequence (vector) or nested sequence (tensor).
        A callable gets points of shape (..., d) and returns (...), (..., d) or (..., d, d).
    variables : sequence of str
        Names of the variables.
    parameters : mapping
        The landscape's parameters, which expressions may use.

    Raises
    ------
    DynamicsError
        If the shape does not fit the number of variables, or a number is not finite.
    """
    if isinstance(given, Coefficient):
        return given
    if callable(given):
        return Coefficient(name, _kind_of_function(name, given, len(variables)), given, None, _Function(given))
    entries = np.asarray(given, dtype=object)
    kind = _kind(name, entries.shape, given, len(variables))
    if any(isinstance(entry, str) for entry in entries.ravel()):
        return Coefficient(name, kind, given, None, _expressions(name, entries, variables, parameters))
    try:
        values = entries.astype(float)
    except (TypeError, ValueError):
        raise DynamicsError(
            f"{name} = {given!r} is neither a number, an expression, a sequence nor a function"
        ) from None
    if not np.isfinite(values).all():
        raise DynamicsError(f"{name} = {given!r} must be finite")
    return Coefficient(name, kind, given, values)


def check_semidefinite(coefficient: Coefficient, values: np.ndarray, points: np.ndarray | None = None) -> None:
    """Raise unless values are non-negative (scalar, vector) or symmetric positive semi-definite (tensor).

    Raises
    ------
    DynamicsError
        Naming the offending value, and the point where it was found.
    """
    if coefficient.kind == "tensor":
        asymmetry = np.abs(values - np.swapaxes(values, -1, -2)).max(axis=(-1, -2))
        if np.any(asymmetry > 1e-12 * np.abs(values).max(axis=(-1, -2))):
            raise DynamicsError(f"{coefficient.name} = {coefficient.given!r} is not symmetric")
        lowest = np.linalg.eigvalsh(values)[..., 0]
        scale = np.abs(values).max(axis=(-1, -2))
        bad = lowest < -1e-12 * scale
        what = "an eigenvalue"
    else:
        lowest = values if coefficient.kind == "scalar" else values.min(axis=-1)
        bad = lowest < 0
        what = "the value"
    if np.any(bad):
        where = "" if points is None else f" at θ = {np.asarray(points)[bad][0].tolist()}"
        worst = np.atleast_1d(lowest)[np.atleast_1d(bad)][0]
        raise DynamicsError(
            f"{coefficient.name} = {coefficient.given!r} has {what} {worst:g}{where}; it must not be negative"
        )


@dataclass(frozen=True)
class _Function:
    """A user's function of the points, called without parameters."""

    function: Callable[[np.ndarray], Any]

    def __call__(self, points: np.ndarray, parameters: Mapping[str, float]) -> np.ndarray:
        return np.asarray(self.function(points), dtype=float)


@dataclass(frozen=True)
class _Expressions:
    """Expressions in the variables and the landscape's parameters."""

    compiled: Any
    shape: tuple[int, ...]

    def __call__(self, points: np.ndarray, parameters: Mapping[str, float]) -> np.ndarray:
        values = np.moveaxis(self.compiled(points, parameters), 0, -1)
        return values.reshape(points.shape[:-1] + self.shape)


def _expressions(
    name: str, entries: np.ndarray, variables: Sequence[str], parameters: Mapping[str, float]
) -> _Expressions:
    from fpsolver.landscapes.compiled_expressions import compile_expressions

    texts = tuple(entry if isinstance(entry, str) else repr(float(entry)) for entry in entries.ravel())
    compiled = compile_expressions(texts, variables, tuple(parameters))
    if compiled.depends_on_time:
        raise DynamicsError(
            f"{name} = {entries.tolist()!r} depends on t; use a landscape parameter in it and drive that with protocol="
        )
    return _Expressions(compiled, entries.shape)


def _kind(name: str, shape: tuple[int, ...], given: Any, dimension: int) -> str:
    allowed = {(): "scalar", (dimension,): "vector", (dimension, dimension): "tensor"}
    if shape not in allowed:
        raise DynamicsError(
            f"{name} = {given!r} has shape {shape}; with {dimension} variable(s) it must be a scalar, "
            f"a vector of {dimension} or a {dimension} × {dimension} matrix"
        )
    return allowed[shape]


def _kind_of_function(name: str, function: Callable[[np.ndarray], Any], dimension: int) -> str:
    probe = np.asarray(function(np.zeros((3, dimension)))).shape
    allowed = {(3,): "scalar", (3, dimension): "vector", (3, dimension, dimension): "tensor"}
    if probe not in allowed:
        raise DynamicsError(
            f"{name} is a function that returned shape {probe} for points of shape (3, {dimension}); "
            f"expected one of {', '.join(map(str, allowed))}"
        )
    return allowed[probe]
