"""B14 and E18: the symmetry of entropy production in steady states, and how far below zero it ever gets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import dragged_trap, linear_diffusion, relaxing_trap, ring_entropy, stiffening_trap
from fpsolver.thermodynamics.crooks import crooks_line, log_ratio
from fpsolver.thermodynamics.fluctuation_theorems import detailed_theorem, integral_theorem
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
    rounded,
    slope,
    statistical,
)

TURN = 2.0 * np.pi
RING: dict[str, float] = {"force": 0.5, "temperature": 0.5, "period": TURN}
WASHBOARD = fp.Landscape("-cos(x)")
TILTED = fp.Langevin(WASHBOARD, temperature=RING["temperature"], force=(RING["force"],))

B14 = claim(
    "B14",
    family="fluctuations",
    title="Detailed fluctuation theorem",
    as_written="P(σ)/P(−σ) = e^σ.",
    statement="Exact for total entropy production in a steady state of even variables (or with p_ss(x, v) = p_ss(x, "
    "−v), or a periodic state under time-symmetric driving), at any time; and for a process and its reverse as "
    "Crooks' theorem. It fails for work or heat in a steady state at finite time, and for starts that are transient: "
    "the slope of ln[P(W)/P(−W)] for a trap that is dragged steadily is (1/T) t/[t − (1 − e^{−μkt})/μk].",
    verdict="exact",
    sources=(
        "U. Seifert, Phys. Rev. Lett. 95, 040602 (2005), eq. (21)",
        "R. van Zon, E. G. D. Cohen, Phys. Rev. E 67, 046102 (2003), eq. (17)",
    ),
    written=dragged_trap.transient_slope,
    corrected=dragged_trap.steady_slope,
)


@B14.check
def entropy_on_a_ring(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare P(σ < −a) with ⟨e^{−σ}; σ > a⟩ in the steady state of a ring's jump process, turns counted."""
    cells, turns, duration = trial.pick(brief=32, quick=64, full=96), 9, 4.0
    joint, sigma = _joint_on_a_line(cells, turns, duration)
    thresholds = np.linspace(0.25, 12.0, 24)
    below = np.array([joint[sigma < -a].sum() for a in thresholds])
    above = np.array([(joint * np.exp(-sigma))[sigma > a].sum() for a in thresholds])
    for k in (0, 3, 7):
        yield Comparison(
            f"⟨e^{{−σ}}; σ > {thresholds[k]:.3g}⟩, ring", below[k], above[k], 0.0, "rounding", 1e-10,
            "rounding of the matrix exponential; what leaves the line is less",
        )  # fmt: skip
    # Both sides in bins: the logarithm against the logarithmic mean of e^σ over the bin.
    edges = np.linspace(0.0, 12.0, 13)
    there = np.histogram(sigma, edges, weights=joint)[0]
    back = np.histogram(-sigma, edges, weights=joint)[0]
    weighted = np.histogram(sigma, edges, weights=joint * np.exp(-sigma))[0]
    yield Series(
        f"Entropy production of a ring in the steady state, t = {duration:g}",
        "σ",
        "ln[P(σ)/P(−σ)]",
        (Curve("detailed theorem", edges, edges),),
        (Points("densities", -np.log(weighted / there), np.log(there / back)),),
    )


