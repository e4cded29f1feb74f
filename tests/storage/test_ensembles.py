"""Ensembles on disk: tables by observable, frames while they run, nothing lost that was written."""

from __future__ import annotations

import warnings

import h5py
import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import StorageError
from fpsolver.report import describe_file
from fpsolver.storage import EnsembleWriter, FileStore, MemoryStore, consolidate, ensemble_tables, save_ensemble

UNITS = {"x": "cm", "y": "cm", "work": "nat"}
OUTPUTS = 100


def simulate(**keywords):
    landscape = fp.Landscape("k*(x**2 + y**2)/2", variables=("x", "y"), parameters={"k": 1.0})
    trap = fp.Langevin(landscape, temperature=0.5, protocol={"k": fp.Protocol.ramp(1.0, 2.0, duration=1.0)})
    observe = [
        fp.Moments("x", "work"),
        fp.Mean("x*y", "loss"),
        fp.Histogram(x=(-3, 3, 12), y=(-3, 3, 10)),
        fp.LogSumExp("work", factor=-2.0),
        fp.Quantiles("work", [0.1, 0.5]),
        fp.Trajectories([0, 5], "x"),
    ]
    return fp.simulate(
        trap, 600, fp.Gaussian([0.0, 0.0], 0.5), 0.01, 1.0, seed=3, times=OUTPUTS, functionals=["work"],
        observe=observe, **keywords,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ensemble():
    return simulate()


@pytest.fixture(scope="module")
def path(ensemble, tmp_path_factory):
    path = tmp_path_factory.mktemp("ensemble") / "out.h5"
    return save_ensemble(ensemble, path, title="a trap", units=UNITS, time_units="s", final=True)


def test_every_observable_is_a_group_with_time_first_and_errors_beside(path, ensemble):
    with fp.open_results(path) as store:
        names = {f"ensemble/{name}" for name in ensemble.observables}
        assert set(store.groups) == {"ensemble", "ensemble/final", *names}
        for group in names:
            table = store.table(group)
            assert table.attributes["observable"]
            assert table.coordinates["time"].values == pytest.approx(ensemble.times, abs=0)
            assert table.coordinates["time"].units == "s"
            assert all(variable.dims[0] == "time" for variable in table.variables.values())
            estimates = {"mean", "covariance", "density", "quantile"} & set(table.variables)
            assert all(f"{name}_standard_error" in table.variables for name in estimates)
        moments, found = ensemble.observables["moments_x_work"], store.table("ensemble/moments_x_work")
        np.testing.assert_array_equal(found.variables["mean"].values, moments.mean)
        np.testing.assert_array_equal(found.variables["covariance_standard_error"].values,
                                      moments.covariance_standard_error)  # fmt: skip
        assert found.variables["mean"].units == "cm, nat"
        assert found.attributes["quantities"] == ["x", "work"]
        assert store.variable("ensemble/histogram_x_y/density").units == "1/cm 1/cm"
        run = store.table("ensemble").attributes
        assert (run["trajectories"], run["dt"], run["seed"], run["scheme"]) == (600, 0.01, 3, "euler-maruyama")
        assert run["particle_steps"] == 600 * 100 and run["particle_steps_per_second"] > 0
        assert store.attributes["seed"] == 3 and store.attributes["title"] == "a trap"


def test_positions_are_stored_when_asked_for_and_not_compressed(path, ensemble):
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["ensemble/final/x"], ensemble.final[:, 0])
        np.testing.assert_array_equal(file["ensemble/final/y"], ensemble.final[:, 1])
        for name in ("ensemble/final/x", "ensemble/trajectories/values"):
            assert file[name].compression is None and file[name].fletcher32
        assert file["ensemble/histogram_x_y/counts"].compression == "gzip"
    assert not any("final" in group for group in ensemble_tables(ensemble))


def test_velocities_at_the_end_are_stored_too():
    well = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=1.0, friction=1.0)
    ensemble = fp.simulate(well, 300, [1.0], 0.05, 1.0, seed=1)
    final = ensemble_tables(ensemble, final=True)["ensemble/final"]
    np.testing.assert_array_equal(final.variables["v_x"].values, ensemble.final_velocities[:, 0])
    assert final.attributes["time"] == 1.0


def test_xarray_opens_it_without_a_warning(path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xarray.open_datatree(path, engine="h5netcdf") as tree:
            tree.load()
    assert tree["ensemble/histogram_x_y"]["counts"].dims == ("time", "x", "y")
    assert tree["ensemble/quantiles_work"]["quantile"].sel(probability=0.5).shape == (OUTPUTS,)
    assert tree["ensemble"].attrs["scheme"] == "euler-maruyama"


def test_frames_written_on_the_way_are_those_of_the_whole(ensemble):
    store = MemoryStore()
    writer = EnsembleWriter(store, UNITS)
    calls = []

    def told(so_far):
        calls.append(len(so_far.times))
        writer(so_far)

    finished = simulate(on_output=told)
    about = writer.finish(finished)
    assert about == {"seed": finished.stats["seed"], "wall_time": finished.stats["wall_time"]}
    assert len(calls) > 2 and calls[0] < OUTPUTS
    found = store.finish(about)
    assert store.attributes == about
    for group, table in ensemble_tables(ensemble, UNITS).items():
        for name, variable in {**table.coordinates, **table.variables}.items():
            stored = {**found[group].coordinates, **found[group].variables}[name]
            np.testing.assert_array_equal(stored.values, variable.values, err_msg=f"{group}/{name}")


def test_a_file_without_a_wall_time_does_not_claim_one(ensemble, tmp_path):
    for about, told in ((EnsembleWriter(MemoryStore()).finish(ensemble), " s"), ({}, "unknown")):
        store = FileStore(tmp_path / f"{len(about)}.h5")
        EnsembleWriter(store).finish(ensemble)
        with fp.open_results(store.finish(about)) as results:
            row = next(line for line in describe_file(results).splitlines() if line.startswith("wall time"))
        assert row.endswith(told)


def test_frames_that_were_flushed_survive_a_run_that_breaks(ensemble, tmp_path):
    store = FileStore(tmp_path / "out.h5")
    writer = EnsembleWriter(store)

    def told(so_far):
        writer(so_far)
        store.flush()
        if len(so_far.times) > 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(on_output=told)
    store.abandon()
    assert not (tmp_path / "out.h5").exists()
    saved = consolidate(store.partial, tmp_path / "saved.h5")
    with fp.open_results(saved) as kept:
        frames = len(kept["ensemble/time"])
        assert 40 < frames < OUTPUTS
        whole = ensemble.observables["histogram_x_y"].counts
        np.testing.assert_array_equal(kept["ensemble/histogram_x_y/counts"], whole[:frames])
        np.testing.assert_array_equal(kept["ensemble/trajectories/values"],
                                      ensemble.observables["trajectories"].values[:frames])  # fmt: skip
        assert kept.verify() > 10


def test_what_cannot_be_written(ensemble, path):
    with pytest.raises(StorageError, match="exists"):
        save_ensemble(ensemble, path)
    trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
    clashing = fp.simulate(trap, 100, [0.0], 0.1, 1.0, seed=1, observe=[fp.Mean("x", name="final")])
    with pytest.raises(StorageError, match="another name"):
        ensemble_tables(clashing, final=True)
