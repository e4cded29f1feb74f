"""Minima and saddles of a landscape: many starts, eigenvector following, Newton's method at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import LandscapeError, suggest
from fpsolver.landscapes.array_evaluation import Floats
from fpsolver.landscapes.landscape import Landscape

Bounds = Mapping[str, tuple[float, float]] | Sequence[tuple[float, float]]

# All lengths below are fractions of the search box.
_RADIUS = 0.1
_CONVERGED = 1e-9
_SAME_POINT = 1e-6
# Eigenvalues below this fraction of the largest count as zero.
_FLAT = 1e-9


@dataclass(frozen=True, eq=False)
class StationaryPoint:
    """A point where the gradient vanishes.

    Attributes
    ----------
    position : ndarray (d,)
        The point.
    value : float
        The landscape there.
    eigenvalues : ndarray (d,)
        Of the Hessian, ascending.
    eigenvectors : ndarray (d, d)
        In columns.
    gradient_norm : float
        What is left of the gradient.
    """

    position: Floats
    value: float
    eigenvalues: Floats
    eigenvectors: Floats
    gradient_norm: float

    @property
    def index(self) -> int:
        """Number of negative eigenvalues: 0 at a minimum, 1 at a transition state."""
        return int(np.sum(self.eigenvalues < -_FLAT * np.abs(self.eigenvalues).max()))

    @property
    def degenerate(self) -> bool:
        """Whether an eigenvalue vanishes to rounding, as along a valley of minima."""
        return bool(np.any(np.abs(self.eigenvalues) <= _FLAT * np.abs(self.eigenvalues).max()))

    def __repr__(self) -> str:
        """Show position, value and eigenvalues."""
        return (
            f"StationaryPoint(position={self.position.tolist()}, value={self.value!r}, index={self.index}, "
            f"eigenvalues={self.eigenvalues.tolist()})"
        )


@dataclass(frozen=True)
class SearchBox:
    """A search box; the searches run in coordinates that map it to the unit cube."""

    lower: Floats
    upper: Floats

    @property
    def widths(self) -> Floats:
        """Edge lengths."""
        return self.upper - self.lower

    def clip(self, theta: Floats) -> Floats:
        """Return the nearest points inside."""
        return np.clip(theta, self.lower, self.upper)


def minima(
    landscape: Landscape, bounds: Bounds | None = None, *, starts: int | None = None, seed: int = 0
) -> tuple[StationaryPoint, ...]:
    """Return the minima inside a box, lowest first.

    Parameters
    ----------
    landscape : Landscape
        The landscape.
    bounds : mapping or sequence of (lower, upper), optional
        The box, by variable; may be left out where the landscape has a bounded domain.
    starts : int, optional
        Number of starting points, spread evenly over the box; by default 64 per variable, 128 at least. A minimum
        is found if a start lies in its basin, so many narrow minima need many starts.
    seed : int
        Shifts the set of starting points.

    Returns
    -------
    tuple of StationaryPoint
        Where minima form a valley, points of it with ``degenerate`` set.

    Raises
    ------
    LandscapeError
        If the bounds do not fit.

    Examples
    --------
    >>> [m.position.round(6).tolist() for m in minima(Landscape("x**4/4 - x**2/2"), [(-2, 2)])]
    [[-1.0], [1.0]]
    """
    return stationary_points(landscape, bounds, index=0, starts=starts, seed=seed)


def saddles(
    landscape: Landscape, bounds: Bounds | None = None, *, index: int = 1, starts: int | None = None, seed: int = 0
) -> tuple[StationaryPoint, ...]:
    """Return the saddles of given index (number of unstable directions) inside a box, lowest first.

    Parameters
    ----------
    landscape, bounds, starts, seed
        As for `minima`.
    index : int
        Number of negative eigenvalues of the Hessian, from 1 to d; d gives the maxima.

    Returns
    -------
    tuple of StationaryPoint

    Notes
    -----
    Eigenvector following (Cerjan and Miller 1981): uphill along the `index` softest modes, downhill along the others,
    from points spread over the box and around the minima; then Newton's method.
    """
    if not 1 <= index <= landscape.dimension:
        raise LandscapeError(f"the index of a saddle goes from 1 to {landscape.dimension} here, not {index!r}")
    return stationary_points(landscape, bounds, index=index, starts=starts, seed=seed)


def stationary_points(
    landscape: Landscape, bounds: Bounds | None = None, *, index: int = 0, starts: int | None = None, seed: int = 0
) -> tuple[StationaryPoint, ...]:
    """Return the stationary points of one index inside a box, lowest first; see `minima` and `saddles`."""
    box = search_box(landscape, bounds)
    d = landscape.dimension
    number = max(64 * d, 128) if starts is None else starts
    if number < 1:
        raise LandscapeError(f"the number of starts must be positive, not {starts!r}")
    points = _spread(box, number, seed)
    if index > 0:
        points = np.concatenate([points, _around(stationary_points(landscape, box_bounds(box), starts=number), box)])
    found = follow(landscape, points, index, box)
    return distinct([p for p in polish(landscape, found, box) if p.index == index], box)


def box_bounds(box: SearchBox) -> list[tuple[float, float]]:
    """Return a box as bounds."""
    return list(zip(box.lower.tolist(), box.upper.tolist(), strict=True))


def search_box(landscape: Landscape, bounds: Bounds | None) -> SearchBox:
    """Return the checked search box.

    Raises
    ------
    LandscapeError
        If bounds are missing, not finite, reversed, or do not match the variables.
    """
    names = landscape.variables
    if bounds is None:
        bounds = landscape.domain
        if not np.isfinite(bounds).all():
            raise LandscapeError(f"bounds are needed, (lower, upper) for each of the variables {', '.join(names)}")
    if isinstance(bounds, Mapping):
        for name in bounds:
            if name not in names:
                raise LandscapeError(f'bounds are given for "{name}", which is no variable{suggest(name, names)}')
        missing = [name for name in names if name not in bounds]
        if missing:
            raise LandscapeError(f'no bounds for the variable "{missing[0]}"')
        bounds = [bounds[name] for name in names]
    pairs = np.asarray(bounds, dtype=float)
    if pairs.shape != (len(names), 2):
        raise LandscapeError(f"bounds must be one pair (lower, upper) for each of {', '.join(names)}, not {bounds!r}")
    for name, (low, high), (first, last) in zip(names, pairs, landscape.domain, strict=True):
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise LandscapeError(f"the bounds of {name} must be finite and ascending, not ({low:g}, {high:g})")
        if low < first or high > last:
            raise LandscapeError(
                f"the bounds of {name}, ({low:g}, {high:g}), reach beyond its domain ({first:g}, {last:g})"
            )
    return SearchBox(pairs[:, 0].copy(), pairs[:, 1].copy())


def _spread(box: SearchBox, number: int, seed: int) -> Floats:
    """Return evenly spread points: the additive recurrence with the generalised golden ratio, randomly shifted."""
    d = len(box.lower)
    ratio = 2.0
    for _ in range(60):
        ratio = (1.0 + ratio) ** (1.0 / (d + 1))
    steps = ratio ** -np.arange(1.0, d + 1)
    shift = np.random.default_rng(seed).random(d)
    return box.lower + ((shift + np.arange(number)[:, None] * steps) % 1.0) * box.widths


def _around(points: Sequence[StationaryPoint], box: SearchBox, most: int = 30) -> Floats:
    """Return points between pairs of minima, and beside each minimum along each mode."""
    d = len(box.lower)
    chosen = points[:most]
    middles = [(p.position + q.position) / 2 for n, p in enumerate(chosen) for q in chosen[:n]]
    beside = [p.position + s * box.widths * p.eigenvectors[:, k] for p in chosen for k in range(d) for s in (-0.1, 0.1)]
    return box.clip(np.array(middles + beside).reshape(-1, d))


def follow(
    landscape: Landscape, points: Floats, index: int, box: SearchBox, *, radius: float = _RADIUS, iterations: int = 300
) -> Floats:
    """Move points (n, d) uphill along their `index` lowest modes and downhill along the others until they rest.

    Steps are Newton steps with the eigenvalues' signs set as wanted, not longer than a trust radius; for minima a
    step that does not go down is taken back and the radius shrunk. Points that do not come to rest are returned
    where they are: `polish` sorts them out.
    """
    theta = box.clip(np.array(points, dtype=float))
    radii = np.full(len(theta), radius)
    moving = np.ones(len(theta), dtype=bool)
    values = landscape.value(theta)
    for _ in range(iterations):
        active = np.flatnonzero(moving)
        if not len(active):
            break
        step, sound = _signed_step(landscape, theta[active], index, box, radii[active])
        trial = box.clip(theta[active] + step)
        moved = np.linalg.norm((trial - theta[active]) / box.widths, axis=-1)
        new = landscape.value(trial)
        good = sound & np.isfinite(new)
        if index == 0:
            slack = 1e-13 * np.abs(values[active])
            lower = new <= values[active] + slack
            radii[active] = np.where(lower, np.minimum(2.0 * radii[active], radius), moved / 4.0)
            good &= lower
        theta[active[good]], values[active[good]] = trial[good], new[good]
        moving[active] = sound & (moved > _CONVERGED)
    return theta


def _signed_step(
    landscape: Landscape, theta: Floats, index: int, box: SearchBox, radii: Floats
) -> tuple[Floats, np.ndarray]:
    gradient = landscape.gradient(theta) * box.widths
    hessian = landscape.hessian(theta) * box.widths[:, None] * box.widths
    sound = np.asarray(np.isfinite(gradient).all(axis=-1) & np.isfinite(hessian).all(axis=(-1, -2)))
    gradient, hessian = np.where(sound[:, None], gradient, 0.0), np.where(sound[:, None, None], hessian, 0.0)
    eigenvalues, modes = np.linalg.eigh(hessian)
    along = np.einsum("nik,ni->nk", modes, gradient)
    size = np.maximum(np.abs(eigenvalues), _FLAT * np.abs(eigenvalues).max(axis=-1, keepdims=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.where(along == 0.0, 0.0, -along / size)
    along[:, :index] *= -1.0
    along = np.nan_to_num(along, posinf=1e6, neginf=-1e6)
    length = np.linalg.norm(along, axis=-1)
    along *= np.minimum(1.0, radii / np.maximum(length, 1e-300))[:, None]
    return np.einsum("nik,nk->ni", modes, along) * box.widths, sound


def polish(landscape: Landscape, theta: Floats, box: SearchBox, iterations: int = 60) -> list[StationaryPoint]:
    """Return the stationary points that Newton's method reaches from points (n, d) in their neighbourhood."""
    reached = []
    for start in theta:
        point = _newton(landscape, start, box, iterations)
        if point is not None:
            reached.append(point)
    return reached


