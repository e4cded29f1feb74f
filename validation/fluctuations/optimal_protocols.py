"""Claim E4: protocols that cost the least work in finite time, by closed forms, optimisation, and optimal transport."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.ensembles.observables.means import MeanResult
from fpsolver.theory import Estimate, optimal_transport, schmiedl_seifert, thermodynamic_length
from fpsolver.thermodynamics import (
    OptimalProtocol,
    SteppedDriving,
    entropy_production,
    friction_tensor,
    full_control,
    optimal_protocol,
    slow_driving,
    speed_limit,
    transport_landscape,
    wasserstein_distance,
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
    richardson,
    rounded,
    slope,
    statistical,
)


def least_work(trap: str, start: float, stop: float, duration: float) -> Estimate:
    """Return the least mean work on a trap with μ = T = k = 1, whose "centre" or "stiffness" is driven."""
    if trap == "centre":
        return schmiedl_seifert.moving_trap_work(stop - start, duration)
    return schmiedl_seifert.stiffening_trap_work(start, stop, duration)


def ramp_work(trap: str, start: float, stop: float, duration: float) -> Estimate:
    """Return the mean work of a linear ramp on the same traps, the protocol without jumps that is usually taken."""
    if trap == "centre":
        return schmiedl_seifert.moving_trap_linear_work(stop - start, duration)
    return schmiedl_seifert.stiffening_trap_linear_work(start, stop, duration)


OPTIMAL = claim(
    "E4",
    family="fluctuations",
    title="Optimal protocols",
    as_written="The least work in finite time is that of a smooth, for instance linear, protocol.",
    statement=(
        "The protocol of least mean work jumps at both ends: λ_f/(t_f + 2) for a moving trap, with W* = λ_f²/(t_f + 2) "
        "(μ = k = T = 1). With full control the density moves along the Wasserstein geodesic at constant speed, "
        "W = ΔF + W₂²/(μt_f), and TΣ ≥ W₂²/(μt_f) bounds every motion between the same densities. For slow driving "
        "W − ΔF → (∫√ζ dλ)²/t_f with the friction ζ(λ) from equilibrium correlations, along its geodesic."
    ),
    verdict="exact",
    sources=(
        "T. Schmiedl, U. Seifert, Phys. Rev. Lett. 98, 108301 (2007)",
        "E. Aurell, C. Mejía-Monasterio, P. Muratore-Ginanneschi, Phys. Rev. Lett. 106, 250601 (2011)",
        "D. A. Sivak, G. E. Crooks, Phys. Rev. Lett. 108, 190602 (2012)",
    ),
    written=ramp_work,
    corrected=least_work,
)

TRAP = fp.Langevin(fp.Landscape("k*(x - c)**2/2", {"k": 1.0, "c": 0.0}, ("x",)), temperature=1.0)
WELLS = fp.Langevin(fp.Landscape("x**4/4 - x**2/2 - c*x", {"c": -0.2}, ("x",)), temperature=0.1)
RANDOM = fp.Landscape("x**4/4 + a*x**2/2 + b*x + c*sin(3*x)/3", {"a": 1.0, "b": 1.0, "c": 1.0}, ("x",))
PARAMETER = {"centre": "c", "stiffness": "k"}


@OPTIMAL.check
def least_work_of_a_moving_trap(trial: Trial) -> Iterator[Comparison | Series]:
    """Least work of moving a trap by 1, by optimisation of steps on a grid, for several durations."""
    durations = np.array(
        trial.pick(brief=(1.0, 3.0), quick=(0.3, 1.0, 3.0, 10.0), full=(0.1, 0.3, 1.0, 3.0, 10.0, 30.0))
    )
    yield from _least_work(trial, "centre", 0.0, 1.0, durations)


@OPTIMAL.check
def least_work_of_a_stiffening_trap(trial: Trial) -> Iterator[Comparison | Series]:
    """Least work of changing the stiffness of a trap, by optimisation of steps on a grid, for several durations."""
    durations = np.array(trial.pick(brief=(1.0,), quick=(0.3, 1.0, 3.0, 10.0), full=(0.1, 0.3, 1.0, 3.0, 10.0, 30.0)))
    yield from _least_work(trial, "stiffness", 1.0, 2.0, durations)
    yield from _least_work(trial, "stiffness", 2.0, 1.0, durations[durations == 1.0])


def _least_work(
    trial: Trial, trap: str, start: float, stop: float, durations: np.ndarray
) -> Iterator[Comparison | Series]:
    found = []
    for duration in map(float, durations):
        best, error, _ = _optimum(trial, trap, start, stop, duration)
        form = trial.predict(trap, start, stop, duration)
        yield gridded(f"{trap} {start:g} → {stop:g}, t_f = {duration:g}: W", form, best, error)
        found.append((best, error))
    if len(durations) > 1:
        times, (best, errors) = np.geomspace(durations[0], durations[-1], 60), np.array(found).T
        yield Series(
            f"Least work, {trap} {start:g} → {stop:g}", "duration t_f", "mean work W",
            (
                Curve("least", times, [float(least_work(trap, start, stop, t)) for t in times]),
                Curve("linear ramp", times, [float(ramp_work(trap, start, stop, t)) for t in times]),
            ),
            (Points("optimised on a grid", durations, best, errors),), "x",
        )  # fmt: skip


@OPTIMAL.check
def jumps_of_the_protocols(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the optimised protocols, and what they jump to at both ends, with the closed forms."""
    for trap, start, stop, protocol in (
        ("centre", 0.0, 1.0, schmiedl_seifert.moving_trap_protocol(1.0, 1.0)),
        ("stiffness", 1.0, 2.0, schmiedl_seifert.stiffening_trap_protocol(1.0, 2.0, 1.0)),
    ):
        coarse, fine = (
            _optimised(trap, start, stop, 1.0, n) for n in trial.pick(brief=(1, 2), quick=(2, 4), full=(4, 8))
        )
        for k, (name, time) in enumerate((("first", 0.0), ("last", 1.0))):
            limit, error = richardson(fine.ends[k, 0], coarse.ends[k, 0])
            yield gridded(f"{trap}, {name} value between the jumps", protocol(time), limit, error)
        t = np.linspace(0.0, 1.0, 41)
        curve = np.concatenate([[start], protocol(t), [stop]])
        yield Series(
            f"Optimal protocol of the {trap}", "time t", trap,
            (Curve("closed form, jumps at both ends", [0.0, *t, 1.0], curve), Curve("linear", [0, 1], [start, stop])),
            (Points("optimised on a grid", fine.times, fine.values[:, 0]),),
        )  # fmt: skip
    if trial.effort != "brief":
        numbers = np.array([1, 2, 4, 8])
        off = [_optimised("stiffness", 1.0, 2.0, 1.0, int(n)).work for n in numbers]
        excess = np.array(off) - float(schmiedl_seifert.stiffening_trap_work(1.0, 2.0, 1.0))
        yield Series(
            "Work of the optimised steps above the closed form", "length of the steps", "W − W*",
            points=(Points("steps and cells refined together", 0.1 / numbers, excess),), logarithmic="xy",
            slope=slope("order of steps and cells", 0.1 / numbers, excess, 2.0),
        )  # fmt: skip


