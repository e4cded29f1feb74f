"""E5: stationary SGD whose noise does not commute with the Hessian produces entropy; no temperature describes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import linear_diffusion, stationary_sgd
from fpsolver.thermodynamics import entropy_production, hatano_sasa_split
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

CLAIM = claim(
    "E5",
    family="fluctuations",
    title="Stationary SGD out of equilibrium",
    as_written="With noise that does not commute with the Hessian, stationary SGD produces entropy at the rate "
    "σ = c²/(1 − c²) · (h₁ − h₂)²/(h₁ + h₂) per unit t = η·step.",
    statement="The chain produces σ = c²/(1 − c²) · (h₁ − h₂)²/(h₁ + h₂ − ηh₁h₂) per unit of learning time, c being "
    "the correlation of the gradient noise along the eigenvectors of the Hessian, whatever its variances; the form as "
    "written is the limit η → 0. It vanishes for c = 0 and for h₁ = h₂ only: elsewhere a current circulates, and no "
    "temperature makes the stationary density a function of the loss.",
    verdict="exact",
    sources=(
        "P. Chaudhari, S. Soatto, ICLR 2018, for the broken detailed balance",
        "own derivation from the Gaussian transition probabilities",
        "R. Filliger, P. Reimann, Phys. Rev. Lett. 99, 230602 (2007), for two temperatures",
    ),
    written=stationary_sgd.entropy_production_of_limit,
    corrected=stationary_sgd.entropy_production,
)

HESSIAN = np.diag([1.0, 3.0])
NOISE = np.array([[1.0, 0.5], [0.5, 1.0]])
LIMIT = 1e-12
"""A learning rate at which the chain is its limit to rounding."""


def limit_on_grid(drift: np.ndarray, diffusion: np.ndarray, cells: int) -> tuple[float, float]:
    """Return the stationary entropy production of dx = −Ax dt + √(2D) dW on two grids, extrapolated, and its error."""
    reach = 7.0 * np.sqrt(np.diag(linear_diffusion.stationary_covariance(drift, diffusion)))
    loss = f"{drift[0, 0]:.17g}*x**2/2 + {drift[1, 1]:.17g}*y**2/2 + {drift[0, 1]:.17g}*x*y"
    dynamics = fp.Langevin(fp.Landscape(loss), diffusion=diffusion.tolist())
    found = []
    for number in (cells, cells // 2):
        x, y = (fp.Axis(-side, side, number, boundary="reflecting") for side in reach)
        W = fp.generator(dynamics, fp.Grid(x=x, y=y))
        found.append(entropy_production(W, fp.stationary(W)).total)
    return richardson(*found)


@CLAIM.check
def any_curvatures_and_noise(trial: Trial) -> Iterator[Comparison]:
    """Compare the form with ⟨ln P(θ→θ′)/P(θ′→θ)⟩ from the covariance of the chain, for random Hessians and noise."""
    generator = np.random.default_rng(trial.seed)
    for _ in range(trial.pick(brief=5, quick=40, full=400)):
        h = generator.uniform(0.1, 4.0, 2)
        c, eta = float(generator.uniform(-0.95, 0.95)), float(generator.uniform(0.05, 1.6) / h.max())
        scales = generator.uniform(0.2, 3.0, 2)
        turn = generator.uniform(0.0, np.pi)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        noise = np.outer(scales, scales) * np.array([[1.0, c], [c, 1.0]])
        exact = stationary_sgd.chain_entropy_production(
            rotation @ np.diag(h) @ rotation.T, rotation @ noise @ rotation.T, learning_rate=eta
        )
        form = trial.predict(tuple(h), c, learning_rate=eta)
        # σ is what is left of terms of the order of 1/η, with the condition of the noise before them.
        loss = np.linalg.cond(noise) / (eta * float(exact)) * 1e-14
        yield rounded(f"h = ({h[0]:.3g}, {h[1]:.3g}), c = {c:.3g}, η = {eta:.3g}", form, exact, rounding=1e-12 + loss)


@CLAIM.check
def continuous_limit(trial: Trial) -> Iterator[Comparison]:
    """Compare σ from face fluxes of stationary densities on a grid with the form as η → 0, and the gyrator's."""
    cells = trial.pick(brief=48, quick=128, full=256)
    for h, c in trial.pick(
        brief=(((1.0, 3.0), 0.5),),
        quick=(((1.0, 3.0), 0.5), ((1.0, 2.0), -0.3)),
        full=(((1.0, 3.0), 0.5), ((0.5, 2.0), 0.7)),
    ):
        diffusion = 0.25 * np.array([[1.0, c], [c, 1.0]])
        form = trial.predict(h, c, learning_rate=LIMIT)
        yield gridded(f"h = {h}, c = {c:g}", form, *limit_on_grid(np.diag(h), diffusion, cells))
    coupled, temperatures = np.array([[1.0, 0.5], [0.5, 1.0]]), (1.0, 2.0)
    gyrator = linear_diffusion.gyrator_entropy_production(0.5, temperatures)
    yield gridded("gyrator, T = (1, 2)", gyrator, *limit_on_grid(coupled, np.diag(temperatures), cells))


