"""The choice of a method: accuracy first, then cost.

Costs are counted in products with the generator. Under detailed balance rounding decides first: the symmetric form is
used where ‖Π^{−1/2} P‖₂ times rounding is below the tolerance; until then the density relaxes by uniformisation, which
is accurate however far out it starts. Then one Chebyshev series does for short times, and filters or a rational Krylov
method for long ones. Kinetic generators in Hermite functions take Faber series until a factorisation is cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fpsolver.errors import ConvergenceError, MethodError
from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.generators.rate_matrix import Generator
from fpsolver.solvers.exponential.chebyshev import GROUP, chebyshev, rounding, terms
from fpsolver.solvers.exponential.convolved import convolved, implicit_convolved
from fpsolver.solvers.exponential.eigen import MOST_CELLS, eigen
from fpsolver.solvers.exponential.faber import faber, products
from fpsolver.solvers.exponential.implicit import implicit, spans
from fpsolver.solvers.exponential.krylov import krylov
from fpsolver.solvers.exponential.relaxation import relaxation
from fpsolver.solvers.exponential.squaring import squaring
from fpsolver.solvers.exponential.system import EPSILON, Outcome, System
from fpsolver.solvers.exponential.taylor import shifted_norm, taylor
from fpsolver.solvers.exponential.uniformisation import uniformisation

Method = Callable[[System, np.ndarray, np.ndarray, float], Outcome]

SYMMETRIC: dict[str, Method] = {"chebyshev": chebyshev, "eigen": eigen}
EDGES: dict[str, Method] = {"uniformisation": uniformisation, "squaring": squaring}
GENERAL: dict[str, Method] = {"faber": faber, "taylor": taylor, "krylov": krylov, "implicit": implicit}
METHODS = ("auto", *SYMMETRIC, *EDGES, *GENERAL)

SERIES = 14.0
"""Terms of a Chebyshev series per cell along the longest axis below which nothing else is considered: by then a density
has diffused across the grid once or twice, and only then can it have settled."""
SOLVE_COST = 400.0
"""A sparse factorisation with its solves, in products with the generator per 100 × 100 cells; grows as √cells."""
KINETIC_COST = 8000.0
"""Products with a Hermite generator that cost as much as its factorisation with 30 to 70 solves, for 10⁴ states; grows
as √states."""
DENSE_CELLS = 200
"""Cells up to which dense squaring, the most accurate method for long times, costs little."""
FEW_DENSE_CELLS = 150
"""Cells up to which it is preferred to a rational method where slow rates are lost in rounding."""
MOST_DENSE_CELLS = 2000
PATIENCE = 20.0
"""Cost of uniformisation, in factorisations, after which a density that stays far from equilibrium is factorised."""
MOST_UPDATES = 3e10
"""Products times cells beyond which no method is tried: some minutes."""
HOPS = 8e3
"""Products beyond which uniformisation costs more than a sparse factorisation and 20 solves in one or two dimensions;
the fill in three makes that ten times as many."""


def propagation(
    generator: Generator,
    state: np.ndarray,
    durations: np.ndarray,
    tolerance: float,
    *,
    method: str,
    positive: bool,
    device: str = "cpu",
) -> Iterator[Outcome]:
    """Yield outcomes, in the order of time, that cover all durations.

    Parameters
    ----------
    generator : Generator
        Not driven.
    state : ndarray
        State of total mass one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Allowed error in L1 at any time.
    method : str
        One of METHODS.
    positive : bool
        Whether only methods of non-negative arithmetic may be used.
    device : str
        Where polynomials of the generator are computed.

    Raises
    ------
    MethodError
        If the method does not serve this generator.
    """
    system = System(generator, device)
    _check_method(system, method, positive=positive)
    if method in SYMMETRIC:
        _check_rounding(system, state, durations, tolerance, method)
    if method != "auto":
        chosen = (SYMMETRIC | EDGES | GENERAL)[method]
        if chosen is implicit and isinstance(generator, ConvolutionGenerator):
            chosen = implicit_convolved
        yield chosen(system, state, durations, tolerance)
    elif positive:
        yield from _positive(system, state, durations, tolerance)
    elif isinstance(generator, ConvolutionGenerator):
        yield from convolved(system, state, durations, tolerance)
    elif system.reversible:
        yield from _reversible(system, state, durations, tolerance)
    elif system.structured:
        yield from _irreversible(system, state, durations, tolerance)
    else:
        yield from _unstructured(system, state, durations, tolerance)


def _check_method(system: System, method: str, *, positive: bool) -> None:
    if method in SYMMETRIC and not system.reversible:
        raise MethodError(
            f"method={method!r} needs detailed balance, which this generator does not have; "
            "choose 'auto', 'uniformisation', 'krylov' or 'implicit'"
        )
    if (method in EDGES or positive) and not system.structured:
        raise MethodError(
            f"{'positive=True' if positive else f'method={method!r}'} needs non-negative rates, and this generator "
            "is not Markov; choose 'auto', 'taylor', 'krylov' or 'implicit', or a monotone scheme for the generator"
        )
    if positive and method not in (*EDGES, "auto"):
        allowed = " or ".join(repr(name) for name in ("auto", *EDGES))
        raise MethodError(f"method={method!r} does not promise positivity; choose {allowed}")


def _check_rounding(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float, method: str) -> None:
    lost = rounding(terms(system, float(durations[-1]), tolerance), system.amplification(state))
    if lost > 0.5 * tolerance:
        raise MethodError(
            f"method={method!r} would amplify rounding to {lost:.1e}, above the tolerance {tolerance:g}, because the "
            "initial density is large where the equilibrium is tiny; choose 'auto', 'uniformisation' or 'implicit'"
        )


def harmless(system: System, state: np.ndarray, steps: float, tolerance: float) -> bool:
    """Whether rounding in the symmetric form stays well below the tolerance over a recurrence of some length."""
    return rounding(steps, system.amplification(state)) < 0.1 * tolerance


def _positive(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Iterator[Outcome]:
    n = system.generator.n_state
    dense = n <= MOST_DENSE_CELLS and system.rate * float(durations[-1]) > _dense_hops(n)
    yield (squaring if dense else uniformisation)(system, state, durations, tolerance)


def _dense_hops(cells: int) -> float:
    """Return the products that cost as much as some 40 squarings of a dense matrix."""
    return 4.0 * cells**2


def _irreversible(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Iterator[Outcome]:
    hops = system.rate * float(durations[-1])
    n = system.generator.n_state
    if hops < HOPS * (1 if system.generator.grid.dimension < 3 else 10):
        yield uniformisation(system, state, durations, tolerance)
    elif n <= DENSE_CELLS:
        yield squaring(system, state, durations, tolerance)
    else:
        yield _factorised(system, state, durations, tolerance)


def _unstructured(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Iterator[Outcome]:
    last = float(durations[-1])
    if not system.generator.edges:
        n, d = system.generator.n_state, system.generator.grid.position_dimension
        factorised = KINETIC_COST * np.sqrt(n / 1e4) * len(spans(durations)) * (1 if d == 1 else 10)
        steps = products(system.field_of_values, last, tolerance)
        if steps < factorised:
            yield faber(system, state, durations, tolerance)
        else:
            yield _robust(faber, steps, system, state, durations, tolerance)
        return
    _, norm = shifted_norm(system)
    if norm * last < 300:
        yield taylor(system, state, durations, tolerance)
    else:
        yield _robust(krylov, norm * last, system, state, durations, tolerance)


def _robust(
    second: Method, steps: float, system: System, state: np.ndarray, durations: np.ndarray, tolerance: float
) -> Outcome:
    """Return the result of the rational method or, where it fails, of one that takes some number of products."""
    try:
        return implicit(system, state, durations, tolerance)
    except ConvergenceError as error:
        if steps * len(state) > MOST_UPDATES:
            raise ConvergenceError(
                f"{error}; up to t = {float(durations[-1]):g} that would take {steps:.1e} products: coarsen the grid "
                "or loosen the tolerance, or ask for stationary, spectrum or mean_first_passage_time instead"
            ) from None
    return second(system, state, durations, tolerance)


def _factorised(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Return a result for long times that neither rounding nor the length of time spoils, if there is one."""
    n, last = system.generator.n_state, float(durations[-1])
    hops = system.rate * last
    if n <= MOST_DENSE_CELLS and hops > _dense_hops(n):
        return _robust(squaring, 0.0, system, state, durations, tolerance)
    steps = min(hops, terms(system, last, tolerance)) if _tame(system, state, tolerance) else hops
    return _robust(chebyshev if steps < hops else uniformisation, steps, system, state, durations, tolerance)


