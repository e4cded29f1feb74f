"""Protocols of least mean work on any landscape in one variable, found through the density on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics import Langevin, Protocol
from fpsolver.errors import ConvergenceError, MethodError
from fpsolver.grids import Grid
from fpsolver.thermodynamics.stepped_driving import SteppedDriving


@dataclass(frozen=True, eq=False)
class OptimalProtocol:
    """Parameters in steps that cost the least mean work.

    Parameters
    ----------
    driving : SteppedDriving
        The problem.
    values : ndarray (n, m)
        Parameters on the intervals.
    work : float
        Mean work.
    slope : float
        Largest derivative of the work that is left, by a parameter per unit time; along bounds it need not vanish.
    evaluations : int
        How often work and gradient were computed.
    """

    driving: SteppedDriving
    values: np.ndarray
    work: float
    slope: float
    evaluations: int

    @property
    def times(self) -> np.ndarray:
        """Middles of the intervals, where `values` belong, shape (n,)."""
        return self.driving.middles

    @property
    def ends(self) -> np.ndarray:
        """Parameters just after the start and just before the end, continued from the intervals, shape (2, m)."""
        v = self.values
        if len(v) < 3:
            return v[[0, -1]]
        # A parabola through three middles, half an interval beyond the first.
        return np.stack([(15.0 * v[k] - 10.0 * v[k + s] + 3.0 * v[k + 2 * s]) / 8.0 for k, s in ((0, 1), (-1, -1))])

    @property
    def jumps(self) -> np.ndarray:
        """Jumps at the start and at the end, shape (2, m)."""
        first, last = self.ends
        return np.stack([first - self.driving.start, self.driving.stop - last])

    def protocol(self, name: str) -> Protocol:
        """Return the steps of one parameter as a protocol, for densities or trajectories.

        At t = 0 itself the parameter is still what it was before, so that `fpsolver.simulate` counts the first jump.

        Parameters
        ----------
        name : str
            The parameter.
        """
        names = list(self.driving.controls)
        if name not in names:
            raise MethodError(f"{name!r} is not driven; driven are {', '.join(names)}")
        k = names.index(name)
        levels = [self.driving.start[k], *self.values[:, k], self.driving.stop[k]]
        times = self.driving.times.tolist()
        signs = ["<=", *["<"] * (len(times) - 1)]
        pieces = ", ".join(f"({float(v)!r}, t {s} {t!r})" for v, s, t in zip(levels, signs, times, strict=False))
        return Protocol(f"Piecewise({pieces}, ({float(levels[-1])!r}, True))", breakpoints=tuple(times))


def optimal_protocol(
    dynamics: Langevin,
    grid: Grid,
    controls: Mapping[str, tuple[float, float]],
    *,
    duration: float,
    intervals: int = 40,
    initial: Any = None,
    guess: Any = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    tolerance: float = 1e-6,
) -> OptimalProtocol:
    """Return the protocol in steps that drives parameters from given to given at the least mean work.

    The work of `SteppedDriving` is minimised by a quasi-Newton method with exact gradients. Jumps at the start and at
    the end are free. The work lies above that of the best protocol by the order of (t_f/n)², and is off by the
    square of the cell width. A landscape may have several local minima of the work: this finds the one near `guess`.

    Parameters
    ----------
    dynamics, grid, controls, duration, intervals, initial
        As for `SteppedDriving`.
    guess : array_like (n, m), optional
        Where to begin; by default a linear ramp.
    bounds : mapping of str to (float or None, float or None), optional
        Least and largest value of a parameter, where it has one.
    tolerance : float
        Largest derivative of the work, by a parameter per unit time, that is taken for zero; the work itself is then
        good to its square.

    Raises
    ------
    MethodError
        If the problem is ill-posed.
    ConvergenceError
        If the work does not become stationary.

    References
    ----------
    T. Schmiedl and U. Seifert, Phys. Rev. Lett. 98, 108301 (2007), for the jumps.

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Landscape("(x - c)**2/2", {"c": 0.0}, ("x",))
    >>> best = optimal_protocol(
    ...     fp.Langevin(trap, temperature=1.0), fp.Grid(x=(-5, 6, 110)), {"c": (0.0, 1.0)}, duration=1.0, intervals=20
    ... )
    >>> round(best.work, 2), [round(float(jump), 2) for jump in best.jumps.ravel()]
    (0.33, [0.33, 0.33])
    """
    from scipy.optimize import minimize

    driving = SteppedDriving(dynamics, grid, controls, duration, intervals, initial)
    shape = (intervals, len(controls))
    begin = driving.ramp if guess is None else np.asarray(guess, dtype=float).reshape(shape)
    stray = [name for name in bounds or {} if name not in controls]
    if stray:
        raise MethodError(f"bounds of {stray[0]!r}, which is not driven; driven are {', '.join(controls)}")
    limits = [(bounds or {}).get(name, (None, None)) for name in controls] * intervals
    per_time = intervals / duration

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        work, gradient = driving.work_and_gradient(flat.reshape(shape))
        return work * per_time, gradient.ravel() * per_time

    found = minimize(
        cost, begin.ravel(), jac=True, method="L-BFGS-B", bounds=limits if bounds else None,
        options={"gtol": tolerance, "ftol": 0.0, "maxcor": 30, "maxiter": 500, "maxfun": 2000},
    )  # fmt: skip
    free = np.ones(found.x.shape, dtype=bool)
    for k, (low, high) in enumerate(limits):
        free[k] = (low is None or found.x[k] > low) and (high is None or found.x[k] < high)
    slope = float(np.abs(found.jac[free]).max(initial=0.0))
    # Rounding of the work may end the line search first; the work is off by the square of what is left.
    if slope > 100.0 * tolerance:
        raise ConvergenceError(f"the work is not stationary after {found.nfev} evaluations: slope {slope:.1e}")
    return OptimalProtocol(driving, found.x.reshape(shape), float(found.fun) / per_time, slope, int(found.nfev))
