"""Mobility and diffusion matrices that do not depend on θ, at many times at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fpsolver.dynamics import Langevin
from fpsolver.dynamics.coefficient import Coefficient, check_semidefinite
from fpsolver.landscapes.expression import check_syntax


def matrix_of(coefficient: Coefficient, dimension: int, parameters: Mapping[str, float]) -> np.ndarray:
    """Return a scalar, vector or tensor that does not depend on θ as a matrix (d, d)."""
    values = coefficient.evaluate(np.zeros(dimension), parameters)
    return np.array(values) if coefficient.kind == "tensor" else np.diag(np.broadcast_to(values, (dimension,)))


def coefficients_in_time(dynamics: Langevin, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices M and D at given times, each of shape (n_times, d, d), or (1, d, d) where it is constant.

    Parameters
    ----------
    dynamics : Langevin
        With mobility and diffusion that do not depend on θ.
    times : ndarray, shape (n_times,)
        Times.

    Raises
    ------
    DynamicsError
        If a protocol makes one of them negative or infinite.
    """
    driven = {name: np.asarray(protocol(times)) for name, protocol in (dynamics.protocol or {}).items()}
    for name in dynamics.drivable:
        if name in driven and not (np.isfinite(driven[name]) & (driven[name] >= 0)).all():
            dynamics.at(float(times[np.argmin(np.where(driven[name] >= 0, driven[name], -np.inf))]))
    mobility = _matrices(dynamics, dynamics.mobility, driven)
    if dynamics.diffusion is not None:
        return mobility, _matrices(dynamics, dynamics.diffusion, driven)
    temperature = driven.get("temperature", np.array([dynamics.temperature], dtype=float))
    return mobility, temperature[:, None, None] * mobility


def _matrices(dynamics: Langevin, coefficient: Any, driven: Mapping[str, np.ndarray]) -> np.ndarray:
    landscape = dynamics.landscape
    d, parameters = landscape.dimension, dict(landscape.parameters)
    if coefficient.name in dynamics.drivable and coefficient.name in driven:
        return driven[coefficient.name][:, None, None] * np.eye(d)
    if coefficient.constant is not None:
        return matrix_of(coefficient, d, parameters)[None]
    names = set().union(*(check_syntax(text).names for text in coefficient.texts or ()))
    used = {name: values for name, values in driven.items() if name in names}
    moments = len(next(iter(used.values()))) if used else 1
    changes = ({name: float(values[k]) for name, values in used.items()} for k in range(moments))
    found = np.stack([matrix_of(coefficient, d, parameters | change) for change in changes])
    check_semidefinite(
        coefficient, found if coefficient.kind == "tensor" else np.diagonal(found, axis1=1, axis2=2).min(-1)
    )
    return found
