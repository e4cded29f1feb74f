"""E6: the stationary state of SGD at a finite learning rate, with momentum, and what modified equations say of it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.learning.moment_recursion import stationary_moments
from fpsolver.learning.thermometer import measure_temperature
from fpsolver.theory import heavy_ball, modified_equation, sgd_temperatures
from fpsolver.thermodynamics.correlated_samples import block_average
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    claim,
    misses,
    power,
    rounded,
    statistical,
)
from fpsolver.validation.steps.chains import descent

CLAIM = claim(
    "E6",
    family="steps",
    title="SGD at a finite learning rate",
    as_written="The second-order modified equation dθ = −∇(L + η|∇L|²/4) dt + √(ηC) dW describes SGD better than the "
    "first: ⟨θ²⟩ = (ηC/2h)/(1 + ηh/2).",
    statement="On a quadratic loss the chain has ⟨θ²⟩ = (ηC/2h)/(1 − ηh/2), and HS + SH − ηHSH = ηC in any dimension; "
    "with the heavy ball ηC(1 + μ)/{h(1 − μ)[2(1 + μ) − ηh]}, and d² linear systems of order four where C and H do "
    "not commute. The second-order equation errs by −ηh, twice as much as the first: it mends the drift and leaves the "
    "noise; with the noise ηC(1 + ηh) the error is of order (ηh)². On any loss, with any noise, Yaida's relation "
    "⟨θ·∇L⟩ = (η/2)⟨|g|²⟩ holds, and (1 + μ)⟨|v|²⟩/2η with momentum.",
    verdict="exact",
    sources=(
        "K. Liu, L. Ziyin, M. Ueda, ICML 2021 (arXiv 2012.03636)",
        "S. Yaida, ICLR 2019 (arXiv 1810.00004)",
        "Q. Li, C. Tai, W. E, ICML 2017 (arXiv 1511.06251)",
    ),
    written=modified_equation.second_order_variance,
    corrected=modified_equation.exact_variance,
)


def density(dynamics: fp.SGD, reach: float, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where cells of a one-dimensional grid are, and the stationary probabilities of the chain on them."""
    W = fp.generator(dynamics, fp.Grid(x=(-reach, reach, cells)))
    return W.grid.axes[0].centres, np.asarray(fp.stationary(W)) * W.grid.volumes


