"""E8: how much longer the discrete chain takes to reach a barrier than its continuous limit, and when it is faster."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, chain_passage, discrete_chain
from fpsolver.theory.first_passage import mean_time, thermal
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, asymptotic, claim, misses, slope, statistical

E8 = claim(
    "E8",
    family="escape",
    title="Escape of the discrete chain against its continuous limit",
    as_written="The chain θ' = θ − ηL' + √(2ηT) ξ reaches a target in τ/η steps, with τ the mean first-passage time of "
    "its continuous limit; at a barrier top τ_chain/τ = 1 + erf(0.5826 √(η|L''_b|)) + O(η) as T → 0.",
    statement="The chain has to be beyond the target at the end of a step, which takes it as long as the limit needs "
    "to a target 0.5826 √(2ηT) further on, up to a relative error of order η (0.5826 = −ζ(1/2)/√(2π)). At a barrier "
    "top that is the factor 1 + erf(0.5826 √(η|L''_b|)) + O(η), as T → 0 with η² ΔL L''² ≪ T. As T → 0 at fixed η the "
    "chain escapes exponentially faster than its limit: well beyond the top "
    "τ_chain/τ = exp[η(|L''_b| − L''_a)/4 − η²/(6T) ∫L' L''² dx].",
    verdict="asymptotic",
    sources=(
        "D. Siegmund, Adv. Appl. Probab. 11, 701 (1979)",
        "M. Broadie, P. Glasserman, S. Kou, Math. Finance 7, 325 (1997)",
        "own derivation of the exponent at fixed η",
    ),
    written=discrete_chain.mean_time_of_limit,
    corrected=discrete_chain.mean_time_of_chain,
)

QUARTIC = fp.landscapes.double_well()
TILTED = fp.landscapes.tilted_double_well(tilt=0.1)
PARABOLA = fp.Landscape("x**2/2")
# Minimum, barrier top and second minimum of x⁴/4 − x²/2 − x/10.
TILTED_MINIMUM, TILTED_TOP, _ = (float(x) for x in np.sort(np.roots([1.0, 0.0, -1.0, -0.1]).real))


def time_of_chain(landscape: fp.Landscape, start: float, target: float, temperature: float, rate: float) -> float:
    """Return η times the mean number of steps, from the integral equation of the chain."""
    steps = chain_passage.mean_steps(landscape, start, target, temperature=temperature, learning_rate=rate)
    return rate * float(steps)


def slope_before_root(name: str, rates: np.ndarray, errors: np.ndarray) -> Comparison:
    """Return the slope of an error of order η whose next order is η^{3/2}.

    The slopes over half of the points and over all differ from 1 as √η at the middle of each, which gives the size of
    what is left in the former.
    """
    fitted, logarithms = slope(name, rates, errors, 1.0), np.sort(np.log(rates))
    apart = logarithms.mean() - logarithms[: (len(rates) + 1) // 2].mean()
    tolerance = fitted.tolerance / math.expm1(apart / 2.0)
    return replace(fitted, tolerance=tolerance, tolerance_source=f"{fitted.tolerance_source}, the next order is √η")


@E8.check
def shift_of_the_target(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare mean times, by the integral equation of the chain, with the form: to barrier tops and up a slope."""
    systems = (
        ("top of x⁴/4 − x²/2", QUARTIC, -1.0, 0.0, 0.1),
        ("top of a tilted double well", TILTED, TILTED_MINIMUM, TILTED_TOP, 0.05),
        ("x = 0.8 in x²/2", PARABOLA, 0.0, 0.8, 0.1),
    )
    rates = np.geomspace(0.1, trial.pick(brief=0.008, quick=0.002, full=0.0005), trial.pick(brief=4, quick=6, full=8))
    for name, landscape, start, target, temperature in systems:
        found = np.array([time_of_chain(landscape, start, target, temperature, rate) for rate in rates])
        forms = [trial.predict(landscape, start, target, temperature=temperature, learning_rate=rate) for rate in rates]
        predicted = np.array([float(form) for form in forms])
        limit = float(mean_time(thermal(landscape, temperature=temperature), start, target))
        yield Series(
            f"Chain against its limit, {name}, T = {temperature:g}",
            "learning rate η",
            "mean time over that of the limit",
            (Curve("form", rates, predicted / limit), Curve("limit", rates, np.ones_like(rates))),
            (Points("integral equation", rates, found / limit),),
            "x",
        )
        yield Series(
            f"What the form leaves, {name}, T = {temperature:g}",
            "learning rate η",
            "|measured/predicted − 1|",
            points=(Points("integral equation", rates, np.abs(found / predicted - 1.0)),),
            logarithmic="xy",
            slope=slope_before_root(f"{name}: error against η", rates, found / predicted - 1.0),
        )
        yield asymptotic(f"{name}, η = {rates[-1]:.3g}", forms[-1], found[-1])