def _newton(landscape: Landscape, start: Floats, box: SearchBox, iterations: int) -> StationaryPoint | None:
    theta, best, at = start, np.inf, start
    for _ in range(iterations):
        gradient = landscape.gradient(theta) * box.widths
        hessian = landscape.hessian(theta) * box.widths[:, None] * box.widths
        if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            return None
        eigenvalues, modes = np.linalg.eigh(hessian)
        largest = np.abs(eigenvalues).max()
        stiff = np.abs(eigenvalues) > _FLAT * largest
        along = modes.T @ gradient
        if largest == 0.0:
            return describe(landscape, theta) if not gradient.any() else None
        # In flat directions there is no Newton step; the gradient there has to vanish by itself.
        step = np.where(stiff, -along / np.where(stiff, eigenvalues, 1.0), 0.0)
        length = float(np.linalg.norm(step) + np.linalg.norm(along[~stiff]) / largest)
        if length >= best:
            break
        best, at = length, theta
        if length > 2 * _RADIUS:
            return None
        theta = theta + (modes @ step) * box.widths
        if ((theta < box.lower) | (theta > box.upper)).any():
            outside = np.abs(theta - box.clip(theta)) / box.widths
            if outside.max() > _CONVERGED:
                return None
            theta = box.clip(theta)
        if length == 0.0:
            break
    return describe(landscape, at) if best <= _CONVERGED else None


def describe(landscape: Landscape, theta: ArrayLike) -> StationaryPoint:
    """Return value, eigenvalues and eigenvectors at a point."""
    position = np.array(theta, dtype=float)
    eigenvalues, modes = np.linalg.eigh(landscape.hessian(position))
    norm = float(np.linalg.norm(landscape.gradient(position)))
    for array in (position, eigenvalues, modes):
        array.flags.writeable = False
    return StationaryPoint(position, float(landscape.value(position)), eigenvalues, modes, norm)


def distinct(points: Sequence[StationaryPoint], box: SearchBox) -> tuple[StationaryPoint, ...]:
    """Return the points that differ, in ascending order of value, then position."""
    kept: list[StationaryPoint] = []
    for point in sorted(points, key=lambda p: p.gradient_norm):
        if not any(np.abs((point.position - q.position) / box.widths).max() < _SAME_POINT for q in kept):
            kept.append(point)
    scale = max((abs(p.value) for p in kept), default=1.0) or 1.0
    # Symmetric points have values that differ by rounding: their order is then that of their positions.
    return tuple(sorted(kept, key=lambda p: (round(p.value / scale, 10), p.position.round(6).tolist())))
