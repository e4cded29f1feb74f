"""E21: exit from a quadratic well under noise that does not commute with the Hessian."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import noncommuting_exit
from fpsolver.theory.stationary_sgd import chain_covariance
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
    "E21",
    family="steps",
    title="Exit under noise that does not commute",
    as_written="ln τ → ΔL/T with T = (η/2) tr C/d.",
    statement="As C → 0 at any fixed η < 2/h, ln τ tends to min ½θᵀS⁻¹θ over the boundary, with HS + SH − ηHSH = ηC: "
    "a²/(2nᵀSn) for the plane n·θ = a, left around θ = Sn·a/(nᵀSn), and ΔL/λ_max(H^{1/2}SH^{1/2}) for the level "
    "L = ΔL. ΔL/T is right for isotropic noise as η → 0 only. As η → 0 as well the time through a plane is "
    "√(2πs) s/(a·nᵀDn)·e^{a²/2s}(1 + O(s/a²)), s = nᵀSn, D = ηC/2.",
    verdict="asymptotic",
    sources=(
        "M. I. Freidlin, A. D. Wentzell, Random Perturbations of Dynamical Systems, chapter 4",
        "T. Naeh, M. M. Klosek, B. J. Matkowsky, Z. Schuss, SIAM J. Appl. Math. 50, 595 (1990)",
    ),
    written=noncommuting_exit.exponent_as_written,
    corrected=noncommuting_exit.exponent,
)

HESSIAN = np.diag([1.0, 3.0])
NOISE = np.array([[1.0, 0.8], [0.8, 1.0]])
NORMAL = np.array([1.0, 1.0])
LIMIT = 1e-6
"""A learning rate at which the chain is its continuous limit."""


def plane(distance: float) -> np.ndarray:
    """Return points of the plane x + y = a, two times as wide as it is far."""
    along = np.linspace(-2.0, 2.0, 4001)[:, None] * distance
    return distance * NORMAL / 2.0 + along * np.array([1.0, -1.0])


def level(height: float) -> np.ndarray:
    """Return points of the ellipse L = ΔL."""
    turn = np.linspace(0.0, 2.0 * np.pi, 4001)
    return np.sqrt(2.0 * height) * np.stack([np.cos(turn), np.sin(turn)], axis=1) / np.sqrt(np.diag(HESSIAN))


def turned(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix in the coordinates u = (x + y)/√2 across the plane and w = (y − x)/√2 along it."""
    turn = np.array([[1.0, 1.0], [-1.0, 1.0]]) / math.sqrt(2.0)
    return turn @ matrix @ turn.T


def turned_loss() -> fp.Landscape:
    """Return the loss in u and w."""
    h = turned(HESSIAN)
    return fp.Landscape(f"{h[0, 0]:.17g}*u**2/2 + {h[0, 1]:.17g}*u*w + {h[1, 1]:.17g}*w**2/2")


def around(covariance: np.ndarray, distance: float, cells: int, *, wall: str) -> fp.Grid:
    """Return a grid in u and w that ends at the plane, or for the chain as far behind it, and holds the way there."""
    widths = np.sqrt(np.diag(covariance))
    shift = covariance[0, 1] / covariance[0, 0] * distance
    ends = (min(0.0, shift) - 6.0 * widths[1], max(0.0, shift) + 6.0 * widths[1])
    u = fp.Axis(-5.0 * widths[0], distance, cells, boundary=("reflecting", wall))
    return fp.Grid(u=u, w=fp.Axis(*ends, cells, boundary="reflecting"))


def passage(dynamics: object, grid: fp.Grid) -> float:
    """Return the mean time from the minimum to the absorbing wall of a grid."""
    return float(fp.mean_first_passage_time(fp.generator(dynamics, grid)).at([[0.0, 0.0]])[0])


def fitted(strengths: np.ndarray, times: np.ndarray, power: float) -> tuple[float, float]:
    """Return V of ln τ = V/ε + power·ln ε + a + bε + cε², and by how much a cubic term changes it."""
    values = []
    for order in (2, 3):
        columns = np.stack([1.0 / strengths, *(strengths**n for n in range(order + 1))], axis=1)
        fit = np.linalg.lstsq(columns, np.log(times) - power * np.log(strengths), rcond=None)
        values.append(float(fit[0][0]))
    return values[0], abs(values[1] - values[0])


