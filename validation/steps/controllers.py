"""F1 and F2: a learning rate from the local reaction-rate density, and batch sizes that keep transition statistics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

import fpsolver as fp
from fpsolver.learning.batch_size_control import constant_temperature, linear_scaling, matching_batch_sizes, schedule
from fpsolver.learning.learning_rate_control import (
    adaptive_rate,
    controlled_descent,
    expected_progress,
    greedy_schedule,
    one_step_rate,
)
from fpsolver.learning.moment_recursion import moments
from fpsolver.learning.optimal_rate import escape_time, loss_after, minimise, optimise
from fpsolver.theory import one_step_optimum
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
    rounded,
    statistical,
)

F1 = claim(
    "F1",
    family="steps",
    title="Adaptive learning rate",
    as_written="A learning rate from the local reaction-rate density, exploration against exploitation.",
    statement="Exploitation: η* = |G|²/[GᵀHG + tr(HC)] maximises the expected progress −∫ρΔL of a step of SGD, exactly "
    "on a quadratic loss. Step after step it is the best schedule where all curvatures are equal. Elsewhere it is "
    "greedy: after 24 steps from ⟨θθᵀ⟩ = 1 with C = 1 it beats the best constant rate up to condition numbers of 4 and "
    "loses at 20, with more than three times the loss of the best schedule. Near a minimum it goes to zero, and "
    "hardly a barrier is crossed any more. Exploration: the floor η ≥ 2dT/tr C keeps the temperature T; from the upper "
    "of two wells the best floor gains more in a few hundred steps than the best constant rate.",
    verdict="heuristic",
    sources=("S. McCandlish, J. Kaplan, D. Amodei et al., arXiv:1812.06162", "own measurements"),
)

G, H, C = np.array([1.0, 2.0]), np.diag([1.0, 3.0]), np.diag([2.0, 0.5])
"""Gradient, Hessian and noise (batches of two) whose optimum was computed independently, 0.30303030303."""


@F1.check
def exact_optimum_of_a_step(trial: Trial) -> Iterator[Comparison]:
    """Compare with the best of all learning rates, by search over ⟨L⟩ after a step of the recursion of moments."""
    rng = np.random.default_rng(trial.seed)
    yield rounded("reference system", 0.30303030303030304, one_step_rate(G, H, C), rounding=1e-13)
    for number in range(trial.pick(brief=1, quick=10, full=60)):
        d = 2
        root, spread, start = rng.normal(size=(d, d)), rng.normal(size=(d, d)), rng.normal(size=d)
        hessian, noise = root @ root.T + 0.2 * np.eye(d), spread @ spread.T
        loss = fp.Landscape(f"{hessian[0, 0]:.17g}*x**2/2 + {hessian[0, 1]:.17g}*x*y + {hessian[1, 1]:.17g}*y**2/2")
        given = fp.GaussianNoise(noise.tolist())

        def after(
            eta: float, loss: fp.Landscape = loss, given: fp.GaussianNoise = given, start: np.ndarray = start
        ) -> float:
            found = moments(fp.SGD(loss, learning_rate=eta, noise=given), 1, mean=start)
            curved = loss.hessian(start)
            return float(0.5 * (found.mean @ curved @ found.mean + np.trace(curved @ found.covariance)))

        eta = float(one_step_rate(hessian @ start, hessian, noise))
        best = minimise(after, (eta / 20.0, eta * 20.0))
        yield gridded(
            f"η*, system {number}", eta, best.argument, 1e-5 * eta, source="a parabola is flat to rounding within √ε"
        )
        fall = 0.5 * start @ hessian @ start - best.value
        gain = float(expected_progress(hessian @ start, hessian, noise, eta))
        yield rounded(f"progress, system {number}", gain, fall, rounding=1e-9, source="search")
        form = one_step_optimum.learning_rate(hessian @ start, hessian, noise, batch_size=1.0)
        yield rounded(f"closed form, system {number}", form, eta, rounding=1e-12)


@F1.check
def progress_of_runs(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the progress of single steps of runs with that expected, at and around η*; at 2η* there is none."""
    rng, n = np.random.default_rng([trial.seed, 5610]), trial.pick(brief=40_000, quick=400_000, full=4_000_000)
    start, best = G / np.diag(H), float(one_step_rate(G, H, C))
    rates, found, errors = best * np.array([0.25, 0.5, 1.0, 1.5, 2.0]), [], []
    for eta in rates:
        theta = start - eta * (G + rng.standard_normal((n, 2)) * np.sqrt(np.diag(C)))
        gains = 0.5 * float(start @ H @ start) - 0.5 * np.einsum("ni,ij,nj->n", theta, H, theta)
        found.append(float(gains.mean()))
        errors.append(float(gains.std()) / math.sqrt(n))
        yield statistical(f"progress at {eta / best:g} η*", expected_progress(G, H, C, eta), found[-1], errors[-1])
    line = np.linspace(0.0, 2.1 * best, 50)
    yield Series(
        "Progress of a step of SGD", "learning rate η", "−⟨ΔL⟩",
        (Curve("η|G|² − η²[GᵀHG + tr(HC)]/2", line, expected_progress(G, H, C, line)),),
        (Points("runs", rates, found, errors),),
    )  # fmt: skip


