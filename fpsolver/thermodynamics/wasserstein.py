"""Optimal transport of densities in one variable: distance, geodesic, and the map from one to the other.

In one variable the best map is monotone: it takes every quantile of p to the same quantile of q. Densities that are
constant on cells have piecewise linear quantile functions, so that nothing here is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.density_moments import checked_density
from fpsolver.errors import DensityError, GridError, MethodError
from fpsolver.grids import Axis, Grid
from fpsolver.thermodynamics.conditions import check_positive


@dataclass(frozen=True, eq=False)
class Transport:
    """The optimal transport of a density p to a density q on one axis; made by `optimal_transport`.

    Both densities are cut into pieces on which both quantile functions are linear. The probability of a tail is summed
    from its own end, so that it keeps its digits however small it is.

    Parameters
    ----------
    axis : Axis
        Where p lives.
    masses : ndarray (n,)
        Probability of the pieces, from left to right.
    start, stop : ndarray (n, 2)
        Left and right end of each piece in p and in q.
    """

    axis: Axis
    masses: np.ndarray
    start: np.ndarray
    stop: np.ndarray

    @property
    def distance(self) -> float:
        """Wasserstein-2 distance, W₂² = ∫₀¹ [Q_q(u) − Q_p(u)]² du, in units of the variable."""
        a, b = (self.stop - self.start).T
        return float(np.sqrt(np.sum(self.masses * (a * a + a * b + b * b)) / 3.0))

    def __call__(self, x: Any) -> np.ndarray:
        """Return where the optimal map takes positions x, of any shape; constant shifts beyond the support of p."""
        points = np.asarray(x, dtype=float)
        before, after = self.start.ravel(), self.stop.ravel()
        shift = np.interp(points, before, after - before)
        return points + shift

    def density(self, fraction: float) -> np.ndarray:
        """Return the density on the geodesic after a fraction of the way, averaged over the cells of the axis.

        Quantiles move at constant speed: Q = (1 − s)Q_p + sQ_q. The mass of every cell is exact.

        Parameters
        ----------
        fraction : float
            s, from 0 (p) to 1 (q).

        Raises
        ------
        MethodError
            If it is not between 0 and 1.
        """
        ends, faces = self._quantiles(fraction), self.axis.faces
        middle = int(np.searchsorted(np.cumsum(self.masses), 0.5 * self.masses.sum()))
        lower = _cell_masses(ends[:middle], self.masses[:middle], faces)
        upper = _cell_masses(-ends[middle:][::-1, ::-1], self.masses[middle:][::-1], -faces[::-1])
        return (lower + upper[::-1]) / self.axis.widths

    def velocity(self, x: Any, fraction: float) -> np.ndarray:
        """Return the velocity of the geodesic at positions x after a fraction of the way, per unit of `fraction`."""
        quantiles = self._quantiles(fraction).ravel()
        return np.interp(np.asarray(x, dtype=float), quantiles, (self.stop - self.start).ravel())

    def _quantiles(self, fraction: float) -> np.ndarray:
        if not 0.0 <= fraction <= 1.0:
            raise MethodError(f"fraction = {fraction!r} of a geodesic must lie between 0 and 1")
        return (1.0 - fraction) * self.start + fraction * self.stop


def wasserstein_distance(p: Any, q: Any, grid: Grid | None = None) -> float:
    """Return the Wasserstein-2 distance between two densities of one variable, exact for densities constant on cells.

    Parameters
    ----------
    p, q : Field or array_like
        The densities, of the grid's shape; each is normalised.
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field`.

    Raises
    ------
    DensityError
        If a density is negative, has no mass, or does not fit the grid.
    GridError
        If the grid has more than one axis, or a periodic one.

    Examples
    --------
    >>> grid = Grid(x=(-1.0, 1.0, 2))
    >>> round(wasserstein_distance([0.5, 0.5], [0.0, 1.0], grid) ** 2, 12)
    0.333333333333
    """
    return optimal_transport(p, q, grid).distance


def optimal_transport(p: Any, q: Any, grid: Grid | None = None) -> Transport:
    """Return the optimal transport from density p to density q, with quadratic cost.

    Parameters
    ----------
    p, q : Field or array_like
        The densities, of the grid's shape; each is normalised.
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field`.

    Raises
    ------
    DensityError
        If a density is negative, has no mass, or does not fit the grid.
    GridError
        If the grid has more than one axis, or a periodic one.

    References
    ----------
    C. Villani, Topics in Optimal Transportation (2003), theorem 2.18.
    """
    values, grid = checked_density(p, grid, "p")
    others, _ = checked_density(q, grid, "q")
    if grid.dimension != 1 or grid.axes[0].periodic:
        raise GridError(f"quantile functions need one axis that is not periodic, this is {grid!r}")
    axis = grid.axes[0]
    first, second = _masses("p", values, axis), _masses("q", others, axis)
    lower = _lower_half(first, second, axis.faces)
    upper = _lower_half(first[::-1], second[::-1], -axis.faces[::-1])
    masses = np.concatenate([lower[0], upper[0][::-1]])
    start, stop = (np.concatenate([left, -right[::-1, ::-1]]) for left, right in zip(lower[1:], upper[1:], strict=True))
    return Transport(axis, masses, start, stop)


def speed_limit(p: Any, q: Any, grid: Grid | None = None, *, duration: float, diffusion: float = 1.0) -> float:
    """Return the least entropy production W₂²/(D t_f) of overdamped motion that takes p to q within a time, in nats.

    Equality needs the geodesic of `optimal_transport` at constant speed, with the landscapes of `transport_landscape`.

    Parameters
    ----------
    p, q : Field or array_like
        The densities, of the grid's shape.
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field`.
    duration : float
        t_f > 0.
    diffusion : float
        D = μT > 0.

    Raises
    ------
    MethodError
        If the duration or the diffusion is not positive.

    References
    ----------
    E. Aurell, C. Mejía-Monasterio and P. Muratore-Ginanneschi, Phys. Rev. Lett. 106, 250601 (2011);
    A. Dechant and Y. Sakurai, arXiv:1912.08405 (2019).
    """
    check_positive(duration=duration, diffusion=diffusion)
    return wasserstein_distance(p, q, grid) ** 2 / (diffusion * duration)


def _masses(name: str, values: np.ndarray, axis: Axis) -> np.ndarray:
    """Return the cell probabilities of a density, normalised."""
    if values.min() < 0:
        raise DensityError(f"{name} = {values.min():g} in cell {int(values.argmin())}; a density must not be negative")
    masses = values * axis.widths
    if not masses.sum() > 0:
        raise DensityError(f"{name} has no mass on the grid")
    return masses / masses.sum()


def _lower_half(first: np.ndarray, second: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return masses and ends, in both densities, of the pieces with cumulative probability up to one half."""
    sums = [np.concatenate([[0.0], np.cumsum(masses)]) for masses in (first, second)]
    levels = np.unique(np.minimum(np.concatenate([*sums, [0.5]]), 0.5))
    pieces = np.stack([levels[:-1], levels[1:]], axis=1)
    return np.diff(levels), *(_linear_quantiles(cumulative, faces, pieces) for cumulative in sums)


def _linear_quantiles(cumulative: np.ndarray, faces: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Return the quantile function at both ends of each piece, as limits from within it."""
    cell = np.searchsorted(cumulative, pieces.mean(axis=1), side="right") - 1
    cell = np.clip(cell, 0, len(faces) - 2)
    mass = cumulative[cell + 1] - cumulative[cell]
    # A piece of rounding width may straddle two levels; its mass is nothing, but it must stay within the cell.
    within = np.clip((pieces - cumulative[cell, None]) / np.where(mass > 0, mass, 1.0)[:, None], 0.0, 1.0)
    return faces[cell, None] + within * (faces[cell + 1] - faces[cell])[:, None]


def _cell_masses(ends: np.ndarray, masses: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the probability between faces of pieces with given ends, on each of which it is spread evenly."""
    sums = np.concatenate([[0.0], np.cumsum(masses)])
    levels = np.stack([sums[:-1], sums[1:]], axis=1).ravel()
    return np.diff(np.interp(faces, ends.ravel(), levels, left=0.0, right=sums[-1])) if len(masses) else 0.0 * faces[1:]
