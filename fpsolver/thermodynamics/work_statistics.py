"""Work done under a protocol, on a grid: ⟨e^{−sW}⟩, moments, and densities weighted by work.

The Feynman–Kac equation ∂_t g = W(t) g − s (∂_t L) g gives g(x, t) = ⟨δ(x − x_t) e^{−sW_t}⟩. It is solved along a
protocol cut into steps (`protocol_steps`), extrapolated to steps of no length. At s = 1/T, Jarzynski's relation
⟨e^{−W/T}⟩ = e^{−ΔF/T} and that of Hummer and Szabo, g = e^{−L/T}/Z(0), hold to rounding for any number of steps.

With ``reduced=True`` the reduced work w = ∫∂_t(L/T) dt takes the place of W: under a protocol of the temperature,
⟨e^{−w}⟩ = Z(final)/Z(initial) with w = ∫L dβ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import ConvergenceError, DensityError, MethodError, NumericalError
from fpsolver.thermodynamics.entropy import positive_density
from fpsolver.thermodynamics.protocol_steps import FEWEST, ProtocolSteps, level_at, protocol_steps, require_protocol

_MOST = 4096
"""Steps of a protocol at most."""


@dataclass(frozen=True, eq=False)
class GeneratingFunction:
    """⟨e^{−sW}⟩ at several s.

    Parameters
    ----------
    s : ndarray, shape (n,)
        Conjugate variable, real or complex.
    values : ndarray, shape (n,)
        ⟨e^{−sW}⟩.
    errors : ndarray, shape (n,)
        Of the steps of the protocol; NaN where their number was given.
    steps : int
        Steps of the finest protocol.
    """

    s: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    steps: int


@dataclass(frozen=True)
class WorkMoments:
    """Mean and variance of the work.

    Parameters
    ----------
    mean, variance : float
        ⟨W⟩ and ⟨W²⟩ − ⟨W⟩².
    mean_error, variance_error : float
        Of the steps of the protocol; NaN where their number was given.
    steps : int
        Steps of the finest protocol.
    """

    mean: float
    variance: float
    mean_error: float
    variance_error: float
    steps: int


@dataclass(frozen=True, eq=False)
class Drive:
    """A protocol from `start` to `t_final`, forwards or backwards.

    Parameters
    ----------
    W : DrivenGenerator
        Of overdamped dynamics with a protocol.
    start, t_final : float
        Its beginning and its end.
    initial : array_like, optional
        Density at the beginning; by default the Boltzmann state there.
    reduced : bool
        Whether to count ∫∂_t(L/T) dt in place of ∫∂_t L dt.
    reverse : bool
        Whether the protocol runs backwards, from its last value to its first.
    """

    W: Any
    start: float
    t_final: float
    initial: Any = None
    reduced: bool = False
    reverse: bool = False

    def __post_init__(self) -> None:
        require_protocol(self.W)
        if not (np.isfinite([self.start, self.t_final]).all() and self.t_final > self.start):
            raise MethodError(f"t_final = {self.t_final!r} must be finite and later than start = {self.start!r}")

    def steps(self, number: int) -> ProtocolSteps:
        """Return the protocol cut into so many steps."""
        forwards = protocol_steps(self.W, self.start, [self.t_final], number, reduced=self.reduced)
        return forwards.reversed() if self.reverse else forwards

    def state(self) -> np.ndarray:
        """Return the initial cell probabilities, shape (n,)."""
        if self.initial is not None:
            values, grid = positive_density(self.initial, self.W.grid, "initial")
            if not values.any():
                raise DensityError("initial is zero in every cell; give a density")
            mass = (values * grid.volumes).ravel()
            return mass / mass.sum()
        return equilibrium(self.W, self.t_final if self.reverse else self.start)


def equilibrium(W: Any, time: float) -> np.ndarray:
    """Return the Boltzmann cell probabilities at a time, shape (n,).

    Raises
    ------
    MethodError
        If the frozen dynamics has none.
    """
    logarithm = W.at(time).log_equilibrium
    if logarithm is None:
        raise MethodError("without detailed balance there is no Boltzmann state to start from; give initial=")
    mass = np.exp(logarithm.ravel() - logarithm.max())
    return mass / mass.sum()


def log_partition_ratio(W: Any, t_final: float, *, start: float = 0.0) -> float:
    """Return ln Z(t_final)/Z(start) of the sums Z = Σ volume · e^{−L/T} over cells; times −T that is ΔF.

    Parameters
    ----------
    W : DrivenGenerator
        Of overdamped dynamics with a protocol and a temperature.
    t_final, start : float
        The two times.

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0}), temperature=1.0,
    ...                    protocol={"k": "1 + t"})
    >>> W = fp.generator(trap, fp.Grid(x=(-9, 9, 200)))
    >>> round(log_partition_ratio(W, 1.0), 8), round(float(np.log(0.5)) / 2, 8)
    (-0.34657359, -0.34657359)
    """
    require_protocol(W)
    volumes = W.grid.volumes.ravel()
    logarithms = []
    for time in (start, t_final):
        level = level_at(W, time, True)
        logarithms.append(float(np.log(np.sum(volumes * np.exp(level.min() - level))) - level.min()))
    return logarithms[1] - logarithms[0]


def work_generating_function(
    W: Any,
    t_final: float,
    s_values: ArrayLike,
    *,
    start: float = 0.0,
    initial: Any = None,
    reduced: bool = False,
    reverse: bool = False,
    steps: int | None = None,
    tolerance: float = 1e-7,
) -> GeneratingFunction:
    """Return ⟨e^{−sW}⟩ of the work W = ∫∂_t L dt that a protocol does.

    Parameters
    ----------
    W : DrivenGenerator
        Of overdamped dynamics with a protocol.
    t_final, start : float
        End and beginning.
    s_values : array_like, shape (n,)
        Real or complex s, in inverse units of work; iu gives the characteristic function.
    initial : array_like, optional
        Density at the beginning; by default the Boltzmann state there.
    reduced : bool
        Count ∫∂_t(L/T) dt, which includes ∫L dβ where the temperature is driven; s then has no unit.
    reverse : bool
        Run the protocol backwards, from its last value to its first.
    steps : int, optional
        Take the protocol in so many steps and do not extrapolate: the statistics of a protocol that is a staircase.
    tolerance : float
        Error allowed, relative to the largest value, when the steps are chosen here.

    Raises
    ------
    MethodError
        If W has no protocol, or no Boltzmann state to start from.
    ConvergenceError
        If 4096 steps do not suffice.

    References
    ----------
    C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997); G. Hummer and A. Szabo, PNAS 98, 3658 (2001).

    Examples
    --------
    Stiffening a trap from 1 to 2: ⟨e^{−W/T}⟩ = √½ for any number of steps.

    >>> import fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0}), temperature=1.0,
    ...                    protocol={"k": "1 + t"})
    >>> W = fp.generator(trap, fp.Grid(x=(-9, 9, 200)))
    >>> found = work_generating_function(W, 1.0, [1.0], steps=4)
    >>> bool(abs(found.values[0] - np.sqrt(0.5)) < 1e-12)
    True
    """
    drive = Drive(W, start, t_final, initial, reduced, reverse)
    s = _row(s_values)

    def averages(number: int) -> np.ndarray:
        return final_weights(drive, s, number).sum(axis=0)

    if steps is not None:
        return GeneratingFunction(s, averages(_count(steps)), np.full(s.shape, np.nan), steps)
    values, errors, number = extrapolated(averages, tolerance)
    return GeneratingFunction(s, values, errors, number)


def final_weights(drive: Drive, s: np.ndarray, number: int) -> np.ndarray:
    """Return ⟨e^{−sW}; cell⟩ at the end, one column for each s.

    Parameters
    ----------
    drive : Drive
        The protocol.
    s : ndarray, shape (m,)
        Real or complex.
    number : int
        Steps.

    Raises
    ------
    NumericalError
        If a weight overflows.
    """
    state = drive.state()
    block = np.repeat(state[:, None], len(s), axis=1).astype(s.dtype)

    def weigh(columns: np.ndarray, jump: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            weighed = columns * np.exp(-jump[:, None] * s)
        if not np.isfinite(weighed).all():
            raise NumericalError("e^(−sW) overflows in cells far out; take a smaller s or a smaller grid")
        return weighed

    return list(drive.steps(number).march(block, weigh))[-1]


def work_moments(
    W: Any,
    t_final: float,
    *,
    start: float = 0.0,
    initial: Any = None,
    reduced: bool = False,
    reverse: bool = False,
    steps: int | None = None,
    tolerance: float = 1e-8,
) -> WorkMoments:
    """Return mean and variance of the work, from E[W; x] and E[W²; x] evolved with the density.

    Parameters
    ----------
    W, t_final, start, initial, reduced, reverse, steps, tolerance
        As for `work_generating_function`.

    Raises
    ------
    MethodError
        If W has no protocol, or no Boltzmann state to start from.
    ConvergenceError
        If 4096 steps do not suffice.

    Examples
    --------
    A trap dragged at speed 1 for a time 2: ⟨W⟩ = 2 − (1 − e^{−2}), and the variance is twice that.

    >>> import fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("(x - c)**2/2", variables=("x",), parameters={"c": 0.0}), temperature=1.0,
    ...                    protocol={"c": "t"})
    >>> found = work_moments(fp.generator(trap, fp.Grid(x=(-7, 8, 150))), 2.0)
    >>> round(found.mean, 2), round(found.variance, 2)
    (1.14, 2.27)
    """
    drive = Drive(W, start, t_final, initial, reduced, reverse)

    def moments(number: int) -> np.ndarray:
        block = np.zeros((W.grid.size, 3))
        block[:, 0] = drive.state()
        mass, first, second = list(drive.steps(number).march(block, _add_work))[-1].sum(axis=0)
        return np.array([first / mass, second / mass - (first / mass) ** 2])

    if steps is not None:
        mean, variance = moments(_count(steps))
        return WorkMoments(float(mean), float(variance), np.nan, np.nan, steps)
    values, errors, number = extrapolated(moments, tolerance)
    return WorkMoments(float(values[0]), float(values[1]), float(errors[0]), float(errors[1]), number)


def _add_work(block: np.ndarray, jump: np.ndarray) -> np.ndarray:
    """Return the columns p, E[W; x], E[W²; x] after work has been done in each cell."""
    mass, first, second = block.T
    return np.stack([mass, first + jump * mass, second + jump * (2.0 * first + jump * mass)], axis=-1)


def work_weighted_densities(
    W: Any,
    times: Sequence[float],
    *,
    s: float | None = None,
    start: float = 0.0,
    initial: Any = None,
    steps: int = 64,
) -> np.ndarray:
    """Return g(x, t) = ⟨δ(x − x_t) e^{−sW_t}⟩; at s = 1/T, by default, that is e^{−L(x,t)/T}/Z(start).

    Hummer and Szabo: driven far from equilibrium, the density of x weighted by e^{−W/T} is the Boltzmann factor of the
    loss at that time, whatever the protocol.

    Parameters
    ----------
    W : DrivenGenerator
        Of overdamped dynamics with a protocol.
    times : sequence of float
        Ascending, after `start`.
    s : float, optional
        In inverse units of work; without it the reduced work ∫∂_t(L/T) dt is taken, with weight e^{−w}.
    start : float
        Beginning.
    initial : array_like, optional
        Density at the beginning; by default the Boltzmann state there.
    steps : int
        Steps of the protocol in all; at s = 1/T their number does not matter.

    Returns
    -------
    ndarray, shape (n_times, *cells)
        g, not normalised.

    References
    ----------
    G. Hummer and A. Szabo, PNAS 98, 3658 (2001), eq. (4).

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0}), temperature=1.0,
    ...                    protocol={"k": "1 + t"})
    >>> grid = fp.Grid(x=(-9, 9, 200))
    >>> g = work_weighted_densities(fp.generator(trap, grid), [0.5, 1.0], steps=6)
    >>> x = grid.axes[0].centres
    >>> bool(np.abs(g[1] - np.exp(-(x**2)) / np.sqrt(2 * np.pi)).max() < 1e-12)
    True
    """
    moments = [float(time) for time in times]
    if not moments or any(b <= a for a, b in zip([start, *moments], moments, strict=False)):
        raise MethodError(f"times = {times!r} must ascend, after start = {start!r}")
    drive = Drive(W, start, moments[-1], initial)
    sequence = protocol_steps(W, start, moments, _count(steps), reduced=s is None)
    factor = 1.0 if s is None else float(s)
    blocks = sequence.march(drive.state()[:, None], lambda block, jump: block * np.exp(-factor * jump)[:, None])
    return np.stack([block[:, 0].reshape(W.grid.shape) / W.grid.volumes for block in blocks])


def extrapolated(function: Callable[[int], np.ndarray], tolerance: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the limit of infinitely many steps, its error and the number of steps of the finest run.

    Errors are even in the length of a step: Romberg's table of runs with 1, 2, 4, … times as many steps. The error is
    the last change of its corner.

    Parameters
    ----------
    function : callable
        Values (n,) for a number of steps.
    tolerance : float
        Error allowed, relative to the largest value.

    Raises
    ------
    ConvergenceError
        If 4096 steps do not suffice.
    """
    row, number = [function(FEWEST)], FEWEST
    while number < _MOST:
        number *= 2
        following = [function(number)]
        for order, coarse in enumerate(row, start=1):
            following.append(following[-1] + (following[-1] - coarse) / (4.0**order - 1.0))
        change = np.abs(following[-1] - row[-1])
        row = following
        if len(row) > 2 and change.max() <= tolerance * np.abs(row[-1]).max():
            return row[-1], change, number
    raise ConvergenceError(
        f"the result still changes by {change.max():.1e} at {number} steps of the protocol; is there a jump in it that "
        "is not among its breakpoints?"
    )


def _row(s_values: ArrayLike) -> np.ndarray:
    s = np.atleast_1d(np.asarray(s_values))
    s = s.astype(complex if np.iscomplexobj(s) else float)
    if s.ndim != 1 or not s.size or not np.isfinite(s).all():
        raise MethodError(f"s_values = {s_values!r} must be finite numbers in a row")
    return s


def _count(steps: int) -> int:
    if isinstance(steps, bool) or int(steps) != steps or steps < 1:
        raise MethodError(f"steps = {steps!r} must be a positive integer")
    return int(steps)
