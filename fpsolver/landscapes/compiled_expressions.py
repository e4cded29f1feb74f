"""Expressions in variables, parameters and time, compiled to one NumPy function and cached on disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import ExpressionError
from fpsolver.landscapes.array_evaluation import Floats, as_points, evaluate_blocks
from fpsolver.landscapes.expression import TIME, check_name, check_syntax, natural_order, require_known
from fpsolver.landscapes.source_cache import content_hash, generated_module


class CompiledExpressions:
    """Several expressions as one function of θ, parameters and time.

    Parameters
    ----------
    texts : tuple of str
        The expressions.
    variables : tuple of str
        Coordinates, in the order of the last axis of θ.
    parameters : tuple of str
        Names that may appear besides the variables and ``t``.

    Raises
    ------
    ExpressionError
        If an expression is outside the language or holds an unknown name.
    """

    def __init__(self, texts: tuple[str, ...], variables: tuple[str, ...] = (), parameters: tuple[str, ...] = ()):
        for name in variables:
            check_name(name, "variable")
        for name in parameters:
            check_name(name, "parameter")
        checked = [check_syntax(text) for text in texts]
        known = {*variables, *parameters, TIME}
        for one in checked:
            require_known(one, known)
        self._checked = checked
        self.texts = tuple(one.text for one in checked)
        self.variables = tuple(variables)
        self.names: frozenset[str] = frozenset().union(*(one.names for one in checked))
        self.parameters = natural_order([name for name in set(parameters) if name in self.names])
        _ = self._module  # what only differentiation shows to be wrong is refused here, not at the first use

    def __len__(self) -> int:
        """Return the number of expressions."""
        return len(self.texts)

    def __repr__(self) -> str:
        """Show the expressions."""
        return f"CompiledExpressions({self.texts!r}, variables={self.variables!r}, parameters={self.parameters!r})"

    def __eq__(self, other: object) -> bool:
        """Compare by content."""
        return isinstance(other, CompiledExpressions) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        """Hash by content."""
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the texts; the generated module is found again on disk."""
        return type(self), (self.texts, self.variables, self.parameters)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the expressions, their variables and parameters."""
        return content_hash(("expressions", self.texts, self.variables, self.parameters))

    @property
    def depends_on_time(self) -> bool:
        """Whether ``t`` appears."""
        return TIME in self.names

    @property
    def depends_on_variables(self) -> bool:
        """Whether any variable appears."""
        return any(name in self.names for name in self.variables)

    @cached_property
    def _module(self) -> ModuleType:
        return generated_module("expressions", self.fingerprint, self._source)

    def _source(self) -> str:
        import sympy

        from fpsolver.landscapes.printing import array_module_source, print_array_function
        from fpsolver.landscapes.symbolic import derivative, require_differentiable_size, to_sympy

        expressions = [to_sympy(one) for one in self._checked]
        symbols = [[sympy.Symbol(name) for name in names] for names in (self.variables, self.parameters)]
        for e, text in zip(expressions, self.texts, strict=True):
            require_differentiable_size(e, symbols[0], text)
        values: dict[tuple[int, ...], sympy.Expr] = {(i,): e for i, e in enumerate(expressions)}
        slopes: dict[tuple[int, ...], sympy.Expr] = {
            (i, j): derivative(e, s) for i, e in enumerate(expressions) for j, s in enumerate(symbols[0])
        }
        functions = print_array_function("values", values, symbols), print_array_function("jacobian", slopes, symbols)
        return array_module_source(functions)

    def __call__(
        self, theta: ArrayLike | None = None, parameters: Mapping[str, float] | None = None, t: ArrayLike | None = None
    ) -> Floats:
        """Evaluate the expressions.

        Parameters
        ----------
        theta : array_like (..., d), optional
            Points; may be omitted where no variable appears.
        parameters : mapping, optional
            Values of the parameters; names that do not appear are ignored.
        t : array_like, optional
            Time: a number, or where `theta` is omitted an array.

        Returns
        -------
        ndarray (n_expressions, ...)
        """
        result = self._evaluate("values", (len(self),), theta, parameters, t)
        return np.moveaxis(result, -1, 0)

    def jacobian(
        self, theta: ArrayLike | None = None, parameters: Mapping[str, float] | None = None, t: ArrayLike | None = None
    ) -> Floats:
        """Return the derivatives of the expressions with respect to the variables, (n_expressions, ..., d)."""
        result = self._evaluate("jacobian", (len(self), len(self.variables)), theta, parameters, t)
        return np.moveaxis(result, -2, 0)

    def _evaluate(
        self,
        name: str,
        components: tuple[int, ...],
        theta: ArrayLike | None,
        parameters: Mapping[str, float] | None,
        t: ArrayLike | None,
    ) -> Floats:
        p = self._parameter_values(parameters or {})
        if self.depends_on_time and t is None:
            raise ExpressionError(f"{self.texts} depend on t: give a time")
        function = getattr(self._module, name)
        if theta is not None:
            points = as_points(theta, len(self.variables)) if self.variables else np.asarray(theta, dtype=float)
            time = None if t is None else np.float64(t)  # type: ignore[arg-type]
            return evaluate_blocks(lambda x, out: function(x, p, time, out), points, components)
        if self.depends_on_variables:
            raise ExpressionError(f"{self.texts} depend on {', '.join(self.variables)}: give points")
        times = np.asarray(0.0 if t is None else t, dtype=float)
        out = np.zeros((*components, times.size))
        with np.errstate(all="ignore"):
            function((), p, times.ravel(), out)
        k = len(components)
        return np.moveaxis(out.reshape(components + times.shape), range(k), range(-k, 0))

    def _parameter_values(self, given: Mapping[str, float]) -> list[np.float64]:
        missing = [name for name in self.parameters if name not in given]
        if missing:
            raise ExpressionError(f"no value for the parameter {missing[0]!r} of {self.texts}")
        return [np.float64(given[name]) for name in self.parameters]


def compile_expressions(
    texts: Sequence[str], variables: Sequence[str] = (), parameters: Collection[str] = ()
) -> CompiledExpressions:
    """Compile expressions in variables, parameters and time ``t`` to one function over arrays.

    Parameters
    ----------
    texts : sequence of str
        The expressions.
    variables : sequence of str
        Names of the coordinates, in the order of the last axis of ``theta``.
    parameters : collection of str
        Names of the parameters that may appear; not all need to.

    Returns
    -------
    CompiledExpressions
        Call it as ``f(theta, parameters, t)``, with ``theta`` (..., d); it returns an array (n_expressions, ...).

    Examples
    --------
    >>> f = compile_expressions(["x + y", "a*t"], variables=("x", "y"), parameters=("a",))
    >>> f([[1.0, 2.0], [3.0, 4.0]], {"a": 2.0}, t=5.0)
    array([[ 3.,  7.],
           [10., 10.]])
    """
    return CompiledExpressions(tuple(texts), tuple(variables), tuple(parameters))
