"""A thermometer for SGD: Yaida's relation, measured on trajectories with error bars.

In a stationary state of v′ = βv − ηg, θ′ = θ + v′ each parameter obeys ⟨θᵢ∂ᵢL⟩ = (1 + β)⟨vᵢ²⟩/2η, and (η/2)⟨gᵢ²⟩ on
the right without momentum, whatever the loss and the noise. The left side is the temperature of that parameter; a
Boltzmann state has ⟨θᵢ∂ⱼL⟩ = T δᵢⱼ. Agreement of both sides says that the state is stationary, agreement of all
temperatures and vanishing cross terms that there is one temperature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.errors import InputError
from fpsolver.thermodynamics.correlated_samples import BlockAverage, block_average

if TYPE_CHECKING:
    from fpsolver.dynamics import SGD

ENOUGH_RUNS = 16
"""So many runs give a standard error by themselves."""

MOST_PAIRS = 32
"""Cross terms are measured up to this dimension, unless they are asked for."""


@dataclass(frozen=True, eq=False)
class TemperatureReading:
    """What the thermometer read; made by `read_temperature`.

    Parameters
    ----------
    temperatures, standard_errors : ndarray, shape (d,)
        ⟨θᵢ∂ᵢL⟩ of each parameter.
    temperature, standard_error : float
        Their mean over the parameters, in units of loss.
    total, total_standard_error : float
        Their sum ⟨θ·∇L⟩.
    dissipation : ndarray, shape (d,)
        (1 + β)⟨vᵢ²⟩/2η, the other side of the relation.
    imbalance, imbalance_standard_error : float
        Sum of the differences between the two sides, zero in a stationary state.
    p_stationary : float
        Probability of imbalances as large as the largest that was seen, were the state stationary (a bound of
        Bonferroni's).
    p_single : float
        Probability of differences between temperatures, and of cross terms, as large as the largest that was seen, were
        there one temperature; one in a single dimension.
    cross : ndarray, shape (d, d), or None
        ⟨θᵢ∂ⱼL⟩, where measured.
    significance : float
        Probability below which the two questions are answered with no.
    """

    temperatures: np.ndarray
    standard_errors: np.ndarray
    temperature: float
    standard_error: float
    total: float
    total_standard_error: float
    dissipation: np.ndarray = field(repr=False)
    imbalance: float
    imbalance_standard_error: float
    p_stationary: float
    p_single: float
    cross: np.ndarray | None = field(repr=False)
    significance: float

    @property
    def stationary(self) -> bool:
        """Whether both sides of the relation agree for all parameters."""
        return self.p_stationary >= self.significance

    @property
    def single(self) -> bool:
        """Whether one temperature describes all parameters."""
        return self.p_single >= self.significance

    def __float__(self) -> float:
        return self.temperature

    def summary(self) -> str:
        """Return the reading in a sentence or two."""
        text = f"T = {self.temperature:.4g} ± {self.standard_error:.1g} per parameter"
        if not self.stationary:
            text += (
                f"; not stationary (both sides of Yaida's relation differ, p = {self.p_stationary:.1g}): leave out "
                "more of the beginning"
            )
        if not self.single:
            text += (
                f"; no single temperature (p = {self.p_single:.1g}), parameters lie between "
                f"{self.temperatures.min():.4g} and {self.temperatures.max():.4g}"
            )
        return text


def read_temperature(
    positions: Any,
    gradients: Any,
    *,
    learning_rate: float,
    minibatch_gradients: Any = None,
    velocities: Any = None,
    momentum: float = 0.0,
    pairs: bool | None = None,
    significance: float = 0.001,
) -> TemperatureReading:
    """Return the temperatures of a stationary run of SGD, with standard errors and tests.

    Parameters
    ----------
    positions : array_like, shape (n, d) or (n, runs, d)
        θ, in the order of the steps; every step or every so many. Several runs are independent of each other.
    gradients : array_like, of that shape
        ∇L(θ) at the same θ, with weight decay if there is any; minibatch gradients will do, with larger errors and a
        weaker test of stationarity.
    learning_rate : float
        η.
    minibatch_gradients : array_like, of that shape
        g(θ), without momentum.
    velocities : array_like, of that shape
        The steps v that led to θ, or from it; needed with momentum.
    momentum : float
        β of the heavy ball.
    pairs : bool, optional
        Whether to measure ⟨θᵢ∂ⱼL⟩ for i ≠ j; by default up to 32 parameters.
    significance : float
        Of the two tests.

    Returns
    -------
    TemperatureReading
        Standard errors are those between runs where there are sixteen or more, else of block averages over ten
        correlation times.

    Raises
    ------
    InputError
        If shapes differ, or neither minibatch gradients nor velocities are there.

    References
    ----------
    S. Yaida, ICLR 2019 (arXiv 1810.00004).

    Examples
    --------
    >>> noise, path = np.random.default_rng(1).normal(size=(20_000, 2)), np.zeros((20_001, 2))
    >>> for step, xi in enumerate(noise):
    ...     path[step + 1] = path[step] - 0.1 * (path[step] + xi)
    >>> theta, g = path[200:-1], path[200:-1] + noise[200:]
    >>> reading = read_temperature(theta, theta, learning_rate=0.1, minibatch_gradients=g)
    >>> reading.stationary, reading.single, bool(abs(reading.temperature - 1 / 19) < 4 * reading.standard_error)
    (True, True, True)
    """
    theta, slope = _series("positions", positions), _series("gradients", gradients)
    moving, factor = _moving(minibatch_gradients, velocities, float(momentum), float(learning_rate))
    for name, values in (("gradients", slope), ("the steps", moving)):
        if values.shape != theta.shape:
            raise InputError(f"{name} of shape {values.shape} do not go with positions of shape {theta.shape}")
    # Counting θ from its mean changes no average, as ⟨∇L⟩ = 0, and takes away what ∇L averages to by chance.
    theta = theta - theta.mean(axis=(0, 1))
    d = theta.shape[-1]
    products = theta * slope
    squares = factor * moving**2
    each = [_average(products[..., i]) for i in range(d)]
    mean = _average(products.mean(axis=-1))
    differences = [_average(products[..., i] - squares[..., i]) for i in range(d)]
    whole = _average((products - squares).sum(axis=-1))
    departures = [_average(products[..., i] - products.mean(axis=-1)) for i in range(d if d > 1 else 0)]
    cross = None
    if d > 1 and (d <= MOST_PAIRS if pairs is None else pairs):
        cross = np.diag([float(one) for one in each])
        for i, j in np.argwhere(~np.eye(d, dtype=bool)):
            term = _average(theta[..., i] * slope[..., j])
            cross[i, j] = float(term)
            departures.append(term)
    return TemperatureReading(
        np.array([float(one) for one in each]), np.array([one.standard_error for one in each]),
        float(mean), mean.standard_error, d * float(mean), d * mean.standard_error,
        squares.mean(axis=(0, 1)), float(whole), whole.standard_error,
        _chance(differences), _chance(departures), cross, significance,
    )  # fmt: skip


def measure_temperature(
    dynamics: SGD, n: int, steps: int, *, initial: Any, discard: int, seed: int, **options: Any
) -> TemperatureReading:
    """Simulate SGD and return the temperatures of its stationary state.

    Parameters
    ----------
    dynamics : SGD
        The chain, with momentum or without, not driven and not Nesterov's.
    n, steps : int
        Trajectories, and how many steps of each are read.
    initial
        Where they begin, as for `fpsolver.simulate`.
    discard : int
        Steps before the reading begins, so that it is stationary.
    seed : int
        Of the noise.
    **options
        ``pairs`` and ``significance``, as for `read_temperature`.

    Returns
    -------
    TemperatureReading

    Raises
    ------
    InputError
        If the dynamics has no stationary state to which the relation applies.

    Examples
    --------
    >>> import fpsolver as fp
    >>> sgd = fp.SGD(fp.Landscape("x**2/2"), learning_rate=0.1, noise=fp.GaussianNoise(1.0))
    >>> reading = measure_temperature(sgd, 200, 400, initial=[0.0], discard=100, seed=1)
    >>> reading.stationary, bool(abs(reading.temperature - 1 / 19) < 4 * reading.standard_error)
    (True, True)
    """
    from fpsolver.ensembles.observables.positions import Trajectories
    from fpsolver.ensembles.simulate import simulate

    if dynamics.driven or dynamics.nesterov:
        raise InputError("Yaida's relation is for the stationary heavy ball: give SGD without protocol and Nesterov")
    ensemble = simulate(
        dynamics, n=n, initial=initial, t_final=discard + steps, times=list(range(discard, discard + steps + 1)),
        seed=seed, observe=Trajectories(range(n)),
    )  # fmt: skip
    record: Any = ensemble.observables["trajectories"]
    path = record.values
    return read_temperature(
        path[:-1], dynamics.descent(path[:-1]), learning_rate=dynamics.learning_rate, momentum=dynamics.momentum,
        velocities=np.diff(path, axis=0), **options,
    )  # fmt: skip


def _series(name: str, given: Any) -> np.ndarray:
    """Return values of shape (n, runs, d)."""
    values = np.asarray(given, dtype=float)
    if values.ndim == 2:
        values = values[:, None, :]
    if values.ndim != 3 or len(values) < 20 or not np.isfinite(values).all():
        raise InputError(
            f"{name} of shape {np.shape(given)} must be finite, of shape (n, d) or (n, runs, d), with at least 20 steps"
        )
    return values


def _moving(gradients: Any, velocities: Any, momentum: float, learning_rate: float) -> tuple[np.ndarray, float]:
    """Return what is squared on the right-hand side, and the factor before it."""
    if not (learning_rate > 0.0 and 0.0 <= momentum < 1.0):
        raise InputError(f"learning_rate = {learning_rate:g} must be positive, and momentum = {momentum:g} in [0, 1)")
    if velocities is not None:
        return _series("velocities", velocities), (1.0 + momentum) / (2.0 * learning_rate)
    if gradients is None or momentum > 0.0:
        raise InputError("give minibatch_gradients=, or with momentum velocities= (the differences of positions)")
    return _series("minibatch_gradients", gradients), learning_rate / 2.0


def _average(values: np.ndarray) -> BlockAverage:
    """Return the mean of values (n, runs); independent runs need no estimate of how long steps correlate."""
    if values.shape[1] >= ENOUGH_RUNS:
        return block_average(values.mean(axis=0), block=1)
    return block_average(values.mean(axis=1))


def _chance(terms: list[BlockAverage]) -> float:
    """Return the chance of a mean as many standard errors from zero as the farthest of these, one for none."""
    from scipy.stats import t

    chances = [
        2.0 * float(t.sf(abs(one.value) / one.standard_error, one.blocks - 1)) if one.standard_error else 1.0
        for one in terms
    ]
    return min([1.0, *(len(terms) * chance for chance in chances)])
