"""Claim A6.2: Kramers' escape rate, against the Klein–Kramers operator and its overdamped limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

import fpsolver as fp
from fpsolver.landscapes import Landscape, double_well, tilted_double_well
from fpsolver.theory import Barrier, anharmonic, kramers, turnover
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
)
from fpsolver.validation.brinkman import OddKineticMode

KRAMERS = claim(
    "A6.2",
    family="escape",
    title="Kramers' escape rate",
    as_written="k = (ω₀/2π)(ω_b/γ) e^{−ΔL/T}",
    statement=(
        "k = (ω₀/2π) [√(γ²/4 + ω_b²) − γ/2]/ω_b e^{−ΔL/T} [1 − cT + O(T²)] for T ≪ ΔL and an energy loss per round "
        "trip γS ≫ T, with γ the friction rate (the coefficient over m) and ω² = |L''|/m. The form as written is its "
        "limit for γ ≫ ω_b, too large by (ω_b/γ)²; with the coefficient ζ = mγ it reads √(L''_a |L''_b|)/(2πζ) "
        "e^{−ΔL/T}. At weak friction a depopulation factor multiplies it: Υ(δ), or Υ(δ)²/Υ(2δ) for each of two equal "
        "wells."
    ),
    verdict="asymptotic",
    sources=(
        "H. A. Kramers, Physica 7, 284 (1940), eqs. (17) and (25)",
        "P. Hänggi, P. Talkner, M. Borkovec, Rev. Mod. Phys. 62, 251 (1990), section IV",
        "V. I. Mel'nikov, S. V. Meshkov, J. Chem. Phys. 85, 1018 (1986)",
    ),
    written=kramers.strong_friction_rate,
    corrected=kramers.intermediate_rate,
)

TILT = 0.05
"""Force on the double well where the two wells are to differ."""


@KRAMERS.check
def two_operators_have_one_slowest_rate(trial: Trial) -> Iterator[Comparison]:
    """Slowest rates λ₁ of x⁴/4 − x²/2: finite volumes and Arnoldi, against sinc functions and elimination."""
    quartic, cells = double_well(), trial.pick(brief=120, quick=240, full=1600)
    for temperature, friction in trial.pick(
        brief=((0.1, 2.0),),
        quick=((0.1, 0.5), (0.1, 2.0), (0.05, 2.0), (0.05, 10.0)),
        full=((0.1, 0.5), (0.1, 2.0), (0.05, 0.5), (0.05, 2.0), (0.05, 10.0)),
    ):
        gap, error = klein_kramers_gap(quartic, (-1.0, 1.0), temperature=temperature, friction=friction, cells=cells)
        # With twice as many Hermite functions the other operator also shows that there were enough.
        other = OddKineticMode(quartic, temperature, friction, 2 * _functions(friction)).rate
        yield gridded(f"T = {temperature:g}, γ = {friction:g}", other, gap, error, rounding=1e-8)


@KRAMERS.check
def the_rate_holds_as_the_barrier_grows(trial: Trial) -> Iterator[Series | Comparison]:
    """2k/λ₁ → 1 of x⁴/4 − x²/2 as T → 0: the first power of T, with the coefficient of the anharmonic terms."""
    quartic, well = double_well(), Barrier.between(double_well(), -1.0, 0.0)
    temperatures = np.geomspace(0.01, *trial.pick(brief=(0.05, 4), quick=(0.1, 7), full=(0.1, 10)))
    cells = trial.pick(brief=160, quick=240, full=480)
    for friction in trial.pick(brief=(2.0,), quick=(1.0, 2.0, 10.0), full=(1.0, 2.0, 5.0, 10.0)):
        excess, errors = np.empty((2, len(temperatures)))
        for i, t in enumerate(map(float, temperatures)):
            gap, error = klein_kramers_gap(quartic, (-1.0, 1.0), temperature=t, friction=friction, cells=cells)
            ratio = 2.0 * float(trial.predict(well, temperature=t, friction=friction)) / gap
            excess[i], errors[i] = ratio - 1.0, ratio * error / gap
        c = anharmonic.coefficient(well, friction)
        yield Series(
            f"approach of the rate, γ = {friction:g}", "temperature T", "2k/λ₁ − 1",
            (Curve(f"cT, c = {c:.4g}", temperatures, c * temperatures),),
            (Points("Klein–Kramers operator", temperatures, excess, errors),),
            "xy", first_power(f"power of T, γ = {friction:g}", temperatures, excess, errors),
        )  # fmt: skip
        fine, coarse = excess[:2] / temperatures[:2]
        limit = richardson(fine, coarse, order=1.0, ratio=temperatures[1] / temperatures[0])
        yield gridded(f"coefficient of T, γ = {friction:g}", c, *limit, source="extrapolation in T")


@KRAMERS.check
def the_form_as_written_is_the_limit_of_strong_friction(trial: Trial) -> Iterator[Series | Comparison]:
    """γλ₁(γ) over its overdamped limit in x⁴/4 − x²/2 at T = 0.025: it stays below 1 by (ω_b/γ)²[1 + O(T)]."""
    quartic, temperature = double_well(), 0.025
    well = Barrier.between(quartic, -1.0, 0.0)
    cells = trial.pick(brief=180, quick=240, full=800)
    overdamped = float(kramers.overdamped_rate(well, temperature=temperature))
    frictions = np.geomspace(5.0, 100.0, trial.pick(brief=4, quick=9, full=13))
    ratios, errors = [], []
    for friction in map(float, frictions):

        def over_limit(number: int, friction: float = friction) -> float:
            gap = _kinetic_gap(quartic, (-1.0, 1.0), temperature, friction, 1.0, number, 12)
            return friction * gap / _overdamped_gap(quartic, (-1.0, 1.0), temperature, number)

        ratio, error = extrapolated(over_limit, cells)
        change = anharmonic.coefficient(well) - anharmonic.coefficient(well, friction)
        predicted = friction * float(trial.predict(well, temperature=temperature, friction=friction)) / overdamped
        # The next order in T is smaller than this one, which the prediction contains.
        yield Comparison(
            f"γλ₁/λ₁(overdamped), γ = {friction:.3g}", predicted * (1.0 + change * temperature), ratio, error,
            "grid error", change * temperature + error, "size of the correction in T, which is contained",
        )  # fmt: skip
        ratios.append(ratio)
        errors.append(error)
    deficits = 1.0 - np.array(ratios)
    yield Series(
        "deficit against the form as written, T = 0.025", "friction γ/ω_b", "1 − γλ₁(γ)/λ₁(overdamped)",
        (Curve("1 − γ λ_b/ω_b²", frictions, [1.0 - g * kramers.unstable_rate(g, 1.0) for g in frictions]),),
        (Points("Klein–Kramers operator", frictions, deficits, errors),),
        "xy", slope("power of γ", frictions, deficits, -2.0, towards="large"),
    )  # fmt: skip


@KRAMERS.check
def moderate_friction(trial: Trial) -> Iterator[Comparison]:
    """Rates λ₁/2 of x⁴/4 − x²/2 at T = 0.05, γ = 0.5 … 2: what is off by more than the interpolation may be."""
    quartic, temperature = double_well(), 0.05
    well = Barrier.between(quartic, -1.0, 0.0)
    for friction in trial.pick(brief=(2.0,), quick=(0.5, 1.0, 2.0), full=(0.5, 0.7, 1.0, 1.4, 2.0)):
        cells = trial.pick(brief=100, quick=200, full=800)
        gap, error = klein_kramers_gap(quartic, (-1.0, 1.0), temperature=temperature, friction=friction, cells=cells)
        where = {"temperature": temperature, "friction": friction}
        right, written = kramers.intermediate_rate(well, **where), kramers.strong_friction_rate(well, **where)
        yield asymptotic(f"form under test, γ = {friction:g}", trial.predict(well, **where), gap / 2, error / 2)
        yield asymptotic(
            f"with its anharmonic correction, γ = {friction:g}", anharmonic.corrected_intermediate_rate(well, **where),
            gap / 2, error / 2,
        )  # fmt: skip
        margin = right.error_scale * float(right)
        yield misses(f"as written, γ = {friction:g}", written, gap / 2, error / 2, margin=margin)


@KRAMERS.check
def two_different_wells(trial: Trial) -> Iterator[Series | Comparison]:
    """λ₁ = k₁ + k₂ of the quartic double well under a force of 0.05, γ = 2, as T → 0."""
    landscape, friction = tilted_double_well(tilt=TILT), 2.0
    left, top, right = (float(x) for x in sorted(np.roots([1.0, 0.0, -1.0, -TILT]).real))
    wells = [Barrier.between(landscape, x, top) for x in (left, right)]
    temperatures = np.geomspace(0.008, *trial.pick(brief=(0.04, 4), quick=(0.08, 7), full=(0.08, 13)))
    excess, errors = np.empty((2, len(temperatures)))
    for i, t in enumerate(map(float, temperatures)):
        cells = trial.pick(brief=160, quick=240, full=480)
        gap, error = klein_kramers_gap(landscape, (left, right), temperature=t, friction=friction, cells=cells)
        both = sum(float(trial.predict(well, temperature=t, friction=friction)) for well in wells)
        excess[i], errors[i] = both / gap - 1.0, both / gap * error / gap
    # The rate out of the shallower well is the larger, so that its coefficient counts.
    c = anharmonic.coefficient(min(wells, key=lambda well: well.height), friction)
    yield Series(
        "approach of the rate between different wells", "temperature T", "(k₁ + k₂)/λ₁ − 1",
        (Curve(f"cT, c = {c:.4g}", temperatures, c * temperatures),),
        (Points("Klein–Kramers operator", temperatures, excess, errors),),
        "xy", first_power("power of T", temperatures, excess, errors),
    )  # fmt: skip


@KRAMERS.check
def friction_is_a_rate(trial: Trial) -> Iterator[Comparison]:
    """Mass 4, friction rate 1 (coefficient 4), T = 0.05: k = λ₁/2 with γ a rate, not with γ the coefficient."""
    quartic, where = double_well(), {"temperature": 0.05, "mass": 4.0}
    well = Barrier.between(quartic, -1.0, 0.0)
    cells = trial.pick(brief=100, quick=200, full=800)
    gap, error = klein_kramers_gap(quartic, (-1.0, 1.0), temperature=0.05, mass=4.0, friction=1.0, cells=cells)
    right, confused = (kramers.intermediate_rate(well, friction=friction, **where) for friction in (1.0, 0.25))
    yield asymptotic("γ = ζ/m", trial.predict(well, friction=1.0, **where), gap / 2, error / 2)
    yield misses("γ = ζ/m²", confused, gap / 2, error / 2, margin=right.error_scale * float(right))
    # ω_b/γ is small for a small mass; then k is √(L''_a |L''_b|)/(2πζ) e^{−ΔL/T}, whatever the mass.
    limit, uncertainty = extrapolated(lambda n: _overdamped_gap(quartic, (-1.0, 1.0), 0.05, n), 4 * cells)
    light = trial.predict(well, temperature=0.05, friction=1e4, mass=1e-4)
    yield asymptotic("coefficient ζ = mγ = 1, overdamped", light, limit / 2, uncertainty / 2)


@KRAMERS.check
def depopulated_wells(trial: Trial) -> Iterator[Comparison]:
    """λ₁/2 of x⁴/4 − x²/2 at T = 0.05 for weak friction: the interpolation misses, Υ(δ)²/Υ(2δ) times it holds."""
    quartic, temperature = double_well(), 0.05
    well = Barrier.between(quartic, -1.0, 0.0)
    for friction in trial.pick(brief=(0.1,), quick=(0.1, 0.05), full=(0.1, 0.05, 0.02)):
        where = {"temperature": temperature, "friction": friction}
        cells = trial.pick(brief=60, quick=120, full=240)
        gap, error = klein_kramers_gap(quartic, (-1.0, 1.0), cells=cells, **where)
        with_factor = turnover.melnikov_meshkov_rate(well, beyond=well, **where)
        yield asymptotic(f"with the depopulation factor, γ = {friction:g}", with_factor, gap / 2, error / 2)
        alone, margin = kramers.intermediate_rate(well, **where), with_factor.error_scale * float(with_factor)
        yield misses(f"without it, γ = {friction:g}", alone, gap / 2, error / 2, margin=margin)


def klein_kramers_gap(
    landscape: Landscape,
    wells: tuple[float, float],
    *,
    temperature: float,
    friction: float,
    mass: float = 1.0,
    cells: int = 200,
    functions: int | None = None,
) -> tuple[float, float]:
    """Return the slowest rate λ₁ of a double well and its grid error, extrapolated twice from three grids.

    Parameters
    ----------
    landscape : Landscape
        In one variable.
    wells : tuple of float
        The outer minima, left and right.
    temperature, friction, mass : float
        T, the rate γ, and m.
    cells : int
        Position cells of the finest of three grids, as in `extrapolated`.
    functions : int, optional
        Hermite functions of velocity; by default as many as the friction needs.
    """
    count = functions or _functions(friction)
    return extrapolated(lambda n: _kinetic_gap(landscape, wells, temperature, friction, mass, n, count), cells)


def extrapolated(quantity: Callable[[int], float], cells: int, *, next_order: float = 4.0) -> tuple[float, float]:
    """Return a quantity of second order extrapolated twice, and how far two single extrapolations differ.

    Parameters
    ----------
    quantity : callable
        What a grid of so many cells gives.
    cells : int
        Of the finest grid, a multiple of 4; the others have a half and a quarter of them.
    next_order : float
        Power of the cell width after the second: 4, or 3 with an absorbing wall.
    """
    coarse, middle, fine = (quantity(cells // divisor) for divisor in (4, 2, 1))
    once = [richardson(fine, middle)[0], richardson(middle, coarse)[0]]
    return richardson(*once, order=next_order)[0], abs(once[0] - once[1])


def first_power(name: str, x: np.ndarray, y: np.ndarray, errors: np.ndarray) -> Comparison:
    """Compare the power of x with which y vanishes with 1: slopes between the three lowest points, extrapolated to 0.

    The slope differs from the power by the next order, in proportion to x, so that x has to grow by equal factors.
    """
    lower, upper = np.diff(np.log(np.abs(y[:3]))) / np.diff(np.log(x[:3]))
    power, rest = richardson(lower, upper, order=1.0, ratio=x[1] / x[0])
    # An error δ of one point moves a slope by δ/ln r at most, and what is extrapolated by some (r + 1)/(r − 1) of it.
    r = float(x[1] / x[0])
    noise = 2.0 * float(np.max(np.abs(errors[:3] / y[:3]))) / math.log(r) * (r + 1.0) / (r - 1.0)
    return gridded(name, 1.0, power, rest + noise, source="extrapolation in T, and grid error")


def _functions(friction: float) -> int:
    """Return how many Hermite functions bring λ₁ to about 1e-8: the weaker the friction, the more."""
    return max(16, round(44.0 / math.sqrt(friction)))


def _ends(landscape: Landscape, wells: tuple[float, float], temperature: float) -> tuple[float, float]:
    """Return positions seven standard deviations of the harmonic wells beyond them."""
    left, right = (7.0 * math.sqrt(temperature / float(landscape.hessian([x])[0, 0])) for x in wells)
    return wells[0] - left, wells[1] + right


def _kinetic_gap(
    landscape: Landscape, wells: tuple[float, float], temperature: float, friction: float, mass: float, cells: int,
    functions: int,
) -> float:  # fmt: skip
    """Return λ₁ on a grid."""
    dynamics = fp.UnderdampedLangevin(landscape, temperature=temperature, friction=friction, mass=mass)
    fastest = 6.0 * math.sqrt(temperature / mass)
    grid = fp.Grid(x=(*_ends(landscape, wells, temperature), cells), velocity={"x": (-fastest, fastest, functions)})
    return float(fp.spectrum(fp.generator(dynamics, grid), k=2).rates[1].real)


def _overdamped_gap(landscape: Landscape, wells: tuple[float, float], temperature: float, cells: int) -> float:
    """Return λ₁ of the overdamped motion with mobility 1 on a grid."""
    dynamics = fp.Langevin(landscape, temperature=temperature)
    grid = fp.Grid(x=(*_ends(landscape, wells, temperature), cells))
    return float(fp.spectrum(fp.generator(dynamics, grid), k=2).rates[1])
