"""Landscapes from Python functions that Numba compiles; missing derivatives by complex step or finite differences."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from functools import cached_property
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.errors import LandscapeError
from fpsolver.landscapes.array_evaluation import Floats
from fpsolver.landscapes.evaluator import CompiledLandscape, Evaluator
from fpsolver.landscapes.expression import check_name, natural_order
from fpsolver.landscapes.source_cache import content_hash

if TYPE_CHECKING:
    from fpsolver.landscapes.block_functions import BlockFunctions
    from fpsolver.landscapes.block_source import Precision

COMPLEX_STEP = "complex-step"
FINITE_DIFFERENCE = "finite-difference"
GIVEN = "given"

# Up to this many points, calls from Python take less time than compiling a loop.
_FEW = 1000

# Not analytic, so that the complex step of a function that calls one of them is silently wrong.
_NOT_ANALYTIC = frozenset({
    "abs", "fabs", "absolute", "min", "max", "minimum", "maximum", "fmin", "fmax", "clip", "sign", "copysign",
    "floor", "ceil", "round", "rint", "trunc", "real", "imag", "conj", "conjugate", "angle", "hypot", "norm",
    "heaviside", "amin", "amax", "sort", "argmin", "argmax", "float", "int",
})  # fmt: skip


class FunctionEvaluator(Evaluator):
    """A landscape given by Python functions of one point.

    Parameters
    ----------
    value, gradient, hessian : callable
        As for `Landscape.from_functions`.
    variables, parameter_names : tuple of str
        Names of coordinates and parameters.
    derivatives : str
        "auto", "complex-step" or "finite-difference".
    sources : pair of str, optional
        How gradient and Hessian are obtained, where that was found out before.
    """

    def __init__(
        self,
        value: Callable[..., Any],
        gradient: Callable[..., Any] | None,
        hessian: Callable[..., Any] | None,
        variables: tuple[str, ...],
        parameter_names: tuple[str, ...],
        derivatives: str = "auto",
        sources: tuple[str, str] | None = None,
    ):
        if derivatives not in ("auto", COMPLEX_STEP, FINITE_DIFFERENCE):
            raise LandscapeError(
                f'derivatives must be "auto", "{COMPLEX_STEP}" or "{FINITE_DIFFERENCE}", not {derivatives!r}'
            )
        if not variables or len(set(variables)) < len(variables):
            raise LandscapeError(f"variables must be different names, at least one, not {variables!r}")
        self.variables = tuple(check_name(name, "variable") for name in variables)
        self.parameter_names = natural_order([check_name(name, "parameter") for name in parameter_names])
        self._given = (value, gradient, hessian)
        self._made: dict[tuple[str, bool], Any] = {}
        self._requested = derivatives
        for name, function in (("value", value), ("gradient", gradient), ("hessian", hessian)):
            if function is not None:
                self._check_function(name, function)
        if hessian is not None and gradient is None:
            raise LandscapeError("a Hessian without a gradient: give both, or leave the Hessian out as well")
        if sources is None:
            first = GIVEN if gradient else self._source_of_derivative(value, "gradient")
            second = GIVEN if hessian else first
            if gradient and not hessian:
                second = self._source_of_derivative(gradient, "Hessian")
            sources = first, second
        self.gradient_source, self.hessian_source = sources

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the Python functions (by reference, as pickle does)."""
        sources = self.gradient_source, self.hessian_source
        return type(self), (*self._given, self.variables, self.parameter_names, self._requested, sources)

    @property
    def description(self) -> str:
        """The function's name and the source of each derivative."""
        name = getattr(self._given[0], "__name__", "function")
        return f"{name}(…), gradient: {self.gradient_source}, hessian: {self.hessian_source}"

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the functions' code and constants."""
        parts = [_function_hash(python_function(f)) if f else "" for f in self._given]
        sources = (self.gradient_source, self.hessian_source)
        return content_hash(("functions", *parts, *sources, self.variables, self.parameter_names))

    def _check_function(self, name: str, function: Callable[..., Any]) -> None:
        wanted = 1 + bool(self.parameter_names)
        count = _argument_count(function)
        if count not in ((wanted,) if name == "value" else (wanted, wanted + 1)):
            form = "theta, p" if self.parameter_names else "theta"
            raise LandscapeError(f"{name} must be a function of ({form}), but the one given takes {count} arguments")
        self._probe(name, function, np.full(len(self.variables), 0.4321))

    def _probe(self, name: str, function: Callable[..., Any], theta: np.ndarray) -> Any:
        """Call a function once in plain Python, where indices are checked, as compiled code does not."""
        d = len(self.variables)
        shape = {"value": (), "gradient": (d,), "hessian": (d, d)}[name]
        arguments: list[Any] = [theta]
        if self.parameter_names:
            arguments.append(np.full(len(self.parameter_names), 0.5))
        try:
            with np.errstate(all="ignore"):
                result = _call_python(function, arguments, shape, theta.dtype)
        except IndexError:
            raise LandscapeError(
                f"{name} takes coordinates or parameters that do not exist: there are {d} variables "
                f"{self.variables!r} and {len(self.parameter_names)} parameters; name them all with variables=(…)"
            ) from None
        except ArithmeticError:
            return None
        if np.shape(result) != shape:
            raise LandscapeError(f"{name} must return an array of shape {shape}, but returned {np.shape(result)}")
        return result

    def _source_of_derivative(self, function: Callable[..., Any], wanted: str) -> str:
        if self._requested == FINITE_DIFFERENCE:
            return FINITE_DIFFERENCE
        obstacle = self._obstacle(function)
        if obstacle is None:
            return COMPLEX_STEP
        if self._requested == COMPLEX_STEP:
            raise LandscapeError(
                f"the complex step cannot give the {wanted}: {obstacle}; give the {wanted} as a function, or take "
                f'derivatives="{FINITE_DIFFERENCE}"'
            )
        return FINITE_DIFFERENCE

    def _obstacle(self, function: Callable[..., Any]) -> str | None:
        """Return why the complex step cannot be taken, or None."""
        bad = sorted(_names_used(python_function(function)) & _NOT_ANALYTIC)
        if bad:
            return f"the function uses {bad[0]}, which is not analytic"
        try:
            return self._disagreement(function)
        except LandscapeError as error:
            return f"the function does not take complex numbers ({str(error).splitlines()[0]})"

    def _disagreement(self, function: Callable[..., Any]) -> str | None:
        """Return why the complex step is not to be trusted: it differs from finite differences at some points."""
        from fpsolver.landscapes import function_derivatives as derivatives

        name = "value" if function is self._given[0] else "gradient"
        real = self._scalar_function(function, name)
        analytic = self._scalar_function(function, name, complex_argument=True)
        if name == "value":
            pair = derivatives.complex_step_gradient(analytic), derivatives.difference_gradient(real)
        else:
            pair = derivatives.complex_step_jacobian(analytic), derivatives.difference_jacobian(real)
        d = len(self.variables)
        n = 16
        points = np.random.default_rng(0).uniform(-1.5, 1.5, size=(n, d))
        p = np.full(len(self.parameter_names), 0.5)
        first, second = (np.zeros((n, d) if name == "value" else (n, d, d)) for _ in pair)
        for fill, out in zip(pair, (first, second), strict=True):
            for point, slot in zip(points, out, strict=True):
                fill(point, p, slot)
        with np.errstate(invalid="ignore"):
            apart = np.abs(first - second) > 1e-3 * (1.0 + np.abs(second))
        # Differences fail beside a singularity, at a point or two; a wrong complex step fails in whole regions.
        if np.sum(apart.reshape(n, -1).any(axis=-1)) > 2:
            return "it differs from finite differences, so that the function cannot be analytic"
        return None

    def _scalar_function(self, function: Callable[..., Any], name: str, *, complex_argument: bool = False) -> Any:
        """Return a function with the standard arguments, compiled by Numba for one argument type."""
        from fpsolver.landscapes import function_derivatives

        if (name, complex_argument) in self._made:
            return self._made[name, complex_argument]
        adapted = function_derivatives.standard_arguments(
            function,
            returns_value=name == "value",
            has_parameters=bool(self.parameter_names),
            complex_argument=complex_argument,
        )
        try:
            function_derivatives.compile_for(adapted, name, complex_argument=complex_argument)
        except Exception as error:  # Numba's lowering lets errors of any type through
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            reason = next((line for line in lines if not line.startswith("Failed in nopython")), type(error).__name__)
            raise LandscapeError(f"Numba cannot compile {name}: {reason}") from error
        self._made[name, complex_argument] = adapted
        return adapted

    @cached_property
    def _functions(self) -> tuple[Any, Any, Any]:
        from fpsolver.landscapes import function_derivatives as derivatives

        value, gradient, hessian = self._given
        compiled_value = self._scalar_function(value, "value")
        if gradient:
            compiled_gradient = self._scalar_function(gradient, "gradient")
        elif self.gradient_source == COMPLEX_STEP:
            compiled_gradient = derivatives.complex_step_gradient(self._analytic(value, "value"))
        else:
            compiled_gradient = derivatives.difference_gradient(compiled_value)
        if hessian:
            compiled_hessian = self._scalar_function(hessian, "hessian")
        elif gradient and self.hessian_source == COMPLEX_STEP:
            compiled_hessian = derivatives.complex_step_jacobian(self._analytic(gradient, "gradient"))
        elif gradient:
            compiled_hessian = derivatives.difference_jacobian(compiled_gradient)
        elif self.hessian_source == COMPLEX_STEP:
            compiled_hessian = derivatives.mixed_hessian(self._analytic(value, "value"))
        else:
            compiled_hessian = derivatives.difference_hessian(compiled_value)
        return compiled_value, compiled_gradient, compiled_hessian

    def _analytic(self, function: Callable[..., Any], name: str) -> Any:
        return self._scalar_function(function, name, complex_argument=True)

    def _over_points(self, index: int, points: Floats, p: Floats, components: tuple[int, ...]) -> Floats:
        from fpsolver.landscapes import function_derivatives as derivatives

        d = len(self.variables)
        flat = np.ascontiguousarray(points.reshape(-1, d))
        out = np.zeros((len(flat), *components))
        function, p = self._functions[index], np.array(p, dtype=float)
        if len(flat) > _FEW:
            loop = derivatives.value_loop if index == 0 else derivatives.array_loop
            loop(function, flat, p, out)
        elif index == 0:
            out[:] = [function(point, p) for point in flat]
        else:
            for point, slot in zip(flat, out, strict=True):
                function(point, p, slot)
        return out.reshape(points.shape[:-1] + components)

    def value(self, points: Floats, p: Floats) -> Floats:
        """Return values (...)."""
        return self._over_points(0, points, p, ())

    def gradient(self, points: Floats, p: Floats) -> Floats:
        """Return gradients (..., d)."""
        return self._over_points(1, points, p, (len(self.variables),))

    def hessian(self, points: Floats, p: Floats) -> Floats:
        """Return Hessians (..., d, d)."""
        d = len(self.variables)
        return self._over_points(2, points, p, (d, d))

    def compiled(self, p: Floats) -> CompiledLandscape:
        """Return the Numba functions."""
        return CompiledLandscape(*self._functions, parameters=np.array(p, dtype=float))

    def blocks(self, p: Floats, precision: Precision) -> BlockFunctions:
        """Return functions of whole blocks that call the user's for one trajectory after the other.

        They are compiled once per process: Numba does not keep functions that call closures on disk.
        """
        from fpsolver.landscapes.block_functions import BlockFunctions
        from fpsolver.landscapes.block_source import number_type

        def compiled(index: int) -> Any:
            from fpsolver.landscapes import lane_blocks

            if (index, precision) not in self._blocks:
                make = (lane_blocks.value_block, lane_blocks.gradient_block)[index]
                sizes = len(self.variables), len(self.parameter_names)
                self._blocks[index, precision] = make(self._functions[index], *sizes, precision)
            return self._blocks[index, precision]

        parameters = np.array(p, dtype=number_type(precision))
        return BlockFunctions(lambda: compiled(0), lambda: compiled(1), parameters)

    @cached_property
    def _blocks(self) -> dict[tuple[int, str], Any]:
        return {}


