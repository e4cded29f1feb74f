"""Whole runs with trajectories: against closed forms, against the density, and what is left when one fails."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import StudyError, TrajectoryError
from fpsolver.storage import consolidate
from fpsolver.studies.ensemble_run import cell_probabilities, compared
from fpsolver.studies.execution import run_study
from fpsolver.studies.study import study_from_text

# A trap that is dragged: everything is known in closed form, and the exact scheme has no time-step error.
DRAGGED = """\
title = "a dragged trap"
seed = 5
[landscape]
expression = "(x - c)**2/2"
variables = ["x"]
parameters = { c = 0.0 }
[dynamics]
temperature = 0.5
protocol.c = { kind = "ramp", start = 0.0, stop = 1.0, duration = 2.0 }
[grid.x]
lower = -4.0
upper = 5.0
cells = 180
[initial]
kind = "gaussian"
mean = [0.0]
covariance = 0.5
[evolve]
times = [0.0, 1.0, 3.0]
error_estimate = "none"
[simulate]
n = 20_000
dt = 0.05
scheme = "ornstein-uhlenbeck"
functionals = ["work", "entropy_flow"]
density = true
observe = [
  { kind = "log-sum-exp", quantity = "entropy_production", factor = -1.0 },
  { kind = "moments", quantities = ["x", "work"] },
  { kind = "histogram" },
  { kind = "log-sum-exp", quantity = "work" },
]
[units]
time = "s"
loss = "nat"
variables.x = "cm"
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "out.h5"
    return run_study(study_from_text(DRAGGED), path, progress=False)


def test_the_numbers_are_those_of_the_process(finished):
    # With v = ċ = 1/2: ⟨x⟩ = c − v(1 − e^(−t)) while it is dragged; ⟨W⟩ = v²(t − 1 + e^(−t)), var W = 2T⟨W⟩.
    with fp.open_results(finished.path) as store:
        found = store.table("ensemble/moments_x_work").variables
        mean, error = found["mean"].values, found["mean_standard_error"].values
        t = np.array([0.0, 1.0])
        expected = 0.5 * t - 0.5 * (1 - np.exp(-t))
        work = 0.25 * (np.array([1.0, 2.0]) - 1 + np.exp([-1.0, -2.0]))
        assert (np.abs(mean[:2, 0] - expected) < 5 * error[:2, 0]).all()
        # The protocol moves in steps of dt: the work of one differs from the integral by O(dt²), 1e-3 here.
        assert (np.abs(mean[1:, 1] - work) < 5 * error[1:, 1] + 1e-3).all()
        spread = found["covariance"].values[1:, 1, 1], found["covariance_standard_error"].values[1:, 1, 1]
        assert (np.abs(spread[0] - work) < 5 * spread[1] + 1e-3).all()
        free = store.table("ensemble/log_sum_exp_work").variables
        assert (np.abs(free["value"].values) <= 5 * free["standard_error"].values + 1e-12).all()
        # The theorem holds for any final density; a cell of width h that stands for a Gaussian adds O(h²/24) = 1e-4.
        theorem = store.table("ensemble/log_sum_exp_entropy_production").variables
        assert (np.abs(theorem["value"].values) <= 5 * theorem["standard_error"].values + 1e-3).all()
        assert found["mean"].units == "cm, nat" and store.variable("ensemble/time").units == "s"
        assert store.attributes["seed"] == 5
        assert store.attributes["solvers"]["simulate"]["scheme"] == "ornstein-uhlenbeck"


def test_histograms_are_tested_against_the_density(finished):
    with fp.open_results(finished.path) as store:
        table = store.table("comparison/histogram_x")
    p = table.variables["p_value"].values
    # One false alarm in 30 000 runs by chance; the bias of a grid of 180 cells adds less than one to the statistic.
    assert p.shape == (3,) and p.min() > 1e-5
    assert (table.variables["degrees_of_freedom"].values > 40).all()
    np.testing.assert_array_equal(finished.simulation["comparisons"]["histogram_x"]["p_value"], p)


def test_a_wrong_density_is_found():
    # The trap of the density is 10% stiffer: its variance is off by ten standard errors of that of the sample, which
    # adds about n/2 · 0.1²/2 · 2 = 100 to a statistic of 80 ± 13.
    text = (
        DRAGGED.replace('["work", "entropy_flow"]', "[]").replace(', "work"', "").replace("protocol.c", "# protocol.c")
    )
    lines = [line for line in text.splitlines() if "log-sum-exp" not in line and "density = true" not in line]
    study = study_from_text("\n".join(lines))
    right = fp.simulate(study.dynamics, **study.ensemble.arguments())
    stiff = fp.Langevin(fp.Landscape("1.1*x**2/2"), temperature=0.5)
    for dynamics, agrees in ((study.dynamics, True), (stiff, False)):
        evolution = fp.evolve(fp.generator(dynamics, study.grid), study.initial, study.times)
        test = compared(right.observables["histogram_x"], ("x",), evolution, study.grid)
        assert (test["p_value"][-1] > 1e-4) == agrees


