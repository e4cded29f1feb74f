"""The distribution of the work that a protocol does, from its characteristic function ⟨e^{iuW}⟩ on a grid."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.errors import AccuracyWarning, MethodError
from fpsolver.thermodynamics.protocol_steps import require_protocol
from fpsolver.thermodynamics.work_statistics import (
    Drive,
    extrapolated,
    final_weights,
    log_partition_ratio,
    work_moments,
)

# Half a window in standard deviations, and how often it may be widened by half.
_HALF_WIDTH, _WIDENINGS = 10.0, 4
# Conjugate variables, in units of one over the standard deviation, at which the tails are bounded.
_CHERNOFF = np.array([1.0, 2.0, 4.0])
_CHUNK, _MOST_FREQUENCIES = 32, 2048


@dataclass(frozen=True, eq=False)
class WorkDistribution:
    """The probability density of the work.

    Parameters
    ----------
    work : ndarray, shape (n,)
        Values, equally spaced over a window.
    density : ndarray, shape (n,)
        P(W) at them.
    outside : float
        Bound, after Chernoff, on the probability outside of the window, which is folded back into it.
    cut : float
        Modulus of the characteristic function where the series ends; it adds about so much to P times the standard
        deviation.
    step_error : float
        Error of the characteristic function from the steps of the protocol; NaN where their number was given.
    steps : int
        Steps of the finest protocol.
    """

    work: np.ndarray = field(repr=False)
    density: np.ndarray = field(repr=False)
    outside: float
    cut: float
    step_error: float
    steps: int

    @property
    def spacing(self) -> float:
        """Distance of neighbouring values."""
        return float(self.work[1] - self.work[0])

    @property
    def mean(self) -> float:
        """⟨W⟩."""
        return float(np.sum(self.work * self.density) * self.spacing)

    @property
    def variance(self) -> float:
        """⟨W²⟩ − ⟨W⟩²."""
        return float(np.sum((self.work - self.mean) ** 2 * self.density) * self.spacing)

    def at(self, work: Any) -> np.ndarray:
        """Return P(W) at other values in the window, by the same Fourier series."""
        return _series(self, np.asarray(work, dtype=float), 0)

    def below(self, work: Any) -> np.ndarray:
        """Return the probability of less work than given, by the integral of the same Fourier series."""
        return _series(self, np.asarray(work, dtype=float), 1)


@dataclass(frozen=True, eq=False)
class CrooksPair:
    """Distributions of the work of a protocol and of that run backwards.

    Crooks: P_F(W) = P_R(−W) e^{(W − ΔF)/T}.

    Parameters
    ----------
    forward : WorkDistribution
        P_F(W).
    backward : WorkDistribution
        P_R(−W), at the same values of W as `forward`.
    free_energy_difference : float
        ΔF between the ends of the forward protocol; in units of T for the reduced work.
    temperature : float
        T; one for the reduced work.
    """

    forward: WorkDistribution
    backward: WorkDistribution
    free_energy_difference: float
    temperature: float

    def log_ratio(self, floor: float = 1e-7) -> tuple[np.ndarray, np.ndarray]:
        """Return W and ln[P_F(W)/P_R(−W)], a line of slope 1/T through ΔF, where both exceed `floor` of their peaks."""
        seen = (self.forward.density > floor * self.forward.density.max()) & (
            self.backward.density > floor * self.backward.density.max()
        )
        ratio = np.log(self.forward.density[seen] / self.backward.density[seen])
        return self.forward.work[seen], ratio


def work_distribution(
    W: Any,
    t_final: float,
    *,
    start: float = 0.0,
    initial: Any = None,
    reduced: bool = False,
    reverse: bool = False,
    steps: int | None = None,
    window: tuple[float, float] | None = None,
    tolerance: float = 1e-8,
) -> WorkDistribution:
    """Return the distribution of the work W = ∫∂_t L dt by Fourier inversion of ⟨e^{iuW}⟩.

    Three errors are controlled: what lies outside the window (by Chernoff's bound from ⟨e^{sW}⟩ at real s), where the
    series of frequencies is cut (where the characteristic function has fallen below the tolerance), and the steps of
    the protocol (by extrapolation).

    Parameters
    ----------
    W, t_final, start, initial, reduced, reverse, steps
        As for `work_generating_function`.
    window : (float, float), optional
        Range of work; by default 10 standard deviations to both sides, widened where the bound asks for it.
    tolerance : float
        Of each of the three.

    Raises
    ------
    MethodError
        If W has no protocol, no Boltzmann state to start from, or no work is done.
    ConvergenceError
        If 4096 steps do not suffice.

    Warns
    -----
    AccuracyWarning
        If more than the tolerance lies outside the window, or the characteristic function does not fall (a density with
        a jump or a pole, such as that of a sudden quench).

    Examples
    --------
    A trap dragged at speed 1 for a time 2: Gaussian work, negative with probability 0.2256.

    >>> import fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("(x - c)**2/2", variables=("x",), parameters={"c": 0.0}), temperature=1.0,
    ...                    protocol={"c": "t"})
    >>> found = work_distribution(fp.generator(trap, fp.Grid(x=(-7, 8, 150))), 2.0, tolerance=1e-5)
    >>> round(float(found.below(0.0)), 3)
    0.226
    """
    drive = Drive(W, start, t_final, initial, reduced, reverse)
    options = {"start": start, "initial": initial, "reduced": reduced, "reverse": reverse, "steps": steps}
    rough = work_moments(W, t_final, **{**options, "steps": steps or 32})
    deviation = float(np.sqrt(max(rough.variance, 0.0)))
    if not deviation > 1e-12 * (1.0 + abs(rough.mean)):
        raise MethodError(
            f"the work is {rough.mean:g} on every path, so that it has no density; does the loss depend on t?"
        )
    low, high, outside = _window(drive, rough.mean, deviation, window, tolerance)
    frequencies, cut = _frequencies(drive, high - low, steps or 16, tolerance)
    if steps is None:
        phases, errors, number = extrapolated(lambda n: _characteristic(drive, frequencies, n), tolerance)
        step_error = float(errors.max())
    else:
        phases, step_error, number = _characteristic(drive, frequencies, steps), np.nan, steps
    if outside > tolerance or cut > tolerance:
        warnings.warn(
            f"the distribution of work is good to {max(outside, cut):.1e}, not to {tolerance:.1e}: probability outside "
            f"of the window below {outside:.1e}, characteristic function at the last frequency {cut:.1e}; give a wider "
            "window=, or look at ⟨e^(−sW)⟩ instead",
            AccuracyWarning,
            stacklevel=2,
        )
    # Twice the Nyquist number of points, so that the largest frequency is seen.
    n = 4 * len(frequencies)
    spectrum = np.zeros(n, dtype=complex)
    spectrum[: len(phases)] = phases * np.exp(-1j * frequencies * low)
    density = (2.0 * np.fft.fft(spectrum).real - spectrum[0].real) / (high - low)
    work = low + (high - low) * np.arange(n) / n
    return WorkDistribution(work, density, outside, cut, step_error, number)


def crooks_pair(W: Any, t_final: float, *, start: float = 0.0, reduced: bool = False, **options: Any) -> CrooksPair:
    """Return the distributions of work under a protocol and under that run backwards, both from equilibrium.

    Parameters
    ----------
    W, t_final, start, reduced
        As for `work_generating_function`.
    **options
        Of `work_distribution`: steps, window, tolerance.

    Raises
    ------
    MethodError
        If the temperature is driven, and not the reduced work asked for: Crooks' relation is one of ∫∂_t(L/T) dt then.

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("(x - c)**2/2", variables=("x",), parameters={"c": 0.0}), temperature=1.0,
    ...                    protocol={"c": "t"})
    >>> pair = crooks_pair(fp.generator(trap, fp.Grid(x=(-7, 8, 150))), 2.0, tolerance=1e-6)
    >>> work, ratio = pair.log_ratio(1e-3)
    >>> bool(np.abs(ratio - work).max() < 1e-4)
    True
    """
    require_protocol(W)
    if not reduced and "temperature" in W.dynamics.protocol:
        raise MethodError(
            "under a protocol of the temperature Crooks' relation is one of ∫∂_t(L/T) dt; give reduced=True"
        )
    forward = work_distribution(W, t_final, start=start, reduced=reduced, **options)
    span = forward.spacing * len(forward.work)
    window = (-float(forward.work[0]) - span, -float(forward.work[0]))
    mirrored = work_distribution(
        W, t_final, start=start, reduced=reduced, reverse=True, **{**options, "window": window}
    )
    temperature = 1.0 if reduced else float(W.dynamics.at(start).temperature)
    backward = WorkDistribution(
        forward.work, mirrored.at(-forward.work), mirrored.outside, mirrored.cut, mirrored.step_error, mirrored.steps
    )
    difference = -temperature * log_partition_ratio(W, t_final, start=start)
    return CrooksPair(forward, backward, difference, temperature)


def _window(
    drive: Drive, mean: float, deviation: float, given: tuple[float, float] | None, tolerance: float
) -> tuple[float, float, float]:
    """Return a window of work and a bound on the probability outside of it."""
    s = np.concatenate([_CHERNOFF, -_CHERNOFF]) / deviation
    logarithms = np.log(final_weights(drive, s, 16).sum(axis=0)) + s * mean
    half = _HALF_WIDTH * deviation
    for _ in range(_WIDENINGS):
        low, high = given or (mean - half, mean + half)
        reach = np.concatenate([np.full(3, mean - low), np.full(3, high - mean)])
        bounds = np.exp(np.minimum(logarithms - np.abs(s) * reach, 0.0)).reshape(2, 3).min(axis=1)
        if bounds.sum() <= tolerance or given:
            break
        half *= 1.5
    return low, high, float(bounds.sum())


def _frequencies(drive: Drive, span: float, number: int, tolerance: float) -> tuple[np.ndarray, float]:
    """Return the frequencies 2πj/span up to where the characteristic function has fallen, and its size there."""
    count = 0
    while count < _MOST_FREQUENCIES:
        chunk = 2.0 * np.pi * np.arange(count, count + _CHUNK) / span
        sizes = np.abs(_characteristic(drive, chunk, number))
        count += _CHUNK
        # A chunk on the whole small, so that a zero of the function is not taken for its end.
        if sizes[-_CHUNK // 2 :].max() <= 0.1 * tolerance:
            break
    return 2.0 * np.pi * np.arange(count) / span, float(sizes[-_CHUNK // 2 :].max())


def _characteristic(drive: Drive, frequencies: np.ndarray, number: int) -> np.ndarray:
    return final_weights(drive, -1j * frequencies, number).sum(axis=0)


def _series(found: WorkDistribution, work: np.ndarray, integrals: int) -> np.ndarray:
    """Return the Fourier series of the density, or its integral from the lower end of the window."""
    n = len(found.work)
    span = found.spacing * n
    modes = np.fft.rfft(found.density)[: n // 4] / n
    frequencies = 2.0 * np.pi * np.arange(len(modes)) / span
    phase = np.exp(1j * np.multiply.outer(work - found.work[0], frequencies))
    if integrals == 0:
        return (2.0 * phase @ modes).real - modes[0].real
    terms = np.zeros(phase.shape, dtype=complex)
    terms[..., 1:] = (phase[..., 1:] - 1.0) / (1j * frequencies[1:])
    return modes[0].real * (work - found.work[0]) + 2.0 * (terms @ modes).real
