"""A2.2 and A1.2b: readings of the integral theorem that circulate for learning, and which of them holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import learning_readings, relaxing_trap, two_level
from fpsolver.thermodynamics.fluctuation_theorems import integral_theorem
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    bounded,
    claim,
    gridded,
    misses,
    richardson,
    rounded,
    statistical,
)

SEIFERT = "U. Seifert, Phys. Rev. Lett. 95, 040602 (2005), eq. (15)"
WELL = fp.Landscape("x**4/4 - x**2/2 + x/10")
TEMPERATURE = 0.5

A2_2 = claim(
    "A2.2",
    family="fluctuations",
    title="Integral fluctuation theorem of learning",
    as_written="⟨e^{−ΔL/T + ΔI}⟩ = 1.",
    statement="⟨exp[(ΔL − W)/T − Δs + ΔI]⟩ = 1 with the entropy s = −ln p of the weights whatever the data, and ΔI "
    "the pointwise information about the data at the end less that at the start; hence ⟨ΔI⟩ ≤ ΔS + ⟨Q⟩/T. As "
    "written, the sign of ΔL is wrong and Δs is missing: in a trap in equilibrium the average is e^{dμkt}. Where θ_0 "
    "is independent of the data the average is one without ΔI as well, and only the inequality is stronger with it. "
    "With ΔL read as the loss reduction and ΔI as ln p_t(θ_t) − ln p_0(θ_0), the written form is the theorem without "
    "driving. After a measurement and feedback it is minus i that belongs there.",
    verdict="false as written",
    sources=(SEIFERT, "S. Goldt, U. Seifert, Phys. Rev. Lett. 118, 010601 (2017)", "T. Sagawa, M. Ueda, Phys. Rev. "
             "Lett. 104, 090602 (2010), eq. (8)", "own derivation"),
    written=learning_readings.as_written,
    corrected=learning_readings.exact,
)  # fmt: skip


@A2_2.check
def two_levels(trial: Trial) -> Iterator[Comparison | Series]:
    """Sum over both ends of a two-level system that relaxes by its rate equation: the form, and the written value."""
    gaps, relaxed = np.linspace(0.25, 4.0, 16), 1.0 - math.exp(-2.0)
    averages = [
        float(np.sum(joint * np.exp(trial.predict(loss_change=loss, entropy_change=entropy, temperature=1.0))))
        for joint, loss, entropy in (_two_levels(gap, relaxed) for gap in gaps)
    ]
    yield rounded("⟨e^X⟩, two levels, ε = T", 1.0, averages[3], rounding=1e-13, source="sum of four terms")
    joint, loss, entropy = _two_levels(1.0, 1.0)
    written = learning_readings.as_written(loss_change=loss, entropy_change=entropy, temperature=1.0)
    yield rounded(
        "⟨e^{−ΔL/T}⟩ after full relaxation, ε = T", two_level.without_heat(gap=1.0, temperature=1.0),
        np.sum(joint * np.exp(written)), rounding=1e-13, source="sum of four terms",
    )  # fmt: skip
    yield Series(
        "Readings in a two-level system",
        "ε/T",
        "average",
        (
            Curve("corrected", gaps, np.ones_like(gaps)),
            Curve(
                "as written",
                gaps,
                [float(two_level.without_heat(gap=gap, temperature=1.0, relaxed=relaxed)) for gap in gaps],
            ),
        ),
        (Points("form under test, rate equation", gaps, averages),),
    )


def _two_levels(gap: float, relaxed: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return P(last, first), ΔL and Δs of levels 0 and ε that start in equilibrium, by their rate equation."""
    from scipy.linalg import expm

    equilibrium = np.exp([0.0, -gap]) / np.exp([0.0, -gap]).sum()
    # Rates that add up to one: what is not yet relaxed after the time t is e^{−t}.
    rates = np.outer(equilibrium, [1.0, 1.0]) - np.eye(2)
    kernel = expm(rates * -math.log1p(-relaxed)) if relaxed < 1.0 else np.outer(equilibrium, [1.0, 1.0])
    start = np.log(equilibrium)
    levels = np.array([0.0, gap])
    return kernel * equilibrium, levels[:, None] - levels, start - start[:, None]


