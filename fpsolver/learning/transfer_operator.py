"""The transfer operator of gradient descent: what one step does to densities, and what they end up as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import ArrayLike

from fpsolver.dynamics import SGD, GaussianNoise, MinibatchNoise
from fpsolver.errors import GridError, InputError
from fpsolver.generators import generator
from fpsolver.generators.chain import ChainGenerator
from fpsolver.grids import Grid
from fpsolver.landscapes import Landscape
from fpsolver.solvers.stationary import stationary

# Every cell is cut into this many pieces, each of which the map is taken to stretch evenly.
_PIECES = 32


@dataclass(frozen=True, eq=False)
class DensityDiagram:
    """Stationary densities of SGD by learning rate: a bifurcation diagram with the weight of every state.

    Attributes
    ----------
    learning_rates : ndarray (n,)
        η.
    grid : Grid
        The grid.
    densities : ndarray (n, *cells)
        Stationary density at each of them.
    """

    learning_rates: np.ndarray
    grid: Grid
    densities: np.ndarray


def ulam_generator(landscape: Landscape, learning_rate: float, grid: Grid) -> ChainGenerator:
    """Return the transfer operator of gradient descent without noise in one dimension, by Ulam's method.

    K_ij is the share of cell j that θ′ = θ − ηL′(θ) carries into cell i, so that K keeps probability and sign exactly.
    `fpsolver.stationary` of it is the invariant density, where there is one attractor; orbits that close give it as
    wide as a few cells.

    Parameters
    ----------
    landscape : Landscape
        The loss, of one variable.
    learning_rate : float
        η > 0.
    grid : Grid
        One axis. The map must not leave it, except through an absorbing wall, where probability is lost.

    Returns
    -------
    ChainGenerator
        W = K − 1 with one step as unit of time; its attribute ``step`` is K.

    Raises
    ------
    GridError
        If the grid does not fit the landscape, or the map leaves it.

    References
    ----------
    S. M. Ulam, A Collection of Mathematical Problems (1960), p. 73; T.-Y. Li, J. Approx. Theory 17, 177 (1976).

    Examples
    --------
    At η = 2 the double well x⁴/4 − x²/2 makes the Chebyshev map of degree three, chaotic between ±√2.

    >>> import fpsolver as fp
    >>> wall = fp.Axis(-(2**0.5), 2**0.5, 500, boundary="reflecting")
    >>> p = fp.stationary(ulam_generator(fp.landscapes.double_well(), 2.0, fp.Grid(x=wall)))
    >>> left = p.values[:125] @ p.grid.volumes[:125]
    >>> bool(abs(left - 1.0 / 3.0) < 0.01)
    True
    """
    sgd = SGD(landscape, learning_rate)
    if grid.names != landscape.variables or grid.dimension != 1 or grid.axes[0].periodic:
        raise GridError(
            f"Ulam's method takes one axis, not periodic, named as the variable of the loss: {grid.names} given, "
            f"{landscape.variables} wanted; with noise, fp.generator(fp.SGD(…), grid) takes more dimensions"
        )
    axis = grid.axes[0]
    columns, rows, shares, lost = _overlaps(sgd, axis.faces)
    walls = [kind != "absorbing" and gone.any() for kind, gone in zip(axis.boundary, lost, strict=True)]
    if any(walls):
        ends = " and ".join(
            f"{end:g}" for end, open_wall in zip((axis.lower, axis.upper), walls, strict=True) if open_wall
        )
        raise GridError(
            f"gradient descent at learning_rate = {learning_rate:g} leaves the grid at {ends}: take one that it maps "
            "into itself, or absorbing walls"
        )
    n = axis.cells
    rates = sparse.coo_array((shares, (rows, columns)), shape=(n, n)).tocsr()
    rates.setdiag(0.0)
    rates.eliminate_zeros()
    killing = lost[0] + lost[1]
    staying = np.maximum(1.0 - np.asarray(rates.sum(axis=0)) - killing, 0.0)
    return ChainGenerator(grid, sgd, "Ulam", (), killing, None, (), rates, staying, np.zeros(n), False)


def density_diagram(
    landscape: Landscape,
    learning_rates: ArrayLike,
    grid: Grid,
    noise: GaussianNoise | MinibatchNoise | None = None,
    **law: Any,
) -> DensityDiagram:
    """Return the stationary densities of SGD at several learning rates.

    Parameters
    ----------
    landscape : Landscape
        The loss.
    learning_rates : array_like (n,)
        η > 0.
    grid : Grid
        The grid, which holds the states at all of them.
    noise : GaussianNoise or MinibatchNoise, optional
        Noise of the gradient; without, densities are the invariant ones of `ulam_generator`.
    **law
        ``momentum``, ``nesterov``, ``weight_decay`` as for `fpsolver.SGD`, with noise.

    Raises
    ------
    InputError
        If there is no learning rate, or momentum without noise.
    MethodError
        If a stationary density is not unique: without noise, where there are several attractors.

    Examples
    --------
    >>> import fpsolver as fp
    >>> well, grid = fp.landscapes.double_well(), fp.Grid(x=(-2, 2, 100))
    >>> diagram = density_diagram(well, [0.8, 1.1], grid, fp.GaussianNoise(0.01))
    >>> diagram.densities.shape
    (2, 100)
    """
    rates = np.atleast_1d(np.asarray(learning_rates, dtype=float))
    if rates.ndim != 1 or not rates.size:
        raise InputError(f"learning_rates = {learning_rates!r} must be a vector of learning rates")
    if noise is None and law:
        raise InputError(f"{', '.join(law)}: without noise densities are those of plain gradient descent; give noise")
    operators = (
        ulam_generator(landscape, float(rate), grid)
        if noise is None
        else generator(SGD(landscape, float(rate), noise, **law), grid)
        for rate in rates
    )
    return DensityDiagram(rates, grid, np.array([stationary(operator).values for operator in operators]))


def _overlaps(sgd: SGD, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return cells, the cells they are carried to, and which share; and the shares carried past either end."""
    n = len(faces) - 1
    ends = np.append(
        (faces[:-1, np.newaxis] + np.diff(faces)[:, np.newaxis] * np.arange(_PIECES) / _PIECES).ravel(), faces[-1]
    )
    images = ends - sgd.learning_rate * sgd.descent(ends[:, np.newaxis])[:, 0]
    # An image on the outer face but for rounding has not left.
    slack = 1e-12 * (faces[-1] - faces[0])
    images = np.where(
        np.abs(images - np.clip(images, faces[0], faces[-1])) <= slack, np.clip(images, faces[0], faces[-1]), images
    )
    low, high = np.minimum(images[:-1], images[1:]), np.maximum(images[:-1], images[1:])
    width = np.maximum(high - low, np.finfo(float).tiny)
    origin = np.repeat(np.arange(n), _PIECES)
    below = np.clip((np.minimum(high, faces[0]) - low) / width, 0.0, 1.0)
    above = np.clip((high - np.maximum(low, faces[-1])) / width, 0.0, 1.0)
    lost = tuple(np.bincount(origin, part, minlength=n) / _PIECES for part in (below, above))
    first = np.clip(np.searchsorted(faces, low, side="right") - 1, 0, n - 1)
    last = np.maximum(np.clip(np.searchsorted(faces, high, side="left") - 1, 0, n - 1), first)
    count = last - first + 1
    piece = np.repeat(np.arange(len(low)), count)
    target = first[piece] + np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    overlap = np.minimum(high[piece], faces[target + 1]) - np.maximum(low[piece], faces[target])
    share = np.where(high[piece] > low[piece], np.maximum(overlap, 0.0) / width[piece], 1.0) / _PIECES
    return origin[piece], target, share, (lost[0], lost[1])
