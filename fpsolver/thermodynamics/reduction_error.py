"""How far a reduced master equation is from the full generator: spectrum, weights and mean passage times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.errors import GridError
from fpsolver.grids import Grid
from fpsolver.landscapes.descent import descend, lowest_passes, ranks
from fpsolver.solvers.spectrum import spectrum
from fpsolver.solvers.stationary import stationary
from fpsolver.thermodynamics.core_rates import cell_of, cores_around, times_to_core

if TYPE_CHECKING:
    from fpsolver.thermodynamics.reduction import Reduction


@dataclass(frozen=True, eq=False)
class ReductionError:
    """Numbers of the full generator beside those of its reduction.

    Parameters
    ----------
    full_rates, reduced_rates : ndarray, shape (n,)
        The n slowest relaxation rates, the first of them zero.
    full_weights, reduced_weights : ndarray, shape (n,)
        Stationary probabilities: of the basin of each minimum, and of the minimum in the master equation.
    full_times, reduced_times : ndarray, shape (n, n), or None
        Mean time i → j: from the cell of minimum i to the core of minimum j, and between minima.
    """

    full_rates: np.ndarray
    reduced_rates: np.ndarray
    full_weights: np.ndarray
    reduced_weights: np.ndarray
    full_times: np.ndarray | None = None
    reduced_times: np.ndarray | None = None

    @property
    def rate_errors(self) -> np.ndarray:
        """Relative error of each rate but the first, shape (n − 1,)."""
        return np.asarray(self.reduced_rates[1:] / self.full_rates[1:] - 1.0)

    @property
    def weight_errors(self) -> np.ndarray:
        """Relative error of each weight, shape (n,)."""
        return np.asarray(self.reduced_weights / self.full_weights - 1.0)

    @property
    def time_errors(self) -> np.ndarray | None:
        """Relative error of each mean passage time, shape (n, n), zero on the diagonal."""
        if self.full_times is None or self.reduced_times is None:
            return None
        own = np.eye(len(self.full_times), dtype=bool)
        return np.where(own, 0.0, self.reduced_times / np.where(own, 1.0, self.full_times) - 1.0)

    def __str__(self) -> str:
        lines = [f"{'':<16}{'full':>14}{'reduced':>14}{'error':>10}"]
        rows = [(f"rate {k}", self.full_rates[k], self.reduced_rates[k]) for k in range(1, len(self.full_rates))]
        rows += [(f"weight {k}", w, self.reduced_weights[k]) for k, w in enumerate(self.full_weights)]
        if self.full_times is not None and self.reduced_times is not None:
            pairs = [(i, j) for i in range(len(self.full_times)) for j in range(len(self.full_times)) if i != j]
            rows += [(f"time {i} → {j}", self.full_times[i, j], self.reduced_times[i, j]) for i, j in pairs]
        for name, full, reduced in rows:
            lines.append(f"{name:<16}{full:>14.6g}{reduced:>14.6g}{abs(reduced / full - 1):>10.1e}")
        return "\n".join(lines)


def reduction_error(reduced: Reduction, W: Any, *, passage_times: bool = True) -> ReductionError:
    """Return spectrum, weights and mean passage times of a generator beside those of its reduction.

    Parameters
    ----------
    reduced : Reduction
        The master equation.
    W : Generator
        The full generator; its grid holds every minimum.
    passage_times : bool
        Whether to solve for mean passage times, once for every minimum.

    Raises
    ------
    GridError
        If a minimum lies outside the grid.
    """
    landscape, grid, minima = reduced.landscape, W.grid, reduced.minima
    order = grid.order(landscape.variables)
    for minimum in minima:
        for k, x in zip(order, minimum.position, strict=True):
            if not grid.axes[k].lower <= x <= grid.axes[k].upper:
                raise GridError(f"the minimum at {minimum.position.tolist()} lies outside {grid!r}; extend the grid")
    n = len(minima)
    full_times = reduced_times = None
    if passage_times:
        cells = tuple(np.transpose([cell_of(landscape, grid, minimum) for minimum in minima]))
        cores = cores_around(landscape, grid, minima, reduced.core_depth)
        full_times = np.stack([times_to_core(W, core)[cells] for core in cores], axis=1)
        reduced_times = np.stack([reduced.mean_first_passage_times(j) for j in range(n)], axis=1)
    mass = np.asarray(stationary(W)) * grid.volumes
    labels = basin_labels(landscape, grid, minima)
    weights = np.bincount(labels.ravel(), weights=mass.ravel(), minlength=n)
    rates = spectrum(W, k=n).rates
    return ReductionError(rates, reduced.spectrum(), weights, reduced.stationary(), full_times, reduced_times)


def basin_labels(landscape: Any, grid: Grid, minima: Any) -> np.ndarray:
    """Return the number of the minimum to whose basin each cell belongs, of the grid's shape.

    Steepest descent from cell to cell; what ends in none of the minima joins its neighbour over the lowest pass.
    """
    loss = loss_on_grid(landscape, grid)
    rank = ranks(loss)
    labels = np.unique(descend(loss, rank, grid), return_inverse=True)[1].reshape(grid.shape)
    # Groups of basins are numbered by one of their members; only groups that hold a minimum are kept apart.
    group = np.arange(labels.max() + 1)
    owner = {int(labels[cell_of(landscape, grid, minimum)]): k for k, minimum in enumerate(minima)}
    pairs, heights = lowest_passes(labels.ravel(), rank, grid)
    for a, b in group[pairs[np.argsort(heights)]].tolist():
        a, b = int(group[a]), int(group[b])
        if not (a in owner and b in owner):
            keep, join = (a, b) if a in owner else (b, a)
            group[group == join] = keep
    return np.array([owner[int(member)] for member in group])[labels]
