"""Claims D16 and F9: learning rates and scales of updates that lower the loss, or escape, fastest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

import fpsolver as fp
from fpsolver.learning.optimal_rate import Optimum, escape_time, loss_after, minimise, optimise
from fpsolver.theory import chain_passage, metropolis, one_step_optimum
from fpsolver.theory.reaction_rates import EXPONENTS
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
    power,
    rounded,
    statistical,
)
from fpsolver.validation.reactions.on_cells import LAWS, jumps, on_line, velocity

D16 = claim(
    "D16",
    family="reactions",
    title="Optimal learning rate from the reaction-rate density",
    as_written="η_opt = argmax_η ∫ρ ΔL dΔθ",
    statement="The sign is wrong: argmax of −∫ρΔL. For one step of SGD with batches of B on a quadratic loss it is "
    "η* = |G|²/(GᵀHG + tr(HΣ₁)/B), half of its largest at B = B_n = tr(HΣ₁)/GᵀHG, and lowers the loss by η*|G|²/2. "
    "With Gaussian proposals of scale s and rates e^{−cΔL/T} it has a maximum over s as well, on a line where "
    "cg²/T > h/2 > 0; closer to the minimum every scale raises the loss, and on a linear loss there is no best one.",
    verdict="false as written",
    sources=(one_step_optimum.MCCANDLISH, "own derivation"),
    written=one_step_optimum.learning_rate_as_written,
    corrected=one_step_optimum.learning_rate,
)

SYSTEMS = (
    ("G = (1, 2), H = diag(1, 3)", [1.0, 2.0], np.diag([1.0, 3.0]), np.diag([4.0, 1.0])),
    ("G = (0.5, −1), H with a negative eigenvalue", [0.5, -1.0], np.array([[2.0, 1.5], [1.5, 1.0]]),
     np.array([[1.0, 0.3], [0.3, 0.5]])),
)  # fmt: skip
LARGEST = 2.0


@D16.check
def search_over_steps(trial: Trial) -> Iterator[Comparison | Series]:
    """Minimise the mean loss after a noisy step, by quadrature over the noise, and compare where the least is."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)  # exact to fifth order, for a loss of second order
    noise = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    mass = np.outer(weights, weights).ravel() / weights.sum() ** 2
    batches = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    for name, gradient, hessian, covariance in SYSTEMS:
        root, slope = np.linalg.cholesky(covariance), np.array(gradient)
        found, forms = [], []
        for batch in batches:
            gradients = slope + noise @ root.T / math.sqrt(batch)
            linear, bend = gradients @ slope, np.einsum("ni,ij,nj->n", gradients, hessian, gradients)
            loss = partial(_mean_change, mass=mass, linear=linear, bend=bend)
            forms.append(float(trial.predict(slope, hessian, covariance, batch_size=batch, largest=LARGEST)))
            found.append(minimise(loss, (0.01, LARGEST), points=25, tolerance=1e-7))
            if batch in (2.0, 32.0):
                # A minimum is found to the square root of the rounding of its value.
                yield rounded(f"η*, {name}, B = {batch:g}", forms[-1], found[-1].argument, rounding=1e-6,
                              source="minimum of a function known to 1e-15")  # fmt: skip
        yield Series(
            f"Best learning rate of one step, {name}", "batch size B", "η*",
            (Curve("form under test", batches, forms),),
            (Points("search", batches, [best.argument for best in found], [best.argument_error for best in found]),),
            "x",
        )  # fmt: skip


def _mean_change(eta: float, *, mass: np.ndarray, linear: np.ndarray, bend: np.ndarray) -> float:
    """Return the mean change of a quadratic loss after a step −η times each gradient."""
    return float(mass @ (-eta * linear + 0.5 * eta**2 * bend))


