"""D9: at which learning rate an optimiser loses a minimum, and what gradient descent does beyond it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.learning import GaussianInputs, critical_learning_rate, mean_square_learning_rate
from fpsolver.learning.thresholds import first_crossing
from fpsolver.theory import critical_learning_rates, mean_square_threshold, period_doubling
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
)

D9 = claim(
    "D9",
    family="steps",
    title="Critical learning rates",
    as_written="η_c = 2/λ_max",
    statement="Gradient descent loses a minimum of sharpness λ at η = 2/λ, the heavy ball at 2(1 + μ)/λ, Nesterov's "
    "method at 2(1 + μ)/[λ(1 + 2μ)], Adam at 2(1 + β₁)/[(1 − β₁)λ] with λ that of the preconditioned Hessian; weight "
    "decay adds to λ. Beyond 2/L″ a stable orbit of period two takes over if 3L‴² > L″L⁗; if it is less, an unstable "
    "one below 2/L″ bounds what converges. SGD on linear regression with Gaussian inputs and batches of S keeps a "
    "bounded mean square up to the smallest root of (η/S)Σa/[2 − ηa(1 + 1/S)] = 1, with the heavy ball in one "
    "dimension up to 2(1 − μ²)/{a[(s/a)²(1 + μ) + 1 − μ]}, s² being the variance of the curvature of a batch.",
    verdict="exact",
    sources=(
        "B. T. Polyak, USSR Comput. Math. Math. Phys. 4, 1 (1964)",
        "J. M. Cohen et al., ICLR 2021, and arXiv:2207.14484",
        "L. Wu, C. Ma, W. E, NeurIPS 2018",
        "L. Ziyin, K. Liu, T. Mori, M. Ueda, ICLR 2022",
    ),
    written=critical_learning_rates.learning_rate_as_written,
    corrected=critical_learning_rates.learning_rate,
)

METHODS = (("gradient descent", 0.0), ("heavy ball", 0.5), ("heavy ball", 0.9), ("nesterov", 0.9), ("adam", 0.9))
QUADRATIC = fp.Landscape("a*x**2/2 + b*y**2/2", parameters={"a": 1.7, "b": 0.4})
FACTORS = fp.Landscape("(1 - u*v)**2/2")
DOUBLE_WELL = fp.landscapes.double_well()
EPSILON = 1e-3
"""The ε of Adam's denominator, far above √v̂ where weights are as small as here."""


def iterated(optimiser: str, momentum: float, rates: np.ndarray, steps: int) -> np.ndarray:
    """Return distances from the minimum of `QUADRATIC` (steps + 1, n) along runs of the optimiser as it is defined."""
    theta, eta = np.tile(1e-40 * np.array([1.0, 0.7]), (len(rates), 1)), rates[:, None]
    velocity, square, path = np.zeros_like(theta), np.zeros_like(theta), [theta]
    for n in range(1, steps + 1):
        gradient = QUADRATIC.gradient(theta + (momentum if optimiser == "nesterov" else 0.0) * velocity)
        if optimiser == "adam":
            velocity = momentum * velocity + (1.0 - momentum) * gradient
            square = 0.999 * square + 0.001 * gradient**2
            unbiased = np.sqrt(square / (1.0 - 0.999**n)) + EPSILON
            theta = theta - eta * velocity / (1.0 - momentum**n) / unbiased
        else:
            velocity = momentum * velocity - eta * gradient
            theta = theta + velocity
        path.append(theta)
    return np.linalg.norm(path, axis=-1)


def located(holds: Callable[[np.ndarray], np.ndarray], low: float, high: float, rounds: int) -> tuple[float, float]:
    """Return where a condition first holds between two values, sixteen times closer each round, and the last width."""
    for _ in range(rounds):
        edges = np.linspace(low, high, 17)
        held = np.append(holds(edges[1:-1]), True)
        first = int(held.argmax())
        low, high = float(edges[first]), float(edges[first + 1])
    return 0.5 * (low + high), high - low


