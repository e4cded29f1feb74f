"""Speed of `evolve`: whole calls, the generator already built, against the peers that are installed.

The problem is V = x⁴/4 − x²/2 + y²/2 at T = 0.25 on [−2, 2]². Figures are medians and best values of several calls; on
a busy machine compare the ratios, taken in turn with the calls of the peers.
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
from benchmarks.peers import PEERS, TEMPERATURE, start


def plane(cells: int) -> tuple[Any, np.ndarray]:
    """Return the two-dimensional problem: generator and initial density."""
    grid = fp.Grid(x=(-2, 2, cells), y=(-2, 2, cells))
    landscape = fp.Landscape("x**4/4 - x**2/2 + y**2/2")
    generator = fp.generator(fp.Langevin(landscape, temperature=TEMPERATURE), grid)
    return generator, fp.gaussian(grid, [-1.0, 0.5], [[0.05, 0.0], [0.0, 0.05]])


def cube(cells: int) -> tuple[Any, np.ndarray]:
    """Return the three-dimensional problem."""
    grid = fp.Grid(x=(-2, 2, cells), y=(-2, 2, cells), z=(-2, 2, cells))
    landscape = fp.Landscape("x**4/4 - x**2/2 + y**2/2 + z**2/2")
    generator = fp.generator(fp.Langevin(landscape, temperature=TEMPERATURE), grid)
    return generator, fp.gaussian(grid, [-1.0, 0.5, 0.0], 0.05 * np.eye(3))


def timed(call: Callable[[], Any], repeats: int) -> tuple[float, float, Any]:
    """Return the median and the best wall time of a call, and its last result."""
    call()
    walls = []
    for _ in range(repeats):
        began = time.perf_counter()
        result = call()
        walls.append(time.perf_counter() - began)
    return statistics.median(walls), min(walls), result


def bandwidth() -> float:
    """Return the memory bandwidth of one thread in bytes per second, from a copy of 256 MB."""
    source = np.ones(16_000_000)
    target = np.empty_like(source)
    _, best, _ = timed(lambda: np.copyto(target, source), 5)
    return 2 * source.nbytes / best


def line(name: str, generator: Any, density: np.ndarray, end: float, repeats: int) -> float:
    """Time one case, print it and return the median wall time."""
    generator.diagonal  # noqa: B018  (part of a built generator)
    median, best, found = timed(lambda: fp.evolve(generator, density, times=[end]), repeats)
    products = found.stats["applications"]
    each = best / products / generator.grid.size * 1e9
    print(
        f"{name:14s} t = {end:<6g} median {median * 1e3:9.2f} ms  best {best * 1e3:9.2f} ms  "
        f"{products:5d} products  {each:6.3f} ns per cell and product  {found.stats['method']}"
    )
    return median


def compare(name: str, cells: int) -> None:
    """Time a peer and then `evolve` on the same grid, and print the ratio and how far apart the densities are."""
    call = PEERS[name](cells)
    if call is None:
        print(f"{name} is not installed here: no ratio")
        return
    median, _, theirs = timed(call, 2)
    generator, _ = plane(cells)
    density = fp.density(generator.grid, start)
    again, _, ours = timed(lambda: fp.evolve(generator, density, times=[1.0]), 15)
    theirs = np.asarray(theirs) / (np.sum(theirs) * generator.grid.volumes[0, 0])
    apart = float((np.abs(theirs - ours.final) * generator.grid.volumes).sum())
    print(
        f"{name:8s} {cells} x {cells}: {median:.3f} s, {median / again:.0f} times as long as evolve "
        f"({again * 1e3:.2f} ms); L1 difference {apart:.1e}"
    )


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only 128 and 256 cells a side, without the peer at 256")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    speed = bandwidth()
    print(f"one thread copies {speed / 1e9:.1f} GB/s: six arrays a product would take {48 / speed * 1e9:.2f} ns a cell")
    print("from memory; several products a sweep need less")
    walls = {}
    for cells, repeats in ((128, 31), (256, 15)) + (() if options.quick else ((512, 5), (1024, 3))):
        generator, density = plane(cells)
        walls[cells] = line(f"{cells} x {cells}", generator, density, 1.0, repeats)
        if cells == 256:
            long = line(f"{cells} x {cells}", generator, density, 1000.0, 7)
            print(f"{'':14s} t = 1000 costs {long / walls[cells]:.1f} times t = 1")
    if not options.quick:
        generator, density = cube(96)
        line("96 x 96 x 96", generator, density, 1.0, 3)
    for cells, names in ((128, PEERS),) + (() if options.quick else ((256, ("fplanck",)),)):
        for name in names:
            compare(name, cells)


if __name__ == "__main__":
    main()
