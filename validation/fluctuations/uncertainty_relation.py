"""Claim E3: the thermodynamic uncertainty relation, how tight it gets, and the dynamics that break it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.dynamics.networks import markov_network
from fpsolver.theory import tilted_ring, trap_and_curl, uncertainty
from fpsolver.thermodynamics.entropy_estimation import entropy_production_from_currents
from fpsolver.thermodynamics.uncertainty import (
    chain_fluctuations,
    current_fluctuations,
    sharpest_current,
    uncertainty_product,
)
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
    power,
    richardson,
    rounded,
    statistical,
)

UNCERTAINTY = claim(
    "E3",
    family="fluctuations",
    title="The thermodynamic uncertainty relation",
    as_written="Var J · Σ/⟨J⟩² ≥ 2 for every current in every steady state",
    statement=(
        "Var J · Σ/⟨J⟩² ≥ 2 for currents of Markov jump processes and overdamped diffusion in steady states, over any "
        "time, with variables that are even under time reversal. Next to equilibrium the sharpest current exceeds 2 by "
        "a share of the order of the force squared. In discrete time with the entropy σ a step the long-time bound is "
        "2σ/(e^σ − 1), and a nearly deterministic walk goes to zero. With inertia there is no such bound at finite "
        "times: over a time t a dragged particle has 2[1 − (1 − e^{−γt})/γt]."
    ),
    verdict="bound",
    sources=(
        uncertainty.BARATO_SEIFERT,
        "T. R. Gingrich, J. M. Horowitz, N. Perunov, J. L. England, Phys. Rev. Lett. 116, 120601 (2016)",
        "J. M. Horowitz, T. R. Gingrich, Phys. Rev. E 96, 020103 (2017), for finite times",
        uncertainty.PROESMANS,
        "L. P. Fischer, P. Pietzonka, U. Seifert, Phys. Rev. E 97, 022143 (2018)",
    ),
    written=uncertainty.bound_as_written,
    corrected=uncertainty.bound,
)

SOLVED = 1e-9
"""Relative error of products from linear solves with rates over three decades."""


@UNCERTAINTY.check
def random_networks(trial: Trial) -> Iterator[Comparison | Series]:
    """Least product over currents of random networks in continuous time; the best current of each, and random ones."""
    random = np.random.default_rng(trial.seed)
    number = trial.pick(brief=40, quick=1_000, full=10_000)
    produced, products, drawn = np.zeros((3, number))
    for index in range(number):
        states, spread = random.integers(3, 9), 10.0 ** random.uniform(-2.0, 0.5)
        network = markov_network(np.exp(spread * random.normal(size=(states, states))))
        _, best = sharpest_current(network)
        some = current_fluctuations(network, random.normal(size=network.links))
        # Entropy per mean jump tells how far from equilibrium a network is, whatever its unit of time.
        jumps = -float(network.matrix.diagonal() @ network.stationary())
        produced[index], products[index], drawn[index] = best.entropy_production / jumps, best.product, some.product
    yield bounded("least product of random networks", trial.predict(), products.min(), SOLVED, side="≥")
    yield bounded("least product of random currents", trial.predict(), drawn.min(), SOLVED, side="≥")
    yield Series(
        "Products of the sharpest currents of random networks",
        "entropy production per jump",
        "uncertainty product",
        curves=(Curve("bound", [produced.min(), produced.max()], [2.0, 2.0]),),
        points=(Points("sharpest current", produced, products),),
        logarithmic="xy",
    )


@UNCERTAINTY.check
def saturation_next_to_equilibrium(trial: Trial) -> Iterator[Comparison | Series]:
    """Sharpest currents of a network with forces ε on its links: their product exceeds 2 by a share that goes as ε²."""
    forces = np.geomspace(0.001, 0.03, trial.pick(brief=6, quick=12, full=24))
    random = np.random.default_rng(trial.seed)
    energies, barriers, pushes = random.normal(size=5), random.normal(size=(5, 5)), random.normal(size=(5, 5))
    rates = [np.exp(energies - barriers - barriers.T + e * (pushes - pushes.T)) for e in forces]
    excess = np.array([sharpest_current(one)[1].product - float(trial.predict()) for one in rates])
    yield Series(
        "Sharpest current next to equilibrium",
        "force ε",
        "uncertainty product less its bound",
        curves=(Curve("∝ ε²", forces, excess[0] * (forces / forces[0]) ** 2),),
        points=(Points("linear solves", forces, excess),),
        logarithmic="xy",
        slope=power("power of ε", forces, excess, 2.0),
    )


@UNCERTAINTY.check
def biased_walks(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare A coth(A/2) of the biased walk with linear solves on a ring of three, and with sampled walks."""
    affinities = np.linspace(0.25, 6.0, trial.pick(brief=4, quick=12, full=24))
    solved = [_ring_product(affinity) for affinity in (1.0, *affinities)]
    yield rounded("walk at affinity 1", uncertainty.biased_walk(1.0), solved[0], rounding=1e-12)
    samples = trial.pick(brief=100_000, quick=1_000_000, full=10_000_000)
    random, points = np.random.default_rng(trial.seed), []
    for affinity in (1.0, 3.0):
        up, time = math.exp(affinity), 2.0
        counts = random.poisson(up * time, samples) - random.poisson(time, samples)
        entropy = (up - 1.0) * affinity * time
        mean, variance = counts.mean(), counts.var(ddof=1)
        deviations = counts - mean
        # First-order change of variance/mean² with one more sample.
        error = ((deviations**2 - variance) - 2.0 * variance / mean * deviations).std() / samples**0.5 / mean**2
        points.append((affinity, uncertainty_product(mean, variance, entropy), error * entropy))
        yield statistical(f"sampled walks at affinity {affinity:g}", uncertainty.biased_walk(affinity), *points[-1][1:])
    yield Series(
        "Product of the biased walk",
        "affinity A",
        "uncertainty product",
        curves=(
            Curve("A coth(A/2)", affinities, [float(uncertainty.biased_walk(a)) for a in affinities]),
            Curve("bound", affinities, np.full(len(affinities), 2.0)),
        ),
        points=(
            Points("ring of three states", affinities, solved[1:]),
            Points("sampled walks", *np.transpose(points)),
        ),
    )


