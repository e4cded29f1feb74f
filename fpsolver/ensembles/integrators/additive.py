"""Overdamped schemes for additive noise: Euler–Maruyama, Heun, Leimkuhler–Matthews, exact Ornstein–Uhlenbeck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fpsolver.device import launcher
from fpsolver.dynamics import Langevin
from fpsolver.ensembles.coefficients_in_time import coefficients_in_time
from fpsolver.ensembles.integrators.compiled import System, compile_system
from fpsolver.ensembles.integrators.integrator import Integrator, Request
from fpsolver.ensembles.linear_drift import exact_step, linear_drift, square_root, square_roots
from fpsolver.errors import MethodError
from fpsolver.kernels.cpu.additive import Functions, Law
from fpsolver.kernels.cpu.driver import Run, Schedule

SCHEMES = ("euler-maruyama", "heun", "leimkuhler-matthews", "ornstein-uhlenbeck")
EULER_MARUYAMA, HEUN, LEIMKUHLER_MATTHEWS, ORNSTEIN_UHLENBECK = SCHEMES
WEAK_2 = "weak-2"
"""With additive noise Heun's step is the weak-order-2 scheme (Kloeden and Platen 1992, eq. (15.1.1), constant b)."""

CHAIN = "sgd"
"""With constant noise a step of gradient descent is one of Euler and Maruyama."""

