"""A5.1b: the friction, or momentum, at which a harmonic mode stops ringing and relaxes fastest."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.generators.kinetic import kinetic_generator
from fpsolver.learning import critical_momentum
from fpsolver.theory import critical_damping
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, claim, gridded, richardson

DAMPING = claim(
    "A5.1b",
    family="steps",
    title="Critical damping",
    as_written="γ_crit = √(mK)",
    statement="For mẍ + γẋ + Kx = 0 it is γ = 2√(mK); √(mK) is right where the friction is written 2γẋ. On a "
    "quadratic loss with ηh < 4 the heavy ball relaxes fastest at the momentum μ* = (1 − √(ηh))², by the factor "
    "|1 − √(ηh)| a step, which is the same friction as η → 0 with √η for the time of a step.",
    verdict="false as written",
    sources=(
        "L. D. Landau, E. M. Lifshitz, Mechanics, § 25",
        "B. T. Polyak, USSR Comput. Math. Math. Phys. 4, 1 (1964)",
    ),
    written=critical_damping.friction_as_written,
    corrected=critical_damping.friction,
)

MODES = ((1.0, 1.0), (0.5, 3.0), (4.0, 0.3))
"""Masses and stiffnesses."""


def slowest_decay(mass: float, stiffness: float, coefficient: float) -> float:
    """Return the largest real part of the eigenvalues of (x, v) under mẍ + γẋ + Kx = 0."""
    matrix = np.array([[0.0, 1.0], [-stiffness / mass, -coefficient / mass]])
    return float(np.linalg.eigvals(matrix).real.max())


def fastest(mass: float, stiffness: float, factor: float, width: float) -> float:
    """Return the γ with which mẍ + factor·γẋ + Kx = 0 relaxes fastest, by a search in thirds."""
    low, high = 0.0, 10.0 * math.sqrt(mass * stiffness)
    while high - low > width:
        left, right = low + (high - low) / 3.0, high - (high - low) / 3.0
        slower = [slowest_decay(mass, stiffness, factor * gamma) for gamma in (left, right)]
        low, high = (low, right) if slower[0] < slower[1] else (left, high)
    return 0.5 * (low + high)


@DAMPING.check
def fastest_relaxation(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the friction of the fastest relaxation, found from eigenvalues, with the form; also with friction 2γẋ."""
    for m, k in MODES:
        width, name = 1e-7, f"m = {m:g}, K = {k:g}"
        found, halved = fastest(m, k, 1.0, width), fastest(m, k, 2.0, width)
        # Where two eigenvalues meet they are known to the root of the rounding error only.
        error = width + 4.0 * found * math.sqrt(np.finfo(float).eps)
        yield gridded(f"coefficient of ẋ, {name}", trial.predict(m, k), found, error, source="width of the search")
        literal = critical_damping.friction_as_written(m, k)
        yield gridded(f"γ in 2γẋ, {name}", literal, halved, error, source="width of the search")
    line = np.linspace(0.2, 5.0, 97)
    shown = np.linspace(0.25, 5.0, 20)
    yield Series(
        "Relaxation of a harmonic mode, m = K = 1", "friction coefficient γ", "slowest rate",
        (Curve("form", line, [float(critical_damping.relaxation_rate(c, mass=1.0, stiffness=1.0)) for c in line]),),
        (Points("eigenvalues", shown, [-slowest_decay(1.0, 1.0, c) for c in shown]),),
    )  # fmt: skip


@DAMPING.check
def end_of_ringing(trial: Trial) -> Iterator[Comparison | Series]:
    """Integrate the motion, and find where the frequency of its zeros, (π/Δt)², which is linear in γ², goes to zero."""
    for m, k in MODES[: trial.pick(brief=1, quick=3, full=3)]:
        coefficients = np.array([0.3, 0.7, 1.1]) * math.sqrt(m * k)
        squares = [squared_frequency(m, k, c) for c in coefficients]
        lines = [np.polyfit(coefficients[pair] ** 2, squares[pair], 1) for pair in (slice(0, 2), slice(1, 3))]
        found, other = (math.sqrt(-intercept / slope) for slope, intercept in lines)
        error = abs(found - other) + 1e-9 * found
        name = f"m = {m:g}, K = {k:g}"
        yield gridded(f"end of ringing, {name}", trial.predict(m, k), found, error, source="two pairs of frictions")
        if (m, k) == MODES[0]:
            yield Series(
                "Frequency of the zeros, m = K = 1", "γ²", "(π/Δt)²",
                (Curve("form", [0.0, 4.0], [1.0, 0.0]),), (Points("motion", coefficients**2, squares),),
            )  # fmt: skip


def squared_frequency(mass: float, stiffness: float, coefficient: float) -> float:
    """Return (π/Δt)² from the time Δt between the first two zeros of the motion that begins at rest."""
    from scipy.integrate import solve_ivp

    def force(_: float, y: np.ndarray) -> list[float]:
        return [y[1], -(coefficient * y[1] + stiffness * y[0]) / mass]

    def position(_: float, y: np.ndarray) -> float:
        return float(y[0])

    span = 15.0 * math.sqrt(mass / stiffness)
    run = solve_ivp(force, (0.0, span), [1.0, 0.0], "DOP853", events=position, rtol=1e-11, atol=1e-14)
    return (math.pi / float(run.t_events[0][1] - run.t_events[0][0])) ** 2