@UNCERTAINTY.check
def discrete_time(trial: Trial) -> Iterator[Comparison | Series]:
    """Hold walks in discrete time and random chains against the bound for their entropy a step, which is below 2."""
    chances = np.linspace(0.55, 0.95, trial.pick(brief=5, quick=9, full=17))
    turn = np.roll(np.eye(5), 1, axis=0)
    walks = [chain_fluctuations(p * turn + (1.0 - p) * turn.T, turn - turn.T) for p in chances]
    for p, walk in zip(chances, walks, strict=True):
        yield rounded(f"walk with p = {p:.3g}", uncertainty.discrete_walk(p, 1.0 - p), walk.product, rounding=1e-12)
        yield bounded(f"bound at p = {p:.3g}", trial.predict(walk.entropy_production), walk.product, SOLVED, side="≥")
    random, lowest = np.random.default_rng(trial.seed), math.inf
    for _ in range(trial.pick(brief=50, quick=2_000, full=20_000)):
        states, spread = random.integers(3, 8), 10.0 ** random.uniform(-2.0, 0.7)
        chain = np.exp(spread * random.normal(size=(states, states)))
        weights = random.normal(size=(states, states))
        found = chain_fluctuations(chain / chain.sum(axis=0), weights - weights.T)
        lowest = min(lowest, found.product / float(trial.predict(found.entropy_production)))
    yield bounded("least ratio of the product to its bound, random chains", 1.0, lowest, SOLVED, side="≥")
    yield misses("bound of continuous time on the walk with p = 0.95", 2.0, walks[-1].product, SOLVED)
    steps = [walk.entropy_production for walk in walks]
    yield Series(
        "Product of a walk in discrete time",
        "entropy a step",
        "uncertainty product",
        curves=(
            Curve("4pq ln(p/q)/(p − q)", steps, [float(uncertainty.discrete_walk(p, 1.0 - p)) for p in chances]),
            Curve("2σ/(e^σ − 1)", steps, [float(uncertainty.bound(s)) for s in steps]),
            Curve("bound of continuous time", steps, np.full(len(steps), 2.0)),
        ),
        points=(Points("linear solves on a ring of five", steps, [walk.product for walk in walks]),),
    )


