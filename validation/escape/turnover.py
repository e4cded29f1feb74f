"""Claim E9: Kramers' turnover over five decades of friction, against the Klein–Kramers operator and particles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.landscapes import double_well, tilted_double_well
from fpsolver.theory import Barrier, anharmonic, depopulation, energy_diffusion, kramers, turnover
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    asymptotic,
    bounded,
    claim,
    gridded,
    misses,
    slope,
    statistical,
)
from fpsolver.validation.brinkman import OddKineticMode
from fpsolver.validation.escape.kramers import klein_kramers_gap

TURNOVER = claim(
    "E9",
    family="escape",
    title="Kramers' turnover",
    as_written="k = (ω₀/2π) [√(γ²/4 + ω_b²) − γ/2]/ω_b e^{−ΔL/T}, whatever the friction γ",
    statement=(
        "The slowest rate of a double well is k₊ + k₋ with k = Υ(δ₁)Υ(δ₂)/Υ(δ₁ + δ₂) times Kramers' rate; δ = γS/T is "
        "the energy that a well loses per round trip at the height of the barrier, over T. As T → 0 it is λ₁[1 + cT + "
        "O(T²)] at any fixed δ, and at any fixed γ, where c is that of the anharmonic terms. For γ → 0 at fixed T, λ₁ "
        "falls below the slowest rate of energy diffusion, proportional to γ, by a share that goes as √δ. With the "
        "energy loss of the unstable normal mode (Pollak, Grabert, Hänggi) the limits are the same and c is smaller at "
        "fixed δ. Kramers' rate alone is too large by 2/δ at weak friction."
    ),
    verdict="asymptotic",
    sources=(
        "H. A. Kramers, Physica 7, 284 (1940), eqs. (25) and (28)",
        "V. I. Mel'nikov, S. V. Meshkov, J. Chem. Phys. 85, 1018 (1986)",
        "E. Pollak, H. Grabert, P. Hänggi, J. Chem. Phys. 91, 4073 (1989)",
        "P. Hänggi, P. Talkner, M. Borkovec, Rev. Mod. Phys. 62, 251 (1990), section VI",
    ),
    written=turnover.relaxation_rate_above_turnover,
    corrected=turnover.relaxation_rate,
)

TEMPERATURE = 0.05
"""Of the turnover curve: ΔL/T = 5."""

GROUPS = 50
"""Groups of particles, each of which is left out once for the standard error."""


@cache
def quartic_well() -> Barrier:
    """Return one of the two wells of x⁴/4 − x²/2."""
    return Barrier.between(double_well(), -1.0, 0.0)


@TURNOVER.check
def the_gap_converges_with_hermite_functions(trial: Trial) -> Iterator[Series | Comparison]:
    """λ₁ of x⁴/4 − x²/2 at T = 0.05 by N Hermite functions: the error falls as e^{−cNγ}, for every γ alike."""
    frictions = trial.pick(brief=(0.1,), quick=(0.1, 0.04, 0.02), full=(0.1, 0.03, 0.01, 0.004))
    cutoffs, points = np.arange(2.0, 9.0), []
    for friction in frictions:
        best = _rate(TEMPERATURE, friction, 12.0)
        errors = [abs(_rate(TEMPERATURE, friction, cutoff) / best - 1.0) for cutoff in cutoffs]
        points.append(Points(f"γ = {friction:g}", cutoffs, errors))
        gap, error = odd_gap(TEMPERATURE, friction, 6.0)
        yield gridded(f"Nγ = 6 against 12, γ = {friction:g}", best, gap, error, source="change from Nγ = 4")
    yield Series(
        "convergence in velocity", "Nγ, the rate at which the last Hermite function decays", "relative error of λ₁",
        points=tuple(points), logarithmic="y",
    )  # fmt: skip


@TURNOVER.check
def two_discretisations_agree(trial: Trial) -> Iterator[Comparison]:
    """λ₁ of x⁴/4 − x²/2 by finite volumes in x and Arnoldi, and by sinc functions in x and elimination over n."""
    cells = trial.pick(brief=80, quick=120, full=240)
    for temperature, friction in trial.pick(
        brief=((0.1, 0.5), (0.1, 2.0)),
        quick=((0.1, 0.1), (0.1, 0.5), (0.1, 2.0), (0.05, 0.1), (0.05, 10.0)),
        full=((0.1, 0.1), (0.1, 0.5), (0.1, 2.0), (0.05, 0.03), (0.05, 0.1), (0.05, 0.5), (0.05, 2.0), (0.05, 10.0)),
    ):
        # The mode changes over the energy √(γST) at the height of the barrier, which the cells have to resolve.
        finer = max(1.0, math.sqrt(0.4 / friction))
        gap, error = klein_kramers_gap(
            double_well(), (-1.0, 1.0), temperature=temperature, friction=friction,
            cells=4 * round(finer * cells / 4), functions=_functions(friction, 12.0),
        )  # fmt: skip
        other = _rate(temperature, friction, 12.0)
        # Hermite functions beyond Nγ = 12 change 4e-7 at most, the first check shows.
        yield gridded(f"T = {temperature:g}, γ = {friction:g}", other, gap, error, rounding=1e-6)


@TURNOVER.check
def the_turnover(trial: Trial) -> Iterator[Series | Comparison]:
    """λ₁ of x⁴/4 − x²/2 at T = 0.05 over five decades of γ: the operator, particles, and every formula."""
    ends = trial.pick(brief=(0.03, 100.0, 5), quick=(3e-3, 300.0, 16), full=(1e-3, 100.0, 21))
    frictions = np.geomspace(*ends)
    gaps, errors = np.transpose([odd_gap(TEMPERATURE, friction, 4.0) for friction in frictions])
    well = quartic_well()
    for friction, gap, error in zip(frictions, gaps, errors, strict=True):
        where = {"temperature": TEMPERATURE, "friction": float(friction)}
        yield asymptotic(f"operator, γ = {friction:.3g}", trial.predict(well, well, **where), gap, error)
    where = {"temperature": TEMPERATURE, "friction": float(frictions[0])}
    alone = above_turnover(well, well, **where)
    yield misses(f"Kramers' rate alone, γ = {frictions[0]:.3g}", alone, gaps[0], errors[0], margin=gaps[0])
    points = [Points("Klein–Kramers operator", frictions, gaps, errors)]
    if trial.effort != "brief":
        particles = _particles(trial)
        yield from particles.values()
        rates, deviations = zip(*((item.measured, item.error) for item in particles.values()), strict=True)
        points.append(Points("BAOAB particles", list(particles), rates, deviations))
    yield Series(
        "turnover, x⁴/4 − x²/2 at T = 0.05", "friction γ (1/time)", "slowest rate λ₁ (1/time)",
        formulas(frictions), tuple(points), "xy",
    )  # fmt: skip


def _particles(trial: Trial) -> dict[float, Comparison]:
    """Return, for each friction, the rate at which particles change wells, against that of the operator."""
    compared = {}
    for friction in trial.pick(
        brief=(1.0,), quick=(0.01, 0.1, 1.0, 5.0), full=(1e-3, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
    ):
        gap, error = odd_gap(TEMPERATURE, friction, 6.0 if friction >= 3e-3 else 4.0)
        budget = trial.pick(brief=1e8, quick=8e8, full=5e9)
        rate, deviation, bias = decay_of_sign(TEMPERATURE, friction, gap, budget, 0.2, trial.seed)
        compared[friction] = statistical(
            f"particles, γ = {friction:g}", gap, rate, deviation,
            bias=bias + error, bias_source="time step and the operator's error",
        )  # fmt: skip
    return compared


@TURNOVER.check
def energy_diffuses_at_weak_friction(trial: Trial) -> Iterator[Series | Comparison]:
    """λ₁ of x⁴/4 − x²/2 against energy diffusion at the same T, as γ → 0: it falls below it as √δ."""
    cutoff, lowest = 6.0, trial.pick(brief=0.02, quick=6e-3, full=2e-3)
    frictions = lowest * 2.0 ** np.arange(trial.pick(brief=4, quick=6, full=8))
    well = quartic_well()
    for temperature in trial.pick(brief=(0.05,), quick=(0.1, 0.05), full=(0.1, 0.05)):
        losses = [energy_diffusion.energy_loss(well, temperature=temperature, friction=g) for g in frictions]
        pace = float(energy_diffusion.relaxation_rate(well, temperature=temperature, friction=1.0))
        gaps, errors = np.transpose([odd_gap(temperature, friction, cutoff) for friction in frictions])
        deficit = np.log(pace * frictions / gaps)
        curve = [math.log(delta / 2.0 / float(depopulation.double_well_factor(delta))) for delta in losses]
        yield Series(
            f"approach of energy diffusion, T = {temperature:g}", "energy loss δ", "ln(γ → 0 limit/λ₁)",
            (Curve("ln[(δ/2) Υ(2δ)/Υ(δ)²], as T → 0", losses, curve),),
            (Points("Klein–Kramers operator", losses, deficit, errors / gaps),),
            "xy", _root_of_the_loss(f"power of δ as δ → 0, T = {temperature:g}", deficit, errors / gaps),
        )  # fmt: skip
        last, other = (float(fit(0.0)) for fit in weak_limit(frictions, gaps))
        error = pace * (abs(last - other) + float(np.max(errors[:4] / gaps[:4])))
        yield gridded(
            f"λ₁/γ as γ → 0, T = {temperature:g}", pace, math.exp(last), error,
            source="one power of √γ more, and the operator's error",
        )  # fmt: skip
    if trial.effort != "brief":
        yield _particles_beyond_the_operator(trial)


def _root_of_the_loss(name: str, deficit: np.ndarray, errors: np.ndarray) -> Comparison:
    """Compare the power of δ with 1/2: from the first two points and the next two, each at twice the δ of the last.

    The next order is smaller by √δ, so that it counts twice as much in the second pair.
    """
    first, second = (float(np.log2(deficit[k + 1] / deficit[k])) for k in (0, 2))
    error = abs(second - first) + 4.0 * float(np.max(errors[:4] / deficit[:4]))
    return gridded(name, 0.5, 2.0 * first - second, error, source="extrapolation in √δ, and the operator's error")


def _particles_beyond_the_operator(trial: Trial) -> Comparison:
    """Compare particles at a friction where too many Hermite functions would be needed with λ₁ extrapolated to it."""
    temperature = 0.1
    lowest, friction, budget = trial.pick(brief=(0.02, 5e-3, 1e8), quick=(6e-3, 1e-3, 8e8), full=(2e-3, 1e-4, 1e10))
    frictions = lowest * 2.0 ** np.arange(4)
    gaps = np.array([_rate(temperature, g, 6.0) for g in frictions])
    limit = weak_limit(frictions, gaps)
    gap, other = (friction * math.exp(fit(math.sqrt(friction))) for fit in limit)
    rate, deviation, bias = decay_of_sign(temperature, friction, gap, budget, 0.6, trial.seed)
    return statistical(
        f"particles, T = 0.1, γ = {friction:g}", gap, rate, deviation,
        bias=bias + abs(gap - other), bias_source="time step and the extrapolation in √γ",
    )  # fmt: skip


@TURNOVER.check
def the_rate_holds_as_the_barrier_grows(trial: Trial) -> Iterator[Series | Comparison]:
    """1 − λ₁/(k₊ + k₋) → 0 of x⁴/4 − x²/2 as T → 0 at fixed energy loss δ: the first power of T, for either formula."""
    well = quartic_well()
    for loss in trial.pick(brief=(20.0,), quick=(8 / 3, 20 / 3), full=(1.0, 8 / 3, 20 / 3)):
        temperatures = np.geomspace(0.0065, 0.065, trial.pick(brief=4, quick=6, full=12))
        rows = []
        for temperature in map(float, temperatures):
            where = {"temperature": temperature, "friction": loss * temperature / well.needed("action", "the loss")}
            gap, error = odd_gap(cutoff=8.0, **where)
            other = 2.0 * float(turnover.pollak_grabert_haenggi_rate(well, beyond=well, **where))
            rows.append((1.0 - gap / float(trial.predict(well, well, **where)), 1.0 - gap / other, error / gap))
        tested, by_mode, errors = np.transpose(rows)
        yield Series(
            f"approach of the rate, δ = {loss:.3g}", "temperature T", "|1 − λ₁/(k₊ + k₋)|",
            (Curve("first power of T", temperatures, abs(tested[0]) * temperatures / temperatures[0]),),
            (
                Points("Mel'nikov–Meshkov", temperatures, abs(tested), errors),
                Points("Pollak–Grabert–Hänggi", temperatures, abs(by_mode), errors),
            ),
            "xy", slope(f"power of T, δ = {loss:.3g}", temperatures, tested, 1.0),
        )  # fmt: skip
        yield bounded(
            f"Pollak–Grabert–Hänggi are nearer, δ = {loss:.3g}, T = {temperatures[1]:.2g}",
            abs(tested[1]), abs(by_mode[1]), errors[1], side="≤",
        )  # fmt: skip


@TURNOVER.check
def at_fixed_friction_the_anharmonic_terms_remain(trial: Trial) -> Iterator[Comparison]:
    """(k₊ + k₋)/λ₁ − 1 of x⁴/4 − x²/2 over T as T → 0 at fixed γ: the coefficient of the anharmonic terms."""
    well = quartic_well()
    for friction in trial.pick(brief=(2.0,), quick=(0.5, 1.0, 2.0, 10.0), full=(0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0)):
        excess = []
        for temperature in (0.02, 0.01):
            where = {"temperature": temperature, "friction": friction}
            ratio = float(trial.predict(well, well, **where)) / odd_gap(cutoff=8.0, **where)[0]
            excess.append((ratio - 1.0) / temperature)
        extrapolated = 2.0 * excess[1] - excess[0]
        yield gridded(
            f"coefficient of T, γ = {friction:g}", anharmonic.coefficient(well, friction), extrapolated,
            abs(excess[1] - excess[0]), source="extrapolation in T",
        )  # fmt: skip


@TURNOVER.check
def two_different_wells(trial: Trial) -> Iterator[Series | Comparison]:
    """λ₁ = k₊ + k₋ of the quartic double well under a force of 0.05 at T = 0.05: the wells differ in their actions."""
    landscape = tilted_double_well(tilt=0.05)
    left, top, right = (float(x) for x in sorted(np.roots([1.0, 0.0, -1.0, -0.05]).real))
    wells = [Barrier.between(landscape, x, top) for x in (left, right)]
    frictions = trial.pick(brief=[0.1], quick=[0.03, 0.1, 0.3, 1.0, 3.0, 10.0], full=np.geomspace(0.01, 100.0, 13))
    cells = trial.pick(brief=80, quick=120, full=240)
    gaps, errors = [], []
    for friction in map(float, frictions):
        where = {"temperature": TEMPERATURE, "friction": friction}
        gap, error = klein_kramers_gap(
            landscape, (left, right), cells=cells, functions=_functions(friction, 6.0), **where
        )
        yield asymptotic(f"γ = {friction:.3g}", trial.predict(*wells, **where), gap, error)
        gaps.append(gap)
        errors.append(error)
    fine = np.geomspace(frictions[0] / 2.0, frictions[-1] * 2.0, 40)
    yield Series(
        "turnover between different wells, T = 0.05", "friction γ (1/time)", "slowest rate λ₁ (1/time)",
        (
            _curve("Mel'nikov–Meshkov", turnover.relaxation_rate, wells, fine),
            _curve("Kramers, above the turnover", above_turnover, wells, fine),
        ),
        (Points("Klein–Kramers operator", frictions, gaps, errors),), "xy",
    )  # fmt: skip


def odd_gap(temperature: float, friction: float, cutoff: float) -> tuple[float, float]:
    """Return λ₁ of x⁴/4 − x²/2 and its error, the change from a cutoff lower by 2 and rounding.

    Parameters
    ----------
    temperature, friction : float
        T and the rate γ.
    cutoff : float
        Nγ for N Hermite functions: the error falls to a tenth when it grows by 2.
    """
    gap, rounding = _solved(temperature, friction, cutoff)
    return gap, abs(gap - _rate(temperature, friction, cutoff - 2.0)) + rounding


def _functions(friction: float, cutoff: float) -> int:
    """Return Nγ/γ, and no fewer Hermite functions than strong friction needs."""
    return max(round(cutoff / friction), 14 + round(cutoff))


@cache
def _solved(temperature: float, friction: float, cutoff: float) -> tuple[float, float]:
    """Return λ₁ and its rounding error; the mode itself fills gigabytes at weak friction."""
    functions = _functions(friction, cutoff)
    mode = OddKineticMode(double_well(), temperature=temperature, friction=friction, functions=functions)
    return mode.rate, mode.rounding * mode.rate


def _rate(temperature: float, friction: float, cutoff: float) -> float:
    return _solved(temperature, friction, cutoff)[0]


def formulas(frictions: np.ndarray) -> tuple[Curve, ...]:
    """Return every formula for λ₁ of x⁴/4 − x²/2 at the temperature of the turnover, where it is not absurd."""
    well, fine = quartic_well(), np.geomspace(frictions[0], frictions[-1], 49)
    wells = (well, well)
    pace = float(energy_diffusion.relaxation_rate(well, temperature=TEMPERATURE, friction=1.0))
    mobile = 2.0 * float(kramers.overdamped_rate(well, temperature=TEMPERATURE))
    weak, strong = fine[fine <= 0.3], fine[fine >= 0.3]

    def normal_mode(well: Barrier, beyond: Barrier, **where: float) -> float:
        return 2.0 * float(turnover.pollak_grabert_haenggi_rate(well, beyond=beyond, **where))

    return (
        _curve("Mel'nikov–Meshkov", turnover.relaxation_rate, wells, fine),
        _curve("Pollak–Grabert–Hänggi", normal_mode, wells, fine),
        _curve("Kramers, above the turnover", above_turnover, wells, fine),
        Curve("overdamped", strong, mobile / strong),
        Curve("energy diffusion", weak, pace * weak),
    )


def above_turnover(well: Barrier, beyond: Barrier, *, temperature: float, friction: float) -> float:
    """Return Kramers' rate of a double well without its warning at weak friction, which the plots mean to show."""
    here, there = (replace(barrier, action=None) for barrier in (well, beyond))
    return float(turnover.relaxation_rate_above_turnover(here, there, temperature=temperature, friction=friction))


