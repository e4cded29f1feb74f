"""Full counting statistics in the long run: scaled cumulant generating functions and rate functions.

For an observable A_t = Σ_jumps a + ∫f dt, λ(s) = lim ln⟨e^{sA_t}⟩/t is the dominant eigenvalue of the tilted generator,
λ'(0) and λ''(0) are the rates of mean and variance, and P(A_t ≈ at) ~ e^{−t I(a)} with I(a) = max_s [s a − λ(s)].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import ConvergenceError, InputError, NumericalError
from fpsolver.generators.counting import (
    Counting,
    Observable,
    as_counting,
    counting,
    current_across,
    entropy_flow,
    force_work,
    heat,
    time_integral,
    winding,
)
from fpsolver.generators.tilted import TiltedGenerator, tilted
from fpsolver.thermodynamics.dominant_states import DominantState, dominant_state

__all__ = [
    "Counting",
    "CumulantGeneratingFunction",
    "DominantState",
    "RateFunction",
    "ScaledCumulants",
    "TiltedGenerator",
    "counting",
    "current_across",
    "dominant_state",
    "entropy_flow",
    "force_work",
    "heat",
    "rate_function",
    "scaled_cumulants",
    "scgf",
    "tilted",
    "time_integral",
    "winding",
]

# Newton steps on λ'(s) = a, and the largest change of s one may make in units of what changes λ' by its own spread.
_MOST_STEPS = 60
_LONGEST = 4.0


@dataclass(frozen=True)
class ScaledCumulants:
    """Rates, per unit time, of the mean and the variance of an observable in the long run.

    Parameters
    ----------
    mean, variance : float
        λ'(0) and λ''(0).
    """

    mean: float
    variance: float


@dataclass(frozen=True, eq=False)
class CumulantGeneratingFunction:
    """λ(s) at several s, with its slope.

    Parameters
    ----------
    observable : str
        What was counted.
    s : ndarray, shape (n,)
        Conjugate variable, as it was given.
    values : ndarray, shape (n,)
        λ(s).
    means : ndarray, shape (n,)
        λ'(s): the mean rate of the observable in the process that makes the fluctuation typical.
    bounds : ndarray, shape (n, 2)
        Lower and upper bounds of λ(s), up to rounding.
    variances : ndarray, shape (n,), or None
        λ''(s), if asked for.
    """

    observable: str
    s: np.ndarray
    values: np.ndarray
    means: np.ndarray
    bounds: np.ndarray
    variances: np.ndarray | None = None

    def rate_function(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (a, I(a)) at the means a = λ'(s), where I(a) = s a − λ(s)."""
        return self.means, self.s * self.means - self.values

    def __len__(self) -> int:
        return len(self.s)


@dataclass(frozen=True, eq=False)
class RateFunction:
    """I(a), the exponential rate at which fluctuations become rare.

    Parameters
    ----------
    observable : str
        What was counted.
    values : ndarray, shape (n,)
        a, per unit time.
    rates : ndarray, shape (n,)
        I(a).
    s : ndarray, shape (n,)
        I'(a), the conjugate variable.
    """

    observable: str
    values: np.ndarray
    rates: np.ndarray
    s: np.ndarray


def scgf(
    W: Any, observable: Observable, s_values: ArrayLike, *, variances: bool = False, tolerance: float = 1e-9
) -> CumulantGeneratingFunction:
    """Return the scaled cumulant generating function λ(s) = lim ln⟨e^{sA_t}⟩/t.

    Parameters
    ----------
    W : Generator
        A Markov generator on cells, at a stated time. Where walls absorb, averages are over what survives, times the
        probability to survive.
    observable : str, Counting or callable
        "entropy_flow", "heat", "force_work", or what `winding`, `current_across`, `counting` or `time_integral` return.
    s_values : array_like, shape (n,)
        Real values of s; each starts from its neighbours nearer to zero.
    variances : bool
        Whether to work out λ'' as well, one more linear solve each.
    tolerance : float
        Width of the bounds of λ relative to it; rounding of the fastest rate sets the limit.

    Raises
    ------
    MethodError
        If W does not jump between cells, or its stationary state is not unique.
    InputError
        If the observable or s cannot be used.
    ConvergenceError
        If an s is too far out for Newton's method.

    References
    ----------
    J. L. Lebowitz and H. Spohn, J. Stat. Phys. 95, 333 (1999); H. Touchette, Phys. Rep. 478, 1 (2009).

    Examples
    --------
    Gallavotti–Cohen symmetry on a ring: λ(s) = λ(−1 − s) for the entropy that flows to the bath.

    >>> import fpsolver as fp
    >>> ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 60, boundary="periodic"))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("cos(x) - 0.5*x"), temperature=1.0), ring)
    >>> found = scgf(W, "entropy_flow", [0.5, -1.5])
    >>> bool(abs(found.values[0] - found.values[1]) < 1e-11)
    True
    """
    counted = as_counting(W, observable)
    s = np.atleast_1d(np.asarray(s_values, dtype=float))
    if s.ndim != 1 or not s.size or not np.isfinite(s).all():
        raise InputError(f"s_values = {s_values!r} must be finite numbers in a row")
    rows = np.empty((s.size, 5))
    for index, state in _states(W, counted, s, tolerance):
        rows[index] = state.value, state.mean, *state.bounds, state.variance if variances else np.nan
    return CumulantGeneratingFunction(
        counted.name, s, rows[:, 0], rows[:, 1], rows[:, 2:4], rows[:, 4] if variances else None
    )


