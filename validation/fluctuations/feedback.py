"""Claim E15: feedback that uses a measurement, flows of information, and the efficiency of learning."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import coupling_cycle, feedback, learning_efficiency, linear_information
from fpsolver.thermodynamics.entropy import entropy, mean_loss
from fpsolver.thermodynamics.information import information_flow
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    bounded,
    claim,
    gridded,
    richardson,
    rounded,
    statistical,
)

FEEDBACK = claim(
    "E15",
    family="fluctuations",
    title="Feedback, information flow and the efficiency of learning",
    as_written="⟨e^{−(W−ΔF)/T}⟩ = 1, so ⟨W⟩ ≥ ΔF, also when the protocol follows a measurement",
    statement=(
        "With the pointwise information i of a measurement ⟨e^{−(W−ΔF)/T − i}⟩ = 1, so ⟨W⟩ ≥ ΔF − T I: measurement and "
        "feedback extract up to T I. Without i the average is the probability of the reversed protocols to end in "
        "what was measured, 1 + T/ks² for a trap that follows a measurement of error variance s². In a bipartite "
        "steady state each part pays for what it learns, entropy flow ≥ information flow. A weight learns I ≤ ΔS + Q/T "
        "from its data; the bound W ≥ T I needs a whole cycle of coupling and decoupling."
    ),
    verdict="exact",
    sources=(
        feedback.SAGAWA_UEDA,
        feedback.ABREU_SEIFERT,
        linear_information.SOURCE,
        learning_efficiency.GOLDT_SEIFERT,
        coupling_cycle.SAGAWA_UEDA,
    ),
    written=feedback.exponential_average_as_written,
    corrected=feedback.exponential_average,
)


@FEEDBACK.check
def sudden_feedback(trial: Trial) -> Iterator[Comparison | Series]:
    """Move a trap to the posterior mean: Gauss–Hermite quadrature and sampled measurements against closed forms."""
    samples = trial.pick(brief=100_000, quick=1_000_000, full=10_000_000)
    cases = [{"stiffness": 1.0, "temperature": 1.0, "noise": 2.0}, {"stiffness": 2.0, "temperature": 0.5, "noise": 1.5}]
    for index, system in enumerate(cases):
        name = f"k = {system['stiffness']:g}, T = {system['temperature']:g}, s² = {system['noise']:g}"
        x, y, weights = _nodes(system)
        work, information = _work_and_information(x, y, system)
        tilted = np.exp(-work / system["temperature"])
        exact = {
            "⟨e^{−W/T}⟩": (trial.predict(**system), weights @ tilted),
            "⟨e^{−W/T − i}⟩": (1.0, weights @ (tilted * np.exp(-information))),
            "⟨W⟩": (feedback.mean_work(**system), weights @ work),
            "I": (feedback.information(**system), weights @ information),
        }
        for quantity, (predicted, value) in exact.items():
            # Exponentials of quadratic forms converge geometrically in the number of nodes.
            yield rounded(f"{quantity}, {name}, quadrature", predicted, value, rounding=1e-9, source="quadrature")
        random = np.random.default_rng([trial.seed, index])
        x = random.normal(size=samples) * math.sqrt(system["temperature"] / system["stiffness"])
        y = x + random.normal(size=samples) * math.sqrt(system["noise"])
        work, information = _work_and_information(x, y, system)
        sampled = [("⟨W⟩", exact["⟨W⟩"][0], work), ("I", exact["I"][0], information)]
        # Variances are finite where the error of the measurement is large enough beside the spread of the position.
        ratio = system["noise"] * system["stiffness"] / system["temperature"]
        if ratio > 1.0:
            sampled.append(("⟨e^{−W/T − i}⟩", 1.0, np.exp(-work / system["temperature"] - information)))
        if ratio > 2.0 + math.sqrt(5.0):
            sampled.append(("⟨e^{−W/T}⟩", trial.predict(**system), np.exp(-work / system["temperature"])))
        for quantity, predicted, values in sampled:
            error = values.std() / samples**0.5
            yield statistical(f"{quantity}, {name}, samples", predicted, values.mean(), error)
    noises = np.geomspace(0.25, 16.0, 13)
    systems = [{"stiffness": 1.0, "temperature": 1.0, "noise": float(noise)} for noise in noises]
    extracted = [float(feedback.mean_work(**system)) for system in systems]
    bound = [-float(feedback.information(**system)) for system in systems]
    means = [_mean_work_by_quadrature(system) for system in systems]
    yield Series(
        "Work extracted by a trap that follows a measurement",
        "variance of the measurement error over that of the position",
        "⟨W⟩/T",
        curves=(Curve("−½/(1 + ks²/T)", noises, extracted), Curve("−I", noises, bound)),
        points=(Points("quadrature", noises, means),),
        logarithmic="x",
    )


@FEEDBACK.check
def feedback_in_finite_time(trial: Trial) -> Iterator[Comparison | Series]:
    """Trajectories in a trap dragged to the posterior mean in a finite time: ⟨e^{−W/T − i}⟩ = 1, and ⟨W⟩ ≥ −T I."""
    if trial.effort == "brief":
        return
    system = {"stiffness": 1.0, "temperature": 1.0, "noise": 6.0}
    samples = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    # For slow motion the variance of e^{−W/T − i} is finite where the noise is more than 3T/k.
    # The posterior mean m is a coordinate that does not move; the trap goes from 0 to m.
    trap = fp.Landscape("(x - c*m)**2/2", variables=("x", "m"), parameters={"c": 0.0})
    rows, durations = [], (0.5, 2.0)
    for index, duration in enumerate(durations):
        protocol: Any = {"c": f"t/{duration}"}
        dynamics = fp.Langevin(trap, temperature=1.0, mobility=[1.0, 0.0], protocol=protocol)
        random = np.random.default_rng([trial.seed, index])
        x = random.normal(size=samples)
        y = x + random.normal(size=samples) * math.sqrt(system["noise"])
        _, information = _work_and_information(x, y, system)
        start = np.stack([x, y / (1.0 + system["noise"])], axis=1)
        run = fp.simulate(dynamics, samples, start, duration / 10, duration, seed=trial.seed, experiment=index,
                          scheme="ornstein-uhlenbeck", functionals="work")  # fmt: skip
        work = run.values("work")
        balanced = np.exp(-work - information)
        error = balanced.std() / samples**0.5
        yield statistical(f"⟨e^(−W/T − i)⟩, t = {duration:g}", 1.0, balanced.mean(), error)
        mean, error = float(work.mean()), float(work.std() / samples**0.5)
        yield bounded(f"⟨W⟩, t = {duration:g}", -float(feedback.information(**system)), mean, error, side="≥")
        rows.append((mean, error))
    yield Series(
        "Work of a trap dragged to where a measurement says",
        "duration",
        "⟨W⟩/T",
        curves=(Curve("−I", durations, np.full(2, -float(feedback.information(**system)))),),
        points=(Points("trajectories", durations, *np.transpose(rows)),),
    )


@FEEDBACK.check
def information_flows(trial: Trial) -> Iterator[Comparison | Series]:
    """Information and its flow in linear dynamics: Gaussian closed forms against fluxes on cells, and second laws."""
    cells = trial.pick(brief=32, quick=80, full=160)
    cases = {
        "sensor": ([[1.0, 0.0], [-2.0, 2.0]], (1.0, 1.0)),
        "gyrator": ([[1.0, 0.5], [0.5, 1.0]], (1.0, 2.0)),
        "feedback cooling": ([[1.0, 1.5], [-4.0, 4.0]], (1.0, 0.25)),
    }
    for name, (drift, noises) in list(cases.items())[: trial.pick(brief=1, quick=3, full=3)]:
        exact = linear_information.steady_state(drift=drift, diffusion=np.diag(noises))
        fine, coarse = (_flows_on_cells(drift, noises, n) for n in (cells, cells // 2))
        yield gridded(f"{name}: I", exact.mutual_information, *richardson(fine[0], coarse[0]))
        yield gridded(f"{name}: l_y", exact.flows[1], *richardson(fine[1], coarse[1]))
        yield gridded(f"{name}: entropy flow of y", exact.entropy_flows[1], *richardson(fine[2], coarse[2]))
    random = np.random.default_rng(trial.seed)
    lowest, largest, points = math.inf, 0.0, list[tuple[float, float]]()
    while len(points) < trial.pick(brief=100, quick=1_000, full=10_000):
        rates, diffusion = random.normal(size=(2, 2)) + 1.5 * np.eye(2), np.diag(np.exp(random.normal(size=2)))
        if np.linalg.eigvals(rates).real.min() < 0.05:
            continue
        found = linear_information.steady_state(drift=rates, diffusion=diffusion)
        flows, entropies = ([float(v) for v in pair] for pair in (found.flows, found.entropy_flows))
        lowest = min(lowest, *(e - f for e, f in zip(entropies, flows, strict=True)))
        largest = max(largest, abs(flows[0] + flows[1]))
        points.append((flows[1], entropies[1]))
    rounding = 1e-10  # of Lyapunov equations with rates down to 0.05
    yield bounded("least entropy flow less information flow, random linear dynamics", 0.0, lowest, rounding, side="≥")
    yield Comparison("largest |l_x + l_y|", 0.0, largest, 0.0, "rounding", rounding, "linear solves")
    flows, entropies = np.transpose(points)
    yield Series(
        "What a part pays for what it learns, random linear dynamics",
        "information flow l_y",
        "entropy flow of y",
        curves=(Curve("bound", np.sort(flows), np.sort(flows)),),
        points=(Points("Gaussian closed forms", flows, entropies),),
    )


@FEEDBACK.check
def learning_a_label(trial: Trial) -> Iterator[Comparison | Series]:
    """One weight that learns a label: densities on cells, and the heat of trajectories, against closed forms."""
    shift, times = 1.0, (0.5, 1.0, 20.0)
    system = {"shift": shift, "stiffness": 1.0, "temperature": 1.0}
    cells = trial.pick(brief=200, quick=400, full=800)
    found = [np.transpose(_learnt_on_cells(shift, n, times)) for n in (cells, cells // 2)]
    for index, time in enumerate(times):
        (learnt, a), (paid, b), (grown, c) = (
            richardson(*pair) for pair in zip(*(t[:, index] for t in found), strict=True)
        )
        forms: dict[str, Any] = {"I": learning_efficiency.information, "Q": learning_efficiency.heat}
        for name, value, error in (("I", learnt, a), ("Q", paid, b)):
            yield gridded(f"{name} after t = {time:g}", forms[name](**system, duration=time), value, error)
        ratio = learnt / (grown + paid)
        error = a / (grown + paid) + ratio * (b + c) / (grown + paid)
        yield gridded(f"η after t = {time:g}", learning_efficiency.efficiency(**system, duration=time), ratio, error)
    curve = np.geomspace(0.05, 8.0, 30)
    shifts = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
    grid = [_learnt_on_cells(float(m), cells, (20.0,))[0] for m in shifts]
    yield Series(
        "Efficiency of learning a label, field switched on at once",
        "shift m of the weight",
        "η = I/(ΔS + Q/T)",
        curves=(
            Curve(
                "closed form",
                curve,
                [float(learning_efficiency.efficiency(shift=float(m), stiffness=1.0, temperature=1.0)) for m in curve],
            ),
        ),
        points=(Points("densities on cells", shifts, [i / (growth + q) for i, q, growth in grid]),),
        logarithmic="x",
    )
    if trial.effort != "brief":
        samples = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
        dynamics = fp.Langevin(fp.Landscape("(w - 1)**2/2"), temperature=1.0)
        start = fp.Gaussian([0.0], 1.0)
        run = fp.simulate(dynamics, samples, start, 0.05, 1.0, seed=trial.seed, scheme="ornstein-uhlenbeck",
                          functionals="heat")  # fmt: skip
        heats = run.values("heat")
        predicted = learning_efficiency.heat(**system, duration=1.0)
        yield statistical("Q after t = 1, trajectories", predicted, heats.mean(), heats.std() / samples**0.5)


@FEEDBACK.check
def coupling_and_decoupling(trial: Trial) -> Iterator[Comparison | Series]:
    """Work of trajectories that couple a weight to its label and decouple it: below T I until the cycle ends."""
    if trial.effort == "brief":
        return
    samples = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    learnt = float(learning_efficiency.information(shift=1.0, stiffness=1.0, temperature=1.0))
    durations, rows = (1.0, 4.0, 16.0), []
    for index, duration in enumerate(durations):
        field = fp.Landscape("w**2/2 - c*w", variables=("w",), parameters={"c": 0.0})
        protocol: Any = {"c": f"t/{duration}"}
        dynamics = fp.Langevin(field, temperature=1.0, protocol=protocol)
        run = fp.simulate(dynamics, samples, fp.Gaussian([0.0], 1.0), duration / 100, duration, seed=trial.seed,
                          experiment=index, scheme="ornstein-uhlenbeck", functionals="work")  # fmt: skip
        coupling = run.values("work")
        cycle = coupling + run.final[:, 0]  # the coupling energy −w is taken away
        forms: dict[str, Any] = {"coupling": coupling_cycle.work_to_couple, "cycle": coupling_cycle.work_of_cycle}
        for name, values in (("coupling", coupling), ("cycle", cycle)):
            error = values.std() / samples**0.5
            predicted = forms[name](shift=1.0, stiffness=1.0, duration=duration)
            # Midpoint rule for the response, dt²/12 at most, and trapezoidal rule for the work, dt²/12 at most.
            bias = (duration / 100) ** 2 / 6.0
            yield statistical(
                f"{name}, t = {duration:g}", predicted, values.mean(), error, bias=bias, bias_source="steps"
            )
        error = cycle.std() / samples**0.5
        reached = -math.expm1(-duration) / duration
        known = float(learning_efficiency.information(shift=1.0 - reached, stiffness=1.0, temperature=1.0))
        yield bounded(f"cycle of t = {duration:g}: work less T I", known, cycle.mean(), error, side="≥")
        rows.append((coupling.mean(), cycle.mean(), error))
    yield bounded("coupling alone, t = 16, is below T I", learnt, rows[-1][0], rows[-1][2], side="≤")
    coupled, cycles, errors = np.transpose(rows)
    curve = np.geomspace(1.0, 16.0, 30)
    yield Series(
        "Work to couple a weight to a label, and of the cycle",
        "duration of the coupling",
        "W/T",
        curves=(
            Curve(
                "coupling",
                curve,
                [float(coupling_cycle.work_to_couple(shift=1, stiffness=1, duration=t)) for t in curve],
            ),
            Curve(
                "cycle", curve, [float(coupling_cycle.work_of_cycle(shift=1, stiffness=1, duration=t)) for t in curve]
            ),
            Curve("I of slow coupling", curve, np.full(len(curve), learnt)),
        ),
        points=(Points("coupling", durations, coupled), Points("cycle", durations, cycles, errors)),
        logarithmic="x",
    )


def _work_and_information(x: np.ndarray, y: np.ndarray, system: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the work of a jump of the trap to the posterior mean, and ln p(y|x)/p(y)."""
    k, noise = system["stiffness"], system["noise"]
    spread = system["temperature"] / k
    mean = y * spread / (spread + noise)
    work = 0.5 * k * ((x - mean) ** 2 - x**2)
    information = 0.5 * math.log1p(spread / noise) - (y - x) ** 2 / (2.0 * noise) + y**2 / (2.0 * (spread + noise))
    return work, information


