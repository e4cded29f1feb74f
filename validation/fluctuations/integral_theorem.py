"""A2.1 and E16: the integral theorem for any start, where it is less than one, and between steady states."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.linalg import expm
from scipy.special import ndtr

import fpsolver as fp
from fpsolver.theory import linear_diffusion, relaxing_trap, stationary_sgd
from fpsolver.thermodynamics.fluctuation_theorems import integral_theorem
from fpsolver.thermodynamics.hatano_sasa import switched_steady_states
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

BOX = (-0.5, 1.0)
TRAP = {"stiffness": 1.0, "temperature": 1.0}

A2_1 = claim(
    "A2.1",
    family="fluctuations",
    title="Integral fluctuation theorem",
    as_written="⟨e^{−Δs_tot}⟩ = 1 for arbitrary initial conditions.",
    statement="For Markov dynamics, true p_0 and p_t (any normalised final weight also works), any protocol, any "
    "finite time, ⟨e^{−Δs_tot}⟩ = 1 where forward and reverse paths have the same support. Elsewhere it is the "
    "probability of reverse paths that have a forward partner, below one: for a start that is confined, that of "
    "ending in its support; for steps of bounded noise it is below one from any start, and zero where no step has a "
    "reverse.",
    verdict="exact",
    sources=(
        "U. Seifert, Phys. Rev. Lett. 95, 040602 (2005), eq. (15)",
        "Y. Murashita, K. Funo, M. Ueda, Phys. Rev. E 90, 042110 (2014)",
    ),
    written=relaxing_trap.box_unity,
    corrected=relaxing_trap.box_return,
)  # fmt: skip

DRIVEN = {
    "wavy well, driven force, long steps": (
        fp.Langevin(
            fp.Landscape("a*x**2/2 + cos(2*x)/4", variables=("x",), parameters={"a": 1.0}),
            temperature=0.4,
            protocol={"a": fp.Protocol("1 + t")},
        ),
        fp.Gaussian([0.3], 0.5),
        fp.Gaussian([0.1], 0.3),
        "euler-maruyama",
    ),
    "plane, rotating force, driven": (
        fp.Langevin(
            fp.Landscape("a*x**2/2 + x*y/2 + y**2", variables=("x", "y"), parameters={"a": 1.0}),
            temperature=0.5,
            force=("0.3*y", "-0.3*x"),
            protocol={"a": fp.Protocol("1 + t")},
        ),
        fp.Gaussian([0.0, 0.2], [0.6, 0.4]),
        fp.Gaussian([0.0, 0.0], [0.35, 0.25]),
        "ornstein-uhlenbeck",
    ),
    "heated while it relaxes": (
        fp.Langevin(
            fp.Landscape("x**2/2 + cos(2*x)/4"), temperature=0.4, protocol={"temperature": fp.Protocol("0.4 + t/4")}
        ),
        fp.Gaussian([0.0], 0.4),
        fp.Gaussian([0.0], 0.5),
        "euler-maruyama",
    ),
}


@A2_1.check
def any_protocol_and_final_weight(trial: Trial) -> Iterator[Comparison | Series]:
    """Average e^{−Δs_tot} along trajectories in long steps, with their discrete path weight and any final weight."""
    n = trial.pick(brief=20_000, quick=1_000_000, full=20_000_000)
    found = []
    for number, (name, (dynamics, start, end, scheme)) in enumerate(DRIVEN.items()):
        ensemble = fp.simulate(
            dynamics, n, start, 0.25, 1.0, seed=trial.seed, experiment=5100 + number, scheme=scheme,
            functionals="entropy_flow", density=(start, end),
        )  # fmt: skip
        found.append(integral_theorem(ensemble))
        yield statistical(f"⟨e^{{−Δs}}⟩, {name}", 1.0, found[-1].average, found[-1].standard_error)
    places = np.arange(len(found))
    yield Series(
        "Integral theorem under driving",
        "case",
        "⟨e^{−Δs_tot}⟩",
        (Curve("one", places, np.ones(len(found))),),
        (Points("trajectories", places, [one.average for one in found], [one.standard_error for one in found]),),
    )


@A2_1.check
def start_in_a_box(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the form with the mass that returns to the box on a grid, and with trajectories, at several times."""
    n = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    times = np.array([0.125, 0.5, 1.0, 2.0])
    grids = [
        fp.Grid(x=(-6.5, 6.5, cells)) for cells in trial.pick(brief=(260, 130), quick=(1040, 520), full=(2080, 1040))
    ]
    trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0)
    uniform = BOX[0] + (BOX[1] - BOX[0]) * np.random.default_rng([trial.seed, 5110]).random(n)
    forms, returned, averages = [], [], []
    for number, time in enumerate(times):
        form = trial.predict(*BOX, **TRAP, duration=time)
        forms.append(float(form))
        value, error = richardson(*(_mass_that_returns(trap, grid, time) for grid in grids))
        returned.append(value)
        yield gridded(f"mass that returns to the box, t = {time:g}", form, value, error)

        def density(points: np.ndarray, t: float, time: float = time) -> np.ndarray:
            if t == 0.0:
                return ((points[..., 0] >= BOX[0]) & (points[..., 0] <= BOX[1])) / (BOX[1] - BOX[0])
            return relaxing_trap.box_density(points[..., 0], *BOX, **TRAP, duration=time)

        ensemble = fp.simulate(
            trap, n, uniform, time / 2.0, time, seed=trial.seed, experiment=5111 + number, scheme="ornstein-uhlenbeck",
            functionals="entropy_flow", density=density,
        )  # fmt: skip
        found = integral_theorem(ensemble)
        averages.append((found.average, found.standard_error))
        yield statistical(f"⟨e^{{−Δs}}⟩ from a box, t = {time:g}", form, found.average, found.standard_error)
    fine = np.geomspace(0.02, 4.0, 60)
    exact = [float(relaxing_trap.box_return(*BOX, **TRAP, duration=time)) for time in fine]
    yield Series(
        "Absolute irreversibility of a start in a box",
        "μkt",
        "⟨e^{−Δs_tot}⟩",
        (Curve("reverse paths that end in the box", fine, exact), Curve("as written", fine, np.ones_like(fine))),
        (
            Points("grid", times, returned),
            Points("trajectories", times, [one for one, _ in averages], [error for _, error in averages]),
        ),
        "x",
    )


