"""Claim D2: attempt rates from a local entropy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.dynamics.jump import entropic_attempt_rate
from fpsolver.theory import attempt_rates
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
    slope,
    statistical,
)
from fpsolver.validation.reactions.on_cells import jumps, moment, on_line

D2 = claim(
    "D2",
    family="reactions",
    title="Attempt rate from a local entropy",
    as_written="A(θ) = e^{S(θ)/k_B}/τ₀",
    statement="The sign of S is wrong. Jumps in balance with e^{−L/T} at constant A have the stationary density "
    "e^{−L/T}/A(θ) at a local one, so that A = e^{S}/τ₀ makes e^{−L/T − S}: wide valleys would be rare. Langer's "
    "A = e^{S_saddle − S}/τ₀ makes e^{−L/T + S}, the density of θ with all other directions resolved, where those are "
    "harmonic and S = −½ ln det of their stiffness; and the rate over a saddle is e^{S_saddle − S_min} times that "
    "along the path, to O(T/ΔL). As a reduced model it is as good as those directions are fast.",
    verdict="heuristic",
    sources=(attempt_rates.LANGER, "own derivation: p ∝ e^{−L/T}/A from detailed balance"),
    written=attempt_rates.variance_as_circulated,
    corrected=attempt_rates.langer_variance,
)

TEMPERATURE = 0.5


@D2.check
def all_directions_resolved(trial: Trial) -> Iterator[Comparison | Series]:
    """Variance along valleys with stiffness e^{−S''x²} across, of Langevin dynamics in the plane, against the form."""
    curvatures = np.array([-1.2, -0.8, -0.4, 0.4])
    predicted, measured, errors = [], [], []
    for curvature in curvatures:
        landscape = fp.Landscape(f"x**2/2 + exp({float(-curvature)!r}*x**2)*y**2/2")
        # Beyond 5.5 standard deviations there are 1e-6 of a variance; the valley may be wide or narrow out there.
        along = 5.5 * math.sqrt(1.0 / (1.0 / TEMPERATURE - curvature))
        across = 6.0 * math.sqrt(TEMPERATURE * math.exp(max(curvature, 0.0) * along**2))
        found = []
        for factor in (2, 1):
            cells = factor * trial.pick(brief=32, quick=64, full=128)
            faces = across * np.linspace(-1.0, 1.0, 2 * cells + 1) ** 3  # narrow cells where the valley may be narrow
            grid = fp.Grid(
                x=fp.Axis(-along, along, cells, boundary="reflecting"), y=fp.Axis(faces=faces, boundary="reflecting")
            )
            W = fp.generator(fp.Langevin(landscape, temperature=TEMPERATURE), grid)
            mass = np.asarray(fp.stationary(W)) * grid.volumes
            found.append(float(np.sum(mass * grid.points[..., 0] ** 2)))
        form = trial.predict(1.0, entropy_curvature=curvature, temperature=TEMPERATURE)
        value, error = richardson(*found)
        predicted.append(float(form))
        measured.append(value)
        errors.append(error)
        yield gridded(f"⟨x²⟩ in the plane, S'' = {curvature:g}", form, value, error, rounding=2e-6)
    yield Series(
        "Variance along a valley that narrows (S'' < 0) or widens", "S''", "⟨x²⟩",
        (Curve("form under test", curvatures, predicted),),
        (Points("Langevin dynamics in the plane", curvatures, measured, errors),),
    )  # fmt: skip


@D2.check
def jumps_with_either_attempt_rate(trial: Trial) -> Iterator[Comparison | Series]:
    """Stationary variance of jumps with either attempt rate on cells: 0.8333 as circulated, 0.3571 Langer's."""
    cells = trial.pick(brief=121, quick=241, full=481)
    curvatures = np.array([-0.8, -0.4, 0.4, 0.8])
    forms = {
        "as circulated": (None, attempt_rates.variance_as_circulated),
        "Langer's": (0.0, attempt_rates.langer_variance),
    }
    curves, points = [], []
    for name, (saddle, form) in forms.items():
        closed = [float(form(1.0, entropy_curvature=c, temperature=TEMPERATURE)) for c in curvatures]
        measured, errors = [], []
        for curvature in curvatures:
            rate = entropic_attempt_rate(f"{float(curvature) / 2!r}*x**2", saddle=saddle)
            process = jumps("x**2/2", TEMPERATURE, 0.5, attempt_rate=rate)
            pair = [on_line(process, 6.0, number) for number in (cells, (cells + 1) // 2)]
            value, error = richardson(*(moment(W, fp.stationary(W), 2) for W in pair))
            measured.append(value)
            errors.append(error)
        for index in range(len(curvatures)):
            title = f"⟨x²⟩ of jumps, {name}, S'' = {curvatures[index]:g}"
            yield gridded(title, closed[index], measured[index], errors[index], rounding=1e-7)
        curves.append(Curve(f"{name}: e^{{−L/T}}/A", curvatures, closed))
        points.append(Points(f"{name}: jumps on cells", curvatures, measured, errors))
    yield Series("What an attempt rate makes of x²/2", "S''", "⟨x²⟩", tuple(curves), tuple(points))


@D2.check
def rate_over_a_saddle(trial: Trial) -> Iterator[Comparison | Series]:
    """λ₁ in a valley four times stiffer at the saddle's foot, over λ₁ along its floor, against e^{ΔS} of both readings.

    Across the valley (1 + 3x²)y²/2 the entropy is S = −½ ln(1 + 3x²): −ln 2 at the minima and 0 at the saddle.
    """
    temperatures = np.geomspace(0.01, 0.1, trial.pick(brief=4, quick=5, full=7))
    cells = trial.pick(brief=32, quick=64, full=128)
    plane, line = fp.Landscape("x**4/4 - x**2/2 + (1 + 3*x**2)*y**2/2"), fp.Landscape("x**4/4 - x**2/2")
    ratios, errors = [], []
    for temperature in temperatures:
        (wide, doubt), (narrow, other) = (
            richardson(*(_gap(landscape, temperature, number) for number in (2 * cells, cells)))
            for landscape in (plane, line)
        )
        ratios.append(wide / narrow)
        errors.append(ratios[-1] * (doubt / wide + other / narrow))
    langer, circulated = (
        float(form(-math.log(2.0), saddle_entropy=0.0)) for form in (attempt_rates.langer, attempt_rates.as_circulated)
    )
    yield Series(
        "Escape in a valley over escape along its floor", "T/ΔL", "ratio of rates",
        (Curve("Langer's factor", temperatures / 0.25, np.full_like(temperatures, langer)),
         Curve("as circulated", temperatures / 0.25, np.full_like(temperatures, circulated))),
        (Points("generators on cells", temperatures / 0.25, ratios, errors),), "x",
        slope("power of T in what Langer's factor leaves", temperatures, np.array(ratios) - langer, 1.0),
    )  # fmt: skip
    size = float(temperatures[0]) / 0.25
    yield Comparison(
        f"ratio of rates, T/ΔL = {size:g}", langer, ratios[0], errors[0], "grid error", langer * size + errors[0],
        "the formula's small parameter T/ΔL",
    )  # fmt: skip
    yield misses(f"ratio of rates as circulated, T/ΔL = {size:g}", circulated, ratios[0], errors[0], margin=size)


def _gap(landscape: fp.Landscape, temperature: float, cells: int) -> float:
    along, across = 1.0 + 4.0 * math.sqrt(temperature), 6.5 * math.sqrt(temperature)
    axes: dict[str, Any] = {name: (-across, across, cells // 2) for name in landscape.variables[1:]}
    W = fp.generator(fp.Langevin(landscape, temperature=temperature), fp.Grid(x=(-along, along, cells), **axes))
    return float(fp.spectrum(W, k=2).rates[1])


@D2.check
def trajectories_in_a_valley(trial: Trial) -> Iterator[Comparison | Series]:
    """Variance along a narrowing valley from Langevin trajectories in the plane, against the form."""
    if trial.effort == "brief":
        return
    landscape = fp.Landscape("x**2/2 + exp(0.2*x**2)*y**2/2")
    number, dt = trial.pick(brief=0, quick=200_000, full=2_000_000), 0.01
    dynamics = fp.Langevin(landscape, temperature=TEMPERATURE)
    runs = [
        fp.simulate(dynamics, number, [0.0, 0.0], step, 8.0, seed=trial.seed, experiment=6130 + index)
        for index, step in enumerate((dt, 2 * dt))
    ]
    squares = [run.final[:, 0] ** 2 for run in runs]
    error = float(squares[0].std()) / math.sqrt(number)
    form = trial.predict(1.0, entropy_curvature=-0.2, temperature=TEMPERATURE)
    bias = abs(float(squares[0].mean() - squares[1].mean()))
    yield statistical(
        "⟨x²⟩ of trajectories", form, squares[0].mean(), error, bias=bias, bias_source="time step, from 2dt"
    )
