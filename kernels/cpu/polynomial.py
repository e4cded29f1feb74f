"""Polynomials of a lattice operator by a three-term recurrence, on the processor: blocks, threads and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numba import get_num_threads

from fpsolver.kernels.cpu.recurrence import run_block, run_blocks, run_blocks_serially

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
HOPELESS = 3.0
"""Slowdown by threads after which they are not tried again: another process holds the core."""


def polynomial(
    operator: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, bool],
    x: np.ndarray,
    scale: float,
    shift: float,
    gains: np.ndarray,
    pulls: np.ndarray,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of weights[m, k] x(k) over 0 ≤ k ≤ n, and x(n), where x(0) = x, x(−1) = 0 and

    x(k) = gains[k − 1] A x(k − 1) − pulls[k − 1] x(k − 2),  A = scale·W + shift·1.

    Parameters
    ----------
    operator : tuple
        Diagonal of W, shape (n_cells,); `into` and `outof`, shape (classes, n_cells), the rates i → i + shift and
        i + shift → i, the same array twice for a symmetric W; shifts, positive and ascending; whether they run round
        from the last cell to the first.
    x : ndarray, shape (n_cells,)
        Start.
    scale, shift : float
        Affine map from W to A.
    gains, pulls : ndarray, shape (n,)
        Coefficients of the recurrence.
    weights : ndarray, shape (m, n + 1)
        Coefficients of the sums.
    """  # noqa: D400
    diagonal, into, outof, shifts, circular = operator
    n, size = len(gains), len(diagonal)
    reach = int(shifts[-1]) if len(shifts) else 1
    padded = n + n % 2
    steps = (
        np.append(gains, np.zeros(padded - n)),
        np.append(pulls, np.zeros(padded - n)),
        np.hstack([weights[:, 1:], np.zeros((len(weights), padded - n))]),
    )
    blocks, depth = division(size, reach, len(shifts) * (1 if into is outof else 2), n)
    length = -(-size // blocks)
    lead = (depth if blocks > 1 or circular else 1) * reach + 8
    place = _Placement(size, blocks, length, lead, circular)
    placed = (
        place.spread(diagonal[None], scale, shift)[:, 0],
        forth := place.spread(into, scale),
        forth if outof is into else place.spread(outof, scale),
        shifts,
    )
    state = place.spread(x[None], halos=False)[:, 0]
    old = np.zeros_like(state)
    sums = weights[None, :, :1] * state[:, None, :]
    _run(state, old, sums, placed, place, reach, steps, depth)
    last = state if n % 2 == 0 else old
    return place.gather(sums), place.gather(last)


def division(size: int, reach: int, rate_arrays: int, steps: int) -> tuple[int, int]:
    """Return the number of blocks and the number of steps a sweep.

    Parameters
    ----------
    size, reach : int
        Cells, and the largest shift.
    rate_arrays : int
        Arrays of rates that a step reads.
    steps : int
        Length of the recurrence.
    """
    depth = min(max(2 * (CACHE_BYTES // (16 * (4 + rate_arrays) * reach)), 2), DEPTH)
    while depth > 2 and depth * reach > max(size // 16, 1):
        depth -= 2
    pays = size * steps > SERIAL_UPDATES and size * depth > SWEEP_UPDATES
    threads = get_num_threads() if pays else 1
    blocks = max(1, min(threads, size // (4 * depth * reach)))
    while size % blocks:
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
