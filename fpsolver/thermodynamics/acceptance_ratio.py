"""Bennett's acceptance ratio: the free-energy difference of least variance from work forward and in reverse."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, logsumexp

from fpsolver.errors import AccuracyWarning, MethodError
from fpsolver.thermodynamics.samples import block_averages, block_starts, checked_samples, checked_temperature

FEWEST_SHARED = 1.0
"""Shared samples below which forward and reverse have not met."""

FEWEST_EFFECTIVE = 30.0
"""Effective samples on either side below which the error bar is itself uncertain by more than about a quarter."""

MANY = 20_000
"""Samples that find the root well enough to start from."""


@dataclass(frozen=True)
class Bennett:
    """A free-energy difference from work in both directions.

    Parameters
    ----------
    value : float
        ΔF of the forward process.
    standard_error : float
        Asymptotic.
    shared_samples : float
        m = ∑ 1/(1 + (n_F/n_R) e^{(W_F − ΔF)/T}), the same sum in reverse: as many samples do both directions share. It
        is between zero and n_F n_R/(n_F + n_R).
    overlap : float
        m relative to the most that it can be, from zero to one.
    effective_samples : float
        (∑f)²/∑f² of the acceptances f, with one term a block, in the direction where it is less.
    forward_samples, reverse_samples : int
        Numbers of samples.
    temperature : float
        T.
    """

    value: float
    standard_error: float
    shared_samples: float
    overlap: float
    effective_samples: float
    forward_samples: int
    reverse_samples: int
    temperature: float

    def __float__(self) -> float:
        return self.value


def bennett(forward: Any, reverse: Any, temperature: float, *, block: int = 1) -> Bennett:
    """Estimate ΔF by Bennett's acceptance ratio, from work of a process and of its time reverse.

    ∑_F 1/(1 + (n_F/n_R) e^{(W − ΔF)/T}) = ∑_R 1/(1 + (n_R/n_F) e^{(W + ΔF)/T}), solved in the log domain. It is the
    maximum-likelihood estimate under Crooks' theorem P_F(W)/P_R(−W) = e^{(W − ΔF)/T}.

    Parameters
    ----------
    forward : array_like (n_F,)
        Work of trajectories that start in equilibrium at the first parameters.
    reverse : array_like (n_R,)
        Work of the reversed protocol, from equilibrium at the last parameters; its sign is that of work **done**.
    temperature : float
        T.
    block : int
        Consecutive samples that count as one, where they correlate.

    Returns
    -------
    Bennett
        Value and error, and how many samples are shared.

    Raises
    ------
    InputError
        If samples, temperature or blocks are malformed.
    MethodError
        If forward and reverse do not overlap: less than one sample is shared.

    Warns
    -----
    AccuracyWarning
        If fewer than 30 effective samples carry the estimate.

    References
    ----------
    C. H. Bennett, J. Comput. Phys. 22, 245 (1976); M. R. Shirts, E. Bair, G. Hooker, V. S. Pande,
    Phys. Rev. Lett. 91, 140601 (2003).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> forward, reverse = rng.normal(2.5, 2.0, 10_000), rng.normal(1.5, 2.0, 10_000)  # Gaussian work with ΔF = 0.5
    >>> estimate = bennett(forward, reverse, 1.0)
    >>> abs(estimate.value - 0.5) < 4 * estimate.standard_error
    True
    """
    t = checked_temperature(temperature)
    there, back = (checked_samples(name, given) / t for name, given in (("forward", forward), ("reverse", reverse)))
    offset = math.log(len(there) / len(back))
    for given in (there, back):
        block_starts(len(given), block)
    reduced = _root(there, back)
    first, second = (
        expit(-(there - reduced) - offset),
        expit(-(back + reduced) + offset),
    )
    shared = float(first.sum())
    most = len(there) * len(back) / (len(there) + len(back))
    _require_overlap(there * t, back * t, reduced * t, shared)
    effective, variance = math.inf, 0.0
    for acceptances in (first, second):
        averages = block_averages(acceptances, block)
        relative = float(np.var(averages, ddof=1)) / float(np.mean(averages)) ** 2
        variance += relative / len(averages)
        effective = min(effective, len(averages) / (1.0 + relative))
    if effective < min(FEWEST_EFFECTIVE, min(len(there), len(back)) / block / 2.0):
        warnings.warn(
            f"Bennett's estimate is carried by {effective:.1f} effective samples ({shared:.1f} of {len(there)} forward "
            f"and {len(back)} reverse are shared), so that its error bar is itself uncertain; take more samples or "
            "drive more slowly",
            AccuracyWarning,
            stacklevel=2,
        )
    return Bennett(
        t * reduced, t * math.sqrt(variance), shared, min(shared / most, 1.0), effective, len(there), len(back), t
    )


def _root(there: np.ndarray, back: np.ndarray) -> float:
    """Return ΔF/T at which the sums of acceptances agree; the logarithm of their ratio rises with it."""
    from scipy.optimize import brentq

    offset = math.log(len(there) / len(back))

    def excess(reduced: float) -> float:
        return float(
            logsumexp(log_expit(-(there - reduced) - offset)) - logsumexp(log_expit(-(back + reduced) + offset))
        )

    low, high = float(min(there.min(), -back.max())), float(max(there.max(), -back.min()))
    width = max(high - low, 1.0) + abs(offset)
    if len(there) + len(back) > 4 * MANY:  # the root of fewer samples is near enough for Newton's method
        begin = _root(*(one[:: 1 + len(one) // MANY] for one in (there, back)))
        root = _polished(there, back, begin)
        if root is not None:
            return root
    low, high = low - width, high + width
    while excess(low) > 0.0:
        low, width = low - width, 2.0 * width
    while excess(high) < 0.0:
        high, width = high + width, 2.0 * width
    return brentq(excess, low, high, xtol=1e-13 * max(abs(low), abs(high), 1.0), rtol=1e-14)


def _polished(there: np.ndarray, back: np.ndarray, begin: float) -> float | None:
    """Return the same root by Newton's method from a point near it, or None where that does not settle."""
    offset, root = math.log(len(there) / len(back)), begin
    for _ in range(8):
        first, second = expit(root - offset - there), expit(offset - root - back)
        sums = float(first.sum()), float(second.sum())
        if not min(sums) > 0.0:
            return None
        slopes = (sums[0] - first @ first) / sums[0] + (sums[1] - second @ second) / sums[1]
        step = math.log(sums[0] / sums[1]) / slopes
        root -= step
        if abs(step) <= 1e-13 * max(abs(root), 1.0):
            return root
    return None


def _require_overlap(there: np.ndarray, back: np.ndarray, difference: float, shared: float) -> None:
    """Raise where forward and reverse have not met."""
    if shared >= FEWEST_SHARED:
        return
    raise MethodError(
        f"work forward, from {there.min():.6g} to {there.max():.6g} (mean {there.mean():.6g}), and minus work "
        f"in reverse, from {-back.max():.6g} to {-back.min():.6g} (mean {-back.mean():.6g}), do not overlap: "
        f"{len(there)} and {len(back)} samples share {shared:.2g}, so that ΔF is known to lie between the means and no "
        f"better (Bennett's equation would give {difference:.6g}); drive more slowly, take more samples, or split the "
        "protocol into stages"
    )
