"""Checkpoints: what is kept, what is refused, what stays after a failure."""

import numpy as np
import pytest
from reference_problems import ENDS, FUNCTIONALS, OBSERVED, digest, simulate_everything

import fpsolver as fp
from fpsolver.ensembles import march
from fpsolver.ensembles.checkpoint import read_checkpoint, write_checkpoint
from fpsolver.errors import StorageError, TrajectoryError


def test_a_checkpoint_holds_what_was_written(tmp_path):
    path = tmp_path / "folder" / "run.npz"
    assert read_checkpoint(path) is None
    arrays = {"states": np.arange(6.0).reshape(2, 3), "total_0": np.array([1, 2])}
    write_checkpoint(path, "abc", {"step": 7}, arrays)
    identity, header, found = read_checkpoint(path)
    assert identity == "abc" and header == {"step": 7}
    assert all((found[name] == array).all() for name, array in arrays.items()) and len(found) == 2
    assert [one.name for one in path.parent.iterdir()] == ["run.npz"]


def test_every_damaged_byte_is_noticed(tmp_path):
    path = tmp_path / "run.npz"
    simulate_everything(n=300, t_final=1.0, times=1, observe=OBSERVED[:1], checkpoint=path)
    whole = path.read_bytes()
    _, _, good = read_checkpoint(path)
    random = np.random.default_rng(1)
    for place in random.integers(0, len(whole), 200):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            _, _, found = read_checkpoint(path)
        except StorageError as error:
            assert "damaged, or no checkpoint" in str(error) and "delete it to start anew" in str(error)
        else:  # a byte that carries nothing, such as the date of a member
            assert all((found[name] == array).all() for name, array in good.items())
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(StorageError, match="damaged, or no checkpoint"):
            simulate_everything(n=300, t_final=1.0, times=1, observe=OBSERVED[:1], checkpoint=path)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04"])
def test_a_file_of_another_kind_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="no checkpoint of fpsolver"):
        simulate_everything(t_final=1.0, times=1, checkpoint=path)
    assert path.read_bytes() == content


def test_an_archive_of_arrays_is_no_checkpoint(tmp_path):
    np.savez(tmp_path / "a.npz", states=np.zeros(3))
    with pytest.raises(StorageError, match="no checkpoint of fpsolver"):
        read_checkpoint(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 12}, "another run"),
        ({"experiment": 1}, "another run"),
        ({"n": 1001}, "another run"),
        ({"dt": 0.25}, "another run"),
        ({"initial": [0.0, 0.5]}, "another run"),
        ({"functionals": FUNCTIONALS[:-1], "observe": OBSERVED[:2]}, "another run"),
        ({"observe": OBSERVED[:-1]}, "another run"),
        ({"density": (ENDS[0], fp.Gaussian([0.0, 0.0], [0.35, 0.26]))}, "density or other observables"),
        ({"precision": "single"}, "another run"),
        ({"scheme": "ornstein-uhlenbeck"}, "another run"),
        ({"t_final": 2.0, "times": 2}, r"is from t = 4, after t_final = 2; give another file, or delete it"),
        ({"times": 4}, r"has other output times than times= up to its own time"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, options, message):
    path = tmp_path / "run.npz"
    simulate_everything(t_final=4.0, times=8, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(StorageError, match=message):
        simulate_everything(**({"t_final": 4.0, "times": 8, "checkpoint": path} | options))
    assert path.read_bytes() == before


def test_a_finished_run_is_read_and_a_longer_one_goes_on(tmp_path):
    path = tmp_path / "run.npz"
    short = simulate_everything(t_final=4.0, times=4, checkpoint=path)
    again = simulate_everything(t_final=4.0, times=4, checkpoint=path)
    assert digest(again) == digest(short) and again.stats["particle_steps"] == 0
    longer = simulate_everything(t_final=8.0, times=8, checkpoint=path)
    assert longer.stats["particle_steps"] == 32 * 1000
    assert digest(longer) == digest(simulate_everything())


def test_the_beginning_can_be_an_output(tmp_path):
    path = tmp_path / "run.npz"
    times = [0.0, 1.0, 2.0]
    simulate_everything(t_final=1.0, times=times[:2], checkpoint=path)
    found = simulate_everything(t_final=2.0, times=times, checkpoint=path)
    assert digest(found) == digest(simulate_everything(t_final=2.0, times=times))


def test_a_continued_run_has_checkpoints_of_its_own(tmp_path):
    half = simulate_everything(t_final=4.0, times=4, checkpoint=tmp_path / "first.npz")
    for _ in range(2):
        found = simulate_everything(initial=half, checkpoint=tmp_path / "second.npz")
        assert digest(found) == digest(simulate_everything())
    # The first file is from where the second call began: it goes on from there, to the same bits.
    assert digest(simulate_everything(initial=half, checkpoint=tmp_path / "first.npz")) == digest(simulate_everything())


def test_what_was_written_stays_after_a_runaway(tmp_path, monkeypatch):
    monkeypatch.setattr(march, "CHUNK", 1)
    quartic = fp.Langevin(fp.Landscape("x**4/4"), temperature=1.0)
    path = tmp_path / "run.npz"
    options = {"n": 3000, "initial": [0.0], "dt": 0.15, "seed": 10, "observe": fp.Moments("x")}
    with pytest.raises(TrajectoryError) as caught:
        times = [0.15 * 16 * k for k in range(1, 101)]
        fp.simulate(quartic, t_final=times[-1], times=times, checkpoint=path, checkpoint_interval=0.0, **options)
    _, header, _ = read_checkpoint(path)
    reached = header["step"]
    assert 0 <= caught.value.step - reached < march.SHORTEST + 16 and reached % 16 == 0
    times = [time for time in times if time <= reached * 0.15 + 1e-9]
    kept = fp.simulate(quartic, t_final=times[-1], times=times, checkpoint=path, **options)
    assert kept.stats["particle_steps"] == 0
    assert digest(kept) == digest(fp.simulate(quartic, t_final=times[-1], times=times, **options))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        simulate_everything(t_final=1.0, times=1, checkpoint=tmp_path / "file" / "run.npz")
