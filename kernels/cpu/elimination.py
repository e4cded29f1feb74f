"""Subtraction-free elimination of Markov networks (Grassmann, Taksar and Heyman) on banded rate tables.

A network of n states is held as ``rates[i, b + j - i]``, the rate i → j for |i − j| ≤ b, and ``killing[i]``, the rate
out of the network. Diagonals never appear, so that nothing is ever subtracted: every number that the kernels return
has a small relative error, however rare the escape (O'Cinneide, Numer. Math. 65, 109 (1993)).
"""

from __future__ import annotations

import math

import numba
import numpy as np

# Mass is rescaled before it overflows on the way up an exponentially growing stationary state.
_LARGE = 1e150


@numba.njit(cache=True, nogil=True)
def eliminate(rates: np.ndarray, killing: np.ndarray, exits: np.ndarray) -> int:
    """Remove states n − 1, …, 1 one by one, rerouting the paths through each; all arrays are changed in place.

    On return ``rates[i, j]`` for j < i is the rate i → j, and ``rates[j, i]`` the rate j → i, in the network of states
    0 … i; ``exits[i]`` is the total rate out of state i there (``exits[0]`` the killing that is left).

    Returns the first state without an exit, or −1.
    """
    n, width = rates.shape
    b = width // 2
    for m in range(n - 1, 0, -1):
        low = max(0, m - b)
        total = killing[m]
        for j in range(low, m):
            total += rates[m, b + j - m]
        exits[m] = total
        if not total > 0.0:
            return m
        for i in range(low, m):
            entering = rates[i, b + m - i]
            if entering > 0.0:
                share = entering / total
                killing[i] += share * killing[m]
                shift = b - i
                away = b - m
                for j in range(low, m):
                    rates[i, shift + j] += share * rates[m, away + j]
    exits[0] = killing[0]
    return -1


@numba.njit(cache=True, nogil=True)
def solve_backward(rates: np.ndarray, exits: np.ndarray, values: np.ndarray) -> None:
    """Solve Σ_j k_ij (x_i − x_j) + κ_i x_i = values_i after `eliminate`; the solution replaces the values (n, m)."""
    n, width = rates.shape
    b = width // 2
    columns = values.shape[1]
    for m in range(n - 1, 0, -1):
        for i in range(max(0, m - b), m):
            share = rates[i, b + m - i] / exits[m]
            for c in range(columns):
                values[i, c] += share * values[m, c]
    for m in range(n):
        for j in range(max(0, m - b), m):
            rate = rates[m, b + j - m]
            for c in range(columns):
                values[m, c] += rate * values[j, c]
        for c in range(columns):
            values[m, c] /= exits[m]


@numba.njit(cache=True, nogil=True)
def solve_forward(rates: np.ndarray, exits: np.ndarray, values: np.ndarray) -> None:
    """Solve −W x = values (mass fed in, mass held) after `eliminate`; the solution replaces the values (n, m)."""
    n, width = rates.shape
    b = width // 2
    columns = values.shape[1]
    for m in range(n - 1, 0, -1):
        for j in range(max(0, m - b), m):
            share = rates[m, b + j - m] / exits[m]
            for c in range(columns):
                values[j, c] += share * values[m, c]
    for m in range(n):
        for i in range(max(0, m - b), m):
            rate = rates[i, b + m - i]
            for c in range(columns):
                values[m, c] += rate * values[i, c]
        for c in range(columns):
            values[m, c] /= exits[m]


@numba.njit(cache=True, nogil=True)
def stationary_mass(rates: np.ndarray, exits: np.ndarray, mass: np.ndarray) -> None:
    """Fill `mass` with the stationary probabilities of a closed network after `eliminate`."""
    n, width = rates.shape
    b = width // 2
    mass[0] = 1.0
    for m in range(1, n):
        entering = 0.0
        for i in range(max(0, m - b), m):
            entering += mass[i] * rates[i, b + m - i]
        mass[m] = entering / exits[m]
        if mass[m] > _LARGE:
            for i in range(m + 1):
                mass[i] /= _LARGE
    total = mass.sum()
    for m in range(n):
        mass[m] /= total


@numba.njit(cache=True, nogil=True)
def count_below(up: np.ndarray, down: np.ndarray, killing: np.ndarray, rate: float) -> int:
    """Return how many eigenvalues of −W of a birth–death chain lie below `rate`.

    ``up[i]`` is the rate i → i + 1, ``down[i]`` the rate i + 1 → i. The excess of each pivot over the rate up obeys a
    recursion without cancellation (the differential quotient–difference form), so that the count is right to a few
    units in the last place *relative* to each eigenvalue.
    """
    n = len(killing)
    count = 0
    excess = killing[0] - rate
    for i in range(n - 1):
        pivot = up[i] + excess
        if pivot == 0.0:
            pivot = -np.finfo(np.float64).tiny
        if pivot < 0.0:
            count += 1
        excess = killing[i + 1] - rate + down[i] * (excess / pivot)
    return count + (1 if excess < 0.0 else 0)


@numba.njit(cache=True, nogil=True)
def bisect_rate(up: np.ndarray, down: np.ndarray, killing: np.ndarray, index: int, upper: float) -> float:
    """Return the eigenvalue of −W with the given index (ascending from 0), to full relative accuracy.

    The interval is halved on a logarithmic scale while its ends differ by more than a factor two.
    """
    low, high = 1e-300, upper
    if count_below(up, down, killing, low) > index:
        return 0.0
    while high - low > 4e-16 * high:
        middle = math.sqrt(low) * math.sqrt(high) if high > 2.0 * low else 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        if count_below(up, down, killing, middle) > index:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@numba.njit(cache=True, nogil=True)
def chain_mode(up: np.ndarray, down: np.ndarray, killing: np.ndarray, rate: float, mode: np.ndarray) -> None:
    """Fill `mode` with the left eigenvector (a function of the state) of a birth–death chain at eigenvalue `rate`.

    Elimination from both ends meets where the remaining pivot is smallest: the
    twisted factorisation of Parlett and Dhillon, which gives small components as accurately as large ones.
    """
    n = len(mode)
    rising = np.empty(n)
    falling = np.empty(n)
    from_left = np.empty(n)
    from_right = np.empty(n)
    tiny = np.finfo(np.float64).tiny
    rising[0] = killing[0] - rate
    for i in range(n - 1):
        pivot = up[i] + rising[i]
        if pivot == 0.0:
            pivot = tiny
        from_left[i] = up[i] / pivot
        rising[i + 1] = killing[i + 1] - rate + down[i] * (rising[i] / pivot)
    falling[n - 1] = killing[n - 1] - rate
    for i in range(n - 1, 0, -1):
        pivot = down[i - 1] + falling[i]
        if pivot == 0.0:
            pivot = tiny
        from_right[i] = down[i - 1] / pivot
        falling[i - 1] = killing[i - 1] - rate + up[i - 1] * (falling[i] / pivot)
    best, twist = np.inf, 0
    for i in range(n):
        # What is left of state i once both sides are eliminated; the own excess was counted on both sides.
        gap = abs(rising[i] + falling[i] - (killing[i] - rate))
        if gap < best:
            best, twist = gap, i
    mode[twist] = 1.0
    for i in range(twist - 1, -1, -1):
        mode[i] = from_left[i] * mode[i + 1]
    for i in range(twist + 1, n):
        mode[i] = from_right[i] * mode[i - 1]
