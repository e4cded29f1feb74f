"""Whole runs: an Ornstein–Uhlenbeck study against closed forms, and what a failed run leaves behind."""

from __future__ import annotations

import warnings
from math import erf

import numpy as np
import pytest
from study_examples import GOOD

import fpsolver as fp
from fpsolver.errors import ConvergenceError, StorageError
from fpsolver.storage.encoding import ROOT_ATTRIBUTES
from fpsolver.studies import execution
from fpsolver.studies.study import study_from_text


@pytest.fixture
def good():
    """Give the text of a study without fault."""
    return GOOD


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "out.h5"
    return execution.run_study(study_from_text(GOOD, overrides=["grid.x.cells=240"]), path, progress=False)


def test_the_numbers_are_those_of_the_process(finished):
    # Ornstein–Uhlenbeck with k = 1, T = 1/2; errors are of second order in h = 0.05, so 1e-3 is generous.
    with fp.open_results(finished.path) as store:
        times = store["density/time"]
        mean, variance = np.exp(-times), 0.5 - 0.25 * np.exp(-2 * times)
        np.testing.assert_allclose(store["observables/mean"][:, 0], mean, atol=1e-3)
        np.testing.assert_allclose(store["observables/covariance"][:, 0, 0], variance, atol=1e-3)
        np.testing.assert_allclose(store["observables/mean_loss"], (mean**2 + variance) / 2, atol=1e-3)
        np.testing.assert_allclose(store["observables/entropy"], 0.5 * np.log(2 * np.pi * np.e * variance), atol=2e-3)
        np.testing.assert_allclose(store["spectrum/rate"], [0, 1, 2], atol=3e-3)
        np.testing.assert_allclose(store["spectrum/harmonic_rate"], [0, 1, 2], atol=1e-12)
        x, width = store["stationary/x"], np.diff(store["grid/x_face"])
        gaussian = np.exp(-(x**2)) / np.sqrt(np.pi)
        assert (np.abs(store["stationary/density"] - gaussian) * width).sum() < 1e-12
        state = store.table("stationary").attributes
        assert state["l1_difference"] < 1e-12
        # F = −T ln Z with Z = √(2πT); sums over cells of a Gaussian this smooth are exact to rounding.
        assert state["mean_loss"] == pytest.approx(0.25, rel=1e-12)
        assert state["entropy"] == pytest.approx(0.5 * np.log(np.pi * np.e), rel=1e-12)
        assert state["free_energy"] == pytest.approx(-0.25 * np.log(np.pi), rel=1e-12)
        assert store["grid/landscape"] == pytest.approx(x**2 / 2)
    assert finished.first_passage["time_from_start"] == pytest.approx(_passage_time(), rel=1e-3)


def _passage_time():
    """Return the mean time 0 → 2 of dx = −x dt + √(2T) dW at T = 1/2, by quadrature of its double integral."""
    from scipy.integrate import dblquad

    inner = dblquad(lambda z, y: np.exp(y**2 - z**2), 0, 2, -7, lambda y: y)[0]
    return 2 * inner


def test_the_root_says_where_the_numbers_come_from(finished, good):
    with fp.open_results(finished.path) as store:
        attributes = store.attributes
        assert set(attributes) == set(ROOT_ATTRIBUTES)
        assert attributes["study"] == good
        assert attributes["study_overrides"] == ["grid.x.cells=240"]
        assert attributes["seed"] == "" and attributes["title"] == "a parabola"
        assert 0 < attributes["wall_time"] < 600
        assert attributes["solvers"]["evolve"]["estimated_error"] <= 1e-8


def test_xarray_reads_a_run_without_a_warning(finished):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xarray.open_datatree(finished.path, engine="h5netcdf") as tree:
            tree.load()
    assert set(tree.children) == {"grid", "density", "observables", "stationary", "spectrum", "first_passage"}
    assert tree["density"]["density"].dims == ("time", "x")
    for node in tree.leaves:
        for name, array in node.to_dataset().variables.items():
            assert array.attrs["units"] and array.attrs["long_name"], name


