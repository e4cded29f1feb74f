"""Overdamped schemes for additive noise: Euler–Maruyama, Heun, Leimkuhler–Matthews, exact Ornstein–Uhlenbeck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.device import launcher
from fpsolver.dynamics import Langevin
from fpsolver.ensembles.functionals import STANDARD
from fpsolver.ensembles.integrators.compiled import System, compile_system
from fpsolver.ensembles.integrators.integrator import Failure, Integrator, Request
from fpsolver.ensembles.linear_drift import diffusion_matrix, exact_step, linear_drift, matrix_of, square_root
from fpsolver.errors import MethodError
from fpsolver.kernels.cpu.accounts import Rows
from fpsolver.kernels.cpu.additive import Functions, Law, Run, Schedule

SCHEMES = ("euler-maruyama", "heun", "leimkuhler-matthews", "ornstein-uhlenbeck")
EULER_MARUYAMA, HEUN, LEIMKUHLER_MATTHEWS, ORNSTEIN_UHLENBECK = SCHEMES
WEAK_2 = "weak-2"
"""With additive noise Heun's step is the weak-order-2 scheme (Kloeden and Platen 1992, eq. (15.1.1), constant b)."""

SEGMENT_STEPS = 4096
"""Steps of a driven segment: their tables fill some hundred kilobytes."""


