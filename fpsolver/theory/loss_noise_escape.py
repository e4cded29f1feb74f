"""Escape of SGD under noise in proportion to the loss, C = 2hL/B: a power of the loss ratio, not an exponential.

Times are learning times t = η·steps. With φ = B/(ηh) the motion is that in the landscape ln L at temperature 1/φ, seen
through a clock that runs with the loss.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.anharmonic import minimum_coefficient, saddle_coefficient
from fpsolver.theory.barrier import Barrier
from fpsolver.theory.conditions import exponent_parameter, exponential, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.kramers import KRAMERS, overdamped_rate
from fpsolver.theory.sgd_noise import rates

MORI = "T. Mori, L. Ziyin, K. Liu, M. Ueda, ICML 2022 (Power-law escape rate of SGD)"
_ASSUMPTIONS = ("C = 2hL/B with constant h", "ito", "η/B → 0")


def power_law_exponent(*, learning_rate: float, batch_size: float, curvature: float, dimension: int = 1) -> Estimate:
    """Return B/(ηh) + 1 − n/2, the power of L_s/L* in the escape time under noise in proportion to the loss.

    Parameters
    ----------
    learning_rate, batch_size
        η and B.
    curvature : float
        h in the noise covariance C = 2hL/B.
    dimension : int
        Number n of directions that carry noise.

    Notes
    -----
    Mori et al. 2022; B/(ηh) + 1/2 in one dimension.
    """
    eta, batch = rates(learning_rate, batch_size)
    power = batch / (eta * positive("curvature", curvature))
    if not (isinstance(dimension, int) and dimension >= 1):
        raise TheoryError(f"dimension = {dimension!r} must be a positive integer")
    return Estimate(power + 1.0 - dimension / 2.0, _ASSUMPTIONS, 1.0 / power, MORI)


def loss_noise_time(
    barrier: Barrier,
    *,
    loss_at_minimum: float,
    learning_rate: float,
    batch_size: float,
    curvature: float | None = None,
) -> Estimate:
    """Return τ = 2π/√(L''_a |L''_b|) (L_s/L*)^{B/(ηh) + 1/2}, the power law in one dimension.

    Parameters
    ----------
    barrier : Barrier
        ΔL and curvatures; L_s = L* + ΔL.
    loss_at_minimum : float
        L* > 0: where the loss vanishes so does the noise, and nothing escapes.
    learning_rate, batch_size
        η and B.
    curvature : float, optional
        h in C = 2hL/B, constant; by default L''_a.

    Returns
    -------
    Estimate
        Mean learning time across the barrier; `error_scale` is 1/[φ ln(L_s/L*)] with φ = B/(ηh).

    Notes
    -----
    Laplace's method on τ = φ ∫L^φ dy ∫L^{−φ−1} dz, which is exact in the Itô convention. The power law is Mori et al.
    2022.
    """
    power, logarithm = _power(barrier, loss_at_minimum, learning_rate, batch_size, curvature)
    scale = exponent_parameter(logarithm * power)
    prefactor = 2.0 * math.pi / math.sqrt(-barrier.minimum_curvature * barrier.saddle_curvature)
    return Estimate(prefactor * exponential((power + 0.5) * logarithm), _ASSUMPTIONS, scale, MORI)


def corrected_loss_noise_time(
    barrier: Barrier,
    *,
    loss_at_minimum: float,
    learning_rate: float,
    batch_size: float,
    curvature: float | None = None,
) -> Estimate:
    """Return `loss_noise_time` × √(φ/(φ + 1)) [1 + c_a/(φ + 1) + c_b/φ], with the first correction in 1/φ.

    Parameters
    ----------
    barrier : Barrier
        With its third and fourth derivatives.
    loss_at_minimum, learning_rate, batch_size, curvature
        As for `loss_noise_time`.

    Returns
    -------
    Estimate
        Mean learning time across the barrier; `error_scale` is 1/[φ ln(L_s/L*)]².

    Notes
    -----
    c_a and c_b are the anharmonic coefficients of `fpsolver.theory.anharmonic`, for ln L in place of L.
    """
    numbers = {"learning_rate": learning_rate, "batch_size": batch_size, "curvature": curvature}
    lead = loss_noise_time(barrier, loss_at_minimum=loss_at_minimum, **numbers)  # type: ignore[arg-type]
    power, logarithm = _power(barrier, loss_at_minimum, learning_rate, batch_size, curvature)
    low, high = loss_at_minimum, loss_at_minimum + barrier.height
    of_logarithm = Barrier(
        height=logarithm,
        minimum_curvature=barrier.minimum_curvature / low,
        saddle_curvature=barrier.saddle_curvature / high,
        minimum_derivatives=_of_logarithm(barrier, "minimum_derivatives", barrier.minimum_curvature / low, low),
        saddle_derivatives=_of_logarithm(barrier, "saddle_derivatives", barrier.saddle_curvature / high, high),
    )
    correction = minimum_coefficient(of_logarithm) / (power + 1.0) + saddle_coefficient(of_logarithm) / power
    value = lead.value * math.sqrt(power / (power + 1.0)) * (1.0 + correction)
    return Estimate(value, (*lead.assumptions, "smooth at minimum and top"), lead.error_scale**2, MORI)


def loss_noise_time_if_exponential(
    barrier: Barrier, *, loss_at_minimum: float, learning_rate: float, batch_size: float, curvature: float | None = None
) -> Estimate:
    """Return τ = 2π/√(L''_a |L''_b|) e^{BΔL/(ηhL*)}, what Kramers' law gives with the noise frozen at the minimum.

    Parameters
    ----------
    barrier, loss_at_minimum, learning_rate, batch_size, curvature
        As for `loss_noise_time`.

    Returns
    -------
    Estimate
        An overestimate: noise grows on the way up, and the true time is a power of L_s/L*.
    """
    eta, batch = rates(learning_rate, batch_size)
    lowest = positive("loss_at_minimum", loss_at_minimum, "noise in proportion to the loss needs L* > 0")
    h = barrier.minimum_curvature if curvature is None else positive("curvature", curvature)
    k = overdamped_rate(barrier, temperature=eta * h * lowest / batch)
    return Estimate(1.0 / k.value, ("ΔL ≪ L*", *k.assumptions), barrier.height / lowest, f"{KRAMERS}, with D = ηhL*/B")


def _power(
    barrier: Barrier, loss_at_minimum: float, learning_rate: float, batch_size: float, curvature: float | None
) -> tuple[float, float]:
    """Return φ = B/(ηh) and ln(L_s/L*)."""
    eta, batch = rates(learning_rate, batch_size)
    lowest = positive("loss_at_minimum", loss_at_minimum, "noise in proportion to the loss needs L* > 0")
    h = barrier.minimum_curvature if curvature is None else positive("curvature", curvature)
    return batch / (eta * h), math.log1p(barrier.height / lowest)


def _of_logarithm(barrier: Barrier, name: str, curvature: float, loss: float) -> tuple[float, float]:
    """Return third and fourth derivative of ln L at a stationary point."""
    third, fourth = barrier.needed(name, "the correction in 1/φ")
    return third / loss, fourth / loss - 3.0 * curvature**2
