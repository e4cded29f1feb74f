"""One suite for both stores: what goes in comes out."""

from __future__ import annotations

import numpy as np
import pytest
from storage_examples import frame, spectrum

from fpsolver.errors import StorageError
from fpsolver.storage import FileStore, MemoryStore, Table, Variable, open_results


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "out.h5")


def finished(store):
    """Return the tables of a finished store, read back from the file where there is one."""
    result = store.finish({"seed": None})
    if isinstance(store, MemoryStore):
        return result
    with open_results(result) as opened:
        return {group: opened.table(group) for group in opened.groups}


def test_frames_come_back_in_order(store):
    for moment in (0.0, 0.5):
        store.append("density", frame(moment))
    assert store.flush() == 2
    store.append("density", frame(2.0))
    assert store.flush() == 3
    table = finished(store)["density"]
    assert table.coordinates["time"].values.tolist() == [0.0, 0.5, 2.0]
    assert table.variables["density"].dims == ("time", "x", "y")
    expected = np.concatenate([frame(moment).variables["density"].values for moment in (0.0, 0.5, 2.0)])
    assert np.array_equal(table.variables["density"].values, expected)
    assert table.variables["density"].units == "1/cm"
    assert table.attributes["boundary"] == {"x": "reflecting"}


def test_appended_arrays_may_be_reused_by_the_caller(store):
    values = np.ones(1)
    for moment in (0.0, 1.0):
        values[:] = moment
        time = Variable(("time",), [moment])
        store.append("observables", Table({"time": time}, {"mass": Variable(("time",), values)}))
        store.flush()
    assert finished(store)["observables"].variables["mass"].values.tolist() == [0.0, 1.0]


def test_a_table_written_twice_is_replaced(store):
    store.write("spectrum", Table({"mode": Variable(("mode",), [0])}))
    store.flush()
    store.write("spectrum", spectrum())
    read = finished(store)["spectrum"]
    assert read.lengths["mode"] == 3


def test_frames_that_differ_are_refused(store):
    store.append("density", frame(0.0))
    other = Table({"time": Variable(("time",), [1.0])}, {"mass": Variable(("time",), [1.0])})
    with pytest.raises(StorageError, match="frames differ"):
        store.append("density", other)


def test_nothing_to_flush_is_no_error(store):
    assert store.flush() == 0
