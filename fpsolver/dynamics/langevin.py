"""Overdamped Langevin dynamics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fpsolver.dynamics.coefficient import Coefficient, check_semidefinite, coefficient
from fpsolver.dynamics.driven import Driven, check_landscape, checked_number, checked_protocols
from fpsolver.dynamics.protocol import Protocol
from fpsolver.errors import DynamicsError, suggest

if TYPE_CHECKING:
    from fpsolver.landscapes import Landscape

TEMPERATURE_UNIT = "units of loss, k_B = 1"
CONVENTIONS = ("ito", "stratonovich", "klimontovich")


@dataclass(frozen=True, eq=False)
class Langevin(Driven):
    """Overdamped Langevin dynamics dθ = −M∇L dt + M F dt + √(2D) dW.

    With a `temperature`, D = T·M and detailed balance holds where there is no `force`: the stationary density is
    exp(−L/T), whatever M(θ). With an independent `diffusion`, no Boltzmann state is promised.

    Parameters
    ----------
    landscape : Landscape
        The loss L(θ).
    temperature : float, optional
        T ≥ 0 in units of loss. Excludes `diffusion`.
    mobility : float, str, sequence or callable
        M: scalar, vector (one per variable) or symmetric matrix, constant or dependent on θ.
    force : sequence of float or str, or callable, optional
        A non-conservative force F(θ), one component per variable.
    diffusion : float, str, sequence or callable, optional
        D: scalar, vector or symmetric matrix, constant or dependent on θ. Excludes `temperature`.
    convention : {"ito", "stratonovich", "klimontovich"}, optional
        How θ-dependent `diffusion` multiplies the noise; required there, refused elsewhere.
    protocol : mapping of str to Protocol, optional
        How landscape parameters, "temperature" or a constant scalar "mobility" depend on time.

    Raises
    ------
    DynamicsError
        If coefficients contradict each other, are not finite, negative or indefinite.

    References
    ----------
    H. Risken, The Fokker–Planck Equation (1996), ch. 3–5; P. Hänggi and H. Thomas, Phys. Rep. 88, 207 (1982) for
    the conventions.

    Examples
    --------
    >>> import fpsolver as fp
    >>> fp.Langevin(fp.Landscape("x**2/2"), temperature=0.1).diffusion_is_thermal
    True
    """

    landscape: Landscape
    temperature: float | None = None
    mobility: Any = 1.0
    force: Any = None
    diffusion: Any = None
    convention: str | None = None
    protocol: Mapping[str, Protocol] | None = None

    def __post_init__(self) -> None:
        check_landscape(self.landscape)
        landscape = self.landscape
        for name in ("mobility", "force", "diffusion"):
            given = getattr(self, name)
            if given is not None:
                value = coefficient(name, given, landscape.variables, landscape.parameters)
                object.__setattr__(self, name, value)
        self._check_temperature_or_diffusion()
        self._check_force()
        self._check_convention()
        for value in (self.mobility, self.diffusion):
            if value is not None and value.constant is not None:
                check_semidefinite(value, value.constant)
        object.__setattr__(self, "protocol", checked_protocols(self.protocol, landscape.parameters, self.drivable))

    def _check_temperature_or_diffusion(self) -> None:
        if (self.temperature is None) == (self.diffusion is None):
            have = "both" if self.diffusion is not None else "neither"
            raise DynamicsError(
                f"{have} of temperature and diffusion given: give temperature= for D = T·M (detailed balance), "
                "or diffusion= for noise that is independent of the mobility"
            )
        if self.temperature is not None:
            object.__setattr__(self, "temperature", checked_number("temperature", self.temperature, TEMPERATURE_UNIT))

    def _check_force(self) -> None:
        if self.force is not None and self.force.kind != "vector":
            dimension = self.landscape.dimension
            if self.force.kind == "scalar" and dimension == 1:
                raise DynamicsError(f"force = {self.force.given!r}: give one component per variable, force=(…,)")
            raise DynamicsError(f"force = {self.force.given!r} must have {dimension} components, one per variable")

    def _check_convention(self) -> None:
        varies = self.diffusion is not None and self.diffusion.varies
        if varies and self.convention is None:
            raise DynamicsError(
                f"diffusion = {self.diffusion.given!r} may depend on θ: say which convention= the noise has, one of "
                + ", ".join(f'"{name}"' for name in CONVENTIONS)
            )
        if self.convention is not None:
            if self.convention not in CONVENTIONS:
                hint = suggest(str(self.convention), CONVENTIONS)
                raise DynamicsError(f"convention = {self.convention!r} is not one of {', '.join(CONVENTIONS)}{hint}")
            if self.diffusion is None:
                raise DynamicsError(
                    f'convention = "{self.convention}" without diffusion=: with a temperature, D = T·M and detailed '
                    "balance fix it; leave convention out"
                )

    @property
    def drivable(self) -> tuple[str, ...]:
        """Constants that a protocol may drive, besides the landscape's parameters."""
        thermal = ("temperature",) if self.temperature is not None else ()
        scalar = self.mobility.kind == "scalar" and self.mobility.constant is not None
        return thermal + (("mobility",) if scalar else ())

    @property
    def diffusion_is_thermal(self) -> bool:
        """Whether D = T·M, so that detailed balance holds up to `force`."""
        return self.diffusion is None

    @property
    def noise(self) -> Coefficient:
        """The coefficient that sets the noise: the mobility (times T) or the independent diffusion."""
        return self.mobility if self.diffusion is None else self.diffusion
