"""All critical points of a random field, in one dimension by sign changes, in two and three by Newton's method.

Morse theory checks the result: the alternating sum of the numbers by index is 0 on a torus and 1 in a parabola.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolver.errors import ConvergenceError
from fpsolver.landscapes.array_evaluation import Floats
from fpsolver.landscapes.random_fields import PeriodicField

_ITERATIONS = 40
_SAME_POINT = 1e-6


@dataclass(frozen=True, eq=False)
class FieldCriticalPoints:
    """Critical points of one sample.

    Attributes
    ----------
    positions : ndarray (n, d)
        Where.
    values : ndarray (n,)
        The landscape there.
    indices : ndarray of int (n,)
        Number of negative curvatures: 0 minima, d maxima.
    """

    positions: Floats
    values: Floats
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.indices)

    @property
    def alternating_sum(self) -> int:
        """Minima − saddles of index 1 + …: 0 on a torus, 1 in a parabola, if none is missing."""
        return int(np.sum((-1) ** self.indices))


def count_crossings(values: Floats, slopes: Floats, spacing: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how often functions on a line cross zero upwards and downwards.

    Given L' and L'' on nodes, these are the minima and the maxima of L. A pair of crossings between two nodes is found
    by the extremum of the cubic through both values and slopes, whose error is h⁴/384 times the fourth derivative.

    Parameters
    ----------
    values, slopes : ndarray (..., n)
        At equally spaced nodes. On a ring the first node comes once more at the end.
    spacing : float
        h.

    Returns
    -------
    tuple of ndarray (...)
        Upward and downward crossings.

    Examples
    --------
    >>> x = np.linspace(-1.0, 1.0, 4)
    >>> up, down = count_crossings(x**2 - 0.01, 2 * x, 2 / 3)
    >>> int(up), int(down)
    (1, 1)
    """
    left, right = values[..., :-1], values[..., 1:]
    up = np.sum((left < 0.0) & (right >= 0.0), axis=-1)
    down = np.sum((left >= 0.0) & (right < 0.0), axis=-1)
    side = np.where(left < 0.0, -1.0, 1.0)
    begin, end = spacing * side * slopes[..., :-1], spacing * side * slopes[..., 1:]
    dips = ((left < 0.0) == (right < 0.0)) & (begin < 0.0) & (end > 0.0)
    where = np.nonzero(dips)
    a, b, p, q = (side * left)[where], (side * right)[where], begin[where], end[where]
    # On the unit cell: a + pt + ct² + et³, whose slope has one root where it turns from falling to rising.
    c, e = 3.0 * (b - a) - 2.0 * p - q, 2.0 * (a - b) + p + q
    t = -p / (c + np.sqrt(c**2 - 3.0 * e * p))
    hidden = np.zeros(dips.shape, dtype=bool)
    hidden[where] = a + t * (p + t * (c + t * e)) < 0.0
    pairs = np.sum(hidden, axis=-1)
    return up + pairs, down + pairs


def field_critical_points(
    field: PeriodicField, *, confinement: float = 0.0, spacing: float = 0.15
) -> FieldCriticalPoints:
    """Return the critical points of κ|x|²/2 + f(x), by Newton's method from all nodes that may have one nearby.

    Parameters
    ----------
    field : PeriodicField
        One sample.
    confinement : float
        κ. With a parabola the search covers the cell of the torus around the origin (−P/2 < x < P/2), without it the
        whole torus.
    spacing : float
        Of the nodes, in the units of x; a sixth of the correlation length is fine. A node is left out where the
        gradient is too large, by the Hessian and its change to the next nodes, to vanish in its cell. Where the
        alternating sum shows that a point is missing, it is halved, and once more.

    Raises
    ------
    ConvergenceError
        If the alternating sum is not that of a torus, or of a parabola, even with a quarter of the spacing: a point is
        missing.
    """
    wanted = 0 if confinement == 0.0 else 1
    for refinement in (1.0, 2.0, 4.0):
        found = _search(field, confinement, spacing / refinement)
        if found.alternating_sum == wanted:
            return found
    raise ConvergenceError(
        f"the critical points found have the alternating sum {found.alternating_sum}, not {wanted}: one is missing; "
        f"use a smaller spacing than {spacing:g}"
    )


