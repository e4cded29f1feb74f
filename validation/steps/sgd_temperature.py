"""D4: the temperature of SGD, of one parameter and of all of them together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.learning.moment_recursion import stationary_moments
from fpsolver.learning.thermometer import read_temperature
from fpsolver.theory import sgd_temperatures
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    bounded,
    claim,
    misses,
    rounded,
    statistical,
)
from fpsolver.validation.steps.chains import descent

CLAIM = claim(
    "D4",
    family="steps",
    title="Effective temperature of SGD",
    as_written="T_eff = (η/2) tr Σ.",
    statement="(η/2) tr C is d·T, the sum of the temperatures of d parameters; that of one, the T of e^{−L/T}, "
    "is T = (η/2) tr C/d for C = σ²1, with C = Σ₁/B the covariance of the minibatch gradient. Exact at any learning "
    "rate, on any loss: ⟨θᵢ∂ᵢL⟩ = (η/2)(Cᵢᵢ + ⟨(∂ᵢL)²⟩); on a quadratic Tᵢ = (η/2)Cᵢᵢ/(1 − ηhᵢ/2) along its "
    "eigenvectors. One temperature needs C = (2T/η)(1 − ηH/2): with C ∝ H each parameter has its own, Tᵢ ∝ hᵢ as "
    "η → 0, and noise that does not commute with H leaves cross terms ⟨θᵢ∂ⱼL⟩ ≠ 0.",
    verdict="false as written",
    sources=(
        "S. Yaida, ICLR 2019 (arXiv 1810.00004)",
        "K. Liu, L. Ziyin, M. Ueda, ICML 2021 (arXiv 2012.03636)",
    ),
    written=sgd_temperatures.temperature_as_written,
    corrected=sgd_temperatures.temperature,
)


SEEN = ("theta", "slope", "gradient")
"""What the thermometer is shown."""


def quadratic(curvatures: np.ndarray) -> fp.Landscape:
    """Return Σhᵢxᵢ²/2."""
    return fp.Landscape(" + ".join(f"{h!r}*x{i}**2/2" for i, h in enumerate(map(float, curvatures))))


def quartic_slope(theta: np.ndarray) -> np.ndarray:
    """Return ∇L of Σ(xᵢ⁴/4 + xᵢ²/4) + |x|⁴/8, which couples all parameters."""
    return theta**3 + theta / 2.0 + 0.5 * theta * (theta**2).sum(axis=-1, keepdims=True)


@CLAIM.check
def share_of_a_parameter(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare with ⟨θᵢ∂ᵢL⟩ of the recursion of moments, without its factor 1/(1 − ηh/2), in 1 to 32 dimensions."""
    rng = np.random.default_rng(trial.seed)
    dimensions, measured = (1, 2, 4, 8, 16, 32)[: trial.pick(brief=4, quick=6, full=6)], []
    for d in dimensions:
        curvatures, eta, batch = rng.uniform(0.3, 3.0, d), 0.2, 4.0
        noise = fp.GaussianNoise(1.7, batch_size=batch)
        found = stationary_moments(fp.SGD(quadratic(curvatures), learning_rate=eta, noise=noise)).covariance
        each = curvatures * np.diag(found) * (1.0 - eta * curvatures / 2.0)
        measured.append(float(each.mean()))
        form = trial.predict(1.7 * np.eye(d), learning_rate=eta, batch_size=batch)
        yield rounded(f"T of one of {d} parameters", form, measured[-1], rounding=1e-10, source="linear solve")
        total = sgd_temperatures.temperature_as_written(1.7 * np.eye(d), learning_rate=eta, batch_size=batch)
        yield rounded(f"⟨θ·∇L⟩ of {d} parameters", total, each.sum(), rounding=1e-10, source="linear solve")
    yield Series(
        "Temperature of one parameter, σ² = 1.7, B = 4, η = 0.2", "number of parameters", "temperature",
        (
            Curve("(η/2) tr C/d", dimensions, [0.2 * 1.7 / 8.0] * len(dimensions)),
            Curve("(η/2) tr C, as written", dimensions, [0.2 * 1.7 / 8.0 * d for d in dimensions]),
        ),
        (Points("recursion of moments", dimensions, measured),), "xy",
    )  # fmt: skip


@CLAIM.check
def thermometer_on_runs(trial: Trial) -> Iterator[Comparison]:
    """Read the temperature of runs on a quartic loss in three dimensions, and compare it less (η/2)⟨|∇L|²⟩/d."""
    runs, steps = trial.pick(brief=(100, 800), quick=(400, 3000), full=(1000, 4000))
    for number, eta in enumerate((0.05, 0.2)):
        rng = np.random.default_rng([trial.seed, 5140, number])
        start = np.zeros((runs, 3))
        # The slowest rate is that of the curvature 1/2.
        path = list(descent(quartic_slope, np.eye(3), eta, start, steps, rng))[int(15.0 / eta) :]
        theta, slope, gradient = (np.array([getattr(one, part) for one in path]) for part in SEEN)
        reading = read_temperature(theta, slope, learning_rate=eta, minibatch_gradients=gradient)
        excess = eta / 2.0 * float((slope**2).mean())
        yield statistical(
            f"quartic loss, η = {eta:g}", trial.predict(np.eye(3), learning_rate=eta), reading.temperature - excess,
            reading.standard_error,
        )  # fmt: skip
        yield bounded(f"chance of stationarity, η = {eta:g}", 1e-4, reading.p_stationary, side="≥")
        yield bounded(f"chance of one temperature, η = {eta:g}", 1e-4, reading.p_single, side="≥")


