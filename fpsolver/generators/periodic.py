"""What a turn round a periodic axis does to the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
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
