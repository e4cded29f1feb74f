"""E17: ramps of the temperature and of the learning rate, whose ∫L dβ obeys a Jarzynski equality of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from scipy.integrate import quad

import fpsolver as fp
from fpsolver.theory import temperature_ramp
from fpsolver.theory.quadratic_chain import shadow_hessian
from fpsolver.thermodynamics import log_partition_ratio, work_generating_function, work_moments
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, claim, misses, rounded, statistical
from fpsolver.validation.fluctuations.driven_systems import averaged

E17 = claim(
    "E17",
    family="fluctuations",
    title="Ramp of the temperature or the learning rate",
    as_written="⟨exp(−∫L dβ)⟩ = Z(β_f)/Z(β_0), for a learning-rate ramp with β = 2B/(ησ²).",
    statement="Exact for motion that starts in equilibrium and leaves e^{−βL} invariant at each β, at any speed and "
    "with any mobility; with ∫(L + kinetic energy) dβ for motion with inertia. The loss does no work: e^{−W/T} with "
    "one T averages to 1 and says nothing about Z. SGD with isotropic noise on a quadratic loss obeys it at any "
    "learning rate from its own stationary state: for a ramp of η the sum ΣL Δβ stands as written, but Z is that of "
    "the chain, ∏√[η_f(2 − η_0 h)/(η_0(2 − η_f h))]; for a ramp of the batch size B the loss is to be replaced by "
    "½θᵀH(1 − ηH/2)θ, and Z is as written.",
    verdict="exact",
    sources=(
        *temperature_ramp.SOURCES,
        "S. R. Williams, D. J. Searles, D. J. Evans, Phys. Rev. Lett. 100, 250601 (2008)",
        "own derivation for SGD: the chain is reversible, of precision 2H(1 − ηH/2)/(ηC)",
    ),
    written=temperature_ramp.learning_rate_ramp_as_written,
    corrected=temperature_ramp.learning_rate_ramp,
)

WELL = fp.Landscape("x**2/2")
DOUBLE_WELL = fp.Landscape("x**4/4 - x**2/2 + x/10")


def cooled(landscape: fp.Landscape, coldness: Sequence[float], duration: float) -> fp.Langevin:
    """Return motion at unit mobility under a β = 1/T that runs linearly from one value to another."""
    start, stop = coldness
    ramp = fp.Protocol(f"1/({float(start)!r} + {float((stop - start) / duration)!r}*t)")
    return fp.Langevin(landscape, temperature=1.0 / start, protocol={"temperature": ramp})


def integrals(
    dynamics: fp.Langevin, coldness: Sequence[float], duration: float, *, steps: int, scheme: str, initial: object,
    paths: int, seed: int, experiment: int,
) -> np.ndarray:  # fmt: skip
    """Return ∫L dβ of trajectories.

    With a linear β the trapezoidal rule is the sum over switches of β at fixed θ, by halves before and after each step
    at the β between, so that the equality is exact at any time step of a scheme that keeps e^{−βL}.
    """
    loss = fp.TimeIntegral(dynamics.landscape.expression, name="loss_integral")
    found = fp.simulate(
        dynamics, n=paths, initial=initial, dt=duration / steps, t_final=duration, seed=seed, experiment=experiment,
        scheme=scheme, functionals=loss,
    )  # fmt: skip
    return found.values("loss_integral") * (coldness[1] - coldness[0]) / duration


@E17.check
def harmonic_well(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ⟨exp(−∫L dβ)⟩ of a quadratic loss with √(T_f/T_0), on trajectories and on a grid, at three speeds."""
    coldness, steps = (1.0, 2.0), 10
    paths = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    expected = temperature_ramp.partition_ratio(1.0, 0.5)
    durations = trial.pick(brief=(1.0,), quick=(0.01, 1.0, 10.0), full=(0.01, 0.1, 1.0, 10.0, 100.0))
    found, grid = [], fp.Grid(x=(-9.0, 9.0, 200))
    for number, duration in enumerate(durations):
        dynamics = cooled(WELL, coldness, duration)
        values = integrals(
            dynamics, coldness, duration, steps=steps, scheme="ornstein-uhlenbeck", initial=fp.Gaussian([0.0], 1.0),
            paths=paths, seed=trial.seed, experiment=200 + number,
        )  # fmt: skip
        found.append(averaged(values))
        yield statistical(f"trajectories, β from 1 to 2 in t = {duration:g}", expected, *found[-1])
        W = fp.generator(dynamics, grid)
        average = work_generating_function(W, duration, [1.0], reduced=True, steps=steps).values[0]
        yield rounded(f"grid, β from 1 to 2 in t = {duration:g}", expected, average, rounding=1e-12)
    if trial.effort == "brief":
        return
    fine = np.geomspace(0.01, durations[-1], 13)
    means = [work_moments(fp.generator(cooled(WELL, coldness, t), grid), t, reduced=True, tolerance=1e-5).mean
             for t in fine]  # fmt: skip
    quench = float(temperature_ramp.quench_mean(1.0, 0.5))
    yield rounded("mean of ∫L dβ of a sudden change", quench, _sudden_mean(grid, coldness), rounding=1e-8,
                  source="order of the duration 1e-9")  # fmt: skip
    values, errors = np.transpose(found)
    yield Series(
        "Quadratic loss cooled from T = 1 to ½",
        "duration of the ramp, in relaxation times",
        "average",
        (
            Curve("Z(β_f)/Z(β_0)", fine, np.full_like(fine, float(expected))),
            Curve("exp(−⟨∫L dβ⟩), on a grid", fine, np.exp(-np.array(means))),
        ),
        (Points("⟨exp(−∫L dβ)⟩, trajectories of ten steps", durations, values, errors),),
        logarithmic="x",
    )


