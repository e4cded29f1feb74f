"""Plans of chunks and stages, batches, and results in order."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.ensembles.functionals import Functionals
from fpsolver.ensembles.march import CHUNK, OUTPUTS, March, Stage, _in_order, march_chunk, plan, thread_count
from fpsolver.errors import TrajectoryError


@given(
    begin=st.integers(0, 500),
    length=st.integers(0, 5000),
    outputs=st.sets(st.integers(0, 6000), max_size=200),
    n=st.sampled_from([1, 1000, 10**6, 10**8]),
    longest=st.sampled_from([1, 100, 4096, 1 << 30]),
)
def test_a_plan_takes_every_step_once_and_stops_at_every_output(begin, length, outputs, n, longest):
    chunks = list(plan(begin, begin + length, sorted(outputs), n, longest))
    stages = [stage for chunk in chunks for stage in chunk]
    steps = [step for stage in stages for step in range(stage.begin, stage.end)]
    assert steps == list(range(begin, begin + length))
    assert [stage.end for stage in stages if stage.output] == [
        s for s in sorted(outputs) if begin < s <= begin + length
    ]
    assert all(0 < stage.end - stage.begin <= longest for stage in stages)
    assert all(sum(stage.output for stage in chunk) <= OUTPUTS for chunk in chunks)


@pytest.mark.parametrize("n", [1000, 10**6])
def test_the_host_is_visited_often(n):
    chunks = list(plan(0, 10**6, [], n, 1 << 30))
    assert max((chunk[-1].end - chunk[0].begin) * n for chunk in chunks) <= max(CHUNK, 64 * n)


@given(blocks=st.integers(1, 500), batch=st.integers(1, 40_000), threads=st.integers(1, 16))
def test_batches_cover_all_blocks_in_order(blocks, batch, threads):
    found = March(None, (), None, np.full(blocks, 256), threads, batch).batches()
    assert [block for where in found for block in range(blocks)[where]] == list(range(blocks))
    assert len(found) >= min(threads, blocks) // 2


def test_results_come_in_order_with_few_waiting():
    waiting, most = set(), [0]

    def work(k):
        time.sleep(0.001 * (k % 3))
        waiting.add(k)
        most[0] = max(most[0], len(waiting))
        return k

    with ThreadPoolExecutor(3) as pool:
        for k, result in enumerate(_in_order(pool, work, list(range(50)), 3)):
            assert result == k
            waiting.discard(k)
    assert most[0] <= 2 * 3


class Fails:
    """An integrator of which block 3 fails in the first stage and block 1 in the second."""

    names = ("x",)
    dynamics = SimpleNamespace(landscape=fp.Landscape("x**2"))
    request = SimpleNamespace(dt=0.1, scheme="euler-maruyama", dynamics=dynamics, functionals=Functionals())

    def segment(self, step, steps):
        return step

    def advance(self, step, states, counts, first):
        bad = {0: 3, 10: 1}[step] - first // 256
        return (bad, 5, step + 4) if 0 <= bad < len(states) else (-1, -1, -1)

    def reason(self, state):
        return None


@pytest.mark.parametrize("batch", [1, 256, 512, 768, 1024, 5000])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_failure_that_is_named_does_not_depend_on_batches(batch, threads):
    march = March(Fails(), (), None, np.full(6, 256), threads, batch)
    stages = [Stage(0, 10, False), Stage(10, 20, False)]
    with ThreadPoolExecutor(threads) as pool, pytest.raises(TrajectoryError) as caught:
        march_chunk(march, np.zeros((6, 1, 256)), stages, pool, lambda steps: None)
    assert (caught.value.trajectory, caught.value.step) == (256 + 5, 14)


def test_threads_as_asked_for():
    assert thread_count(3) == 3
    assert thread_count(None) >= 1