def _mass_that_returns(trap: fp.Langevin, grid: fp.Grid, time: float) -> float:
    """Return the mass in the box after a relaxation there and, since the motion is its own reverse, once more."""
    W = fp.generator(trap, grid)
    inside = (grid.points[..., 0] > BOX[0]) & (grid.points[..., 0] < BOX[1])
    last = fp.evolve(W, fp.density(grid, inside.astype(float)), times=[2.0 * time]).densities[-1]
    return float(np.sum((last * grid.volumes)[inside]))


@A2_1.check
def steps_without_reverse(trial: Trial) -> Iterator[Comparison | Series]:
    """Average over one step of bounded noise, beside the share of steps back that exist; none for two-valued noise."""
    n = trial.pick(brief=100_000, quick=1_000_000, full=10_000_000)
    rng = np.random.default_rng([trial.seed, 5120])
    widths, found, predicted = np.array([0.25, 0.5, 1.0, 2.0]), [], []
    for width in widths:
        before = rng.normal(size=n)
        after = 0.5 * before + width * rng.uniform(-1.0, 1.0, n)
        possible = np.abs(before - 0.5 * after) <= width
        # Where a reverse step exists it has the density of the forward one, so that only the system's entropy changes.
        change = -0.5 * before**2 - 0.5 * math.log(2.0 * math.pi) - np.log(_after_one_step(after, width))
        one = integral_theorem(np.where(possible, change, np.inf))
        found.append(one)
        predicted.append(_reverse_share(width))
        yield statistical(
            f"⟨e^{{−Δs}}⟩, uniform noise of half-width {width:g}", predicted[-1], one.average, one.standard_error
        )
    signs = rng.choice([-1.0, 1.0], n)
    before = rng.normal(size=n)
    reverse = before - 0.5 * (0.5 * before + signs)
    share = float(np.mean(np.isin(np.abs(reverse), 1.0)))
    yield rounded("share of steps with a reverse, two-valued noise", 0.0, share, rounding=0.0, source="a null set")
    yield Series(
        "One step of uniform noise, θ' = θ/2 + au",
        "a",
        "⟨e^{−Δs_tot}⟩",
        (Curve("reverse steps that exist", widths, predicted),),
        (Points("steps", widths, [one.average for one in found], [one.standard_error for one in found]),),
    )


