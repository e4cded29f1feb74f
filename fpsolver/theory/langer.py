"""Langer's escape rate over a saddle in any number of dimensions, with the Hessian determinants.

Friction γ is a **rate** (or a matrix of rates), dv = −m⁻¹∇L dt − γv dt + …; overdamped motion has the mobility μ.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolver.errors import TheoryError
from fpsolver.landscapes.critical_points import StationaryPoint, describe
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.barrier import check_height
from fpsolver.theory.conditions import barrier_parameter, positive
from fpsolver.theory.estimate import Estimate

LANGER = "J. S. Langer, Ann. Phys. 54, 258 (1969)"
BOVIER = "A. Bovier, M. Eckhoff, V. Gayrard, M. Klein, J. Eur. Math. Soc. 6, 399 (2004), theorem 3.2"

# A Newton step longer than this fraction of the distance between the points means that one is not stationary.
_STATIONARY = 1e-5

Floats = NDArray[np.float64]


def rate(
    landscape: Landscape,
    minimum: StationaryPoint | ArrayLike,
    saddle: StationaryPoint | ArrayLike,
    *,
    temperature: float,
    mobility: float | ArrayLike = 1.0,
) -> Estimate:
    """Return k = (κ/2π) √(det H_a/|det H_b|) e^{−ΔL/T} for overdamped motion.

    Parameters
    ----------
    landscape : Landscape
        In any number d of variables.
    minimum, saddle : StationaryPoint or array_like (d,)
        As `fpsolver.landscapes.minima` and `saddles` find them.
    temperature : float
        T in units of loss.
    mobility : float or array_like (d, d)
        Mobility μ, or a symmetric positive definite matrix M with D = T·M. If it depends on θ: its value at the saddle.

    Returns
    -------
    Estimate
        Escapes per unit time; κ is the positive eigenvalue of −M H_b, and `error_scale` is T/ΔL. Below 1e-308 it is
        zero, as networks of minima need it.

    Raises
    ------
    TheoryError
        If a point is not stationary, the minimum not a minimum, the saddle not of index one, the barrier not above the
        minimum, or the mobility not positive definite.

    Notes
    -----
    Langer 1969; Bovier et al. 2004 prove it for M = 1 with error O(√T |ln T|^{3/2}).

    Examples
    --------
    The slowest rate of a double well whose valley is twice as stiff at the minima as at the saddle:

    >>> from fpsolver.landscapes import coupled_double_well
    >>> round(2 * float(rate(coupled_double_well(3.0), [-1, 0], [0, 0], temperature=0.1)), 9)
    0.073902464
    """
    temperature = positive("temperature", temperature)
    a, b, height = _ends(landscape, minimum, saddle)
    mobilities = _definite("mobility", mobility, landscape.dimension)
    # −M H has the spectrum of the symmetric −M^{1/2} H M^{1/2}.
    root = np.linalg.cholesky(mobilities)
    growth = float(-np.linalg.eigvalsh(root.T @ _hessian(b) @ root)[0])
    scale = barrier_parameter(height, temperature)
    value = growth / (2.0 * math.pi) * determinant_ratio(a, b) * math.exp(-height / temperature)
    return Estimate(value, ("T ≪ ΔL", "overdamped motion", "non-degenerate Hessians"), scale, f"{LANGER}; {BOVIER}")


def rate_without_entropy(
    landscape: Landscape,
    minimum: StationaryPoint | ArrayLike,
    saddle: StationaryPoint | ArrayLike,
    *,
    temperature: float,
    mobility: float | ArrayLike = 1.0,
) -> Estimate:
    """Return k = (κ/2π) √(k_a/|λ_b|) e^{−ΔL/T}: Kramers' rate of the motion along the path, as if it had no width.

    It misses `rate` by the factor e^{ΔS} of the activation entropy, by which the valley is wider at the saddle than at
    the minimum, in every direction but that of the path.

    Parameters
    ----------
    landscape, minimum, saddle, temperature, mobility
        As for `rate`.

    Returns
    -------
    Estimate
        Escapes per unit time, with k_a the stiffness at the minimum as in `activation_entropy`.

    Raises
    ------
    TheoryError
        As for `rate`.

    Examples
    --------
    The slowest rate of this double well is twice as large, since the valley is half as stiff at its saddle:

    >>> from fpsolver.landscapes import coupled_double_well
    >>> round(2 * float(rate_without_entropy(coupled_double_well(3.0), [-1, 0], [0, 0], temperature=0.1)), 9)
    0.036951232
    """
    whole = rate(landscape, minimum, saddle, temperature=temperature, mobility=mobility)
    narrower = math.exp(-float(activation_entropy(landscape, minimum, saddle)))
    assumptions = (*whole.assumptions, "a valley as wide at the saddle as at the minimum")
    return Estimate(float(whole) * narrower, assumptions, whole.error_scale, "H. A. Kramers, Physica 7, 284 (1940)")


def underdamped_rate(
    landscape: Landscape,
    minimum: StationaryPoint | ArrayLike,
    saddle: StationaryPoint | ArrayLike,
    *,
    temperature: float,
    friction: float | ArrayLike,
    mass: float | ArrayLike = 1.0,
) -> Estimate:
    """Return k = (κ/2π) √(det H_a/|det H_b|) e^{−ΔL/T} with κ the growth rate of the motion at the saddle.

    Parameters
    ----------
    landscape, minimum, saddle, temperature
        As for `rate`.
    friction : float or array_like (d, d)
        Rate γ, or matrix Γ of rates with mΓ symmetric positive definite; κ² v + Γκ v + m⁻¹H_b v = 0. For one γ and
        one mass κ = √(γ²/4 + |λ_b|/m) − γ/2, with λ_b the negative eigenvalue of H_b.
    mass : float or array_like (d,)
        Mass m, one or one a variable.

    Returns
    -------
    Estimate
        Escapes per unit time, for wells that stay thermalised (no weak friction).

    Raises
    ------
    TheoryError
        As for `rate`.

    Notes
    -----
    Langer 1969; Hänggi, Talkner, Borkovec, Rev. Mod. Phys. 62, 251 (1990), section IV.
    """
    temperature = positive("temperature", temperature)
    a, b, height = _ends(landscape, minimum, saddle)
    d = landscape.dimension
    masses = np.broadcast_to(np.asarray(mass, dtype=float), (d,))
    for m in masses:
        positive("mass", float(m))
    coefficient = np.asarray(friction, dtype=float)
    rates = coefficient * np.eye(d) if coefficient.ndim == 0 else coefficient
    _definite("mass times friction", masses[:, None] * rates, d)
    linear = np.block([[np.zeros((d, d)), np.eye(d)], [-_hessian(b) / masses[:, None], -rates]])
    growth = float(np.max(np.linalg.eigvals(linear).real))
    scale = barrier_parameter(height, temperature)
    value = growth / (2.0 * math.pi) * determinant_ratio(a, b) * math.exp(-height / temperature)
    assumptions = ("T ≪ ΔL", "the well stays thermalised", "non-degenerate Hessians")
    return Estimate(value, assumptions, scale, LANGER)


def determinant_ratio(minimum: StationaryPoint, saddle: StationaryPoint) -> float:
    """Return √(det H_a/|det H_b|), by way of logarithms so that many dimensions do not overflow."""
    logs = np.sum(np.log(minimum.eigenvalues)) - np.sum(np.log(np.abs(saddle.eigenvalues)))
    return float(np.exp(0.5 * logs))


def activation_entropy(
    landscape: Landscape, minimum: StationaryPoint | ArrayLike, saddle: StationaryPoint | ArrayLike
) -> Estimate:
    """Return ΔS = ½ ln(det H_a |λ_b|/(|det H_b| k_a)): how much wider the valley is at the saddle than at the minimum.

    k_a = 1/(uᵀH_a⁻¹u) is the stiffness at the minimum along the unstable direction u of the saddle, so that a rate is
    e^{ΔS} times the one-dimensional one with curvatures k_a and λ_b.

    Parameters
    ----------
    landscape, minimum, saddle
        As for `rate`.

    Returns
    -------
    Estimate
        Entropy with k_B = 1; ln(ω_a/ω_b) where one transverse frequency goes from ω_a to ω_b.

    Examples
    --------
    >>> from fpsolver.landscapes import coupled_double_well
    >>> round(math.exp(float(activation_entropy(coupled_double_well(3.0), [-1, 0], [0, 0]))), 12)
    2.0
    """
    a, b, _ = _ends(landscape, minimum, saddle)
    direction = b.eigenvectors[:, 0]
    along = direction @ np.linalg.solve(_hessian(a), direction)
    value = math.log(determinant_ratio(a, b)) + 0.5 * math.log(-b.eigenvalues[0] * along)
    return Estimate(value, ("harmonic at both ends",), 0.0, f"{LANGER}; G. H. Vineyard, J. Phys. Chem. Solids 3, 121")


def _ends(landscape: Landscape, minimum: Any, saddle: Any) -> tuple[StationaryPoint, StationaryPoint, float]:
    a, b = _point(landscape, "minimum", minimum), _point(landscape, "saddle", saddle)
    distance = float(np.linalg.norm(a.position - b.position))
    for name, point in (("minimum", a), ("saddle", b)):
        if point.degenerate or not np.isfinite(point.eigenvalues).all():
            raise TheoryError(
                f"the Hessian at the {name} {point.position.tolist()} is degenerate, eigenvalues "
                f"{point.eigenvalues.tolist()}: Langer's rate needs isolated points"
            )
        if point.gradient_norm > _STATIONARY * np.abs(point.eigenvalues).min() * distance:
            raise TheoryError(
                f"the {name} {point.position.tolist()} is not stationary: |∇L| = {point.gradient_norm:.3g}; "
                "take it from landscapes.minima or landscapes.saddles"
            )
    if a.index != 0:
        raise TheoryError(f"curvatures {a.eigenvalues.tolist()} at the minimum {a.position.tolist()}: one is negative")
    if b.index != 1:
        raise TheoryError(
            f"the saddle {b.position.tolist()} has {b.index} negative curvatures {b.eigenvalues.tolist()}; a barrier "
            "has one"
        )
    check_height(b.value - a.value)
    return a, b, b.value - a.value


def _point(landscape: Landscape, name: str, point: Any) -> StationaryPoint:
    position = np.atleast_1d(np.asarray(getattr(point, "position", point), dtype=float))
    if position.shape != (landscape.dimension,) or not np.isfinite(position).all():
        raise TheoryError(f"the {name} {point!r} must have {landscape.dimension} finite coordinates")
    return describe(landscape, position)


def _hessian(point: StationaryPoint) -> Floats:
    return np.asarray((point.eigenvectors * point.eigenvalues) @ point.eigenvectors.T)


def _definite(name: str, value: Any, dimension: int) -> Floats:
    matrix = np.asarray(value, dtype=float)
    matrix = matrix * np.eye(dimension) if matrix.ndim == 0 else matrix
    if matrix.shape != (dimension, dimension):
        raise TheoryError(f"{name} must be a number or a matrix of {dimension} × {dimension}, not {value!r}")
    if not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0.0) or np.linalg.eigvalsh(matrix)[0] <= 0.0:
        raise TheoryError(f"{name} = {value!r} must be symmetric and positive definite")
    return matrix
