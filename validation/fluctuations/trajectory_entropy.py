"""A1.1a–c, A1.2a, A1.2c, A3.1: entropy of system, medium and both along single trajectories."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import relaxing_trap, tilted_ring, two_level
from fpsolver.thermodynamics.entropy import entropy
from fpsolver.thermodynamics.entropy_rates import entropy_production
from fpsolver.thermodynamics.fluctuation_theorems import integral_theorem
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    claim,
    gridded,
    misses,
    richardson,
    rounded,
    statistical,
)

SEIFERT = "U. Seifert, Phys. Rev. Lett. 95, 040602 (2005)"
SEKIMOTO = "K. Sekimoto, Prog. Theor. Phys. Suppl. 130, 17 (1998)"
TEMPERATURE = 0.5
TRAP = {"stiffness": 1.0, "temperature": TEMPERATURE}
WELL = fp.Landscape("x**2/2")
RELAXING = fp.Langevin(WELL, temperature=TEMPERATURE)
START = (2.0, 0.1)
TIMES = np.array([0.125, 0.25, 0.5, 1.0, 2.0])

A1_1A = claim(
    "A1.1a",
    family="fluctuations",
    title="Entropy of the system along a trajectory",
    as_written="s = −ln p(x, τ).",
    statement="p is the solution of the Fokker–Planck equation at the time τ, taken relative to a fixed measure; ⟨s⟩ "
    "is then its differential entropy in nats, ½ ln(2πe v) for a Gaussian. s alone, and its change, depend on the "
    "coordinate: a map y(x) adds ln|y'|. Only Δs_tot does not.",
    verdict="definition",
    sources=(f"{SEIFERT}, eq. (4)",),
)  # fmt: skip

A1_2A = claim(
    "A1.2a",
    family="fluctuations",
    title="Entropy of the weights along training",
    as_written="s(θ, t) = −ln p(θ, t).",
    statement="As A1.1a: p is the density of all runs at that time. A single run has no s without it; a density "
    "fitted to another time, or to a stationary state not yet reached, gives ⟨s⟩ too large by their divergence.",
    verdict="definition",
    sources=(f"{SEIFERT}, eq. (4)", "T. M. Cover, J. A. Thomas, Elements of Information Theory (2006), theorem 5.4.3"),
)

A1_1B = claim(
    "A1.1b",
    family="fluctuations",
    title="Entropy of the medium along a trajectory",
    as_written="s_m = q/T.",
    statement="q = ∫F∘dx by Stratonovich's rule, the heat given to one bath at T, with D = μT; then q = W − ΔL to "
    "the last digit along every trajectory. By Itô's rule it would grow as μkTt in equilibrium.",
    verdict="definition",
    sources=(SEKIMOTO, f"{SEIFERT}, eq. (8)"),
    written=relaxing_trap.medium_rate_without_divergence,
    corrected=relaxing_trap.medium_rate,
)

A1_1C = claim(
    "A1.1c",
    family="fluctuations",
    title="Total entropy along a trajectory",
    as_written="s_tot = s + s_m.",
    statement="Δs_tot = ln of the ratio of forward to reverse path densities; its mean Σ = ΔS + ⟨q⟩/T ≥ 0 is their "
    "relative entropy, for a trap the loss of divergence from equilibrium, KL(p_0|eq) − KL(p_t|eq). It does not "
    "depend on coordinates.",
    verdict="definition",
    sources=(f"{SEIFERT}, eqs. (12) and (15)", "R. Kawai, J. M. R. Parrondo, C. Van den Broeck, Phys. Rev. Lett. 98, "
             "080602 (2007)"),
)  # fmt: skip

A1_2C = claim(
    "A1.2c",
    family="fluctuations",
    title="Total entropy along training",
    as_written="s_tot = s + s_m, with s_m = W/T.",
    statement="Exact with s_m = q/T: ⟨e^{−Δs_tot}⟩ = 1. With s_m = W/T, zero at a fixed loss, the average of a "
    "two-level system that relaxes from equilibrium is 1 + r tanh²(ε/2T).",
    verdict="exact",
    sources=(f"{SEIFERT}, eq. (15)", "own derivation of the two-level system"),
    written=two_level.without_heat,
    corrected=two_level.with_heat,
)

A3_1 = claim(
    "A3.1",
    family="fluctuations",
    title="Rate of entropy in the medium",
    as_written="ṡ_m = Fẋ/T.",
    statement="With Stratonovich's product; its mean is (μ/T)⟨F²⟩ + μ⟨∇·F⟩, zero in equilibrium, and F⟨v⟩/T on a "
    "tilted ring. By Itô's product it would be (μ/T)⟨F²⟩. For linear F the midpoint sum is exact at any step; the "
    "discrete path weight of Euler–Maruyama steps is its own exact theorem, with T/(1 − ηk/2) in place of T.",
    verdict="exact",
    sources=(f"{SEIFERT}, eq. (8)", "own derivation for the discrete steps"),
    written=relaxing_trap.medium_rate_without_divergence,
    corrected=relaxing_trap.medium_rate,
)


def _relaxed(cells: int, times: np.ndarray) -> tuple[fp.Grid, np.ndarray, np.ndarray]:
    """Return a grid with the start, and densities at the times."""
    grid = fp.Grid(x=(-4.0, 4.5, cells))
    start = fp.gaussian(grid, [START[0]], [[START[1]]])
    return grid, start, fp.evolve(fp.generator(RELAXING, grid), start, times=times).densities


@A1_1A.check
def entropy_of_a_gaussian(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare −∫p ln p of a density that relaxes on a grid, and the mean of s along trajectories, with the form."""
    found = []
    for cells in trial.pick(brief=(400, 200), quick=(1600, 800), full=(3200, 1600)):
        grid, _, densities = _relaxed(cells, TIMES)
        found.append([entropy(p, grid) for p in densities])
    pairs = [richardson(fine, coarse) for fine, coarse in zip(*found, strict=True)]
    forms = [float(relaxing_trap.system_entropy(_moments(time)[1])) for time in TIMES]
    for time, form, (value, error) in zip(TIMES, forms, pairs, strict=True):
        yield gridded(f"⟨s⟩ at t = {time:g}", form, value, error)
    n = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    ensemble = _trajectories(n, 1.0, trial.seed, 5200)
    start = float(relaxing_trap.system_entropy(START[1]))
    change = ensemble.values("system_entropy")
    yield statistical("⟨Δs⟩ to t = 1, trajectories", forms[3] - start, *_mean(change))
    fine = np.linspace(0.02, 2.2, 80)
    yield Series(
        "Entropy of a trap that relaxes",
        "t",
        "⟨s⟩ in nats",
        (Curve("½ ln(2πe v)", fine, [float(relaxing_trap.system_entropy(_moments(time)[1])) for time in fine]),),
        (Points("grid", TIMES, [one for one, _ in pairs], [error for _, error in pairs]),),
    )


