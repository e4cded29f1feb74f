"""Rare transitions between two sets by adaptive multilevel splitting: `adaptive_splitting`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.dynamics import Langevin
from fpsolver.ensembles.branching import RUN_TRAJECTORIES, Loops, Pieces, Replicas, excursion, split, walk
from fpsolver.ensembles.functionals import Functionals
from fpsolver.ensembles.initial import initial_states
from fpsolver.ensembles.integrators.additive import additive_integrator
from fpsolver.ensembles.integrators.integrator import Request, check_scheme
from fpsolver.ensembles.march import thread_count
from fpsolver.ensembles.passage_times import PassageEstimate
from fpsolver.ensembles.scores import score_of
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.arguments import check_numbers, whole_steps
from fpsolver.ensembles.targets import Targets, targets_of
from fpsolver.errors import AccuracyWarning, ConvergenceError, InputError, MethodError, RegionError
from fpsolver.regions import Box

SCHEMES = ("heun", "weak-2", "euler-maruyama", "ornstein-uhlenbeck")

BURN_IN, LOOPS = 4, 4
"""Loops of each walker that are not counted, and that are."""

SURPASSED = 0.8
"""Fraction of excursions from A that do not come up to the reference surface, where that is left open."""

PILOT = 0xFFFF
"""Run that finds the reference surface."""

LONGEST = 1_000_000
"""Most steps of one piece of a path, unless told."""


@dataclass(frozen=True, eq=False)
class Splitting:
    """Result of adaptive multilevel splitting.

    Parameters
    ----------
    probability : PassageEstimate
        Probability to reach B before A from the reference surface, without bias.
    mean_time : PassageEstimate
        Mean time from A to B.
    loop_time : PassageEstimate
        Mean time of a loop: from A up to the reference surface and back into A.
    reactive_time : PassageEstimate
        Mean time of the last departure: from the last entrance into A up to B.
    reference : float
        Score of the reference surface; −∞ where it is the wall of A.
    run_probabilities, run_errors : ndarray, shape (runs,)
        Estimate and standard error of each run.
    iterations : ndarray of int, shape (runs,)
        How often replicas were killed.
    n : int
        Replicas of a run.
    stats : mapping
        "particle_steps", "wall_time", "particle_steps_per_second", "extinct" runs, "ancestors" of the replicas in B, …
    """

    probability: PassageEstimate
    mean_time: PassageEstimate
    loop_time: PassageEstimate
    reactive_time: PassageEstimate
    reference: float
    run_probabilities: np.ndarray
    run_errors: np.ndarray
    iterations: np.ndarray
    n: int
    stats: Mapping[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        """Number of independent runs."""
        return len(self.run_probabilities)

    @property
    def rate(self) -> PassageEstimate:
        """Rate of transitions, 1 over the mean time."""
        value = 1.0 / self.mean_time.value
        return PassageEstimate(value, value * self.mean_time.standard_error / self.mean_time.value)

    @property
    def relative_error(self) -> float:
        """Relative standard error of the probability."""
        return self.probability.standard_error / self.probability.value

    @property
    def ideal_relative_error(self) -> float:
        """Relative error √(−ln p/(n runs)) that the committor as score would leave, the least there is."""
        return float(np.sqrt(-np.log(min(self.probability.value, 1.0)) / (self.n * self.runs)))

    @property
    def scatter(self) -> float:
        """Standard error of the probability from the scatter between runs: another estimate of its standard error.

        Raises
        ------
        MethodError
            If there is one run alone.
        """
        if self.runs < 2:
            raise MethodError("one run has no scatter: ask for runs=10 or more")
        return float(self.run_probabilities.std(ddof=1) / np.sqrt(self.runs))


def adaptive_splitting(
    dynamics: Any,
    start: Any,
    target: Any,
    *,
    score: Any,
    dt: float,
    seed: int,
    n: int = 1000,
    initial: Any = None,
    reference: float | None = None,
    kill: float | int = 0.1,
    runs: int = 1,
    loops: tuple[int, int] = (BURN_IN, LOOPS),
    scheme: str = "heun",
    t_max: float | None = None,
    threads: int | None = None,
    experiment: int = 0,
) -> Splitting:
    """Return probability and mean time of rare transitions from a set A to a set B.

    Walkers first go to and fro between A and a surface of equal score around it, which takes T_loop on average. From
    where they come through that surface n replicas set out, until they reach A or B. The replicas whose highest score is
    the lowest are killed, and replaced by branches of the others from where those first exceeded that score; this is
    repeated until the replicas have reached B, and the probability p to do so before A is the product of the surviving
    fractions. The mean time is T = (1/p − 1) T_loop + T_reactive.

    That holds for the chain of steps itself, at any dt, with no bias in p for any score: all replicas at the killing
    level die, ties included. What is left is the difference between the chain and continuous time. A and B are seen at
    the ends of steps; where the walls of A and B lie on the slopes of two wells and not on the barrier between them,
    T depends neither on where they are nor on whether a step missed them, and its bias is that of the scheme, of
    order dt² for "heun". A wall of B on top of the barrier makes T too long by order √dt. The score decides about the
    error alone; the best is the committor.

    Errors come from the genealogy: pairs of replicas without common ancestor give an estimate of p² without bias, so
    that a single run knows its error. More runs make it smaller, and show it a second time, as their scatter. Where
    several channels lead to B and the score leads all replicas into one of them, both are too small: compare scores.

    Parameters
    ----------
    dynamics : Langevin
        Overdamped dynamics with constant mobility and diffusion that does not depend on time.
    start, target : Box or str
        The sets A and B: `fpsolver.where(x=(None, -0.8))`, or a level function, positive or zero inside.
    score : str, Field or callable
        What rises from A to B: an expression in the variables; a field on a grid of all variables, such as
        `fpsolver.committor`, interpolated between cell centres; or a function of points (256, d), which is slow.
    dt : float
        Time step.
    seed : int
        Seed of the random numbers; the same seed gives the same bits for any number of threads, and run k is the same
        whatever the number of runs.
    n : int
        Replicas of a run.
    initial : array_like, optional
        A point in A, or n points, from which the walkers set out; for a box by default its centre, or the middle of
        its wall.
    reference : float, optional
        Score of the reference surface; by default one that a fifth of the excursions from A surpass.
    kill : float or int
        Fraction or number of replicas that are killed at a time, at least.
    runs : int
        Number of independent runs.
    loops : (int, int)
        Loops of each walker until it has forgotten where it started, and loops that are timed.
    scheme : {"heun", "weak-2", "euler-maruyama", "ornstein-uhlenbeck"}
        Scheme of the steps.
    t_max : float, optional
        Longest time between A and the reference surface or between there and A or B; by default a million steps.
    threads : int, optional
        Number of threads; by default as many as Numba would use.
    experiment : int
        Number of an experiment: independent random numbers under the same seed.

    Returns
    -------
    Splitting

    Raises
    ------
    InputError
        If a value is out of range.
    RegionError
        If a set does not fit the dynamics, or a walker does not start in A.
    MethodError
        If the dynamics is underdamped, driven, or its noise depends on the position.
    ConvergenceError
        If all runs died out, or a path takes longer than `t_max`.
    TrajectoryError
        If a trajectory becomes infinite or NaN.

    Warns
    -----
    AccuracyWarning
        If some runs died out.

    References
    ----------
    F. Cérou and A. Guyader, Stoch. Anal. Appl. 25, 417 (2007). F. Cérou, A. Guyader, T. Lelièvre and D. Pommier,
    J. Chem. Phys. 134, 054108 (2011), eq. (9) for the time. C.-E. Bréhier, M. Gazeau, L. Goudenège, T. Lelièvre and
    M. Rousset, Ann. Appl. Probab. 26, 3559 (2016), for discrete time and ties. A. Lee and N. Whiteley, Biometrika 105,
    609 (2018), for errors from genealogies.

    Examples
    --------
    >>> import fpsolver as fp
    >>> well = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.05)
    >>> a, b = fp.where(x=(None, -0.8)), fp.where(x=(0.8, None))
    >>> result = adaptive_splitting(well, a, b, score="x", dt=0.02, seed=1)
    >>> bool(abs(result.mean_time.value - 728.6) < 4 * result.mean_time.standard_error)
    True
    """
    n, dt, seed = check_numbers(n, dt, seed, 0.0)
    dead = _check_numbers(n, kill, runs, loops)
    _check_dynamics(dynamics, scheme)
    landscape = dynamics.landscape
    sets = _sets(start, target, landscape)
    request = Request(dynamics, scheme, "gaussian", Functionals(), dt, key_of(seed, experiment))
    engine = additive_integrator(request)
    names = engine.system.parameters.names
    values = engine.system.parameters.values
    compiled = score_of(score, landscape.variables, names, values)
    steps = LONGEST if t_max is None else whole_steps(t_max, dt, "t_max")
    points = _initial(dynamics, sets, initial, n)
    began = time.perf_counter()
    with Pieces(engine, compiled, sets.walls(names, "double"), steps, thread_count(threads)) as pieces:
        surface = _reference(pieces, points, loops[0]) if reference is None else float(reference)
        many = np.tile(points, (runs, 1))
        walked = walk(pieces, many, _first(range(runs), n), n, surface, *loops)
        populations = _replicas(pieces, walked, n, runs)
        split(pieces, populations, dead)
        wall, taken = time.perf_counter() - began, pieces.taken
    stats = {"scheme": scheme, "seed": seed, "experiment": experiment, "kill": dead, "dt": dt, "loops": loops,
             "wall_time": wall, "particle_steps": taken, "particle_steps_per_second": taken / wall}  # fmt: skip
    return _result(populations, walked, surface, dt, stats)


def _check_numbers(n: int, kill: float | int, runs: int, loops: tuple[int, int]) -> int:
    """Return how many replicas are killed at a time."""
    if n < 2:
        raise InputError(f"n = {n} must be two replicas or more")
    if isinstance(runs, bool) or not isinstance(runs, int | np.integer) or not 1 <= runs < PILOT:
        raise InputError(f"runs = {runs!r} must be a number of runs from 1 to {PILOT - 1}")
    whole = isinstance(kill, int | np.integer) and not isinstance(kill, bool)
    dead = int(kill) if whole else int(np.ceil(float(kill) * n)) if 0 < kill < 1 else 0
    if not 1 <= dead < n:
        raise InputError(f"kill = {kill!r} must be a fraction between 0 and 1, or a number from 1 to n − 1 = {n - 1}")
    if len(loops) != 2 or loops[0] < 0 or loops[1] < 1:
        raise InputError(f"loops = {loops!r} must be two numbers: loops that are not timed (0 or more), and that are")
    return dead


def _check_dynamics(dynamics: Any, scheme: str) -> None:
    if not isinstance(dynamics, Langevin):
        raise MethodError(
            f"adaptive_splitting follows overdamped trajectories, and {type(dynamics).__name__} is no fp.Langevin; for "
            "underdamped dynamics take the overdamped limit, or the kinetic generator with fp.mean_first_passage_time"
        )
    check_scheme(scheme, SCHEMES, "splitting, which branches from positions alone and so needs a Markov chain of them")
    if dynamics.driven:
        raise MethodError(
            "adaptive_splitting repeats loops that start from A at any time, and this dynamics depends on time: "
            "dynamics.at(t) is the dynamics at a moment"
        )
    for name, coefficient in (("mobility", dynamics.mobility), ("diffusion", dynamics.noise)):
        if coefficient.varies:
            raise MethodError(
                f"{name} = {coefficient.given!r} may depend on the position; take variables in which the noise is "
                "constant, or fp.mean_first_passage_time on a grid"
            )


def _sets(start: Any, target: Any, landscape: Any) -> Targets:
    for name, one in (("start", start), ("target", target)):
        if isinstance(one, list | tuple):
            raise RegionError(f"{name} = {one!r}: give one set, a box or a level function; Max(g, h) is the union of two")
    sets = targets_of([start, target], landscape.variables, tuple(landscape.parameters))
    if sets.timed:
        raise MethodError("a level function depends on the time; the sets of splitting must stay where they are")
    return sets


def _initial(dynamics: Any, sets: Targets, given: Any, n: int) -> np.ndarray:
    """Return points (n, d) in A."""
    variables = dynamics.landscape.variables
    d = len(variables)
    box = sets.given[0]
    if given is None:
        if not isinstance(box, Box):
            raise InputError(f'initial is missing: give a point in A, where "{box}" is not negative')
        bounds = [box.bounds.get(name, (None, None)) for name in variables]
        given = [_middle(*pair) for pair in bounds]
    points = np.array(initial_states(dynamics, given, n, np.zeros((n, d)), np.zeros((n, d + 1)), False))
    outside = ~_contains(sets, 0, points, dynamics.landscape)
    if outside.any():
        raise RegionError(f"the initial point {points[outside][0].tolist()} is not in A, {sets.names[0]}")
    both = _contains(sets, 1, points, dynamics.landscape)
    if both.any():
        raise RegionError(f"the initial point {points[both][0].tolist()} is in A and in B; the two must be disjoint")
    return points


def _middle(lower: float | None, upper: float | None) -> float:
    if lower is None or upper is None:
        return next((float(bound) for bound in (lower, upper) if bound is not None), 0.0)
    return 0.5 * (lower + upper)


def _contains(sets: Targets, number: int, points: np.ndarray, landscape: Any) -> np.ndarray:
    from fpsolver.landscapes.compiled_expressions import compile_expressions

    given = sets.given[number]
    if isinstance(given, str):
        level = compile_expressions((given,), sets.variables, tuple(landscape.parameters))
        return np.asarray(level(points, landscape.parameters))[..., 0] >= 0
    inside = np.ones(len(points), dtype=bool)
    for name, (lower, upper) in given.bounds.items():
        x = points[:, sets.variables.index(name)]
        inside &= (x >= (-np.inf if lower is None else lower)) & (x <= (np.inf if upper is None else upper))
    return inside


def _first(runs: Any, n: int) -> np.ndarray:
    """Return the first n trajectories of each run."""
    return np.concatenate([np.arange(run * RUN_TRAJECTORIES, run * RUN_TRAJECTORIES + n, dtype=np.uint64) for run in runs])


def _reference(pieces: Pieces, points: np.ndarray, burn_in: int) -> float:
    """Return the score that a fifth of the excursions from A surpass."""
    n = len(points)
    walked = walk(pieces, points, _first([PILOT], n), n, -np.inf, burn_in, 1)
    surface = float(np.quantile(walked.best, SURPASSED, method="lower"))
    return surface if np.isfinite(surface) else -np.inf


def _replicas(pieces: Pieces, walked: Loops, n: int, runs: int) -> list[Replicas]:
    """Return the replicas of each run, with their first excursions done."""
    ids = _first(range(runs), n) + np.uint64(walked.used * n)
    first = excursion(pieces, ids, walked.position, walked.score)
    every = [slice(run * n, (run + 1) * n) for run in range(runs)]
    return [
        Replicas(
            walked.position[own].copy(), walked.score[own].copy(), walked.climb[own].copy(), ids[own].copy(),
            first.score[own].copy(), first.steps[own].copy(), np.arange(n), int(ids[own][-1]) + 1,
        )
        for own in every
    ]  # fmt: skip


def _result(runs: list[Replicas], walked: Loops, surface: float, dt: float, stats: Mapping[str, Any]) -> Splitting:
    """Put the runs together."""
    n = len(runs[0].best)
    estimates = np.array([one.estimates() for one in runs])
    probabilities, squares = estimates[:, 0], estimates[:, 1]
    extinct = int(np.count_nonzero(probabilities == 0))
    if extinct == len(runs):
        highest = max(float(one.best.max()) for one in runs)
        raise ConvergenceError(
            f"all replicas of {'the run' if extinct == 1 else 'all runs'} died out at score {highest:g} before any "
            f"reached B: with n = {n} make n larger, kill fewer at a time, or give a score that goes on rising to B"
        )
    if extinct:
        warnings.warn(
            f"{extinct} of {len(runs)} runs died out and count with probability 0: the estimate has no bias, but its "
            f"error is larger than stated; make n = {n} larger, or the score better",
            AccuracyWarning,
            stacklevel=3,
        )
    # Where few pairs tell, the estimate of the variance may be negative; it is never below that of the best score.
    ideal = np.where(probabilities > 0, -np.log(np.maximum(np.minimum(probabilities, 1.0), 1e-300)), 0.0) / n
    variances = np.maximum(probabilities**2 - squares, probabilities**2 * ideal)
    p, error = float(probabilities.mean()), float(np.sqrt(variances.sum()) / len(runs))
    loop = _loop_time(walked, dt)
    reactive, ancestors = _reactive_time(runs, probabilities, dt)
    value = (1.0 / p - 1.0) * loop.value + reactive.value
    parts = (error / p * loop.value / p, (1.0 / p - 1.0) * loop.standard_error, reactive.standard_error)
    return Splitting(
        PassageEstimate(p, error),
        PassageEstimate(value, float(np.linalg.norm(parts))),
        loop,
        reactive,
        surface,
        probabilities,
        np.sqrt(variances),
        np.array([one.iterations for one in runs]),
        n,
        {**stats, "extinct": extinct, "ancestors": ancestors},
    )


def _loop_time(walked: Loops, dt: float) -> PassageEstimate:
    """Return the mean time of a loop: a ratio of sums over independent walkers."""
    count = int(walked.count.sum())
    if count == 0:
        return PassageEstimate(0.0, 0.0)  # from everywhere to B: p = 1, and the time of loops has no weight
    mean = float(walked.steps.sum()) / count
    residues = walked.steps - mean * walked.count
    spread = np.sqrt(np.square(residues).sum() * len(residues) / max(len(residues) - 1, 1))
    return PassageEstimate(dt * mean, dt * float(spread) / count)


def _reactive_time(runs: list[Replicas], probabilities: np.ndarray, dt: float) -> tuple[PassageEstimate, int]:
    """Return the mean time of paths to B with a standard error that counts families for one, and how many there are."""
    reached = [np.isposinf(one.best) for one in runs]
    weights = np.concatenate([np.full(r.sum(), p / max(r.sum(), 1)) for r, p in zip(reached, probabilities, strict=True)])
    times = dt * np.concatenate([(one.before + one.steps)[r] for one, r in zip(runs, reached, strict=True)])
    families = np.concatenate(
        [one.ancestor[r] + k * len(one.best) for k, (one, r) in enumerate(zip(runs, reached, strict=True))]
    )
    weights /= weights.sum()
    mean = float((weights * times).sum())
    residues = np.bincount(families, weights=weights * (times - mean))
    return PassageEstimate(mean, float(np.linalg.norm(residues))), len(np.unique(families))
