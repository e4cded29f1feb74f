"""A diffusion on the line and its coefficients: thermal motion, noise of its own in a convention, or a Langevin."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics import Langevin
from fpsolver.dynamics.langevin import CONVENTIONS
from fpsolver.errors import TheoryError, suggest
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.conditions import positive
from fpsolver.theory.panels import Floats

Function = Callable[[Floats], Any]

# Weight of each convention's point of evaluation between the ends of a step.
WEIGHTS = dict(zip(CONVENTIONS, (0.0, 0.5, 1.0), strict=True))


@dataclass(frozen=True)
class LineDiffusion:
    """A diffusion on the line, dx = b(x) dt + √(2D(x)) dW in a convention; made by `thermal`, `driven_by` or `of`.

    Parameters
    ----------
    diffusion : callable
        D at an array of positions.
    weight : float
        α = 0, 1/2 or 1: the Itô drift is b + αD'.
    exponent : callable, optional
        Φ(x) = −∫ b/D dx where it is known in closed form.
    slope : callable, optional
        Φ'(x) = −b/D where it is not; it is integrated numerically.
    domain : tuple of float
        Where the coefficients are known.
    """

    diffusion: Function
    weight: float
    exponent: Function | None = None
    slope: Function | None = None
    domain: tuple[float, float] = (-math.inf, math.inf)


def thermal(landscape: Landscape, *, temperature: float, mobility: float | Function = 1.0) -> LineDiffusion:
    """Return the motion in a landscape that keeps detailed balance: D = Tμ(x), drift −μL' + T μ' (klimontovich).

    Parameters
    ----------
    landscape : Landscape
        In one variable.
    temperature : float
        T in units of loss.
    mobility : float or callable
        μ, or a function of an array of positions.
    """
    temperature = positive("temperature", temperature)
    _one_variable(landscape)
    mu = _function("mobility", mobility)
    return LineDiffusion(
        diffusion=lambda x: temperature * mu(x),
        weight=1.0,
        exponent=lambda x: landscape.value(x[..., None]) / temperature,
        domain=landscape.domain[0],
    )


def driven_by(
    drift: Landscape | Function, *, diffusion: float | Function, convention: str, mobility: float | Function = 1.0
) -> LineDiffusion:
    """Return dx = b(x) dt + √(2D(x)) dW with noise that is independent of the drift.

    Parameters
    ----------
    drift : Landscape or callable
        b(x), or a landscape in one variable for b = −μL'.
    diffusion : float or callable
        D(x) > 0.
    convention : {"ito", "stratonovich", "klimontovich"}
        Of the noise. It does not matter where D is constant.
    mobility : float or callable
        μ(x), with a landscape.
    """
    if convention not in WEIGHTS:
        raise TheoryError(
            f"convention = {convention!r} is not one of {', '.join(CONVENTIONS)}{suggest(str(convention), CONVENTIONS)}"
        )
    noise = _function("diffusion", diffusion)
    domain = (-math.inf, math.inf)
    if isinstance(drift, Landscape):
        landscape, mu = drift, _function("mobility", mobility)
        _one_variable(landscape)
        domain = landscape.domain[0]
        if not callable(diffusion) and not callable(mobility):
            ratio = float(mobility) / positive("diffusion", diffusion)
            exponent = lambda x: ratio * landscape.value(x[..., None])  # noqa: E731
            return LineDiffusion(noise, WEIGHTS[convention], exponent=exponent, domain=domain)

        def slope(x: Floats) -> Floats:
            return mu(x) * landscape.gradient(x[..., None])[..., 0] / noise(x)

        return LineDiffusion(noise, WEIGHTS[convention], slope=slope, domain=domain)
    b = _function("drift", drift)
    return LineDiffusion(noise, WEIGHTS[convention], slope=lambda x: -b(x) / noise(x))


def of(dynamics: Langevin) -> LineDiffusion:
    """Return the diffusion that a one-dimensional, undriven `fpsolver.Langevin` describes.

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.1)
    >>> round(float(fp.theory.first_passage.mean_time(of(dynamics), -1.0, 1.0)), 6)
    66.268626
    """
    landscape = dynamics.landscape
    _one_variable(landscape)
    if dynamics.protocol:
        raise TheoryError("the dynamics is driven: the quadratures hold for coefficients that do not depend on time")

    def evaluated(name: str) -> Function:
        coefficient = getattr(dynamics, name)
        return lambda x: np.asarray(
            coefficient.diagonal(np.asarray(x)[..., None], landscape.parameters)[..., 0], dtype=float
        )

    mu = evaluated("mobility")
    thermal_noise = dynamics.diffusion is None
    noise = (lambda x: dynamics.temperature * mu(x)) if thermal_noise else evaluated("diffusion")
    weight = 1.0 if thermal_noise else WEIGHTS[dynamics.convention or "ito"]
    if dynamics.force is None and thermal_noise:
        return thermal(landscape, temperature=float(dynamics.temperature), mobility=mu)  # type: ignore[arg-type]

    def slope(x: Floats) -> Floats:
        push = -landscape.gradient(x[..., None])[..., 0]
        if dynamics.force is not None:
            push = push + dynamics.force.evaluate(x[..., None], landscape.parameters)[..., 0]
        return np.asarray(-mu(x) * push / noise(x))

    return LineDiffusion(noise, weight, slope=slope, domain=landscape.domain[0])


def positive_diffusion(process: LineDiffusion, x: Floats) -> Floats:
    """Return D at positions, or raise `TheoryError` where it is not positive."""
    noise = np.broadcast_to(np.asarray(process.diffusion(x), dtype=float), x.shape)
    if not (np.isfinite(noise).all() and np.all(noise > 0.0)):
        worst = x[~(np.isfinite(noise) & (noise > 0.0))][0]
        raise TheoryError(f"the diffusion is not positive at x = {worst:g}: the quadrature needs D > 0 on the way")
    return noise


def _function(name: str, value: float | Function) -> Callable[[Floats], Floats]:
    if callable(value):
        return lambda x: np.asarray(value(x), dtype=float)
    number = float(value) if name == "drift" else positive(name, value)
    return lambda x: np.full(np.shape(x), number)


def _one_variable(landscape: Landscape) -> None:
    if landscape.dimension != 1:
        raise TheoryError(f"the quadratures are one-dimensional; the landscape has {landscape.dimension} variables")
