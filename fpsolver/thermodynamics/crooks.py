"""Crooks' line: ln[P_F(W)/P_R(−W)] against W, a straight line of slope 1/T that crosses zero at ΔF."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from fpsolver.errors import ConvergenceError, InputError, MethodError
from fpsolver.thermodynamics.samples import checked_samples, checked_temperature

MANY = 40_000
"""Samples that find the line well enough to start from."""


@dataclass(frozen=True)
class CrooksLine:
    """A straight line through the logarithm of the ratio of work densities, with standard errors.

    Parameters
    ----------
    slope, slope_error : float
        T d/dW ln[P_F(W)/P_R(−W)]: one where Crooks' theorem holds.
    value, standard_error : float
        Where the line crosses zero: ΔF where the theorem holds.
    """

    slope: float
    slope_error: float
    value: float
    standard_error: float

    def __float__(self) -> float:
        return self.value


def crooks_line(forward: Any, reverse: Any, temperature: float) -> CrooksLine:
    """Fit Crooks' line to work forward and in reverse, without bins.

    By maximum likelihood: a sample W is from the forward process with probability 1/(1 + (n_R/n_F) e^{−a(W − ΔF)/T}).
    With the slope a fixed at one this is Bennett's estimate; fitted, a tests the theorem.

    Parameters
    ----------
    forward, reverse : array_like (n_F,), (n_R,)
        Independent samples of work done in the process and in its time reverse. Give the same samples twice to test the
        symmetry of one density, P(W)/P(−W).
    temperature : float
        T.

    Returns
    -------
    CrooksLine
        Slope and crossing. Errors hold for independent samples; where forward and reverse are the same, or samples
        correlate, take those of `bootstrap`.

    Raises
    ------
    InputError
        If samples or temperature are malformed.
    MethodError
        If no forward sample lies below a reversed one, or the other way about: the densities do not overlap.

    References
    ----------
    G. E. Crooks, Phys. Rev. E 60, 2721 (1999); J. A. Anderson, Biometrika 59, 19 (1972) on logistic regression with
    fixed numbers of samples.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> line = crooks_line(rng.normal(2.5, 2.0, 10_000), rng.normal(1.5, 2.0, 10_000), 1.0)  # Gaussian with ΔF = 0.5
    >>> abs(line.slope - 1) < 4 * line.slope_error, abs(line.value - 0.5) < 4 * line.standard_error
    (True, True)
    """
    t = checked_temperature(temperature)
    there, back = checked_samples("forward", forward) / t, -checked_samples("reverse", reverse) / t
    if there.min() >= back.max() or back.min() >= there.max():
        raise MethodError(
            f"work forward, from {t * there.min():.6g} to {t * there.max():.6g}, and minus work in reverse, from "
            f"{t * back.min():.6g} to {t * back.max():.6g}, do not overlap: there is no crossing to fit; drive more "
            "slowly or take more samples"
        )
    centre = (there.mean() + back.mean()) / 2.0
    work = np.concatenate([there, back]) - centre
    is_forward = np.arange(len(work)) < len(there)
    offset = math.log(len(there) / len(back))
    slope, height, covariance = _logistic(work, is_forward, offset)
    # Numbers of samples were fixed beforehand, not drawn: the constant is known better by that.
    covariance[1, 1] -= 1.0 / len(there) + 1.0 / len(back)
    towards = np.array([height / slope**2, -1.0 / slope])
    error = math.sqrt(max(float(towards @ covariance @ towards), 0.0))
    return CrooksLine(slope, math.sqrt(covariance[0, 0]), t * float(centre - height / slope), t * error)


def _logistic(work: np.ndarray, is_forward: np.ndarray, offset: float) -> tuple[float, float, np.ndarray]:
    """Return slope and height of the logit, beside a known offset, and the inverse of their information matrix."""
    slope, height = 1.0, 0.0
    if len(work) > 2 * MANY:  # the line of fewer samples is not far
        every = 1 + len(work) // MANY
        slope, height, _ = _logistic(work[::every], is_forward[::every], offset)
    squares = work**2
    for _ in range(100):
        p = expit(slope * work + height + offset)
        residual, weight = is_forward - p, p * (1.0 - p)
        first, second = float(weight @ work), float(weight @ squares)
        information = np.array([[second, first], [first, float(weight.sum())]])
        change = np.linalg.solve(information, [float(residual @ work), float(residual.sum())])
        # Newton's step may overshoot from afar, where all samples look certain.
        change *= min(1.0, 1.0 / max(abs(change[0]), abs(change[1]) / 4.0, 1e-300))
        slope, height = slope + float(change[0]), height + float(change[1])
        if np.abs(change).max() < 1e-12 * (1.0 + abs(slope) + abs(height)):
            return slope, height, np.linalg.inv(information)
    raise ConvergenceError(f"the logistic fit of Crooks' line stopped at slope {slope:g} without converging")


@dataclass(frozen=True, eq=False)
class LogRatio:
    """Logarithms of the ratio of two histograms.

    Parameters
    ----------
    work : ndarray (n,)
        Centres of the bins in which there are enough counts.
    values, standard_errors : ndarray (n,)
        ln[P_F(W)/P_R(−W)] and its error √(1/c_F + 1/c_R) from the counts.
    """

    work: np.ndarray
    values: np.ndarray
    standard_errors: np.ndarray


def log_ratio(forward: Any, reverse: Any, edges: Any, *, fewest: int = 25) -> LogRatio:
    """Return ln[P_F(W)/P_R(−W)] in bins, the points of Crooks' line.

    Parameters
    ----------
    forward, reverse : array_like
        Work done in the process and in its time reverse.
    edges : array_like (bins + 1,)
        Edges of bins of W.
    fewest : int
        Counts that a bin must have in both directions; with 25 the logarithm is biased by a tenth of its error.

    Raises
    ------
    InputError
        If samples are malformed, or edges do not ascend.
    MethodError
        If no bin has as many counts in both directions.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ratio = log_ratio(rng.normal(2.5, 2.0, 10_000), rng.normal(1.5, 2.0, 10_000), [0.0, 0.5, 1.0])
    >>> bool(np.all(np.abs(ratio.values - (ratio.work - 0.5)) < 4 * ratio.standard_errors))
    True
    """
    there, back = checked_samples("forward", forward), -checked_samples("reverse", reverse)
    faces = checked_samples("edges", edges)
    if not np.all(np.diff(faces) > 0.0):
        raise InputError(f"edges must ascend, from {faces[0]:g} to {faces[-1]:g}")
    first, second = (np.histogram(one, faces)[0] for one in (there, back))
    full = (first >= fewest) & (second >= fewest)
    if not full.any():
        raise MethodError(
            f"no bin between {faces[0]:g} and {faces[-1]:g} has {fewest} counts forward and in reverse: the densities "
            "do not overlap there; take wider bins or more samples, or drive more slowly"
        )
    centres = (faces[:-1] + faces[1:])[full] / 2.0
    a, b = first[full], second[full]
    return LogRatio(centres, np.log(a / len(there)) - np.log(b / len(back)), np.sqrt(1.0 / a + 1.0 / b))
