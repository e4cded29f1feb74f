"""Counting observables: what trajectories of a jump process add up, jump by jump and while they wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.errors import GridError, InputError, MethodError, suggest
from fpsolver.generators.periodic import period_gain
from fpsolver.generators.rate_matrix import Generator
from fpsolver.grids import Grid


@dataclass(frozen=True, eq=False)
class Counting:
    """An observable A = Σ_jumps a(i → j) + ∫f(x) dt of trajectories on the cells of a generator.

    Parameters
    ----------
    name : str
        What is counted.
    jumps : tuple of (forward, backward)
        For every edge of the generator a(i → i + offset) and a(i + offset → i), arrays of the grid's shape stored at i.
    rate : ndarray or None
        f, of the grid's shape; None where waiting adds nothing.
    """

    name: str
    jumps: tuple[tuple[np.ndarray, np.ndarray], ...]
    rate: np.ndarray | None = None

    def __mul__(self, factor: float) -> Counting:
        """Return the observable times a number."""
        jumps = tuple((factor * forward, factor * backward) for forward, backward in self.jumps)
        return replace(self, name=f"{factor:g} {self.name}", jumps=jumps, rate=_times(factor, self.rate))

    __rmul__ = __mul__


Observable = str | Counting | Callable[[Generator], Counting]
"""An observable: its name, what one of the functions of this module returns, or such a function."""


def as_counting(W: Any, observable: Observable) -> Counting:
    """Return the observable on the edges of a generator.

    Raises
    ------
    MethodError
        If the generator depends on time or does not jump between cells.
    InputError
        If the observable is unknown, or was made for other edges.
    """
    require_edges(W)
    if isinstance(observable, str):
        if observable not in NAMED:
            raise InputError(
                f"observable = {observable!r} is not one of {', '.join(NAMED)}{suggest(observable, NAMED)}; others are "
                "made by counting, winding, current_across and time_integral"
            )
        return NAMED[observable](W)
    made = observable(W) if callable(observable) else observable
    if not isinstance(made, Counting):
        raise InputError(f"observable = {observable!r} is no counting observable; give for example 'entropy_flow'")
    shapes = {np.shape(side) for pair in made.jumps for side in pair}
    if len(made.jumps) != len(W.edges) or shapes - {W.grid.shape}:
        raise InputError(
            f"the observable {made.name!r} counts on {len(made.jumps)} edges of shapes {sorted(shapes)}, the generator "
            f"has {len(W.edges)} of shape {W.grid.shape}; make it from the same generator"
        )
    return made


def require_edges(W: Any) -> None:
    """Raise unless W is a generator at a stated time that jumps between cells.

    Raises
    ------
    MethodError
        With the remedy.
    """
    if not hasattr(W, "killing"):
        raise MethodError(f"{type(W).__name__} has no rates to count with; freeze a driven generator with W.at(t)")
    if not W.markov or not W.lattice:
        raise MethodError(f'the {W.scheme} scheme does not jump between cells; use scheme="upwind" with velocities')


def entropy_flow(W: Generator) -> Counting:
    """Return the entropy given to the bath: a = ln[k(i→j) V_i/(k(j→i) V_j)], with cell volumes V.

    Beside it total entropy production has only boundary terms, ln p at both ends, so that both have the same scaled
    cumulants. Where D = T·M this is heat over T to rounding.

    Parameters
    ----------
    W : Generator
        A Markov generator on cells.

    Raises
    ------
    MethodError
        If a jump has no reverse: its entropy is infinite.

    References
    ----------
    J. L. Lebowitz and H. Spohn, J. Stat. Phys. 95, 333 (1999), eq. (2.9).
    """
    jumps = []
    volume = np.log(W.grid.volumes)
    for edge in W.edges:
        linked = (edge.forward > 0) & (edge.backward > 0)
        if ((edge.forward > 0) != (edge.backward > 0)).any():
            raise MethodError(
                f"along {edge.offset} some jumps of the {W.scheme} scheme have no reverse, so that they produce "
                "infinite entropy; take a scheme whose jumps are reversible"
            )
        forward, backward = (np.where(linked, side, 1.0) for side in (edge.forward, edge.backward))
        step = np.log(forward) - np.log(backward) - (edge.at_end(volume) - volume)
        jumps.append(_odd(np.where(linked, step, 0.0)))
    return Counting("entropy flow", tuple(jumps))


def heat(W: Generator, bath: str | None = None) -> Counting:
    """Return the heat given to the bath: a = T ln[k(i→j) V_i/(k(j→i) V_j)].

    Parameters
    ----------
    W : Generator
        Of `Langevin` dynamics with a temperature, or with constant diagonal mobility and diffusion: then the noise
        along axis k is a bath of temperature D_k/M_k.
    bath : str, optional
        Count only what goes to the bath of this axis.

    Raises
    ------
    MethodError
        If no temperature can be told.
    """
    flow = entropy_flow(W)
    axes = range(W.grid.dimension) if bath is None else (W.grid.index(bath),)
    if bath is not None and any(np.count_nonzero(edge.offset) > 1 for edge in W.edges):
        raise MethodError("oblique edges exchange heat with several baths at once; leave bath= out")
    temperatures = _temperatures(W)
    jumps = []
    for edge, (forward, backward) in zip(W.edges, flow.jumps, strict=True):
        warm = {float(temperatures[k]) for k in np.flatnonzero(edge.offset)}
        if len(warm) > 1:
            raise MethodError("oblique edges between baths of different temperature; take noise along the axes")
        factor = warm.pop() if any(edge.offset[k] for k in axes) else 0.0
        jumps.append((factor * forward, factor * backward))
    return Counting("heat" if bath is None else f"heat to {bath}", tuple(jumps))


def force_work(W: Generator) -> Counting:
    """Return the work of the non-conservative force, tilts of a periodic loss included: heat plus the gain of loss.

    Parameters
    ----------
    W : Generator
        Of overdamped dynamics, as for `heat`.
    """
    grid, landscape = W.grid, W.dynamics.landscape
    loss = loss_on_grid(landscape, grid)
    periodic = loss.copy()
    for k, axis in enumerate(grid.axes):
        if axis.periodic:
            tilt = period_gain(landscape, grid, loss, k) / (axis.upper - axis.lower)
            periodic -= grid.along(k, tilt * axis.centres)
    jumps = []
    for edge, (forward, _) in zip(W.edges, heat(W).jumps, strict=True):
        linked = edge.forward > 0
        jumps.append(_odd(np.where(linked, forward + edge.at_end(periodic) - periodic, 0.0)))
    return Counting("work of the force", tuple(jumps))


def winding(W: Generator, axis: str) -> Counting:
    """Return the number of turns round a periodic axis, or on any other axis the displacement over its length.

    Parameters
    ----------
    W : Generator
        A Markov generator on cells.
    axis : str
        The axis.

    Raises
    ------
    MethodError
        If W is no such generator.
    """
    require_edges(W)
    k = W.grid.index(axis)
    length = W.grid.axes[k].upper - W.grid.axes[k].lower
    jumps = tuple(_odd(_displacement(W.grid, edge.offset, k) / length) for edge in W.edges)
    return Counting(f"winding along {axis}", jumps)


def current_across(W: Generator, axis: str, at: float) -> Counting:
    """Return the net number of passages through the face of an axis nearest to a coordinate, upwards positive.

    Parameters
    ----------
    W : Generator
        A Markov generator on cells.
    axis : str
        The axis.
    at : float
        Coordinate; a face between two cells is taken, on a periodic axis also the seam.

    Raises
    ------
    MethodError
        If W is no such generator.
    GridError
        If the axis does not reach the coordinate.
    """
    require_edges(W)
    k = W.grid.index(axis)
    this = W.grid.axes[k]
    if not this.lower <= at <= this.upper:
        raise GridError(f"at = {at!r} is not on the axis {axis}, which runs from {this.lower:g} to {this.upper:g}")
    inner = this.faces[:-1] if this.periodic else this.faces[1:-1]
    face = int(np.argmin(np.abs(inner - at))) + (0 if this.periodic else 1)
    cells = np.arange(this.cells)
    jumps = []
    for edge in W.edges:
        reached = cells + edge.offset[k]
        if this.periodic:
            crossed = (reached - face) // this.cells - (cells - face) // this.cells
        else:
            crossed = (reached >= face).astype(int) - (cells >= face)
        jumps.append(_odd(np.broadcast_to(W.grid.along(k, crossed.astype(float)), W.grid.shape)))
    return Counting(f"current across {axis} = {this.faces[face]:g}", tuple(jumps))


def counting(
    W: Generator,
    jump: Callable[[np.ndarray, np.ndarray], Any] | None = None,
    *,
    rate: Any = None,
    name: str = "own observable",
) -> Counting:
    """Return an observable of one's own: A = Σ_jumps a(x, x′) + ∫f(x) dt.

    Parameters
    ----------
    W : Generator
        A Markov generator on cells.
    jump : callable, optional
        a(x, x′) for cell centres before and after, arrays (..., d) in the order of the axes; across the seam of a
        periodic axis x′ is the image beside x.
    rate : callable or array_like, optional
        f(x) for an array of points (..., d), or its values of the grid's shape.
    name : str
        What is counted.

    Raises
    ------
    InputError
        If what the functions return does not fit the grid or is not finite.

    Examples
    --------
    The number of jumps.

    >>> import fpsolver as fp
    >>> ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 50, boundary="periodic"))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=1.0), ring)
    >>> activity = counting(W, lambda x, y: np.ones(x.shape[:-1]), name="activity")
    >>> float(activity.jumps[0][1].min())
    1.0
    """
    require_edges(W)
    grid, jumps = W.grid, []
    for edge in W.edges:
        start = grid.points
        stop = start + np.stack([_displacement(grid, edge.offset, k) for k in range(grid.dimension)], axis=-1)
        linked = (edge.forward > 0) | (edge.backward > 0)
        pair = [np.zeros(grid.shape), np.zeros(grid.shape)]
        if jump is not None:
            pair = [_fitting(grid, name, jump(*ends), linked) for ends in ((start, stop), (stop, start))]
        jumps.append((pair[0], pair[1]))
    if rate is not None:
        rate = _fitting(grid, name, rate(grid.points) if callable(rate) else rate, np.ones(grid.shape, dtype=bool))
    return Counting(name, tuple(jumps), rate)


def time_integral(W: Generator, rate: Any, name: str = "time integral") -> Counting:
    """Return ∫f(x) dt.

    Parameters
    ----------
    W : Generator
        A Markov generator on cells.
    rate : callable or array_like
        f, as for `counting`.
    name : str
        What it is.
    """
    return counting(W, rate=rate, name=name)


NAMED: dict[str, Callable[[Generator], Counting]] = {
    "entropy_flow": entropy_flow,
    "heat": heat,
    "force_work": force_work,
}
"""Observables that are known by name."""


def _times(factor: float, rate: np.ndarray | None) -> np.ndarray | None:
    return None if rate is None else factor * rate


def _odd(forward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return forward, -forward


def _displacement(grid: Grid, offset: Sequence[int], k: int) -> np.ndarray:
    """Return by how much an edge moves along axis k, of the grid's shape, periodic axes unwrapped."""
    axis = grid.axes[k]
    turns, wrapped = np.divmod(np.arange(axis.cells) + offset[k], axis.cells)
    moved = axis.centres[wrapped] + turns * (axis.upper - axis.lower) - axis.centres
    return np.broadcast_to(grid.along(k, moved), grid.shape)


