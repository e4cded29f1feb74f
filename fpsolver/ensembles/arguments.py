"""Arguments of a simulation, checked: number of trajectories, time step, seed, output times."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np

from fpsolver.dynamics import SGD
from fpsolver.ensembles.ensemble import Ensemble
from fpsolver.errors import InputError

LONGEST = 1e7
"""Most steps up to the end that are found without being asked for."""


def check_numbers(n: Any, dt: Any, seed: Any, initial: Any) -> tuple[int, float, int]:
    """Return number of trajectories, time step and seed.

    Raises
    ------
    InputError
        If one is missing or out of range.
    """
    if initial is None:
        raise InputError('initial is missing: give a point, points, an fp.Gaussian, an fp.Field or "stationary"')
    if n is None:
        raise InputError("n is missing: give the number of trajectories, n=10_000")
    if not is_whole(n) or n < 1:
        raise InputError(f"n = {n!r} must be a positive number of trajectories")
    if dt is None:
        raise InputError("dt is missing: give the time step")
    if not is_number(dt) or not (np.isfinite(dt) and dt > 0):
        raise InputError(f"dt = {dt!r} must be a positive time step")
    if seed is None:
        raise InputError("seed is missing: give any integer, seed=7; the same seed gives the same trajectories")
    if not is_whole(seed) or seed < 0:
        raise InputError(f"seed = {seed!r} must be an integer that is not negative")
    return int(n), float(dt), int(seed)


def unit_of_time(dynamics: Any, dt: Any) -> Any:
    """Return the time step: that of a chain, which counts time in steps, is one.

    Raises
    ------
    InputError
        If another was given.
    """
    if not isinstance(dynamics, SGD):
        return dt
    if dt is not None and dt != 1:
        raise InputError(
            f"dt = {dt!r}, but SGD counts time in steps: leave dt out; the size of a step is its learning_rate"
        )
    return 1.0


def output_distance(times: Any, t_final: Any) -> float:
    """Return the longest step of which all output times are multiples, for laws that have no time step of their own.

    Raises
    ------
    InputError
        If they have none in common.
    """
    if not is_number(t_final) or not (np.isfinite(t_final) and t_final > 0):
        return 1.0  # which is refused later, with the reason
    if times is None:
        return float(t_final)
    if is_whole(times):
        return float(t_final) / max(int(times), 1)
    given = [float(t) for t in (*np.atleast_1d(times), t_final) if t]
    moments = [Fraction(t).limit_denominator(10**6) for t in given]
    shared = Fraction(gcd(*(moment.numerator for moment in moments)), lcm(*(moment.denominator for moment in moments)))
    rounded = any(abs(float(one) - t) > 1e-12 * abs(t) for one, t in zip(moments, given, strict=True))
    if rounded or shared <= 0 or t_final / shared > LONGEST:
        raise InputError(f"times = {times} have no step in common that is not very short; give it as dt")
    return float(shared)


def is_whole(value: Any) -> bool:
    """Return whether a value is an integer, and not a truth value."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Return whether a value is a real number, and not a truth value."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def check_execution(
    threads: Any, batch: Any = 1, interval: Any = 0.0, checkpoint: Any = None, progress: Any = False
) -> None:
    """Raise unless the options that change nothing but speed are in range.

    Raises
    ------
    InputError
        If one is not.
    """
    for name, value in (("threads", threads), ("batch", batch)):
        if (value is not None or name == "batch") and (not is_whole(value) or value < 1):
            raise InputError(f"{name} = {value!r} must be a positive integer")
    if not is_number(interval) or not interval >= 0:
        raise InputError(f"checkpoint_interval = {interval!r} must be a number of seconds")
    if not (checkpoint is None or isinstance(checkpoint, str | os.PathLike)):
        raise InputError(f'checkpoint = {checkpoint!r} must be the path of a file, checkpoint="run.npz"')
    if progress not in (None, False, True):
        raise InputError(f"progress = {progress!r} must be True, False, or None for a bar on a terminal only")


def continued(previous: Ensemble, n: Any, dt: Any, seed: Any) -> tuple[int, float, int]:
    """Return number of trajectories, time step and seed of an ensemble that is continued.

    Raises
    ------
    InputError
        If others were given.
    """
    own = {"n": previous.n, "dt": previous.dt, "seed": previous.stats["seed"]}
    for (name, value), given in zip(own.items(), (n, dt, seed), strict=True):
        if given is not None and given != value:
            raise InputError(
                f"{name} = {given!r}, but the ensemble to be continued has {name} = {value!r}; leave it out"
            )
    return own["n"], own["dt"], own["seed"]


def output_steps(times: Any, t_final: Any, dt: float) -> tuple[int, list[int]]:
    """Return the last step and the steps of the outputs.

    Parameters
    ----------
    times : int, sequence of float or None
        How many outputs at equal distances, or at which times; None for the end alone.
    t_final : float
        Time at the end.
    dt : float
        Time step.

    Raises
    ------
    InputError
        If a time is no multiple of the step or beyond the end, or they do not ascend.
    """
    if t_final is None:
        raise InputError("t_final is missing: give the time at the end")
    last = whole_steps(t_final, dt, "t_final")
    if times is None:
        return last, [last]
    if is_whole(times):
        if times < 1 or last % times or last < times:
            raise InputError(f"times = {times} must divide the {last} steps of the run; or give the times themselves")
        return last, list(range(last // times, last + 1, last // times))
    try:
        given = np.asarray(times, dtype=float)
    except (TypeError, ValueError):
        given = np.zeros(0)
    if given.ndim != 1 or not len(given):
        raise InputError(f"times = {times!r} must be a list of times, or their number; leave it out for the end alone")
    steps = [whole_steps(t, dt, "times") for t in given.tolist()]
    if steps != sorted(set(steps)) or steps[-1] > last:
        raise InputError(f"times = {given.tolist()} must ascend, and end at t_final = {t_final:g} at most")
    return last, steps


def whole_steps(t: Any, dt: float, name: str) -> int:
    """Return the number of steps up to a time.

    Raises
    ------
    InputError
        If it is no multiple of the step.
    """
    if not is_number(t) or not np.isfinite(t) or t < 0:
        raise InputError(f"{name} = {t!r} must be a time, finite and not negative")
    time = float(t)
    steps = round(time / dt)
    # A millionth of a step, or the rounding of the time itself where steps are that short.
    if abs(steps * dt - time) > max(1e-6 * dt, 1e-15 * time):
        raise InputError(f"{name} = {time:g} is no multiple of dt = {dt:g}; the nearest is {steps * dt:.12g}")
    return steps


def require_ahead(outputs: Sequence[int], present: int, dt: float) -> None:
    """Raise unless all output steps of a new record are ahead.

    Raises
    ------
    InputError
        If one is before the present step of the ensemble that is continued.
    """
    if outputs and outputs[0] < present:
        raise InputError(
            f"times has t = {outputs[0] * dt:g}, before t = {present * dt:g}, where the given ensemble is already, and "
            "its record has other observables or another density; give times from there on"
        )
