"""A4.1 and B15: the Jarzynski equality, on traps, on chains at any learning rate, and from which starts it holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import dragged_trap, quadratic_chain, stiffening_trap
from fpsolver.thermodynamics import exponential_average
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    claim,
    misses,
    rounded,
    statistical,
)
from fpsolver.validation.fluctuations.driven_systems import TRAP, averaged, drag, stiffen, tilt, tilt_free_energy

A41 = claim(
    "A4.1",
    family="fluctuations",
    title="Jarzynski equality of dissipated work",
    as_written="⟨e^{−w_d/T}⟩ = 1 with w_d = W − ΔF, for SGD with the work of its loss as well.",
    statement="Exact for motion that starts in equilibrium and leaves e^{−L/T} invariant at each value of the "
    "parameters; the final state is arbitrary. SGD with a finite learning rate leaves another density invariant: "
    "started there, the equality is exact in any dimension, for Hessians that change and do not commute, with work and "
    "ΔF of the shadow loss L̃ = ½(θ − λ)ᵀH(1 − ηH/2)(θ − λ). The loss itself with T_st = T/(1 − ηk/2) in place of T "
    "serves for one fixed isotropic curvature k only.",
    verdict="exact",
    sources=(
        "C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997)",
        "O. Mazonka, C. Jarzynski, cond-mat/9912121 (1999)",
        "own derivation: the AR(1) chain is reversible with respect to e^{−L̃/T}",
    ),
    written=quadratic_chain.literal_hessian,
    corrected=quadratic_chain.shadow_hessian,
)

B15 = claim(
    "B15",
    family="fluctuations",
    title="Jarzynski equality and its start",
    as_written="⟨e^{−βW}⟩ = e^{−βΔF}",
    statement="Exact at any speed for a start in equilibrium, and for no other: from another Gaussian start of a trap "
    "whose stiffness changes the average is finite or infinite, depends on the speed, and becomes e^{−βΔF} only where "
    "the ramp takes long.",
    verdict="exact",
    sources=("C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997)", "T. Speck, J. Phys. A 44, 305001 (2011)"),
    written=stiffening_trap.exponential_work_as_written,
    corrected=stiffening_trap.exponential_work,
)


@A41.check
def work_of_moving_traps(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare mean, variance and exponential average of work on traps, dragged and stiffened, with closed forms."""
    paths = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    work = drag(1.0, paths=paths, seed=trial.seed, experiment=50)
    keywords = {"stiffness": 1.0, "speed": 1.0, "duration": 2.0}
    mean = float(dragged_trap.mean_work(**keywords))
    variance = float(dragged_trap.work_variance(temperature=1.0, **keywords))
    negative = float(dragged_trap.negative_work_probability(temperature=1.0, **keywords))
    yield statistical("dragged trap, mean work", mean, work.mean(), math.sqrt(variance / paths))
    yield statistical("dragged trap, variance", variance, work.var(ddof=1), variance * math.sqrt(2.0 / paths))
    spread = math.sqrt(negative * (1.0 - negative) / paths)
    yield statistical("dragged trap, P(W < 0)", negative, np.mean(work < 0.0), spread)
    yield statistical("dragged trap, ⟨e^{−w_d/T}⟩", 1.0, *averaged(work))
    yield weighted_histogram(work, mean, variance)
    if trial.effort == "brief":
        return
    difference = float(stiffening_trap.free_energy_difference(1.0, 2.0, temperature=1.0))
    for number, duration in enumerate((0.1, 1.0, 10.0)):
        work = stiffen(1.0, 2.0, duration=duration, paths=paths, seed=trial.seed, experiment=51 + number)
        expected = float(stiffening_trap.mean_work(1.0, 2.0, duration=duration, temperature=1.0))
        error = float(work.std(ddof=1)) / math.sqrt(paths)
        yield statistical(f"stiffened trap, mean work, t = {duration:g}", expected, work.mean(), error)
        yield statistical(f"stiffened trap, ⟨e^{{−w_d/T}}⟩, t = {duration:g}", 1.0, *averaged(work, difference))