def _sudden_mean(grid: fp.Grid, coldness: Sequence[float]) -> float:
    """Return the mean of ∫L dβ on a grid when β changes at once."""
    return work_moments(fp.generator(cooled(WELL, coldness, 1e-9), grid), 1e-9, reduced=True, steps=4).mean


@E17.check
def tilted_double_well(trial: Trial) -> Iterator[Comparison]:
    """Compare the same of a tilted double well, cooled and heated, with quadrature: grid, and Heun's scheme."""
    paths = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    for number, coldness in enumerate(((2.0, 5.0), (5.0, 3.0))):
        expected = partition_function(coldness[1]) / partition_function(coldness[0])
        label = f"double well, β from {coldness[0]:g} to {coldness[1]:g}"
        dynamics = cooled(DOUBLE_WELL, coldness, 1.0)
        W = fp.generator(dynamics, fp.Grid(x=(-4.0, 4.0, 400)))
        yield rounded(f"{label}, sums over cells", expected, math.exp(log_partition_ratio(W, 1.0)), rounding=1e-10,
                      source="midpoint rule of a smooth integrand")  # fmt: skip
        average = work_generating_function(W, 1.0, [1.0], reduced=True, steps=5).values[0]
        yield rounded(f"{label}, grid", expected, average, rounding=1e-10)
        if not paths:
            continue
        cells = fp.Grid(x=(-4.0, 4.0, 4000))
        initial = fp.Field(cells, fp.boltzmann(DOUBLE_WELL, cells, 1.0 / coldness[0]), {})
        found = [
            averaged(integrals(
                dynamics, coldness, 1.0, steps=steps, scheme="heun", initial=initial, paths=paths, seed=trial.seed,
                experiment=210 + 2 * number + half,
            ))
            for half, steps in enumerate((100, 50))
        ]  # fmt: skip
        yield second_order(f"{label}, trajectories", expected, *found)


def second_order(name: str, expected: object, fine: tuple[float, float], coarse: tuple[float, float]) -> Comparison:
    """Compare an average of a scheme of weak order two, of which a third of what half the step changes is left."""
    bias = (abs(fine[0] - coarse[0]) + math.hypot(fine[1], coarse[1])) / 3.0
    return statistical(name, expected, *fine, bias=bias, bias_source="weak order 2, from twice the time step")


@E17.check
def harmonic_well_with_inertia(trial: Trial) -> Iterator[Comparison]:
    """Compare ⟨exp(−∫(L + v²/2) dβ)⟩ of motion with inertia in a quadratic loss with T_f/T_0, by BAOAB."""
    paths = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    if not paths:
        return
    start, coldness, duration = fp.Gaussian([0.0], 1.0), (1.0, 2.0), 2.0
    overdamped = cooled(WELL, coldness, duration)
    dynamics = fp.UnderdampedLangevin(WELL, temperature=1.0, friction=1.0, protocol=overdamped.protocol)
    expected = temperature_ramp.partition_ratio(1.0, 0.5, dimension=2)
    found, without = [], []
    for number, steps in enumerate((40, 20)):
        parts = [fp.TimeIntegral("x**2/2", name="loss_integral"), fp.TimeIntegral("v_x**2/2", name="kinetic_integral")]
        ensemble = fp.simulate(
            dynamics, n=paths, initial=start, dt=duration / steps, t_final=duration, seed=trial.seed,
            experiment=220 + number, scheme="baoab", functionals=parts,
        )  # fmt: skip
        loss, kinetic = (ensemble.values(part.name) / duration for part in parts)
        found.append(averaged(loss + kinetic))
        without.append(averaged(loss))
    yield second_order("energy of position and velocity", expected, *found)
    yield misses("loss alone", temperature_ramp.partition_ratio(1.0, 0.5), *without[0])


def partition_function(coldness: float) -> float:
    """Return Z of the double well by quadrature."""
    return quad(lambda x: math.exp(-coldness * (x**4 / 4 - x**2 / 2 + x / 10)), -6.0, 6.0, epsabs=1e-14, limit=200)[0]


