"""Empirical risks on data: linear and logistic regression, with per-example gradients."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import LandscapeError
from fpsolver.landscapes.array_evaluation import Floats, as_points, evaluate_blocks
from fpsolver.landscapes.evaluator import CompiledLandscape, Evaluator
from fpsolver.landscapes.expression import check_name
from fpsolver.landscapes.landscape import Landscape
from fpsolver.landscapes.source_cache import content_hash, generated_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from fpsolver.landscapes.block_functions import BlockFunctions
    from fpsolver.landscapes.block_source import Precision
    from fpsolver.landscapes.quadratic_forms import QuadraticForm

Loss = Literal["squared", "logistic"]

# A block holds about this many (point, example) pairs, so that its temporaries stay in cache.
_PAIRS = 2**17


class EmpiricalRisk(Landscape):
    """A landscape that is a mean over examples: L(θ) = (1/N) Σᵢ ℓ(xᵢ·θ, yᵢ) + r|θ|²/2.

    Made by `logistic_regression` and `linear_regression`. The parameter ``ridge`` is r.
    """

    _evaluator: RegressionEvaluator

    def __init__(self) -> None:
        raise TypeError("make empirical risks with logistic_regression(…) or linear_regression(…)")

    @property
    def n_examples(self) -> int:
        """Number of examples N."""
        return len(self._evaluator.y)

    @property
    def features(self) -> Floats:
        """The examples (N, d), with the column of ones of the intercept where there is one; read-only."""
        return self._evaluator.X

    @property
    def targets(self) -> Floats:
        """Targets (N,): real numbers, or labels 0 and 1; read-only."""
        return self._evaluator.y

    @property
    def loss(self) -> Loss:
        """The loss ℓ of one prediction: "squared" or "logistic"."""
        return self._evaluator.loss

    @property
    def penalised(self) -> Floats:
        """1 for coordinates under the penalty, 0 for those that are free, shape (d,); read-only."""
        return self._evaluator.penalised

    def per_example_gradients(self, theta: ArrayLike) -> Floats:
        """Return the gradients of the single examples' losses, penalty included.

        Parameters
        ----------
        theta : array_like (..., d)

        Returns
        -------
        ndarray (..., N, d)
            Their mean over the examples is `gradient`.
        """
        return self._evaluator.per_example_gradients(as_points(theta, self.dimension), self._p)

    def noise_covariance(self, theta: ArrayLike) -> Floats:
        """Return Σ(θ) = (1/N) Σᵢ (gᵢ − ḡ)(gᵢ − ḡ)ᵀ, the covariance C₁ of one example's gradient.

        A minibatch of B examples drawn with replacement has gradient covariance Σ/B.

        Parameters
        ----------
        theta : array_like (..., d)

        Returns
        -------
        ndarray (..., d, d)
        """
        return self._evaluator.noise_covariance(as_points(theta, self.dimension), self._p)


def logistic_regression(
    X: ArrayLike,
    y: ArrayLike,
    ridge: float = 0.0,
    *,
    intercept: bool = True,
    penalise_intercept: bool = True,
    variables: Sequence[str] | None = None,
) -> EmpiricalRisk:
    """Return the ridge-penalised logistic loss L = (1/N) Σᵢ [log(1 + exp zᵢ) − yᵢzᵢ] + r|θ|²/2, zᵢ = w·xᵢ + b.

    Parameters
    ----------
    X : array_like (N, n_features) or (N,)
        Features.
    y : array_like (N,)
        Labels of two classes: 0 and 1, −1 and 1, or False and True; the larger is the class of probability
        1/(1 + exp(−z)).
    ridge : float
        Penalty r ≥ 0; a parameter of the landscape, named ``ridge``.
    intercept : bool
        Add the bias b as last coordinate.
    penalise_intercept : bool
        Penalise the bias as well, so that the Boltzmann density exists whatever the data.
    variables : sequence of str, optional
        Names of the coordinates; by default ``weight`` (``w1, w2, …`` for several features) and ``bias``.

    Returns
    -------
    EmpiricalRisk

    Raises
    ------
    LandscapeError
        If shapes do not fit, values are not finite, or the labels are not of two classes.

    Examples
    --------
    >>> L = logistic_regression([[0.0], [1.0], [2.0]], [0, 1, 1], ridge=0.1)
    >>> L.variables
    ('weight', 'bias')
    >>> L.per_example_gradients([0.5, 0.0]).shape
    (3, 2)
    """
    labels = np.asarray(y)
    classes = np.unique(labels)
    if labels.ndim != 1 or classes.tolist() not in ([0, 1], [-1, 1], [False, True]):
        raise LandscapeError(f"labels must be of two classes, 0 and 1 or −1 and 1, but {_few(classes)} were given")
    return _risk("logistic", X, (labels == classes[1]).astype(float), ridge, intercept, penalise_intercept, variables)


def linear_regression(
    X: ArrayLike,
    y: ArrayLike,
    ridge: float = 0.0,
    *,
    intercept: bool = True,
    penalise_intercept: bool = True,
    variables: Sequence[str] | None = None,
) -> EmpiricalRisk:
    """Return the ridge-penalised squared loss L = (1/2N) Σᵢ (w·xᵢ + b − yᵢ)² + r|θ|²/2.

    Parameters
    ----------
    X : array_like (N, n_features) or (N,)
        Features.
    y : array_like (N,)
        Targets.
    ridge, intercept, penalise_intercept, variables
        As for `logistic_regression`.

    Returns
    -------
    EmpiricalRisk

    Raises
    ------
    LandscapeError
        If shapes do not fit or values are not finite.
    """
    return _risk("squared", X, _numbers("targets", y), ridge, intercept, penalise_intercept, variables)


def _numbers(name: str, values: ArrayLike) -> Floats:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise LandscapeError(f"{name} must be an array of numbers, all rows of one length: {error}") from None


def _risk(
    loss: Loss,
    X: ArrayLike,
    y: Floats,
    ridge: float,
    intercept: bool,
    penalise_intercept: bool,
    variables: Sequence[str] | None,
) -> EmpiricalRisk:
    features = _numbers("features", X)
    if features.ndim == 1:
        features = features[:, np.newaxis]
    if features.ndim != 2 or y.ndim != 1 or len(features) != len(y) or features.size == 0:
        raise LandscapeError(
            f"features (N, n_features) and targets (N,) are needed, but shapes {np.shape(X)} and {y.shape} were given"
        )
    if not (np.isfinite(features).all() and np.isfinite(y).all()):
        raise LandscapeError("features and targets must be finite; there are NaN or infinite values among them")
    if not (isinstance(ridge, int | float | np.number) and 0.0 <= ridge < np.inf):
        raise LandscapeError(f"the ridge penalty must be finite and not negative, not {ridge!r}")
    n = features.shape[1]
    names = ["weight"] if n == 1 else [f"w{i + 1}" for i in range(n)]
    penalised = np.ones(n + intercept)
    if intercept:
        features = np.column_stack([features, np.ones(len(features))])
        names.append("bias")
        penalised[-1] = float(penalise_intercept)
    if variables is not None:
        if len(variables) != len(names) or len(set(variables)) < len(names):
            raise LandscapeError(f"{len(names)} different variables are needed, but {tuple(variables)} were given")
        names = [check_name(name, "variable") for name in variables]
    return EmpiricalRisk._of(RegressionEvaluator(loss, features, y, penalised, tuple(names)), {"ridge": ridge})


def _few(values: np.ndarray) -> str:
    return ", ".join(map(str, values[:5].tolist())) + (", …" if len(values) > 5 else "")


class RegressionEvaluator(Evaluator):
    """Mean of a loss of linear predictions, with a ridge penalty.

    Parameters
    ----------
    loss : {"squared", "logistic"}
        The loss ℓ(z, y) of one prediction.
    X : ndarray (N, d)
        Features.
    y : ndarray (N,)
        Targets.
    penalised : ndarray (d,)
        1 for coordinates under the penalty, 0 for those that are free.
    variables : tuple of str
        Names of the coordinates.
    """

    parameter_names = ("ridge",)

    def __init__(self, loss: Loss, X: Floats, y: Floats, penalised: Floats, variables: tuple[str, ...]):
        self.loss = loss
        self.variables = variables
        self.X, self.y, self.penalised = (np.array(a, dtype=float, order="C") for a in (X, y, penalised))
        for array in (self.X, self.y, self.penalised):
            array.flags.writeable = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the data."""
        return type(self), (self.loss, self.X, self.y, self.penalised, self.variables)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the data and the kind of loss."""
        data = hashlib.sha256(b"".join(a.tobytes() for a in (self.X, self.y, self.penalised))).hexdigest()
        return content_hash(("regression", self.loss, self.X.shape, self.variables, data))

    @property
    def description(self) -> str:
        """Kind of loss and size of the data."""
        return f"{self.loss} loss, {len(self.y)} examples"

    def _blocks(self, points: Floats, components: tuple[int, ...], function: Callable[[Floats], Floats]) -> Floats:
        """Evaluate ``function(theta (n, d)) -> (n, *components)`` block by block."""

        def fill(x: Floats, out: Floats) -> None:
            out[...] = np.moveaxis(function(np.ascontiguousarray(x.T)), 0, -1)

        return evaluate_blocks(fill, points, components, block=max(_PAIRS // len(self.y), 16))

    def value(self, points: Floats, p: Floats) -> Floats:
        """Return values (...)."""

        def risk(theta: Floats) -> Floats:
            z = theta @ self.X.T
            if self.loss == "squared":
                loss = np.mean((z - self.y) ** 2, axis=-1) / 2
            else:
                # log(1 + e^z) − yz = log(1 + e^(−z)) for y = 1, without overflow or cancellation.
                loss = np.mean(_log1p_exp(np.where(self.y > 0.5, -z, z)), axis=-1)
            return loss + p[0] / 2 * (theta**2 @ self.penalised)

        return self._blocks(points, (), risk)

    def _residual(self, z: Floats) -> Floats:
        """Return ∂ℓ/∂z."""
        return z - self.y if self.loss == "squared" else _logistic(z) - self.y

    def gradient(self, points: Floats, p: Floats) -> Floats:
        """Return gradients (..., d)."""

        def gradient(theta: Floats) -> Floats:
            return self._residual(theta @ self.X.T) @ self.X / len(self.y) + p[0] * self.penalised * theta

        return self._blocks(points, (len(self.variables),), gradient)

    def hessian(self, points: Floats, p: Floats) -> Floats:
        """Return Hessians (..., d, d)."""
        d = len(self.variables)
        products = np.einsum("ni,nj->nij", self.X, self.X).reshape(-1, d * d)
        penalty = p[0] * np.diag(self.penalised)

        def hessian(theta: Floats) -> Floats:
            z = theta @ self.X.T
            weight = np.ones_like(z) if self.loss == "squared" else _logistic(z) * _logistic(-z)
            return (weight @ products / len(self.y)).reshape(-1, d, d) + penalty

        return self._blocks(points, (d, d), hessian)

    def per_example_gradients(self, points: Floats, p: Floats) -> Floats:
        """Return gradients of the single examples' losses (..., N, d)."""
        residual = self._residual(points @ self.X.T)
        penalty = p[0] * self.penalised * points
        return residual[..., np.newaxis] * self.X + penalty[..., np.newaxis, :]

    def noise_covariance(self, points: Floats, p: Floats) -> Floats:
        """Return the covariance of the per-example gradients (..., d, d)."""
        d = len(self.variables)

        def covariance(theta: Floats) -> Floats:
            deviation = self.per_example_gradients(theta, p)
            deviation -= deviation.mean(axis=-2, keepdims=True)
            return np.swapaxes(deviation, -1, -2) @ deviation / len(self.y)

        return self._blocks(points, (d, d), covariance)

    def compiled(self, p: Floats) -> CompiledLandscape:
        """Return Numba functions; the data travel behind the parameter in ``p``."""
        from fpsolver.landscapes import regression_formulas as formulas

        n, d = self.X.shape
        packed = np.concatenate([p, [n, d], self.penalised, self.y, self.X.ravel()])
        value, gradient, hessian, example = (
            getattr(formulas, f"{self.loss}_{name}") for name in ("value", "gradient", "hessian", "example")
        )
        return CompiledLandscape(value, gradient, hessian, packed, example_gradient=example)

    def blocks(self, p: Floats, precision: Precision) -> BlockFunctions:
        """Return functions of whole blocks; the data travel behind the parameter in ``p``."""
        from fpsolver.kernels.cpu.regression import pack
        from fpsolver.landscapes.block_functions import BlockFunctions
        from fpsolver.landscapes.block_source import formulas_hash, number_type

        number = number_type(precision)

        def module() -> ModuleType:
            formulas = formulas_hash("fpsolver.kernels.elementary", "fpsolver.kernels.cpu.regression")
            key = content_hash(("regression", self.loss, precision, formulas))
            return generated_module("blocks", key, lambda: _block_source(self.loss, precision))

        parameters = pack(self.X, self.y, self.penalised, float(p[0])).astype(number)
        return BlockFunctions(lambda: module().value, lambda: module().gradient, parameters)

    def quadratic_form(self, p: Floats) -> QuadraticForm | None:
        """Return H = XᵀX/N + r diag(penalised), b = −Xᵀy/N and c = |y|²/2N of the squared loss."""
        from fpsolver.landscapes.quadratic_forms import QuadraticForm

        if self.loss != "squared":
            return None
        n = len(self.y)
        hessian = self.X.T @ self.X / n + p[0] * np.diag(self.penalised)
        return QuadraticForm((hessian + hessian.T) / 2, -self.X.T @ self.y / n, float(self.y @ self.y) / (2 * n))


def _block_source(loss: Loss, precision: Precision) -> str:
    from fpsolver.landscapes.block_source import imports, signature

    text = imports(precision) + "from fpsolver.kernels.cpu import regression\n"
    for name in ("value", "gradient"):
        text += f"{signature(name)}    regression.{name}(x, p, out, {loss == 'logistic'})\n"
    return text


def _log1p_exp(u: Floats) -> Floats:
    """Return log(1 + exp(u)) without overflow."""
    return np.maximum(u, 0.0) + np.log1p(np.exp(-np.abs(u)))


def _logistic(u: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-u))
