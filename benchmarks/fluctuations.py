"""Speed of fluctuation theorems: tilted spectra on 10⁵ cells, and pairs of 10⁷ trajectories with Bennett's estimate.

Trajectories are bound by arithmetic: one normal number a step; eigenvalues by memory: some hundred sweeps of multigrid.
The peers run in the same process: ARPACK in shift-invert mode on the same tilted matrix (``scipy.sparse.linalg.eigs``,
given a shift just above the eigenvalue), and the same pair of ensembles in NumPy, in batches that stay in the cache.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.ensembles.march import thread_count
from fpsolver.thermodynamics import bennett, dominant_state, scgf, tilted

TRAP = fp.Landscape("a*(x - c)**2/2", parameters={"a": 1.0, "c": 0.0})
STEPS = 100
"""Time steps of a process, exact ones of the trap as it stands."""

PROCESSES = {
    "dragged trap": ("c", 0.0, 2.0, 2.0, 0.0),
    "stiffening trap": ("a", 1.0, 2.0, 1.0, 0.5 * math.log(2.0)),
}
"""The parameter, its first and last value, the duration, and the free-energy difference, at T = μ = 1."""


def torus(cells: int) -> Any:
    """Return the generator of a driven particle in a periodic landscape of two dimensions."""
    landscape = fp.Landscape("cos(x) + cos(y) + cos(x - y)/2")
    law = fp.Langevin(landscape, temperature=0.5, force=("0.5", "0.2"))
    axes = {name: fp.Axis(0.0, 2.0 * math.pi, cells, boundary="periodic") for name in ("x", "y")}
    return fp.generator(law, fp.Grid(**axes))


def timed(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Return the median wall time of a call, and its last result."""
    walls = []
    for _ in range(repeats):
        began = time.perf_counter()
        found = call()
        walls.append(time.perf_counter() - began)
    return statistics.median(walls), found


def solved(W: Any) -> tuple[Any, float]:
    """Return the dominant state of the entropy flow at s = −0.3, and its eigenvalue."""
    state = dominant_state(tilted(W, "entropy_flow", -0.3))
    return state, state.value


def tilted_spectrum(cells: int, repeats: int) -> None:
    """Print the time of one dominant eigenvalue of the entropy flow, of eleven, and of ARPACK."""
    import pyamg  # noqa: F401 (the time to import it is not the solver's)
    from scipy.sparse.linalg import eigs

    solved(torus(8))
    W = torus(cells)
    matrix = tilted(W, "entropy_flow", -0.3).matrix
    vector = np.ones(matrix.shape[0])
    product, _ = timed(lambda: matrix @ vector, 51)
    own, (state, value) = timed(lambda: solved(W), repeats)
    every, found = timed(lambda: scgf(W, "entropy_flow", np.linspace(-1.0, 0.0, 11)), 1)
    # Nothing of the spectrum lies above the dominant eigenvalue, nor between it and this shift.
    shift, columns = state.bounds[1] + 1e-3, matrix.tocsc()
    theirs, values = timed(lambda: eigs(columns, k=1, sigma=shift, which="LM", return_eigenvectors=False), repeats)
    symmetry = float(np.abs(found.values - found.values[::-1]).max())
    print(
        f"{cells} x {cells} torus, {matrix.shape[0]} cells: λ(−0.3) in {own:.2f} s ({own / product:.0f} products with "
        f"the matrix at {product * 1e3:.2f} ms, {matrix.nnz * 12 / product / 1e9:.1f} GB/s), certified to "
        f"{np.ptp(state.bounds):.0e}; eleven λ(s) in {every:.1f} s, λ(s) − λ(−1 − s) ≤ {symmetry:.0e}"
    )
    print(
        f"{'':18s}eigs, shift-invert: {theirs:.2f} s, {theirs / own:.2f} times as long; no bounds; "
        f"apart {abs(values[0].real - value):.0e}"
    )


