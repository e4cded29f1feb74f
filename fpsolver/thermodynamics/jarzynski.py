"""The exponential average of work, ΔF = −T ln⟨e^{−W/T}⟩, with its error, its bias and how few samples carry it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.ensembles.observables.log_sum_exp import FEWEST_EFFECTIVE, LARGEST_SHARE
from fpsolver.errors import AccuracyWarning
from fpsolver.thermodynamics.correlated_samples import checked_weights
from fpsolver.thermodynamics.samples import block_starts, checked_samples, checked_temperature


@dataclass(frozen=True)
class ExponentialAverage:
    """A free-energy difference from work in one direction.

    Parameters
    ----------
    value : float
        −T ln⟨e^{−W/T}⟩ of the samples.
    standard_error : float
        By the jackknife; infinite where one block carries everything.
    bias : float
        How much the value lies above ΔF on average, by the jackknife: T var(e^{−W/T})/(2n⟨e^{−W/T}⟩²) to first order.
        Where the samples are dominated by a handful it is too small.
    effective_samples : float
        (∑e)²/∑e², with one term a block: as many equal ones would be as certain.
    largest_share : float
        Share of the largest block in the sum.
    samples, blocks : int
        Numbers of samples, and of blocks that count as one each.
    temperature : float
        T.
    dissipated, reverse_dissipated : float
        ⟨W⟩ − ΔF, and the same of the reverse process, from the samples weighted with e^{−W/T}.
    """

    value: float
    standard_error: float
    bias: float
    effective_samples: float
    largest_share: float
    samples: int
    blocks: int
    temperature: float
    dissipated: float
    reverse_dissipated: float

    def __float__(self) -> float:
        return self.value

    @property
    def corrected(self) -> float:
        """Value minus estimated bias."""
        return self.value - self.bias

    @property
    def samples_needed(self) -> float:
        """e^{W_diss/T} with the dissipated work of the reverse process: below it the dominant work is never seen.

        C. Jarzynski, Phys. Rev. E 73, 046105 (2006).
        """
        return math.exp(min(max(self.reverse_dissipated, 0.0) / self.temperature, 700.0))

    @property
    def regime(self) -> str:
        """What the error bar is worth.

        "normal": it holds. "heavy-tailed": fewer effective samples than √n; the variance of e^{−W/T} comes from the
        extremes, and the error bar is too small by tens of per cent (for Gaussian work the sum of squares freezes
        there, as in the random energy model). "dominated": by a handful of samples; the value is biased towards ⟨W⟩,
        and the error bar means nothing.
        """
        if (
            self.effective_samples < min(FEWEST_EFFECTIVE, self.blocks / 2)
            or self.largest_share > max(LARGEST_SHARE, 2.0 / self.blocks)
            or self.samples < self.samples_needed
        ):
            return "dominated"
        return "heavy-tailed" if self.effective_samples < math.sqrt(self.blocks) else "normal"


def exponential_average(work: Any, temperature: float, *, weights: Any = None, block: int = 1) -> ExponentialAverage:
    """Estimate ΔF = −T ln⟨e^{−W/T}⟩ from work that starts in equilibrium (Jarzynski equality).

    Parameters
    ----------
    work : array_like (n,)
        Work of each trajectory.
    temperature : float
        T.
    weights : array_like (n,), optional
        Weights of the trajectories, not negative.
    block : int
        Consecutive samples that count as one, where they correlate.

    Returns
    -------
    ExponentialAverage
        Value, error, bias, and what they are worth.

    Raises
    ------
    InputError
        If samples, weights, temperature or blocks are malformed.

    Warns
    -----
    AccuracyWarning
        If the sum is dominated by a handful of samples: fewer than 100 effective ones (or half of all, if that is
        less), one block that carries more than a tenth, or fewer samples than e^{W_diss/T} of the reverse process.

    References
    ----------
    C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997); bias: J. Gore, F. Ritort, C. Bustamante, PNAS 100, 12564 (2003).

    Examples
    --------
    >>> work = np.random.default_rng(1).normal(1.0, np.sqrt(2.0), 100_000)  # Gaussian work with ΔF = 0 at T = 1
    >>> estimate = exponential_average(work, 1.0)
    >>> abs(estimate.value) < 4 * estimate.standard_error, estimate.regime
    (True, 'normal')
    """
    t, values = checked_temperature(temperature), checked_samples("work", work)
    w = checked_weights(weights, len(values))
    starts = block_starts(len(values), block)
    with np.errstate(divide="ignore"):
        exponents = np.log(w) - values / t
    highest = exponents.max()
    terms = np.exp(exponents - highest)
    blocks, held = (np.add.reduceat(one, starts) for one in (terms, w))
    total = float(terms.sum())
    value = -t * float(highest + math.log(total) - math.log(w.sum()))
    bias, error = _jackknife(blocks / blocks.sum(), held / held.sum(), t)
    result = ExponentialAverage(
        value=value,
        standard_error=error,
        bias=bias,
        effective_samples=total**2 / float(blocks @ blocks),
        largest_share=float(blocks.max()) / total,
        samples=len(values),
        blocks=len(starts),
        temperature=t,
        dissipated=float(w @ values / w.sum()) - value,
        reverse_dissipated=value - float(terms @ values) / total,
    )
    if result.regime == "dominated":
        warnings.warn(_reason(result), AccuracyWarning, stacklevel=2)
    return result


def _reason(result: ExponentialAverage) -> str:
    """Return why an average that is dominated by a handful of samples is not to be believed."""
    return (
        f"the exponential average of work is dominated by a handful of samples: {result.samples} of them count as "
        f"{result.effective_samples:.1f}, the largest carries {100 * result.largest_share:.2g}% of the sum, and "
        f"{result.samples_needed:.2g} are needed to see the work that matters. ΔF = {result.value:.6g} is biased "
        f"towards ⟨W⟩ = {result.dissipated + result.value:.6g}, and its error bar means nothing: drive more slowly, "
        "take more samples, or use bennett with work of the reverse process"
    )


def _jackknife(shares: np.ndarray, held: np.ndarray, temperature: float) -> tuple[float, float]:
    """Return bias and standard error of −T ln from what leaving out each block does to it."""
    m = len(shares)
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = -temperature * (np.log1p(-np.minimum(shares, 1.0)) - np.log1p(-np.minimum(held, 1.0)))
        mean = float(changes.mean())
        error = math.sqrt((m - 1) / m * float(np.sum((changes - mean) ** 2)))
    return ((m - 1) * mean, error) if math.isfinite(error) else (math.inf, math.inf)
