"""Claim E10: Langer's rate with its entropic prefactor, and landscapes reduced to master equations between minima."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.landscapes import Landscape, mueller_brown
from fpsolver.landscapes.random_fields import random_field
from fpsolver.theory import langer
from fpsolver.thermodynamics.core_rates import cell_of, cores_around, times_to_core
from fpsolver.thermodynamics.reduction_error import basin_labels
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    bounded,
    claim,
    gridded,
    richardson,
    slope,
    statistical,
)

LANGER = claim(
    "E10",
    family="escape",
    title="Langer's rate, and reduction to a master equation between minima",
    as_written="k = (κ/2π) √(k_a/|λ_b|) e^{−ΔL/T}: Kramers' rate along the path over the saddle",
    statement=(
        "k = (κ/2π) √(det H_a/|det H_b|) e^{−ΔL/T} [1 + O(T/ΔL)], with κ the positive eigenvalue of −M H_b: Kramers' "
        "rate times e^{ΔS}, the entropy by which the valley is wider at the saddle than at the minimum. With such "
        "rates over every saddle the master equation between minima has the slow spectrum, the weights and the mean "
        "passage times of the full dynamics to O(T/ΔL). With rates from committors the error falls exponentially, as "
        "e^{−h/T} with h the lower side of the barrier, and the spectrum lies above the true one, by second order in "
        "the eigenfunctions. Exempt are mean times to a shallow minimum beside a deeper one, which rare ways past its "
        "core decide: they depend on its size, and Langer's master equation, which has no way past, misses them."
    ),
    verdict="asymptotic",
    sources=(
        "J. S. Langer, Ann. Phys. 54, 258 (1969)",
        "A. Bovier, M. Eckhoff, V. Gayrard, M. Klein, J. Eur. Math. Soc. 6, 399 (2004), theorem 3.2",
        "C. Schütte, F. Noé, J. Lu, M. Sarich, E. Vanden-Eijnden, J. Chem. Phys. 134, 204105 (2011)",
    ),
    written=langer.rate_without_entropy,
    corrected=langer.rate,
)

COMMITTOR_ACCURACY = 1e-9
"""Error that `fp.reduce` asks of its solver by default."""

WIDER = "x**4/4 - x**2/2 + (1 + 3*x**2)*y**2/2"
NARROWER = "x**4/4 - x**2/2 + (4 - 3*x**2 + x**4)*y**2/2"
TUBE = "x**4/4 - x**2/2 + (1 + 3*x**2)*(y**2 + z**2)/2"


@dataclass(frozen=True)
class _System:
    """A landscape to be reduced to its minima.

    `cells` are those of an axis; `barrier` is the lower side of the saddle that the slowest mode crosses, given where
    the error from committors is to be followed over a wide range.
    """

    name: str
    landscape: Landscape
    box: Mapping[str, tuple[float, float]]
    temperatures: tuple[float, float]
    cells: int
    barrier: float | None = None

    def generator(self, temperature: float, refinement: int = 1) -> Any:
        axes: dict[str, Any] = {name: (*bounds, refinement * self.cells) for name, bounds in self.box.items()}
        return fp.generator(fp.Langevin(self.landscape, temperature=temperature), fp.Grid(**axes))

    def minima_and_saddles(self) -> dict[str, Any]:
        cold = fp.Langevin(self.landscape, temperature=1e-3 * self.temperatures[0])
        known = fp.reduce(cold, bounds=self.box)
        return {"minima": known.minima, "saddles": [link.saddle for link in known.connections]}


def _systems(trial: Trial) -> Iterator[_System]:
    """Three wells in a row on a line and in a plane, and a sum of random waves in a parabola, with six minima."""
    three = Landscape("x**2*(x**2 - 4)**2/16 + x/20")
    yield _System(
        "three wells on a line", three, {"x": (-3, 3)}, (0.01, 0.1), trial.pick(brief=200, quick=600, full=1200)
    )
    if trial.effort == "brief":
        return
    surface, cells = mueller_brown(0.05), trial.pick(brief=40, quick=70, full=120)
    box = {"x": (-1.6, 1.2), "y": (-0.4, 2.1)}
    yield _System("Müller–Brown", surface, box, (0.115, 0.4), cells, float(surface.value(_PASS) - surface.value(_WELL)))
    waves = random_field(2, modes=16, confinement=0.5, seed=4)
    yield _System("random waves", waves, {"x": (-4.5, 4.5), "y": (-4.5, 4.5)}, (0.1, 0.3), cells)


_PASS, _WELL = (-0.8220015587, 0.6243128028), (-0.0500108230, 0.4666941049)
"""Of the Müller–Brown surface: its highest saddle, and the minimum on the upper side of it."""


@LANGER.check
def slowest_rate_of_valleys_of_varying_width(trial: Trial) -> Iterator[Comparison | Series]:
    """λ₁ of a double well in a valley that widens, or narrows, towards the saddle: generator on cells against 2k."""
    systems = {"a valley half as stiff at the saddle": (WIDER, trial.pick(brief=32, quick=64, full=128))}
    if trial.effort != "brief":
        systems["a valley twice as stiff at the saddle"] = NARROWER, trial.pick(brief=32, quick=64, full=128)
    if trial.effort == "full":
        systems["two directions half as stiff at the saddle"] = TUBE, 24
    temperatures = np.geomspace(0.01, 0.1, trial.pick(brief=4, quick=5, full=7))
    for name, (text, cells) in systems.items():
        landscape = Landscape(text)
        well, top = [-1.0] + [0.0] * (landscape.dimension - 1), [0.0] * landscape.dimension
        ratios, errors = [], []
        for temperature in temperatures:
            gap, error = richardson(_gap(landscape, temperature, 2 * cells), _gap(landscape, temperature, cells))
            predicted = 2.0 * float(trial.predict(landscape, well, top, temperature=temperature))
            ratios.append(gap / predicted)
            errors.append(error / predicted)
        yield _limit(f"{name}: λ₁/2k as T → 0", temperatures, ratios, errors)
        deviation = np.abs(np.array(ratios) - 1.0)
        # Where the valley narrows the next orders are as large as the first over most of the decade.
        power = slope(f"power of T, {name}", temperatures, deviation, 1.0) if text == WIDER else None
        yield Series(
            f"Approach of λ₁ to 2k: {name}",
            "T/ΔL",
            "|λ₁/2k − 1|",
            curves=(Curve("∝ T", temperatures / 0.25, deviation[0] * temperatures / temperatures[0]),),
            points=(Points("generator on cells", temperatures / 0.25, deviation, errors),),
            logarithmic="xy",
            slope=power,
        )


@LANGER.check
def mean_escape_times(trial: Trial) -> Iterator[Comparison | Series]:
    """Mean times τ from (−1, 0) to x ≥ 1: the backward equation on cells against 1/k, and trajectories against it.

    Euler–Maruyama steps change a time by a relative amount of order dt, which is what dt and 2dt differ by.
    """
    landscape = Landscape(WIDER)
    temperatures = np.geomspace(0.01, 0.1, trial.pick(brief=4, quick=5, full=7))
    cells = trial.pick(brief=32, quick=64, full=128)
    exact, doubts, predicted = [], [], []
    for temperature in temperatures:
        time, doubt = richardson(_time(landscape, temperature, 2 * cells), _time(landscape, temperature, cells))
        predicted.append(1.0 / float(trial.predict(landscape, [-1.0, 0.0], [0.0, 0.0], temperature=temperature)))
        exact.append(time)
        doubts.append(doubt)
    ratios, errors = np.array(exact) / predicted, np.array(doubts) / predicted
    yield _limit("kτ as T → 0", temperatures, ratios, errors)
    points = []
    if trial.effort != "brief":
        warm = temperatures[temperatures > 0.05]
        means = [_passage(landscape, temperature, trial) for temperature in warm]
        for temperature, backward, (mean, error, bias) in zip(warm, exact[-len(warm) :], means, strict=True):
            name = f"mean time of trajectories at T = {temperature:.3g}"
            yield statistical(name, backward, mean, error, bias=bias, bias_source="time step, from 2dt")
        points = [Points("trajectories", 1 / warm, *np.array(means).T[:2])]
    yield Series(
        "Mean time to cross the saddle of a valley that widens there",
        "1/T",
        "mean time",
        curves=(Curve("1/k", 1 / temperatures, predicted),),
        points=(Points("backward equation", 1 / temperatures, exact, doubts), *points),
        logarithmic="y",
    )


@LANGER.check
def reduction_by_langers_rates(trial: Trial) -> Iterator[Comparison | Series]:
    """Slowest rate, weights and mean times of the master equation over those of the generator on cells: 1 + O(T)."""
    for system in _systems(trial):
        known = system.minima_and_saddles()
        temperatures = np.geomspace(*system.temperatures, trial.pick(brief=4, quick=5, full=7))
        rows = [_langer_ratios(system, known, temperature) for temperature in temperatures]
        rates, weights, times, doubts = np.transpose(rows)
        measured = {"slowest rate": rates, "weights of the two lowest minima": weights, "mean time between them": times}
        for name, ratios in measured.items():
            yield _limit(f"{system.name}: {name}, reduced over full as T → 0", temperatures, ratios, doubts)
        yield Series(
            f"{system.name}: error of Langer's master equation",
            "T",
            "relative error",
            curves=(Curve("∝ T", temperatures, abs(rates[0] - 1) * temperatures / temperatures[0]),),
            points=tuple(Points(name, temperatures, np.abs(y - 1), doubts) for name, y in measured.items()),
            logarithmic="xy",
        )


def _langer_ratios(system: _System, known: Mapping[str, Any], temperature: float) -> tuple[float, float, float, float]:
    """Return reduced over full: λ₁, w₁/w₀, the mean time 0 → 1; and the relative error of the full rate."""
    fine, coarse = system.generator(temperature, 2), system.generator(temperature)
    reduced = fp.reduce(fine, **known)
    spectra = [fp.spectrum(W, k=2) for W in (fine, coarse)]
    gap, doubt = richardson(*(float(full.rates[1]) for full in spectra))
    mass = np.asarray(fp.stationary(fine)) * fine.grid.volumes
    basins = np.bincount(basin_labels(system.landscape, fine.grid, reduced.minima).ravel(), weights=mass.ravel())
    core = cores_around(system.landscape, fine.grid, reduced.minima, temperature)[1]
    start = cell_of(system.landscape, fine.grid, reduced.minima[0])
    weights = reduced.stationary()
    return (
        float(reduced.spectrum()[1]) / gap,
        float((weights[1] / weights[0]) / (basins[1] / basins[0])),
        float(reduced.mean_first_passage_times(1)[0] / times_to_core(fine, core)[start]),
        doubt / gap + max(float(full.stats["accuracy"]) for full in spectra),
    )


@LANGER.check
def reduction_by_committors(trial: Trial) -> Iterator[Comparison | Series]:
    """Spectrum between the committors of cores, against that of the same generator on cells.

    Each rate has to be above the true one; the slowest by no more than the Dirichlet form of what its mode's
    interpolation between the committors misses; on the Müller–Brown surface by an amount that falls as e^{−h/T}.
    """
    for system in _systems(trial):
        known = system.minima_and_saddles()["minima"]
        temperatures = np.geomspace(*system.temperatures, trial.pick(brief=4, quick=5, full=9))
        if system.barrier is not None:
            temperatures = system.barrier / np.linspace(12.0, 4.0, len(temperatures))
        rows = [_committor_errors(system, known, temperature) for temperature in temperatures]
        lowest, slowest, bound, accuracy, gap = np.transpose(rows)
        worst = float(accuracy.max())
        yield bounded(f"{system.name}: lowest λ̂/λ", 1.0, float(lowest.min()), worst, side="≥")
        yield bounded(f"{system.name}: error less its bound", 0.0, float((slowest - bound).max()), worst, side="≤")
        fall = None
        if system.barrier is not None:
            fall = slope(f"{system.name}: power of e^(−h/T)", np.exp(-system.barrier / temperatures), slowest, 1.0)
        yield Series(
            f"{system.name}: error of the slowest rate between committors",
            "1/T",
            "λ̂₁/λ₁ − 1",
            curves=(Curve("bound", 1 / temperatures, bound), Curve("λ₁/λₙ", 1 / temperatures, gap)),
            points=(Points("cores as deep as T", 1 / temperatures, slowest, accuracy),),
            logarithmic="y",
            slope=fall,
        )


def _committor_errors(system: _System, known: Any, temperature: float) -> tuple[float, ...]:
    """Return the lowest λ̂/λ, λ̂/λ − 1 of the slowest rate, its bound, the accuracy of both spectra, and λ₁/λₙ."""
    W = system.generator(temperature)
    reduced = fp.reduce(W, rates="committor", minima=known)
    n = len(reduced)
    full = fp.spectrum(W, k=n + 1)
    assert reduced.committors is not None and full.left_modes is not None
    mass = (np.asarray(fp.stationary(W)) * W.grid.volumes).ravel()
    mode = full.left_modes[1]
    at_minima = [mode[cell_of(system.landscape, W.grid, minimum)] for minimum in reduced.minima]
    guess = np.tensordot(at_minima, reduced.committors, 1).ravel()
    guess -= mass @ guess
    missed = mode.ravel() - guess
    form = -(mass * missed) @ (W.adjoint @ missed) / (mass @ guess**2)
    ratios = reduced.spectrum()[1:] / full.rates[1:n]
    accuracy = float(full.stats["accuracy"]) + COMMITTOR_ACCURACY
    return float(ratios.min()), float(ratios[0]) - 1.0, form / full.rates[1], accuracy, full.rates[1] / full.rates[n]


def _gap(landscape: Landscape, temperature: float, cells: int) -> float:
    """Return λ₁ on a grid that follows the widths of the valley."""
    return float(fp.spectrum(_valley(landscape, temperature, cells), k=2).rates[1])


def _time(landscape: Landscape, temperature: float, cells: int) -> float:
    """Return the mean time from (−1, 0) to x ≥ 1."""
    times = fp.mean_first_passage_time(_valley(landscape, temperature, cells), fp.where(x=(1.0, None)))
    return float(times.at([[-1.0, 0.0]])[0])


def _valley(landscape: Landscape, temperature: float, cells: int) -> Any:
    along, across = 1.0 + 4.0 * math.sqrt(temperature), 6.5 * math.sqrt(temperature)
    axes: dict[str, Any] = {name: (-across, across, cells // 2) for name in landscape.variables[1:]}
    return fp.generator(fp.Langevin(landscape, temperature=temperature), fp.Grid(x=(-along, along, cells), **axes))


def _passage(landscape: Landscape, temperature: float, trial: Trial) -> tuple[float, float, float]:
    """Return the mean time of trajectories from (−1, 0) to x ≥ 1, its standard error, and how far 2dt takes it."""
    dynamics = fp.Langevin(landscape, temperature=temperature)
    number, step = trial.pick(brief=1_000, quick=4_000, full=40_000), 0.01
    fine, coarse = (
        fp.first_passage_times(
            dynamics, number, [-1.0, 0.0], fp.where(x=(1.0, None)), dt=dt, t_max=50_000.0, seed=trial.seed
        ).mean
        for dt in (step, 2 * step)
    )
    return fine.value, fine.standard_error, abs(fine.value - coarse.value)


def _limit(
    name: str, x: np.ndarray, y: Sequence[float] | np.ndarray, errors: Sequence[float] | np.ndarray
) -> Comparison:
    """Compare y(x → 0) with 1: a parabola through three of the points, with the line through two for its error."""
    # Points a factor of some 1.7 apart: the nearer they are, the more of the grid error comes through.
    apart = round(math.log(1.7) / math.log(x[1] / x[0]))
    chosen = np.arange(3) * min(max(apart, 1), (len(x) - 1) // 2)
    x, y, errors = x[chosen], np.asarray(y)[chosen], np.asarray(errors)[chosen]
    weights = np.array([np.prod([-x[j] / (x[i] - x[j]) for j in range(3) if j != i]) for i in range(3)])
    line = (y[0] * x[1] - y[1] * x[0]) / (x[1] - x[0])
    limit = float(weights @ y)
    doubt = abs(limit - float(line)) + float(np.abs(weights) @ errors)
    return gridded(name, 1.0, limit, doubt, source="last order of the extrapolation and grid error")
