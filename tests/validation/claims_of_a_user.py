"""Claims as a user registers them: some that agree, and one for each way not to."""

from __future__ import annotations

import math
import os
import signal

import numpy as np

from fpsolver.validation import Comparison, Curve, Points, Series, bounded, claim, misses, rounded, slope, statistical
from fpsolver.validation.worker import inside

variance = claim(
    "user.variance",
    title="Variance of a harmonic mode, k < ∞",
    as_written="⟨x²⟩ = T",
    statement="⟨x²⟩ = T/k for the Boltzmann density e^{−kx²/2T}",
    verdict="false as written",
    sources=("any textbook <of statistical physics> & more",),
    family="harmonic",
    written=lambda temperature, stiffness: temperature,
    corrected=lambda temperature, stiffness: temperature / stiffness,
)


@variance.check
def samples(trial):
    """Samples of the Boltzmann density at T = 0.5 for four stiffnesses."""
    stiffness = np.array([0.5, 1.0, 2.0, 4.0])
    random = np.random.default_rng(trial.seed)
    number = trial.pick(brief=1000, quick=4000, full=10**6)
    measured = random.normal(0.0, np.sqrt(0.5 / stiffness), (number, 4)).var(axis=0)
    errors = measured * math.sqrt(2.0 / number)
    for k, value, error in zip(stiffness, measured, errors, strict=True):
        yield statistical(f"k = {k:g}", trial.predict(0.5, k), value, error)
    yield misses("k = 4 as written", 0.5, measured[3], errors[3])
    yield Series(
        "variance against stiffness",
        "stiffness k",
        "variance ⟨x²⟩",
        (Curve("T/k", stiffness, 0.5 / stiffness), Curve("T", stiffness, np.full(4, 0.5))),
        (Points("samples", stiffness, measured, errors),),
        "xy",
        slope("power of the stiffness", stiffness, measured, -1.0, errors=errors),
    )


@variance.check
def quadrature(trial):
    """A sum over a grid, whose error is beyond all orders of the spacing."""
    x = np.linspace(-8.0, 8.0, 2001)
    weight = np.exp(-2.0 * x**2)
    yield rounded("k = 2", trial.predict(0.5, 2.0), np.sum(x**2 * weight) / np.sum(weight), rounding=1e-13)
    yield bounded("the variance is positive", 0.0, np.sum(x**2 * weight), side="≥")


wrong = claim("user.wrong", title="A wrong claim", as_written="π = 22/7", statement="π = 22/7", verdict="exact")


@wrong.check
def half_circumference(trial):
    """Archimedes."""
    yield rounded("π", 22 / 7, math.pi, rounding=1e-12)
    yield Comparison("not a number", 1.0, math.nan, 0.0, "none", 1.0, "none")


broken = claim("user.broken", title="A broken check", as_written="a", statement="a", verdict="bound", family="broken")


@broken.check
def raises(trial):
    """Breaks after the first comparison."""
    yield rounded("one", 1.0, 1.0, rounding=0.0)
    raise ArithmeticError("no convergence")


@broken.check
def yields_nothing(trial):
    """Has nothing to compare."""
    return ()


@broken.check
def yields_a_number(trial):
    """Forgets to compare."""
    yield 1.0


killed = claim("user.killed", title="A check that is killed", as_written="a", statement="a", verdict="bound")


@killed.check
def takes_all_memory(trial):
    """Ends as if the system had killed it."""
    if inside():
        os.kill(os.getpid(), signal.SIGKILL)
    yield rounded("one", 1.0, 1.0, rounding=0.0)
