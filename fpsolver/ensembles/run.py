"""The course of a run: chunks of steps, checkpoints between them, progress, and the ensemble at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fpsolver.ensembles.checkpoint import read_checkpoint, write_checkpoint
from fpsolver.ensembles.ensemble import Ensemble
from fpsolver.ensembles.march import March, march_chunk, plan
from fpsolver.ensembles.observables.observable import Arrays, NamedResults
from fpsolver.errors import InputError, StorageError

PATIENCE = 0.1
"""Seconds below which a chunk was short, so that the next is twice as long."""


@dataclass(frozen=True)
class Checkpoints:
    """Where a run keeps its state.

    Parameters
    ----------
    path : path or None
        The file; None for nowhere.
    interval : float
        Seconds between two writes.
    """

    path: str | os.PathLike[str] | None
    interval: float

    def resume(self, start: Ensemble, outputs: Sequence[int], last: int) -> Ensemble:
        """Return the ensemble of the checkpoint, or `start` where there is none.

        Raises
        ------
        StorageError
            If the checkpoint is damaged, or of another problem, density or other outputs.
        """
        found = read_checkpoint(self.path) if self.path is not None else None
        if found is None:
            return start
        identity, header, arrays = found
        if identity != start.identity or header["observed"] != list(start.observed):
            raise StorageError(
                f"the checkpoint {self.path} is of another run: another problem, seed, initial state, "
                "density or other observables; give another file, or delete it"
            )
        if header["step"] > last:
            raise StorageError(
                f"the checkpoint {self.path} is from t = {header['step'] * start.dt:g}, after t_final = "
                f"{last * start.dt:g}; give another file, or delete it"
            )
        if header["step"] < start.step:
            return start
        if header["outputs"] != [*_steps(start), *_due(start, outputs, header["step"])]:
            raise StorageError(
                f"the checkpoint {self.path} has other output times than times= up to its own time; give another file"
            )
        return replace(
            start,
            states=arrays["states"],
            step=header["step"],
            times=np.array(header["outputs"], dtype=float) * start.dt,
            totals=_unpacked(arrays, header["shape"]),
        )

    def write(self, ensemble: Ensemble) -> None:
        """Write the state of a run."""
        if self.path is None:
            return
        shape = [[len(total) for total in totals] for totals in ensemble.totals]
        header = {"step": ensemble.step, "outputs": _steps(ensemble), "shape": shape, "observed": ensemble.observed}
        arrays = {
            f"total_{k}_{i}_{j}": array
            for k, totals in enumerate(ensemble.totals)
            for i, total in enumerate(totals)
            for j, array in enumerate(total)
        }
        write_checkpoint(self.path, ensemble.identity, header, {"states": ensemble.states, **arrays})


def _steps(ensemble: Ensemble) -> list[int]:
    """Return the steps of the outputs so far."""
    return [round(t / ensemble.dt) for t in ensemble.times]


def _due(start: Ensemble, outputs: Sequence[int], step: int) -> list[int]:
    """Return the output steps up to a later step, the present one among them where nothing is recorded yet."""
    known = start.step if len(start.times) else start.step - 1
    return [output for output in outputs if known < output <= step]


def _unpacked(arrays: dict[str, np.ndarray], shape: list[list[int]]) -> tuple[tuple[Arrays, ...], ...]:
    return tuple(
        tuple(tuple(arrays[f"total_{k}_{i}_{j}"] for j in range(length)) for i, length in enumerate(lengths))
        for k, lengths in enumerate(shape)
    )


def run(
    march: March,
    start: Ensemble,
    outputs: Sequence[int],
    last: int,
    checkpoints: Checkpoints,
    progress: bool | None,
    on_output: Callable[[Ensemble], Any] | None,
) -> Ensemble:
    """March from an ensemble to the last step.

    Parameters
    ----------
    march : March
        How.
    start : Ensemble
        Where from; not changed.
    outputs : sequence of int
        Steps at which to observe.
    last : int
        Last step.
    checkpoints : Checkpoints
        Where the state is kept.
    progress : bool or None
        Whether to show a bar; None: on a terminal only.
    on_output : callable or None
        Who is told of the ensemble whenever outputs are new.

    Raises
    ------
    InputError
        If the last step is behind the ensemble.
    TrajectoryError
        If a trajectory fails.
    """
    if last < start.step:
        raise InputError(
            f"t_final = {last * start.dt:g} is before t = {start.t:g}, where the given ensemble is already"
        )
    began = time.perf_counter()
    now = checkpoints.resume(start, outputs, last)
    now = replace(now, states=np.array(now.states))
    before = now.jumps
    begin, written = now.step, began
    if begin in _due(now, outputs, begin):
        now = _observed(march, now, [begin], [_totals_now(march, now)])
    with _bar(progress, now, last) as bar, ThreadPoolExecutor(march.threads) as pool:
        pace = 1
        while now.step < last:
            visited = time.perf_counter()
            stages = next(plan(now.step, last, outputs, now.n, march.integrator.longest, pace))
            totals = march_chunk(march, now.states, stages, pool, bar.update)
            if time.perf_counter() - visited < min(PATIENCE, checkpoints.interval):
                pace *= 2
            now = replace(now, step=stages[-1].end)
            if totals:
                now = _observed(march, now, [stage.end for stage in stages if stage.output], totals)
                if on_output is not None:
                    on_output(_reported(march, now))
            if time.perf_counter() - written > checkpoints.interval:
                checkpoints.write(now)
                written = time.perf_counter()
    checkpoints.write(now)
    wall = time.perf_counter() - began
    taken = (last - begin) * now.n
    figures = {"wall_time": wall, "particle_steps": taken, "particle_steps_per_second": taken / wall}
    if now.jumps is not None and before is not None:
        figures |= {"jumps": now.jumps - before, "jumps_per_second": (now.jumps - before) / wall}
    figures |= march.integrator.figures(now.states, now.n)
    return _reported(march, replace(now, stats={**now.stats, **figures}))


def _totals_now(march: March, now: Ensemble) -> tuple[Arrays, ...]:
    totals = tuple(one.empty() for one in march.observables)
    for where in march.batches():
        folded = zip(march.observables, totals, march.observe(now.states, where, now.step), strict=True)
        totals = tuple(one.fold(total, part) for one, total, part in folded)
    return totals


def _observed(march: March, now: Ensemble, steps: Sequence[int], totals: Sequence[tuple[Arrays, ...]]) -> Ensemble:
    times = np.concatenate([now.times, np.array(steps, dtype=float) * now.dt])
    return replace(now, times=times, totals=(*now.totals, *totals))


def _reported(march: March, now: Ensemble) -> Ensemble:
    if not now.totals:
        return now
    observables = NamedResults()
    for i, one in enumerate(march.observables):
        observables[one.name] = one.report(now.times, [totals[i] for totals in now.totals])
    return replace(now, observables=observables)


def _bar(progress: bool | None, now: Ensemble, last: int) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=last * now.n, initial=now.step * now.n, unit="particle-step", unit_scale=True, desc="simulate",
        leave=bool(progress), disable=None if progress is None else not progress,
    )  # fmt: skip
