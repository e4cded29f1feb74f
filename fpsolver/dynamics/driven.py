"""What driven dynamics share: protocols by name, and the landscape at a given time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from fpsolver.dynamics.protocol import Protocol, as_protocol
from fpsolver.errors import DynamicsError, suggest


def checked_protocols(
    given: Mapping[str, Any] | None, parameters: Collection[str], own: Collection[str]
) -> dict[str, Protocol]:
    """Return protocols by name, each driving a landscape parameter or one of the dynamics' `own` constants.

    Raises
    ------
    DynamicsError
        If a name belongs to neither or to both.
    """
    if given is not None and not isinstance(given, Mapping):
        raise DynamicsError(f'protocol = {given!r} is not a mapping; give protocol={{"name": fp.Protocol("1 + t")}}')
    protocols = {name: as_protocol(name, value) for name, value in (given or {}).items()}
    for name in protocols:
        if name in parameters and name in own:
            raise DynamicsError(
                f"protocol {name!r} names both a landscape parameter and a constant; rename the parameter"
            )
        if name not in parameters and name not in own:
            allowed = [*parameters, *own]
            raise DynamicsError(
                f"protocol {name!r} drives nothing; it can drive {', '.join(allowed)}{suggest(name, allowed)}"
            )
    return protocols


def values_at(protocols: Mapping[str, Protocol], t: float) -> dict[str, float]:
    """Return the value of each protocol at time `t`.

    Raises
    ------
    DynamicsError
        If a protocol is not finite then.
    """
    values = {name: float(protocol(t)) for name, protocol in protocols.items()}
    for name, value in values.items():
        if not np.isfinite(value):
            raise DynamicsError(f"the protocol of {name!r} is {value} at t = {t:g}")
    return values


def breakpoints(protocols: Mapping[str, Protocol]) -> tuple[float, ...]:
    """Return the times, ascending, at which any protocol has a jump or a kink."""
    return tuple(sorted({time for protocol in protocols.values() for time in protocol.breakpoints}))


def checked_number(name: str, value: Any, unit: str) -> float:
    """Return a constant such as the temperature as a float.

    Raises
    ------
    DynamicsError
        If it is not a finite, non-negative number; the message adds its `unit`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise DynamicsError(f"{name} = {value!r} is not a number")
    if not np.isfinite(value) or value < 0:
        raise DynamicsError(f"{name} = {value} must be finite and not negative ({unit})")
    return float(value)