def _tame(system: System, state: np.ndarray, tolerance: float) -> bool:
    return system.reversible and 100 * EPSILON * system.amplification(state) < tolerance


def _reversible(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Iterator[Outcome]:
    share = tolerance / 4
    now, spent, used = 0.0, 0.0, 0
    waiting = durations
    span = 100.0 / max(system.rate, 1e-300)
    n = system.generator.n_state
    patience = PATIENCE * _solve_cost(system)
    while len(waiting) and not harmless(system, state, _steps(system, float(waiting[-1]) - now, share), tolerance):
        if n <= MOST_DENSE_CELLS and used > _dense_hops(n):
            yield _later(squaring(system, state, waiting - now, share), spent)
            return
        if used > patience and system.rate * (float(waiting[-1]) - now) > patience:
            # still far out where equilibrium is next to nothing, as in a high metastable well
            yield _later(_factorised(system, state, waiting - now, share), spent)
            return
        reached = waiting[waiting <= now + span]
        stops = reached if len(reached) else np.array([now + span])
        outcome = uniformisation(system, state, stops - now, share / 100)
        state, now = outcome.states[-1], float(stops[-1])
        spent, used = spent + outcome.error, used + outcome.applications
        if len(reached):
            yield _later(outcome, spent - outcome.error)
            waiting = waiting[len(reached) :]
        else:
            yield Outcome(np.empty((0, len(state))), outcome.applications, spent, outcome.method)
        span *= 1.6
    yield from _symmetric(system, state, waiting - now, tolerance - spent, spent)


def _solve_cost(system: System) -> float:
    """Return what a sparse factorisation with its solves costs, in products with the generator."""
    n, d = system.generator.n_state, system.generator.grid.dimension
    return SOLVE_COST * (np.sqrt(n / 1e4) if d < 3 else 3 * np.sqrt(n / 1e4)) + 1500


def _steps(system: System, duration: float, tolerance: float) -> float:
    """Return the steps of the longest recurrence on the way that the symmetric form would take."""
    return min(terms(system, duration, tolerance), 4 * _solve_cost(system))


def _later(outcome: Outcome, spent: float) -> Outcome:
    return Outcome(outcome.states, outcome.applications, outcome.error + spent, outcome.method)


def _symmetric(
    system: System, state: np.ndarray, durations: np.ndarray, tolerance: float, spent: float
) -> Iterator[Outcome]:
    """Yield outcomes of methods that work in the symmetric form."""
    now, waiting = 0.0, durations
    gaps = np.diff(durations, prepend=0.0)
    enough = SERIES * max(system.generator.grid.shape)
    far = sum(terms(system, float(gap), tolerance) >= enough for gap in gaps)
    segments = -(-len(durations) // GROUP) + far
    while len(waiting):
        near = waiting[[terms(system, float(t) - now, tolerance) < enough for t in waiting]]
        if len(near):
            group = near[:GROUP]
            outcome = chebyshev(system, state, group - now, tolerance / segments)
        else:
            group = waiting[:1]
            outcome = _long(system, state, float(group[0]) - now, tolerance / segments)
        state, now = outcome.states[-1], float(group[-1])
        spent += outcome.error
        yield Outcome(outcome.states, outcome.applications, spent, outcome.method)
        waiting = waiting[len(group) :]


def _long(system: System, state: np.ndarray, duration: float, tolerance: float) -> Outcome:
    """Return the state after one long time, by the cheapest of filters, eigenvectors, factorisation and series."""
    n, d = system.generator.n_state, system.generator.grid.dimension
    direct, after = terms(system, duration, tolerance), np.array([duration])
    if d == 1 and n <= MOST_CELLS // 4 and direct > 2e3 * np.sqrt(n):
        outcome = eigen(system, state, after, tolerance)
        if outcome.error <= tolerance:
            return outcome
        # the slowest rates are below the rounding of the fastest
        dense = n <= FEW_DENSE_CELLS
        return squaring(system, state, after, tolerance) if dense else _factorised(system, state, after, tolerance)
    factorised = _solve_cost(system)
    if not system.generator.absorbing:
        relaxed = relaxation(system, state, duration, tolerance, min(direct, 4 * factorised))
        if relaxed is not None:
            return relaxed
    if direct < factorised:
        return chebyshev(system, state, after, tolerance)
    return _factorised(system, state, after, tolerance)
