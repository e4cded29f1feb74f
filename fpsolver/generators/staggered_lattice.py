"""Staggered position lattices of the Hermite scheme: cells and faces in each direction, and the Gibbs weights there.

Coefficients of even functions of a velocity live on the position cells of that direction, those of odd ones on the
faces between them. In two dimensions that makes four lattices, told apart by parity: (0, 0) cells, (1, 0) faces across
x, (0, 1) faces across y, (1, 1) corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from fpsolver.generators.kinetic_sample import KineticSample

Parity = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class StaggeredLattices:
    """The 2^d lattices of d position axes, with potential and volumes on each.

    Parameters
    ----------
    sample : KineticSample
        Dynamics and grid.
    """

    sample: KineticSample

    @property
    def dimension(self) -> int:
        """Number of position axes."""
        return self.sample.positions.dimension

    @property
    def parities(self) -> tuple[Parity, ...]:
        """All parities, cells first."""
        return tuple(product((0, 1), repeat=self.dimension))

    def lengths(self, axis: int, odd: int) -> np.ndarray:
        """Return the widths of cells, or the distances between the centres beside inner faces, of an axis."""
        this = self.sample.positions.axes[axis]
        if not odd:
            return this.widths
        return this.distances if this.periodic else this.distances[:-1]

    def shape(self, parity: Parity) -> tuple[int, ...]:
        """Return the number of points along each axis."""
        return tuple(len(self.lengths(axis, odd)) for axis, odd in enumerate(parity))

    def volumes(self, parity: Parity) -> np.ndarray:
        """Return the volume that each point of a lattice stands for."""
        return self.sample.positions.outer([self.lengths(axis, odd) for axis, odd in enumerate(parity)])

    def coordinates(self, parity: Parity, axis: int) -> np.ndarray:
        """Return the coordinate along an axis, shaped to broadcast against the lattice."""
        this = self.sample.positions.axes[axis]
        points = this.faces[1 : 1 + len(self.lengths(axis, 1))] if parity[axis] else this.centres
        return self.sample.positions.along(axis, points)

    @cached_property
    def potentials(self) -> dict[Parity, np.ndarray]:
        """L/T on each lattice.

        Across a face it is the Scharfetter–Gummel mean, e^{−U_f} = e^{−U_i} B(U_{i+1} − U_i). At corners
        the means along x and then y, or y and then x, differ by terms beyond second order, by none where the potential
        separates; the larger bounds the rates in both directions.
        """
        known = {self.parities[0]: self.sample.potential}
        for parity in self.parities[1:]:
            routes = []
            for axis in range(self.dimension):
                if parity[axis]:
                    base = tuple(0 if k == axis else odd for k, odd in enumerate(parity))
                    routes.append(self._across_faces(known[base], axis))
            known[parity] = np.max(routes, axis=0)
        return known

    def _across_faces(self, potential: np.ndarray, axis: int) -> np.ndarray:
        here, following = self.beside(potential, axis, self.sample.gains[axis])
        step = following - here
        size = np.abs(step)
        # log B(−|z|) = log(|z|/(1 − e^{−|z|})), without overflow.
        excess = np.log(np.divide(size, -np.expm1(-size), out=np.ones_like(size), where=size > 1e-12))
        return np.maximum(here, following) - excess

    def beside(self, values: np.ndarray, axis: int, gain: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Return values on the lower and on the upper side of each face across an axis.

        Parameters
        ----------
        values : ndarray
            Values on a lattice whose points lie on cells along the axis.
        axis : int
            The axis.
        gain : float
            What is added to a value one turn further round a periodic axis.
        """
        count = len(self.lengths(axis, 1))
        following = np.roll(values, -1, axis=axis)
        if gain:
            last = tuple(slice(-1, None) if k == axis else slice(None) for k in range(self.dimension))
            following[last] += gain
        inner = tuple(slice(0, count) if k == axis else slice(None) for k in range(self.dimension))
        return values[inner], following[inner]

    @cached_property
    def log_scales(self) -> dict[Parity, np.ndarray]:
        """Logarithm of √π on each lattice, π the Gibbs probabilities normalised over the cells.

        On a tilted periodic axis, which has no Gibbs state, π leaves the tilt out.
        """
        cells = self.parities[0]
        scales = {parity: self._log_weight(parity) for parity in self.parities}
        highest = scales[cells].max()
        total = 2 * highest + np.log(np.exp(2 * (scales[cells] - highest)).sum())
        return {parity: scale - 0.5 * total for parity, scale in scales.items()}

    def _log_weight(self, parity: Parity) -> np.ndarray:
        potential = self.potentials[parity]
        for axis, gain in enumerate(self.sample.gains):
            if gain:
                this = self.sample.positions.axes[axis]
                turns = (self.coordinates(parity, axis) - this.lower) / (this.upper - this.lower)
                potential = potential - gain * turns
        return 0.5 * (np.log(self.volumes(parity)) - potential)

    def from_cells(self, values: np.ndarray, parity: Parity) -> np.ndarray:
        """Interpolate values on cells, position axes last, to a lattice: linearly between centres, second order."""
        for axis, odd in enumerate(parity):
            if odd:
                this = self.sample.positions.axes[axis]
                where = axis - self.dimension
                count = len(self.lengths(axis, 1))
                share = self.sample.positions.along(axis, (0.5 * this.widths / this.distances)[:count])
                inner: tuple[Any, ...] = (..., slice(0, count), *(slice(None),) * (self.dimension - 1 - axis))
                following = np.roll(values, -1, axis=where)
                values = values[inner] * (1 - share) + following[inner] * share
        return values

    def to_cells(self, values: np.ndarray, parity: Parity) -> np.ndarray:
        """Average values on a lattice, position axes last, to cells; on reflecting walls they are zero."""
        for axis, odd in enumerate(parity):
            if odd:
                where = axis - self.dimension
                if self.sample.positions.axes[axis].periodic:
                    values = 0.5 * (values + np.roll(values, 1, axis=where))
                else:
                    pad = [(0, 0)] * values.ndim
                    pad[where] = (1, 1)
                    padded = np.pad(values, pad)
                    values = 0.5 * (np.delete(padded, -1, axis=where) + np.delete(padded, 0, axis=where))
        return values