def _temperatures(W: Generator) -> np.ndarray:
    """Return the temperature of the noise along each axis of the grid."""
    dynamics, grid = W.dynamics, W.grid
    if grid.velocity or not hasattr(dynamics, "diffusion_is_thermal"):
        raise MethodError(f"heat is counted on the edges of overdamped dynamics, not of {type(dynamics).__name__}")
    if dynamics.diffusion_is_thermal:
        return np.full(grid.dimension, dynamics.temperature)
    constants = [coefficient.constant for coefficient in (dynamics.diffusion, dynamics.mobility)]
    if any(constant is None or np.ndim(constant) == 2 for constant in constants):
        raise MethodError(
            "noise that depends on θ or is correlated between axes has no temperature; count 'entropy_flow' instead"
        )
    ratio = np.broadcast_to(np.asarray(constants[0]) / np.asarray(constants[1]), (grid.dimension,))
    order = [dynamics.landscape.variables.index(name) for name in grid.names]
    return ratio[order]


def _fitting(grid: Grid, name: str, values: Any, linked: np.ndarray) -> np.ndarray:
    """Return values of the grid's shape, zero where there is no edge."""
    array = np.asarray(values, dtype=float)
    if array.shape not in ((), grid.shape):
        raise InputError(
            f"the observable {name!r} gave an array of shape {array.shape} on a grid of shape {grid.shape}"
        )
    result = np.where(linked, array, 0.0)
    if not np.isfinite(result).all():
        raise InputError(f"the observable {name!r} is not finite in {np.count_nonzero(~np.isfinite(result))} places")
    return result
