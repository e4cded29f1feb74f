"""The integral and the detailed fluctuation theorem, tested on entropies of single trajectories."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from fpsolver.errors import ConvergenceError, InputError, MethodError
from fpsolver.thermodynamics.crooks import LogRatio, log_ratio
from fpsolver.thermodynamics.jarzynski import ExponentialAverage, exponential_average
from fpsolver.thermodynamics.samples import block_starts, checked_samples


@dataclass(frozen=True)
class IntegralTheorem:
    """An average ⟨e^{−Σ}⟩ and what it is worth.

    Parameters
    ----------
    average, standard_error : float
        ⟨e^{−Σ}⟩.
    expected : float
        What it should be.
    mean : float
        ⟨Σ⟩, infinite where a trajectory has no reverse.
    samples : int
        Number of trajectories.
    irreversible : int
        How many of them have Σ = ∞: no reverse path at all.
    diagnosis : ExponentialAverage
        Effective samples, largest share and regime of those that have one.
    """

    average: float
    standard_error: float
    expected: float
    mean: float
    samples: int
    irreversible: int
    diagnosis: ExponentialAverage

    def __float__(self) -> float:
        return self.average

    @property
    def deviation(self) -> float:
        """By how many standard errors the average differs from what is expected."""
        return (self.average - self.expected) / self.standard_error

    @property
    def regime(self) -> str:
        """What the error bar is worth: "normal", "heavy-tailed" or "dominated", as of an `ExponentialAverage`."""
        return self.diagnosis.regime


def integral_theorem(
    entropy: Any, *, quantity: str = "entropy_production", expected: float = 1.0, block: int = 1
) -> IntegralTheorem:
    """Estimate ⟨e^{−Σ}⟩, one for the total entropy production from any initial density, by any protocol, at any time.

    Where the initial density vanishes somewhere, or steps have no reverse, it is the probability of reverse paths that
    have a forward partner, below one.

    Parameters
    ----------
    entropy : Ensemble or array_like (n,)
        Trajectories, or Σ of each, in nats; W_diss/T or any other quantity that obeys the theorem. Infinite where a
        trajectory has no reverse.
    quantity : str
        What to take from an ensemble: "entropy_production" where it was simulated with ``density=`` and the functional
        "entropy_flow", with which the theorem is exact at any time step; or an expression.
    expected : float
        What the average should be.
    block : int
        Consecutive samples that count as one, where they correlate.

    Raises
    ------
    InputError
        If samples are malformed, −∞ or NaN, or fewer than two are finite.

    Warns
    -----
    AccuracyWarning
        If the average is dominated by a handful of trajectories.

    References
    ----------
    U. Seifert, Phys. Rev. Lett. 95, 040602 (2005), eq. (15); Y. Murashita, K. Funo, M. Ueda, Phys. Rev. E 90, 042110
    (2014) on absolute irreversibility.

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0)
    >>> start, end = fp.Gaussian([1.0], 1.5), fp.Gaussian([np.exp(-1)], 1 + 0.5 * np.exp(-2))
    >>> ensemble = fp.simulate(trap, 10_000, start, 0.25, 1.0, seed=1, scheme="ornstein-uhlenbeck",
    ...                        functionals="entropy_flow", density=(start, end))
    >>> theorem = integral_theorem(ensemble)
    >>> abs(theorem.deviation) < 4, theorem.regime
    (True, 'normal')
    """
    values = _values(entropy, quantity)
    if values.ndim != 1 or np.isnan(values).any() or (values == -np.inf).any():
        raise InputError(f"the entropies, of shape {values.shape}, must be a vector without NaN and −∞")
    finite = values[np.isfinite(values)]
    diagnosis = exponential_average(finite, 1.0, block=min(block, max(len(finite) // 2, 1)))
    terms = np.exp(diagnosis.value - values)
    starts = block_starts(len(values), block)
    sizes = np.diff([*starts, len(values)])
    means = np.add.reduceat(terms, starts) / sizes
    average = float(terms.mean())
    # Blocks may differ in size by the last one; each counts with its size.
    error = math.sqrt(float(np.sum((sizes * (means - average)) ** 2)) * len(starts) / (len(starts) - 1)) / len(values)
    scale = math.exp(-diagnosis.value)
    return IntegralTheorem(
        average=scale * average,
        standard_error=scale * error,
        expected=expected,
        mean=float(values.mean()),
        samples=len(values),
        irreversible=len(values) - len(finite),
        diagnosis=diagnosis,
    )


@dataclass(frozen=True, eq=False)
class DetailedTheorem:
    """How the logarithm of P(σ)/P(−σ) depends on σ.

    Parameters
    ----------
    slope, slope_error : float
        Of the line through the origin: one where the theorem holds.
    points : LogRatio
        The logarithm in bins of σ > 0, with errors.
    samples : int
        Number of trajectories within reach.
    """

    slope: float
    slope_error: float
    points: LogRatio
    samples: int

    def __float__(self) -> float:
        return self.slope

    @property
    def deviation(self) -> float:
        """By how many standard errors the slope differs from one."""
        return (self.slope - 1.0) / self.slope_error

    @property
    def curvature(self) -> float:
        """χ² per point about the line: about one where the logarithm is linear."""
        beyond = (self.points.values - self.slope * self.points.work) / self.points.standard_errors
        return float(np.mean(beyond**2))


def detailed_theorem(
    entropy: Any,
    *,
    quantity: str = "entropy_production",
    reach: tuple[float, float] = (0.0, math.inf),
    bins: int = 24,
    fewest: int = 25,
) -> DetailedTheorem:
    """Test P(σ)/P(−σ) = e^σ, which total entropy production obeys in a steady state of even variables.

    The slope a is fitted without bins, by maximum likelihood: given |σ|, σ > 0 has the probability 1/(1 + e^{−a|σ|}).
    For a pair of processes see `crooks_line`.

    Parameters
    ----------
    entropy : Ensemble or array_like (n,)
        Trajectories that are independent, or σ of each.
    quantity : str
        What to take from an ensemble.
    reach : (float, float)
        Between which |σ| to fit and to plot.
    bins : int
        Number of bins of the points, in which ln P(σ)/P(−σ) is that of the counts.
    fewest : int
        Counts that a bin must have on both sides.

    Raises
    ------
    InputError
        If samples are malformed.
    MethodError
        If no σ is negative within reach, or no bin has enough counts on both sides.

    References
    ----------
    D. J. Evans, D. J. Searles, Phys. Rev. E 50, 1645 (1994); U. Seifert, Rep. Prog. Phys. 75, 126001 (2012), eq. (71).

    Examples
    --------
    >>> sigma = np.random.default_rng(1).normal(1.0, np.sqrt(2.0), 100_000)  # Gaussian, with a variance twice the mean
    >>> theorem = detailed_theorem(sigma)
    >>> abs(theorem.deviation) < 4
    True
    """
    values = checked_samples("entropy", _values(entropy, quantity))
    low, high = reach
    within = values[(np.abs(values) >= low) & (np.abs(values) <= high)]
    deepest = -float(within.min(initial=0.0))
    if deepest <= 0.0 or not (within > 0.0).any():
        raise MethodError(
            f"of {len(within)} entropies with |σ| between {low:g} and {high:g} none is "
            f"{'negative' if deepest <= 0.0 else 'positive'}: take more trajectories or a shorter time"
        )
    slope, error = _odds(within)
    points = log_ratio(within, within, np.linspace(low, min(high, deepest), bins + 1), fewest=fewest)
    return DetailedTheorem(slope, error, points, len(within))


def _odds(sigma: np.ndarray) -> tuple[float, float]:
    """Return the slope a of the logit of the sign, and its standard error."""
    slope, squares = 1.0, sigma**2
    for _ in range(100):
        against = expit(-slope * sigma)
        information = float(squares @ (against * (1.0 - against)))
        change = float(sigma @ against) / information
        # Newton's step may overshoot where all signs look certain.
        slope += math.copysign(min(abs(change), 1.0 + abs(slope)), change)
        if abs(change) < 1e-10 * (1.0 + abs(slope)):
            return slope, information**-0.5
    raise ConvergenceError(f"the fit of the detailed theorem stopped at slope {slope:g} without converging")


def _values(given: Any, quantity: str) -> np.ndarray:
    """Return a quantity of the trajectories of an ensemble, or an array as it is."""
    from fpsolver.ensembles.ensemble import Ensemble

    return given.values(quantity) if isinstance(given, Ensemble) else np.asarray(given, dtype=float)
