"""Random landscapes: Gaussian fields on a torus, exactly, and sums of random plane waves on the whole space.

The covariance is σ² e^{−r²/2ℓ²}. `PeriodicSpectrum` draws samples that are exactly Gaussian, with the spectral moments
of the lattice of wave vectors; `random_field` gives a `Landscape`, near-Gaussian for many waves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolver.errors import LandscapeError
from fpsolver.landscapes.array_evaluation import Floats, as_points
from fpsolver.landscapes.landscape import Landscape

# Waves beyond kℓ = 6.5 carry less than 1e-9 of the variance.
_CUTOFF = 6.5


@dataclass(frozen=True, eq=False)
class PeriodicField:
    """A real trigonometric polynomial on a torus: f(x) = Re Σₙ cₙ e^{ikₙ·x}, kₙ = 2πn/P.

    Parameters
    ----------
    period : float
        P, along every axis.
    indices : ndarray of int (M, d)
        n, one of each pair ±n.
    coefficients : ndarray of complex (M,) or (samples, M)
        cₙ; of one field, or of many.
    """

    period: float
    indices: NDArray[np.int64]
    coefficients: NDArray[np.complex128]

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return int(self.indices.shape[1])

    @property
    def wave_vectors(self) -> Floats:
        """The kₙ, shape (M, d)."""
        return np.asarray(2.0 * math.pi / self.period * self.indices, dtype=float)

    def on_grid(self, nodes: int, derivative: tuple[int, ...] = ()) -> Floats:
        """Return a partial derivative at the nodes jP/nodes, j = 0 … nodes − 1 along every axis, by FFT.

        Parameters
        ----------
        nodes : int
            Per axis; more than twice the largest index.
        derivative : tuple of int
            The axes along which to differentiate, one entry each time: (0, 1) is ∂₀∂₁f.

        Returns
        -------
        ndarray (nodes, …) or (samples, nodes, …)

        Raises
        ------
        LandscapeError
            If the grid is too coarse for the shortest wave.
        """
        least = 2 * int(np.abs(self.indices).max()) + 1
        if nodes < least:
            raise LandscapeError(f"{nodes} nodes per axis are too few for the shortest wave; give at least {least}")
        amplitudes = self.coefficients * np.prod(1j * self.wave_vectors[:, list(derivative)], axis=1)
        spectrum = np.zeros((*self.coefficients.shape[:-1], *(nodes,) * self.dimension), dtype=complex)
        spectrum[(..., *self.indices.T)] = amplitudes
        axes = tuple(range(-self.dimension, 0))
        return np.asarray(np.fft.ifftn(spectrum, axes=axes, norm="forward").real)

    def derivatives(self, points: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return value, gradient and Hessian of one field at points (..., d)."""
        k = self.wave_vectors
        x = as_points(points, self.dimension)
        most = int(np.abs(self.indices).max())
        # One exponential per axis and index, and their products, take a fraction of the time of one per wave.
        factors = np.exp(2j * math.pi / self.period * x[..., None] * np.arange(-most, most + 1))
        waves = np.broadcast_to(self.coefficients, (*x.shape[:-1], len(k))).copy()
        for axis in range(self.dimension):
            waves *= factors[..., axis, :][..., self.indices[:, axis] + most]
        pairs = (k[:, :, None] * k[:, None, :]).reshape(len(k), -1)
        hessian = -(waves.real @ pairs)
        shape = (*hessian.shape[:-1], self.dimension, self.dimension)
        return waves.real.sum(axis=-1), -(waves.imag @ k), hessian.reshape(shape)

    def landscape(self, confinement: float = 0.0) -> Landscape:
        """Return L = confinement·|x|²/2 + f as a landscape; for one field of some hundred waves at most."""
        real, imaginary = self.coefficients.real, self.coefficients.imag
        amplitudes, phases = np.hypot(real, imaginary), np.arctan2(imaginary, real)
        return _plane_waves(self.wave_vectors, amplitudes, phases, amplitude=1.0, confinement=confinement)


@dataclass(frozen=True, eq=False)
class PeriodicSpectrum:
    """A stationary Gaussian field on a torus: the variance of every wave; made by `gaussian_spectrum`.

    Parameters
    ----------
    period : float
        P.
    indices : ndarray of int (M, d)
        One of each pair ±n, and n = 0.
    variances : ndarray (M,)
        Variance that each adds to f.
    """

    period: float
    indices: NDArray[np.int64]
    variances: Floats

    def moment(self, order: int) -> float:
        """Return Σ variance·k₁^order: the variance of f (0), of ∂₁f (2) and of ∂₁∂₁f (4), exactly."""
        return float(self.variances @ (2.0 * math.pi / self.period * self.indices[:, 0]) ** order)

    def sample(self, seed: int | Sequence[int], samples: int | None = None) -> PeriodicField:
        """Return a field with independent normal coefficients, or many (then only `PeriodicField.on_grid` serves).

        Parameters
        ----------
        seed : int or sequence of int
            As `numpy.random.default_rng` takes it: (7, 0), (7, 1), … are independent.
        samples : int, optional
            How many; by default one, without an axis for them.
        """
        shape = (2, len(self.variances)) if samples is None else (2, samples, len(self.variances))
        real, imaginary = np.random.default_rng(seed).standard_normal(shape)
        return PeriodicField(self.period, self.indices, np.sqrt(self.variances) * (real + 1j * imaginary))


