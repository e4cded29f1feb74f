"""What is kept of first passages while groups of trajectories come in: all times, or sums and a histogram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fpsolver.ensembles.passage_times import FirstPassageTimes, passage_bins


class PassageRecord:
    """First passages of the groups so far.

    Groups have a fixed size and come in order, so that sums do not depend on threads or batches.

    Parameters
    ----------
    n : int
        Number of trajectories of all groups.
    targets : int
        Number of targets.
    dimension : int
        Number of coordinates.
    t_max : float
        Time up to which trajectories are followed.
    bins : edges, optional
        Keep a histogram instead of the times.
    positions : bool
        Keep positions.
    """

    def __init__(self, n: int, targets: int, dimension: int, t_max: float, bins: Any, positions: bool):
        self.n, self.t_max = n, t_max
        self.counts = np.zeros(targets, dtype=np.int64)
        self.edges = None if bins is None else passage_bins(bins)
        self.histogram = None if self.edges is None else np.zeros(len(self.edges) - 1, dtype=np.int64)
        self.times = np.full(n, np.inf) if bins is None else None
        self.targets = np.full(n, -1, dtype=np.int32) if bins is None else None
        self.positions = np.full((n, dimension), np.nan) if positions else None
        self.time_at_risk = self.squares = 0.0
        self.started_inside = 0

    def add(self, first: int, times: np.ndarray, targets: np.ndarray, positions: np.ndarray) -> None:
        """Add a group.

        Parameters
        ----------
        first : int
            Number of its first trajectory.
        times, targets : ndarray, shape (count,)
            Times (infinite for survivors) and targets (−1).
        positions : ndarray, shape (count, d)
            Positions, where they are kept.
        """
        here = slice(first, first + len(times))
        reached = targets >= 0
        self.counts += np.bincount(targets[reached], minlength=len(self.counts))
        self.started_inside += int(np.count_nonzero(times == 0))
        at_risk = np.minimum(times, self.t_max)
        self.time_at_risk += float(at_risk.sum())
        self.squares += float(np.square(at_risk).sum())
        if self.times is not None and self.targets is not None:
            self.times[here], self.targets[here] = times, targets
        if self.histogram is not None and self.edges is not None:
            self.histogram += np.histogram(times[reached], self.edges)[0]
        if self.positions is not None:
            self.positions[here] = positions

    def result(self, names: tuple[str, ...], dt: float, stats: Mapping[str, Any]) -> FirstPassageTimes:
        """Return what was found."""
        return FirstPassageTimes(
            self.n,
            self.t_max,
            dt,
            names,
            self.counts,
            self.times,
            self.targets,
            self.positions,
            self.edges,
            self.histogram,
            self.time_at_risk,
            self.squares,
            stats,
        )
