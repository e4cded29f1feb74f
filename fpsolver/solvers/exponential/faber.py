"""Faber series e^{tW} y = Σ c_k F_k(W) y for generators that mix damping and rotation, all times in one recurrence.

If the numbers ⟨y, W y⟩/⟨y, y⟩ lie in an ellipse, its Faber polynomials satisfy ‖F_k(W)‖₂ ≤ 2, and with the map
ψ(w) = a + r (w + δ/w) of the circle onto its rim

    c_k = (1/2π) ∫ exp(tψ(e^{iθ}) − ikθ) dθ,   F_{k+1} = B F_k − δ F_{k−1},   B = (W − a)/r.

The truncation error is at most 2 Σ |c_k| over what is left out, without any look at W's eigenvectors. On a segment of
the real axis this is the Chebyshev series (δ = 1), on one of the imaginary axis that of Bessel functions (δ = −1), on
a disc the Taylor series (δ = 0).
"""

from __future__ import annotations

import numpy as np

from fpsolver.solvers.exponential.chebyshev import GROUP, rounding
from fpsolver.solvers.exponential.ellipse import Ellipse
from fpsolver.solvers.exponential.system import Outcome, System, norm

MOST_GROWTH = 3.0
"""Logarithm of the growth that the rim of the ellipse allows in one step; rounding grows by as much."""


def coefficients(ellipse: Ellipse, duration: float, tolerance: float) -> np.ndarray:
    """Return c_k, cut where twice the sum of the rest falls below `tolerance`.

    Examples
    --------
    >>> from scipy.special import jv
    >>> bool(abs(coefficients(Ellipse(0.0, 0.0, 3.0), 1.0, 1e-12)[2] - jv(2, 3.0)) < 1e-14)
    True
    """
    tolerance = max(tolerance, 1e-15)
    nodes = 2 ** int(np.ceil(np.log2(2.0 * (duration * (ellipse.across + ellipse.along) + 40))))
    angles = 2 * np.pi * np.arange(nodes) / nodes
    rim = np.cos(angles) * ellipse.across + 1j * np.sin(angles) * ellipse.along + ellipse.centre
    # real by symmetry; beyond nodes/2 aliases of negative powers, which are rounding
    series = (np.fft.fft(np.exp(duration * rim)).real / nodes)[: nodes // 2]
    rest = 2 * np.cumsum(np.abs(series[::-1]))[::-1]
    below = rest < tolerance
    return series[: max(int(np.argmax(below)), 1)] if below.any() else series


def products(ellipse: Ellipse, duration: float, tolerance: float) -> float:
    """Return roughly how many products with the matrix a duration takes."""
    steps = max(1.0, np.ceil(duration * ellipse.highest / MOST_GROWTH))
    reach, digits = duration / steps * ellipse.along, np.log(4 / tolerance)
    each = reach + digits * (1 + reach) ** (1 / 3) + np.sqrt(2 * duration / steps * ellipse.across * digits)
    return float(steps * each)


def faber(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Evolve a generator that mixes damping and rotation, such as a kinetic one in Hermite functions.

    Parameters
    ----------
    system : System
        Any; cheap where W is a negative diagonal plus a skew-symmetric matrix, as the Hermite generator is.
    state : ndarray
        State of total mass one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Error in L1 allowed for truncation.

    References
    ----------
    B. Beckermann, C. R. Acad. Sci. Paris, Ser. I 340, 855 (2005), for ‖F_k(W)‖ ≤ 2; P. Novati, Int. J. Numer. Methods
    Eng. 56, 1533 (2003), for the exponential.
    """
    ellipse = system.field_of_values
    # Hermite states bound the density in L1 by their length; of probabilities the 1-norm is at most √n lengths
    factor = 1.0 if not (system.generator.edges or system.generator.markov) else float(np.sqrt(len(state)))
    growth = max(ellipse.highest, 0.0)
    times, places = np.unique(durations, return_inverse=True)
    segments = _segments(times, MOST_GROWTH / growth if growth else np.inf)
    share = tolerance / (2 * len(segments) * factor)
    rows, start, applications, error = [], 0.0, 0, 0.0
    for segment in segments:
        size = norm(state)
        spans = segment - start
        weights = [coefficients(ellipse, float(span), share / max(size, 1e-300)) for span in spans]
        images = _sums(system, ellipse, state, weights)
        steps = max(len(row) for row in weights)
        swell = float(np.exp(growth * spans[-1]))
        error += factor * (share + swell * rounding(steps, size))
        applications += steps
        state, start = images[-1], float(segment[-1])
        rows += [image for time, image in zip(segment, images, strict=True) if time in times]
    return Outcome(np.array(rows)[places], applications, error, "faber")


def _segments(times: np.ndarray, longest: float) -> list[np.ndarray]:
    """Return times in groups that share a recurrence, none longer than `longest`."""
    segments: list[np.ndarray] = []
    start = 0.0
    waiting = times
    while len(waiting):
        group = waiting[waiting <= start + longest][:GROUP]
        if not len(group):
            parts = int(np.ceil((waiting[0] - start) / longest))
            group = np.array([start + (waiting[0] - start) / parts])
        segments.append(group)
        waiting = waiting[waiting > group[-1]]
        start = float(group[-1])
    return segments


def _sums(system: System, ellipse: Ellipse, state: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    """Return Σ_k weights[m][k] F_k(W) state for all m."""
    steps = max(1, max(len(row) for row in weights) - 1)
    table = np.zeros((len(weights), steps + 1))
    for m, row in enumerate(weights):
        table[m, : len(row)] = row
    scale, shift = 1 / ellipse.capacity, -ellipse.centre / ellipse.capacity
    pulls = np.full(steps, ellipse.eccentricity)
    pulls[0] = 0.0
    pulls[1:2] *= 2
    if system.banded is not None:
        sums, _ = system.banded.polynomial(
            state, scale=scale, shift=shift, gains=np.ones(steps), pulls=pulls, weights=table
        )
        return sums
    matrix = scale * system.generator.matrix
    old, new = np.zeros_like(state), state
    sums = np.outer(table[:, 0], state)
    for k in range(steps):
        old, new = new, matrix @ new + shift * new - pulls[k] * old
        for m in np.flatnonzero(table[:, k + 1]).tolist():
            sums[m] += table[m, k + 1] * new
    return sums
