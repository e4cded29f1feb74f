"""Mean and covariance of SGD, exactly: where gradients are linear in θ the first two moments close, in any dimension.

With z = (δ, v), deviation from the minimum and velocity, a step is z′ = M̄z − Gν with the noise ν of the gradient at
y = Rᵀz. Its covariance N₀ + N₁(E y) + N₂(E yyᵀ) is constant for additive noise; minibatches of a linear regression add
the parts that grow with y, and the second moment follows Z′ = M̄ZM̄ᵀ + G N Gᵀ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.dynamics import SGD, GaussianNoise, MinibatchNoise
from fpsolver.errors import DensityError, DynamicsError, MethodError
from fpsolver.landscapes.quadratic_forms import quadratic_form
from fpsolver.learning.regression_inputs import (
    DataInputs,
    GaussianInputs,
    GradientNoise,
    checked_batch,
    regression_inputs,
)
from fpsolver.learning.stability import Optimiser, spectral_radius
from fpsolver.learning.thresholds import Threshold, first_crossing

# Up to this many entries of a symmetric second moment its map is a dense matrix.
_DENSE = 150


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and covariance of the parameters and velocities of SGD.

    Attributes
    ----------
    mean : ndarray (..., d)
        Mean of θ; one row a step where several were asked for.
    covariance : ndarray (..., d, d)
        Covariance of θ.
    state_covariance : ndarray (..., kd, kd)
        Covariance of (θ, v) with v = θ_n − θ_(n−1), k = 2, with momentum; that of θ without.
    """

    mean: np.ndarray
    covariance: np.ndarray
    state_covariance: np.ndarray


