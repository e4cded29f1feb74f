"""Pieces of paths between two sets: climbs to a level of the score, excursions, and loops from A and back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.ensembles.failures import trajectory_failure
from fpsolver.ensembles.integrators.additive import AdditiveIntegrator
from fpsolver.ensembles.march import BATCH
from fpsolver.ensembles.scores import Score
from fpsolver.errors import ConvergenceError
from fpsolver.kernels.blocks import LANES


class Pieces:
    """Follows pieces of paths, in several threads.

    Parameters
    ----------
    engine : AdditiveIntegrator
        The one-step map.
    score : Score
        The score.
    walls : Walls
        The sets A and B.
    steps : int
        Most steps of one piece.
    threads : int
        Number of threads.
    """

    def __init__(self, engine: AdditiveIntegrator, score: Score, walls: Any, steps: int, threads: int):
        self.engine, self.score, self.walls, self.steps, self.threads = engine, score, walls, steps, threads
        self.taken = 0
        run, functions, p, law, _, _ = engine.segment(0, 1)  # nothing depends on time: all steps are alike
        self._segment = run._replace(steps=steps), functions, p, law
        self._pool = ThreadPoolExecutor(threads)

    def __enter__(self) -> Pieces:
        return self

    def __exit__(self, *_: Any) -> None:
        self._pool.shutdown()

    def follow(self, kind: int, ids: np.ndarray, level: Any, position: np.ndarray, score: np.ndarray) -> Any:
        """Follow pieces to their ends.

        Parameters
        ----------
        kind : int
            CLIMB or RUN of `fpsolver.kernels.cpu.splitting`.
        ids : ndarray of uint64, shape (pieces,)
            Their trajectories.
        level : float or ndarray, shape (pieces,)
            Levels of the score; RUN has none.
        position : ndarray, shape (pieces, d)
            Where they start.
        score : ndarray, shape (pieces,)
            Scores there.

        Returns
        -------
        Jobs
            Ends of the pieces.

        Raises
        ------
        TrajectoryError
            If one fails.
        ConvergenceError
            If one is too long.
        """
        from fpsolver.kernels.cpu import splitting

        n = len(ids)
        jobs = splitting.Jobs(
            ids, np.broadcast_to(level, n).astype(float), position.copy(), score.astype(float),
            np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64),
        )  # fmt: skip
        run, functions, p, law = self._segment
        size = max(LANES, min(BATCH, -(-n // (self.threads * LANES)) * LANES))
        compiled = splitting.Score(self.score.function, self.score.p)

        def work(first: int) -> tuple[int, int, int, int]:
            some = splitting.Jobs(*(part[first : first + size] for part in jobs))
            return splitting.advance(kind, some, run, functions, p, law, compiled, self.walls)

        begins = range(0, n, size)
        found = [work(0)] if 0 < n <= size else list(self._pool.map(work, begins))
        self.taken += sum(taken for *_, taken in found)
        if self.score.failures:
            raise self.score.failures[0]
        for first, (_, failed, step, _) in zip(begins, found, strict=True):
            if failed >= 0:
                raise trajectory_failure(self.engine, jobs.position[first + failed], int(ids[first + failed]), step)
        left = sum(left for left, *_ in found)
        if left:
            self._give_up(left, kind == splitting.CLIMB)
        return jobs

    def trace(self, start: np.ndarray, number: np.uint64, steps: int) -> np.ndarray:
        """Return the positions (steps + 1, d) of a piece."""
        from fpsolver.kernels.cpu import splitting

        return splitting.trace(start, number, steps, *self._segment)

    def _give_up(self, left: int, climbing: bool) -> None:
        t = self.steps * self.engine.request.dt
        reason = (
            "did not come from A up to the reference surface; lower reference="
            if climbing
            else "reached neither A nor B: there may be another metastable set between them, which A or B should hold; "
            "or make t_max longer"
        )
        raise ConvergenceError(f"{left} paths of length t_max = {t:g} {reason}")


@dataclass(eq=False)
class Loops:
    """What walkers did that went to and fro between A and the reference surface.

    Parameters
    ----------
    position : ndarray, shape (walkers, d)
        Where they last came through the reference surface.
    score : ndarray, shape (walkers,)
        Scores there, infinite in B.
    climb : ndarray, shape (walkers,)
        Steps from their last entrance into A to there.
    best : ndarray, shape (walkers,)
        Highest score of the last excursion that ended in A or B.
    steps, count : ndarray, shape (walkers,)
        Steps that the counted loops took together, and how many there were.
    used : int
        Trajectories that each walker has used up.
    """

    position: np.ndarray
    score: np.ndarray
    climb: np.ndarray
    best: np.ndarray
    steps: np.ndarray
    count: np.ndarray
    used: int


def walk(
    pieces: Pieces, initial: np.ndarray, ids: np.ndarray, stride: int, reference: float, burn_in: int, loops: int
) -> Loops:
    """Let independent walkers go to and fro, and end where they come through the reference surface once more.

    Parameters
    ----------
    pieces : Pieces
        Follows them.
    initial : ndarray, shape (walkers, d)
        Points in A; walkers that reach B go back there.
    ids : ndarray of uint64, shape (walkers,)
        First trajectory of each.
    stride : int
        How much further on its next ones are.
    reference : float
        Score of the reference surface.
    burn_in, loops : int
        Loops that are not counted, and that are.
    """
    from fpsolver.kernels.cpu.splitting import CLIMB, IN_B

    walkers = len(initial)
    position, best = initial, np.zeros(walkers)
    steps, count = np.zeros(walkers, dtype=np.int64), np.zeros(walkers, dtype=np.int64)
    for loop in range(burn_in + loops + 1):
        up = pieces.follow(CLIMB, ids, reference, position, np.zeros(walkers))
        through = np.where(up.end == IN_B, np.inf, up.score)
        ids = ids + np.uint64(stride)
        if loop == burn_in + loops:
            break
        down = excursion(pieces, ids, up.position, through)
        ids = ids + np.uint64(stride)
        returned = np.isfinite(down.score)
        if loop >= burn_in:
            steps += np.where(returned, up.steps + down.steps, 0)
            count += returned
        best = down.score
        position = np.where(returned[:, None], down.position, initial)
    return Loops(up.position, through, up.steps, best, steps, count, 2 * (burn_in + loops) + 1)


def excursion(pieces: Pieces, ids: np.ndarray, position: np.ndarray, score: np.ndarray) -> Any:
    """Follow paths from outside A to A or B; the score of those that reach B, or start there, is infinite."""
    from fpsolver.kernels.cpu.splitting import IN_B, RUN, Jobs

    n = len(ids)
    result = Jobs(ids, np.zeros(n), position.copy(), score.copy(), np.zeros(n, dtype=np.int64), np.full(n, IN_B))
    todo = np.flatnonzero(np.isfinite(score))
    if len(todo):
        found = pieces.follow(RUN, ids[todo], 0.0, position[todo], score[todo])
        result.position[todo], result.steps[todo], result.end[todo] = found.position, found.steps, found.end
        result.score[todo] = np.where(found.end == IN_B, np.inf, found.score)
    return result
