"""Stability of optimisers at a minimum: their linear maps, spectral radii and critical learning rates, numerically.

Close to a minimum θ* a step of gradient descent with momentum is a linear map of the deviation δ = θ − θ* and the
velocity v. The minimum is stable where its spectral radius is below one. Nothing here uses the known thresholds 2/λ and
their relatives: they come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import DynamicsError, InputError, MethodError
from fpsolver.learning.thresholds import FINEST, Threshold, first_crossing

# Curvatures below this fraction of the largest one are rounding: such directions are flat.
_FLAT = 1e-13


class Update(NamedTuple):
    """A step z′ = (F − G K Rᵀ) z of z = (δ, v), or z = δ without momentum, where gradients are K y at y = Rᵀz.

    The three act on position and velocity, and alike on every coordinate.

    Attributes
    ----------
    free : ndarray (k, k)
        F, the step without gradient; k = 2 with momentum, else 1.
    gain : ndarray (k,)
        −G is what a gradient adds to z.
    reading : ndarray (k,)
        R: where the gradient is taken.
    """

    free: np.ndarray
    gain: np.ndarray
    reading: np.ndarray


@dataclass(frozen=True, eq=False)
class Optimiser:
    """How gradients become steps, apart from the learning rate: the keywords of the functions below.

    Parameters
    ----------
    momentum : float
        β, 0 ≤ β < 1.
    nesterov : bool
        Take the gradient at θ + βv instead of θ.
    weight_decay : float
        λ ≥ 0, added to the Hessian.
    preconditioner : float or array_like (d,)
        Diagonal of P, positive: the denominator √v + ε of Adam, held fixed.
    averaging : bool
        Let the gradient enter the velocity with the factor 1 − β, as in Adam, where β is β₁.

    Raises
    ------
    DynamicsError
        If a value is out of range.
    """

    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    preconditioner: ArrayLike = 1.0
    averaging: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.momentum < 1.0:
            raise DynamicsError(f"momentum = {self.momentum!r} must be at least 0 and below 1")
        if not (np.isfinite(self.weight_decay) and self.weight_decay >= 0.0):
            raise DynamicsError(f"weight_decay = {self.weight_decay!r} must be finite and not negative")
        diagonal = np.asarray(self.preconditioner, dtype=float)
        if diagonal.ndim > 1 or not (np.isfinite(diagonal) & (diagonal > 0.0)).all():
            raise DynamicsError(f"preconditioner = {diagonal} must be a positive number, or one a parameter")

    def update(self, learning_rate: float, velocity: bool = False) -> Update:
        """Return the step as it acts on position and velocity, or on position alone without momentum.

        Parameters
        ----------
        learning_rate : float
            η > 0.
        velocity : bool
            Keep the velocity without momentum too.

        Raises
        ------
        DynamicsError
            If the learning rate is not positive.
        """
        if not (np.isfinite(learning_rate) and learning_rate > 0.0):
            raise DynamicsError(f"learning_rate = {learning_rate!r} must be positive and finite")
        if self.momentum == 0.0 and not velocity:
            return Update(np.ones((1, 1)), np.array([learning_rate]), np.ones(1))
        step = learning_rate * (1.0 - self.momentum if self.averaging else 1.0)
        free = np.array([[1.0, self.momentum], [0.0, self.momentum]])
        return Update(free, np.array([step, step]), np.array([1.0, self.momentum if self.nesterov else 0.0]))

    def curvature(self, hessian: ArrayLike) -> np.ndarray:
        """Return K = P^(−1/2)(H + λ)P^(−1/2) (d, d): the step is the same in the coordinates P^(1/2)δ.

        Raises
        ------
        InputError
            If the Hessian is not a symmetric matrix, a diagonal or a number, or the preconditioner does not fit it.
        """
        matrix = symmetric_matrix(hessian)
        d = len(matrix)
        diagonal = np.asarray(self.preconditioner, dtype=float)
        if diagonal.shape not in ((), (d,)):
            raise InputError(f"preconditioner has the shape {diagonal.shape}; the Hessian has {d} parameters")
        scale = np.broadcast_to(diagonal, d) ** -0.5
        return scale[:, np.newaxis] * (matrix + self.weight_decay * np.eye(d)) * scale


@dataclass(frozen=True)
class CriticalMomentum:
    """The momentum with which a minimum is reached fastest.

    Attributes
    ----------
    value : float
        β.
    error : float
        Width of the last bracket.
    radius : float
        Spectral radius there: deviations shrink by this factor a step.
    """

    value: float
    error: float
    radius: float


def update_map(hessian: ArrayLike, learning_rate: float, **optimiser: Any) -> np.ndarray:
    """Return the matrix by which one step multiplies deviations from a minimum.

    v′ = βv − ηK(δ + cv) and δ′ = δ + v′, with c = β for Nesterov's method and 0 for the heavy ball, and
    K = P^(−1/2)(H + λ)P^(−1/2) in the coordinates P^(1/2)δ, P^(1/2)v.

    Parameters
    ----------
    hessian : array_like (d, d), (d,) or float
        H: a symmetric matrix, its diagonal, or a number.
    learning_rate : float
        η > 0.
    **optimiser
        ``momentum``, ``nesterov``, ``weight_decay``, ``preconditioner``, ``averaging`` as for `Optimiser`.

    Returns
    -------
    ndarray, shape (2d, 2d), or (d, d) without momentum
        Acts on (δ, v), or on δ.

    Raises
    ------
    DynamicsError, InputError
        If a value is out of range.

    Examples
    --------
    >>> update_map(2.0, 0.25)
    array([[0.5]])
    >>> update_map(2.0, 0.25, momentum=0.5)
    array([[ 0.5,  0.5],
           [-0.5,  0.5]])
    """
    law = Optimiser(**optimiser)
    return _map(law.curvature(hessian), learning_rate, law)


def spectral_radius(matrix: ArrayLike) -> float:
    """Return the largest modulus of the eigenvalues of a square matrix.

    Examples
    --------
    >>> spectral_radius([[0.0, 1.0], [-1.0, 0.0]])
    1.0
    """
    return float(np.abs(np.linalg.eigvals(np.asarray(matrix, dtype=float))).max())


def critical_learning_rate(hessian: ArrayLike, *, tolerance: float = 1e-12, **optimiser: Any) -> Threshold:
    """Return the learning rate above which a minimum is unstable: where the spectral radius of the step passes one.

    Found by bisection. Flat directions, which no optimiser moves, are left out.

    Parameters
    ----------
    hessian : array_like (d, d), (d,) or float
        Hessian at the minimum; of a large problem its `sharpness` suffices, as the threshold depends on nothing else.
    tolerance : float
        Relative width at which the bisection ends.
    **optimiser
        As for `Optimiser`.

    Raises
    ------
    MethodError
        If the Hessian has a negative eigenvalue, or only vanishing ones.

    Examples
    --------
    >>> round(critical_learning_rate([[2.0, 0.0], [0.0, 0.5]]).value, 9)
    1.0
    >>> round(critical_learning_rate(1.0, momentum=0.9).value, 9)
    3.8
    """
    law = Optimiser(**optimiser)
    curvature = _moving(law.curvature(hessian))
    start = 1e-3 * (1.0 - law.momentum) / float(np.linalg.norm(curvature, 2))
    return first_crossing(lambda rate: spectral_radius(_map(curvature, rate, law)), start, tolerance)


def critical_momentum(
    hessian: ArrayLike, learning_rate: float, *, tolerance: float = 1e-12, **optimiser: Any
) -> CriticalMomentum:
    """Return the momentum that minimises the spectral radius: for one direction, critical damping.

    Below it the slowest direction creeps, above it the fastest ones ring. The radius falls and then rises with the
    momentum, so that a golden-section search finds the minimum.

    Parameters
    ----------
    hessian : array_like (d, d), (d,) or float
        Hessian at the minimum.
    learning_rate : float
        η > 0.
    tolerance : float
        Width of the bracket at which the search ends.
    **optimiser
        As for `Optimiser`, without momentum.

    Raises
    ------
    MethodError
        If the minimum is unstable at this learning rate with every momentum.

    Examples
    --------
    >>> best = critical_momentum(1.0, 0.04)
    >>> round(best.value, 9), round(best.radius, 9)
    (0.64, 0.8)
    """
    curvature = _moving(Optimiser(**optimiser).curvature(hessian))

    def radius(momentum: float) -> float:
        return spectral_radius(_map(curvature, learning_rate, Optimiser(**{**optimiser, "momentum": momentum})))

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    lower, upper = 0.0, 1.0 - 1e-15
    left, right = upper - golden * (upper - lower), lower + golden * (upper - lower)
    at_left, at_right = radius(left), radius(right)
    while upper - lower > max(tolerance, FINEST):
        if at_left <= at_right:
            upper, right, at_right = right, left, at_left
            left = upper - golden * (upper - lower)
            at_left = radius(left)
        else:
            lower, left, at_left = left, right, at_right
            right = lower + golden * (upper - lower)
            at_right = radius(right)
    value, least = (left, at_left) if at_left <= at_right else (right, at_right)
    if not least < 1.0:
        raise MethodError(
            f"the minimum is unstable at learning_rate = {learning_rate:g} whatever the momentum (spectral radius at "
            f"least {least:.6g}); give a smaller one"
        )
    return CriticalMomentum(float(value), float(upper - lower), float(least))


def moving_directions(curvature: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (d, m) of the directions that are not flat; the unit matrix where none is.

    Raises
    ------
    MethodError
        If an eigenvalue is negative, or none is positive.
    """
    values, vectors = np.linalg.eigh(curvature)
    floor = _FLAT * len(values) * np.abs(values).max()
    if values[0] < -floor:
        raise MethodError(
            f"the Hessian has the negative eigenvalue {values[0]:.6g}: a saddle, unstable at every learning rate"
        )
    moving = values > floor
    if not moving.any():
        raise MethodError("the Hessian vanishes: every direction is flat, and no learning rate is critical")
    return np.eye(len(values)) if moving.all() else vectors[:, moving]


