"""The same bits for any number of threads, any batch size, any split in time, and after kills."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_problems import digest, simulate_everything

import fpsolver as fp

HERE = Path(__file__).parent

IN_OTHER_PROCESSES = """
import json, sys
sys.path.insert(0, {folder!r})
from reference_problems import digest, simulate_everything
hashes = []
for options in json.loads(sys.argv[1]):
    cut = options.pop("cut", None)
    start = {{}} if cut is None else {{"initial": simulate_everything(t_final=cut, times=int(cut), **options)}}
    hashes.append(digest(simulate_everything(**start, **(options if cut is None else {{"threads": 1}} | options))))
print(json.dumps(hashes))
"""

KILLED = """
import os, random, signal, sys, time
sys.path.insert(0, {folder!r})
from fpsolver.ensembles import march
from reference_problems import digest, simulate_everything
march.CHUNK = 40_000  # many checkpoints, of 64 steps each
pause = random.Random(int(sys.argv[2]))
simulate_everything()
began = time.perf_counter()
whole = digest(simulate_everything(n=2000, t_final=64.0, times=64, threads=1))
longest = 0.3 * (time.perf_counter() - began)  # less than two threads need: the first child is always killed
kills = 0
while True:
    child = os.fork()
    if child == 0:
        simulate_everything(n=2000, t_final=64.0, times=64, checkpoint=sys.argv[1], checkpoint_interval=0.0,
                            threads=pause.choice((1, 2)), batch=pause.choice((256, 1000, 4096)))
        os._exit(0)
    time.sleep(pause.uniform(0.0, longest))
    os.kill(child, signal.SIGKILL)
    if os.waitpid(child, 0)[1] == 0:
        break
    kills += 1
    longest *= 1.2  # on a busy machine a child may not come to its next checkpoint in that time
resumed = digest(simulate_everything(n=2000, t_final=64.0, times=64, checkpoint=sys.argv[1]))
print(kills, whole, resumed)
"""


def in_process(script, *arguments):
    """Standard output of a script in a process of its own."""
    code = script.format(folder=str(HERE))
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hashes_agree_between_processes():
    random = np.random.default_rng()
    ways = [{"threads": threads, "batch": int(random.integers(1, 1200))} for threads in (1, 2, 2, 3)]
    ways += [{"cut": float(random.integers(1, 8)), "threads": 2, "batch": 256}]
    found = json.loads(in_process(IN_OTHER_PROCESSES, json.dumps(ways)))
    assert set(found) == {digest(simulate_everything(threads=1))}, ways


@settings(max_examples=12, deadline=None)
@given(threads=st.integers(1, 4), batch=st.integers(1, 2000), cuts=st.sets(st.integers(1, 63), max_size=4))
def test_splits_batches_and_threads_leave_no_trace(threads, batch, cuts):
    outputs = [1.0 * k for k in range(1, 9)]
    ensemble = None
    for step in (*sorted(cuts), 64):
        end = step / 8
        before = {} if ensemble is None else {"initial": ensemble}
        times = [t for t in outputs if t <= end] or [end]
        ensemble = simulate_everything(**before, t_final=end, times=times, threads=threads, batch=batch)
        threads = 1 + threads % 2
    extra = [k for k, t in enumerate(ensemble.times) if t not in outputs]
    assert len(extra) == len([step for step in cuts if step < 8])
    if not extra:
        assert digest(ensemble) == digest(simulate_everything())
    np.testing.assert_array_equal(ensemble.final, simulate_everything().final)


@pytest.mark.parametrize("scheme", ["euler-maruyama", "heun", "weak-2", "leimkuhler-matthews", "ornstein-uhlenbeck"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_every_scheme_splits_anywhere(scheme, precision):
    """Three dimensions: the noise of a step does not start where a draw of four does."""
    landscape = fp.Landscape("x**2/2 + y**2 + z**2 + x*y/3", variables=("x", "y", "z"))
    dynamics = fp.Langevin(landscape, temperature=0.4)
    options = {
        "n": 300,
        "dt": 0.125,
        "seed": 3,
        "scheme": scheme,
        "precision": precision,
        "observe": [fp.Moments("x*y")],
    }
    whole = fp.simulate(dynamics, initial=[1.0, 0.0, -1.0], t_final=20.0, times=160, **options)
    part = fp.simulate(dynamics, initial=[1.0, 0.0, -1.0], t_final=20.0, times=160, batch=1, threads=2, **options)
    assert digest(part) == digest(whole)
    part = fp.simulate(dynamics, initial=[1.0, 0.0, -1.0], t_final=4.625, times=37, **options)
    options = {name: options[name] for name in ("scheme", "precision", "observe")}
    part = fp.simulate(dynamics, initial=part, t_final=12.5, times=100, **options)
    part = fp.simulate(dynamics, initial=part, t_final=20.0, times=160, **options)
    assert digest(part) == digest(whole)


@pytest.mark.parametrize("noise", ["three-point", "rademacher"])
def test_discrete_noise_splits_anywhere(noise):
    dynamics = fp.Langevin(fp.Landscape("x**2/2 + y**2 + z**2", variables=("x", "y", "z")), temperature=0.4)
    options = {"dt": 0.125, "seed": 3, "noise": noise}
    whole = fp.simulate(dynamics, 300, [0, 0, 0], t_final=20.0, **options)
    part = fp.simulate(dynamics, 300, [0, 0, 0], t_final=7.375, **options)
    part = fp.simulate(dynamics, initial=part, t_final=20.0, noise=noise, threads=2, batch=1)
    np.testing.assert_array_equal(part.final, whole.final)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked from a warm process")
def test_resumed_after_kills_at_random_moments(tmp_path):
    seed = str(np.random.default_rng().integers(1 << 30))
    kills, whole, resumed = in_process(KILLED, str(tmp_path / "run.npz"), seed).split()
    assert resumed == whole, seed
    assert int(kills) > 0
    assert len(list(tmp_path.iterdir())) <= 2, "kills leave one temporary file at most"


def test_neighbouring_seeds_and_experiments_differ():
    found = [
        simulate_everything(t_final=0.125, times=1, **options).final
        for options in ({}, {"seed": 12}, {"experiment": 1})
    ]
    for k in (1, 2):
        assert not (found[0] == found[k]).any()
        # Independent numbers: a correlation of standard error 1/√1000.
        assert abs(np.corrcoef(found[0][:, 0], found[k][:, 0])[0, 1]) < 5 / np.sqrt(1000)
