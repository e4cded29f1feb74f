"""B1 and B2: energy, work and heat balance, and entropy falls by no more than the heat that leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import dissipation, dragged_trap, linear_diffusion, stiffening_trap
from fpsolver.thermodynamics import EnergyBalance, energy_balance, entropy_production
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
    slope,
    statistical,
)

FIRST_LAW = claim(
    "B1",
    family="fluctuations",
    title="First law",
    as_written="dI = dC + dW",
    statement="dL = đW − đq along every trajectory, with the work đW = ∂_λL dλ + F∘dθ done on the weights and the "
    "heat đq = (F − ∇L)∘dθ given to the bath: exact with Stratonovich products (the midpoint sum at any "
    "step for quadratic L), and for averages over a density. The written terms are not defined, and "
    "information is not an energy; read with the heat to the bath as the cost C, it has the sign of the "
    "heat wrong.",
    verdict="definition",
    sources=(
        "K. Sekimoto, Stochastic Energetics (2010), section 4.1",
        "U. Seifert, Rep. Prog. Phys. 75, 126001 (2012)",
    ),
    written=dissipation.energy_change_as_written,
    corrected=dissipation.energy_change,
)

SECOND_LAW = claim(
    "B2",
    family="fluctuations",
    title="Second law",
    as_written="dS ≥ dQ/T_eff, T_eff = (η/2) tr Σ",
    statement="ΔS ≥ −Q/T for the entropy S = −∫p ln p of d weights that give the heat Q to isotropic constant noise, "
    "with T = (η/2) tr C/d; what is missing is the total entropy production Σ ≥ 0, and quasi-static driving saturates "
    "the bound. T_eff = (η/2) tr C is too large by d, so that slow compression violates the written bound. Where noise "
    "and Hessian do not commute the bound holds but is blind: 0 ≥ 0 in a steady state that produces entropy.",
    verdict="bound",
    sources=("U. Seifert, Rep. Prog. Phys. 75, 126001 (2012), section 2", "own derivation of T_eff"),
    written=dissipation.least_entropy_change_as_written,
    corrected=dissipation.least_entropy_change,
)

TRAP = fp.Landscape("k*(x - c)**2/2", variables=("x",), parameters={"k": 1.0, "c": 0.0})
WAVES = fp.Landscape("k*x**4/4 + x**2/2 - c*x", variables=("x",), parameters={"k": 1.0, "c": 0.0})
LINE = (-6.0, 8.0)
EPSILON = float(np.finfo(float).eps)
TOLERANCE = 1e-9
"""Of evolved densities, in L1."""


def balance_on(
    cells: int, dynamics: fp.Langevin, duration: float, *, start: tuple[float, float] | None = None, panels: int = 2
) -> EnergyBalance:
    """Return the balance on a grid, from equilibrium or from a Gaussian of given mean and variance."""
    W = fp.generator(dynamics, fp.Grid(x=(*LINE, cells)))
    if start is None:
        first = dynamics.at(0.0)
        assert first.temperature is not None
        density = fp.boltzmann(first.landscape, W.grid, first.temperature)
    else:
        density = fp.gaussian(W.grid, [start[0]], [[start[1]]])
    return energy_balance(W, density, duration, panels=panels, tolerance=TOLERANCE)


def driven(landscape: fp.Landscape, temperature: float = 1.0, **protocols: str) -> fp.Langevin:
    """Return dynamics with protocols given as formulas in t."""
    return fp.Langevin(
        landscape, temperature=temperature, protocol={name: fp.Protocol(text) for name, text in protocols.items()}
    )


@FIRST_LAW.check
def densities_balance(trial: Trial) -> Iterator[Comparison]:
    """Compare ΔE of densities on a grid with work and heat, which are added up apart from it, edge by edge."""
    systems = {
        "dragged trap": (driven(TRAP, c="t"), None),
        "stiffening trap": (driven(TRAP, k="1 + t"), None),
        "quartic, tilted and stiffened at once": (driven(WAVES, 0.5, k="1 + t", c="sin(3*t)"), (0.5, 0.2)),
    }
    names = trial.pick(brief=[name for name in systems if "quartic" in name], quick=systems, full=systems)
    for name in names:
        dynamics, start = systems[name]
        balance = balance_on(trial.pick(brief=50, quick=200, full=400), dynamics, 1.0, start=start)
        highest = float(dynamics.at(1.0).landscape.value(np.array(LINE)[:, None]).max())
        yield gridded(
            name, trial.predict(balance.work, balance.heat), balance.energy_change, TOLERANCE * highest,
            source="tolerance of the solver, in probability, times the highest energy on the grid",
        )  # fmt: skip


@FIRST_LAW.check
def work_against_closed_forms(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare work and heat of traps that move or stiffen, from face fluxes, with closed forms and the first law."""
    durations = trial.pick(brief=(1.0,), quick=(0.1, 1.0, 10.0), full=(0.1, 0.3, 1.0, 3.0, 10.0))
    cells, panels = trial.pick(brief=(80, 1), quick=(200, 2), full=(400, 2))
    found = []
    for duration in durations:
        fine, coarse = (
            balance_on(n, driven(TRAP, k=f"1 + t/{duration!r}"), duration, panels=panels) for n in (cells, cells // 2)
        )
        work, error = richardson(fine.work, coarse.work)
        heat, heat_error = richardson(fine.heat, coarse.heat)
        exact = stiffening_trap.mean_work(1.0, 2.0, duration=duration, temperature=1.0)
        yield gridded(f"work of stiffening in t = {duration:g}", exact, work, error)
        # kx²/2 begins at T/2, and ends at k_f/2 times the variance that the closed form has at the end.
        gained = stiffened_variance(duration) - 0.5
        yield gridded(
            f"energy gained by stiffening in t = {duration:g}", trial.predict(float(exact), heat), gained, heat_error
        )
        found.append((work, error, heat, heat_error))
    for duration in trial.pick(brief=(), quick=(2.0,), full=(0.5, 2.0)):
        fine, coarse = (balance_on(n, driven(TRAP, c="t"), duration, panels=panels) for n in (cells, cells // 2))
        work, error = richardson(fine.work, coarse.work)
        exact = dragged_trap.mean_work(stiffness=1.0, speed=1.0, duration=duration)
        yield gridded(f"work of dragging to t = {duration:g}", exact, work, error)
    works, errors, heats, heat_errors = np.array(found).T
    line = np.geomspace(0.1, 10.0, 15)
    curve = [float(stiffening_trap.mean_work(1.0, 2.0, duration=t, temperature=1.0)) for t in line]
    gains = [stiffened_variance(t) - 0.5 for t in line]
    yield Series(
        "Work and heat of a trap that stiffens from 1 to 2", "duration", "energy",
        (Curve("work", line, curve), Curve("heat = work − ΔE", line, np.array(curve) - gains)),
        (Points("work, grid", durations, works, errors), Points("heat, grid", durations, heats, heat_errors)), "x",
    )  # fmt: skip


def stiffened_variance(duration: float) -> float:
    """Return the variance at the end of dv/dt = 2(1 − kv), k = 1 + t/duration, from v = 1, integrated at order 8."""
    from scipy.integrate import solve_ivp

    solution = solve_ivp(
        lambda t, v: 2.0 * (1.0 - (1.0 + t / duration) * v), (0.0, duration), [1.0], "DOP853", rtol=1e-11, atol=1e-13
    )
    return float(solution.y[0, -1])


@FIRST_LAW.check
def trajectories_balance(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ΔL of every trajectory with midpoint sums: for quadratic L at any step, for others as dt → 0."""
    if trial.effort == "brief":
        return
    n, steps, left = trial.pick(brief=0, quick=1_000_000, full=4_000_000), (0.1, 0.05, 0.025, 0.0125), []
    for landscape, name in ((TRAP, "dragged and stiffened trap"), (WAVES, "quartic, tilted")):
        for dt in steps:
            ensemble = fp.simulate(
                driven(landscape, k="1 + t", c="t"), n=n, initial=[0.5], dt=dt, t_final=1.0, seed=trial.seed,
                functionals=["work", "heat"],
            )  # fmt: skip
            work, heat = ensemble.values("work"), ensemble.values("heat")
            gained = ensemble.values("loss") - float(landscape.value([0.5]))
            if landscape is TRAP:
                worst = int(np.abs(gained - work + heat).argmax())
                scale = float(np.abs(heat).max() + np.abs(work).max())
                yield gridded(
                    f"{name}, dt = {dt:g}: the worst of {n:,} trajectories",
                    trial.predict(work[worst], heat[worst]), gained[worst], 16 * EPSILON * scale / dt,
                    source="16 units of rounding a step",
                )  # fmt: skip
            else:
                left.append(float(np.sqrt(np.mean((gained - work + heat) ** 2))))
    yield Series(
        "What midpoint sums leave of the first law, quartic loss", "time step", "root mean square of ΔL − W + Q",
        points=(Points("trajectories", steps, left),), logarithmic="xy",
        slope=slope("residual against dt, (L‴Δx³/24 summed over 1/dt steps)", np.array(steps), np.array(left), 1.0),
    )  # fmt: skip


@SECOND_LAW.check
def slow_compression(trial: Trial) -> Iterator[Comparison | Series]:
    """Hold the entropy of d = 2 equal weights (twice one on a grid), compressed ever more slowly, against the bound."""
    durations = np.geomspace(1.0, *trial.pick(brief=(8.0, 4), quick=(30.0, 6), full=(30.0, 8)))
    cells, d = trial.pick(brief=50, quick=160, full=320), 2
    rate, deficits, written = 0.5, [], []
    for duration in durations:
        balance = balance_on(
            cells,
            driven(TRAP, k=f"1 + t/{float(duration)!r}"),
            float(duration),
            panels=trial.pick(brief=1, quick=2, full=2),
        )
        change, heat = d * balance.entropy_change, d * balance.heat
        noise: dict[str, Any] = {"learning_rate": rate, "noise_trace": 2.0 * d / rate, "dimension": d}  # T = 1
        bound = trial.predict(heat, **noise)
        yield bounded(f"ΔS against −Q/T, duration {duration:.3g}", bound, change, side="≥")
        deficits.append(change - float(bound))
        written.append(change - float(dissipation.least_entropy_change_as_written(heat, **noise)))
    yield Series(
        "What exceeds the bound when two weights are compressed", "1/duration", "ΔS + Q/T",
        points=(
            Points("T = (η/2) tr C/d", 1.0 / durations, deficits),
            Points("T_eff = (η/2) tr C", 1.0 / durations, written),
        ),
        logarithmic="x", slope=slope("Σ against 1/duration", 1.0 / durations, np.array(deficits), 1.0),
    )  # fmt: skip


@SECOND_LAW.check
def random_search(trial: Trial) -> Iterator[Comparison]:
    """Search random losses, protocols and starts of one weight for the smallest ΔS + Q/T."""
    generator = np.random.default_rng(trial.seed)
    lowest = np.inf
    for _ in range(trial.pick(brief=2, quick=16, full=150)):
        stiffness, tilt, temperature, mean, variance = generator.uniform((0.0, -3, 0.3, -2, 0.05), (2, 3, 2.0, 2, 1.5))
        dynamics = driven(WAVES, temperature, k=f"{stiffness:.4f}*(1 + t)", c=f"{tilt:.4f}*sin(4*t)")
        duration = float(generator.uniform(0.02, 1.0))
        balance = balance_on(60, dynamics, duration, start=(mean, variance), panels=1)
        numbers: dict[str, Any] = {"learning_rate": 0.1, "noise_trace": temperature / 0.05, "dimension": 1}
        bound = float(trial.predict(balance.heat, **numbers))
        if balance.entropy_change - bound < lowest:
            lowest, tightest = balance.entropy_change - bound, (bound, balance.entropy_change)
    yield bounded("the tightest of all", *tightest, side="≥")


@SECOND_LAW.check
def deficit_is_the_divergence_that_is_lost(trial: Trial) -> Iterator[Comparison]:
    """Compare ΔS + Q/T of N(2, 0.1) that relaxes at T = 0.5, from face fluxes, with KL(0) − KL(t) in closed form."""
    cells, start = trial.pick(brief=200, quick=400, full=800), ([2.0], [[0.1]])
    dynamics = fp.Langevin(TRAP, temperature=0.5)
    for time in (0.1, 0.7, 3.0):
        exact = [
            float(linear_diffusion.divergence_of_gaussians(mean, spread, [0.0], [[0.5]]))
            for mean, spread in (start, linear_diffusion.moments([[1.0]], [[0.5]], *start, time))
        ]
        fine, coarse = (balance_on(n, dynamics, time, start=(2.0, 0.1)).entropy_production for n in (cells, cells // 2))
        yield gridded(f"Σ by t = {time:g}", exact[0] - exact[1], *richardson(fine, coarse))
    if trial.effort == "brief":
        return
    end = linear_diffusion.moments([[1.0]], [[0.5]], *start, 0.7)
    ensemble = fp.simulate(
        dynamics, n=trial.pick(brief=0, quick=1_000_000, full=10_000_000), initial=fp.Gaussian(*start), dt=0.1,
        t_final=0.7, seed=trial.seed, scheme="ornstein-uhlenbeck", functionals=["entropy_flow"],
        density=(fp.Gaussian(*start), fp.Gaussian(*end)), observe=[fp.Moments("entropy_production")],
    )  # fmt: skip
    found: Any = ensemble.observables["moments_entropy_production"]
    exact_end = float(linear_diffusion.divergence_of_gaussians(*end, [0.0], [[0.5]]))
    exact_start = float(linear_diffusion.divergence_of_gaussians(*start, [0.0], [[0.5]]))
    yield statistical(
        "Σ of trajectories by t = 0.7", exact_start - exact_end, found.mean[-1, 0], found.standard_error[-1, 0]
    )


@SECOND_LAW.check
def blind_to_noise_that_does_not_commute(trial: Trial) -> Iterator[Comparison]:
    """Show that curvatures 1 and 3 under correlated noise give no heat on balance, yet produce entropy."""
    cells = trial.pick(brief=40, quick=80, full=160)
    W: Any = fp.generator(
        fp.Langevin(fp.Landscape("x**2/2 + 3*y**2/2"), diffusion=[[0.25, 0.125], [0.125, 0.25]]),
        fp.Grid(x=(-4, 4, cells), y=(-3, 3, cells)),
    )
    state = fp.stationary(W)
    loss_rate = float(np.sum(W.apply(state) * W.grid.volumes * (W.grid.points**2 @ [0.5, 1.5])))
    noise = {"learning_rate": 0.5, "noise_trace": 2.0, "dimension": 2}
    rates = entropy_production(W, state)
    yield bounded("0 ≥ 0", trial.predict(-loss_rate, **noise), rates.system, 1e-9, side="≥")
    yield misses("entropy production per unit time", 0.0, rates.total, 1e-9, margin=0.1)
