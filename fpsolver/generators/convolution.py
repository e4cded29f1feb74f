"""Generators of jump processes as convolutions, for grids on which the matrix of rates would not fit.

A separable law has rates a_i q_{i−j} b_j with q a product over axes. The gain is then a · (q ∗ (b · P)), and under the
similarity by √Π, which detailed balance allows, the generator is S = g · (q ∗ (g · y)) − r · y with g = √(ab): all that
a low temperature spreads over many orders of magnitude has gone into y.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any, Self

import numpy as np
import scipy.sparse as sparse

from fpsolver.dynamics.proposals import Proposal
from fpsolver.errors import MethodError, NumericalError
from fpsolver.generators.jump_moves import moves
from fpsolver.generators.jump_rates import MOST_ENTRIES, JumpRates
from fpsolver.generators.jump_weights import DensityKernel, axis_kernel
from fpsolver.generators.rate_matrix import Generator

NEGLIGIBLE = 1e-17
"""Probability of far moves that the symmetric form may leave out: less than it loses by rounding."""
WIDEST = 1300.0
"""Range of the exponents of a and of b that double precision holds."""
TRANSFORM, MULTIPLICATION, COPY = 1.1, 0.08, 6.0
"""Nanoseconds, on one core: of both Fourier transforms a cell and bit, of a product in BLAS, and of copies a cell and
axis."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """Probabilities q of moves as a product over axes.

    Parameters
    ----------
    shape : tuple of int
        Cells along each axis.
    periodic : tuple of bool
        Which axes close on themselves.
    weights : tuple of ndarray
        For each axis the weights of moves by 0, 1, … cells, up and down.
    """

    shape: tuple[int, ...]
    periodic: tuple[bool, ...]
    weights: tuple[np.ndarray, ...]

    @property
    def staying(self) -> float:
        """Probability to move by nothing."""
        return float(np.prod([q[0] for q in self.weights]))

    def lines(self, negligible: float = 0.0) -> tuple[Any, ...]:
        """Return the axes as sums of products need them, far moves left out."""
        from fpsolver.kernels.cpu.convolution import line

        kept = [q[: _count(q, negligible)] for q in self.weights]
        return tuple(line(q, p, n) for q, p, n in zip(kept, self.periodic, self.shape, strict=True))

    @cached_property
    def padded(self) -> tuple[int, ...]:
        """Cells along each axis of the larger grid of Fourier transforms."""
        from scipy.fft import next_fast_len

        return tuple(
            n if periodic else next_fast_len(n + _count(q, NEGLIGIBLE) - 1, real=True)
            for n, periodic, q in zip(self.shape, self.periodic, self.weights, strict=True)
        )

    @cached_property
    def spectrum(self) -> np.ndarray:
        """Transform, by ``rfftn``, of the kernel on the larger grid; the move by nothing is left out."""
        factors = []
        for n, q in zip(self.padded, self.weights, strict=True):
            steps = np.arange(min(len(q), n))
            image = np.bincount(steps % n, q[: len(steps)], n) + np.bincount(-steps[1:] % n, q[1 : len(steps)], n)
            factors.append(np.fft.fft(image).real)
        factors[-1] = factors[-1][: self.padded[-1] // 2 + 1]
        product = np.ones(())
        for factor in factors:
            product = np.multiply.outer(product, factor)
        return product - self.staying

    @cached_property
    def by_fourier(self) -> bool:
        """Whether Fourier transforms are cheaper than sums of products, by what both were measured to cost."""
        size = float(np.prod(self.shape))
        each = sum(line.toeplitz.shape[1] * MULTIPLICATION + COPY for line in self.lines(NEGLIGIBLE))
        padded = float(np.prod(self.padded))
        return padded * np.log2(padded) * TRANSFORM < size * each


def _count(q: np.ndarray, negligible: float) -> int:
    """Return how many weights, from the first, leave out no more than some probability."""
    beyond = np.cumsum(q[::-1])[::-1]
    return max(int(np.count_nonzero(beyond > negligible)), 2)


@dataclass(frozen=True, eq=False)
class ConvolutionGenerator(Generator):
    """The generator of a jump process with a separable law; made by `convolution_generator`.

    Parameters
    ----------
    kernel : Kernel
        q.
    arrival, departure : ndarray, of the grid's shape
        a and b: the rate of jumps j → i is a_i q b_j.
    """

    # As in MatrixGenerator: `convolution_generator` always gives them.
    kernel: Kernel = None  # type: ignore[assignment]
    arrival: np.ndarray = None  # type: ignore[assignment]
    departure: np.ndarray = None  # type: ignore[assignment]

    @property
    def smooth(self) -> bool:
        """Whether rates are samples of a density, so that sums over cells are integrals."""
        return True

    @property
    def connected(self) -> bool:
        """Whether every cell is reached from every other, as moves between neighbours make it be."""
        neighbours = all(len(q) > 1 and q[1] > 0.0 for q in self.kernel.weights)
        return neighbours and bool(self.arrival.min() > 0.0 and self.departure.min() > 0.0)

    def gain(self, state: np.ndarray) -> np.ndarray:
        """Return what arrives in each cell in unit time, by sums of products: relative accuracy, nothing negative.

        Parameters
        ----------
        state : ndarray, of the grid's shape
            Probabilities.
        """
        from fpsolver.kernels.cpu.convolution import products

        return self.arrival * products(self.departure * state, self._lines)

    def mean(self, function: np.ndarray) -> np.ndarray:
        """Return Σ_i (rate j → i) f_i for every cell j, the adjoint of `gain`."""
        from fpsolver.kernels.cpu.convolution import products

        return self.departure * products(self.arrival * function, self._lines)

    def product(self, state: np.ndarray) -> np.ndarray:
        """Return W P for a flat state."""
        cells = state.reshape(self.grid.shape)
        return (self.gain(cells) + self.diagonal * cells).ravel()

    @cached_property
    def _lines(self) -> tuple[Any, ...]:
        return self.kernel.lines()

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Diagonal of W: minus the total rate out of each cell, of the grid's shape."""
        return -(self.mean(np.ones(self.grid.shape)) + self.killing)

    @cached_property
    def mean_rate(self) -> float:
        """Total rate out of a cell, averaged over the equilibrium."""
        assert self.log_equilibrium is not None
        weights = np.exp(self.log_equilibrium - self.log_equilibrium.max())
        return float((weights * -self.diagonal).sum() / weights.sum())

    @cached_property
    def half(self) -> np.ndarray:
        """G = √(ab), of the grid's shape: off-diagonal elements of S are g_i q g_j."""
        return np.sqrt(self.arrival) * np.sqrt(self.departure)

    @cached_property
    def rates(self) -> sparse.csr_array:
        """The rates one by one, on grids that are small enough for solvers that need them.

        Raises
        ------
        MethodError
            If they are too many.
        """
        table = self.kernel_matrix()
        values = self.arrival.ravel()[table.row] * table.data * self.departure.ravel()[table.col]
        return sparse.coo_array((values, (table.row, table.col)), shape=table.shape).tocsr()

    def kernel_matrix(self) -> sparse.coo_array:
        """Return q of all moves but those by nothing, element (i, j) for j → i.

        Raises
        ------
        MethodError
            If they are too many.
        """
        process, grid = self.dynamics, self.grid
        taken = moves(process.proposal, grid, JumpRates(process, grid).components)
        if taken.entries > 3 * MOST_ENTRIES:
            raise MethodError(
                f"this needs the {taken.entries:.1e} rates of a convolution one by one, which would take gigabytes; "
                "evolve, stationary, spectrum, mean_first_passage_time and committor do without; else coarsen the grid"
            )
        inside = [np.flatnonzero(sites.home == sites.numbers) for sites in taken.sites]
        factors = [matrix[rows] for matrix, rows in zip(taken.terms[0], inside, strict=True)]
        table = reduce(lambda a, b: sparse.kron(a, b, format="coo"), factors).tocoo()
        away = table.row != table.col
        return sparse.coo_array((table.data[away], (table.row[away], table.col[away])), shape=table.shape)

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """W as a sparse matrix on cell probabilities in C order, on grids that are small enough."""
        return sparse.csr_array(self.rates + sparse.diags_array(self.diagonal.ravel()))

    def restricted(self, outside: np.ndarray, weights: np.ndarray, killing: np.ndarray) -> Self:
        """Return the generator on a part of the grid; see `MatrixGenerator.restricted`."""
        equilibrium = self.log_equilibrium
        assert equilibrium is not None
        return replace(
            self,
            arrival=self.arrival * weights * outside,
            departure=self.departure * outside,
            killing=killing,
            log_equilibrium=equilibrium + np.log(weights),
        )


