"""Underdamped schemes: the splittings BAOAB and OBABO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fpsolver.device import launcher
from fpsolver.ensembles.integrators.compiled import System, compile_system
from fpsolver.ensembles.integrators.integrator import Integrator, Request
from fpsolver.errors import InputError, MethodError
from fpsolver.kernels.cpu.driver import Run, Schedule
from fpsolver.kernels.cpu.underdamped import DRIFT, GRADIENT, KICK, THERMOSTAT, Functions, Law

SCHEMES = {
    "baoab": (KICK, DRIFT, THERMOSTAT, DRIFT, GRADIENT, KICK),
    "obabo": (THERMOSTAT, KICK, DRIFT, GRADIENT, KICK, THERMOSTAT),
}
"""The parts of a step; each kind shares the time step among its parts."""


@dataclass(frozen=True, eq=False)
class UnderdampedIntegrator(Integrator):
    """Underdamped dynamics, dθ = v dt, dv = −∇L/m dt − γ v dt + √(2γT/m) dW, by splitting.

    BAOAB has the smaller error in averages over positions (none on a parabola); a step of OBABO has two random
    variables for each velocity and a density in phase space. Both are of weak order 2 and, without friction, velocity
    Verlet.

    Parameters
    ----------
    request : Request
        What is to be integrated.
    system : System
        Its compiled functions.
    """

    kernel: ClassVar[str] = "underdamped"

    request: Request
    system: System

    @property
    def names(self) -> tuple[str, ...]:
        """Variables, velocities, then functionals."""
        variables = self.request.dynamics.landscape.variables
        return (*variables, *velocity_names(variables), *self.request.functionals.names)

    def segment(self, step: int, steps: int) -> Any:
        """Return the arguments of the kernel for the given steps.

        Raises
        ------
        DynamicsError
            If a protocol leaves the range of what it drives.
        MethodError
            If the temperature falls to zero where entropy is counted.
        """
        request, system = self.request, self.system
        # The scheme is in the parts of the law, not in its number.
        run = Run(0, request.kind, *request.key, step, steps, request.dt, request.limit)
        # Where nothing depends on time, one moment stands for all, however many steps there are.
        times = request.half_times(step, steps if self.timed else 0)
        functions = Functions(system.value, system.gradient, system.rates, system.fields)
        schedule = Schedule(*system.parameters.schedule(times))
        return (
            run,
            functions,
            system.parameters.values,
            self._law(times),
            schedule,
            request.functionals.rows(2 * request.dynamics.landscape.dimension),
        )

    def _law(self, times: np.ndarray) -> Law:
        """Return the constants of steps, taken at their middles."""
        request, dynamics = self.request, self.request.dynamics
        varying = any(name in dynamics.protocol for name in dynamics.drivable)
        moments = times[1::2] if varying else times[:1]
        temperature = _followed(dynamics, "temperature", moments)
        friction = _followed(dynamics, "friction", moments)
        cold = (temperature == 0) & (friction > 0)
        if "entropy_flow" in request.functionals.standard and cold.any():
            raise MethodError(
                f'"entropy_flow" at t = {moments[np.argmax(cold)]:g}: the temperature is zero there, and the entropy '
                "given to the bath infinite; ask for heat instead, or keep the temperature above zero"
            )
        parts = SCHEMES[request.scheme]
        kick, drift, duration = (request.dt / parts.count(kind) for kind in (KICK, DRIFT, THERMOSTAT))
        silent = any(name not in dynamics.protocol and getattr(dynamics, name) == 0 for name in dynamics.drivable)
        return Law(
            np.array(parts),
            np.array(dynamics.masses),
            kick / dynamics.masses,
            drift,
            np.exp(-friction * duration),
            thermostat_noise(temperature, friction, duration)[:, None] / np.sqrt(dynamics.masses),
            np.divide(1.0, temperature, out=np.zeros_like(temperature), where=temperature > 0),
            silent,
        )


def thermostat_noise(temperature: Any, friction: Any, duration: float) -> np.ndarray:
    """Return √((1 − exp(−2γτ)) T), the momentum that a thermostat of duration τ gives to unit mass, as a deviation.

    Examples
    --------
    >>> float(thermostat_noise(4.0, 1e9, 1.0))
    2.0
    """
    return np.sqrt(-np.expm1(-2.0 * np.asarray(friction) * duration) * temperature)


def velocity_names(variables: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the velocities of variables are called.

    Raises
    ------
    InputError
        If a variable has the name of another one's velocity.

    Examples
    --------
    >>> velocity_names(("x", "y"))
    ('v_x', 'v_y')
    """
    names = tuple(f"v_{name}" for name in variables)
    for name, variable in zip(names, variables, strict=True):
        if name in variables:
            raise InputError(f'the variable "{name}" has the name of the velocity of "{variable}"; rename one of them')
    return names


def underdamped_integrator(request: Request) -> UnderdampedIntegrator:
    """Return the integrator of underdamped dynamics.

    Raises
    ------
    DeviceError
        If the device is not there.
    InputError
        If a variable or a parameter has the name of a velocity.
    MethodError
        If the scheme cannot serve the request.
    """
    launcher(request.device, "underdamped")  # refuses before anything is compiled
    landscape = request.dynamics.landscape
    velocities = velocity_names(landscape.variables)
    for name in velocities:
        if name in landscape.parameters:
            raise InputError(f'the parameter "{name}" has the name of a velocity; rename it')
    _check(request)
    return UnderdampedIntegrator(request, compile_system(request, (*landscape.variables, *velocities)))


def _check(request: Request) -> None:
    functionals = request.functionals
    functionals.refuse(
        ("entropy_flow_midpoint",),
        "belongs to overdamped dynamics, where heat is an integral along the path; here the heat is taken in a part of "
        'the step of its own, and "entropy_flow", heat over temperature, is exact and converges as well',
    )
    if request.noise != "gaussian":
        functionals.refuse(
            ("entropy_flow",),
            f'has no discrete form for noise = "{request.noise}": a step back has probability zero; choose "gaussian"',
        )
    start = request.dynamics.at(0.5 * request.dt)  # steps ask for parameters at their middle
    if start.temperature == 0 and start.friction > 0:
        functionals.refuse(
            ("entropy_flow",), "is infinite at T = 0; ask for heat instead, or give a positive temperature"
        )


def _followed(dynamics: Any, name: str, times: np.ndarray) -> np.ndarray:
    """Return the temperature or the friction at some times.

    Raises
    ------
    DynamicsError
        If it is negative or not finite.
    """
    if name not in dynamics.protocol:
        return np.full(len(times), getattr(dynamics, name))
    values = np.array(dynamics.protocol[name](times))
    allowed = np.isfinite(values) & (values >= 0)
    if not allowed.all():
        dynamics.at(float(times[np.argmin(allowed)]))  # raises, and says what is wrong
    return values
