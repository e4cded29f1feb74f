"""Minimum-energy paths between minima, and the barriers on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import ConvergenceError, LandscapeError
from fpsolver.landscapes.array_evaluation import Floats, as_points
from fpsolver.landscapes.critical_points import Box, StationaryPoint, describe, distinct, follow, polish
from fpsolver.landscapes.landscape import Landscape

# Curvatures below this fraction of the largest do not lengthen a step further.
_SOFT = 1e-3
_DAMPING = 0.5


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
    path; each maximum along it is then taken to the saddle by eigenvector following and Newton's method. Every
    saddle is checked by descending from it on both sides.

    Examples
    --------
    >>> L = Landscape("x**4/4 - x**2/2 + y**2")
    >>> round(minimum_energy_path(L, [-1.0, 0.0], [1.0, 0.0]).barrier, 12)
    0.25
    """
    if images < 5:
        raise LandscapeError(f"a path needs at least 5 images, not {images!r}")
    first, last = (_minimum(landscape, point, role) for point, role in ((start, "start"), (end, "end")))
    guess = _guess(landscape, first, last, path)
    box = _box_around(landscape, guess)
    if np.abs((first.position - last.position) / box.widths).max() < 1e-5:
        raise LandscapeError(f"start and end lie in the basin of one minimum, at {first.position.tolist()}")
    string = _at_equal_distances(guess, images)
    for _ in range(3):
        string = _relax(landscape, string, iterations, box)
        passed = _transition_states(landscape, string, box)
        if _connects(landscape, first, passed, last, box):
            return _result(landscape, string, first, passed, last)
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
    box = Box(np.maximum(theta - 5 * reach, lower), np.minimum(theta + 5 * reach, upper))
    landscape.value(theta)  # raises where the point is outside the domain
    found = polish(landscape, follow(landscape, theta[None], 0, box, radius=0.01, iterations=2000), box)
    if not found or found[0].index:
        raise LandscapeError(f"there is no minimum downhill of the {role} {theta.tolist()}")
    return found[0]


def _guess(
    landscape: Landscape, first: StationaryPoint, last: StationaryPoint, path: ArrayLike | None
) -> Floats:
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


def _box_around(landscape: Landscape, path: Floats) -> Box:
    extent = np.ptp(path, axis=0)
    widths = np.maximum(extent, 0.3 * extent.max())
    lower, upper = np.array(landscape.domain).T
    return Box(
        np.maximum(path.min(axis=0) - 2 * widths, lower), np.minimum(path.max(axis=0) + 2 * widths, upper)
    )


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


def _relax(landscape: Landscape, string: Floats, iterations: int, box: Box) -> Floats:
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
    tangent = string[2:] - string[:-2]
    tangent /= np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-300)
    across = np.eye(string.shape[1]) - tangent[:, :, None] * tangent[:, None, :]
    gradient = np.einsum("nij,nj->ni", across, landscape.gradient(inner))
    hessian = across @ landscape.hessian(inner) @ across
    sound = np.isfinite(gradient).all() and np.isfinite(hessian).all()
    if not sound:
        raise ConvergenceError("the path runs through points where the landscape is not finite; give another guess")
    eigenvalues, modes = np.linalg.eigh(hessian)
    size = np.abs(eigenvalues)
    size = np.maximum(size, _SOFT * size.max()) if size.max() > 0.0 else np.ones_like(size)
    return -np.einsum("nik,nk->ni", modes, np.einsum("nik,ni->nk", modes, gradient) / size)


def _transition_states(landscape: Landscape, string: Floats, box: Box) -> list[StationaryPoint]:
    values = landscape.value(string)
    tops = 1 + np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] > values[2:]))
    found = polish(landscape, follow(landscape, string[tops], 1, box, radius=0.02), box)
    saddles = distinct([point for point in found if point.index == 1], box)
    return sorted(saddles, key=lambda point: _nearest(string, point))


def _nearest(string: Floats, point: StationaryPoint) -> int:
    return int(np.argmin(np.linalg.norm(string - point.position, axis=-1)))


def _connects(
    landscape: Landscape, first: StationaryPoint, saddles: Sequence[StationaryPoint], last: StationaryPoint, box: Box
) -> bool:
    """Say whether descending from each saddle on both sides gives a chain of minima from first to last."""
    here = first.position
    for saddle in saddles:
        push = 1e-3 * box.widths.min() * saddle.eigenvectors[:, 0]
        sides = follow(
            landscape, saddle.position + np.array([[-1.0], [1.0]]) * push, 0, box, radius=0.01, iterations=2000
        )
        near = np.abs((sides - here) / box.widths).max(axis=-1) < 1e-4
        if not near.any():
            return False
        here = sides[1] if near[0] else sides[0]
    return bool(saddles) and bool(np.abs((here - last.position) / box.widths).max() < 1e-4)


def _result(
    landscape: Landscape,
    string: Floats,
    first: StationaryPoint,
    saddles: Sequence[StationaryPoint],
    last: StationaryPoint,
) -> EnergyPath:
    points = string.copy()
    for saddle in saddles:
        # The nearest image takes the saddle's place: the path then passes through it exactly.
        points[min(max(_nearest(points, saddle), 1), len(points) - 2)] = saddle.position
    arrays = points, landscape.value(points), _lengths(points)
    for array in arrays:
        array.flags.writeable = False
    return EnergyPath(*arrays, describe(landscape, first.position), describe(landscape, last.position), tuple(saddles))