def _moving(curvature: np.ndarray) -> np.ndarray:
    basis = moving_directions(curvature)
    return basis.T @ curvature @ basis


def symmetric_matrix(hessian: ArrayLike) -> np.ndarray:
    """Return a symmetric matrix (d, d) from one, from its diagonal (d,), or from a number.

    Raises
    ------
    InputError
        If it is none of these.
    """
    try:
        matrix = np.asarray(hessian, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"a symmetric matrix, its diagonal or a number is needed, not {hessian!r}") from None
    if matrix.ndim <= 1:
        matrix = np.diag(np.atleast_1d(matrix))
    d = len(matrix)
    if matrix.shape != (d, d) or d == 0 or not np.isfinite(matrix).all():
        raise InputError(f"a symmetric matrix, its diagonal or a number is needed, not {hessian!r}")
    asymmetry = np.abs(matrix - matrix.T).max()
    if not asymmetry <= 1e-10 * np.abs(matrix).max():
        raise InputError(f"the matrix is not symmetric: entries differ by {asymmetry:.3g}; give (H + Hᵀ)/2")
    return (matrix + matrix.T) / 2


def _map(curvature: np.ndarray, learning_rate: float, law: Optimiser) -> np.ndarray:
    free, gain, reading = law.update(learning_rate)
    return np.kron(free, np.eye(len(curvature))) - np.kron(np.outer(gain, reading), curvature)