def _curve(label: str, formula: Any, wells: Sequence[Barrier], frictions: np.ndarray) -> Curve:
    values = [float(formula(*wells, temperature=TEMPERATURE, friction=float(friction))) for friction in frictions]
    return Curve(label, frictions, values)


def weak_limit(frictions: np.ndarray, gaps: np.ndarray) -> tuple[np.polynomial.Polynomial, np.polynomial.Polynomial]:
    """Return ln(λ₁/γ) as polynomials of √γ through the four lowest frictions, and through the three lowest."""
    root, height = np.sqrt(frictions), np.log(gaps / frictions)
    fits = [np.polynomial.Polynomial.fit(root[:n], height[:n], n - 1) for n in (4, 3)]
    return fits[0], fits[1]


def decay_of_sign(
    temperature: float, friction: float, gap: float, budget: float, settling: float, seed: int
) -> tuple[float, float, float]:
    """Return the rate at which the mean of sign x decays, its standard error, and the error of the time step.

    Particles start in equilibrium on x < 0. The rate is ln(m₁/m₂)/(t₂ − t₁), the standard error that of leaving out one
    group of them at a time.

    Parameters
    ----------
    temperature, friction : float
        T and the rate γ.
    gap : float
        About what the rate is: sets the times.
    budget : float
        Number of steps, of all particles together.
    settling : float
        t₁ in units of 1/gap, by when faster modes have to be gone.
    seed : int
        Seed.
    """
    quartic = double_well()
    dt = min(0.1, 0.2 / friction)
    first, span = (math.ceil(share / gap / dt) for share in (settling, 0.5))
    n = GROUPS * math.ceil(budget / (first + span) / GROUPS)
    dynamics = fp.UnderdampedLangevin(quartic, temperature=temperature, friction=friction)
    left = fp.Grid(x=(-2.5, 0.0, 500))
    start = fp.Field(left, fp.density(left, np.exp(-quartic.value(left.points) / temperature)))
    early = fp.simulate(dynamics, n=n, initial=start, dt=dt, t_final=first * dt, seed=seed)
    late = fp.simulate(dynamics, initial=early, t_final=(first + span) * dt)
    sums = np.array([np.sign(e.final[:, 0]).reshape(GROUPS, -1).sum(axis=1) for e in (early, late)])
    left_out = sums.sum(axis=1, keepdims=True) - sums
    logs = np.log(left_out[0] / left_out[1]) / (span * dt)
    deviation = math.sqrt((GROUPS - 1) * float(logs.var()))
    # Positions diffuse too fast by (γ dt)²/12, the wells swing too fast by (ω₀ dt)²/24.
    bias = gap * ((friction * dt) ** 2 / 12.0 + 2.0 * dt**2 / 24.0)
    return float(logs.mean()), deviation, bias