def _joint_on_a_line(cells: int, turns: int, duration: float) -> tuple[np.ndarray, np.ndarray]:
    """Return P(last, first) of the tilted ring with its turns counted, and σ of every pair."""
    from scipy.linalg import expm

    ring = fp.Grid(x=fp.Axis(0.0, TURN, cells, boundary="periodic"))
    steady = np.asarray(fp.stationary(fp.generator(TILTED, ring))) * ring.volumes
    line = fp.Grid(x=fp.Axis(-(turns // 2) * TURN, (turns - turns // 2) * TURN, cells * turns, boundary="reflecting"))
    W: Any = fp.generator(TILTED, line)
    kernel = expm(W.matrix.toarray() * duration)
    home = np.arange(cells * (turns // 2), cells * (turns // 2 + 1))
    edge = W.edges[0]
    # Σ ln(k_ij/k_ji) along the line, in which every path between two cells gives the same.
    flow = np.append(0.0, np.cumsum(np.log(edge.forward[:-1] / edge.backward[:-1])))
    potential = flow - np.log(np.tile(steady, turns))
    return kernel[:, home] * steady, potential[:, None] - potential[home]


@B14.check
def entropy_of_trajectories(trial: Trial) -> Iterator[Comparison | Series]:
    """Fit the slope of ln[P(σ)/P(−σ)] along trajectories: steady states in a plane and on a ring, a transient start."""
    n = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    drift = np.array([[1.0, -1.0], [1.0, 2.0]])
    steady = fp.Gaussian([0.0, 0.0], linear_diffusion.stationary_covariance(drift, np.eye(2)))
    rotating = fp.Langevin(fp.Landscape("(x**2 + 2*y**2)/2"), temperature=1.0, force=("y", "-x"))
    plane = detailed_theorem(
        fp.simulate(
            rotating, n, steady, 0.25, 1.0, seed=trial.seed, experiment=5140, scheme="ornstein-uhlenbeck",
            functionals="entropy_flow", density=steady,
        )
    )  # fmt: skip
    yield statistical("slope, rotating trap", 1.0, plane.slope, plane.slope_error)
    ring = detailed_theorem(_entropy_on_the_line(n, 0.05, trial.seed))
    yield statistical(
        "slope, ring", 1.0, ring.slope, ring.slope_error, bias=0.05**2 / 12.0, bias_source="time step, dt²/12"
    )
    yield Series(
        "Entropy production in steady states",
        "σ",
        "ln[P(σ)/P(−σ)]",
        (Curve("detailed theorem", plane.points.work, plane.points.work),),
        tuple(
            Points(name, one.points.work, one.points.values, one.points.standard_errors)
            for name, one in (("rotating trap", plane), ("ring", ring))
        ),
    )
    if trial.effort == "brief":
        return
    start = fp.Gaussian([1.0], 1.5)
    mean, variance = relaxing_trap.moments(1.0, 1.5, stiffness=1.0, temperature=1.0, duration=1.0)
    ensemble = fp.simulate(
        fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0), n, start, 0.5, 1.0, seed=trial.seed, experiment=5142,
        scheme="ornstein-uhlenbeck", functionals="entropy_flow", density=(start, fp.Gaussian([mean], variance)),
    )  # fmt: skip
    transient, average = detailed_theorem(ensemble), integral_theorem(ensemble)
    yield misses("slope from a transient start", 1.0, transient.slope, transient.slope_error)
    yield statistical("⟨e^{−σ}⟩ from the same", 1.0, average.average, average.standard_error)


def _entropy_on_the_line(n: int, dt: float, seed: int) -> np.ndarray:
    """Return Σ of trajectories of the washboard in its steady state, from both of their ends."""
    ring = fp.Grid(x=fp.Axis(0.0, TURN, 512, boundary="periodic"))
    start = fp.stationary(fp.generator(TILTED, ring))
    first = fp.simulate(TILTED, n, start, dt, 0.0, seed=seed, experiment=5144).final
    last = fp.simulate(TILTED, n, first, dt, 3.0, seed=seed, experiment=5145, scheme="heun").final
    x = np.linspace(-4.0 * TURN, 8.0 * TURN, 6001)
    heights = ring_entropy.entropy_coordinate(WASHBOARD, x, **RING)
    return np.interp(last[:, 0], x, heights) - np.interp(first[:, 0], x, heights)


@B14.check
def work_in_a_steady_state(trial: Trial) -> Iterator[Comparison | Series]:
    """Fit the slope for the work on a trap that is dragged steadily, at several times."""
    n, dt = trial.pick(brief=(20_000, 0.1), quick=(1_000_000, 0.05), full=(10_000_000, 0.02))
    times, fits = [0.5, 1.0, 2.0], []
    dragged = fp.Langevin(
        fp.Landscape("(x - c)**2/2", variables=("x",), parameters={"c": 0.0}),
        temperature=1.0,
        protocol={"c": fp.Protocol("t")},
    )
    for number, time in enumerate(times):
        work = fp.simulate(
            dragged, n, fp.Gaussian([-1.0], 1.0), dt, time, seed=trial.seed, experiment=5146 + number,
            scheme="ornstein-uhlenbeck", functionals="work",
        ).values("work")  # fmt: skip
        fits.append(detailed_theorem(work))
        form = trial.predict(stiffness=1.0, duration=time, temperature=1.0)
        # A trap that moves in steps does (dt/2) coth(dt/2) ≈ 1 + dt²/12 of the work, and so for what fluctuates of it.
        yield statistical(
            f"slope of work, t = {time:g}", form, fits[-1].slope, fits[-1].slope_error, bias=_step_bias(time, dt),
            bias_source="time step",
        )  # fmt: skip
    fine = np.linspace(0.3, 6.0, 60)
    slopes = [float(dragged_trap.steady_slope(stiffness=1.0, duration=t, temperature=1.0)) for t in fine]
    yield Series(
        "Work in the steady state of a dragged trap",
        "μkt",
        "slope of ln[P(W)/P(−W)] times T",
        (Curve("steady start", fine, slopes), Curve("as written", fine, np.ones_like(fine))),
        (Points("trajectories", times, [one.slope for one in fits], [one.slope_error for one in fits]),),
    )


@B14.check
def process_and_reverse(trial: Trial) -> Iterator[Comparison | Series]:
    """Fit Crooks' line to the work of stiffening a trap and of softening it again: slope one, ΔF where it crosses."""
    n = trial.pick(brief=20_000, quick=1_000_000, full=10_000_000)
    landscape = fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0})
    # Work is done in switches between exact relaxations, each of which keeps its Boltzmann state: exact at any step.
    forward, reverse = (
        fp.simulate(
            fp.Langevin(landscape, temperature=1.0, protocol={"k": fp.Protocol(protocol)}), n, "stationary", 0.25, 1.0,
            seed=trial.seed, experiment=5150 + number, scheme="ornstein-uhlenbeck", functionals="work",
        ).values("work")
        for number, protocol in enumerate(("1 + t", "2 - t"))
    )  # fmt: skip
    line = crooks_line(forward, reverse, 1.0)
    yield statistical("slope of Crooks' line, stiffened 1 → 2", 1.0, line.slope, line.slope_error)
    free_energy = stiffening_trap.free_energy_difference(1.0, 2.0, temperature=1.0)
    yield statistical("crossing, ΔF = ½ ln 2", free_energy, line.value, line.standard_error)
    yield _work_histograms(forward, -reverse, free_energy.value)
    points = log_ratio(forward, reverse, np.linspace(0.0, 2.0, 17))
    yield Series(
        "Crooks' line of stiffening a trap and of softening it",
        "W/T",
        "ln[P_F(W)/P_R(−W)]",
        (Curve("Crooks' theorem", points.work, points.work - free_energy.value),),
        (Points("trajectories", points.work, points.values, points.standard_errors),),
    )


def _work_histograms(forward: np.ndarray, reverse: np.ndarray, free_energy: float) -> Series:
    """Return the densities of W forward and of −W in reverse, which cross at ΔF, and the second times e^{W − ΔF}."""
    edges = np.linspace(0.0, 2.0, 33)
    centres, width = (edges[1:] + edges[:-1]) / 2.0, edges[1] - edges[0]
    there, back = (np.histogram(work, edges)[0] / len(work) / width for work in (forward, reverse))
    errors = [np.sqrt(density / width / len(forward)) for density in (there, back)]
    return Series(
        "Work of stiffening a trap and of softening it",
        "W/T",
        "density",
        (
            Curve("P_R(−W) e^{W − ΔF}, Crooks' theorem", centres, back * np.exp(centres - free_energy)),
            Curve("ΔF", [free_energy] * 2, [0.0, max(there.max(), back.max())]),
        ),
        (Points("P_F(W)", centres, there, errors[0]), Points("P_R(−W)", centres, back, errors[1])),
    )


def _step_bias(time: float, dt: float) -> float:
    """Return by how much steps change the slope 2⟨W⟩/var W: exact moments of the work in steps, less the limit."""
    steps = round(time / dt)
    kept = math.exp(-dt)
    # W = Σ_n of the change by half a shift before and after each relaxation; y_n is the distance from the trap then.
    mean = variance = covariance = 0.0
    position, spread = -1.0, 1.0
    for _ in range(steps):
        # Switch by dt/2 at fixed x: W += (dt/2)(dt/4 − y), y −= dt/2; before the relaxation and after it.
        for half in range(2):
            mean += 0.5 * dt * (0.25 * dt - position)
            variance += 0.25 * dt**2 * spread - dt * covariance
            covariance -= 0.5 * dt * spread
            position -= 0.5 * dt
            if half == 0:
                position, covariance = kept * position, kept * covariance
                spread = kept**2 * spread + 1.0 - kept**2
    limit = float(dragged_trap.steady_slope(stiffness=1.0, duration=time, temperature=1.0))
    return abs(2.0 * mean / variance - limit)


E18 = claim(
    "E18",
    family="fluctuations",
    title="Infimum of entropy production, and stopping times",
    as_written="P(inf Σ < −s) = e^{−s}, and ⟨e^{−Σ_τ}⟩ = 1.",
    statement="e^{−Σ} is a martingale in a steady state: ⟨e^{−Σ_τ}⟩ = 1 at stopping times (e^{−Σ} bounded up to τ), "
    "also in discrete time. Where Σ moves continuously, it falls to −s before it rises to S with the probability (1 "
    "− e^{−S})/(e^s − e^{−S}), which is e^{−s} for S = ∞. A chain, or a trajectory that is seen at intervals dt, "
    "jumps past −s: there e^{−s} is a bound, short of which it falls by the factor e^{−0.5826 √(2m)} with the mean "
    "entropy m ∝ dt of a step.",
    verdict="exact",
    sources=(
        "I. Neri, É. Roldán, F. Jülicher, Phys. Rev. X 7, 011019 (2017)",
        "D. Siegmund, Adv. Appl. Probab. 11, 701 (1979)",
    ),
)


@E18.check
def committor_of_a_washboard(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the committor on a line between the places of −s and S with the form, for two starts."""
    depths = np.linspace(0.5, 5.0, trial.pick(brief=4, quick=10, full=19))
    cells, ceiling = trial.pick(brief=400, quick=1600, full=6400), 6.0
    for start in (0.3, 2.5):
        pairs = [_committor(start, depth, ceiling, cells) for depth in depths]
        for depth, (value, error) in zip(depths, pairs, strict=True):
            form = ring_entropy.fall_probability(depth, ceiling=ceiling)
            yield gridded(f"P(−{depth:g} before 6), from x = {start:g}", form, value, error)
    forms = [float(ring_entropy.fall_probability(depth)) for depth in depths]
    yield Series(
        "How far entropy production falls before it rises by 6, washboard",
        "s",
        "P",
        (Curve("infimum law e^{−s}", depths, forms),),
        (Points("committor", depths, [one for one, _ in pairs], [error for _, error in pairs]),),
        "y",
    )


def _committor(start: float, depth: float, ceiling: float, cells: int) -> tuple[float, float]:
    low, high = (ring_entropy.place(WASHBOARD, start, entropy, **RING) for entropy in (-depth, ceiling))
    found = []
    for number in (cells, cells // 2):
        W = fp.generator(TILTED, fp.Grid(x=(low - 0.5, high + 0.5, number)))
        q = fp.committor(W, fp.where(x=(high, None)), fp.where(x=(None, low)))
        found.append(float(q.at([[start]])[0]))
    return richardson(*found)


@E18.check
def chain_of_gaussian_steps(trial: Trial) -> Iterator[Comparison | Series]:
    """Solve for the infimum and the stopping theorem of a chain by quadrature, in shorter and shorter steps."""
    depth, ceiling = 1.0, 12.0
    means = np.geomspace(0.2, 0.2 / 64.0, trial.pick(brief=5, quick=7, full=10))
    falls = []
    for mean in means:
        fall, average = _chain(depth, ceiling, mean)
        falls.append(fall)
        yield rounded(f"⟨e^{{−Σ_τ}}⟩, m = {mean:.3g}", 1.0, average, rounding=1e-8, source="quadrature")
    form = ring_entropy.fall_probability_of_chain(depth, entropy_per_step=float(means[-1]))
    # The chain here stops at the ceiling; from there it falls to −s with e^{−s − S} at most.
    yield asymptotic(f"P(inf Σ < −1), m = {means[-1]:.3g}", form, falls[-1], error=math.exp(-depth - ceiling))
    beyond = -np.log(falls) - depth
    yield Series(
        "How far a chain jumps past −s, effectively",
        "m, mean entropy of a step",
        "−ln P(inf Σ < −s) − s",
        (Curve("0.5826 √(2m)", means, ring_entropy.OVERSHOOT * np.sqrt(2.0 * means)),),
        (Points("quadrature", means, beyond),),
        "xy",
        slope("overshoot against m", means, beyond, 0.5),
    )


def _chain(depth: float, ceiling: float, mean: float) -> tuple[float, float]:
    """Return P(fall below −s before S) and ⟨e^{−Σ_τ}⟩ of a walk of steps from N(m, 2m)."""
    from scipy.special import ndtr

    deviation = math.sqrt(2.0 * mean)
    nodes, weights = np.polynomial.legendre.leggauss(int(12.0 * (depth + ceiling) / deviation / 2.0) + 60)
    x = (ceiling - depth) / 2.0 + (ceiling + depth) / 2.0 * nodes
    kernel = np.exp(-0.5 * ((x - x[:, None] - mean) / deviation) ** 2) / math.sqrt(2.0 * math.pi) / deviation
    system = np.eye(len(x)) - kernel * weights * (ceiling + depth) / 2.0
    below = ndtr((-depth - x - mean) / deviation)
    # e^{−y} weighs a step as one with the mean −m would be: e^{−y} N(y; m, 2m) = N(y; −m, 2m).
    stopped = np.exp(-x) * (ndtr((-depth - x + mean) / deviation) + ndtr((x - mean - ceiling) / deviation))
    inside = np.linalg.solve(system, np.column_stack([below, stopped]))
    first = np.exp(-0.5 * ((x - mean) / deviation) ** 2) / math.sqrt(2.0 * math.pi) / deviation
    first = first * weights * (ceiling + depth) / 2.0
    at_once = (
        ndtr((-depth - mean) / deviation),
        ndtr((-depth + mean) / deviation) + ndtr((-mean - ceiling) / deviation),
    )
    fall, average = (float(once + first @ column) for once, column in zip(at_once, inside.T, strict=True))
    return fall, average


@E18.check
def infimum_of_trajectories(trial: Trial) -> Iterator[Comparison | Series]:
    """Count trajectories on a steep washboard that fall by s before they rise by S; touches between steps are seen."""
    if trial.effort == "brief":
        return
    n, dt = trial.pick(brief=(0, 0.0), quick=(1_000_000, 0.02), full=(10_000_000, 0.01))
    steep, start, ceiling = {**RING, "force": 1.5}, 0.3, 3.0
    dynamics = fp.Langevin(WASHBOARD, temperature=steep["temperature"], force=(steep["force"],))
    depths, bridged, seen = (0.5, 1.0, 2.0), [], []

    def falls(depth: float, step: float, experiment: int, bridge: bool = True) -> tuple[float, float]:
        low, high = (ring_entropy.place(WASHBOARD, start, entropy, **steep) for entropy in (-depth, ceiling))
        targets = (fp.where(x=(None, low)), fp.where(x=(high, None)))
        found = fp.first_passage_times(
            dynamics, n, [start], targets, step, 100.0, seed=trial.seed, experiment=experiment, bridge=bridge
        ).probabilities
        return float(found.value[0]), float(found.standard_error[0])

    for number, depth in enumerate(depths):
        form = float(ring_entropy.fall_probability(depth, ceiling=ceiling))
        (fine, error), (coarse, other) = (falls(depth, k * dt, 5180 + 3 * number + k) for k in (1, 2))
        # Euler–Maruyama steps with their bridges are of first weak order.
        value, correction = richardson(fine, coarse, order=1.0)
        bridged.append((value, math.hypot(2.0 * error, other)))
        yield statistical(
            f"P(−{depth:g} before 3), trajectories", form, *bridged[-1], bias=correction,
            bias_source="extrapolation in dt",
        )  # fmt: skip
        seen.append(falls(depth, dt, 5180 + 3 * number, bridge=False))
        yield misses(f"P(−{depth:g} before 3), seen at the ends of steps only", form, *seen[-1])
    s = np.linspace(0.3, 2.5, 40)
    yield Series(
        "Infimum of entropy production along trajectories",
        "s",
        "P(−s before 3)",
        (Curve("stopping theorem", s, [float(ring_entropy.fall_probability(one, ceiling=ceiling)) for one in s]),),
        tuple(
            Points(name, depths, [one for one, _ in found], [error for _, error in found])
            for name, found in (("touches seen", bridged), ("seen at steps only", seen))
        ),
        "y",
    )
