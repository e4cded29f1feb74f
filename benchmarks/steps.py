"""Speed of SGD: chains with normal noise beside Langevin dynamics, minibatches beside the loops that one writes.

Figures are medians of million trajectory-steps a second, of calls taken in turn; on a busy machine compare the ratios.
A step of a chain is bound by one normal number, as one of Langevin dynamics is. A step of minibatch SGD is bound by the
2dB multiply-adds of B examples in d dimensions, and by B/2 Philox blocks; but every example comes from a place of its
own in memory, so that its d features are read one by one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fpsolver as fp
from benchmarks.trajectories import medians, multiply_add_rate
from fpsolver.ensembles.march import thread_count

N, STEPS = 131_072, 1_000
WELL = fp.Landscape("x**4/4 - x**2/2")
RATE = 0.05

Case = tuple[Callable[[], Any], int]


def chains() -> dict[str, Case]:
    """Return SGD with normal noise, and Langevin dynamics of the same landscape."""
    noise = fp.GaussianNoise(per_example_covariance=4.0)
    laws = {
        "Langevin, Euler–Maruyama": fp.Langevin(WELL, temperature=0.1),
        "SGD": fp.SGD(WELL, RATE, noise),
        "SGD, scheduled": fp.SGD(WELL, RATE, noise, protocol={"learning_rate": fp.Protocol("0.05/(1 + t/1000)")}),
        "SGD, C₁ = 4 + x²": fp.SGD(WELL, RATE, fp.GaussianNoise("4 + x**2")),
        "SGD, entropy flow": fp.SGD(WELL, RATE, noise),
        "heavy ball": fp.SGD(WELL, RATE, noise, momentum=0.5),
        "Nesterov": fp.SGD(WELL, RATE, noise, momentum=0.5, nesterov=True),
    }

    def call(name: str, law: Any) -> Callable[[], Any]:
        carried = ["entropy_flow"] if "flow" in name else []
        time_of = {} if isinstance(law, fp.SGD) else {"dt": RATE}
        end = STEPS * time_of.get("dt", 1)
        return lambda: fp.simulate(law, N, [-1.0], t_final=end, seed=1, functionals=carried, **time_of)

    return {name: (call(name, law), N * STEPS) for name, law in laws.items()}


def data(examples: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features and targets of a linear regression with label noise."""
    generator = np.random.default_rng(1)
    features = generator.normal(size=(examples, dimension))
    return features, features @ generator.normal(size=dimension) + generator.normal(size=examples)


def ours(examples: int, dimension: int, size: int, n: int, steps: int, **options: Any) -> Case:
    """Return a call of `simulate`."""
    risk = fp.landscapes.linear_regression(*data(examples, dimension), intercept=False)
    law = fp.SGD(risk, 0.5 / (dimension + 2), fp.MinibatchNoise(size, **options))
    return lambda: fp.simulate(law, n, np.zeros(dimension), t_final=steps, seed=1), n * steps


def numba_loop(examples: int, dimension: int, size: int, n: int, steps: int) -> Case:
    """Return the loop that one writes with Numba, its own generator and all threads."""
    from numba import njit, prange

    features, targets = data(examples, dimension)
    rate = 0.5 / (dimension + 2) / size

    @njit(parallel=True, fastmath=True)
    def march(theta: np.ndarray, features: np.ndarray, targets: np.ndarray, steps: int) -> None:
        d = theta.shape[1]
        for i in prange(len(theta)):
            gradient = np.empty(d)
            for _ in range(steps):
                gradient[:] = 0.0
                for _ in range(size):
                    e = np.random.randint(len(targets))  # noqa: NPY002  (the only one that Numba runs in threads)
                    residual = -targets[e]
                    for k in range(d):
                        residual += features[e, k] * theta[i, k]
                    for k in range(d):
                        gradient[k] += residual * features[e, k]
                for k in range(d):
                    theta[i, k] -= rate * gradient[k]

    return lambda: march(np.zeros((n, dimension)), features, targets, steps), n * steps


def numpy_loop(examples: int, dimension: int, size: int, n: int, steps: int) -> Case:
    """Return the loop over steps that one writes with NumPy, in groups of trajectories that stay in the cache."""
    features, targets = data(examples, dimension)
    rate, generator, group = 0.5 / (dimension + 2) / size, np.random.default_rng(1), 1024

    def call() -> None:
        for _ in range(0, n, group):
            theta = np.zeros((group, dimension))
            for _ in range(steps):
                batch = generator.integers(examples, size=(group, size))
                drawn = features[batch]
                residual = np.einsum("nbk,nk->nb", drawn, theta) - targets[batch]
                theta -= rate * np.einsum("nb,nbk->nk", residual, drawn)

    return call, n * steps


def block_rate() -> float:
    """Return the Philox blocks a second of one thread."""
    from numba import njit

    from fpsolver.kernels.cpu.lanes import lane_ids
    from fpsolver.kernels.cpu.noise import fill_words

    @njit
    def work(words: np.ndarray, ids: np.ndarray, times: int) -> None:
        for block in range(times):
            fill_words(words, ids, block, 0, 1, 2)

    words, ids, walls = np.zeros(1024, np.uint32), lane_ids(0, 0), []
    for _ in range(9):
        began = time.perf_counter()
        work(words, ids, 2_000)
        walls.append(time.perf_counter() - began)
    return 256 * 2_000 / min(walls)


def minibatches(repeats: int) -> None:
    """Print minibatch SGD beside its peers and its arithmetic bound."""
    threads = thread_count(None)
    peak, blocks = min(2, threads) * multiply_add_rate(), min(2, threads) * block_rate()
    for examples, dimension, size in ((1_000, 1, 1), (1_000, 10, 1), (1_000, 10, 8), (1_000, 50, 8), (60_000, 50, 8)):
        n, steps = 8_192, max(100, 2_000 // (dimension * size))
        shape = (examples, dimension, size, n, steps)
        few = (examples, dimension, size, 1_024, max(4, steps // 8))
        rates = medians(
            {
                "ours": ours(*shape),
                "without replacement": ours(*shape, replacement=False),
                "numba": numba_loop(*shape),
                "numpy": numpy_loop(*few),
            },
            repeats,
        )
        bound = 1.0 / (2 * dimension * size / peak + (size + 1) // 2 / blocks)
        print(
            f"N = {examples}, d = {dimension}, B = {size}: {rates['ours'] / 1e6:8.2f} M/s "
            f"(without replacement {rates['without replacement'] / 1e6:.2f}); Numba loop {rates['numba'] / 1e6:.2f}, "
            f"{rates['ours'] / rates['numba']:.1f} × ours; NumPy loop {rates['numpy'] / 1e6:.2f}, "
            f"{rates['ours'] / rates['numpy']:.0f} × ours; bound {bound / 1e6:.1f}"
        )


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="calls of each case")
    repeats = parser.parse_args().repeats
    rates = medians(chains(), repeats)
    reference = rates["Langevin, Euler–Maruyama"]
    for name, rate in rates.items():
        print(f"{name:26s} {rate / 1e6:8.1f} M particle-steps/s, {rate / reference:.2f} of Langevin dynamics")
    minibatches(repeats)


if __name__ == "__main__":
    main()
