"""What a turn round a periodic axis does to the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics.langevin import Langevin
from fpsolver.errors import GridError
from fpsolver.grids import Grid


def period_gain(landscape: Any, grid: Grid, loss: np.ndarray, axis: int) -> float:
    """Return by how much the loss grows in one turn round a periodic axis.

    A loss that grows by a constant (a tilted washboard) is admissible: its tilt is then a non-conservative force. A
    gain that is only rounding is returned as zero.

    Parameters
    ----------
    landscape : Landscape
        The loss.
    grid : Grid
        The grid.
    loss : ndarray
        Loss at the cell centres, of the grid's shape.
    axis : int
        The periodic axis.

    Raises
    ------
    GridError
        If the gain depends on the place, so that the gradient does not have the period of the axis.
    """
    this = grid.axes[axis]
    turn = np.zeros(grid.dimension)
    turn[axis] = this.upper - this.lower
    ends = [np.take(grid.points, [cell], axis=axis) for cell in (0, -1)]
    gains = [loss_on_grid(landscape, grid, end + turn) - loss_on_grid(landscape, grid, end) for end in ends]
    scale = 1e-9 * max(1.0, float(np.ptp(loss)))
    gain = float(gains[0].flat[0])
    if max(np.abs(gains[0] - gain).max(), np.abs(gains[1] - gain).max()) > scale:
        raise GridError(
            f"axis {grid.names[axis]!r} is periodic with period {turn[axis]:g}, but the gradient of the loss is not: "
            "match the period, or choose another boundary"
        )
    return 0.0 if abs(gain) <= scale else gain


def check_periodic_coefficients(dynamics: Langevin, grid: Grid) -> None:
    """Raise unless mobility, diffusion and force have the period of every periodic axis.

    Raises
    ------
    GridError
        Naming the axis, the coefficient and its values on the two sides of the seam.
    """
    parameters = dynamics.landscape.parameters
    order = grid.order(dynamics.landscape.variables)
    sample = grid.points[tuple(slice(None, None, max(1, n // 8)) for n in grid.shape)]
    for k, axis in enumerate(grid.axes):
        if not axis.periodic:
            continue
        seam = np.take(grid.points, [0], axis=k)
        seam[..., k] = axis.lower
        image = seam.copy()
        image[..., k] = axis.upper
        for coefficient in (dynamics.mobility, dynamics.diffusion, dynamics.force):
            if coefficient is None or coefficient.constant is not None:
                continue
            here, there = (coefficient.evaluate(points[..., order], parameters) for points in (seam, image))
            gap = np.abs(there - here)
            # A coefficient may vanish at the seam, so its size is taken from inside as well.
            inside = coefficient.evaluate(sample[..., order], parameters)
            size = max(np.abs(values).max() for values in (here, there, inside))
            if gap.max() > 1e-9 * size:
                worst = np.unravel_index(int(gap.argmax()), gap.shape)
                raise GridError(
                    f"axis {grid.names[k]!r} is periodic, but {coefficient.name} = {coefficient.given!r} is "
                    f"{here[worst]:g} at {axis.lower:g} and {there[worst]:g} at {axis.upper:g}: match the period, or "
                    "choose another boundary"
                )
