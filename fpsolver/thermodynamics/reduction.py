"""Reduction of a landscape to a master equation between its minima."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scipy.sparse as sparse
from numpy.typing import ArrayLike

from fpsolver.dynamics import Langevin
from fpsolver.errors import MethodError, ValidityWarning, suggest
from fpsolver.grids import Grid
from fpsolver.landscapes.critical_points import StationaryPoint
from fpsolver.landscapes.landscape import Landscape
from fpsolver.solvers.elimination import eliminate_network
from fpsolver.solvers.stationary import require_autonomous
from fpsolver.theory import langer
from fpsolver.thermodynamics.core_rates import core_rates, cores_around
from fpsolver.thermodynamics.minima_network import (
    Connection,
    Points,
    Region,
    connect,
    isolated_minima,
    lowest_barriers,
)

if TYPE_CHECKING:
    from fpsolver.thermodynamics.reduction_error import ReductionError

METHODS = ("langer", "committor")


@dataclass(frozen=True, eq=False)
class Reduction:
    """A master equation dP/dt = K P between the minima of a landscape.

    Parameters
    ----------
    minima : tuple of StationaryPoint
        The states, lowest first.
    connections : tuple of Connection
        The saddles that link them, where rates are Langer's; empty where they come from committors.
    rates : ndarray, shape (n, n)
        K: element (j, i) is the rate i → j; columns sum to zero.
    overlaps : ndarray, shape (n, n)
        M_ij = ⟨q⁻_i, q⁺_j⟩_π of the committors; with Langer's rates the diagonal matrix of the harmonic weights. Row
        sums are the stationary probabilities.
    reversible : bool
        Whether detailed balance holds, K_ji p_i = K_ij p_j.
    method : {"langer", "committor"}
        Where the rates come from.
    landscape : Landscape
        The landscape.
    core_depth : float
        Depth of the cores, in units of loss: around each minimum the cells with L ≤ L_min + core_depth.
    committors : ndarray, shape (n, *shape), or None
        Probability to reach each core before the others, for every cell: how far it belongs to each minimum.
    """

    minima: tuple[StationaryPoint, ...]
    connections: tuple[Connection, ...]
    rates: np.ndarray
    overlaps: np.ndarray
    reversible: bool
    method: str
    landscape: Landscape
    core_depth: float
    committors: np.ndarray | None = None

    @property
    def positions(self) -> np.ndarray:
        """Positions of the minima, shape (n, d)."""
        return np.array([minimum.position for minimum in self.minima])

    def __len__(self) -> int:
        return len(self.minima)

    def stationary(self) -> np.ndarray:
        """Return the stationary probability of each minimum, shape (n,)."""
        return np.asarray(self.overlaps.sum(axis=1))

    def spectrum(self) -> np.ndarray:
        """Return the relaxation rates, ascending, the first of them zero, shape (n,).

        With Langer's rates they are those of K. With committors they solve −F c = λ M c with fluxes F_ij = p_i K_ji:
        Ritz values of the full generator between committors, with an error of second order in the eigenfunctions'
        (those of K itself come near, but not from above). With detailed balance they are never below the true ones, and
        are found as squared singular values of differences between minima, so that a slow rate keeps its digits.
        """
        fluxes = self.stationary() * self.rates
        if not self.reversible:
            from scipy.linalg import eigvals

            values = -eigvals(fluxes.T, self.overlaps)
            values = values.real if np.abs(values.imag).max() <= 1e-12 * np.abs(values).max() else values
            return np.concatenate([[0.0], values[np.argsort(values.real)][1:]])
        return _graded_rates(fluxes, self.overlaps)

    def mean_first_passage_times(self, target: int | Sequence[int]) -> np.ndarray:
        """Return the mean time from each minimum to a target, shape (n,), zero in the target.

        Found by elimination without subtractions: each time keeps its digits, however high the barriers.

        Parameters
        ----------
        target : int or sequence of int
            Numbers of the minima that are to be reached.

        Raises
        ------
        MethodError
            If there is no such minimum, or none outside the target.
        """
        inside = np.zeros(len(self), dtype=bool)
        chosen = np.atleast_1d(target)
        if chosen.dtype.kind not in "iu" or not ((chosen >= 0) & (chosen < len(self))).all():
            raise MethodError(f"target = {target!r}: give numbers of minima, from 0 to {len(self) - 1}")
        inside[chosen] = True
        if inside.all():
            raise MethodError(f"target = {target!r} holds every minimum; leave one to start from")
        times = np.zeros(len(self))
        among = sparse.csr_array(self.rates[np.ix_(~inside, ~inside)])
        network = eliminate_network(among, self.rates[np.ix_(inside, ~inside)].sum(axis=0))
        times[~inside] = network.backward(np.ones(int((~inside).sum())))
        return times

    def compare(self, W: Any, *, passage_times: bool = True) -> ReductionError:
        """Compare spectrum, weights and mean passage times with those of the full generator; see `ReductionError`."""
        from fpsolver.thermodynamics.reduction_error import reduction_error

        return reduction_error(self, W, passage_times=passage_times)


def reduce(
    system: Any,
    landscape: Landscape | None = None,
    *,
    rates: Literal["langer", "committor"] = "langer",
    minima: Points | None = None,
    saddles: Points | None = None,
    bounds: Any = None,
    core_depth: float | None = None,
    tolerance: float = 1e-9,
) -> Reduction:
    """Reduce overdamped dynamics to a master equation between the minima of its landscape.

    Parameters
    ----------
    system : Generator or Langevin
        A generator, whose grid says where to look and, resolving the landscape, that no minimum is missed; or, for
        Langer's rates in any number of dimensions, the dynamics with `bounds`.
    landscape : Landscape, optional
        The landscape; by default that of the dynamics.
    rates : {"langer", "committor"}
        "langer": k = (κ/2π) √(det H_i/|det H_s|) e^{−ΔL/T} over each saddle, those between one pair added up; the
        relative error is O(T/ΔL), and the stationary state has the harmonic weights e^{−L_i/T}/√det H_i.
        "committor": transitions of the full generator between cores around the minima, counted by the last core
        visited; exact but for what is lost by that, which is exponentially small where relaxation within the basins is
        faster than escape. Detailed balance is not needed.
    minima, saddles : sequence of StationaryPoint or array_like (n, d), optional
        Where they are known; otherwise they are found. With committors `minima` may be a choice of the deepest.
    bounds : mapping or sequence of (lower, upper), optional
        Where to look, if `system` is a dynamics.
    core_depth : float, optional
        Cores are the cells with L ≤ L_min + core_depth around each minimum; by default the temperature.
    tolerance : float
        Error asked of the solver for committors.

    Raises
    ------
    MethodError
        If Langer's rates are asked for without detailed balance or at temperature zero, or the system is not suited.
    LandscapeError
        If there are fewer than two minima, minima or saddles are degenerate, or descents from saddles leave the region.

    Warns
    -----
    ValidityWarning
        If some barriers are not above the temperature, so that Langer's rates out of those minima are poor.

    References
    ----------
    J. S. Langer, Ann. Phys. 54, 258 (1969). For cores: C. Schütte, F. Noé, J. Lu, M. Sarich, E. Vanden-Eijnden,
    J. Chem. Phys. 134, 204105 (2011). For passage times: E. Vanden-Eijnden, M. Venturoli, J. Chem. Phys. 130, 194101
    (2009).

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.Langevin(fp.landscapes.coupled_double_well(3.0), temperature=0.05)
    >>> reduced = fp.reduce(dynamics, bounds={"x": (-2, 2), "y": (-2, 2)})
    >>> reduced.spectrum().round(6).tolist(), reduced.stationary().round(6).tolist()
    ([0.0, 0.006066], [0.5, 0.5])
    """
    if rates not in METHODS:
        raise MethodError(f'rates = {rates!r} is not one of "langer", "committor"{suggest(str(rates), METHODS)}')
    dynamics = system if isinstance(system, Langevin) else _dynamics_of(system)
    landscape = dynamics.landscape if landscape is None else landscape
    if landscape.variables != dynamics.landscape.variables:
        raise MethodError(
            f"the landscape's variables are {', '.join(landscape.variables)}, those of the dynamics "
            f"{', '.join(dynamics.landscape.variables)}; give the landscape of the dynamics"
        )
    if rates == "langer":
        _require_langer(dynamics)
    grid: Grid | None = None if system is dynamics else system.grid
    if grid is not None and bounds is not None:
        raise MethodError("bounds= is for a dynamics without a grid; the generator's grid says where to look")
    region = Region.of_bounds(landscape, bounds) if grid is None else Region.of_grid(landscape, grid)
    found = isolated_minima(landscape, region, grid, minima)
    depth = _core_depth(dynamics, core_depth)
    if rates == "langer":
        links = connect(landscape, region, found, grid, saddles)
        matrix, weights = _by_langer(dynamics, landscape, found, links)
        return Reduction(found, links, matrix, np.diag(weights), True, rates, landscape, depth)
    if grid is None:
        raise MethodError("rates from committors need a generator on a grid: reduce(fp.generator(dynamics, grid))")
    measured = core_rates(system, cores_around(landscape, grid, found, depth), tolerance)
    overlaps = measured.overlaps
    matrix = _closed((measured.fluxes / overlaps.sum(axis=1, keepdims=True)).T)
    return Reduction(found, (), matrix, overlaps, system.reversible, rates, landscape, depth, measured.committors)


def _dynamics_of(system: Any) -> Langevin:
    require_autonomous(system, "a reduction")
    if not isinstance(system.dynamics, Langevin):
        raise MethodError(
            f"{type(system.dynamics).__name__} does not move between minima by overdamped diffusion; "
            "reduce Langevin dynamics, or its generator"
        )
    return system.dynamics


def _core_depth(dynamics: Langevin, given: float | None) -> float:
    depth = dynamics.temperature if given is None else given
    if depth is None or not (math.isfinite(depth) and depth > 0.0):
        raise MethodError(f"core_depth = {depth!r}: give the depth of the cores, in units of loss, a positive number")
    return float(depth)


def _require_langer(dynamics: Langevin) -> None:
    """Raise where a dynamics has no detailed balance, no noise, or no single law."""
    remedy = 'use rates="committor"'
    if dynamics.driven:
        raise MethodError("driven dynamics has no rates that stay; leave protocol= out, or reduce W.at(t)")
    if not dynamics.diffusion_is_thermal:
        raise MethodError(f"Langer's rate needs detailed balance, and diffusion= is independent of mobility; {remedy}")
    if dynamics.force is not None:
        raise MethodError(f"Langer's rate needs detailed balance, which a force= that does work breaks; {remedy}")
    if not dynamics.temperature:
        raise MethodError("at temperature 0 no barrier is ever crossed; give a positive temperature")


def _by_langer(
    dynamics: Langevin, landscape: Landscape, minima: tuple[StationaryPoint, ...], links: tuple[Connection, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rates between minima and the harmonic weights."""
    temperature = float(dynamics.temperature or 0.0)
    rates = np.zeros((len(minima), len(minima)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        for link in links:
            if link.ends[0] == link.ends[1]:
                continue
            values = dynamics.mobility.evaluate(link.saddle.position, dynamics.landscape.parameters)
            mobility = np.diag(values) if dynamics.mobility.kind == "vector" else values
            for start, end in (link.ends, link.ends[::-1]):
                rates[end, start] += float(
                    langer.rate(landscape, minima[start], link.saddle, temperature=temperature, mobility=mobility)
                )
    shallow = sum(height <= temperature for height in lowest_barriers(minima, links).values())
    if shallow:
        warnings.warn(
            f"{shallow} of the {len(minima)} minima have a barrier that is not above T = {temperature:g}: the condition"
            ' T ≪ ΔL is violated and rates out of them are poor; use rates="committor" with the deeper minima=',
            ValidityWarning,
            stacklevel=3,
        )
    logarithms = np.array([-m.value / temperature - 0.5 * np.sum(np.log(m.eigenvalues)) for m in minima])
    weights = np.exp(logarithms - logarithms.max())
    weights /= weights.sum()
    return _closed(rates), weights


def _closed(rates: np.ndarray) -> np.ndarray:
    """Return rates with the diagonal that makes columns sum to zero."""
    return rates - np.diag(rates.sum(axis=0))


def _graded_rates(fluxes: ArrayLike, overlaps: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of F c = λ M c for symmetric fluxes, as squared singular values of DΛ⁻ᵀ with M = ΛΛᵀ.

    Row (i, j) of D is √F_ij (e_i − e_j). Jacobi's method with pivoting (LAPACK's dgejsv) keeps the relative accuracy of
    matrices that rows and columns of very different sizes make singular only in appearance.
    """
    from scipy.linalg import solve_triangular
    from scipy.linalg.lapack import dgejsv

    flux = np.asarray(fluxes)
    n = len(flux)
    first, second = np.triu_indices(n, 1)
    differences = np.zeros((max(len(first), n), n))
    rows = np.arange(len(first))
    root = np.sqrt((flux[first, second] + flux[second, first]) / 2.0)
    differences[rows, first], differences[rows, second] = root, -root
    factor = np.linalg.cholesky(overlaps)
    scaled = solve_triangular(factor, differences.T, lower=True).T
    values, _, _, work, _, _ = dgejsv(scaled, joba=2, jobu=3, jobv=3, jobr=0, jobt=0, jobp=0)
    singular = np.sort(values * work[0] / work[1])
    return np.concatenate([[0.0], singular[1:] ** 2])