def test_the_same_study_gives_the_same_numbers(finished, good, tmp_path):
    again = execution.run_study(
        study_from_text(good, overrides=["grid.x.cells=240"]), tmp_path / "again.h5", progress=False
    )
    with fp.open_results(finished.path) as one, fp.open_results(again.path) as two:
        assert list(one) == list(two)
        for name in one:
            assert np.array_equal(one[name], two[name]), name


def test_units_are_carried_to_every_array(good, tmp_path):
    overrides = ["units.time=step", "units.loss=nat", "units.variables.x=cm"]
    outcome = execution.run_study(study_from_text(good, overrides=overrides), tmp_path / "out.h5", progress=False)
    with fp.open_results(outcome.path) as store:
        units = {name: store.variable(name).units for name in store}
    assert units["density/density"] == "1/cm" and units["density/time"] == "step" and units["density/x"] == "cm"
    assert units["spectrum/rate_re"] == "1/step" and units["first_passage/mean_first_passage_time"] == "step"
    assert units["observables/mean_loss"] == "nat" and units["observables/covariance"] == "cm²"


def test_a_driven_and_an_absorbing_study(good, tmp_path):
    text = good[: good.index("[stationary]")]
    driven = study_from_text(text.replace("mobility = 1.0", 'protocol.k = "1 + t"'))
    outcome = execution.run_study(driven, tmp_path / "driven.h5", progress=False)
    # d⟨x⟩/dt = −(1 + t)⟨x⟩
    assert outcome.evolution["last"]["mean"] == pytest.approx([np.exp(-4.0)], abs=1e-3)
    wall = ["grid.x.lower=0.0", 'grid.x.boundary=["absorbing", "reflecting"]', "initial.covariance=0.01"]
    outcome = execution.run_study(study_from_text(text, overrides=wall), tmp_path / "absorbing.h5", progress=False)
    # With a wall at the bottom of the parabola the method of images holds: erf(mean/√(2 variance)). The error is of
    # second order in h = 0.05 and the scales are of order one: 2h².
    mean, variance = np.exp(-2.0), 0.5 + (0.01 - 0.5) * np.exp(-4.0)
    assert outcome.evolution["last"]["mass"] == pytest.approx(erf(mean / np.sqrt(2 * variance)), rel=5e-3)


def test_a_solver_that_misses_its_promise_ends_the_run_and_frames_stay(good, tmp_path, monkeypatch):
    from fpsolver.solvers import evolve as module

    honest = module.evolve

    def careless(*arguments, **options):
        solution = honest(*arguments, **options)
        solution.stats["estimated_error"] = 1.0
        return solution

    monkeypatch.setattr(module, "evolve", careless)
    monkeypatch.setattr("fpsolver.storage.segments.SEGMENT_SECONDS", 0.0)
    with pytest.raises(ConvergenceError, match=r"estimated error of 1.0e\+00, above the tolerance 1.0e-08"):
        execution.run_study(study_from_text(good), tmp_path / "out.h5", progress=False)
    assert not (tmp_path / "out.h5").exists()
    from fpsolver.storage import consolidate

    with fp.open_results(consolidate(tmp_path / "out.h5.partial", tmp_path / "saved.h5")) as store:
        assert store["density/time"].tolist() == [0.0, 0.5, 2.0]


def test_an_existing_file_is_refused_before_anything_is_computed(good, tmp_path, monkeypatch):
    (tmp_path / "out.h5").write_text("precious")
    monkeypatch.setattr(execution, "compute", lambda *_, **__: pytest.fail("computed"))
    with pytest.raises(StorageError, match="exists"):
        execution.run_study(study_from_text(good), tmp_path / "out.h5")
    assert (tmp_path / "out.h5").read_text() == "precious"
