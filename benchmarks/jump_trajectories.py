"""Exact trajectories of networks with 10⁶ states: `simulate`, GillesPy2 where it is installed, and a plain Numba loop.

Two lattices of 1000 × 1000 states. Two Ehrenfest urns of 999 balls each, which GillesPy2 knows as four mass-action
reactions, and whose trajectories stay where most states are; and a torus with random rates, on which trajectories
start everywhere, so that every step into a new neighbourhood waits for memory. The limit is that wait: one reading of
the table, each of which depends on the one before, for one trajectory after the other. Figures are medians of million
events a second.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sysconfig
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.ensembles.march import thread_count

Call = Callable[[], tuple[int, float]]
"""What does a case, and returns events and seconds."""

SIDE = 1000
N = 16_384


def urns() -> fp.MarkovNetwork:
    """Return two independent urns: x balls are left in the first with 999 in all, y in the second."""
    state = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    tails = np.concatenate([state[:-1].ravel(), state[:, :-1].ravel()])
    heads = np.concatenate([state[1:].ravel(), state[:, 1:].ravel()])
    count = np.concatenate([np.repeat(np.arange(SIDE - 1), SIDE), np.tile(np.arange(SIDE - 1), SIDE)])
    return fp.MarkovNetwork(SIDE * SIDE, tails, heads, SIDE - 1.0 - count, count + 1.0)


def torus() -> fp.MarkovNetwork:
    """Return a torus whose rates are random between 500 and 1500, another for every direction of every link."""
    state = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    tails = np.concatenate([state.ravel(), state.ravel()])
    heads = np.concatenate([np.roll(state, 1, 0).ravel(), np.roll(state, 1, 1).ravel()])
    rates = np.random.default_rng(1).uniform(500.0, 1500.0, (2, len(tails)))
    return fp.MarkovNetwork(SIDE * SIDE, tails, heads, *rates)


def plain_loop(network: fp.MarkovNetwork) -> Callable[[np.ndarray, float], int]:
    """Return a loop as one would write it: one trajectory after the other, a search through cumulative rates."""
    from numba import njit, prange

    from fpsolver.ensembles.integrators.network import outward

    first, targets, rates, _ = outward(network, False)

    @njit
    def follow(first: Any, targets: Any, rates: Any, state: int, t_final: float) -> int:
        t, events = 0.0, 0
        while True:
            total = 0.0
            for j in range(first[state], first[state + 1]):
                total += rates[j]
            t -= np.log(np.random.random()) / total  # noqa: NPY002  (what compiled loops have)
            if t > t_final:
                return events
            left = np.random.random() * total  # noqa: NPY002
            j = first[state]
            while left >= rates[j] and j < first[state + 1] - 1:
                left -= rates[j]
                j += 1
            state = targets[j]
            events += 1

    @njit(parallel=True)
    def run(first: Any, targets: Any, rates: Any, start: Any, t_final: float) -> np.ndarray:
        counts = np.zeros(len(start), np.int64)
        for k in prange(len(start)):
            counts[k] = follow(first, targets, rates, start[k], t_final)
        return counts

    return lambda start, t_final: int(run(first, targets, rates, start, t_final).sum())


def gillespy2(t_final: float, n: int) -> Callable[[], int] | None:
    """Return GillesPy2's compiled direct method on the urns, whose total rate is 1998 in every state."""
    try:
        import gillespy2
    except ImportError:
        return None
    model = gillespy2.Model(name="urns")
    model.add_parameter(gillespy2.Parameter(name="k", expression=1.0))
    for urn in "ab":
        inside = gillespy2.Species(name=f"{urn}0", initial_value=500)
        outside = gillespy2.Species(name=f"{urn}1", initial_value=499)
        model.add_species([inside, outside])
        model.add_reaction(gillespy2.Reaction(name=f"{urn}out", reactants={inside: 1}, products={outside: 1}, rate="k"))
        model.add_reaction(gillespy2.Reaction(name=f"{urn}in", reactants={outside: 1}, products={inside: 1}, rate="k"))
    model.timespan(gillespy2.TimeSpan(np.array([0.0, t_final])))
    # It compiles with SCons under the interpreter that made the environment, which does not look into it.
    os.environ.setdefault("PYTHONPATH", sysconfig.get_paths()["purelib"])
    solver = gillespy2.SSACSolver(model=model)

    def run() -> int:
        solver.run(number_of_trajectories=n, seed=1)
        return int(1998 * t_final * n)

    return run


def latency(words: int) -> float:
    """Return the seconds of a reading that depends on the one before, in a table of that many words."""
    from numba import njit

    order = np.random.default_rng(2).permutation(words // 8)
    table = np.zeros(words, dtype=np.int64)
    table[8 * order] = 8 * np.roll(order, 1)

    @njit
    def chase(table: Any, steps: int) -> int:
        place = 0
        for _ in range(steps):
            place = table[place]
        return place

    chase(table, 1)
    began = time.perf_counter()
    chase(table, 2_000_000)
    return (time.perf_counter() - began) / 2_000_000


def ours(network: fp.MarkovNetwork, start: np.ndarray, t_final: float, **options: Any) -> Call:
    """Return a call of `simulate`; its seconds are those of the run, without the table, which is laid once a call."""

    def run() -> tuple[int, float]:
        ensemble = fp.simulate(network, len(start), start, t_final=t_final, seed=1, **options)
        return int(ensemble.values("jumps").sum()), ensemble.stats["wall_time"]

    return run


def timed(call: Callable[[], int]) -> Call:
    """Return a call with the seconds that it took."""

    def run() -> tuple[int, float]:
        began = time.perf_counter()
        events = call()
        return events, time.perf_counter() - began

    return run


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(3)
    crowded, rough = urns(), torus()
    middle, anywhere = np.full(N, 500 * SIDE + 500), rng.integers(0, SIDE * SIDE, N)
    long, short = 2.0, 1.0
    loops = {"urns": plain_loop(crowded), "torus": plain_loop(rough)}
    peer = gillespy2(long / 4, 256)
    calls: dict[str, Call | None] = {
        "urns": ours(crowded, middle, long),
        "urns, one thread": ours(crowded, middle, long / 2, threads=1),
        "urns, entropy flow": ours(crowded, middle, long, functionals=["entropy_flow"]),
        "urns, plain loop": timed(lambda: loops["urns"](middle, long / 4)),
        "urns, GillesPy2": None if peer is None else timed(peer),
        "torus": ours(rough, anywhere, short),
        "torus, entropy flow": ours(rough, anywhere, short, functionals=["entropy_flow"]),
        "torus, plain loop": timed(lambda: loops["torus"](anywhere, short / 4)),
    }
    print(f"{thread_count(None)} threads")
    for name, call in calls.items():
        if call is None:
            print(f"{name:24s} not installed")
            continue
        call()
        rates = []
        for _ in range(repeats):
            events, seconds = call()
            rates.append(events / seconds / 1e6)
        print(f"{name:24s} {statistics.median(rates):9.3f} M events/s", flush=True)
    began = time.perf_counter()
    fp.simulate(rough, 1, 0, t_final=1e-9, seed=1)
    print(f"table of the torus: {time.perf_counter() - began:.2f} s")
    wait = latency(10 * SIDE * SIDE)
    print(f"one reading after the other in a table of 80 MB: {1e9 * wait:.0f} ns, {1e-6 / wait:.1f} M/s a thread")


if __name__ == "__main__":
    main()
