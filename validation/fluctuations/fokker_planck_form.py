"""B12 and B13: which Fokker–Planck equation SGD and Langevin motion obey, and the sign of the drift in its current."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import dissipation, stationary_sgd
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
    slope,
    statistical,
)

EQUATION = claim(
    "B12",
    family="fluctuations",
    title="Fokker–Planck equation",
    as_written="∂_t p = D∇²p − ∇·(vp)",
    statement="∂_t p = ∂_i∂_j(D_ij p) − ∂_i(v_i p) with the Itô drift v; the written form is exact for constant "
    "isotropic D, and with D(θ) it does not even conserve probability. For SGD D = ηC(θ)/2 and v = −∇L "
    "hold as η → 0: the stationary variance is off by 1/(1 − ηh/2).",
    verdict="exact",
    sources=(
        "C. W. Gardiner, Handbook of Stochastic Methods (2004), section 5.2",
        "K. Liu, L. Ziyin, M. Ueda, ICML 2021, theorem 1",
    ),
    written=dissipation.second_moment_rate_as_written,
    corrected=dissipation.second_moment_rate,
)

CURRENT = claim(
    "B13",
    family="fluctuations",
    title="Probability current",
    as_written="j = −D∇c − cv",
    statement="j = −D∇c + cv: the mean moves with +v. As written only if v stands for the gradient of a potential, "
    "the drift being −v.",
    verdict="false as written",
    sources=("H. Risken, The Fokker–Planck Equation (1996), section 4.2",),
    written=dissipation.probability_current_as_written,
    corrected=dissipation.probability_current,
)

TRAP = fp.Landscape("x**2/2")
GROWTH = {"constant D = 1": 0.0, "D = 1 + x²/4 (Itô)": 0.25}


@EQUATION.check
def spreading_of_a_gaussian(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare d⟨x²⟩/dt of Gaussians in x²/2, from the generator with D = 1 + D₁x² (Itô), with the form."""
    cells = trial.pick(brief=400, quick=1600, full=6400)
    variances, curves, points = np.linspace(0.2, 2.0, 5), [], []
    for name, growth in GROWTH.items():
        found = []
        for variance in map(float, variances):
            rates = []
            for number in (cells, cells // 2):
                grid = fp.Grid(x=fp.Axis(-15, 15, number, boundary="reflecting"))
                noise: dict[str, Any] = (
                    {"diffusion": f"1 + {growth}*x**2", "convention": "ito"} if growth else {"temperature": 1.0}
                )
                W: Any = fp.generator(fp.Langevin(TRAP, **noise), grid)
                p = fp.density(grid, lambda x, v=variance: np.exp(-(x**2) / (2.0 * v)))
                rates.append(float(np.sum(grid.points[:, 0] ** 2 * W.apply(p) * grid.volumes)))
            rate, error = richardson(*rates)
            predicted = trial.predict(variance, stiffness=1.0, diffusion=1.0, growth=growth)
            yield gridded(f"{name}, ⟨x²⟩ = {variance:.3g}", predicted, rate, error)
            found.append((rate, error))
        numbers = {"stiffness": 1.0, "diffusion": 1.0, "growth": growth}
        ends = variances[[0, -1]]
        for label, form in (
            ("", dissipation.second_moment_rate),
            (", as written", dissipation.second_moment_rate_as_written),
        ):
            curves.append(Curve(name + label, ends, [float(form(v, **numbers)) for v in ends]))
        points.append(Points(f"{name}, grid", variances, *np.array(found).T))
    yield Series("Spreading of a Gaussian in x²/2", "⟨x²⟩", "d⟨x²⟩/dt", tuple(curves), tuple(points))


@EQUATION.check
def steady_states_of_two_conventions(trial: Trial) -> Iterator[Comparison]:
    """Compare where the rate vanishes with stationary densities of D = 1 + x²/4: ⟨x²⟩ = 4/3 (Itô), 2 (Stratonovich)."""
    cells = trial.pick(brief=800, quick=3200, full=12800)
    for convention, growth, drift in (("ito", 0.25, 1.0), ("stratonovich", 0.25, 0.75)):
        found = []
        for number in (cells, cells // 2):
            faces = np.sinh(np.linspace(-11.0, 11.0, number + 1))  # the tails are powers, |x|^−6 and |x|^−5
            grid = fp.Grid(x=fp.Axis(faces=faces, boundary="reflecting"))
            W = fp.generator(fp.Langevin(TRAP, diffusion="1 + x**2/4", convention=convention), grid)
            found.append(float(np.sum(grid.points[:, 0] ** 2 * np.asarray(fp.stationary(W)) * grid.volumes)))
        variance, error = richardson(*found)
        # The Stratonovich drift in Itô's sense is −x + D'/2 = −(1 − D₁)x.
        rate = trial.predict(variance, stiffness=drift, diffusion=1.0, growth=growth)
        yield gridded(f"d⟨x²⟩/dt in the {convention} steady state", rate, 0.0, 4.0 * error, source="grid error of ⟨x²⟩")
        yield gridded(f"⟨x²⟩, {convention}", 1.0 / (drift - growth), variance, error)


@EQUATION.check
def the_equation_of_sgd_is_a_limit(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the rate with D = ηC/2 at the chain's stationary variance, −ηh²⟨x²⟩ there, not zero: apart by order η."""
    rates = np.geomspace(0.02, 0.6, 6)
    h, noise = 1.5, 0.8
    excess = []
    for eta in map(float, rates):
        variance = float(stationary_sgd.chain_covariance([[h]], [[noise]], learning_rate=eta)[0, 0])
        limit = eta * noise / (2.0 * h)
        rate = trial.predict(variance, stiffness=h, diffusion=eta * noise / 2.0, growth=0.0)
        # The chain keeps ⟨x²⟩ = (1 − ηh)²⟨x²⟩ + η²C; its two terms cancel but for a share ηh/2.
        yield rounded(
            f"d⟨x²⟩/dt at the chain's ⟨x²⟩, η = {eta:.3g}", rate, -eta * h**2 * variance, rounding=1e-13 / eta,
            source="rounding of what cancels",
        )  # fmt: skip
        excess.append(variance / limit - 1.0)
    points = [Points("Lyapunov equation of the chain", rates, excess)]
    if trial.effort != "brief":
        measured, errors = [], []
        for eta in map(float, rates[2:]):
            limit = eta * noise / (2.0 * h)
            steps = int(np.ceil(8.0 / (eta * h)))  # what is left of the start is e^(−16) of the excess
            chain: Any = fp.simulate(
                fp.Langevin(fp.Landscape(f"{h}*x**2/2"), temperature=eta * noise / 2.0), n=1_000_000,
                initial=fp.Gaussian([0.0], limit), dt=eta, t_final=eta * steps, seed=trial.seed,
                observe=[fp.Moments("x")],
            ).observables["moments_x"]  # fmt: skip
            measured.append(chain.variance[-1, 0] / limit - 1.0)
            errors.append(chain.covariance_standard_error[-1, 0, 0] / limit)
            exact = 1.0 / (1.0 - eta * h / 2.0) - 1.0
            yield statistical(f"excess variance of 10⁶ chains, η = {eta:.3g}", exact, measured[-1], errors[-1])
        points.append(Points("10⁶ chains", rates[2:], measured, errors))
    yield Series(
        "Stationary variance of SGD beyond ηC/(2h), h = 1.5", "learning rate η", "excess",
        (Curve("1/(1 − ηh/2) − 1", rates, 1.0 / (1.0 - rates * h / 2.0) - 1.0),), tuple(points), "xy",
        slope("excess against η", rates, np.array(excess), 1.0),
    )  # fmt: skip


@EQUATION.check
def spreading_of_trajectories(trial: Trial) -> Iterator[Comparison]:
    """Compare ⟨x²⟩ of trajectories with D = 1 + x²/4 (Itô) after a short time with the form integrated over it."""
    if trial.effort == "brief":
        return
    n, variance, time = trial.pick(brief=0, quick=1_000_000, full=10_000_000), 0.5, 0.2
    found = []
    for dt in (0.0025, 0.005):
        ensemble = fp.simulate(
            fp.Langevin(TRAP, diffusion="1 + x**2/4", convention="ito"), n=n, initial=fp.Gaussian([0.0], variance),
            dt=dt, t_final=time, seed=trial.seed, observe=[fp.Mean("x**2", name="squares")],
        )  # fmt: skip
        mean: Any = ensemble.observables["squares"]
        found.append((float(mean.mean[-1, 0]), float(mean.standard_error[-1, 0])))
    (second, error), (coarse, _) = found
    # The form is linear in ⟨x²⟩: d⟨x²⟩/dt = a + b⟨x²⟩ has the solution below.
    a = float(trial.predict(0.0, stiffness=1.0, diffusion=1.0, growth=0.25))
    b = float(trial.predict(1.0, stiffness=1.0, diffusion=1.0, growth=0.25)) - a
    exact = (variance + a / b) * np.exp(b * time) - a / b
    yield statistical(
        f"⟨x²⟩ at t = {time:g}", exact, second, error, bias=abs(second - coarse) + error,
        bias_source="error of the time step, from twice of it",
    )  # fmt: skip


@CURRENT.check
def currents_through_faces(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the current of a Gaussian through faces, under constant drift and in a trap, with the form."""
    cells = trial.pick(brief=400, quick=1600, full=6400)
    mean, variance, diffusion = 0.5, 0.6, 0.4
    curves, points = [], []
    for name, loss, drift in (
        ("constant drift v = 0.7", "-0.7*x", lambda x: 0.7 + 0 * x),
        ("trap, v = −x", "x**2/2", lambda x: -x),
    ):
        places, found = np.linspace(-1.5, 2.5, 9), []
        for number in (cells, cells // 2):
            grid = fp.Grid(x=fp.Axis(-10, 10, number, boundary="reflecting"))
            W = fp.generator(fp.Langevin(fp.Landscape(loss), temperature=diffusion), grid)
            faces = fp.current(W, fp.gaussian(grid, [mean], [[variance]])).faces("x")
            found.append(faces[np.rint((places + 10.0) / 20.0 * number).astype(int)])
        p = np.exp(-((places - mean) ** 2) / (2.0 * variance)) / np.sqrt(2.0 * np.pi * variance)
        slopes = -(places - mean) / variance * p
        predicted = trial.predict(p, slopes, velocity=drift(places), diffusion=diffusion)
        measured, errors = np.array([richardson(*pair) for pair in zip(*found, strict=True)]).T
        for k in range(0, len(places), 2):
            yield gridded(f"{name}, x = {places[k]:g}", predicted[k], measured[k], errors[k], source="grid error")
        points.append(Points(f"{name}, grid", places, measured, errors))
        for label, form in (
            ("", dissipation.probability_current),
            (", as written", dissipation.probability_current_as_written),
        ):
            curves.append(Curve(name + label, places, form(p, slopes, velocity=drift(places), diffusion=diffusion)))
    yield Series("Current of a Gaussian around x = 0.5", "x", "current", tuple(curves), tuple(points))


@CURRENT.check
def the_mean_moves_with_the_drift(trial: Trial) -> Iterator[Comparison]:
    """Compare the displacement of trajectories under a constant drift with the integral of the form over x."""
    if trial.effort == "brief":
        return
    n, time, drift = trial.pick(brief=0, quick=1_000_000, full=10_000_000), 2.0, 0.7
    ensemble = fp.simulate(
        fp.Langevin(fp.Landscape(f"-{drift}*x"), temperature=0.4), n=n, initial=[0.0], dt=0.1, t_final=time,
        seed=trial.seed, observe=[fp.Moments("x")],
    )  # fmt: skip
    found: Any = ensemble.observables["moments_x"]
    # ∫p dx = 1 and ∫∂p dx = 0.
    velocity = float(trial.predict(1.0, 0.0, velocity=drift, diffusion=0.4))
    yield statistical("⟨x⟩ at t = 2", velocity * time, found.mean[-1, 0], found.standard_error[-1, 0])
    wrong = float(dissipation.probability_current_as_written(1.0, 0.0, velocity=drift, diffusion=0.4))
    yield misses("⟨x⟩ at t = 2, as written", wrong * time, found.mean[-1, 0], found.standard_error[-1, 0])