@UNCERTAINTY.check
def diffusion_on_a_ring(trial: Trial) -> Iterator[Comparison | Series]:
    """Windings over −cos x under a force: scaled cumulants on cells against quadrature, and both against the bound."""
    temperature, period, cells = 0.5, 2.0 * math.pi, trial.pick(brief=64, quick=200, full=400)
    landscape = fp.Landscape("-cos(x)")
    forces, rows = np.linspace(2.5, 0.25, trial.pick(brief=1, quick=8, full=16)), []
    for force in forces:
        system = {"force": float(force), "temperature": temperature, "period": period}
        velocity = float(tilted_ring.velocity(landscape, **system))
        spread = float(tilted_ring.diffusion(landscape, **system))
        closed = uncertainty_product(velocity, 2.0 * spread, float(force) * velocity / temperature)
        value, error = richardson(*(_winding_product(landscape, force, temperature, n) for n in (cells, cells // 2)))
        # The next order of the extrapolation is smaller than what it corrects by another (h/width)².
        yield gridded(f"product at F = {force:.3g}", closed, value, error)
        yield bounded(f"bound at F = {force:.3g}", trial.predict(), value, error, side="≥")
        rows.append((value, error, closed))
    values, errors, closed_forms = np.transpose(rows)
    yield Series(
        "Windings over a periodic potential",
        "force F",
        "uncertainty product",
        curves=(Curve("quadrature", forces, closed_forms), Curve("bound", forces, np.full(len(forces), 2.0))),
        points=(Points("scaled cumulants on cells", forces, values, errors),),
    )


@UNCERTAINTY.check
def inertia(trial: Trial) -> Iterator[Comparison | Series]:
    """Displacements of dragged particles with inertia in their steady state: the product is below 2 at short times."""
    if trial.effort == "brief":
        return
    force, friction, step = 0.8, 1.0, 0.05
    times = np.array([0.25, 0.5, 1.0, 2.0, 5.0])
    samples = trial.pick(brief=0, quick=1_000_000, full=4_000_000)
    dynamics = fp.UnderdampedLangevin(fp.Landscape(f"-{force}*x"), temperature=1.0, friction=friction)
    start = np.zeros((samples, 2))
    start[:, 1] = force / friction + np.random.default_rng(trial.seed).normal(size=samples)
    run = fp.simulate(
        dynamics, samples, start, step, float(times[-1]), seed=trial.seed, times=times.tolist(), observe=fp.Moments("x")
    )
    found: Any = run.observables["moments_x"]
    rows = []
    for index, time in enumerate(times):
        mean, variance = float(found.mean[index, 0]), float(np.ravel(found.covariance[index])[0])
        entropy = force**2 / friction * time
        product = uncertainty_product(mean, variance, entropy)
        # Gaussian displacements: the variance has the relative error √(2/n), the mean √(variance/n)/mean.
        error = product * math.sqrt(2.0 / samples + 4.0 * variance / samples / mean**2)
        predicted = uncertainty.underdamped_drift(friction, float(time))
        # Sampled are trapezoidal sums of velocities, whose variance and mean are off by (γ dt)²/12 of themselves.
        bias = product * (friction * step) ** 2 / 4.0
        yield statistical(f"product after t = {time:g}", predicted, product, error, bias=bias, bias_source="time step")
        rows.append((product, error, float(predicted)))
    products, errors, curve = np.transpose(rows)
    yield misses("bound of 2 after t = 0.25", 2.0, products[0], errors[0])
    yield Series(
        "Displacement of a dragged particle with inertia",
        "γt",
        "uncertainty product",
        curves=(Curve("2[1 − (1 − e^{−γt})/γt]", times, curve), Curve("2", times, np.full(len(times), 2.0))),
        points=(Points("trajectories", times, products, errors),),
        logarithmic="x",
    )


@UNCERTAINTY.check
def entropy_production_from_data(trial: Trial) -> Iterator[Comparison | Series]:
    """Entropy production of a trap with a curl, inferred from short displacements of trajectories by the relation.

    At a lag τ it is compared with the closed form for that lag, and it stays below σ = 2ε²/k.
    """
    stiffness, curl = 1.0, 1.5
    lags = trial.pick(brief=(0.1,), quick=(0.02, 0.05, 0.1, 0.2, 0.4), full=(0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8))
    samples = trial.pick(brief=20_000, quick=1_000_000, full=4_000_000)
    exact = float(trap_and_curl.entropy_production(stiffness=stiffness, curl=curl))
    rows = []
    for index, lag in enumerate(lags):
        before, after = trap_and_curl_pairs(stiffness, curl, lag, samples, trial.seed, index)
        found = entropy_production_from_currents(before, after, lag)
        predicted = trap_and_curl.uncertainty_estimate(stiffness=stiffness, curl=curl, lag=lag)
        yield statistical(f"inferred at the lag {lag:g}", predicted, found.value, found.standard_error)
        yield bounded(f"below σ at the lag {lag:g}", exact, found.value, found.standard_error, side="≤")
        rows.append((found.value, found.standard_error))
    values, errors = np.transpose(rows)
    curve = np.linspace(min(lags), max(lags), 60)
    forms = [float(trap_and_curl.uncertainty_estimate(stiffness=stiffness, curl=curl, lag=lag)) for lag in curve]
    yield Series(
        "Entropy production of a trap with a curl, inferred by the uncertainty relation",
        "lag τ",
        "entropy production",
        curves=(Curve("closed form", curve, forms), Curve("σ = 2ε²/k", curve, np.full(len(curve), exact))),
        points=(Points("trajectories", lags, values, errors),),
    )


def trap_and_curl_pairs(
    stiffness: float, curl: float, lag: float, samples: int, seed: int, experiment: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of independent particles in the steady state of the trap, and a lag later, at T = 1."""
    landscape = fp.Landscape(f"{stiffness / 2}*(x**2 + y**2)")
    dynamics = fp.Langevin(landscape, temperature=1.0, force=(f"{curl}*y", f"-{curl}*x"))
    start = np.random.default_rng([seed, experiment]).normal(size=(samples, 2)) / math.sqrt(stiffness)
    end = fp.simulate(dynamics, samples, start, lag, lag, seed=seed, experiment=experiment, scheme="ornstein-uhlenbeck")
    return start, end.final


def _ring_product(affinity: float) -> float:
    """Return the product of the current around a ring of three states with equal rates."""
    turn = np.roll(np.eye(3), 1, axis=0)
    network = markov_network(math.exp(affinity) * turn + turn.T)
    # The current through every link counts alike, in the sense of the ring.
    along = np.where(network.heads - network.tails == 1, 1.0, -1.0)
    return current_fluctuations(network, along).product


def _winding_product(landscape: fp.Landscape, force: float, temperature: float, cells: int) -> float:
    ring = fp.Grid(x=fp.Axis(0.0, 2.0 * math.pi, cells, boundary="periodic"))
    W = fp.generator(fp.Langevin(landscape, temperature=temperature, force=(str(force),)), ring)
    turns = fp.thermodynamics.scaled_cumulants(W, fp.thermodynamics.winding(W, "x"))
    rates = fp.thermodynamics.entropy_production(W, fp.stationary(W))
    return uncertainty_product(turns.mean, turns.variance, rates.total)