@D9.check
def spectral_radii(trial: Trial) -> Iterator[Comparison]:
    """Compare bisections of the spectral radius of each optimiser's step, for random Hessians, with the form."""
    generator = np.random.default_rng(trial.seed)
    for number in range(trial.pick(brief=1, quick=5, full=40)):
        matrix = generator.normal(size=(4, 4))
        hessian, scales = matrix @ matrix.T, generator.uniform(0.2, 2.0, 4)
        preconditioned = hessian / np.sqrt(np.outer(scales, scales))
        for optimiser, momentum in METHODS:
            adam = optimiser == "adam"
            largest = float(np.linalg.eigvalsh(preconditioned if adam else hessian)[-1])
            options: dict[str, Any] = {"preconditioner": scales, "averaging": True} if adam else {}
            found = critical_learning_rate(hessian, momentum=momentum, nesterov=optimiser == "nesterov", **options)
            form = trial.predict(largest, optimiser=optimiser, momentum=momentum)
            yield gridded(
                f"{optimiser}, μ = {momentum:g}, Hessian {number}", form, found.value, found.error,
                source="last bracket and rounding of the radius",
            )  # fmt: skip
        decayed = critical_learning_rate(hessian, momentum=0.9, weight_decay=0.5)
        form = trial.predict(
            float(np.linalg.eigvalsh(hessian)[-1]), optimiser="heavy ball", momentum=0.9, weight_decay=0.5
        )
        yield gridded(f"weight decay, Hessian {number}", form, decayed.value, decayed.error, source="last bracket")