def _search(field: PeriodicField, confinement: float, spacing: float) -> FieldCriticalPoints:
    starts, step = _starts(field, confinement, spacing)
    points = _newton(field, confinement, starts, step)
    if confinement == 0.0:
        points = np.mod(points, field.period)
    else:
        points = points[np.all(np.abs(points) < field.period / 2.0, axis=1)]
    points = _distinct(points, field.period)
    value, _, hessian = field.derivatives(points)
    curvatures = np.linalg.eigvalsh(hessian) + confinement
    value = value + confinement / 2.0 * np.sum(points**2, axis=1)
    return FieldCriticalPoints(points, value, np.sum(curvatures < 0.0, axis=1))


def _starts(field: PeriodicField, confinement: float, spacing: float) -> tuple[Floats, float]:
    """Return starts, 2^d in every cell that may hold a critical point, and the spacing of the nodes."""
    d = field.dimension
    nodes = max(int(np.ceil(field.period / spacing)), 2 * int(np.abs(field.indices).max()) + 1)
    step = field.period / nodes
    axis = step * np.arange(nodes)
    centred = np.where(axis < field.period / 2.0, axis, axis - field.period)
    grid = np.stack(np.meshgrid(*(centred if confinement else axis,) * d, indexing="ij"))
    possible = np.ones((nodes,) * d, dtype=bool)
    for i in range(d):
        reach = np.zeros(possible.shape)
        for j in range(d):
            curvature = field.on_grid(nodes, (i, j))
            changes = [np.abs(np.roll(curvature, by, k) - curvature) for k in range(d) for by in (1, -1)]
            curvature = curvature + confinement if i == j else curvature
            # Half a cell away the gradient has changed by H·step/2, and H itself by half its change to the next nodes.
            reach += step / 2.0 * (np.abs(curvature) + sum(changes[1:], changes[0]) / 2.0)
        possible &= np.abs(field.on_grid(nodes, (i,)) + confinement * grid[i]) <= reach
    corners = np.stack(np.meshgrid(*(np.array([-0.25, 0.25]),) * d, indexing="ij"), axis=-1).reshape(-1, d)
    centres = np.stack([coordinate[possible] for coordinate in grid], axis=1)
    # Close pairs of points, near a fold, share a cell: several starts reach both.
    return (centres[:, None, :] + step * corners).reshape(-1, d), step


def _newton(field: PeriodicField, confinement: float, starts: Floats, step: float) -> Floats:
    """Return where Newton's method, with steps of one node spacing at most, converges within a few spacings."""
    points, moving = starts.copy(), np.ones(len(starts), dtype=bool)
    done = np.zeros(len(starts), dtype=bool)
    for _ in range(_ITERATIONS):
        active = np.nonzero(moving)[0]
        if len(active) == 0:
            break
        _, gradient, hessian = field.derivatives(points[active])
        gradient = gradient + confinement * points[active]
        hessian = hessian + confinement * np.eye(field.dimension)
        move = -np.linalg.solve(hessian, gradient[..., None])[..., 0]
        length = np.linalg.norm(move, axis=1)
        points[active] += move * np.minimum(1.0, step / np.maximum(length, 1e-300))[:, None]
        done[active] = length < 1e-9 * field.period
        strayed = np.linalg.norm(points[active] - starts[active], axis=1) > 4.0 * step
        moving[active] = ~(done[active] | strayed)
    return points[done]


def _distinct(points: Floats, period: float) -> Floats:
    """Return one of each group of points that coincide on the torus."""
    from scipy.spatial import cKDTree

    tree = cKDTree(np.mod(points, period) % period, boxsize=period)
    again = tree.query_pairs(_SAME_POINT * period, output_type="ndarray")[:, 1]
    return np.delete(points, again, axis=0)
