"""Work on a harmonic trap whose stiffness is ramped: L = k(t) x²/2, with k linear in time from k_i to k_f.

dx = −μkx dt + √(2μT) dW. The weighted density ⟨δ(x − x_t) e^{−uW/T}⟩ stays Gaussian: its variance s and the logarithm
of its weight ψ obey ds/dt = 2μ(T − ks) − (u/T)k̇s² and dψ/dt = −(u/2T)k̇s.
"""

from __future__ import annotations

import math

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate

JARZYNSKI = "C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997), eq. (2)"
SPECK = "T. Speck, J. Phys. A 44, 305001 (2011)"


def free_energy_difference(start: float, stop: float, *, temperature: float) -> Estimate:
    """Return ΔF = (T/2) ln(k_f/k_i).

    Examples
    --------
    >>> round(float(free_energy_difference(1.0, 2.0, temperature=1.0)), 10)
    0.3465735903
    """
    ratio = positive("stop", stop) / positive("start", start)
    return Estimate(positive("temperature", temperature) * math.log(ratio) / 2.0, (), 0.0, "Gaussian integrals")


def mean_work(
    start: float,
    stop: float,
    *,
    duration: float,
    temperature: float,
    mobility: float = 1.0,
    start_variance: float | None = None,
) -> Estimate:
    """Return ⟨W⟩ = ½∫k̇⟨x²⟩dt of a linear ramp.

    Parameters
    ----------
    start, stop : float
        k_i and k_f.
    duration : float
        t_f.
    temperature, mobility : float
        T and μ.
    start_variance : float, optional
        Of a Gaussian start around zero; by default that of equilibrium, T/k_i.

    Raises
    ------
    TheoryError
        If an argument is not positive.

    Examples
    --------
    >>> round(float(mean_work(1.0, 2.0, duration=1.0, temperature=1.0)), 10)
    0.4124657985
    """
    _, work = _moments(start, stop, duration, temperature, mobility, start_variance, 0.0)
    return Estimate(work, ("Gaussian start around zero",), 0.0, SPECK)


def exponential_work(
    start: float,
    stop: float,
    *,
    duration: float,
    temperature: float,
    mobility: float = 1.0,
    start_variance: float | None = None,
    power: float = 1.0,
) -> Estimate:
    """Return ⟨e^{−uW/T}⟩ of a linear ramp, from any Gaussian start around zero; `power` is u, infinite where it is.

    From equilibrium and with u = 1 it is e^{−ΔF/T} = √(k_i/k_f) at any speed.

    Examples
    --------
    >>> round(float(exponential_work(1.0, 2.0, duration=0.3, temperature=1.0)) ** 2, 10)
    0.5
    """
    logarithm, _ = _moments(start, stop, duration, temperature, mobility, start_variance, float(power))
    return Estimate(math.exp(logarithm), ("Gaussian start around zero",), 0.0, SPECK)


def exponential_work_as_written(
    start: float,
    stop: float,
    *,
    duration: float,
    temperature: float,
    mobility: float = 1.0,
    start_variance: float | None = None,
    power: float = 1.0,
) -> Estimate:
    """Return e^{−ΔF/T}, what ⟨e^{−W/T}⟩ is said to be whatever the start; right for a start in equilibrium alone."""
    difference = free_energy_difference(start, stop, temperature=temperature).value
    return Estimate(math.exp(-power * difference / temperature), ("none is stated",), 0.0, JARZYNSKI)


def _moments(
    start: float,
    stop: float,
    duration: float,
    temperature: float,
    mobility: float,
    variance: float | None,
    power: float,
) -> tuple[float, float]:
    """Return ln⟨e^{−uW/T}⟩, and the mean work where u = 0."""
    from scipy.integrate import solve_ivp

    first, last, t_final = positive("start", start), positive("stop", stop), positive("duration", duration)
    t, mu = positive("temperature", temperature), positive("mobility", mobility)
    speed = (last - first) / t_final
    begin = t / first if variance is None else positive("start_variance", variance)

    def change(time: float, state: np.ndarray) -> np.ndarray:
        s = state[0]
        driven = power * speed / t
        return np.array(
            [2.0 * mu * (t - (first + speed * time) * s) - driven * s * s, -driven * s / 2.0, speed * s / 2.0]
        )

    def diverges(time: float, state: np.ndarray) -> float:
        return float(state[0]) - 1e9 * begin

    diverges.terminal = True  # type: ignore[attr-defined]
    found = solve_ivp(change, (0.0, t_final), [begin, 0.0, 0.0], "DOP853", rtol=1e-12, atol=1e-14, events=diverges)
    if not found.success:
        raise TheoryError(f"the moments of work could not be integrated: {found.message}")
    if found.t_events[0].size:
        return math.inf, float(found.y[2, -1])
    return float(found.y[1, -1]), float(found.y[2, -1])
