"""Checks that the closed forms share: positive or finite numbers, and warnings where a small parameter is not small."""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError, ValidityWarning

LARGEST_EXPONENT = 700.0


def positive(name: str, value: float, meaning: str = "") -> float:
    """Return a number that has to be positive and finite.

    Raises
    ------
    TheoryError
        If it is not.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TheoryError(f"{name} must be a positive number, not {value!r}") from None
    if not (math.isfinite(number) and number > 0.0):
        raise TheoryError(f"{name} = {value!r} must be positive and finite{': ' + meaning if meaning else ''}")
    return number


def not_negative(name: str, value: float, meaning: str = "") -> float:
    """Return a number that has to be zero or positive, and finite; raises `TheoryError` otherwise."""
    if isinstance(value, int | float) and value == 0:
        return 0.0
    return positive(name, value, meaning)


def finite(name: str, values: ArrayLike) -> np.ndarray:
    """Return an array of numbers that all have to be finite, of any shape; raises `TheoryError` otherwise."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise TheoryError(f"{name} must be a number or an array of numbers, not {values!r}") from None
    if not np.isfinite(array).all():
        raise TheoryError(f"{name} = {array.tolist()} must be finite throughout: take out infinities and NaN")
    return array


def whole_number(name: str, value: int, least: int = 1) -> int:
    """Return an integer that has to be at least so large; raises `TheoryError` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise TheoryError(f"{name} = {value!r} must be an integer of at least {least}")
    return value


def exponential(exponent: float, name: str = "the exponent of the escape time") -> float:
    """Return e^x with x = ±ΔL/T of an escape rate or time, or another exponent that has a name.

    Raises
    ------
    TheoryError
        If it is beyond floating point, |x| > 700, or no number.
    """
    if not abs(exponent) <= LARGEST_EXPONENT:
        raise TheoryError(
            f"{name} is {abs(exponent):.4g}, which has to be a number up to {LARGEST_EXPONENT:g}: its exponential is "
            "beyond floating point; raise the temperature or the noise, or compare exponents"
        )
    return math.exp(exponent)


def barrier_parameter(height: float, temperature: float) -> float:
    """Return T/ΔL, the parameter that makes escape a rare event, and warn where it is not below one.

    Warns
    -----
    ValidityWarning
        If T ≥ ΔL: the state in the well does not live long enough to have a rate.
    """
    ratio = temperature / height
    if ratio >= 1.0:
        _warn(
            f"T = {temperature:g} is not below the barrier ΔL = {height:g}: the condition T ≪ ΔL is violated and "
            "escape has no rate; use the exact quadrature of fpsolver.theory.first_passage"
        )
    return ratio


def exponent_parameter(exponent: float) -> float:
    """Return one over the exponent of an escape time, and warn where that is not below one (`ValidityWarning`)."""
    if exponent <= 1.0:
        _warn(
            f"the exponent of the escape time is {exponent:.3g}: the condition that it is large is violated, and "
            "escape has no rate; use the exact quadrature of fpsolver.theory.first_passage"
        )
    return 1.0 / exponent


def strong_friction(friction: float, barrier_frequency: float) -> float:
    """Return (ω_b/γ)², the parameter of the overdamped limit, and warn where it is not below one.

    Warns
    -----
    ValidityWarning
        If γ ≤ ω_b.
    """
    ratio = (barrier_frequency / friction) ** 2
    if ratio >= 1.0:
        _warn(
            f"friction γ = {friction:g} (a rate) is not above the barrier frequency ω_b = {barrier_frequency:g}: the "
            "condition γ ≫ ω_b of the overdamped formula is violated; use kramers.intermediate_rate, or turnover"
        )
    return ratio


def energy_loss_parameter(loss: float) -> float:
    """Return exp(−δ), the parameter of spatial diffusion, and warn where the well is not thermalised.

    Warns
    -----
    ValidityWarning
        If the energy lost per round trip is below the temperature, δ < 1.
    """
    if loss < 1.0:
        _warn(
            f"the energy lost in one round trip is δ = {loss:.3g} T: the condition δ ≫ 1, that the well stays "
            "thermalised, is violated at this friction; use fpsolver.theory.turnover"
        )
    return math.exp(-loss)


def _warn(message: str) -> None:
    warnings.warn(message, ValidityWarning, stacklevel=4)
