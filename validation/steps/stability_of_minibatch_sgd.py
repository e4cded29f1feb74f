"""E7: where minibatch SGD on linear regression loses its mean square, its convergence, and its light tails."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.learning import (
    GaussianInputs,
    almost_sure_learning_rate,
    hill_tail_index,
    lyapunov_exponent,
    mean_square_learning_rate,
    moment_growth,
    stationary_weights,
    tail_index,
)
from fpsolver.learning.thresholds import Threshold, first_crossing
from fpsolver.theory import almost_sure_threshold, kesten, mean_square_threshold
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
    statistical,
)

E7 = claim(
    "E7",
    family="steps",
    title="Stability of minibatch SGD",
    as_written="SGD on linear regression is stable up to 2/λ_max.",
    statement="Three thresholds take its place. The mean square of the weights is bounded up to the smallest root of "
    "(η/S)Σa/[2 − ηa(1 + 1/S)] = 1 (Gaussian inputs, batches of S), always below 2/λ_max; for a data set 1/η is the "
    "largest eigenvalue of P⁻¹Q, with replacement or without. Almost all runs converge while E ln R < 0: in one "
    "dimension to above 2/λ (2.4212 for S = 1), for isotropic inputs of d ≥ 2 and S = 1 to less (0.9371 for d = 2, "
    "0.3512 for d = 5). Below that, label noise leaves weights with a tail t^−κ, E R^κ = 1 with "
    "R² = 1 − 2ηz² + η²z²|x|² for S = 1; κ = 2 at η = 2/(d + 2).",
    verdict="exact",
    sources=(
        "L. Ziyin, K. Liu, T. Mori, M. Ueda, ICLR 2022",
        "L. Wu, C. Ma, W. E, NeurIPS 2018",
        "H. Furstenberg, H. Kesten, Ann. Math. Stat. 31, 457 (1960)",
        "H. Kesten, Acta Math. 131, 207 (1973)",
        "M. Gürbüzbalaban, U. Şimşekli, L. Zhu, ICML 2021",
    ),
    written=mean_square_threshold.gaussian_inputs_as_written,
    corrected=mean_square_threshold.gaussian_inputs,
)

SPECTRUM = (1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0)
RATES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0, 2.4, 2.8, 3.3, 4.0)
POINTS = 3
"""Of the Gauss–Hermite rule in each component of the inputs: exact for the fourth moments that a step needs."""


def threshold_by_quadrature(curvatures: tuple[float, ...], batch_size: int, momentum: float) -> Threshold:
    """Return where the spectral radius of ⟨T ⊗ T⟩ passes one, T the step of (θ, θ_), over inputs of a quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(POINTS)
    scales = np.tile(np.sqrt(curvatures), batch_size)
    batches = [
        (
            scales * [nodes[i] for i in chosen],
            np.prod([weights[i] for i in chosen]) / np.sqrt(2.0 * np.pi) ** len(chosen),
        )
        for chosen in itertools.product(range(POINTS), repeat=len(scales))
    ]
    d = len(curvatures)
    one = np.eye(d)

    def radius(eta: float) -> float:
        total = np.zeros((4 * d * d, 4 * d * d))
        for batch, weight in batches:
            x = batch.reshape(batch_size, d)
            step = np.block([
                [(1.0 + momentum) * one - eta * x.T @ x / batch_size, -momentum * one],
                [one, np.zeros((d, d))],
            ])  # fmt: skip
            total += weight * np.kron(step, step)
        return float(np.abs(np.linalg.eigvals(total)).max())

    return first_crossing(radius, 1e-3, 1e-9)


