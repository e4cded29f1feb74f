"""Systems that are driven from equilibrium: work of their trajectories, forward and in reverse."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy.integrate import quad

import fpsolver as fp

TRAP = fp.Landscape("a*(x - c)**2/2", parameters={"a": 1.0, "c": 0.0})
"""A trap of stiffness a around c."""

TILTED = fp.Landscape("x**4/4 - x**2/2 - h*x", variables=("x",), parameters={"h": 0.0})
"""A double well under a tilt h."""


def drag(speed: float, *, paths: int, seed: int, experiment: int = 0, duration: float = 2.0) -> np.ndarray:
    """Return work of dragging a trap at constant speed from equilibrium, all of stiffness, mobility and T being one.

    A negative speed is the reverse process. Each step is exact in the trap as it stands; moving it by halves before and
    after makes an error of 1e-5 in the mean work, that of 10¹⁰ paths.
    """
    dynamics = fp.Langevin(TRAP, temperature=1.0, protocol={"c": fp.Protocol(f"{float(speed)!r}*t")})
    return fp.simulate(
        dynamics, n=paths, initial=fp.Gaussian([0.0], 1.0), dt=0.02, t_final=duration, seed=seed, experiment=experiment,
        scheme="ornstein-uhlenbeck", functionals="work",
    ).values("work")  # fmt: skip


def stiffen(
    start: float,
    stop: float,
    *,
    duration: float,
    paths: int,
    seed: int,
    experiment: int = 0,
    start_variance: float | None = None,
) -> np.ndarray:
    """Return work of ramping the stiffness of a trap, T = μ = 1, from equilibrium unless a variance is given.

    With 200 steps a ramp the time step makes an error below 2e-5 in mean work and exponential average.
    """
    ramp = fp.Protocol.ramp(start, stop, duration=duration)
    variance = 1.0 / start if start_variance is None else start_variance
    return fp.simulate(
        fp.Langevin(TRAP, temperature=1.0, protocol={"a": ramp}), n=paths, initial=fp.Gaussian([0.0], variance),
        dt=duration / 200.0, t_final=duration, seed=seed, experiment=experiment, scheme="ornstein-uhlenbeck",
        functionals="work",
    ).values("work")  # fmt: skip


def tilt(
    start: float, stop: float, *, temperature: float, duration: float, dt: float, paths: int, seed: int, experiment: int
) -> np.ndarray:
    """Return work of ramping the tilt of a double well from equilibrium, by Heun's scheme (weak order 2)."""
    ramp = fp.Protocol.ramp(start, stop, duration=duration)
    grid = fp.Grid(x=(-3.0, 3.0, 3000))
    equilibrium = fp.Field(grid, fp.boltzmann(TILTED.with_parameters(h=start), grid, temperature), {})
    return fp.simulate(
        fp.Langevin(TILTED, temperature=temperature, protocol={"h": ramp}), n=paths, initial=equilibrium, dt=dt,
        t_final=duration, seed=seed, experiment=experiment, scheme="heun", functionals="work",
    ).values("work")  # fmt: skip


@cache
def tilt_free_energy(start: float, stop: float, temperature: float) -> float:
    """Return ΔF = −T ln(Z_f/Z_i) of the same by quadrature."""

    def partition(h: float) -> float:
        return quad(lambda x: math.exp(-(x**4 / 4 - x**2 / 2 - h * x) / temperature), -5.0, 5.0, epsabs=1e-13)[0]

    return -temperature * math.log(partition(stop) / partition(start))


def averaged(work: np.ndarray, difference: float = 0.0, temperature: float = 1.0) -> tuple[float, float]:
    """Return ⟨e^{−(W − ΔF)/T}⟩ and its standard error."""
    terms = np.exp(-(work - difference) / temperature)
    return float(terms.mean()), float(terms.std(ddof=1)) / math.sqrt(len(terms))
