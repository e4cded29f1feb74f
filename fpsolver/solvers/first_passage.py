"""First-passage times: their moments, their density and the survival probability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import DensityError, MethodError
from fpsolver.fields import Field
from fpsolver.generators.chain import ChainGenerator
from fpsolver.generators.rate_matrix import Generator
from fpsolver.regions import Region
from fpsolver.solvers.absorption import Absorption, absorb


@dataclass(frozen=True, eq=False)
class FirstPassage:
    """A function of time that belongs to a first-passage problem; behaves as its array of values in NumPy.

    Parameters
    ----------
    times : ndarray, shape (n_times,)
        Times.
    values : ndarray, shape (n_times,)
        Values.
    stats : mapping
        How they were found.
    """

    times: np.ndarray
    values: np.ndarray
    stats: Mapping[str, Any] = field(default_factory=dict)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self.values if dtype is None else self.values.astype(dtype)
        return values.copy() if copy and values is self.values else values

    def __len__(self) -> int:
        return len(self.values)


def mean_first_passage_time(W: Any, target: Region | None = None, *, tolerance: float = 1e-8) -> Field:
    """Return the mean time to reach a target, for every starting cell.

    Solves Wᵀ τ = −1 outside the target with τ = 0 at its wall. In one dimension the solution keeps its relative
    accuracy at any barrier. Where the grid has absorbing walls of its own, τ is the time until the target or a wall
    is reached, whichever is first; with `target=None` the walls alone count.

    Parameters
    ----------
    W : Generator
        A Markov generator.
    target : Box, callable, ndarray or index, optional
        `fpsolver.where(x=(1.0, None))` places the wall where it is, between cell centres if need be, and the result
        is of second order for any position (near the re-entrant corner of a box bounded on two axes, where the
        solution itself is singular, of order 4/3 at best). A predicate of one coordinate array per axis, a Boolean
        mask or a cell index snaps to cell faces, which `stats["snapped"]` says.
    tolerance : float
        Relative error asked of the linear solver.

    Returns
    -------
    WalledField or SteppedField
        τ, zero in the target; `tau.at([[x]])` interpolates, up to the target's wall, or up to the last cell before it
        where jumps end beyond it.

    Raises
    ------
    MethodError
        If W is driven or not Markov, or the target is never reached from some cells, where τ would be infinite.
    RegionError
        If the target is empty, covers everything or does not fit the grid.

    References
    ----------
    C. W. Gardiner, Handbook of Stochastic Methods (2004), section 5.2.7.

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.25)
    >>> W = fp.generator(dynamics, fp.Grid(x=(-2.5, 2.5, 500)))
    >>> tau = fp.mean_first_passage_time(W, fp.where(x=(1.0, None)))
    >>> tau.at([[-1.0], [1.0]]).round(2)
    array([14.28,  0.  ])
    """
    return first_passage_moments(W, target, order=1, tolerance=tolerance)[0]


def first_passage_moments(
    W: Any, target: Region | None = None, order: int = 2, *, tolerance: float = 1e-8
) -> tuple[Field, ...]:
    """Return the moments ⟨tⁿ⟩, n = 1 … order, of the time to reach a target, for every starting cell.

    The moments follow from each other by Wᵀ T_n = −n T_{n−1} with T_0 = 1; for a chain (`SGD`), which moves in whole
    steps, these are its rising moments ⟨t(t + 1)…(t + n − 1)⟩, from which its moments are combined.

    Parameters
    ----------
    W : Generator
        A Markov generator.
    target : Box, callable, ndarray or index, optional
        As for `mean_first_passage_time`.
    order : int
        Highest moment.
    tolerance : float
        Relative error asked of each linear solve.

    Returns
    -------
    tuple of WalledField or SteppedField
        One field a moment; `stats["estimated_error"]` accumulates along the recursion.

    Raises
    ------
    MethodError
        If `order` is not a positive whole number, or as for `mean_first_passage_time`.

    Examples
    --------
    The exit time from an interval has the variance (mean²)·2/3 for a start in the middle.

    >>> import fpsolver as fp
    >>> grid = fp.Grid(x=fp.Axis(-1, 1, 401, boundary="absorbing"))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("0*x", variables=("x",)), temperature=1.0), grid)
    >>> mean, square = fp.first_passage_moments(W)
    >>> float(round(square[200] / mean[200] ** 2 - 1, 3))
    0.667
    """
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 1:
        raise MethodError(f"order = {order!r}: the highest moment is a whole number, at least 1")
    absorption = _absorption(W, target)
    previous, error, result = np.ones(absorption.grid.shape), 0.0, []
    rising: list[np.ndarray] = []
    for n in range(1, order + 1):
        previous, stats = absorption.solve_backward(n * previous, tolerance)
        error += stats.get("estimated_error", 0.0)
        stats |= {"snapped": absorption.snapped, "estimated_error": error, "moment": n}
        rising.append(previous)
        values = _powers_of_steps(rising) if isinstance(W, ChainGenerator) else previous
        result.append(absorption.field(values, stats, {}))
    return tuple(result)


def _powers_of_steps(rising: list[np.ndarray]) -> np.ndarray:
    """Return ⟨tⁿ⟩ of a number of steps from its rising moments ⟨t(t + 1)…(t + k − 1)⟩, k = 1 … n.

    These are the moments of the same chain with exponential waiting times of mean one; Stirling's numbers of the second
    kind, with alternating signs, lead back.
    """
    n = len(rising)
    numbers = np.zeros(n + 1)
    numbers[0] = 1.0
    for _ in range(n):
        numbers[1:] = numbers[:-1] + np.arange(1, n + 1) * numbers[1:]
        numbers[0] = 0.0
    return np.sum([(-1) ** (n - k) * numbers[k] * rising[k - 1] for k in range(1, n + 1)], axis=0)


def survival(
    W: Any, p0: ArrayLike, times: ArrayLike, target: Region | None = None, *, tolerance: float = 1e-8
) -> FirstPassage:
    """Return the probability S(t) that neither target nor absorbing wall has been reached by each time.

    Parameters
    ----------
    W : Generator
        A Markov generator.
    p0 : array_like
        Density at time 0, of the grid's shape; what starts inside the target counts as absorbed at once.
    times : array_like, shape (n_times,)
        Times ≥ 0 in ascending order.
    target : Box, callable, ndarray or index, optional
        As for `mean_first_passage_time`.
    tolerance : float
        Error asked of the evolution, as a share of the mass.

    Raises
    ------
    MethodError, RegionError
        As for `mean_first_passage_time`.
    DensityError
        If `p0` does not fit the grid or all of it starts inside the target.
    """
    _, _, states, grid_times, stats = _evolved(W, p0, times, target, tolerance)
    return FirstPassage(grid_times, states.sum(axis=1), stats)


def first_passage_density(
    W: Any, p0: ArrayLike, times: ArrayLike, target: Region | None = None, *, tolerance: float = 1e-8
) -> FirstPassage:
    """Return the density f(t) of the time at which a target or an absorbing wall is first reached.

    f(t) = Σ_i κ_i P_i(t), the flux through the walls, so that ∫f dt = S(0) − S(t) without any numerical derivative. For
    a chain (`SGD`) it is the probability that step t is the one that arrives, f(t) = Σ_i κ_i P_i(t − 1).

    Parameters
    ----------
    W : Generator
        A Markov generator.
    p0 : array_like
        Density at time 0, of the grid's shape.
    times : array_like, shape (n_times,)
        Times ≥ 0 in ascending order.
    target : Box, callable, ndarray or index, optional
        As for `mean_first_passage_time`.
    tolerance : float
        Error asked of the evolution, as a share of the mass; `stats["estimated_error"]` bounds what it makes of f.

    Raises
    ------
    MethodError, RegionError, DensityError
        As for `survival`.
    """
    when = np.atleast_1d(np.asarray(times, dtype=float))
    chain = isinstance(W, ChainGenerator)
    absorption, _, states, _, stats = _evolved(W, p0, np.maximum(when - 1.0, 0.0) if chain else when, target, tolerance)
    # An error of the mass anywhere reaches the flux at most at the fastest rate of absorption.
    stats["estimated_error"] = stats["estimated_error"] * float(absorption.leaving.max())
    flux = states @ absorption.leaving.ravel()
    return FirstPassage(when, np.where(when > 0.0, flux, 0.0) if chain else flux, stats)


def _absorption(W: Any, target: Region | None) -> Absorption:
    return absorb(W, {} if target is None else {"target": target})


def _evolved(
    W: Any, p0: ArrayLike, times: ArrayLike, target: Region | None, tolerance: float
) -> tuple[Absorption, Generator, np.ndarray, np.ndarray, dict[str, Any]]:
    """Return the probabilities in the control volumes outside the target at each time, shape (n_times, cells)."""
    from fpsolver.solvers.evolve import evolve

    absorption = _absorption(W, target)
    absorbing = absorption.absorbing_generator()
    initial = np.asarray(p0, dtype=float)
    if initial.shape != W.grid.shape:
        raise DensityError(f"a density of shape {initial.shape} does not fit a grid of shape {W.grid.shape}")
    mass = float((initial * W.grid.volumes).sum())
    # A control volume that is cut at the wall holds only its share of its cell's probability.
    start = np.where(absorption.outside, initial * absorption.volume_factor, 0.0)
    if not (start > 0).any():
        raise DensityError("all of p0 lies inside the target; start outside it")
    when = np.atleast_1d(np.asarray(times, dtype=float))
    solution = evolve(absorbing, start, when, tolerance=tolerance, progress=False)
    states = (np.asarray(solution.densities) * W.grid.volumes).reshape(len(solution.times), -1)
    stats = {**dict(solution.stats), "snapped": absorption.snapped, "initial_mass": mass}
    return absorption, absorbing, states, np.asarray(solution.times), stats
