"""First-passage times of trajectories: `first_passage_times`."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from fpsolver.dynamics import SGD, Langevin
from fpsolver.ensembles.arguments import check_execution, check_numbers, unit_of_time, whole_steps
from fpsolver.ensembles.ensemble import to_blocks
from fpsolver.ensembles.failures import trajectory_failure
from fpsolver.ensembles.functionals import Functionals
from fpsolver.ensembles.initial import Gaussian, initial_states, require_in_range
from fpsolver.ensembles.integrators.additive import AdditiveIntegrator, additive_integrator
from fpsolver.ensembles.integrators.choose import CHAINS, default_scheme
from fpsolver.ensembles.integrators.integrator import PRECISIONS, Request, check_scheme
from fpsolver.ensembles.integrators.sgd import constant_noise_chain
from fpsolver.ensembles.march import BATCH, CHUNK, thread_count
from fpsolver.ensembles.passage_record import PassageRecord
from fpsolver.ensembles.passage_times import FirstPassageTimes
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.targets import targets_of
from fpsolver.errors import InputError, MethodError, RegionError, suggest
from fpsolver.fields import Field
from fpsolver.kernels.blocks import LANES

SCHEMES = ("euler-maruyama",)

GROUP = 1 << 20
"""Trajectories that are under way together: what bounds the memory, whatever n."""

ROUND = 1024
"""Fewest steps between two visits of the host, which merges the survivors of all batches: a multiple of a stretch."""


def first_passage_times(
    dynamics: Any,
    n: int | None = None,
    initial: Any = None,
    target: Any = None,
    dt: float | None = None,
    t_max: float | None = None,
    *,
    seed: int | None = None,
    scheme: str | None = None,
    bridge: bool | None = None,
    bins: Any = None,
    positions: bool = False,
    precision: Literal["double", "single"] = "double",
    threads: int | None = None,
    batch: int = BATCH,
    experiment: int = 0,
) -> FirstPassageTimes:
    """Return the times at which trajectories first reach a target.

    With `bridge`, a path between two steps is taken for what it is in the Euler–Maruyama scheme, a Brownian bridge: it
    may touch the target and come back, with probability exp(−2ab) for distances a and b in standard deviations of the
    step along the normal, and the time of the touch has its own conditional law. The bias is then of order dt; without,
    targets are only seen at the ends of steps and times are too long by order √dt. Flat walls far from others are
    exact in this; curved targets, g(θ) ≥ 0, count as flat at distance −g/|∇g| from the ends of the step, and the edges
    of boxes as round, which keeps the order. A level function with g″ ≠ 0 across its zero, in one variable too, biases
    the times by order dt, but by more than the box with the same wall. Two targets should be several √(2D dt) apart.

    SGD is a chain, which is nowhere between its steps: its times are whole numbers of steps, without bias.

    The same seed gives the same bits for any number of threads and any batch size; the life of a trajectory depends on
    its number alone.

    Parameters
    ----------
    dynamics : Langevin or SGD
        Overdamped dynamics with constant mobility and diffusion, or gradient descent with normal noise of constant
        covariance and without momentum; it may be driven.
    n : int
        Number of trajectories.
    initial : array_like, Gaussian, Field or "stationary"
        As for `simulate`. What starts inside a target has reached it at time 0.
    target : Box, str, or a sequence of these
        `fpsolver.where(x=(1.0, None))`, or a level function such as "x**2 + y**2 - 1", positive or zero in the target;
        of several targets the result says which was reached first. Level functions may use parameters and t.
    dt : float
        Time step; SGD counts time in steps, and dt may be left out.
    t_max : float
        Time up to which trajectories are followed, a multiple of dt; those still under way then are survivors.
    seed : int
        Seed of the random numbers.
    scheme : {"euler-maruyama", "sgd"}, optional
        Scheme of the steps: the first for Langevin dynamics, the second for SGD.
    bridge : bool, optional
        Whether paths touch targets between the ends of steps; by default those of Langevin dynamics do.
    bins : (lower, upper, bins) or array_like, optional
        Keep a histogram of the times with these edges instead of the times: memory is then constant whatever n.
    positions : bool
        Keep where trajectories were when they reached the target: the mean position of the bridge then.
    precision : {"double", "single"}
        Of positions.
    threads : int, optional
        Number of threads; by default as many as Numba would use.
    batch : int
        Trajectories that a thread takes at a time.
    experiment : int
        Number of an experiment: independent random numbers under the same seed.

    Returns
    -------
    FirstPassageTimes

    Raises
    ------
    InputError
        If a value is out of range.
    RegionError
        If a target does not fit the dynamics, or all trajectories start inside.
    MethodError
        If the dynamics has inertia or its noise depends on the position.
    TrajectoryError
        If a trajectory becomes infinite or NaN before it reaches a target.

    References
    ----------
    E. Gobet, Stoch. Proc. Appl. 87, 167 (2000).

    Examples
    --------
    >>> import fpsolver as fp
    >>> well = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.25)
    >>> passage = first_passage_times(well, 20_000, [-1.0], fp.where(x=(1.0, None)), dt=0.01, t_max=400.0, seed=1)
    >>> passage.survivors
    0
    >>> bool(abs(passage.mean.value - 14.28) < 4 * passage.mean.standard_error + 0.1)
    True
    """
    _check_law(dynamics)
    n, dt, seed = check_numbers(n, unit_of_time(dynamics, dt), seed, initial)
    check_execution(threads, batch)
    if t_max is None:
        raise InputError("t_max is missing: give the time up to which trajectories are followed")
    last = whole_steps(t_max, dt, "t_max")
    if last == 0:
        raise InputError("t_max = 0 leaves no time to reach a target; give a time of one step dt at least")
    scheme = default_scheme(dynamics) if scheme is None else scheme
    _check_dynamics(dynamics, scheme, precision)
    bridge = _bridged(dynamics, bridge)
    landscape = dynamics.landscape
    targets = targets_of(target, landscape.variables, tuple(landscape.parameters))
    request = Request(dynamics, scheme, "gaussian", Functionals(), dt, key_of(seed, experiment), precision)
    engine = constant_noise_chain(request) if isinstance(dynamics, SGD) else additive_integrator(request)
    parameters = engine.system.parameters
    if targets.timed:
        parameters = replace(parameters, timed=True)
        engine = replace(engine, system=replace(engine.system, parameters=parameters))
    walls = targets.walls(parameters.names, precision)
    levels = tuple(one for one in targets.given if isinstance(one, str))
    passage = Passage(engine, walls, bridge, last, thread_count(threads), batch, levels)
    record = PassageRecord(n, len(targets.given), landscape.dimension, last * dt, bins, positions)
    began = time.perf_counter()
    taken = 0
    start = _starts(dynamics, initial, n, request.key)
    for first in range(0, n, GROUP):
        columns = start(first, min(GROUP, n - first))
        require_in_range(columns, request.limit, first)
        group, steps = follow(passage, columns, first, positions)
        taken += steps
        record.add(first, group.time * dt, group.target, group.position)
    if record.started_inside == n:
        raise RegionError(f"all trajectories start inside the target {', '.join(targets.names)}; start outside it")
    wall = time.perf_counter() - began
    stats = {"scheme": scheme, "bridge": bridge, "seed": seed, "experiment": experiment, "precision": precision,
             "threads": passage.threads, "wall_time": wall, "particle_steps": taken,
             "particle_steps_per_second": taken / wall}  # fmt: skip
    return record.result(targets.names, dt, stats)


def _check_law(dynamics: Any) -> None:
    if not isinstance(dynamics, Langevin | SGD):
        raise MethodError(
            f"first_passage_times follows overdamped fp.Langevin and fp.SGD, and {type(dynamics).__name__} is neither; "
            "take fp.mean_first_passage_time or fp.first_passage_density of its fp.generator"
        )


def _check_dynamics(dynamics: Any, scheme: str, precision: str) -> None:
    if isinstance(dynamics, SGD):
        _check_chain(dynamics)
        check_scheme(scheme, CHAINS, "gradient descent, which is a scheme already")
    else:
        _check_noise(dynamics)
        check_scheme(scheme, SCHEMES, "first passage, whose bridges need steps with constant drift and Gaussian noise")
    if precision not in PRECISIONS:
        raise InputError(
            f"precision = {precision!r} is not one of {', '.join(PRECISIONS)}{suggest(str(precision), PRECISIONS)}"
        )


def _check_noise(dynamics: Langevin) -> None:
    for name, coefficient in (("mobility", dynamics.mobility), ("diffusion", dynamics.noise)):
        if coefficient.varies:
            raise MethodError(
                f"{name} = {coefficient.given!r} may depend on the position: between steps such paths are no Brownian "
                "bridges. Take fp.mean_first_passage_time on a grid, or variables in which the noise is constant"
            )


def _check_chain(dynamics: SGD) -> None:
    if dynamics.inertial or dynamics.covariance is None or dynamics.covariance.varies:
        raise MethodError(
            "first_passage_times follows SGD without momentum and with normal noise of constant covariance; simulate "
            "other chains with fp.simulate, or take fp.mean_first_passage_time on a grid"
        )


def _bridged(dynamics: Any, bridge: bool | None) -> bool:
    """Return whether paths touch targets between steps."""
    if isinstance(dynamics, SGD):
        if bridge:
            raise MethodError("bridge = True: SGD is a chain, which is nowhere between its steps; leave bridge out")
        return False
    return bridge is None or bool(bridge)


def _starts(dynamics: Any, initial: Any, n: int, key: Any) -> Callable[[int, int], np.ndarray]:
    """Return the function (first, count) → initial positions (count, d); they are those of `simulate`."""
    from fpsolver.kernels.cpu.noise import normals, uniforms
    from fpsolver.kernels.philox import CELL, INITIAL

    d, (k0, k1) = dynamics.landscape.dimension, (int(word) for word in key)
    drawn = isinstance(initial, str | Gaussian | Field) or np.size(initial) in (1, d)
    fixed = None if drawn else initial_states(dynamics, initial, n, np.zeros((0, d)), np.zeros((0, d + 1)), False)

    def start(first: int, count: int) -> np.ndarray:
        if fixed is not None:
            return fixed[first : first + count]
        z, cells = normals(first, count, d, INITIAL, k0, k1), uniforms(first, count, d + 1, CELL, k0, k1)
        return initial_states(dynamics, initial, count, z, cells, False)

    return start


@dataclass(frozen=True, eq=False)
class Passage:
    """What does not change while trajectories are followed to their targets.

    Parameters
    ----------
    engine : AdditiveIntegrator
        Makes the kernel's arguments.
    walls : Walls
        Targets.
    bridge : bool
        Whether paths touch targets between steps.
    last : int
        Last step.
    threads, batch : int
        Threads, and trajectories that one takes at a time.
    levels : tuple of str
        Level functions among the targets.
    """

    engine: AdditiveIntegrator
    walls: Any
    bridge: bool
    last: int
    threads: int
    batch: int
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Group:
    """First passages of a group of trajectories: time in steps (infinite for survivors), target (−1), position."""

    time: np.ndarray
    target: np.ndarray
    position: np.ndarray


def follow(passage: Passage, start: np.ndarray, first: int, positions: bool) -> tuple[Group, int]:
    """Follow a group of trajectories to their targets or to the last step.

    Parameters
    ----------
    passage : Passage
        How.
    start : ndarray, shape (count, d)
        Initial positions.
    first : int
        Number of the first trajectory.
    positions : bool
        Whether positions at first passage are kept.

    Returns
    -------
    group : Group
        Their first passages.
    taken : int
        Steps taken by all together.

    Raises
    ------
    TrajectoryError
        If a trajectory fails.
    """
    from fpsolver.kernels.cpu.passage import Exits

    count, d = start.shape
    request = passage.engine.request
    group = Group(
        np.full(count, np.inf), np.full(count, -1, dtype=np.int32), np.full((count if positions else 1, d), np.nan)
    )
    exits = Exits(first, group.time, group.target, positions, group.position)
    columns, ids = start, np.arange(first, first + count, dtype=np.uint64)
    step = taken = 0
    with ThreadPoolExecutor(passage.threads) as pool:
        while step < passage.last and len(ids):
            # Rounds grow as survivors become few, and are cut where tables of parameters would grow too long.
            wanted = max(ROUND, CHUNK // len(ids) // ROUND * ROUND)
            steps = min(passage.last - step, wanted, passage.engine.longest)
            segment = passage.engine.segment(step, steps)
            states = to_blocks(columns, d, request.dtype)
            columns, ids, more = _round(passage, pool, segment, states, ids, exits)
            step += steps
            taken += more
    return group, taken


def _round(
    passage: Passage, pool: ThreadPoolExecutor, segment: Any, states: np.ndarray, ids: np.ndarray, exits: Any
) -> tuple[np.ndarray, np.ndarray, int]:
    """Advance all batches over one segment; return positions and numbers of the survivors, and the steps taken."""
    from fpsolver.kernels.cpu.passage import advance

    run, functions, p, law, schedule, _ = segment
    blocks = len(states)
    lanes = np.concatenate([ids, np.full(blocks * LANES - len(ids), ids[-1])])
    size = max(1, min(-(-passage.batch // LANES), -(-blocks // passage.threads)))
    flat = states.reshape(blocks, -1)

    def work(begin: int) -> tuple[int, int, int, int]:
        here, names = flat[begin : begin + size], lanes[begin * LANES : (begin + size) * LANES]
        alive = min(len(names), len(ids) - begin * LANES)
        return advance(here, names, alive, run, functions, p, law, schedule, passage.walls, passage.bridge, exits)

    begins = range(0, blocks, size)
    found = list(pool.map(work, begins))
    for begin, (_, lane, step, _) in zip(begins, found, strict=True):
        if step >= 0:
            slot = begin * LANES + lane
            state = states[slot // LANES, :, slot % LANES]
            raise trajectory_failure(passage.engine, state, int(lanes[slot]), step, passage.levels)
    kept = [np.arange(begin * LANES, begin * LANES + alive) for begin, (alive, *_) in zip(begins, found, strict=True)]
    slots = np.concatenate(kept)
    columns = states[slots // LANES, :, slots % LANES]
    return columns, lanes[slots], sum(taken for *_, taken in found)