def test_the_summary_tells_it(finished):
    from fpsolver.report import summary

    text = summary(study_from_text(DRAGGED), finished)
    for words in ("20000 by ornstein-uhlenbeck, dt = 0.05, to t = 3; seed 5", "particle-steps/s", "mean work",
                  "ln⟨exp(-2 work)⟩", "effective samples of 20000", "χ² at 3 times, p from"):  # fmt: skip
        assert words in text
    assert "no chance" not in text


def test_a_disagreement_beyond_chance_is_said(tmp_path):
    from fpsolver.report import summary

    # Euler–Maruyama with steps of 0.5 has the variance T/(1 − 0.25), a third too large.
    study = study_from_text(DRAGGED, overrides=["simulate.scheme=euler-maruyama", "simulate.dt=0.5"])
    assert "no chance" in summary(study, run_study(study, tmp_path / "out.h5", progress=False))


def test_the_same_study_gives_the_same_numbers(finished, tmp_path):
    again = run_study(study_from_text(DRAGGED), tmp_path / "again.h5", progress=False)
    with fp.open_results(finished.path) as first, fp.open_results(again.path) as second:
        assert first.groups == second.groups
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_a_study_of_trajectories_alone(tmp_path):
    text = """
seed = 1
[landscape]
name = "double_well"
[dynamics]
kind = "underdamped"
temperature = 0.2
friction = 1.0
[initial]
kind = "point"
position = [-1.0]
[simulate]
n = 600
dt = 0.05
times = { stop = 2.0, number = 5 }
final = true
observe = [{ kind = "mean", quantities = ["x", "v_x**2"] }]
"""
    outcome = run_study(study_from_text(text), tmp_path / "out.h5", progress=False)
    with fp.open_results(outcome.path) as store:
        assert set(store.groups) == {"ensemble", "ensemble/mean_x_v_x_2", "ensemble/final"}
        assert store["ensemble/mean_x_v_x_2/time"].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
        assert store["ensemble/final/v_x"].shape == (600,)
    from fpsolver.report import summary

    assert "600 by baoab" in summary(study_from_text(text), outcome)


def test_the_density_must_be_known_when_it_is_wanted():
    for old, new, expected in (
        ("times = [0.0, 1.0, 3.0]", "times = [1.0, 3.0]", "simulate.density: [evolve] has no density at t = 0;"),
        ("n = 20_000", "n = 20_000\ntimes = [2.0]", "simulate.density: [evolve] has no density at t = 2;"),
        ("[evolve]", "[stationary]\n[other]", "simulate.density: needs the density; add the table [evolve]"),
        ("density = true", "", "there is no quantity 'entropy_production'"),
    ):
        with pytest.raises(StudyError, match=re.escape(expected)):
            study_from_text(DRAGGED.replace(old, new))


def test_walls_and_strange_times_are_not_compared():
    text = DRAGGED.replace("cells = 180", 'cells = 180\nboundary = "reflecting"')
    study = study_from_text(text)
    evolution = fp.evolve(study.generator, study.initial, study.times)
    ensemble = fp.simulate(study.dynamics, **study.ensemble.arguments(), density=evolution)
    assert compared(ensemble.observables["histogram_x"], ("x",), evolution, study.grid) is None
    free = study_from_text(DRAGGED).grid
    later = fp.evolve(study.generator, study.initial, [0.5])
    assert compared(ensemble.observables["histogram_x"], ("x",), later, free) is None


def test_marginals_follow_the_order_of_the_axes():
    grid = fp.Grid(x=(0, 1, 3), y=(0, 2, 4), z=(0, 1, 2))
    density = np.random.default_rng(1).random(grid.shape)
    density /= (density * grid.volumes).sum()
    mass = density * grid.volumes
    np.testing.assert_allclose(cell_probabilities(density, ("z", "x"), grid), mass.sum(axis=1).T, rtol=1e-14)
    np.testing.assert_allclose(cell_probabilities(density, ("x", "y", "z"), grid), mass, rtol=1e-14)


def test_a_runaway_trajectory_ends_the_run_and_what_was_written_stays(tmp_path):
    # Steps of 0.4 in x⁴ grow beyond |x| of about 1.1: the ensemble has only a quasi-stationary state.
    text = """
seed = 1
[landscape]
expression = "x**4"
[dynamics]
temperature = 0.5
[grid.x]
lower = -2
upper = 2
cells = 40
[initial]
kind = "point"
position = [0.0]
[stationary]
[simulate]
n = 5000
dt = 0.4
t_final = 400.0
"""
    with pytest.raises(TrajectoryError, match=r"trajectory \d+ became infinite or NaN in step \d+"):
        run_study(study_from_text(text), tmp_path / "out.h5", progress=False)
    assert not (tmp_path / "out.h5").exists()
    saved = consolidate(tmp_path / "out.h5.partial", tmp_path / "saved.h5")
    with fp.open_results(saved) as store:
        assert {"grid", "stationary"} <= set(store.groups)