@CLAIM.check
def no_effective_temperature(trial: Trial) -> Iterator[Comparison]:
    """Show that the covariance times the Hessian is no multiple of one, and that entropy production is housekeeping."""
    covariance = stationary_sgd.chain_covariance(HESSIAN, NOISE, learning_rate=0.1)
    products = covariance @ HESSIAN
    yield misses("T along two eigenvectors", products[0, 0], products[1, 1], 0.0, margin=1e-3)
    yield misses("T between them", 0.0, products[0, 1], 0.0, margin=1e-3)
    cells = trial.pick(brief=40, quick=80, full=160)
    W = fp.generator(
        fp.Langevin(fp.Landscape("x**2/2 + 3*y**2/2"), diffusion=(0.25 * NOISE).tolist()),
        fp.Grid(x=(-4, 4, cells), y=(-3, 3, cells)),
    )
    split = hatano_sasa_split(W, fp.stationary(W))
    yield rounded(
        "housekeeping is all of it", split.total, split.housekeeping, rounding=1e-8, source="stationary solver"
    )


@CLAIM.check
def chains(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the entropy flow of stationary chains, summed ln P(θ→θ′)/P(θ′→θ), with the form at several η."""
    rates = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5])
    exact = [float(stationary_sgd.chain_entropy_production(HESSIAN, NOISE, learning_rate=eta)) for eta in rates]
    limit = 1.0 / 3.0
    points = [Points("covariance of the chain", rates, np.array(exact) / limit - 1.0)]
    if trial.effort != "brief":
        measured, errors = [], []
        n, steps = trial.pick(brief=0, quick=1_000_000, full=10_000_000), 20
        for eta in map(float, rates):
            covariance = stationary_sgd.chain_covariance(HESSIAN, NOISE, learning_rate=eta)
            ensemble = fp.simulate(
                fp.Langevin(fp.Landscape("x**2/2 + 3*y**2/2"), diffusion=(0.5 * eta * NOISE).tolist()), n=n,
                initial=fp.Gaussian([0.0, 0.0], covariance), dt=eta, t_final=steps * eta, seed=trial.seed,
                functionals=["entropy_flow"], observe=[fp.Moments("entropy_flow")],
            )  # fmt: skip
            found: Any = ensemble.observables["moments_entropy_flow"]
            measured.append(found.mean[-1, 0] / (steps * eta))
            errors.append(found.standard_error[-1, 0] / (steps * eta))
            form = trial.predict((1.0, 3.0), 0.5, learning_rate=eta)
            yield statistical(f"{n:,} chains, η = {eta:g}", form, measured[-1], errors[-1])
        points.append(Points("chains", rates, np.array(measured) / limit - 1.0, np.array(errors) / limit))
    line = np.linspace(0.02, 0.5, 40)
    forms = np.array([float(stationary_sgd.entropy_production((1.0, 3.0), 0.5, learning_rate=eta)) for eta in line])
    yield Series(
        "Entropy production of SGD beyond its continuous limit 1/3", "learning rate η", "σ/σ(η → 0) − 1",
        (Curve("h = 1 and 3, c = ½", line, forms / limit - 1.0),), tuple(points), "xy",
        slope("excess against η", rates, np.array(exact) / limit - 1.0, 1.0),
    )  # fmt: skip