@CLAIM.check
def finite_learning_rate(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare h⟨θ²⟩ of the stationary density on a grid with (η/2)C/(1 − ηh/2), up to 95 % of the critical rate."""
    h, cells = 2.0, trial.pick(brief=120, quick=240, full=480)
    rates = np.array([0.05, 0.3, 0.6, 0.8, 0.95])[:: trial.pick(brief=2, quick=1, full=1)]
    measured = []
    for eta in map(float, rates):
        form = sgd_temperatures.stationary_temperature(1.0, learning_rate=eta, curvature=h)
        reach = 9.0 * np.sqrt(float(form) / h)
        dynamics = fp.SGD(fp.Landscape("x**2"), learning_rate=eta, noise=fp.GaussianNoise(1.0))
        W = fp.generator(dynamics, fp.Grid(x=(-reach, reach, cells)))
        p = np.asarray(fp.stationary(W)) * W.grid.volumes
        measured.append(h * float(p @ W.grid.axes[0].centres ** 2))
        yield rounded(
            f"h⟨θ²⟩, ηh = {eta * h:g}", form, measured[-1], rounding=1e-8,
            source="sampling of a Gaussian cut at 9 standard deviations, and the stationary solver",
        )  # fmt: skip
        first = trial.predict([[1.0]], learning_rate=eta)
        yield rounded(
            f"T without its factor, ηh = {eta * h:g}", first, measured[-1] * (1.0 - eta * h / 2.0), rounding=1e-8,
            source="as before",
        )  # fmt: skip
    line = np.linspace(0.02, 0.96, 60)
    yield Series(
        "Temperature of the chain, h = 2, C = 1", "learning rate η", "h⟨θ²⟩",
        (
            Curve("(η/2)C/(1 − ηh/2)", line, line / 2.0 / (1.0 - line * h / 2.0)),
            Curve("(η/2)C", line, line / 2.0),
        ),
        (Points("density on a grid", rates, measured),), "y",
    )  # fmt: skip


@CLAIM.check
def no_single_temperature(trial: Trial) -> Iterator[Comparison | Series]:
    """Show Tᵢ ∝ hᵢ for noise along the Hessian, and cross terms where it does not commute, read by the thermometer."""
    eta, (runs, steps) = 0.05, trial.pick(brief=(60, 1000), quick=(400, 4000), full=(1000, 5000))
    hessian = np.diag([1.0, 4.0])
    cases = (("C = H", hessian), ("noise that does not commute", np.array([[1.0, 0.6], [0.6, 1.0]])))
    for number, (name, noise) in enumerate(cases):
        rng = np.random.default_rng([trial.seed, 5141, number])
        start = rng.multivariate_normal(
            np.zeros(2), stationary_moments(_sgd(noise, eta)).covariance, size=runs, method="cholesky"
        )
        path = list(descent(lambda theta: theta @ hessian, np.linalg.cholesky(noise), eta, start, steps, rng))
        theta, slope, gradient = (np.array([getattr(one, part) for one in path]) for part in SEEN)
        reading = read_temperature(theta, slope, learning_rate=eta, minibatch_gradients=gradient)
        exact = sgd_temperatures.temperature_matrix(hessian, noise, learning_rate=eta)
        for i in range(2):
            yield statistical(f"T{i + 1}, {name}", exact[i, i], reading.temperatures[i], reading.standard_errors[i])
        yield bounded(f"chance of one temperature, {name}", 1e-4, reading.p_single, side="≤")
        yield bounded(f"chance of stationarity, {name}", 1e-4, reading.p_stationary, side="≥")
    assert reading.cross is not None
    each = (theta[..., 0] * slope[..., 1]).mean(axis=0)  # runs are independent, steps are not
    error = float(each.std()) / np.sqrt(runs)
    yield misses("⟨θ₁∂₂L⟩ where noise does not commute", 0.0, reading.cross[0, 1], error)
    yield statistical("⟨θ₁∂₂L⟩", exact[0, 1], reading.cross[0, 1], error)
    curvatures = np.geomspace(0.1, 10.0, 13)
    along = fp.GaussianNoise(list(curvatures))
    covariance = stationary_moments(fp.SGD(quadratic(curvatures), learning_rate=eta, noise=along)).covariance
    exact = eta / 2.0 * curvatures / (1.0 - eta * curvatures / 2.0)
    yield Series(
        "Temperatures of parameters for C = H, η = 0.05", "curvature hᵢ", "Tᵢ",
        (Curve("(η/2)hᵢ/(1 − ηhᵢ/2)", curvatures, exact),),
        (Points("recursion of moments", curvatures, curvatures * np.diag(covariance)),), "xy",
    )  # fmt: skip


def _sgd(noise: np.ndarray, learning_rate: float) -> fp.SGD:
    return fp.SGD(fp.Landscape("x**2/2 + 2*y**2"), learning_rate=learning_rate, noise=fp.GaussianNoise(noise.tolist()))