@OPTIMAL.check
def optimised_protocol_on_trajectories(trial: Trial) -> Iterator[Comparison]:
    """Mean work of 10⁶ paths in a trap that moves by the optimised steps, against the density and the closed form."""
    if trial.effort == "brief":
        return
    best = _optimised("centre", 0.0, 1.0, 1.0, 2)
    ensemble = fp.simulate(
        fp.Langevin(TRAP.landscape, temperature=1.0, protocol={"c": best.protocol("c")}),
        trial.pick(brief=0, quick=1_000_000, full=10_000_000), fp.Gaussian([0.0], 1.0), 0.01, 1.0, seed=trial.seed,
        scheme="ornstein-uhlenbeck", functionals="work", observe=fp.Mean("work"),
    )  # fmt: skip
    work = ensemble.observables["mean_work"]
    assert isinstance(work, MeanResult)
    mean, error = float(work.mean[-1, 0]), float(work.standard_error[-1, 0])
    _, grid_error, steps = _optimum(trial, "centre", 0.0, 1.0, 1.0)
    yield statistical(
        "trajectories under the optimised steps", steps, mean, error, bias=grid_error, bias_source="grid and steps"
    )


@OPTIMAL.check
def geodesic_at_least_entropy_production(trial: Trial) -> Iterator[Comparison | Series]:
    """Σ̇ from the fluxes under the landscapes of optimal transport N(0, 1) → N(2, ¼): constant, W₂²/(D t_f²)."""
    exact = optimal_transport.gaussian_distance(0.0, 1.0, 2.0, 0.25)
    least = float(optimal_transport.minimum_entropy_production(exact, 1.0))
    cells = trial.pick(brief=100, quick=200, full=400)
    grids = [fp.Grid(x=(-7.0, 7.0, n)) for n in (cells, 2 * cells)]
    ends = [[fp.gaussian(grid, [m], [[s]]) for m, s in ((0.0, 1.0), (2.0, 0.25))] for grid in grids]
    squares = [wasserstein_distance(*pair, grid) ** 2 for pair, grid in zip(ends, grids, strict=True)]
    yield gridded("W₂² by quantiles", float(exact) ** 2, *richardson(squares[1], squares[0]))
    fractions = np.linspace(0.0, 1.0, trial.pick(brief=3, quick=9, full=17))
    found = []
    for fraction in map(float, fractions):
        coarse, fine = (
            _rate_on_geodesic(p, q, grid, fraction) for (p, q), grid in zip(ends, grids, strict=True)
        )  # fmt: skip
        found.append(richardson(fine, coarse))
    rates, errors = np.array(found).T
    for s, rate, error in zip(fractions, rates, errors, strict=True):
        yield gridded(f"Σ̇ after a fraction {s:g}", least, rate, error)
    yield Series(
        "Entropy production along the geodesic", "t/t_f", "Σ̇ t_f",
        (Curve("W₂²/(D t_f)", [0.0, 1.0], [least, least]),), (Points("fluxes on the grid", fractions, rates, errors),),
    )  # fmt: skip


