"""E20: the Ornstein–Uhlenbeck process that passes through the points of SGD on a quadratic loss, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.errors import TheoryError
from fpsolver.learning.moment_recursion import moments
from fpsolver.theory import exact_interpolation
from fpsolver.theory.stationary_sgd import chain_covariance
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

CLAIM = claim(
    "E20",
    family="steps",
    title="Continuous process through the points of SGD",
    as_written="SGD on a quadratic loss is exactly interpolated by an Ornstein–Uhlenbeck process with "
    "κ = −ln(1 − ηh)/η and D = κηC/[h(2 − ηh)]; none exists for ηh > 1.",
    statement="True in one dimension, for Gaussian noise that does not depend on θ: means, variances and correlations "
    "agree at every step for ηh < 1, and for ηh ≥ 1 the correlation of successive steps is not positive, which no "
    "reversible process has. In more dimensions K = −ln(1 − ηH)/η and D = (KS + SK)/2 wherever D is positive: always "
    "if C commutes with H; otherwise correlated noise along directions of different curvature excludes it at any η "
    "(noise of rank one does, unless it lies along an eigenvector). Beyond ηh = 1 an eigenvalue of odd multiplicity "
    "excludes it; of even multiplicity a process that turns by π in each step interpolates.",
    verdict="exact",
    sources=(
        "own derivation from the propagator of the process",
        "W. J. Culver, Proc. Amer. Math. Soc. 17, 1146 (1966), for real logarithms",
    ),
)


@CLAIM.check
def process_on_a_grid(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare mean and variance of the process, evolved on a grid, with the recursion of moments at each step."""
    h, noise, eta, steps = 1.0, 1.0, 0.5, np.arange(1, 7)
    rate = float(exact_interpolation.relaxation_rate(curvature=h, learning_rate=eta))
    diffusion = float(exact_interpolation.diffusion(noise, curvature=h, learning_rate=eta))
    sgd = fp.SGD(fp.Landscape("x**2/2"), learning_rate=eta, noise=fp.GaussianNoise(noise))
    chain = moments(sgd, steps.tolist(), mean=[1.5], covariance=[[0.04]])
    cells = trial.pick(brief=200, quick=400, full=800)
    found = [_moments_on_grid(rate, diffusion, eta * steps, number) for number in (cells, cells // 2)]
    for name, exact, fine, coarse in (
        ("mean", chain.mean[:, 0], found[0][0], found[1][0]),
        ("variance", chain.covariance[:, 0, 0], found[0][1], found[1][1]),
    ):
        for n, value, near, far in zip(steps, exact, fine, coarse, strict=True):
            yield gridded(f"{name} after {n} steps", value, *richardson(float(near), float(far)), rounding=1e-6)
    literal = _moments_on_grid(h, eta * noise / 2.0, eta * steps, cells)
    yield misses(
        "variance of the continuous limit after 6 steps", literal[1][-1], chain.covariance[-1, 0, 0], 0.0, margin=0.05
    )
    line = np.linspace(0.0, steps[-1] * eta, 120)
    decay = np.exp(-2.0 * rate * line)
    yield Series(
        "Variance of SGD and of the process through it, ηh = 1/2", "learning time ηn", "variance",
        (
            Curve("Ornstein–Uhlenbeck with κ, D", line, 0.04 * decay + diffusion / rate * (1.0 - decay)),
            Curve("limit η → 0", line, 0.04 * np.exp(-2.0 * line) + eta / 2.0 * (1.0 - np.exp(-2.0 * line))),
        ),
        (
            Points("chain", eta * steps, chain.covariance[:, 0, 0]),
            Points("process on a grid", eta * steps, found[0][1]),
        ),
    )  # fmt: skip


def _moments_on_grid(rate: float, diffusion: float, times: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    dynamics = fp.Langevin(fp.Landscape(f"{rate!r}*x**2/2"), temperature=diffusion)
    W = fp.generator(dynamics, fp.Grid(x=(-5.0, 5.0, cells)))
    solution = fp.evolve(W, fp.gaussian(W.grid, [1.5], [[0.04]]), times=[0.0, *times])
    x, p = W.grid.axes[0].centres, solution.densities[1:] * W.grid.volumes
    mean = p @ x
    return mean, p @ x**2 - mean**2


@CLAIM.check
def spectrum_of_the_chain(trial: Trial) -> Iterator[Comparison]:
    """Compare κ with the decay of the slowest mode of the chain's Markov operator, and D with κ times its variance."""
    h, noise = 2.0, 0.5
    for eta in trial.pick(brief=(0.2,), quick=(0.05, 0.2, 0.4), full=(0.05, 0.2, 0.4, 0.49)):
        variance = eta * noise / (h * (2.0 - eta * h))
        reach = 9.0 * np.sqrt(variance)
        dynamics = fp.SGD(fp.Landscape("x**2"), learning_rate=eta, noise=fp.GaussianNoise(noise))
        W: Any = fp.generator(dynamics, fp.Grid(x=(-reach, reach, 160)))
        kernel = W.matrix.toarray() + np.eye(W.n_state)
        values = np.sort(np.abs(np.linalg.eigvals(kernel)))[::-1]
        p = np.asarray(fp.stationary(W)) * W.grid.volumes
        rate = exact_interpolation.relaxation_rate(curvature=h, learning_rate=eta)
        diffusion = exact_interpolation.diffusion(noise, curvature=h, learning_rate=eta)
        measured = -np.log(values[1]) / eta
        source = "density cut at 9 standard deviations, eigenvalue solver"
        yield rounded(f"κ, η = {eta:g}", rate, measured, rounding=1e-7, source=source)
        spread = measured * float(p @ W.grid.axes[0].centres ** 2)
        yield rounded(f"D, η = {eta:g}", diffusion, spread, rounding=1e-7, source=source)


@CLAIM.check
def none_beyond_one(trial: Trial) -> Iterator[Comparison]:
    """Show that successive steps of the chain correlate as no reversible process does, on runs with ηh ≥ 1."""
    rng = np.random.default_rng([trial.seed, 5200])
    runs = trial.pick(brief=20_000, quick=400_000, full=4_000_000)
    for eta in (1.3, 1.8):
        theta = rng.normal(size=runs) * np.sqrt(eta / (2.0 - eta))
        after = (1.0 - eta) * theta + eta * rng.normal(size=runs)
        products = theta * after
        yield bounded(f"⟨θθ′⟩ < 0, η = {eta:g}", 0.0, products.mean(), products.std() / np.sqrt(runs), side="≤")
        yield misses(f"⟨θθ′⟩ ≠ 0, η = {eta:g}", 0.0, products.mean(), products.std() / np.sqrt(runs))
        yield rounded("refused", 1.0, float(_refused([[1.0]], [[1.0]], eta)), rounding=0.0)
    W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5), fp.Grid(x=(-4.0, 4.0, 60)))
    x, p = W.grid.axes[0].centres, fp.boltzmann(fp.Landscape("x**2/2"), W.grid, 0.5)
    for time in (0.1, 1.0, 5.0):
        # From p(1 + x/10) the mean of x becomes ⟨θθ′⟩/10.
        moved = fp.evolve(W, p * (1.0 + x / 10.0), times=[0.0, time]).final
        yield bounded(
            f"⟨θθ′⟩ > 0 of a reversible process, t = {time:g}",
            0.0,
            10.0 * float((moved * W.grid.volumes) @ x),
            side="≥",
        )


@CLAIM.check
def correlated_noise(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the largest correlation of noise that a process can gather with the sign of D, found by bisection."""
    rng = np.random.default_rng([trial.seed, 5201])
    for _ in range(trial.pick(brief=3, quick=20, full=200)):
        curvatures = rng.uniform(0.1, 3.0, 2)
        eta = float(rng.uniform(0.1, 0.95) / curvatures.max())
        pair = (float(curvatures[0]), float(curvatures[1]))
        limit = exact_interpolation.largest_correlation(pair, learning_rate=eta)
        yield gridded(
            f"h = ({pair[0]:.3g}, {pair[1]:.3g}), η = {eta:.3g}", limit, _bisected(pair, eta), 1e-9,
            source="last bracket, and rounding of an eigenvalue",
        )  # fmt: skip
        vector = np.array([[1.0], [float(rng.uniform(0.3, 3.0))]])
        yield rounded("rank one is refused", 1.0, float(_refused(np.diag(pair), vector @ vector.T, eta)), rounding=0.0)
        along = np.diag([1.0, 0.0])
        yield rounded(
            "rank one along an eigenvector is not", 0.0, float(_refused(np.diag(pair), along, eta)), rounding=0.0
        )
    rates = np.linspace(0.02, 0.32, 31)
    measured = [_bisected((1.0, 3.0), eta) for eta in rates[::5]]
    forms = [float(exact_interpolation.largest_correlation((1.0, 3.0), learning_rate=eta)) for eta in rates]
    yield Series(
        "Noise that a continuous process can gather, h = 1 and 3", "learning rate η", "largest correlation",
        (Curve("√[f(2κ₁)f(2κ₂)]/f(κ₁ + κ₂)", rates, forms),), (Points("sign of D", rates[::5], measured),),
    )  # fmt: skip


def _bisected(curvatures: tuple[float, float], eta: float) -> float:
    """Return the correlation at which 2D of the process, the solution of a Lyapunov equation, loses its sign."""
    from scipy.linalg import logm

    step = np.eye(2) - eta * np.diag(curvatures)
    drift = -logm(step) / eta
    low, high = 0.0, 1.0
    for _ in range(34):
        c = 0.5 * (low + high)
        covariance = chain_covariance(np.diag(curvatures), [[1.0, c], [c, 1.0]], learning_rate=eta)
        positive = np.linalg.eigvalsh(drift @ covariance + covariance @ drift.T)[0] > 0.0
        low, high = (c, high) if positive else (low, c)
    return 0.5 * (low + high)


@CLAIM.check
def turning_process(trial: Trial) -> Iterator[Comparison]:
    """Compare the propagator of a process that turns by π in each step with the chain at ηh > 1 in two dimensions."""
    from scipy.linalg import expm

    for h, eta in ((1.4, 1.0), (2.0, 0.8))[: trial.pick(brief=1, quick=2, full=2)]:
        left = 1.0 - eta * h
        drift = -np.log(-left) / eta * np.eye(2) + np.pi / eta * np.array([[0.0, 1.0], [-1.0, 0.0]])
        covariance = chain_covariance(h * np.eye(2), np.eye(2), learning_rate=eta)
        diffusion = 0.5 * (drift @ covariance + covariance @ drift.T)
        # Van Loan: noise gathered over η from one exponential.
        block = expm(eta * np.block([[drift, 2.0 * diffusion], [np.zeros((2, 2)), -drift.T]]))
        propagator = expm(-eta * drift)
        gathered = propagator @ block[:2, 2:]
        yield rounded(f"step, ηh = {eta * h:g}", left, propagator[0, 0], rounding=1e-12)
        yield rounded(f"noise, ηh = {eta * h:g}", eta**2, gathered[0, 0], rounding=1e-11)
        yield bounded(f"smallest eigenvalue of D, ηh = {eta * h:g}", 0.0, np.linalg.eigvalsh(diffusion)[0], side="≥")


def _refused(hessian: object, noise: object, learning_rate: float) -> bool:
    try:
        exact_interpolation.interpolation(np.asarray(hessian), np.asarray(noise), learning_rate=learning_rate)
    except TheoryError:
        return True
    return False
