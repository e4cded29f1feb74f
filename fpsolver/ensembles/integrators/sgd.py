"""Stochastic gradient descent, θ′ = θ + v′, v′ = βv − η(g + λθ): which kernel serves, and steps without momentum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fpsolver.device import launcher
from fpsolver.dynamics import SGD, MinibatchNoise
from fpsolver.ensembles.coefficients_in_time import coefficients_in_time
from fpsolver.ensembles.integrators.additive import AdditiveIntegrator, require_definite
from fpsolver.ensembles.integrators.chain_constants import coefficients_of, followed
from fpsolver.ensembles.integrators.compiled import compile_system
from fpsolver.ensembles.integrators.integrator import Integrator, Request
from fpsolver.ensembles.integrators.multiplicative import MultiplicativeIntegrator
from fpsolver.ensembles.integrators.noise_functions import compile_noise
from fpsolver.errors import MethodError
from fpsolver.kernels.cpu.multiplicative_steps import Law


@dataclass(frozen=True, eq=False)
class ConstantNoiseChain(AdditiveIntegrator):
    """Gradient descent with normal noise of constant covariance: a step of Euler and Maruyama.

    θ′ = θ − η(∇L + λθ) + η√(C₁/B) z is the step of dθ = −M∇L dt + √(2D) dW over dt = 1 with M = η and D = η²C₁/2B.
    """

    @property
    def tensor(self) -> bool:
        """Whether C₁ is a matrix."""
        covariance = self.request.dynamics.covariance
        return covariance is not None and covariance.kind == "tensor"

    def coefficients(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return M and D of steps, each (n_steps, d, d), or (1, d, d) where it is constant."""
        dynamics: SGD = self.request.dynamics
        unity, covariance = coefficients_in_time(coefficients_of(dynamics), times)
        rate = followed(dynamics, "learning_rate", times)[:, None, None]
        if dynamics.noise is None:
            return rate * unity, 0.0 * covariance
        size = followed(dynamics, "batch_size", times)[:, None, None]
        return rate * unity, 0.5 * rate**2 / size * covariance


@dataclass(frozen=True, eq=False)
class VaryingNoiseChain(MultiplicativeIntegrator):
    """Gradient descent with normal noise whose covariance depends on θ: a step of Euler and Maruyama, in Itô's sense.

    The diffusion is D = η²C₁(θ)/2B per step, the mobility η.
    """

    def _law(self, times: np.ndarray) -> Law:
        dynamics, noise = self.request.dynamics, self.noise
        rate = followed(dynamics, "learning_rate", times)
        scale = 0.5 * rate**2 / followed(dynamics, "batch_size", times)
        n = max(len(rate), len(scale))
        return Law(
            dynamics.landscape.dimension, noise.noise_kind, noise.mobility_kind, False, noise.separable, noise.shares,
            noise.flow_shares, np.broadcast_to(scale, (n,)).copy(), np.broadcast_to(rate, (n,)).copy(),
        )  # fmt: skip


def sgd_integrator(request: Request) -> Integrator:
    """Return the integrator of stochastic gradient descent.

    Raises
    ------
    DeviceError
        If the device is not there.
    MethodError
        If the request cannot be served.
    """
    dynamics: SGD = request.dynamics
    if request.noise != "gaussian" and dynamics.noise is not None:
        raise MethodError(
            f'noise = "{request.noise}" is for time steps of diffusions; gradient descent has the noise that '
            "fp.SGD(noise=…) gives it: leave it out"
        )
    if dynamics.inertial or isinstance(dynamics.noise, MinibatchNoise):
        from fpsolver.ensembles.integrators.momentum import momentum_integrator

        return momentum_integrator(request)
    if dynamics.covariance is not None and dynamics.covariance.varies:
        return _varying(request)
    return constant_noise_chain(request)


def constant_noise_chain(request: Request) -> ConstantNoiseChain:
    """Return the integrator of gradient descent without momentum and with normal noise of constant covariance.

    Raises
    ------
    DeviceError
        If the device is not there.
    MethodError
        If an entropy flow is asked for and the covariance is singular.
    """
    launcher(request.device, "additive")
    if request.dynamics.noise is None:
        request = replace(request, noise="rademacher")  # numbers that are multiplied by zero: those made fastest
    chain = ConstantNoiseChain(request, compile_system(request, request.dynamics.landscape.variables))
    start = np.zeros(1)
    require_definite(request, chain.coefficients(start)[1], start)
    return chain


def _varying(request: Request) -> VaryingNoiseChain:
    launcher(request.device, "multiplicative")
    request.functionals.refuse(
        ("entropy_flow",),
        "has no discrete form for SGD whose noise depends on the position; choose "
        '"entropy_flow_midpoint", its limit for small learning rates',
    )
    system = compile_system(request, request.dynamics.landscape.variables)
    flow = "entropy_flow_midpoint" in request.functionals.standard
    names = system.parameters.names
    law = coefficients_of(request.dynamics)
    noise = compile_noise(law, names, request.precision, request.device, midpoint=False, flow=flow)
    return VaryingNoiseChain(request, system, noise)