def _after_one_step(points: np.ndarray, width: float) -> np.ndarray:
    """Return the density of θ/2 + au with θ from N(0, 1) and u uniform between −1 and 1."""
    return (ndtr(2.0 * (points + width)) - ndtr(2.0 * (points - width))) / (2.0 * width)


def _reverse_share(width: float) -> float:
    """Return the probability that a step back, from the density after the step, could have been taken forward."""
    x = np.linspace(-width - 5.0, width + 5.0, 20_001)
    # θ = x/2 + au has the forward step x − θ/2 = 3x/4 − au/2, which must not be longer than a.
    upper, lower = (1.5 * x / width + 2.0 * sign for sign in (1.0, -1.0))
    share = np.clip(np.minimum(upper, 1.0) - np.maximum(lower, -1.0), 0.0, None) / 2.0
    return float(np.trapezoid(_after_one_step(x, width) * share, x))


E16 = claim(
    "E16",
    family="fluctuations",
    title="Transitions between steady states, and housekeeping",
    as_written="⟨e^{−∫λ̇ ∂_λφ dt}⟩ = 1 with φ = −ln p_ss(θ; λ), and ⟨e^{−q_hk/T}⟩ = 1.",
    statement="The first holds for a start in the steady state of λ_0, at any speed, also out of equilibrium; the "
    "second from any start, with q_hk the work of the force that keeps the steady state's local mean velocity. Both "
    "averages are those of true path ensembles (the dual process), so that ⟨∫λ̇ ∂_λφ dt⟩ and ⟨q_hk⟩ are not negative.",
    verdict="exact",
    sources=(
        "T. Hatano, S. Sasa, Phys. Rev. Lett. 86, 3463 (2001)",
        "T. Speck, U. Seifert, J. Phys. A 38, L581 (2005)",
    ),
)


def _ring(force: float, height: float) -> fp.Langevin:
    landscape = fp.Landscape("h*cos(x)", variables=("x",), parameters={"h": height})
    return fp.Langevin(landscape, temperature=1.0, force=(force,))


def _cells(number: int) -> fp.Grid:
    return fp.Grid(x=fp.Axis(0.0, 2.0 * np.pi, number, boundary="periodic"))


@E16.check
def densities_on_a_ring(trial: Trial) -> Iterator[Comparison | Series]:
    """Average over a ring's jump process: e^{−Y} by reweighting at each switch, e^{−Σ_hk} by the tilted generator."""
    from scipy.linalg import expm

    grid, duration = _cells(trial.pick(brief=48, quick=96, full=192)), 1.0
    numbers = [1, 2, 4, 8, 16]
    averages, means = [], []
    for number in numbers:
        shares = np.linspace(0.0, 1.0, number + 1)
        stages: list[Any] = [fp.generator(_ring(0.5 + 2.0 * s, 1.0 - 1.5 * s), grid) for s in shares]
        steady = [np.asarray(fp.stationary(W)) * grid.volumes for W in stages]
        true, weighted, mean = steady[0], steady[0], 0.0
        for W, old, new in zip(stages[1:], steady, steady[1:], strict=False):
            mean += float(np.sum(true * np.log(old / new)))
            kernel = expm(W.matrix.toarray() * (duration / number))
            true, weighted = kernel @ true, kernel @ (weighted * new / old)
        averages.append(float(weighted.sum()))
        means.append(mean)
        # A hundred sums of as many products, each rounded.
        yield rounded(f"⟨e^{{−Y}}⟩, {number} switches", 1.0, averages[-1], rounding=1e-10, source="matrix exponential")
    matrix = stages[-1].matrix.toarray()
    # The rate of a jump times e^{−ln(k_ij π_i/k_ji π_j)} is that of the dual process.
    dual = matrix.T * steady[-1][:, None] / steady[-1]
    start = np.asarray(fp.density(grid, lambda x: 1.0 + 0.9 * np.sin(x))) * grid.volumes
    average = float((expm(dual * duration) @ start).sum())
    yield rounded("⟨e^{−Σ_hk}⟩, any start", 1.0, average, rounding=1e-10, source="matrix exponential")
    yield Series(
        "From steady state to steady state in so many switches",
        "switches",
        "⟨e^{−Y}⟩, ⟨Y⟩",
        (Curve("⟨e^{−Y}⟩ = 1", numbers, np.ones(len(numbers))),),
        (Points("⟨e^{−Y}⟩, densities", numbers, averages), Points("⟨Y⟩, densities", numbers, means)),
        "x",
    )