@dataclass(frozen=True, eq=False)
class AdditiveIntegrator(Integrator):
    """Overdamped dynamics with constant diffusion, dθ = −M(∇L − F) dt + √(2D) dW.

    Parameters
    ----------
    request : Request
        What is to be integrated.
    system : System
        Its compiled functions.
    """

    request: Request
    system: System

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Variables, then functionals."""
        return (*self.request.dynamics.landscape.variables, *self.request.functionals.names)

    @property
    def longest(self) -> int:  # type: ignore[override]
        """Most steps of one segment."""
        return SEGMENT_STEPS if self.request.dynamics.driven or self.system.parameters.timed else 1 << 30

    def segment(self, step: int, steps: int) -> Any:
        """Return the arguments of the kernel for the given steps."""
        request = self.request
        scheme = SCHEMES.index(HEUN if request.scheme == WEAK_2 else request.scheme)
        run = Run(scheme, request.kind, *request.key, step, steps, request.dt, request.limit)
        times = request.half_times(step, steps)
        system = self.system
        functions = Functions(
            system.value, system.gradient, system.force, system.has_force, system.rates, system.fields
        )
        schedule = Schedule(*system.parameters.schedule(times))
        return run, functions, system.parameters.values, self._law(times[1::2]), schedule, self._rows()

    def advance(self, segment: Any, states: np.ndarray, counts: np.ndarray, first: int) -> Failure:
        """Advance blocks in place."""
        kernel = launcher(self.request.device, "additive")
        return kernel.advance(states, counts, first, *segment)

    def _rows(self) -> Rows:
        functionals, d = self.request.functionals, self.request.dynamics.landscape.dimension
        first = d + len(functionals.standard)
        work, heat, shadow, exact, midpoint = (functionals.row(name, d) for name in STANDARD)
        rates, fields = len(functionals.rates), len(functionals.fields)
        return Rows(work, heat, shadow, exact, midpoint, first, rates, first + rates, fields)

    def _law(self, times: np.ndarray) -> Law:
        dynamics = self.request.dynamics
        exact = self.request.scheme == ORNSTEIN_UHLENBECK
        # Schemes other than the exact step see the landscape through its compiled functions, at any time.
        varying = dynamics.driven if exact else any(name in dynamics.protocol for name in dynamics.drivable)
        step = self._exact_step if exact else self._step
        found = [step(dynamics.at(float(t))) for t in (times if varying else times[:1])]
        drift, offset, noise, reverse, conjugate = (np.stack(parts) for parts in zip(*found, strict=True))
        diagonal = all(_is_diagonal(matrices) for matrices in (drift, noise, reverse, conjugate))
        return Law(diagonal, drift, offset, noise, reverse, conjugate)

    def _step(self, dynamics: Langevin) -> tuple[np.ndarray, ...]:
        d, dt = dynamics.landscape.dimension, self.request.dt
        mobility, diffusion = matrix_of(dynamics.mobility, d), diffusion_matrix(dynamics)
        noise = square_root(2.0 * dt * diffusion)
        reverse, conjugate = np.zeros((d, d)), np.zeros((d, d))
        if self._needs_inverse():
            reverse, conjugate = np.linalg.solve(noise, dt * mobility), np.linalg.solve(diffusion, mobility).T
        return dt * mobility, np.zeros(d), noise, reverse, conjugate

    def _exact_step(self, dynamics: Langevin) -> tuple[np.ndarray, ...]:
        d = dynamics.landscape.dimension
        linear = linear_drift(dynamics)
        assert linear is not None  # refused when the integrator was built
        transition, shift, covariance = exact_step(*linear, self.request.dt)
        noise, conjugate, reverse = square_root(covariance), np.zeros((d, d)), np.zeros((d, d))
        if self._needs_inverse():
            reverse = np.linalg.inv(noise)
            conjugate = np.linalg.solve(linear[2], matrix_of(dynamics.mobility, d)).T
        return transition, shift, noise, reverse, conjugate

    def _needs_inverse(self) -> bool:
        return any(name in self.request.functionals.standard for name in ("entropy_flow", "entropy_flow_midpoint"))


def additive_integrator(request: Request) -> AdditiveIntegrator:
    """Return the integrator of overdamped dynamics with additive noise.

    Raises
    ------
    DeviceError
        If the device is not there.
    MethodError
        If the scheme cannot serve the request.
    """
    launcher(request.device, "additive")  # refuses before anything is compiled
    _check(request)
    return AdditiveIntegrator(request, compile_system(request, request.dynamics.landscape.variables))


def _check(request: Request) -> None:
    functionals, scheme, dynamics = request.functionals, request.scheme, request.dynamics
    if scheme == LEIMKUHLER_MATTHEWS and functionals:
        raise MethodError(
            f'scheme = "{scheme}" cannot carry path functionals ({", ".join(functionals.names)}): its noise is shared '
            f'between neighbouring steps, so that positions alone are not Markov; choose "{EULER_MARUYAMA}" or "{HEUN}"'
        )
    if scheme == ORNSTEIN_UHLENBECK and linear_drift(dynamics.at(0.0)) is None:
        raise MethodError(
            f'scheme = "{scheme}" is exact for a quadratic landscape with constant mobility and diffusion and a linear '
            f'force, which this is not; choose "{HEUN}" or "{EULER_MARUYAMA}"'
        )
    if request.noise != "gaussian" and scheme in (ORNSTEIN_UHLENBECK, LEIMKUHLER_MATTHEWS):
        raise MethodError(f'scheme = "{scheme}" needs noise = "gaussian", not "{request.noise}"')
    if scheme == WEAK_2 and request.noise == "rademacher":
        raise MethodError(
            f'scheme = "{WEAK_2}" needs the first five moments of Gaussian noise, and "rademacher" has three; choose '
            'noise = "three-point" or "gaussian"'
        )
    if scheme in (HEUN, WEAK_2):
        functionals.refuse(
            ("entropy_flow",),
            f'has no discrete form for scheme = "{scheme}", whose step has no density in closed form; choose '
            f'"{EULER_MARUYAMA}", or "entropy_flow_midpoint"',
        )
    if request.noise != "gaussian":
        functionals.refuse(
            ("entropy_flow",),
            f'has no discrete form for noise = "{request.noise}": a step back has probability zero; choose "gaussian"',
        )
    _check_definite(request)


def _check_definite(request: Request) -> None:
    start = request.dynamics.at(0.0)
    flows = [name for name in ("entropy_flow", "entropy_flow_midpoint") if name in request.functionals.standard]
    if flows and np.linalg.eigvalsh(diffusion_matrix(start))[0] <= 0:
        raise MethodError(
            f'"{flows[0]}" needs a diffusion matrix without zero eigenvalues; at T = 0, or where some direction has no '
            "noise, entropy production is infinite"
        )


def _is_diagonal(matrices: np.ndarray) -> bool:
    return not np.any(matrices * (1.0 - np.eye(matrices.shape[-1])))