@F1.check
def many_steps(trial: Trial) -> Iterator[Comparison | Series]:
    """Set the greedy schedule and runs under the controller against the best constant rate and the best schedule."""
    n, steps, conditions = trial.pick(
        brief=(2000, 10, (1.0, 20.0)), quick=(10_000, 24, (1.0, 4.0, 20.0)),
        full=(400_000, 24, (1.0, 2.0, 4.0, 8.0, 20.0)),
    )  # fmt: skip
    rng, rows = np.random.default_rng([trial.seed, 5611]), []
    loss = fp.Landscape("x**2/2 + h*y**2/2", parameters={"h": 1.0})
    for h in conditions:
        hessian = np.diag([1.0, h])
        greedy = float(greedy_schedule(hessian, np.eye(2), np.eye(2), steps).losses[-1])
        constant = _best_constant(hessian, steps)
        best = _best_schedule(hessian, np.asarray(greedy_schedule(hessian, np.eye(2), np.eye(2), steps).learning_rates))
        sgd = fp.SGD(loss.with_parameters(h=h), learning_rate=0.1, noise=fp.GaussianNoise(1.0))
        runs = controlled_descent(sgd, adaptive_rate(sgd), rng.normal(size=(n, 2)), steps, seed=trial.seed)
        own, error = float(runs.losses[-1]), float(runs.standard_errors[-1])
        rows.append((greedy / best, constant / best, own / best, error / best))
        if h == 1.0:
            # Both directions are one: M stays a multiple of unity.
            yield rounded("greed is the best for equal curvatures", greedy, best, rounding=1e-8, source="search")
        if h <= 4.0:
            yield bounded(f"greedy below the best constant rate, condition {h:g}", constant, greedy, side="≤")
        if h == 20.0:
            yield bounded("greedy above the best constant rate, condition 20", constant, greedy, side="≥")
            yield bounded("greedy above three times the best schedule, condition 20", 3.0 * best, greedy, side="≥")
        yield bounded(f"no schedule below the best, condition {h:g}", best, greedy, 1e-10 * best, side="≥")
        yield bounded(
            f"runs with their own rates below the greedy schedule, condition {h:g}", greedy, own, error, side="≤"
        )
    table = np.array(rows).T
    yield Series(
        f"Mean loss after {steps} steps over that of the best schedule", "condition number of the Hessian", "ratio",
        (
            Curve("greedy schedule", conditions, table[0]),
            Curve("best constant rate", conditions, table[1]),
            Curve("best schedule", conditions, np.ones(len(conditions))),
        ),
        (Points("runs with their own rates", conditions, table[2], table[3]),), "xy",
    )  # fmt: skip


def _losses(hessian: np.ndarray, rates: Sequence[float] | np.ndarray) -> list[float]:
    """Return ⟨L⟩ from M = 1 and with C = 1, before the first step and after each."""
    m, losses = np.eye(len(hessian)), [0.5 * float(np.trace(hessian))]
    for eta in rates:
        step = np.eye(len(hessian)) - eta * hessian
        m = step @ m @ step + eta**2 * np.eye(len(hessian))
        losses.append(0.5 * float(np.trace(hessian @ m)))
    return losses


