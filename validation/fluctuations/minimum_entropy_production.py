"""Claim B17: the principle of minimum entropy production, and Schnakenberg's cycles."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.dynamics.networks import MarkovNetwork, markov_network
from fpsolver.theory import two_reservoirs
from fpsolver.thermodynamics.minimum_entropy_production import LeastProduction, least_entropy_production
from fpsolver.thermodynamics.network_cycles import cycle_decomposition
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
)

LEAST_PRODUCTION = claim(
    "B17",
    family="fluctuations",
    title="Minimum entropy production",
    as_written="dS/dt is minimal in the steady state",
    statement=(
        "In a steady state dS/dt = 0, which is no minimum: it changes sign there. What is nearly minimal is the total "
        "entropy production Σ̇(p) at fixed rates, and only near equilibrium with linear laws and variables that are "
        "even under time reversal: a force ε takes its minimum off the steady state by O(ε²) in general (ε³ for two "
        "like states), and Σ̇ there exceeds the least by O(ε⁴) of Σ̇ = O(ε²). Far from equilibrium the two "
        "differ. With inertia they differ at any force: Σ̇ is least without drift. What holds throughout is "
        "Σ̇ = Σ J A over cycles, with currents J and affinities A."
    ),
    verdict="false as written",
    sources=(
        "M. J. Klein, P. H. E. Meijer, Phys. Rev. 96, 250 (1954)",
        "Luo Jiu-li, C. Van den Broeck, G. Nicolis, Z. Phys. B 56, 165 (1984)",
        "R. Landauer, Phys. Rev. A 12, 636 (1975), for odd variables",
        "J. Schnakenberg, Rev. Mod. Phys. 48, 571 (1976), section VII",
    ),
    written=two_reservoirs.stationary,
    corrected=two_reservoirs.least_production,
)

CONVERGED = "Newton's method to rounding, times the condition of the Hessian"


@LEAST_PRODUCTION.check
def two_states_two_reservoirs(trial: Trial) -> Iterator[Comparison | Series]:
    """Where Σ̇ is least: root of its derivative against Newton's method on networks; and the steady state beside it."""
    cases = [[(1.0, 2.0), (3.0, 0.5)]]
    random = np.random.default_rng(trial.seed)
    cases += [[(float(a), float(b)) for a, b in np.exp(random.normal(size=(n, 2)))] for n in (2, 3, 5)]
    for rates in cases:
        name = ", ".join(f"({a:.3g}, {b:.3g})" for a, b in rates)
        network = _two_states(rates)
        found = least_entropy_production(network)
        yield rounded(f"p of least Σ̇, rates {name}", trial.predict(rates), found.p[0], rounding=1e-12, source=CONVERGED)
    network = _two_states(cases[0])
    found = least_entropy_production(network)
    steady, least = found.stationary_entropy_production, found.entropy_production
    production = two_reservoirs.entropy_production
    yield rounded("Σ̇ in the steady state", production(found.stationary[0], cases[0]), steady, rounding=1e-13)
    yield rounded("least Σ̇", production(float(found.p[0]), cases[0]), least, rounding=1e-13)
    yield misses("Σ̇ in the steady state, as if it were the least", steady, least, 1e-13 * steady)
    p = np.linspace(0.5, 0.8, 61)
    states = np.stack([p, 1.0 - p], axis=1)
    own = np.array([network.entropy_production(q) - network.entropy_flow(q) for q in states])
    yield bounded("lowest dS/dt between p = ½ and 0.8, which is 0 in the steady state", 0.0, own.min(), side="≤")
    yield misses("dS/dt there, as if its least were 0", 0.0, own.min(), 1e-13)
    yield Series(
        "Two states, two reservoirs",
        "p of the first state",
        "nats per unit time",
        curves=(
            Curve("Σ̇(p)", p, [float(production(q, cases[0])) for q in p]),
            Curve("dS/dt", p, own),
        ),
        points=(
            Points("steady state", found.stationary[:1], [steady]),
            Points("least entropy production", found.p[:1], [least]),
        ),
    )