@E7.check
def mean_square_for_gaussian_inputs(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare thresholds from the recursion of second moments, and from steps averaged by quadrature, with the form."""
    spectra: list[tuple[float, ...]] = [(1.0,), SPECTRUM, (1.0,) * 10]
    for curvatures in spectra[: trial.pick(brief=2, quick=3, full=3)]:
        for size in trial.pick(brief=(1,), quick=(1, 4, 32), full=(1, 2, 4, 8, 16, 32)):
            found = mean_square_learning_rate(GaussianInputs(list(curvatures)), size)
            name = f"d = {len(curvatures)}, S = {size}"
            form = trial.predict(curvatures, batch_size=size)
            yield gridded(f"recursion, {name}", form, found.value, found.error, source="last bracket and rounding")
    cases: list[tuple[tuple[float, ...], int, float]]
    cases = [((1.0,), 1, 0.0), ((1.0,), 2, 0.6), ((1.0, 0.3), 1, 0.3), ((1.0, 0.3), 2, 0.0), ((1.0, 0.5, 0.2), 1, 0.5)]
    for curvatures, size, momentum in cases[: trial.pick(brief=2, quick=5, full=5)]:
        found = threshold_by_quadrature(curvatures, size, momentum)
        name = f"d = {len(curvatures)}, S = {size}, μ = {momentum:g}"
        form = trial.predict(curvatures, batch_size=size, momentum=momentum)
        yield gridded(f"quadrature, {name}", form, found.value, found.error, source="last bracket and rounding")


@E7.check
def mean_square_of_runs(trial: Trial) -> Iterator[Comparison]:
    """Compare the growth of ⟨|w|²⟩ of runs at the threshold, by cloning, with none at all."""
    clones, steps = trial.pick(brief=(1600, 30), quick=(16_000, 100), full=(160_000, 200))
    for curvatures in ((1.0, 1.0), SPECTRUM)[: trial.pick(brief=1, quick=2, full=2)]:
        eta = float(mean_square_threshold.gaussian_inputs(curvatures))
        inputs = GaussianInputs(list(curvatures))
        growth = moment_growth(inputs, eta, 1, 2.0, clones=clones, steps=steps, seed=trial.seed)
        # Sixteen populations: the logarithm of a mean of n weights is low by half their relative variance over n.
        bias = 8.0 * relative_variance(curvatures, eta, trial.seed) / clones
        name = f"growth at the threshold, d = {len(curvatures)}"
        yield statistical(name, 0.0, growth.value, growth.error, bias=bias, bias_source="finite populations")
        beyond = moment_growth(
            inputs, 2.0 / max(curvatures), 1, 2.0, clones=clones, steps=steps, seed=trial.seed + 1
        )  # fmt: skip
        yield bounded(f"{name}: growth at 2/λ", 0.0, beyond.value, beyond.error, side="≥")
        yield misses(f"{name}: none at 2/λ", 0.0, beyond.value, beyond.error)


def relative_variance(curvatures: tuple[float, ...], eta: float, seed: int) -> float:
    """Return the largest variance over directions of (|w′|/|w|)² in units of its mean squared, by sampling."""
    x = np.sqrt(curvatures) * np.random.default_rng(seed).standard_normal((20_000, len(curvatures)))
    squares = 1.0 + (eta**2 * (x**2).sum(axis=1) - 2.0 * eta)[:, None] * x**2
    return float((squares.var(axis=0) / squares.mean(axis=0) ** 2).max())


@E7.check
def data_sets(trial: Trial) -> Iterator[Comparison]:
    """Compare thresholds of data sets, by the recursion over all batches, with the eigenvalue and with 2S/(Nλ)."""
    generator = np.random.default_rng(trial.seed)
    sizes, momenta = trial.pick(brief=((5,), (0.7,)), quick=((1, 5), (0.0, 0.7)), full=((1, 5), (0.0, 0.7)))
    for number in range(trial.pick(brief=1, quick=2, full=10)):
        inputs = generator.normal(size=(12, 3)) * generator.uniform(0.3, 2.0, 3)
        whole = 2.0 / np.linalg.eigvalsh(inputs.T @ inputs / 12)[-1]
        for size, replacement, momentum in itertools.product(sizes, (True, False), momenta):
            found = mean_square_learning_rate(inputs, size, replacement=replacement, momentum=momentum)
            form = mean_square_threshold.data_set(inputs, batch_size=size, replacement=replacement, momentum=momentum)
            name = f"data {number}, S = {size}, {'with' if replacement else 'without'} replacement, μ = {momentum:g}"
            yield gridded(name, form, found.value, found.error, source="last bracket and rounding")
            if momentum == 0.0:
                yield bounded(f"{name}: below 2/λ", whole, found.value, found.error, side="≤")
    cases = ((2, 1, True), (3, 2, False), (10, 1, True), (10, 4, True), (10, 4, False))
    for count, size, replacement in cases[: trial.pick(brief=2, quick=5, full=5)]:
        turned = np.linalg.qr(generator.normal(size=(count, count)))[0] * np.sqrt(count)
        found = mean_square_learning_rate(turned, size, replacement=replacement)
        form = mean_square_threshold.orthogonal_data(count, curvature=1.0, batch_size=size, replacement=replacement)
        name = f"{count} orthogonal examples, S = {size}, {'with' if replacement else 'without'} replacement"
        yield gridded(name, form, found.value, found.error, source="last bracket and rounding")


@E7.check
def almost_sure_convergence(trial: Trial) -> Iterator[Comparison]:
    """Compare where Lyapunov exponents of simulated products change sign with E ln R = 0, on either side of 2/λ."""
    cases = trial.pick(
        brief=((1, 1), (5, 1)), quick=((1, 1), (2, 1), (5, 1), (1, 8)),
        full=((1, 1), (2, 1), (5, 1), (10, 1), (1, 2), (1, 8), (5, 3)),
    )  # fmt: skip
    chains, steps = trial.pick(brief=(400, 50), quick=(400, 200), full=(1000, 600))
    for d, size in cases:
        inputs = GaussianInputs([1.0] * d)
        found = almost_sure_learning_rate(inputs, size, chains=chains, steps=steps, seed=trial.seed)
        form, name = almost_sure_threshold.learning_rate(dimension=d, batch_size=size), f"d = {d}, S = {size}"
        yield statistical(f"almost-sure threshold, {name}", form, found.value, found.error)
        literal = almost_sure_threshold.learning_rate_as_written(dimension=d, batch_size=size)
        yield misses(f"2/λ, {name}", literal, found.value, found.error)


@E7.check
def lyapunov_exponents(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare Lyapunov exponents of simulated products with E ln R, below the thresholds and above."""
    chains, steps = trial.pick(brief=(200, 50), quick=(400, 200), full=(1000, 1000))
    rates = np.array(trial.pick(brief=(0.1, 1.0, 2.4), quick=(0.1, 0.3, 0.6, 1.0, 1.5, 2.4, 4.0), full=RATES))
    line = np.geomspace(0.05, 4.0, trial.pick(brief=12, quick=60, full=60))
    curves, points = [], []
    for d in (1, 2, 5):
        inputs = GaussianInputs([1.0] * d)
        measured = []
        for number, eta in enumerate(map(float, rates)):
            one = lyapunov_exponent(inputs, eta, 1, chains=chains, steps=steps, seed=trial.seed + number)
            form = almost_sure_threshold.lyapunov_exponent(eta, dimension=d)
            yield statistical(f"E ln R, d = {d}, η = {eta:g}", form, one.value, one.error)
            measured.append((one.value, one.error))
        exact = [float(almost_sure_threshold.lyapunov_exponent(float(eta), dimension=d)) for eta in line]
        curves.append(Curve(f"E ln R, d = {d}", line, exact))
        points.append(Points(f"runs, d = {d}", rates, *np.transpose(measured)))
    yield Series(
        "Lyapunov exponent of SGD on isotropic inputs, S = 1", "learning rate η", "exponent per step",
        tuple(curves), tuple(points), "x",
    )  # fmt: skip


@E7.check
def thresholds_against_batch_size(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare both thresholds in one dimension, by batch size, with forms: they close in on 2/λ from both sides."""
    sizes = 2 ** np.arange(0, 11)
    curves = (
        Curve(
            "mean square", sizes, [float(mean_square_threshold.gaussian_inputs(1.0, batch_size=int(s))) for s in sizes]
        ),
        Curve(
            "almost sure", sizes, [float(almost_sure_threshold.learning_rate(1.0, batch_size=int(s))) for s in sizes]
        ),
        Curve("gradient descent", [1, 1024], [2.0, 2.0]),
    )
    few = sizes[: trial.pick(brief=2, quick=5, full=7)]
    recursion = [mean_square_learning_rate(GaussianInputs(1.0), int(s)) for s in few]
    runs = [almost_sure_learning_rate(GaussianInputs(1.0), int(s), chains=400, steps=50, seed=trial.seed) for s in few]
    for place, size in enumerate(few):
        one, other = recursion[place], runs[place]
        yield gridded(
            f"mean square, S = {size}", trial.predict(1.0, batch_size=int(size)), one.value, one.error,
            source="last bracket and rounding",
        )  # fmt: skip
        yield statistical(f"almost sure, S = {size}", float(np.asarray(curves[1].y)[place]), other.value, other.error)
    yield Series(
        "Thresholds of SGD on linear regression, one Gaussian input", "batch size S", "η_c λ",
        curves,
        (
            Points("moment recursion", few, [one.value for one in recursion]),
            Points("runs", few, [r.value for r in runs], [r.error for r in runs]),
        ),
        "x",
    )  # fmt: skip


@E7.check
def index_of_the_tail(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare Kesten's κ with the order at which moments of sampled factors, and of runs, neither grow nor shrink."""
    samples = trial.pick(brief=20_000, quick=500_000, full=5_000_000)
    cases = [(1, 1, 0.5), (5, 1, 2.0 / 7.0), (1, 1, 1.0), (1, 1, 0.3), (2, 1, 0.7), (1, 4, 1.8), (3, 2, 0.5)]
    found = {}
    for d, size, eta in cases[: trial.pick(brief=3, quick=7, full=7)]:
        value, error = sampled_index(d, size, eta, samples, trial.seed)
        form = kesten.tail_index(eta, dimension=d, batch_size=size)
        yield statistical(f"κ of factors, d = {d}, S = {size}, η = {eta:.3g}", form, value, error)
        if (d, size) == (1, 1):
            found[eta] = value, error
    if trial.effort != "brief":
        clones, steps = trial.pick(brief=(0, 0), quick=(4000, 50), full=(32_000, 200))
        for d, size, eta in ((1, 1, 0.5), (2, 1, 0.7)):
            measured = tail_index(GaussianInputs([1.0] * d), eta, size, clones=clones, steps=steps, seed=trial.seed)
            form = kesten.tail_index(eta, dimension=d, batch_size=size)
            yield statistical(f"κ of runs, d = {d}, S = {size}, η = {eta:.3g}", form, measured.value, measured.error)
    curves = []
    for d, highest in ((1, 2.4), (2, 0.93), (5, 0.35))[: trial.pick(brief=1, quick=3, full=3)]:
        line = np.geomspace(highest / 5.0, highest, trial.pick(brief=8, quick=8, full=40))
        curves.append(Curve(f"d = {d}", line, [float(kesten.tail_index(float(eta), dimension=d)) for eta in line]))
    values, errors = np.transpose(list(found.values()))
    yield Series(
        "Tail index of SGD with label noise, S = 1", "learning rate η", "κ", tuple(curves),
        (Points("moments of factors, d = 1", list(found), values, errors),), "xy",
    )  # fmt: skip


def sampled_index(dimension: int, batch_size: int, eta: float, samples: int, seed: int) -> tuple[float, float]:
    """Return the root κ > 0 of ⟨R^κ⟩ = 1 over steps with sampled inputs, from a unit vector, and its standard error."""
    generator, logarithms = np.random.default_rng(seed), np.empty(samples)
    for begin in range(0, samples, 100_000):
        part = logarithms[begin : begin + 100_000]
        x = generator.standard_normal((len(part), batch_size, dimension))
        w = -eta / batch_size * np.einsum("ns,nsd->nd", x[..., 0], x)
        w[:, 0] += 1.0
        part[:] = 0.5 * np.log((w**2).sum(axis=1))
    low, high = 0.05, 10.0
    while high - low > 1e-6:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.exp(middle * logarithms).mean() < 1.0 else (low, middle)
    factors = np.exp(low * logarithms)
    return low, float(factors.std() / np.sqrt(samples) / (factors * logarithms).mean())


@E7.check
def tail_of_stationary_weights(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare κ with Hill's estimate from stationary weights under label noise; the tail is not that of a Gaussian."""
    chains, steps = trial.pick(brief=(20_000, 60), quick=(200_000, 100), full=(2_000_000, 150))
    weights = {}
    for eta in trial.pick(brief=(1.0,), quick=(0.5, 1.0), full=(0.5, 0.7, 1.0)):
        sample = stationary_weights(
            GaussianInputs(1.0, label_variance=1.0), eta, 1, chains=chains, steps=steps, seed=trial.seed
        )[:, 0]
        weights[eta] = np.sort(np.abs(sample))[::-1]
        few = max(chains // 1000, 60)
        near, wide = (hill_tail_index(sample, count) for count in (few, 8 * few))
        # Hill's bias falls with the share of samples; eight times as many show more of it than there is.
        bias = abs(wide.value - near.value)
        form = kesten.tail_index(eta)
        yield statistical(
            f"Hill's estimate, η = {eta:g}", form, near.value, near.error, bias=bias, bias_source="tail not yet a power"
        )
        ratio = weights[eta][chains // 10_000 + 1] / weights[eta][chains // 10]
        yield bounded(f"far quantile over that of a tenth, η = {eta:g}: above a Gaussian's", 2.4, ratio, side="≥")
    eta, largest = next(reversed(weights.items()))
    shown = np.unique(np.geomspace(5, chains // 3, 40).astype(int))
    share, at = (shown + 1) / chains, largest[shown]
    anchor = len(shown) // 3
    tail = share[anchor] * (at / at[anchor]) ** -float(kesten.tail_index(eta))
    yield Series(
        f"Stationary weights at η = {eta:g}", "t", "P(|w| > t)", (Curve("t^{−κ}", at, tail),),
        (Points("runs", at, share, np.sqrt(share / chains)),), "xy",
    )  # fmt: skip


@E7.check
def simulated_training(trial: Trial) -> Iterator[Comparison]:
    """Compare runs of `fp.simulate` on orthogonal data with (S/N) ln|1 − ηNλ/S| a step, which is zero at 2S/(Nλ)."""
    if trial.effort == "brief":
        return
    count, size, n, steps = 6, 2, trial.pick(brief=0, quick=2000, full=20_000), 60
    generator = np.random.default_rng(trial.seed)
    inputs = np.linalg.qr(generator.normal(size=(count, count)))[0] * np.sqrt(count)
    goal = generator.normal(size=count)
    landscape = fp.landscapes.linear_regression(inputs, inputs @ goal, intercept=False)
    edge = float(mean_square_threshold.orthogonal_data(count, curvature=1.0, batch_size=size, replacement=False))
    for share in (0.9, 1.0, 1.1):
        eta = share * edge * (1.0 + 1e-9)
        sgd = fp.SGD(landscape, learning_rate=eta, noise=fp.MinibatchNoise(size, replacement=False))
        start = goal + inputs.T @ np.ones(count) / count  # every example's residual is one
        ensemble = fp.simulate(sgd, n=n, initial=start, t_final=steps, seed=trial.seed)
        logarithms = np.log(np.abs((ensemble.final - goal) @ inputs.T)).mean(axis=1) / steps
        form = size / count * np.log(abs(1.0 - eta * count / size))
        # Each step takes S of the N weights, so that the mean over weights is the same for every run.
        name = f"exponent of runs, η = {share:g}·2S/(Nλ)"
        yield gridded(name, form, logarithms.mean(), 1e-10, source="rounding of residuals, over the steps")
