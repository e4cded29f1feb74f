"""Rational Krylov: e^{tW} p from the space spanned by powers of (1 − γW)^{-1}; 20 to 40 solves for any time.

One pole at 1/γ with γ ≈ t/10 needs a number of solves that does not depend on how stiff W is. The factorisation
is sparse and done once for all output times of a group; large three-dimensional grids use multigrid instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import AccuracyWarning, ConvergenceError, MethodError
from fpsolver.solvers.elimination import bandwidth, eliminate_network, elimination_order
from fpsolver.solvers.exponential.sparse_operator import symmetrised
from fpsolver.solvers.exponential.system import EPSILON, Outcome, System, norm
from fpsolver.solvers.factorisation import factorise
from fpsolver.solvers.stationary import stationary

POLE = 0.1
"""γ over the time; the optimum is flat between 0.05 and 0.2."""
RANGE = 8.0
"""Ratio of the longest to the shortest duration that share one factorisation."""
MOST_VECTORS = 100
CHECKS = (9, 12, 15, 18, 21, 25, 30, 36, 43, 51, 61, 73, 86, 100)
"""Numbers of vectors at which the result is worked out: dense exponentials cost more than a few solves."""
QUICK, LONGEST = 1e8, 6e9
"""Operations of an elimination up to which it is preferred to a factorisation where that might lose digits, and up to
which it is tried where one has lost them (some seconds)."""
LARGEST_TABLE = 4e7
"""Numbers that the table of an elimination may hold."""
STONES = np.array([1e-8, 1e-6, 1e-4, 1e-2])
"""Fractions of the first time at which to stop on the way if one pole does not serve the whole of it."""
NOTHING, DECAYED = 1e-9, 80.0
"""Eigenvalue of (1 − γW)^{-1} that rounding may have made of nothing, and exponent of what has decayed beyond doubt."""
MULTIGRID_CELLS = 60_000
"""Cells in three or four dimensions from which the fill of a factorisation costs more than multigrid."""


def implicit(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Evolve any generator by a rational Krylov method, with detailed balance in its symmetric form.

    The error is estimated by the change since the check before, at two checks in a row. To it comes what a
    factorisation of 1 − γW loses: it moves W by rounding of its largest rate, ε‖W‖, which hides rates of
    escape over high barriers. By Duhamel this costs ε‖W‖ ∫ ‖p(s) − π‖ ds. Where that is too much, Markov networks of
    moderate bandwidth are solved by elimination without subtractions, which loses nothing.

    Parameters
    ----------
    system : System
        Any.
    state : ndarray
        State of total mass one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Allowed error in L1.

    Raises
    ------
    ConvergenceError
        If 100 vectors do not suffice even for short steps.

    References
    ----------
    J. van den Eshof and M. Hochbruck, SIAM J. Sci. Comput. 27, 1438 (2006).
    """
    last = float(durations[-1])
    doubtful = system.structured and EPSILON * system.rate * last > 0.01 * tolerance
    if usable_symmetric(system, state, tolerance):
        form = _symmetric_form(system, state)
    else:
        form = _plain_form(system, tolerance, long=doubtful)
    cost = elimination_cost(system) if doubtful else np.inf
    if cost > QUICK:
        outcome = _stepwise(form, state, durations, tolerance)
        if outcome.error <= tolerance or cost > LONGEST:
            return outcome
    return _stepwise(replace(form, eliminated=partial(_elimination, system, form)), state, durations, tolerance)


def rational(
    system: System,
    state: np.ndarray,
    durations: np.ndarray,
    tolerance: float,
    solver: Callable[[float], Callable[[np.ndarray], np.ndarray]],
    *,
    symmetric: bool,
) -> Outcome:
    """Evolve a generator that is known by its solver alone.

    Parameters
    ----------
    system : System
        With detailed balance.
    state : ndarray
        State of total mass one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Allowed error in L1.
    solver : callable
        γ → the map x → (1 − γW)^{-1} x, or with S = Π^{-1/2} W Π^{1/2} for W.
    symmetric : bool
        Whether it solves with S.
    """
    fixed = None if system.generator.absorbing else system.root
    form = _Form(
        None,
        system.symmetrise if symmetric else lambda p: p,
        (lambda y: y * system.root) if symmetric else lambda p: p,
        norm if symmetric else lambda p: float(np.abs(p).sum()),
        fixed if symmetric or fixed is None else fixed**2,
        fixed if symmetric or fixed is None else np.ones(len(fixed)),
        system.generator.grid.dimension,
        symmetric,
        True,
        EPSILON * system.rate,
        eliminated=solver,
    )
    return _stepwise(form, state, durations, tolerance)


