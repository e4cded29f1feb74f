"""The landscape L(θ; parameters): a loss, its gradient and its Hessian."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import LandscapeError, suggest
from fpsolver.landscapes.array_evaluation import Floats, as_points
from fpsolver.landscapes.expression_evaluator import ExpressionEvaluator
from fpsolver.landscapes.source_cache import content_hash

if TYPE_CHECKING:
    from fpsolver.landscapes.block_functions import BlockFunctions
    from fpsolver.landscapes.block_source import Precision
    from fpsolver.landscapes.evaluator import CompiledLandscape, Evaluator


class Landscape:
    """A loss L(θ) with gradient and Hessian, from an expression.

    Landscapes are immutable, compare and hash by content, and can be pickled. Evaluation runs through NumPy and
    compiles nothing; `compiled` holds Numba functions for loops over trajectories.

    Parameters
    ----------
    expression : str
        Arithmetic, powers, ``exp log sqrt sin cos tan sinh cosh tanh abs sign erf Min Max Piecewise`` and ``pi``.
        ``Piecewise((expression, condition), …, (expression, True))`` takes the first branch that applies.
    parameters : mapping of str to float, optional
        Values of the names that are parameters; each must appear in the expression. ``t`` is reserved for time.
    variables : sequence of str, optional
        The coordinates θ. By default all names that are not parameters, in natural order (w2 before w10).

    Raises
    ------
    ExpressionError
        If the expression is outside the language, or holds an unknown name or an unused parameter.
    LandscapeError
        If a parameter is not a finite number.

    Notes
    -----
    At kinks (``abs``, ``Min``, ``Max``, ``Piecewise``) derivatives are those of one side; there are no delta
    functions in the Hessian.

    Examples
    --------
    >>> L = Landscape("a*x**2/2 + b*y**2/2", variables=("x", "y"), parameters={"a": 1.0, "b": 4.0})
    >>> L.value([[1.0, 1.0], [0.0, 2.0]])
    array([2.5, 8. ])
    >>> L.gradient([1.0, 1.0])
    array([1., 4.])
    >>> L.with_parameters(b=9.0).hessian([0.0, 0.0])
    array([[1., 0.],
           [0., 9.]])
    """

    _evaluator: Evaluator
    _parameters: MappingProxyType[str, float]
    _p: Floats

    def __init__(
        self,
        expression: str,
        parameters: Mapping[str, float] | None = None,
        variables: Sequence[str] | None = None,
    ):
        parameters = dict(parameters or {})
        self._set(ExpressionEvaluator(expression, tuple(parameters), variables), parameters)

    def _set(self, evaluator: Evaluator, parameters: Mapping[str, float]) -> None:
        values = {name: _finite(name, parameters[name]) for name in evaluator.parameter_names}
        p = np.array(list(values.values()), dtype=float)
        p.flags.writeable = False
        for name, content in (("_evaluator", evaluator), ("_parameters", MappingProxyType(values)), ("_p", p)):
            object.__setattr__(self, name, content)

    @classmethod
    def _of(cls, evaluator: Evaluator, parameters: Mapping[str, float]) -> Self:
        self = object.__new__(cls)
        self._set(evaluator, parameters)
        return self

    @classmethod
    def from_functions(
        cls,
        value: Callable[..., Any],
        gradient: Callable[..., Any] | None = None,
        hessian: Callable[..., Any] | None = None,
        *,
        variables: Sequence[str] = ("x",),
        parameters: Mapping[str, float] | None = None,
        derivatives: Literal["auto", "complex-step", "finite-difference"] = "auto",
    ) -> Landscape:
        """Make a landscape from Python functions that Numba can compile.

        Parameters
        ----------
        value : callable
            ``value(theta)``, or ``value(theta, p)`` where there are parameters; theta is an array (d,), p holds the
            parameters in natural order of their names.
        gradient, hessian : callable, optional
            ``gradient(theta)`` or ``gradient(theta, p)`` returning an array (d,) or (d, d); with one more argument
            ``out`` they fill that instead, which saves an allocation per call.
        variables : sequence of str
            Names of the coordinates; their number is d.
        parameters : mapping of str to float, optional
            Parameter values.
        derivatives : {"auto", "complex-step", "finite-difference"}
            How missing derivatives are obtained. The complex step Im f(θ + ih)/h is exact to rounding but wrong for
            functions that are not analytic, and is refused where ``abs``, ``min``, ``max`` and the like are called;
            "auto" takes finite differences (fourth order) there. ``repr`` says which was taken.

        Raises
        ------
        LandscapeError
            If a function cannot be compiled, or has the wrong number of arguments or variables.
        """
        from fpsolver.landscapes.from_functions import FunctionEvaluator

        parameters = dict(parameters or {})
        evaluator = FunctionEvaluator(value, gradient, hessian, tuple(variables), tuple(parameters), derivatives)
        return Landscape._of(evaluator, parameters)

    @classmethod
    def from_grid(
        cls,
        axes: Mapping[str, ArrayLike] | Sequence[ArrayLike] | str | PathLike[str],
        values: ArrayLike | str = "values",
        *,
        variables: Sequence[str] | None = None,
    ) -> Landscape:
        """Make a landscape from values measured on a rectangular grid, by cubic spline interpolation.

        Parameters
        ----------
        axes : mapping of str to array, sequence of arrays, or path
            Ascending coordinates per variable (at least 4 each, 1 to 4 variables), or the name of an HDF5 file.
        values : array_like, or str
            Values on the grid, one axis per variable; for a file the name of the data set, whose dimension scales
            are the axes.
        variables : sequence of str, optional
            Names of the coordinates; by default the keys of `axes`, the names of the dimension scales, or
            x, y, z, w.

        Raises
        ------
        LandscapeError
            If the data do not fit together or are not finite. Evaluating the landscape outside the grid raises
            `DomainError`.
        """
        from fpsolver.landscapes.from_grid import SplineEvaluator, grid_data

        return Landscape._of(SplineEvaluator(*grid_data(axes, values, variables)), {})

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: landscapes are immutable."""
        raise AttributeError(f"landscapes are immutable: cannot set {name!r}; with_parameters(…) gives a changed copy")

    def __delattr__(self, name: str) -> None:
        """Refuse: landscapes are immutable."""
        raise AttributeError(f"landscapes are immutable: cannot delete {name!r}")

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the coordinates, in the order of the last axis of θ."""
        return self._evaluator.variables

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return len(self._evaluator.variables)

    @property
    def parameters(self) -> Mapping[str, float]:
        """Names and values of the parameters, read-only."""
        return self._parameters

    @property
    def domain(self) -> tuple[tuple[float, float], ...]:
        """Bounds (lower, upper) per variable within which the landscape is known; infinite for formulas."""
        return self._evaluator.domain

    @property
    def expression(self) -> str | None:
        """The expression, where the landscape was made from one."""
        return getattr(self._evaluator, "text", None)

    @property
    def fingerprint(self) -> str:
        """Hash of the content: same landscape and parameters, same string, in any process."""
        return content_hash((self._evaluator.fingerprint, tuple(self._parameters.items())))

    def with_parameters(self, **changes: float) -> Self:
        """Return the landscape with some parameters changed; nothing is compiled anew.

        Raises
        ------
        LandscapeError
            If a name is not a parameter, or a value is not finite.
        """
        for name in changes:
            if name not in self._parameters:
                known = ", ".join(self._parameters) or "none"
                raise LandscapeError(
                    f'"{name}" is not a parameter of this landscape{suggest(name, self._parameters)}; it has: {known}'
                )
        return type(self)._of(self._evaluator, {**self._parameters, **changes})

    def value(self, theta: ArrayLike) -> Floats:
        """Return L at points (..., d), as an array (...), or a number for one point."""
        return self._evaluator.value(as_points(theta, self.dimension), self._p)[()]

    def gradient(self, theta: ArrayLike) -> Floats:
        """Return ∇L at points (..., d), as an array (..., d)."""
        return self._evaluator.gradient(as_points(theta, self.dimension), self._p)

    def hessian(self, theta: ArrayLike) -> Floats:
        """Return ∇∇L at points (..., d), as an array (..., d, d)."""
        return self._evaluator.hessian(as_points(theta, self.dimension), self._p)

    def derivatives(self, theta: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return value, gradient and Hessian at points (..., d), with shared subexpressions computed once."""
        value, gradient, hessian = self._evaluator.derivatives(as_points(theta, self.dimension), self._p)
        return value[()], gradient, hessian

    @property
    def compiled(self) -> CompiledLandscape:
        """Numba functions of one point: ``value(theta, p)``, ``gradient(theta, p, out)``, ``hessian(theta, p, out)``.

        ``compiled.parameters`` is the array to pass as p.
        """
        return self._evaluator.compiled(self._p)

    def blocks(self, precision: Precision = "double") -> BlockFunctions:
        """Return value and gradient as compiled functions of blocks of 256 trajectories.

        Parameters
        ----------
        precision : {"double", "single"}
            Type of coordinates, parameters and results.

        Returns
        -------
        BlockFunctions
            ``value(x, p, out)`` and ``gradient(x, p, out)``, and the array ``parameters`` to pass as p.
        """
        return self._evaluator.blocks(self._p, precision)

    def __eq__(self, other: object) -> bool:
        """Compare by content."""
        return isinstance(other, Landscape) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        """Hash by content."""
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        """Show what the landscape is made of."""
        parts = [self._evaluator.description, f"variables={self.variables!r}"]
        if self._parameters:
            parts.append(f"parameters={dict(self._parameters)!r}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the definition, not the generated code."""
        return _restore, (type(self), self._evaluator, dict(self._parameters))


def _restore(kind: type[Landscape], evaluator: Evaluator, parameters: dict[str, float]) -> Landscape:
    return kind._of(evaluator, parameters)


def _finite(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise LandscapeError(f'the parameter "{name}" must be a number, not {value!r}') from None
    if not math.isfinite(number):
        raise LandscapeError(f'the parameter "{name}" must be finite, not {value!r}')
    return number