def weighted_histogram(work: np.ndarray, mean: float, variance: float) -> Series:
    """Return the density of work at T = 1, and the same weighted with e^{−W}, which shows what the average rests on."""
    edges = np.linspace(-5.0, 8.0, 53)
    counts, centres = np.histogram(work, edges)[0], (edges[1:] + edges[:-1]) / 2.0
    seen, weights = counts > 0, np.exp(-centres)
    density, error = (some / len(work) / (edges[1] - edges[0]) for some in (counts, np.sqrt(counts)))
    gaussian = np.exp(-((centres - mean) ** 2) / (2.0 * variance)) / math.sqrt(2.0 * math.pi * variance)
    return Series(
        "Work on a trap dragged at unit speed for two units of time, T = 1",
        "work W",
        "density",
        (
            Curve("Gaussian of variance 2T⟨W⟩", centres, gaussian),
            Curve("times e^{−W/T}", centres, gaussian * weights),
        ),
        (
            Points("trajectories", centres[seen], density[seen], error[seen]),
            Points("times e^{−W/T}", centres[seen], (density * weights)[seen], (error * weights)[seen]),
        ),
    )


STEPS, SHIFT, RATE = 20, 0.1, 0.1
"""A trap of unit stiffness that jumps so often and so far before each SGD step of so large a learning rate."""


def jumping_chain(start_variance: float, paths: int, seed: int, experiment: int) -> np.ndarray:
    """Return the work of the loss along SGD in a trap that jumps before each step."""
    # The centre moves between the beginning of a step and its middle, where the step is taken.
    times = [RATE * (step + part) for step in range(STEPS) for part in (0.125, 0.25)]
    centres = [SHIFT * (step + part) for step in range(STEPS) for part in (0, 1)]
    dynamics = fp.Langevin(TRAP, temperature=1.0, protocol={"c": fp.Protocol.tabulated(times, centres)})
    return fp.simulate(
        dynamics, n=paths, initial=fp.Gaussian([0.0], start_variance), dt=RATE, t_final=STEPS * RATE, seed=seed,
        experiment=experiment, scheme="euler-maruyama", functionals="work",
    ).values("work")  # fmt: skip


@A41.check
def chain_in_a_jumping_trap(trial: Trial) -> Iterator[Comparison]:
    """Compare averages over SGD in a trap that jumps 20 times, η = 0.1, with 1 and with exact sums of Gaussians."""
    paths = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    share = float(trial.predict([[1.0]], learning_rate=RATE)[0, 0])
    keywords: dict[str, Any] = {"stiffness": 1.0, "shift": SHIFT, "steps": STEPS, "learning_rate": RATE}
    stationary = float(dragged_trap.chain_temperature(stiffness=1.0, temperature=1.0, learning_rate=RATE))
    mean = float(dragged_trap.chain_mean_work(**keywords))
    variance = float(dragged_trap.chain_work_variance(temperature=1.0, **keywords))
    stages = [([SHIFT * step], [[1.0]]) for step in range(STEPS + 1)]
    for number, (name, start) in enumerate((("its own state", stationary), ("the Gibbs state", 1.0))):
        work = jumping_chain(start, paths, trial.seed, 60 + number)
        for label, divisor in (("T", 1.0), ("T_st", stationary)):
            expected = quadratic_chain.exponential_work(
                stages, learning_rate=RATE, temperature=1.0, start_covariance=[[start]], work_temperature=divisor,
                energy=quadratic_chain.literal_hessian,
            )  # fmt: skip
            yield statistical(f"start in {name}, ⟨e^{{−W/{label}}}⟩", expected, *averaged(work, temperature=divisor))
        if number == 0:
            yield statistical("start in its own state, mean work", mean, work.mean(), math.sqrt(variance / paths))
            yield statistical(
                "start in its own state, variance", variance, work.var(ddof=1), variance * math.sqrt(2.0 / paths)
            )
            yield statistical(
                "start in its own state, work of the form's loss, ⟨e^{−w_d/T}⟩", 1.0, *averaged(share * work)
            )
            if trial.effort != "brief":
                yield misses("work of the loss itself at T", 1.0, *averaged(work))