@LEAST_PRODUCTION.check
def approach_to_equilibrium(trial: Trial) -> Iterator[Comparison | Series]:
    """Distance of the minimum from the steady state as the force goes to zero: ε³ for two like states, ε² in general.

    The excess of Σ̇ in the steady state over its minimum is the square of the distance.
    """
    forces = np.geomspace(0.004, 0.2, trial.pick(brief=5, quick=8, full=12))
    found = [least_entropy_production(_two_states([(1.0, 1.0), (1.0 + e, 1.0)])) for e in forces]
    gaps = np.array([_gap(one) for one in found])
    yield Series(
        "Two like states: the minimum leaves the steady state",
        "ε",
        "p_min − p_ss",
        curves=(Curve("∝ ε³", forces, gaps[0] * (forces / forces[0]) ** 3),),
        points=(Points("Newton's method on the network", forces, gaps),),
        logarithmic="xy",
        slope=power("power of ε, two like states", forces, gaps, 3.0),
    )
    random = np.random.default_rng(trial.seed)
    states = 6
    energies, barriers = random.normal(size=states), random.normal(size=(states, states))
    pushes = random.normal(size=(2, states, states))
    barriers, pushes = barriers + barriers.T, pushes - pushes.transpose(0, 2, 1)
    forces = forces / 4.0  # the largest of many random forces are some times larger
    found = [least_entropy_production(np.exp(energies - barriers + e * pushes)) for e in forces]
    gaps = np.array([_gap(one) for one in found])
    excess = np.array([one.stationary_entropy_production - one.entropy_production for one in found])
    yield Series(
        "Six states, two reservoirs: the minimum leaves the steady state",
        "ε",
        "distance of the distributions",
        curves=(Curve("∝ ε²", forces, gaps[0] * (forces / forces[0]) ** 2),),
        points=(Points("Newton's method on the network", forces, gaps),),
        logarithmic="xy",
        slope=power("power of ε, six states", forces, gaps, 2.0),
    )
    yield power("power of ε of the excess of Σ̇, six states", forces, excess, 4.0)