@OPTIMAL.check
def speed_limit_of_relaxation(trial: Trial) -> Iterator[Comparison | Series]:
    """Σ of relaxation by free energies, against W₂²/(D t): a shifted Gaussian, and random wells and densities."""
    exact = float(optimal_transport.relaxation_entropy_production(2.0, 1.0))
    found = [_relaxation(fp.Landscape("x**2/2"), fp.Grid(x=(-7.0, 9.0, n)), 2.0, 1.0, 1.0) for n in (100, 200)]
    (produced, error), (bound, bound_error) = (richardson(found[1][k], found[0][k]) for k in (0, 1))
    yield gridded("shifted Gaussian, t = 1: Σ", exact, produced, error)
    limit = optimal_transport.minimum_entropy_production(2.0 * -np.expm1(-1.0), 1.0)
    yield gridded("shifted Gaussian, t = 1: bound", limit, bound, bound_error)
    rng = np.random.default_rng(trial.seed)
    grids = [fp.Grid(x=fp.Axis(-3.0, 3.0, n, boundary="reflecting")) for n in (200, 400)]
    rows = []
    for _ in range(trial.pick(brief=4, quick=60, full=600)):
        a, b, c = map(float, rng.normal(size=3))
        wells = RANDOM.with_parameters(a=a, b=b, c=c)
        mean, time, temperature = rng.uniform(-1.5, 1.5), 10.0 ** rng.uniform(-3.0, 1.0), rng.uniform(0.05, 0.5)
        found = [_relaxation(wells, grid, float(mean), float(time), float(temperature)) for grid in grids]
        rows.append((time, *richardson(found[1][1] / found[1][0], found[0][1] / found[0][0])))
    times, shares, errors = np.array(rows).T
    yield Series(
        "Speed limit over entropy production, random relaxations", "time t", "W₂²/(D t Σ)",
        (Curve("bound", [1e-3, 10.0], [1.0, 1.0]),),
        (Points("random wells and densities", times, shares, errors),), "x",
    )  # fmt: skip
    worst = int(np.argmax(shares - 4.0 * errors))
    yield bounded(f"tightest of {len(rows)} random relaxations", 1.0, shares[worst], errors[worst], side="≤")


