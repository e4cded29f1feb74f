"""Claim D8: how the batch size enters the density of updates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import batch_readings
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    asymptotic,
    claim,
    misses,
    richardson,
    statistical,
)

D8 = claim(
    "D8",
    family="reactions",
    title="Batch size in the reaction-rate density",
    as_written="ρ' = ρ √(B/N)",
    statement="The batch size enters the temperature, T = ησ²/2B, not a factor: updates have the density "
    "ρ_B = N(Δ; −ηg, η²Σ₁/B), normalised for every B, and escape over a barrier has rates in the ratio "
    "k_B/k_N = e^{−2(B − N)ΔL/ησ²} for additive isotropic noise. The factor √(B/N) is the ratio of the densities at "
    "their centre in one dimension, (B/N)^{d/2} in d.",
    verdict="false as written",
    sources=("S. Mandt, M. D. Hoffman, D. M. Blei, J. Mach. Learn. Res. 18, 1 (2017), eq. (7)", "own derivation"),
    written=batch_readings.update_density_as_written,
    corrected=batch_readings.update_density,
)

NUMBERS = {"learning_rate": 0.1, "reference_batch": 64.0}


@D8.check
def sampled_batches(trial: Trial) -> Iterator[Comparison | Series]:
    """Mean gradients of sampled batches: share of updates that go uphill, against the integral of the form."""
    samples = trial.pick(brief=40_000, quick=400_000, full=4_000_000)
    rng = np.random.default_rng([trial.seed, 101])
    batches = np.array([1, 4, 16, 64])
    gradient, spread = np.array([0.3, -0.2]), np.array([[1.0, 0.0], [0.6, 0.8]])
    for dimension in (1, 2):
        g, root = gradient[:dimension], spread[:dimension, :dimension]
        rows = []
        for batch in batches:
            # The mean of B normal gradients is drawn at once.
            means = g + rng.normal(size=(samples, dimension)) @ root.T / math.sqrt(batch)
            uphill = (-NUMBERS["learning_rate"] * means) @ g > 0.0
            share, error = _share(uphill, samples)
            form = _integral(trial, g, root @ root.T, float(batch))
            yield statistical(f"share of updates uphill, d = {dimension}, B = {batch}", form, share, error)
            rows.append((form, share, error))
        predicted, measured, errors = np.transpose(rows)
        yield Series(
            f"Updates that go uphill, d = {dimension}", "batch size B", "share",
            (Curve("form under test", batches, predicted),), (Points("sampled batches", batches, measured, errors),),
            "x",
        )  # fmt: skip


def _share(hits: np.ndarray, samples: int) -> tuple[float, float]:
    share = float(hits.mean())
    return share, math.sqrt(max(share * (1.0 - share), 1.0 / samples) / samples)


def _integral(trial: Trial, gradient: np.ndarray, covariance: np.ndarray, batch: float) -> float:
    """Return the integral of the form over updates with g·Δ > 0, by Gauss–Legendre along g and across it, to 1e-12."""
    eta = NUMBERS["learning_rate"]
    along = gradient / np.linalg.norm(gradient)
    width = 9.0 * eta * math.sqrt(np.linalg.eigvalsh(covariance)[-1])  # of one example: the widest
    nodes, weights = np.polynomial.legendre.leggauss(400)
    up, weight_up = 0.5 * width * (nodes + 1.0), 0.5 * width * weights
    points = up[:, None] * along
    total = weight_up
    if len(gradient) == 2:
        across = np.array([-along[1], along[0]])
        points = points[:, None, :] + (width * nodes)[:, None] * across
        total = weight_up[:, None] * (width * weights)
    density = trial.predict(points, gradient=gradient, per_example_covariance=covariance, batch_size=batch, **NUMBERS)
    return float(np.sum(total * density))


@D8.check
def ratio_at_the_centre(trial: Trial) -> Iterator[Comparison | Series]:
    """Densities of sampled updates at their centre, in one to three dimensions, against (B/N)^{d/2} and √(B/N)."""
    samples = trial.pick(brief=200_000, quick=2_000_000, full=20_000_000)
    rng = np.random.default_rng([trial.seed, 102])
    batch, reference = 16.0, 64.0
    dimensions = np.array([1, 2, 3])
    rows = []
    for dimension in dimensions:
        radius = 0.25 / math.sqrt(reference)
        counts = []
        for size in (batch, reference):
            distance = np.linalg.norm(rng.normal(size=(samples, dimension)), axis=1) / math.sqrt(size)
            counts.append(float((distance < radius).sum()))
        # Within r the mean density is lower than at the centre by the share r²B/2(1 + 2/d), and its square at most.
        bend = 0.5 * radius**2 * (reference - batch) / (1.0 + 2.0 / dimension)
        ratio = counts[0] / counts[1] / (1.0 + bend)
        rows.append((ratio, ratio * math.sqrt(1.0 / counts[0] + 1.0 / counts[1])))
        form = (batch / reference) ** (dimension / 2.0)
        yield statistical(f"ratio of densities at the centre, d = {dimension}", form, *rows[-1],
                          bias=form * (0.5 * radius**2 * reference) ** 2,
                          bias_source="next order of the curvature of the density")  # fmt: skip
    yield misses("√(B/N) in three dimensions", math.sqrt(batch / reference), *rows[-1])
    ratios, errors = np.transpose(rows)
    yield Series(
        "Density of updates at the centre, B = 16 over N = 64", "dimension d", "ρ_B/ρ_N",
        (Curve("(B/N)^{d/2}", dimensions, (batch / reference) ** (dimensions / 2.0)),
         Curve("√(B/N)", dimensions, np.full(3, math.sqrt(batch / reference)))),
        (Points("sampled updates", dimensions, ratios, errors),), "y",
    )  # fmt: skip


@D8.check
def escape_against_batch_size(trial: Trial) -> Iterator[Comparison | Series]:
    """Mean steps of the SGD chain on cells from −1 to beyond 0.8, by batch size: exponential in B, not √B."""
    landscape, eta = fp.Landscape("x**4/4 - x**2/2"), 0.1
    batches = np.array([1.0, 1.5, 2.0, 2.5, 3.0])
    cells = trial.pick(brief=220, quick=440, full=880)
    rates, errors = [], []
    for batch in batches:
        fine, coarse = (_steps(landscape, eta, float(batch), number) for number in (cells, cells // 2))
        steps, error = richardson(fine, coarse)
        rates.append(1.0 / steps)
        errors.append(error / steps**2)
    numbers = {"learning_rate": eta, "variance": 1.0, "reference_batch": 1.0}
    forms = [batch_readings.escape_ratio(0.25, batch_size=float(batch), **numbers) for batch in batches]
    written = [float(batch_readings.escape_ratio_as_written(0.25, batch_size=b, **numbers)) for b in batches]
    ratios = np.array(rates) / rates[0]
    for index in (2, 4):
        error = ratios[index] * (errors[index] / rates[index] + errors[0] / rates[0])
        name = f"rate of escape, B = {batches[index]:g} over B = 1"
        yield asymptotic(name, forms[index], ratios[index], error)
        yield misses(f"{name}, √(B/N)", written[index], ratios[index], error, margin=0.5)
    yield Series(
        "Rate of escape by batch size, η = 0.1", "batch size B", "rate over that of B = 1",
        (Curve("e^{−2(B − 1)ΔL/ησ²}", batches, [float(form) for form in forms]), Curve("√B", batches, written)),
        (Points("SGD chain on cells", batches, ratios),), "y",
    )  # fmt: skip


def _steps(landscape: fp.Landscape, eta: float, batch: float, cells: int) -> float:
    chain = fp.SGD(landscape, learning_rate=eta, noise=fp.GaussianNoise(1.0, batch_size=batch))
    W: Any = fp.generator(chain, fp.Grid(x=(-2.2, 2.2, cells)))
    return float(fp.mean_first_passage_time(W, fp.where(x=(0.8, None))).at([[-1.0]])[0])
