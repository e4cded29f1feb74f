"""Jump processes: updates that happen at once, with rates that the change of the loss decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.dynamics.coefficient import Coefficient, check_semidefinite, coefficient
from fpsolver.dynamics.driven import Driven, check_landscape, checked_number, checked_protocols
from fpsolver.dynamics.langevin import TEMPERATURE_UNIT
from fpsolver.dynamics.normalisability import check_total_rate
from fpsolver.dynamics.proposals import Update
from fpsolver.dynamics.protocol import Protocol
from fpsolver.errors import DynamicsError, suggest

if TYPE_CHECKING:
    from fpsolver.landscapes import Landscape

LAWS = ("half", "arrhenius", "linearised", "metropolis", "glauber")
"""How the change of the loss decides, w(ΔL/T).

half
    e^{−ΔL/2T}: detailed balance with e^{−L/T}/A.
arrhenius
    e^{−ΔL/T}, the full exponent as it circulates: detailed balance with e^{−2L/T}/A, as if at half the temperature.
linearised
    e^{−∇L·Δθ/2T}, the half law with the loss replaced by its tangent.
metropolis
    min(1, e^{−ΔL/T}).
glauber
    1/(1 + e^{ΔL/T}).
"""
SEPARABLE = ("half", "arrhenius")
"""Laws that are a function of where a jump begins times one of where it ends."""


@dataclass(frozen=True, eq=False)
class JumpProcess(Driven):
    """Jumps θ → θ + Δθ with the rate density ρ(θ, Δθ) = A(θ) q(Δθ) w.

    Parameters
    ----------
    landscape : Landscape
        The loss L(θ).
    temperature : float
        T > 0 in units of loss.
    proposal : GaussianProposal, UniformProposal, LaplaceProposal, StudentProposal, StableProposal or LatticeProposal
        q, symmetric and normalised.
    law : {"half", "arrhenius", "linearised", "metropolis", "glauber"}
        w, see `LAWS`.
    attempt_rate : float, str or callable
        A(θ) > 0 in inverse time; `entropic_attempt_rate` makes one of a local entropy.
    protocol : mapping of str to Protocol, optional
        How landscape parameters or "temperature" depend on time.

    Raises
    ------
    DynamicsError
        If a value is out of range, or the total rate ∫ρ dΔθ diverges: exponents that grow linearly in Δθ against
        proposals with power-law tails, losses that fall too fast far away; or if jumps explode in finite time: the
        linearised law on a quadratic loss with s²h ≥ 4T in some direction, where its embedded chain (gradient descent
        with learning rate s²/2T) is unstable.

    References
    ----------
    N. G. van Kampen, Stochastic Processes in Physics and Chemistry (2007), ch. V; R. J. Glauber, J. Math. Phys. 4, 294
    (1963); N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953).

    Examples
    --------
    >>> import fpsolver as fp
    >>> process = fp.JumpProcess(fp.Landscape("x**2/2"), temperature=0.5, proposal=fp.GaussianProposal(0.3))
    >>> process.law, process.balance_temperature
    ('half', 0.5)
    """

    landscape: Landscape
    temperature: float
    proposal: Update
    law: str = "half"
    attempt_rate: Any = 1.0
    protocol: Mapping[str, Protocol] | None = None

    def __post_init__(self) -> None:
        check_landscape(self.landscape)
        landscape = self.landscape
        temperature = checked_number("temperature", self.temperature, TEMPERATURE_UNIT)
        if temperature == 0.0:
            raise DynamicsError("temperature = 0: rates e^{−ΔL/T} need T > 0; for descent without noise use fp.SGD")
        object.__setattr__(self, "temperature", temperature)
        if not isinstance(self.proposal, Update):
            raise DynamicsError(f"proposal = {self.proposal!r} is none; give for example fp.GaussianProposal(0.1)")
        self.proposal.for_dimension(landscape.dimension)
        if self.law not in LAWS:
            raise DynamicsError(f"law = {self.law!r} is not one of {', '.join(LAWS)}{suggest(str(self.law), LAWS)}")
        rate = coefficient("attempt_rate", self.attempt_rate, landscape.variables, landscape.parameters)
        if rate.kind != "scalar":
            raise DynamicsError(
                f"attempt_rate = {self.attempt_rate!r} must be one rate, not a {rate.kind}; a function takes points "
                "(n, d) and returns rates (n,)"
            )
        if rate.constant is not None:
            check_semidefinite(rate, rate.constant)
            if not rate.constant.any():
                raise DynamicsError("attempt_rate = 0: nothing would move; give a positive one")
        object.__setattr__(self, "attempt_rate", rate)
        object.__setattr__(self, "protocol", checked_protocols(self.protocol, landscape.parameters, self.drivable))
        check_total_rate(self)

    @property
    def drivable(self) -> tuple[str, ...]:
        """Constants that a protocol may drive, besides the landscape's parameters."""
        return ("temperature",)

    @property
    def balance_temperature(self) -> float:
        """The temperature T_b for which detailed balance holds with e^{−L/T_b}/A: T, or T/2 for "arrhenius"."""
        return 0.5 * self.temperature if self.law == "arrhenius" else self.temperature

    @property
    def attempts(self) -> Coefficient:
        """A(θ) as a coefficient."""
        return self.attempt_rate

    def log_factor(self, change: Any) -> np.ndarray:
        """Return ln w for changes of the loss ΔL (for the linearised law, for ∇L·Δθ)."""
        x = np.asarray(change, dtype=float) / self.temperature
        if self.law in ("half", "linearised"):
            return -0.5 * x
        if self.law == "arrhenius":
            return -x
        return np.minimum(0.0, -x) if self.law == "metropolis" else -np.logaddexp(0.0, x)

    def factor(self, change: Any) -> np.ndarray:
        """Return w for changes of the loss ΔL (for the linearised law, for ∇L·Δθ).

        Examples
        --------
        >>> import fpsolver as fp
        >>> law = fp.JumpProcess(fp.Landscape("x**2"), temperature=1.0, proposal=fp.UniformProposal(1), law="glauber")
        >>> float(law.factor(0.0))
        0.5
        """
        with np.errstate(over="ignore"):
            return np.exp(self.log_factor(change))


