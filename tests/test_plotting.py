"""Plots: every kind of result gives readable PNG files, and nothing outside the folder changes."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from fpsolver.drawing import View, evenly_chosen, is_logarithmic, window, with_unit
from fpsolver.errors import StorageError
from fpsolver.plotting import PLOTS, default_folder, plot_results
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
EXPECTED = {
    "one": list(PLOTS),
    "two": list(PLOTS),
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


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_result_is_drawn(results, tmp_path, kind):
    drawn = plot_results(results[kind], tmp_path / "plots")
    assert [path.stem for path in drawn] == EXPECTED[kind]
    for path in drawn:
        content = path.read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", content[16:24])
        assert 600 < width < 2500 and 300 < height < 2500
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == sorted(path.name for path in drawn)


def test_pictures_are_not_blank(results, tmp_path):
    from matplotlib.image import imread

    for path in plot_results(results["two"], tmp_path / "plots"):
        pixels = imread(path)[::3, ::3, :3]
        assert 0.01 < (pixels.min(axis=-1) < 0.9).mean() < 0.95, path


def test_existing_plots_are_kept(results, tmp_path):
    folder = tmp_path / "plots"
    folder.mkdir()
    (folder / "density.png").write_bytes(b"precious")
    with pytest.raises(StorageError, match="does not exist"):
        plot_results(results["one"], tmp_path / "absent" / "plots")
    with pytest.raises(StorageError, match=r"holds density\.png"):
        plot_results(results["one"], folder)
    assert (folder / "density.png").read_bytes() == b"precious"
    plot_results(results["one"], folder, overwrite=True)
    assert (folder / "density.png").read_bytes() != b"precious"


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


def test_settings_of_the_user_are_left_alone(results, tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    plot_results(results["one"], tmp_path / "plots")
    assert dict(matplotlib.rcParams) == before
