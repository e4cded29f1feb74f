"""Replicas of adaptive multilevel splitting: loops between A and the reference surface, killing and branching.

A replica is the last piece of its path, which its start and the number of its trajectory determine: where a path first
exceeded a level is found by following the piece anew, with the same random numbers, so that nothing is recorded on the
way.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.ensembles.integrators.additive import AdditiveIntegrator
from fpsolver.ensembles.march import BATCH, trajectory_failure
from fpsolver.ensembles.scores import Score
from fpsolver.errors import ConvergenceError
from fpsolver.kernels.blocks import LANES

RUN_TRAJECTORIES = 1 << 32
"""Numbers of trajectories that are set apart for each run."""

SMALLEST = -690.0
"""Logarithm of the smallest probability that is looked for."""


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


@dataclass(eq=False)
class Replicas:
    """The replicas of one run, each known by the last piece of its path.

    Parameters
    ----------
    start : ndarray, shape (n, d)
        Where the last piece starts.
    start_score : ndarray, shape (n,)
        Score there, infinite in B.
    before : ndarray of int, shape (n,)
        Steps of the path up to there, from the entrance into A on.
    ids : ndarray of uint64, shape (n,)
        Trajectory of the last piece.
    best : ndarray, shape (n,)
        Highest score of the path, infinite if it reaches B.
    steps : ndarray of int, shape (n,)
        Steps of the last piece.
    ancestor : ndarray of int, shape (n,)
        Number of the replica at the beginning from which each stems.
    next_id : int
        First trajectory that is not used yet.
    log_probability : float
        Logarithm of the probability to exceed the level reached so far.
    log_pairs : float
        Logarithm of the weight of a pair of replicas without common ancestor.
    iterations : int
        How often replicas were killed.
    """

    start: np.ndarray
    start_score: np.ndarray
    before: np.ndarray
    ids: np.ndarray
    best: np.ndarray
    steps: np.ndarray
    ancestor: np.ndarray
    next_id: int
    log_probability: float = 0.0
    log_pairs: float = 0.0
    iterations: int = 0

    def estimates(self) -> tuple[float, float]:
        """Return unbiased estimates of the probability to reach B, and of its square.

        The square takes pairs of replicas that have no ancestor in common. Each killing multiplies the expected number
        of pairs that stem from two given survivors by E[(1 + a)(1 + b)], where a and b are their offspring.
        """
        n = len(self.best)
        reached = self.ancestor[np.isposinf(self.best)]
        families = np.bincount(reached, minlength=n).astype(float)
        apart = len(reached) ** 2 - float((families**2).sum())
        probability = np.exp(self.log_probability) * len(reached) / n
        return float(probability), float(np.exp(self.log_pairs) * apart / (n * (n - 1)))


@dataclass(frozen=True, eq=False)
class Branches:
    """Replicas of one run that are to be replaced, and by branches of whom.

    Parameters
    ----------
    replicas : Replicas
        The run.
    killed, parents : ndarray of int
        Numbers of the killed and of the parents of those that take their places.
    level : float
        Score that the parents exceed.
    ids : ndarray of uint64
        Trajectories of the branches.
    """

    replicas: Replicas
    killed: np.ndarray
    parents: np.ndarray
    level: float
    ids: np.ndarray


def select(replicas: Replicas, kill: int, key: tuple[np.uint64, np.uint64]) -> Branches | None:
    """Kill all replicas up to the level of the `kill`-th lowest; None where the run is over.

    Ties at the level die as well, as many as they are: with discrete time they are no exception, since a branch has its
    parent's maximum wherever neither climbs above the branching point, and only so the estimator has no bias.
    """
    from fpsolver.kernels.cpu.noise import uniforms
    from fpsolver.kernels.philox import BRANCHING

    best, n = replicas.best, len(replicas.best)
    level = float(np.partition(best, kill - 1)[kill - 1])
    if np.isposinf(level):
        return None
    killed, survivors = np.flatnonzero(best <= level), np.flatnonzero(best > level)
    if len(survivors) == 0:
        replicas.log_probability = -np.inf
        return None
    dead, alive = len(killed), len(survivors)
    replicas.log_probability += float(np.log1p(-dead / n))
    replicas.log_pairs -= float(np.log1p(2 * dead / alive + dead * (dead - 1) / alive**2))
    replicas.iterations += 1
    if replicas.log_probability < SMALLEST:
        raise ConvergenceError(
            f"the probability to reach B fell below e^{SMALLEST:g} at score {level:g}: the score should go on rising "
            "up to B, and B be where it is highest"
        )
    chance = uniforms(replicas.next_id, dead, 1, BRANCHING, int(key[0]), int(key[1]))[:, 0]
    ids = np.arange(replicas.next_id, replicas.next_id + dead, dtype=np.uint64)
    replicas.next_id += dead
    return Branches(replicas, killed, survivors[(chance * alive).astype(np.int64)], level, ids)


def branch(pieces: Pieces, found: Sequence[Branches]) -> None:
    """Replace the killed replicas of several runs.

    Parameters
    ----------
    pieces : Pieces
        Follows the branches.
    found : sequence of Branches
        From `select`.
    """
    from fpsolver.kernels.cpu.splitting import CLIMB, IN_B

    def gathered(name: str) -> np.ndarray:
        return np.concatenate([getattr(one.replicas, name)[one.parents] for one in found])

    start, score, before, parent_ids = (gathered(name) for name in ("start", "start_score", "before", "ids"))
    level = np.concatenate([np.full(len(one.killed), one.level) for one in found])
    ids = np.concatenate([one.ids for one in found])
    climb = np.flatnonzero(~(score > level))
    if len(climb):
        up = pieces.follow(CLIMB, parent_ids[climb], level[climb], start[climb], score[climb])
        start[climb], score[climb] = up.position, np.where(up.end == IN_B, np.inf, up.score)
        before[climb] += up.steps
    piece = excursion(pieces, ids, start, score)
    ancestor = gathered("ancestor")
    first = 0
    for one in found:
        here, replicas = slice(first, first + len(one.killed)), one.replicas
        replicas.start[one.killed], replicas.start_score[one.killed] = start[here], score[here]
        replicas.before[one.killed], replicas.ids[one.killed] = before[here], one.ids
        replicas.best[one.killed], replicas.steps[one.killed] = piece.score[here], piece.steps[here]
        replicas.ancestor[one.killed] = ancestor[here]
        first += len(one.killed)


def split(pieces: Pieces, runs: Sequence[Replicas], kill: int) -> None:
    """Kill and branch until all replicas of all runs, but for fewer than `kill` each, have reached B."""
    key = pieces.engine.request.key
    active = list(runs)
    while active:
        found = [one for one in (select(replicas, kill, key) for replicas in active) if one is not None]
        if found:
            branch(pieces, found)
        active = [one.replicas for one in found]
