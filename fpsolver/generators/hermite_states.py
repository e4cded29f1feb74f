"""State vectors of the Hermite scheme: their layout, and the translation from and to densities on the grid."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fpsolver.errors import AccuracyWarning, MethodError
from fpsolver.generators.staggered_lattice import Parity, StaggeredLattices
from fpsolver.generators.velocity_functions import HermiteFunctions, maxwell_masses

LARGEST_RATIO = 1e12
"""Largest density over Gibbs density that is kept: a state is then at most 10⁶ long, its rounding error 10⁻¹⁰ in L1."""
LOST_MASS = (1e-6, 1e-3)
"""Mass replaced by Gibbs density above which a warning, or an error, is due."""
FIT_ERROR = 1e-3
"""L1 error of the fit by Hermite functions above which a warning is due."""


@dataclass(frozen=True, eq=False)
class HermiteStates:
    """Coefficients a_n = c_n/√π of Hermite functions, function by function, each on its lattice.

    Parameters
    ----------
    lattices : StaggeredLattices
        Lattices of the dynamics that scales the states.
    functions : tuple of HermiteFunctions
        Functions of each velocity.
    own_scale : bool
        Whether the states are scaled by the Gibbs state of the dynamics itself, which makes the operator skew.
    """

    lattices: StaggeredLattices
    functions: tuple[HermiteFunctions, ...]
    own_scale: bool

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of functions of each velocity."""
        return tuple(basis.count for basis in self.functions)

    @cached_property
    def orders(self) -> np.ndarray:
        """Orders (n_x, n_y, …) of the products of functions, in C order, shape (products, d)."""
        return np.stack(np.unravel_index(np.arange(np.prod(self.counts)), self.counts), axis=-1)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Number of lattice points of each product of functions, shape (products,)."""
        axes = range(self.lattices.dimension)
        points = [np.array([len(self.lattices.lengths(axis, odd)) for odd in (0, 1)]) for axis in axes]
        return np.prod([points[axis][self.orders[:, axis] % 2] for axis in axes], axis=0)

    @cached_property
    def offsets(self) -> np.ndarray:
        """Where the coefficients of each product of functions start, shape (products,)."""
        return np.concatenate([[0], np.cumsum(self.lengths)[:-1]])

    @property
    def size(self) -> int:
        """Length of a state."""
        return int(self.lengths.sum())

    @property
    def cells(self) -> int:
        """Number of position cells, the length of the first block, that of the Maxwell distribution."""
        return int(self.lengths[0])

    @cached_property
    def total_orders(self) -> np.ndarray:
        """Sum of the orders at each entry of a state, the number of quanta that friction damps."""
        return np.repeat(self.orders.sum(axis=1), self.lengths).astype(float)

    @cached_property
    def mass_weights(self) -> np.ndarray:
        """Vector whose product with a state is its mass."""
        weights = np.zeros(self.size)
        weights[: self.cells] = np.exp(self.lattices.log_scales[self.lattices.parities[0]]).ravel()
        return weights

    def ladder(self, axis: int, others: tuple[int, ...], stage: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the products with orders n and n + 1 along an axis, for one stage of the ladder.

        Parameters
        ----------
        axis : int
            Axis of the velocity.
        others : tuple of int
            Parities along the other axes.
        stage : {"first", "rising", "falling"}
            n = 0, other even n, odd n.
        """
        order = self.orders[:, axis]
        at_stage = {"first": order == 0, "rising": (order > 0) & (order % 2 == 0), "falling": order % 2 == 1}[stage]
        kept = at_stage & (order + 1 < self.counts[axis])
        kept &= (np.delete(self.orders, axis, axis=1) % 2 == np.array(others, dtype=int)).all(axis=1)
        lower = np.flatnonzero(kept)
        return lower, lower + int(np.prod(self.counts[axis + 1 :]))

    def decode(self, state: np.ndarray) -> np.ndarray:
        """Return densities, shape (..., *cells), of states, shape (..., size)."""
        d, leading = self.lattices.dimension, state.shape[:-1]
        coefficients = np.zeros((*leading, *self.counts, *self.lattices.shape(self.lattices.parities[0])), state.dtype)
        for parity in self.lattices.parities:
            blocks = state[..., self._entries(parity)].reshape(*leading, *self._shape(parity))
            scaled = blocks * np.exp(self.lattices.log_scales[parity]) / self.lattices.volumes(parity)
            kept: tuple[Any, ...] = (..., *self._orders(parity), *(slice(None),) * d)
            coefficients[kept] = self.lattices.to_cells(scaled, parity)
        for basis in self.functions:
            # Each contraction takes the first velocity axis away and puts its cells last.
            coefficients = np.tensordot(coefficients, basis.averages, axes=(len(leading), 0))
        return coefficients

    def encode(self, density: np.ndarray) -> np.ndarray:
        """Return the state of a density; see `HermiteGenerator.encode`."""
        d = self.lattices.dimension
        density = self._without_high_energies(density)
        coefficients = density
        for basis in self.functions:
            coefficients = np.tensordot(coefficients, basis.projection, axes=(d, 0))
        self._check_fit(density, coefficients)
        coefficients = np.moveaxis(coefficients, range(d), range(d, 2 * d))
        state = np.zeros(self.size)
        for parity in self.lattices.parities:
            blocks = coefficients[(*self._orders(parity), *(slice(None),) * d)]
            amounts = self.lattices.from_cells(blocks, parity) * self.lattices.volumes(parity)
            scale = np.exp(self.lattices.log_scales[parity])
            blocks = np.divide(amounts, scale, out=np.zeros_like(amounts), where=scale > 1e-140)
            state[self._entries(parity)] = blocks.reshape(-1)
        return state

    def _orders(self, parity: Parity) -> tuple[slice, ...]:
        return tuple(slice(odd, None, 2) for odd in parity)

    def _shape(self, parity: Parity) -> tuple[int, ...]:
        kept = tuple(len(range(odd, count, 2)) for odd, count in zip(parity, self.counts, strict=True))
        return kept + self.lattices.shape(parity)

    def _entries(self, parity: Parity) -> np.ndarray:
        kept = (self.orders % 2 == parity).all(axis=1)
        return (self.offsets[kept][:, None] + np.arange(np.prod(self.lattices.shape(parity)))).ravel()

    def _without_high_energies(self, density: np.ndarray) -> np.ndarray:
        """Return the density with everything above `LARGEST_RATIO` times the Gibbs density moved into the latter.

        A state's length is the root of the mean of that ratio; tolerances and rounding errors are relative to it.
        """
        lattices, grid = self.lattices, self.lattices.sample.grid
        positions = np.exp(2 * lattices.log_scales[lattices.parities[0]])
        velocities = [maxwell_masses(basis.axis, basis.thermal_speed) for basis in self.functions]
        gibbs = np.multiply.outer(positions, np.multiply.outer(*velocities) if len(velocities) == 2 else velocities[0])
        gibbs /= grid.volumes
        bound = LARGEST_RATIO * gibbs
        if (np.abs(density) <= bound).all():
            return density
        kept = np.clip(density, -bound, bound)
        removed = (density - kept) * grid.volumes
        share = float(np.abs(removed).sum() / (np.abs(density) * grid.volumes).sum())
        if share > LOST_MASS[1]:
            raise MethodError(
                f"{share:.2g} of the density's mass is at energies where it exceeds 10¹² times the Gibbs density, "
                'which Hermite functions cannot hold; choose scheme="upwind", or a density closer to equilibrium'
            )
        if share > LOST_MASS[0]:
            warnings.warn(
                f"{share:.2g} of the density's mass, at energies where it exceeds 10¹² times the Gibbs density, was "
                "replaced by Gibbs density",
                AccuracyWarning,
                stacklevel=4,
            )
        return kept + removed.sum() * gibbs

    def _check_fit(self, density: np.ndarray, coefficients: np.ndarray) -> None:
        fitted = coefficients
        for basis in self.functions:
            fitted = np.tensordot(fitted, basis.averages, axes=(self.lattices.dimension, 0))
        volumes = self.lattices.sample.grid.volumes
        error = float((np.abs(fitted - density) * volumes).sum() / max((np.abs(density) * volumes).sum(), 1e-300))
        if not error <= FIT_ERROR:
            count = " × ".join(str(n) for n in self.counts)
            raised = "more functions, finer velocity cells" if error < 0.5 else "a narrower velocity distribution"
            warnings.warn(
                f"{count} Hermite functions hold the density to {error:.2g} in L1 only (velocities much narrower than "
                f"the thermal speed need many; variances above twice the thermal one diverge); take {raised}, or "
                'scheme="upwind"',
                AccuracyWarning,
                stacklevel=4,
            )