@D16.check
def minibatches_of_regression(trial: Trial) -> Iterator[Comparison | Series]:
    """Loss after steps with sampled minibatches of a linear regression, a parabola in η, against the form."""
    samples, batch = trial.pick(brief=20_000, quick=400_000, full=2_000_000), 4
    rng = np.random.default_rng(20)
    inputs = rng.normal(size=(60, 2)) * np.array([1.0, 0.5])
    targets = inputs @ np.array([1.0, -1.0]) + 0.5 * rng.normal(size=60)
    theta = np.array([-0.5, 0.5])
    each = inputs * (inputs @ theta - targets)[:, None]
    slope, hessian = each.mean(axis=0), inputs.T @ inputs / 60
    covariance = (each - slope).T @ (each - slope) / 60
    rng = np.random.default_rng([trial.seed, 103])
    gradients = each[rng.integers(0, 60, size=(samples, batch))].mean(axis=1)
    along, across = gradients @ slope, np.einsum("ni,ij,nj->n", gradients, hessian, gradients)
    best = float(along.mean() / across.mean())
    # The error of a ratio of means.
    error = float((along - best * across).std() / across.mean()) / math.sqrt(samples)
    form = float(trial.predict(slope, hessian, covariance, batch_size=batch, largest=LARGEST))
    yield statistical("η* of minibatches of 4 out of 60", form, best, error)
    rates = np.linspace(0.05, 1.1, 8)
    closed = [
        float(one_step_optimum.loss_change(slope, hessian, covariance, batch_size=batch, learning_rate=eta))
        for eta in rates
    ]
    changes = -rates[:, None] * along + 0.5 * rates[:, None] ** 2 * across
    means, errors = changes.mean(axis=1), changes.std(axis=1) / math.sqrt(samples)
    for index in (2, 7):
        yield statistical(f"change of the loss at η = {rates[index]:g}", closed[index], means[index], errors[index])
    yield Series(
        "Mean change of the loss in one step of minibatch SGD", "learning rate η", "∫ρΔL",
        (Curve("−η|G|² + ½η²[GᵀHG + tr(HΣ₁)/B]", rates, closed), Curve("form under test", [form, form],
               [min(closed), 0.0])),
        (Points("sampled minibatches", rates, means, errors),),
    )  # fmt: skip


@D16.check
def scale_of_proposals(trial: Trial) -> Iterator[Comparison | Series]:
    """Where d⟨L⟩/dt of jumps on cells of a parabola is least over the scale; close to the minimum no scale lowers L."""
    temperature, cells = 0.5, trial.pick(brief=121, quick=401, full=801)
    for law in ("half", "arrhenius"):
        for slope in (1.5, 3.0):
            closed = float(one_step_optimum.proposal_scale(slope, 1.0, temperature=temperature, law=law))
            fall = partial(_fall, temperature=temperature, law=law, slope=slope, cells=cells)
            best = minimise(fall, (0.3 * closed, 3.0 * closed), points=5, tolerance=1e-4)
            yield Comparison(f"best scale, law {law!r}, g = {slope:g}", closed, best.argument, best.argument_error,
                             "tolerance of the search", 3e-4 * closed, "three tolerances of the search")  # fmt: skip
        # Where cg²/T = h/2 even the shortest updates begin to raise the loss.
        edge = math.sqrt(temperature / (2.0 * EXPONENTS[law]))
        for share, side in ((0.9, "≥"), (1.1, "≤")):
            near = partial(_fall, temperature=temperature, law=law, slope=share * edge, cells=cells)
            least = min(near(scale) for scale in np.geomspace(0.3, 3.0, 7).tolist())
            yield bounded(f"least d⟨L⟩/dt, law {law!r}, g = {share:g} √(hT/2c)", 0.0, least, side=side)
    scales = np.geomspace(0.3, 3.0, 7) * closed
    yield Series(
        "Velocity of the loss by the scale of updates, g = 3, whole exponent", "scale s", "d⟨L⟩/dt",
        (Curve("best scale, closed", [closed, closed], [best.value, 0.0]),),
        (Points("jumps on cells", scales, [fall(float(s)) for s in scales]),), "x",
    )  # fmt: skip