@D9.check
def runs_of_the_optimisers(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the η at which runs of the optimisers themselves stop shrinking, by bisection, with the form."""
    momenta, found = np.array([0.0, 0.3, 0.6, 0.9]), []
    steps, rounds = trial.pick(brief=150, quick=600, full=3000), trial.pick(brief=3, quick=6, full=8)

    def edge(optimiser: str, momentum: float, scale: float) -> tuple[float, float]:
        def grow(rates: np.ndarray) -> np.ndarray:
            with np.errstate(over="ignore", invalid="ignore"):
                sizes = iterated(optimiser, momentum, rates, 2 * steps)
            # Adam stops being linear, and growing, where √v̂ reaches ε: what has come half that far has grown.
            grown = ~(sizes.max(axis=0) < 1e-10)
            return grown | ((sizes[-1] >= sizes[steps]) & (sizes[steps] > 1e-250))

        value, width = located(grow, 0.0, 32.0 * scale, rounds)
        # What is left of the other modes after so many steps: they shrink by √μ, or by |1 − ηb| without momentum.
        return value, width + 5.0 * value * max(math.sqrt(momentum), 0.6) ** steps

    for optimiser, momentum in METHODS[trial.pick(brief=2, quick=0, full=0) :]:
        scale = EPSILON if optimiser == "adam" else 1.0
        value, error = edge(optimiser, momentum, scale)
        form = trial.predict(1.7 / scale, optimiser=optimiser, momentum=momentum)
        yield gridded(f"runs of {optimiser}, μ = {momentum:g}", form, value, error, source="bisection of runs")
    if trial.effort == "brief":
        return
    line = np.linspace(0.0, 0.95, 60)
    for optimiser in ("heavy ball", "nesterov"):
        found.append(Points(f"runs, {optimiser}", momenta, [1.7 * edge(optimiser, mu, 1.0)[0] for mu in momenta]))
    curves = tuple(
        Curve(name, line, [float(trial.predict(1.0, optimiser=name, momentum=mu)) for mu in line])
        for name in ("heavy ball", "nesterov")
    )
    yield Series("Critical learning rate against momentum", "momentum μ", "η_c λ", curves, tuple(found))


@D9.check
def edge_of_stability(trial: Trial) -> Iterator[Comparison | Series]:
    """Show that gradient descent on (1 − uv)²/2 ends at minima whose sharpness u² + v² is below 2/η, and next to it."""
    eta = 0.3
    edge = float(critical_learning_rates.sharpness(eta))
    steps = trial.pick(brief=300, quick=4000, full=20_000)

    def leave(u: np.ndarray) -> np.ndarray:
        theta, residuals = np.stack([u, 1.0 / u], axis=1) + 1e-7, []
        for _ in range(steps):
            theta = theta - eta * FACTORS.gradient(theta)
            residuals.append(np.abs(1.0 - theta.prod(axis=1)))
        # What leaves a minimum settles in a flatter one: the residual grows only for a while.
        return np.max(residuals, axis=0) > 2.0 * residuals[0]

    u, width = located(leave, 2.0, 3.0, trial.pick(brief=3, quick=4, full=5))
    # A residual doubles in n steps where the multiplier is 1 + ln 2/n: the sharpness is off by ln 2/n over η.
    slack = math.log(2.0) / steps / eta
    measured = float(critical_learning_rates.factorisation_sharpness(u))
    error = 2.0 * width * u + slack
    yield gridded("largest sharpness of a stable minimum, η = 0.3", edge, measured, error, source="bisection of runs")

    n = trial.pick(brief=40, quick=400, full=2000)
    starts = np.geomspace(1.02, 3.6, n)
    theta = np.stack([starts, 1.0 / starts + 0.05 / starts], axis=1)
    for _ in range(trial.pick(brief=800, quick=6000, full=20_000)):
        theta = theta - eta * FACTORS.gradient(theta)
    final, before = (theta**2).sum(axis=1), starts**2 + starts**-2.0
    converged = np.abs(1.0 - theta.prod(axis=1)) < 1e-6
    # Near the edge runs settle slowly: the sharpness can be off by the residual that is left.
    yield bounded("sharpness where runs end, η = 0.3", edge, final[converged].max(), 1e-6, side="≤")
    sharp = converged & (before > 1.05 * edge)
    yield misses("runs from sharper minima go elsewhere", before[sharp].min(), final[sharp].min(), 0.0, margin=0.1)
    yield Series(
        "Edge of stability of (1 − uv)²/2 at η = 0.3", "sharpness of the minimum next to the start",
        "sharpness at the end",
        (Curve("2/η", [before.min(), before.max()], [edge, edge]), Curve("unchanged", [2.0, edge], [2.0, edge])),
        (Points("gradient descent", before[converged], final[converged]),),
    )  # fmt: skip
    decay = 0.05
    theta = np.array([1.8, 0.4])
    for _ in range(800):
        theta = theta - eta * (FACTORS.gradient(theta) + decay * theta)
    form = critical_learning_rates.decayed_factorisation_sharpness(1.0, weight_decay=decay)
    largest = np.linalg.eigvalsh(FACTORS.hessian(theta))[-1] + decay
    yield rounded("sharpness with weight decay 0.05", form, largest, rounding=1e-9, source="(1 − 2ηw)ⁿ and rounding")


def settled(rates: np.ndarray, steps: int, keep: int) -> np.ndarray:
    """Return `keep` points (keep, n) of gradient descent on the double well from 0.9, after so many steps."""
    x, orbit = np.full((len(rates), 1), 0.9), []
    for n in range(steps + keep):
        x = x - rates[:, None] * DOUBLE_WELL.gradient(x)
        if n >= steps:
            orbit.append(x[:, 0])
    return np.array(orbit)


@D9.check
def period_doubling_of_the_double_well(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare orbits of gradient descent on x⁴/4 − x²/2, iterated, with the period-2 orbit and where it ends."""
    steps = trial.pick(brief=600, quick=5000, full=100_000)
    rates = np.array([1.02, 1.05, 1.1, 1.15, 1.2])
    orbits = settled(rates, steps, 2)
    for eta, orbit in zip(rates, orbits.T, strict=True):
        exact = period_doubling.double_well_orbit(float(eta))
        yield rounded(f"lower point, η = {eta:g}", exact[0], orbit.min(), rounding=1e-11, source="iteration")
        yield rounded(f"upper point, η = {eta:g}", exact[1], orbit.max(), rounding=1e-11, source="iteration")
        expansion = critical_learning_rates.two_cycle(float(eta), curvature=2.0, third=6.0, fourth=6.0)
        yield bounded(
            f"error of the expansion, η = {eta:g}", expansion.error_scale,
            abs(float(expansion) / (np.ptp(orbit) / 2.0) - 1.0), side="≤",
        )  # fmt: skip
    yield from stages(trial)
    line = np.linspace(1.0005, 2.0, 200)
    shown = np.linspace(0.9, 1.99, trial.pick(brief=50, quick=150, full=600))
    orbit = settled(shown, trial.pick(brief=200, quick=1000, full=5000), 16)
    pairs = np.array([period_doubling.double_well_orbit(float(eta)) for eta in line]).T
    yield Series(
        "Gradient descent on the double well beyond 2/L″", "learning rate η", "x",
        (Curve("orbit of period 2", line, pairs[0]), Curve("its other point", line, pairs[1])),
        (Points("iterates", np.tile(shown, len(orbit)), orbit.ravel()),),
    )  # fmt: skip


def stages(trial: Trial) -> Iterator[Comparison]:
    """Locate by runs where the periods two and four begin, where runs change wells, and where they diverge."""
    steps, rounds = trial.pick(brief=300, quick=5000, full=100_000), trial.pick(brief=2, quick=3, full=4)

    def moves(period: int) -> Callable[[np.ndarray], np.ndarray]:
        def condition(rates: np.ndarray) -> np.ndarray:
            orbit = settled(rates, steps, period + 1)
            return np.asarray(np.abs(orbit[-1] - orbit[0]) > 1e-3)

        return condition

    def hop(rates: np.ndarray) -> np.ndarray:
        return np.asarray((settled(rates, 0, steps) < 0.0).any(axis=0))

    def diverge(rates: np.ndarray) -> np.ndarray:
        x = np.linspace(-1.4, 1.4, 401)[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(100):
                x = x + rates * (x - x**3)
        return np.asarray((~(np.abs(x) < 1e6)).any(axis=0))

    # Amplitudes √(η − 1)/2 show from 10⁻³ on; runs settle by 10³ in n steps where multipliers are 1 − 2 ln(10³)/n.
    slow = 4e-6 + math.log(1e3) / (2.0 * steps)
    cases = (
        ("period 2", moves(1), 0.9, 1.15, slow),
        ("period 4", moves(2), 1.15, 1.28, slow),
        ("hopping between wells", hop, 1.5, 1.7, 10.0 / steps),  # chaos of n steps comes within 1/n of its extremes
        ("divergence", diverge, 1.8, 2.2, 7e-3),  # the spacing of the starts
    )
    for stage, condition, low, high, error in cases:
        value, width = located(condition, low, high, rounds)
        exact = period_doubling.double_well_stage(stage)
        yield gridded(f"beginning of {stage}", exact, value, width + error, source="bracket and length of runs")


@D9.check
def density_under_weak_noise(trial: Trial) -> Iterator[Comparison]:
    """Compare where the stationary density of the noisy chain gathers, as noise goes to zero, with the orbit."""
    if trial.effort == "brief":
        return
    variance, cells = trial.pick(brief=(0.0, 0), quick=(4e-5, 800), full=(1e-5, 1600))
    for eta in trial.pick(brief=(), quick=(1.1, 1.15), full=(1.1, 1.15, 1.2)):
        weak, weaker = (gathering_points(eta, v, cells) for v in (variance, variance / 2.0))
        exact = period_doubling.double_well_orbit(eta)
        for side, name in enumerate(("lower", "upper")):
            value, error = richardson(weaker[side], weak[side], order=1.0)
            yield gridded(f"{name} point by the density, η = {eta:g}", exact[side], value, error, source="finite noise")


def gathering_points(eta: float, variance: float, cells: int) -> tuple[float, float]:
    """Return the mean positions below and above the minimum 1 in the stationary state of the chain with noise."""
    dynamics = fp.SGD(DOUBLE_WELL, learning_rate=eta, noise=fp.GaussianNoise(variance))
    W = fp.generator(dynamics, fp.Grid(x=(0.4, 1.45, cells)))
    x, p = W.grid.axes[0].centres, np.asarray(fp.stationary(W))
    below, above = (float((x * p)[side].sum() / p[side].sum()) for side in (x < 1.0, x > 1.0))
    return below, above


@D9.check
def orbits_of_quartic_wells(trial: Trial) -> Iterator[Comparison]:
    """Compare orbits x → −x of x²/2 ± x⁴/4 with runs: where they end up, or the last start from which they converge."""
    for eta in trial.pick(brief=(2.2, 2.8), quick=(2.05, 2.2, 2.5, 2.8, 2.95), full=(2.05, 2.2, 2.5, 2.8, 2.95)):
        soft = fp.Landscape("x**2/2 - x**4/4")
        x = np.array([0.1])
        for _ in range(1500):
            x = x - eta * soft.gradient(x)
        form = period_doubling.antisymmetric_amplitude(eta, curvature=1.0, quartic=-1.0)
        yield rounded(f"x²/2 − x⁴/4, η = {eta:g}", form, abs(x[0]), rounding=1e-10, source="iteration")
    for eta in trial.pick(brief=(1.0,), quick=(0.5, 1.0, 1.7), full=(0.2, 0.5, 1.0, 1.7, 1.9)):

        def escape(starts: np.ndarray, eta: float = eta) -> np.ndarray:
            x = starts
            for _ in range(500):
                x = np.clip(x - eta * (x + x**3), -1e6, 1e6)
            return np.abs(x) > 1.0

        form = period_doubling.antisymmetric_amplitude(eta, curvature=1.0, quartic=1.0)
        value, width = located(escape, 0.0, 5.0, 9)
        yield gridded(f"last start that converges, x²/2 + x⁴/4, η = {eta:g}", form, value, width, source="bracket")


@D9.check
def mean_square_of_sgd(trial: Trial) -> Iterator[Comparison]:
    """Compare thresholds of SGD's mean square with bisections of its moment recursion; 2/λ_max misses them."""
    cases = trial.pick(
        brief=((1.0,), (1.0, 0.5)), quick=((1.0,), (1.0, 0.5, 1 / 3, 0.25)), full=((1.0,), (1.0, 0.5, 1 / 3, 0.25))
    )
    for curvatures in cases:
        for size, momentum in ((1, 0.0), (4, 0.0), (1, 0.9), (4, 0.5)):
            found = mean_square_learning_rate(GaussianInputs(list(curvatures)), size, momentum=momentum)
            form = mean_square_threshold.gaussian_inputs(curvatures, batch_size=size, momentum=momentum)
            name = f"d = {len(curvatures)}, S = {size}, μ = {momentum:g}"
            yield gridded(name, form, found.value, found.error, source="last bracket and rounding of the radius")
            if len(curvatures) == 1:
                noise = math.sqrt(2.0 / size)
                ball = mean_square_threshold.heavy_ball(1.0, curvature_noise=noise, momentum=momentum)
                yield gridded(f"{name}, by the curvature noise", ball, found.value, found.error, source="last bracket")
                yield misses(f"2/λ, {name}", 2.0, found.value, found.error, margin=0.05)
    # Inputs ±x of one length have no curvature noise: SGD is the heavy ball of the full batch.
    flat = first_crossing(lambda eta: abs(1.0 - eta), 1e-3)
    same = mean_square_threshold.heavy_ball(1.0, curvature_noise=0.0)
    yield gridded("no curvature noise", same, flat.value, flat.error, source="last bracket")