def _last(hessian: np.ndarray, rates: np.ndarray) -> float:
    return _losses(hessian, rates)[-1]


def _best_constant(hessian: np.ndarray, steps: int) -> float:
    """Return the least loss after so many steps that any constant rate reaches."""
    largest = 1.9 / float(hessian.max())
    return minimise(lambda eta: _last(hessian, np.full(steps, eta)), (1e-3, largest)).value


def _best_schedule(hessian: np.ndarray, start: np.ndarray) -> float:
    """Return the least loss that any schedule of as many steps reaches, by search in all rates together."""
    from scipy.optimize import minimize

    found = minimize(lambda rates: _last(hessian, rates), start, method="BFGS", options={"gtol": 1e-10})
    return float(found.fun)


TILTED = "x**2/4 + cos(2*x)/2 + x/8"
"""Two wells whose curvature is bounded, so that no run can be thrown out."""


@F1.check
def exploration(trial: Trial) -> Iterator[Comparison | Series]:
    """Start in the upper of two wells: without a floor runs stay; with one they gain more than at any constant rate."""
    from scipy.optimize import brentq

    n, steps = trial.pick(brief=(1000, 150), quick=(3000, 300), full=(50_000, 400))
    noise, loss = fp.GaussianNoise(2.0), fp.Landscape(TILTED)
    top, well = (brentq(lambda x: x / 2.0 - math.sin(2.0 * x) + 0.125, *ends) for ends in ((0.0, 0.5), (0.8, 2.0)))
    # Not at the minimum itself, where a rate without a floor is zero and nothing could be crossed.
    start = well + 0.2 * np.random.default_rng([trial.seed, 5612]).standard_normal((n, 1))
    sgd, largest = fp.SGD(loss, learning_rate=0.1, noise=noise), 0.3
    grid = fp.Grid(x=(-5.0, 5.0, trial.pick(brief=120, quick=160, full=320)))
    constant = optimise(
        lambda eta: fp.SGD(loss, learning_rate=eta, noise=noise), grid,
        loss_after(steps, fp.gaussian(grid, [well], [[0.04]])), (0.05, largest), points=5,
        tolerance=trial.pick(brief=0.2, quick=0.03, full=0.005),
    )  # fmt: skip
    floors = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.25])[:: trial.pick(brief=2, quick=1, full=1)]
    found = [
        controlled_descent(
            sgd,
            adaptive_rate(sgd, exploration_temperature=float(floor), largest=largest),
            start,
            steps,
            seed=trial.seed,
        )
        for floor in floors
    ]
    losses = np.array([run.losses[-1] for run in found])
    errors = np.array([run.standard_errors[-1] for run in found])
    best = int(losses.argmin())
    stayed = float((found[0].positions > top).mean())
    yield bounded("share that stays without a floor", 0.95, stayed, math.sqrt(0.95 * 0.05 / n), side="≥")
    yield misses(
        "loss with the best floor against that without", losses[0], losses[best], math.hypot(*errors[[0, best]])
    )
    gained = (losses[0] - losses[best]) / (losses[0] - constant.value)
    error = math.hypot(*errors[[0, best]]) / (losses[0] - constant.value)
    yield bounded("gain of the best floor over that of the best constant rate", 1.0, gained, error, side="≥")
    yield Series(
        f"Mean loss after {steps} steps from the upper well", "floor of the temperature", "mean loss",
        (Curve("best constant rate", floors, np.full(len(floors), constant.value)),),
        (Points("controller", floors, losses, errors),),
    )  # fmt: skip


F2 = claim(
    "F2",
    family="steps",
    title="Batch sizes that keep transition statistics",
    as_written="B ∝ η keeps the noise scale, and with it the statistics of transitions.",
    statement="B ∝ η keeps η/B, and the temperature of a quadratic well up to 1/(1 − ηh/2). B ∝ η/(1 − ηh/2) keeps the "
    "variance exactly, at every step of any sequence of learning rates; without replacement (N − B)/(B(N − 1)) takes "
    "the place of 1/B. An escape rate per learning time is kept by neither where ηL″ is not small: batches matched to "
    "the first-passage time of the chain keep it, through changes of the learning rate and of the landscape.",
    verdict="false as written",
    sources=("S. L. Smith, P.-J. Kindermans, C. Ying, Q. V. Le, ICLR 2018 (arXiv 1711.00489)", "own derivation"),
    written=linear_scaling,
    corrected=constant_temperature,
)