@E17.check
def learning_rate_ramps(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ⟨exp(−ΣL Δβ)⟩ over SGD whose learning rate is ramped with the form, by Gaussian algebra and sampling."""
    rng = np.random.default_rng(trial.seed)
    for case in range(trial.pick(brief=3, quick=30, full=300)):
        d = int(rng.integers(1, 5))
        turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
        hessian = turn @ np.diag(rng.uniform(0.2, 2.0, d)) @ turn.T
        rates = np.geomspace(rng.uniform(0.3, 0.8), rng.uniform(0.05, 0.3), 8)
        yield rounded(
            f"{d} dimensions, η from {rates[0]:.2g} to {rates[-1]:.2g}, case {case}",
            trial.predict(hessian, rates[0], rates[-1]), exact_average(hessian, rates), rounding=1e-10,
            source="rounding of eight inverses with condition numbers up to 1e2",
        )  # fmt: skip
    starts, hessian = np.array([0.2, 0.5, 1.0, 1.5]), np.array([[1.0]])
    ramps = [np.linspace(start, start / 2.0, 21) for start in starts]
    points = [Points("products of Gaussians", starts, [exact_average(hessian, rates) for rates in ramps])]
    paths = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    if paths:
        found = [averaged(sampled(rates, np.ones(21), False, paths, rng)) for rates in ramps]
        for start, average in zip(starts, found, strict=True):
            label, ends = f"η from {start:g} to {start / 2.0:g}", (start, start / 2.0)
            yield statistical(f"sampled, {label}", trial.predict(hessian, *ends), *average)
            written = temperature_ramp.learning_rate_ramp_as_written(hessian, *ends)
            yield misses(f"T = ησ²/(2B), {label}", written, *average)
        points.append(Points("sampled", starts, *np.transpose(found)))
    fine = np.linspace(0.01, 1.8, 50)
    forms = {
        "stationary state of the chain": temperature_ramp.learning_rate_ramp,
        "T = ησ²/(2B)": temperature_ramp.learning_rate_ramp_as_written,
    }
    yield Series(
        "SGD on a quadratic loss of unit curvature while the learning rate is halved in 20 steps",
        "first learning rate η_0",
        "⟨exp(−ΣL Δβ)⟩, β = 2B/(ησ²)",
        tuple(
            Curve(label, fine, [float(form(hessian, eta, eta / 2.0)) for eta in fine]) for label, form in forms.items()
        ),
        tuple(points),
    )


@E17.check
def batch_size_ramps(trial: Trial) -> Iterator[Comparison]:
    """Compare the same over SGD whose batch size is doubled with √½, with the shadow loss and with the loss itself."""
    paths = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    if not paths:
        return
    rng = np.random.default_rng(trial.seed + 1)
    for eta in (0.1, 0.5, 1.0):
        rates, noise = np.full(21, eta), 1.0 / np.linspace(1.0, 2.0, 21)
        values = sampled(rates, noise, True, paths, rng)
        expected = temperature_ramp.partition_ratio(noise[0], noise[-1])
        yield statistical(f"shadow loss, η = {eta:g}", expected, *averaged(values))
        literal = values / (1.0 - eta / 2.0)
        yield misses(f"loss itself, η = {eta:g}", expected, *averaged(literal))


def exact_average(hessian: np.ndarray, rates: np.ndarray) -> float:
    """Return ⟨exp(−ΣL Δβ)⟩ of the chain with C = 1, as integrals of a Gaussian that is weighted and then moved."""
    one, logarithm = np.eye(len(hessian)), 0.0
    covariance = np.linalg.inv(2.0 / rates[0] * shadow_hessian(hessian, learning_rate=rates[0]))
    for before, after in pairwise(rates):
        weighted = np.linalg.inv(covariance) + (2.0 / after - 2.0 / before) * hessian
        logarithm -= 0.5 * (np.linalg.slogdet(weighted)[1] + np.linalg.slogdet(covariance)[1])
        step = one - after * hessian
        covariance = step @ np.linalg.inv(weighted) @ step.T + after**2 * one
    return math.exp(logarithm)


def sampled(rates: np.ndarray, noise: np.ndarray, shadow: bool, paths: int, rng: np.random.Generator) -> np.ndarray:
    """Return ΣL Δβ over plain steps of SGD in a loss of unit curvature, or the same of its shadow loss."""
    theta = rng.normal(size=paths) * math.sqrt(rates[0] * noise[0] / (2.0 - rates[0]))
    total = np.zeros(paths)
    for (eta, c), (after, c_after) in pairwise(zip(rates, noise, strict=True)):
        change = 2.0 / (after * c_after) - 2.0 / (eta * c)
        total += change * ((1.0 - eta / 2.0) if shadow else 1.0) * theta**2 / 2.0
        theta = (1.0 - after) * theta + after * math.sqrt(c_after) * rng.normal(size=paths)
    return total