def _stepwise(form: _Form, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Return the result with one pole for each group of times or, should that fail, after a few shorter times too."""
    try:
        return _in_groups(form, state, durations, tolerance)
    except ConvergenceError:
        early = float(durations[0]) * STONES
    outcome = _in_groups(form, state, np.concatenate([early, durations]), tolerance)
    return replace(outcome, states=outcome.states[len(early) :])


def _in_groups(form: _Form, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    vector, start = form.enter(state), 0.0
    groups = spans(durations)
    rows, solves, error = [], 0, form.doubt
    for group in groups:
        images, used, slip = _advance(form, vector, group - start, tolerance / (2 * len(groups)))
        vector, start = images[-1], float(group[-1])
        rows += [form.leave(image) for image in images]
        solves, error = solves + used, error + slip
    return Outcome(np.array(rows), solves, error, "implicit")


def elimination_cost(system: System) -> float:
    """Return the operations of an elimination, or infinity where its table would not fit."""
    matrix = sparse.csr_array(system.generator.matrix)
    order = elimination_order(matrix)
    band = bandwidth(matrix[order][:, order])
    n = matrix.shape[0]
    return np.inf if n * (2.0 * band + 1) > LARGEST_TABLE else n * max(float(band), 1.0) ** 2


def _elimination(system: System, form: _Form, gamma: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return the map y → (1 − γW)^{-1} y by elimination, in which 1/γ is one more rate of leaving."""
    killing = system.generator.killing.ravel() + 1 / gamma
    network = eliminate_network(system.generator.matrix, killing)
    return lambda y: form.enter(network.forward(form.leave(y)) / gamma)


def usable_symmetric(system: System, state: np.ndarray, tolerance: float) -> bool:
    """Whether rounding in the symmetric form stays below the tolerance."""
    return system.reversible and 100 * EPSILON * system.amplification(state) < tolerance


def spans(durations: np.ndarray) -> list[np.ndarray]:
    """Return times in groups that share a factorisation."""
    groups, first, start = [], 0, 0.0
    for k in range(1, len(durations) + 1):
        if k == len(durations) or durations[k] - start > RANGE * (durations[first] - start):
            groups.append(durations[first:k])
            start, first = float(durations[k - 1]), k
    return groups


@dataclass(frozen=True, eq=False)
class _Form:
    """A matrix, maps into and out of the space it acts on, the norm of errors and what is kept exactly.

    The state `fixed` stays, and the functional `mass` says how much of it a state holds; `doubt` is the error of
    `fixed`. `rounding` is how far a factorisation moves W, `eliminated` makes a solver without that error. There is no
    matrix where a solver is all that is given.
    """

    matrix: sparse.csc_array | None
    enter: Callable[[np.ndarray], np.ndarray]
    leave: Callable[[np.ndarray], np.ndarray]
    norm: Callable[[np.ndarray], float]
    fixed: np.ndarray | None
    mass: np.ndarray | None
    dimension: int
    definite: bool
    monotone: bool
    rounding: float
    doubt: float = 0.0
    eliminated: Callable[[float], Callable[[np.ndarray], np.ndarray]] | None = None


def _symmetric_form(system: System, state: np.ndarray) -> _Form:
    generator = system.generator
    matrix = symmetrised(generator.matrix).tocsc()
    fixed = None if generator.absorbing else system.root
    root = system.root
    return _Form(
        matrix,
        system.symmetrise,
        lambda y: y * root,
        norm,
        fixed,
        fixed,
        generator.grid.dimension,
        True,
        True,
        EPSILON * system.rate,
    )


def _plain_form(system: System, tolerance: float, *, long: bool) -> _Form:
    generator = system.generator
    fixed, doubt = stationary_state(system, tolerance) if long else (None, 0.0)

    def distance(state: np.ndarray) -> float:
        if generator.markov:
            return float(np.abs(state).sum())
        return float(np.abs(generator.decode(state) * generator.grid.volumes).sum())

    return _Form(
        sparse.csc_array(generator.matrix),
        lambda p: p,
        lambda p: p,
        distance,
        fixed,
        None if fixed is None else np.ones(len(fixed)),
        generator.grid.dimension,
        False,
        generator.markov,
        EPSILON * system.rate if system.structured else 0.0,
        doubt,
    )


def stationary_state(system: System, tolerance: float) -> tuple[np.ndarray | None, float]:
    """Return the stationary cell probabilities and their error in L1; None if they are unknown or not unique."""
    generator = system.generator
    if not system.structured or generator.absorbing:
        return None, 0.0
    if system.reversible:
        return system.root**2, 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # the error is passed on instead
        try:
            found = stationary(generator, tolerance=0.01 * tolerance)
        except (MethodError, ConvergenceError):
            return None, 0.0
    state = generator.encode(np.asarray(found))
    return state / state.sum(), float(found.stats["estimated_error"])


def solver(
    matrix: sparse.csc_array, *, dimension: int, definite: bool, monotone: bool
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that solves with a matrix 1 − γW, by factorisation or multigrid."""
    if dimension >= 3 and matrix.shape[0] > MULTIGRID_CELLS and monotone:
        return _multigrid(matrix, definite=definite)
    return factorise(matrix, markov=monotone)


def _multigrid(matrix: sparse.csc_array, *, definite: bool) -> Callable[[np.ndarray], np.ndarray]:
    import pyamg
    from scipy.sparse.linalg import cg, gmres

    rows = sparse.csr_matrix(matrix)
    levels = pyamg.ruge_stuben_solver(rows, max_coarse=200)
    cycle = levels.aspreconditioner()

    def solve(right: np.ndarray) -> np.ndarray:
        if definite:
            solution, _ = cg(rows, right, rtol=1e-13, atol=0.0, maxiter=200, M=cycle)
        else:
            solution, _ = gmres(rows, right, rtol=1e-13, atol=0.0, maxiter=20, restart=50, M=cycle)
        residual = norm(rows @ solution - right) / max(norm(right), 1e-300)
        if residual > 1e-10:
            raise ConvergenceError(f"multigrid stopped at a relative residual of {residual:.1e}; choose another method")
        return solution

    return solve


def _advance(form: _Form, vector: np.ndarray, durations: np.ndarray, tolerance: float) -> tuple[np.ndarray, int, float]:
    """Return e^{tW} v for a group of durations, the number of solves and the estimated error."""
    kept = np.zeros_like(vector)
    if form.fixed is not None and form.mass is not None:
        kept = form.fixed * (form.mass * vector).sum()
    rest = vector - kept
    beta = norm(rest)
    # e^{tW} contracts in this norm: what is this close to the stationary state stays so
    settled = form.norm(rest) if form.fixed is not None else np.inf
    if settled < 1e-2 * tolerance or beta == 0.0:
        return np.repeat((kept + rest)[None], len(durations), axis=0), 0, min(settled, beta)
    gamma = POLE * float(durations[-1])
    if form.eliminated is not None:
        solve = form.eliminated(gamma)
    else:
        assert form.matrix is not None
        shifted = sparse.csc_array(sparse.eye_array(len(vector), format="csc") - gamma * form.matrix)
        solve = solver(shifted, dimension=form.dimension, definite=form.definite, monotone=form.monotone)
    basis = np.zeros((MOST_VECTORS + 1, len(vector)))
    projected = np.zeros((MOST_VECTORS + 1, MOST_VECTORS))
    basis[0] = rest / beta
    last, changes = None, [np.inf, np.inf]
    most = min(MOST_VECTORS, len(vector))
    for m in range(1, most + 1):
        following = solve(basis[m - 1])
        if form.fixed is not None and form.mass is not None:
            following -= form.fixed * (form.mass * following).sum()
        for _ in range(2):
            overlaps = basis[:m] @ following
            following -= overlaps @ basis[:m]
            projected[:m, m - 1] += overlaps
        remainder = norm(following)
        projected[m, m - 1] = remainder
        exhausted = remainder < 1e-14 or m == most
        if m not in CHECKS and not exhausted:
            basis[m] = following / remainder
            continue
        small = _exponentials(projected[:m, :m], durations, gamma, definite=form.definite) * beta
        images = kept + small @ basis[:m]
        if not np.isfinite(images).all():
            raise ConvergenceError("the rational Krylov space is too ill-conditioned; choose method='uniformisation'")
        if last is not None:
            changes = [changes[1], max(form.norm(row) for row in images - last)]
        last = images
        if remainder < 1e-14 or max(changes) < tolerance:
            slip = min(changes[1] if np.isfinite(changes[1]) else 0.0, tolerance) + 100 * EPSILON * beta
            return images, m, slip + _hidden(form, projected[:m, :m], basis[:m], float(durations[-1]), gamma, beta)
        if not exhausted:
            basis[m] = following / remainder
    if most < MOST_VECTORS:
        hidden = _hidden(form, projected[:most, :most], basis[:most], float(durations[-1]), gamma, beta)
        return images, most, 100 * EPSILON * beta + hidden
    if changes[1] < tolerance:
        hidden = _hidden(form, projected[:most, :most], basis[:most], float(durations[-1]), gamma, beta)
        return images, most, max(changes) + 100 * EPSILON * beta + hidden
    raise ConvergenceError(
        f"{MOST_VECTORS} vectors leave an error of {changes[1]:.1e} above the tolerance {tolerance:.1e}; "
        "choose method='uniformisation' or 'krylov', or output times closer together"
    )


def _hidden(form: _Form, projected: np.ndarray, basis: np.ndarray, duration: float, gamma: float, beta: float) -> float:
    """Return what the rounding of a factorisation does to the result, ε‖W‖ ∫ ‖p(s) − π‖ ds."""
    if form.eliminated is not None or form.rounding * duration < 1e-14:
        return 0.0
    # the norm never grows, so that its value at the start of each interval bounds the integral
    moments = duration * 2.0 ** -np.arange(24.0, -1.0, -1.0)
    columns = [_exponentials(projected, np.array([t]), gamma, definite=form.definite)[0] for t in moments]
    sizes = np.array([form.norm(beta * column @ basis) for column in columns])
    first = form.norm(beta * basis[0]) * moments[0]
    return form.rounding * float(first + (sizes[:-1] * np.diff(moments)).sum())


def _exponentials(projected: np.ndarray, durations: np.ndarray, gamma: float, *, definite: bool) -> np.ndarray:
    """Return first columns of exp(t (1 − H^{-1})/γ), one row for each t."""
    from scipy.linalg import eigh, expm, schur, solve_sylvester, solve_triangular

    m = len(projected)
    if definite:
        values, vectors = eigh(0.5 * (projected + projected.T))
        rates = (1 - 1 / np.clip(values, 1e-300, 1.0)) / gamma
        return np.exp(np.outer(durations, rates)) * vectors[0] @ vectors.T
    ordered, vectors, kept = schur(projected, output="complex", sort=partial(_lasting, powers=durations / gamma))
    first = vectors[0].conj()
    if not kept:
        return np.zeros((len(durations), m))
    lasting, coupling, gone = ordered[:kept, :kept], ordered[:kept, kept:], ordered[kept:, kept:]
    reduced = (np.eye(kept) - solve_triangular(lasting, np.eye(kept))) / gamma
    rows = []
    for t in durations:
        image = expm(t * reduced)
        # f of a block triangular matrix whose second block has f = 0: T₁₁X − X T₂₂ = f(T₁₁)T₁₂
        corner = solve_sylvester(lasting, -gone, image @ coupling) if kept < m else np.empty((kept, 0))
        rows.append((vectors[:, :kept] @ (image @ first[:kept] + corner @ first[kept:])).real)
    return np.array(rows)


def _lasting(value: complex, powers: np.ndarray) -> bool:
    """Whether an eigenvalue μ of the projected inverse is more than what has decayed, or than rounding of zero.

    No generator grows: values that would are artefacts of a small space.
    """
    if abs(value) <= NOTHING:
        return False
    decay = (1 / value).real - 1
    return powers[0] * decay < DECAYED and powers[-1] * decay > -1.0
