"""The landscapes that drive a density along the optimal-transport geodesic at least entropy production.

A landscape needs smooth densities, not ones that are constant on cells: the distribution functions, which are exact at
the faces, are interpolated by monotone cubics of their probits Φ⁻¹. Between Gaussians that is exact, tails included.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.density_moments import checked_density
from fpsolver.errors import DensityError, GridError, MethodError
from fpsolver.grids import Grid
from fpsolver.thermodynamics.conditions import check_positive

Floats = np.ndarray


def transport_landscape(
    p: Any,
    q: Any,
    grid: Grid | None = None,
    *,
    fraction: float,
    duration: float,
    temperature: float,
    mobility: float = 1.0,
) -> tuple[Floats, Floats]:
    """Return the loss that moves p to q along the geodesic, and the density there, at a moment on the way.

    −μ∂_x(L + T ln p) is to be the velocity v of the geodesic, hence L = −T ln p − (1/μ)∫v dx, up to a constant. L jumps
    at the start and at the end, from and to the landscapes that were there before and come after.

    Parameters
    ----------
    p, q : Field or array_like
        Densities at start and end, as cell averages, positive in every cell.
    grid : Grid, optional
        One axis, not periodic; may be left out when `p` is a `Field`.
    fraction : float
        t/t_f, between 0 and 1.
    duration : float
        t_f > 0.
    temperature, mobility : float
        T and μ, positive.

    Returns
    -------
    loss : ndarray (cells,)
        L at cell centres, with its lowest value zero; of second order in the cell width.
    density : ndarray (cells,)
        The density that this moves on, as cell averages.

    Raises
    ------
    DensityError
        If a density vanishes in some cell: only walls could keep it out.
    GridError
        If the grid has more than one axis, or a periodic one.
    MethodError
        If a number is not positive, or the fraction is not between 0 and 1.

    References
    ----------
    E. Aurell et al., J. Stat. Phys. 147, 487 (2012).

    Examples
    --------
    Moving a Gaussian by one in unit time takes a parabola that is ahead by 1/μ.

    >>> import fpsolver as fp
    >>> grid = fp.Grid(x=(-6.0, 7.0, 260))
    >>> p, q = (fp.gaussian(grid, mean=[m], covariance=[[1.0]]) for m in (0.0, 1.0))
    >>> L, _ = transport_landscape(p, q, grid, fraction=0.5, duration=1.0, temperature=1.0)
    >>> bool(abs(grid.axes[0].centres[L.argmin()] - 1.5) < 0.05)
    True
    """
    check_positive(duration=duration, temperature=temperature, mobility=mobility)
    if not 0.0 <= fraction <= 1.0:
        raise MethodError(f"fraction = {fraction!r} of a geodesic must lie between 0 and 1")
    values, grid = checked_density(p, grid, "p")
    others, _ = checked_density(q, grid, "q")
    if grid.dimension != 1 or grid.axes[0].periodic:
        raise GridError(f"optimal transport needs one axis that is not periodic, this is {grid!r}")
    axis = grid.axes[0]
    start, stop = (_probits(name, one * axis.widths) for name, one in (("p", values), ("q", others)))
    faces = axis.faces[1:-1]
    targets = _monotone(stop, faces, start)
    moved = (1.0 - fraction) * faces + fraction * targets
    probits = _monotone(moved, start, faces)
    velocity = _monotone(moved, targets - faces, faces) / duration
    density = _normal_masses(probits) / axis.widths
    if not (density > 0).all():
        raise DensityError(f"the density on the way vanishes at x = {axis.centres[int(density.argmin())]:g}{_REMEDY}")
    drag = np.concatenate([[0.0], np.cumsum(velocity * axis.distances[:-1])]) / mobility
    loss = -temperature * np.log(density) - drag
    return loss - loss.min(), density


_REMEDY = "; only a wall could keep it out there: use a grid that ends where the densities do"


def _probits(name: str, masses: Floats) -> Floats:
    """Return Φ⁻¹ of the distribution function at the inner faces, each tail summed from its own end."""
    from scipy.special import ndtri

    if not (masses > 0).all():
        cell = int(masses.argmin())
        raise DensityError(f"{name} is {masses[cell]:g} in cell {cell}{_REMEDY}")
    below, above = np.cumsum(masses)[:-1], np.cumsum(masses[::-1])[-2::-1]
    total = masses.sum()
    probits = np.where(below <= above, ndtri(below / total), -ndtri(above / total))
    if not (np.diff(probits) > 0).all():
        raise DensityError(f"{name} falls by more than double precision holds{_REMEDY}")
    return probits


def _monotone(x: Floats, y: Floats, at: Floats) -> Floats:
    """Return a function through points at other places: cubics that keep its monotone stretches, lines beyond."""
    from scipy.interpolate import PchipInterpolator

    inside = np.clip(at, x[0], x[-1])
    curve = PchipInterpolator(x, y)
    return curve(inside) + curve.derivative()(inside) * (at - inside)


def _normal_masses(probits: Floats) -> Floats:
    """Return the probability of a normal variable in the cells between inner faces, with the digits of both tails."""
    from scipy.special import ndtr

    edges = np.concatenate([[-np.inf], probits, [np.inf]])
    below, above = ndtr(edges), ndtr(-edges)
    return np.where(edges[1:] <= 0, np.diff(below), -np.diff(above))
