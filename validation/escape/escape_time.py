"""Claim D17: the mean escape time τ₀ e^{ΔL/T}, by quadrature, grids, trajectories and splitting."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.landscapes import Landscape, tilted_double_well, tilted_washboard
from fpsolver.theory import Barrier, anharmonic, first_passage, kramers
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    asymptotic,
    claim,
    gridded,
    misses,
    richardson,
    slope,
    statistical,
)
from fpsolver.validation.escape.kramers import extrapolated

ESCAPE_TIME = claim(
    "D17",
    family="escape",
    title="Mean escape time",
    as_written="τ = τ₀ e^{E_b/kT}, with τ₀ an attempt time of the well",
    statement=(
        "τ = 2π/(μ√(L''_a |L''_b|)) e^{ΔL/T} [1 + cT + O(T²)] for overdamped motion with additive noise and T ≪ ΔL, "
        "from the minimum to beyond the one barrier; c = 3/2 for x⁴/4 − x²/2. Half of it to the top, with a correction "
        "of order √T where L'''_b is not zero. In steps of learning rate η it is τ/η. Where the noise depends on the "
        "position, ΔL is not even the exponent."
    ),
    verdict="asymptotic",
    sources=(
        "H. A. Kramers, Physica 7, 284 (1940), eq. (17)",
        "S. Arrhenius, Z. Phys. Chem. 4, 226 (1889)",
        "C. W. Gardiner, Handbook of Stochastic Methods, section 5.2",
    ),
    written=kramers.arrhenius_time,
    corrected=kramers.overdamped_time,
)


TILT = 0.05
"""Force on the double well where minimum and top are to be skew."""


@dataclass(frozen=True)
class Escape:
    """An escape from one well to the next.

    Parameters
    ----------
    name : str
        For the report.
    landscape : Landscape
        In one variable.
    barrier : Barrier
        Out of the well.
    target : float or tuple of float
        Where the clock stops: the minima beyond.
    axis : fpsolver.Axis
        Ends and boundaries of the grid on which wells exchange; cells are chosen later.
    """

    name: str
    landscape: Landscape
    barrier: Barrier
    target: float | tuple[float, float]
    axis: Callable[[int], fp.Axis]

    @property
    def ways(self) -> int:
        """How many barriers lead out."""
        return int(np.size(self.target))

    @property
    def start(self) -> float:
        """The minimum."""
        return float(self.barrier.needed("minimum", "the start"))

    def exact(self, temperature: float) -> float:
        """Return the mean time by quadrature."""
        process = first_passage.thermal(self.landscape, temperature=temperature)
        return float(first_passage.mean_time(process, self.start, self.target))

    def backward(self, temperature: float, cells: int) -> tuple[float, float]:
        """Return the mean time by the backward equation, and its grid error."""
        return backward_time(self.landscape, temperature, self.start, self.target, cells)

    def slowest_rate(self, temperature: float, cells: int) -> tuple[float, float]:
        """Return the spectral gap and its grid error."""
        dynamics = fp.Langevin(self.landscape, temperature=temperature)

        def gap(number: int) -> float:
            return float(fp.spectrum(fp.generator(dynamics, fp.Grid(x=self.axis(number))), k=2).rates[1])

        return extrapolated(gap, cells)

    def there_and_back(self, temperature: float) -> float:
        """Return the rate there and the rate back, added, over the rate there: the populations decide."""
        if isinstance(self.target, tuple):
            return 2.0
        process = first_passage.thermal(self.landscape, temperature=temperature)
        return 1.0 + self.exact(temperature) / float(first_passage.mean_time(process, self.target, self.start))

    def inside(self, temperature: float) -> float:
        """Return the share of the time that motion inside the wells takes, of the order (ΔL/T) e^{−ΔL/T}."""
        ratio = self.barrier.height / temperature
        return ratio * math.exp(-ratio)

    def step_bias(self, dt: float) -> float:
        """Return the most by which Euler–Maruyama shortens the time, relatively: dt |L''_a − |L''_b||/4 as T → 0.

        From the equation that the scheme solves to second order, drift b − ½dt(bb' + Db'') and diffusion D(1 − dt b').
        """
        return dt * max(self.barrier.minimum_curvature, -self.barrier.saddle_curvature) / 4.0

    def regions(self) -> list[Any]:
        """Return the targets of trajectories."""
        ends = [float(end) for end in np.atleast_1d(self.target)]
        if self.ways == 1:
            return [fp.where(x=(ends[0], None))]
        return [fp.where(x=(None, ends[0])), fp.where(x=(ends[1], None))]


def double_well(tilt: float = 0.0) -> Escape:
    """Return the escape from the left well of x⁴/4 − x²/2 − fx to the right one; for f > 0 its ends are skew."""
    landscape = tilted_double_well(tilt=tilt)
    left, top, right = (float(x) for x in sorted(np.roots([1.0, 0.0, -1.0, -tilt]).real))
    name = "x⁴/4 − x²/2" + (f" − {tilt:g}x" if tilt else "")
    return Escape(
        name, landscape, Barrier.between(landscape, left, top), right, lambda cells: fp.Axis(-2.2, 2.2, cells)
    )


def washboard() -> Escape:
    """Return the hop to either neighbour in cos x; on the circle of two wells, for the spectrum."""
    landscape = tilted_washboard()
    well = Barrier.between(landscape, math.pi, 0.0)

    def circle(cells: int) -> fp.Axis:
        return fp.Axis(0.0, 4.0 * math.pi, cells, boundary="periodic")

    return Escape("cos x", landscape, well, (-math.pi, 3.0 * math.pi), circle)


@ESCAPE_TIME.check
def four_routes_to_one_time(trial: Trial) -> Iterator[Comparison]:
    """Spectrum, backward equation, trajectories and splitting against the quadrature, in three landscapes."""
    cells = trial.pick(brief=2400, quick=2400, full=9600)
    for escape, temperature in ((double_well(), 0.02), (double_well(TILT), 0.02), (washboard(), 0.2)):
        exact = escape.exact(temperature)
        where = f"{escape.name}, T = {temperature:g}"
        yield gridded(f"backward equation, {where}", exact, *escape.backward(temperature, cells))
        gap, error = escape.slowest_rate(temperature, cells)
        rates = escape.there_and_back(temperature) / exact
        yield Comparison(
            f"spectral gap, {where}", rates, gap, error, "grid error", error + escape.inside(temperature) * rates,
            "grid error, and time inside the wells, (ΔL/T) e^{−ΔL/T}",
        )  # fmt: skip
    if trial.effort != "brief":
        yield from _by_trajectories(trial)
        yield from _by_splitting(trial)


@ESCAPE_TIME.check
def prefactor_and_correction(trial: Trial) -> Iterator[Series | Comparison]:
    """τ/τ_Kramers → 1 with slope c in T, over a decade of temperature, in three landscapes."""
    cells, count = trial.pick(brief=(2400, 4), quick=(2400, 7), full=(9600, 13))
    for escape, lowest in ((double_well(), 0.004), (double_well(TILT), 0.003), (washboard(), 0.04)):
        temperatures = np.geomspace(lowest, 10.0 * lowest, count)
        excess, errors, spectral = np.empty((3, count))
        for i, t in enumerate(map(float, temperatures)):
            predicted = float(trial.predict(escape.barrier, temperature=t)) / escape.ways
            time, error = escape.backward(t, cells)
            gap, _ = escape.slowest_rate(t, cells)
            # The gap is the sum of the rates there and back, whose ratio is that of the populations.
            excess[i], errors[i] = time / predicted - 1.0, error / predicted
            spectral[i] = escape.there_and_back(t) / gap / predicted - 1.0
        c = anharmonic.coefficient(escape.barrier)
        yield Series(
            f"approach of the time, {escape.name}", "temperature T", "τ/τ_Kramers − 1",
            (Curve(f"cT, c = {c:.4g}", temperatures, c * temperatures),),
            (
                Points("backward equation", temperatures, excess, errors),
                Points("spectral gap", temperatures, spectral),
            ),
            "xy", slope(f"power of T, {escape.name}", temperatures, excess, 1.0),
        )  # fmt: skip
        fine, coarse = excess[:2] / temperatures[:2]
        limit = richardson(fine, coarse, order=1.0, ratio=temperatures[1] / lowest)
        yield gridded(f"coefficient of T, {escape.name}", c, *limit, source="extrapolation in T")


@ESCAPE_TIME.check
def what_the_attempt_time_forgets(trial: Trial) -> Iterator[Comparison]:
    """Prefactors: 2π/(μL''_a) of the well alone against that of both curvatures, with its correction."""
    cells = trial.pick(brief=400, quick=1600, full=6400)
    for escape, temperature in ((double_well(), 0.025), (double_well(), 0.05), (double_well(TILT), 0.025)):
        time, error = escape.backward(temperature, cells)
        where = f"{escape.name}, T = {temperature:g}"
        corrected = anharmonic.corrected_overdamped_rate(escape.barrier, temperature=temperature)
        yield asymptotic(f"1/τ with its correction, {where}", corrected, 1.0 / time, error / time**2)
        right = kramers.overdamped_time(escape.barrier, temperature=temperature)
        kept = float(right)
        yield gridded(f"τ/τ_Kramers, {where}", escape.exact(temperature) / kept, time / kept, error / kept)
        written = kramers.arrhenius_time(escape.barrier, temperature=temperature)
        yield misses(f"as written, {where}", written, time, error, margin=right.error_scale * float(right))


@ESCAPE_TIME.check
def half_of_it_to_the_top(trial: Trial) -> Iterator[Series | Comparison]:
    """2τ(→ top)/τ(→ beyond) → 1: beyond all powers of T in x⁴/4 − x²/2, as √T over the skew top of x²/2 − x³/3."""
    cells, count = trial.pick(brief=(400, 4), quick=(1600, 7), full=(6400, 13))
    even, temperature = double_well(), 0.02
    half, error = backward_time(even.landscape, temperature, -1.0, 0.0, cells)
    whole, _ = even.backward(temperature, cells)
    yield Comparison(
        "2τ(→ 0)/τ(→ 1), x⁴/4 − x²/2, T = 0.02", 1.0, 2.0 * half / whole, 2.0 * error / whole, "grid error",
        even.inside(temperature), "time inside the wells, (ΔL/T) e^{−ΔL/T}",
    )  # fmt: skip
    cubic = Landscape("x**2/2 - x**3/3")
    skew = Barrier.between(cubic, 0.0, 1.0)
    temperatures = np.geomspace(0.0015, 0.015, count)
    ratios, errors = [], []
    for t in map(float, temperatures):
        (top, error), (beyond, _) = (backward_time(cubic, t, 0.0, target, cells) for target in (1.0, 1.6))
        process = first_passage.thermal(cubic, temperature=t)
        yield gridded(f"τ(→ top), skew, T = {t:.3g}", first_passage.mean_time(process, 0.0, 1.0), top, error)
        estimate = anharmonic.corrected_time_to_top(skew, temperature=t)
        yield asymptotic(f"½τ with its corrections, skew, T = {t:.3g}", estimate, top, error)
        ratios.append(2.0 * top / beyond - 1.0)
        errors.append(4.0 * error / beyond)
    # (2/3) L'''_b/√(2π|L''_b|³), with L''_b = −1 and L'''_b = −2.
    lead = 4.0 / 3.0 / math.sqrt(2.0 * math.pi)
    yield Series(
        "the top of a skew barrier", "temperature T", "2τ(→ top)/τ(→ beyond) − 1",
        (Curve(f"{lead:.4g} √T", temperatures, lead * np.sqrt(temperatures)),),
        (Points("backward equation", temperatures, ratios, errors),),
        "xy", slope("power of T, skew top", temperatures, ratios, 0.5),
    )  # fmt: skip


@ESCAPE_TIME.check
def noise_that_depends_on_the_position(trial: Trial) -> Iterator[Series | Comparison]:
    """Escape with D = T(1 + x²)/2 (Itô): at the minima as hot as T, but ΔL/T is not the exponent."""
    landscape, cells = tilted_double_well(tilt=0.0), trial.pick(brief=400, quick=1600, full=6400)
    well = Barrier.between(landscape, -1.0, 0.0)
    temperatures = np.geomspace(0.01, 0.05, trial.pick(brief=4, quick=6, full=12))
    logarithms = []
    for t in map(float, temperatures):
        dynamics = fp.Langevin(landscape, diffusion=f"{t!r}*(1 + x**2)/2", convention="ito")

        def time(number: int, dynamics: fp.Langevin = dynamics) -> float:
            W = fp.generator(dynamics, fp.Grid(x=fp.Axis(-3.0, 1.0, number, boundary=("reflecting", "absorbing"))))
            return float(fp.mean_first_passage_time(W).at([[-1.0]])[0])

        value, error = extrapolated(time, cells, next_order=3.0)
        exact = first_passage.mean_time(first_passage.of(dynamics), -1.0, 1.0)
        yield gridded(f"backward equation, T = {t:.3g}", exact, value, error)
        additive = kramers.overdamped_time(well, temperature=t)
        yield misses(f"additive noise of the same T = {t:.3g}", additive, value, error, margin=float(additive))
        logarithms.append(math.log(value))
    # ∫L'/D dx from the minimum to the top, in units of 1/T.
    exponent = 2.0 * math.log(2.0) - 1.0
    inverse = 1.0 / temperatures
    slopes = np.diff(logarithms) / np.diff(inverse)
    ratio = temperatures[1] / temperatures[0]
    limit = richardson(slopes[0], slopes[1], order=1.0, ratio=ratio)
    yield gridded("d ln τ/d(1/T), T → 0", exponent, *limit, source="extrapolation in T")
    yield Series(
        "noise that depends on the position", "1/T", "ln τ",
        (
            Curve("slope ∫L'/D dx = 0.386", inverse, logarithms[0] + exponent * (inverse - inverse[0])),
            Curve("slope ΔL = 0.25, additive noise", inverse, logarithms[0] + 0.25 * (inverse - inverse[0])),
        ),
        (Points("backward equation", inverse, logarithms),),
    )  # fmt: skip


def _by_trajectories(trial: Trial) -> Iterator[Comparison]:
    """Trajectories with bridges between their steps, and without them the steps that a chain takes."""
    n = trial.pick(brief=0, quick=16_000, full=200_000)
    wells = ((double_well(), 0.1, 0.005), (double_well(), 0.05, 0.01), (double_well(TILT), 0.05, 0.01))
    systems = (*wells, (washboard(), 0.5, 0.01))
    # Experiments of one seed have random numbers of their own: else a seed's luck would show in every line.
    for experiment, (escape, temperature, dt) in enumerate(systems):
        exact = escape.exact(temperature)
        dynamics = fp.Langevin(escape.landscape, temperature=temperature)
        passage = fp.first_passage_times(
            dynamics, n, [escape.start], escape.regions(), dt=dt, t_max=float(math.ceil(40.0 * exact)),
            seed=trial.seed, experiment=experiment,
        )  # fmt: skip
        yield statistical(
            f"trajectories, {escape.name}, T = {temperature:g}", exact, *passage.mean,
            bias=escape.step_bias(dt) * exact, bias_source="bias of the time step",
        )  # fmt: skip
    escape, temperature, rate = double_well(), 0.05, 0.05
    exact = escape.exact(temperature)
    chain = fp.first_passage_times(
        fp.Langevin(escape.landscape, temperature=temperature), n, [escape.start], escape.regions(), dt=rate,
        t_max=float(math.ceil(40.0 * exact)), seed=trial.seed, experiment=len(systems), bridge=False,
    )  # fmt: skip
    yield statistical(
        f"steps of learning rate {rate:g}, T = {temperature:g}", exact / rate,
        chain.mean.value / rate, chain.mean.standard_error / rate,
        bias=escape.step_bias(rate) * exact / rate, bias_source="first order in the learning rate",
    )  # fmt: skip


def _by_splitting(trial: Trial) -> Iterator[Comparison]:
    """Adaptive splitting where trajectories would wait for ever: ΔL/T = 8 … 20."""
    runs = trial.pick(brief=0, quick=40, full=400)
    dt = 0.02
    systems = ((double_well(), 0.025), (double_well(), 0.0125), (double_well(TILT), 0.025))
    for experiment, (escape, temperature) in enumerate(systems, 10):
        dynamics = fp.Langevin(escape.landscape, temperature=temperature)
        beyond = float(np.atleast_1d(escape.target)[0])
        result = fp.adaptive_splitting(
            dynamics, fp.where(x=(None, escape.start + 0.2)), fp.where(x=(beyond - 0.2, None)), score="x", dt=dt,
            n=400, runs=runs, seed=trial.seed, experiment=experiment,
        )  # fmt: skip
        exact = escape.exact(temperature)
        # Heun's scheme is of second order; from wall to wall the way inside the wells is missing.
        bias = (dt * escape.barrier.minimum_curvature) ** 2 + escape.inside(temperature)
        yield statistical(
            f"splitting, {escape.name}, ΔL/T = {escape.barrier.height / temperature:.3g}", exact, *result.mean_time,
            bias=bias * exact, bias_source="Heun's error and the time inside the wells",
        )  # fmt: skip


def backward_time(
    landscape: Landscape, temperature: float, start: float, target: float | tuple[float, float], cells: int
) -> tuple[float, float]:
    """Return the mean time by the backward equation to a target on the right, or two around, and its grid error."""
    dynamics = fp.Langevin(landscape, temperature=temperature)
    walls: tuple[str, str] = ("absorbing", "absorbing")
    if isinstance(target, float):
        # Eight standard deviations of the harmonic well hold all but e^{−32}; a little more, and the start is on a face
        # of every grid, so that errors are a power series in the width of the cells.
        reach, way = 8.0 * math.sqrt(temperature / float(landscape.hessian([start])[0, 0])), target - start
        below = math.ceil(cells // 4 * reach / (reach + way))
        target, walls = (start - way * below / (cells // 4 - below), target), ("reflecting", "absorbing")

    def time(number: int) -> float:
        W = fp.generator(dynamics, fp.Grid(x=fp.Axis(*target, number, boundary=walls)))
        return float(fp.mean_first_passage_time(W).at([[start]])[0])

    return extrapolated(time, cells, next_order=3.0)