@CLAIM.check
def plane_in_the_limit(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare with mean first-passage times of the continuous motion through a plane, on grids that end there."""
    keywords: dict[str, Any] = {"learning_rate": LIMIT, "normal": NORMAL, "distance": 1.0}
    noise = NOISE * 2.0 / LIMIT
    exact = float(noncommuting_exit.plane_exponent(HESSIAN, noise, **keywords))
    ratios = np.geomspace(*trial.pick(brief=(5.0, 20.0, 6), quick=(4.0, 40.0, 8), full=(5.0, 60.0, 10)))
    strengths, cells = exact / ratios, trial.pick(brief=40, quick=128, full=256)
    loss, covariance = turned_loss(), turned(chain_covariance(HESSIAN, noise, learning_rate=LIMIT))
    logarithms: list[list[float]] = []
    for number in (cells, cells // 2):
        logarithms.append([])
        for epsilon in map(float, strengths):
            grid = around(epsilon * covariance, math.sqrt(0.5), number, wall="absorbing")
            dynamics = fp.Langevin(loss, diffusion=(epsilon * turned(NOISE)).tolist())
            logarithms[-1].append(math.log(passage(dynamics, grid)))
    pairs = [richardson(fine, coarse) for fine, coarse in zip(*logarithms, strict=True)]
    times, errors = np.exp([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    found, left = fitted(strengths, times, 0.5)
    rough, _ = fitted(strengths, np.exp(logarithms[0]), 0.5)
    form = trial.predict(HESSIAN, noise, learning_rate=LIMIT, boundary=plane(1.0))
    yield gridded(
        "exponent of the time through a plane", form, found, left + abs(found - rough),
        source="one more term of the fit, and two grids",
    )  # fmt: skip
    forms = [noncommuting_exit.plane_exit_time(HESSIAN, epsilon * noise, **keywords) for epsilon in strengths]
    excess = 1.0 - np.array([float(form) for form in forms]) / times
    yield Series(
        "Mean time through the plane x + y = 1, noise of correlation 0.8", "exponent ½θᵀS⁻¹θ at the exit", "mean time",
        (
            Curve("with its prefactor", ratios, [float(form) for form in forms]),
            Curve("e^{ΔL/T}, as written", ratios, np.exp(0.375 * ratios / exact)),
        ),
        (Points("grid", ratios, times, errors * times),), "y",
    )  # fmt: skip
    yield Series(
        "How far the asymptotic time is off", "s/a²", "1 − form/τ",
        (Curve("1.6 s/a²", 0.5 / ratios, 0.8 / ratios),), (Points("grid", 0.5 / ratios, excess, errors),), "xy",
        None if trial.effort == "brief" else slope("error against s/a²", 0.5 / ratios, excess, 1.0, errors=errors),
    )  # fmt: skip


def exits(
    learning_rate: float, strength: float, outside: object, size: tuple[int, int], rng: np.random.Generator
) -> int:
    """Return how often runs of the chain leave a region; each begins again in the minimum when it has left."""
    assert callable(outside)
    runs, steps = size
    theta, left = np.zeros((runs, 2)), 0
    step, root = np.eye(2) - learning_rate * HESSIAN, learning_rate * math.sqrt(strength) * np.linalg.cholesky(NOISE)
    for _ in range(steps):
        theta = theta @ step + rng.standard_normal((runs, 2)) @ root.T
        gone = outside(theta)
        left += int(gone.sum())
        theta[gone] = 0.0
    return left


def tail_of_plane(covariance: np.ndarray, distance: float) -> float:
    """Return the stationary probability of n·θ > a."""
    return 0.5 * math.erfc(distance / math.sqrt(2.0 * float(NORMAL @ covariance @ NORMAL)))


def tail_of_level(covariance: np.ndarray, height: float) -> float:
    """Return the stationary probability of L > ΔL, the mean of e^{−ΔL/uᵀMu} over directions u, M = S^{1/2}HS^{1/2}."""
    root = np.linalg.cholesky(covariance)
    turn = np.linspace(0.0, np.pi, 4000, endpoint=False)
    u = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return float(np.exp(-height / np.einsum("ni,ij,nj->n", u, root.T @ HESSIAN @ root, u)).mean())


def again(learning_rate: float, covariance: np.ndarray, exponent: float) -> float:
    """Return how often the chain is expected behind the tangential plane of the exit again after it has been there."""
    values, vectors = np.linalg.eigh(HESSIAN)
    hottest = np.linalg.eigh(np.sqrt(HESSIAN) @ covariance @ np.sqrt(HESSIAN))[1][:, -1]
    worst = 0.0
    for normal in (NORMAL, np.linalg.solve(covariance, np.linalg.solve(np.sqrt(HESSIAN), hottest))):
        total = 0.0
        for lag in range(1, 40):
            step = vectors @ np.diag((1.0 - learning_rate * values) ** lag) @ vectors.T
            rho = float(normal @ step @ covariance @ normal) / float(normal @ covariance @ normal)
            total += 0.5 * math.erfc((1.0 - rho) / math.sqrt(1.0 - rho**2) * math.sqrt(exponent))
        worst = max(worst, total)
    return worst


@CLAIM.check
def runs_of_the_chain(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare with how often runs at a finite learning rate leave through a plane, and over a level of the loss."""
    rng, eta = np.random.default_rng([trial.seed, 5210]), 0.4
    size, ratios = trial.pick(
        brief=((2000, 300), (4.0, 5.0)),
        quick=((8000, 1200), (5.0, 6.5)),
        full=((20_000, 4000), (5.0, 7.0, 9.0)),
    )
    covariance = chain_covariance(HESSIAN, NOISE, learning_rate=eta)
    cases = (
        ("plane", plane(1.0), tail_of_plane, lambda theta: theta @ NORMAL > 1.0),
        ("level L = 1", level(1.0), tail_of_level, lambda theta: np.einsum("ni,ij,nj->n", theta, HESSIAN, theta) > 2.0),
    )
    for name, boundary, tail, outside in cases:
        form = trial.predict(HESSIAN, NOISE, learning_rate=eta, boundary=boundary)
        exact = float(noncommuting_exit.exponent(HESSIAN, NOISE, learning_rate=eta, boundary=boundary))
        times, errors = [], []
        for ratio in ratios:
            epsilon = exact / ratio
            left = exits(eta, epsilon, outside, size, rng)
            times.append(size[0] * size[1] / left)
            errors.append(1.0 / math.sqrt(left))
            # As ε → 0 an exit takes one over the probability of being outside, which has the prefactor in closed form.
            measured = epsilon * math.log(times[-1] * tail(epsilon * covariance, 1.0)) + exact
            bias = epsilon * (math.log1p(again(eta, covariance, ratio)) + 10.0 / (eta * size[1]))
            yield statistical(
                f"exponent of the {name}, V/ε = {ratio:g}", form, measured, epsilon * errors[-1],
                bias=bias, bias_source="returns outside, and ten relaxation times at the start",
            )  # fmt: skip
        written = noncommuting_exit.exponent_as_written(HESSIAN, NOISE, learning_rate=eta, boundary=boundary)
        yield misses(f"ΔL/T, {name}", written, measured, epsilon * errors[-1], margin=bias)
        line = np.linspace(min(ratios) - 1.0, max(ratios) + 1.0, 30)
        yield Series(
            f"Steps to leave through the {name}, η = {eta:g}", "exponent ½θᵀS⁻¹θ at the exit", "mean number of steps",
            (
                Curve("1/P(outside)", line, [1.0 / tail(exact / x * covariance, 1.0) for x in line]),
                Curve("e^{ΔL/T}, as written", line, np.exp(float(written) * line / exact)),
            ),
            (Points("runs", ratios, times, np.array(errors) * times),), "y",
        )  # fmt: skip


@CLAIM.check
def operator_of_the_chain(trial: Trial) -> Iterator[Comparison]:
    """Compare with mean first-passage times of the Markov operator of the chain, on two grids that end at the plane."""
    eta = 0.4
    cells, ratios = trial.pick(brief=(18, (6.0,)), quick=(36, (5.0, 10.0)), full=(60, (5.0, 9.0, 16.0)))
    exact = float(noncommuting_exit.plane_exponent(HESSIAN, NOISE, learning_rate=eta, normal=NORMAL, distance=1.0))
    loss, covariance = turned_loss(), chain_covariance(HESSIAN, NOISE, learning_rate=eta)
    form = trial.predict(HESSIAN, NOISE, learning_rate=eta, boundary=plane(1.0))
    limit = float(noncommuting_exit.plane_exponent(HESSIAN, NOISE, learning_rate=LIMIT, normal=NORMAL, distance=1.0))
    for ratio in ratios:
        epsilon = exact / ratio
        dynamics = fp.SGD(loss, learning_rate=eta, noise=fp.GaussianNoise((epsilon * turned(NOISE)).tolist()))
        logarithms = [
            math.log(passage(dynamics, around(epsilon * turned(covariance), math.sqrt(0.5), number, wall="absorbing")))
            for number in (cells, 2 * cells // 3)
        ]
        logarithm, error = richardson(logarithms[0], logarithms[1], ratio=1.5)
        measured = epsilon * (logarithm + math.log(tail_of_plane(epsilon * covariance, 1.0))) + exact
        bias = epsilon * math.log1p(again(eta, covariance, ratio))
        yield gridded(
            f"exponent of the chain, η = {eta:g}, V/ε = {ratio:g}", form, measured, epsilon * error + bias,
            source="two grids, and returns outside",
        )  # fmt: skip
        yield misses(f"exponent of the limit η → 0, V/ε = {ratio:g}", limit * LIMIT / eta, measured, epsilon * error)


@CLAIM.check
def isotropic_noise(trial: Trial) -> Iterator[Comparison]:
    """Show that ΔL/T is right for isotropic noise as η → 0, and wrong by the order of η beyond."""
    for height in (0.5, 2.0):
        for eta in (1e-4, 0.2):
            keywords: dict[str, Any] = {"learning_rate": eta, "boundary": level(height)}
            written = noncommuting_exit.exponent_as_written(HESSIAN, np.eye(2), **keywords)
            form = trial.predict(HESSIAN, np.eye(2), **keywords)
            exact = noncommuting_exit.loss_level_exponent(HESSIAN, np.eye(2), learning_rate=eta, height=height)
            yield rounded(
                f"level L = {height:g}, η = {eta:g}", exact, form, rounding=1e-5, source="points of the level"
            )
            if eta < 0.01:
                yield rounded(f"ΔL/T, η = {eta:g}", exact, written, rounding=eta * 3.0, source="the largest ηh")
            else:
                yield misses(f"ΔL/T, η = {eta:g}", written, exact, 0.0, margin=0.25 * eta * 3.0 * float(exact))