NUMBERS = {name: number for number, name in enumerate(SCHEMES)} | {WEAK_2: 1, CHAIN: 0}
"""Schemes as the kernel numbers them."""


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

    kernel: ClassVar[str] = "additive"

    request: Request
    system: System

    def segment(self, step: int, steps: int) -> Any:
        """Return the arguments of the kernel for the given steps."""
        request = self.request
        run = Run(NUMBERS[request.scheme], request.kind, *request.key, step, steps, request.dt, request.limit)
        # A single undriven trajectory may take 10⁸ steps at once, and needs no table of times.
        times = request.half_times(step, steps if self.timed else 1)
        system = self.system
        functions = Functions(
            system.value, system.gradient, system.force, system.has_force, system.rates, system.fields
        )
        schedule = Schedule(*system.parameters.schedule(times))
        return (
            run,
            functions,
            system.parameters.values,
            self._law(times[1::2]),
            schedule,
            request.functionals.rows(request.dynamics.landscape.dimension),
        )

    @property
    def tensor(self) -> bool:
        """Whether a coefficient is a matrix."""
        return "tensor" in (self.request.dynamics.mobility.kind, self.request.dynamics.noise.kind)

    def coefficients(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return M and D at some times, each (n_times, d, d), or (1, d, d) where it is constant."""
        return coefficients_in_time(self.request.dynamics, times)

    def _law(self, times: np.ndarray) -> Law:
        dynamics = self.request.dynamics
        if self.request.scheme == ORNSTEIN_UHLENBECK:
            steps = [self._exact_step(float(t)) for t in (times if dynamics.driven else times[:1])]
            parts = [np.stack(matrices) for matrices in zip(*steps, strict=True)]
        else:
            parts = self._steps(times)
        tensor = self.request.scheme == ORNSTEIN_UHLENBECK or self.tensor
        return _stacked(parts, dynamics.driven and tensor)

    def _steps(self, times: np.ndarray) -> list[np.ndarray]:
        """Return the matrices of all schemes but the exact one, for which the landscape is not asked."""
        d, dt = self.request.dynamics.landscape.dimension, self.request.dt
        mobility, diffusion = self.coefficients(times)
        noise = square_roots(2.0 * dt * diffusion)
        reverse = conjugate = np.zeros((1, d, d))
        if self._needs_inverse():
            require_definite(self.request, diffusion, times)
            reverse = np.linalg.solve(noise, dt * mobility)
            conjugate = np.swapaxes(np.linalg.solve(diffusion, mobility), 1, 2)
        return [dt * mobility, np.zeros((1, d)), noise, reverse, conjugate]

    def _exact_step(self, t: float) -> tuple[np.ndarray, ...]:
        dynamics = self.request.dynamics.at(t)
        d = dynamics.landscape.dimension
        linear = _required_drift(dynamics)
        with np.errstate(over="ignore", invalid="ignore"):
            transition, shift, covariance = exact_step(*linear, self.request.dt)
        if not all(np.isfinite(part).all() for part in (transition, shift, covariance)):
            raise MethodError(
                f"dt = {self.request.dt:g} is so long that an unstable direction of the landscape grows beyond all "
                "numbers within one step; make dt smaller"
            )
        noise, conjugate, reverse = square_root(covariance), np.zeros((d, d)), np.zeros((d, d))
        if self._needs_inverse():
            require_definite(self.request, linear[2][None], np.array([t]))
            (mobility,), _ = coefficients_in_time(dynamics, np.zeros(1))
            reverse = np.linalg.inv(noise)
            conjugate = np.linalg.solve(linear[2], mobility).T
        return transition, shift, noise, reverse, conjugate

    def _needs_inverse(self) -> bool:
        return any(name in self.request.functionals.standard for name in ("entropy_flow", "entropy_flow_midpoint"))


def _stacked(parts: Sequence[np.ndarray], mixed: bool) -> Law:
    """Return the law of steps from drift, offset, noise, reverse and conjugate, each with one entry or one a step.

    Parameters
    ----------
    parts : sequence of ndarray
        See `Law`.
    mixed : bool
        Whether matrices that are diagonal now may not be so at other times: loops for diagonal matrices round
        differently, and which are taken is a matter of the problem, not of these times.
    """
    n, d = max(map(len, parts)), parts[0].shape[-1]
    # Copies: for views that are read-only the kernel would be compiled once more.
    drift, offset, noise, reverse, conjugate = (
        np.array(np.broadcast_to(part, (n, *part.shape[1:])), order="C") for part in parts
    )
    settled = d == 1 or not mixed
    diagonal = settled and all(_is_diagonal(part) for part in (drift, noise, reverse, conjugate))
    return Law(diagonal, drift, offset, noise, reverse, conjugate)


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
    # The exact step is made of the Hessian; only functionals along the path ask for slopes.
    gradient = request.scheme != ORNSTEIN_UHLENBECK or bool(request.functionals)
    system = compile_system(request, request.dynamics.landscape.variables, gradient=gradient)
    return AdditiveIntegrator(request, system)


def _check(request: Request) -> None:
    functionals, scheme, dynamics = request.functionals, request.scheme, request.dynamics
    if scheme == LEIMKUHLER_MATTHEWS and functionals:
        raise MethodError(
            f'scheme = "{scheme}" cannot carry path functionals ({", ".join(functionals.names)}): its noise is shared '
            f'between neighbouring steps, so that positions alone are not Markov; choose "{EULER_MARUYAMA}" or "{HEUN}"'
        )
    if scheme == ORNSTEIN_UHLENBECK:
        _required_drift(dynamics.at(0.0))
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


def _required_drift(dynamics: Langevin) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    linear = linear_drift(dynamics)
    if linear is None:
        raise MethodError(
            f'scheme = "{ORNSTEIN_UHLENBECK}" is exact for a quadratic landscape with constant mobility and diffusion '
            f'and a linear force, which this is not; choose "{HEUN}" or "{EULER_MARUYAMA}"'
        )
    return linear


def _check_definite(request: Request) -> None:
    moment = 0.5 * request.dt  # steps ask for parameters at their middle
    _, diffusion = coefficients_in_time(request.dynamics.at(moment), np.zeros(1))
    require_definite(request, diffusion, np.array([moment]))


def require_definite(request: Request, diffusion: np.ndarray, times: np.ndarray) -> None:
    """Raise where an entropy flow is asked for and a diffusion matrix (n_times, d, d) is singular.

    Raises
    ------
    MethodError
        Naming the functional.
    """
    flows = [name for name in ("entropy_flow", "entropy_flow_midpoint") if name in request.functionals.standard]
    if not flows:
        return
    values = np.linalg.eigvalsh(diffusion)
    # An eigenvalue that is zero comes out as a rounding error of the largest.
    singular = values[:, 0] <= 8 * values.shape[1] * np.finfo(float).eps * np.abs(values[:, -1])
    if singular.any():
        when = f" at t = {times[int(np.argmax(singular))]:g}" if request.dynamics.driven else ""
        raise MethodError(
            f'"{flows[0]}" needs a diffusion matrix without zero eigenvalues{when}; at T = 0, or where some direction '
            "has no noise, entropy production is infinite"
        )


def _is_diagonal(matrices: np.ndarray) -> bool:
    return not np.any(matrices * (1.0 - np.eye(matrices.shape[-1])))
