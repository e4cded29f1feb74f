"""Plots of ensembles: one for each kind of observable, not blank, with units; the density beside what it belongs to."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.drawing import View
from fpsolver.ensemble_plots import PLOTS, tables_of
from fpsolver.plotting import plot_results
from fpsolver.storage import save_ensemble
from fpsolver.studies.execution import run_study
from fpsolver.studies.study import study_from_text

STUDY = """
title = "two variables"
seed = 2
[landscape]
expression = "a*x**2/2 + y**2"
variables = ["x", "y"]
parameters = { a = 1.0 }
[dynamics]
temperature = 0.5
protocol.a = "1 + t"
[grid.x]
lower = -4
upper = 4
cells = 24
[grid.y]
lower = -3
upper = 3
cells = 20
[initial]
kind = "gaussian"
mean = [0.0, 0.0]
covariance = [0.5, 0.25]
[evolve]
times = [0.0, 0.5, 1.0]
error_estimate = "none"
[simulate]
n = 5000
dt = 0.05
functionals = ["work"]
observe = [
  { kind = "moments", quantities = ["x", "work"] },
  { kind = "mean", quantities = ["loss"] },
  { kind = "histogram" },
  { kind = "histogram", quantities = ["y"] },
  { kind = "quantiles", quantity = "work" },
  { kind = "log-sum-exp", quantity = "work" },
  { kind = "trajectories", numbers = [0, 1, 2], quantities = ["x", "work"] },
]
[units]
time = "s"
loss = "nat"
variables.x = "cm"
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("plots") / "out.h5"
    return run_study(study_from_text(STUDY), path, progress=False).path


@pytest.fixture(scope="module")
def drawn(results):
    return plot_results(results)


def test_every_kind_is_drawn_and_none_is_blank(drawn):
    from matplotlib.image import imread

    assert [path.stem for path in drawn] == ["density", "observables", *PLOTS]
    for path in drawn:
        pixels = imread(path)[::3, ::3, :3]
        assert 0.005 < (pixels.min(axis=-1) < 0.9).mean() < 0.95, path
        assert 600 < imread(path).shape[1] < 2500


@pytest.mark.parametrize("name", PLOTS)
def test_axes_carry_names_and_units(results, name):
    with fp.open_results(results) as store:
        figure = PLOTS[name](View(store))
    labels = [text for panel in figure.get_axes() for text in (panel.get_xlabel(), panel.get_ylabel()) if text]
    expected = {
        "ensemble_moments": {"mean [cm]", "variance [nat²]", "mean [nat]", "time [s]"},
        "ensemble_histograms": {"x [cm]", "y", "density"},
        "ensemble_quantiles": {"quantiles of work [nat]", "time [s]"},
        "ensemble_averages": {"logarithm of the average", "number", "time [s]"},
        "ensemble_trajectories": {"x [cm]", "work [nat]", "time [s]"},
    }
    assert expected[name] <= set(labels)
    assert "two variables" in figure.get_suptitle() and "5000 trajectories" in figure.get_suptitle()


def test_the_density_is_drawn_over_the_histogram_of_its_axes(results):
    with fp.open_results(results) as store:
        figure = PLOTS["ensemble_histograms"](View(store))
        density, widths = store["density/density"], np.diff(store["grid/x_face"])
    curves = [line for panel in figure.get_axes() for line in panel.get_lines() if line.get_label() == "density"]
    assert len(curves) == 3
    np.testing.assert_allclose(curves[-1].get_ydata(), widths @ density[-1], rtol=1e-12)
    titles = [panel.get_title() for panel in figure.get_axes()]
    assert sum("χ²: p = " in title for title in titles) == 6


def test_an_ensemble_of_a_script_is_drawn_without_grid_and_density(tmp_path):
    trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
    observe = [fp.Moments(), fp.Histogram("x", (-2, 3, 25))]
    ensemble = fp.simulate(trap, 500, [1.0], 0.05, 1.0, seed=1, times=4, observe=observe)
    path = save_ensemble(ensemble, tmp_path / "trap.h5")
    assert [plot.stem for plot in plot_results(path)] == ["ensemble_moments", "ensemble_histograms"]
    with fp.open_results(path) as store:
        assert list(tables_of(View(store), "Moments")) == ["moments"]
