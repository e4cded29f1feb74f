"""Landscapes and expressions as compiled functions of whole blocks of 256 trajectories.

A block function is a Numba CFunc ``void(x, p, out)`` over flat arrays of one type: row k of the coordinates ``x`` is
``x[256 k : 256 (k + 1)]``, ``p`` holds parameters (and time), ``out`` takes the rows of the result. All of them are of
the same type, so that loops over trajectories that call them are compiled once for all landscapes. They live in
generated files: a second process compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.kernels.blocks import LANES
from fpsolver.landscapes.block_source import FORMULAS, Precision, formulas_hash, head, number_type, places_of
from fpsolver.landscapes.divergence_blocks import divergence_blocks
from fpsolver.landscapes.expression import check_name, check_syntax, require_known
from fpsolver.landscapes.source_cache import content_hash, generated_module

if TYPE_CHECKING:
    from fpsolver.landscapes.landscape import Landscape

__all__ = [
    "BlockFunctions", "divergence_blocks", "expression_blocks", "expression_module", "landscape_blocks", "nothing",
]  # fmt: skip


class BlockFunctions:
    """Value and gradient of a landscape, for blocks of 256 trajectories.

    Parameters
    ----------
    value, gradient : callable
        Return the CFuncs; called at the first use of the attribute.
    parameters : ndarray
        See below.

    Attributes
    ----------
    value, gradient : CFunc
        ``value(x, p, out)`` fills one row, ``gradient(x, p, out)`` one row per coordinate.
    parameters : ndarray
        The array to pass as ``p``. Its first entries are the landscape's parameters, in their order; what follows is
        data that the landscape needs. More may be appended behind.
    """

    def __init__(self, value: Callable[[], Any], gradient: Callable[[], Any], parameters: np.ndarray):
        self._make_value, self._make_gradient, self.parameters = value, gradient, parameters

    @cached_property
    def value(self) -> Any:
        """CFunc that fills one row with L."""
        return self._make_value()

    @cached_property
    def gradient(self) -> Any:
        """CFunc that fills d rows with ∇L."""
        return self._make_gradient()


def expression_blocks(
    texts: Sequence[str],
    variables: Sequence[str],
    positions: Mapping[str, int],
    *,
    precision: Precision = "double",
    jacobian: bool = False,
) -> Any:
    """Compile expressions to one block function.

    Parameters
    ----------
    texts : sequence of str
        The expressions; number n fills row n.
    variables : sequence of str
        Names of the coordinates: row k of x is variable k.
    positions : mapping of str to int
        Where in p each parameter stands; ``t`` may be among them. Not all need to be used.
    precision : {"double", "single"}
        Type of x, p and out. Elementary functions are evaluated in double precision in both.
    jacobian : bool
        Give the derivatives instead: row n·d + j is ∂ⱼ of expression n.

    Returns
    -------
    CFunc
        ``void(x, p, out)``.

    Raises
    ------
    ExpressionError
        If an expression is outside the language or holds a name that is neither a variable nor in `positions`.

    Examples
    --------
    >>> f = expression_blocks(["a*x + y"], ("x", "y"), {"a": 1})
    >>> x, out = np.ones(512), np.empty(256)
    >>> f(x, np.array([0.0, 2.0]), out)  # in plain Python; compiled functions take it as an argument
    >>> out[0]
    np.float64(3.0)
    """
    return expression_module(texts, variables, positions, precision, jacobian, LANES).block


def expression_module(
    texts: Sequence[str],
    variables: Sequence[str],
    positions: Mapping[str, int],
    precision: Precision,
    jacobian: bool,
    lanes: int,
) -> ModuleType:
    """Return the generated module with the function ``block(x, p, out)`` for blocks of some lanes."""
    number_type(precision)
    checked = [check_syntax(text) for text in texts]
    for name in variables:
        check_name(name, "variable")
    for one in checked:
        require_known(one, {*variables, *positions})
    used = set().union(*(one.names for one in checked))
    where = places_of(used, variables, positions)
    texts = tuple(one.text for one in checked)
    formulas = formulas_hash(*FORMULAS)
    key = content_hash(("blocks", lanes, texts, tuple(variables), where, precision, jacobian, formulas))

    def source() -> str:
        import sympy

        from fpsolver.landscapes.block_printing import print_block_function
        from fpsolver.landscapes.symbolic import derivative, require_differentiable_size, to_sympy

        symbols = [sympy.Symbol(name) for name in variables]
        rows = [to_sympy(one) for one in checked]
        if jacobian:
            for expression, text in zip(rows, texts, strict=True):
                require_differentiable_size(expression, symbols, text)
            rows = [derivative(expression, symbol) for expression in rows for symbol in symbols]
        places = {sympy.Symbol(name): index for name, index in where}
        return print_block_function({(k,): row for k, row in enumerate(rows)}, symbols, places, precision, lanes)

    return generated_module("blocks", key, source)


def landscape_blocks(landscape: Landscape, precision: Precision = "double") -> BlockFunctions:
    """Return value and gradient of a landscape; see `fpsolver.landscapes.Landscape.blocks`."""
    return landscape.blocks(precision)


def nothing(precision: Precision = "double") -> Any:
    """Return the block function that writes nothing, for terms that are not there."""
    key = content_hash(("nothing", precision))
    return generated_module("blocks", key, lambda: head("block", precision) + "    pass\n").block
