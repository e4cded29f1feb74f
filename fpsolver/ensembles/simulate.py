"""Ensembles of trajectories: `simulate`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from fpsolver.ensembles.ensemble import Ensemble, lane_counts, to_blocks
from fpsolver.ensembles.functionals import PathIntegral, TimeIntegral, sorted_functionals
from fpsolver.ensembles.initial import initial_states
from fpsolver.ensembles.integrators.choose import default_scheme, integrator
from fpsolver.ensembles.integrators.integrator import Request
from fpsolver.ensembles.march import BATCH, March, thread_count
from fpsolver.ensembles.observables.observable import Observable, named
from fpsolver.ensembles.observables.quantities import Quantities
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.ensembles.run import Checkpoints, run
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.system_entropy import INITIAL_LOG_DENSITY, log_density
from fpsolver.errors import InputError
from fpsolver.landscapes.source_cache import content_hash


def simulate(
    dynamics: Any,
    n: int | None = None,
    initial: Any = None,
    dt: float | None = None,
    t_final: float | None = None,
    *,
    seed: int | None = None,
    scheme: str | None = None,
    observe: Sequence[Observable] = (),
    times: int | Sequence[float] | None = None,
    functionals: Sequence[str | TimeIntegral | PathIntegral] = (),
    density: Any = None,
    noise: Literal["gaussian", "three-point", "rademacher"] = "gaussian",
    precision: Literal["double", "single"] = "double",
    device: str = "cpu",
    threads: int | None = None,
    batch: int = BATCH,
    experiment: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_interval: float = 60.0,
    progress: bool | Callable[[Ensemble], Any] = False,
) -> Ensemble:
    """Simulate an ensemble of trajectories.

    The same seed gives the same bits for any number of threads, any batch size, and any split of the run in time.

    Parameters
    ----------
    dynamics : Langevin or UnderdampedLangevin
        Law of motion.
    n : int
        Number of trajectories.
    initial : array_like, Gaussian, Field, "stationary" or Ensemble
        A point (d,), points (n, d), an `fpsolver.Gaussian`, a density on a grid as an `fpsolver.Field`, the stationary
        state of a quadratic landscape, or an ensemble of the same problem, which is continued with its own n, dt and
        seed. Underdamped dynamics complete positions with Maxwellian velocities.
    dt : float
        Time step.
    t_final : float
        Time at the end, a multiple of dt.
    seed : int
        Seed of the random numbers; required, and unrelated for neighbouring seeds.
    scheme : str, optional
        "euler-maruyama" (weak order 1; default), "heun" (weak order 2 with additive noise), "weak-2",
        "leimkuhler-matthews", "ornstein-uhlenbeck" (exact on quadratic landscapes); "baoab" (default) or "obabo" for
        underdamped dynamics.
    observe : sequence of Observable
        What to observe at the output times: `Moments`, `Mean`, `Histogram`, `LogSumExp`, `Quantiles`, `Trajectories`.
    times : int or sequence of float, optional
        Output times, multiples of dt, or how many of them at equal distances up to `t_final`; by default the last.
    functionals : sequence of str, TimeIntegral or PathIntegral
        Path functionals: "work", "heat", "shadow_work", "entropy_flow" (the discrete form, for which the integral
        fluctuation theorem is exact at any time step), "entropy_flow_midpoint" (Stratonovich), or integrals of
        expressions.
    density : Gaussian, Field, Evolution, callable, or a pair of these, optional
        Density p(θ, t), which adds the quantities "system_entropy" −ln p(θ_t, t) + ln p(θ_0, 0), and
        "entropy_production", its sum with the entropy flow; a pair is for time zero and for later times.
    noise : {"gaussian", "three-point", "rademacher"}
        Distribution of the increments.
    precision : {"double", "single"}
        Of positions and functionals.
    device : {"cpu", "gpu"}
        Where to run.
    threads : int, optional
        Number of threads; by default as many as Numba would use.
    batch : int
        Trajectories that a thread takes at a time; a matter of speed and memory alone.
    experiment : int
        Number of an experiment: independent random numbers under the same seed.
    checkpoint : path, optional
        File for the state of the run: written every `checkpoint_interval` seconds and at the end, and continued from
        where it is there already.
    checkpoint_interval : float
        Seconds between checkpoints.
    progress : bool or callable
        Show a bar with particle-steps per second; or a function that is given the ensemble so far after each chunk that
        brought new outputs.

    Returns
    -------
    Ensemble

    Raises
    ------
    InputError
        If a value is out of range or does not fit the dynamics.
    MethodError
        If the scheme cannot serve the request; the message names one that can.
    TrajectoryError
        If a trajectory becomes infinite or NaN; checkpoints and outputs that were written stay.

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
    >>> ensemble = fp.simulate(trap, n=10_000, initial=[2.0], dt=0.01, t_final=1.0, seed=7, observe=[fp.Moments("x")])
    >>> ensemble.final.shape
    (10000, 1)
    >>> moments = ensemble.observables["moments_x"]
    >>> bool(abs(moments.mean[0, 0] - 2 * np.exp(-1)) < 5 * moments.standard_error[0, 0] + 0.01)
    True
    """
    previous = initial if isinstance(initial, Ensemble) else None
    if previous is not None:
        n, dt, seed = _continued(previous, n, dt, seed)
    n, dt, seed = check_numbers(n, dt, seed, initial)
    name = default_scheme(dynamics) if scheme is None else scheme
    chosen = sorted_functionals(functionals, dynamics.landscape.dimension)
    request = Request(dynamics, name, noise, chosen, dt, key_of(seed, experiment), precision, device)
    engine = integrator(request)
    last, outputs = _steps(times, t_final, dt)
    problem = content_hash((_description(dynamics), n, dt, seed, experiment, name, noise, chosen, precision))
    names = engine.names if density is None else (*engine.names, INITIAL_LOG_DENSITY)
    facts = {"scheme": name, "noise": noise, "seed": seed, "experiment": experiment, "precision": precision,
             "device": device}  # fmt: skip
    start = previous or _beginning(request, names, n, initial, density, problem)
    if previous is not None and previous.identity.partition(":")[0] != problem:
        raise InputError(
            "the ensemble given as initial= belongs to another problem, scheme or seed; to start from its positions "
            "give initial=ensemble.final"
        )
    observables, snapshot = _observers(request, names, observe, n, density)
    count = thread_count(threads)
    march = March(engine, observables, snapshot, lane_counts(n), count, batch)
    start = replace(start, stats=facts | {"threads": count}, snapshot=snapshot)
    return run(march, start, outputs, last, Checkpoints(checkpoint, checkpoint_interval), progress)


def check_numbers(n: Any, dt: Any, seed: Any, initial: Any) -> tuple[int, float, int]:
    """Return number of trajectories, time step and seed.

    Raises
    ------
    InputError
        If one is missing or out of range.
    """
    if initial is None:
        raise InputError('initial is missing: give a point, points, an fp.Gaussian, an fp.Field or "stationary"')
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise InputError(f"n = {n!r} must be a positive number of trajectories")
    if dt is None or not (np.isfinite(dt) and dt > 0):
        raise InputError(f"dt = {dt!r} must be a positive time step")
    if seed is None:
        raise InputError("seed is missing: give any integer, seed=7; the same seed gives the same trajectories")
    return int(n), float(dt), int(seed)


def _continued(previous: Ensemble, n: Any, dt: Any, seed: Any) -> tuple[int, float, int]:
    own = {"n": previous.n, "dt": previous.dt, "seed": previous.stats["seed"]}
    for (name, value), given in zip(own.items(), (n, dt, seed), strict=True):
        if given is not None and given != value:
            raise InputError(f"{name} = {given!r}, but the ensemble to be continued has {name} = {value!r}; leave it out")
    return own["n"], own["dt"], own["seed"]


def _steps(times: Any, t_final: float | None, dt: float) -> tuple[int, list[int]]:
    """Return the last step and the steps of the outputs."""
    if t_final is None:
        raise InputError("t_final is missing: give the time at the end")
    last = whole_steps(t_final, dt, "t_final")
    if times is None:
        return last, [last]
    if isinstance(times, int | np.integer) and not isinstance(times, bool):
        if times < 1 or last % times:
            raise InputError(f"times = {times} must divide the {last} steps of the run; or give the times themselves")
        return last, list(range(last // times, last + 1, last // times))
    steps = [whole_steps(t, dt, "times") for t in np.atleast_1d(np.asarray(times, dtype=float))]
    if steps != sorted(set(steps)) or (steps and steps[-1] > last):
        raise InputError(f"times = {list(np.atleast_1d(times))} must ascend, and end at t_final = {t_final:g} at most")
    return last, steps


def whole_steps(t: float, dt: float, name: str) -> int:
    """Return the number of steps up to a time.

    Raises
    ------
    InputError
        If it is no multiple of the step.
    """
    steps = round(float(t) / dt) if np.isfinite(t) else -1
    if steps < 0 or abs(steps * dt - t) > 1e-6 * dt:
        nearest = max(0, steps) * dt
        raise InputError(f"{name} = {t:g} is no multiple of dt = {dt:g}; the nearest is {nearest:.12g}")
    return steps


def _beginning(
    request: Request, names: tuple[str, ...], n: int, initial: Any, density: Any, problem: str
) -> Ensemble:
    """Return the ensemble at time zero."""
    from fpsolver.kernels.cpu.noise import normals, uniforms
    from fpsolver.kernels.philox import CELL, INITIAL

    d = request.dynamics.landscape.dimension
    velocities = "v_" + request.dynamics.landscape.variables[0] in names
    width = 2 * d if velocities else d
    drawn = normals(0, n, width, INITIAL, *request.key)
    cells = uniforms(0, n, width + 1, CELL, *request.key)
    columns = initial_states(request.dynamics, initial, n, drawn, cells, velocities)
    states = to_blocks(columns, len(names), request.dtype)
    if density is not None:
        first = density[0] if isinstance(density, tuple | list) else density
        known = log_density(first, columns[:, :d] if not velocities else columns, 0.0)
        if not np.isfinite(known).all():
            bad = int(np.argmin(np.isfinite(known)))
            raise InputError(f"the density given as density= vanishes at the initial state {columns[bad].tolist()}")
        states[:, -1:] = to_blocks(known[:, None], 1, request.dtype)
    identity = f"{problem}:{hashlib.sha256(states.tobytes()).hexdigest()[:32]}"
    return Ensemble(names, d, states, n, 0, request.dt, np.zeros(0), identity=identity)


def _description(dynamics: Any) -> tuple[Any, ...]:
    """Return what defines a law of motion, as strings and numbers."""
    parts: list[Any] = [type(dynamics).__name__, dynamics.landscape.fingerprint]
    for name in ("temperature", "friction", "mass", "convention"):
        parts.append((name, getattr(dynamics, name, None)))
    for name in ("mobility", "force", "diffusion"):
        coefficient = getattr(dynamics, name, None)
        parts.append((name, None if coefficient is None else (coefficient.kind, coefficient.texts)))
    for name, protocol in sorted(dynamics.protocol.items()):
        parts.append((name, repr(protocol.__reduce__()[1])))
    return tuple(parts)


def _observers(
    request: Request, names: tuple[str, ...], observe: Sequence[Observable], n: int, density: Any
) -> tuple[list[Observable], Callable[[np.ndarray, np.ndarray, int, int], Snapshot]]:
    """Return the observables, checked, and what makes the snapshots that they measure."""
    dynamics = request.dynamics
    landscape = dynamics.landscape
    d = landscape.dimension
    derived: dict[str, Callable[[Snapshot], np.ndarray]] = {"loss": lambda snapshot: _loss(dynamics, snapshot)}
    if density is not None:
        later = density[1] if isinstance(density, tuple | list) else density
        derived |= _entropies(names, d, later)
    rows = {name: k for k, name in enumerate(names)}
    quantities = Quantities(rows, d, n, tuple(landscape.parameters), tuple(derived))
    observables = [one.check(quantities) for one in named(observe).values()]

    def snapshot(states: np.ndarray, counts: np.ndarray, first: int, step: int) -> Snapshot:
        t = step * request.dt
        return Snapshot(states, counts, first, t, quantities, dynamics.at(t).landscape.parameters, derived)

    return observables, snapshot


def _loss(dynamics: Any, snapshot: Snapshot) -> np.ndarray:
    landscape = dynamics.at(snapshot.t).landscape
    return landscape.value(np.moveaxis(snapshot.states[:, : landscape.dimension], 1, -1))


def _entropies(names: tuple[str, ...], d: int, density: Any) -> Mapping[str, Callable[[Snapshot], np.ndarray]]:
    width = 2 * d if any(name.startswith("v_") for name in names) else d

    def system_entropy(snapshot: Snapshot) -> np.ndarray:
        points = np.moveaxis(snapshot.states[:, :width], 1, -1).astype(float)
        return snapshot.quantity(INITIAL_LOG_DENSITY) - log_density(density, points, snapshot.t)

    def produced(flow: str) -> Callable[[Snapshot], np.ndarray]:
        return lambda snapshot: snapshot.quantity("system_entropy") + snapshot.quantity(flow)

    found: dict[str, Callable[[Snapshot], np.ndarray]] = {"system_entropy": system_entropy}
    for name, flow in (
        ("entropy_production", "entropy_flow"),
        ("entropy_production_midpoint", "entropy_flow_midpoint"),
    ):
        if flow in names:
            found[name] = produced(flow)
    return found
