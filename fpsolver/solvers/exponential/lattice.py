"""The generator as a lattice operator on flat arrays, and polynomials of it by a three-term recurrence."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.generators.generator import Generator
from fpsolver.solvers.exponential.ellipse import Pairs

SERIAL_UPDATES = 8_000_000
"""Cell updates below which one thread is faster: about 6 ms of work, against waking a second thread."""
SWEEP_UPDATES = 400_000
"""Cell updates a sweep, between two meetings of the threads, below which waiting for each other costs too much."""
WINDOW = 4096
"""Cells that one step takes at a time: six arrays of a few windows stay in the second-level cache."""
DEPTH = 8
"""Most steps that a sweep takes before the next part of the arrays is read."""
CACHE_BYTES = 1_500_000
"""What a sweep may keep at hand: most of a second-level cache."""
SWEEPS_A_TURN = 4
"""Sweeps between two looks at the clock."""
TRIALS = 4
"""Turns of one sweep at first, to find out whether threads pay."""
MOST_SHIFTS = 8
"""Pairs of diagonals of a sparse matrix up to which a lattice beats it; each costs a loop over all cells."""
HOPELESS = 3.0
"""Slowdown by threads after which they are not tried again: another process holds the core."""


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
    """

    diagonal: np.ndarray
    into: np.ndarray
    outof: np.ndarray
    shifts: np.ndarray
    circular: bool

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
        n = len(gains)
        padded = n + n % 2
        steps = (
            np.append(gains, np.zeros(padded - n)),
            np.append(pulls, np.zeros(padded - n)),
            np.hstack([weights[:, 1:], np.zeros((len(weights), padded - n))]),
        )
        blocks, depth = self._division(n)
        length = -(-self.size // blocks)
        lead = (depth if blocks > 1 or self.circular else 1) * self.reach + 8
        place = _Placement(self.size, blocks, length, lead, self.circular)
        operator = (
            place.spread(self.diagonal[None], scale, shift)[:, 0],
            into := place.spread(self.into, scale),
            into if self.outof is self.into else place.spread(self.outof, scale),
            self.shifts,
        )
        state = place.spread(x[None], halos=False)[:, 0]
        old = np.zeros_like(state)
        sums = weights[None, :, :1] * state[:, None, :]
        _run(state, old, sums, operator, place, self.reach, steps, depth)
        last = state if n % 2 == 0 else old
        return place.gather(sums), place.gather(last)

    def _division(self, steps: int) -> tuple[int, int]:
        """Return the number of blocks and the number of steps a sweep."""
        from numba import get_num_threads

        arrays = 4 + len(self.shifts) * (1 if self.into is self.outof else 2)
        depth = min(max(2 * (CACHE_BYTES // (16 * arrays * self.reach)), 2), DEPTH)
        while depth > 2 and depth * self.reach > max(self.size // 16, 1):
            depth -= 2
        pays = self.size * steps > SERIAL_UPDATES and self.size * depth > SWEEP_UPDATES
        threads = get_num_threads() if pays else 1
        blocks = max(1, min(threads, self.size // (4 * depth * self.reach)))
        while self.size % blocks:
            blocks -= 1
        return blocks, depth


@dataclass(frozen=True)
class _Placement:
    """How a flat array lies in blocks with a margin on either side."""

    size: int
    blocks: int
    length: int
    lead: int
    circular: bool

    def spread(self, rows: np.ndarray, scale: float = 1.0, shift: float = 0.0, *, halos: bool = True) -> np.ndarray:
        """Return scale·rows + shift in blocks, shape (blocks, n_rows, lead + length + lead)."""
        lead, length = self.lead, self.length
        placed = np.zeros((self.blocks, len(rows), length + 2 * lead))
        for r, row in enumerate(rows):
            inner = placed[:, r, lead : lead + length]
            np.multiply(row.reshape(self.blocks, length), scale, out=inner)
            if shift:
                inner += shift
            if halos and (self.blocks > 1 or self.circular):
                mode = "wrap" if self.circular else "constant"
                padded = np.pad(inner.ravel(), lead, mode=mode)  # type: ignore[call-overload]
                for b in range(self.blocks):
                    placed[b, r] = padded[b * length : (b + 1) * length + 2 * lead]
        return placed

    def gather(self, placed: np.ndarray) -> np.ndarray:
        """Return flat arrays from blocks; middle axes come first."""
        inner = placed[..., self.lead : self.lead + self.length]
        if self.blocks == 1:
            return inner[0]
        moved = np.moveaxis(inner, 0, -2)
        return moved.reshape(*moved.shape[:-2], self.size)


def _run(
    state: np.ndarray,
    old: np.ndarray,
    sums: np.ndarray,
    operator: Any,
    place: _Placement,
    reach: int,
    steps: Any,
    depth: int,
) -> None:
    from fpsolver.kernels.cpu.recurrence import run_block, run_blocks_serially

    length, lead, circular = place.length, place.lead, place.circular
    if place.blocks > 1:
        _run_paced(state, old, sums, operator, place, reach, steps, depth)
    elif circular:
        run_blocks_serially(state, old, sums, operator, length, lead, reach, circular, steps, depth, WINDOW)
    else:
        diagonal, into, outof, shifts = operator
        single = (diagonal[0], into[0], outof[0], shifts)
        run_block(state[0], old[0], sums[0], single, length, lead, reach, steps, depth, WINDOW)


def _run_paced(
    state: np.ndarray,
    old: np.ndarray,
    sums: np.ndarray,
    operator: Any,
    place: _Placement,
    reach: int,
    steps: Any,
    depth: int,
) -> None:
    """Run on several threads where that turns out to be faster.

    On a machine that others use a thread may wait longer for its partner than it would need for the work of both. The
    first turns are timed, then the faster way is taken; the arithmetic is the same either way.
    """
    from fpsolver.kernels.cpu.recurrence import run_blocks, run_blocks_serially

    gains, pulls, weights = steps
    kernels = (run_blocks_serially, run_blocks)
    pace = [np.inf, 0.0]
    turn = first = 0
    while first < len(gains):
        part = slice(first, first + (depth if turn < TRIALS else SWEEPS_A_TURN * depth))
        # alternate at first, but do not try threads again once they were hopeless
        chosen = int(pace[1] < (HOPELESS * pace[0] if turn < TRIALS and turn % 2 else pace[0])) if turn else 0
        began = perf_counter()
        kernels[chosen](
            state, old, sums, operator, place.length, place.lead, reach, place.circular,
            (gains[part], pulls[part], np.ascontiguousarray(weights[:, part])), depth, WINDOW,
        )  # fmt: skip
        pace[chosen] = (perf_counter() - began) / len(gains[part])
        first, turn = part.stop, turn + 1


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
