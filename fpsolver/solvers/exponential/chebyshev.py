"""Chebyshev series of the symmetrised generator: e^{tS} y = Σ c_k T_k(A) y, all times in one recurrence."""

from __future__ import annotations

import numpy as np

from fpsolver.solvers.exponential.system import EPSILON, Outcome, System, norm

GROUP = 8
"""Times that share one recurrence: more cost more in sums than a new start does."""
BLUR = 2.0
"""Margin for perturbations of slow rates, which have been seen to be half of what `blurring` estimates at most."""
GROWTH = 4.0
"""Rounding errors grow as the square root of the number of steps; this factor covers what tests have seen."""


def coefficients(z: float, tolerance: float) -> np.ndarray:
    """Return c_k of exp(z(x − 1)) = Σ c_k T_k(x) on [−1, 1], cut where the rest sums to less than `tolerance`.

    They are 2 e^{−z} I_k(z) (half of it for k = 0), found here by a discrete cosine transform; they fall off as
    exp(−k²/2z), so about √(2z ln(1/tolerance)) of them matter.

    Examples
    --------
    >>> c = coefficients(10.0, 1e-12)
    >>> bool(abs(c.sum() - 1) < 1e-12)
    True
    """
    digits = np.log(4 / max(tolerance, 1e-17))
    nodes = 2 ** int(np.ceil(np.log2(1.5 * (np.sqrt(2 * z * digits) + digits) + 16)))
    values = np.exp(z * (np.cos(np.pi * np.arange(nodes + 1) / nodes) - 1))
    even = np.concatenate([values, values[-2:0:-1]])
    series = np.fft.rfft(even).real / nodes
    series[0] *= 0.5
    rest = np.cumsum(np.abs(series[::-1]))[::-1]
    kept = int(np.argmax(rest < max(tolerance, 1e-16))) if (rest < max(tolerance, 1e-16)).any() else nodes
    return series[: max(kept, 1)]


def terms(system: System, duration: float, tolerance: float) -> float:
    """Return roughly how many applications a duration takes."""
    z = -0.5 * system.lowest * duration
    digits = np.log(4 / max(tolerance, 1e-16))
    return float(np.sqrt(2 * z * digits) + digits)


def rounding(steps: float, size: float) -> float:
    """Return an estimate of the rounding error in L1 after a recurrence started from ‖y‖₂ = size."""
    return GROWTH * EPSILON * size * float(np.sqrt(max(steps, 1.0)))


def chebyshev(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Evolve a reversible system by the Chebyshev series of the symmetrised generator.

    Parameters
    ----------
    system : System
        Reversible.
    state : ndarray
        Cell probabilities, of total one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Error in L1 allowed for truncation.

    References
    ----------
    H. Tal-Ezer and R. Kosloff, J. Chem. Phys. 81, 3967 (1984), for the real exponential.
    """
    groups = [durations[i : i + GROUP] for i in range(0, len(durations), GROUP)]
    y, start = system.symmetrise(state), 0.0
    size = norm(y)
    states, applications, error = [], 0, 0.0
    share = tolerance / (2 * len(groups) * max(size, 1.0))
    for group in groups:
        rows, steps = series(system, y, group - start, share)
        error += size * share + rounding(steps, size) + blurring(system, rows[-1], float(group[-1]) - start)
        y, start = rows[-1], float(group[-1])
        applications += steps
        states.append(rows * system.root)  # Π^{1/2} y
    return Outcome(np.concatenate(states), applications, error, "chebyshev")


def blurring(system: System, y: np.ndarray, duration: float) -> float:
    """Return what the rounding of the elements of S does over a long time to what has not settled.

    Diagonal elements are off by ε times themselves, at random, so that a slow rate with the eigenvector v is off by
    the root of Σ (ε S_ii v_i²)², and mixes as much with √π.
    """
    rest = y if system.generator.absorbing else y - system.root * (system.root * y).sum()
    size = norm(rest)
    if size == 0.0:
        return 0.0
    shape = np.abs(rest) / size
    shift = norm(EPSILON * system.generator.diagonal.ravel() * shape * np.maximum(shape, system.root))
    return BLUR * duration * shift * size


def series(system: System, y: np.ndarray, durations: np.ndarray, tolerance: float) -> tuple[np.ndarray, int]:
    """Return e^{tS} y for several t, each to `tolerance` times ‖y‖₂, and the number of steps."""
    rows = [coefficients(-0.5 * system.lowest * t, tolerance) for t in durations]
    steps = max(1, max(len(row) for row in rows) - 1)
    weights = np.zeros((len(rows), steps + 1))
    for m, row in enumerate(rows):
        weights[m, : len(row)] = row
    return combine(system, y, weights), steps


def combine(system: System, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Σ_k weights[m, k] T_k(A) y with A = 1 − 2 S/lowest, whose spectrum lies in [−1, 1]."""
    steps = weights.shape[1] - 1
    gains, pulls = np.full(steps, 2.0), np.ones(steps)
    gains[0], pulls[0] = 1.0, 0.0
    sums, _ = system.symmetric.polynomial(
        y, scale=-2 / system.lowest, shift=1.0, gains=gains, pulls=pulls, weights=weights
    )
    return sums