def gaussian_spectrum(
    dimension: int = 1, *, period: float, length: float = 1.0, deviation: float = 1.0
) -> PeriodicSpectrum:
    """Return the Gaussian field on a torus whose covariance is that of σ² e^{−r²/2ℓ²}, up to e^{−P²/2ℓ²}.

    Parameters
    ----------
    dimension : int
        d, from 1 to 3.
    period : float
        P, at least 4ℓ.
    length, deviation : float
        ℓ and σ.

    Raises
    ------
    LandscapeError
        If a number is out of range.

    Examples
    --------
    >>> spectrum = gaussian_spectrum(2, period=12.0)
    >>> [round(spectrum.moment(order), 6) for order in (0, 2, 4)]
    [1.0, 1.0, 3.0]
    """
    if dimension not in (1, 2, 3):
        raise LandscapeError(f"dimension = {dimension!r} must be 1, 2 or 3; random_field serves more")
    length, deviation = _positive("length", length), _positive("deviation", deviation)
    if not _positive("period", period) >= 4.0 * length:
        raise LandscapeError(
            f"period = {period!r} must be at least 4 lengths, {4.0 * length:g}: the field meets itself"
        )
    most = int(_CUTOFF * period / (2.0 * math.pi * length))
    axes = np.meshgrid(*(np.arange(-most, most + 1),) * dimension, indexing="ij")
    # Of ±n the one whose first entry that is not zero is positive comes second in this order.
    indices = np.stack([axis.ravel() for axis in axes], axis=1)[(2 * most + 1) ** dimension // 2 :]
    size = (2.0 * math.pi * length / period) ** 2 * np.sum(indices**2, axis=1)
    indices, size = indices[size <= _CUTOFF**2], size[size <= _CUTOFF**2]
    weights = np.where(size > 0.0, 2.0, 1.0) * np.exp(-size / 2.0)
    return PeriodicSpectrum(float(period), indices, deviation**2 * weights / weights.sum())


def random_field(
    dimension: int = 2,
    *,
    modes: int = 64,
    length: float = 1.0,
    amplitude: float = 1.0,
    confinement: float = 0.0,
    seed: int = 0,
) -> Landscape:
    """Return L = κ|x|²/2 + a √(2/M) Σₘ cos(kₘ·x + φₘ), a random landscape on the whole space.

    Parameters
    ----------
    dimension : int
        d.
    modes : int
        Number M of waves, with normal wave vectors kₘ of variance ℓ⁻² and uniform phases.
    length, amplitude : float
        Correlation length ℓ and standard deviation a, a parameter of the landscape.
    confinement : float
        Curvature κ of a parabola, a parameter of the landscape.
    seed : int
        Of the waves.

    Notes
    -----
    Over seeds the covariance is a² e^{−r²/2ℓ²} exactly; the field is Gaussian up to corrections of order 1/M (the
    excess kurtosis is −3/(2M)). `gaussian_spectrum` has samples that are Gaussian exactly.

    The expression is differentiated once, which takes seconds for some hundred waves, and is then found on disk.

    A. Rahimi, B. Recht, NIPS 2007 (random Fourier features).

    Examples
    --------
    >>> L = random_field(2, modes=16, confinement=0.1, seed=1)
    >>> L.variables, dict(L.parameters)
    (('x', 'y'), {'amplitude': 1.0, 'confinement': 0.1})
    """
    for name, number in (("dimension", dimension), ("modes", modes)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise LandscapeError(f"{name} = {number!r} must be a positive integer")
    rng = np.random.default_rng(seed)
    waves = rng.standard_normal((modes, dimension)) / _positive("length", length)
    phases = rng.uniform(0.0, 2.0 * math.pi, modes)
    return _plane_waves(waves, np.full(modes, math.sqrt(2.0 / modes)), phases, amplitude, confinement)


def _plane_waves(
    wave_vectors: Floats, amplitudes: Floats, phases: Floats, amplitude: float, confinement: float
) -> Landscape:
    d = wave_vectors.shape[1]
    names = ("x", "y", "z")[:d] if d <= 3 else tuple(f"x{i + 1}" for i in range(d))
    terms = []
    for size, wave, phase in zip(amplitudes.tolist(), wave_vectors.tolist(), phases.tolist(), strict=True):
        argument = " + ".join(f"({k!r})*{name}" for k, name in zip(wave, names, strict=True))
        terms.append(f"({size!r})*cos({argument} + ({phase!r}))")
    parabola = " + ".join(f"{name}**2" for name in names)
    text = f"confinement*({parabola})/2 + amplitude*({' + '.join(terms)})"
    return Landscape(text, {"amplitude": amplitude, "confinement": confinement}, names)


def _positive(name: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0.0):
        raise LandscapeError(f"{name} = {value!r} must be positive and finite")
    return float(value)
