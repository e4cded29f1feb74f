"""D10: how the rate of escape depends on the learning rate, under additive noise and under noise ∝ loss."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, anharmonic, chain_passage, discrete_chain, sgd_escape
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    asymptotic,
    claim,
    misses,
    richardson,
    slope,
    statistical,
)

D10 = claim(
    "D10",
    family="escape",
    title="Escape rate against learning rate",
    as_written="ρ ∝ e^{−c/η}",
    statement="For additive isotropic gradient noise of variance σ² an example, batches of B and η → 0 at fixed B, the "
    "rate per step is ρ = η √(L''_a|L''_b|)/(2π) e^{−c/η} [1 + O(η)] with c = 2BΔL/σ²: the exponential has a factor η "
    "before it. The first correction is −η[c_Lσ²/2B + (|L''_b| − L''_a)/4 − (B/3σ²)∫L'L''²dx] with c_L from the cubic "
    "and quartic terms of L; its first term is that of the continuous limit. Noise in proportion to the loss, "
    "C = 2hL/B, gives (L*/L_s)^{B/(ηh) + 1/2} in one dimension, where c = (B/h) ln(L_s/L*) is not the barrier.",
    verdict="asymptotic",
    sources=(
        "H. A. Kramers, Physica 7, 284 (1940), eq. (17), with T = ησ²/(2B)",
        "T. Mori, L. Ziyin, K. Liu, M. Ueda, ICML 2022",
    ),
    written=sgd_escape.additive_noise_rate_per_step_as_written,
    corrected=sgd_escape.additive_noise_rate_per_step,
)

QUARTIC = fp.landscapes.double_well()
TILTED = fp.landscapes.tilted_double_well(tilt=0.1)
TILTED_POINTS = tuple(float(x) for x in np.sort(np.roots([1.0, 0.0, -1.0, -0.1]).real))
# Name, landscape, minimum, barrier top, second minimum, B and σ².
SYSTEMS = (
    ("x⁴/4 − x²/2", QUARTIC, (-1.0, 0.0, 1.0), 1.0, 1.0),
    ("tilted double well", TILTED, TILTED_POINTS, 4.0, 2.0),
)


def passage_time(dynamics: fp.Langevin, start: float, target: float, cells: int) -> tuple[float, float]:
    """Return the mean time from start to target by the backward equation on two grids, extrapolated, and its error."""
    fine, coarse = (
        fp.mean_first_passage_time(
            fp.generator(dynamics, fp.Grid(x=(-2.2, 2.2, number))), fp.where(x=(target, None))
        ).at([[start]])[0]
        for number in (cells, cells // 2)
    )
    return richardson(fine, coarse)


def rate_against_inverse(
    name: str, rates: np.ndarray, measured: np.ndarray, errors: np.ndarray, predicted: np.ndarray, route: str
) -> Series:
    """Return the plot in which e^{−c/η} is a straight line."""
    return Series(
        f"Escape rate, {name}",
        "1/η",
        "rate per step",
        (Curve("form", 1.0 / rates, predicted),),
        (Points(route, 1.0 / rates, measured, errors),),
        "y",
    )


@D10.check
def rate_of_the_continuous_limit(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare mean times on a grid at T = ησ²/2B, by the backward equation, with the form over a decade of η."""
    for name, landscape, (start, top, beyond), batch, variance in SYSTEMS:
        barrier = Barrier.between(landscape, start, top)
        hottest = barrier.height * batch / (2.0 * variance)  # where T = ΔL/4
        rates = hottest * np.geomspace(1.0, 0.08, 6)
        numbers = {"batch_size": batch, "variance": variance}
        found = []
        for rate in rates:
            dynamics = fp.Langevin(landscape, temperature=rate * variance / (2.0 * batch))
            time, error = passage_time(dynamics, start, beyond, trial.pick(brief=1000, quick=2000, full=4000))
            found.append((rate / time, rate / time * error / time))
        measured, errors = np.array(found).T
        forms = [trial.predict(barrier, learning_rate=rate, **numbers) for rate in rates]
        predicted = np.array([float(form) for form in forms])
        yield rate_against_inverse(name, rates, measured, errors, predicted, "backward equation")
        yield asymptotic(f"{name}, rate per step, η = {rates[-1]:.3g}", forms[-1], measured[-1], errors[-1])
        exponents = [
            float(sgd_escape.additive_noise_exponent(barrier, learning_rate=rate, **numbers)) for rate in rates
        ]
        yield slope(f"{name}: power of η before e^(−c/η)", rates, measured * np.exp(exponents), 1.0)
        yield Series(
            f"What the form leaves, {name}",
            "learning rate η",
            "|measured/predicted − 1|",
            points=(Points("backward equation", rates, np.abs(measured / predicted - 1.0), errors / predicted),),
            logarithmic="xy",
            slope=slope(f"{name}: error against η", rates, measured / predicted - 1.0, 1.0),
        )