@OPTIMAL.check
def slow_driving_and_thermodynamic_length(trial: Trial) -> Iterator[Comparison | Series]:
    """Friction from a linear solve on the grid; excess work of slow steps over long times, ramp and geodesic."""
    grids = [fp.Grid(x=(-7.0, 7.0, n)) for n in (100, 200)]
    stiff = fp.Langevin(TRAP.landscape.with_parameters(k=1.5), temperature=1.0)
    tensors = [friction_tensor(stiff, grid, ["k", "c"]) for grid in grids]
    for k, (name, form) in enumerate((
        ("stiffness", thermodynamic_length.stiffness_friction(1.5)), ("centre", 1.0),
    )):  # fmt: skip
        yield gridded(f"ζ of the {name}", form, *richardson(tensors[1][k, k], tensors[0][k, k]))
    slow = [slow_driving(TRAP, grid, "k", 1.0, 2.0, points=17) for grid in grids]
    friction = thermodynamic_length.stiffness_friction
    for name, form, (coarse, fine) in (
        ("length²", thermodynamic_length.slow_excess_work(friction, 1.0, 2.0, 1.0), [s.excess_work(1.0) for s in slow]),
        ("ramp", thermodynamic_length.slow_linear_excess_work(friction, 1.0, 2.0, 1.0),
         [s.linear_excess_work(1.0) for s in slow]),
    ):  # fmt: skip
        yield gridded(f"slow excess work × t_f, {name}", form, *richardson(fine, coarse))
    durations = np.geomspace(4.0, trial.pick(brief=32.0, quick=128.0, full=512.0), trial.pick(brief=4, quick=6, full=8))
    along: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "ramp": lambda s: 1.0 + s,
        "geodesic": thermodynamic_length.slow_stiffness_protocol(1.0, 2.0, 1.0),
    }
    limits = {
        "ramp": float(thermodynamic_length.slow_linear_excess_work(friction, 1.0, 2.0, 1.0)),
        "geodesic": float(thermodynamic_length.slow_excess_work(friction, 1.0, 2.0, 1.0)),
    }
    points = []
    for name, way in along.items():
        excess, errors = np.array([_slow_excess(way, float(t)) for t in durations]).T
        points.append(Points(f"{name}, steps on a grid", durations, durations * excess, durations * errors))
        yield Series(
            f"What slow driving leaves, {name}", "duration t_f", "|t_f (W − ΔF)/limit − 1|",
            points=(Points("steps on a grid", durations, np.abs(durations * excess / limits[name] - 1.0)),),
            logarithmic="xy",
            slope=slope(f"{name}: power of t_f", durations, durations * excess / limits[name] - 1.0, -1.0,
                        errors=durations * errors / limits[name], towards="large"),
        )  # fmt: skip
    yield Series(
        "Excess work of slow driving, stiffness 1 → 2", "duration t_f", "t_f (W − ΔF)",
        tuple(Curve(f"{name}, t_f → ∞", durations[[0, -1]], [limits[name]] * 2) for name in along), tuple(points), "x",
    )  # fmt: skip


@OPTIMAL.check
def double_well(trial: Trial) -> Iterator[Comparison | Series]:
    """Tilting a double well from −0.2 to 0.2 at T = 0.1: ramp, slow geodesic, optimised tilt and full control."""
    grid = fp.Grid(x=(-2.4, 2.4, trial.pick(brief=80, quick=120, full=240)))
    intervals = trial.pick(brief=16, quick=40, full=80)
    durations = np.array(
        trial.pick(brief=(1.0, 2.0), quick=(0.25, 0.5, 1.0, 2.0, 5.0, 20.0), full=(0.1, 0.3, 1.0, 3.0, 10.0, 30.0))
    )
    slow = slow_driving(WELLS, grid, "c", -0.2, 0.2, points=17)
    works = []
    for duration in map(float, durations):
        best = optimal_protocol(WELLS, grid, {"c": (-0.2, 0.2)}, duration=duration, intervals=intervals)
        driving = best.driving
        geodesic = driving.work(slow.along(best.times / duration))
        free = full_control(
            driving.landscape(driving.stop), WELLS.landscape, grid, duration=duration, temperature=0.1
        )  # fmt: skip
        row = {"ramp": driving.work(driving.ramp), "geodesic": geodesic, "optimised": best.work, "full": free.work}
        works.append(list(row.values()))
        # The same steps and cells on both sides: what one cell width moves is the same to higher order.
        yield bounded(f"t_f = {duration:g}: optimised below the ramp", row["ramp"], row["optimised"], side="≤")
        yield bounded(f"t_f = {duration:g}: optimised below the slow geodesic", geodesic, row["optimised"], side="≤")
        yield bounded(f"t_f = {duration:g}: no less than full control", row["full"], row["optimised"], side="≥")
        yield bounded(f"t_f = {duration:g}: second law", 0.0, row["full"], 1e-6, side="≥")
    columns = np.array(works).T
    labels = ("linear ramp", "slow geodesic", "optimised tilt", "full control")
    yield Series(
        "Tilting a double well", "duration t_f", "mean work W", (Curve("ΔF", durations[[0, -1]], [0.0, 0.0]),),
        tuple(Points(label, durations, column) for label, column in zip(labels, columns, strict=True)), "x",
    )  # fmt: skip


@OPTIMAL.check
def full_control_of_traps(trial: Trial) -> Iterator[Comparison]:
    """Least work over all landscapes by optimal transport to the best end; a Gaussian needs no more than a trap."""
    for trap, start, stop in (("centre", 0.0, 1.0), ("stiffness", 1.0, 2.0), ("stiffness", 2.0, 1.0)):
        before, after = (TRAP.landscape.with_parameters(**{PARAMETER[trap]: value}) for value in (start, stop))
        coarse, fine = (
            full_control(after, before, fp.Grid(x=(-8.0, 9.0, n)), duration=1.0, temperature=1.0).work
            for n in (150, 300)
        )
        form = trial.predict(trap, start, stop, 1.0)
        # The map between Gaussians is linear, which leaves no error of second order.
        yield gridded(f"{trap} {start:g} → {stop:g}", form, *richardson(fine, coarse, order=4.0))


