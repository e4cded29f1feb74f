"""Landscapes that are quadratic in θ, found from what they are made of, not from numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fpsolver.landscapes.array_evaluation import Floats

if TYPE_CHECKING:
    import sympy

    from fpsolver.landscapes.landscape import Landscape

# Expressions that expand to more monomials are not examined.
_MAX_TERMS = 20_000
_MAX_DEGREE = 64

Monomial = tuple[int, ...]
"""Numbers of the variables that are multiplied, ascending: (0, 0, 2) is x₀²x₂."""


class QuadraticForm(NamedTuple):
    """The landscape L(θ) = ½ θᵀHθ + bᵀθ + c.

    Attributes
    ----------
    hessian : ndarray (d, d)
        H, symmetric.
    slope : ndarray (d,)
        b, the gradient at the origin.
    constant : float
        c.
    """

    hessian: Floats
    slope: Floats
    constant: float


def quadratic_form(landscape: Landscape) -> QuadraticForm | None:
    """Return the coefficients of a landscape that is quadratic in θ for its parameter values, else None.

    Expressions are expanded symbolically: every monomial beyond the second degree must cancel, or have a coefficient
    that is zero at these parameter values. Nothing is concluded from values at points. Functions and measured
    surfaces are never quadratic; squared losses of linear regression are.

    Parameters
    ----------
    landscape : Landscape

    Returns
    -------
    QuadraticForm or None

    Examples
    --------
    >>> from fpsolver.landscapes import Landscape
    >>> H, b, c = quadratic_form(Landscape("a*(x - 1)**2/2 + q*x**4", {"a": 2.0, "q": 0.0}))
    >>> H, b, c
    (array([[2.]]), array([-2.]), 1.0)
    >>> quadratic_form(Landscape("x**4")) is None
    True
    """
    return landscape._evaluator.quadratic_form(landscape._p)


def assemble(monomials: Sequence[Monomial], coefficients: Floats, d: int) -> QuadraticForm | None:
    """Return the form of a polynomial, or None where it has other monomials or coefficients that are not finite."""
    hessian, slope, constant = np.zeros((d, d)), np.zeros(d), 0.0
    if not np.isfinite(coefficients).all():
        return None
    for monomial, coefficient in zip(monomials, coefficients.tolist(), strict=True):
        if len(monomial) > 2 and coefficient != 0.0:
            return None
        if len(monomial) == 2:
            hessian[monomial] += coefficient
            hessian[monomial[::-1]] += coefficient
        elif len(monomial) == 1:
            slope[monomial] += coefficient
        elif not monomial:
            constant += coefficient
    return QuadraticForm(hessian, slope, constant)


def polynomial(expression: sympy.Expr, variables: Sequence[sympy.Symbol]) -> dict[Monomial, sympy.Expr] | None:
    """Return monomial → coefficient; None where the expression is not polynomial in the variables, or too large."""
    numbers = {symbol: index for index, symbol in enumerate(variables)}
    terms = _expand(expression, numbers)
    return None if terms is None else {monomial: c for monomial, c in terms.items() if c != 0}


def _expand(e: sympy.Expr, numbers: Mapping[sympy.Symbol, int]) -> dict[Monomial, sympy.Expr] | None:
    import sympy

    if not any(symbol in numbers for symbol in e.free_symbols):
        return {(): e}
    if e.is_Symbol:
        return {(numbers[e],): sympy.S.One}
    if e.is_Add:
        parts = [_expand(argument, numbers) for argument in e.args]
        gathered: dict[Monomial, list[sympy.Expr]] = {}
        for part in parts:
            if part is None:
                return None
            for monomial, coefficient in part.items():
                gathered.setdefault(monomial, []).append(coefficient)
        return {monomial: sympy.Add(*coefficients) for monomial, coefficients in gathered.items()}
    if e.is_Mul:
        factors = [_expand(argument, numbers) for argument in e.args]
    elif e.is_Pow and e.exp.is_Integer and 0 < e.exp <= _MAX_DEGREE:
        factors = [_expand(e.base, numbers)] * int(e.exp)
    else:
        return None
    result: dict[Monomial, sympy.Expr] | None = {(): sympy.S.One}
    for factor in factors:
        result = None if result is None or factor is None else _product(result, factor)
    return result


def _product(a: dict[Monomial, sympy.Expr], b: dict[Monomial, sympy.Expr]) -> dict[Monomial, sympy.Expr] | None:
    import sympy

    if len(a) * len(b) > _MAX_TERMS:
        return None
    gathered: dict[Monomial, list[sympy.Expr]] = {}
    for first, c in a.items():
        for second, k in b.items():
            gathered.setdefault(tuple(sorted(first + second)), []).append(c * k)
    return {monomial: sympy.Add(*coefficients) for monomial, coefficients in gathered.items()}


def polynomial_source(
    expression: sympy.Expr, variables: Sequence[sympy.Symbol], parameters: Sequence[sympy.Symbol]
) -> str:
    """Return a module with ``MONOMIALS`` (None if there are none) and ``coefficients(x, p, t, out)``."""
    from fpsolver.landscapes.printing import array_module_source, print_array_function

    terms = polynomial(expression, variables)
    if terms is None:
        return "MONOMIALS = None\n"
    outputs: dict[tuple[int, ...], sympy.Expr] = {(i,): term for i, term in enumerate(terms.values())}
    function = print_array_function("coefficients", outputs, [[], parameters])
    return array_module_source([function]) + f"\n\nMONOMIALS = {tuple(terms)!r}\n"
