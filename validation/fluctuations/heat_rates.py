"""A3.2 and A5.2b: mean rates of heat and entropy flow, which noise takes back where the written forms forget it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import dissipation
from fpsolver.thermodynamics import energy_rates, entropy_production
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
    slope,
    statistical,
)

ENTROPY_FLOW = claim(
    "A3.2",
    family="fluctuations",
    title="Entropy flow of gradient descent with noise",
    as_written="ṡ_m = η|∇L|²/T",
    statement="⟨ṡ_m⟩ = (μ/T)⟨|∇L|²⟩ − μ⟨∇²L⟩ for overdamped motion with D = μT (η is the mobility μ here). It vanishes "
    "in equilibrium, where the written form stays at μ⟨∇²L⟩ > 0; the relative error of that is T⟨∇²L⟩/⟨|∇L|²⟩, so that "
    "it is right as T → 0 away from minima.",
    verdict="asymptotic",
    sources=("U. Seifert, Rep. Prog. Phys. 75, 126001 (2012), section 2", "own derivation of the mean"),
    written=dissipation.entropy_flow_rate_as_written,
    corrected=dissipation.entropy_flow_rate,
)

KINETIC_HEAT = claim(
    "A5.2b",
    family="fluctuations",
    title="Heat rate with inertia",
    as_written="q̇ = γẋ² + 2γT",
    statement="⟨q̇⟩ = γ(⟨v²⟩ − T/m) per degree of freedom into the bath, with γ the friction coefficient (m times the "
    "rate). It vanishes in equilibrium; the written second term has the wrong sign, factor and dimension.",
    verdict="false as written",
    sources=("K. Sekimoto, Stochastic Energetics (2010), section 4.1",),
    written=dissipation.underdamped_heat_rate_as_written,
    corrected=dissipation.underdamped_heat_rate,
)

TRAP = fp.Landscape("x**2/2")
QUARTIC = fp.Landscape("x**4/4 - x**2/2")
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


def gaussian_average(function: Callable[[np.ndarray], np.ndarray], mean: float, variance: float) -> float:
    """Return the average of a polynomial over a Gaussian, exactly, by Gauss–Hermite quadrature."""
    points = mean + np.sqrt(variance) * NODES
    return float(WEIGHTS @ function(points[:, None]) / np.sqrt(2.0 * np.pi))


def averages(landscape: fp.Landscape, mean: float, variance: float) -> tuple[float, float]:
    """Return ⟨L′²⟩ and ⟨L″⟩ over a Gaussian."""
    return (
        gaussian_average(lambda x: landscape.gradient(x)[:, 0] ** 2, mean, variance),
        gaussian_average(lambda x: landscape.hessian(x)[:, 0, 0], mean, variance),
    )


def flow_on_grids(
    landscape: fp.Landscape, temperature: float, mean: float, variance: float, cells: int
) -> tuple[float, float]:
    """Return the entropy flow of a Gaussian from face fluxes on two grids, extrapolated, and its error."""
    reach = 8.0 * np.sqrt(variance)
    found = []
    for number in (cells, cells // 2):
        grid = fp.Grid(x=fp.Axis(mean - reach, mean + reach, number, boundary="reflecting"))
        W = fp.generator(fp.Langevin(landscape, temperature=temperature), grid)
        found.append(entropy_production(W, fp.gaussian(grid, [mean], [[variance]])).medium)
    return richardson(*found)


@ENTROPY_FLOW.check
def face_fluxes(trial: Trial) -> Iterator[Comparison]:
    """Compare the entropy flow of Gaussians, from face fluxes, with averages by Gauss–Hermite quadrature."""
    cells = trial.pick(brief=400, quick=1600, full=6400)
    for name, landscape, temperature, mean, variance in (
        ("x²/2, N(2, 0.1), T = 0.5", TRAP, 0.5, 2.0, 0.1),
        ("x²/2 in equilibrium, T = 0.5", TRAP, 0.5, 0.0, 0.5),
        ("x⁴/4 − x²/2, N(1, 0.04), T = 0.1", QUARTIC, 0.1, 1.0, 0.04),
        ("x⁴/4 − x²/2, N(0, 0.5), T = 1", QUARTIC, 1.0, 0.0, 0.5),
    ):
        predicted = trial.predict(*averages(landscape, mean, variance), temperature=temperature)
        yield gridded(name, predicted, *flow_on_grids(landscape, temperature, mean, variance, cells))


@ENTROPY_FLOW.check
def the_written_form_is_the_limit_of_cold(trial: Trial) -> Iterator[Series]:
    """Measure what the written form leaves as T → 0, away from the minimum: the first power of T."""
    temperatures = np.geomspace(0.03, 1.0, trial.pick(brief=5, quick=9, full=13))
    curves, points = [], []
    for name, landscape, mean in (("x²/2", TRAP, 2.0), ("x⁴/4 − x²/2", QUARTIC, 2.0)):
        left, errors = np.empty((2, len(temperatures)))
        squared, laplacian = averages(landscape, mean, 0.1)
        for k, temperature in enumerate(map(float, temperatures)):
            cells = trial.pick(brief=3200, quick=6400, full=12800)
            flow, error = flow_on_grids(landscape, temperature, mean, 0.1, cells)
            written = float(dissipation.entropy_flow_rate_as_written(squared, laplacian, temperature=temperature))
            left[k], errors[k] = 1.0 - flow / written, error / written
        curves.append(Curve(f"T⟨L″⟩/⟨L′²⟩, {name}", temperatures, temperatures * laplacian / squared))
        points.append(Points(f"face fluxes, {name}", temperatures, left, errors))
    yield Series(
        "Relative error of η|∇L|²/T around x = 2", "temperature T", "1 − measured/written", tuple(curves),
        tuple(points), "xy", slope("power of T", temperatures, np.asarray(points[0].y), 1.0),
    )  # fmt: skip


@ENTROPY_FLOW.check
def trajectories(trial: Trial) -> Iterator[Comparison]:
    """Compare entropy flow added up along trajectories with time integrals of |∇L|² and ∇²L along the same."""
    if trial.effort == "brief":
        return
    n = trial.pick(brief=0, quick=1_000_000, full=8_000_000)
    for name, landscape, start, temperature, squared, laplacian in (
        ("x²/2", TRAP, ([2.0], 0.1), 0.5, "x**2", "1 + 0*x"),
        ("x⁴/4 − x²/2", QUARTIC, ([1.5], 0.1), 0.3, "(x**3 - x)**2", "3*x**2 - 1"),
    ):
        found = []
        for dt in (0.005, 0.01):
            ensemble = fp.simulate(
                fp.Langevin(landscape, temperature=temperature), n=n, initial=fp.Gaussian(*start), dt=dt, t_final=0.4,
                seed=trial.seed, scheme="heun", functionals=[
                    "entropy_flow_midpoint", fp.TimeIntegral(squared, name="squares"),
                    fp.TimeIntegral(laplacian, name="curvature"),
                ],
            )  # fmt: skip
            squares, curvature, flow = (
                ensemble.values(one) / 0.4 for one in ("squares", "curvature", "entropy_flow_midpoint")
            )
            # Flow and its mean rate fluctuate together, so that the error is that of their difference.
            difference = flow - squares / temperature + curvature
            found.append((difference, float(squares.mean()), float(curvature.mean()), float(flow.mean())))
        (fine, squared_mean, mean_curvature, rate), (coarse, *_) = found
        error = float(fine.std() / np.sqrt(n))
        yield statistical(
            f"{name}, mean of {n:,} trajectories",
            trial.predict(squared_mean, mean_curvature, temperature=temperature), rate, error,
            bias=abs(float(fine.mean() - coarse.mean())) + error,
            bias_source="error of the time step, from twice of it",
        )  # fmt: skip


def kinetic(landscape: fp.Landscape, cells: int, **numbers: Any) -> Any:
    """Return a Klein–Kramers operator in Hermite functions."""
    grid = fp.Grid(x=(-5, 5, cells), velocity={"x": (-7, 7, 100)})
    return fp.generator(fp.UnderdampedLangevin(landscape, **numbers), grid)


@KINETIC_HEAT.check
def energy_that_densities_lose(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare −dE/dt of densities under the Klein–Kramers operator with the form."""
    numbers = {"temperature": 0.5, "friction": 2.0, "mass": 1.5}
    cells = trial.pick(brief=80, quick=160, full=320)
    cases = {
        "equilibrium": (0.0, 0.5, 0.0, 1.0 / 3.0),
        "at rest on average, cold": (0.5, 0.3, 0.0, 0.2),
        "moving": (0.5, 0.3, 1.0, 1.0 / 3.0),
        "hot": (0.0, 0.4, 0.0, 0.6),
    }
    found = []
    for name, (mean, variance, velocity, spread) in cases.items():
        rates = []
        for number in (cells, cells // 2):
            W = kinetic(TRAP, number, **numbers)
            p = fp.gaussian(W.grid, [mean, velocity], np.diag([variance, spread]))
            rates.append(-energy_rates(W, p).energy)
        heat, error = richardson(*rates)
        squared = velocity**2 + spread
        # In equilibrium nothing is left but the rounding of energies of the order of one.
        yield gridded(name, trial.predict(squared, **numbers), heat, error + 1e-9, source="grid error and rounding")
        found.append((squared, heat, error))
    squares, heats, errors = np.array(found).T
    line = np.linspace(0.0, 1.4, 2)
    forms = {"mγ(⟨v²⟩ − T/m)": dissipation.underdamped_heat_rate}
    forms["as written"] = dissipation.underdamped_heat_rate_as_written
    yield Series(
        "Heat given to the bath, γ = 2, m = 1.5, T = 0.5", "⟨v²⟩", "heat rate",
        tuple(Curve(label, line, [float(form(v, **numbers)) for v in line]) for label, form in forms.items()),
        (Points("−dE/dt on the grid", squares, heats, errors),),
    )  # fmt: skip


@KINETIC_HEAT.check
def heat_of_trajectories(trial: Trial) -> Iterator[Comparison]:
    """Compare heat added up along underdamped trajectories with the form for the time average of their v²."""
    if trial.effort == "brief":
        return
    n = trial.pick(brief=0, quick=1_000_000, full=8_000_000)
    for name, landscape, friction, start in (
        ("x²/2 from (2, 0)", TRAP, 2.0, [2.0]),
        ("x⁴/4 − x²/2 from the barrier", QUARTIC, 0.5, [0.0]),
    ):
        numbers: dict[str, Any] = {"temperature": 0.5, "friction": friction, "mass": 1.5}
        found = []
        for dt in (0.02, 0.04):
            ensemble = fp.simulate(
                fp.UnderdampedLangevin(landscape, **numbers), n=n, initial=start, dt=dt, t_final=2.0, seed=trial.seed,
                functionals=["heat", fp.TimeIntegral("v_x**2", name="squares")],
            )  # fmt: skip
            heat, squares = ensemble.values("heat") / 2.0, ensemble.values("squares") / 2.0
            difference = heat - 1.5 * friction * squares
            found.append((float(heat.mean()), float(squares.mean()), float(difference.std() / np.sqrt(n))))
        (rate, squared, error), (coarse_rate, coarse_squared, _) = found
        forms = [float(dissipation.underdamped_heat_rate(v, **numbers)) for v in (squared, coarse_squared)]
        yield statistical(
            f"{name}, mean of {n:,} trajectories", trial.predict(squared, **numbers), rate, error,
            bias=abs((rate - forms[0]) - (coarse_rate - forms[1])) + error,
            bias_source="error of the time step, from twice of it",
        )  # fmt: skip
        wrong = dissipation.underdamped_heat_rate_as_written(squared, **numbers)
        yield misses(f"{name}, as written", wrong, rate, error)
