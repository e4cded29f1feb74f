"""Scores of adaptive splitting, which say how far a state has come: expressions, fields on a grid, Python functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.errors import InputError, MethodError
from fpsolver.fields import Field
from fpsolver.kernels.blocks import LANES
from fpsolver.landscapes.compiled_expressions import compile_expressions
from fpsolver.landscapes.expression import TIME


@dataclass(frozen=True, eq=False)
class Score:
    """A score as a compiled block function.

    Parameters
    ----------
    function : CFunc
        ``function(x, p, out)`` fills one row.
    p : ndarray
        What it takes as p.
    failures : list of Exception
        What a Python function has raised so far: compiled code cannot.
    owner : callable, optional
        The Python function that is called, which must live as long as the score.
    """

    function: Any
    p: np.ndarray
    failures: list[Exception] = field(default_factory=list)
    owner: Any = None

    def at(self, points: np.ndarray) -> np.ndarray:
        """Return the scores of points (n, d)."""
        n, d = points.shape
        result, x, out = np.empty(n), np.zeros((d, LANES)), np.empty(LANES)
        for first in range(0, n, LANES):
            some = points[first : first + LANES]
            x[:, : len(some)] = some.T
            x[:, len(some) :] = some[-1:].T
            self.function(x.reshape(-1), self.p, out)
            result[first : first + LANES] = out[: len(some)]
        return result


def score_of(given: Any, variables: Sequence[str], positions: Mapping[str, int], values: np.ndarray) -> Score:
    """Return what the user gave as a score.

    Parameters
    ----------
    given : str, Field or callable
        An expression in variables and parameters; a field on a grid of all variables; or a function of points (n, d).
    variables : sequence of str
        Names of the coordinates.
    positions : mapping of str to int
        Where in `values` each parameter stands.
    values : ndarray
        Parameters.

    Raises
    ------
    InputError
        If it is something else, or does not fit the variables: a field has an axis for each of them.
    MethodError
        If it depends on time.
    """
    if isinstance(given, str):
        return _from_expression(given, tuple(variables), positions, values)
    if isinstance(given, Field):
        return _from_field(given, tuple(variables))
    if callable(given):
        return _from_function(given, len(variables))
    raise InputError(
        f'score = {given!r} is neither an expression such as "{variables[0]}", nor an fp.Field such as '
        "fp.committor(generator, a, b), nor a function of points (n, d)"
    )


def _from_expression(text: str, variables: tuple[str, ...], positions: Mapping[str, int], values: np.ndarray) -> Score:
    from fpsolver.landscapes.block_functions import expression_blocks

    compiled = compile_expressions((text,), variables, tuple(name for name in positions if name != TIME))
    if compiled.depends_on_time:
        raise MethodError(f'score = "{text}" depends on the time; the levels of splitting must stay where they are')
    if not compiled.depends_on_variables:
        raise InputError(f'score = "{text}" depends on no variable; there are {", ".join(variables)}')
    return Score(expression_blocks([text], variables, positions), values)


def _from_field(given: Field, variables: tuple[str, ...]) -> Score:
    from fpsolver.kernels.cpu.interpolation import FUNCTIONS, LARGEST, pack

    grid = given.grid
    order = grid.order(variables)
    if len(order) > LARGEST:
        raise InputError(
            f"the score is a field in {len(order)} dimensions, {LARGEST} at most can be; give an expression"
        )
    axes = [grid.axes[k] for k in order]
    known = np.transpose(np.asarray(given.values, dtype=float), order)
    if not np.isfinite(known).all():
        raise InputError(f"the score has values that are not finite in {np.count_nonzero(~np.isfinite(known))} cells")
    periods = [axis.upper - axis.lower if axis.periodic else 0.0 for axis in axes]
    return Score(FUNCTIONS[len(order) - 1], pack([axis.centres for axis in axes], periods, known))


def _from_function(given: Callable[[np.ndarray], Any], d: int) -> Score:
    from fpsolver.kernels.cpu import callbacks

    failures: list[Exception] = []

    def fill(x: np.ndarray, out: np.ndarray) -> None:
        try:
            answer = np.asarray(given(x.reshape(d, LANES).T.copy()), dtype=float)
            if answer.shape != (LANES,):
                raise InputError(
                    f"the score returned shape {answer.shape} for points of shape ({LANES}, {d}); it must return "
                    f"({LANES},)"
                )
            out[:] = answer
        except Exception as error:  # raised again where the compiled code has returned: it cannot carry exceptions
            failures.append(error)
            out[:] = np.inf  # above every level, so that climbing paths end

    return Score(callbacks.block, callbacks.keep(fill), failures, fill)