def python_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the plain function behind a Numba dispatcher, or the function itself."""
    return getattr(function, "py_func", function)


def _argument_count(function: Callable[..., Any]) -> int:
    try:
        return len(inspect.signature(python_function(function)).parameters)
    except (TypeError, ValueError):
        raise LandscapeError(f"a Python function is needed, not {function!r}") from None


def _call_python(function: Callable[..., Any], arguments: list[Any], shape: tuple[int, ...], dtype: Any) -> Any:
    plain = python_function(function)
    if shape and _argument_count(function) > len(arguments):
        out = np.zeros(shape, dtype=dtype)
        plain(*arguments, out)
        return out
    return plain(*arguments)


def _names_used(function: Callable[..., Any], seen: frozenset[int] = frozenset()) -> frozenset[str]:
    """Return the global and attribute names that a function uses, those of functions it calls included."""
    code = getattr(function, "__code__", None)
    if code is None or id(code) in seen:
        return frozenset()
    seen = seen | {id(code)}
    names = frozenset(_code_names(code))
    inner = inspect.getclosurevars(function)
    for name, target in (*inner.globals.items(), *inner.nonlocals.items()):
        plain = python_function(target) if callable(target) else None
        names |= {getattr(plain, "__name__", name)} if plain is not None else set()
        if plain is not None and hasattr(plain, "__code__"):
            names |= _names_used(plain, seen)
    return names


def _code_names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _code_names(constant)
    return names


def _function_hash(function: Callable[..., Any], seen: frozenset[int] = frozenset()) -> str:
    """Hash a function's byte code, its constants and what it closes over."""
    code = getattr(function, "__code__", None)
    if code is None or id(code) in seen:
        return repr(function)
    seen = seen | {id(code)}
    digest = hashlib.sha256()
    _update_with_code(digest, code)
    inner = inspect.getclosurevars(function)
    for name, target in sorted((*inner.globals.items(), *inner.nonlocals.items())):
        plain = python_function(target) if callable(target) else target
        if hasattr(plain, "__code__"):
            content = _function_hash(plain, seen).encode()
        elif isinstance(plain, np.ndarray):
            content = plain.tobytes()
        else:
            content = repr(getattr(plain, "__name__", plain)).encode()
        digest.update(name.encode() + b"=" + content)
    return digest.hexdigest()


def _update_with_code(digest: Any, code: CodeType) -> None:
    digest.update(code.co_code + repr(code.co_names).encode())
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _update_with_code(digest, constant)
        else:
            digest.update(repr(constant).encode())
