"""The expression language of the package: a whitelist over Python's syntax tree.

Text from users never reaches ``eval`` nor SymPy's own parser. It is parsed by `ast`, every node is held against
a short list, sizes are bounded, and only then is a SymPy expression built, node by node. Reading and checking an
expression needs no SymPy, so that a process that finds its generated code on disk never imports it.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from fpsolver.errors import ExpressionError, suggest

if TYPE_CHECKING:
    import sympy

FUNCTIONS: dict[str, int | None] = {
    "exp": 1, "log": 1, "sqrt": 1, "sin": 1, "cos": 1, "tan": 1, "sinh": 1, "cosh": 1, "tanh": 1, "abs": 1,
    "sign": 1, "erf": 1, "Min": None, "Max": None, "Piecewise": None,
}  # fmt: skip
"""Functions of the language and their number of arguments (None: any number from one)."""

CONSTANTS = ("pi",)
TIME = "t"

MAX_CHARACTERS = 100_000
MAX_NODES = 20_000
MAX_DEPTH = 100
MAX_EXPONENT = 100

_SHOWN = 60
_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@dataclass(frozen=True)
class SyntaxChecked:
    """An expression that is inside the language: its text, its tree and the names in it."""

    text: str
    tree: ast.expr
    names: frozenset[str]


def natural_order(names: Collection[str]) -> tuple[str, ...]:
    """Sort names with the numbers in them compared as numbers.

    Examples
    --------
    >>> natural_order(["w10", "w2", "b"])
    ('b', 'w2', 'w10')
    """

    def key(name: str) -> list[tuple[int, int, str]]:
        parts = re.split(r"(\d+)", name)
        return [(0, int(part), part) if part.isdigit() else (1, 0, part) for part in parts if part]

    return tuple(sorted(names, key=key))


def check_name(name: object, role: str) -> str:
    """Return `name` if it can name a variable or parameter, and raise `ExpressionError` otherwise."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise ExpressionError(f"{name!r} cannot name a {role}: use letters, digits and underscores, letter first")
    if name in FUNCTIONS or name in CONSTANTS:
        raise ExpressionError(f'"{name}" cannot name a {role}: it is a function or constant of expressions')
    if name == TIME:
        raise ExpressionError(
            f'"{TIME}" cannot name a {role}: it is reserved for time, on which protocols depend; choose another name'
        )
    return name


