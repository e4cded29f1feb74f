"""Landscapes given by an expression: SymPy differentiates once, generated source on disk does the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.errors import ExpressionError, suggest
from fpsolver.landscapes.array_evaluation import Floats, evaluate_blocks
from fpsolver.landscapes.evaluator import CompiledLandscape, Evaluator
from fpsolver.landscapes.expression import TIME, check_name, check_syntax, natural_order, require_known, shorten
from fpsolver.landscapes.source_cache import content_hash, generated_module

if TYPE_CHECKING:
    from fpsolver.landscapes.block_functions import BlockFunctions
    from fpsolver.landscapes.block_source import Precision
    from fpsolver.landscapes.quadratic_forms import QuadraticForm


class ExpressionEvaluator(Evaluator):
    """An expression in variables and parameters.

    Parameters
    ----------
    text : str
        The expression.
    parameter_names : sequence of str
        Names that are parameters; each must appear, as a parameter or a variable that is given.
    variables : sequence of str, optional
        The coordinates; by default the names that are not parameters, in natural order.
    """

    def __init__(self, text: str, parameter_names: Sequence[str], variables: Sequence[str] | None):
        self._checked = check_syntax(text)
        names = self._checked.names
        for name in parameter_names:
            check_name(name, "parameter")
            if name not in names:
                raise ExpressionError(
                    f'the parameter "{name}" does not appear in {shorten(self._checked.text)}'
                    f"{suggest(name, names)}; remove it"
                )
        self.parameter_names = natural_order(parameter_names)
        self.variables = self._choose_variables(variables)
        self.text = self._checked.text
        _ = self._array_module  # what only differentiation shows to be wrong is refused here, not at the first use

    def _choose_variables(self, given: Sequence[str] | None) -> tuple[str, ...]:
        names = self._checked.names - set(self.parameter_names)
        if given is None:
            if TIME in names:
                check_name(TIME, "variable")
            if not names:
                raise ExpressionError(f"{shorten(self._checked.text)} has no variable; name them with variables=(…)")
            return natural_order(names)
        variables = (given,) if isinstance(given, str) else tuple(given)
        if not variables:
            raise ExpressionError("variables is empty: a landscape has at least one variable")
        for name in variables:
            check_name(name, "variable")
        if len(set(variables)) < len(variables):
            raise ExpressionError(f"the variables {variables} hold a name twice")
        both = set(variables) & set(self.parameter_names)
        if both:
            raise ExpressionError(f'"{min(both)}" is given as a variable and as a parameter')
        require_known(self._checked, {*variables, *self.parameter_names})
        return variables

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the text; the generated modules are found again on disk."""
        return type(self), (self.text, self.parameter_names, self.variables)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the expression and its names."""
        return content_hash(("landscape", self.text, self.variables, self.parameter_names))

    @property
    def description(self) -> str:
        """The expression."""
        return repr(self.text if len(self.text) <= 200 else self.text[:200] + "…")

    def _call(self, name: str, points: Floats, p: Floats, components: tuple[int, ...]) -> Floats:
        function = getattr(self._array_module, name)
        values = [np.float64(parameter) for parameter in p]
        return evaluate_blocks(lambda x, out: function(x, values, None, out), points, components)

    def value(self, points: Floats, p: Floats) -> Floats:
        """Return values (...)."""
        return self._call("value", points, p, ())

    def gradient(self, points: Floats, p: Floats) -> Floats:
        """Return gradients (..., d)."""
        return self._call("gradient", points, p, (len(self.variables),))

    def hessian(self, points: Floats, p: Floats) -> Floats:
        """Return Hessians (..., d, d)."""
        d = len(self.variables)
        return self._call("hessian", points, p, (d, d))

    def derivatives(self, points: Floats, p: Floats) -> tuple[Floats, Floats, Floats]:
        """Return value, gradient and Hessian, computed from shared subexpressions."""
        d = len(self.variables)
        values = [np.float64(parameter) for parameter in p]
        function = self._array_module.derivatives
        # One array holds all three: component 0 is the value, 1 … d the gradient, the rest the Hessian.
        out = evaluate_blocks(lambda x, out: function(x, values, None, out), points, (1 + d + d * d,))
        hessian = out[..., 1 + d :]
        return out[..., 0], out[..., 1 : 1 + d], hessian.reshape((*hessian.shape[:-1], d, d))

    @cached_property
    def _array_module(self) -> ModuleType:
        return generated_module("landscape", self.fingerprint, lambda: self._source(scalar=False))

    @cached_property
    def _scalar_module(self) -> ModuleType:
        return generated_module("scalar", self.fingerprint, lambda: self._source(scalar=True))

    def compiled(self, p: Floats) -> CompiledLandscape:
        """Return Numba functions; their code is cached on disk."""
        module = self._scalar_module
        names = ("value", "gradient", "hessian")
        functions: Mapping[str, Callable[..., Any]] = {name: getattr(module, name) for name in names}
        python = {name: function.py_func for name, function in functions.items()}  # type: ignore[attr-defined]
        return CompiledLandscape(**functions, parameters=np.asarray(p, dtype=float), python=python)

    def blocks(self, p: Floats, precision: Precision) -> BlockFunctions:
        """Return functions of whole blocks; their code is cached on disk."""
        from fpsolver.landscapes.block_functions import BlockFunctions, expression_blocks
        from fpsolver.landscapes.block_source import number_type

        positions = {name: index for index, name in enumerate(self.parameter_names)}

        def compiled(jacobian: bool) -> Any:
            return expression_blocks((self.text,), self.variables, positions, precision=precision, jacobian=jacobian)

        parameters = np.array(p, dtype=number_type(precision))
        return BlockFunctions(lambda: compiled(False), lambda: compiled(True), parameters)

    @cached_property
    def _polynomial_module(self) -> ModuleType:
        def source() -> str:
            import sympy

            from fpsolver.landscapes.quadratic_forms import polynomial_source
            from fpsolver.landscapes.symbolic import to_sympy

            symbols = [[sympy.Symbol(name) for name in names] for names in (self.variables, self.parameter_names)]
            return polynomial_source(to_sympy(self._checked), *symbols)

        return generated_module("polynomial", self.fingerprint, source)

    def quadratic_form(self, p: Floats) -> QuadraticForm | None:
        """Return the coefficients where all others vanish at these parameter values."""
        from fpsolver.landscapes.quadratic_forms import assemble

        module = self._polynomial_module
        if module.MONOMIALS is None:
            return None
        coefficients = np.zeros(len(module.MONOMIALS))
        with np.errstate(all="ignore"):
            module.coefficients((), [np.float64(parameter) for parameter in p], None, coefficients)
        return assemble(module.MONOMIALS, coefficients, len(self.variables))

    def _source(self, *, scalar: bool) -> str:
        import sympy

        from fpsolver.landscapes.symbolic import derivative, hessian_entries, require_differentiable_size, to_sympy

        expression = to_sympy(self._checked)
        symbols = [[sympy.Symbol(name) for name in names] for names in (self.variables, self.parameter_names)]
        require_differentiable_size(expression, symbols[0], self.text)
        gradient = [derivative(expression, symbol) for symbol in symbols[0]]
        outputs: dict[str, dict[tuple[int, ...], sympy.Expr]] = {
            "value": {(): expression},
            "gradient": {(i,): slope for i, slope in enumerate(gradient)},
            "hessian": hessian_entries(gradient, symbols[0]),
        }
        return _scalar_source(outputs, symbols) if scalar else _array_source(outputs, symbols)


def _array_source(outputs: dict[str, dict], symbols: list[list]) -> str:
    from fpsolver.landscapes.printing import array_module_source, print_array_function

    d = len(symbols[0])
    together: dict[tuple[int, ...], Any] = {(0,): outputs["value"][()]}
    together |= {(1 + i,): slope for (i,), slope in outputs["gradient"].items()}
    for (i, j), curvature in outputs["hessian"].items():
        together |= {(1 + d + i * d + j,): curvature, (1 + d + j * d + i,): curvature}
    body = [
        print_array_function(name, outputs[name], symbols, mirror=name == "hessian")
        for name in ("value", "gradient", "hessian")
    ]
    body.append(print_array_function("derivatives", together, symbols))
    return array_module_source(body)


def _scalar_source(outputs: dict[str, dict], symbols: list[list]) -> str:
    from fpsolver.landscapes.printing import print_scalar_function

    d = len(symbols[0])
    shapes: dict[str, tuple[int, ...]] = {"value": (), "gradient": (d,), "hessian": (d, d)}
    decorator = '@njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)\n'
    parts = [decorator + print_scalar_function(name, outputs[name], symbols, shape=s) for name, s in shapes.items()]
    return "import math\n\nfrom numba import njit\n\n\n" + "\n\n".join(parts)
