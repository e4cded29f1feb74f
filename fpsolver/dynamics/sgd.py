"""Stochastic gradient descent as the discrete chain that it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.dynamics.coefficient import Coefficient, check_semidefinite, coefficient
from fpsolver.dynamics.driven import Driven, check_landscape, checked_number, checked_protocols
from fpsolver.dynamics.protocol import Protocol
from fpsolver.errors import DynamicsError
from fpsolver.landscapes.regression import EmpiricalRisk

if TYPE_CHECKING:
    from fpsolver.landscapes import Landscape


@dataclass(frozen=True, eq=False)
class GaussianNoise:
    """Normal gradient noise of covariance C(θ) = C₁(θ)/B.

    Parameters
    ----------
    per_example_covariance : float, str, sequence or callable
        C₁, the covariance of one example's gradient: a scalar (times unity), a vector (its diagonal) or a matrix, of
        numbers and expressions in the variables, or a function of points (..., d).
    batch_size : float
        B > 0.

    Examples
    --------
    >>> GaussianNoise([[1.0, 0.5], [0.5, 1.0]], batch_size=8).batch_size
    8.0
    """

    per_example_covariance: Any
    batch_size: float = 1.0

    def __post_init__(self) -> None:
        size = checked_number("batch_size", self.batch_size, "examples a batch")
        if size == 0.0:
            raise DynamicsError("batch_size = 0: a batch has at least one example")
        object.__setattr__(self, "batch_size", size)


@dataclass(frozen=True, eq=False)
class MinibatchNoise:
    """The noise of real minibatches: each step takes the mean gradient of B examples drawn at random.

    Parameters
    ----------
    batch_size : int
        B ≥ 1; at most the number of examples without replacement.
    replacement : bool
        Whether one batch may hold an example twice. Batches of different steps are independent either way.
    """

    batch_size: int
    replacement: bool = True

    def __post_init__(self) -> None:
        whole = isinstance(self.batch_size, int | float | np.number) and not isinstance(self.batch_size, bool)
        if not (whole and 1 <= self.batch_size < np.inf and int(self.batch_size) == self.batch_size):
            raise DynamicsError(f"batch_size = {self.batch_size!r} must be a whole number of examples, at least 1")
        object.__setattr__(self, "batch_size", int(self.batch_size))
        if not isinstance(self.replacement, bool | np.bool_):
            raise DynamicsError(f"replacement = {self.replacement!r} must be True or False")


@dataclass(frozen=True, eq=False)
class SGD(Driven):
    """Stochastic gradient descent θ′ = θ + v′, v′ = βv − η(g + λθ); time is counted in steps.

    g is the gradient of the loss plus noise, at θ, or for Nesterov's method, λθ included, at θ + βv. Learning time is
    t = η·step.

    Parameters
    ----------
    landscape : Landscape
        The loss L(θ); an empirical risk (`fpsolver.landscapes.linear_regression`, `logistic_regression`) for
        `MinibatchNoise`.
    learning_rate : float
        η ≥ 0; zero, where schedules may end, moves nothing.
    noise : GaussianNoise, MinibatchNoise or None
        Noise of the gradient; None for plain gradient descent.
    momentum : float
        β, 0 ≤ β < 1: heavy ball (Polyak).
    nesterov : bool
        Take the gradient where the momentum leads to; without momentum that is where it is.
    weight_decay : float
        λ ≥ 0, coupled to the learning rate as in the usual libraries: the gradient of λ|θ|²/2.
    protocol : mapping of str to Protocol, optional
        How "learning_rate", "batch_size", "momentum" or landscape parameters depend on the number of the step; a step
        takes the values at its beginning.

    Raises
    ------
    DynamicsError
        If a value is out of range or the noise does not fit the landscape.

    References
    ----------
    B. T. Polyak, USSR Comput. Math. Math. Phys. 4, 1 (1964); Y. Nesterov, Sov. Math. Dokl. 27, 372 (1983); I. Sutskever
    et al., ICML 2013, eqs. (1)–(4).

    Examples
    --------
    >>> import fpsolver as fp
    >>> noise = fp.GaussianNoise(per_example_covariance=1.0, batch_size=8)
    >>> sgd = fp.SGD(fp.Landscape("x**2/2"), learning_rate=0.1, noise=noise)
    >>> sgd.noise_covariance([[0.0]]).tolist(), sgd.learning_time(50)
    ([[[0.125]]], 5.0)
    """

    landscape: Landscape
    learning_rate: float
    noise: GaussianNoise | MinibatchNoise | None = None
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    protocol: Mapping[str, Protocol] | None = None

    def __post_init__(self) -> None:
        check_landscape(self.landscape)
        rate = checked_number("learning_rate", self.learning_rate, "step per gradient")
        object.__setattr__(self, "learning_rate", rate)
        momentum = checked_number("momentum", self.momentum, "0 ≤ β < 1")
        if momentum >= 1.0:
            raise DynamicsError(f"momentum = {momentum:g} must be below 1, or velocities never forget")
        object.__setattr__(self, "momentum", momentum)
        if not isinstance(self.nesterov, bool | np.bool_):
            raise DynamicsError(f"nesterov = {self.nesterov!r} must be True or False")
        object.__setattr__(self, "weight_decay", checked_number("weight_decay", self.weight_decay, "penalty λ|θ|²/2"))
        self._check_noise()
        protocols = checked_protocols(self.protocol, self.landscape.parameters, self.drivable)
        object.__setattr__(self, "protocol", protocols)

    def _check_noise(self) -> None:
        noise, landscape = self.noise, self.landscape
        if noise is not None and not isinstance(noise, GaussianNoise | MinibatchNoise):
            raise DynamicsError(f"noise = {noise!r} is none; give fp.GaussianNoise(…), fp.MinibatchNoise(…) or None")
        if isinstance(noise, GaussianNoise):
            given = noise.per_example_covariance
            value = coefficient("per_example_covariance", given, landscape.variables, landscape.parameters)
            if value.constant is not None:
                check_semidefinite(value, value.constant)
            object.__setattr__(self, "noise", replace(noise, per_example_covariance=value))
        if isinstance(noise, MinibatchNoise):
            if not isinstance(landscape, EmpiricalRisk):
                raise DynamicsError(
                    f"minibatches need examples, and {landscape!r} has none; take fp.landscapes.linear_regression(X, "
                    "y) or logistic_regression(X, y), or fp.GaussianNoise(…)"
                )
            if not noise.replacement and noise.batch_size > landscape.n_examples:
                raise DynamicsError(
                    f"batch_size = {noise.batch_size} without replacement exceeds the {landscape.n_examples} examples"
                )

    @property
    def drivable(self) -> tuple[str, ...]:
        """Constants that a protocol may drive, besides the landscape's parameters."""
        return ("learning_rate", "momentum") + (("batch_size",) if self.noise is not None else ())

    def at(self, t: float) -> SGD:
        """Return the undriven chain with every protocol frozen at step `t`."""
        protocols = dict(self.protocol or {})
        size, momentum = protocols.pop("batch_size", None), protocols.get("momentum")
        resting = momentum is not None and float(momentum(t)) == 0.0
        frozen = super(SGD, replace(self, protocol=protocols, nesterov=self.nesterov and not resting)).at(t)
        if size is None or self.noise is None:
            return frozen
        # A minibatch refuses what is not a whole number of examples.
        return replace(frozen, noise=replace(self.noise, batch_size=float(size(t))))  # type: ignore[arg-type]

    @property
    def batch_size(self) -> float:
        """B; infinite without noise."""
        return np.inf if self.noise is None else float(self.noise.batch_size)

    @property
    def covariance(self) -> Coefficient | None:
        """C₁ as a coefficient, for Gaussian noise."""
        return self.noise.per_example_covariance if isinstance(self.noise, GaussianNoise) else None

    @property
    def inertial(self) -> bool:
        """Whether a step depends on the one before: with momentum."""
        return self.momentum > 0.0 or "momentum" in (self.protocol or {})

    @property
    def force(self) -> Coefficient | None:
        """The weight decay as a force −λθ, which is no part of the loss; None without."""
        if self.weight_decay == 0.0:
            return None
        variables, parameters = self.landscape.variables, self.landscape.parameters
        return coefficient("force", [f"{-self.weight_decay!r}*{name}" for name in variables], variables, parameters)

    def learning_time(self, steps: Any) -> Any:
        """Return η·steps; where a protocol drives η, the sum of its values at the beginnings of the steps."""
        protocol = (self.protocol or {}).get("learning_rate")
        if protocol is None:
            return self.learning_rate * steps
        last = int(np.max(steps, initial=0))
        times = np.concatenate([[0.0], np.cumsum(np.broadcast_to(protocol(np.arange(last)), (last,)))])
        return times[np.asarray(steps, dtype=int)]

    def descent(self, theta: Any) -> np.ndarray:
        """Return the mean gradient ∇L + λθ at points (..., d)."""
        points = np.asarray(theta, dtype=float)
        return self.landscape.gradient(points) + self.weight_decay * points

    def noise_covariance(self, theta: Any) -> np.ndarray:
        """Return C(θ), the covariance of the minibatch gradient, at points (..., d).

        C₁/B, times (N − B)/(N − 1) for N examples without replacement.

        Parameters
        ----------
        theta : array_like, shape (..., d)

        Returns
        -------
        ndarray, shape (..., d, d)
        """
        points = np.asarray(theta, dtype=float)
        d = self.landscape.dimension
        if self.noise is None:
            return np.zeros((*points.shape, d))
        if isinstance(self.noise, GaussianNoise):
            values = self.noise.per_example_covariance.evaluate(points, self.landscape.parameters)
            kind = self.noise.per_example_covariance.kind
            if kind == "scalar":
                values = values[..., None, None] * np.eye(d)
            elif kind == "vector":
                values = values[..., None] * np.eye(d)
            return values / self.noise.batch_size
        assert isinstance(self.landscape, EmpiricalRisk)
        size, total = self.noise.batch_size, self.landscape.n_examples
        share = 1.0 if self.noise.replacement else (total - size) / max(total - 1, 1)
        return share / size * self.landscape.noise_covariance(points)
