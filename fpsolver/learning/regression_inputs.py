"""Linear regression as stochastic gradients see it: inputs that are normal, or the examples of a data set.

One example's gradient at the deviation δ from the minimum is x(x·δ − ε), with residual ε; a minibatch takes the mean of
S of them. Curvature and gradient noise come from the same inputs, so the noise grows with the deviation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import DynamicsError, InputError
from fpsolver.landscapes.quadratic_forms import quadratic_form
from fpsolver.landscapes.regression import EmpiricalRisk
from fpsolver.learning.stability import Optimiser, moving_directions, symmetric_matrix


class GradientNoise(NamedTuple):
    """Covariance of a stochastic gradient at random positions y with mean m and second moment Y: N₀ + N₁(m) + N₂(Y).

    Attributes
    ----------
    constant : ndarray (d, d)
        N₀.
    linear : callable or None
        N₁, of a vector (d,).
    quadratic : callable or None
        N₂, of a symmetric matrix (d, d); None where the noise does not depend on the position.
    """

    constant: np.ndarray
    linear: Callable[[np.ndarray], np.ndarray] | None = None
    quadratic: Callable[[np.ndarray], np.ndarray] | None = None

    def covariance(self, mean: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return N₀ + N₁(m) + N₂(Y), shape (d, d)."""
        result = self.constant
        if self.linear is not None:
            result = result + self.linear(mean)
        if self.quadratic is not None:
            result = result + self.quadratic(second)
        return result


