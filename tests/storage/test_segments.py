"""Crash safety: a kill at any point of writing loses no acknowledged frame."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from storage_examples import frame

from fpsolver.errors import StorageError
from fpsolver.storage import FileStore, consolidate, open_results
from fpsolver.storage.segments import segment_files

# A run of three segments of two frames. It reports how many frames are safe whenever the store says so, names every
# point of writing, and kills itself without any notice at the point that is asked for.
CHILD = """
import os, signal, sys
sys.path.insert(0, sys.argv[3])
from storage_examples import frame, spectrum
from fpsolver.storage import FileStore
points = 0
def hook(name):
    global points
    points += 1
    print("point", name, flush=True)
    if points == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
store = FileStore(sys.argv[1], hook=hook, attributes={"study": "[landscape]"})
for segment in range(3):
    for k in range(2):
        store.append("density", frame(2.0 * segment + k))
    print("safe", store.flush(), flush=True)
store.write("spectrum", spectrum())
store.finish({"wall_time": 1.0})
"""


def run_child(path, kill_at):
    here = os.path.dirname(__file__)
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(kill_at), here], stdout=subprocess.PIPE, text=True
    )


def frames_on_disk(path):
    """Return the times of all frames that can be read, from the final file or else from the segments."""
    source = path
    if not path.exists():
        partial = path.with_name(path.name + ".partial")
        if not segment_files(partial):
            return []
        source = consolidate(partial, path.with_name("recovered.h5"))
    with open_results(source) as store:
        store.verify()
        times = store["density/time"]
        densities = store["density/density"]
    assert (densities[:, 0, 0] == times).all()
    return times.tolist()


def test_a_kill_at_any_point_loses_no_acknowledged_frame(tmp_path):
    complete = run_child(tmp_path / "complete.h5", 0)
    output, _ = complete.communicate(timeout=60)
    assert complete.returncode == 0
    points = output.count("point")
    assert points >= 25  # three segments of six points, the segment of tables, the final file
    children = []
    for kill_at in range(1, points + 1):
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        children.append((folder / "out.h5", run_child(folder / "out.h5", kill_at)))
        if len(children) == 4 or kill_at == points:
            for path, child in children:
                output, _ = child.communicate(timeout=60)
                assert child.returncode == -signal.SIGKILL
                acknowledged = max([int(line.split()[1]) for line in output.splitlines() if "safe" in line], default=0)
                assert frames_on_disk(path)[:acknowledged] == np.arange(float(acknowledged)).tolist()
            children = []


def test_a_finished_run_leaves_one_file(tmp_path):
    store = FileStore(tmp_path / "out.h5")
    store.append("density", frame(0.0))
    store.finish({})
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.h5"]


def test_an_existing_file_is_refused_and_untouched(tmp_path):
    path = tmp_path / "out.h5"
    path.write_bytes(b"precious")
    with pytest.raises(StorageError, match="exists; choose another"):
        FileStore(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.h5"]
    store = FileStore(path, overwrite=True)
    store.append("density", frame(0.0))
    store.flush()
    assert path.read_bytes() == b"precious"
    store.finish({})
    with open_results(path) as results:
        assert results["density/time"].tolist() == [0.0]


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "out.h5"
    store = FileStore(path)
    store.append("density", frame(0.0))
    path.write_bytes(b"precious")
    with pytest.raises(StorageError, match="exists"):
        store.finish({})
    assert path.read_bytes() == b"precious"
    assert len(segment_files(store.partial)) == 1


def test_two_runs_cannot_write_one_file(tmp_path):
    FileStore(tmp_path / "out.h5")
    with pytest.raises(StorageError, match="interrupted, or is still going"):
        FileStore(tmp_path / "out.h5")


def test_a_failed_run_without_frames_leaves_nothing(tmp_path):
    FileStore(tmp_path / "out.h5").abandon()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_found_before_anything_is_computed(tmp_path):
    with pytest.raises(StorageError, match="does not exist"):
        FileStore(tmp_path / "absent" / "out.h5")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write into the folder"):
        FileStore(tmp_path / "file" / "out.h5")
    with pytest.raises(StorageError, match="is a folder"):
        FileStore(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_found_before_anything_is_computed(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="Permission denied"):
        FileStore(tmp_path / "out.h5")


def test_an_empty_folder_of_segments_cannot_be_consolidated(tmp_path):
    with pytest.raises(StorageError, match="no segment"):
        consolidate(tmp_path, tmp_path / "out.h5")
