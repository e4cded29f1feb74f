"""The generator as a lattice operator on flat arrays, and polynomials of it by a three-term recurrence."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from fpsolver.generators.generator import Generator

SERIAL_UPDATES = 8_000_000
"""Cell updates below which one thread is faster: about 6 ms of work, against waking a second thread."""
SWEEP_UPDATES = 400_000
"""Cell updates a sweep, between two meetings of the threads, below which waiting for each other costs too much."""
WINDOW = 4096
"""Cells that one step takes at a time: six arrays of a few windows stay in the second-level cache."""
DEPTH = 8
"""Steps that a sweep takes before the next part of the arrays is read."""
SWEEPS_A_TURN = 2
"""Sweeps between two looks at the clock."""


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
        for shift, rates in zip(self.shifts, self.into, strict=True):
            radius[shift:] += rates[:-shift]
            if self.circular:
                radius[:shift] += rates[-shift:]
        return float((self.diagonal - radius).min())

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
            place.spread(self.diagonal * scale + shift, halos=True),
            np.stack([place.spread(rates * scale, halos=True) for rates in self.into], axis=1),
            None,
            self.shifts,
        )
        outof = operator[1]
        if self.outof is not self.into:
            outof = np.stack([place.spread(rates * scale, halos=True) for rates in self.outof], axis=1)
        state = place.spread(x, halos=False)
        old = np.zeros_like(state)
        sums = weights[None, :, :1] * state[:, None, :]
        _run(state, old, sums, (operator[0], operator[1], outof, self.shifts), place, self.reach, steps, depth)
        last = state if n % 2 == 0 else old
        return place.gather(sums), place.gather(last)

    def _division(self, steps: int) -> tuple[int, int]:
        """Return the number of blocks and the number of steps a sweep."""
        from numba import get_num_threads

        depth = DEPTH
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

    def spread(self, flat: np.ndarray, *, halos: bool) -> np.ndarray:
        """Return the array in blocks, shape (blocks, lead + length + lead), margins filled where asked."""
        lead, length = self.lead, self.length
        placed = np.zeros((self.blocks, length + 2 * lead))
        placed[:, lead : lead + length] = flat.reshape(self.blocks, length)
        if not halos or (self.blocks == 1 and not self.circular):
            return placed
        padded = np.pad(flat, lead, mode="wrap") if self.circular else np.pad(flat, lead)
        for b in range(self.blocks):
            placed[b] = padded[b * length : (b + 1) * length + 2 * lead]
        return placed

    def gather(self, placed: np.ndarray) -> np.ndarray:
        """Return flat arrays from blocks; middle axes come first."""
        inner = placed[..., self.lead : self.lead + self.length]
        moved = np.moveaxis(inner, 0, -2)
        return moved.reshape(moved.shape[:-2] + (self.size,))


def _run(
    state: np.ndarray, old: np.ndarray, sums: np.ndarray, operator: Any, place: _Placement, reach: int, steps: Any, depth: int
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
    state: np.ndarray, old: np.ndarray, sums: np.ndarray, operator: Any, place: _Placement, reach: int, steps: Any, depth: int
) -> None:
    """Run on several threads where that turns out to be faster.

    On a machine that others use a thread may wait longer for its partner than it would need for the work of both. The
    first turns are timed, then the faster way is taken; the numbers do not depend on it.
    """
    from fpsolver.kernels.cpu.recurrence import run_blocks, run_blocks_serially

    gains, pulls, weights = steps
    kernels = (run_blocks, run_blocks_serially)
    pace = [0.0, 0.0]
    for turn, first in enumerate(range(0, len(gains), SWEEPS_A_TURN * depth)):
        part = slice(first, first + SWEEPS_A_TURN * depth)
        chosen = turn % 2 if turn < 3 else int(pace[1] < pace[0])
        began = perf_counter()
        kernels[chosen](
            state, old, sums, operator, place.length, place.lead, reach, place.circular,
            (gains[part], pulls[part], np.ascontiguousarray(weights[:, part])), depth, WINDOW,
        )  # fmt: skip
        pace[chosen] = (perf_counter() - began) / len(gains[part])


def lattice(generator: Generator) -> Lattice:
    """Return the generator as a lattice operator on cell probabilities."""
    return _assemble(generator, [(edge.offset, edge.forward, edge.backward) for edge in generator.edges])


def symmetric_lattice(generator: Generator) -> Lattice:
    """Return Π^{−1/2} W Π^{1/2}, symmetric by detailed balance: off-diagonal elements √(r_ij r_ji)."""
    means = [(edge, np.sqrt(edge.forward) * np.sqrt(edge.backward)) for edge in generator.edges]
    return _assemble(generator, [(edge.offset, mean, mean) for edge, mean in means])


def _assemble(generator: Generator, edges: list[tuple[tuple[int, ...], np.ndarray, np.ndarray]]) -> Lattice:
    shape = generator.grid.shape
    periodic = [axis.periodic for axis in generator.grid.axes]
    symmetric = all(forward is backward for _, forward, backward in edges)
    classes: dict[int, list[np.ndarray]] = {}
    for offset, forward, backward in edges:
        for shift, into, outof in _flat_classes(shape, periodic, offset, forward, backward):
            if shift in classes:
                classes[shift] = [classes[shift][0] + into, classes[shift][1] + outof]
            else:
                classes[shift] = [into, outof]
    shifts = sorted(classes)
    n = generator.grid.size
    into = np.array([classes[shift][0] for shift in shifts]).reshape(len(shifts), n)
    outof = into if symmetric else np.array([classes[shift][1] for shift in shifts]).reshape(len(shifts), n)
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


