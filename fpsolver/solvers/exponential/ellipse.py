"""Ellipses that hold the field of values {⟨y, W y⟩ : ‖y‖ = 1} of a real matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

MOST_WIDENING = 0.5
"""Largest share by which the squared axes grow to make room for a symmetric part."""


@dataclass(frozen=True)
class Ellipse:
    """An ellipse with axes along the coordinates that holds the field of values of a matrix.

    Parameters
    ----------
    centre : float
        Real.
    across, along : float
        Semi-axes in real and imaginary direction.
    """

    centre: float
    across: float
    along: float

    @property
    def capacity(self) -> float:
        """r, half the sum of the semi-axes."""
        return max(0.5 * (self.across + self.along), 1e-300)

    @property
    def eccentricity(self) -> float:
        """δ, from −1 on the imaginary to 1 on the real axis."""
        return 0.5 * (self.across - self.along) / self.capacity

    @property
    def highest(self) -> float:
        """Largest real part."""
        return self.centre + self.across


@dataclass(frozen=True, eq=False)
class Pairs:
    """The elements of a real matrix off its diagonal, as pairs of states.

    Parameters
    ----------
    first, second : ndarray of int
        States i and j of each pair.
    one_way, other_way : ndarray
        Elements W_ij and W_ji.
    """

    first: np.ndarray
    second: np.ndarray
    one_way: np.ndarray
    other_way: np.ndarray


def pairs_of_matrix(matrix: sparse.csr_array) -> Pairs:
    """Return the pairs of a sparse matrix."""
    union = sparse.coo_array(sparse.triu(abs(matrix) + abs(matrix.T), 1))
    upper, lower = (sparse.csr_array(sparse.triu(one, 1)) for one in (matrix, matrix.T))
    i, j = union.row, union.col
    return Pairs(i, j, np.asarray(upper[i, j]).ravel(), np.asarray(lower[i, j]).ravel())


def field_of_values(diagonal: np.ndarray, pairs: Pairs) -> Ellipse:
    """Return an ellipse that holds ⟨y, W y⟩ for all y of length one.

    With W = −Δ + K + H, Δ ≥ 0 diagonal (after a shift), K skew and H symmetric, |⟨y, K y⟩| is at most ρ = ‖K‖₁, and at
    most 2‖C‖√⟨y, Δy⟩ with C_ij = |K_ij|/√Δ_i on those pairs where Δ_i > Δ_j, if K vanishes where they are equal: strong
    rotation comes with damping. The region left of this parabola lies in an ellipse that touches the line Re = 0.
    Lengthening its axes makes room for H.

    Parameters
    ----------
    diagonal : ndarray, shape (n,)
        Diagonal of W.
    pairs : Pairs
        The rest.

    Examples
    --------
    >>> ladder = sparse.csr_array([[0.0, 1.0, 0.0], [-1.0, -1.0, 1.0], [0.0, -1.0, -2.0]])
    >>> ellipse = field_of_values(ladder.diagonal(), pairs_of_matrix(ladder))
    >>> ellipse.highest, bool(ellipse.along >= np.sqrt(2))
    (0.0, True)
    """
    top = float(diagonal.max())
    skew, symmetric = np.abs(pairs.one_way - pairs.other_way), np.abs(pairs.one_way + pairs.other_way)
    inner = _damped_rotation(top - diagonal, pairs, 0.5 * skew)
    room = _largest_row(len(diagonal), pairs, 0.5 * symmetric)
    if room <= 1e-14 * inner.capacity:
        return Ellipse(inner.centre + top, inner.across, inner.along)
    # √(a² cos² + b² sin²) + h |cos| ≤ √((1 + s)(a² cos² + b² sin²) + (1 + 1/s) h² cos²), best on the real axis for
    # s = h/a
    widening = min(room / max(inner.across, 1e-300), MOST_WIDENING)
    across = np.sqrt((1 + widening) * (inner.across**2 + room**2 / widening))
    return Ellipse(inner.centre + top, float(across), float(np.sqrt(1 + widening) * inner.along))


def _largest_row(n: int, pairs: Pairs, sizes: np.ndarray) -> float:
    """Return the largest row sum of a symmetric matrix of sizes, which bounds its 2-norm."""
    rows = np.bincount(pairs.first, sizes, minlength=n) + np.bincount(pairs.second, sizes, minlength=n)
    return float(rows.max(initial=0.0))


def _damped_rotation(damping: np.ndarray, pairs: Pairs, skew: np.ndarray) -> Ellipse:
    """Return an ellipse that holds ⟨y, (K − Δ) y⟩."""
    rotation, depth = _largest_row(len(damping), pairs, skew), float(damping.max())
    if depth == 0 or rotation == 0:
        return Ellipse(-0.5 * depth, 0.5 * depth, rotation)
    coupled = skew > 0
    first, second, sizes = pairs.first[coupled], pairs.second[coupled], skew[coupled]
    here, there = damping[first], damping[second]
    if (here == there).any():
        # no parabola, but a rectangle, whose corners lie in the ellipse: 1/1.2² + 1/1.81² < 1
        return Ellipse(-0.5 * depth, 1.81 * 0.5 * depth, 1.2 * rotation)
    coupling = sizes / np.sqrt(np.maximum(here, there))
    ends = np.where(here > there, first, second), np.where(here > there, second, first)
    largest = [np.bincount(end, coupling).max() for end in ends]
    # Im² ≤ parabola·|Re|; the rim, depth (−1 + √(1 − Im²/along²)), stays right of that up to Im = rotation
    parabola = 4.0 * float(largest[0] * largest[1])
    share = min(1.0, rotation**2 / (parabola * depth))
    return Ellipse(-depth, depth, rotation / float(np.sqrt(share * (2 - share))))