@E8.check
def slowing_at_a_barrier_top(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare 1 + erf(0.5826 √(η|L''_b|)) with the integral equation as T and η²/T go to zero together, T = η/4."""
    rates = np.geomspace(0.1, trial.pick(brief=0.01, quick=0.006, full=0.002), trial.pick(brief=4, quick=6, full=8))
    limits = [float(mean_time(thermal(QUARTIC, temperature=rate / 4.0), -1.0, 0.0)) for rate in rates]
    found = np.array([time_of_chain(QUARTIC, -1.0, 0.0, rate / 4.0, rate) for rate in rates]) / limits
    laws = [discrete_chain.slowing_at_top(learning_rate=rate, saddle_curvature=-1.0) for rate in rates]
    predicted = np.array([float(law) for law in laws])
    yield Series(
        "Slowing at the top of x⁴/4 − x²/2, T = η/4",
        "learning rate η",
        "τ_chain/τ",
        (Curve("1 + erf(0.5826 √(η|L''_b|))", rates, predicted),),
        (Points("integral equation", rates, found),),
        "x",
    )
    yield asymptotic(f"τ_chain/τ at the top, η = {rates[-1]:.3g}", laws[-1], found[-1])
    yield Series(
        "What the law at the top leaves, T = η/4",
        "learning rate η",
        "|τ_chain/τ − law|",
        points=(Points("integral equation", rates, np.abs(found - predicted)),),
        logarithmic="xy",
        slope=slope_before_root("law at the top: error against η", rates, found - predicted),
    )


@E8.check
def low_temperature_at_fixed_learning_rate(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the exponent −η²/(6T) ∫L' L''² dx, by which the chain is faster, with the integral equation."""
    well, rate = Barrier.between(QUARTIC, -1.0, 0.0), 0.2
    temperatures = 1.0 / np.linspace(100.0, 1000.0, trial.pick(brief=4, quick=10, full=10))
    ratios = [
        time_of_chain(QUARTIC, -1.0, 0.0, t, rate) / float(mean_time(thermal(QUARTIC, temperature=t), -1.0, 0.0))
        for t in temperatures
    ]
    law = float(discrete_chain.slowing_at_top(learning_rate=rate, saddle_curvature=-1.0))
    faster = [float(discrete_chain.slowing_beyond_top(well, temperature=t, learning_rate=rate)) for t in temperatures]
    yield Series(
        "The law at the top does not survive T → 0 at fixed η = 0.2",
        "1/T",
        "τ_chain/τ at the top",
        (
            Curve("1 + erf(0.5826 √(η|L''_b|))", 1.0 / temperatures, np.full_like(temperatures, law)),
            Curve("times exp[η(|L''_b| − L''_a)/4 − η²/(6T)∫L'L''²dx]", 1.0 / temperatures, law * np.array(faster)),
        ),
        (Points("integral equation", 1.0 / temperatures, ratios),),
        "y",
    )
    # η|L''_b| = 0.2 is what the law neglects, once.
    yield misses("law at the top, η = 0.2, T = 0.001", law, ratios[-1], 0.0, margin=0.2 * law)
    temperature = 0.01
    limit = float(mean_time(thermal(QUARTIC, temperature=temperature), -1.0, 1.0))
    rates = np.geomspace(0.2, 0.02, trial.pick(brief=4, quick=6, full=8))
    found = np.array([time_of_chain(QUARTIC, -1.0, 1.0, temperature, rate) for rate in rates]) / limit
    forms = [discrete_chain.slowing_beyond_top(well, temperature=temperature, learning_rate=rate) for rate in rates]
    predicted = np.array([float(form) for form in forms])
    yield asymptotic("beyond the top, η = 0.02, T = 0.01", forms[-1], found[-1])
    yield Series(
        "Chain against its limit well beyond the top, T = 0.01",
        "learning rate η",
        "|ln measured − ln predicted|",
        points=(Points("integral equation", rates, np.abs(np.log(found / predicted))),),
        logarithmic="xy",
        slope=slope("beyond the top: error against η", rates, np.log(found / predicted), 2.0),
    )


@E8.check
def trajectories_of_the_chain(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare steps of the chain, without bridges between them, with its integral equation, form and limit."""
    if trial.effort == "brief":
        return
    n = trial.pick(brief=0, quick=100_000, full=1_000_000)
    for name, landscape, start, target, temperature, rates in (
        ("top of x⁴/4 − x²/2", QUARTIC, -1.0, 0.0, 0.1, (0.2, 0.1, 0.05, 0.02)),
        ("top of a tilted double well", TILTED, TILTED_MINIMUM, TILTED_TOP, 0.05, (0.1, 0.05, 0.02)),
    ):
        dynamics = fp.Langevin(landscape, temperature=temperature)
        limit = float(mean_time(thermal(landscape, temperature=temperature), start, target))
        means, forms = [], []
        for number, rate in enumerate(rates):
            # Sixty mean times, which nothing survives.
            passage = fp.first_passage_times(
                dynamics, n, [start], fp.where(x=(target, None)), dt=rate, t_max=rate * math.ceil(60.0 * limit / rate),
                bridge=False, seed=trial.seed, experiment=number,
            )  # fmt: skip
            means.append(passage.mean)
            forms.append(trial.predict(landscape, start, target, temperature=temperature, learning_rate=rate))
            exact = time_of_chain(landscape, start, target, temperature, rate)
            yield statistical(f"{name}, integral equation, η = {rate:g}", exact, *means[-1])
            yield misses(f"{name}, continuous limit, η = {rate:g}", limit, *means[-1])
        yield asymptotic(f"{name}, form, η = {rates[-1]:g}", forms[-1], *means[-1])
        measured, errors = np.array(means).T / limit
        yield Series(
            f"Trajectories of the chain, {name}, T = {temperature:g}",
            "learning rate η",
            "mean time over that of the limit",
            (Curve("form", rates, [float(form) / limit for form in forms]),),
            (Points("trajectories", rates, measured, errors),),
            "x",
        )