def _fall(scale: float, *, temperature: float, law: str, slope: float, cells: int) -> float:
    """Return d⟨L⟩/dt of a weight at zero in x²/2 + gx, on cells that reach both ways as far as rates do."""
    W = on_line(jumps(f"x**2/2 + {slope!r}*x", temperature, scale, law), 2.0 * slope + 6.0, cells)
    x = W.grid.axes[0].centres
    return velocity(W, x**2 / 2.0 + slope * x, 0.0)


F9 = claim(
    "F9",
    family="reactions",
    title="Optimal learning rate for convergence and for escape",
    as_written="η_opt = argmax over the reaction rates, for escape as for convergence",
    statement="The learning rate, or scale of updates, that makes an expected loss or an escape time least is the "
    "argmin of what the solvers give, on any landscape: fp.learning.optimise finds it by a scan and Brent's method; "
    "brute force finds none better. For convergence it falls with the number of steps allowed; for escape in learning "
    "time it lies in between: smaller rates wait longer for a fluctuation, larger ones longer for each "
    "step. On a standard normal random-walk Metropolis moves farthest at the scale 2.381202/√d, where 23.381 % of "
    "moves are accepted, as d → ∞.",
    verdict="exact",
    sources=(metropolis.ROBERTS, "own numerics"),
)


