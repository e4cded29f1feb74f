"""First-passage times of an ensemble, and what can be said of their distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.ensembles.observables.bins import Bins
from fpsolver.errors import InputError, MethodError


class PassageEstimate(NamedTuple):
    """A number, or an array of numbers, with its standard error.

    Parameters
    ----------
    value, standard_error : float or ndarray
        Estimate and the standard error that the number of trajectories leaves; the bias of the time step is no part.
    """

    value: Any
    standard_error: Any


class PassageDensity(NamedTuple):
    """The density of first-passage times in bins.

    Parameters
    ----------
    edges : ndarray, shape (bins + 1,)
        Edges of the bins.
    values, standard_errors : ndarray, shape (bins,)
        Probability of first passage in each bin over its width; survivors count, so that the integral may be below 1.
    """

    edges: np.ndarray
    values: np.ndarray
    standard_errors: np.ndarray


@dataclass(frozen=True, eq=False)
class FirstPassageTimes:
    """First-passage times of independent trajectories, followed up to the time `t_max`.

    Parameters
    ----------
    n : int
        Number of trajectories.
    t_max : float
        Time up to which they were followed.
    dt : float
        Time step.
    names : tuple of str
        The targets.
    counts : ndarray, shape (targets,)
        How many trajectories reached each target first.
    times : ndarray, shape (n,), or None
        Time of first passage by trajectory, infinite for survivors; None where only a histogram was kept.
    targets : ndarray, shape (n,), or None
        Number of the target that was reached first, −1 for survivors.
    positions : ndarray, shape (n, d), or None
        Positions at first passage, NaN for survivors; where asked for.
    edges, histogram : ndarray or None
        Edges of bins and how many first passages each holds, where a histogram was asked for.
    time_at_risk : float
        Time that all trajectories together spent outside the targets, Σ min(τ, t_max).
    squares : float
        Σ min(τ, t_max)².
    stats : mapping
        "wall_time" in seconds, "particle_steps", "particle_steps_per_second", "scheme", "bridge", "seed", …
    """

    n: int
    t_max: float
    dt: float
    names: tuple[str, ...]
    counts: np.ndarray
    times: np.ndarray | None
    targets: np.ndarray | None
    positions: np.ndarray | None
    edges: np.ndarray | None
    histogram: np.ndarray | None
    time_at_risk: float
    squares: float
    stats: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exits(self) -> int:
        """Number of trajectories that reached a target."""
        return int(self.counts.sum())

    @property
    def survivors(self) -> int:
        """Number of trajectories that had reached no target by `t_max`."""
        return self.n - self.exits

    @property
    def mean(self) -> PassageEstimate:
        """Mean first-passage time, with the standard error s/√n.

        Raises
        ------
        MethodError
            If there are survivors: their times are unknown, and any mean would be biased.
        """
        if self.survivors:
            least = self.restricted_mean
            raise MethodError(
                f"{self.survivors} of {self.n} trajectories were still under way at t_max = {self.t_max:g}: the mean "
                f"time is unknown, but not below {least.value:.6g} ± {least.standard_error:.2g}, the restricted_mean. "
                "Make t_max longer; or, where escape is exponential after a lag, take 1/rate(after=lag)"
            )
        return self.restricted_mean

    @property
    def restricted_mean(self) -> PassageEstimate:
        """Mean of min(τ, t_max) = ∫₀^t_max S(t) dt, without bias whether there are survivors or not."""
        mean = self.time_at_risk / self.n
        spread = max(self.squares / self.n - mean * mean, 0.0)
        return PassageEstimate(mean, float(np.sqrt(spread / max(self.n - 1, 1))))

    def rate(self, after: float = 0.0) -> PassageEstimate:
        """Return the escape rate k, if first passage is exponential after a lag: P(τ > t) ∝ e^(−kt) for t > `after`.

        k = exits after the lag / time at risk after the lag is then the maximum-likelihood estimate, survivors
        included, with the standard error k/√exits.

        Parameters
        ----------
        after : float
            The lag, in which the ensemble forgets where it started.

        Raises
        ------
        InputError
            If the lag is negative or not below `t_max`.
        MethodError
            If nothing was observed after the lag, or a lag is asked of a histogram.
        """
        if not 0.0 <= after < self.t_max:
            raise InputError(f"after = {after!r} must be at least 0 and below t_max = {self.t_max:g}")
        exits, exposure = self.exits, self.time_at_risk
        if after > 0:
            times = self._times("rate(after=…)")
            exits = int(np.count_nonzero(np.isfinite(times) & (times > after)))
            exposure = float(np.maximum(np.minimum(times, self.t_max) - after, 0.0).sum())
        if exits == 0:
            bound = f"; the rate is below {3.0 / exposure:.3g} with 95% confidence" if exposure > 0 else ""
            raise MethodError(
                f"no trajectory reached a target between t = {after:g} and t_max = {self.t_max:g}{bound}. Make t_max "
                "or n larger, or the lag shorter"
            )
        return PassageEstimate(exits / exposure, float(np.sqrt(exits) / exposure))

    @property
    def probabilities(self) -> PassageEstimate:
        """Probability to reach each target first, before `t_max`, shape (targets,), with binomial standard errors."""
        return _binomial(self.counts / self.n, self.n)

    def survival(self, t: ArrayLike) -> PassageEstimate:
        """Return S(t) = P(τ > t) with binomial standard errors.

        Parameters
        ----------
        t : array_like
            Times, at most `t_max`; where a histogram was kept, edges of bins from the lowest, if that is 0.

        Raises
        ------
        InputError
            If a time is beyond `t_max` or not an edge.
        """
        when = np.asarray(t, dtype=float)
        if not ((when >= 0) & (when <= self.t_max)).all():
            raise InputError(f"survival is known for times from 0 to t_max = {self.t_max:g}, not at t = {t!r}")
        if self.times is None:
            return _binomial(1.0 - self._passed_at_edges(when) / self.n, self.n)
        passed = np.searchsorted(np.sort(self.times), when, side="right")
        return _binomial(1.0 - passed / self.n, self.n)

    def density(self, bins: Any = None) -> PassageDensity:
        """Return the density of first-passage times.

        Parameters
        ----------
        bins : (lower, upper, bins) or array_like, optional
            Edges; not where a histogram was kept, which has its own.

        Raises
        ------
        InputError
            If bins are missing, given twice, or end beyond `t_max`.
        """
        if self.histogram is not None:
            if bins is not None:
                raise InputError("a histogram was kept, and it has its own bins; leave bins= out")
            edges, counts = self.edges, self.histogram
        else:
            if bins is None:
                raise InputError("density needs bins: (lower, upper, bins) or edges")
            edges = passage_bins(bins)
            counts = np.histogram(self._times("density"), edges)[0]
        assert edges is not None
        if edges[-1] > self.t_max * (1 + 1e-12):
            raise InputError(f"bins end at {edges[-1]:g}, but nothing is known beyond t_max = {self.t_max:g}")
        found = _binomial(counts / self.n, self.n)
        widths = np.diff(edges)
        return PassageDensity(edges, found.value / widths, found.standard_error / widths)

    def quantile(self, q: float) -> PassageEstimate:
        """Return the time by which a fraction q of all trajectories has reached a target.

        The standard error is half the distance between the order statistics one binomial standard error around; it is
        infinite where that touches the survivors.

        Raises
        ------
        InputError
            If q is not between 0 and 1.
        MethodError
            If more than 1 − q of the trajectories survived, or only a histogram was kept.
        """
        if not 0.0 < q < 1.0:
            raise InputError(f"q = {q!r} must be between 0 and 1")
        times = np.sort(self._times("quantile"))
        if q > self.exits / self.n:
            raise MethodError(
                f"the quantile q = {q:g} lies beyond t_max = {self.t_max:g}: only {self.exits} of {self.n} "
                "trajectories reached a target"
            )
        rank, spread = q * (self.n - 1), np.sqrt(self.n * q * (1 - q))
        low, high = (times[int(np.clip(round(rank + s * spread), 0, self.n - 1))] for s in (-1, 1))
        below = times[int(rank)]
        above = times[min(int(rank) + 1, self.exits - 1)]
        return PassageEstimate(float(below + (rank - int(rank)) * (above - below)), float(0.5 * (high - low)))

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        rate = self.stats.get("particle_steps_per_second", 0.0)
        return (
            f"FirstPassageTimes({self.exits} of {self.n} trajectories reached {', '.join(self.names)} by "
            f"t = {self.t_max:g}, dt = {self.dt:g}, {rate:.3g} particle-steps/s)"
        )

    def _times(self, what: str) -> np.ndarray:
        if self.times is None:
            raise MethodError(f"{what} needs the times themselves, and only a histogram was kept; leave bins= out")
        return self.times

    def _passed_at_edges(self, when: np.ndarray) -> np.ndarray:
        assert self.edges is not None and self.histogram is not None
        place = np.searchsorted(self.edges, when)
        place = np.minimum(place, len(self.edges) - 1)
        if self.edges[0] > 0 or not np.array_equal(self.edges[place], when):
            raise InputError(
                "only a histogram of the times was kept: survival is known at its edges, if the first is 0; its edges "
                f"go from {self.edges[0]:g} to {self.edges[-1]:g} in {len(self.histogram)} bins"
            )
        return np.concatenate([[0], np.cumsum(self.histogram)])[place]


def _binomial(p: np.ndarray, n: int) -> PassageEstimate:
    value = np.asarray(p, dtype=float)
    error = np.sqrt(value * (1.0 - value) / n)
    return PassageEstimate(value, error) if value.ndim else PassageEstimate(float(value), float(error))


def passage_bins(given: Any) -> np.ndarray:
    """Return edges from (lower, upper, bins) or a sequence.

    Raises
    ------
    InputError
        If they cannot be read, do not ascend or begin below zero.
    """
    edges = Bins.of(given, "first-passage times").array
    if edges[0] < 0:
        raise InputError(f"bins begin at {edges[0]:g}, but first-passage times are not negative")
    return edges
