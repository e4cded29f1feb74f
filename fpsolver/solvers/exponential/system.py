"""What every method needs to know of an autonomous problem, worked out once and only when asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.generators.rate_matrix import Generator
from fpsolver.solvers.exponential.convolution_operator import (
    ConvolutionOperator,
    plain_convolution,
    symmetric_convolution,
)
from fpsolver.solvers.exponential.ellipse import Ellipse, field_of_values, pairs_of_matrix
from fpsolver.solvers.exponential.lattice import Lattice, lattice, matrix_lattice, symmetric_lattice
from fpsolver.solvers.exponential.sparse_operator import SparseOperator, symmetrised

EPSILON = float(np.finfo(float).eps)


def norm(vector: np.ndarray) -> float:
    """Return the 2-norm, by NumPy's own loop: BLAS would wake its threads, which costs more than the sum."""
    return float(np.sqrt(np.einsum("i,i->", vector, vector)))


@dataclass(frozen=True, eq=False)
class System:
    """A generator, with its operator forms.

    Parameters
    ----------
    generator : Generator
        The generator, not driven.
    device : str
        Where polynomials of it are computed, "cpu" or "gpu".
    """

    generator: Generator
    device: str = "cpu"

    @property
    def structured(self) -> bool:
        """Whether the generator is Markov: rates between cells, none negative."""
        return self.generator.markov

    @property
    def reversible(self) -> bool:
        """Whether the generator can be symmetrised."""
        return self.structured and self.generator.reversible

    @cached_property
    def plain(self) -> Lattice | SparseOperator | ConvolutionOperator:
        """W on cell probabilities."""
        if isinstance(self.generator, ConvolutionGenerator):
            return plain_convolution(self.generator)
        if not self.generator.lattice:
            return SparseOperator(self.generator.matrix)
        return replace(lattice(self.generator), device=self.device)

    @cached_property
    def symmetric(self) -> Lattice | SparseOperator | ConvolutionOperator:
        """S = Π^{−1/2} W Π^{1/2}."""
        if isinstance(self.generator, ConvolutionGenerator):
            return symmetric_convolution(self.generator, self.device)
        if not self.generator.lattice:
            return SparseOperator(symmetrised(self.generator.matrix))
        return replace(symmetric_lattice(self.generator), device=self.device)

    @cached_property
    def banded(self) -> Lattice | None:
        """W on states that are not lists of edges, if it has only a few diagonals."""
        banded = matrix_lattice(self.generator.matrix)
        return None if banded is None else replace(banded, device=self.device)

    @cached_property
    def field_of_values(self) -> Ellipse:
        """An ellipse that holds the field of values of W on states."""
        matrix, banded = self.generator.matrix, self.banded
        return field_of_values(matrix.diagonal(), pairs_of_matrix(matrix) if banded is None else banded.pairs())

    @cached_property
    def lowest(self) -> float:
        """Lower bound of the eigenvalues of S."""
        return self.symmetric.lowest()

    @cached_property
    def rate(self) -> float:
        """Largest total rate out of a state."""
        return float(-self.generator.diagonal.min())

    @cached_property
    def root(self) -> np.ndarray:
        """√π, the square root of the equilibrium probabilities, which sum to one."""
        assert self.generator.log_equilibrium is not None
        half = self.generator.log_equilibrium.ravel() * 0.5
        root = np.exp(half - half.max())
        root /= norm(root)
        return root

    @cached_property
    def root_is_positive(self) -> bool:
        """Whether π underflows nowhere."""
        return bool(self.root.min() > 0)

    def symmetrise(self, state: np.ndarray) -> np.ndarray:
        """Return y = Π^{−1/2} P; where π underflows, P must vanish too, or the result is infinite."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            y = state / self.root
        if not self.root_is_positive:
            y[state <= 0] = 0.0
        return y

    def amplification(self, state: np.ndarray) -> float:
        """Return ‖Π^{−1/2} P‖₂, the factor from a rounding error in y to one in L1 of P.

        By Cauchy–Schwarz ‖Π^{1/2} δ‖₁ ≤ ‖δ‖₂, as Σπ = 1; errors made in y are relative to its norm.
        """
        with np.errstate(over="ignore"):
            return norm(self.symmetrise(state))

    def mass(self, state: np.ndarray) -> float:
        """Return the total probability."""
        return float((self.generator.mass_weights * state).sum())


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a method returns.

    Parameters
    ----------
    states : ndarray, shape (n_times, n_state)
        States after each duration.
    applications : int
        Products with the generator (or with an equally sparse matrix), solves included.
    error : float
        Estimate of the error in L1, relative to the initial mass; the largest over the times.
    method : str
        What was done.
    """

    states: np.ndarray
    applications: int
    error: float
    method: str