@OPTIMAL.check
def erasure_in_finite_time(trial: Trial) -> Iterator[Comparison]:
    """W₂² = 1/3 from uniform on [−1, 1] to uniform on [0, 1], and the heat and the time of erasure that follow."""
    grid = fp.Grid(x=(-1.0, 1.0, 64))
    whole, half = np.full(64, 0.5), np.where(grid.axes[0].centres > 0.0, 1.0, 0.0)
    distance = wasserstein_distance(whole, half, grid)
    yield rounded("W₂²", 1.0 / 3.0, distance**2, rounding=1e-12)
    yield rounded(
        "heat in unit time",
        np.log(2.0) + 1.0 / 3.0,
        float(optimal_transport.erasure_heat(distance, 1.0)),
        rounding=1e-12,
    )
    time = float(optimal_transport.erasure_time(distance, 1.0))
    yield rounded(
        "unit power times the least time", optimal_transport.erasure_heat(distance, time), time, rounding=1e-12
    )


@cache
def _optimised(trap: str, start: float, stop: float, duration: float, refinement: int) -> OptimalProtocol:
    """Return the optimal steps of a trap: ten intervals and sixty cells, times the refinement."""
    grid = fp.Grid(x=(-7.0, 8.0, 60 * refinement))
    controls: Mapping[str, tuple[float, float]] = {PARAMETER[trap]: (start, stop)}
    dynamics = fp.Langevin(TRAP.landscape.with_parameters(**{PARAMETER[trap]: start}), temperature=1.0)
    return optimal_protocol(dynamics, grid, controls, duration=duration, intervals=10 * refinement)


def _optimum(trial: Trial, trap: str, start: float, stop: float, duration: float) -> tuple[float, float, float]:
    """Return the least work extrapolated from two refinements, its error, and that of the coarser steps."""
    refinements = trial.pick(brief=(1, 2), quick=(2, 4), full=(4, 8))
    coarse, fine = (_optimised(trap, start, stop, duration, n).work for n in refinements)
    best, error = richardson(fine, coarse)
    return best, error, coarse


def _rate_on_geodesic(p: Any, q: Any, grid: fp.Grid, fraction: float) -> float:
    """Return Σ̇ from the fluxes of a generator with the landscape of optimal transport in unit time, T = μ = 1."""
    loss, density = transport_landscape(p, q, grid, fraction=fraction, duration=1.0, temperature=1.0)
    landscape = fp.Landscape.from_grid({"x": grid.axes[0].centres}, loss)
    return entropy_production(fp.generator(fp.Langevin(landscape, temperature=1.0), grid), density).total


def _relaxation(
    landscape: fp.Landscape, grid: fp.Grid, mean: float, duration: float, temperature: float
) -> tuple[float, float]:
    """Return Σ of a Gaussian that relaxes, from relative entropies, and the speed limit; μ = 1, width² = T."""
    W = fp.generator(fp.Langevin(landscape, temperature=temperature), grid)
    start, rest = fp.gaussian(grid, [mean], [[temperature]]), fp.boltzmann(landscape, grid, temperature)
    end = fp.evolve(W, start, times=[duration], tolerance=1e-9).final
    produced = fp.kl_divergence(start, rest, grid) - fp.kl_divergence(end, rest, grid)
    return produced, speed_limit(start, end, grid, duration=duration, diffusion=temperature)


def _slow_excess(way: Callable[[np.ndarray], np.ndarray], duration: float) -> tuple[float, float]:
    """Return W − ΔF of stiffening 1 → 2 along a way in steps, extrapolated to none of any length, and the error."""
    excess = []
    for refinement in (1, 2, 4):
        intervals = refinement * max(10, round(4.0 * duration))
        driving = SteppedDriving(TRAP, fp.Grid(x=(-7.0, 7.0, 70 * refinement)), {"k": (1.0, 2.0)}, duration, intervals)
        ends = [driving.landscape(at) for at in (driving.start, driving.stop)]
        # ΔF of the grid itself: what the steps of infinite slowness would cost there.
        sums = [float(np.sum(np.exp(-one.value(driving.grid.points)) * driving.grid.volumes)) for one in ends]
        excess.append(driving.work(way(driving.middles / duration)) + np.log(sums[1] / sums[0]))
    once = [richardson(excess[1], excess[0])[0], richardson(excess[2], excess[1])[0]]
    return richardson(once[1], once[0], order=4.0)