@A1_1A.check
def another_coordinate(trial: Trial) -> Iterator[Comparison | Series]:
    """Evolve the same motion on a grid of y = eˣ: ΔS is another, ΔS_tot is the same."""
    duration, changes, totals = 1.0, [], []
    mean, variance = _moments(duration)
    for cells in trial.pick(brief=(600, 300), quick=(2400, 1200), full=(4800, 2400)):
        faces = np.exp(np.linspace(-4.0, 4.5, cells + 1))
        grid = fp.Grid(y=fp.Axis(faces=faces, boundary="reflecting"))
        # L − T ln|dx/dy| is the loss in y, with the mobility y².
        loss = fp.Landscape(f"log(y)**2/2 + {TEMPERATURE}*log(y)")
        W = fp.generator(fp.Langevin(loss, temperature=TEMPERATURE, mobility="y**2"), grid)
        start = fp.density(grid, _log_normal(grid.points[..., 0], *START))
        end = fp.evolve(W, start, times=[duration]).densities[-1]
        energy = [float(np.sum(loss.value(grid.points) * p * grid.volumes)) for p in (start, end)]
        changes.append(entropy(end, grid) - entropy(start, grid))
        totals.append(changes[-1] - (energy[1] - energy[0]) / TEMPERATURE)
    in_x = 0.5 * math.log(variance / START[1])
    total = relaxing_trap.entropy_production(*START, **TRAP, duration=duration)
    yield gridded("ΔS of y = eˣ, ½ ln(v_t/v_0) + m_t − m_0", in_x + mean - START[0], *richardson(*changes))
    yield gridded("ΔS_tot of y = eˣ", total, *richardson(*totals))
    yield misses("ΔS of x for that of y", in_x, *richardson(*changes))


