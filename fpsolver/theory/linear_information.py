"""Information in linear dynamics dz = −Az dt + √(2D) dW of two parts x and y with independent noises (bipartite)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

SOURCE = "J. M. Horowitz, M. Esposito, Phys. Rev. X 4, 031015 (2014), eqs. (9)–(12), with Gaussian densities"

_ASSUMPTIONS = ("linear drift", "constant noise without correlation between the parts", "steady state")


@dataclass(frozen=True)
class LinearInformation:
    """Mutual information of two parts in the steady state, what each adds to it, and what that costs.

    Parameters
    ----------
    mutual_information : Estimate
        I in nats.
    flows : tuple of Estimate
        Rates l_x and l_y at which the motion of each part changes I; their sum is zero.
    entropy_flows : tuple of Estimate
        Entropy per unit time that each part gives to its bath, at least its information flow.
    """

    mutual_information: Estimate
    flows: tuple[Estimate, Estimate]
    entropy_flows: tuple[Estimate, Estimate]


def mutual_information(covariance: Any, first: int) -> Estimate:
    """Return I = ½ ln(det S_xx det S_yy/det S) of Gaussian variables, the first few of which make x.

    Parameters
    ----------
    covariance : array_like (d, d)
        S.
    first : int
        How many variables make x.

    Examples
    --------
    >>> round(float(mutual_information([[1.0, 0.6], [0.6, 1.0]], 1)), 6)
    0.223144
    """
    s = np.asarray(covariance, dtype=float)
    if s.ndim != 2 or s.shape != s.T.shape or not 0 < first < len(s):
        raise TheoryError(f"covariance of shape {s.shape} and first = {first!r}: both parts need a variable")
    signs, logs = zip(*(np.linalg.slogdet(part) for part in (s, s[:first, :first], s[first:, first:])), strict=True)
    if min(signs) <= 0:
        raise TheoryError("the covariance is not positive: the information is infinite, or the matrix is none")
    return Estimate(
        float(0.5 * (logs[1] + logs[2] - logs[0])), ("Gaussian",), 0.0, "T. M. Cover, J. A. Thomas (2006), 8.4"
    )


def steady_state(*, drift: Any, diffusion: Any, first: int = 1) -> LinearInformation:
    """Return information, its flows and the flows of entropy in the steady state.

    Parameters
    ----------
    drift, diffusion : array_like (d, d)
        A and D; D has no elements between the parts.
    first : int
        How many variables make x; the others make y.

    Raises
    ------
    TheoryError
        If there is no steady state, or the noises of the parts correlate.

    Examples
    --------
    A sensor y that follows x passively, at equal temperatures: it learns, and pays at least as much entropy.

    >>> found = steady_state(drift=[[1.0, 0.0], [-2.0, 2.0]], diffusion=[[1.0, 0.0], [0.0, 1.0]])
    >>> learns, pays = float(found.flows[1]), float(found.entropy_flows[1])
    >>> bool(0 < learns < pays), bool(abs(float(found.flows[0]) + learns) < 1e-15)
    (True, True)
    """
    from scipy.linalg import solve_continuous_lyapunov

    a, d = np.asarray(drift, dtype=float), np.asarray(diffusion, dtype=float)
    if a.shape != d.shape or a.ndim != 2 or not 0 < first < len(a):
        raise TheoryError(
            f"drift {a.shape} and diffusion {d.shape} must be matrices of one size, with a variable in each part"
        )
    if np.linalg.eigvals(a).real.min() <= 0.0:
        raise TheoryError(f"drift = {a.tolist()} has no steady state")
    if d[:first, first:].any() or d[first:, :first].any():
        raise TheoryError(
            f"diffusion = {d.tolist()} correlates the noises of the parts: information flows are not defined"
        )
    s = solve_continuous_lyapunov(a, 2.0 * d)
    parts = slice(0, first), slice(first, len(a))
    flows, entropies = zip(*(_of_part(a, d, s, part) for part in parts), strict=True)
    (l_x, l_y), (e_x, e_y) = ([Estimate(v, _ASSUMPTIONS, 0.0, SOURCE) for v in pair] for pair in (flows, entropies))
    return LinearInformation(mutual_information(s, first), (l_x, l_y), (e_x, e_y))


def _of_part(a: np.ndarray, d: np.ndarray, s: np.ndarray, part: slice) -> tuple[float, float]:
    """Return information flow and entropy flow of one part."""
    # How the covariance would change if only this part moved.
    moved = np.zeros_like(a)
    moved[part] = a[part]
    change = -moved @ s - s @ moved.T
    change[part, part] += 2.0 * d[part, part]
    information = 0.5 * np.trace(np.linalg.solve(s[part, part], change[part, part])) - 0.5 * np.trace(
        np.linalg.solve(s, change)
    )
    noise = d[part, part]
    entropy = np.trace(np.linalg.solve(noise, (a @ s @ a.T)[part, part])) - np.trace(a[part, part])
    return float(information), float(entropy)
