"""Trajectories of minibatch SGD on linear regressions, many at once, and numbers measured on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import InputError
from fpsolver.learning.regression_inputs import DataInputs, GaussianInputs, checked_batch, regression_inputs
from fpsolver.learning.stability import Optimiser, Update, moving_directions

ROOT_ACCURACY = 1e-5
"""Relative accuracy of roots, far below their statistical errors."""


@dataclass(frozen=True)
class Measured:
    """A number measured on trajectories.

    Attributes
    ----------
    value : float
        Its estimate.
    error : float
        Standard error.
    """

    value: float
    error: float


class MinibatchProducts:
    """Trajectories of z = (δ, v), or of z = δ without momentum, under random minibatches; arrays are (k, d, chains).

    Parameters
    ----------
    inputs : GaussianInputs, EmpiricalRisk, or array_like (N, d)
        The regression; its flat directions are left out.
    batch_size, replacement
        As for `fpsolver.learning.regression_recursion`.
    optimiser : dict
        Keywords of `Optimiser`.

    Raises
    ------
    DynamicsError
        If the batch size is not a whole number, or there is a preconditioner.

    Attributes
    ----------
    directions : ndarray, shape (weights, d)
        The directions in which z lives, as columns.
    """

    def __init__(self, inputs: Any, batch_size: int, replacement: bool, optimiser: dict[str, Any]):
        self.law = Optimiser(**optimiser)
        self.batch_size, self.replacement = checked_batch(batch_size, self.law), replacement
        whole = regression_inputs(inputs, self.law.weight_decay)
        self.directions = moving_directions(whole.curvature)
        self.inputs: GaussianInputs | DataInputs = whole.moving()
        self.inputs.noise(self.batch_size, replacement)
        self.dimension = len(self.inputs.penalty)
        self.penalty = self.inputs.penalty if self.inputs.penalty.any() else None
        self.steepest = float(np.linalg.norm(self.inputs.curvature, 2)) + self.inputs.largest / self.batch_size

    @property
    def state_dimension(self) -> int:
        """Number of components of z."""
        return self.dimension * (2 if self.law.momentum > 0.0 else 1)

    def beginning(self, generator: np.random.Generator, chains: int) -> np.ndarray:
        """Return random unit vectors z (k, d, chains)."""
        z = generator.standard_normal((self.state_dimension // self.dimension, self.dimension, chains))
        return z / lengths(z)

    def step(
        self, z: np.ndarray, update: Update, generator: np.random.Generator, *, labels: bool = False
    ) -> np.ndarray:
        """Return z after a minibatch each; with `labels` the residuals push it, without them it is only multiplied."""
        x, residuals = self.inputs.draw(generator, z.shape[2], self.batch_size, self.replacement)
        y = np.einsum("k,kdc->dc", update.reading, z)
        error = np.einsum("dsc,dc->sc", x, y)
        if labels:
            error -= residuals
        gradient = np.einsum("dsc,sc->dc", x, error) / self.batch_size
        if self.penalty is not None:
            gradient += self.penalty @ y
            if labels:
                gradient += self.inputs.pull[:, np.newaxis]
        return np.einsum("kl,ldc->kdc", update.free, z) - update.gain[:, np.newaxis, np.newaxis] * gradient


def measured_root(function: Callable[[float], Measured], lower: float, upper: float) -> float:
    """Return where a measured function, the same random numbers behind every value, changes its sign."""
    from scipy.optimize import brentq

    return float(
        brentq(lambda x: max(function(x).value, -50.0), lower, upper, rtol=ROOT_ACCURACY, xtol=ROOT_ACCURACY * lower)
    )


def lengths(z: np.ndarray) -> np.ndarray:
    """Return the length of every trajectory's state (chains,)."""
    return np.sqrt(np.einsum("kdc,kdc->c", z, z))


def check_counts(**counts: int) -> None:
    """Raise InputError unless all are whole numbers, at least 2."""
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 2:
            raise InputError(f"{name} = {count!r} must be a whole number, at least 2")
