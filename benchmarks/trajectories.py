"""Speed of trajectories: whole `simulate` calls and the peers that are installed, in turn, in one run.

The problem is the quartic double well at T = 0.1, dt = 0.001. Figures are medians of million particle-steps a second;
on a busy machine compare the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fpsolver as fp
from benchmarks.trajectory_peers import DT, PEERS, TEMPERATURE
from fpsolver.ensembles.march import thread_count

N, STEPS = 262_144, 2_000


def case(dynamics: Any, n: int, steps: int, dt: float = DT, **options: Any) -> tuple[Callable[[], Any], int]:
    """Return a call of `simulate` and its particle-steps."""
    start = -np.ones(dynamics.landscape.dimension)
    return lambda: fp.simulate(dynamics, n, start, dt, steps * dt, seed=1, **options), n * steps


def wells() -> dict[str, tuple[Callable[[], Any], int]]:
    """Return the cases of the quartic double well."""
    landscape = fp.Landscape("x**4/4 - x**2/2")
    well = fp.Langevin(landscape, temperature=TEMPERATURE)
    kinetic = fp.UnderdampedLangevin(landscape, temperature=TEMPERATURE, friction=1.0)
    variable = fp.Langevin(landscape, temperature=TEMPERATURE, mobility="1 + x**2/4")
    return {
        "Gaussian": case(well, N, STEPS),
        "Gaussian, one thread": case(well, N, STEPS // 2, threads=1),
        "Rademacher": case(well, N, 4 * STEPS, noise="rademacher"),
        "three-point": case(well, N, STEPS, noise="three-point"),
        "single precision": case(well, N, STEPS, precision="single"),
        "heat": case(well, N, STEPS, functionals=["heat"]),
        "heat and entropy flow": case(well, N, STEPS, functionals=["heat", "entropy_flow"]),
        "Heun": case(well, N, STEPS, scheme="heun"),
        "Leimkuhler–Matthews": case(well, N, STEPS, scheme="leimkuhler-matthews"),
        "BAOAB": case(kinetic, N, STEPS, scheme="baoab"),
        "BAOAB with heat": case(kinetic, N, STEPS, scheme="baoab", functionals=["heat", "entropy_flow"]),
        "mobility 1 + x²/4": case(variable, N, STEPS // 2),
        "weak-2, mobility 1 + x²/4": case(variable, N, STEPS // 4, scheme="weak-2"),
    }


def medians(calls: dict[str, tuple[Callable[[], Any], int]], repeats: int) -> dict[str, float]:
    """Return median particle-steps a second of calls that are taken in turn."""
    for call, _ in calls.values():
        call()
    rates: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, (call, taken) in calls.items():
            began = time.perf_counter()
            call()
            rates[name].append(taken / (time.perf_counter() - began))
    return {name: statistics.median(values) for name, values in rates.items()}


def multiply_add_rate() -> float:
    """Return the multiply-adds a second of one thread, in vectors as wide as Numba emits: a long polynomial."""
    from numba import njit

    @njit(fastmath={"contract"})
    def work(x: np.ndarray, times: int) -> None:
        for _ in range(times):
            for i in range(256):
                t = x[i]
                t = t * t + 0.1
                t = t * t - 0.2
                t = t * t + 0.1
                t = t * t - 0.2
                t = t * t + 0.1
                t = t * t - 0.2
                t = t * t + 0.1
                t = t * t - 0.2
                t = t * t + 0.1
                t = t * t - 0.2
                t = t * t + 0.1
                t = t * t - 0.2
                t = t * t + 0.1
                t = t * t - 0.2
                t = t * t + 0.1
                x[i] = t * t - 0.2

    x = np.zeros(256)
    work(x, 1)
    walls = []
    for _ in range(9):
        began = time.perf_counter()
        work(x, 20_000)
        walls.append(time.perf_counter() - began)
    return 16 * 256 * 20_000 / min(walls)


def many_dimensions(repeats: int) -> None:
    """Print the cases of many dimensions beside their arithmetic bounds.

    The bound is the time of the multiply-adds of gradient and noise at the rate measured here, and of one normal number
    for each coordinate at the rate of `simulate` on a flat landscape; elementary functions are not counted.
    """
    generator = np.random.default_rng(1)
    matrix = generator.normal(size=(10, 10))
    features = generator.normal(size=(1000, 50))
    quadratic = fp.landscapes.quadratic(matrix @ matrix.T / 10 + np.eye(10))
    logistic = fp.landscapes.logistic_regression(features, (features[:, 0] > 0).astype(float), ridge=0.01)
    trap, risk = (fp.Langevin(landscape, temperature=0.1) for landscape in (quadratic, logistic))
    flat = fp.Langevin(fp.Landscape("0*x"), temperature=0.1)
    cases = {
        "10-d quadratic": (case(trap, 65_536, 200, dt=1e-2), 10, 100),
        "10-d quadratic, exact step": (case(trap, 65_536, 200, dt=1e-2, scheme="ornstein-uhlenbeck"), 10, 200),
        "50-d logistic regression, 1000 examples": (case(risk, 4_096, 10), 50, 2 * 1000 * 50),
    }
    rates = medians({name: call for name, (call, _, _) in cases.items()} | {"": case(flat, N, 500)}, repeats)
    peak = min(2, thread_count(None)) * multiply_add_rate()
    for name, (_, dimension, products) in cases.items():
        bound = 1.0 / (products / peak + dimension / rates[""])
        print(
            f"{name:42s} {rates[name] / 1e6:9.3f} M/s, bound {bound / 1e6:9.3f} from {products} multiply-adds at "
            f"{peak / 1e9:.0f} G/s and {dimension} normals: {bound / rates[name]:.2f} × the bound"
        )


def constant_memory() -> None:
    """Print time and peak memory of 10⁹ trajectory-steps with a thousand histograms."""
    import resource

    well = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=TEMPERATURE)
    observe = [fp.Histogram("x", (-2.5, 2.5, 200))]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    call, taken = case(well, 100_000, 10_000, observe=observe, times=1000)
    began = time.perf_counter()
    call()
    wall = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{taken:.0e} steps, 1000 histograms of 200 bins: {wall:.2f} s, {taken / wall / 1e6:.0f} M/s, +{grown:.0f} MB"
    )


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="calls of each case")
    repeats = parser.parse_args().repeats
    calls = wells()
    for name, (make, n, steps) in PEERS.items():
        peer = make(n, steps)
        if peer is not None:
            calls[name] = peer, n * steps
    rates = medians(calls, repeats)
    for name, rate in rates.items():
        ratio = f"{rates['Gaussian'] / rate:8.1f} × as long as ours" if name in PEERS else ""
        print(f"{name:28s} {rate / 1e6:10.1f} M particle-steps/s {ratio}")
    many_dimensions(repeats)
    constant_memory()


if __name__ == "__main__":
    main()
