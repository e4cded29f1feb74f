"""Transition probabilities of jump processes: short times, exact examples, and the arguments of the master equation.

A rate matrix W has columns that add up to zero; e^{Wt} are the transition probabilities. As it circulates, P = ρΔt
gives them off the diagonal and forgets that most often nothing happens.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import finite, not_negative, positive
from fpsolver.theory.reaction_rates import total_rate

Place = TypeVar("Place", float, np.ndarray)

KAC = "M. Kac, Am. Math. Mon. 54, 369 (1947)"


def short_time(rates: ArrayLike, *, duration: float) -> np.ndarray:
    """Return (1 − rΔt)δ + ρΔt, that is 1 + WΔt, shape (n, n): the transition matrix e^{WΔt} to first order.

    Parameters
    ----------
    rates : array_like, shape (n, n)
        W: rates of jumps from column to row, on the diagonal minus the total rate r.
    duration : float
        Δt, below 1/r.

    Examples
    --------
    >>> short_time([[-1.0, 2.0], [1.0, -2.0]], duration=0.1)
    array([[0.9, 0.2],
           [0.1, 0.8]])
    """
    matrix = _square(rates)
    return np.asarray(np.eye(len(matrix)) + not_negative("duration", duration) * matrix)


def short_time_as_written(rates: ArrayLike, *, duration: float) -> np.ndarray:
    """Return ρΔt alone, shape (n, n): its columns add up to rΔt, not to one.

    Parameters
    ----------
    rates, duration
        As for `short_time`.
    """
    matrix = _square(rates)
    return np.asarray(not_negative("duration", duration) * (matrix - np.diag(np.diag(matrix))))


def urn_rates(balls: int) -> np.ndarray:
    """Return the rate matrix of Ehrenfest's urn, shape (N + 1, N + 1): n → n + 1 at (N − n)/N, n → n − 1 at n/N.

    M. Kac, Am. Math. Mon. 54, 369 (1947).

    Parameters
    ----------
    balls : int
        N.

    Examples
    --------
    >>> urn_rates(2)
    array([[-1. ,  0.5,  0. ],
           [ 1. , -1. ,  1. ],
           [ 0. ,  0.5, -1. ]])
    """
    up = 1.0 - np.arange(_whole(balls)) / balls
    matrix = np.diag(up, -1) + np.diag(up[::-1], 1)
    return np.asarray(matrix - np.diag(matrix.sum(axis=0)))


def urn_spectrum(balls: int) -> np.ndarray:
    """Return the eigenvalues −2j/N of Ehrenfest's urn, j = 0 … N, shape (N + 1,)."""
    return np.asarray(-2.0 * np.arange(_whole(balls) + 1) / balls)


def urn_transitions(balls: int, *, duration: float) -> np.ndarray:
    """Return the exact transition matrix of Ehrenfest's urn, shape (N + 1, N + 1).

    Every ball changes sides at the rate 1/N on its own: p = (1 − e^{−2t/N})/2 is the probability that it has changed,
    and of n balls binomially many stay while of N − n binomially many come.

    Parameters
    ----------
    balls : int
        N.
    duration : float
        t.

    Examples
    --------
    >>> urn_transitions(3, duration=1e3)[:, 0].round(12).tolist()
    [0.125, 0.375, 0.375, 0.125]
    """
    changed = -0.5 * math.expm1(-2.0 * not_negative("duration", duration) / _whole(balls))
    columns = [np.convolve(_binomial(n, 1.0 - changed), _binomial(balls - n, changed)) for n in range(balls + 1)]
    return np.stack(columns, axis=1)


