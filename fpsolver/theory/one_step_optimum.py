"""The learning rate, and the scale of proposals, that lower a quadratic loss most in one step."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import finite, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.quadratic_reactions import loss_flow

MCCANDLISH = "S. McCandlish, J. Kaplan, D. Amodei et al., arXiv:1812.06162, eqs. (2.6) to (2.9)"
QUADRATIC = ("quadratic loss", "batches with replacement")


def learning_rate(
    gradient: ArrayLike,
    hessian: ArrayLike,
    per_example_covariance: ArrayLike,
    *,
    batch_size: float,
    largest: float = math.inf,
) -> Estimate:
    """Return η* = |G|²/(GᵀHG + tr(HΣ₁)/B), which maximises −∫ρΔL, the mean fall of the loss in one step of SGD.

    Parameters
    ----------
    gradient : array_like, shape () or (d,)
        G, the gradient of the loss.
    hessian : array_like, shape () or (d, d)
        H.
    per_example_covariance : array_like, shape () or (d, d)
        Σ₁, that of the gradient of one example.
    batch_size : float
        B.
    largest : float
        Learning rates beyond are not considered.

    Raises
    ------
    TheoryError
        If the loss falls the more the larger the step, and no largest learning rate is given.

    Examples
    --------
    >>> system = ([1.0, 2.0], [[1.0, 0.0], [0.0, 3.0]], [[4.0, 0.0], [0.0, 1.0]])
    >>> round(float(learning_rate(*system, batch_size=2)), 12)
    0.30303030303
    """
    slope, bend = _parabola(gradient, hessian, per_example_covariance, batch_size)
    best = slope / bend if bend > 0.0 else math.inf
    return Estimate(_bounded(min(best, _largest(largest))), QUADRATIC, 0.0, MCCANDLISH)


def learning_rate_as_written(
    gradient: ArrayLike,
    hessian: ArrayLike,
    per_example_covariance: ArrayLike,
    *,
    batch_size: float,
    largest: float = math.inf,
) -> Estimate:
    """Return argmax ∫ρΔL over 0 ≤ η ≤ largest: with this sign the loss is raised, by the largest step or by none.

    Parameters
    ----------
    gradient, hessian, per_example_covariance, batch_size, largest
        As for `learning_rate`.

    Raises
    ------
    TheoryError
        If no largest learning rate is given: the maximum runs away.
    """
    slope, bend = _parabola(gradient, hessian, per_example_covariance, batch_size)
    last = _bounded(_largest(largest))
    raised = -last * slope + 0.5 * last**2 * bend
    return Estimate(last if raised > 0.0 else 0.0, (), 0.0, "as it circulates")


def loss_change(
    gradient: ArrayLike,
    hessian: ArrayLike,
    per_example_covariance: ArrayLike,
    *,
    batch_size: float,
    learning_rate: float,
) -> Estimate:
    """Return ∫ρΔL = −η|G|² + (η²/2)[GᵀHG + tr(HΣ₁)/B], the mean change of the loss in one step of SGD.

    Parameters
    ----------
    gradient, hessian, per_example_covariance, batch_size
        As for `learning_rate`.
    learning_rate : float
        η.

    Examples
    --------
    >>> system = ([1.0, 2.0], [[1.0, 0.0], [0.0, 3.0]], [[4.0, 0.0], [0.0, 1.0]])
    >>> round(float(loss_change(*system, batch_size=2, learning_rate=0.30303030303)), 10)
    -0.7575757576
    """
    slope, bend = _parabola(gradient, hessian, per_example_covariance, batch_size)
    eta = positive("learning_rate", learning_rate)
    return Estimate(-eta * slope + 0.5 * eta**2 * bend, QUADRATIC, 0.0, MCCANDLISH)


def noise_scale(gradient: ArrayLike, hessian: ArrayLike, per_example_covariance: ArrayLike) -> Estimate:
    """Return B_n = tr(HΣ₁)/GᵀHG, the batch size at which η* and the fall of the loss are half of their largest.

    Parameters
    ----------
    gradient, hessian, per_example_covariance
        As for `learning_rate`.

    Examples
    --------
    >>> system = ([1.0, 2.0], [[1.0, 0.0], [0.0, 3.0]], [[4.0, 0.0], [0.0, 1.0]])
    >>> round(float(noise_scale(*system)), 12)
    0.538461538462
    """
    vector, curvature, covariance = _arrays(gradient, hessian, per_example_covariance)
    along = positive("GᵀHG", float(vector @ curvature @ vector), "the curvature along the gradient")
    return Estimate(float(np.sum(curvature * covariance)) / along, QUADRATIC, 0.0, MCCANDLISH)


def proposal_scale(
    gradient: ArrayLike,
    hessian: ArrayLike,
    *,
    temperature: float,
    law: str = "half",
    largest: float = math.inf,
) -> Estimate:
    """Return the scale s of Gaussian proposals that lowers a quadratic loss fastest: argmax −∫ρΔL, by search.

    Parameters
    ----------
    gradient, hessian : array_like, shapes () or (d,), () or (d, d)
        g and H at the point, H positive definite.
    temperature : float
        T.
    law : {"half", "arrhenius"}
        Exponent of the rates.
    largest : float
        Scales beyond are not considered.

    Raises
    ------
    TheoryError
        If H is not positive definite: on a linear loss the fall Ag²s²/2T e^{s²g²/8T²} has no maximum. If no scale
        lowers the loss, close to the minimum: on a line where cg²/T ≤ h/2.

    Examples
    --------
    >>> 1.0 < float(proposal_scale(3.0, 1.0, temperature=0.5)) < 3.0
    True
    """
    from scipy.optimize import minimize_scalar

    curvature, t = np.atleast_2d(finite("hessian", hessian)), positive("temperature", temperature)
    values = np.linalg.eigvalsh(curvature)
    if law == "linearised" or values[0] <= 0.0:
        raise TheoryError(
            f"no scale is the best for curvatures {values.tolist()} with the law {law!r}: where the exponent does not "
            "curve upwards, longer updates lower the loss ever faster; give the half law and a positive definite H"
        )

    def velocity(logarithm: float) -> float:
        return float(loss_flow(gradient, curvature, temperature=t, scale=math.exp(logarithm), law=law))

    # Beyond ten widths of the thermal state around the minimum, or of the way to it, rates only fall.
    way = math.hypot(*np.atleast_1d(finite("gradient", gradient))) / values[0]
    last = math.log(min(10.0 * (way + math.sqrt(t / values[0])), _largest(largest)))
    logarithms = np.linspace(last - 12.0, last, 97)
    velocities = [velocity(one) for one in logarithms]
    start = int(np.argmin(velocities))
    if velocities[start] >= 0.0:
        raise TheoryError(
            "no scale lowers the loss: so close to the minimum the noise of updates raises it (tr H/2 = "
            f"{float(values.sum()) / 2.0:.4g}) more than the gradient lowers it; lower the temperature"
        )
    if start == len(logarithms) - 1:
        return Estimate(math.exp(last), ("quadratic loss", "Gaussian proposal"), 0.0, "own derivation")
    found = minimize_scalar(
        velocity, bounds=tuple(logarithms[[max(start - 1, 0), start + 1]]), options={"xatol": 1e-10}
    )
    return Estimate(math.exp(found.x), ("quadratic loss", "Gaussian proposal"), 0.0, "own derivation")


def _parabola(
    gradient: ArrayLike, hessian: ArrayLike, per_example_covariance: ArrayLike, batch_size: float
) -> tuple[float, float]:
    """Return |G|² and GᵀHG + tr(HΣ₁)/B."""
    vector, curvature, covariance = _arrays(gradient, hessian, per_example_covariance)
    noise = float(np.sum(curvature * covariance)) / positive("batch_size", batch_size)
    return float(vector @ vector), float(vector @ curvature @ vector) + noise


def _arrays(
    gradient: ArrayLike, hessian: ArrayLike, per_example_covariance: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vector = np.atleast_1d(finite("gradient", gradient))
    matrices = [np.atleast_2d(finite("H and Σ₁", one)) for one in (hessian, per_example_covariance)]
    for matrix in matrices:
        if matrix.shape != (vector.size, vector.size):
            raise TheoryError(f"H and Σ₁ of shape {matrix.shape} must be matrices for a gradient of {vector.size}")
    return vector, matrices[0], matrices[1]


def _largest(largest: float) -> float:
    """Return a positive number, or infinity."""
    return math.inf if largest == math.inf else positive("largest", largest)


def _bounded(value: float) -> float:
    if not math.isfinite(value):
        raise TheoryError("no learning rate is the best: the larger, the better; give largest=")
    return float(value)