def random_stages(rng: np.random.Generator, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return centres and Hessians that do not commute, in one to four dimensions, eigenvalues from 0.2 to 2."""
    d = int(rng.integers(1, 5))
    stages = []
    for _ in range(number):
        turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
        stages.append((rng.normal(size=d) / 3.0, turn @ np.diag(rng.uniform(0.2, 2.0, d)) @ turn.T))
    return stages


@A41.check
def chains_of_changing_hessians(trial: Trial) -> Iterator[Comparison]:
    """Compare exact averages over chains of random, non-commuting Hessians and centres with 1, at ηH up to 1.9."""
    rng = np.random.default_rng(trial.seed)
    for case in range(trial.pick(brief=3, quick=30, full=300)):
        stages, eta = random_stages(rng, 6), float(rng.uniform(0.05, 0.95))
        difference, average = exact_average(stages, eta, trial.predict)
        d = len(stages[0][0])
        yield rounded(
            f"chain {case}, {d} dimensions, η = {eta:.2g}", 1.0, average * math.exp(difference), rounding=1e-10,
            source="rounding of six inverses with condition numbers up to 1e3",
        )  # fmt: skip
    stages = [(np.zeros(1), np.array([[k]])) for k in np.linspace(1.0, 2.0, 21)]
    difference, average = exact_average(stages, 0.2, trial.predict)
    yield rounded("k from 1 to 2 at η = 0.2", 1.0, average * math.exp(difference), rounding=1e-10, source="rounding")


def exact_average(
    stages: list[tuple[np.ndarray, np.ndarray]], eta: float, energy: Callable[..., np.ndarray]
) -> tuple[float, float]:
    """Return ΔF and ⟨e^{−W}⟩ at T = 1 of a chain that starts in its own state, both with the given energy."""
    start = np.linalg.inv(quadratic_chain.shadow_hessian(stages[0][1], learning_rate=eta))
    first, last = (energy(stages[k][1], learning_rate=eta) for k in (0, -1))
    average = quadratic_chain.exponential_work(
        stages, learning_rate=eta, temperature=1.0, start_covariance=start, energy=energy
    )
    return float(quadratic_chain.free_energy_difference(first, last, temperature=1.0)), float(average)


@A41.check
def chain_of_turning_hessians_by_trajectories(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ⟨e^{−w_d/T}⟩ over simulated SGD in a trap that turns and tightens in the plane with 1."""
    paths = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    if not paths:
        return
    rng = np.random.default_rng(trial.seed)
    rates = np.array([0.1, 0.3, 0.5])
    both = np.array(
        [turning_chain(rate, (quadratic_chain.literal_hessian, trial.predict), paths, rng) for rate in rates]
    )
    for rate, (literal, form) in zip(rates, both, strict=True):
        yield statistical(f"loss of the form, η = {rate:g}", 1.0, *form)
        if rate >= 0.3:
            yield misses(f"loss itself, η = {rate:g}", 1.0, *literal)
    yield Series(
        "Jarzynski equality of SGD in a trap that turns and tightens, five steps",
        "learning rate η",
        "⟨e^{−(W − ΔF)/T}⟩",
        (Curve("exact for the shadow loss", rates, np.ones_like(rates)),),
        (
            Points("work of the loss itself", rates, *both[:, 0].T),
            Points("work of the shadow loss", rates, *both[:, 1].T),
        ),
    )


def turning_chain(
    eta: float, energies: tuple[Callable[..., np.ndarray], ...], paths: int, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Return ⟨e^{−w_d}⟩ at T = 1 and its error for each energy, over plain steps of SGD from the chain's own state."""
    stages = []
    for angle, stiff in zip(np.linspace(0.0, 1.2, 6), np.linspace(1.0, 2.0, 6), strict=True):
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        stages.append(turn @ np.diag([0.5, stiff]) @ turn.T)
    start = np.linalg.cholesky(np.linalg.inv(quadratic_chain.shadow_hessian(stages[0], learning_rate=eta)))
    x, y = rng.normal(size=(2, paths))
    x, y = start[0, 0] * x, start[1, 0] * x + start[1, 1] * y
    works = np.zeros((len(energies), paths))
    for before, after in pairwise(stages):
        for work, energy in zip(works, energies, strict=True):
            change = energy(after, learning_rate=eta) - energy(before, learning_rate=eta)
            work += 0.5 * (change[0, 0] * x**2 + 2.0 * change[0, 1] * x * y + change[1, 1] * y**2)
        xi = math.sqrt(2.0 * eta) * rng.normal(size=(2, paths))
        step = np.eye(2) - eta * after
        x, y = step[0, 0] * x + step[0, 1] * y + xi[0], step[1, 0] * x + step[1, 1] * y + xi[1]
    ends = [[energy(one, learning_rate=eta) for one in (stages[0], stages[-1])] for energy in energies]
    differences = [float(quadratic_chain.free_energy_difference(*pair, temperature=1.0)) for pair in ends]
    return [averaged(work, difference) for work, difference in zip(works, differences, strict=True)]


@B15.check
def starts_of_a_stiffening_trap(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ⟨e^{−W/T}⟩ of a trap stiffened from 1 to 2 with the form, from equilibrium and two other starts."""
    paths = trial.pick(brief=20_000, quick=1_000_000, full=4_000_000)
    durations = trial.pick(brief=(0.5,), quick=(0.1, 1.0), full=(0.1, 0.3, 1.0, 3.0, 10.0))
    starts = {"equilibrium": None, "colder, ⟨x²⟩ = ¼": 0.25, "hotter, ⟨x²⟩ = 4": 4.0}
    fine, curves, points = np.geomspace(0.05, 10.0, 25), [], []
    for number, (name, variance) in enumerate(starts.items()):
        found = []
        for k, duration in enumerate(durations):
            work = stiffen(
                1.0, 2.0, duration=duration, paths=paths, seed=trial.seed, experiment=70 + 10 * number + k,
                start_variance=variance,
            )  # fmt: skip
            found.append(averaged(work))
            form = trial.predict(1.0, 2.0, duration=duration, temperature=1.0, start_variance=variance)
            yield statistical(f"{name}, t = {duration:g}", form, *found[-1])
        exact = [
            float(stiffening_trap.exponential_work(1.0, 2.0, duration=t, temperature=1.0, start_variance=variance))
            for t in fine
        ]
        curves.append(Curve(name, fine, exact))
        points.append(Points(f"{name}, trajectories", durations, *np.array(found).T))
    yield Series(
        "Exponential average of the work of stiffening a trap from 1 to 2, T = 1",
        "duration of the ramp",
        "⟨e^{−W/T}⟩",
        tuple(curves),
        tuple(points),
        "x",
    )


@B15.check
def tilted_double_well(trial: Trial) -> Iterator[Comparison]:
    """Compare −T ln⟨e^{−W/T}⟩ of a double well tilted at three speeds with ΔF by quadrature, at two time steps."""
    paths = trial.pick(brief=0, quick=1_000_000, full=5_000_000)
    if not paths:
        return
    temperature, exact = 0.2, tilt_free_energy(0.0, 0.3, 0.2)
    for number, duration in enumerate((0.5, 2.0, 8.0)):
        coarse, fine = (
            exponential_average(
                tilt(
                    0.0, 0.3, temperature=temperature, duration=duration, dt=dt, paths=paths, seed=trial.seed,
                    experiment=100 + number,
                ),
                temperature,
            )
            for dt in (0.1, 0.05)
        )  # fmt: skip
        step = (abs(fine.value - coarse.value) + 2.0 * coarse.standard_error) / 3.0
        yield statistical(
            f"ΔF from {duration:g} units of time", exact, fine.value, fine.standard_error,
            bias=step, bias_source="error of the time step, a third of the change from twice the step",
        )  # fmt: skip