@D10.check
def rate_of_the_chain(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare steps of the chain, by its integral equation, with the form and with its first correction."""
    for name, landscape, (start, top, beyond), batch, variance in SYSTEMS:
        barrier = Barrier.between(landscape, start, top)
        hottest = barrier.height * batch / (2.0 * variance)
        rates = hottest * np.geomspace(0.8, 0.08, trial.pick(brief=4, quick=6, full=8))
        temperatures = rates * variance / (2.0 * batch)
        measured = 1.0 / np.array([
            float(chain_passage.mean_steps(landscape, start, beyond, temperature=temperature, learning_rate=rate))
            for rate, temperature in zip(rates, temperatures, strict=True)
        ])  # fmt: skip
        predicted = np.array([
            float(trial.predict(barrier, learning_rate=rate, batch_size=batch, variance=variance)) for rate in rates
        ])  # fmt: skip
        corrections = (1.0 + anharmonic.coefficient(barrier) * temperatures) * np.array([
            float(discrete_chain.slowing_beyond_top(barrier, temperature=temperature, learning_rate=rate))
            for rate, temperature in zip(rates, temperatures, strict=True)
        ])  # fmt: skip
        yield Series(
            f"Chain against the form, {name}",
            "learning rate η",
            "measured/predicted",
            (Curve("first correction", rates, 1.0 / corrections),),
            (Points("integral equation", rates, measured / predicted),),
            "x",
            slope(f"{name}, chain: error against η", rates, measured / predicted - 1.0, 1.0),
        )
        yield Series(
            f"Chain against the form with its first correction, {name}",
            "learning rate η",
            "|measured/predicted − 1|",
            points=(Points("integral equation", rates, np.abs(measured / predicted * corrections - 1.0)),),
            logarithmic="xy",
            slope=slope(f"{name}, chain: second error against η", rates, measured / predicted * corrections - 1.0, 2.0),
        )


@D10.check
def trajectories_of_the_chain(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare steps of the chain, simulated or by adaptive splitting, with its integral equation and the form."""
    if trial.effort == "brief":
        return
    landscape, barrier = QUARTIC, Barrier.between(QUARTIC, -1.0, 0.0)
    numbers, target = {"batch_size": 1.0, "variance": 1.0}, 0.8
    direct = dict.fromkeys((0.2, 0.14, 0.1), trial.pick(brief=0, quick=60_000, full=400_000))
    replicas = trial.pick(brief=0, quick=3_000, full=20_000)
    found = []
    for number, rate in enumerate((*direct, 0.06, 0.04, 0.03)):
        dynamics = fp.Langevin(landscape, temperature=rate / 2.0)
        exact = float(chain_passage.mean_steps(landscape, -1.0, target, temperature=rate / 2.0, learning_rate=rate))
        if rate in direct:
            passage = fp.first_passage_times(
                dynamics, direct[rate], [-1.0], fp.where(x=(target, None)), dt=rate, t_max=rate * round(60.0 * exact),
                bridge=False, seed=trial.seed, experiment=number,
            )  # fmt: skip
            route, (time, error) = "trajectories", passage.mean
        else:
            splitting = fp.adaptive_splitting(
                dynamics, fp.where(x=(None, -0.8)), fp.where(x=(target, None)), score="x", dt=rate, n=replicas, runs=8,
                scheme="euler-maruyama", seed=trial.seed, experiment=number,
            )  # fmt: skip
            route, (time, error) = "splitting", splitting.mean_time
        yield statistical(
            f"steps by {route} against the integral equation, η = {rate:g}", exact, time / rate, error / rate
        )
        per_step, its_error = rate / time, rate / time * error / time
        form = trial.predict(barrier, learning_rate=rate, **numbers)
        yield asymptotic(f"rate per step by {route} against the form, η = {rate:g}", form, per_step, its_error)
        found.append((rate, per_step, its_error, float(form)))
    rates, measured, errors, predicted = np.array(found).T
    yield rate_against_inverse("x⁴/4 − x²/2, steps of the chain", rates, measured, errors, predicted, "chain")


@D10.check
def noise_in_proportion_to_the_loss(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare times on a grid under C = 2hL/B with the power of L_s/L*, and with e^{ΔL/D} for D at the minimum."""
    loss, lowest, curvature = "x**4/4 - x**2/2 + 0.3", 0.05, 2.0
    landscape = fp.Landscape(loss)
    barrier = Barrier.between(landscape, -1.0, 0.0)
    rates = np.geomspace(0.2, 0.02, 6)
    numbers = {"loss_at_minimum": lowest, "batch_size": 1.0, "curvature": curvature}
    cells = trial.pick(brief=1000, quick=2000, full=4000)
    found = [
        passage_time(
            fp.Langevin(landscape, diffusion=f"{float(rate * curvature)!r}*({loss})", convention="ito"),
            -1.0,
            1.0,
            cells,
        )
        for rate in rates
    ]
    times, errors = np.array(found).T
    forms = [sgd_escape.loss_noise_time(barrier, learning_rate=rate, **numbers) for rate in rates]
    predicted = np.array([float(form) for form in forms])
    frozen = [
        float(sgd_escape.loss_noise_time_if_exponential(barrier, learning_rate=rate, **numbers)) for rate in rates
    ]
    yield Series(
        "Escape time under noise in proportion to the loss",
        "1/η",
        "learning time",
        (
            Curve("(L_s/L*)^{B/(ηh) + 1/2}", 1.0 / rates, predicted),
            Curve("e^{ΔL/D} with D at the minimum", 1.0 / rates, frozen),
        ),
        (Points("backward equation", 1.0 / rates, times, errors),),
        "y",
    )
    yield asymptotic(f"power law, η = {rates[-1]:g}", forms[-1], times[-1], errors[-1])
    yield Series(
        "What the power law leaves",
        "learning rate η",
        "|measured/predicted − 1|",
        points=(Points("backward equation", rates, np.abs(times / predicted - 1.0), errors / predicted),),
        logarithmic="xy",
        slope=slope("power law: error against η", rates, times / predicted - 1.0, 1.0),
    )
    yield misses(f"e^(ΔL/D) with D at the minimum, η = {rates[0]:g}", frozen[0], times[0], errors[0])