@dataclass(frozen=True, eq=False)
class GaussianInputs:
    """Fresh normal inputs x of covariance A, with labels x·w + ε: one gradient at δ = θ − w is x(x·δ − ε).

    Parameters
    ----------
    covariance : array_like (d, d), (d,) or float
        A: a positive semi-definite matrix, its diagonal, or a number. It is the Hessian of the mean loss.
    label_variance : float
        Variance of ε ≥ 0.
    weight_decay : float
        Strength λ ≥ 0 of a penalty λ|δ|²/2.

    Raises
    ------
    InputError
        If the matrix is not a covariance, or a number is negative.

    Examples
    --------
    >>> GaussianInputs([1.0, 0.5]).dimension
    2
    """

    covariance: Any
    label_variance: float = 0.0
    weight_decay: float = 0.0
    _root: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        matrix = symmetric_matrix(self.covariance)
        values, vectors = np.linalg.eigh(matrix)
        if values[0] < -1e-12 * np.abs(values).max():
            raise InputError(f"covariance has the negative eigenvalue {values[0]:.6g}; inputs have none")
        for name in ("label_variance", "weight_decay"):
            value = float(getattr(self, name))
            if not (np.isfinite(value) and value >= 0.0):
                raise InputError(f"{name} = {value!r} must be finite and not negative")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "covariance", matrix)
        object.__setattr__(self, "_root", vectors * np.sqrt(np.maximum(values, 0.0)))

    @property
    def dimension(self) -> int:
        """Number of weights d."""
        return len(self.covariance)

    @property
    def penalty(self) -> np.ndarray:
        """The Hessian of the weight decay (d, d)."""
        return self.weight_decay * np.eye(self.dimension)

    @property
    def pull(self) -> np.ndarray:
        """Gradient of the penalty at the minimum (d,): zero."""
        return np.zeros(self.dimension)

    @property
    def curvature(self) -> np.ndarray:
        """Hessian of the mean loss (d, d)."""
        return self.covariance + self.penalty

    @property
    def largest(self) -> float:
        """R² = tr A + 2‖A‖, with E[|x|²xxᵀ] ≤ R²A; plus the weight decay."""
        return float(np.trace(self.covariance) + 2.0 * np.linalg.norm(self.covariance, 2)) + self.weight_decay

    def noise(self, batch_size: int, replacement: bool = True) -> GradientNoise:
        """Return the covariance of a minibatch gradient: [AYA + A tr(AY) + σ²A]/S, by Isserlis' theorem."""
        a, share = self.covariance, 1.0 / batch_size
        if not replacement:
            raise DynamicsError("normal inputs are drawn from an endless population; replacement = False means nothing")
        return GradientNoise(
            share * self.label_variance * a, None, lambda second: share * (a @ second @ a + a * np.sum(a * second))
        )

    def draw(
        self, generator: np.random.Generator, chains: int, batch_size: int, replacement: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return minibatches: inputs (d, S, chains) and residuals (S, chains)."""
        inputs = np.einsum("ij,jsc->isc", self._root, generator.standard_normal((len(self._root), batch_size, chains)))
        if self.label_variance == 0.0:
            return inputs, np.zeros((batch_size, chains))
        return inputs, np.sqrt(self.label_variance) * generator.standard_normal((batch_size, chains))

    def moving(self) -> GaussianInputs:
        """Return the inputs in the directions that carry curvature."""
        basis = moving_directions(self.curvature)
        return self if basis.shape[0] == basis.shape[1] else replace(self, covariance=basis.T @ self.covariance @ basis)


@dataclass(frozen=True, eq=False)
class DataInputs:
    """The examples of a data set, as deviations from its least-squares minimum.

    Parameters
    ----------
    features : ndarray (N, d)
        Inputs x.
    residuals : ndarray (N,)
        ε = y − x·θ* at the minimum θ*.
    penalty : ndarray (d, d)
        Hessian of the penalty.
    centre : ndarray (d,)
        θ*.
    """

    features: np.ndarray
    residuals: np.ndarray
    penalty: np.ndarray
    centre: np.ndarray

    @property
    def pull(self) -> np.ndarray:
        """Gradient of the penalty at the minimum (d,), which the mean gradient of the examples balances."""
        return self.penalty @ self.centre

    @property
    def curvature(self) -> np.ndarray:
        """Hessian of the mean loss (d, d)."""
        return self.features.T @ self.features / len(self.features) + self.penalty

    @property
    def largest(self) -> float:
        """The largest |x|², plus the norm of the penalty."""
        return float((self.features**2).sum(axis=1).max() + np.linalg.norm(self.penalty, 2))

    def noise(self, batch_size: int, replacement: bool = True) -> GradientNoise:
        """Return the covariance of a minibatch gradient: that of one example's, over S, times (N − S)/(N − 1) without.

        One example's is E[xxᵀ(xᵀYx − 2εx·m + ε²)] − E[(Hy − c)(Hy − c)ᵀ] with c = E[εx].
        """
        x, e, n = self.features, self.residuals, len(self.features)
        share = 1.0 / batch_size
        if not replacement:
            if batch_size > n:
                raise DynamicsError(f"batch_size = {batch_size} without replacement exceeds the {n} examples")
            share *= (n - batch_size) / max(n - 1, 1)
        h, c = x.T @ x / n, x.T @ e / n

        def weighted(weights: np.ndarray) -> np.ndarray:
            return (x.T * weights) @ x / n

        def linear(mean: np.ndarray) -> np.ndarray:
            cross = np.outer(h @ mean, c)
            return share * (cross + cross.T - 2.0 * weighted(e * (x @ mean)))

        def quadratic(second: np.ndarray) -> np.ndarray:
            return share * (weighted(np.sum((x @ second) * x, axis=1)) - h @ second @ h)

        return GradientNoise(share * (weighted(e**2) - np.outer(c, c)), linear, quadratic)

    def draw(
        self, generator: np.random.Generator, chains: int, batch_size: int, replacement: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return minibatches: inputs (d, S, chains) and residuals (S, chains)."""
        n = len(self.features)
        if replacement:
            chosen = generator.integers(n, size=(batch_size, chains))
        else:
            chosen = np.argsort(generator.random((n, chains)), axis=0)[:batch_size]
        return np.take(self.features.T, chosen, axis=1), self.residuals[chosen]

    def moving(self) -> DataInputs:
        """Return the examples in the directions that carry curvature."""
        basis = moving_directions(self.curvature)
        if basis.shape[0] == basis.shape[1]:
            return self
        return DataInputs(self.features @ basis, self.residuals, basis.T @ self.penalty @ basis, basis.T @ self.centre)


def regression_inputs(of: Any, weight_decay: float = 0.0) -> GaussianInputs | DataInputs:
    """Return the inputs of a regression: of a squared loss on data, of a matrix of features, or normal ones.

    Parameters
    ----------
    of : GaussianInputs, EmpiricalRisk, or array_like (N, d)
        Normal inputs, `fpsolver.landscapes.linear_regression`, or features that a linear function fits exactly.
    weight_decay : float
        λ ≥ 0, added to the penalty that is there.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if not (np.isfinite(weight_decay) and weight_decay >= 0.0):
        raise InputError(f"weight_decay = {weight_decay!r} must be finite and not negative")
    if isinstance(of, GaussianInputs):
        return replace(of, weight_decay=of.weight_decay + weight_decay)
    if isinstance(of, EmpiricalRisk):
        return _data_inputs(of, weight_decay)
    features = _features(of)
    d = features.shape[1]
    return DataInputs(features, np.zeros(len(features)), weight_decay * np.eye(d), np.zeros(d))


def checked_batch(batch_size: int, law: Optimiser) -> int:
    """Return the size of a minibatch.

    Raises
    ------
    DynamicsError
        If it is no whole number of examples, or the optimiser has a preconditioner.
    """
    if np.any(np.asarray(law.preconditioner) != 1.0):
        raise DynamicsError("preconditioners are not for minibatches; divide the inputs by the root of the diagonal")
    whole = isinstance(batch_size, int | float | np.number) and not isinstance(batch_size, bool)
    if not (whole and 1 <= batch_size < np.inf and int(batch_size) == batch_size):
        raise DynamicsError(f"batch_size = {batch_size!r} must be a whole number of examples, at least 1")
    return int(batch_size)


def _data_inputs(risk: EmpiricalRisk, weight_decay: float) -> DataInputs:
    form = quadratic_form(risk)
    if form is None:
        raise InputError(f"{risk!r} is not quadratic; moments close for fp.landscapes.linear_regression(X, y) only")
    x, d = risk.features, risk.dimension
    curvature = form.hessian + weight_decay * np.eye(d)
    centre = -np.linalg.lstsq(curvature, form.slope, rcond=None)[0]
    penalty = curvature - x.T @ x / len(x)
    return DataInputs(x, risk.targets - x @ centre, (penalty + penalty.T) / 2, centre)


def _features(of: ArrayLike) -> np.ndarray:
    wanted = (
        "inputs are features (N, d), finite, fp.landscapes.linear_regression(X, y), or "
        "fp.learning.GaussianInputs(covariance)"
    )
    try:
        features = np.asarray(of, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{wanted}; {of!r} was given") from None
    if features.ndim == 1:
        features = features[:, np.newaxis]
    if features.ndim != 2 or features.size == 0 or not np.isfinite(features).all():
        raise InputError(f"{wanted}; the shape {features.shape} was given")
    return features
