"""The HDF5 record of validations: what is in it, that earlier runs stay, and what is refused."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import claims_of_a_user
import h5py
import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import StorageError
from fpsolver.validation import record, recording, validate


@pytest.fixture(scope="module")
def outcomes():
    names = [claims_of_a_user.variance.identifier, claims_of_a_user.wrong.identifier, "user.broken"]
    return validate(names, effort="brief", seed=5, workers=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "validation.h5"


def test_the_numbers_and_the_words_of_a_run(outcomes, path):
    assert record(outcomes, path) == "run_000001"
    with fp.open_results(path) as store:
        table = store.table("run_000001/user.variance")
        comparisons = outcomes[0].comparisons
        for name in ("predicted", "measured", "error", "tolerance", "passed"):
            np.testing.assert_array_equal(table.variables[name].values, [getattr(item, name) for item in comparisons])
        for name in ("name", "relation", "error_source", "tolerance_source"):
            assert table.attributes[name] == [getattr(item, name) for item in comparisons]
        entry = outcomes[0].claim
        for name in ("title", "verdict", "statement", "as_written", "family", "identifier"):
            assert table.attributes[name] == getattr(entry, name)
        assert table.attributes["sources"] == list(entry.sources) and table.attributes["passed"] == 1
        points = store.table("run_000001/user.variance/series_1/points_1")
        [series] = outcomes[0].findings[0].series
        np.testing.assert_array_equal(points.coordinates["x"].values, series.points[0].x)
        np.testing.assert_array_equal(points.variables["error"].values, series.points[0].error)
        assert points.coordinates["x"].long_name == "stiffness k" and points.attributes["label"] == "samples"
        assert np.isnan(store["run_000001/user.wrong/measured"][1])
        assert "no convergence" in store.table("run_000001/user.broken").attributes["errors"]["raises"]
        store.verify()


def test_a_run_says_where_it_comes_from_and_earlier_ones_stay(outcomes, path):
    record(outcomes, path)
    with h5py.File(path) as file:
        before = file["run_000001/user.variance/measured"][()]
    assert record(outcomes[:1], path) == "run_000002"
    with h5py.File(path) as file:
        assert sorted(file) == ["run_000001", "run_000002"]
        assert file["run_000001/user.variance/measured"][()].tolist() == before.tolist()
        first, second = (dict(file[run].attrs) for run in file)
        assert (first["seed"], first["effort"]) == (5, b"brief")
        assert (first["disagreeing"], second["disagreeing"]) == (b'["user.wrong", "user.broken"]', b"[]")
        assert {"software", "softwareVersion", "softwareDependencies", "date", "machine", "wall_time"} <= set(second)
    assert os.listdir(path.parent) == ["validation.h5"]


def test_xarray_opens_it_without_a_warning(outcomes, path):
    xarray = pytest.importorskip("xarray")
    record(outcomes, path)
    record(outcomes, path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xarray.open_datatree(path, engine="h5netcdf") as tree:
            tree.load()
    claim = tree["run_000002/user.variance"]
    assert claim["measured"].dims == ("comparison",) and claim.attrs["verdict"] == "false as written"
    assert tree["run_000002/user.variance/series_1/curve_2"]["y"].sel(x=2.0) == 0.5


@pytest.mark.parametrize("content", [b"precious", b"", b"\x89HDF\r\n\x1a\n and then nothing"])
def test_a_foreign_or_damaged_file_is_refused_and_kept(outcomes, path, content):
    path.write_bytes(content)
    with pytest.raises(StorageError, match=str(path)):
        record(outcomes, path)
    assert path.read_bytes() == content and os.listdir(path.parent) == ["validation.h5"]


def test_results_of_a_study_are_refused(outcomes, path):
    with h5py.File(path, "w") as file:
        file.attrs.update({"schema": "fpsolver-results", "schema_version": 1, "title": "a parabola"})
    with pytest.raises(StorageError, match="holds results of another kind"):
        record(outcomes, path)


def test_a_truncated_record_is_refused(outcomes, path):
    record(outcomes, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StorageError, match="truncated"):
        record(outcomes, path)


def test_a_failure_on_the_way_leaves_the_file_as_it_was(outcomes, path, monkeypatch):
    record(outcomes, path)
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError(28, "no space left")

    monkeypatch.setattr(recording, "write_table", fail)
    with pytest.raises(StorageError, match="No space left"):
        record(outcomes, path)
    assert path.read_bytes() == before and os.listdir(path.parent) == ["validation.h5"]


def test_runs_that_end_at_once_are_all_kept(outcomes, path):
    with ThreadPoolExecutor(4) as pool:  # a lock is held by an open file, so that threads wait as processes do
        names = list(pool.map(lambda _: record(outcomes[:1], path), range(4)))
    assert sorted(names) == [f"run_{number:06d}" for number in range(1, 5)]
    with h5py.File(path) as file:
        assert sorted(file) == sorted(names) and file.attrs["runs"] == 4


def test_a_folder_that_is_not_there(outcomes, tmp_path):
    with pytest.raises(StorageError, match="does not exist"):
        record(outcomes, Path(tmp_path, "absent", "validation.h5"))
