"""How the noise of SGD depends on θ, and the exponent of escape that follows: ∫ L'/D dx in place of ΔL/T."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.panels import Floats, Panels, resolve


def curvature_noise(landscape: Landscape, *, learning_rate: float, batch_size: float) -> Callable[[Floats], Floats]:
    """Return D(x) = (η/2B)|L''(x)| as a function of positions, for `first_passage.driven_by`."""
    eta, batch = rates(learning_rate, batch_size)
    return lambda x: eta / (2.0 * batch) * np.abs(landscape.hessian(np.asarray(x)[..., None])[..., 0, 0])


def loss_noise(
    landscape: Landscape, *, learning_rate: float, batch_size: float, curvature: float
) -> Callable[[Floats], Floats]:
    """Return D(x) = ηhL(x)/B as a function of positions (C = 2hL/B), for `first_passage.driven_by` with "ito"."""
    eta, batch = rates(learning_rate, batch_size)
    h = positive("curvature", curvature)
    return lambda x: eta * h / batch * np.asarray(landscape.value(np.asarray(x)[..., None]))


def noise_exponent(landscape: Landscape, diffusion: Callable[[Floats], Any], minimum: float, saddle: float) -> Estimate:
    """Return ∫ L'/D dx from a minimum to a saddle: what takes the place of ΔL/T when D depends on x.

    Parameters
    ----------
    landscape : Landscape
        In one variable.
    diffusion : callable
        D at an array of positions.
    minimum, saddle : float
        Ends of the path.

    Raises
    ------
    TheoryError
        If D vanishes on the way, as |L''| does at the inflection of a smooth landscape: the integral diverges, and the
        continuous motion cannot pass.
    """
    x = np.linspace(minimum, saddle, 2002)[1:-1]
    noise = np.asarray(diffusion(x), dtype=float)
    low = int(noise.argmin())
    # A zero between nodes shows as a local minimum that is tiny against its neighbourhood.
    if noise[low] <= 2e-3 * np.median(noise) and 0 < low < len(x) - 1:
        raise TheoryError(
            f"the diffusion vanishes near x = {x[low]:.4g} on the way to the saddle: ∫L'/D diverges there, and noise "
            "in strict proportion to the curvature never passes an inflection; add a floor to D"
        )

    def integrand(panels: Panels) -> Floats:
        at = panels.nodes
        return np.asarray(landscape.gradient(at[..., None])[..., 0] / np.asarray(diffusion(at), dtype=float))

    edges = np.linspace(min(minimum, saddle), max(minimum, saddle), 17)
    panels = resolve(edges, lambda some: [integrand(some)])
    value = float(panels.over_panels(integrand(panels)).sum()) * (1.0 if saddle > minimum else -1.0)
    return Estimate(value, ("small noise",), 1.0 / abs(value), "M. I. Freidlin, A. D. Wentzell, Random Perturbations")


def rates(learning_rate: float, batch_size: float) -> tuple[float, float]:
    """Return η and B, checked."""
    return positive("learning_rate", learning_rate), positive("batch_size", batch_size)