def convolution_generator(
    rates: JumpRates, killing: np.ndarray, log_equilibrium: np.ndarray | None
) -> ConvolutionGenerator:
    """Return the generator of a separable law on a grid of any size.

    Parameters
    ----------
    rates : JumpRates
        With a law that is separable, and a proposal with a density.
    killing, log_equilibrium : ndarray
        As for `Generator`.

    Raises
    ------
    NumericalError
        If the loss spans more than double precision holds at this temperature.
    """
    process, grid = rates.process, rates.grid
    assert isinstance(process.proposal, Proposal)
    exponent = rates.loss / (2.0 * process.balance_temperature)
    spread = float(np.ptp(exponent))
    if spread > WIDEST:
        raise NumericalError(
            f"the loss spans {np.ptp(rates.loss):.4g} on the grid, so that rates differ by e^{spread:.4g} at a "
            f"temperature of {process.temperature:g}; shrink the grid to where the density is, or take a coarser one, "
            "whose rates are kept one by one"
        )
    middle = 0.5 * (exponent.max() + exponent.min())
    weights = []
    for k, axis in enumerate(grid.axes):
        law = axis_kernel(process.proposal, grid, k, rates.components[k])
        assert isinstance(law, DensityKernel)
        weights.append(_round(law.wrapped(axis.cells)) if axis.periodic else law.weights(axis.cells - 1))
    kernel = Kernel(grid.shape, tuple(axis.periodic for axis in grid.axes), tuple(weights))
    arrival = np.exp(middle - exponent)
    departure = np.exp(exponent - middle + rates.log_attempts)
    return ConvolutionGenerator(grid, process, "jump", (), killing, log_equilibrium, (), kernel, arrival, departure)


def _round(q: np.ndarray) -> np.ndarray:
    """Return weights of moves round a periodic axis as those up and down, half a turn shared by both."""
    n = len(q)
    weights = q[: n // 2 + 1].copy()
    if n % 2 == 0:
        weights[-1] *= 0.5
    return weights
