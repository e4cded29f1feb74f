"""What the steps of gradient descent are made of: learning rate, momentum, batch size and C₁ at many steps at once."""

from __future__ import annotations

import numpy as np

from fpsolver.dynamics import SGD, Langevin, MinibatchNoise
from fpsolver.errors import DynamicsError
from fpsolver.landscapes.regression import EmpiricalRisk


def followed(dynamics: SGD, name: str, steps: np.ndarray) -> np.ndarray:
    """Return the learning rate, momentum or batch size at some steps: as many values, or one where it is constant.

    Raises
    ------
    DynamicsError
        If a protocol leaves the range of what it drives.
    """
    protocol = (dynamics.protocol or {}).get(name)
    if protocol is None:
        return np.array([getattr(dynamics, name)])
    values = np.array(np.broadcast_to(protocol(steps), steps.shape), dtype=float)
    allowed = np.isfinite(values) & _in_range(dynamics, name, values)
    if not allowed.all():
        bad = int(np.argmin(allowed))
        dynamics.at(float(steps[bad]))  # raises, and says what is wrong
        raise DynamicsError(f"the protocol of {name!r} is {values[bad]:g} at step {steps[bad]:g}")
    return values


def _in_range(dynamics: SGD, name: str, values: np.ndarray) -> np.ndarray:
    if name == "momentum":
        return (values >= 0) & (values < 1)
    if name == "learning_rate" or not isinstance(dynamics.noise, MinibatchNoise):
        return values > 0
    assert isinstance(dynamics.landscape, EmpiricalRisk)
    most = np.inf if dynamics.noise.replacement else dynamics.landscape.n_examples
    return (values >= 1) & (values <= most) & (values == np.rint(values))


def coefficients_of(dynamics: SGD) -> Langevin:
    """Return Langevin dynamics with mobility one and diffusion C₁: a carrier of coefficients, not a limit."""
    own = {name: protocol for name, protocol in (dynamics.protocol or {}).items() if name not in dynamics.drivable}
    covariance = 0.0 if dynamics.covariance is None else dynamics.covariance
    return Langevin(dynamics.landscape, diffusion=covariance, convention="ito", protocol=own)