@E16.check
def trajectories_on_a_ring(trial: Trial) -> Iterator[Comparison | Series]:
    """Average e^{−Y} and e^{−Σ_hk} over trajectories between steady states of a ring."""
    n, dt = trial.pick(brief=(20_000, 0.1), quick=(1_000_000, 0.1), full=(10_000_000, 0.05))
    stages = [(_ring(0.5, 1.0), 0.0), (_ring(1.0, 0.5), 0.3), (_ring(1.5, -0.5), 0.5)]
    found = switched_steady_states(stages, _cells(512), n=n, dt=dt, seed=trial.seed, experiment=5160)
    # Heun's scheme is of second weak order.
    step = dt**2 / 12.0
    for name, values in (("Y", found.hatano_sasa), ("Σ_hk", found.housekeeping)):
        one = integral_theorem(values)
        yield statistical(
            f"⟨e^{{−{name}}}⟩, ring", 1.0, one.average, one.standard_error, bias=step, bias_source="time step, dt²/12"
        )


@E16.check
def gyrator(trial: Trial) -> Iterator[Comparison | Series]:
    """Average e^{−Y} and e^{−Σ_hk} over exact steps of a trap with two temperatures, whose steady states are known."""
    n = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    couplings, noise = (0.5, 0.2, 0.4), np.diag([1.0, 2.0])
    covariances = [linear_diffusion.stationary_covariance([[1.0, u], [u, 1.0]], noise) for u in couplings]
    steady = [fp.Gaussian([0.0, 0.0], covariance) for covariance in covariances]
    dynamics = [
        fp.Langevin(fp.Landscape(f"(x**2 + y**2)/2 + ({u})*x*y"), diffusion=("1", "2"), convention="ito")
        for u in couplings
    ]
    points = steady[0].sample(np.random.default_rng([trial.seed, 5170]).normal(size=(n, 2)))
    functional = np.zeros(n)
    for number in (1, 2):
        functional += steady[number - 1].log_density(points) - steady[number].log_density(points)
        points = fp.simulate(
            dynamics[number], n, points, 0.5, 0.5, seed=trial.seed, experiment=5170 + number,
            scheme="ornstein-uhlenbeck",
        ).final  # fmt: skip
    one = integral_theorem(functional)
    yield statistical("⟨e^{−Y}⟩, gyrator", 1.0, one.average, one.standard_error)
    yield misses("⟨Y⟩ = 0, gyrator", 0.0, one.mean, float(functional.std()) / math.sqrt(n))
    # Σ_hk is what the entropy flow has beyond −Δφ: with the steady density in place of the true one, the "total".
    for number, start in enumerate((steady[0], fp.Gaussian([0.7, 0.0], [1.2, 1.0]))):
        ensemble = fp.simulate(
            dynamics[0], n, start, 0.5, 2.0, seed=trial.seed, experiment=5173 + number, scheme="ornstein-uhlenbeck",
            functionals="entropy_flow", density=steady[0],
        )  # fmt: skip
        one = integral_theorem(ensemble)
        yield statistical(
            f"⟨e^{{−Σ_hk}}⟩, gyrator from {('its steady state', 'elsewhere')[number]}", 1.0, one.average,
            one.standard_error,
        )  # fmt: skip
        if number == 0:
            spread = float(ensemble.values("entropy_production").std()) / math.sqrt(n)
            # Seen at intervals of ½ the circulation is partly hidden: its measure is the chain x' = e^{−A/2} x + noise.
            kept = expm(-0.5 * np.array([[1.0, couplings[0]], [couplings[0], 1.0]]))
            kicks = covariances[0] - kept @ covariances[0] @ kept.T
            each = stationary_sgd.chain_entropy_production(np.eye(2) - kept, kicks, learning_rate=1.0)
            yield statistical("⟨Σ_hk⟩ of the steady state, four steps", 4.0 * each.value, one.mean, spread)