@A2_2.check
def wells_on_a_grid(trial: Trial) -> Iterator[Comparison | Series]:
    """Average over both ends on a grid: a trap in equilibrium, with e^{dμkt} as written, and a double well."""
    times = np.linspace(0.1, 0.8, trial.pick(brief=3, quick=8, full=8))
    trap = fp.Landscape("x**2/2")
    written, grid_errors, tested = [], [], []
    for time in times:
        found = []
        for cells in (360, 180):
            grid = fp.Grid(x=(-18.0, 18.0, cells))
            joint, loss, entropy = _ends(trap, 1.0, grid, fp.boltzmann(trap, grid, 1.0), time)
            # The written form weighs every start alike: the grid must reach far beyond the weight.
            exponents = [
                form(loss_change=loss, entropy_change=entropy, temperature=1.0)
                for form in (learning_readings.as_written, trial.predict)
            ]
            found.append([float(np.sum(joint * np.exp(exponent))) for exponent in exponents])
        value, error = richardson(found[0][0], found[1][0])
        written.append(value)
        grid_errors.append(error)
        tested.append(found[0][1])
        yield gridded(
            f"⟨e^{{−ΔL/T}}⟩, trap in equilibrium, μkt = {time:.3g}",
            relaxing_trap.exponential_loss(stiffness=1.0, duration=time), value, error,
        )  # fmt: skip
    grid = fp.Grid(x=(-3.0, 3.0, 240))
    joint, loss, entropy = _ends(WELL, TEMPERATURE, grid, fp.gaussian(grid, [0.6], [[0.1]]), 0.7)
    for name, form in (("form under test", trial.predict), ("loss reduction", learning_readings.marginal)):
        exponent = form(loss_change=loss, entropy_change=entropy, temperature=TEMPERATURE)
        average = float(np.sum(joint * np.exp(exponent)))
        # A generator with detailed balance obeys the theorem itself; the matrix exponential rounds.
        yield rounded(f"⟨e^X⟩, double well, {name}", 1.0, average, rounding=1e-9, source="matrix exponential")
    yield Series(
        "Readings in a trap in equilibrium",
        "μkt",
        "average",
        (Curve("as written, e^{μkt}", times, np.exp(times)), Curve("corrected", times, np.ones_like(times))),
        (Points("written form, grid", times, written, grid_errors), Points("form under test, grid", times, tested)),
    )


