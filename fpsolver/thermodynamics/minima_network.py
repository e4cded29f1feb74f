"""Minima of a landscape and the saddles between them: which two minima each saddle connects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolver.errors import LandscapeError
from fpsolver.grids import Grid
from fpsolver.landscapes import critical_points
from fpsolver.landscapes.critical_points import SearchBox, StationaryPoint
from fpsolver.landscapes.landscape import Landscape

Floats = NDArray[np.float64]
Points = Sequence[StationaryPoint] | ArrayLike

# Lengths are fractions of the region. Steps of the descent, its first step off a saddle, and where it has come to rest.
_STEP, _OFF, _REST = 0.01, 1e-4, 1e-9
_MAX_STEPS = 20_000
# Two points nearer than this are one.
_SAME_POINT = 1e-5
# A stationary point may be so many cells from the centre of a cell that leads to it.
_REACH = 1.5


@dataclass(frozen=True, eq=False)
class Region:
    """The box in which critical points are looked for; axes may close on themselves.

    Parameters
    ----------
    box : SearchBox
        In the order of the landscape's variables.
    periodic : ndarray of bool, shape (d,)
        Which axes are rings.
    """

    box: SearchBox
    periodic: NDArray[np.bool_]

    @classmethod
    def of_grid(cls, landscape: Landscape, grid: Grid) -> Region:
        """Return the region that a grid covers."""
        axes = [grid.axes[k] for k in grid.order(landscape.variables)]
        box = SearchBox(np.array([axis.lower for axis in axes]), np.array([axis.upper for axis in axes]))
        return cls(box, np.array([axis.periodic for axis in axes]))

    @classmethod
    def of_bounds(cls, landscape: Landscape, bounds: Any) -> Region:
        """Return a region from bounds as `fpsolver.landscapes.minima` takes them."""
        return cls(critical_points.search_box(landscape, bounds), np.zeros(landscape.dimension, dtype=bool))

    def wrapped(self, theta: Floats) -> Floats:
        """Return points with the coordinates on rings brought back into the box."""
        turns = np.floor((theta - self.box.lower) / self.box.widths)
        return np.where(self.periodic, theta - turns * self.box.widths, theta)

    def distance(self, a: Floats, b: Floats) -> Floats:
        """Return the largest distance along any axis, as a fraction of the box; the short way round on rings."""
        gap = (a - b) / self.box.widths
        return np.abs(np.where(self.periodic, gap - np.round(gap), gap)).max(axis=-1)

    def holds(self, theta: Floats) -> NDArray[np.bool_]:
        """Return which points lie inside."""
        return np.asarray(((theta >= self.box.lower) & (theta <= self.box.upper)).all(axis=-1))

    def distinct(self, points: Sequence[StationaryPoint]) -> tuple[StationaryPoint, ...]:
        """Return the points that differ, the seam of a ring counted once, lowest first."""
        kept: list[StationaryPoint] = []
        for point in critical_points.distinct(points, self.box):
            if all(self.distance(point.position, other.position) > _SAME_POINT for other in kept):
                kept.append(point)
        return tuple(kept)


@dataclass(frozen=True, eq=False)
class Connection:
    """A saddle of index one and the two minima into which its unstable directions descend.

    Parameters
    ----------
    saddle : StationaryPoint
        The saddle.
    ends : tuple of int
        Numbers of the two minima; equal where both directions lead back to one.
    """

    saddle: StationaryPoint
    ends: tuple[int, int]


def isolated_minima(landscape: Landscape, region: Region, grid: Grid | None, given: Points | None) -> tuple[Any, ...]:
    """Return the minima inside a region, lowest first, checked to be isolated and at least two.

    Parameters
    ----------
    landscape : Landscape
        The landscape.
    region : Region
        Where to look.
    grid : Grid, optional
        A grid that resolves the landscape: none of its minima is then missed.
    given : sequence of StationaryPoint or array_like (n, d), optional
        The minima, where they are known.

    Raises
    ------
    LandscapeError
        If there are fewer than two, or one is degenerate.
    """
    found = region.distinct(_stationary(landscape, region, grid, given, 0))
    _require_isolated(found, "minimum")
    if len(found) < 2:
        where = f"one minimum, at {found[0].position.tolist()}" if found else "no minimum"
        raise LandscapeError(
            f"the landscape has {where}, inside the region: a master equation needs two minima at least; widen the "
            "grid or the bounds, or give minima="
        )
    return found


def connect(
    landscape: Landscape,
    region: Region,
    minima: tuple[StationaryPoint, ...],
    grid: Grid | None = None,
    given: Points | None = None,
) -> tuple[Connection, ...]:
    """Return the saddles of index one, each with the two minima that it connects.

    Parameters
    ----------
    landscape, region, grid
        As for `isolated_minima`.
    minima : tuple of StationaryPoint
        All of the minima.
    given : sequence of StationaryPoint or array_like (n, d), optional
        The saddles, where they are known.

    Raises
    ------
    LandscapeError
        If a saddle is degenerate, a descent from one leaves the region or ends at an unknown minimum, or the saddles do
        not link all minima.

    Notes
    -----
    The flow is that of −∇L, also where the mobility is a matrix: the lowest pass between two minima does not
    depend on the metric, and higher ones between them carry little.
    """
    saddles = region.distinct(_stationary(landscape, region, grid, given, 1))
    _require_isolated(saddles, "saddle")
    off = _OFF * float(region.box.widths.min())
    starts = [p.position + sign * off * p.eigenvectors[:, 0] for p in saddles for sign in (-1.0, 1.0)]
    ends = descend(landscape, np.array(starts).reshape(-1, landscape.dimension), region)
    places = np.array([minimum.position for minimum in minima])
    numbers = []
    for saddle, end in zip(np.repeat(np.array(saddles, dtype=object), 2), ends, strict=True):
        distances = region.distance(places, end)
        if not distances.min() < 10 * _SAME_POINT:
            raise LandscapeError(_lost(saddle, end, region))
        numbers.append(int(np.argmin(distances)))
    connections = tuple(Connection(s, (numbers[2 * k], numbers[2 * k + 1])) for k, s in enumerate(saddles))
    _require_linked(minima, connections)
    return connections


def descend(landscape: Landscape, points: Floats, region: Region) -> Floats:
    """Follow −∇L from points (n, d) down to where it vanishes, or to where it leaves the region; return the ends.

    Each step follows the flow of the local quadratic expansion exactly, as far as it may be trusted (M. Page and
    J. W. McIver, J. Chem. Phys. 88, 922 (1988)), so that narrow valleys cost no more than wide ones.
    """
    theta, moving = points.copy(), np.arange(len(points))
    for _ in range(_MAX_STEPS):
        if not len(moving):
            break
        move = _quadratic_flow(landscape, theta[moving], region.box.widths)
        theta[moving] = region.wrapped(theta[moving] + move)
        resting = np.linalg.norm(move / region.box.widths, axis=-1) <= _REST
        moving = moving[~resting & region.holds(theta[moving])]
    return theta


def _quadratic_flow(landscape: Landscape, theta: Floats, widths: Floats) -> Floats:
    """Return the move along the flow of the quadratic expansion, of length `_STEP` or all the way to its minimum."""
    eigenvalues, modes = np.linalg.eigh(landscape.hessian(theta))
    slope = np.einsum("nik,ni->nk", modes, landscape.gradient(theta))
    time = 1e6 / np.abs(eigenvalues).max(axis=-1, keepdims=True)
    while True:
        with np.errstate(over="ignore", invalid="ignore"):
            decay = -eigenvalues * time
            along = -slope * time * np.where(np.abs(decay) > 1e-9, np.expm1(decay) / decay, 1.0)
            move = np.einsum("nik,nk->ni", modes, np.where(slope == 0.0, 0.0, along))
            far = ~(np.linalg.norm(move / widths, axis=-1) <= _STEP)
        if not far.any():
            return move
        time[far] /= 2.0


def _stationary(
    landscape: Landscape, region: Region, grid: Grid | None, given: Points | None, index: int
) -> list[StationaryPoint]:
    """Return the stationary points of one index: those given, those a grid resolves, or those a search finds."""
    if given is not None:
        return _described(landscape, region, given, index)
    if grid is None:
        bounds = critical_points.box_bounds(region.box)
        return list(critical_points.stationary_points(landscape, bounds, index=index))
    found = critical_points.polish(landscape, _cells_beside(landscape, grid), region.box)
    return [point for point in found if point.index == index]


def _cells_beside(landscape: Landscape, grid: Grid) -> Floats:
    """Return the centres (n, d) of cells whose Newton step stays near: every stationary point is beside one."""
    order = grid.order(landscape.variables)
    centres = grid.points[..., order].reshape(-1, grid.dimension)
    widths = np.stack(np.broadcast_arrays(*(grid.along(k, grid.axes[k].widths) for k in order)), axis=-1)
    gradient, hessian = landscape.gradient(centres), landscape.hessian(centres)
    # A singular Hessian has no Newton step; the least-squares one serves to find flat valleys as well.
    step = np.einsum("nij,nj->ni", np.linalg.pinv(hessian, rcond=1e-9, hermitian=True), gradient)
    near = (np.abs(step) <= _REACH * widths.reshape(centres.shape)).all(axis=-1)
    return np.asarray((centres - step)[near])


def _described(landscape: Landscape, region: Region, given: Points, index: int) -> list[StationaryPoint]:
    """Return points given by the user, moved onto the stationary points beside them."""
    kind = "saddle" if index else "minimum"
    result = []
    for point in given:  # type: ignore[union-attr]
        place = np.asarray(getattr(point, "position", point), dtype=float)
        if place.shape != (landscape.dimension,):
            raise LandscapeError(f"the {kind} {point!r} must have {landscape.dimension} coordinates")
        found = critical_points.polish(landscape, place[None], region.box)
        if not found or found[0].index != index:
            raise LandscapeError(
                f"there is no {kind} (of index {index}) at {place.tolist()} inside the region; take it from "
                f"fpsolver.landscapes.{'saddles' if index else 'minima'}"
            )
        result.append(found[0])
    return result


def _require_isolated(points: Sequence[StationaryPoint], kind: str) -> None:
    for point in points:
        if point.degenerate:
            raise LandscapeError(
                f"the {kind} at {point.position.tolist()} is degenerate, with curvatures {point.eigenvalues.tolist()}: "
                "rates between minima need isolated ones; remove the flat direction, for instance by a small ridge"
            )


def _lost(saddle: StationaryPoint, end: Floats, region: Region) -> str:
    start = f"from the saddle at {saddle.position.tolist()}, L = {saddle.value:g}, the landscape descends "
    if region.holds(end):
        return start + f"to {end.tolist()}, which is no minimum in the list: add it to minima="
    return start + f"out of the region at {end.tolist()}: widen the grid or the bounds, or give saddles= without it"


def _require_linked(minima: Sequence[StationaryPoint], connections: Sequence[Connection]) -> None:
    """Raise unless every minimum can be reached from the lowest one."""
    reached, before = {0}, 0
    while len(reached) > before:
        before = len(reached)
        reached |= {end for link in connections if reached & set(link.ends) for end in link.ends}
    if len(reached) < len(minima):
        apart = next(point for number, point in enumerate(minima) if number not in reached)
        raise LandscapeError(
            f"no saddle found links the minimum at {apart.position.tolist()} to the lowest one at "
            f"{minima[0].position.tolist()}: widen the grid or the bounds, refine the grid, or give saddles="
        )


def lowest_barriers(minima: Sequence[StationaryPoint], connections: Sequence[Connection]) -> Mapping[int, float]:
    """Return the height of the lowest saddle out of each minimum above it, by number."""
    heights: dict[int, float] = {}
    for link in connections:
        for end in set(link.ends) if link.ends[0] != link.ends[1] else ():
            height = link.saddle.value - minima[end].value
            heights[end] = min(height, heights.get(end, np.inf))
    return heights
