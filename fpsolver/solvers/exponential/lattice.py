"""The generator as a lattice operator on flat arrays, and polynomials of it by a three-term recurrence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from fpsolver.device import launcher
from fpsolver.generators.rate_matrix import Generator
from fpsolver.solvers.exponential.ellipse import Pairs

MOST_SHIFTS = 8
"""Pairs of diagonals of a sparse matrix up to which a lattice beats it; each costs a loop over all cells."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """A matrix with one diagonal and a few constant flat shifts.

    Parameters
    ----------
    diagonal : ndarray, shape (n,)
        Diagonal elements.
    into, outof : ndarray, shape (classes, n)
        Rates i → i + shift and i + shift → i, stored at i. The same array twice for a symmetric matrix.
    shifts : ndarray of int, shape (classes,)
        Positive, ascending.
    circular : bool
        Whether shifts run round from the last cell to the first (a periodic first axis).
    device : str
        Where polynomials of it are computed, "cpu" or "gpu".
    """

    diagonal: np.ndarray
    into: np.ndarray
    outof: np.ndarray
    shifts: np.ndarray
    circular: bool
    device: str = "cpu"

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.diagonal)

    @property
    def reach(self) -> int:
        """Largest shift."""
        return int(self.shifts[-1]) if len(self.shifts) else 1

    def lowest(self) -> float:
        """Return a lower bound of the real parts of the eigenvalues, by Gershgorin's circles on the rows."""
        radius = self.outof.sum(axis=0)
        radius -= self.diagonal
        for shift, rates in zip(self.shifts, self.into, strict=True):
            radius[shift:] += rates[:-shift]
            if self.circular:
                radius[:shift] += rates[-shift:]
        return -float(radius.max())

    def pairs(self) -> Pairs:
        """Return the elements off the diagonal, where no shift runs round."""
        low = [np.arange(self.size - shift) for shift in self.shifts]
        high = [cells + shift for cells, shift in zip(low, self.shifts, strict=True)]
        down = [rates[: self.size - shift] for rates, shift in zip(self.into, self.shifts, strict=True)]
        up = [rates[: self.size - shift] for rates, shift in zip(self.outof, self.shifts, strict=True)]
        return Pairs(*(np.concatenate(parts) for parts in (high, low, down, up)))

    def dense(self) -> np.ndarray:
        """Return the matrix with all its zeros."""
        matrix, cells = np.diag(self.diagonal), np.arange(self.size)
        for shift, into, outof in zip(self.shifts, self.into, self.outof, strict=True):
            ends = (cells + shift) % self.size
            np.add.at(matrix, (ends, cells), into)
            np.add.at(matrix, (cells, ends), outof)
        return matrix

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
        """Return sums of weights[m, k] x(k) over 0 ≤ k ≤ n, and x(n), where x(0) = x and

        x(k) = gains[k − 1] A x(k − 1) − pulls[k − 1] x(k − 2),  A = scale·W + shift·1,  x(−1) = 0.

        Parameters
        ----------
        x : ndarray, shape (n_cells,)
            Start.
        scale, shift : float
            Affine map from this matrix to A.
        gains, pulls : ndarray, shape (n,)
            Coefficients of the recurrence.
        weights : ndarray, shape (m, n + 1)
            Coefficients of the sums.
        """  # noqa: D400
        run = launcher(self.device, "polynomial").polynomial
        operator = (self.diagonal, self.into, self.outof, self.shifts, self.circular)
        return run(operator, x, scale, shift, gains, pulls, weights)


def lattice(generator: Generator) -> Lattice:
    """Return the generator as a lattice operator on cell probabilities."""
    return _assemble(generator, [(edge.offset, edge.forward, edge.backward) for edge in generator.edges])


def symmetric_lattice(generator: Generator) -> Lattice:
    """Return Π^{−1/2} W Π^{1/2}, symmetric by detailed balance: off-diagonal elements √(r_ij r_ji)."""
    edges = []
    for edge in generator.edges:
        mean = np.sqrt(edge.forward)
        mean *= np.sqrt(edge.backward)
        edges.append((edge.offset, mean, mean))
    return _assemble(generator, edges)


def matrix_lattice(matrix: sparse.csr_array) -> Lattice | None:
    """Return a sparse matrix as a lattice operator, or None if it has more than a few diagonals."""
    entries, n = sparse.coo_array(matrix), matrix.shape[0]
    steps = entries.row.astype(np.int64) - entries.col
    shifts = np.flatnonzero(np.bincount(np.abs(steps), minlength=n))
    shifts = shifts[shifts > 0]
    if len(shifts) > MOST_SHIFTS:
        return None
    into, outof = np.zeros((len(shifts), n)), np.zeros((len(shifts), n))
    for k, shift in enumerate(shifts):
        down, up = steps == shift, steps == -shift
        into[k, entries.col[down]] = entries.data[down]
        outof[k, entries.row[up]] = entries.data[up]
    return Lattice(matrix.diagonal(), into, outof, shifts.astype(np.int64), False)


def _assemble(generator: Generator, edges: list[tuple[tuple[int, ...], np.ndarray, np.ndarray]]) -> Lattice:
    shape = generator.grid.shape
    periodic = [axis.periodic for axis in generator.grid.axes]
    classes: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    symmetric = all(forward is backward for _, forward, backward in edges)
    for offset, forward, backward in edges:
        for shift, into, outof in _flat_classes(shape, periodic, offset, forward, backward):
            known = classes.get(shift)
            classes[shift] = (into, outof) if known is None else (known[0] + into, known[1] + outof)
    shifts = sorted(classes)
    rows = np.empty((1 if symmetric else 2, len(shifts), generator.grid.size))
    for k, shift in enumerate(shifts):
        for side in range(len(rows)):
            rows[side, k] = classes[shift][side]
    into = rows[0]
    outof = into if symmetric else rows[1]
    return Lattice(generator.diagonal.ravel(), into, outof, np.array(shifts, dtype=np.int64), periodic[0])


def _flat_classes(
    shape: tuple[int, ...], periodic: list[bool], offset: tuple[int, ...], forward: np.ndarray, backward: np.ndarray
) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Split one lattice offset into classes of one flat shift each.

    An edge that runs round a periodic axis other than the first has another flat shift than the rest. Round the first
    axis the flat index itself runs round.
    """
    strides = [int(np.prod(shape[k + 1 :])) for k in range(len(shape))]
    base = sum(step * stride for step, stride in zip(offset, strides, strict=True))
    parts = [(base, np.ones(shape, dtype=bool))]
    for axis in range(1, len(shape)):
        if not (periodic[axis] and offset[axis]):
            continue
        target = np.arange(shape[axis]) + offset[axis]
        turns = (target // shape[axis]).reshape([-1 if k == axis else 1 for k in range(len(shape))])
        wrap = shape[axis] * strides[axis]
        parts = [
            (shift - int(turn) * wrap, mask & (turns == turn)) for shift, mask in parts for turn in np.unique(turns)
        ]
    result = []
    for shift, mask in parts:
        whole = len(parts) == 1
        into = (forward if whole else np.where(mask, forward, 0.0)).ravel()
        outof = (backward if whole else np.where(mask, backward, 0.0)).ravel()
        if shift < 0:
            shift, into, outof = -shift, np.roll(outof, shift), np.roll(into, shift)
        result.append((shift, into, outof))
    return result