def _ends(
    landscape: fp.Landscape, temperature: float, grid: fp.Grid, start: np.ndarray, time: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return P(last, first), ΔL and Δs of a relaxation on a grid."""
    from scipy.linalg import expm

    W: Any = fp.generator(fp.Langevin(landscape, temperature=temperature), grid)
    kernel = expm(W.matrix.toarray() * time)
    first = np.asarray(start) * grid.volumes
    last = kernel @ first
    loss = landscape.value(grid.points)
    held = first > 0.0
    before, after = np.log(first[held] / grid.volumes[held]), np.log(last / grid.volumes)
    return kernel[:, held] * first[held], loss[:, None] - loss[held], before - after[:, None]


@A2_2.check
def weight_that_learns(trial: Trial) -> Iterator[Comparison | Series]:
    """Average over trajectories of a weight that learns a binary label: with ΔI, without, and with ΔI reversed."""
    n = trial.pick(brief=40_000, quick=1_000_000, full=10_000_000)
    # L = (w − y)²/2 with a label y = ±1; by symmetry, trajectories of y = 1 stand for both.
    taught, duration, dt = fp.Landscape("(x - 1)**2/2"), 1.0, 0.5
    bounds = []
    for number, (name, mean) in enumerate((("θ_0 independent of the data", 0.0), ("θ_0 knows the data", 0.5))):
        start = fp.Gaussian([mean], 1.0)
        ensemble = fp.simulate(
            fp.Langevin(taught, temperature=1.0), n, start, dt, duration, seed=trial.seed, experiment=5220 + number,
            scheme="ornstein-uhlenbeck", functionals="heat", density=start,
        )  # fmt: skip
        last, heat = ensemble.final[:, 0], ensemble.values("heat")
        # −Q = ΔL, so that the first position follows from heat up to a sign: the record of its density says which.
        first_log = ensemble.values("initial_log_density")
        final_mean, final_variance = relaxing_trap.moments(
            mean - 1.0, 1.0, stiffness=1.0, temperature=1.0, duration=duration
        )
        loss_first = 0.5 * (last - 1.0) ** 2 + heat
        first = _first_position(loss_first, first_log, mean)
        before, after = (
            _mixture(points, centre, variance)
            for points, centre, variance in ((first, mean, 1.0), (last, 1.0 + final_mean, final_variance))
        )
        quantities = {
            "loss_change": -heat,
            "entropy_change": before[0] - after[0],
            "information_change": after[1] - before[1],
            "temperature": 1.0,
        }
        found = integral_theorem(-trial.predict(**quantities))
        yield statistical(f"⟨e^X⟩, {name}", 1.0, found.average, found.standard_error)
        without = integral_theorem(-learning_readings.marginal(**quantities))
        if number == 0:
            yield statistical(f"⟨e^X⟩ without ΔI, {name}", 1.0, without.average, without.standard_error)
        elif trial.effort != "brief":
            yield misses(f"⟨e^X⟩ without ΔI, {name}", 1.0, without.average, without.standard_error)
        budget = quantities["entropy_change"] + heat - quantities["information_change"]
        yield bounded(f"⟨ΔI⟩ ≤ ΔS + ⟨Q⟩/T, {name}", 0.0, budget.mean(), budget.std() / math.sqrt(n), side="≥")
        bounds.append((float(quantities["information_change"].mean()), float(budget.mean())))
    yield Series(
        "What a weight learns, and what is left of the bound",
        "start (0: independent of the data, 1: knows the data)",
        "nats",
        points=(
            Points("⟨ΔI⟩", [0.0, 1.0], [one[0] for one in bounds]),
            Points("ΔS + ⟨Q⟩/T − ⟨ΔI⟩", [0.0, 1.0], [one[1] for one in bounds]),
        ),
    )


def _first_position(loss: np.ndarray, log_density: np.ndarray, mean: float) -> np.ndarray:
    """Return x from (x − 1)²/2 and from ln p of N(mean, 1), whose difference is linear in x."""
    # −ln p − ½ ln 2π = (x − m)²/2; less (x − 1)²/2 this is x(1 − m) + (m² − 1)/2.
    gap = -log_density - 0.5 * math.log(2.0 * math.pi) - loss
    return (gap - 0.5 * (mean**2 - 1.0)) / (1.0 - mean)


def _mixture(points: np.ndarray, mean: float, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return ln p(w) and i(w; y = 1) = ln p(w|y)/p(w) of Gaussians with opposite means for both labels."""
    given = -0.5 * ((points - mean) ** 2 / variance + math.log(2.0 * math.pi * variance))
    information = math.log(2.0) - np.logaddexp(0.0, -2.0 * mean * points / variance)
    return given - information, information


@A2_2.check
def learning_by_quadrature(trial: Trial) -> Iterator[Comparison | Series]:
    """Integrate over both ends of a weight that learns a label, by how much it knew: every reading."""
    knowledge = np.linspace(0.0, 0.75, trial.pick(brief=4, quick=7, full=13))
    x = np.linspace(-11.0, 13.0, 481)
    kept = math.exp(-1.0)
    spread = 1.0 - kept**2
    averages: dict[str, list[float]] = {"form under test": [], "without ΔI": [], "with −ΔI": []}
    forms = (trial.predict, learning_readings.marginal, learning_readings.opposite_information)
    for mean in knowledge:
        before, after = _mixture(x, mean, 1.0), _mixture(x, 1.0 + kept * (mean - 1.0), 1.0)
        # A Gaussian of variance one stays one; the label is 1, which by symmetry stands for both.
        step = np.exp(-0.5 * (x - 1.0 - kept * (x[:, None] - 1.0)) ** 2 / spread) / math.sqrt(2.0 * math.pi * spread)
        joint = np.exp(before[0] + before[1])[:, None] * step * (x[1] - x[0]) ** 2
        quantities = {
            "loss_change": 0.5 * (x - 1.0) ** 2 - 0.5 * (x[:, None] - 1.0) ** 2,
            "entropy_change": before[0][:, None] - after[0],
            "information_change": after[1] - before[1][:, None],
        }
        for values, form in zip(averages.values(), forms, strict=True):
            values.append(float(np.sum(joint * np.exp(form(**quantities, temperature=1.0)))))
        # The trapezoidal rule is spectral for Gaussians; what lies outside is below e^{−50}.
        average = averages["form under test"][-1]
        yield rounded(f"⟨e^X⟩, ⟨θ_0⟩ = {mean:g} times the label", 1.0, average, rounding=1e-9, source="quadrature")
    yield rounded(
        "⟨e^X⟩ without ΔI, θ_0 independent", 1.0, averages["without ΔI"][0], rounding=1e-9, source="quadrature"
    )
    yield misses("⟨e^X⟩ without ΔI, θ_0 knows the data", 1.0, averages["without ΔI"][-1], 0.0, margin=0.1)
    yield misses("⟨e^X⟩ with −ΔI, θ_0 independent", 1.0, averages["with −ΔI"][0], 0.0, margin=0.1)
    yield Series(
        "Readings for a weight that learns a binary label",
        "how much it knew, ⟨θ_0⟩ over the label",
        "⟨e^X⟩",
        (Curve("one", knowledge, np.ones_like(knowledge)),),
        tuple(Points(name, knowledge, values) for name, values in averages.items()),
    )


@A2_2.check
def measurement_and_feedback(trial: Trial) -> Iterator[Comparison | Series]:
    """Integrate over position and measurement in a trap that is moved to the posterior mean: −(W − ΔF)/T − i holds."""
    variances = np.linspace(2.0, 12.0, trial.pick(brief=6, quick=21, full=21))
    with_information, without = [], []
    for variance in variances:
        weights, work, information = _moved_trap(variance)
        exponent = learning_readings.feedback(work=work, information=information, temperature=1.0)
        with_information.append(float(np.sum(weights * np.exp(exponent))))
        without.append(float(np.sum(weights * np.exp(-work))))
        name = f"measured with the variance {variance:g}"
        mean, expected = float(np.sum(weights * work)), -0.5 / (1.0 + variance)
        yield rounded(f"⟨W⟩, {name}", expected, mean, rounding=1e-9, source="quadrature")
        yield rounded(f"⟨e^{{−W/T − i}}⟩, {name}", 1.0, with_information[-1], rounding=1e-6, source="quadrature")
    opposite = learning_readings.feedback(work=work, information=-information, temperature=1.0)
    average = np.sum(weights * np.exp(opposite))
    yield misses(f"⟨e^{{−W/T + i}}⟩, {name}", 1.0, average, 0.0, margin=0.1)
    yield Series(
        "Feedback in a trap",
        "variance of the measurement",
        "average",
        (
            Curve("⟨e^{−W/T − i}⟩ = 1", variances, np.ones_like(variances)),
            Curve("⟨e^{−W/T}⟩ = 1 + 1/s²", variances, 1.0 + 1.0 / variances),
        ),
        (Points("with −i", variances, with_information), Points("without i", variances, without)),
    )


def _moved_trap(variance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights, W and i over position x (variance one) and measurement y, by Gauss–Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    x, y = nodes[:, None], nodes[:, None] + math.sqrt(variance) * nodes
    gain = 1.0 / (1.0 + variance)
    work = 0.5 * (x - gain * y) ** 2 - 0.5 * x**2
    information = 0.5 * math.log(1.0 + 1.0 / variance) - 0.5 * (y - x) ** 2 / variance + 0.5 * y**2 / (1.0 + variance)
    return weights[:, None] * weights, work, information


A1_2B = claim(
    "A1.2b",
    family="fluctuations",
    title="Entropy of the medium",
    as_written="s_m = W/T.",
    statement="s_m = Q/T = (W − ΔL)/T with the work W of the protocol; it is W/T only where W = ∫F∘dθ is the work of "
    "the whole force. In training on a fixed loss the protocol does no work, and the written s_m is zero.",
    verdict="false as written",
    sources=("K. Sekimoto, Prog. Theor. Phys. Suppl. 130, 17 (1998)", SEIFERT),
    written=learning_readings.medium_entropy_of_protocol,
    corrected=learning_readings.medium_entropy,
)


@A1_2B.check
def relaxation_without_work(trial: Trial) -> Iterator[Comparison | Series]:
    """Sum ⟨e^{−Δs − s_m}⟩ over both ends of a two-level system, and of a double well on a grid, at a fixed loss."""
    gaps = np.linspace(0.25, 4.0, 16)
    averages = []
    for gap in gaps:
        joint, loss, entropy = _two_levels(gap, 1.0)
        medium = trial.predict(work=0.0 * loss, loss_change=loss, temperature=1.0)
        averages.append(float(np.sum(joint * np.exp(-entropy - medium))))
    yield rounded("⟨e^{−Δs_tot}⟩, two levels, ε = T", 1.0, averages[3], rounding=1e-13, source="sum of four terms")
    grid = fp.Grid(x=(-3.0, 3.0, 240))
    joint, loss, entropy = _ends(WELL, TEMPERATURE, grid, fp.gaussian(grid, [0.6], [[0.1]]), 0.7)
    medium = trial.predict(work=0.0 * loss, loss_change=loss, temperature=TEMPERATURE)
    average = float(np.sum(joint * np.exp(-entropy - medium)))
    yield rounded("⟨e^{−Δs_tot}⟩, double well", 1.0, average, rounding=1e-9, source="matrix exponential")
    yield Series(
        "Integral theorem with either entropy of the medium, two levels",
        "ε/T",
        "⟨e^{−Δs_tot}⟩",
        (
            Curve("s_m = Q/T", gaps, np.ones_like(gaps)),
            Curve("s_m = W/T", gaps, [float(two_level.without_heat(gap=gap, temperature=1.0)) for gap in gaps]),
        ),
        (Points("form under test, sum over ends", gaps, averages),),
    )


@A1_2B.check
def work_of_the_force_or_of_the_protocol(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare (W − ΔL)/T and the work of the force, ∫F∘dθ/T, along driven trajectories; and average e^{−Δs − s_m}."""
    n = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    dynamics = fp.Langevin(
        fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0}),
        temperature=TEMPERATURE,
        protocol={"k": fp.Protocol("1 + t")},
    )
    start, end = fp.Gaussian([1.0], 0.5), fp.Gaussian([0.3], 0.4)
    ensemble = fp.simulate(
        dynamics, n, start, 0.125, 1.0, seed=trial.seed, experiment=5260, scheme="ornstein-uhlenbeck",
        functionals=("work", fp.PathIntegral("-k*x", name="force_work"), "heat"), density=(start, end),
    )  # fmt: skip
    work, heat = ensemble.values("work"), ensemble.values("heat")
    loss_change = work - heat
    medium = trial.predict(work=work, loss_change=loss_change, temperature=TEMPERATURE)
    force = ensemble.values("force_work") / TEMPERATURE
    yield Comparison(
        "largest |s_m − ∫F∘dθ/T|", 0.0, float(np.abs(medium - force).max()), 0.0, "rounding", 1e-10,
        "rounding of the sums along a path",
    )  # fmt: skip
    found = integral_theorem(ensemble.values("system_entropy") + medium)
    yield statistical("⟨e^{−Δs_tot}⟩, driven trap", 1.0, found.average, found.standard_error)
