"""The course of a run: chunks of steps, checkpoints between them, progress, and the ensemble at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fpsolver.ensembles.checkpoint import read_checkpoint, write_checkpoint
from fpsolver.ensembles.ensemble import Ensemble
from fpsolver.ensembles.march import March, march_chunk, plan
from fpsolver.ensembles.observables.observable import Arrays
from fpsolver.errors import StorageError


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

    def resume(self, march: March, start: Ensemble, outputs: Sequence[int], last: int) -> Ensemble:
        """Return the ensemble of the checkpoint, or `start` where there is none.

        Raises
        ------
        StorageError
            If the checkpoint is damaged, or of another problem or other outputs.
        """
        found = read_checkpoint(self.path) if self.path is not None else None
        if found is None:
            return start
        identity, header, arrays = found
        observed = [repr(one) for one in march.observables]
        due = [step for step in outputs if start.step < step <= header["step"]]
        if identity != start.identity or header["step"] > last or header["observed"] != observed:
            raise StorageError(
                f"the checkpoint {self.path} is of another run: another problem, seed, initial state, observables or a "
                "later time; give another file, or delete it"
            )
        if header["outputs"][len(start.times) :] != due:
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

    def write(self, march: March, ensemble: Ensemble) -> None:
        """Write the state of a run."""
        if self.path is None:
            return
        outputs = [round(t / ensemble.dt) for t in ensemble.times]
        shape = [[len(total) for total in totals] for totals in ensemble.totals]
        header = {"step": ensemble.step, "outputs": outputs, "shape": shape,
                  "observed": [repr(one) for one in march.observables]}  # fmt: skip
        arrays = {
            f"total_{k}_{i}_{j}": array
            for k, totals in enumerate(ensemble.totals)
            for i, total in enumerate(totals)
            for j, array in enumerate(total)
        }
        write_checkpoint(self.path, ensemble.identity, header, {"states": ensemble.states, **arrays})


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
    progress: bool | Callable[[Ensemble], Any],
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
    progress : bool or callable
        A bar, or who is told of the ensemble whenever outputs are new.
    """
    began = time.perf_counter()
    now = checkpoints.resume(march, start, outputs, last)
    now = replace(now, states=np.array(now.states))
    begin, written = now.step, began
    if begin == 0 and 0 in outputs and not len(now.times):
        now = _observed(march, now, [0], [_totals_now(march, now)])
    with _bar(progress, now, last) as bar, ThreadPoolExecutor(march.threads) as pool:
        for stages in plan(begin, last, outputs, now.n, march.integrator.longest):
            totals = march_chunk(march, now.states, stages, pool, bar.update)
            now = replace(now, step=stages[-1].end)
            if totals:
                now = _observed(march, now, [stage.end for stage in stages if stage.output], totals)
                if callable(progress):
                    progress(_reported(march, now))
            if time.perf_counter() - written > checkpoints.interval:
                checkpoints.write(march, now)
                written = time.perf_counter()
    checkpoints.write(march, now)
    wall = time.perf_counter() - began
    taken = (last - begin) * now.n
    figures = {"wall_time": wall, "particle_steps": taken, "particle_steps_per_second": taken / wall}
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
    observables = {
        one.name: one.report(now.times, [totals[i] for totals in now.totals])
        for i, one in enumerate(march.observables)
    }
    return replace(now, observables=observables)


def _bar(progress: Any, now: Ensemble, last: int) -> AbstractContextManager[Any]:
    if progress is not True:
        return nullcontext(_Silent())
    from tqdm import tqdm

    return tqdm(
        total=last * now.n, initial=now.step * now.n, unit="particle-step", unit_scale=True, desc="trajectories"
    )


class _Silent:
    """A progress bar that shows nothing."""

    def update(self, steps: int) -> None:
        """Take note of nothing."""
