"""Evolution of densities: p(t) = e^{tW} p(0), or its time-ordered form under a protocol, to a stated tolerance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.device import launcher
from fpsolver.errors import DensityError, MethodError, suggest
from fpsolver.generators.chain import ChainGenerator
from fpsolver.generators.rate_matrix import Generator
from fpsolver.generators.walls import warn_if_folded
from fpsolver.grids import Grid
from fpsolver.solvers.exponential.choose import METHODS, propagation
from fpsolver.solvers.exponential.report import Recorder
from fpsolver.solvers.exponential.steps import step_propagation
from fpsolver.solvers.exponential.system import Outcome

if TYPE_CHECKING:
    from fpsolver.generators.driven import DrivenGenerator

TOLERANCES = (1e-13, 0.1)


@dataclass(frozen=True, eq=False)
class Evolution:
    """Densities at several times.

    Parameters
    ----------
    grid : Grid
        The grid.
    times : ndarray, shape (n_times,)
        Times asked for.
    densities : ndarray, shape (n_times, *cells)
        Densities at these times.
    stats : mapping
        "method", "applications" (products with the generator, linear solves counted as one each), "estimated_error"
        (L1, relative to the initial mass), "tolerance", "mass_lost" (1 − final/initial mass; beyond rounding only
        absorbing walls take mass), "mass_drift" (rounding of the total mass before it was corrected), "positive"
        (whether the method can only give non-negative values), "wall_time" in seconds.
    """

    grid: Grid
    times: np.ndarray
    densities: np.ndarray
    stats: Mapping[str, Any] = field(default_factory=dict)

    @property
    def final(self) -> np.ndarray:
        """Density at the last time, of the grid's shape."""
        return self.densities[-1]

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        return (
            f"Evolution({len(self.times)} times from {self.times[0]:g} to {self.times[-1]:g} on {self.grid!r}, "
            f"{self.stats['method']}, estimated error {self.stats['estimated_error']:.1e})"
        )


def evolve(
    generator: Generator | DrivenGenerator,
    density: Any,
    times: Sequence[float] | np.ndarray,
    *,
    method: str = "auto",
    tolerance: float = 1e-8,
    start: float = 0.0,
    positive: bool = False,
    device: str = "cpu",
    callback: Callable[[float, np.ndarray], None] | None = None,
    progress: bool = True,
) -> Evolution:
    """Return the density at given times, p(t) = e^{(t − start) W} p(start).

    Parameters
    ----------
    generator : Generator or DrivenGenerator
        W; a driven one is integrated by an adaptive Magnus scheme, of order 10, which never steps across a breakpoint.
        A chain (`SGD`) moves in steps: times are whole numbers, and its operator is applied as often.
    density : array_like, of the grid's shape
        Density at `start`, in probability per volume; any positive mass.
    times : sequence of float
        Output times, ascending, none before `start`.
    method : str
        "auto" chooses by accuracy first and cost second, and reports in ``stats``. For detailed balance: "chebyshev";
        "eigen" (diagonalisation, small grids). For any generator: "uniformisation" (non-negative arithmetic), "faber"
        (damping and rotation together, as in kinetic dynamics), "taylor", "krylov" (polynomial), "implicit" (rational
        Krylov with sparse factorisation: cost bounded as t grows), "squaring" (non-negative dense powers, small grids,
        any time).
    tolerance : float
        Allowed error ‖p − p_exact‖₁ over the mass of `density`, a promise for the generator as given (the error of the
        grid is another matter). Under a protocol the local errors are controlled so that their sum stays below it.
    start : float
        Time at which `density` holds.
    positive : bool
        Only methods whose arithmetic cannot give a negative value. Without it, negative rounding (below the tolerance)
        is cut to zero for Markov generators and the mass restored.
    device : {"cpu", "gpu"}
        Where polynomials of the generator are computed ("chebyshev", "faber", "uniformisation" and the filters of long
        times); factorisations and dense powers stay on the processor. Driven generators evolve on the "cpu".
    callback : callable, optional
        Called as ``callback(time, density)`` for each output time, in order.
    progress : bool
        Progress bar over output times; nothing is printed where standard error is not a terminal.

    Raises
    ------
    MethodError
        If times, tolerance or method cannot be used; the message names the offending value.
    DeviceError
        If the device is unknown or not there.
    DensityError
        If the density has another shape than the grid, negative or non-finite values, or no mass.
    NumericalError
        If a NaN or an overflow appears.

    Warns
    -----
    GridWarning
        If a noticeable share of the steps of a chain leads behind walls that were not meant.

    Examples
    --------
    >>> import fpsolver as fp
    >>> grid = fp.Grid(x=(-6, 6, 200))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0), grid)
    >>> p0 = fp.gaussian(grid, mean=[1.0], covariance=[[0.1]])
    >>> sol = evolve(W, p0, times=[0.0, 1.0])
    >>> means = (sol.densities * grid.volumes) @ grid.axes[0].centres
    >>> [round(float(m), 2) for m in means]
    [1.0, 0.37]
    """
    began = perf_counter()
    schedule = _checked_times(times, start)
    _check_options(method, tolerance)
    _check_device(device, generator)
    grid = generator.grid
    values = _checked_density(density, grid)
    frozen = generator if isinstance(generator, Generator) else generator.at(start)
    chain = isinstance(frozen, ChainGenerator)
    if chain and (method != "auto" or device != "cpu"):
        raise MethodError(
            f'method = {method!r}, device = {device!r}: a chain moves in steps, by method = "auto" on device = "cpu"'
        )
    recorder = Recorder(frozen, values, schedule, tolerance, callback=callback, progress=progress)
    recorder.positive = positive or chain
    state, later = recorder.unit, schedule[schedule > start]
    with recorder:
        recorder.record_start(len(schedule) - len(later))
        outcomes: Iterable[Outcome]
        if chain:
            outcomes = step_propagation(generator, state, start, later)
        elif isinstance(generator, Generator):
            outcomes = propagation(
                generator, state, later - start, tolerance, method=method, positive=positive, device=device
            )
        else:
            from fpsolver.solvers.exponential.driven import driven_propagation

            outcomes = driven_propagation(generator, state, start, later, tolerance, method=method, positive=positive)
        if len(later):
            recorder.take(outcomes)
    if isinstance(generator, ChainGenerator):
        masses = recorder.densities.reshape(len(schedule), -1) * grid.volumes.ravel()
        folded = float((masses @ generator.folded).max() / masses.sum(axis=1).max())
        warn_if_folded(grid, folded, when="at an output time", stacklevel=3)
    stats = recorder.stats() | {"tolerance": tolerance, "wall_time": perf_counter() - began}
    return Evolution(grid, schedule, recorder.densities, stats)


