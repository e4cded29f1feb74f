"""Evolution under generators that are convolutions: the choice of a method, and implicit steps by iteration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.solvers.convolved import Count, conjugate_gradients, resolvent
from fpsolver.solvers.exponential.chebyshev import blurring, chebyshev, rounding, terms
from fpsolver.solvers.exponential.implicit import rational, spans
from fpsolver.solvers.exponential.system import EPSILON, Outcome, System
from fpsolver.solvers.exponential.uniformisation import uniformisation

SOLVES = 30.0
"""Solves that a group of times takes, for an estimate of costs."""
ROUNDINGS = 10.0
"""Roundings of the mean rate by which slow rates may be off."""
MOST_HOPS = 3e3
"""Products up to which a density far from equilibrium is followed jump by jump."""


def convolved(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Iterator[Outcome]:
    """Yield outcomes of the cheapest method that rounding allows.

    A density that is large where the equilibrium is tiny is followed by uniformisation, which is accurate everywhere,
    as long as the largest rate allows it: under the half law a broad density at a low temperature meets rates of
    e^{ΔL/2T}, and implicit steps in probabilities take over. All others go by the symmetric form, as a Chebyshev
    series or in implicit steps.

    Parameters
    ----------
    system : System
        Of a convolution.
    state : ndarray
        Cell probabilities, of total one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Allowed error in L1.
    """
    last = float(durations[-1])
    series = sum(terms(system, float(gap), tolerance) for gap in np.diff(durations, prepend=0.0))
    amplified = system.amplification(state)
    if rounding(series, amplified) < 0.1 * tolerance and series < _cost(system, durations):
        yield chebyshev(system, state, durations, tolerance)
    elif system.rate * last < MOST_HOPS:
        yield uniformisation(system, state, durations, tolerance)
    else:
        yield implicit_convolved(system, state, durations, tolerance)


def _cost(system: System, durations: np.ndarray) -> float:
    """Return the products that implicit steps take, roughly."""
    assert isinstance(system.generator, ConvolutionGenerator)
    gamma = 0.1 * float(durations[-1])
    return len(spans(durations)) * SOLVES * (10.0 + 6.0 * np.sqrt(1.0 + gamma * system.generator.mean_rate))


def implicit_convolved(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Evolve a convolution by a rational Krylov method whose solves are iterations.

    Parameters
    ----------
    system : System
        Of a convolution.
    state : ndarray
        Cell probabilities, of total one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Allowed error in L1.
    """
    W = system.generator
    assert isinstance(W, ConvolutionGenerator)
    count = Count()
    accuracy = max(1e-3 * tolerance, 1e-14)
    symmetric = 100 * EPSILON * system.amplification(state) < tolerance

    def solver(gamma: float) -> Callable[[np.ndarray], np.ndarray]:
        if symmetric:
            return lambda y: conjugate_gradients(W, 1 / gamma, y / gamma, accuracy, count)
        return lambda p: resolvent(W, 1 / gamma, p / gamma, accuracy, count)

    outcome = rational(system, state, durations, tolerance, solver, symmetric=symmetric)
    end, last = outcome.states[-1], float(durations[-1])
    if symmetric:
        hidden = blurring(system, system.symmetrise(end), last)
    else:
        unsettled = 1.0 if W.absorbing else float(np.abs(end - system.root**2).sum())
        hidden = ROUNDINGS * EPSILON * W.mean_rate * last * unsettled
    return replace(outcome, applications=count.products, error=outcome.error + hidden)
