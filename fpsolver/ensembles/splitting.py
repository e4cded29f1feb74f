"""Rare transitions between two sets by adaptive multilevel splitting: `adaptive_splitting`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fpsolver.dynamics import Langevin
from fpsolver.ensembles.arguments import check_execution, check_numbers, is_number, is_whole, whole_steps
from fpsolver.ensembles.branching import History, Replicas, split
from fpsolver.ensembles.functionals import Functionals
from fpsolver.ensembles.initial import initial_states
from fpsolver.ensembles.integrators.additive import additive_integrator
from fpsolver.ensembles.integrators.integrator import Request, check_scheme
from fpsolver.ensembles.march import thread_count
from fpsolver.ensembles.path_pieces import Loops, Pieces, excursion, walk
from fpsolver.ensembles.scores import score_of
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.splitting_result import Splitting, result_of
from fpsolver.ensembles.targets import Targets, targets_of
from fpsolver.errors import InputError, MethodError, RegionError
from fpsolver.regions import Box

SCHEMES = ("heun", "weak-2", "euler-maruyama", "ornstein-uhlenbeck")

BURN_IN, LOOPS = 4, 4
"""Loops of each walker that are not counted, and that are."""

SURPASSED = 0.8
"""Fraction of excursions from A that do not come up to the reference surface, where that is left open."""

RUN_TRAJECTORIES = 1 << 32
"""Numbers of trajectories that are set apart for each run."""

PILOT = 0xFFFF
"""Run that finds the reference surface."""

LONGEST = 1_000_000
"""Most steps of one piece of a path, unless told."""


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
    paths: int = 0,
    threads: int | None = None,
    experiment: int = 0,
) -> Splitting:
    """Return probability and mean time of rare transitions from a set A to a set B.

    Walkers first go to and fro between A and a surface of equal score around it, which takes T_loop on average. From
    where they come through that surface n replicas set out, until they reach A or B. The replicas whose highest score
    is the lowest are killed, and replaced by branches of the others from where those first exceeded that score; this is
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
    paths : int
        Number of reactive paths to be kept from each run, or all where fewer reach B.
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
    >>> bool(abs(result.mean_time.value - 726.8) < 4 * result.mean_time.standard_error)
    True
    """
    n, dt, seed = check_numbers(n, dt, seed, 0.0)
    check_execution(threads)
    dead = _check_numbers(n, kill, runs, loops, reference, paths)
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
        populations = _replicas(pieces, walked, n, runs, paths > 0)
        split(pieces, populations, dead)
        kept = tuple(path for one in populations for path in _paths(pieces, one, paths))
        wall, taken = time.perf_counter() - began, pieces.taken
    stats = {"scheme": scheme, "seed": seed, "experiment": experiment, "kill": dead, "dt": dt, "loops": loops,
             "wall_time": wall, "particle_steps": taken, "particle_steps_per_second": taken / wall}  # fmt: skip
    return result_of(populations, walked, surface, dt, kept, stats)


def _check_numbers(n: int, kill: Any, runs: Any, loops: Any, reference: Any, paths: Any) -> int:
    """Return how many replicas are killed at a time."""
    if n < 2:
        raise InputError(f"n = {n} must be two replicas or more")
    if not is_whole(runs) or not 1 <= runs < PILOT:
        raise InputError(f"runs = {runs!r} must be a number of runs from 1 to {PILOT - 1}")
    if not is_whole(paths) or paths < 0:
        raise InputError(f"paths = {paths!r} must be a number of reactive paths, 0 or more")
    if reference is not None and (not is_number(reference) or np.isnan(reference)):
        raise InputError(f"reference = {reference!r} must be a score, a number; or leave it out")
    pair = isinstance(loops, list | tuple) and len(loops) == 2 and all(is_whole(number) for number in loops)
    if not pair or loops[0] < 0 or loops[1] < 1:
        raise InputError(f"loops = {loops!r} must be two numbers: loops that are not timed (0 or more), and that are")
    dead = 0
    if is_whole(kill):
        dead = int(kill)
    elif is_number(kill) and 0 < kill < 1:
        dead = int(np.ceil(float(kill) * n))
    if not 1 <= dead < n:
        raise InputError(f"kill = {kill!r} must be a fraction between 0 and 1, or a number from 1 to n − 1 = {n - 1}")
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
            raise RegionError(
                f"{name} = {one!r}: give one set, a box or a level function; Max(g, h) is the union of two"
            )
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
    return np.concatenate(
        [np.arange(run * RUN_TRAJECTORIES, run * RUN_TRAJECTORIES + n, dtype=np.uint64) for run in runs]
    )


def _reference(pieces: Pieces, points: np.ndarray, burn_in: int) -> float:
    """Return the score that a fifth of the excursions from A surpass."""
    n = len(points)
    walked = walk(pieces, points, _first([PILOT], n), n, -np.inf, burn_in, 1)
    surface = float(np.quantile(walked.best, SURPASSED, method="lower"))
    return surface if np.isfinite(surface) else -np.inf


def _replicas(pieces: Pieces, walked: Loops, n: int, runs: int, remembering: bool) -> list[Replicas]:
    """Return the replicas of each run, with their first excursions done."""
    ids = _first(range(runs), n) + np.uint64(walked.used * n)
    first = excursion(pieces, ids, walked.position, walked.score)
    found = []
    for run in range(runs):
        own = slice(run * n, (run + 1) * n)
        # The number of a replica is at first that of its ancestor and of its piece.
        replicas = Replicas(
            start=walked.position[own].copy(),
            start_score=walked.score[own].copy(),
            before=walked.climb[own].copy(),
            ids=ids[own].copy(),
            best=first.score[own].copy(),
            steps=first.steps[own].copy(),
            ancestor=np.arange(n),
            piece=np.arange(n),
            next_id=int(ids[own][-1]) + 1,
        )
        if remembering:
            replicas.history = History()
            none = np.zeros(n, dtype=np.int64)
            replicas.history.add(none - 1, none, replicas.ids, replicas.start)
        found.append(replicas)
    return found


def _paths(pieces: Pieces, replicas: Replicas, wanted: int) -> tuple[np.ndarray, ...]:
    """Return reactive paths of a run, evenly among the replicas in B."""
    reached = np.flatnonzero(np.isposinf(replicas.best))
    if replicas.history is None or len(reached) == 0:
        return ()
    chosen = reached[np.linspace(0, len(reached) - 1, min(wanted, len(reached))).astype(np.int64)]
    return replicas.history.paths(pieces, replicas.piece[chosen], replicas.steps[chosen])