def entropic_attempt_rate(entropy: str, *, time: float = 1.0, saddle: float | None = None) -> str:
    """Return the attempt rate that a local entropy S(θ) makes, as an expression.

    As it circulates it is e^{S}/τ₀; where `saddle` gives the entropy at the saddle, it is Langer's e^{S_saddle − S}/τ₀,
    in whose stationary state e^{S − L/T} wide places are likelier, as they should be.

    Parameters
    ----------
    entropy : str
        S(θ) in nats, an expression in the landscape's variables and parameters.
    time : float
        τ₀.
    saddle : float, optional
        S_saddle.

    Raises
    ------
    DynamicsError
        If the entropy is no expression, the time not positive, or S_saddle not finite.

    References
    ----------
    J. S. Langer, Ann. Phys. 54, 258 (1969).

    Examples
    --------
    >>> entropic_attempt_rate("-0.4*x**2")
    'exp(-0.4*x**2)'
    >>> entropic_attempt_rate("-0.4*x**2", time=2.0, saddle=0.0)
    'exp(0.0 - (-0.4*x**2))/2.0'
    """
    if not isinstance(entropy, str):
        raise DynamicsError(f"entropy = {entropy!r} must be an expression, a string")
    tau = checked_number("time", time, "τ₀, the time between attempts")
    if tau == 0.0:
        raise DynamicsError("time = 0: between attempts some time has to pass; give a positive one")
    if saddle is not None and not np.isfinite(saddle):
        raise DynamicsError(f"saddle = {saddle!r} must be a finite entropy")
    exponent = entropy if saddle is None else f"{float(saddle)!r} - ({entropy})"
    return f"exp({exponent})" + ("" if tau == 1.0 else f"/{tau!r}")
