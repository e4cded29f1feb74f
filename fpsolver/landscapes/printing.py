"""Print SymPy expressions as Python statements, for NumPy arrays or for scalars that Numba compiles.

Integer powers become products (NumPy and libm take 20 to 50 ns for x**3, a product takes one), numbers become
double literals, and what occurs twice is computed once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from fpsolver.errors import ExpressionError
from fpsolver.landscapes import symbolic

_ELEMENTARY = {
    sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan",
    sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh", sympy.erf: "erf",
}  # fmt: skip
_BINARY_NUMPY = {
    symbolic.Less: "({} < {})", symbolic.LessEqual: "({} <= {})", symbolic.Both: "({} & {})",
    symbolic.Either: "({} | {})", symbolic.Maximum: "maximum({}, {})", symbolic.Minimum: "minimum({}, {})",
}  # fmt: skip
_BINARY_SCALAR = _BINARY_NUMPY | {
    symbolic.Both: "({} and {})", symbolic.Either: "({} or {})",
    symbolic.Maximum: "max({}, {})", symbolic.Minimum: "min({}, {})",
}  # fmt: skip

Outputs = Mapping[tuple[int, ...], sympy.Expr]


class Printer:
    """Turn expressions into statements of one function body.

    Parameters
    ----------
    names : mapping
        SymPy symbol → Python name.
    scalar : bool
        Print for scalars (``math`` functions, conditional expressions) instead of arrays.
    """

    def __init__(self, names: Mapping[sympy.Symbol, str], *, scalar: bool):
        self.names = dict(names)
        self.scalar = scalar
        self.lines: list[str] = []
        self._powers: dict[tuple[str, int], str] = {}
        self._count = 0

    def assign(self, symbol: sympy.Symbol, expression: sympy.Expr) -> None:
        """Print ``symbol = expression`` and remember the name."""
        text = self.text(expression)
        self.names[symbol] = text if text.isidentifier() else self._temporary(text)

    def _temporary(self, text: str) -> str:
        name = f"s{self._count}"
        self._count += 1
        self.lines.append(f"{name} = {text}")
        return name

    def text(self, e: sympy.Expr) -> str:
        """Return an expression as text that binds as tightly as a name."""
        if e.is_Symbol:
            return self.names[e]
        if e.is_number:
            return _literal(e)
        if e.is_Add:
            return self._sum(e)
        if e.is_Mul:
            return self._product(e)
        if e.is_Pow:
            return self._power(e.base, e.exp)
        return self._function(e)

    def _sum(self, e: sympy.Expr) -> str:
        parts = []
        for argument in e.args:
            coefficient, _ = argument.as_coeff_Mul()
            negative = bool(coefficient.is_negative)
            text = self.text(-argument if negative else argument)
            parts.append((" - " if negative else " + ") + text)
        first = parts[0]
        head = first[3:] if first.startswith(" + ") else "-" + first[3:]
        return f"({head}{''.join(parts[1:])})"

    def _product(self, e: sympy.Expr) -> str:
        above: list[str] = []
        below: list[str] = []
        sign = "-" if e.args[0] == -1 else ""
        for factor in e.args[1:] if sign else e.args:
            base, exponent = factor.as_base_exp()
            if factor.is_Pow and exponent.is_number and exponent.is_negative:
                below.append(self._power(base, -exponent))
            else:
                above.append(self.text(factor))
        text = "*".join(above) if above else "1.0"
        return f"({sign}{text}/({'*'.join(below)}))" if below else f"({sign}{text})"

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> str:
        if exponent.is_Rational and exponent.q <= 2:
            if exponent < 0:
                return f"(1.0/{self._power(base, -exponent)})"
            whole, half = divmod(int(2 * exponent), 2)
            name = self.text(base)
            if not name.isidentifier():
                name = self._temporary(name)
            root = f"{self._call('sqrt')}({name})" if half else ""
            if whole == 0:
                return root
            return f"({self._integer_power(name, whole)}*{root})" if half else self._integer_power(name, whole)
        return f"({self.text(base)}**{self.text(exponent)})"

    def _integer_power(self, name: str, n: int) -> str:
        if n == 1:
            return name
        if (name, n) not in self._powers:
            if n % 2:
                product = f"{self._integer_power(name, n - 1)}*{name}"
            else:
                half = self._integer_power(name, n // 2)
                product = f"{half}*{half}"
            self._powers[name, n] = self._temporary(product)
        return self._powers[name, n]

    def _call(self, name: str) -> str:
        if name == "erf" and not self.scalar:
            return "erf"
        return ("math." if self.scalar else "np.") + name

    def _function(self, e: sympy.Expr) -> str:
        kind = type(e)
        if kind in _ELEMENTARY:
            return f"{self._call(_ELEMENTARY[kind])}({self.text(e.args[0])})"
        arguments = [self.text(argument) for argument in e.args]
        table = _BINARY_SCALAR if self.scalar else _BINARY_NUMPY
        if kind in table:
            prefix = "np." if kind in (symbolic.Maximum, symbolic.Minimum) and not self.scalar else ""
            return prefix + table[kind].format(*arguments)
        if kind is symbolic.Select:
            condition, yes, no = arguments
            return f"({yes} if {condition} else {no})" if self.scalar else f"np.where({condition}, {yes}, {no})"
        if kind is symbolic.Negation:
            return f"(not {arguments[0]})" if self.scalar else f"np.logical_not({arguments[0]})"
        if kind is symbolic.Absolute:
            return f"abs({arguments[0]})"
        if kind is symbolic.Logistic:
            return f"(1.0/(1.0 + {self._call('exp')}(-{arguments[0]})))"
        u = self._temporary(arguments[0])
        if kind is symbolic.Sign:
            return f"(1.0 if {u} > 0.0 else (-1.0 if {u} < 0.0 else 0.0))" if self.scalar else f"np.sign({u})"
        if kind is symbolic.Softplus:
            if not self.scalar:
                return f"np.logaddexp(0.0, {u})"
            return f"(max({u}, 0.0) + math.log1p(math.exp(-abs({u}))))"
        # What SymPy makes of the accepted functions is closed under differentiation; anything else is refused.
        raise ExpressionError(f"the function {kind.__name__} arose in a derivative and cannot be evaluated")


def _literal(number: sympy.Expr) -> str:
    value = int(number.p) / int(number.q) if number.is_Rational else float(number.evalf(20))
    return repr(value) if value >= 0.0 else f"({value!r})"


def print_statements(
    outputs: Outputs,
    names: Mapping[sympy.Symbol, str],
    *,
    scalar: bool,
    mirror: bool = False,
    printer: Printer | None = None,
) -> tuple[list[str], dict[tuple[int, ...], str]]:
    """Print the statements that compute `outputs`, sharing their common subexpressions.

    Parameters
    ----------
    outputs : mapping
        Index → expression; zero expressions are left out of the result.
    names : mapping
        Symbol → Python name.
    scalar : bool
        For scalars instead of arrays.
    mirror : bool
        Also give every off-diagonal entry (…, i, j) as (…, j, i).
    printer : Printer, optional
        What prints single expressions; by default that of `scalar`.

    Returns
    -------
    statements : list of str
    results : dict
        Index → text of the result.
    """
    entries = {index: expression for index, expression in outputs.items() if expression != 0}
    taken = sympy.numbered_symbols("cse", cls=sympy.Dummy)
    shared, reduced = sympy.cse(list(entries.values()), symbols=taken, order="none")
    printer = printer or Printer(names, scalar=scalar)
    for symbol, expression in shared:
        printer.assign(symbol, expression)
    results = {}
    for index, expression in zip(entries, reduced, strict=True):
        text = printer.text(expression)
        if mirror and index[-2] != index[-1]:
            if not text.isidentifier():
                text = printer._temporary(text)
            results[(*index[:-2], index[-1], index[-2])] = text
        results[index] = text
    return printer.lines, results


def print_array_function(
    name: str, outputs: Outputs, symbols: Sequence[Sequence[sympy.Symbol]], *, mirror: bool = False
) -> str:
    """Print ``name(x, p, t, out)``, which fills the non-zero components of `out`; x, p and out are component-first.

    Parameters
    ----------
    name : str
        Name of the function.
    outputs : mapping
        Index of a component → expression.
    symbols : two sequences of sympy.Symbol
        Variables and parameters; the symbol ``t`` is time.
    mirror : bool
        The outputs are the upper triangle of a symmetric matrix.
    """
    names = {symbol: f"x{i}" for i, symbol in enumerate(symbols[0])}
    names |= {symbol: f"p{i}" for i, symbol in enumerate(symbols[1])} | {sympy.Symbol("t"): "t"}
    lines, results = print_statements(outputs, names, scalar=False, mirror=mirror)
    used = set().union(*(expression.free_symbols for expression in outputs.values()))
    body = [f"{names[s]} = x[{i}]" for i, s in enumerate(symbols[0]) if s in used]
    body += [f"{names[s]} = p[{i}]" for i, s in enumerate(symbols[1]) if s in used]
    body += lines + [f"out[{', '.join(map(str, index))}] = {text}" if index else f"out[...] = {text}"
                     for index, text in results.items()]  # fmt: skip
    return _function_text(name, "x, p, t, out", body)


def print_scalar_function(
    name: str, outputs: Outputs, symbols: Sequence[Sequence[sympy.Symbol]], *, shape: tuple[int, ...]
) -> str:
    """Print ``value(theta, p)`` (empty shape), or a function ``(theta, p, out)`` that fills an array of that shape."""
    names = {symbol: f"x{i}" for i, symbol in enumerate(symbols[0])}
    names |= {symbol: f"p{i}" for i, symbol in enumerate(symbols[1])}
    lines, results = print_statements(outputs, names, scalar=True, mirror=len(shape) == 2)
    used = set().union(*(expression.free_symbols for expression in outputs.values()))
    body = [f"{names[s]} = theta[{i}]" for i, s in enumerate(symbols[0]) if s in used]
    body += [f"{names[s]} = p[{i}]" for i, s in enumerate(symbols[1]) if s in used]
    body += lines
    if not shape:
        body.append(f"return float({results.get((), '0.0')})")
        return _function_text(name, "theta, p", body)
    indices = [(i,) for i in range(shape[0])] if len(shape) == 1 else [
        (i, j) for i in range(shape[0]) for j in range(shape[1])
    ]  # fmt: skip
    body += [f"out[{', '.join(map(str, index))}] = {results.get(index, '0.0')}" for index in indices]
    return _function_text(name, "theta, p, out", body)


def array_module_source(functions: Sequence[str]) -> str:
    """Return the text of a module of array functions, with the imports that they need."""
    text = "\n\n".join(functions)
    return ("from scipy.special import erf\n" if "erf(" in text else "") + "import numpy as np\n\n\n" + text


def _function_text(name: str, arguments: str, body: list[str]) -> str:
    lines = "\n".join(f"    {line}" for line in (body or ["pass"]))
    return f"def {name}({arguments}):\n{lines}\n"
