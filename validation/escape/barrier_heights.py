"""Claim D13: the law of barrier heights, on Brownian paths seen from a threshold, with drift, and on smooth fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolver.landscapes import brownian_path, gaussian_spectrum, threshold_extrema
from fpsolver.theory import barrier_statistics
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, claim, misses, slope, statistical

BARRIERS = claim(
    "D13",
    family="escape",
    title="Law of barrier heights",
    as_written="P(E_b) ∝ e^{−E_b/E₀}",
    statement=(
        "On a Brownian path the barriers that a threshold h leaves have exactly the density (1/h) e^{−(E − h)/h} for "
        "E > h: nothing below h, mean 2h, and E₀ = h is what the observer chose, no constant of the landscape. With a "
        "drift m rises and falls exceed h by (e^{±κh} − 1)/(±κ) on average, κ = 2m/σ². A walk of normal steps s has "
        "E₀ = h + 1.1652 s. Trapping times τ₀e^{E/T} have the tail τ^{−1−T/E₀}. On smooth fields no exponential holds."
    ),
    verdict="heuristic",
    sources=(
        "J. Neveu, J. W. Pitman, Séminaire de Probabilités XXIII, 239 (1989)",
        "P. Le Doussal, C. Monthus, D. S. Fisher, Phys. Rev. E 59, 4795 (1999)",
        "H. M. Taylor, Ann. Probab. 3, 234 (1975)",
        "D. Siegmund, Adv. Appl. Probab. 11, 701 (1979)",
    ),
    written=barrier_statistics.barrier_density_if_exponential,
    corrected=barrier_statistics.barrier_density,
)

LONGEST = 5_000_000
"""Steps of one path; longer ones are cut, for memory."""


@BARRIERS.check
def heights_on_a_brownian_path(trial: Trial) -> Iterator[Comparison | Series]:
    """Shares of barrier heights in bins from zero, on a walk of small steps s; h = 1."""
    step = trial.pick(brief=0.1, quick=0.05, full=0.02)
    heights = np.abs(_heights(trial.pick(brief=4000, quick=100_000, full=200_000), step, trial.seed))
    edges = np.array([0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0])
    shares = np.histogram(heights, edges)[0] / len(heights)
    errors = np.sqrt(shares * (1.0 - shares) / len(heights))
    for j in range(len(shares)):
        predicted = _integral(partial(trial.predict, threshold=1.0, step=step), edges[j], edges[j + 1])
        yield statistical(
            f"share of heights from {edges[j]:g} h to {edges[j + 1]:g} h", predicted, shares[j], errors[j],
            bias=step**2 * shares[j], bias_source="second order of the step, (s/h)²",
        )  # fmt: skip
    axis, widths = np.linspace(0.0, 6.0, 301), np.diff(edges)
    forms = {"(1/h) e^{−(E−h)/h}": barrier_statistics.barrier_density}
    forms["(1/h) e^{−E/h}"] = barrier_statistics.barrier_density_if_exponential
    curves = tuple(Curve(name, axis, [float(f(float(e), threshold=1.0)) for e in axis]) for name, f in forms.items())
    points = (Points(f"{len(heights)} barriers", (edges[1:] + edges[:-1]) / 2.0, shares / widths, errors / widths),)
    yield Series("barrier heights of a Brownian path", "E/h", "probability density", curves, points)


@BARRIERS.check
def mean_height_as_the_steps_shrink(trial: Trial) -> Iterator[Comparison | Series]:
    """Mean height less 2h, against the step s: 1.1652 s, from the overshoot at either end."""
    steps = np.geomspace(trial.pick(brief=0.15, quick=0.06, full=0.03), 0.6, trial.pick(brief=4, quick=6, full=8))
    n, rows = trial.pick(brief=40_000, quick=60_000, full=500_000), []
    for k, step in enumerate(steps.tolist()):
        mean, error = _mean(np.abs(_heights(n, step, trial.seed, k)))
        rows.append((mean - 2.0, error))
        yield statistical(f"mean height, s = {step:.3g} h", _mean_height(step), mean, error)
    values, errors = np.array(rows).T
    line = [_mean_height(step) - 2.0 for step in steps.tolist()]
    yield Series(
        "approach of the continuous path", "s/h", "⟨E⟩/h − 2",
        (Curve("1.1652 s/h", steps, line),), (Points("walks", steps, values, errors),), "xy",
        slope("⟨E⟩/h − 2 against s/h", steps, values, 1.0, errors=errors),
    )  # fmt: skip


@BARRIERS.check
def the_scale_is_the_observers(trial: Trial) -> Iterator[Comparison | Series]:
    """Scale of the tail, as the mean and as the standard deviation of what is above h, on one path for four h."""
    step, n = 0.25, trial.pick(brief=300_000, quick=LONGEST, full=2 * LONGEST)
    path = brownian_path(n, step=step, seed=trial.seed)
    thresholds, rows = np.array([1.0, 2.0, 4.0, 8.0]), []
    for h in thresholds.tolist():
        excess = np.abs(_complete(path, h)) - h
        scale = barrier_statistics.barrier_scale(h, step=step)
        rows.append(_mean(excess))
        yield statistical(f"E₀ as mean excess, h = {h:g}", scale, *rows[-1])
        # The standard deviation of n exponential variables has the relative standard error √(2/n).
        deviation = float(np.std(excess))
        yield statistical(
            f"E₀ as standard deviation, h = {h:g}", scale, deviation, deviation * math.sqrt(2.0 / len(excess)),
            bias=scale.error_scale * h, bias_source="second order of the step, (s/h)²",
        )  # fmt: skip
    values, errors = np.array(rows).T
    yield misses("E₀ of h = 1, as a constant of the landscape, at h = 4", values[0], values[2], errors[2])
    line = [float(barrier_statistics.barrier_scale(h, step=step)) for h in thresholds.tolist()]
    yield Series(
        "E₀ against the observer's threshold, one path", "h", "E₀", (Curve("h + 1.1652 s", thresholds, line),),
        (Points("mean excess", thresholds, values, errors),), "xy",
        slope("E₀ − 1.1652 s against h", thresholds, values - line[0] + 1.0, 1.0, errors=errors),
    )  # fmt: skip


@BARRIERS.check
def rises_and_falls_of_a_drifting_path(trial: Trial) -> Iterator[Comparison]:
    """Mean rises and falls under a drift, and the greatest rise of a falling path."""
    step, drift = trial.pick(brief=0.1, quick=0.05, full=0.02), 0.4
    signed = _heights(trial.pick(brief=4000, quick=40_000, full=100_000), step, trial.seed, drift=drift)
    for name, sign in (("rises", 1.0), ("falls", -1.0)):
        heights = sign * signed[sign * signed > 0.0]
        yield statistical(
            f"mean of {name}, m = {drift:g}", _mean_height(step, sign * drift), *_mean(heights),
            bias=step**2, bias_source="second order of the step, (s/h)²",
        )  # fmt: skip
    rng = np.random.default_rng(trial.seed)
    size, paths = trial.pick(brief=(0.2, 1500), quick=(0.1, 60_000), full=(0.05, 200_000))
    m, greatest, position = -1.0, np.zeros(paths), np.zeros(paths)
    # After a length 12/m² the path is 12 below its start, from where its rises reach it with probability e^{−24}.
    for _ in range(int(12.0 / size**2)):
        position += m * size**2 + size * rng.standard_normal(paths)
        np.maximum(greatest, position, out=greatest)
    predicted = barrier_statistics.greatest_rise_mean(m, step=size)
    yield statistical(
        f"greatest rise, m = {m:g}", predicted, *_mean(greatest), bias=predicted.error_scale,
        bias_source="third order of the step",
    )  # fmt: skip


@BARRIERS.check
def trapping_times_have_a_power_law(trial: Trial) -> Iterator[Comparison | Series]:
    """Hill's estimate of the tail of τ = e^{E/T} beyond its median, for temperatures below and above h."""
    step = trial.pick(brief=0.1, quick=0.05, full=0.02)
    heights = np.abs(_heights(trial.pick(brief=4000, quick=40_000, full=100_000), step, trial.seed, 50))
    temperatures, rows = np.array([0.3, 0.7, 1.0, 2.0]), []
    for temperature in temperatures.tolist():
        times = np.exp(heights / temperature)
        tail = np.log(times[times > np.median(times)] / np.median(times))
        rows.append((1.0 + 1.0 / tail.mean(), 1.0 / tail.mean() / math.sqrt(len(tail))))
        predicted = barrier_statistics.trapping_time_exponent(temperature=temperature, threshold=1.0, step=step)
        yield statistical(
            f"tail exponent, T = {temperature:g} h", predicted, *rows[-1],
            bias=predicted.error_scale * temperature, bias_source="second order of the step, (s/h)²",
        )  # fmt: skip
    values, errors = np.array(rows).T
    yield Series(
        "tail of trapping times", "T/h", "exponent", (Curve("1 + T/h", temperatures, 1.0 + temperatures),),
        (Points("Hill's estimate", temperatures, values, errors),),
    )  # fmt: skip


