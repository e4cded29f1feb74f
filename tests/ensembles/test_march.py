"""Plans of chunks and stages, batches, and results in order."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.ensembles.march import CHUNK, OUTPUTS, March, _in_order, plan, thread_count


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
    assert [stage.end for stage in stages if stage.output] == [s for s in sorted(outputs) if begin < s <= begin + length]
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


def test_threads_as_asked_for():
    assert thread_count(3) == 3
    assert thread_count(None) >= 1