def _nodes(system: dict[str, float], number: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return nodes in position and measurement, and their weights."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(number)
    weights = weights / weights.sum()
    x, error = np.meshgrid(nodes, nodes, indexing="ij")
    x = x.ravel() * math.sqrt(system["temperature"] / system["stiffness"])
    return x, x + error.ravel() * math.sqrt(system["noise"]), np.outer(weights, weights).ravel()


def _mean_work_by_quadrature(system: dict[str, float]) -> float:
    x, y, weights = _nodes(system, 20)
    return float(weights @ _work_and_information(x, y, system)[0])


def _flows_on_cells(drift: list[list[float]], noises: tuple[float, float], cells: int) -> tuple[float, float, float]:
    """Return I, the information flow into y and the entropy flow of y in the steady state on a grid."""
    from scipy.linalg import solve_continuous_lyapunov

    spread = np.sqrt(np.diag(solve_continuous_lyapunov(np.array(drift), 2.0 * np.diag(noises))))
    grid = fp.Grid(x=(-6.0 * spread[0], 6.0 * spread[0], cells), y=(-6.0 * spread[1], 6.0 * spread[1], cells))
    (a, b), (c, d) = drift
    dynamics = fp.Langevin(
        fp.Landscape(f"{a / 2}*x**2 + {d / 2}*y**2"), force=(f"-({b})*y", f"-({c})*x"), diffusion=[*noises]
    )
    W = fp.generator(dynamics, grid)
    found = information_flow(W, fp.stationary(W), "x")
    return found.mutual_information, found.flows[1], found.entropy_flows[1]


def _learnt_on_cells(shift: float, cells: int, times: tuple[float, ...]) -> list[tuple[float, float, float]]:
    """Return information, heat and growth of the weight's entropy at times after the field is switched on."""
    half = 7.0 + shift
    grid = fp.Grid(w=(-half, half, cells))
    landscape = fp.Landscape("(w - m)**2/2", variables=("w",), parameters={"m": shift})
    start = fp.gaussian(grid, [0.0], [[1.0]])
    evolution = fp.evolve(
        fp.generator(fp.Langevin(landscape, temperature=1.0), grid), start, list(times), tolerance=1e-11, progress=False
    )
    rows = []
    for p in evolution.densities:
        given = np.asarray(p)
        mixed = 0.5 * (given + given[::-1])  # the other label mirrors the weight
        information = entropy(mixed, grid) - entropy(given, grid)
        losses = [mean_loss(landscape, density, grid) for density in (start, given)]
        growth = entropy(mixed, grid) - entropy(start, grid)
        rows.append((information, losses[0] - losses[1], growth))
    return rows
