"""Ensembles of trajectories: `simulate`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from fpsolver.dynamics import SGD
from fpsolver.ensembles.arguments import (
    check_execution,
    check_numbers,
    continued,
    output_distance,
    output_steps,
    require_ahead,
    unit_of_time,
)
from fpsolver.ensembles.beginning import beginning, problem_hash, require_same_problem
from fpsolver.ensembles.density_identity import density_hash
from fpsolver.ensembles.ensemble import Ensemble, lane_counts
from fpsolver.ensembles.functionals import Functional, sorted_functionals
from fpsolver.ensembles.integrators.choose import default_scheme, integrator
from fpsolver.ensembles.integrators.integrator import Request
from fpsolver.ensembles.jump_schemes import TauLeaping, Thinning
from fpsolver.ensembles.march import BATCH, March, thread_count
from fpsolver.ensembles.observables.observable import Observable, named
from fpsolver.ensembles.observables.quantities import LOSS, Quantities
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.ensembles.run import Checkpoints, run
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.space import space_of
from fpsolver.ensembles.system_entropy import INITIAL_LOG_DENSITY, entropies, parts


def simulate(
    dynamics: Any,
    n: int | None = None,
    initial: Any = None,
    dt: float | None = None,
    t_final: float | None = None,
    *,
    seed: int | None = None,
    scheme: str | Thinning | TauLeaping | None = None,
    observe: Observable | Sequence[Observable] = (),
    times: int | Sequence[float] | None = None,
    functionals: Functional | Sequence[Functional] = (),
    density: Any = None,
    noise: Literal["gaussian", "three-point", "rademacher"] = "gaussian",
    precision: Literal["double", "single"] = "double",
    device: str = "cpu",
    threads: int | None = None,
    batch: int = BATCH,
    experiment: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_interval: float = 60.0,
    progress: bool | None = False,
    on_output: Callable[[Ensemble], Any] | None = None,
) -> Ensemble:
    """Simulate an ensemble of trajectories.

    The same seed gives the same bits for any number of threads, any batch size, and any split of the run in time. On a
    loss that grows faster than a parabola explicit schemes have no stationary state but a quasi-stationary one: steps
    that start far enough out overshoot further each time, and sooner or later a trajectory finds them. Such a runaway
    ends the run with a `TrajectoryError`; a smaller dt makes it exponentially rare.

    Parameters
    ----------
    dynamics : Langevin, UnderdampedLangevin, SGD, JumpProcess or MarkovNetwork
        Law of motion.
    n : int
        Number of trajectories.
    initial : array_like, Gaussian, Field, "stationary" or Ensemble
        A point (d,), points (n, d) (or (n,) with one variable), an `fpsolver.Gaussian`, a density on a grid as an
        `fpsolver.Field`, the stationary state of a quadratic landscape, or an ensemble of the same problem, which is
        continued with its own n, dt and seed; its record goes on where `observe` and the density of later times are the
        same, and starts anew where not. Underdamped dynamics complete positions with Maxwellian velocities, SGD with
        momentum with velocities zero.
    dt, t_final : float
        Time step, and the time at the end, a multiple of it. SGD counts time in steps: dt is one, and may be left out.
        Jumps come at their own times: dt is the distance of output times, and may be left out.
    seed : int
        Seed of the random numbers; required, and unrelated for neighbouring seeds.
    scheme : str, Thinning or TauLeaping, optional
        "euler-maruyama" (weak order 1; default), "heun" (weak order 2 with additive noise), "weak-2",
        "leimkuhler-matthews", "ornstein-uhlenbeck" (exact on quadratic landscapes); "baoab" (default) or "obabo" for
        underdamped dynamics; "sgd" for SGD, which is a scheme itself. Jumps are exact, by "thinning" or, in networks
        and on a lattice, "direct"; "tau-leaping" is not, and ends leaps at multiples of dt.
    observe : Observable or sequence of Observable
        What to observe at the output times: `Moments`, `Mean`, `Histogram`, `LogSumExp`, `Quantiles`, `Trajectories`.
    times : int or sequence of float, optional
        Output times, multiples of dt, or how many of them at equal distances up to `t_final`; by default the last.
    functionals : str, TimeIntegral or PathIntegral, or sequence of these
        Path functionals: "work", "heat", "shadow_work", "entropy_flow" (the discrete form, for which the integral
        fluctuation theorem is exact at any time step), "entropy_flow_midpoint" (Stratonovich), or integrals of
        expressions.
    density : Gaussian, Field, Evolution, callable, or a pair of these, optional
        Density p(θ, t), which adds the quantities "system_entropy" −ln p(θ_t, t) + ln p(θ_0, 0), and
        "entropy_production", its sum with the entropy flow; a pair is for time zero and for later times. Checkpoints
        and records belong to a density: its numbers, or the byte code of a function and the numbers, arrays and
        functions of its module that it uses (of other objects only the type, which is not enough to tell them apart).
    noise : {"gaussian", "three-point", "rademacher"}
        Distribution of the increments.
    precision : {"double", "single"}
        Of positions and functionals.
    device : {"cpu", "gpu"}
        Where to run.
    threads, batch : int, optional
        Number of threads, by default as many as Numba would use, and trajectories that one takes at a time: matters of
        speed and memory alone.
    experiment : int
        Number of an experiment: independent random numbers under the same seed.
    checkpoint : path, optional
        File for the state of the run: written every `checkpoint_interval` seconds and at the end, and continued from
        where it is there already.
    checkpoint_interval : float
        Seconds between checkpoints.
    progress : bool, optional
        Whether to show a bar with particle-steps per second; None: on a terminal only.
    on_output : callable, optional
        Is given the ensemble so far whenever outputs are new.

    Returns
    -------
    Ensemble
        The trajectories at the end, and what was observed on the way.

    Raises
    ------
    InputError
        If a value is out of range or does not fit the dynamics.
    MethodError
        If the scheme cannot serve the request; the message names one that can.
    TrajectoryError
        If a trajectory becomes infinite or NaN; checkpoints and outputs that were written stay.
    StorageError
        If the checkpoint is damaged, or of another run.

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
        n, dt, seed = continued(previous, n, dt, seed)
    if dt is None and space_of(dynamics).jumps:
        dt = output_distance(times, t_final)
    n, dt, seed = check_numbers(n, unit_of_time(dynamics, dt), seed, initial)
    check_execution(threads, batch, checkpoint_interval, checkpoint, progress)
    usual = default_scheme(dynamics)
    name: Any = usual if scheme is None else scheme
    chosen = sorted_functionals(functionals, dynamics)
    request = Request(dynamics, name, noise, chosen, dt, key_of(seed, experiment), precision, device)
    last, outputs = output_steps(times, t_final, dt)
    engine = integrator(request)
    problem = problem_hash(request, n, seed, experiment)
    names = engine.names if density is None else (*engine.names, INITIAL_LOG_DENSITY)
    observables, snapshot = _observers(request, names, observe, n, density)
    observed = tuple(repr(one) for one in observables)
    if density is not None:  # entropies of another density are another record
        observed = (*observed, f"density {density_hash(parts(density)[1])}")
    if previous is None:
        start = beginning(request, names, n, initial, density, problem)
    else:
        require_same_problem(previous, problem, names)
        start = previous.recording(observed)
        if observed != previous.observed and last >= previous.step:
            require_ahead(outputs, previous.step, dt)
    march = March(engine, observables, snapshot, lane_counts(n), thread_count(threads), batch)
    facts = {"scheme": str(name), "noise": noise, "seed": seed, "experiment": experiment, "precision": precision,
             "device": device, "threads": march.threads}  # fmt: skip
    if isinstance(dynamics, SGD):
        facts |= {"unit_of_time": "step", "learning_time": dynamics.learning_time(last)}
    start = replace(start, stats=facts, observed=observed, snapshot=snapshot)
    return run(march, start, outputs, last, Checkpoints(checkpoint, checkpoint_interval), progress, on_output)


def _observers(
    request: Request, names: tuple[str, ...], observe: Observable | Sequence[Observable], n: int, density: Any
) -> tuple[list[Observable], Callable[[np.ndarray, np.ndarray, int, int], Snapshot]]:
    """Return the observables, checked, and what makes the snapshots that they measure."""
    space = space_of(request.dynamics)
    derived: dict[str, Callable[[Snapshot], np.ndarray]] = {}
    if space.has_loss:
        derived[LOSS] = lambda snapshot: space.loss(snapshot.states, snapshot.t)
    if density is not None:
        derived |= entropies(density, names, space.variables, space.width)
    rows = {name: k for k, name in enumerate(names)}
    quantities = Quantities(rows, space.dimension, n, space.parameters, tuple(derived))
    given = (observe,) if isinstance(observe, Observable) else observe
    observables = [one.check(quantities) for one in named(given).values()]

    def snapshot(states: np.ndarray, counts: np.ndarray, first: int, step: int) -> Snapshot:
        t = step * request.dt
        return Snapshot(states, counts, first, t, quantities, space.parameters_at(t), derived)

    return observables, snapshot
