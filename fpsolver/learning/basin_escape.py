"""Barriers and escape rates of all minima of a landscape: their distributions, from one generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import MethodError
from fpsolver.landscapes.watershed import basins
from fpsolver.solvers.quasi_stationary import quasi_stationary
from fpsolver.solvers.stationary import require_autonomous


@dataclass(frozen=True, eq=False)
class EscapeRates:
    """Minima with the barriers around them and the rates at which they are left.

    Attributes
    ----------
    positions : ndarray, shape (n, d)
        Minima, the lowest first, in the order of the grid's axes.
    losses : ndarray, shape (n,)
        Loss at the minima.
    barriers : ndarray, shape (n,)
        Height of the lowest pass out of each minimum's basin, above the minimum.
    rates : ndarray, shape (n,)
        Rate at which each basin is left by what has settled in it, per unit time of the generator (per step for SGD).
    """

    positions: np.ndarray
    losses: np.ndarray
    barriers: np.ndarray
    rates: np.ndarray

    def __len__(self) -> int:
        return len(self.rates)

    def barrier_density(self, bins: Any = 10) -> tuple[np.ndarray, np.ndarray]:
        """Return the empirical density of barrier heights and the edges of its bins, as `numpy.histogram`."""
        return np.histogram(self.barriers, bins, density=True)

    def rate_density(self, bins: Any = 10) -> tuple[np.ndarray, np.ndarray]:
        """Return the empirical density of ln(rate) and the edges of its bins, as `numpy.histogram`."""
        return np.histogram(np.log(self.rates), bins, density=True)

    def arrhenius_fit(self) -> tuple[float, float]:
        """Return the slope −d ln k/dE over all minima, 1/T where Arrhenius' law holds, and its standard error.

        Raises
        ------
        MethodError
            If there are fewer than three minima.
        """
        if len(self) < 3:
            raise MethodError(f"a slope with an error needs three minima, and there are {len(self)}")
        centred = self.barriers - self.barriers.mean()
        logs = np.log(self.rates)
        slope = centred @ logs / (centred @ centred)
        rest = logs - logs.mean() - slope * centred
        return -float(slope), float(np.sqrt(rest @ rest / (len(self) - 2) / (centred @ centred)))


def escape_rates(W: Any, *, threshold: float = 0.0) -> EscapeRates:
    """Return barriers and escape rates of all minima of the landscape under a generator.

    A basin's rate is that of its quasi-stationary state, with everything outside the basin absorbing: 1/rate is the
    mean time to cross the edge of the basin, half of what Kramers' law gives for reaching the next minimum.

    Parameters
    ----------
    W : Generator
        Of any dynamics on a landscape: diffusion, jumps or steps.
    threshold : float
        Minima whose barrier is lower are counted with the one beyond their saddle; some temperatures, as a rule.

    Raises
    ------
    MethodError
        If the generator depends on time or has no landscape, or the landscape has one minimum only.

    Examples
    --------
    >>> import fpsolver as fp
    >>> L = fp.Landscape("x**4/4 - x**2/2 + 0.05*x")
    >>> W = fp.generator(fp.Langevin(L, temperature=0.03), fp.Grid(x=(-2, 2, 400)))
    >>> found = escape_rates(W)
    >>> found.barriers.round(3).tolist(), bool(found.rates[0] < found.rates[1])
    ([0.302, 0.202], True)
    """
    require_autonomous(W, "rates of escape")
    landscape, grid = getattr(W.dynamics, "landscape", None), W.grid
    if landscape is None:
        raise MethodError(f"{W.dynamics!r} has no landscape, whose minima could be left; see quasi_stationary for sets")
    if grid.velocity:
        raise MethodError("basins live in the space of positions; take overdamped dynamics, jumps or steps")
    found = basins(landscape, grid, threshold=threshold)
    tree, labels = found.tree, found.labels
    if len(tree) < 2:
        raise MethodError(f"the landscape has one minimum with a barrier of {threshold:g} or more: there is no escape")
    passes = [min(tree.barrier(i, j) for j in range(len(tree)) if j != i) for i in range(len(tree))]
    rates = [quasi_stationary(W, labels != k).rate for k in range(len(tree))]
    return EscapeRates(tree.minima.positions, np.array(tree.minima.values), np.array(passes), np.array(rates))