@lru_cache(maxsize=1024)
def check_syntax(text: str) -> SyntaxChecked:
    """Check that `text` is an expression of the language, without SymPy.

    Parameters
    ----------
    text : str
        For example ``"a*x**2/2 + Max(0, y)"``.

    Returns
    -------
    SyntaxChecked
        The tree and the names that are neither functions nor constants.

    Raises
    ------
    ExpressionError
        If anything in it is outside the language; the message shows the offending piece.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an expression must be a string, not {text!r}")
    normalised = " ".join(text.split())
    if not normalised:
        raise ExpressionError("the expression is empty")
    if len(normalised) > MAX_CHARACTERS:
        raise ExpressionError(
            f"the expression {shorten(normalised)} has {len(normalised)} characters; at most {MAX_CHARACTERS} are read"
        )
    tree = _syntax_tree(normalised)
    names = _Checker(normalised).check(tree)
    return SyntaxChecked(normalised, tree, frozenset(names))


def shorten(text: str) -> str:
    """Return `text` in quotes, with its middle left out where it is long."""
    if len(text) > _SHOWN:
        text = f"{text[: _SHOWN // 2]} … {text[-_SHOWN // 3 :]}"
    return f"`{text}`"


def _syntax_tree(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        at = max((error.offset or 1) - 1, 0)
        piece = shorten(text[max(at - 5, 0) : at + 15])
        raise ExpressionError(f"{shorten(text)} is not an expression: {error.msg} near {piece}") from None
    except (RecursionError, MemoryError):
        raise ExpressionError(f"{shorten(text)} cannot be read: it is too long or too deeply nested") from None
    except ValueError as error:
        raise ExpressionError(f"{shorten(text)} cannot be read as an expression: {error}") from None


class _Checker:
    """One walk over a syntax tree that counts, bounds and refuses."""

    def __init__(self, text: str):
        self.text = text
        self.names: set[str] = set()
        self.nodes = 0

    def check(self, tree: ast.expr) -> set[str]:
        self._numeric(tree, 0)
        return self.names

    def refuse(self, node: ast.AST, reason: str) -> ExpressionError:
        piece = ast.get_source_segment(self.text, node) or type(node).__name__
        where = "" if piece == self.text else f" in {shorten(self.text)}"
        return ExpressionError(f"{shorten(piece)}{where}: {reason}")

    def _count(self, node: ast.AST, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.refuse(node, f"the expression is too large; at most {MAX_NODES} operations are accepted")
        if depth > MAX_DEPTH:
            raise self.refuse(node, f"the expression is nested too deeply; at most {MAX_DEPTH} levels are accepted")

    def _numeric(self, node: ast.expr, depth: int) -> None:
        self._count(node, depth)
        if isinstance(node, ast.BinOp):
            self._binary(node, depth)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
            self._numeric(node.operand, depth + 1)
        elif isinstance(node, ast.Constant):
            self._constant(node)
        elif isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.Call):
            self._call(node, depth)
        elif isinstance(node, (ast.Compare, ast.BoolOp)):
            raise self.refuse(node, "comparisons are accepted only as conditions of Piecewise")
        elif isinstance(node, ast.Attribute):
            raise self.refuse(node, "attribute access is not part of expressions")
        else:
            raise self.refuse(node, f"{_describe(node)} is not part of expressions")

    def _binary(self, node: ast.BinOp, depth: int) -> None:
        # A long sum leans to the left: walk down its spine in a loop, so that depth counts nesting, not length.
        chain: ast.expr = node
        while isinstance(chain, ast.BinOp):
            if isinstance(chain.op, ast.BitXor):
                raise self.refuse(chain, "write powers as **, not ^")
            if not isinstance(chain.op, _BINARY):
                raise self.refuse(chain, "the operators are + - * / and **")
            if isinstance(chain.op, ast.Pow):
                self._exponent(chain)
            self._count(chain, depth)
            self._numeric(chain.right, depth + 1)
            chain = chain.left
        self._numeric(chain, depth + 1)

    def _exponent(self, node: ast.BinOp) -> None:
        value = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
        if isinstance(value, ast.Constant) and isinstance(value.value, (int, float)) and value.value > MAX_EXPONENT:
            raise self.refuse(node, f"the exponent is too large; numeric exponents go up to {MAX_EXPONENT}")

    def _constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            raise self.refuse(node, "only real numbers are accepted as constants")
        if not abs(node.value) < 1e300:
            raise self.refuse(node, "the number is too large for double precision")

    def _name(self, node: ast.Name) -> None:
        if node.id in FUNCTIONS:
            raise self.refuse(node, f"{node.id} is a function; give its arguments in parentheses")
        if node.id.startswith("_"):
            raise self.refuse(node, "names begin with a letter")
        if node.id not in CONSTANTS:
            self.names.add(node.id)

    def _call(self, node: ast.Call, depth: int) -> None:
        if not isinstance(node.func, ast.Name):
            reason = "attribute access" if isinstance(node.func, ast.Attribute) else "calling this"
            raise self.refuse(node, f"{reason} is not part of expressions")
        name = node.func.id
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise self.refuse(
                node, f'"{name}" is not a function of expressions{suggest(name, FUNCTIONS)} (there are: {known})'
            )
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self.refuse(node, "functions take plain positional arguments")
        if name == "Piecewise":
            self._piecewise(node, depth)
            return
        wanted = FUNCTIONS[name]
        if wanted is not None and len(node.args) != wanted:
            raise self.refuse(node, f"{name} takes one argument, not {len(node.args)}")
        if not node.args:
            raise self.refuse(node, f"{name} needs arguments")
        for argument in node.args:
            self._numeric(argument, depth + 1)

    def _piecewise(self, node: ast.Call, depth: int) -> None:
        form = "write Piecewise((expression, condition), …, (expression, True))"
        for branch in node.args:
            if not isinstance(branch, ast.Tuple) or len(branch.elts) != 2:
                raise self.refuse(node, form)
            self._numeric(branch.elts[0], depth + 1)
        conditions = [branch.elts[1] for branch in node.args if isinstance(branch, ast.Tuple)]
        if not conditions or not _is_true(conditions[-1]):
            raise self.refuse(node, f"the last condition must be True, or points may have no value; {form}")
        for condition in conditions[:-1]:
            self._condition(condition, depth + 1)

    def _condition(self, node: ast.expr, depth: int) -> None:
        self._count(node, depth)
        if isinstance(node, ast.Compare):
            if not all(isinstance(operator, _COMPARISONS) for operator in node.ops):
                raise self.refuse(node, "conditions compare with < <= > >=")
            for operand in (node.left, *node.comparators):
                self._numeric(operand, depth + 1)
        elif isinstance(node, ast.BoolOp):
            for operand in node.values:
                self._condition(operand, depth + 1)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self._condition(node.operand, depth + 1)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            self._condition(node.left, depth + 1)
            self._condition(node.right, depth + 1)
        else:
            raise self.refuse(node, "a condition compares with < <= > >=, joined by and, or, not")


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _describe(node: ast.AST) -> str:
    names = {"Subscript": "indexing", "Lambda": "lambda", "Tuple": "a tuple", "List": "a list", "Dict": "a dictionary",
             "IfExp": "if … else (use Piecewise)", "JoinedStr": "a string"}  # fmt: skip
    return names.get(type(node).__name__, f"this ({type(node).__name__})")


def unknown_names(checked: SyntaxChecked, allowed: Collection[str]) -> Iterator[str]:
    """Yield, in natural order, the names in an expression that are not in `allowed`."""
    return (name for name in natural_order(checked.names) if name not in allowed)


def require_known(checked: SyntaxChecked, allowed: Collection[str]) -> None:
    """Raise `ExpressionError` if an expression holds a name that is not in `allowed`."""
    for name in unknown_names(checked, allowed):
        known = ", ".join(natural_order(allowed)) or "none"
        hint = " (time enters through a Protocol)" if name == TIME else suggest(name, allowed)
        raise ExpressionError(f'unknown name "{name}" in {shorten(checked.text)}{hint}; the names known here: {known}')


def parse(text: str, *, allowed: Collection[str] | None = None) -> sympy.Expr:
    """Return the SymPy expression of `text`, read through the whitelist.

    Parameters
    ----------
    text : str
        Arithmetic, powers, ``exp log sqrt sin cos tan sinh cosh tanh abs sign erf Min Max Piecewise``, ``pi``.
    allowed : collection of str, optional
        The names that may appear; any name where omitted.

    Raises
    ------
    ExpressionError
        If the text is outside the language, holds an unknown name, or is not real and finite.

    Examples
    --------
    >>> parse("x**2/2 + a*x", allowed={"a", "x"})
    a*x + x**2/2
    """
    checked = check_syntax(text)
    if allowed is not None:
        require_known(checked, allowed)
    from fpsolver.landscapes.symbolic import to_sympy

    return to_sympy(checked)