def ensemble(name: str, paths: int, *, reverse: bool, functionals: str | tuple[()] = "work") -> Any:
    """Simulate a process or its reverse from equilibrium."""
    parameter, first, last, duration, _ = PROCESSES[name]
    start, stop = (last, first) if reverse else (first, last)
    law = fp.Langevin(TRAP, temperature=1.0, protocol={parameter: fp.Protocol.ramp(start, stop, duration=duration)})
    mean, variance = (start, 1.0) if parameter == "c" else (0.0, 1.0 / start)
    return fp.simulate(
        law, n=paths, initial=fp.Gaussian([mean], variance), dt=duration / STEPS, t_final=duration, seed=1,
        experiment=int(reverse), scheme="ornstein-uhlenbeck", functionals=functionals,
    )  # fmt: skip


def numpy_work(name: str, paths: int, *, reverse: bool, batch: int = 20_000) -> np.ndarray:
    """Return the work of the same process in NumPy, all trajectories of a batch at once."""
    parameter, first, last, duration, _ = PROCESSES[name]
    start, stop = (last, first) if reverse else (first, last)
    levels = np.linspace(start, stop, 2 * STEPS + 1)
    rng, dt, result = np.random.default_rng(int(reverse)), duration / STEPS, np.empty(paths)
    for begin in range(0, paths, batch):
        x = rng.standard_normal(min(batch, paths - begin))
        x = x + start if parameter == "c" else x / math.sqrt(start)
        work, xi, shifted = np.zeros_like(x), np.empty_like(x), np.empty_like(x)
        for before, middle, after in zip(levels[:-2:2], levels[1:-1:2], levels[2::2], strict=True):
            centre, stiffness = (middle, 1.0) if parameter == "c" else (0.0, middle)
            decay = math.exp(-stiffness * dt)
            for old, new, step in ((before, middle, True), (middle, after, False)):
                if parameter == "c":
                    np.subtract(0.5 * (old + new), x, out=shifted)
                    shifted *= new - old
                else:
                    np.multiply(x, x, out=shifted)
                    shifted *= 0.5 * (new - old)
                work += shifted
                if step:
                    rng.standard_normal(out=xi)
                    xi *= math.sqrt((1.0 - decay**2) / stiffness)
                    x -= centre
                    x *= decay
                    x += xi
                    x += centre
        result[begin : begin + batch] = work
    return result


def crooks_pair(name: str, paths: int, peer_paths: int, repeats: int) -> None:
    """Print the time of a pair of ensembles, of the estimate made from them, and of NumPy's."""
    for reverse in (False, True):
        ensemble(name, 1000, reverse=reverse)
    simulated, (forward, backward) = timed(
        lambda: [ensemble(name, paths, reverse=reverse).values("work") for reverse in (False, True)], repeats
    )
    estimated, found = timed(lambda: bennett(forward, backward, 1.0), 1)
    bare, _ = timed(lambda: [ensemble(name, paths, reverse=reverse, functionals=()) for reverse in (False, True)], 1)
    theirs, works = timed(lambda: [numpy_work(name, peer_paths, reverse=reverse) for reverse in (False, True)], repeats)
    check = bennett(*works, 1.0)
    exact, steps = PROCESSES[name][-1], 2.0 * paths * STEPS
    rates = [steps / wall / 1e6 for wall in (simulated, bare)]
    print(
        f"{name}: pair of {paths:.0e} on {thread_count(None)} threads in {simulated:.2f} s ({rates[0]:.0f} M "
        f"particle-steps/s; {rates[1]:.0f} without work), acceptance ratio {estimated:.2f} s, together "
        f"{simulated + estimated:.1f} s: ΔF = {found.value:.5f} ± {found.standard_error:.5f}, exact {exact:.5f}"
    )
    print(
        f"{'':18s}NumPy, one thread: pair of {peer_paths:.0e} in {theirs:.2f} s, per path "
        f"{theirs / peer_paths / (simulated / paths):.1f} times as long: "
        f"ΔF = {check.value:.5f} ± {check.standard_error:.5f}"
    )


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="10⁴ cells and 10⁶ trajectories")
    parser.add_argument("--repeats", type=int, default=3, help="calls of each case")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for cells in (100,) if options.quick else (100, 316):
        tilted_spectrum(cells, options.repeats)
    paths = 1_000_000 if options.quick else 10_000_000
    for name in PROCESSES:
        crooks_pair(name, paths, paths // 10, options.repeats)


if __name__ == "__main__":
    main()