@LEAST_PRODUCTION.check
def driven_ring(trial: Trial) -> Iterator[Comparison | Series]:
    """Diffusion over cos x under a force F: the least Σ̇ is the ground state of −4T∂² + f²/T + 2f′, f = F + sin x.

    That follows with ψ² = p; its plane-wave matrix is compared with Newton's method on cells.
    """
    cells, temperature = trial.pick(brief=48, quick=96, full=192), 0.7
    for force in (0.3, 2.0):
        fine, coarse = (_ring(force, temperature, n) for n in (cells, cells // 2))
        least, error = richardson(fine.entropy_production, coarse.entropy_production)
        yield gridded(f"least Σ̇ on the ring at F = {force:g}", _ground_state(force, temperature), least, error)
        steady = fine.stationary_entropy_production
        yield bounded(f"Σ̇ of the steady state at F = {force:g}", fine.entropy_production, steady, side="≥")
    if trial.effort == "brief":
        return
    forces = np.geomspace(0.05, 0.5, trial.pick(brief=4, quick=6, full=10))
    found = [_ring(force, temperature, cells // 2) for force in forces]
    shares = np.array([one.stationary_entropy_production / one.entropy_production - 1.0 for one in found])
    yield Series(
        "Driven ring: excess of Σ̇ in the steady state over its minimum",
        "F",
        "relative excess",
        curves=(Curve("∝ F²", forces, shares[0] * (forces / forces[0]) ** 2),),
        points=(Points("Newton's method on cells", forces, shares),),
        logarithmic="xy",
        slope=power("power of F", forces, shares, 2.0),
    )


@LEAST_PRODUCTION.check
def inertia(trial: Trial) -> Iterator[Comparison | Series]:
    """Σ̇ of a dragged particle with inertia, on cells in velocity: γmu²/T at a drift u, least at u = 0, not at F/γm."""
    if trial.effort == "brief":
        return
    dynamics = fp.UnderdampedLangevin(fp.Landscape("-0.5*x"), temperature=1.0, friction=1.0)
    drifts = np.linspace(-0.5, 1.0, 7)
    measured = [[_kinetic(dynamics, u, cells) for cells in (120, 60)] for u in drifts]
    values, errors = np.transpose([richardson(*pair) for pair in measured])
    for u, value, error in zip(drifts, values, errors, strict=True):
        tolerance = error + np.finfo(float).eps  # without drift the cells are in equilibrium, to rounding
        yield gridded(f"Σ̇ at the drift {u:g}", u**2, value, tolerance)
    yield Series(
        "Entropy production of a dragged particle with inertia",
        "drift u (the steady state is at 0.5)",
        "Σ̇",
        curves=(Curve("γmu²/T", drifts, drifts**2),),
        points=(Points("cells in velocity", drifts, values, errors),),
    )


@LEAST_PRODUCTION.check
def cycles_and_bounds_of_random_networks(trial: Trial) -> Iterator[Comparison | Series]:
    """Σ J A over fundamental cycles against Σ J ln(a/b) over links, and the least Σ̇ against the stationary one."""
    random = np.random.default_rng(trial.seed)
    worst, current, lowest = 0.0, 0.0, math.inf
    for _ in range(trial.pick(brief=20, quick=300, full=3_000)):
        states, reservoirs = random.integers(2, 10), random.integers(1, 4)
        network = markov_network(np.exp(random.uniform(0.1, 3.0) * random.normal(size=(reservoirs, states, states))))
        cycles = cycle_decomposition(network)
        direct = network.entropy_production(cycles.stationary)
        flows = np.add(*network.flows(cycles.stationary))
        # A current is the difference of two flows, to whose size its rounding is relative.
        terms = float(flows[cycles.chords] @ np.abs(cycles.affinities))
        worst = max(worst, abs(cycles.entropy_production - direct) / terms if terms else 0.0)
        carried = network.currents(cycles.stationary)
        current = max(current, float(np.abs(cycles.cycles.T @ cycles.currents - carried).max() / flows.max()))
        found = least_entropy_production(network)
        if states > 2 or reservoirs > 1:
            lowest = min(lowest, found.stationary_entropy_production / found.entropy_production)
    rounding = 100 * np.finfo(float).eps  # sums of up to some hundred terms
    yield Comparison("largest |Σ J A − Σ̇| over Σ (flows) |A|", 0.0, worst, 0.0, "rounding", rounding, "sums over links")
    yield Comparison("largest current that cycles miss", 0.0, current, 0.0, "rounding", rounding, "sums over links")
    yield bounded("lowest ratio of Σ̇ in the steady state to the least", 1.0, lowest, rounding, side="≥")


def _two_states(rates: two_reservoirs.Rates) -> MarkovNetwork:
    return markov_network([[[0.0, a], [b, 0.0]] for a, b in rates])


def _gap(found: LeastProduction) -> float:
    """Return the Euclidean distance of p_min and p_ss over √2: for two states that of the first probabilities."""
    return float(np.linalg.norm(found.p - found.stationary)) / math.sqrt(2.0)


def _ring(force: float, temperature: float, cells: int) -> LeastProduction:
    ring = fp.Grid(x=fp.Axis(0.0, 2.0 * math.pi, cells, boundary="periodic"))
    dynamics = fp.Langevin(fp.Landscape("cos(x)"), temperature=temperature, force=(str(force),))
    return least_entropy_production(fp.generator(dynamics, ring))


def _ground_state(force: float, temperature: float, waves: int = 40) -> float:
    """Return the least eigenvalue of −4T∂² + (F + sin x)²/T + 2 cos x on plane waves."""
    n = np.arange(-waves, waves + 1)
    matrix = np.diag(4.0 * temperature * n**2 + (force**2 + 0.5) / temperature + 0j)
    # (F + sin x)² = F² + ½ + 2F sin x − ½ cos 2x, with sin x = (e^{ix} − e^{−ix})/2i.
    matrix += np.diag(np.full(2 * waves, 1.0 - 1j * force / temperature), -1)
    matrix += np.diag(np.full(2 * waves, 1.0 + 1j * force / temperature), 1)
    for offset in (-2, 2):
        matrix += np.diag(np.full(2 * waves - 1, -0.25 / temperature), offset)
    return float(np.linalg.eigvalsh(matrix)[0])


def _kinetic(dynamics: fp.UnderdampedLangevin, drift: float, cells: int) -> float:
    """Return Σ̇ of a Gaussian in the velocity around a drift."""
    grid = fp.Grid(x=fp.Axis(0.0, 1.0, 4, boundary="periodic"), velocity={"x": fp.Axis(-8.0, 8.0, cells)})
    p = np.exp(-0.5 * (grid.points[..., 1] - drift) ** 2)
    p /= float(np.sum(p * grid.volumes))
    return fp.thermodynamics.kinetic_entropy_production(fp.generator(dynamics, grid, scheme="upwind"), p).total