def _checked_times(times: Any, start: float) -> np.ndarray:
    try:
        schedule = np.atleast_1d(np.array(times, dtype=float))
        origin = float(start)
    except (TypeError, ValueError):
        raise MethodError(f"times = {times!r} and start = {start!r} must be numbers") from None
    if schedule.ndim != 1 or not len(schedule):
        raise MethodError(f"times of shape {schedule.shape}: give at least one time, in a row")
    if not (np.isfinite(schedule).all() and np.isfinite(origin)):
        bad = next(t for t in (*schedule, origin) if not np.isfinite(t))
        raise MethodError(f"times contain {bad}; they must be finite (for t → ∞ use stationary)")
    if (np.diff(schedule) < 0).any():
        first = int(np.argmax(np.diff(schedule) < 0))
        raise MethodError(f"times must ascend, but {schedule[first]:g} is followed by {schedule[first + 1]:g}")
    if schedule[0] < origin:
        raise MethodError(f"times begin at {schedule[0]:g}, before start = {origin:g}; evolution runs forwards only")
    return schedule


def _check_options(method: str, tolerance: float) -> None:
    if method not in METHODS:
        raise MethodError(f"method = {method!r} is not one of {', '.join(METHODS)}{suggest(str(method), METHODS)}")
    number = isinstance(tolerance, (int, float, np.number)) and not isinstance(tolerance, bool)
    if not (number and TOLERANCES[0] <= tolerance <= TOLERANCES[1]):
        raise MethodError(
            f"tolerance = {tolerance!r} must lie between {TOLERANCES[0]:g} (double precision gives no more) "
            f"and {TOLERANCES[1]:g}"
        )


def _check_device(device: str, generator: Generator | DrivenGenerator) -> None:
    launcher(device, "polynomial")
    if device != "cpu" and not isinstance(generator, Generator):
        raise MethodError(f'device = {device!r}: a driven generator changes at every step; evolve it on device = "cpu"')


def _checked_density(density: Any, grid: Grid) -> np.ndarray:
    values = np.asarray(density, dtype=float)
    if values.shape != grid.shape:
        raise DensityError(f"the initial density has shape {values.shape}, the grid {grid.shape}; they must agree")
    if not np.isfinite(values).all():
        count = np.count_nonzero(~np.isfinite(values))
        raise DensityError(f"the initial density is not finite in {count} of its {values.size} cells")
    if values.min() < 0:
        raise DensityError(f"the initial density is negative, {values.min():g}, in at least one cell; clip or shift it")
    if not float((values * grid.volumes).sum()) > 0:
        raise DensityError(f"the initial density has no mass on {grid!r}; move it onto the grid")
    return values
