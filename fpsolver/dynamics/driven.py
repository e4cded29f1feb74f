"""What driven dynamics share: protocols by name, and the landscape at a given time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from fpsolver.dynamics.protocol import Protocol, as_protocol
from fpsolver.errors import DynamicsError, suggest

if TYPE_CHECKING:
    from fpsolver.landscapes import Landscape


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


def check_landscape(landscape: Any) -> None:
    """Raise unless a law of motion was given a landscape.

    Raises
    ------
    DynamicsError
        If it was not.
    """
    from fpsolver.landscapes import Landscape

    if not isinstance(landscape, Landscape):
        raise DynamicsError(f'landscape = {landscape!r} is none; give for example fp.Landscape("x**2/2")')


class Driven:
    """What every law of motion with a protocol can say of time.

    A law provides `landscape`, `protocol` (by name) and `drivable`, the constants that a protocol may drive besides the
    landscape's parameters.
    """

    landscape: Landscape
    protocol: Any

    @property
    def drivable(self) -> tuple[str, ...]:
        """Constants that a protocol may drive, besides the landscape's parameters."""
        return ()

    @property
    def driven(self) -> bool:
        """Whether anything depends on time."""
        return bool(self.protocol)

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Times, ascending, at which a protocol has a jump or a kink."""
        return tuple(sorted({time for protocol in self.protocol.values() for time in protocol.breakpoints}))

    def at(self, t: float) -> Self:
        """Return the undriven dynamics with every protocol frozen at time `t`.

        Raises
        ------
        DynamicsError
            If a protocol is not finite then.
        """
        values: dict[str, Any] = {name: float(protocol(t)) for name, protocol in self.protocol.items()}
        for name, value in values.items():
            if not np.isfinite(value):
                raise DynamicsError(f"the protocol of {name!r} is {value} at t = {t:g}")
        own = {name: values.pop(name) for name in self.drivable if name in values}
        landscape = self.landscape.with_parameters(**values) if values else self.landscape
        return replace(self, landscape=landscape, protocol=None, **own)  # type: ignore[type-var]
