"""One step of stochastic gradient descent from every cell of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np

from fpsolver.dynamics import SGD, MinibatchNoise
from fpsolver.errors import DynamicsError, GridError
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
        # Component k of the landscape's vectors lies along axis order[k].
        self._order = grid.order(dynamics.landscape.variables)
        self._inverse = np.argsort(self._order)
        points = grid.points.reshape(grid.size, grid.dimension)
        self.positions = points[:, :d]
        kept = dynamics.momentum * points[:, d:] if grid.velocity else np.zeros_like(self.positions)
        self.axes = grid.axes[d:] if grid.velocity else grid.axes
        self.base = kept if grid.velocity else self.positions
        self.gradient_at = self.positions + kept if dynamics.nesterov else self.positions
        self.means = self.base - dynamics.learning_rate * self.descent(self.gradient_at)
        finite = np.isfinite(self.means).all(axis=1)
        if not finite.all():
            worst = int(np.argmin(finite))
            raise GridError(
                f"the step from {self._where(worst)} leads to {self.means[worst].tolist()}; shrink the grid"
            )
        self._check_periods()

    def in_variables(self, points: np.ndarray) -> np.ndarray:
        """Return points (n, d) of the grid in the order of the landscape's variables."""
        return points[:, self._order]

    def descent(self, points: np.ndarray) -> np.ndarray:
        """Return ∇L + λθ along the axes at points (n, d) of the grid."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.dynamics.descent(self.in_variables(points))[:, self._inverse]

    def covariance(self, points: np.ndarray) -> np.ndarray:
        """Return the covariance η²C of steps at points (n, d) of the grid, shape (n, d, d)."""
        gradient = self.dynamics.noise_covariance(points[:, self._order])
        return self.dynamics.learning_rate**2 * gradient[:, self._inverse][:, :, self._inverse]

    @cached_property
    def covariances(self) -> np.ndarray:
        """Covariance of the step from each cell, shape (n, d, d)."""
        covariances = self.covariance(self.gradient_at)
        finite = np.isfinite(covariances).all(axis=(1, 2))
        if not finite.all():
            raise DynamicsError(f"the covariance of the noise is not finite at {self._where(int(np.argmin(finite)))}")
        lowest, highest = np.linalg.eigvalsh(covariances)[:, [0, -1]].T
        if (lowest < -1e-12 * highest.max()).any():
            worst = int(np.argmin(lowest))
            raise DynamicsError(
                f"the covariance of the noise has a negative eigenvalue at {self._where(worst)}; give one that is "
                "positive semidefinite on the whole grid, or shrink the grid"
            )
        return covariances

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

    def _check_periods(self) -> None:
        """Raise unless gradient and noise have the period of every periodic axis."""
        for k in range(self.grid.position_dimension):
            axis = self.grid.axes[k]
            if not axis.periodic:
                continue
            turn = np.eye(self.grid.position_dimension)[k] * (axis.upper - axis.lower)
            seam = self.positions[self.positions[:, k] == axis.centres[0]]
            for function, name in ((self.descent, "gradient"), (self.covariance, "covariance of the noise")):
                here, there = function(seam), function(seam + turn)
                if not np.allclose(here, there, rtol=1e-9, atol=1e-9 * (np.abs(here).max() + 1e-300)):
                    raise GridError(
                        f"axis {self.grid.names[k]!r} is periodic, but the {name}, with any weight decay, has not the "
                        f"period {turn[k]:g}: match the period, or choose another boundary"
                    )

    def _where(self, cell: int) -> str:
        point = self.grid.points.reshape(self.grid.size, -1)[cell]
        return ", ".join(f"{name} = {x:g}" for name, x in zip(self.grid.names, point, strict=True))

    def _minibatches(self) -> Iterator[Arrivals]:
        dynamics, risk = self.dynamics, self.dynamics.landscape
        assert isinstance(risk, EmpiricalRisk) and isinstance(dynamics.noise, MinibatchNoise)
        shares, probabilities = all_batches(risk.n_examples, dynamics.noise)
        corners = 2 ** len(self.axes)
        for block in blocks(np.full(self.grid.size, corners * (len(shares) + risk.n_examples))):
            theta = self.gradient_at[block][:, self._order]
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
