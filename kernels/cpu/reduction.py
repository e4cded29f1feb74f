"""Censoring of a Markov network on the cells that are left when an independent set of cells is taken out.

No two cells of the set are linked, so that each is rerouted by itself: i → f → j becomes the rate k_if k_fj / k_f. All
terms are positive, diagonals are summed up anew, nothing is subtracted. Matrices are CSR with element (i, j) the rate
j → i, so that row i lists what enters cell i.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def independent_cells(indptr: np.ndarray, indices: np.ndarray, chosen: np.ndarray) -> int:
    """Mark cells no two of which are linked, greedily in their order, which on a grid gives the squares of one colour.

    Returns the number of cells that are not chosen.
    """
    n = chosen.size
    blocked = np.zeros(n, dtype=np.bool_)
    left = n
    for i in range(n):
        free = not blocked[i]
        if free:
            for at in range(indptr[i], indptr[i + 1]):
                # A link in one direction may be listed in the row of the other cell only.
                if chosen[indices[at]]:
                    free = False
                    break
        chosen[i] = free
        if free:
            left -= 1
            for at in range(indptr[i], indptr[i + 1]):
                if indices[at] != i:
                    blocked[indices[at]] = True
    return left


@numba.njit(cache=True, nogil=True)
def count_censored(indptr: np.ndarray, indices: np.ndarray, number: np.ndarray, counts: np.ndarray) -> None:
    """Count the elements of each row of the censored matrix; `number` is a cell's place in it, or −1 if taken out."""
    seen = np.full(counts.size - 1, -1, dtype=number.dtype)
    counts[0] = 0
    for i in range(number.size):
        row = number[i]
        if row < 0:
            continue
        seen[row] = row
        total = 1
        for at in range(indptr[i], indptr[i + 1]):
            j = indices[at]
            column = number[j]
            if column >= 0:
                if seen[column] != row:
                    seen[column] = row
                    total += 1
                continue
            for through in range(indptr[j], indptr[j + 1]):
                column = number[indices[through]]
                if column >= 0 and seen[column] != row:
                    seen[column] = row
                    total += 1
        counts[row + 1] = counts[row] + total


@numba.njit(cache=True, nogil=True)
def fill_censored(
    indptr: np.ndarray,
    indices: np.ndarray,
    rates: np.ndarray,
    exits: np.ndarray,
    number: np.ndarray,
    killing: np.ndarray,
    new_indptr: np.ndarray,
    new_indices: np.ndarray,
    new_rates: np.ndarray,
) -> None:
    """Fill the censored matrix, and add to `killing` of the cells that stay what is lost through those taken out.

    `exits` is the total rate out of a cell in the old matrix, `killing` what of it leaves the network. The diagonal
    comes first in each new row.
    """
    n = number.size
    place = np.full(new_indptr.size - 1, -1, dtype=new_indptr.dtype)
    outward = np.zeros(new_indptr.size - 1)
    for j in range(n):
        if number[j] < 0 and killing[j] > 0.0:
            share = killing[j] / exits[j]
            for at in range(indptr[j], indptr[j + 1]):
                if number[indices[at]] >= 0:
                    killing[indices[at]] += rates[at] * share
    for i in range(n):
        row = number[i]
        if row < 0:
            continue
        start = new_indptr[row]
        new_indices[start] = row
        place[row] = start
        end = start + 1
        for at in range(indptr[i], indptr[i + 1]):
            j = indices[at]
            column = number[j]
            if column >= 0:
                if column != row:
                    if place[column] < start:
                        place[column] = end
                        new_indices[end] = column
                        new_rates[end] = 0.0
                        end += 1
                    new_rates[place[column]] += rates[at]
                    outward[column] += rates[at]
                continue
            share = rates[at] / exits[j]
            for through in range(indptr[j], indptr[j + 1]):
                column = number[indices[through]]
                if column < 0 or column == row:
                    continue
                rate = share * rates[through]
                if place[column] < start:
                    place[column] = end
                    new_indices[end] = column
                    new_rates[end] = 0.0
                    end += 1
                new_rates[place[column]] += rate
                outward[column] += rate
    for i in range(n):
        if number[i] >= 0:
            new_rates[new_indptr[number[i]]] = -(outward[number[i]] + killing[i])


@numba.njit(cache=True, nogil=True)
def likeliest_jumps(indptr: np.ndarray, indices: np.ndarray, rates: np.ndarray, target: np.ndarray) -> None:
    """Write to each cell's place in `target` the cell to which its likeliest jump leads (itself if there is none)."""
    fastest = np.zeros(target.size)
    for i in range(target.size):
        target[i] = i
    for i in range(target.size):
        for at in range(indptr[i], indptr[i + 1]):
            j = indices[at]
            if j != i and rates[at] > fastest[j]:
                fastest[j] = rates[at]
                target[j] = i
