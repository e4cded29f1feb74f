"""Probability and mean time that replicas and loops give, with errors: `Splitting`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.ensembles.branching import Replicas
from fpsolver.ensembles.passage_times import PassageEstimate
from fpsolver.ensembles.path_pieces import Loops
from fpsolver.errors import AccuracyWarning, ConvergenceError, MethodError


@dataclass(frozen=True, eq=False, repr=False)
class Splitting:
    """Result of adaptive multilevel splitting.

    Parameters
    ----------
    probability : PassageEstimate
        Probability to reach B before A from the reference surface, without bias.
    mean_time : PassageEstimate
        Mean time from A to B, (1/p − 1) T_loop + T_reactive, with 1/p estimated by p/(p² + σ²), whose bias is of second
        order in the variance σ².
    loop_time : PassageEstimate
        Mean time of a loop: from A up to the reference surface and back into A.
    reactive_time : PassageEstimate
        Mean time of the last departure: from the last entrance into A up to B.
    reference : float
        Score of the reference surface; −∞ where it is the wall of A.
    run_probabilities, run_errors : ndarray, shape (runs,)
        Estimate and standard error of each run.
    iterations : ndarray of int, shape (runs,)
        How often replicas were killed.
    n : int
        Replicas of a run.
    paths : tuple of ndarray, shape (steps + 1, d) each
        Reactive paths from the reference surface to B, at all steps; as many as were asked for.
    stats : mapping
        "particle_steps", "wall_time", "particle_steps_per_second", "extinct" runs, "ancestors" of the replicas in B, …
    """

    probability: PassageEstimate
    mean_time: PassageEstimate
    loop_time: PassageEstimate
    reactive_time: PassageEstimate
    reference: float
    run_probabilities: np.ndarray
    run_errors: np.ndarray
    iterations: np.ndarray
    n: int
    paths: tuple[np.ndarray, ...] = ()
    stats: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        p, time = self.probability, self.mean_time
        return (
            f"Splitting(probability {p.value:.4g} ± {p.standard_error:.2g}, mean time {time.value:.4g} ± "
            f"{time.standard_error:.2g}, {self.runs} run(s) of {self.n} replicas)"
        )

    @property
    def runs(self) -> int:
        """Number of independent runs."""
        return len(self.run_probabilities)

    @property
    def rate(self) -> PassageEstimate:
        """Rate of transitions, 1 over the mean time."""
        value = 1.0 / self.mean_time.value
        return PassageEstimate(value, value * self.mean_time.standard_error / self.mean_time.value)

    @property
    def relative_error(self) -> float:
        """Relative standard error of the probability."""
        return self.probability.standard_error / self.probability.value

    @property
    def ideal_relative_error(self) -> float:
        """Relative error √(−ln p/(n runs)) that the committor as score would leave, the least there is."""
        return float(np.sqrt(-np.log(min(self.probability.value, 1.0)) / (self.n * self.runs)))

    @property
    def scatter(self) -> float:
        """Standard error of the probability from the scatter between runs: another estimate of its standard error.

        Raises
        ------
        MethodError
            If there is one run alone.
        """
        if self.runs < 2:
            raise MethodError("one run has no scatter: ask for runs=10 or more")
        return float(self.run_probabilities.std(ddof=1) / np.sqrt(self.runs))


def result_of(
    runs: list[Replicas],
    walked: Loops,
    surface: float,
    dt: float,
    paths: tuple[np.ndarray, ...],
    stats: Mapping[str, Any],
) -> Splitting:
    """Put the runs together.

    Parameters
    ----------
    runs : list of Replicas
        Where they ended.
    walked : Loops
        The loops of all runs.
    surface, dt : float
        Score of the reference surface and time step.
    paths : tuple of ndarray
        Reactive paths.
    stats : mapping
        How it was found.

    Raises
    ------
    ConvergenceError
        If all runs died out.
    """
    n = len(runs[0].best)
    estimates = np.array([one.estimates() for one in runs])
    probabilities, squares = estimates[:, 0], estimates[:, 1]
    extinct = int(np.count_nonzero(probabilities == 0))
    if extinct == len(runs):
        highest = max(float(one.best.max()) for one in runs)
        raise ConvergenceError(
            f"all replicas of {'the run' if extinct == 1 else 'all runs'} died out at score {highest:g} before any "
            f"reached B: with n = {n} make n larger, kill fewer at a time, or give a score that goes on rising to B"
        )
    if extinct:
        warnings.warn(
            f"{extinct} of {len(runs)} runs died out and count with probability 0: the estimate has no bias, but its "
            f"error is larger than stated; make n = {n} larger, or the score better",
            AccuracyWarning,
            stacklevel=4,
        )
    # Where few pairs tell, the estimate of the variance may be negative; it is never below that of the best score.
    ideal = np.where(probabilities > 0, -np.log(np.maximum(np.minimum(probabilities, 1.0), 1e-300)), 0.0) / n
    variances = np.maximum(probabilities**2 - squares, probabilities**2 * ideal)
    p, error = float(probabilities.mean()), float(np.sqrt(variances.sum()) / len(runs))
    loop = _loop_time(walked, dt)
    reactive, ancestors = _reactive_time(runs, probabilities, dt)
    # 1/p is convex: the mean of its estimate is too large by the relative variance, to first order.
    excursions = p / (p * p + error * error)
    value = (excursions - 1.0) * loop.value + reactive.value
    parts = (error / p * loop.value * excursions, (excursions - 1.0) * loop.standard_error, reactive.standard_error)
    return Splitting(
        PassageEstimate(p, error),
        PassageEstimate(value, float(np.linalg.norm(parts))),
        loop,
        reactive,
        surface,
        probabilities,
        np.sqrt(variances),
        np.array([one.iterations for one in runs]),
        n,
        paths,
        {**stats, "extinct": extinct, "ancestors": ancestors},
    )


def _loop_time(walked: Loops, dt: float) -> PassageEstimate:
    """Return the mean time of a loop: a ratio of sums over independent walkers."""
    count = int(walked.count.sum())
    if count == 0:
        return PassageEstimate(0.0, 0.0)  # from everywhere to B: p = 1, and the time of loops has no weight
    mean = float(walked.steps.sum()) / count
    residues = walked.steps - mean * walked.count
    spread = np.sqrt(np.square(residues).sum() * len(residues) / max(len(residues) - 1, 1))
    return PassageEstimate(dt * mean, dt * float(spread) / count)


def _reactive_time(runs: list[Replicas], probabilities: np.ndarray, dt: float) -> tuple[PassageEstimate, int]:
    """Return the mean time of paths to B with a standard error that counts families for one, and how many there are."""
    reached = [np.isposinf(one.best) for one in runs]
    weights = np.concatenate(
        [np.full(r.sum(), p / max(r.sum(), 1)) for r, p in zip(reached, probabilities, strict=True)]
    )
    times = dt * np.concatenate([(one.before + one.steps)[r] for one, r in zip(runs, reached, strict=True)])
    families = np.concatenate(
        [one.ancestor[r] + k * len(one.best) for k, (one, r) in enumerate(zip(runs, reached, strict=True))]
    )
    weights /= weights.sum()
    mean = float((weights * times).sum())
    residues = np.bincount(families, weights=weights * (times - mean))
    return PassageEstimate(mean, float(np.linalg.norm(residues))), len(np.unique(families))
