"""A learning rate from the local reaction-rate density: the most progress in one step, with a floor for exploration.

The steps of SGD have the density ρ(Δθ|θ) = N(Δθ; −ηG, η²C). Its expected progress −∫ρ ΔL dΔθ, to second order in Δθ, is
η|G|² − (η²/2)[GᵀHG + tr(HC)], and largest at η* = |G|²/[GᵀHG + tr(HC)]: exploitation. Noise that is to cross barriers
asks for a temperature, η ≥ 2dT/tr C: exploration.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import InputError
from fpsolver.learning.stability import symmetric_matrix

if TYPE_CHECKING:
    from fpsolver.dynamics import SGD
    from fpsolver.dynamics.protocol import Protocol

HessianLike = ArrayLike | Callable[[np.ndarray], np.ndarray]


def expected_progress(
    gradient: ArrayLike, hessian: HessianLike, noise: ArrayLike, learning_rate: ArrayLike
) -> np.ndarray:
    """Return −⟨ΔL⟩ = η|G|² − (η²/2)[GᵀHG + tr(HC)] of one step, exact where the loss is quadratic.

    Parameters
    ----------
    gradient : array_like, shape (..., d)
        G.
    hessian : array_like, shape (..., d, d), or callable
        H, or the function v ↦ Hv of vectors (..., d).
    noise : array_like, shape (..., d, d)
        C, the covariance of the minibatch gradient.
    learning_rate : array_like
        η.

    Examples
    --------
    >>> round(float(expected_progress([1.0, 2.0], np.diag([1.0, 3.0]), np.diag([2.0, 0.5]), 0.3)), 12)
    0.7575
    """
    gain, cost = _gain_and_cost(gradient, hessian, noise)
    eta = np.asarray(learning_rate, dtype=float)
    return eta * gain - 0.5 * eta**2 * cost


def one_step_rate(
    gradient: ArrayLike,
    hessian: HessianLike,
    noise: ArrayLike,
    *,
    exploration_temperature: float = 0.0,
    largest: float = math.inf,
) -> np.ndarray:
    """Return the learning rate with the most expected progress, not below the floor for exploration.

    Parameters
    ----------
    gradient, hessian, noise
        As for `expected_progress`.
    exploration_temperature : float
        T of the floor η ≥ 2dT/tr C, which keeps (η/2) tr C/d ≥ T.
    largest : float
        Upper limit, below 2/λ_max for stability. It is taken where the loss curves down along the step, so that the
        progress grows with η without end.

    Returns
    -------
    ndarray, shape (...)
        min{max{η*, floor}, largest}.

    Raises
    ------
    InputError
        If there is no best rate and no upper limit.

    References
    ----------
    S. McCandlish, J. Kaplan, D. Amodei, arXiv:1812.06162, eq. (2.6).

    Examples
    --------
    >>> round(float(one_step_rate([1.0, 2.0], np.diag([1.0, 3.0]), np.diag([2.0, 0.5]))), 12)
    0.30303030303
    """
    gain, cost = _gain_and_cost(gradient, hessian, noise)
    if not (np.isfinite(gain).all() and np.isfinite(cost).all()):
        raise InputError("a gradient or a Hessian is not finite: a run has been thrown out; give a smaller largest=")
    curved = cost > 0.0
    best = np.where(curved, gain / np.where(curved, cost, 1.0), np.where((gain > 0.0) | (cost < 0.0), math.inf, 0.0))
    floor = 0.0
    if exploration_temperature > 0.0:
        heating = np.trace(np.asarray(noise, dtype=float), axis1=-2, axis2=-1)
        if not np.all(heating > 0.0):
            raise InputError("exploration_temperature needs noise: tr C = 0 heats nothing at any learning rate")
        floor = 2.0 * np.shape(gradient)[-1] * exploration_temperature / heating
    rates = np.minimum(np.maximum(best, floor), largest)
    if not np.isfinite(rates).all():
        raise InputError("the loss curves down along a step, so that no learning rate is the best: give largest=")
    return rates


def adaptive_rate(
    dynamics: SGD, *, exploration_temperature: float = 0.0, largest: float = math.inf
) -> Callable[[Any], np.ndarray]:
    """Return the controller θ ↦ η, at points (..., d), with the gradient, the Hessian and the noise of a loss.

    Parameters
    ----------
    dynamics : SGD
        Landscape and noise; its learning rate is not used.
    exploration_temperature, largest
        As for `one_step_rate`.

    Examples
    --------
    >>> import fpsolver as fp
    >>> sgd = fp.SGD(fp.Landscape("x**2/2"), learning_rate=0.1, noise=fp.GaussianNoise(1.0))
    >>> adaptive_rate(sgd)([[0.0], [1.0], [3.0]]).tolist()
    [0.0, 0.5, 0.9]
    """

    def rate(theta: Any) -> np.ndarray:
        points = np.asarray(theta, dtype=float)
        shift = dynamics.weight_decay * np.eye(points.shape[-1])
        return one_step_rate(
            dynamics.descent(points), dynamics.landscape.hessian(points) + shift, dynamics.noise_covariance(points),
            exploration_temperature=exploration_temperature, largest=largest,
        )  # fmt: skip

    return rate


@dataclass(frozen=True, eq=False)
class RateSchedule:
    """Learning rates step by step, and the mean loss that they lead to.

    Parameters
    ----------
    learning_rates : ndarray, shape (steps,)
        η of each step.
    losses : ndarray, shape (steps + 1,)
        ⟨L⟩ before the first step and after each.
    """

    learning_rates: np.ndarray
    losses: np.ndarray

    @property
    def protocol(self) -> Protocol:
        """The rates as a protocol in the number of the step, for ``fp.SGD(…, protocol={"learning_rate": …})``."""
        from fpsolver.learning.batch_size_control import schedule

        return schedule(self.learning_rates)


def greedy_schedule(
    hessian: ArrayLike,
    noise: ArrayLike,
    second_moment: ArrayLike,
    steps: int,
    *,
    exploration_temperature: float = 0.0,
    largest: float = math.inf,
) -> RateSchedule:
    """Return the schedule that makes the most progress in each step on a quadratic loss, on the average over all runs.

    Parameters
    ----------
    hessian, noise : array_like, shape (d, d)
        H ≥ 0, and C.
    second_moment : array_like, shape (d, d)
        M = ⟨θθᵀ⟩ at the start, counted from the minimum.
    steps : int
        How many.
    exploration_temperature, largest
        As for `one_step_rate`.

    Returns
    -------
    RateSchedule
        With the exact moments, η = tr(H²M)/[tr(H³M) + tr(HC)] and M′ = (1 − ηH)M(1 − ηH) + η²C. In one dimension it is
        the best schedule for any number of steps, with η → 1/(nh) after n; in more a schedule that looks ahead can beat
        it.

    Examples
    --------
    >>> schedule = greedy_schedule([[1.0]], [[1.0]], [[1.0]], 4)
    >>> schedule.learning_rates.round(4).tolist(), schedule.losses.round(4).tolist()
    ([0.5, 0.3333, 0.25, 0.2], [0.5, 0.25, 0.1667, 0.125, 0.1])
    """
    h, c, m = map(symmetric_matrix, (hessian, noise, second_moment))
    one = np.eye(len(h))
    floor = 2.0 * len(h) * exploration_temperature / np.trace(c) if exploration_temperature else 0.0
    rates, losses = [], [0.5 * float(np.trace(h @ m))]
    for _ in range(steps):
        cost = float(np.trace(h @ h @ h @ m) + np.trace(h @ c))
        best = float(np.trace(h @ h @ m)) / cost if cost > 0.0 else 0.0
        rates.append(min(max(best, floor), largest))
        step = one - rates[-1] * h
        m = step @ m @ step + rates[-1] ** 2 * c
        losses.append(0.5 * float(np.trace(h @ m)))
    return RateSchedule(np.array(rates), np.array(losses))


@dataclass(frozen=True, eq=False)
class ControlledRun:
    """Runs of SGD under a controller.

    Parameters
    ----------
    positions : ndarray, shape (n, d)
        Where they ended.
    losses, standard_errors : ndarray, shape (steps + 1,)
        Mean loss before the first step and after each.
    learning_rates : ndarray, shape (steps,)
        Mean η of each step.
    """

    positions: np.ndarray
    losses: np.ndarray
    standard_errors: np.ndarray
    learning_rates: np.ndarray


def controlled_descent(
    dynamics: SGD, rate: Callable[[Any], Any] | float, start: ArrayLike, steps: int, *, seed: int = 0
) -> ControlledRun:
    """Run SGD with Gaussian noise under a controller that sees where each run is.

    Parameters
    ----------
    dynamics : SGD
        Landscape and noise, without momentum.
    rate : callable or float
        η at positions (n, d), as `adaptive_rate` gives it, or a constant.
    start : array_like, shape (n, d)
        Where the runs begin.
    steps : int
        How many.
    seed : int
        Of the noise, which is normal with the covariance of the minibatch gradient.

    Raises
    ------
    InputError
        If the dynamics has momentum, or the runs do not begin at points.
    """
    if dynamics.momentum:
        raise InputError(f"momentum = {dynamics.momentum:g}: the one-step rate has no memory; leave momentum out")
    rng, theta = np.random.default_rng(seed), np.array(start, dtype=float)
    if theta.ndim != 2 or theta.shape[1] != dynamics.landscape.dimension:
        raise InputError(
            f"start of shape {theta.shape} must be points (n, {dynamics.landscape.dimension}), one for each run"
        )
    samples = [dynamics.landscape.value(theta)]
    rates = []
    for _ in range(steps):
        eta = np.broadcast_to(rate(theta) if callable(rate) else float(rate), theta.shape[:1])
        values, vectors = np.linalg.eigh(dynamics.noise_covariance(theta))
        normal = np.sqrt(np.maximum(values, 0.0)) * rng.standard_normal(theta.shape)
        theta = theta - eta[:, None] * (dynamics.descent(theta) + np.einsum("nij,nj->ni", vectors, normal))
        samples.append(dynamics.landscape.value(theta))
        rates.append(float(eta.mean()))
    losses = np.array(samples)
    return ControlledRun(
        theta, losses.mean(axis=1), losses.std(axis=1, ddof=1) / math.sqrt(len(theta)), np.array(rates)
    )


def _gain_and_cost(gradient: ArrayLike, hessian: HessianLike, noise: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return |G|² and GᵀHG + tr(HC)."""
    g, c = np.asarray(gradient, dtype=float), np.asarray(noise, dtype=float)
    if c.shape[-2:] != (g.shape[-1],) * 2:
        raise InputError(f"noise of shape {c.shape} does not go with a gradient of shape {g.shape}")
    if callable(hessian):
        curved = hessian(g)
        columns = [hessian(c[..., i])[..., i] for i in range(g.shape[-1])]
        return (g * g).sum(axis=-1), (g * curved).sum(axis=-1) + np.sum(columns, axis=0)
    h = np.asarray(hessian, dtype=float)
    if h.shape[-2:] != c.shape[-2:]:
        raise InputError(f"hessian of shape {h.shape} does not go with a gradient of shape {g.shape}")
    return (g * g).sum(axis=-1), np.einsum("...i,...ij,...j->...", g, h, g) + np.einsum("...ij,...ji->...", h, c)
