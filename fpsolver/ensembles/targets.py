"""Targets of first passage, as the kernels take them: boxes, and regions where a level function is not negative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import RegionError, suggest
from fpsolver.landscapes.compiled_expressions import compile_expressions
from fpsolver.regions import Box


@dataclass(frozen=True)
class Targets:
    """Several targets.

    Parameters
    ----------
    given : tuple of Box or str
        The targets, by number.
    variables : tuple of str
        Names of the coordinates.
    timed : bool
        Whether a level function depends on the time.
    """

    given: tuple[Box | str, ...]
    variables: tuple[str, ...]
    timed: bool

    @property
    def names(self) -> tuple[str, ...]:
        """What the targets are called in results."""
        return tuple(one if isinstance(one, str) else _box_name(one) for one in self.given)

    def walls(self, positions: Mapping[str, int], precision: Any) -> Any:
        """Return the targets for the kernels.

        Parameters
        ----------
        positions : mapping of str to int
            Where in the parameter array each parameter stands.
        precision : {"double", "single"}
            Type of the blocks.
        """
        from fpsolver.kernels.cpu.walls import Walls
        from fpsolver.landscapes.block_functions import expression_blocks, nothing

        faces = [(k, *face) for k, one in enumerate(self.given) if isinstance(one, Box) for face in self._faces(one)]
        levels = [k for k, one in enumerate(self.given) if isinstance(one, str)]
        texts = [one for one in self.given if isinstance(one, str)]
        level = gradient = nothing(precision)
        if texts:
            level = expression_blocks(texts, self.variables, positions, precision=precision)
            gradient = expression_blocks(texts, self.variables, positions, precision=precision, jacobian=True)
        target, axis, side, wall = (np.array([face[i] for face in faces]) for i in range(4))
        numbers = target.astype(np.int64), axis.astype(np.int64), side.astype(float), wall.astype(float)
        return Walls(len(self.given), *numbers, np.array(levels, dtype=np.int64), level, gradient)

    def _faces(self, box: Box) -> list[tuple[int, float, float]]:
        faces = []
        for name, (lower, upper) in box.bounds.items():
            axis = self.variables.index(name)
            faces += [(axis, side, wall) for side, wall in ((1.0, lower), (-1.0, upper)) if wall is not None]
        return faces


def targets_of(given: Any, variables: Sequence[str], parameters: Sequence[str]) -> Targets:
    """Return what the user gave as targets.

    Parameters
    ----------
    given : Box, str, or a sequence of these
        `fpsolver.where(…)`, or a level function, positive or zero in the target.
    variables, parameters : sequence of str
        Names that may appear.

    Raises
    ------
    RegionError
        If a target is something else, or bounds a coordinate that is not there.
    ExpressionError
        If a level function is outside the language or holds an unknown name.
    """
    several = tuple(given) if isinstance(given, list | tuple) else (given,)
    if not several:
        raise RegionError("target is empty: give fp.where(x=(1.0, None)), a level function, or several of them")
    timed = False
    for one in several:
        if isinstance(one, Box):
            _check_box(one, variables)
        elif isinstance(one, str):
            if ("<" in one or ">" in one) and "Piecewise" not in one:
                raise RegionError(
                    f'target = "{one}" is a condition: give a box, fp.where(x=(1.0, None)), or a level function that '
                    'is positive in the target, "x**2 + y**2 - 1"'
                )
            compiled = compile_expressions((one,), tuple(variables), tuple(parameters))
            if not compiled.depends_on_variables:
                raise RegionError(
                    f'the level function "{one}" depends on no variable; there are {", ".join(variables)}'
                )
            timed = timed or compiled.depends_on_time
        else:
            raise RegionError(
                f"target = {one!r} is neither a box, fp.where(x=(1.0, None)), nor a level function that is positive in "
                'the target, "x**2 + y**2 - 1": trajectories need to know how far away it is'
            )
    return Targets(several, tuple(variables), timed)


def _check_box(box: Box, variables: Sequence[str]) -> None:
    for name in box.bounds:
        if name not in variables:
            raise RegionError(
                f"target: where({name}=…) bounds {name!r}, but the variables are {', '.join(variables)}"
                f"{suggest(name, variables)}"
            )


def _box_name(box: Box) -> str:
    bounds = ", ".join(f"{name}=({lower}, {upper})" for name, (lower, upper) in box.bounds.items())
    return f"where({bounds})"