def _states(W: Any, observable: Counting, s: np.ndarray, tolerance: float) -> Iterator[tuple[int, DominantState]]:
    """Yield the dominant states from the s nearest to zero outwards, first upwards, then downwards."""
    upwards = sorted(np.flatnonzero(s >= 0), key=lambda i: s[i])
    downwards = sorted(np.flatnonzero(s < 0), key=lambda i: -s[i])
    for side in (upwards, downwards):
        # At s = 0 nothing is tilted.
        known: list[tuple[float, np.ndarray]] = [] if W.absorbing else [(0.0, np.zeros(W.grid.shape))]
        pin = None
        for index in side:
            state = dominant_state(
                tilted(W, observable, s[index]), guess=_continued(known, s[index]), pin=pin, tolerance=tolerance
            )
            yield int(index), state
            known = [*known[-1:], (float(s[index]), state.log_left)]
            pin = int(np.argmax(state.masses))


def _continued(known: list[tuple[float, np.ndarray]], s: float) -> np.ndarray | None:
    """Return the logarithm of the left eigenvector on the straight line through the last two."""
    if len(known) < 2 or known[1][0] == known[0][0]:
        return known[-1][1] if known else None
    (before, first), (last, second) = known
    return second + (s - last) / (last - before) * (second - first)


def scaled_cumulants(W: Any, observable: Observable) -> ScaledCumulants:
    """Return the rates of mean and variance of an observable in the long run, by linear solves at s = 0.

    Parameters
    ----------
    W : Generator
        A Markov generator on cells, at a stated time.
    observable : str, Counting or callable
        As for `scgf`.

    Raises
    ------
    MethodError
        If W does not jump between cells, or its stationary state is not unique.

    Examples
    --------
    Without force a ring turns neither way, and spreads with the diffusion coefficient T/I₀(1/T)² of Lifson and Jackson.

    >>> import fpsolver as fp
    >>> ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 200, boundary="periodic"))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=1.0), ring)
    >>> turns = scaled_cumulants(W, winding(W, "x"))
    >>> bool(abs(turns.mean) < 1e-12), round((2 * np.pi) ** 2 * turns.variance / 2, 3)
    (True, 0.624)
    >>> round(float(np.i0(1.0) ** -2), 3)
    0.624
    """
    state = dominant_state(tilted(W, observable, 0.0))
    return ScaledCumulants(state.mean, state.variance)


def rate_function(W: Any, observable: Observable, values: ArrayLike, *, tolerance: float = 1e-8) -> RateFunction:
    """Return the large-deviation rate function I(a) = max_s [s a − λ(s)] at given values.

    Parameters
    ----------
    W : Generator
        A Markov generator on cells, at a stated time.
    observable : str, Counting or callable
        As for `scgf`.
    values : array_like, shape (n,)
        a, per unit time.
    tolerance : float
        Of λ'(s) = a, in units of √λ''(0); I is then good to its square.

    Raises
    ------
    ConvergenceError
        If a value cannot be had at any s.

    References
    ----------
    H. Touchette, Phys. Rep. 478, 1 (2009), sect. 3.

    Examples
    --------
    >>> import fpsolver as fp
    >>> ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 60, boundary="periodic"))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("cos(x) - 0.5*x"), temperature=1.0), ring)
    >>> found = rate_function(W, "entropy_flow", [0.3, -0.3])
    >>> round(float(found.rates[1] - found.rates[0]), 8)
    0.3
    """
    counted = as_counting(W, observable)
    wanted = np.atleast_1d(np.asarray(values, dtype=float))
    origin = dominant_state(tilted(W, counted, 0.0))
    scale = float(np.sqrt(origin.variance))
    conjugate, rates = np.empty_like(wanted), np.empty_like(wanted)
    for order in (np.flatnonzero(wanted >= origin.mean), np.flatnonzero(wanted < origin.mean)):
        state = origin
        for index in sorted(order, key=lambda i: abs(wanted[i] - origin.mean)):
            state = _at_mean(W, counted, state, float(wanted[index]), tolerance * scale)
            conjugate[index] = float(np.real(state.tilt.s))
            rates[index] = conjugate[index] * wanted[index] - state.value
    return RateFunction(counted.name, wanted, rates, conjugate)


def _at_mean(W: Any, observable: Counting, state: DominantState, value: float, tolerance: float) -> DominantState:
    """Return the state whose mean is a given value, by Newton's method from another state."""
    for _ in range(_MOST_STEPS):
        if abs(state.mean - value) <= tolerance:
            return state
        s, longest = float(np.real(state.tilt.s)), _LONGEST / np.sqrt(state.variance)
        step = float(np.clip((value - state.mean) / state.variance, -longest, longest))
        guess = state.log_left + step * state.response
        pin = int(np.argmax(state.masses))
        try:
            state = dominant_state(tilted(W, observable, s + step), guess=guess, pin=pin)
        except (ConvergenceError, NumericalError):
            break
    raise ConvergenceError(
        f"no s was found at which {observable.name} has the mean rate {value:g}; the nearest was {state.mean:g}: "
        "the value may lie beyond what jumps between these cells can do"
    )
