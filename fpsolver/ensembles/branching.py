"""Replicas of adaptive multilevel splitting: killing and branching.

A replica is the last piece of its path, which its start and the number of its trajectory determine: where a path first
exceeded a level is found by following the piece anew, with the same random numbers, so that nothing is recorded on the
way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fpsolver.ensembles.path_pieces import Pieces, excursion
from fpsolver.errors import ConvergenceError

SMALLEST = -690.0
"""Logarithm of the smallest probability that is looked for."""


@dataclass(eq=False)
class History:
    """All pieces of the paths of one run, in the order in which they came.

    Parameters
    ----------
    parent, offset : list of ndarray of int
        From which piece each branches off (−1 at the beginning), and after how many steps of it.
    ids : list of ndarray of uint64
        Their trajectories.
    start : list of ndarray
        Where they start, (pieces, d).
    size : int
        How many there are.
    """

    parent: list[np.ndarray] = field(default_factory=list)
    offset: list[np.ndarray] = field(default_factory=list)
    ids: list[np.ndarray] = field(default_factory=list)
    start: list[np.ndarray] = field(default_factory=list)
    size: int = 0

    def add(self, parent: np.ndarray, offset: np.ndarray, ids: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Add pieces; return their numbers."""
        for kept, given in ((self.parent, parent), (self.offset, offset), (self.ids, ids), (self.start, start)):
            kept.append(given.copy())
        self.size += len(ids)
        return np.arange(self.size - len(ids), self.size)

    def paths(self, pieces: Pieces, last: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, ...]:
        """Follow paths once more, from the reference surface on.

        Parameters
        ----------
        pieces : Pieces
            Follows them.
        last, steps : ndarray of int, shape (paths,)
            Their last pieces, and how many steps these have.

        Returns
        -------
        tuple of ndarray, shape (steps + 1, d) each
        """
        parent, offset = np.concatenate(self.parent), np.concatenate(self.offset)
        ids, start = np.concatenate(self.ids), np.concatenate(self.start)
        found = []
        for piece, length in zip(last.tolist(), steps.tolist(), strict=True):
            parts = [pieces.trace(start[piece], ids[piece], length)]
            while parent[piece] >= 0:
                before = int(parent[piece])
                # The last point of the parent's part is the first of what branches off.
                parts.append(pieces.trace(start[before], ids[before], int(offset[piece]))[:-1])
                piece = before
            found.append(np.concatenate(parts[::-1]))
        return tuple(found)


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
    piece : ndarray of int, shape (n,)
        Number of the last piece in the history.
    next_id : int
        First trajectory that is not used yet.
    history : History, optional
        All pieces, where paths are wanted.
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
    piece: np.ndarray
    next_id: int
    history: History | None = None
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
    climbed = np.zeros(len(ids), dtype=np.int64)
    climb = np.flatnonzero(~(score > level))
    if len(climb):
        up = pieces.follow(CLIMB, parent_ids[climb], level[climb], start[climb], score[climb])
        start[climb], score[climb] = up.position, np.where(up.end == IN_B, np.inf, up.score)
        climbed[climb] = up.steps
    piece = excursion(pieces, ids, start, score)
    ancestor, parent_pieces = gathered("ancestor"), gathered("piece")
    first = 0
    for one in found:
        here, replicas = slice(first, first + len(one.killed)), one.replicas
        replicas.start[one.killed], replicas.start_score[one.killed] = start[here], score[here]
        replicas.before[one.killed], replicas.ids[one.killed] = before[here] + climbed[here], one.ids
        replicas.best[one.killed], replicas.steps[one.killed] = piece.score[here], piece.steps[here]
        replicas.ancestor[one.killed] = ancestor[here]
        if replicas.history is not None:
            replicas.piece[one.killed] = replicas.history.add(parent_pieces[here], climbed[here], one.ids, start[here])
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
