"""Lower bounds of a loss and of its curvature, for jumps whose rates must be bounded.

Of quadratic landscapes they are known; of others they are looked for, by descent from many places, and are no proof:
simulations watch whether they hold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolver.landscapes import Landscape
from fpsolver.landscapes.quadratic_forms import quadratic_form

STARTS = 48
"""Places from which minima are looked for."""
RADII = (1e-2, 1e2)
"""Distances from the origin at which places are chosen, where the landscape has no domain."""
PROBES = 4096
"""Places at which the curvature is looked at."""
FAR = 1e12
"""A loss below minus this times its size near the origin has no lower bound."""
MARGIN = 1e-6
"""Share by which bounds that were found are lowered."""


def least_loss(landscape: Landscape) -> float | None:
    """Return a lower bound of the loss, or None where it seems to have none."""
    form = quadratic_form(landscape)
    if form is not None:
        values, vectors = np.linalg.eigh(form.hessian)
        slope = vectors.T @ form.slope
        flat = values <= 1e-14 * np.abs(values).max(initial=0.0)
        if (values < -1e-14 * np.abs(values).max(initial=0.0)).any() or slope[flat].any():
            return None
        least = form.constant - 0.5 * float(np.sum(slope[~flat] ** 2 / values[~flat]))
        return least - MARGIN * max(1e-3, abs(least))
    return _found_minimum(landscape)


def _found_minimum(landscape: Landscape) -> float | None:
    from scipy.optimize import minimize

    points = _places(landscape, STARTS)
    values = landscape.value(points)
    usual = float(np.median(np.abs(values[np.isfinite(values)]))) if np.isfinite(values).any() else 1.0
    best = np.inf
    with np.errstate(all="ignore"):
        for point in points[np.argsort(values)]:
            found = minimize(
                lambda x: float(landscape.value(x)),
                point,
                jac=lambda x: np.asarray(landscape.gradient(x), dtype=float),
                method="L-BFGS-B",
                bounds=_bounds(landscape),
            )
            if not np.isfinite(found.fun) or found.fun < -FAR * max(usual, 1.0):
                return None
            best = min(best, float(found.fun))
    return best - MARGIN * max(1e-3, abs(best))


def least_curvature(landscape: Landscape) -> float | None:
    """Return a lower bound of the smallest eigenvalue of the Hessian, or None where it seems to have none."""
    form = quadratic_form(landscape)
    if form is not None:
        lowest = float(np.linalg.eigvalsh(form.hessian)[0])
        return lowest - 1e-12 * float(np.abs(form.hessian).max(initial=0.0))
    points = _places(landscape, PROBES)
    with np.errstate(all="ignore"):
        try:
            curvatures = np.linalg.eigvalsh(landscape.hessian(points))[:, 0]
        except np.linalg.LinAlgError:
            return None
    if not np.isfinite(curvatures).all():
        return None
    size = np.linalg.norm(points, axis=1)
    if not _domain_is_finite(landscape) and size[np.argmin(curvatures)] > 0.5 * RADII[1]:
        return None  # it falls further and further outwards
    lowest = _polished(landscape, points[np.argsort(curvatures)[:4]])
    return lowest - 1e-3 * abs(lowest) - MARGIN


def _polished(landscape: Landscape, points: NDArray[np.float64]) -> float:
    from scipy.optimize import minimize

    def curvature(x: NDArray[np.float64]) -> float:
        return float(np.linalg.eigvalsh(landscape.hessian(x))[0])

    return min(float(minimize(curvature, point, method="Nelder-Mead").fun) for point in points)


def _places(landscape: Landscape, number: int) -> NDArray[np.float64]:
    """Return points: in the domain where there is one, else around the origin at distances of all sizes."""
    rng = np.random.default_rng(20)
    d = landscape.dimension
    if _domain_is_finite(landscape):
        lower, upper = np.array(landscape.domain).T
        return lower + rng.random((number, d)) * (upper - lower)
    directions = rng.standard_normal((number, d))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * np.geomspace(*RADII, number)[:, None]


def _domain_is_finite(landscape: Landscape) -> bool:
    return bool(np.isfinite(np.array(landscape.domain)).all())


def _bounds(landscape: Landscape) -> list[tuple[float | None, float | None]]:
    return [tuple(end if np.isfinite(end) else None for end in pair) for pair in landscape.domain]  # type: ignore[misc]
