"""Divergences of fields and matrices given as expressions, compiled for blocks of 256 trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from fpsolver.kernels.blocks import LANES
from fpsolver.landscapes.block_source import FORMULAS, Precision, formulas_hash, places_of
from fpsolver.landscapes.expression import check_syntax, require_known
from fpsolver.landscapes.source_cache import content_hash, generated_module


def divergence_blocks(
    terms: Sequence[Sequence[tuple[str, str]]],
    variables: Sequence[str],
    positions: Mapping[str, int],
    *,
    precision: Precision = "double",
) -> Any:
    """Compile sums of derivatives to one block function: row n is Σ ∂ᵥ e over the pairs (e, v) of ``terms[n]``.

    Parameters
    ----------
    terms : sequence of sequences of (expression, variable)
        What to differentiate, and with respect to what.
    variables : sequence of str
        Names of the coordinates: row k of x is variable k.
    positions : mapping of str to int
        Where in p each parameter stands; not all need to be used.
    precision : {"double", "single"}
        Type of x, p and out.

    Returns
    -------
    CFunc
        ``void(x, p, out)``.

    Raises
    ------
    ExpressionError
        If an expression is outside the language or holds an unknown name.

    Examples
    --------
    >>> import numpy as np
    >>> f = divergence_blocks([[("x**2", "x"), ("x*y", "y")]], ("x", "y"), {})
    >>> x, out = np.full(512, 2.0), np.empty(256)
    >>> f(x, np.zeros(1), out)
    >>> out[0]
    np.float64(6.0)
    """
    return divergence_module(terms, variables, positions, precision, LANES).block


def divergence_module(
    terms: Sequence[Sequence[tuple[str, str]]],
    variables: Sequence[str],
    positions: Mapping[str, int],
    precision: Precision,
    lanes: int,
) -> ModuleType:
    """Return the generated module with the function ``block(x, p, out)`` for blocks of some lanes."""
    checked = [[(check_syntax(text), name) for text, name in row] for row in terms]
    used: set[str] = set()
    for row in checked:
        for one, _ in row:
            require_known(one, {*variables, *positions})
            used |= one.names
    where = places_of(used, variables, positions)
    given = tuple(tuple((one.text, name) for one, name in row) for row in checked)
    key = content_hash(("divergence", lanes, given, tuple(variables), where, precision, formulas_hash(*FORMULAS)))

    def source() -> str:
        import sympy

        from fpsolver.landscapes.block_printing import print_block_function
        from fpsolver.landscapes.symbolic import derivative, require_differentiable_size, to_sympy

        symbols = [sympy.Symbol(name) for name in variables]
        rows: dict[tuple[int, ...], sympy.Expr] = {}
        for n, row in enumerate(checked):
            parts = []
            for one, name in row:
                expression = to_sympy(one)
                require_differentiable_size(expression, symbols, one.text)
                parts.append(derivative(expression, sympy.Symbol(name)))
            rows[(n,)] = sympy.Add(*parts)
        places = {sympy.Symbol(name): index for name, index in where}
        return print_block_function(rows, symbols, places, precision, lanes)

    return generated_module("blocks", key, source)
