"""The distribution that produces least entropy on given rates, to be held against the stationary one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics.networks import MarkovNetwork, markov_network
from fpsolver.errors import ConvergenceError, InputError

MOST_STEPS = 200


@dataclass(frozen=True, eq=False)
class LeastProduction:
    """Where the entropy production is least, and where the process goes instead.

    Parameters
    ----------
    p : ndarray, shape (n,)
        The distribution of least entropy production.
    entropy_production : float
        Σ̇ there, in nats per unit time.
    stationary : ndarray, shape (n,)
        The steady state.
    stationary_entropy_production : float
        Σ̇ there, never less.
    """

    p: np.ndarray
    entropy_production: float
    stationary: np.ndarray
    stationary_entropy_production: float


def least_entropy_production(network: Any) -> LeastProduction:
    """Return the distribution p that minimises Σ̇(p) = Σ J ln(a/b) at given rates.

    Σ̇ is convex in p, so the minimum is unique; Newton's method finds it from the steady state. That minimises Σ̇ only
    to leading order in the distance from equilibrium.

    Parameters
    ----------
    network : MarkovNetwork, Generator or array_like
        The network, or what `markov_network` makes one of. Every jump must have a return.

    Raises
    ------
    InputError
        If a jump has no return: Σ̇ is infinite for every positive p.
    ConvergenceError
        If Newton's method does not converge.

    References
    ----------
    M. J. Klein, P. H. E. Meijer, Phys. Rev. 96, 250 (1954); Luo Jiu-li, C. Van den Broeck, G. Nicolis,
    Z. Phys. B 56, 165 (1984).

    Examples
    --------
    >>> found = least_entropy_production([[[0, 1], [2, 0]], [[0, 3], [0.5, 0]]])
    >>> found.p.round(6).tolist(), found.stationary.round(6).tolist()
    ([0.635747, 0.364253], [0.615385, 0.384615])
    """
    if not isinstance(network, MarkovNetwork):
        network = markov_network(network)
    if not np.isfinite(network.forces).all():
        raise InputError("a jump without return produces infinite entropy in any state; give every link both rates")
    stationary = network.stationary()
    p = _newton(network, stationary)
    return LeastProduction(p, network.entropy_production(p), stationary, network.entropy_production(stationary))


def _newton(network: MarkovNetwork, start: np.ndarray) -> np.ndarray:
    """Return the minimum of Σ̇ on the simplex; it is convex, and damped steps stay inside."""
    p, before = start, np.inf
    for _ in range(MOST_STEPS):
        gradient, hessian = _derivatives(network, p)
        # In units of p, where the Hessian is well scaled; the last row keeps Σp.
        system = np.zeros((network.states + 1, network.states + 1))
        system[:-1, :-1] = hessian * np.outer(p, p)
        system[-1, :-1] = system[:-1, -1] = p
        relative = np.linalg.solve(system, np.append(-gradient * p, 0.0))[:-1]
        decrement = float(-gradient @ (relative * p))
        size = float(np.abs(relative).max())
        # Newton's method doubles digits until rounding stops it.
        if size < 1e-15 or (size < 1e-8 and size >= 0.5 * before):
            return p
        before = size
        p = _line_search(network, p, relative, decrement)
    raise ConvergenceError(f"the distribution of least entropy production was not found in {MOST_STEPS} Newton steps")


def _line_search(network: MarkovNetwork, p: np.ndarray, relative: np.ndarray, decrement: float) -> np.ndarray:
    """Return the point along a Newton step where Σ̇ has decreased enough (Armijo), with all entries positive."""
    length = min(1.0, 0.9 / max(float(-relative.min()), 1e-300))
    value = network.entropy_production(p)
    while True:
        trial = p * (1.0 + length * relative)
        trial /= trial.sum()
        # Close to the minimum the decrease drowns in rounding; there the full step is right.
        if network.entropy_production(trial) <= value - 0.25 * length * decrement + 1e-14 * value or length < 1e-10:
            return trial
        length *= 0.5


def _derivatives(network: MarkovNetwork, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient and Hessian of Σ̇(p)."""
    a, b = network.flows(p)
    logarithm = np.log(a / b)
    i, j, f, g = network.tails, network.heads, network.forward, network.backward
    gradient, hessian = np.zeros(network.states), np.zeros((network.states, network.states))
    np.add.at(gradient, i, f * (logarithm + 1.0 - b / a))
    np.add.at(gradient, j, g * (1.0 - logarithm - a / b))
    np.add.at(hessian, (i, i), f**2 * (a + b) / a**2)
    np.add.at(hessian, (j, j), g**2 * (a + b) / b**2)
    mixed = -f * g * (a + b) / (a * b)
    np.add.at(hessian, (i, j), mixed)
    np.add.at(hessian, (j, i), mixed)
    return gradient, hessian
