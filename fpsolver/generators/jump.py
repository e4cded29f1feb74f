"""Generators of jump processes on uniform grids, as matrices of rates between any two cells.

The rate of jumps j → i is A(θ_j) q w(ΔL), with the exact difference of the loss between the two cell centres, so that
detailed balance holds to rounding. Jumps that would lead behind a reflecting wall do not happen, those behind an
absorbing wall are lost at the rate that the law gives them, those round a periodic axis are summed over all turns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics.jump import SEPARABLE, JumpProcess
from fpsolver.errors import GridError, NumericalError, suggest
from fpsolver.generators.jump_moves import Moves, moves
from fpsolver.generators.matrix import MatrixGenerator, matrix_generator
from fpsolver.generators.periodic import period_gain
from fpsolver.generators.walls import warn_if_cut
from fpsolver.grids import Grid
from fpsolver.landscapes.quadratic_forms import quadratic_form

SCHEMES = ("matrix", "convolution")
MOST_ENTRIES = 20_000_000
"""Rates that a matrix may hold: some 300 megabytes."""
LARGEST_EXPONENT = 690.0
"""Logarithm of the largest rate."""


def jump_generator(process: JumpProcess, grid: Grid, scheme: str | None = None) -> MatrixGenerator:
    """Return the generator of a jump process.

    Parameters
    ----------
    process : JumpProcess
        Undriven.
    grid : Grid
        One uniform axis a variable.
    scheme : {"matrix", "convolution"}, optional
        How rates are kept: each of them, or as a convolution (separable laws, for grids whose matrix would not fit);
        chosen by size if left out.

    Raises
    ------
    GridError
        If the axes do not fit the landscape or the proposal, or the matrix would be too large.
    LandscapeError
        If the loss is not finite on the grid or where jumps lead behind an absorbing wall.
    NumericalError
        If a rate overflows.

    Warns
    -----
    GridWarning
        If the grid cuts through the stationary density, or is coarse for the proposal.
    """
    if scheme is not None and scheme not in SCHEMES:
        raise GridError(f"scheme = {scheme!r} is not one of {', '.join(SCHEMES)}{suggest(str(scheme), SCHEMES)}")
    if grid.velocity:
        raise GridError("a jump process has no velocities; leave velocity= out of the grid")
    rates = JumpRates(process, grid)
    matrix = rates.matrix()
    killing = rates.killing()
    log_equilibrium = rates.log_equilibrium()
    if log_equilibrium is not None and not killing.any():
        warn_if_cut(grid, np.exp(log_equilibrium - log_equilibrium.max()))
    return matrix_generator(grid, process, "jump", matrix, killing=killing, log_equilibrium=log_equilibrium)


class JumpRates:
    """Rates of a jump process between the cells of a grid.

    Parameters
    ----------
    process : JumpProcess
        Undriven.
    grid : Grid
        One uniform axis a variable.
    """

    def __init__(self, process: JumpProcess, grid: Grid) -> None:
        self.process, self.grid = process, grid
        self.loss = loss_on_grid(process.landscape, grid)
        self.gains = [
            period_gain(process.landscape, grid, self.loss, k) if axis.periodic else 0.0
            for k, axis in enumerate(grid.axes)
        ]
        theta = grid.points[..., grid.order(process.landscape.variables)]
        attempts = process.attempts.evaluate(theta, process.landscape.parameters)
        with np.errstate(divide="ignore"):
            self.log_attempts = np.log(attempts)
        self.theta = theta

    @property
    def tilted(self) -> bool:
        """Whether the loss grows round a periodic axis."""
        return any(self.gains)

    def log_equilibrium(self) -> np.ndarray | None:
        """Return the logarithm of the equilibrium probabilities where detailed balance holds, else None."""
        process = self.process
        exact = process.law != "linearised" or quadratic_form(process.landscape) is not None
        if self.tilted or not exact:
            return None
        return -(self.loss - self.loss.min()) / process.balance_temperature - self.log_attempts

    def matrix(self) -> sparse.coo_array:
        """Return the rates between cells, diagonal included, element (i, j) for the jump j → i."""
        linear = self.process.law == "linearised"
        taken = moves(self.process.proposal, self.grid, unfolded=self.tilted or linear)
        table = self._table(taken)
        home = self._home(taken)
        return sparse.coo_array(
            (self._rates(taken, table), (home[table.row], table.col)), shape=(self.grid.size, self.grid.size)
        )

    def killing(self) -> np.ndarray:
        """Return the rate of jumps behind absorbing walls, of the grid's shape."""
        grid = self.grid
        if not any("absorbing" in axis.boundary for axis in grid.axes):
            return np.zeros(grid.shape)
        linear = self.process.law == "linearised"
        taken = moves(self.process.proposal, grid, unfolded=self.tilted or linear, beyond=4 * max(grid.shape))
        table = self._table(taken)
        out = self._home(taken)[table.row] < 0
        table = sparse.coo_array((table.data[out], (table.row[out], table.col[out])), shape=table.shape)
        return np.bincount(table.col, self._rates(taken, table), grid.size).reshape(grid.shape)

    def _table(self, taken: Moves) -> sparse.coo_array:
        if taken.entries > MOST_ENTRIES:
            raise GridError(
                f"jumps between the cells of {self.grid!r} have {taken.entries:.1e} rates, more than the "
                f"{MOST_ENTRIES:.0e} that are kept; coarsen the grid, or take a proposal of shorter range"
            )
        return taken.table()

    def _home(self, taken: Moves) -> np.ndarray:
        """Return the cell of every site in C order, −1 behind walls."""
        homes = np.meshgrid(*(sites.home for sites in taken.sites), indexing="ij")
        inside = np.all([home >= 0 for home in homes], axis=0)
        cells = np.ravel_multi_index([np.maximum(home, 0) for home in homes], self.grid.shape)
        return np.where(inside, cells, -1).ravel()

    def _rates(self, taken: Moves, table: sparse.coo_array) -> np.ndarray:
        """Return the rates of moves."""
        change = self._change(taken, table)
        with np.errstate(divide="ignore"):
            exponent = np.log(table.data)
        exponent += self.log_attempts.ravel()[table.col]
        exponent += self.process.log_factor(change)
        away = self._home(taken)[table.row] != table.col
        top = float(exponent[away].max(initial=-np.inf))
        if top > LARGEST_EXPONENT:
            raise NumericalError(
                f"a rate of e^{top:.4g} overflows: the loss falls by {-float(change[away].min()):.4g} within a jump, at "
                f"a temperature of {self.process.temperature:g}; shrink the grid to where the density is, or take a law "
                'with bounded rates, "metropolis" or "glauber"'
            )
        return np.where(away, np.exp(np.minimum(exponent, LARGEST_EXPONENT)), 0.0)

    def _change(self, taken: Moves, table: sparse.coo_array) -> np.ndarray:
        """Return ΔL of moves; for the linearised law ∇L·Δθ."""
        if self.process.law != "linearised":
            return self._site_loss(taken)[table.row] - self.loss.ravel()[table.col]
        shape = tuple(len(sites.numbers) for sites in taken.sites)
        ends, starts = np.unravel_index(table.row, shape), np.unravel_index(table.col, self.grid.shape)
        slopes = self.process.landscape.gradient(self.theta).reshape(self.grid.size, -1)
        change = np.zeros(len(table.data))
        for k, (sites, end, start) in enumerate(zip(taken.sites, ends, starts, strict=True)):
            component = self.process.landscape.variables.index(self.grid.names[k])
            displacement = sites.centres[end] - self.grid.axes[k].centres[start]
            change += slopes[table.col, component] * displacement
        return change

    def _site_loss(self, taken: Moves) -> np.ndarray:
        """Return the loss at all sites: of cells as it is known, a turn away with the gain, behind walls anew."""
        home = self._home(taken)
        inside = home >= 0
        loss = np.zeros(len(home))
        loss[inside] = self.loss.ravel()[home[inside]]
        grids = np.meshgrid(*(sites.centres for sites in taken.sites), indexing="ij")
        if not inside.all():
            points = np.stack([axis.ravel()[~inside] for axis in grids], axis=-1)
            loss[~inside] = loss_on_grid(self.process.landscape, self.grid, points)
        turns = np.meshgrid(*(sites.numbers // sites.axis.cells for sites in taken.sites), indexing="ij")
        for gain, turn in zip(self.gains, turns, strict=True):
            if gain:
                loss[inside] += gain * turn.ravel()[inside]
        return loss