def _log_normal(y: np.ndarray, mean: float, variance: float) -> np.ndarray:
    return np.exp(-0.5 * (np.log(y) - mean) ** 2 / variance) / y


@A1_2A.check
def density_of_another_time(trial: Trial) -> Iterator[Comparison | Series]:
    """Average −ln p over the density itself and over that of other times: too large by the divergence, on a grid."""
    from fpsolver.thermodynamics.entropy import kl_divergence

    grid, _, densities = _relaxed(trial.pick(brief=400, quick=1600, full=3200), TIMES)
    equilibrium = np.asarray(fp.boltzmann(WELL, grid, TEMPERATURE))
    right, wrong = [], []
    for time, p in zip(TIMES, densities, strict=True):
        held = p > 0.0
        average = -float(np.sum((p * grid.volumes * np.log(equilibrium))[held]))
        right.append(entropy(p, grid))
        wrong.append(average)
        yield rounded(
            f"⟨−ln p_eq⟩ = ⟨s⟩ + KL, t = {time:g}", right[-1] + kl_divergence(p, equilibrium, grid), average,
            rounding=1e-9, source="sums over cells",
        )  # fmt: skip
        yield misses(f"⟨−ln p_eq⟩ for ⟨s⟩, t = {time:g}", right[-1], average, 0.0, margin=1e-3)
    yield Series(
        "Entropy from the right density and from the stationary one",
        "t",
        "nats",
        (Curve("½ ln(2πe v)", TIMES, [float(relaxing_trap.system_entropy(_moments(time)[1])) for time in TIMES]),),
        (Points("⟨−ln p⟩, grid", TIMES, right), Points("⟨−ln p_eq⟩, grid", TIMES, wrong)),
    )


