"""Three-term recurrences of an operator, for arrays of any library that has NumPy's arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def three_terms(
    apply: Callable[[Any], Any], x: Any, gains: np.ndarray, pulls: np.ndarray, weights: np.ndarray
) -> tuple[list[Any], Any]:
    """Return sums of weights[m, k] x(k) over 0 ≤ k ≤ n, one a row, and x(n), where x(0) = x, x(−1) = 0 and

    x(k) = gains[k − 1] A x(k − 1) − pulls[k − 1] x(k − 2).

    Parameters
    ----------
    apply : callable
        A, which returns a new array.
    x : array
        Start.
    gains, pulls : ndarray, shape (n,)
        Coefficients of the recurrence.
    weights : ndarray, shape (m, n + 1)
        Coefficients of the sums.
    """  # noqa: D400
    before, now = None, x
    sums = [float(row[0]) * x for row in weights]
    for k, (gain, pull) in enumerate(zip(gains.tolist(), pulls.tolist(), strict=True), start=1):
        after = apply(now)
        if gain != 1.0:
            after *= gain
        if pull != 0.0 and before is not None:
            after -= pull * before
        before, now = now, after
        for row, total in zip(weights, sums, strict=True):
            if row[k] != 0.0:
                total += float(row[k]) * now
    return sums, now