@BARRIERS.check
def smooth_fields_have_another_law(trial: Trial) -> Iterator[Comparison]:
    """Excess over h on Gaussian fields: an exponential has its standard deviation for a mean, these have less."""
    spectrum, nodes = gaussian_spectrum(period=200.0), 2000
    values = spectrum.sample(trial.seed, trial.pick(brief=20, quick=400, full=8000)).on_grid(nodes)
    for h in (0.1, 0.5, 1.0):
        rows = [np.abs(_complete(row, h)) - h for row in values]
        # Jackknife over fields: barriers of one field are not independent.
        sums = np.array([(len(row), row.sum(), (row**2).sum()) for row in rows])
        left = sums.sum(axis=0) - sums
        ratios = np.sqrt(left[:, 2] / left[:, 0] - (left[:, 1] / left[:, 0]) ** 2) / (left[:, 1] / left[:, 0])
        error = math.sqrt((len(rows) - 1.0) * float(np.var(ratios)))
        yield misses(f"standard deviation over mean of the excess, h = {h:g}", 1.0, ratios.mean(), error)


def _heights(count: int, step: float, seed: int, stream: int = 0, *, drift: float = 0.0) -> NDArray[np.float64]:
    """Return rises (positive) and falls of walks for h = 1, about `count`; the drift is per unit of variance."""
    steps = int(count / step**2)
    return np.concatenate([
        _complete(
            brownian_path(min(LONGEST, steps - k), step=step, drift=drift * step**2, seed=[seed, stream, k]), 1.0
        )
        for k in range(0, steps, LONGEST)
    ])  # fmt: skip


def _complete(path: NDArray[Any], threshold: float) -> NDArray[np.float64]:
    """Return the differences between neighbouring extrema, without those that the ends of the path cut."""
    return np.diff(path[threshold_extrema(path, threshold)])[1:-1]


def _mean_height(step: float, drift: float = 0.0) -> float:
    return float(barrier_statistics.mean_height(1.0, drift=drift, step=step))


def _mean(values: NDArray[Any]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def _integral(density: Callable[[float], Any], lower: float, upper: float) -> float:
    """Return an integral by 24 Gauss nodes, ample for a bin of an exponential whose jump is at an edge."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    x = lower + (upper - lower) * (nodes + 1.0) / 2.0
    return float(weights @ [float(density(float(e))) for e in x]) * (upper - lower) / 2.0
