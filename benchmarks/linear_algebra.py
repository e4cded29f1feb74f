"""Time and memory of stationary states without detailed balance, mean first-passage times and spectra.

Run ``python benchmarks/linear_algebra.py [--json] [NAME…]``; every case runs in a process of its own, whose peak memory
beyond that of the loaded generator is given in doubles per cell.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from typing import Any

import numpy as np

import fpsolver as fp


def problem(dimension: int, cells: int, temperature: float, driven: bool) -> Any:
    """Return the generator of a double well, with a rotational force if driven."""
    names = "xyz"[:dimension]
    bowl = "".join(f" + {name}**2/2" for name in names[1:])
    landscape = fp.Landscape("x**4/4 - x**2/2" + bowl, variables=tuple(names))
    force = ("-y", "x", "0")[:dimension] if driven else None
    law = fp.Langevin(landscape, temperature=temperature, force=force)
    return fp.generator(law, fp.Grid(**{name: (-2.5, 2.5, cells) for name in names}))


def stationary(W: Any) -> dict[str, Any]:
    """Solve for the stationary state."""
    return dict(fp.stationary(W).stats)


def passage(W: Any) -> dict[str, Any]:
    """Solve for the mean first-passage time to x ≥ 1."""
    return dict(fp.mean_first_passage_time(W, target=fp.where(x=(1.0, None))).stats)


def spectrum(W: Any) -> dict[str, Any]:
    """Solve for the four slowest rates."""
    s = fp.spectrum(W, k=4)
    return {**s.stats, "rates": [str(rate) for rate in s.rates]}


CASES = {
    "stationary-2d": (stationary, 2, 1000, 0.1, True),
    "stationary-3d": (stationary, 3, 100, 0.2, True),
    "passage-2d": (passage, 2, 1000, 0.1, False),
    "passage-3d": (passage, 3, 100, 0.2, False),
    "spectrum-2d": (spectrum, 2, 1000, 0.1, False),
    "spectrum-3d": (spectrum, 3, 100, 0.2, False),
    "driven-spectrum-2d": (spectrum, 2, 500, 0.1, True),
}


def measure(name: str) -> dict[str, Any]:
    """Run one case in this process."""
    import pyamg  # noqa: F401 (the time to import it is not the solver's)
    import scipy.sparse.linalg  # noqa: F401

    solve, *arguments = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fp.errors.GridWarning)
        W = problem(*arguments)
        # A small problem of the same kind loads what is loaded on first use.
        solve(problem(arguments[0], 8, *arguments[2:]))
    matrix = W.matrix
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, busy = time.perf_counter(), time.process_time()
    stats = solve(W)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kept = {key: value for key, value in stats.items() if isinstance(value, str | int | float | list)}
    return {
        "cells": matrix.shape[0],
        "seconds": round(seconds, 2),
        "processor_seconds": round(busy, 2),
        "doubles_per_cell": round((peak - before) * 1024 / 8 / matrix.shape[0], 1),
        **kept,
    }


def main() -> None:
    """Run the named cases, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--here", action="store_true", help="run in this process")
    options = parser.parse_args()
    report = {}
    for name in options.names or CASES:
        if options.here:
            report[name] = measure(name)
        else:
            command = [sys.executable, __file__, "--here", "--json", name]
            report |= json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        if not options.json:
            print(f"{name:20}", report[name], flush=True)
    if options.json:
        print(json.dumps(report, default=lambda value: np.asarray(value).tolist()))


if __name__ == "__main__":
    main()
