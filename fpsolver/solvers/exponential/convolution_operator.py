"""Generators that are convolutions as operators, with the polynomials that lattices have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fpsolver.device import launcher
from fpsolver.generators.convolution import NEGLIGIBLE, ConvolutionGenerator


@dataclass(frozen=True, eq=False)
class ConvolutionOperator:
    """The matrix with the elements a_i q b_j off the diagonal, on flat arrays.

    Parameters
    ----------
    generator : ConvolutionGenerator
        Its kernel q and its diagonal.
    arrival, departure : ndarray, of the grid's shape
        a and b.
    relative : bool
        Whether small values must keep their digits, so that only sums of products will do.
    device : str
        Where polynomials of it are computed; "gpu" takes Fourier transforms.
    """

    generator: ConvolutionGenerator
    arrival: np.ndarray
    departure: np.ndarray
    relative: bool
    device: str = "cpu"

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.generator.n_state

    @property
    def diagonal(self) -> np.ndarray:
        """Diagonal elements, shape (n,)."""
        return self.generator.diagonal.ravel()

    @cached_property
    def _kernel(self) -> tuple[Any, tuple[int, ...]]:
        """The kernel as loops take it: axes of sums of products, or the spectrum and shape of Fourier transforms."""
        kernel = self.generator.kernel
        if self.device != "cpu" or (not self.relative and kernel.by_fourier):
            return kernel.spectrum, kernel.padded
        return kernel.lines(0.0 if self.relative else NEGLIGIBLE), ()

    @property
    def engine(self) -> str:
        """How products are taken."""
        return "Fourier transforms" if self._kernel[1] else "sums of products"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the product with a flat array."""
        one, none = np.ones(1), np.zeros(1)
        return self.polynomial(x, scale=1.0, shift=0.0, gains=one, pulls=none, weights=np.zeros((0, 2)))[1]

    def lowest(self) -> float:
        """Return a lower bound of the real parts of the eigenvalues, by Gershgorin's circles on the rows."""
        row = self(np.ones(self.size)) - self.diagonal
        return -float((np.maximum(row, 0.0) - self.diagonal).max())

    def dense(self) -> np.ndarray:
        """Return the matrix with all its zeros."""
        rows = self.generator.kernel_matrix().toarray() * np.outer(self.arrival, self.departure)
        return rows + np.diag(self.diagonal)

    def polynomial(
        self,
        x: np.ndarray,
        *,
        scale: float,
        shift: float,
        gains: np.ndarray,
        pulls: np.ndarray,
        weights: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return sums and the last term of the recurrence that `Lattice.polynomial` states, with the same arguments."""
        run = launcher(self.device, "convolution").polynomial
        shape = self.generator.grid.shape
        operator = (self.generator.diagonal, self.departure, self.arrival, *self._kernel)
        sums, last = run(operator, x.reshape(shape), scale, shift, gains, pulls, weights)
        return sums.reshape(len(weights), self.size), last.ravel()


def plain_convolution(generator: ConvolutionGenerator) -> ConvolutionOperator:
    """Return W on cell probabilities, by sums of products on the processor: nothing of it is ever negative."""
    return ConvolutionOperator(generator, generator.arrival, generator.departure, True)


def symmetric_convolution(generator: ConvolutionGenerator, device: str = "cpu") -> ConvolutionOperator:
    """Return Π^{−1/2} W Π^{1/2}, whose elements are g_i q g_j with g = √(ab)."""
    return ConvolutionOperator(generator, generator.half, generator.half, False, device)
