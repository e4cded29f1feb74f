"""Protocols as compiled functions of the time of each trajectory, for laws that act at times of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fpsolver.dynamics import JumpProcess, Protocol
from fpsolver.errors import MethodError
from fpsolver.landscapes import Landscape

MOMENT = "time_of_attempt"
"""What time is called where it is a coordinate: t itself is reserved."""
TEMPERATURE = "temperature"
LONGEST_TABLE = 64
"""Most points of a table that becomes a formula."""


@dataclass(frozen=True)
class Drive:
    """What protocols drive, as rows that follow time behind the coordinates.

    Parameters
    ----------
    texts : tuple of str
        Formulas in `MOMENT`.
    parameters : tuple of str
        Names of the landscape's parameters among the rows, which come first.
    temperature_row : int
        Row of the temperature, −1 where it is constant.
    """

    texts: tuple[str, ...]
    parameters: tuple[str, ...]
    temperature_row: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.texts)

    def function(self) -> Any:
        """Return the compiled block function of a row of times that fills the rows."""
        from fpsolver.landscapes.block_functions import expression_blocks, nothing

        return expression_blocks(self.texts, (MOMENT,), {}) if self.texts else nothing()

    def loss(self, landscape: Landscape, places: Mapping[str, int]) -> Any:
        """Return the compiled loss of coordinates and driven parameters.

        Raises
        ------
        MethodError
            If the landscape is no expression.
        """
        from fpsolver.landscapes.block_functions import expression_blocks

        if landscape.expression is None:
            raise MethodError(
                f"the protocols of {', '.join(self.parameters)} drive {landscape!r}, which is no expression, so that "
                "it cannot be asked at the times of attempts; give an expression, or drive the temperature alone"
            )
        return expression_blocks((landscape.expression,), (*landscape.variables, *self.parameters), places)


def drive_of(dynamics: JumpProcess) -> Drive:
    """Return what the protocols of a jump process drive.

    Raises
    ------
    MethodError
        If a protocol is a long table.
    """
    protocols = dict(dynamics.protocol or {})
    temperature = protocols.pop(TEMPERATURE, None)
    texts = [formula(name, protocol) for name, protocol in protocols.items()]
    if temperature is not None:
        texts.append(formula(TEMPERATURE, temperature))
    return Drive(tuple(texts), tuple(protocols), -1 if temperature is None else len(protocols))


def formula(name: str, protocol: Protocol) -> str:
    """Return a protocol as an expression in `MOMENT`."""
    kind, arguments = protocol.__reduce__()
    if kind is Protocol:
        return re.sub(r"\bt\b", MOMENT, protocol.expression)
    times, values = arguments
    if len(times) > LONGEST_TABLE:
        raise MethodError(
            f"the protocol of {name!r} is a table of {len(times)} points, too long for a formula that every attempt "
            f"asks; give an expression in t, or {LONGEST_TABLE} points at most"
        )
    pieces = [f"({values[0]!r}, {MOMENT} < {times[0]!r})"]
    for k in range(1, len(times)):
        slope = (values[k] - values[k - 1]) / (times[k] - times[k - 1])
        pieces.append(f"({values[k - 1]!r} + ({slope!r})*({MOMENT} - {times[k - 1]!r}), {MOMENT} < {times[k]!r})")
    return f"Piecewise({', '.join(pieces)}, ({values[-1]!r}, True))"
