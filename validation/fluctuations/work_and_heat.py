"""Claims C1.1, C7.1 and C7.2: what work and heat are, on densities, on trajectories and along paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.ensembles.observables.means import MeanResult
from fpsolver.theory import stiffening_trap, work_and_heat
from fpsolver.thermodynamics import energy_balance, entropy_production
from fpsolver.thermodynamics.entropy import free_energy
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

USEFUL_WORK = claim(
    "C1.1",
    family="fluctuations",
    title="Useful and dissipated work",
    as_written="W = W_useful + W_diss",
    statement=(
        "W = ΔF + TΣ on average, with F[p] = ⟨L⟩ − TS of the densities at start and end and Σ ≥ 0 the total entropy "
        "production, for any driving with one bath. With the equilibrium free energies of the parameters in place of "
        "F[p] the rest is not TΣ: it also holds what relaxation after the end will dissipate."
    ),
    verdict="exact",
    sources=(
        "M. Esposito, C. Van den Broeck, EPL 95, 40004 (2011)",
        "J. M. R. Parrondo, J. M. Horowitz, T. Sagawa, Nat. Phys. 11, 131 (2015)",
    ),
    written=work_and_heat.dissipated_work_from_equilibrium,
    corrected=work_and_heat.dissipated_work,
)

LENGTH_WORK = claim(
    "C7.1",
    family="fluctuations",
    title="Work along a path",
    as_written="W = ∫|∇L||dθ|",
    statement=(
        "∫∇L·dθ = ΔL is the work of moving θ along a path, and ∫|∇L||dθ| ≥ |ΔL| bounds it from above; both are equal "
        "only where the path runs along ∇L, in one sense throughout."
    ),
    verdict="bound",
    sources=("Cauchy–Schwarz inequality",),
    written=work_and_heat.path_length_work,
    corrected=work_and_heat.path_work,
)

HEAT = claim(
    "C7.2",
    family="fluctuations",
    title="Heat and free energy",
    as_written="Q = W − ΔF",
    statement=(
        "Q = W − ΔE. W − ΔF = TΣ is the dissipation, with F[p] = ⟨L⟩ − TS of the density: it is heat only where the "
        "entropy of the density does not change."
    ),
    verdict="false as written",
    sources=("K. Sekimoto, Prog. Theor. Phys. Suppl. 130, 17 (1998)",),
    written=work_and_heat.heat_from_free_energy,
    corrected=work_and_heat.heat,
)

TRAP = fp.Landscape("k*(x - c)**2/2", {"k": 1.0, "c": 0.0}, ("x",))
WELLS = fp.Landscape("x**4/4 - x**2/2 - c*x", {"c": -0.2}, ("x",))
SOLVER = 1e-9
"""What a tolerance of 1e-10 on densities does to the mean of a loss of order ten."""
QUENCHES = {
    "stiffness 1 → 2": {"k": 2.0},
    "shift by 1": {"c": 1.0},
    "stiffness 1 → 2, shift by 1": {"k": 2.0, "c": 1.0},
}


@USEFUL_WORK.check
def balance_on_the_grid(trial: Trial) -> Iterator[Comparison]:
    """TΣ from the fluxes between cells, against the work less the free energy of the densities, driven in unit time."""
    cells = trial.pick(brief=60, quick=200, full=400)
    for name, landscape, temperature, driven, ends, grid in (
        ("trap 1 → 2", TRAP, 1.0, "k", (1.0, 2.0), fp.Grid(x=(-8, 8, cells))),
        ("double well, tilt −0.2 → 0.2", WELLS, 0.1, "c", (-0.2, 0.2), fp.Grid(x=(-2.4, 2.4, cells))),
    ):
        start, stop = (landscape.with_parameters(**{driven: value}) for value in ends)
        protocol = fp.Protocol.ramp(*ends, duration=1.0)
        W = fp.generator(fp.Langevin(start, temperature=temperature, protocol={driven: protocol}), grid)
        p = fp.boltzmann(start, grid, temperature)
        balance = energy_balance(W, p, 1.0, panels=trial.pick(brief=1, quick=4, full=6))
        last = fp.evolve(W, p, times=[1.0], tolerance=1e-10).final
        final, initial = (stop, temperature), (start, temperature)
        rest = fp.boltzmann(stop, grid, temperature)
        begin = free_energy(initial, p, grid)
        form = trial.predict(
            balance.work,
            free_energy_change=free_energy(final, last, grid) - begin,
            equilibrium_free_energy_change=free_energy(final, rest, grid) - begin,
        )
        few, many = (_entropy_produced(W, p, nodes) for nodes in (8, 12))
        error = temperature * abs(many - few) + abs(balance.residual) + SOLVER
        yield gridded(f"{name}: TΣ", form, temperature * many, error, source="quadrature in time and solver")


@USEFUL_WORK.check
def slower_ramps_dissipate_less(trial: Trial) -> Iterator[Series | Comparison]:
    """TΣ of a trap that stiffens from 1 to 2 at T = 1 against the duration: fluxes on a grid, W − ΔF in closed form."""
    durations = np.geomspace(0.1, 10.0, trial.pick(brief=3, quick=6, full=9))
    cells = trial.pick(brief=60, quick=120, full=240)
    forms = {"W − ΔF[p]": work_and_heat.dissipated_work, "W − ΔF_eq": work_and_heat.dissipated_work_from_equilibrium}
    curves = {name: [_dissipated_by_ramp(form, t) for t in durations] for name, form in forms.items()}
    measured, errors = [], []
    for duration in map(float, durations):
        fine, coarse = (_entropy_of_ramp(number, duration) for number in (cells, cells // 2))
        value, error = richardson(fine, coarse)
        measured.append(value)
        errors.append(error)
        form = _dissipated_by_ramp(trial.predict, duration)
        yield gridded(f"TΣ, ramp of {duration:.3g}", form, value, error)
    yield Series(
        "dissipation of a ramp", "duration", "TΣ",
        tuple(Curve(name, durations, values) for name, values in curves.items()),
        (Points("fluxes on a grid", durations, measured, errors),),
        "xy",
    )  # fmt: skip


@USEFUL_WORK.check
def balance_on_trajectories(trial: Trial) -> Iterator[Comparison]:
    """Mean entropy production of 10⁶ paths in a trap that stiffens, against mean work less free energy."""
    if trial.effort == "brief":
        return
    duration, temperature = 1.0, 1.0
    work = float(stiffening_trap.mean_work(1.0, 2.0, duration=duration, temperature=temperature))
    variance = _variance_after_ramp(duration)
    form = _dissipated_by_ramp(trial.predict, duration)
    ensemble = fp.simulate(
        fp.Langevin(TRAP, temperature=temperature, protocol={"k": fp.Protocol.ramp(1.0, 2.0, duration=duration)}),
        trial.pick(brief=0, quick=1_000_000, full=10_000_000), fp.Gaussian([0.0], 1.0), 0.01, duration,
        seed=trial.seed, scheme="ornstein-uhlenbeck", functionals=["work", "heat", "entropy_flow"],
        density=(fp.Gaussian([0.0], 1.0), fp.Gaussian([0.0], variance)),
        observe=[fp.Mean("work", "heat", "entropy_production", name="means")],
    )  # fmt: skip
    means = ensemble.observables["means"]
    assert isinstance(means, MeanResult)
    mean, error = means.mean[-1], means.standard_error[-1]
    # Parameters switch in the middle of each step: a splitting of second order.
    step = 0.01**2
    yield statistical("work", work, mean[0], error[0], bias=step, bias_source="time step")
    yield statistical("TΣ", form, temperature * mean[2], error[2], bias=step, bias_source="time step")


@LENGTH_WORK.check
def the_two_paths_of_the_ledger(trial: Trial) -> Iterator[Comparison]:
    """Work ∫∇L·dθ by the midpoint rule, on a line that leaves the gradient and on a way back and forth."""
    for name, landscape, path in (
        ("(x² + 4y²)/2 from (1, 1) to 0", fp.Landscape("(x**2 + 4*y**2)/2"), [[1.0, 1.0], [0.0, 0.0]]),
        ("x²/2 along 1 → 2 → 0", fp.Landscape("x**2/2"), [[1.0], [2.0], [0.0]]),
    ):
        form = trial.predict(landscape, path)
        # The midpoint rule is exact for a linear gradient.
        yield rounded(f"{name}: work", form, _line_integral(landscape, path, 64), rounding=1e-12)
        bound, work = work_and_heat.path_length_work(landscape, path), abs(_line_integral(landscape, path, 64))
        yield bounded(f"{name}: |ΔL|", bound, work, side="≤")
        yield misses(f"{name}: ∫|∇L||dθ|", bound, work, 0.0, margin=0.4)


@LENGTH_WORK.check
def random_paths_and_gradient_flow(trial: Trial) -> Iterator[Series | Comparison]:
    """|ΔL| over ∫|∇L||dθ|: below one for random paths, one for descent along the gradient."""
    landscape = fp.Landscape("x**2/2 + 2*y**2 + sin(2*x*y)")
    rng = np.random.default_rng(trial.seed)
    shares, corners = [], []
    for number in range(trial.pick(brief=20, quick=300, full=3000)):
        count = 2 + number % 4
        path = rng.normal(scale=1.5, size=(count, 2))
        shares.append(
            abs(_line_integral(landscape, path, 2000)) / float(work_and_heat.path_length_work(landscape, path))
        )
        corners.append(count)
    yield Series(
        "Work over its bound, random paths", "corners of the path", "|ΔL|/∫|∇L||dθ|",
        (Curve("bound", [2, 5], [1.0, 1.0]),), (Points("random paths", corners, shares),),
    )  # fmt: skip
    # The midpoint rule with 2000 nodes a side errs by some 1e-6.
    yield bounded("largest share of random paths", 1.0, max(shares), 1e-6, side="≤")
    deficits = []
    for step in (0.02, 0.01):
        descent = [np.array([1.2, 0.7])]
        for _ in range(round(0.8 / step)):
            descent.append(descent[-1] - step * landscape.gradient(descent[-1]))
        length = float(work_and_heat.path_length_work(landscape, descent))
        deficits.append(1.0 - abs(float(work_and_heat.path_work(landscape, descent))) / length)
    # A polygon leaves the gradient by an angle of the order of the step, which costs its square.
    limit, error = richardson(deficits[-1], deficits[-2])
    yield gridded("deficit along gradient descent, as its steps vanish", 0.0, limit, error)


@HEAT.check
def quenches_on_the_grid(trial: Trial) -> Iterator[Comparison | Series]:
    """Heat from the fluxes between cells after a sudden change of a trap, against both readings."""
    grid = fp.Grid(x=(-8.0, 9.0, trial.pick(brief=120, quick=240, full=480)))
    p = fp.boltzmann(TRAP, grid, 1.0)
    times = np.array(
        trial.pick(brief=(0.2, 12.0), quick=(0.1, 0.3, 1.0, 3.0, 12.0), full=(0.1, 0.2, 0.5, 1.0, 3.0, 12.0))
    )
    for name, change in QUENCHES.items():
        after = TRAP.with_parameters(**change)
        W = fp.generator(fp.Langevin(after, temperature=1.0), grid)
        loss = [landscape.value(grid.points) for landscape in (TRAP, after)]
        work = float(np.sum((loss[1] - loss[0]) * p * grid.volumes))
        rows = []
        for t in times:
            balance = energy_balance(W, p, float(t), panels=trial.pick(brief=3, quick=5, full=8))
            changes = {
                "energy_change": work + balance.energy_change,
                "entropy_change": balance.entropy_change,
                "temperature": 1.0,
            }
            form = trial.predict(work, **changes)
            error = abs(balance.residual) + SOLVER
            yield gridded(f"{name}: heat up to t = {t:g}", form, balance.heat, error, source="quadrature and solver")
            right, written = (
                float(reading(work, **changes)) for reading in (work_and_heat.heat, work_and_heat.heat_from_free_energy)
            )
            rows.append((balance.heat, error, right, written))
        heat, errors, right, written = np.array(rows).T
        yield Series(
            f"Heat after a quench, {name}", "time t", "heat Q",
            (Curve("W − ΔE", times, right), Curve("W − ΔF, as written", times, written)),
            (Points("fluxes on the grid", times, heat, errors),), "x",
        )  # fmt: skip
        if "k" in change:
            yield misses(f"{name}: as written, relaxed", written[-1], heat[-1], errors[-1])


@HEAT.check
def quench_of_the_ledger(trial: Trial) -> Iterator[Comparison]:
    """Stiffness 1 → 2 at once, then full relaxation: W = 1/2, ΔE = 0, ΔS = −(ln 2)/2, on grids and trajectories."""
    changes = {"energy_change": 0.0, "entropy_change": -0.5 * np.log(2.0), "temperature": 1.0}
    form = trial.predict(0.5, **changes)
    heats = []
    for cells in (100, 200):
        grid = fp.Grid(x=(-8.0, 8.0, cells))
        W = fp.generator(fp.Langevin(TRAP.with_parameters(k=2.0), temperature=1.0), grid)
        heats.append(energy_balance(W, fp.boltzmann(TRAP, grid, 1.0), 12.0, panels=3).heat)
    limit, error = richardson(heats[1], heats[0])
    yield gridded("heat from fluxes", form, limit, error + SOLVER)
    if trial.effort == "brief":
        return
    ensemble = fp.simulate(
        fp.Langevin(TRAP.with_parameters(k=2.0), temperature=1.0),
        trial.pick(brief=0, quick=1_000_000, full=10_000_000), fp.Gaussian([0.0], 1.0), 0.1, 5.0, seed=trial.seed,
        scheme="ornstein-uhlenbeck", functionals="heat", observe=fp.Mean("heat"),
    )  # fmt: skip
    mean = ensemble.observables["mean_heat"]
    assert isinstance(mean, MeanResult)
    left = 0.5 * np.exp(-20.0)
    yield statistical("heat of trajectories", form, mean.mean[-1, 0], mean.standard_error[-1, 0], bias=left,
                      bias_source="relaxation after t = 5")  # fmt: skip


def _entropy_of_ramp(cells: int, duration: float) -> float:
    """Return Σ of the trap whose stiffness goes from 1 to 2 at T = 1, on so many cells."""
    protocol = fp.Protocol.ramp(1.0, 2.0, duration=duration)
    grid = fp.Grid(x=(-8, 8, cells))
    W = fp.generator(fp.Langevin(TRAP, temperature=1.0, protocol={"k": protocol}), grid)
    return _entropy_produced(W, fp.boltzmann(TRAP, grid, 1.0), 12, duration)


def _dissipated_by_ramp(form: Callable[..., Any], duration: float) -> float:
    """Return what a form says of that ramp, from its work and variance in closed form."""
    variance = _variance_after_ramp(duration)
    return float(
        form(
            float(stiffening_trap.mean_work(1.0, 2.0, duration=duration, temperature=1.0)),
            free_energy_change=0.5 * (2.0 * variance - 1.0) - 0.5 * np.log(variance),
            equilibrium_free_energy_change=float(stiffening_trap.free_energy_difference(1.0, 2.0, temperature=1.0)),
        )
    )


def _entropy_produced(W: Any, p: np.ndarray, nodes: int, duration: float = 1.0) -> float:
    """Return Σ over a time, the rate from the fluxes added up by a Gauss–Legendre rule."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    times = 0.5 * duration * (x + 1.0)
    densities = fp.evolve(W, p, times=times, tolerance=1e-10).densities
    rates = [entropy_production(W.at(float(t)), density).total for t, density in zip(times, densities, strict=True)]
    return float(0.5 * duration * weights @ rates)


def _line_integral(landscape: fp.Landscape, path: object, nodes: int) -> float:
    """Return ∫∇L·dθ along a polygon by the midpoint rule."""
    corners = np.asarray(path, dtype=float)
    s = (np.arange(nodes) + 0.5) / nodes
    total = 0.0
    for start, stop in pairwise(corners):
        gradients = landscape.gradient(start + s[:, None] * (stop - start))
        total += float(np.mean(gradients @ (stop - start)))
    return total


def _variance_after_ramp(duration: float) -> float:
    """Return ⟨x²⟩ after the stiffness went from 1 to 2 at a constant rate, for μ = T = 1: ṡ = 2 − 2ks."""
    t = np.linspace(0.0, duration, 20_001)
    grown = 2.0 * t + t**2 / duration
    decay = np.exp(grown - grown[-1])
    rule = np.full(len(t), 2.0)
    rule[1::2] = 4.0
    rule[[0, -1]] = 1.0
    return float(decay[0] + 2.0 * (rule @ decay) * (t[1] - t[0]) / 3.0)
