"""Gradient descent with momentum, and with minibatches of real examples."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from fpsolver.device import launcher
from fpsolver.dynamics import SGD, MinibatchNoise
from fpsolver.dynamics.coefficient import KINDS
from fpsolver.ensembles.coefficients_in_time import coefficients_in_time
from fpsolver.ensembles.functionals import STANDARD
from fpsolver.ensembles.integrators.chain_constants import coefficients_of, followed
from fpsolver.ensembles.integrators.compiled import FUNCTIONS, System, compile_system
from fpsolver.ensembles.integrators.integrator import Integrator, Request
from fpsolver.ensembles.integrators.noise_functions import compile_noise
from fpsolver.ensembles.integrators.underdamped import velocity_names
from fpsolver.ensembles.linear_drift import square_roots
from fpsolver.errors import InputError, MethodError
from fpsolver.kernels.cpu.driver import Run, Schedule
from fpsolver.kernels.cpu.minibatch import LARGEST_BATCH, Examples
from fpsolver.kernels.cpu.momentum import BATCHES, CONSTANT, NONE, VARYING, Functions, Law
from fpsolver.landscapes.block_functions import BlockFunctions
from fpsolver.landscapes.regression import EmpiricalRisk

LARGEST_SET = 1 << 32
"""Examples that random indices of 32 bits reach."""


@dataclass(frozen=True, eq=False)
class MomentumIntegrator(Integrator):
    """The chain v′ = βv − η(g + λθ), θ′ = θ + v′, with g at θ, or at θ + βv for Nesterov's method.

    Parameters
    ----------
    request : Request
        What is to be integrated.
    system : System
        Its compiled functions.
    noise : compiled block function
        The packed rows of C₁(θ), where they depend on θ.
    examples : Examples
        The data that minibatches are drawn from; empty without.
    """

    kernel: ClassVar[str] = "momentum"

    request: Request
    system: System
    noise: Any
    examples: Examples

    @property
    def names(self) -> tuple[str, ...]:
        """Variables, velocities where there is momentum, then functionals."""
        dynamics: SGD = self.request.dynamics
        variables = dynamics.landscape.variables
        velocities = velocity_names(variables) if dynamics.inertial else ()
        return (*variables, *velocities, *self.request.functionals.names)

    @property
    def source(self) -> int:
        """Kind of noise, as the kernel numbers them."""
        dynamics: SGD = self.request.dynamics
        if isinstance(dynamics.noise, MinibatchNoise):
            return BATCHES
        if dynamics.covariance is None:
            return NONE
        return VARYING if dynamics.covariance.varies else CONSTANT

    def segment(self, step: int, steps: int) -> Any:
        """Return the arguments of the kernel for the given steps.

        Raises
        ------
        DynamicsError
            If a protocol leaves the range of what it drives.
        """
        request, system = self.request, self.system
        run = Run(0, 0, *request.key, step, steps, request.dt, request.limit)
        times = request.half_times(step, steps if self.timed else 0)
        functions = Functions(
            system.value, system.gradient, system.force, system.has_force, system.rates, system.fields, self.noise
        )
        width = len(self.names) - len(request.functionals.names)
        return (
            run,
            functions,
            system.parameters.values,
            self._law(times[1::2] if self.timed else times),
            Schedule(*system.parameters.schedule(times)),
            request.functionals.rows(width),
        )

    def _law(self, steps: np.ndarray) -> Law:
        dynamics: SGD = self.request.dynamics
        d = dynamics.landscape.dimension
        rate, size = followed(dynamics, "learning_rate", steps), followed(dynamics, "batch_size", steps)
        source, kind = self.source, "scalar" if dynamics.covariance is None else dynamics.covariance.kind
        # A matter of the problem, not of these steps: products with a matrix round differently.
        diagonal = kind != "tensor"
        matrix, weight = np.zeros((1, d, d)), np.zeros((1, d))
        if source == CONSTANT:
            _, covariance = coefficients_in_time(coefficients_of(dynamics), steps)
            matrix = (rate / np.sqrt(size))[:, None, None] * square_roots(covariance)
            weight = np.ascontiguousarray(np.einsum("nii->ni", matrix)) if diagonal else np.ones((1, d))
        if source == VARYING:
            weight = np.ones((1, d))
        if source == BATCHES and size.max() > LARGEST_BATCH:
            raise MethodError(f"batches of {size.max():g} examples are more than the {LARGEST_BATCH} a step can draw")
        momentum = followed(dynamics, "momentum", steps)
        constants = np.stack(np.broadcast_arrays(rate, momentum, rate / np.sqrt(size)), axis=1)
        batch = size.astype(np.int64) if source == BATCHES else np.zeros(1, np.int64)
        return Law(
            d, dynamics.inertial, dynamics.nesterov, source, KINDS.index(kind), diagonal, int(batch.max()), constants,
            matrix, weight, batch, self.examples,
        )  # fmt: skip


def momentum_integrator(request: Request) -> MomentumIntegrator:
    """Return the integrator of gradient descent with momentum or with minibatches.

    Raises
    ------
    DeviceError
        If the device is not there.
    InputError
        If a variable or a parameter has the name of a velocity.
    MethodError
        If the request cannot be served.
    """
    launcher(request.device, "momentum")  # refuses before anything is compiled
    dynamics: SGD = request.dynamics
    landscape, functions = dynamics.landscape, import_module(FUNCTIONS[request.device])
    batches = isinstance(dynamics.noise, MinibatchNoise)
    _check(request, batches)
    coordinates = landscape.variables
    if dynamics.inertial:
        coordinates = (*coordinates, *velocity_names(coordinates))
        for name in coordinates:
            if name in landscape.parameters:
                raise InputError(f'the parameter "{name}" has the name of a velocity; rename it')
    silent = functions.nothing(request.precision)
    if batches:
        # Data are read where they are, not from the parameters, which every block would copy.
        parameters = np.array(list(landscape.parameters.values()))
        blocks = BlockFunctions(lambda: silent, lambda: silent, parameters)
        system = compile_system(request, coordinates, blocks=blocks)
        return MomentumIntegrator(request, system, silent, examples_of(dynamics, request.dtype))
    system = compile_system(request, coordinates)
    noise = silent
    if dynamics.covariance is not None and dynamics.covariance.varies:
        names = system.parameters.names
        law = coefficients_of(dynamics)
        noise = compile_noise(law, names, request.precision, request.device, midpoint=False, flow=False).noise
    return MomentumIntegrator(request, system, noise, examples_of(dynamics, request.dtype))


def examples_of(dynamics: SGD, dtype: Any) -> Examples:
    """Return the data that minibatches are drawn from; empty arrays where there are none."""
    landscape, noise = dynamics.landscape, dynamics.noise
    if not isinstance(noise, MinibatchNoise):
        return Examples(np.zeros(0, dtype), np.zeros(0, dtype), np.zeros(0, dtype), False, True)
    assert isinstance(landscape, EmpiricalRisk)
    features, targets, penalised = (
        np.array(part, dtype).ravel() for part in (landscape.features, landscape.targets, landscape.penalised)
    )
    return Examples(features, targets, penalised, landscape.loss == "logistic", noise.replacement)


def _check(request: Request, batches: bool) -> None:
    dynamics: SGD = request.dynamics
    kind = "minibatches" if batches else "momentum"
    allowed = () if batches else ("work",)
    request.functionals.refuse(
        tuple(name for name in STANDARD if name not in allowed),
        f"is not known for SGD with {kind}, whose noise is no heat bath; choose fp.TimeIntegral or fp.PathIntegral",
    )
    if batches:
        assert isinstance(dynamics.landscape, EmpiricalRisk)
        if request.device != "cpu":
            raise MethodError('minibatches are drawn on device = "cpu" alone; choose that, or fp.GaussianNoise')
        if dynamics.landscape.n_examples >= LARGEST_SET:
            raise MethodError(f"minibatches can be drawn from fewer than {LARGEST_SET} examples")