@dataclass(frozen=True, eq=False)
class MomentRecursion:
    """One step of the first two moments of z = (δ, v), or of z = δ without momentum.

    Attributes
    ----------
    step : ndarray (n, n)
        M̄, the step of the mean; n = 2d or d.
    gain : ndarray (n, d)
        G.
    reading : ndarray (d, n)
        Rᵀ.
    noise : GradientNoise
        Covariance of the gradient.
    centre : ndarray (d,)
        The minimum θ*.
    """

    step: np.ndarray
    gain: np.ndarray
    reading: np.ndarray
    noise: GradientNoise
    centre: np.ndarray

    def advance(self, mean: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean (n,) and second moment (n, n) of z after one step."""
        read = self.reading
        noise = self.noise.covariance(read @ mean, read @ second @ read.T)
        return self.step @ mean, self.step @ second @ self.step.T + self.gain @ noise @ self.gain.T

    def homogeneous(self, second: np.ndarray) -> np.ndarray:
        """Return M̄ZM̄ᵀ + G N₂(RᵀZR) Gᵀ: what a step makes of a second moment without the constant noise."""
        result = self.step @ second @ self.step.T
        if self.noise.quadratic is not None:
            result = result + self.gain @ self.noise.quadratic(self.reading @ second @ self.reading.T) @ self.gain.T
        return result

    @cached_property
    def radius(self) -> float:
        """Spectral radius of the map of second moments: they stay bounded where it is below one.

        The map keeps covariances positive semi-definite, so that its spectral radius is an eigenvalue. It is at least
        the square of the spectral radius of the mean.
        """
        if self.noise.quadratic is None:
            return spectral_radius(self.step) ** 2
        n = len(self.step)
        return spectral_radius(self._matrix) if n * (n + 1) // 2 <= _DENSE else self._leading_eigenvalue()

    def stationary(self) -> np.ndarray:
        """Return the stationary covariance of z, shape (n, n).

        Raises
        ------
        MethodError
            If second moments grow.
        """
        if not self.radius < 1.0:
            raise MethodError(
                f"second moments do not settle: they grow by the factor {self.radius:.12g} a step; take a smaller "
                "learning rate or a larger batch (flat directions need weight decay)"
            )
        source = self.gain @ self.noise.constant @ self.gain.T
        if self.noise.quadratic is None:
            from scipy.linalg import solve_discrete_lyapunov

            solution = solve_discrete_lyapunov(self.step, source)
            return (solution + solution.T) / 2
        n = len(self.step)
        if n * (n + 1) // 2 <= _DENSE:
            rows, columns = np.triu_indices(n)
            return _symmetric(np.linalg.solve(np.eye(len(rows)) - self._matrix, source[rows, columns]), n)
        return self._iterated(source)

    @cached_property
    def _matrix(self) -> np.ndarray:
        """The homogeneous map on the upper triangles of symmetric matrices."""
        n = len(self.step)
        rows, columns = np.triu_indices(n)
        images = [self.homogeneous(_symmetric(unit, n))[rows, columns] for unit in np.eye(len(rows))]
        return np.column_stack(images)

    def _operator(self) -> Any:
        from scipy.sparse.linalg import LinearOperator

        n = len(self.step)

        def apply(vector: np.ndarray) -> np.ndarray:
            second = vector.reshape(n, n)
            return self.homogeneous((second + second.T) / 2).ravel()

        return LinearOperator((n * n, n * n), matvec=apply, dtype=float)

    def _leading_eigenvalue(self) -> float:
        from scipy.sparse.linalg import eigs

        start = np.eye(len(self.step)).ravel()
        values = eigs(self._operator(), k=1, which="LR", v0=start, return_eigenvectors=False, maxiter=5000)
        return float(values[0].real)

    def _iterated(self, source: np.ndarray) -> np.ndarray:
        from scipy.sparse.linalg import LinearOperator, gmres

        operator = self._operator()
        n = len(source)
        difference = LinearOperator(operator.shape, matvec=lambda vector: vector - operator @ vector, dtype=float)
        solution, failed = gmres(difference, source.ravel(), rtol=1e-13, restart=100, maxiter=100)
        if failed:
            raise MethodError("the stationary second moment was not reached by iteration; the batch noise is critical")
        result = solution.reshape(n, n)
        return (result + result.T) / 2


def sgd_recursion(dynamics: SGD) -> MomentRecursion:
    """Return the recursion of the first two moments of SGD on a quadratic loss.

    Parameters
    ----------
    dynamics : SGD
        On a landscape that is quadratic in θ with `GaussianNoise` of constant covariance, with `MinibatchNoise` on
        `fpsolver.landscapes.linear_regression`, or without noise. Momentum, Nesterov's method and weight decay too.

    Raises
    ------
    MethodError
        If the dynamics is no `SGD` or is driven, the landscape is not quadratic, or the covariance depends on θ.

    Examples
    --------
    >>> import fpsolver as fp
    >>> noise = fp.GaussianNoise(per_example_covariance=1.0)
    >>> recursion = sgd_recursion(fp.SGD(fp.Landscape("x**2/2"), learning_rate=0.5, noise=noise))
    >>> recursion.radius
    0.25
    """
    _check_chain(dynamics)
    if dynamics.driven:
        raise MethodError("a driven chain has another recursion at every step; take that of dynamics.at(step)")
    return _recursion(dynamics, velocity=dynamics.momentum > 0.0)


def regression_recursion(
    inputs: Any, learning_rate: float, batch_size: int, *, replacement: bool = True, **optimiser: Any
) -> MomentRecursion:
    """Return the recursion of the first two moments of minibatch SGD on a linear regression.

    Parameters
    ----------
    inputs : GaussianInputs, EmpiricalRisk, or array_like (N, d)
        Normal inputs, `fpsolver.landscapes.linear_regression`, or features of data that are fitted exactly.
    learning_rate : float
        η > 0.
    batch_size : int
        Examples S in a batch, drawn afresh in every step.
    replacement : bool
        Whether one batch may hold an example twice.
    **optimiser
        ``momentum``, ``nesterov``, ``weight_decay``, ``averaging`` as for `Optimiser`.

    Raises
    ------
    DynamicsError, InputError
        If a value is out of range.
    """
    law = Optimiser(**optimiser)
    return _regression(regression_inputs(inputs, law.weight_decay), learning_rate, batch_size, replacement, law)


def moments(dynamics: SGD, steps: int | Sequence[int], mean: ArrayLike, covariance: ArrayLike | None = None) -> Moments:
    """Return mean and covariance of SGD on a quadratic loss after some steps, exactly.

    Parameters
    ----------
    dynamics : SGD
        As for `sgd_recursion`; it may be driven.
    steps : int or sequence of int
        Numbers of steps, ascending.
    mean : array_like (d,)
        Mean of the initial θ. Velocities are zero at first.
    covariance : array_like (d, d), optional
        Covariance of the initial θ; zero by default.

    Returns
    -------
    Moments
        With one more leading axis where `steps` is a sequence.

    Raises
    ------
    MethodError
        As for `sgd_recursion`.
    DensityError
        If the initial moments do not fit the landscape.

    Examples
    --------
    >>> import fpsolver as fp
    >>> noise = fp.GaussianNoise(per_example_covariance=1.0)
    >>> sgd = fp.SGD(fp.Landscape("x**2/2"), learning_rate=0.5, noise=noise)
    >>> moments(sgd, [0, 1, 2], mean=[1.0]).covariance.ravel()
    array([0.    , 0.25  , 0.3125])
    """
    _check_chain(dynamics)
    wanted = _checked_steps(steps)
    velocity = dynamics.inertial
    m, c = _initial(dynamics, mean, covariance, velocity)
    d = dynamics.landscape.dimension
    recursion = None if dynamics.driven else _recursion(dynamics, velocity)
    means, covariances = [], []
    for n in range(int(wanted[-1]) + 1):
        for _ in range(np.count_nonzero(wanted == n)):
            means.append(m[:d])
            covariances.append(c)
        law = recursion or _recursion(dynamics.at(n), velocity)
        shift = np.concatenate([law.centre, np.zeros(len(m) - d)])
        deviation, second = law.advance(m - shift, c + np.outer(m - shift, m - shift))
        m, c = deviation + shift, second - np.outer(deviation, deviation)
    state = np.array(covariances)
    result = Moments(np.array(means), state[:, :d, :d], state)
    return result if np.ndim(steps) else Moments(result.mean[0], result.covariance[0], state[0])


def stationary_moments(dynamics: SGD) -> Moments:
    """Return mean and covariance of the stationary state of SGD on a quadratic loss.

    Parameters
    ----------
    dynamics : SGD
        As for `sgd_recursion`.

    Raises
    ------
    MethodError
        If there is no stationary state with a covariance.

    Examples
    --------
    >>> import fpsolver as fp
    >>> noise = fp.GaussianNoise(per_example_covariance=1.0)
    >>> sgd = fp.SGD(fp.Landscape("x**2/2"), learning_rate=0.1, noise=noise, momentum=0.9)
    >>> stationary_moments(sgd).covariance.round(10)
    array([[0.51351351]])
    """
    recursion = sgd_recursion(dynamics)
    state, d = recursion.stationary(), dynamics.landscape.dimension
    return Moments(recursion.centre, state[:d, :d], state)


def mean_square_radius(
    inputs: Any, learning_rate: float, batch_size: int, *, replacement: bool = True, **optimiser: Any
) -> float:
    """Return the factor by which second moments of minibatch SGD on a linear regression grow or shrink in a step.

    Parameters are those of `regression_recursion`. Directions without curvature are left out.

    Examples
    --------
    >>> round(mean_square_radius(GaussianInputs(1.0), 0.5, batch_size=1), 12)
    0.75
    """
    law = Optimiser(**optimiser)
    source = regression_inputs(inputs, law.weight_decay).moving()
    return _regression(source, learning_rate, batch_size, replacement, law).radius


def mean_square_learning_rate(
    inputs: Any, batch_size: int, *, replacement: bool = True, tolerance: float = 1e-12, **optimiser: Any
) -> Threshold:
    """Return the learning rate above which the variance of minibatch SGD on a linear regression grows without bound.

    Found by bisection of `mean_square_radius`. It lies below the threshold of gradient descent; that at which almost
    all trajectories leave is another one, `almost_sure_learning_rate`.

    Parameters
    ----------
    inputs, batch_size, replacement, **optimiser
        As for `regression_recursion`.
    tolerance : float
        Relative width at which the bisection ends.

    Raises
    ------
    MethodError
        If the inputs vanish.

    Examples
    --------
    >>> round(mean_square_learning_rate(GaussianInputs(1.0), batch_size=1).value, 9)
    0.666666667
    """
    law = Optimiser(**optimiser)
    source = regression_inputs(inputs, law.weight_decay).moving()
    start = 1e-3 * (1.0 - law.momentum) / source.largest
    return first_crossing(lambda rate: _regression(source, rate, batch_size, replacement, law).radius, start, tolerance)


def _recursion(dynamics: SGD, velocity: bool) -> MomentRecursion:
    law = Optimiser(dynamics.momentum, bool(dynamics.nesterov))
    noise, landscape, decay = dynamics.noise, dynamics.landscape, dynamics.weight_decay
    if isinstance(noise, MinibatchNoise):
        source = regression_inputs(landscape, decay)
        assert isinstance(source, DataInputs)
        batch = source.noise(noise.batch_size, noise.replacement)
        return _assembled(source.curvature, batch, source.centre, dynamics.learning_rate, law, velocity)
    form = quadratic_form(landscape)
    if form is None:
        raise MethodError(
            f"{landscape!r} is not quadratic, so that its moments do not close; take fp.generator(sgd, grid) in one or "
            "two dimensions, or trajectories"
        )
    d = landscape.dimension
    curvature = form.hessian + decay * np.eye(d)
    centre = -np.linalg.lstsq(curvature, form.slope, rcond=None)[0]
    if not np.allclose(curvature @ centre, -form.slope, rtol=1e-9, atol=1e-9 * np.abs(form.slope).max(initial=0.0)):
        raise MethodError("the loss has no stationary point: it falls along a flat direction; add weight decay")
    if isinstance(noise, GaussianNoise) and noise.per_example_covariance.constant is None:
        raise MethodError(
            "the noise covariance depends on θ, so that moments do not close; give a constant one, or "
            "fp.MinibatchNoise on fp.landscapes.linear_regression"
        )
    constant = dynamics.noise_covariance(np.zeros(d)).reshape(d, d)
    return _assembled(curvature, GradientNoise(constant), centre, dynamics.learning_rate, law, velocity)


def _regression(
    source: GaussianInputs | DataInputs, learning_rate: float, batch_size: int, replacement: bool, law: Optimiser
) -> MomentRecursion:
    noise = source.noise(checked_batch(batch_size, law), replacement)
    centre = source.centre if isinstance(source, DataInputs) else np.zeros(source.dimension)
    return _assembled(source.curvature, noise, centre, learning_rate, law, law.momentum > 0.0)


def _assembled(
    curvature: np.ndarray,
    noise: GradientNoise,
    centre: np.ndarray,
    learning_rate: float,
    law: Optimiser,
    velocity: bool,
) -> MomentRecursion:
    update, unit = law.update(learning_rate, velocity), np.eye(len(curvature))
    gain, reading = np.kron(update.gain[:, np.newaxis], unit), np.kron(update.reading, unit)
    return MomentRecursion(np.kron(update.free, unit) - gain @ curvature @ reading, gain, reading, noise, centre)


def _symmetric(upper: np.ndarray, n: int) -> np.ndarray:
    matrix = np.zeros((n, n))
    matrix[np.triu_indices(n)] = upper
    return matrix + np.triu(matrix, 1).T


def _check_chain(dynamics: SGD) -> None:
    if not isinstance(dynamics, SGD):
        raise MethodError(f"{dynamics!r} is no chain whose moments close in steps; give fp.SGD(…)")


def _checked_steps(steps: int | Sequence[int]) -> np.ndarray:
    wanted = np.atleast_1d(np.asarray(steps))
    if wanted.ndim != 1 or not np.issubdtype(wanted.dtype, np.integer) or not wanted.size:
        raise DynamicsError(f"steps = {steps!r} must be a whole number, or several of them")
    if wanted[0] < 0 or (np.diff(wanted) < 0).any():
        raise DynamicsError(f"steps = {wanted.tolist()} must ascend from 0 or more")
    return wanted


def _initial(
    dynamics: SGD, mean: ArrayLike, covariance: ArrayLike | None, velocity: bool
) -> tuple[np.ndarray, np.ndarray]:
    d = dynamics.landscape.dimension
    m = np.atleast_1d(np.asarray(mean, dtype=float))
    c = np.zeros((d, d)) if covariance is None else np.atleast_2d(np.asarray(covariance, dtype=float))
    if m.shape != (d,) or c.shape != (d, d) or not (np.isfinite(m).all() and np.isfinite(c).all()):
        raise DensityError(f"a mean ({d},) and a covariance ({d}, {d}) are needed; shapes {m.shape} and {c.shape} came")
    if not np.allclose(c, c.T) or np.linalg.eigvalsh(c)[0] < -1e-12 * np.abs(c).max(initial=0.0):
        raise DensityError("the initial covariance must be symmetric and positive semi-definite")
    if not velocity:
        return m, c
    whole = np.zeros((2 * d, 2 * d))
    whole[:d, :d] = c
    return np.concatenate([m, np.zeros(d)]), whole
