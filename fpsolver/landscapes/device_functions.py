"""Landscapes and expressions as functions of one trajectory, for the threads of a device.

They are the block functions of `fpsolver.landscapes.block_functions`, with one lane, in plain Python: row k of the
coordinates is ``x[k]``. Who launches them compiles them, together with what calls them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fpsolver.errors import MethodError
from fpsolver.landscapes.block_functions import BlockFunctions, expression_module
from fpsolver.landscapes.block_source import Precision, number_type
from fpsolver.landscapes.divergence_blocks import divergence_module
from fpsolver.landscapes.landscape import Landscape


def landscape_blocks(landscape: Landscape, precision: Precision = "double") -> BlockFunctions:
    """Return value and gradient of a landscape; see `fpsolver.landscapes.Landscape.blocks`.

    Raises
    ------
    MethodError
        If the landscape was not made from an expression.

    Examples
    --------
    >>> functions = landscape_blocks(Landscape("x**2/2 + y"))
    >>> out = np.empty(2)
    >>> functions.gradient(np.array([3.0, 4.0]), functions.parameters, out)
    >>> out
    array([3., 1.])
    """
    text = landscape.expression
    if text is None:
        raise MethodError(
            f"{landscape!r} has no expression, and a device can follow trajectories only where there is one; "
            'choose device = "cpu"'
        )
    positions = {name: index for index, name in enumerate(landscape.parameters)}

    def compiled(jacobian: bool) -> Any:
        return expression_blocks((text,), landscape.variables, positions, precision=precision, jacobian=jacobian)

    parameters = np.array(list(landscape.parameters.values()), dtype=number_type(precision))
    return BlockFunctions(lambda: compiled(False), lambda: compiled(True), parameters)


def expression_blocks(
    texts: Sequence[str],
    variables: Sequence[str],
    positions: Mapping[str, int],
    *,
    precision: Precision = "double",
    jacobian: bool = False,
) -> Any:
    """Return expressions as one function; see `fpsolver.landscapes.block_functions.expression_blocks`.

    Examples
    --------
    >>> f, out = expression_blocks(["a*x + y"], ("x", "y"), {"a": 1}), np.empty(1)
    >>> f(np.array([1.0, 1.0]), np.array([0.0, 2.0]), out)
    >>> out
    array([3.])
    """
    return expression_module(texts, variables, positions, precision, jacobian, 1).block


def divergence_blocks(
    terms: Sequence[Sequence[tuple[str, str]]],
    variables: Sequence[str],
    positions: Mapping[str, int],
    *,
    precision: Precision = "double",
) -> Any:
    """Return sums of derivatives as one function; see `fpsolver.landscapes.divergence_blocks.divergence_blocks`.

    Examples
    --------
    >>> f, out = divergence_blocks([[("x**2", "x"), ("x*y", "y")]], ("x", "y"), {}), np.empty(1)
    >>> f(np.array([2.0, 1.0]), np.zeros(1), out)
    >>> out
    array([6.])
    """
    return divergence_module(terms, variables, positions, precision, 1).block


def nothing(precision: Precision = "double") -> Any:
    """Return the function that writes nothing, for terms that are not there."""
    return _nothing


def _nothing(x: np.ndarray, p: np.ndarray, out: np.ndarray) -> None:
    """Write nothing."""
