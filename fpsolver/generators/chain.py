"""Generators of chains, which move in steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sparse

from fpsolver.generators.matrix import MatrixGenerator


@dataclass(frozen=True, eq=False, repr=False)
class ChainGenerator(MatrixGenerator):
    """The generator W = K − 1 of a chain that moves in steps, with the Markov operator K of one step.

    Rates are probabilities per step. `fpsolver.evolve` applies K a whole number of times; stationary states, mean
    numbers of steps and committors are those of the chain, and eigenvalues of K are 1 − rate.

    Parameters
    ----------
    staying : ndarray, shape (n,)
        Diagonal of K.
    folded : ndarray, shape (n,)
        Probability of a step from each cell to be folded back at a wall that only truncates an open space.
    sampled : bool
        Whether steps from all cells are broad enough for their density to be sampled at the cell centres.
    """

    # As in MatrixGenerator: the functions that make chains always give them.
    staying: np.ndarray = None  # type: ignore[assignment]
    folded: np.ndarray = None  # type: ignore[assignment]
    sampled: bool = False

    @property
    def smooth(self) -> bool:
        """Whether the density of all steps is sampled at the cell centres."""
        return self.sampled

    @cached_property
    def step(self) -> sparse.csr_array:
        """K, acting on cell probabilities in C order; columns sum to one, less what absorbing walls take."""
        return sparse.csr_array(self.rates + sparse.diags_array(self.staying))

    def with_rates(self, rates: sparse.csr_array, killing: np.ndarray, log_equilibrium: np.ndarray | None) -> Self:
        """Return the chain with other probabilities of steps on the same grid; what they leave stays."""
        leaving = np.asarray(rates.sum(axis=0)) + killing.ravel()
        staying = np.maximum(1.0 - leaving, 0.0)
        return replace(self, rates=rates, killing=killing, log_equilibrium=log_equilibrium, staying=staying)
