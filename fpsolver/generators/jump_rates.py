"""Rates of a jump process between the cells of a grid, and out of it through absorbing walls.

The rate of jumps j → i is A(θ_j) q w, with the exact difference of the loss between the two centres, worked out as a
sum of logarithms so that it neither overflows nor underflows on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse

from fpsolver.densities import loss_on_grid
from fpsolver.dynamics.jump import SEPARABLE, JumpProcess
from fpsolver.errors import DynamicsError, GridError, NumericalError
from fpsolver.generators.jump_moves import Moves, moves
from fpsolver.generators.periodic import period_gain
from fpsolver.grids import Grid
from fpsolver.landscapes.quadratic_forms import quadratic_form

MOST_ENTRIES = 20_000_000
"""Rates that a matrix may hold: some 300 megabytes."""
LARGEST_EXPONENT = 690.0
"""Logarithm of the largest rate."""
BEYOND, FEWER = 8, 2
"""Lengths of the longest axis behind an absorbing wall up to which sites are told apart, where that costs little, and
where every pair of a cell and a site has a rate of its own."""


@dataclass(frozen=True, eq=False)
class JumpRates:
    """Rates of a jump process on a grid.

    Parameters
    ----------
    process : JumpProcess
        Undriven.
    grid : Grid
        One uniform axis a variable.
    """

    process: JumpProcess
    grid: Grid

    @cached_property
    def loss(self) -> np.ndarray:
        """Loss at the centres, of the grid's shape."""
        return loss_on_grid(self.process.landscape, self.grid)

    @cached_property
    def components(self) -> list[int]:
        """Number of the variable on each axis."""
        self.grid.order(self.process.landscape.variables)  # refuses axes that are not the variables
        return [self.process.landscape.variables.index(name) for name in self.grid.names]

    @cached_property
    def theta(self) -> np.ndarray:
        """Centres in the order of the variables, shape (*shape, d)."""
        return self.grid.points[..., self.grid.order(self.process.landscape.variables)]

    @cached_property
    def log_attempts(self) -> np.ndarray:
        """Logarithm of A(θ) at the centres, of the grid's shape.

        Raises
        ------
        DynamicsError
            If a rate is negative, or there is none anywhere.
        """
        process = self.process
        attempts = np.array(process.attempts.evaluate(self.theta, process.landscape.parameters), dtype=float)
        if attempts.min() < 0.0 or attempts.max() == 0.0:
            raise DynamicsError(
                f"attempt_rate = {process.attempts.given!r} is {attempts.min():g} somewhere on the grid; rates must "
                "not be negative, nor all zero"
            )
        with np.errstate(divide="ignore"):
            return np.log(attempts)

    @cached_property
    def gains(self) -> list[float]:
        """By how much the loss grows round each axis."""
        landscape, grid = self.process.landscape, self.grid
        return [
            period_gain(landscape, grid, self.loss, k) if axis.periodic else 0.0 for k, axis in enumerate(grid.axes)
        ]

    @property
    def linearised(self) -> bool:
        """Whether the tangent stands for the loss."""
        return self.process.law == "linearised"

    @property
    def separable(self) -> bool:
        """Whether a rate is one function of the start, times one of the end, times q."""
        return self.process.law in SEPARABLE and not any(self.gains)

    @cached_property
    def log_equilibrium(self) -> np.ndarray | None:
        """Logarithm of the equilibrium probabilities where detailed balance holds, of the grid's shape; else None.

        The linearised law has it on quadratic losses: ∇L·Δ and ΔL then differ by an even function of Δ.
        """
        exact = not self.linearised or quadratic_form(self.process.landscape) is not None
        if any(self.gains) or not exact or not np.isfinite(self.log_attempts).all():
            return None
        return -(self.loss - self.loss.min()) / self.process.balance_temperature - self.log_attempts

    @cached_property
    def moves(self) -> Moves:
        """Moves between cells."""
        unfolded = any(self.gains) or self.linearised
        return moves(self.process.proposal, self.grid, self.components, unfolded=unfolded)

    def matrix(self) -> sparse.coo_array:
        """Return the rates between cells, element (i, j) for jumps j → i.

        Raises
        ------
        GridError
            If there are too many.
        """
        taken = self.moves
        self._check_entries(taken)
        table = taken.table()
        rates = self._rates(taken, table)
        return sparse.coo_array((rates, (taken.home[table.row], table.col)), shape=(self.grid.size, self.grid.size))

    def killing(self) -> np.ndarray:
        """Return the rate of jumps behind absorbing walls, of the grid's shape.

        Raises
        ------
        GridError
            If there are too many sites behind them.
        """
        grid, proposal = self.grid, self.process.proposal
        if not any("absorbing" in axis.boundary for axis in grid.axes):
            return np.zeros(grid.shape)
        unfolded = any(self.gains) or self.linearised
        lengths = BEYOND if self.separable or grid.dimension == 1 else FEWER
        taken = moves(proposal, grid, self.components, unfolded=unfolded, beyond=lengths * max(grid.shape))
        if self.separable:
            return self._separable_killing(taken)
        self._check_entries(taken)
        table = taken.table()
        out = taken.home[table.row] < 0
        table = sparse.coo_array((table.data[out], (table.row[out], table.col[out])), shape=table.shape)
        return np.bincount(table.col, self._rates(taken, table), grid.size).reshape(grid.shape)

    def _separable_killing(self, taken: Moves) -> np.ndarray:
        share = 1.0 / self.process.balance_temperature / 2.0
        loss = self._site_loss(taken).reshape(taken.shape)
        out = (taken.home < 0).reshape(taken.shape)
        lowest = loss[out].min()
        with np.errstate(divide="ignore", under="ignore"):
            gathered = taken.gathered(np.where(out, np.exp(-share * (loss - lowest)), 0.0))
            exponent = np.log(gathered) + self.log_attempts + share * (self.loss - lowest)
        self._check_exponent(float(exponent.max()), float(lowest - self.loss.max()))
        return np.exp(exponent)

    def moments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ∫ρ, ∫Δ ρ and ∫Δ Δᵀ ρ of all jumps out of each cell, those within it and behind absorbing walls too.

        Raises
        ------
        GridError
            If a law that is not separable has too many rates.
        """
        grid, d = self.grid, self.grid.dimension
        lengths = (BEYOND if self.separable or d == 1 else FEWER) * max(grid.shape)
        taken = moves(self.process.proposal, grid, self.components, unfolded=True, beyond=lengths)
        flow, second = np.empty((*grid.shape, d)), np.empty((*grid.shape, d, d))
        if self.separable:
            share = 0.5 / self.process.balance_temperature
            loss = self._site_loss(taken).reshape(taken.shape)
            lowest = loss.min()
            arriving = np.exp(-share * (loss - lowest))

            def total(weighted: Moves) -> np.ndarray:
                with np.errstate(over="ignore"):
                    return weighted.gathered(arriving) * np.exp(self.log_attempts + share * (self.loss - lowest))

            for k in range(d):
                along = taken.displaced(k)
                flow[..., k] = total(along)
                for j in range(d):
                    second[..., k, j] = total(along.displaced(j))
            return total(taken), flow, second
        self._check_entries(taken)
        table = taken.table()
        rates = self._rates(taken, table, staying=True)

        def summed(values: np.ndarray) -> np.ndarray:
            return np.bincount(table.col, values, grid.size).reshape(grid.shape)

        steps = self._displacements(taken, table)
        for k in range(d):
            flow[..., k] = summed(rates * steps[k])
            for j in range(d):
                second[..., k, j] = summed(rates * steps[k] * steps[j])
        return summed(rates), flow, second

    def _check_entries(self, taken: Moves) -> None:
        if taken.entries > MOST_ENTRIES:
            raise GridError(
                f"jumps on {self.grid!r} have {taken.entries:.1e} rates, more than the {MOST_ENTRIES:.0e} that are "
                "kept: coarsen the grid, take a proposal of shorter range, targets instead of absorbing walls, or one "
                'of the laws "half" and "arrhenius", which are convolutions'
            )

    def _rates(self, taken: Moves, table: sparse.coo_array, *, staying: bool = False) -> np.ndarray:
        """Return the rates of moves; those that end where they begin have none unless `staying`."""
        change = self._tangent(taken, table) if self.linearised else self._site_loss(taken)[table.row]
        if not self.linearised:
            change -= self.loss.ravel()[table.col]
        away = taken.home[table.row] != table.col
        with np.errstate(divide="ignore"):
            exponent = np.log(table.data)
        exponent += self.log_attempts.ravel()[table.col]
        exponent += self.process.log_factor(change)
        if not staying:
            exponent[~away] = -np.inf
        if len(exponent):
            worst = int(np.argmax(exponent))
            self._check_exponent(float(exponent[worst]), float(change[worst]))
        return np.exp(exponent)

    def _check_exponent(self, exponent: float, change: float) -> None:
        if not exponent <= LARGEST_EXPONENT:
            raise NumericalError(
                f"a rate of e^{exponent:.4g} overflows: the loss changes by {change:.4g} in a jump, at a temperature "
                f"of {self.process.temperature:g}; shrink the grid to where the density is, or take a law of bounded "
                'rates, "metropolis" or "glauber"'
            )

    def _tangent(self, taken: Moves, table: sparse.coo_array) -> np.ndarray:
        """Return ∇L·Δθ of moves."""
        slopes = self.process.landscape.gradient(self.theta).reshape(self.grid.size, -1)
        self._check_slopes(slopes)
        change = np.zeros(len(table.data))
        for component, displacement in zip(self.components, self._displacements(taken, table), strict=True):
            change += slopes[table.col, component] * displacement
        return change

    def _displacements(self, taken: Moves, table: sparse.coo_array) -> list[np.ndarray]:
        """Return Δθ of moves along each axis."""
        ends, starts = np.unravel_index(table.row, taken.shape), np.unravel_index(table.col, self.grid.shape)
        return [
            sites.centres[end] - sites.axis.centres[start]
            for sites, end, start in zip(taken.sites, ends, starts, strict=True)
        ]

    def _check_slopes(self, slopes: np.ndarray) -> None:
        """Raise where the linearised law has no finite rate out of a cell, which only tails like e^{−|u|} bring about.

        Between reflecting walls jumps have an end.
        """
        process = self.process
        if process.proposal.kind != "laplace":
            return
        open_axes = [k for k, axis in enumerate(self.grid.axes) if axis.boundary != ("reflecting", "reflecting")]
        scales = process.proposal.for_dimension(self.grid.dimension)
        for k in open_axes:
            component = self.components[k]
            steepest = float(np.abs(slopes[:, component]).max())
            if steepest * scales[component] >= 2.0 * process.temperature:
                raise DynamicsError(
                    f'law = "linearised" with {process.proposal!r}: the total rate is infinite where the slope along '
                    f"{self.grid.names[k]!r}, here up to {steepest:.4g}, reaches 2T/s = "
                    f"{2.0 * process.temperature / scales[component]:.4g}; take a Gaussian proposal"
                )

    def _site_loss(self, taken: Moves) -> np.ndarray:
        """Return the loss at all sites: of cells as it is known, some turns away with the gain, behind walls anew."""
        inside = taken.home >= 0
        loss = np.zeros(len(inside))
        loss[inside] = self.loss.ravel()[taken.home[inside]]
        if not inside.all():
            loss[~inside] = loss_on_grid(
                self.process.landscape, self.grid, taken.points.reshape(len(loss), -1)[~inside]
            )
        turns = np.meshgrid(*(sites.turns for sites in taken.sites), indexing="ij")
        for axis, gain, turn in zip(self.grid.axes, self.gains, turns, strict=True):
            if axis.periodic and gain:
                loss[inside] += gain * turn.ravel()[inside]
        return loss
