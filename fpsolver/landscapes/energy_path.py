"""Minimum-energy paths between minima, and the barriers on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import ConvergenceError, LandscapeError
from fpsolver.landscapes.array_evaluation import Floats, as_points
from fpsolver.landscapes.critical_points import SearchBox, StationaryPoint, describe, distinct, follow, polish
from fpsolver.landscapes.landscape import Landscape

# Curvatures below this fraction of the largest do not lengthen a step further.
_SOFT = 1e-3
_DAMPING = 0.5
_MAX_STEPS = 5000


@dataclass(frozen=True, eq=False)
class EnergyPath:
    """The path of least effort between two minima: its gradient is everywhere along it.

    Attributes
    ----------
    points : ndarray (n, d)
        The path, both minima and all saddles included.
    values : ndarray (n,)
        The landscape along it.
    arc_length : ndarray (n,)
        Distance along the path from its start.
    start, end : StationaryPoint
        The minima.
    saddles : tuple of StationaryPoint
        The transition states, in the order in which they are passed.
    """

    points: Floats
    values: Floats
    arc_length: Floats
    start: StationaryPoint
    end: StationaryPoint
    saddles: tuple[StationaryPoint, ...]

    @property
    def saddle(self) -> StationaryPoint:
        """The highest transition state."""
        return max(self.saddles, key=lambda point: point.value)

    @property
    def barrier(self) -> float:
        """Height of the highest saddle above the start."""
        return self.saddle.value - self.start.value

    @property
    def reverse_barrier(self) -> float:
        """Height of the highest saddle above the end."""
        return self.saddle.value - self.end.value


def minimum_energy_path(
    landscape: Landscape,
    start: StationaryPoint | ArrayLike,
    end: StationaryPoint | ArrayLike,
    *,
    path: ArrayLike | None = None,
    images: int = 40,
    iterations: int = 500,
) -> EnergyPath:
    """Return the minimum-energy path between two minima, with its transition states to full precision.

    Parameters
    ----------
    landscape : Landscape
        The landscape.
    start, end : StationaryPoint or array_like (d,)
        The minima, or points in their basins.
    path : array_like (n, d), optional
        First guess, from start to end; by default the straight line. It decides between several paths.
    images : int
        Number of points of the string; doubled, twice at most, where they do not resolve the path.
    iterations : int
        Largest number of iterations of the string.

    Returns
    -------
    EnergyPath

    Raises
    ------
    LandscapeError
        If start and end lie in the basin of one minimum, or are not near any.
    ConvergenceError
        If no chain of transition states between the two minima is found.

    Notes
    -----
    String method with images at equal distances (E, Ren and Vanden-Eijnden 2007), moved by Newton steps across the
    path, with upwind tangents (Henkelman and Jónsson 2000); each maximum along it is then taken to the saddle by
    eigenvector following and Newton's method. The path returned is the gradient flow from the saddles down to the
    minima, integrated with error control; it also shows that the saddles connect start and end.

    Examples
    --------
    >>> L = Landscape("x**4/4 - x**2/2 + y**2")
    >>> round(minimum_energy_path(L, [-1.0, 0.0], [1.0, 0.0]).barrier, 12)
    0.25
    """
    if images < 5:
        raise LandscapeError(f"a path needs at least 5 images, not {images!r}")
    first, last = (_minimum(landscape, point, role) for point, role in ((start, "start"), (end, "end")))
    size = max(np.abs(first.position).max(), np.abs(last.position).max())
    if np.abs(first.position - last.position).max() <= 1e-6 * size:
        raise LandscapeError(f"start and end lie in the basin of one minimum, at {first.position.tolist()}")
    guess = _guess(landscape, first, last, path)
    box = _box_around(landscape, guess)
    string = _at_equal_distances(guess, images)
    for _ in range(3):
        string = _relax(landscape, string, iterations, box)
        passed = _transition_states(landscape, string, box)
        pieces = _chain(landscape, first, passed, last, box)
        if pieces:
            return _result(landscape, pieces, images, first, passed, last)
        string = _at_equal_distances(string, 2 * len(string))
    raise ConvergenceError(
        f"no chain of saddles from {first.position.tolist()} to {last.position.tolist()} was found with "
        f"{len(string) // 2} images; give a first guess with path=…"
    )


def _minimum(landscape: Landscape, point: StationaryPoint | ArrayLike, role: str) -> StationaryPoint:
    if isinstance(point, StationaryPoint):
        return point
    theta = as_points(point, landscape.dimension)
    if theta.shape != (landscape.dimension,):
        raise LandscapeError(f"the {role} must be one point, an array ({landscape.dimension},), not {point!r}")
    reach = np.maximum(np.abs(theta), 1.0)
    lower, upper = np.array(landscape.domain).T
    box = SearchBox(np.maximum(theta - 5 * reach, lower), np.minimum(theta + 5 * reach, upper))
    landscape.value(theta)  # raises where the point is outside the domain
    found = polish(landscape, follow(landscape, theta[None], 0, box, radius=0.01, iterations=2000), box)
    if not found or found[0].index:
        raise LandscapeError(f"there is no minimum downhill of the {role} {theta.tolist()}")
    return found[0]


def _guess(landscape: Landscape, first: StationaryPoint, last: StationaryPoint, path: ArrayLike | None) -> Floats:
    ends = [first.position], [last.position]
    if path is not None:
        middle = as_points(path, landscape.dimension)
        if middle.ndim != 2:
            raise LandscapeError(f"the path must be an array (n, {landscape.dimension}), not of shape {middle.shape}")
        return np.concatenate([ends[0], middle, ends[1]])
    line = np.linspace(first.position, last.position, 21)
    if landscape.dimension > 1:
        # A straight line may lie on a ridge by symmetry; a small bend lets it slide off.
        bend = np.random.default_rng(0).normal(size=landscape.dimension)
        size = 1e-3 * np.linalg.norm(line[-1] - line[0]) / np.linalg.norm(bend)
        line += np.sin(np.pi * np.linspace(0.0, 1.0, 21))[:, None] * bend * size
    return line


def _box_around(landscape: Landscape, path: Floats) -> SearchBox:
    extent = np.ptp(path, axis=0)
    widths = np.maximum(extent, 0.3 * extent.max())
    lower, upper = np.array(landscape.domain).T
    return SearchBox(np.maximum(path.min(axis=0) - 2 * widths, lower), np.minimum(path.max(axis=0) + 2 * widths, upper))


def _lengths(path: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=-1))])


def _at_equal_distances(path: Floats, number: int) -> Floats:
    from scipy.interpolate import Akima1DInterpolator

    lengths = _lengths(path)
    keep = np.concatenate([[True], np.diff(lengths) > 0.0])
    wanted = np.linspace(0.0, lengths[-1], number)
    result = Akima1DInterpolator(lengths[keep], path[keep])(wanted)
    result[0], result[-1] = path[0], path[-1]
    return result


def _relax(landscape: Landscape, string: Floats, iterations: int, box: SearchBox) -> Floats:
    """Move the images across the path, and along it to equal distances, until they rest."""
    for _ in range(iterations):
        step = _step_across(landscape, string)
        spacing = _lengths(string)[-1] / (len(string) - 1)
        length = np.linalg.norm(step, axis=-1, keepdims=True)
        step *= _DAMPING * np.minimum(1.0, 0.5 * spacing / np.maximum(length, 1e-300))
        string = string.copy()
        string[1:-1] = box.clip(string[1:-1] + step)
        string = box.clip(_at_equal_distances(string, len(string)))
        if length.max() < 1e-3 * spacing:
            break
    return string


def _step_across(landscape: Landscape, string: Floats) -> Floats:
    """Return Newton steps downhill in the plane across the path, for the inner images."""
    inner = string[1:-1]
    tangent = _upwind_tangents(string, landscape.value(string))
    across = np.eye(string.shape[1]) - tangent[:, :, None] * tangent[:, None, :]
    slope = landscape.gradient(inner)
    gradient = np.einsum("nij,nj->ni", across, slope)
    hessian = across @ landscape.hessian(inner) @ across
    if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
        raise ConvergenceError("the path runs through points where the landscape is not finite; give another guess")
    eigenvalues, modes = np.linalg.eigh(hessian)
    # A step turns the tangent and so brings in the slope along the path: that acts like a curvature slope/spacing.
    spacing = _lengths(string)[-1] / (len(string) - 1)
    turning = np.abs(np.einsum("ni,ni->n", slope, tangent))[:, None] / spacing
    size = np.maximum(np.abs(eigenvalues), _SOFT * np.abs(eigenvalues).max()) + turning
    size = np.where(size > 0.0, size, 1.0)
    return -np.einsum("nik,nk->ni", modes, np.einsum("nik,ni->nk", modes, gradient) / size)


def _upwind_tangents(string: Floats, values: Floats) -> Floats:
    """Return unit tangents from each inner image to its higher neighbour; central differences at extrema."""
    ahead, behind = string[2:] - string[1:-1], string[1:-1] - string[:-2]
    rises = values[2:] > values[1:-1], values[1:-1] > values[:-2]
    up, down = rises[0] & rises[1], ~rises[0] & ~rises[1]
    tangent = np.where(up[:, None], ahead, np.where(down[:, None], behind, ahead + behind))
    return tangent / np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-300)


def _transition_states(landscape: Landscape, string: Floats, box: SearchBox) -> list[StationaryPoint]:
    values = landscape.value(string)
    tops = 1 + np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] > values[2:]))
    found = polish(landscape, follow(landscape, string[tops], 1, box, radius=0.02), box)
    saddles = distinct([point for point in found if point.index == 1], box)
    return sorted(saddles, key=lambda point: _nearest(string, point))


def _nearest(string: Floats, point: StationaryPoint) -> int:
    return int(np.argmin(np.linalg.norm(string - point.position, axis=-1)))


def _chain(
    landscape: Landscape,
    first: StationaryPoint,
    saddles: Sequence[StationaryPoint],
    last: StationaryPoint,
    box: SearchBox,
) -> list[Floats]:
    """Return the pieces of path between neighbouring stationary points from first to last, or [] if they miss."""
    here, pieces = first.position, []
    for saddle in saddles:
        sides = [_descent(landscape, saddle, sign, box) for sign in (-1.0, 1.0)]
        near = [_same(side[-1], here, box) for side in sides]
        if not any(near):
            return []
        back, forth = sides if near[0] else sides[::-1]
        pieces += [np.concatenate([[here], back[::-1]]), forth]
        here = forth[-1]
    if not pieces or not _same(here, last.position, box):
        return []
    pieces[-1] = np.concatenate([pieces[-1], [last.position]])
    return pieces


def _same(a: Floats, b: Floats, box: SearchBox) -> bool:
    return bool(np.abs((a - b) / box.widths).max() < 1e-3)


def _descent(landscape: Landscape, saddle: StationaryPoint, sign: float, box: SearchBox) -> Floats:
    """Return the gradient flow from a saddle down to a minimum, as points (n, d)."""
    from scipy.integrate import Radau

    def slope(_: float, theta: Floats) -> Floats:
        return -landscape.gradient(box.clip(theta))

    def jacobian(_: float, theta: Floats) -> Floats:
        return -landscape.hessian(box.clip(theta))

    size = float(box.widths.min())
    start = box.clip(saddle.position + sign * 1e-4 * size * saddle.eigenvectors[:, 0])
    points, steepest = [saddle.position, start], 0.0
    solver = Radau(slope, 0.0, start, 1e300, jac=jacobian, rtol=1e-8, atol=1e-9 * size)
    for _ in range(_MAX_STEPS):
        solver.step()
        if solver.status != "running":
            break
        points.append(solver.y.copy())
        steepness = float(np.linalg.norm(slope(0.0, solver.y)))
        steepest = max(steepest, steepness)
        if steepness < 1e-5 * steepest:
            break
    return np.array(points)


def _result(
    landscape: Landscape,
    pieces: Sequence[Floats],
    images: int,
    first: StationaryPoint,
    saddles: Sequence[StationaryPoint],
    last: StationaryPoint,
) -> EnergyPath:
    """Sample the pieces at nearly equal distances, so that the saddles are among the points."""
    whole = sum(_lengths(piece)[-1] for piece in pieces)
    numbers = [max(round((images - 1) * _lengths(piece)[-1] / whole), 2) for piece in pieces]
    sampled = [_at_equal_distances(piece, n + 1)[:-1] for piece, n in zip(pieces, numbers, strict=True)]
    points = np.concatenate([*sampled, [last.position]])
    arrays = points, landscape.value(points), _lengths(points)
    for array in arrays:
        array.flags.writeable = False
    return EnergyPath(*arrays, describe(landscape, first.position), describe(landscape, last.position), tuple(saddles))
