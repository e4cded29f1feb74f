"""Slow driving: the friction coefficient ζ(λ), thermodynamic length, and excess work to leading order in 1/t_f.

W − ΔF = ∫ ζ(λ) λ̇² dt + O(1/t_f²) with ζ = (1/T) ∫₀^∞ ⟨δX(t) δX(0)⟩ dt, X = ∂L/∂λ, in equilibrium at λ. It is least,
(∫√ζ dλ)²/t_f, where √ζ λ̇ is constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.panels import Panels, resolve

_SOURCE = "D. A. Sivak, G. E. Crooks, Phys. Rev. Lett. 108, 190602 (2012)"

Friction = Callable[[np.ndarray], Any]


def stiffness_friction(stiffness: Any, *, temperature: float = 1.0, mobility: float = 1.0) -> Any:
    """Return ζ(k) = T/(4μk³) of the stiffness of a harmonic trap.

    Parameters
    ----------
    stiffness : array_like
        k.
    temperature, mobility : float
        T and μ.
    """
    return positive("temperature", temperature) / (4.0 * positive("mobility", mobility) * np.asarray(stiffness) ** 3)


def centre_friction(centre: Any, *, mobility: float = 1.0) -> Any:
    """Return ζ = 1/μ of the centre of a harmonic trap, whatever its stiffness and the temperature.

    Parameters
    ----------
    centre : array_like
        λ.
    mobility : float
        μ.
    """
    return np.full(np.shape(centre), 1.0 / positive("mobility", mobility))


def line_friction(
    landscape: Landscape, parameter: str, interval: tuple[float, float], *, temperature: float, mobility: float = 1.0
) -> Estimate:
    """Return ζ of a parameter of any landscape in one variable: (1/μT²) ∫ (∫_{−∞}^x δX π)²/π dx with π ∝ e^{−L/T}.

    It equals (1/μ) ∫ (∂_λ Π)²/π dx with Π the distribution function of π: μζ is the squared speed of the equilibrium
    state in Wasserstein distance, so that in one variable slow driving is optimal transport through equilibria.

    Parameters
    ----------
    landscape : Landscape
        In one variable, with the parameter's value set.
    parameter : str
        Its name.
    interval : (float, float)
        Where the equilibrium lives; beyond it e^{−L/T} must be negligible.
    temperature, mobility : float
        T and μ.

    Raises
    ------
    TheoryError
        If the landscape has more variables or no such parameter.

    Examples
    --------
    >>> trap = Landscape("k*x**2/2", {"k": 2.0}, ("x",))
    >>> round(float(line_friction(trap, "k", (-9.0, 9.0), temperature=1.0)), 10)
    0.03125
    """
    if landscape.dimension != 1:
        raise TheoryError(f"the landscape has {landscape.dimension} variables; this integral is for one")
    if parameter not in landscape.parameters:
        raise TheoryError(f"the landscape has no parameter {parameter!r}; it has {', '.join(landscape.parameters)}")
    thermal, lowest = positive("temperature", temperature), _lowest(landscape, interval)
    force = _conjugate(landscape, parameter)

    def functions(panels: Panels) -> list[np.ndarray]:
        at = panels.nodes[..., None]
        # Cut where it no longer counts, so that 1/π stays finite.
        exponent = np.minimum((landscape.value(at) - lowest) / thermal, 600.0)
        return [np.exp(-exponent), force(at)]

    panels = resolve(np.linspace(*interval, 33), lambda some: _scaled(functions(some)))
    weight, conjugate = functions(panels)
    total = float(panels.over_panels(weight).sum())
    mean = float(panels.over_panels(conjugate * weight).sum()) / total
    flow, _ = panels.from_left((conjugate - mean) * weight)
    back, _ = panels.from_right((conjugate - mean) * weight)
    # The flow is zero at both ends; each half takes the sum from its own end, which loses no digits in the tail.
    left = panels.from_left(weight)[0] < 0.5 * total
    value = float(panels.over_panels(np.where(left, flow, back) ** 2 / weight).sum()) / total
    value /= positive("mobility", mobility) * thermal**2
    return Estimate(value, ("overdamped", "linear response"), 0.0, _SOURCE)


def thermodynamic_length(friction: Friction, start: float, stop: float) -> Estimate:
    """Return the thermodynamic length |∫ √ζ(λ) dλ|, whose square over t_f is the least excess work of slow driving.

    Parameters
    ----------
    friction : callable
        ζ at an array of parameter values.
    start, stop : float
        Ends of the path.

    Examples
    --------
    >>> round(float(thermodynamic_length(stiffness_friction, 1.0, 2.0)) ** 2, 12)
    0.085786437627
    """
    value = _integral(friction, start, stop, power=0.5)
    return Estimate(abs(value), ("linear response",), 0.0, _SOURCE)


def slow_excess_work(
    friction: Friction, start: float, stop: float, duration: float, *, relaxation_time: float = 0.0
) -> Estimate:
    """Return the excess work (∫√ζ dλ)²/t_f of the best slow protocol.

    Parameters
    ----------
    friction, start, stop
        As for `thermodynamic_length`.
    duration : float
        t_f.
    relaxation_time : float
        Slowest relaxation time, which over t_f is the small parameter.
    """
    length = float(thermodynamic_length(friction, start, stop))
    return _slow(length**2, duration, relaxation_time)


def slow_linear_excess_work(
    friction: Friction, start: float, stop: float, duration: float, *, relaxation_time: float = 0.0
) -> Estimate:
    """Return the excess work (λ_f − λ_i) ∫ζ dλ/t_f of a slow linear ramp.

    Parameters
    ----------
    friction, start, stop, duration, relaxation_time
        As for `slow_excess_work`.

    Examples
    --------
    >>> round(float(slow_linear_excess_work(stiffness_friction, 1.0, 2.0, 1.0)), 10)
    0.09375
    """
    return _slow((stop - start) * _integral(friction, start, stop), duration, relaxation_time)


def slow_stiffness_protocol(initial: float, final: float, duration: float) -> Callable[[Any], np.ndarray]:
    """Return the geodesic k(t) = [k_i^−½ + (k_f^−½ − k_i^−½)t/t_f]^−2 of slow driving: the width is linear in time.

    Parameters
    ----------
    initial, final : float
        k_i and k_f.
    duration : float
        t_f.
    """
    begin, end = positive("initial", initial) ** -0.5, positive("final", final) ** -0.5
    whole = positive("duration", duration)
    return lambda t: (begin + (end - begin) * np.asarray(t, dtype=float) / whole) ** -2.0


def _slow(squared: float, duration: float, relaxation_time: float) -> Estimate:
    whole = positive("duration", duration)
    return Estimate(squared / whole, ("t_f much longer than relaxation",), relaxation_time / whole, _SOURCE)


def _integral(friction: Friction, start: float, stop: float, power: float = 1.0) -> float:
    """Return the integral of a power of ζ between two values of the parameter, in either order."""
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise TheoryError(f"the ends of the path, {start!r} and {stop!r}, must be finite")
    if start == stop:
        return 0.0
    panels = resolve(np.linspace(min(start, stop), max(start, stop), 9), lambda some: [_at(friction, some) ** power])
    total = float(panels.over_panels(_at(friction, panels) ** power).sum())
    return total if stop > start else -total


def _at(friction: Friction, panels: Panels) -> np.ndarray:
    values = np.asarray(friction(panels.nodes), dtype=float)
    if not (np.isfinite(values).all() and (values >= 0.0).all()):
        raise TheoryError("the friction coefficient must be finite and not negative on the whole path")
    return values


def _lowest(landscape: Landscape, interval: tuple[float, float]) -> float:
    return float(landscape.value(np.linspace(*interval, 2001)[:, None]).min())


def _conjugate(landscape: Landscape, parameter: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return X = ∂L/∂λ as a function of points, by differences of fourth order."""
    value = landscape.parameters[parameter]
    step = 1e-3 * max(abs(value), 1.0)
    shifted = [landscape.with_parameters(**{parameter: value + n * step}) for n in (-2, -1, 1, 2)]

    def conjugate(points: np.ndarray) -> np.ndarray:
        far_below, below, above, far_above = (np.asarray(one.value(points)) for one in shifted)
        return (8.0 * (above - below) - (far_above - far_below)) / (12.0 * step)

    return conjugate


def _scaled(functions: list[np.ndarray]) -> list[np.ndarray]:
    """Return the weight and the flow's integrand, what the panels have to resolve."""
    weight, conjugate = functions
    return [weight, conjugate * weight]
