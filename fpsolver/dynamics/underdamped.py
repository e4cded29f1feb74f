"""Underdamped Langevin (Klein–Kramers) dynamics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.dynamics.driven import Driven, check_landscape, checked_number, checked_protocols
from fpsolver.dynamics.langevin import TEMPERATURE_UNIT
from fpsolver.dynamics.protocol import Protocol
from fpsolver.errors import DynamicsError

if TYPE_CHECKING:
    from fpsolver.landscapes import Landscape


@dataclass(frozen=True, eq=False)
class UnderdampedLangevin(Driven):
    """Underdamped Langevin dynamics dθ = v dt, dv = −∇L/m dt − γ v dt + √(2γT/m) dW.

    Parameters
    ----------
    landscape : Landscape
        The loss L(θ).
    temperature : float
        T > 0 in units of loss.
    friction : float
        The friction *rate* γ ≥ 0, in inverse time; the friction coefficient is ζ = mγ.
    mass : float or sequence of float
        m > 0, one for all variables or one each.
    protocol : mapping of str to Protocol, optional
        How landscape parameters, "temperature" or "friction" depend on time.

    Raises
    ------
    DynamicsError
        If a constant is not finite or has the wrong sign.

    References
    ----------
    H. A. Kramers, Physica 7, 284 (1940), eq. (6).

    Examples
    --------
    >>> import fpsolver as fp
    >>> fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=0.1, friction=1.0).mass
    1.0
    """

    landscape: Landscape
    temperature: float
    friction: float
    mass: Any = 1.0
    protocol: Mapping[str, Protocol] | None = None

    def __post_init__(self) -> None:
        check_landscape(self.landscape)
        object.__setattr__(self, "temperature", checked_number("temperature", self.temperature, TEMPERATURE_UNIT))
        object.__setattr__(self, "friction", checked_number("friction", self.friction, "a rate, in inverse time"))
        try:
            masses = np.asarray(self.mass, dtype=float)
        except (TypeError, ValueError):
            raise DynamicsError(f"mass = {self.mass!r} must be a number, or one for each variable") from None
        if masses.shape not in ((), (self.landscape.dimension,)):
            raise DynamicsError(f"mass = {self.mass!r} must be one number or {self.landscape.dimension} of them")
        if not (np.isfinite(masses).all() and (masses > 0).all()):
            raise DynamicsError(f"mass = {self.mass!r} must be finite and positive")
        object.__setattr__(self, "mass", float(masses) if masses.ndim == 0 else tuple(masses.tolist()))
        protocols = checked_protocols(self.protocol, self.landscape.parameters, self.drivable)
        object.__setattr__(self, "protocol", protocols)

    @property
    def masses(self) -> np.ndarray:
        """One mass per variable, shape (d,)."""
        return np.broadcast_to(np.asarray(self.mass), (self.landscape.dimension,))

    @property
    def drivable(self) -> tuple[str, ...]:
        """Constants that a protocol may drive, besides the landscape's parameters."""
        return ("temperature", "friction")
