"""One step of stochastic gradient descent from every cell of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np

from fpsolver.dynamics import SGD, MinibatchNoise
from fpsolver.errors import GridError
from fpsolver.generators.arrivals import Arrivals, blocks, split
from fpsolver.generators.continued_axis import ContinuedAxis
from fpsolver.generators.gaussian_steps import BROAD, gaussian_arrivals, in_cells
from fpsolver.generators.minibatch_steps import all_batches
from fpsolver.grids import Grid
from fpsolver.landscapes.regression import EmpiricalRisk


class SGDSteps:
    """The steps of a chain on a grid: of the parameters, or with velocity axes of the velocities, which move them.

    Parameters
    ----------
    dynamics : SGD
        The chain, not driven.
    grid : Grid
        The grid, with velocity axes where there is momentum.
    """

    def __init__(self, dynamics: SGD, grid: Grid) -> None:
        self.dynamics = dynamics
        self.grid = grid
        d = grid.position_dimension
        order = grid.order(dynamics.landscape.variables)
        # Component k of the landscape's vectors lies along axis order[k].
        self._inverse = np.argsort(order)
        points = grid.points.reshape(grid.size, grid.dimension)
        self.positions = points[:, :d]
        drift = np.zeros_like(self.positions)
        if grid.velocity:
            drift = dynamics.momentum * points[:, d:]
        self.axes = grid.axes[d:] if grid.velocity else grid.axes
        gradient_at = self.positions + drift if dynamics.nesterov else self.positions
        self.base = drift if grid.velocity else self.positions
        self.theta = gradient_at[:, order]
        with np.errstate(over="ignore", invalid="ignore"):
            descent = dynamics.descent(self.theta)
        self.means = self.base - dynamics.learning_rate * descent[:, self._inverse]
        if not np.isfinite(self.means).all():
            worst = int(np.argmax(~np.isfinite(self.means).all(axis=1)))
            at = ", ".join(f"{name} = {x:g}" for name, x in zip(grid.names, points[worst], strict=True))
            raise GridError(f"the step from {at} leads to {self.means[worst].tolist()}; shrink the grid")

    @cached_property
    def covariances(self) -> np.ndarray:
        """Covariance η²C of the step from each cell, shape (n, d, d)."""
        covariance = self.dynamics.noise_covariance(self.theta)
        return self.dynamics.learning_rate**2 * covariance[:, self._inverse][:, :, self._inverse]

    @cached_property
    def variances(self) -> np.ndarray:
        """Principal variances of the steps in squared cells of where they lead, ascending, shape (n, d)."""
        return np.linalg.eigvalsh(in_cells(self.axes, self.means, self.covariances)[1])

    def narrow(self) -> np.ndarray:
        """Return from which cells normal steps are too narrow for their density to be sampled."""
        return self.variances[:, 0] < BROAD**2

    def commensurate(self) -> bool:
        """Return whether new velocities move positions by whole numbers of cells."""
        cells = [position.widths.mean() for position in self.grid.axes]
        shifts = [velocity.centres / h for velocity, h in zip(self.axes, cells, strict=False)]
        uniform = all(axis.uniform for axis in self.grid.axes)
        return uniform and all(np.allclose(shift, np.round(shift), rtol=0.0, atol=1e-9) for shift in shifts)

    def arrivals(self) -> Iterator[Arrivals]:
        """Yield the probabilities of all steps, block by block."""
        if isinstance(self.dynamics.noise, MinibatchNoise):
            moves: Iterable[Arrivals] = self._minibatches()
        else:
            moves = gaussian_arrivals(self.axes, self.means, self.covariances)
        return self._carried(moves) if self.grid.velocity else iter(moves)

    def _minibatches(self) -> Iterator[Arrivals]:
        dynamics, risk = self.dynamics, self.dynamics.landscape
        assert isinstance(risk, EmpiricalRisk) and isinstance(dynamics.noise, MinibatchNoise)
        shares, probabilities = all_batches(risk.n_examples, dynamics.noise)
        corners = 2 ** len(self.axes)
        for block in blocks(np.full(self.grid.size, corners * (len(shares) + risk.n_examples))):
            theta = self.theta[block]
            gradients = np.einsum("bn,cnd->cbd", shares, risk.per_example_gradients(theta), optimize=True)
            gradients += dynamics.weight_decay * theta[:, None, :]
            points = self.base[block][:, None, :] - dynamics.learning_rate * gradients[..., self._inverse]
            m = len(theta)
            columns = np.repeat(np.arange(m), len(shares))
            weights = np.tile(probabilities, m)
            cells = np.arange(block.start, block.stop)
            yield split(self.axes, cells, columns, points.reshape(m * len(shares), -1), weights)

    def _carried(self, moves: Iterable[Arrivals]) -> Iterator[Arrivals]:
        """Move positions by the new velocities; exact where these are whole numbers of cells."""
        lines = [ContinuedAxis(axis) for axis in self.axes]
        for move in moves:
            velocities = np.stack([line.centres(sites) for line, sites in zip(lines, move.sites, strict=True)], axis=-1)
            points = self.positions[move.cells[move.columns]] + velocities
            axes = self.grid.axes[: self.grid.position_dimension]
            yield split(axes, move.cells, move.columns, points, move.weights, move.sites)
