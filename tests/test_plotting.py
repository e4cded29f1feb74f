"""Plots: every kind of result gives readable PNG files, and nothing outside the folder changes."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from fpsolver.drawing import View, evenly_chosen, is_logarithmic, window, with_unit
from fpsolver.errors import StorageError
from fpsolver.plotting import PLOTS, default_folder, distinct_modes, plot_results
from fpsolver.storage import open_results
from fpsolver.studies.execution import run_study
from fpsolver.studies.study import study_from_text

ONE = """
title = "one variable"
[landscape]
expression = "x**4/4 - x**2/2"
[dynamics]
temperature = 0.2
[grid.x]
lower = -2.5
upper = 2.5
cells = 60
[initial]
kind = "gaussian"
mean = [-1.0]
covariance = [[0.02]]
[evolve]
times = { start = 0.1, stop = 50, number = 6, spacing = "logarithmic" }
[stationary]
[spectrum]
[first_passage]
target = "x >= 1"
start = [-1]
"""
TWO = """
title = "two variables"
[landscape]
expression = "x**2/2 + y**2"
[dynamics]
temperature = 0.5
force = ["y", "-x"]
[grid.x]
lower = -5
upper = 5
cells = 30
[grid.y]
lower = -4
upper = 4
cells = 24
[initial]
kind = "gaussian"
mean = [1.0, 0.0]
covariance = 0.3
[evolve]
times = [0.0, 0.5, 1.0]
[stationary]
[spectrum]
k = 3
[first_passage]
target = "x >= 2"
[units]
time = "s"
variables.x = "cm"
"""
KINETIC = """
title = "phase space"
[landscape]
expression = "x**2/2"
[dynamics]
kind = "underdamped"
temperature = 1.0
friction = 1.0
[grid.x]
lower = -6
upper = 6
cells = 40
[grid.velocity.x]
lower = -6
upper = 6
cells = 32
[initial]
kind = "gaussian"
mean = [1.0, 0.0]
covariance = [0.5, 1.0]
[evolve]
times = [0.0, 0.5]
error_estimate = "none"
[spectrum]
k = 3
"""
DENSITY_PLOTS = [name for name in PLOTS if not name.startswith("ensemble_")]
EXPECTED = {
    "one": DENSITY_PLOTS,
    "two": DENSITY_PLOTS,
    "kinetic": ["density", "observables", "rates", "modes"],
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Give a result file of each kind."""
    folder = tmp_path_factory.mktemp("results")
    texts = {"one": ONE, "two": TWO, "kinetic": KINETIC}
    return {
        name: run_study(study_from_text(text), folder / f"{name}.h5", progress=False).path
        for name, text in texts.items()
    }


@pytest.fixture(scope="module")
def drawn(results):
    """Give the plots of each kind, drawn once; the user's settings stay."""
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots = {kind: plot_results(path) for kind, path in results.items()}
    assert dict(matplotlib.rcParams) == before, "the settings of the user were changed"
    return plots


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_result_is_drawn(drawn, kind):
    assert [path.stem for path in drawn[kind]] == EXPECTED[kind]
    for path in drawn[kind]:
        content = path.read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", content[16:24])
        assert 600 < width < 2500 and 300 < height < 2500
    folder = drawn[kind][0].parent
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in drawn[kind])


def test_pictures_are_not_blank(drawn):
    from matplotlib.image import imread

    for path in drawn["two"]:
        pixels = imread(path)[::3, ::3, :3]
        assert 0.01 < (pixels.min(axis=-1) < 0.9).mean() < 0.95, path


def test_existing_plots_are_kept(results, tmp_path):
    folder = tmp_path / "plots"
    folder.mkdir()
    (folder / "density.png").write_bytes(b"precious")
    with pytest.raises(StorageError, match="does not exist"):
        plot_results(results["kinetic"], tmp_path / "absent" / "plots")
    with pytest.raises(StorageError, match=r"holds density\.png"):
        plot_results(results["kinetic"], folder)
    assert (folder / "density.png").read_bytes() == b"precious"
    plot_results(results["kinetic"], folder, overwrite=True)
    assert (folder / "density.png").read_bytes() != b"precious"


def test_a_conjugate_pair_is_shown_once(results):
    with open_results(results["kinetic"]) as store:
        modes = distinct_modes(View(store))
        rates, shapes = store["spectrum/rate"], store["spectrum/mode_shape"]
    # x²/2 at γ = 1: the rates are 0 and 1/2 ± i√3/2, the imaginary part to second order in h = 0.3.
    assert len(modes) == 1 and modes[0][0].startswith("modes 1, 2: rates 0.5 ± 0.8")
    shape = modes[0][1]
    assert np.abs(shape).max() == pytest.approx(1) and shape.flat[np.abs(shape).argmax()] == pytest.approx(1)
    plus = shapes[np.flatnonzero(rates.imag > 0)[0]]
    ratio = (plus / shape)[np.abs(shape) > 0.1]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)
    with open_results(results["one"]) as store:
        real = distinct_modes(View(store))
        assert len(real) == 3 and not any(np.iscomplexobj(shape) for _, shape in real)


def test_labels_carry_units(results):
    with open_results(results["two"]) as store:
        view = View(store)
        assert view.label("x") == "x [cm]" and view.label("y") == "y"
    with open_results(results["kinetic"]) as store:
        view = View(store)
        assert view.names == ("x", "v_x") and view.label("v_x") == "velocity of x"
        assert view.minimum.tolist() == [0.0, 0.0]
        x, v = view.centres
        np.testing.assert_allclose(view.energy, x[:, None] ** 2 / 2 + v**2 / 2)
    assert with_unit("time", "1") == "time"


def test_default_folder_lies_beside_the_file(tmp_path):
    assert default_folder(tmp_path / "out.h5") == tmp_path / "out_plots"


def test_choices_of_frames_and_windows():
    assert evenly_chosen(np.arange(5), 12).tolist() == [0, 1, 2, 3, 4]
    chosen = evenly_chosen(np.arange(100), 12)
    assert (len(chosen), chosen[0], chosen[-1]) == (12, 0, 99)
    assert is_logarithmic(np.geomspace(0.1, 100, 20)) and not is_logarithmic(np.linspace(0, 100, 20))
    faces = np.linspace(0, 10, 11)
    low, high = window(np.array([0, 0, 0, 1, 1, 0, 0, 0, 0, 0.0]), faces)
    assert 2 < low < 3 and 5 < high < 6
    assert window(np.zeros(10), faces) == (0, 10)
