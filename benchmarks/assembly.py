"""Assembly of generators with 10⁶ cells: edges, and the sparse matrix where it is asked for."""

from __future__ import annotations

import statistics
import time

import fpsolver as fp


def main() -> None:
    """Print medians over five assemblies, after one that is not counted."""
    quartic = "x**4/4 - x**2/2 + y**2/2"
    turned = [[1.0, 0.6], [0.6, 0.5]]
    cases = {
        "2-D, 1000 x 1000": (fp.Langevin(fp.Landscape(quartic), temperature=0.25), ("x", "y"), 1000),
        "2-D, tensor, 1000 x 1000": (
            fp.Langevin(fp.Landscape(quartic), temperature=0.25, mobility=turned),
            ("x", "y"),
            1000,
        ),
        "3-D, 100 x 100 x 100": (
            fp.Langevin(fp.Landscape(quartic + " + z**2/2"), temperature=0.25),
            ("x", "y", "z"),
            100,
        ),
    }
    for name, (dynamics, axes, cells) in cases.items():
        edges, matrix = [], []
        for _ in range(6):
            grid = fp.Grid(**{axis: fp.Axis(-2, 2, cells, boundary="reflecting") for axis in axes})
            began = time.perf_counter()
            generator = fp.generator(dynamics, grid)
            built = time.perf_counter()
            _ = generator.matrix
            edges.append(built - began)
            matrix.append(time.perf_counter() - built)
        seconds = [statistics.median(times[1:]) for times in (edges, matrix)]
        print(f"{name:26s} edges {seconds[0]:.2f} s, sparse matrix {seconds[1]:.2f} s")


if __name__ == "__main__":
    main()
