"""Reading: xarray opens the file without a warning, and damage is found and named."""

from __future__ import annotations

import subprocess
import sys
import warnings

import h5py
import numpy as np
import pytest
from storage_examples import frame, spectrum

from fpsolver.errors import StorageError
from fpsolver.storage import FileStore, open_results
from fpsolver.storage.encoding import ROOT_ATTRIBUTES
from fpsolver.storage.files import Compression
from fpsolver.storage.provenance import provenance


@pytest.fixture
def path(tmp_path):
    store = FileStore(tmp_path / "out.h5", attributes=provenance())
    for moment in (0.0, 0.5, 2.0):
        store.append("density", frame(moment))
    store.write("spectrum", spectrum())
    return store.finish({"study": "[landscape]\n", "seed": None, "wall_time": 0.5})


def test_values_units_and_attributes_come_back(path):
    with open_results(path) as store:
        assert store["density/time"].tolist() == [0.0, 0.5, 2.0]
        assert store.variable("density/density").dims == ("time", "x", "y")
        assert store.variable("density/x").units == "cm"
        assert store["spectrum/rate"].tolist() == [0, 1 + 2j, 1 - 2j]
        assert store.attributes["study"] == "[landscape]\n"
        assert store.attributes["seed"] == ""
        assert store.attributes["machine"]["cores"] >= 1
        assert store.table("spectrum").attributes["reversible"] == 0
        assert "density/density" in store and "density/other" not in store and "spectrum/rate" in store
        assert store.verify() == 4 + 7  # three coordinates each; density; rate_re, rate_im, converged, covariance


def test_xarray_opens_it_without_a_warning(path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xarray.open_datatree(path, engine="h5netcdf") as tree:
            density = tree["density"]["density"].load()
            spectrum = tree["spectrum"].to_dataset().load()
            attributes = tree.attrs
    assert density.dims == ("time", "x", "y")
    assert density.sel(time=0.5, x=0.25, y=-1.0).item() == 3.5
    assert density.attrs["units"] == "1/cm" and density.x.attrs["units"] == "cm"
    assert spectrum["covariance"].dims == ("variable", "other_variable")
    assert spectrum["rate_im"].values.tolist() == [0, 2, -2]
    assert spectrum.attrs["method"] == "shift-invert" and spectrum.attrs["note"] == ""
    assert attributes["software"] == "fpsolver" and attributes["schema_version"] == 1


def test_every_dataset_has_units_checksum_and_scales_in_its_group(path):
    with h5py.File(path) as file:
        assert file.id.get_create_plist().get_version()[0] <= 3  # superblock of HDF5 1.10
        datasets = []
        file.visititems(lambda name, item: datasets.append(item) if isinstance(item, h5py.Dataset) else None)
        for dataset in datasets:
            assert dataset.attrs["units"] and dataset.attrs["long_name"]
            assert dataset.fletcher32 and dataset.shuffle and dataset.compression == "gzip"
            if not dataset.is_scale:
                assert [dim[0].parent.name for dim in dataset.dims] == [dataset.parent.name] * dataset.ndim


def test_the_root_tells_where_the_numbers_come_from():
    promised = {"schema", "schema_version", "software", "softwareVersion", "softwareDependencies", "date", "machine"}
    promised |= {"study", "seed", "git_commit", "device", "wall_time"}
    assert promised <= set(ROOT_ATTRIBUTES)
    assert set(provenance()) <= set(ROOT_ATTRIBUTES)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(path, kept):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(StorageError, match="truncated"):
        open_results(path)


def test_a_damaged_number_is_found_by_its_checksum(path):
    with h5py.File(path) as file:
        chunk = file["density/density"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with open_results(path) as store:
        assert store["density/time"].tolist() == [0.0, 0.5, 2.0]
        with pytest.raises(StorageError, match="damaged: density/density"):
            store["density/density"]
        with pytest.raises(StorageError, match="damaged"):
            store.verify()


def test_no_flipped_byte_gives_a_traceback_of_another_kind(path):
    content = path.read_bytes()
    rng = np.random.default_rng(3)
    for position in rng.integers(8, len(content), 200):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        path.write_bytes(bytes(damaged))
        try:
            with open_results(path) as store:
                store.verify()
        except StorageError:
            continue


def test_foreign_files_are_refused(tmp_path):
    text = tmp_path / "text.h5"
    text.write_text("x = 1")
    with pytest.raises(StorageError, match="not an HDF5 file"):
        open_results(text)
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = [1.0]
    with pytest.raises(StorageError, match="no result file of fpsolver"):
        open_results(other)
    with h5py.File(other, "w") as file:
        file.attrs.update(schema="fpsolver-results", schema_version=99)
    with pytest.raises(StorageError, match="upgrade fpsolver"):
        open_results(other)
    with pytest.raises(StorageError, match=r'there is no file .*did you mean "other.h5"'):
        open_results(tmp_path / "othr.h5")
    with pytest.raises(StorageError, match="is a folder"):
        open_results(tmp_path)


def test_wrong_names_are_answered_with_the_nearest(path):
    with open_results(path) as store:
        with pytest.raises(StorageError, match='did you mean "density"'):
            store["densty/density"]
        with pytest.raises(StorageError, match='did you mean "time"'):
            store["density/tme"]
    with pytest.raises(StorageError, match="has been closed"):
        store["density/time"]


@pytest.mark.parametrize("name", ["none", "zstd", "blosc2"])
def test_other_compressions_keep_the_numbers(tmp_path, name):
    if name != "none":
        pytest.importorskip("hdf5plugin")
    store = FileStore(tmp_path / "out.h5", compression=Compression(name))
    store.append("density", frame(1.0))
    with open_results(store.finish({})) as results:
        assert np.array_equal(results["density/density"], frame(1.0).variables["density"].values)


def test_other_compressions_are_read_by_a_fresh_process(tmp_path):
    pytest.importorskip("hdf5plugin")
    store = FileStore(tmp_path / "out.h5", compression=Compression("zstd"))
    store.append("density", frame(1.0))
    path = store.finish({})
    code = "import sys, fpsolver as fp\n{}with fp.open_results(sys.argv[1]) as store: print(store.verify())"
    fresh = [sys.executable, "-c", code.format(""), str(path)]
    assert subprocess.run(fresh, capture_output=True, text=True, check=True).stdout == "4\n"
    without = [sys.executable, "-c", code.format("sys.modules['hdf5plugin'] = None\n"), str(path)]
    answer = subprocess.run(without, capture_output=True, text=True, check=False).stderr
    assert 'pip install "fpsolver[compression]"' in answer


def test_compression_is_checked_at_once(monkeypatch):
    with pytest.raises(StorageError, match='did you mean "gzip"'):
        Compression("gzp")
    with pytest.raises(StorageError, match="not between 0 and 9"):
        Compression("gzip", 11)
    monkeypatch.setitem(__import__("sys").modules, "hdf5plugin", None)
    with pytest.raises(StorageError, match=r"fpsolver\[compression\]"):
        Compression("zstd")
