"""Speed of `evolve`: whole calls, the generator already built, against fplanck where it is installed.

The problem is V = x⁴/4 − x²/2 + y²/2 at T = 0.25 on [−2, 2]². Run ``python benchmarks/evolve.py``; fplanck 0.2.2 takes
part where it can be imported (it needs ``np.product``, which is put back for it). Figures are medians and best values
of several calls; on a busy machine compare the ratios, taken in turn with the peer's calls.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import fpsolver as fp

TEMPERATURE = 0.25


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


def peer(cells: int) -> Callable[[], Any] | None:
    """Return fplanck's propagation of the same problem, or None where it is not installed."""
    setattr(np, "product", np.prod)  # noqa: B010  (gone from NumPy 2, and fplanck calls it)
    try:
        from fplanck import fokker_planck, gaussian_pdf
    except ImportError:
        return None
    step = 4.0 / cells
    solver = fokker_planck(
        temperature=TEMPERATURE / 1.380649e-23,
        drag=1.0,
        extent=[4.0, 4.0],
        resolution=step,
        potential=lambda x, y: x**4 / 4 - x**2 / 2 + y**2 / 2,
    )
    start = gaussian_pdf(center=(-1.0, 0.5), width=np.sqrt(0.05))
    return lambda: solver.propagate(start, 1.0)


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
    for cells, repeats in ((128, 5),) + (() if options.quick else ((256, 2),)):
        call = peer(cells)
        if call is None:
            print("fplanck is not installed here: no ratios", file=sys.stderr)
            break
        median, _, _ = timed(call, repeats)
        generator, density = plane(cells)
        again, _, _ = timed(lambda g=generator, p=density: fp.evolve(g, p, times=[1.0]), 15)
        ratio = median / again
        print(f"fplanck {cells} x {cells}: {median:.3f} s, {ratio:.0f} times as long as evolve ({again * 1e3:.2f} ms)")


if __name__ == "__main__":
    main()