def compound_poisson_density(
    displacement: ArrayLike,
    *,
    gradient: float,
    temperature: float,
    scale: float,
    duration: float,
    attempt_rate: float = 1.0,
) -> np.ndarray:
    """Return the density of displacements x after the time t on a linear loss on a line, without the atom at zero.

    Jumps come at the constant rate r, each normal with mean m = −s²g/2T and variance s² (half law, Gaussian proposal):
    Σ_{n ≥ 1} e^{−rt}(rt)ⁿ/n! N(x; nm, ns²); with the probability e^{−rt} nothing has happened.

    Parameters
    ----------
    displacement : array_like
        x.
    gradient, temperature, scale : float
        g, T and s.
    duration : float
        t.
    attempt_rate : float
        A.

    Examples
    --------
    >>> x = np.linspace(-8.0, 8.0, 4001)
    >>> p = compound_poisson_density(x, gradient=1.0, temperature=0.5, scale=0.3, duration=2.0)
    >>> rate = 1.046027859908717
    >>> round(float(p.sum() * (x[1] - x[0]) + np.exp(-2.0 * rate)), 12)
    1.0
    """
    from scipy.special import gammaln

    x = finite("displacement", displacement)
    rate = float(total_rate(gradient, temperature=temperature, scale=scale, attempt_rate=attempt_rate))
    mean, expected = -(scale**2) * gradient / (2.0 * temperature), rate * positive("duration", duration)
    most = int(expected + 12.0 * math.sqrt(expected) + 30.0)  # beyond, Poisson weights are below 1e-16
    density = np.zeros_like(x)
    for number in range(max(1, 2 * int(expected) - most), most + 1):
        weight = math.exp(number * math.log(expected) - expected - gammaln(number + 1.0))
        spread = number * scale**2
        density += weight * np.exp(-0.5 * (x - number * mean) ** 2 / spread) / math.sqrt(2.0 * math.pi * spread)
    return density


def arguments(start: Place, end: Place) -> tuple[Place, Place]:
    """Return what ρ(θ, Δθ) is to be taken at for jumps from start to end: (start, end − start).

    The master equation is dp/dt(θ) = ∫[ρ(θ', θ − θ') p(θ') − ρ(θ, θ' − θ) p(θ)] dθ'.

    Parameters
    ----------
    start, end : float or ndarray
        Where a jump begins and ends.

    Examples
    --------
    >>> arguments(1.0, 1.25)
    (1.0, 0.25)
    """
    return start, end - start


def arguments_as_written(start: Place, end: Place) -> tuple[Place, Place]:
    """Return (start, end): the place where a jump ends is put where the rate density expects the update.

    Parameters
    ----------
    start, end
        As for `arguments`.
    """
    return start, end


def arguments_as_written_variance(stiffness: float, *, temperature: float, scale: float) -> float:
    """Return the variance of the stationary state on kθ²/2 that `arguments_as_written` makes, in place of T/k.

    Rates q(θ')e^{−[L(θ + θ') − L(θ)]/2T} from θ to θ' balance with e^{−kθ²/4T}q(θ), whose variance is 1/(1/s² + k/2T).

    Parameters
    ----------
    stiffness, temperature, scale : float
        k, T and s (half law, Gaussian proposal).

    Examples
    --------
    >>> arguments_as_written_variance(1.0, temperature=0.5, scale=1.0)
    0.5
    """
    tilt = positive("stiffness", stiffness) / (2.0 * positive("temperature", temperature))
    return 1.0 / (1.0 / positive("scale", scale) ** 2 + tilt)


def _binomial(n: int, p: float) -> np.ndarray:
    """Return the probabilities of 0 … n successes."""
    k = np.arange(n + 1)
    return np.array([math.comb(n, int(i)) for i in k], dtype=float) * p**k * (1.0 - p) ** (n - k)


def _square(rates: ArrayLike) -> np.ndarray:
    matrix = finite("rates", rates)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise TheoryError(f"rates of shape {matrix.shape} must be a square matrix")
    if np.abs(matrix.sum(axis=0)).max() > 1e-9 * np.abs(matrix).max():
        raise TheoryError("columns of a rate matrix add up to zero; those given do not: rates go from column to row")
    return matrix


def _whole(balls: int) -> int:
    if not (isinstance(balls, int | np.integer) and balls >= 1):
        raise TheoryError(f"balls = {balls!r} must be a whole number, at least 1")
    return int(balls)
