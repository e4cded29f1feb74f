"""Print SymPy expressions as Numba functions of a block of 256 trajectories, in loops that compilers vectorise.

Elementary functions are those of `fpsolver.kernels.elementary`, since a call of the C library would stop vectorisation.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence

import sympy

from fpsolver.kernels.blocks import LANES
from fpsolver.landscapes import symbolic
from fpsolver.landscapes.block_source import Precision, head, plain_head
from fpsolver.landscapes.printing import Outputs, Printer, print_statements

_INLINED = {
    sympy.exp: "elementary.exp", sympy.log: "elementary.log", sympy.sin: "elementary.sin", sympy.cos: "elementary.cos",
    sympy.tan: "elementary.tan", sympy.sinh: "elementary.sinh", sympy.cosh: "elementary.cosh",
    sympy.tanh: "elementary.tanh", sympy.erf: "error_function.erf", symbolic.Maximum: "elementary.maximum",
    symbolic.Minimum: "elementary.minimum", symbolic.Sign: "elementary.sign", symbolic.Logistic: "elementary.logistic",
    symbolic.Softplus: "elementary.softplus",
}  # fmt: skip
_PERIODIC = {sympy.sin: "math.sin", sympy.cos: "math.cos", sympy.tan: "math.tan"}
_CONDITIONS = {
    symbolic.Less: "({} < {})", symbolic.LessEqual: "({} <= {})", symbolic.Both: "({} & {})",
    symbolic.Either: "({} | {})",
}  # fmt: skip


class BlockPrinter(Printer):
    """Print for one lane of a block.

    Parameters
    ----------
    names : mapping
        SymPy symbol → Python name.
    variables : collection of sympy.Symbol
        What differs from lane to lane.
    library : bool
        Take sine, cosine and tangent from the C library, for arguments beyond the reach of our own.

    Attributes
    ----------
    outside : list of str
        Statements to be put in front of the loop: what is the same for all lanes, divisions above all.
    angles : list of str
        Names of the arguments of sine, cosine and tangent.
    """

    def __init__(self, names: Mapping[sympy.Symbol, str], variables: Collection[sympy.Symbol], *, library: bool):
        super().__init__(names, scalar=True)
        self.library = library
        self.outside: list[str] = []
        self.angles: list[str] = []
        self._varying = set(variables)

    def assign(self, symbol: sympy.Symbol, expression: sympy.Expr) -> None:
        """Print ``symbol = expression``, outside the loop where it is the same for all lanes."""
        if self._varies(expression):
            self._varying.add(symbol)
            super().assign(symbol, expression)
            return
        inside, library = self.lines, self.library
        self.lines, self.library = self.outside, True
        super().assign(symbol, expression)
        self.lines, self.library = inside, library

    def _varies(self, e: sympy.Expr) -> bool:
        return not self._varying.isdisjoint(e.free_symbols)

    def text(self, e: sympy.Expr) -> str:
        """Return an expression as text that binds as tightly as a name."""
        if e.is_Symbol or e.is_number or self._varies(e):
            return super().text(e)
        inside, library = self.lines, self.library
        self.lines, self.library, self._varying = self.outside, True, {*self._varying, *e.free_symbols}
        name = self._temporary(super().text(e))
        self.lines, self.library, self._varying = inside, library, self._varying - e.free_symbols
        return name

    def _product(self, e: sympy.Expr) -> str:
        fixed = [factor for factor in e.args if not self._varies(factor)]
        if all(factor.is_number for factor in fixed) or len(fixed) == len(e.args):
            return super()._product(e)
        varying = sympy.Mul(*(factor for factor in e.args if self._varies(factor)))
        return f"({self.text(sympy.Mul(*fixed))}*{self.text(varying)})"

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> str:
        if exponent.is_Rational and exponent.q <= 2:
            return super()._power(base, exponent)
        return f"power.power({self.text(base)}, {self.text(exponent)})"

    def _function(self, e: sympy.Expr) -> str:
        kind = type(e)
        arguments = [self.text(argument) for argument in e.args]
        if kind in _CONDITIONS:
            return _CONDITIONS[kind].format(*arguments)
        if kind is symbolic.Negation:
            return f"(not {arguments[0]})"
        if kind is symbolic.Select:
            # Both branches are computed ahead of the choice, so that no jump is left in the loop.
            yes, no = (self._named(text) for text in arguments[1:])
            return f"({yes} if {arguments[0]} else {no})"
        if kind is symbolic.Absolute:
            return f"abs({arguments[0]})"
        if kind in _PERIODIC:
            angle = self._named(arguments[0])
            if self.library:
                return f"{_PERIODIC[kind]}({angle})"
            if angle not in self.angles:
                self.angles.append(angle)
            return f"{_INLINED[kind]}({angle})"
        return f"{_INLINED[kind]}({', '.join(arguments)})"

    def _named(self, text: str) -> str:
        return text if text.isidentifier() else self._temporary(text)


def print_block_function(
    outputs: Outputs,
    variables: Sequence[sympy.Symbol],
    positions: Mapping[sympy.Symbol, int],
    precision: Precision,
    lanes: int = LANES,
) -> str:
    """Return the module whose CFunc ``block(x, p, out)`` fills the rows of `outputs`.

    Parameters
    ----------
    outputs : mapping
        (row,) → expression.
    variables : sequence of sympy.Symbol
        Coordinates; number k is row k of x.
    positions : mapping
        Index in p of every other symbol.
    precision : {"double", "single"}
        Type of all numbers.
    lanes : int
        Trajectories in a block; a block of one lane is for a thread of a device, and its function is left in Python.
    """
    used = set().union(*(expression.free_symbols for expression in outputs.values()))
    names = {s: f"x{k}" for k, s in enumerate(variables)} | {s: f"p{i}" for s, i in positions.items()}
    body = [f"{names[s]} = p[{i}]" for s, i in positions.items() if s in used]
    printer, lines = _loop(outputs, names, variables, lanes, library=False)
    angles = printer.angles
    body += printer.outside
    if angles:
        body.append("far = 0")
        lines += [f"far += 1 if abs({angle}) > elementary.MAX_ANGLE else 0" for angle in angles]
    body += [f"for i in range({lanes}):", *(f"    {line}" for line in lines)]
    if angles:
        _, again = _loop(outputs, names, variables, lanes, library=True)
        body += ["if far > 0:", f"    for i in range({lanes}):", *(f"        {line}" for line in again)]
    text = "\n".join(f"    {line}" for line in body)
    top = head("block", precision) if lanes > 1 else plain_head("block")
    return top + (_single(text) if precision == "single" else text + "\n")


def _loop(
    outputs: Outputs, names: Mapping[sympy.Symbol, str], variables: Sequence[sympy.Symbol], lanes: int, *, library: bool
) -> tuple[BlockPrinter, list[str]]:
    """Return the statements for lane i, and the printer that made them."""
    printer = BlockPrinter(names, variables, library=library)
    statements, results = print_statements(outputs, names, scalar=True, printer=printer)
    used = set().union(*(expression.free_symbols for expression in outputs.values()))
    lines = [f"x{k} = x[{_entry(k, lanes)}]" for k, s in enumerate(variables) if s in used] + statements
    lines += [f"out[{_entry(k, lanes)}] = {results.get((k,), '0.0')}" for (k,) in outputs]
    return printer, lines


def _entry(row: int, lanes: int) -> str:
    return f"{lanes * row} + i" if row else "i"


class _SingleConstants(ast.NodeTransformer):
    """Round constants, and what elementary functions return, to single precision."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return _rounded(node) if isinstance(node.value, float) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        return node if isinstance(node.func, ast.Name) and node.func.id in ("abs", "range") else _rounded(node)


def _rounded(node: ast.expr) -> ast.expr:
    function = ast.Attribute(ast.Name("np", ast.Load()), "float32", ast.Load())
    return ast.Call(function, [node], [])


def _single(body: str) -> str:
    tree = _SingleConstants().visit(ast.parse("def block(x, p, out):\n" + body))
    text = ast.unparse(ast.fix_missing_locations(tree))
    return text.partition("\n")[2] + "\n"