@A1_1B.check
def heat_along_trajectories(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ∫F∘dx with −ΔL along every trajectory, and its mean with the integrated rate."""
    n = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    for number, (name, mean, variance) in enumerate((("relaxation", *START), ("equilibrium", 0.0, TEMPERATURE))):
        start = fp.Gaussian([mean], variance)
        ensemble = fp.simulate(
            RELAXING, n, start, 0.25, 1.0, seed=trial.seed, experiment=5205 + number, scheme="ornstein-uhlenbeck",
            functionals=("heat", "entropy_flow"), density=start,
        )  # fmt: skip
        heat = ensemble.values("heat")
        exact = ensemble.values("entropy_flow")
        yield Comparison(
            f"largest |q/T − ln of path densities|, {name}", 0.0, float(np.abs(heat / TEMPERATURE - exact).max()), 0.0,
            "rounding", 1e-10, "rounding of the sums along a path",
        )  # fmt: skip
        nodes, weights = np.polynomial.legendre.leggauss(20)
        moments = [
            relaxing_trap.moments(mean, variance, **TRAP, duration=time) for time in 0.5 + 0.5 * nodes
        ]  # t from 0 to 1
        rates = [float(trial.predict(*one, **TRAP)) for one in moments]
        yield statistical(f"⟨q⟩/T, {name}", 0.5 * weights @ rates, *_mean(heat / TEMPERATURE))
    fine = np.linspace(0.0, 2.0, 60)[1:]
    yield Series(
        "Rate of heat of a trap that relaxes",
        "t",
        "⟨q̇⟩/T",
        tuple(
            Curve(name, fine, [float(form(*_moments(time), **TRAP)) for time in fine])
            for name, form in (
                ("Stratonovich", relaxing_trap.medium_rate),
                ("Itô", relaxing_trap.medium_rate_without_divergence),
            )
        ),
        (Points("form under test", fine[::6], [float(trial.predict(*_moments(time), **TRAP)) for time in fine[::6]]),),
    )


@A1_1C.check
def total_entropy_of_relaxation(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare Σ from densities on a grid, from face fluxes, and along trajectories with the closed form."""
    found = []
    for cells in trial.pick(brief=(400, 200), quick=(1600, 800), full=(3200, 1600)):
        grid, start, densities = _relaxed(cells, TIMES)
        loss = WELL.value(grid.points) * grid.volumes

        def production(p: np.ndarray, grid: fp.Grid = grid, loss: np.ndarray = loss) -> float:
            return entropy(p, grid) - float(np.sum(loss * p)) / TEMPERATURE

        found.append([production(p) - production(start) for p in densities])
    pairs = [richardson(fine, coarse) for fine, coarse in zip(*found, strict=True)]
    forms = [relaxing_trap.entropy_production(*START, **TRAP, duration=time) for time in TIMES]
    for time, form, (value, error) in zip(TIMES, forms, pairs, strict=True):
        yield gridded(f"Σ to t = {time:g}, densities", form, value, error)
    n = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    measured = []
    for number, time in enumerate(TIMES[1:]):
        ensemble = _trajectories(n, float(time), trial.seed, 5210 + number)
        measured.append(_mean(ensemble.values("entropy_production")))
        yield statistical(f"⟨Δs_tot⟩ to t = {time:g}, trajectories", forms[number + 1], *measured[-1])
    yield Series(
        "Total entropy of a trap that relaxes",
        "t",
        "Σ in nats",
        (Curve("KL(p_0|eq) − KL(p_t|eq)", TIMES, [float(form) for form in forms]),),
        (
            Points("densities", TIMES, [one for one, _ in pairs], [error for _, error in pairs]),
            Points("trajectories", TIMES[1:], [one for one, _ in measured], [error for _, error in measured]),
        ),
    )


@A1_2C.check
def total_entropy_of_two_levels(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ⟨e^{−Δs − q/T}⟩ of a two-level system, by its rate equation, with the form at any time."""
    from scipy.linalg import expm

    gaps, averages = np.linspace(0.25, 4.0, 16), []
    for time in (0.25, 1.0, 4.0):
        relaxed = -math.expm1(-time)
        for gap in gaps:
            equilibrium = np.exp([0.0, -gap]) / np.exp([0.0, -gap]).sum()
            joint = expm((np.outer(equilibrium, [1.0, 1.0]) - np.eye(2)) * time) * equilibrium
            change = np.log(equilibrium) - np.log(equilibrium)[:, None]
            heat = -np.subtract.outer([0.0, gap], [0.0, gap])
            average = float(np.sum(joint * np.exp(-change - heat)))
            form = float(trial.predict(gap=gap, temperature=1.0, relaxed=relaxed))
            if gap in gaps[::5]:
                yield rounded(
                    f"⟨e^{{−Δs_tot}}⟩, ε = {gap:.3g} T, t = {time:g}", form, average, rounding=1e-13,
                    source="sum of four terms",
                )  # fmt: skip
            averages.append(average)
    yield Series(
        "Integral theorem of a two-level system",
        "ε/T",
        "⟨e^{−Δs_tot}⟩",
        (
            Curve("s_m = q/T", gaps, np.ones_like(gaps)),
            Curve(
                "s_m = W/T",
                gaps,
                [float(two_level.without_heat(gap=gap, temperature=1.0, relaxed=relaxed)) for gap in gaps],
            ),
        ),
        (Points("rate equation, s_m = q/T, t = 4", gaps, averages[-len(gaps) :]),),
    )


@A1_2C.check
def total_entropy_of_training(trial: Trial) -> Iterator[Comparison | Series]:
    """Average e^{−Δs_tot} over trajectories in a double well at a fixed loss, with the density that a grid evolves."""
    if trial.effort == "brief":
        return
    n = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=TEMPERATURE)
    grid = fp.Grid(x=(-3.5, 3.5, 700))
    start = fp.Field(grid, fp.gaussian(grid, [0.6], [[0.3]]))
    later = fp.evolve(fp.generator(dynamics, grid), start, times=[0.5])
    ensemble = fp.simulate(
        dynamics, n, start, 0.01, 0.5, seed=trial.seed, experiment=5218, functionals="entropy_flow",
        density=(start, later),
    )  # fmt: skip
    average = integral_theorem(ensemble)
    yield statistical("⟨e^{−Δs_tot}⟩, double well", 1.0, average.average, average.standard_error)


@A3_1.check
def mean_rate_from_fluxes(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the flow of entropy by face fluxes with the form, far from equilibrium and in it; and on tilted rings."""
    cells = trial.pick(brief=(400, 200), quick=(1600, 800), full=(3200, 1600))
    means, measured = np.array([0.0, 0.5, 1.0, 1.5, 2.0]), []
    for mean in means:
        found = []
        for number in cells:
            grid = fp.Grid(x=(-4.5, 5.0, number))
            p = fp.gaussian(grid, [mean], [[TEMPERATURE if mean == 0.0 else START[1]]])
            found.append(entropy_production(fp.generator(RELAXING, grid), p).medium)
        measured.append(richardson(*found))
        form = trial.predict(mean, TEMPERATURE if mean == 0.0 else START[1], **TRAP)
        # In equilibrium the cell averages of the density differ from its values at centres by the order of the grid.
        yield Comparison(
            f"⟨F∘ẋ⟩/T, mean {mean:g}", float(form), *measured[-1], "grid error", measured[-1][1] + 1e-9, "grid error"
        )
    for force, temperature in ((0.5, 0.5), (1.0, 0.5), (0.9, 0.1)):
        found = []
        for number in cells:
            ring = fp.Grid(x=fp.Axis(0.0, 2.0 * np.pi, number, boundary="periodic"))
            W = fp.generator(fp.Langevin(fp.Landscape("-cos(x)"), temperature=temperature, force=(force,)), ring)
            found.append(entropy_production(W, fp.stationary(W)).medium)
        velocity = tilted_ring.velocity(
            fp.Landscape("-cos(x)"), force=force, temperature=temperature, period=2.0 * np.pi
        )
        yield gridded(
            f"F⟨v⟩/T, F = {force:g}, T = {temperature:g}", force * velocity.value / temperature, *richardson(*found)
        )
    fine = np.linspace(0.0, 2.0, 40)
    yield Series(
        "Rate of entropy in the medium, N(m, 0.1) in a trap",
        "m",
        "⟨ṡ_m⟩",
        tuple(
            Curve(name, fine, [float(form(mean, START[1], **TRAP)) for mean in fine])
            for name, form in (
                ("Stratonovich", relaxing_trap.medium_rate),
                ("Itô", relaxing_trap.medium_rate_without_divergence),
            )
        ),
        (Points("face fluxes", means[1:], [one for one, _ in measured[1:]], [error for _, error in measured[1:]]),),
    )


@A3_1.check
def exact_in_discrete_steps(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the midpoint sum with −ΔL/T, and the path weight of Euler–Maruyama steps with it at T/(1 − ηk/2)."""
    n = trial.pick(brief=20_000, quick=1_000_000, full=4_000_000)
    # A start narrower than the widest stationary state, T/(1 − ηk/2)k = 2, would leave e^{−Δs} without a variance.
    start = fp.Gaussian([0.3], 2.2)
    for number, rate in enumerate((0.1, 0.5, 1.5)):
        ensemble = fp.simulate(
            RELAXING, n, start, rate, 4.0 * rate, seed=trial.seed, experiment=5225 + number,
            functionals=("heat", "entropy_flow", "entropy_flow_midpoint"), density=start,
        )  # fmt: skip
        heat, flow, midpoint = (ensemble.values(name) for name in ("heat", "entropy_flow", "entropy_flow_midpoint"))
        for name, found in (
            ("midpoint sum and q/T", midpoint - heat / TEMPERATURE),
            ("path weight and q(1 − ηk/2)/T", flow - heat * (1.0 - 0.5 * rate) / TEMPERATURE),
        ):
            yield Comparison(
                f"largest difference of {name}, ηk = {rate:g}", 0.0, float(np.abs(found).max()), 0.0, "rounding",
                1e-10, "rounding of the sums along a path",
            )  # fmt: skip
        average = integral_theorem(ensemble)
        yield statistical(f"⟨e^{{−Δs_tot}}⟩, ηk = {rate:g}", 1.0, average.average, average.standard_error)


def _moments(time: float) -> tuple[float, float]:
    return relaxing_trap.moments(*START, **TRAP, duration=time)


def _trajectories(n: int, time: float, seed: int, experiment: int) -> Any:
    """Return trajectories of the trap with their entropies, in two exact steps."""
    mean, variance = _moments(time)
    ends = (fp.Gaussian([START[0]], START[1]), fp.Gaussian([mean], variance))
    return fp.simulate(
        RELAXING, n, ends[0], time / 2.0, time, seed=seed, experiment=experiment, scheme="ornstein-uhlenbeck",
        functionals="entropy_flow", density=ends,
    )  # fmt: skip


def _mean(values: np.ndarray) -> tuple[float, float]:
    """Return mean and standard error."""
    return float(values.mean()), float(values.std()) / math.sqrt(len(values))
