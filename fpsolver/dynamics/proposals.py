"""Proposals: the symmetric densities q(Δθ) from which jumps are tried.

Coordinates are independent, q(Δ) = ∏ φ(Δ_k/s_k)/s_k with one even profile φ, but for the lattice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fpsolver.dynamics.stable_law import stable_density, stable_tail
from fpsolver.errors import DynamicsError

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Update(ABC):
    """A symmetric law of updates Δθ; the lengths it is given are checked here.

    Attributes
    ----------
    kind : str
        Its name.
    length : str
        Name of the field with its lengths.
    """

    kind: ClassVar[str]
    length: ClassVar[str] = "scale"

    def __post_init__(self) -> None:
        object.__setattr__(self, self.length, _lengths(self.length, getattr(self, self.length)))

    @property
    def scales(self) -> Floats:
        """The lengths s_k, shape (1,) where one serves all coordinates, or (d,)."""
        return np.atleast_1d(np.array(getattr(self, self.length), dtype=float))

    @property
    @abstractmethod
    def heavy_tailed(self) -> bool:
        """Whether exponential moments diverge."""

    def for_dimension(self, dimension: int) -> Floats:
        """Return one scale per coordinate, shape (d,).

        Raises
        ------
        DynamicsError
            If the proposal has another number of them.
        """
        if len(self.scales) not in (1, dimension):
            raise DynamicsError(
                f"{self!r} has {len(self.scales)} scales, the landscape {dimension} variable(s); give one scale, or "
                "one a variable"
            )
        return np.broadcast_to(self.scales, (dimension,)).astype(float)


class Proposal(Update):
    """A symmetric density of updates, a product over coordinates.

    Attributes
    ----------
    smooth : bool
        Whether φ is analytic, so that sums over a lattice of points finer than s are integrals to rounding.
    """

    smooth: ClassVar[bool] = True

    @abstractmethod
    def profile(self, u: Any) -> Floats:
        """Return φ(u), a density of unit scale."""

    @abstractmethod
    def cumulative(self, u: Any) -> Floats:
        """Return ∫φ from −∞ to u."""

    @property
    @abstractmethod
    def profile_variance(self) -> float:
        """Variance of φ; infinite for heavy tails."""

    @abstractmethod
    def characteristic(self, k: Any) -> Floats:
        """Return ∫φ(u) e^{iku} du."""

    @abstractmethod
    def exponential_moment(self, a: Any) -> Floats:
        """Return ∫φ(u) e^{au} du, infinite where it diverges."""

    @property
    def variances(self) -> Floats:
        """Variance of an update along each coordinate, of the shape of `scales`."""
        return self.profile_variance * self.scales**2

    @property
    def heavy_tailed(self) -> bool:
        """Whether exponential moments diverge."""
        return not np.isfinite(float(self.exponential_moment(1e-3)))


@dataclass(frozen=True)
class GaussianProposal(Proposal):
    """Normal updates, φ(u) = e^{−u²/2}/√(2π).

    Parameters
    ----------
    scale : float or sequence of float
        Standard deviation s, one for all coordinates or one each.

    Examples
    --------
    >>> float(GaussianProposal(0.3).variances[0])
    0.09
    """

    scale: Any
    kind: ClassVar[str] = "gaussian"

    def profile(self, u: Any) -> Floats:
        """Return φ(u)."""
        return np.exp(-0.5 * np.square(u)) / np.sqrt(2.0 * np.pi)

    def cumulative(self, u: Any) -> Floats:
        """Return ∫φ from −∞ to u."""
        from scipy.special import ndtr

        return ndtr(u)

    def characteristic(self, k: Any) -> Floats:
        """Return ∫φ(u) e^{iku} du."""
        return np.exp(-0.5 * np.square(k))

    @property
    def profile_variance(self) -> float:
        """Variance of φ."""
        return 1.0

    def exponential_moment(self, a: Any) -> Floats:
        """Return ∫φ(u) e^{au} du."""
        with np.errstate(over="ignore"):
            return np.exp(0.5 * np.square(a))


@dataclass(frozen=True)
class UniformProposal(Proposal):
    """Updates of equal density up to a largest one, φ(u) = ½ for |u| < 1.

    Parameters
    ----------
    half_width : float or sequence of float
        Largest update s, one for all coordinates or one each.

    Examples
    --------
    >>> round(float(UniformProposal(0.3).variances[0]), 12)
    0.03
    """

    half_width: Any
    kind: ClassVar[str] = "uniform"
    length: ClassVar[str] = "half_width"
    smooth: ClassVar[bool] = False

    def profile(self, u: Any) -> Floats:
        """Return φ(u)."""
        return np.where(np.abs(u) < 1.0, 0.5, 0.0)

    def cumulative(self, u: Any) -> Floats:
        """Return ∫φ from −∞ to u."""
        return np.clip(0.5 * (np.asarray(u, dtype=float) + 1.0), 0.0, 1.0)

    def characteristic(self, k: Any) -> Floats:
        """Return ∫φ(u) e^{iku} du."""
        return np.sinc(np.asarray(k, dtype=float) / np.pi)

    @property
    def profile_variance(self) -> float:
        """Variance of φ."""
        return 1.0 / 3.0

    def exponential_moment(self, a: Any) -> Floats:
        """Return ∫φ(u) e^{au} du."""
        x = np.asarray(a, dtype=float)
        with np.errstate(over="ignore"):
            # sinh(a)/a, whose series is used where the quotient is 0/0
            return np.where(np.abs(x) < 1e-4, 1.0 + x * x / 6.0, np.sinh(x) / np.where(x == 0.0, 1.0, x))


@dataclass(frozen=True)
class LaplaceProposal(Proposal):
    """Updates with exponential tails, φ(u) = e^{−|u|}/2.

    Parameters
    ----------
    scale : float or sequence of float
        Decay length s, one for all coordinates or one each.

    Examples
    --------
    >>> float(LaplaceProposal(0.5).variances[0]), float(LaplaceProposal(0.5).exponential_moment(2.0))
    (0.5, inf)
    """

    scale: Any
    kind: ClassVar[str] = "laplace"
    smooth: ClassVar[bool] = False

    def profile(self, u: Any) -> Floats:
        """Return φ(u)."""
        return 0.5 * np.exp(-np.abs(u))

    def cumulative(self, u: Any) -> Floats:
        """Return ∫φ from −∞ to u."""
        x = np.asarray(u, dtype=float)
        tail = 0.5 * np.exp(-np.abs(x))
        return np.where(x < 0.0, tail, 1.0 - tail)

    def characteristic(self, k: Any) -> Floats:
        """Return ∫φ(u) e^{iku} du."""
        return 1.0 / (1.0 + np.square(k))

    @property
    def profile_variance(self) -> float:
        """Variance of φ."""
        return 2.0

    def exponential_moment(self, a: Any) -> Floats:
        """Return ∫φ(u) e^{au} du."""
        x = np.square(np.asarray(a, dtype=float))
        return np.where(x < 1.0, 1.0 / np.where(x < 1.0, 1.0 - x, 1.0), np.inf)


@dataclass(frozen=True)
class StudentProposal(Proposal):
    """Updates with power-law tails, φ(u) ∝ (1 + u²/ν)^{−(ν+1)/2}.

    Parameters
    ----------
    degrees : float
        ν > 0, the tail index; the variance is finite for ν > 2.
    scale : float or sequence of float
        s, one for all coordinates or one each.

    Examples
    --------
    >>> float(StudentProposal(4, 1.0).variances[0]), StudentProposal(4, 1.0).heavy_tailed
    (2.0, True)
    """

    degrees: float
    scale: Any
    kind: ClassVar[str] = "student"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "degrees", _positive("degrees", self.degrees))

    def profile(self, u: Any) -> Floats:
        """Return φ(u)."""
        from scipy.stats import t

        return t.pdf(u, self.degrees)

    def cumulative(self, u: Any) -> Floats:
        """Return ∫φ from −∞ to u."""
        from scipy.special import stdtr

        return stdtr(self.degrees, u)

    def characteristic(self, k: Any) -> Floats:
        """Return ∫φ(u) e^{iku} du."""
        from scipy.special import gammaln, kve

        half, x = 0.5 * self.degrees, np.sqrt(self.degrees) * np.abs(np.asarray(k, dtype=float))
        with np.errstate(all="ignore"):
            logarithm = np.log(2.0 * kve(half, x)) - x + half * np.log(0.5 * x) - gammaln(half)
        # The Bessel function overflows where the product is next to one.
        return np.where(np.isfinite(logarithm), np.exp(np.minimum(logarithm, 0.0)), np.where(x < 1.0, 1.0, 0.0))

    @property
    def profile_variance(self) -> float:
        """Variance of φ."""
        return self.degrees / (self.degrees - 2.0) if self.degrees > 2.0 else np.inf

    def exponential_moment(self, a: Any) -> Floats:
        """Return ∫φ(u) e^{au} du."""
        return np.where(np.asarray(a, dtype=float) == 0.0, 1.0, np.inf)


@dataclass(frozen=True)
class StableProposal(Proposal):
    """Lévy-stable updates, symmetric, with the characteristic function ∫φ(u) e^{iku} du = e^{−|k|^α}.

    Parameters
    ----------
    index : float
        α, 0 < α < 2 (α = 1 is Cauchy's law); for α = 2 take `GaussianProposal` of scale √2 s.
    scale : float or sequence of float
        s, one for all coordinates or one each.

    Examples
    --------
    >>> round(float(StableProposal(1.0, 1.0).profile(1.0)), 12) == round(0.5 / np.pi, 12)
    True
    """

    index: float
    scale: Any
    kind: ClassVar[str] = "stable"

    def __post_init__(self) -> None:
        index = _positive("index", self.index)
        if index >= 2.0:
            raise DynamicsError(f"index = {index:g} must be below 2; at 2 the stable law is GaussianProposal(√2 scale)")
        super().__post_init__()
        object.__setattr__(self, "index", index)

    def profile(self, u: Any) -> Floats:
        """Return φ(u)."""
        return stable_density(self.index, u)

    def cumulative(self, u: Any) -> Floats:
        """Return ∫φ from −∞ to u."""
        tail = stable_tail(self.index, np.abs(u))
        return np.where(np.asarray(u) < 0.0, tail, 1.0 - tail)

    def characteristic(self, k: Any) -> Floats:
        """Return ∫φ(u) e^{iku} du."""
        return np.exp(-(np.abs(k) ** self.index))

    @property
    def profile_variance(self) -> float:
        """Variance of φ."""
        return np.inf

    def exponential_moment(self, a: Any) -> Floats:
        """Return ∫φ(u) e^{au} du."""
        return np.where(np.asarray(a, dtype=float) == 0.0, 1.0, np.inf)


@dataclass(frozen=True)
class LatticeProposal(Update):
    """Updates by one lattice spacing, up or down along one coordinate, all 2d of them equally likely.

    Parameters
    ----------
    spacing : float or sequence of float
        Spacing of representable values, one for all coordinates or one each.

    Examples
    --------
    >>> LatticeProposal(0.25).for_dimension(2).tolist()
    [0.25, 0.25]
    """

    spacing: Any
    kind: ClassVar[str] = "lattice"
    length: ClassVar[str] = "spacing"

    @property
    def heavy_tailed(self) -> bool:
        """Whether exponential moments diverge."""
        return False


def _positive(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0.0 < float(value) < np.inf:
        raise DynamicsError(f"{name} = {value!r} must be a positive, finite number")
    return float(value)


def _lengths(name: str, given: Any) -> float | tuple[float, ...]:
    if np.ndim(given) == 0:
        return _positive(name, given)
    if np.ndim(given) != 1 or len(given) == 0:
        raise DynamicsError(f"{name} = {given!r} must be one length, or one a variable")
    return tuple(_positive(name, value) for value in given)
