"""Measured orders of the kinetic schemes for friction from 0.01 to 100.

The slowest rate of V = x⁴/4 − x²/2 at T = 0.25 is found by each scheme on successively halved cells and set against a
reference that shares nothing with them but the landscape: Brinkman's hierarchy with sinc functions in x (spectral
in both variables), solved as a block-tridiagonal system.

Run ``python -m fpsolver.validation.kinetic_orders`` for the table.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse.linalg

from fpsolver.dynamics import UnderdampedLangevin
from fpsolver.generators.kinetic import kinetic_generator
from fpsolver.grids import Grid
from fpsolver.landscapes import Landscape

TEMPERATURE = 0.25
FUNCTIONS = {0.01: 256, 0.1: 96, 1.0: 24, 10.0: 12, 100.0: 8}
"""Hermite functions used for each friction when the order in the cell width is measured."""


@dataclass(frozen=True)
class MeasuredOrder:
    """Errors of the slowest rate on successively halved cells, and the orders that they show.

    Parameters
    ----------
    scheme : str
        "hermite" or "upwind".
    friction : float
        Friction rate γ.
    functions : int or None
        Number of Hermite functions; the reference has as many, so that the errors are those of the position cells.
    cells : tuple of int
        Position cells (and, for "upwind", velocity cells) of each run.
    reference : float
        Slowest rate of the reference.
    errors : tuple of float
        Relative errors of the slowest rate.
    """

    scheme: str
    friction: float
    functions: int | None
    cells: tuple[int, ...]
    reference: float
    errors: tuple[float, ...]

    @property
    def orders(self) -> tuple[float, ...]:
        """log₂ of the ratio of successive errors."""
        sizes = np.abs(self.errors)
        return tuple((np.log2(sizes[:-1] / sizes[1:]) / np.log2(np.divide(self.cells[1:], self.cells[:-1]))).tolist())


def measured_orders(
    frictions: Sequence[float] = (0.01, 1.0, 100.0), *, finest: int = 320, levels: int = 3
) -> tuple[MeasuredOrder, ...]:
    """Return the measured orders of both schemes.

    Parameters
    ----------
    frictions : sequence of float
        Friction rates.
    finest : int
        Cells of the finest grid along x (and v for "upwind").
    levels : int
        Number of grids, each with half the cells of the next.
    """
    cells = tuple(finest // 2**level for level in reversed(range(levels)))
    results = []
    for friction in frictions:
        functions = FUNCTIONS.get(friction, 64)
        exact = reference_rate(friction, functions)
        errors = tuple(slowest_rate(friction, n, functions) / exact - 1 for n in cells)
        results.append(MeasuredOrder("hermite", friction, functions, cells, exact, errors))
        exact = reference_rate(friction, 4 * functions)
        errors = tuple(slowest_rate(friction, n, None) / exact - 1 for n in cells)
        results.append(MeasuredOrder("upwind", friction, None, cells, exact, errors))
    return tuple(results)


def functions_needed(friction: float, tolerance: float = 1e-3, largest: int = 1024) -> int:
    """Return how many Hermite functions, a power of two, bring the slowest rate to a relative tolerance.

    Parameters
    ----------
    friction : float
        Friction rate.
    tolerance : float
        Relative tolerance, against `largest` functions.
    largest : int
        Number of functions of the reference.
    """
    exact, count = reference_rate(friction, largest), 4
    while count < largest and abs(reference_rate(friction, count) / exact - 1) > tolerance:
        count *= 2
    return count


def slowest_rate(friction: float, cells: int, functions: int | None) -> float:
    """Return the slowest non-zero rate on a grid by the Hermite scheme, or the upwind one if `functions` is None.

    Parameters
    ----------
    friction : float
        Friction rate.
    cells : int
        Cells along x on [−2.5, 2.5]; for "upwind" also along v on [−3.5, 3.5].
    functions : int or None
        Number of Hermite functions.
    """
    dynamics = UnderdampedLangevin(Landscape("x**4/4 - x**2/2"), temperature=TEMPERATURE, friction=friction)
    grid = Grid(x=(-2.5, 2.5, cells), velocity={"x": (-3.5, 3.5, cells)})
    scheme = "upwind" if functions is None else "hermite"
    W = kinetic_generator(dynamics, grid, scheme, functions=functions)
    # Slightly right of the eigenvalue zero, where W − σ is regular.
    values = scipy.sparse.linalg.eigs(W.matrix.tocsc(), k=4, sigma=1e-4, return_eigenvectors=False)
    return float(np.sort(-values.real)[1])


def reference_rate(friction: float, functions: int, points: int = 96, width: float = 3.0) -> float:
    """Return the slowest non-zero rate by sinc functions in x and Hermite functions in v.

    Parameters
    ----------
    friction : float
        Friction rate.
    functions : int
        Number of Hermite functions.
    points : int
        Number of sinc functions; their error is far below that of the number of Hermite functions.
    width : float
        They are centred at equal distances from −width to width.
    """
    x, step = np.linspace(-width, width, points, retstep=True)
    distance = np.subtract.outer(np.arange(points), np.arange(points))
    sign = np.where(distance % 2 == 0, 1.0, -1.0)
    derivative = np.divide(sign, distance * step, out=np.zeros((points, points)), where=distance != 0)
    speed = np.sqrt(TEMPERATURE)
    raising = speed * (derivative + np.diag(0.5 * (x**3 - x) / TEMPERATURE))
    shift = 1e-4
    # Elimination of n = functions − 1, …, 0 from (W − shift) a = b: −√n·raising raises n, √n·raisingᵀ lowers it.
    inverses = [np.empty(0)] * functions
    for n in reversed(range(functions)):
        block = -(n * friction + shift) * np.eye(points)
        if n + 1 < functions:
            block += (n + 1) * raising.T @ inverses[n + 1] @ raising
        inverses[n] = scipy.linalg.inv(block, overwrite_a=True)

    def solve(right: np.ndarray) -> np.ndarray:
        b = right.reshape(functions, points).astype(float).copy()
        for n in reversed(range(1, functions)):
            b[n - 1] -= np.sqrt(n) * raising.T @ (inverses[n] @ b[n])
        b[0] = inverses[0] @ b[0]
        for n in range(1, functions):
            b[n] = inverses[n] @ (b[n] + np.sqrt(n) * raising @ b[n - 1])
        return b.ravel()

    size = functions * points
    operator = scipy.sparse.linalg.LinearOperator((size, size), matvec=solve, dtype=float)
    start = np.random.default_rng(1).normal(size=size)
    values = scipy.sparse.linalg.eigs(operator, k=4, which="LM", v0=start, return_eigenvectors=False)
    return float(np.sort(-(shift + 1 / values).real)[1])


def main() -> None:
    """Print the measured orders."""
    warnings.simplefilter("ignore")
    print(f"slowest rate of V = x⁴/4 − x²/2 at T = {TEMPERATURE}: relative errors and orders")
    for result in measured_orders():
        count = f", {result.functions} functions" if result.functions else ""
        errors = "  ".join(f"{error:+.2e}" for error in result.errors)
        orders = ", ".join(f"{order:.2f}" for order in result.orders)
        print(f"γ = {result.friction:<6g} {result.scheme:8s} cells {result.cells}{count}: {errors}; orders {orders}")
    for friction in (0.01, 0.1, 1.0, 100.0):
        print(f"γ = {friction:<6g} Hermite functions for the slowest rate to 1e-3: {functions_needed(friction)}")


if __name__ == "__main__":
    main()
