"""Claim E14: Kramers–Moyal coefficients from trajectories, and what a finite lag does to them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import kramers_moyal as theory
from fpsolver.theory import trap_and_curl
from fpsolver.thermodynamics.drift_fit import finite_lag_moments, fit_drift_and_diffusion
from fpsolver.thermodynamics.entropy_estimation import entropy_production_of_linear_dynamics
from fpsolver.thermodynamics.lagged_moments import FiniteLagCoefficients, kramers_moyal
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
from fpsolver.validation.fluctuations.uncertainty_relation import trap_and_curl_pairs

COEFFICIENTS = claim(
    "E14",
    family="fluctuations",
    title="Kramers–Moyal coefficients at a finite lag",
    as_written="D⁽¹⁾ = ⟨Δx⟩/τ and D⁽²⁾ = ⟨Δx²⟩/2τ over the lag τ of the data",
    statement=(
        "⟨Δxⁿ | x⟩/n!τ at a lag τ is [(e^{τ𝓛} − 1)/τ](y − x)ⁿ/n! at y = x with the backward generator 𝓛. For linear "
        "drift −kx it is −(1 − e^{−kτ})x/τ and [(T/k)(1 − e^{−2kτ}) + (1 − e^{−kτ})²x²]/2τ: the drift is too weak by "
        "kτ/2, and constant noise looks as if it grew with x. In general the error is of first order in τ, "
        "(τ/2)(D⁽¹⁾D⁽¹⁾' + D⁽²⁾D⁽¹⁾'') for the drift; a fit whose own moments at that lag match the data has "
        "none but that of its form."
    ),
    verdict="exact",
    sources=(theory.RAGWITZ_KANTZ, "C. Honisch, R. Friedrich, Phys. Rev. E 83, 066701 (2011)"),
    written=theory.without_lag,
    corrected=theory.linear_drift,
)

WELL = [0.0, 1.0, 0.0, -1.0]
"""Drift of the loss x⁴/4 − x²/2."""

NAMES = {1: "drift", 2: "diffusion"}


@COEFFICIENTS.check
def linear_drift_from_trajectories(trial: Trial) -> Iterator[Comparison | Series]:
    """Binned displacements of an Ornstein–Uhlenbeck process, sampled exactly, against the closed form at their lag."""
    system = {"stiffness": 1.0, "temperature": 1.0, "lag": 0.3}
    samples = trial.pick(brief=100_000, quick=1_000_000, full=10_000_000)
    measured = _trap_moments(samples, trial.seed, **system)
    shown = np.flatnonzero(np.abs(measured.x) < 2.0)
    for order, values, errors in (
        (1, measured.drift, measured.drift_error),
        (2, measured.diffusion, measured.diffusion_error),
    ):
        curvature = 0.0 if order == 1 else math.expm1(-system["lag"]) ** 2 / system["lag"]
        for index in shown[:: max(len(shown) // 6, 1)]:
            x = float(measured.x[index])
            # An average over a bin is off by half of the curvature times the spread within it.
            bias = 0.5 * curvature * measured.spread[index]
            name = f"{NAMES[order]} at x = {x:.2f}"
            predicted = trial.predict(x, order=order, **system)
            yield statistical(name, predicted, values[index], errors[index], bias=bias, bias_source="width of a bin")
        places = measured.x[shown]
        yield Series(
            f"Finite-lag {NAMES[order]} of linear drift, kτ = 0.3",
            "x",
            NAMES[order],
            curves=(
                Curve(
                    "closed form at this lag",
                    places,
                    [float(theory.linear_drift(y, order=order, **system)) for y in places],
                ),
                Curve("without lag", places, [float(theory.without_lag(y, order=order, **system)) for y in places]),
            ),
            points=(Points("trajectories", places, values[shown], errors[shown]),),
        )


@COEFFICIENTS.check
def linear_drift_on_cells(trial: Trial) -> Iterator[Comparison | Series]:
    """Conditional moments by the backward equation on cells, and by the series in the lag, against the closed form."""
    cells = trial.pick(brief=100, quick=200, full=400)
    lags = trial.pick(brief=(0.1,), quick=(0.1, 0.5), full=(0.1, 0.5, 2.0))
    for lag in lags:
        pairs = zip(*(_on_cells("x**2/2", 1.0, 8.0, n, lag, (0.5, 2.0)) for n in (cells, cells // 2)), strict=True)
        for (order, x), fine, coarse in zip(
            ((1, 0.5), (1, 2.0), (2, 0.5), (2, 2.0)), *zip(*pairs, strict=True), strict=True
        ):
            predicted = trial.predict(x, order=order, stiffness=1.0, temperature=1.0, lag=lag)
            yield gridded(f"{NAMES[order]} at x = {x}, lag {lag:g}, on cells", predicted, *richardson(fine, coarse))
        series = finite_lag_moments([0.5, 2.0], [0.0, -1.0], [1.0], lag, terms=40)
        for order, x, value in ((1, 2.0, series[0, 1]), (2, 2.0, series[1, 1])):
            predicted = trial.predict(x, order=order, stiffness=1.0, temperature=1.0, lag=lag)
            # Terms of the series for x² reach (2kτ)ᵐ/m!.
            loss = 100 * np.finfo(float).eps * math.exp(4.0 * lag)
            yield rounded(f"{NAMES[order]} at x = {x}, lag {lag:g}, series", predicted, value, rounding=loss)


@COEFFICIENTS.check
def first_order_in_the_lag(trial: Trial) -> Iterator[Comparison | Series]:
    """Double well: what the first-order formula leaves of the moments on cells goes as τ²."""
    lags = np.geomspace(0.003, 0.06, trial.pick(brief=5, quick=7, full=9))
    x, noise, cells = 0.6, 0.25, trial.pick(brief=300, quick=400, full=800)
    fine, coarse = (
        np.array([_on_cells("x**4/4 - x**2/2", noise, 3.0, n, lag, (x,)) for lag in lags]) for n in (cells, cells // 2)
    )
    left, doubt = fine + (fine - coarse) / 3.0, np.abs(fine - coarse) / 3.0
    for order in (1, 2):
        forms = [float(theory.first_order(x, order=order, lag=t, drift=WELL, diffusion=[noise])) for t in lags]
        plain = [float(theory.first_order(x, order=order, lag=0.0, drift=WELL, diffusion=[noise]))] * len(lags)
        error = np.abs(left[:, order - 1] - forms)
        yield Series(
            f"Double well: finite-lag {NAMES[order]} at x = {x}",
            "lag τ",
            "error",
            curves=(Curve("∝ τ²", lags, error[0] * (lags / lags[0]) ** 2),),
            points=(
                Points("without correction", lags, np.abs(left[:, order - 1] - plain), doubt[:, order - 1]),
                Points("first-order formula", lags, error, doubt[:, order - 1]),
            ),
            logarithmic="xy",
            slope=slope(f"power of τ left by the first-order {NAMES[order]}", lags, error, 2.0),
        )


@COEFFICIENTS.check
def fits_with_finite_lag(trial: Trial) -> Iterator[Comparison | Series]:
    """Fit polynomials whose own moments at the lag match those of trajectories: a trap, two wells, varying noise."""
    samples = trial.pick(brief=50_000, quick=1_000_000, full=3_000_000)
    measured = _trap_moments(samples, trial.seed, stiffness=1.0, temperature=1.0, lag=0.3)
    found = fit_drift_and_diffusion(measured, drift_degree=1, terms=10)
    yield statistical("drift −x of the trap", -1.0, found.drift[1], found.drift_error[1])
    yield statistical("diffusion 1 of the trap", 1.0, found.diffusion[0], found.diffusion_error[0])
    raw = fit_drift_and_diffusion(measured, drift_degree=1, terms=1)
    yield misses("drift −x of the trap, without correction", -1.0, raw.drift[1], raw.drift_error[1])
    if trial.effort == "brief":
        return
    cases = {
        "double well": (fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.25), WELL, [0.25]),
        "noise that grows": (
            fp.Langevin(fp.Landscape("0.75*x**2"), diffusion="0.5 + 0.1*x**2", convention="ito"),
            [0.0, -1.5],
            [0.5, 0.0, 0.1],
        ),
    }
    for name, (dynamics, drift, diffusion) in cases.items():
        yield from _fitted(name, dynamics, drift, diffusion, samples, trial.seed)


def _fitted(
    name: str, dynamics: fp.Langevin, drift: list[float], diffusion: list[float], samples: int, seed: int
) -> Iterator[Comparison]:
    """Compare all fitted coefficients with those of the dynamics, by pairs that start spread over the well."""
    lag, steps = 0.05, 50
    start = np.random.default_rng(seed).uniform(-1.6, 1.6, size=(samples, 1))
    run = fp.simulate(dynamics, samples, start, lag / steps, lag, seed=seed)
    measured = kramers_moyal(start[:, 0], run.final[:, 0], lag, bins=40)
    degrees = {"drift_degree": len(drift) - 1, "diffusion_degree": len(diffusion) - 1}
    found = fit_drift_and_diffusion(measured, terms=4, **degrees)
    # Euler–Maruyama steps h make first-order errors: those of a finite lag h, which are τ/h times smaller.
    shift = fit_drift_and_diffusion(measured, terms=1, **degrees)
    for kind in ("drift", "diffusion"):
        exact = {"drift": drift, "diffusion": diffusion}[kind]
        values, errors, raw = getattr(found, kind), getattr(found, f"{kind}_error"), getattr(shift, kind)
        for power, (predicted, value, error, plain) in enumerate(zip(exact, values, errors, raw, strict=True)):
            bias = 2.0 * abs(value - plain) / steps
            title = f"{name}: {kind}, coefficient of x^{power}"
            yield statistical(title, predicted, value, error, bias=bias, bias_source="time step")


@COEFFICIENTS.check
def entropy_production_of_a_trap_with_a_curl(trial: Trial) -> Iterator[Comparison | Series]:
    """σ = 2ε²/k from drift and diffusion fitted to pairs of positions of trajectories, at short and long lags."""
    samples = trial.pick(brief=20_000, quick=1_000_000, full=4_000_000)
    lags, rows = trial.pick(brief=(0.3,), quick=(0.05, 0.3, 1.0), full=(0.02, 0.05, 0.1, 0.3, 1.0)), []
    for stiffness, curl in ((1.0, 0.5), (2.0, 1.5)):
        exact = trap_and_curl.entropy_production(stiffness=stiffness, curl=curl)
        for index, lag in enumerate(lags):
            pairs = trap_and_curl_pairs(stiffness, curl, lag, samples, trial.seed, index)
            found = entropy_production_of_linear_dynamics(*pairs, lag)
            name = f"σ at k = {stiffness:g}, ε = {curl:g} from the lag {lag:g}"
            yield statistical(name, exact, found.value, found.standard_error)
            rows.append((lag, found.value / float(exact), found.standard_error / float(exact)))
    yield Series(
        "Entropy production of a trap with a curl, from fitted drift and diffusion",
        "lag τ",
        "estimate over 2ε²/k",
        curves=(Curve("exact", [min(lags), max(lags)], [1.0, 1.0]),),
        points=(Points("trajectories", *np.transpose(rows)),),
        logarithmic="x",
    )


def _trap_moments(
    samples: int, seed: int, *, stiffness: float, temperature: float, lag: float
) -> FiniteLagCoefficients:
    """Return the binned displacements of particles in a trap over one exact step."""
    dynamics = fp.Langevin(fp.Landscape(f"{stiffness / 2}*x**2"), temperature=temperature)
    start = np.random.default_rng(seed).normal(size=(samples, 1)) * math.sqrt(temperature / stiffness)
    run = fp.simulate(dynamics, samples, start, lag, lag, seed=seed, scheme="ornstein-uhlenbeck")
    return kramers_moyal(start[:, 0], run.final[:, 0], lag, bins=60)


def _on_cells(
    text: str, temperature: float, half_width: float, cells: int, lag: float, positions: tuple[float, ...]
) -> list[float]:
    """Return ⟨Δx⟩/τ at the positions, then ⟨Δx²⟩/2τ there, by the backward equation."""
    from scipy.interpolate import CubicSpline
    from scipy.sparse.linalg import expm_multiply

    grid = fp.Grid(x=(-half_width, half_width, cells))
    W: Any = fp.generator(fp.Langevin(fp.Landscape(text), temperature=temperature), grid)
    x = grid.axes[0].centres
    means = expm_multiply(lag * W.adjoint, np.stack([x, x**2], axis=1))
    first = (means[:, 0] - x) / lag
    second = (means[:, 1] - 2.0 * x * means[:, 0] + x**2) / (2.0 * lag)
    return [float(CubicSpline(x, values)(at)) for values in (first, second) for at in positions]
