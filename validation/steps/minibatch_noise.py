"""D7: the noise scale of minibatches, and what drawing from a finite set without replacement does to it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb

import numpy as np

import fpsolver as fp
from fpsolver.learning.moment_recursion import stationary_moments
from fpsolver.theory import minibatch_sampling
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, claim, misses, rounded, slope, statistical

CLAIM = claim(
    "D7",
    family="steps",
    title="Noise scale of minibatches",
    as_written="q = ηN/B.",
    statement="Batches drawn with replacement have Cov g = Σ₁/B and the noise scale q = ηN/B exactly; drawn without, "
    "Cov g = (Σ₁/B)(N − B)/(N − 1) and q = η(N/B − 1)·N/(N − 1), with Σ₁ normalised by N. The form as written is "
    "asymptotic for B ≪ N: its relative excess is (B − 1)/(N − B), and a full batch, which has no noise, keeps q = η. "
    "Smith and Le's η(N/B − 1) is short by 1/N.",
    verdict="asymptotic",
    sources=(
        "S. L. Smith, Q. V. Le, ICLR 2018 (arXiv 1710.06451)",
        "W. G. Cochran, Sampling Techniques (1977), theorem 2.2",
    ),
    written=minibatch_sampling.noise_scale_as_written,
    corrected=minibatch_sampling.noise_scale,
)


def every_batch(values: np.ndarray, batch_size: int) -> float:
    """Return the variance of the mean of a batch over all batches without replacement."""
    means = [values[list(chosen)].mean() for chosen in combinations(range(len(values)), batch_size)]
    return float(np.var(means))


@CLAIM.check
def all_batches(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ηN Cov(g)/Σ₁ with the variance of the gradient over every batch that can be drawn."""
    rng, eta = np.random.default_rng(trial.seed), 0.1
    n = trial.pick(brief=10, quick=16, full=20)
    gradients = rng.exponential(1.0, n)
    sizes = range(1, n + 1)
    measured = [eta * n * every_batch(gradients, b) / gradients.var() for b in sizes]
    for b, found in zip(sizes, measured, strict=True):
        form = trial.predict(learning_rate=eta, examples=n, batch_size=b)
        # Without noise what is left is the rounding of the means.
        floor = 1e-12 if b < n else 0.0
        yield rounded(f"N = {n}, B = {b}", form, found if b < n else round(found, 12), rounding=floor, source="sums")
    yield Series(
        f"Noise scale of minibatches, N = {n}, η = {eta:g}", "batch size B", "q",
        (
            Curve("η(N/B − 1)N/(N − 1)", sizes, _curve(minibatch_sampling.noise_scale, eta, n)),
            Curve("ηN/B, as written", sizes, _curve(minibatch_sampling.noise_scale_as_written, eta, n)),
            Curve("η(N/B − 1), Smith and Le", sizes, _curve(minibatch_sampling.noise_scale_of_smith_and_le, eta, n)),
        ),
        (Points("all batches", sizes, measured),),
    )  # fmt: skip


@CLAIM.check
def small_batches(trial: Trial) -> Iterator[Comparison | Series]:
    """Let N grow at fixed B: the excess of ηN/B over the noise of all batches falls as (B − 1)/N."""
    rng, eta, b = np.random.default_rng([trial.seed, 5170]), 0.1, 2
    numbers = np.array([5, 8, 13, 21, 34, 55, 89, 144])[: trial.pick(brief=7, quick=8, full=8)]
    excess = []
    for n in map(int, numbers):
        gradients = rng.normal(size=n)
        exact = eta * n * every_batch(gradients, b) / gradients.var()
        form = minibatch_sampling.noise_scale_as_written(learning_rate=eta, examples=n, batch_size=b)
        excess.append(float(form) / exact - 1.0)
        yield rounded(
            f"excess of ηN/B, N = {n}", form.error_scale, excess[-1], rounding=1e-9, source="rounding over the excess"
        )
        yield rounded(
            f"q, N = {n}", trial.predict(learning_rate=eta, examples=n, batch_size=b), exact, rounding=1e-11,
            source=f"sum over {comb(n, b)} batches",
        )  # fmt: skip
    yield Series(
        "How far ηN/B exceeds the noise scale, B = 2", "number of examples N", "relative excess",
        (Curve("(B − 1)/(N − B)", numbers, 1.0 / (numbers - 2.0)),), (Points("all batches", numbers, excess),), "xy",
        slope("excess against N", numbers, excess, -1.0, towards="large"),
    )  # fmt: skip


@CLAIM.check
def stationary_variance(trial: Trial) -> Iterator[Comparison]:
    """Compare with the noise that the stationary variance of SGD on (θ − yᵢ)²/2 shows, with and without replacement."""
    rng, n, eta = np.random.default_rng([trial.seed, 5171]), 12, 0.3
    targets = rng.exponential(1.0, n)
    loss = fp.landscapes.linear_regression(np.ones((n, 1)), targets, intercept=False)
    h = float(loss.hessian([[0.0]])[0, 0, 0])
    for b in (1, 4, 9):
        for replacement in (False, True):
            noise = fp.MinibatchNoise(b, replacement=replacement)
            variance = float(stationary_moments(fp.SGD(loss, learning_rate=eta, noise=noise)).covariance[0, 0])
            # Σ₁ = h² Var y, and the noise is h(2 − ηh)⟨θ²⟩/η.
            scale = n * h * (2.0 - eta * h) * variance / (h**2 * targets.var())
            name = f"recursion of moments, B = {b}, {'with' if replacement else 'without'} replacement"
            if replacement:
                form = minibatch_sampling.noise_scale_as_written(learning_rate=eta, examples=n, batch_size=b)
            else:
                form = trial.predict(learning_rate=eta, examples=n, batch_size=b)
            yield rounded(name, form, scale, rounding=1e-10, source="linear solve")


@CLAIM.check
def runs(trial: Trial) -> Iterator[Comparison]:
    """Compare with runs of SGD that draw their batches without replacement."""
    rng, n, eta = np.random.default_rng([trial.seed, 5172]), 12, 0.5
    number, steps = trial.pick(brief=(3000, 16), quick=(100_000, 24), full=(1_000_000, 24))
    targets = rng.exponential(1.0, n)
    for b in (3, 9):
        theta = np.full(number, targets.mean())
        for _ in range(steps):
            batches = rng.random((number, n)).argpartition(b - 1, axis=1)[:, :b]
            theta += eta * (targets[batches].mean(axis=1) - theta)
        squares = (theta - targets.mean()) ** 2 * n * (2.0 - eta) / targets.var()
        form = trial.predict(learning_rate=eta, examples=n, batch_size=b)
        error = float(squares.std()) / np.sqrt(number)
        left = (1.0 - eta) ** (2 * steps) * float(form)
        yield statistical(
            f"{number:,} runs, B = {b}", form, squares.mean(), error, bias=left, bias_source="memory of the start"
        )
        written = minibatch_sampling.noise_scale_as_written(learning_rate=eta, examples=n, batch_size=b)
        if b == 9:
            yield misses(f"ηN/B, B = {b}", written, squares.mean(), error)


def _curve(form: object, learning_rate: float, examples: int) -> list[float]:
    assert callable(form)
    return [float(form(learning_rate=learning_rate, examples=examples, batch_size=b)) for b in range(1, examples + 1)]
