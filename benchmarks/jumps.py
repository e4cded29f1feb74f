"""Gain–loss operators of jump processes as convolutions: one application, and what its operations and memory allow.

Run ``python -m benchmarks.jumps [--cells N] [--end-to-end]``. Applications are of the symmetric form, to rounding of
the largest value; "relative" is the form that keeps every digit of every value. On a busy machine compare best values.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.solvers.exponential.convolution_operator import plain_convolution, symmetric_convolution

REPEATS = 9


def problem(cells: int, scale: float) -> Any:
    """Return the generator of the half law on the double well x⁴/4 − x²/2 + y²/2 at T = 0.25 on [−2.5, 2.5]²."""
    landscape = fp.Landscape("x**4/4 - x**2/2 + y**2/2")
    process = fp.JumpProcess(landscape, temperature=0.25, proposal=fp.GaussianProposal(scale))
    grid = fp.Grid(
        x=fp.Axis(-2.5, 2.5, cells, boundary="reflecting"), y=fp.Axis(-2.5, 2.5, cells, boundary="reflecting")
    )
    return fp.generator(process, grid, "convolution")


def timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Return the median and the best wall time in milliseconds."""
    call()
    walls = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        walls.append(1e3 * (time.perf_counter() - began))
    return statistics.median(walls), min(walls)


def limits() -> tuple[float, float]:
    """Return what one product of matrices reaches in 10⁹ operations a second, and one copy in 10⁹ bytes a second."""
    matrix = np.random.default_rng(0).random((1024, 1024))
    _, product = timed(lambda: matrix @ matrix)
    source, target = np.ones(16_000_000), np.empty(16_000_000)
    _, copy = timed(lambda: np.copyto(target, source))
    return 2 * 1024**3 / product / 1e6, 2 * source.nbytes / copy / 1e6


def engines(W: Any, speed: float, bandwidth: float) -> None:
    """Time the engines on one generator and print them beside what the machine would allow."""
    kernel, x = W.kernel, np.random.default_rng(1).random(W.n_state)
    for name, fourier in (("Fourier transforms", True), ("sums of products", False)):
        kernel.__dict__["by_fourier"] = fourier
        S = symmetric_convolution(W)
        median, best = timed(lambda: S(x))  # noqa: B023  (called at once)
        if fourier:
            padded = float(np.prod(kernel.padded))
            operations = 2 * 2.5 * padded * np.log2(padded)
            # Both transforms read and write the padded array once an axis, the spectrum is read in between.
            traffic = 8 * padded * (4 * len(kernel.padded) + 1)
        else:
            lines = kernel.lines(1e-17)
            operations = 2.0 * W.n_state * sum(line.toeplitz.shape[1] for line in lines)
            traffic = 8.0 * W.n_state * 6 * len(lines)
        bound = max(operations / speed, traffic / bandwidth) / 1e6
        print(
            f"  {name:20s} median {median:8.2f} ms  best {best:8.2f} ms  "
            f"{operations / 1e6:8.0f} Mflop, {traffic / 1e6:6.0f} MB: at least {bound:6.2f} ms"
        )
    kernel.__dict__.pop("by_fourier")
    plain = plain_convolution(W)
    median, best = timed(lambda: plain(x))
    print(f"  {'relative, products':20s} median {median:8.2f} ms  best {best:8.2f} ms")
    print(f"  chosen: {symmetric_convolution(W).engine}")


def solvers(W: Any) -> None:
    """Time whole calls on one generator."""
    p0 = fp.gaussian(W.grid, [-1.0, 0.5], 0.05 * np.eye(2))
    calls: dict[str, Callable[[], Any]] = {
        "evolve to t = 1": lambda: fp.evolve(W, p0, [1.0]),
        "evolve to t = 1000": lambda: fp.evolve(W, p0, [1000.0]),
        "mean first passage": lambda: fp.mean_first_passage_time(W, fp.where(x=(1.0, None))),
        "four slowest rates": lambda: fp.spectrum(W, 4),
    }
    for name, call in calls.items():
        began = time.perf_counter()
        found = call()
        print(f"  {name:20s} {time.perf_counter() - began:7.2f} s  {found.stats['method']}")


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=512, help="cells along each axis")
    parser.add_argument("--end-to-end", action="store_true", help="whole calls of solvers too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    speed, bandwidth = limits()
    print(f"one product of matrices: {speed:.0f} Gflop/s; one copy: {bandwidth:.0f} GB/s")
    for scale in (0.03, 0.1, 0.3, 1.0):
        W = problem(options.cells, scale)
        print(
            f"{options.cells} x {options.cells} cells, updates of {scale * options.cells / 5:.0f} cells (s = {scale:g})"
        )
        engines(W, speed, bandwidth)
        if options.end_to_end and scale == 0.1:
            solvers(W)


if __name__ == "__main__":
    main()
