"""Overdamped schemes for mobility or diffusion that depend on the position: Euler–Maruyama, Heun, weak order 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fpsolver.device import launcher
from fpsolver.ensembles.integrators.additive import CHAIN
from fpsolver.ensembles.integrators.compiled import System, compile_system
from fpsolver.ensembles.integrators.integrator import Integrator, Request
from fpsolver.ensembles.integrators.noise_functions import NoiseFunctions, compile_noise
from fpsolver.errors import MethodError
from fpsolver.kernels.cpu.driver import Run, Schedule
from fpsolver.kernels.cpu.multiplicative_steps import Functions, Law

SCHEMES = ("euler-maruyama", "heun", "weak-2")
EULER_MARUYAMA, HEUN, WEAK_2 = SCHEMES
NUMBERS = {name: number for number, name in enumerate(SCHEMES)} | {CHAIN: 0}

COLD = '"entropy_flow_midpoint" needs a positive temperature; at T = 0 entropy production is infinite'


@dataclass(frozen=True, eq=False)
class MultiplicativeIntegrator(Integrator):
    """Overdamped dynamics dθ = a dt + √(2D) dW whose diffusion D or mobility M depends on the position.

    The Itô drift is a = M(F − ∇L) + c. With D = T·M, and for the Klimontovich convention, c = ∇·D; for Itô c = 0; for
    Stratonovich cᵢ = Σ Sₖⱼ ∂ₖSᵢⱼ with the symmetric root S² = D, which is ½ ∂ᵢDᵢ where D is diagonal.

    The midpoint entropy flow is ∫ D⁻¹(a − ∇·D) ∘ dθ. The current is J = (a − ∇·D) p − D∇p, and the mean of a
    Stratonovich integral ∫ g∘dθ is ∫∫ g·J dθ dt, so that the entropy production ∫ JᵀD⁻¹J/p is the mean rate of the
    entropy flow plus that of the change of −ln p. The field is D⁻¹M(F − ∇L) for Klimontovich noise, less D⁻¹∇·D for Itô
    and less D⁻¹S∇·S for Stratonovich noise. With D = T·M it is (F − ∇L)/T: the flow is heat/T.

    Parameters
    ----------
    request : Request
        What is to be integrated.
    system : System
        Its compiled functions.
    noise : NoiseFunctions
        Its compiled coefficients.

    References
    ----------
    U. Seifert, Rep. Prog. Phys. 75, 126001 (2012), sec. 2.4; A. W. C. Lau and T. C. Lubensky, Phys. Rev. E 76, 011123
    (2007), for noise that depends on the position.
    """

    kernel: ClassVar[str] = "multiplicative"

    request: Request
    system: System
    noise: NoiseFunctions

    def segment(self, step: int, steps: int) -> Any:
        """Return the arguments of the kernel for the given steps."""
        request, system, noise = self.request, self.system, self.noise
        run = Run(NUMBERS[request.scheme], request.kind, *request.key, step, steps, request.dt, request.limit)
        # Where nothing depends on time, one step stands for all: a single trajectory may take 10⁸ at once.
        times = request.half_times(step, steps if self.timed else 1)
        functions = Functions(
            system.value, system.gradient, system.force, system.has_force, system.rates, system.fields,
            noise.noise, noise.mobility, noise.divergence, noise.jacobian,
        )  # fmt: skip
        schedule = Schedule(*system.parameters.schedule(times))
        return (
            run,
            functions,
            system.parameters.values,
            self._law(times[1::2]),
            schedule,
            request.functionals.rows(request.dynamics.landscape.dimension),
        )

    def _law(self, times: np.ndarray) -> Law:
        dynamics, noise = self.request.dynamics, self.noise
        scales = []
        for name in ("temperature", "mobility"):
            constant = getattr(dynamics, name) if name == "temperature" and dynamics.diffusion_is_thermal else 1.0
            protocol = dynamics.protocol.get(name)
            values = np.full(len(times), constant) if protocol is None else np.asarray(protocol(times))
            allowed = np.isfinite(values) & (values >= 0)
            if not allowed.all():
                dynamics.at(float(times[np.argmin(allowed)]))  # raises, and says what is wrong
            scales.append(values)
        cold = dynamics.diffusion_is_thermal & (scales[0] == 0)
        if "entropy_flow_midpoint" in self.request.functionals.standard and cold.any():
            raise MethodError(f"{COLD}; it is zero at t = {times[int(np.argmax(cold))]:g}")
        if not any(name in dynamics.protocol for name in ("temperature", "mobility")):
            scales = [values[:1] for values in scales]
        return Law(
            dynamics.landscape.dimension, noise.noise_kind, noise.mobility_kind, dynamics.diffusion_is_thermal,
            noise.separable, noise.shares, noise.flow_shares, *(np.array(values, dtype=float) for values in scales),
        )  # fmt: skip


def multiplicative_integrator(request: Request) -> MultiplicativeIntegrator:
    """Return the integrator of overdamped dynamics whose diffusion or mobility depends on the position.

    Raises
    ------
    DeviceError
        If the device is not there.
    MethodError
        If the scheme or the device cannot serve the request, or a coefficient is a Python function.
    DynamicsError
        If a matrix is not symmetric.
    """
    launcher(request.device, "multiplicative")  # refuses before anything is compiled
    _check(request)
    dynamics = request.dynamics
    system = compile_system(request, dynamics.landscape.variables)
    flow = "entropy_flow_midpoint" in request.functionals.standard
    names = system.parameters.names
    midpoint = request.scheme == HEUN
    noise = compile_noise(dynamics, names, request.precision, request.device, midpoint=midpoint, flow=flow)
    return MultiplicativeIntegrator(request, system, noise)


def _check(request: Request) -> None:
    functionals, scheme, dynamics = request.functionals, request.scheme, request.dynamics
    if scheme == WEAK_2 and request.noise == "rademacher":
        raise MethodError(
            f'scheme = "{WEAK_2}" needs the first five moments of Gaussian noise, and "rademacher" has three; choose '
            'noise = "three-point" or "gaussian"'
        )
    if scheme == EULER_MARUYAMA:
        functionals.refuse(
            ("entropy_flow",),
            "has no limit for noise that depends on the position: the fluctuation theorem holds at any time step, but "
            "its mean does not tend to the entropy produced, which it exceeds at the rate 3⟨D′²/D⟩/2 in one dimension, "
            'in equilibrium too; choose "entropy_flow_midpoint"',
        )
    functionals.refuse(
        ("entropy_flow",),
        f'has no discrete form for scheme = "{scheme}", whose step has no density in closed form; choose '
        '"entropy_flow_midpoint"',
    )
    if "entropy_flow_midpoint" in functionals.standard and dynamics.at(0.5 * request.dt).temperature == 0:
        raise MethodError(COLD)
