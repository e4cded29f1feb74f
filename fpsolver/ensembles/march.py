"""The march through time: batches of blocks in several threads, outputs folded in order, failures named.

Trajectories are independent, so that only sums depend on order: those are folded block by block, whatever the number of
threads, the size of batches and the places where the run was cut.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from fpsolver.ensembles.failures import trajectory_failure
from fpsolver.ensembles.integrators.integrator import Integrator
from fpsolver.ensembles.observables.observable import Arrays, Observable
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.kernels.blocks import LANES

CHUNK = 20_000_000
"""Particle steps between two visits of the host: a fraction of a second, and seconds where steps are costly."""

SHORTEST = 64
"""Fewest steps between two visits."""

OUTPUTS = 32
"""Most outputs that are held before they are folded."""

BATCH = 16_384
"""Trajectories that a thread takes at a time, unless told: their state stays in the second-level cache."""


@dataclass(frozen=True)
class Stage:
    """Steps from `begin` to `end`; with `output` something is observed at the end.

    Parameters
    ----------
    begin, end : int
        Steps.
    output : bool
        Whether `end` is an output time.
    """

    begin: int
    end: int
    output: bool


@dataclass(frozen=True, eq=False)
class March:
    """What does not change during a march.

    Parameters
    ----------
    integrator : Integrator
        Takes the steps.
    observables : sequence of Observable
        What is observed.
    snapshot : callable
        ``snapshot(states, counts, first, step)`` for the observables.
    counts : ndarray
        Trajectories in each block.
    threads : int
        Number of threads.
    batch : int
        Trajectories that a thread takes at a time.
    """

    integrator: Integrator
    observables: Sequence[Observable]
    snapshot: Callable[[np.ndarray, np.ndarray, int, int], Snapshot]
    counts: np.ndarray
    threads: int
    batch: int

    def batches(self) -> list[slice]:
        """Return the blocks of each batch."""
        blocks = len(self.counts)
        # Small ensembles are shared out among all threads.
        size = max(1, min(-(-self.batch // LANES), -(-blocks // self.threads)))
        return [slice(first, min(first + size, blocks)) for first in range(0, blocks, size)]

    def observe(self, states: np.ndarray, where: slice, step: int) -> tuple[Arrays, ...]:
        """Return the partial results of a batch."""
        snapshot = self.snapshot(states[where], self.counts[where], where.start * LANES, step)
        return tuple(one.measure(snapshot) for one in self.observables)


def plan(begin: int, end: int, outputs: Sequence[int], n: int, longest: int, pace: int = 1) -> Iterator[list[Stage]]:
    """Cut the steps between `begin` and `end` into chunks of stages; every output ends a stage.

    Parameters
    ----------
    begin, end : int
        Steps.
    outputs : sequence of int
        Steps at which something is observed, ascending.
    n : int
        Number of trajectories.
    longest : int
        Most steps of a stage.
    pace : int
        Particle steps of a chunk, in units of `CHUNK`.
    """
    stride = min(longest, max(SHORTEST, pace * CHUNK // n))
    marks = sorted({begin, end, *(step for step in outputs if begin < step <= end)})
    wanted = set(outputs)
    chunk: list[Stage] = []
    for first, last in pairwise(marks):
        cuts = [*range(first, last, stride), last]
        for a, b in pairwise(cuts):
            chunk.append(Stage(a, b, b in wanted and b == last))
            held = sum(stage.output for stage in chunk)
            if chunk[-1].end - chunk[0].begin >= stride or held >= OUTPUTS:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def march_chunk(
    march: March, states: np.ndarray, stages: Sequence[Stage], pool: ThreadPoolExecutor, done: Callable[[int], Any]
) -> list[tuple[Arrays, ...]]:
    """Take all trajectories through some stages, and return the totals of each output.

    Parameters
    ----------
    march : March
        The march.
    states : ndarray, shape (blocks, rows, 256)
        Changed in place.
    stages : sequence of Stage
        From `plan`.
    pool : ThreadPoolExecutor
        Threads.
    done : callable
        Told the particle steps that were taken, for the progress bar.

    Raises
    ------
    TrajectoryError
        Naming the failure of the first block that had one.
    """
    segments = [march.integrator.segment(stage.begin, stage.end - stage.begin) for stage in stages]
    flat = states.reshape(len(states), -1)

    def work(where: slice) -> list[tuple[Arrays, ...]]:
        found, failure, first = [], None, where.start * LANES
        for stage, segment in zip(stages, segments, strict=True):
            block, lane, step = march.integrator.advance(segment, flat[where], march.counts[where], first)
            if step >= 0:
                state, trajectory = states[where.start + block, :, lane], first + block * LANES + lane
                failure = trajectory_failure(march.integrator, state, trajectory, step)
                # A block before it may fail later: whichever comes first is named, however blocks were shared out.
                where = slice(where.start, where.start + block)
            if stage.output and failure is None:
                found.append(march.observe(states, where, stage.end))
        if failure is not None:
            raise failure
        return found

    totals = [tuple(one.empty() for one in march.observables) for stage in stages if stage.output]
    steps = stages[-1].end - stages[0].begin
    batches = march.batches()
    for where, partials in zip(batches, _in_order(pool, work, batches, march.threads), strict=True):
        for k, partial in enumerate(partials):
            folded = zip(march.observables, totals[k], partial, strict=True)
            totals[k] = tuple(one.fold(total, part) for one, total, part in folded)
        done(int(march.counts[where].sum()) * steps)
    return totals


def _in_order(pool: ThreadPoolExecutor, work: Callable[[slice], Any], batches: list[slice], threads: int) -> Any:
    """Yield the results of batches in order, with few of them waiting: what they hold would add up."""
    waiting = [pool.submit(work, where) for where in batches[: 2 * threads]]
    try:
        for k in range(len(batches)):
            result = waiting[k].result()
            if k + 2 * threads < len(batches):
                waiting.append(pool.submit(work, batches[k + 2 * threads]))
            waiting[k] = None  # type: ignore[call-overload]
            yield result
    finally:
        for future in waiting:
            if future is not None:
                future.cancel()


def thread_count(given: int | None) -> int:
    """Return the number of threads to use: as given, else as many as Numba would."""
    if given is not None:
        return given
    from numba import config

    return min(int(config.NUMBA_NUM_THREADS), os.cpu_count() or 1)