@F2.check
def variance_along_the_schedule(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the variance at every step of random learning rates, by the recursion of moments, with the first."""
    rng, h, steps = np.random.default_rng([trial.seed, 5620]), 2.0, 40
    loss = fp.Landscape("x**2")
    for number in range(trial.pick(brief=1, quick=5, full=20)):
        rates = rng.uniform(0.02, 0.9, steps)
        series = {}
        for name, sizes in (
            ("form under test", trial.predict(rates, batch_size=4096.0, curvature=h)),
            ("B ∝ η", linear_scaling(rates, batch_size=4096.0)),
        ):
            start = rates[0] / 4096.0 / (h * (2.0 - rates[0] * h))
            protocol = {"learning_rate": schedule(rates), "batch_size": schedule(sizes)}
            sgd = fp.SGD(loss, learning_rate=0.1, noise=fp.GaussianNoise(1.0, batch_size=4096.0), protocol=protocol)
            found = moments(sgd, list(range(steps + 1)), mean=[0.0], covariance=[[start]]).covariance[:, 0, 0]
            series[name] = found / start
        worst, by_rule = (values[np.abs(values - 1.0).argmax()] for values in series.values())
        yield rounded(f"variance farthest from that at the start, sequence {number}", 1.0, worst, rounding=1e-12)
        yield misses(f"B ∝ η, sequence {number}", 1.0, by_rule, 0.0, margin=0.1)
    yield Series(
        "Variance along random learning rates, h = 2, 0.02 < η < 0.9", "step", "variance over that at the start",
        (Curve("kept", [0, steps], [1.0, 1.0]),),
        tuple(Points(name, np.arange(steps + 1), values) for name, values in series.items()), "y",
    )  # fmt: skip


@F2.check
def minibatches_without_replacement(trial: Trial) -> Iterator[Comparison]:
    """Compare with the stationary variance of runs that draw the batches of the schedule from few examples."""
    rng, n = np.random.default_rng([trial.seed, 5621]), trial.pick(brief=4000, quick=40_000, full=1_000_000)
    examples = rng.exponential(1.0, 24)
    rates = np.array([0.125, 0.25, 0.5])
    first = 6
    sizes = trial.predict(rates, batch_size=first, curvature=1.0, examples=24)
    factor = (24.0 - first) / (first * 23.0) * examples.var()
    target = rates[0] * factor / (2.0 - rates[0])
    for eta, size in zip(rates, sizes, strict=True):
        theta = np.full(n, examples.mean())
        below = int(size)
        # Batches of two sizes, so that the mean noise is that of the size between them.
        noise = [(24.0 - b) / (b * 23.0) for b in (below, below + 1)]
        share = ((24.0 - size) / (size * 23.0) - noise[1]) / (noise[0] - noise[1])
        for _ in range(trial.pick(brief=int(5.0 / eta), quick=int(8.0 / eta), full=int(8.0 / eta))):
            counts = np.where(rng.random(n) < share, below, below + 1)
            order = examples[rng.random((n, 24)).argsort(axis=1)]
            means = np.cumsum(order, axis=1)[np.arange(n), counts - 1] / counts
            theta += eta * (means - theta)
        squares = (theta - examples.mean()) ** 2
        left = (1.0 - eta) ** (2 * int(5.0 / eta)) * target
        yield statistical(
            f"variance, η = {eta:g}, B = {size:.3g}", target, squares.mean(), float(squares.std()) / math.sqrt(n),
            bias=left, bias_source="memory of the start",
        )  # fmt: skip


WELL = "b*(x**2 - 1)**2"
PER_EXAMPLE = 40.0
END = 0.8


def escape_rate(learning_rate: float, barrier: float, batch_size: float, cells: int) -> float:
    """Return escapes per learning time from one well to beyond the other's side, by the Markov operator on a grid."""
    loss = fp.Landscape(WELL, variables=("x",), parameters={"b": barrier})
    noise = fp.GaussianNoise(PER_EXAMPLE, batch_size=batch_size)
    W = fp.generator(
        fp.SGD(loss, learning_rate=learning_rate, noise=noise),
        fp.Grid(x=fp.Axis(-2.4, END, cells, boundary=("reflecting", "absorbing"))),
    )
    return 1.0 / escape_time([-1.0], None, learning_time=True)(W)


def counted(conditions: np.ndarray, size: tuple[int, float], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return escapes per learning time of runs along a schedule of (η, b, B), and their standard errors."""
    runs, duration = size
    theta, rates, errors = np.full(runs, -1.0), [], []
    for eta, barrier, batch in conditions:
        steps, settling, count = int(duration / eta), int(5.0 / eta), 0
        for step in range(settling + steps):
            noise = math.sqrt(PER_EXAMPLE / batch) * rng.standard_normal(runs)
            theta = theta - eta * (4.0 * barrier * theta * (theta**2 - 1.0) + noise)
            gone = theta > END
            count += int(gone.sum()) if step >= settling else 0
            theta[gone] = -1.0
        rates.append(count / (runs * steps * eta))
        errors.append(math.sqrt(count) / (runs * steps * eta))
    return np.array(rates), np.array(errors)


@F2.check
def escape_rate_along_the_schedule(trial: Trial) -> Iterator[Comparison | Series]:
    """Count escapes of runs while learning rate and barrier change, with batches matched on a grid, and by B ∝ η."""
    cells = trial.pick(brief=90, quick=180, full=360)
    size = trial.pick(brief=(1000, 20.0), quick=(10_000, 40.0), full=(50_000, 80.0))
    rates = np.array([0.04, 0.1, 0.2, 0.3])[:: trial.pick(brief=3, quick=1, full=1)]
    barriers = [*[0.25] * len(rates), 0.45]
    conditions = list(zip([*rates.tolist(), float(rates[-1])], barriers, strict=True))
    first = PER_EXAMPLE * rates[0] / (2.0 * 0.1)
    target = escape_rate(rates[0], 0.25, first, cells)
    scaled = np.append(linear_scaling(rates, batch_size=first), first * rates[-1] / rates[0])
    stages = [(eta, barrier, size) for (eta, barrier), size in zip(conditions, scaled, strict=True)]
    factors = matching_batch_sizes(
        lambda at, factor: escape_rate(at[0], at[1], factor * at[2], cells), stages, target, bounds=(0.3, 3.0),
        tolerance=1e-4,
    )  # fmt: skip
    sizes = factors * scaled
    found = {}
    for number, (name, chosen) in enumerate((("matched batches", sizes), ("B ∝ η", scaled))):
        rng = np.random.default_rng([trial.seed, 5622, number])
        given = np.array([(eta, b, batch) for (eta, b), batch in zip(conditions, chosen, strict=True)])
        found[name] = counted(given, size, rng)
    for place, (eta, barrier) in enumerate(conditions):
        measured, error = (float(part[place]) for part in found["matched batches"])
        grid_error = abs(escape_rate(eta, barrier, sizes[place], 2 * cells // 3) - target)
        yield statistical(
            f"escape rate, η = {eta:g}, barrier {barrier:g}, B = {sizes[place]:.4g}", target, measured, error,
            bias=grid_error, bias_source="a coarser grid",
        )  # fmt: skip
        if trial.effort != "brief" and place >= len(rates) - 1:
            by_rule, error = (float(part[place]) for part in found["B ∝ η"])
            yield misses(f"escape rate by B ∝ η, η = {eta:g}, barrier {barrier:g}", target, by_rule, error)
    stage = np.arange(len(conditions))
    yield Series(
        "Escapes along a schedule: η from 0.04 to 0.3, then a higher barrier", "stage", "escapes per learning time",
        (Curve("target", stage, np.full(len(stage), target)),),
        tuple(Points(name, stage, values, error) for name, (values, error) in found.items()), "y",
    )  # fmt: skip
