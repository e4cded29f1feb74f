"""Crooks crossing of Gaussians: where densities of work with fitted means and variances are equal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy

from fpsolver.thermodynamics.resampling import bootstrap
from fpsolver.thermodynamics.samples import checked_samples


@dataclass(frozen=True)
class Crossing:
    """Where two densities of work cross.

    Parameters
    ----------
    value, standard_error : float
        The work, and its error by the bootstrap.
    """

    value: float
    standard_error: float

    def __float__(self) -> float:
        return self.value


def gaussian_crossing(forward: Any, reverse: Any, *, resamples: int = 200, seed: int = 0, block: int = 1) -> Crossing:
    """Estimate ΔF as the crossing of Gaussians fitted to P_F(W) and P_R(−W).

    It is right for Gaussian work alone; elsewhere it has a bias that no number of samples removes, which its error bar
    does not show. Compare with `crooks_line`.

    Parameters
    ----------
    forward, reverse : array_like
        Work done in the process and in its time reverse.
    resamples, seed, block
        Of the bootstrap.

    Returns
    -------
    Crossing
        Of the two crossings of Gaussians with unlike variances, the one between the means, or next to them.

    Raises
    ------
    InputError
        If samples are malformed.

    References
    ----------
    M. Goette, H. Grubmüller, J. Comput. Chem. 30, 447 (2009).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> crossing = gaussian_crossing(rng.normal(2.5, 2.0, 10_000), rng.normal(1.5, 2.0, 10_000))
    >>> abs(crossing.value - 0.5) < 4 * crossing.standard_error
    True
    """
    there, back = checked_samples("forward", forward), checked_samples("reverse", reverse)
    found = bootstrap(_crossing, there, back, resamples=resamples, seed=seed, block=block)
    return Crossing(found.value, found.standard_error)


def _crossing(forward: np.ndarray, reverse: np.ndarray) -> float:
    a, b = float(forward.mean()), -float(reverse.mean())
    s, r = float(forward.var(ddof=1)), float(reverse.var(ddof=1))
    # (x − a)²/s − (x − b)²/r + ln(s/r) = 0 around the midpoint; the stable form of the smaller root serves s = r too.
    middle, half = (a + b) / 2.0, (a - b) / 2.0
    square, linear = r - s, -2.0 * half * (r + s)
    constant = half**2 * (r - s) + float(r * xlogy(s, s) - s * xlogy(r, r))
    root = math.sqrt(max(linear**2 - 4.0 * square * constant, 0.0))
    divisor = linear + math.copysign(root, linear)
    return middle - 2.0 * constant / divisor if divisor else middle