@CLAIM.check
def variance_of_the_density(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare with the variance of the stationary density of the Markov operator on a grid, at four learning rates."""
    h, noise, cells = 2.0, 0.7, trial.pick(brief=120, quick=240, full=480)
    rates, measured = np.array([0.05, 0.25, 0.5, 0.9]), []
    for eta in map(float, rates):
        exact = float(modified_equation.exact_variance(noise, curvature=h, learning_rate=eta))
        dynamics = fp.SGD(fp.Landscape("x**2"), learning_rate=eta, noise=fp.GaussianNoise(noise))
        x, p = density(dynamics, 9.0 * np.sqrt(exact), cells)
        measured.append(float(p @ x**2))
        form = trial.predict(noise, curvature=h, learning_rate=eta)
        yield rounded(
            f"⟨θ²⟩, ηh = {eta * h:g}", form, measured[-1], rounding=1e-8,
            source="Gaussian cut at 9 standard deviations, and the stationary solver",
        )  # fmt: skip
    line, first = np.linspace(0.02, 0.95, 60), modified_equation.first_order_variance
    forms = (
        ("exact", modified_equation.exact_variance),
        ("first-order equation", first),
        ("second-order equation", modified_equation.second_order_variance),
        ("second order, with its noise", modified_equation.noise_corrected_variance),
    )
    scale = [float(first(noise, curvature=h, learning_rate=eta)) for eta in rates]
    yield Series(
        "Stationary variance of SGD over that of its continuous limit", "ηh", "⟨θ²⟩/(ηC/2h)",
        tuple(
            Curve(name, line * h, [float(form(1.0, curvature=h, learning_rate=x)) / (x / (2.0 * h)) for x in line])
            for name, form in forms
        ),
        (Points("density on a grid", rates * h, np.array(measured) / scale),), "y",
    )  # fmt: skip


@CLAIM.check
def orders_of_modified_equations(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the three modified equations with the recursion of moments: relative errors −ηh/2, −ηh and −(ηh)²/2."""
    h, rates = 1.0, np.geomspace(0.004, 0.5, 8)
    loss = fp.Landscape("x**2/2")
    exact = np.array(
        [
            stationary_moments(fp.SGD(loss, learning_rate=eta, noise=fp.GaussianNoise(1.0))).covariance[0, 0]
            for eta in map(float, rates)
        ]
    )
    cases = (
        ("first-order equation", modified_equation.first_order_variance, 1, 0.5),
        ("second-order equation", modified_equation.second_order_variance, 1, 1.0),
        ("second order, with its noise", modified_equation.noise_corrected_variance, 2, 0.5),
    )
    errors = []
    for name, form, order, coefficient in cases:
        found = np.array([float(form(1.0, curvature=h, learning_rate=eta)) for eta in rates])
        errors.append(1.0 - found / exact)
        yield power(f"power of η in the error, {name}", rates, errors[-1], order)
        # At the smallest rate what follows is smaller by ηh.
        smallest = errors[-1][0] / rates[0] ** order
        yield rounded(
            f"error over (ηh)^{order}, {name}", coefficient, smallest, rounding=1.5 * rates[0], source="next order, ηh"
        )
    for eta, variance in zip(rates, exact, strict=True):
        form = trial.predict(1.0, curvature=h, learning_rate=eta)
        yield rounded(f"⟨θ²⟩ by the recursion, η = {eta:.3g}", form, variance, rounding=1e-11, source="linear solve")
    yield Series(
        "Relative error of modified equations for the stationary variance", "ηh", "1 − ⟨θ²⟩/exact",
        tuple(
            Curve(f"{coefficient:g}(ηh)^{order}", rates, coefficient * rates**order)
            for _, _, order, coefficient in cases
        ),
        tuple(Points(name, rates, error) for (name, *_), error in zip(cases, errors, strict=True)), "xy",
    )  # fmt: skip


@CLAIM.check
def momentum_and_noise_that_does_not_commute(trial: Trial) -> Iterator[Comparison]:
    """Compare the covariances of theory with the recursion of moments and with runs, for random systems."""
    rng = np.random.default_rng([trial.seed, 5160])
    runs, steps = trial.pick(brief=(400, 300), quick=(2000, 800), full=(20_000, 3000))
    for number in range(trial.pick(brief=2, quick=6, full=30)):
        matrix, root = rng.normal(size=(2, 2)), rng.normal(size=(2, 2))
        hessian, noise = matrix @ matrix.T + 0.3 * np.eye(2), root @ root.T + 0.1 * np.eye(2)
        momentum = float(rng.uniform(0.0, 0.9))
        eta = float(rng.uniform(0.05, 0.9) * 2.0 * (1.0 + momentum) / np.linalg.eigvalsh(hessian)[-1])
        whole = heavy_ball.phase_covariance(hessian, noise, learning_rate=eta, momentum=momentum)
        loss = fp.Landscape(f"{hessian[0, 0]:.17g}*x**2/2 + {hessian[0, 1]:.17g}*x*y + {hessian[1, 1]:.17g}*y**2/2")
        dynamics = fp.SGD(loss, learning_rate=eta, noise=fp.GaussianNoise(noise.tolist()), momentum=momentum)
        other = stationary_moments(dynamics).covariance
        name = f"system {number}, η = {eta:.3g}, μ = {momentum:.3g}"
        for i, j in ((0, 0), (0, 1), (1, 1)):
            scale = np.sqrt(whole[i, i] * whole[j, j])
            yield rounded(
                f"S{i + 1}{j + 1}/√(SᵢᵢSⱼⱼ) + 1, {name}", whole[i, j] / scale + 1.0, other[i, j] / scale + 1.0,
                rounding=1e-9, source="linear solves of condition up to 1e6",
            )  # fmt: skip
        if number < 2:
            yield from _runs(hessian, noise, eta, momentum, whole, name, rng, (runs, steps))


def _runs(
    hessian: np.ndarray, noise: np.ndarray, eta: float, momentum: float, whole: np.ndarray, name: str,
    rng: np.random.Generator, size: tuple[int, int],
) -> Iterator[Comparison]:  # fmt: skip
    """Compare the last covariance of runs, and both sides of Yaida's relation, with theory."""
    runs, steps = size
    start = np.zeros((runs, 2))
    *_, last = descent(
        lambda theta: theta @ hessian, np.linalg.cholesky(noise), eta, start, steps, rng, momentum=momentum
    )
    radius = max(abs(np.linalg.eigvals(_companion(hessian, eta, momentum))))
    for i in range(2):
        squares = last.theta[:, i] ** 2
        yield statistical(
            f"S{i + 1}{i + 1} of runs, {name}", whole[i, i], squares.mean(), squares.std() / np.sqrt(runs),
            bias=whole[i, i] * 10.0 * float(radius) ** (2 * steps - 2), bias_source="memory of the start",
        )  # fmt: skip


def _companion(hessian: np.ndarray, eta: float, momentum: float) -> np.ndarray:
    one = np.eye(len(hessian))
    return np.block([[(1.0 + momentum) * one - eta * hessian, -momentum * one], [one, 0.0 * one]])


@CLAIM.check
def yaida_on_other_losses(trial: Trial) -> Iterator[Comparison]:
    """Compare both sides of Yaida's relation in stationary densities: wells, tilted wells, noise that depends on θ."""
    cells = trial.pick(brief=240, quick=480, full=960)
    cases = (
        ("two wells", "x**2/2 + cos(2*x)", 1.0),
        ("tilted wells", "x**2/2 + cos(2*x) + x/3", 0.5),
        ("noise that depends on θ", "x**2/2 + cos(2*x)", "1 + sin(x + 1)/2"),
    )
    for name, text, noise in cases:
        for eta in (0.1, 0.3):
            dynamics = fp.SGD(fp.Landscape(text), learning_rate=eta, noise=fp.GaussianNoise(noise))
            x, p = density(dynamics, 6.0, cells)
            slope, spread = (
                dynamics.landscape.gradient(x[:, None])[:, 0],
                dynamics.noise_covariance(x[:, None])[:, 0, 0],
            )
            right = sgd_temperatures.fluctuation_dissipation(float(p @ (spread + slope**2)), learning_rate=eta)
            yield rounded(
                f"⟨θ·∇L⟩, {name}, η = {eta:g}", right, p @ (x * slope), rounding=1e-8,
                source="sums over cells, the stationary solver",
            )  # fmt: skip


@CLAIM.check
def yaida_with_momentum(trial: Trial) -> Iterator[Comparison]:
    """Compare both sides of the relation, with momentum, on runs in a double well, and in a quadratic with theory."""
    eta, (runs, steps) = 0.05, trial.pick(brief=(200, 1500), quick=(500, 4000), full=(2000, 10_000))
    for number, momentum in enumerate((0.5, 0.9)):
        rng = np.random.default_rng([trial.seed, 5162, number])
        start = rng.choice([-1.0, 1.0], size=(runs, 1))
        path = list(descent(lambda x: x**3 - x, np.eye(1), eta, start, steps, rng, momentum=momentum))[steps // 5 :]
        left = np.array([float((one.theta * one.slope).mean()) for one in path])
        right = np.array(
            [
                float(
                    heavy_ball.fluctuation_dissipation((one.velocity**2).mean(), learning_rate=eta, momentum=momentum)
                )
                for one in path
            ]
        )
        difference = block_average(left - right)
        yield statistical(
            f"difference of the two sides, μ = {momentum:g}", 0.0, difference.value, difference.standard_error
        )
        seen = block_average(left)
        yield misses(f"either side, μ = {momentum:g}", 0.0, seen.value, seen.standard_error)
        if trial.effort != "brief":
            sgd = fp.SGD(fp.Landscape("x**4/4 - x**2/2"), eta, fp.GaussianNoise(1.0), momentum=momentum)
            reading = measure_temperature(sgd, runs, 1000, initial=start, discard=400, seed=trial.seed)
            yield statistical(
                f"difference of the two sides, simulated, μ = {momentum:g}", 0.0, reading.imbalance,
                reading.imbalance_standard_error,
            )  # fmt: skip
            combined = math.hypot(reading.standard_error, seen.standard_error)
            yield statistical(f"⟨θL'⟩, simulated, μ = {momentum:g}", seen.value, reading.temperature, combined)
        whole = heavy_ball.phase_covariance([[1.3]], [[0.8]], learning_rate=eta, momentum=momentum)
        both = heavy_ball.fluctuation_dissipation(whole[1, 1], learning_rate=eta, momentum=momentum)
        yield rounded(f"quadratic, μ = {momentum:g}", both, 1.3 * whole[0, 0], rounding=1e-11, source="linear solve")
