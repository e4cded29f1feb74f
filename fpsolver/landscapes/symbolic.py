"""SymPy expressions that stay inside real, classical calculus.

SymPy's own ``Abs``, ``sign``, ``Min``, ``Max`` and ``Piecewise`` give derivatives with Dirac deltas or unevaluated
``Derivative`` objects and solve inequalities on construction. The classes below are opaque to SymPy except for
their derivative, which is the classical one away from the kink and one of its one-sided limits on it. Importing
this module imports SymPy, so it is imported only when an expression has to be differentiated.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

import sympy

from fpsolver.errors import ExpressionError
from fpsolver.landscapes.expression import MAX_EXPONENT, SyntaxChecked, shorten

_EXACT = 2**53
_MAX_DERIVATIVE = 60_000


class _Opaque(sympy.Function):
    """A function that SymPy neither evaluates nor rewrites, not even of numbers."""

    is_number = False

    @classmethod
    def eval(cls, *args):
        return None

    def _eval_derivative(self, s):
        return sympy.S.Zero


class Less(_Opaque):
    """The condition a < b."""


class LessEqual(_Opaque):
    """The condition a <= b."""


class Both(_Opaque):
    """The conjunction of two conditions."""


class Either(_Opaque):
    """The disjunction of two conditions."""


class Negation(_Opaque):
    """The negation of a condition."""


class Sign(_Opaque):
    """The sign of a number, with derivative zero."""


class Select(_Opaque):
    """The second argument where the condition (first) holds, the third elsewhere."""

    def _eval_derivative(self, s):
        condition, yes, no = self.args
        return select(condition, yes.diff(s), no.diff(s))


class Absolute(_Opaque):
    """The absolute value; its derivative is `Sign`."""

    def _eval_derivative(self, s):
        return Sign(self.args[0]) * self.args[0].diff(s)


class Maximum(_Opaque):
    """The larger of two numbers; the derivative is that of the larger one."""

    def _eval_derivative(self, s):
        a, b = self.args
        return select(LessEqual(b, a), a.diff(s), b.diff(s))


class Minimum(_Opaque):
    """The smaller of two numbers; the derivative is that of the smaller one."""

    def _eval_derivative(self, s):
        a, b = self.args
        return select(LessEqual(a, b), a.diff(s), b.diff(s))


class Softplus(_Opaque):
    """log(1 + exp(u)), evaluated without overflow."""

    def _eval_derivative(self, s):
        return Logistic(self.args[0]) * self.args[0].diff(s)


class Logistic(_Opaque):
    """1/(1 + exp(−u)), with derivative σ(u)σ(−u), which keeps its digits in both tails."""

    def _eval_derivative(self, s):
        u = self.args[0]
        return Logistic(u) * Logistic(-u) * u.diff(s)


def select(condition, yes, no):
    """Return ``Select``, or the common value where both branches are the same."""
    return yes if yes == no else Select(condition, yes, no)


def to_sympy(checked: SyntaxChecked) -> sympy.Expr:
    """Build the SymPy expression of a checked syntax tree.

    Raises
    ------
    ExpressionError
        If a piece of it is not finite and real.
    """
    try:
        result = _Builder(checked.text).build(checked.tree)
    except RecursionError:
        raise ExpressionError(f"{shorten(checked.text)} is nested too deeply") from None
    _require_real(result, checked.text)
    return result


def derivative(expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Expr:
    """Return the classical partial derivative, checked to be real and finite in form."""
    # In a long sum most terms do not depend on one symbol, and SymPy would dispatch on each.
    terms = (term for term in sympy.Add.make_args(expression) if symbol in term.free_symbols)
    result = sympy.Add(*(term.diff(symbol) for term in terms))
    _require_real(result, expression)
    if result.has(sympy.Derivative, sympy.DiracDelta, sympy.Subs):
        raise ExpressionError(f"{shorten(str(expression))} has no classical derivative with respect to {symbol}")
    return result


def hessian_entries(
    gradient: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol]
) -> dict[tuple[int, ...], sympy.Expr]:
    """Return the upper triangle {(i, j): ∂g_i/∂θ_j} of a Hessian."""
    return {(i, j): derivative(gradient[i], symbols[j]) for i in range(len(symbols)) for j in range(i, len(symbols))}


def require_differentiable_size(expression: sympy.Expr, symbols: Sequence[sympy.Symbol], text: str) -> None:
    """Raise `ExpressionError` where the derivatives would be so large that writing them down would not end.

    The product rule makes m² pieces of a product of m factors, and m³ of its second derivatives; nested products
    multiply these. The number of pieces of all second derivatives is estimated before any is taken.
    """
    size = _second_derivative_size(expression, frozenset(symbols), {})[2]
    if size > _MAX_DERIVATIVE:
        raise ExpressionError(
            f"the second derivatives of {shorten(text)} would have about {size} pieces; at most {_MAX_DERIVATIVE} are "
            "accepted: write it with fewer factors in products, or use Landscape.from_functions"
        )


def _second_derivative_size(
    e: sympy.Basic, symbols: frozenset[sympy.Symbol], known: dict[sympy.Basic, tuple[int, int, int]]
) -> tuple[int, int, int]:
    """Return the number of variables in `e`, and the number of pieces of all first and all second derivatives."""
    if e not in known:
        parts = [_second_derivative_size(argument, symbols, known) for argument in e.args]
        variables = len(symbols & e.free_symbols)
        first, second = sum(part[1] for part in parts), sum(part[2] for part in parts)
        if e.is_Symbol:
            first = variables
        elif getattr(e, "is_Mul", False):
            counts = [part[0] for part in parts]
            pairs = sum(counts) ** 2 - sum(n * n for n in counts)
            second += len(parts) * (sum(n * n for n in counts) + pairs) + 2 * sum(counts) * first
            first += len(parts) * sum(counts)
        elif not getattr(e, "is_Add", False):
            second += 3 * variables**2 + 2 * first
            first += variables
        known[e] = variables, first, second
    return known[e]


def _require_real(expression: sympy.Expr, source: str | sympy.Expr) -> None:
    if expression.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        # SymPy prints sums of hundreds of terms slowly: only where it has to.
        raise ExpressionError(f"{shorten(str(source))} is not a finite real number for real arguments")


class _Builder:
    """Recursive conversion of a checked tree; numbers stay exact while they are small."""

    def __init__(self, text: str):
        self.text = text

    def build(self, node: ast.expr) -> sympy.Expr:
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.UnaryOp):
            operand = self.build(node.operand)
            return -operand if isinstance(node.op, ast.USub) else operand
        if isinstance(node, ast.Constant):
            return _number(node.value)  # type: ignore[arg-type]
        if isinstance(node, ast.Name):
            return sympy.pi if node.id == "pi" else sympy.Symbol(node.id)
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id == "Piecewise":
            return self._piecewise(node)
        return self._bounded(_apply(node.func.id, [self.build(argument) for argument in node.args]), node)

    def _binary(self, node: ast.BinOp) -> sympy.Expr:
        spine = []
        chain: ast.expr = node
        while isinstance(chain, ast.BinOp):
            spine.append(chain)
            chain = chain.left
        result = self.build(chain)
        terms: list[sympy.Expr] = [result]
        # Terms of one sum are gathered and added at once: adding them one by one costs quadratic time.
        for step in reversed(spine):
            right = self.build(step.right)
            if isinstance(step.op, (ast.Add, ast.Sub)):
                terms.append(right if isinstance(step.op, ast.Add) else -right)
                continue
            left = self._bounded(sympy.Add(*terms), step.left)
            terms = [self._bounded(self._combine(step, left, right), step)]
        return self._bounded(sympy.Add(*terms), node)

    def _combine(self, node: ast.BinOp, left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            return left / right
        if right.is_number and abs(right) > MAX_EXPONENT:
            self._refuse(node, f"the exponent is too large; numeric exponents go up to {MAX_EXPONENT}")
        if left.is_number and left < 0 and not right.is_integer:
            self._refuse(node, "a power of a negative number is real only for integer exponents")
        power = left**right
        if power.is_Pow and power.exp.is_number and abs(power.exp) > MAX_EXPONENT:
            self._refuse(node, f"the exponent is too large; numeric exponents go up to {MAX_EXPONENT}")
        return power

    def _piecewise(self, node: ast.Call) -> sympy.Expr:
        branches = [branch.elts for branch in node.args if isinstance(branch, ast.Tuple)]
        result = self.build(branches[-1][0])
        for expression, condition in reversed(branches[:-1]):
            result = select(self._condition(condition), self.build(expression), result)
        return result

    def _condition(self, node: ast.expr) -> sympy.Expr:
        if isinstance(node, ast.Compare):
            operands = [self.build(operand) for operand in (node.left, *node.comparators)]
            parts = [_compare(op, a, b) for op, a, b in zip(node.ops, operands[:-1], operands[1:], strict=True)]
            return _join(Both, parts)
        if isinstance(node, ast.BoolOp):
            return _join(Both if isinstance(node.op, ast.And) else Either, [self._condition(v) for v in node.values])
        if isinstance(node, ast.UnaryOp):
            return Negation(self._condition(node.operand))
        assert isinstance(node, ast.BinOp)
        return _join(
            Both if isinstance(node.op, ast.BitAnd) else Either,
            [self._condition(node.left), self._condition(node.right)],
        )

    def _bounded(self, value: sympy.Expr, node: ast.expr) -> sympy.Expr:
        """Round a number that has grown beyond double precision, and refuse what has no finite real value."""
        if not value.is_number:
            if value.has(sympy.zoo, sympy.nan):
                self._refuse(node, "this is not a finite real number")
            return value
        if value.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo) or value.is_extended_real is False:
            self._refuse(node, "this is not a finite real number")
        if value.is_Rational and abs(value.p) <= _EXACT and value.q <= _EXACT:
            return value
        size = abs(value.evalf(17))
        if size > sympy.Float("1e300"):
            self._refuse(node, "the number is too large for double precision")
        return sympy.Float(value, 17) if value.is_Rational else value

    def _refuse(self, node: ast.expr, reason: str) -> None:
        piece = ast.get_source_segment(self.text, node) or self.text
        raise ExpressionError(f"{shorten(piece)} in {shorten(self.text)}: {reason}")


def _number(value: float) -> sympy.Expr:
    """Return an exact number where it is short (0.5 becomes 1/2, so that x**0.5 is a square root), else a Float."""
    if isinstance(value, int):
        return sympy.Integer(value) if abs(value) <= _EXACT else sympy.Float(value, 17)
    numerator, denominator = value.as_integer_ratio()
    if denominator <= 1024 and abs(numerator) <= _EXACT:
        return sympy.Rational(numerator, denominator)
    return sympy.Float(value, 17)


def _apply(name: str, arguments: list[sympy.Expr]) -> sympy.Expr:
    if name == "Max" or name == "Min":
        return _join(Maximum if name == "Max" else Minimum, arguments)
    (u,) = arguments
    if name == "abs":
        return abs(u) if u.is_number else Absolute(u)
    if name == "sign":
        return sympy.sign(u) if u.is_number else Sign(u)
    if name == "log" and u.is_Add and len(u.args) == 2 and u.args[0] == 1 and isinstance(u.args[1], sympy.exp):
        return Softplus(u.args[1].args[0])
    return getattr(sympy, name)(u)


def _compare(operator: ast.cmpop, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    if isinstance(operator, ast.Lt):
        return Less(a, b)
    if isinstance(operator, ast.LtE):
        return LessEqual(a, b)
    return Less(b, a) if isinstance(operator, ast.Gt) else LessEqual(b, a)


def _join(kind, parts: list[sympy.Expr]) -> sympy.Expr:
    result = parts[0]
    for part in parts[1:]:
        result = kind(result, part)
    return result