@DAMPING.check
def spectrum_of_the_density(trial: Trial) -> Iterator[Comparison]:
    """Compare the friction at which rates of the Klein–Kramers operator of a harmonic well turn real with the form."""
    cells = trial.pick(brief=0, quick=100, full=200)
    for m, k in MODES[: trial.pick(brief=0, quick=2, full=3)]:
        fine, coarse = (where_rates_turn_real(m, k, number) for number in (cells, cells // 2))
        value, error = richardson(fine, coarse)
        yield gridded(f"density, m = {m:g}, K = {k:g}", trial.predict(m, k), value, error)


def where_rates_turn_real(mass: float, stiffness: float, cells: int) -> float:
    """Return the coefficient at which the imaginary part of the slowest rates, linear in γ² when squared, vanishes."""
    frequency, temperature = math.sqrt(stiffness / mass), 0.5
    x, v = 6.0 * math.sqrt(temperature / stiffness), 7.2 * math.sqrt(temperature / mass)
    grid = fp.Grid(x=(-x, x, cells), velocity={"x": (-v, v, 8)})
    squares, frictions = [], np.array([0.8, 1.4]) * frequency
    for friction in frictions:
        dynamics = fp.UnderdampedLangevin(
            fp.Landscape(f"{stiffness!r}*x**2/2"), temperature=temperature, friction=float(friction), mass=mass
        )
        rates = fp.spectrum(kinetic_generator(dynamics, grid, functions=8), k=3).rates
        squares.append(float(np.abs(rates[1:].imag).max()) ** 2)
    slope, intercept = np.polyfit(frictions**2, squares, 1)
    return mass * math.sqrt(-intercept / slope)


@DAMPING.check
def momentum_of_the_heavy_ball(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the momentum at which the heavy ball relaxes fastest with μ*, by its spectral radius and by runs."""
    products = trial.pick(brief=(0.04, 1.5), quick=(0.01, 0.04, 0.3, 1.5, 3.0), full=(0.001, 0.01, 0.04, 0.3, 1.5, 3.0))
    for product in products:
        best = critical_momentum(1.0, product)
        form = critical_damping.momentum(1.0, learning_rate=product)
        error = best.error + 2.0 * math.sqrt(np.finfo(float).eps)
        yield gridded(f"μ*, ηh = {product:g}", form, best.value, error, source="search, root of rounding")
        rate = critical_damping.contraction(1.0, learning_rate=product)
        yield gridded(f"contraction, ηh = {product:g}", rate, best.radius, error, source="search, root of rounding")
    yield from runs_of_the_heavy_ball(trial)


def runs_of_the_heavy_ball(trial: Trial) -> Iterator[Comparison | Series]:
    """Run the heavy ball at many momenta and find the one with which it shrinks fastest."""
    eta, landscape, steps = 0.04, fp.Landscape("x**2/2"), trial.pick(brief=400, quick=2000, full=2000)
    momenta = np.linspace(0.3, 0.95, trial.pick(brief=27, quick=131, full=261))
    # Two runs whose states span the plane (x, v): together they shrink as the slowest mode does, whatever the start.
    x, velocity = np.ones((len(momenta), 2)), np.zeros((len(momenta), 2))
    x[:, 1], velocity[:, 1] = 0.0, 1.0
    logarithm = np.zeros(len(momenta))
    for _ in range(steps):
        velocity = momenta[:, None] * velocity - eta * landscape.gradient(x[..., None])[..., 0]
        x = x + velocity
        size = np.sqrt((x**2 + velocity**2).sum(axis=1))
        x, velocity, logarithm = x / size[:, None], velocity / size[:, None], logarithm + np.log(size)
    contraction = np.exp(logarithm / steps)
    best = int(contraction.argmin())
    form, spacing = critical_damping.momentum(1.0, learning_rate=eta), float(momenta[1] - momenta[0])
    # The double root adds a factor n, which near μ* hides what is faster by less than ln(n)/n.
    hidden = math.log(steps) / steps
    yield gridded("μ* by runs, ηh = 0.04", form, momenta[best], spacing + hidden, source="spacing, length of runs")
    rate = critical_damping.contraction(1.0, learning_rate=eta)
    yield gridded("contraction by runs, ηh = 0.04", rate, contraction[best], spacing + hidden, source="as for μ*")
    line = np.linspace(0.3, 0.95, 131)
    radii = [float(np.abs(np.roots([1.0, -(1.0 + mu - eta), mu])).max()) for mu in line]
    yield Series(
        "Contraction of the heavy ball at ηh = 0.04", "momentum μ", "factor per step",
        (Curve("largest root", line, radii),), (Points("runs", momenta, contraction),),
    )  # fmt: skip