@F9.check
def fastest_convergence(trial: Trial) -> Iterator[Comparison | Series]:
    """Learning rate of least mean loss after n steps in x²/2, by the chain on cells, against the exact recursion."""
    cells, start, variance = trial.pick(brief=120, quick=320, full=640), 2.0, 1.0
    numbers = np.array(trial.pick(brief=[2, 20], quick=[2, 5, 10, 20], full=[2, 5, 10, 20, 50]))
    chain = _chains("x**2/2", variance)
    rows = []
    for steps in numbers:
        pair = [_fastest(chain, start, int(steps), number) for number in (cells, cells // 2)]
        (best, error), found = _extrapolated(*pair), pair[0]
        # Brute force: a scan of the exact mean and variance of the chain.
        scan = np.linspace(1e-3, 1.5, 30_000)
        kept = 1.0 - scan
        losses = 0.5 * (kept ** (2 * steps) * start**2 + scan**2 * variance * _geometric(kept**2, int(steps)))
        exact = float(scan[losses.argmin()])
        yield gridded(f"η of least loss after {steps} steps", exact, best, error + scan[1] - scan[0],
                      source="cells, and spacing of the scan")  # fmt: skip
        rows.append((exact, best, error))
        yield bounded(f"least loss after {steps} steps, against brute force", float(losses.min()), found.value,
                      abs(found.value - pair[1].value), side="≤", sigmas=1.0)  # fmt: skip
    exact_rates, best_rates, errors = np.transpose(rows)
    for index, steps in enumerate(numbers[1:]):
        yield bounded(f"best η for {steps} steps, below that for {numbers[index]}", best_rates[index],
                      best_rates[index + 1], side="≤")  # fmt: skip
    yield Series(
        "Best constant learning rate after n steps in x²/2", "steps n", "η*",
        (Curve("exact recursion, scanned", numbers, exact_rates),), (Points("chain on cells", numbers, best_rates,
                                                                            errors),), "xy",
    )  # fmt: skip


def _chains(text: str, variance: float) -> Callable[[float], fp.SGD]:
    landscape = fp.Landscape(text)
    return lambda eta: fp.SGD(landscape, learning_rate=eta, noise=fp.GaussianNoise(variance))


def _geometric(ratio: np.ndarray, terms: int) -> np.ndarray:
    return np.asarray(sum(ratio**k for k in range(terms)))


def _fastest(chain: Callable[[float], fp.SGD], start: float, steps: int, cells: int) -> Optimum:
    grid = fp.Grid(x=fp.Axis(-6.0, 6.0, cells, boundary="reflecting"))
    return optimise(
        chain, grid, loss_after(float(steps), _two_cells(grid, start)), (0.02, 1.4), points=9, tolerance=1e-4
    )


def _two_cells(grid: fp.Grid, place: float) -> np.ndarray:
    """Return a density in the two cells beside a place, with its mean."""
    x, width = grid.axes[0].centres, float(grid.volumes[0])
    left = int(np.searchsorted(x, place)) - 1
    share = (place - x[left]) / width
    density = np.zeros_like(x)
    density[[left, left + 1]] = (1.0 - share) / width, share / width
    return density


def _extrapolated(fine: Optimum, coarse: Optimum) -> tuple[float, float]:
    """Return the best argument, extrapolated in the width of cells, and its error."""
    change = (fine.argument - coarse.argument) / 3.0
    return fine.argument + change, abs(change) + fine.argument_error + coarse.argument_error


@F9.check
def fastest_escape(trial: Trial) -> Iterator[Comparison | Series]:
    """Learning rate of least learning time to the other well, by the chain on cells, against its integral equation."""
    cells, target, variance = trial.pick(brief=240, quick=640, full=960), 0.6, 16.0
    text = "x**2/2 - 3*log(cosh(2*x))/4"  # two wells at ±1.49 and, with L'' < 1 outside, a chain stable for η < 2
    landscape = fp.Landscape(text)
    objective = escape_time([-1.5], fp.where(x=(target, None)), learning_time=True)
    pair = [
        optimise(
            _chains(text, variance), fp.Grid(x=fp.Axis(-24.0, 24.0, number, boundary="reflecting")), objective,
            (0.15, 1.5), points=7, tolerance=1e-3,
        )
        for number in (cells, cells // 2)
    ]  # fmt: skip
    best, error = _extrapolated(*pair)
    scan = np.linspace(0.6, 1.4, trial.pick(brief=9, quick=17, full=33)) * best
    temperatures = scan * variance / 2.0
    times = scan * np.array([
        float(chain_passage.mean_steps(landscape, -1.5, target, learning_rate=eta, temperature=temperature))
        for eta, temperature in zip(scan, temperatures, strict=True)
    ])  # fmt: skip
    bottom = int(np.clip(times.argmin(), 1, len(scan) - 2))
    fit = np.polyfit(scan[bottom - 1 : bottom + 2], times[bottom - 1 : bottom + 2], 2)
    located, spacing = -fit[1] / (2.0 * fit[0]), scan[1] - scan[0]
    yield Comparison(
        "η of fastest escape, learning time", located, best, error, "cells", error + spacing / 2.0,
        "half the spacing of the brute-force scan, and cells",
    )  # fmt: skip
    for end, place in (("smallest", 0), ("largest", -1)):
        yield misses(f"fastest escape is not at the {end} rate of the scan", times[place], times.min(), 0.0)
    yield bounded("fastest escape found, against every time of the scan", float(times.min()), pair[0].value,
                  2.0 * abs(pair[0].value - pair[1].value), side="≤")  # fmt: skip
    yield Series(
        "Escape from a double well by the learning rate, σ² = 16", "learning rate η", "mean learning time",
        (Curve("integral equation", scan, times),),
        (Points("chain on cells", pair[0].arguments, pair[0].values),), "xy",
    )  # fmt: skip


@F9.check
def fastest_escape_by_metropolis(trial: Trial) -> Iterator[Comparison | Series]:
    """Scale of proposals of least escape time on cells, against sampled walks at that scale and at others."""
    text, temperature, cells = "x**4/4 - x**2/2", 0.1, trial.pick(brief=120, quick=240, full=480)
    walkers = trial.pick(brief=2_000, quick=20_000, full=200_000)
    best = optimise(
        lambda scale: jumps(text, temperature, scale, "metropolis"),
        fp.Grid(x=fp.Axis(-2.4, 2.4, cells, boundary="reflecting")),
        escape_time([-1.0], fp.where(x=(0.0, None))),
        (0.2, 6.0),
        points=9,
        tolerance=1e-3,
    )
    rng = np.random.default_rng([trial.seed, 104])
    scales = best.argument * np.array([0.4, 0.7, 1.0, 1.5, 2.5])
    rows = [_walks(text, temperature, float(scale), walkers, rng) for scale in scales]
    times, errors = np.transpose(rows)
    # Cells misplace the start and the target by a share of their width.
    half = optimise(
        lambda scale: jumps(text, temperature, scale, "metropolis"),
        fp.Grid(x=fp.Axis(-2.4, 2.4, cells // 2, boundary="reflecting")),
        escape_time([-1.0], fp.where(x=(0.0, None))), (0.2, 6.0), points=9, tolerance=1e-3,
    )  # fmt: skip
    bias = abs(best.value - half.value)
    yield statistical("escape time at the best scale", best.value, times[2], errors[2], bias=bias,
                      bias_source="cells, from half as many")  # fmt: skip
    for index in (0, 1, 3, 4):
        yield bounded(f"escape time at {scales[index] / best.argument:g} times the best scale", times[2], times[index],
                      math.hypot(errors[index], errors[2]), side="≥")  # fmt: skip
    yield Series(
        "Escape time by the scale of Metropolis updates, T = 0.1", "scale s", "mean time",
        (Curve("cells", best.arguments, best.values),), (Points("sampled walks", scales, times, errors),), "xy",
    )  # fmt: skip


def _walks(text: str, temperature: float, scale: float, number: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return the mean number of proposals, one a unit of time, until walks from −1 pass zero, and its error."""
    loss = fp.Landscape(text).value
    x, steps, escaped = np.full(number, -1.0), 0, []
    while x.size:
        steps += 1
        trial = x + scale * rng.normal(size=x.size)
        accepted = rng.random(x.size) < LAWS["metropolis"]((loss(trial[:, None]) - loss(x[:, None])) / temperature)
        x = np.where(accepted, trial, x)
        out = x >= 0.0
        escaped += [steps] * int(out.sum())
        x = x[~out]
    return float(np.mean(escaped)), float(np.std(escaped)) / math.sqrt(number)


def _lost_jump(scale: float, dimension: int) -> float:
    return -float(metropolis.normal_jump(scale, dimension=dimension))


@F9.check
def random_walk_metropolis(trial: Trial) -> Iterator[Comparison | Series]:
    """Best scale l/√d on a standard normal by dimension, searched, against sampled moves and the limit 2.381202."""
    samples = trial.pick(brief=20_000, quick=200_000, full=2_000_000)
    rng = np.random.default_rng([trial.seed, 105])
    dimensions = np.array([1, 2, 5, 10, 20, 50, 100, 200, 400])
    limit = float(metropolis.optimal_scaling())
    best = [minimise(partial(_lost_jump, dimension=int(d)), (1.0, 6.0), tolerance=1e-8).argument for d in dimensions]
    for d in (1, 10):
        state = rng.normal(size=(samples, d))
        move = rng.normal(size=(samples, d)) * limit / math.sqrt(d)
        change = 0.5 * ((state + move) ** 2 - state**2).sum(axis=1)
        weight = np.exp(-np.maximum(change, 0.0))
        moved = weight * (move**2).sum(axis=1)
        for name, values, form in (
            ("acceptance", weight, metropolis.normal_acceptance(limit, dimension=d)),
            ("squared distance", moved, metropolis.normal_jump(limit, dimension=d)),
        ):
            yield statistical(f"{name} of moves, d = {d}", form, values.mean(), values.std() / math.sqrt(samples))
    tail = dimensions >= 20
    yield power("power of 1/d in the best scale's approach", 1.0 / dimensions[tail], np.array(best)[tail] - limit, 1.0)
    # The next order of an extrapolation in 1/d from d = 200 and 400.
    last = 2.0 * best[-1] - best[-2]
    yield gridded("best scale as d → ∞", limit, last, abs(best[-1] - best[-2]) / dimensions[-3], source="order 1/d²")
    yield Series(
        "Best scale of random-walk Metropolis on a standard normal", "dimension d", "l*",
        (Curve("2.381202", dimensions, np.full(len(dimensions), limit)),), (Points("search", dimensions, best),), "x",
    )  # fmt: skip
