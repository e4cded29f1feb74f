"""The thermodynamic uncertainty relation: how precise a current may be for the entropy that it costs.

For a current with the mean rate J, the variance rate V and the entropy production Σ̇ the uncertainty product is
Q = V Σ̇/J². In continuous time Q ≥ 2; a chain in discrete time keeps to a weaker bound, see `theory.uncertainty`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics.networks import MarkovNetwork, markov_network
from fpsolver.errors import InputError


@dataclass(frozen=True)
class CurrentFluctuations:
    """A current in the steady state.

    Parameters
    ----------
    mean, variance : float
        Of the counted sum, per unit time (or per step) in the long run.
    entropy_production : float
        Nats per unit time (or per step).
    """

    mean: float
    variance: float
    entropy_production: float

    @property
    def product(self) -> float:
        """The uncertainty product variance × entropy production / mean²; infinite for a current without a mean."""
        return uncertainty_product(self.mean, self.variance, self.entropy_production)


def uncertainty_product(mean: float, variance: float, entropy_production: float) -> float:
    """Return Q = variance × entropy production / mean², all three over the same time; infinite without a mean.

    Raises
    ------
    InputError
        If one is not finite, or variance or entropy production negative.

    Examples
    --------
    >>> uncertainty_product(1.0, 2.0, 3.0)
    6.0
    """
    if not (np.isfinite([mean, variance, entropy_production]).all() and min(variance, entropy_production) >= 0.0):
        raise InputError(
            f"mean = {mean!r}, variance = {variance!r} and entropy_production = {entropy_production!r} must be finite, "
            "the last two not negative"
        )
    return float(variance * entropy_production / mean**2) if mean else float("inf")


def current_fluctuations(network: Any, weights: Any) -> CurrentFluctuations:
    """Return mean and variance of a current of a network, and the entropy that it costs.

    Parameters
    ----------
    network : MarkovNetwork, Generator or array_like
        The network, or what `markov_network` makes one of.
    weights : array_like (m,)
        What a jump along each link counts, in the order of `network.links`; jumps against it count minus that.

    Raises
    ------
    InputError
        If there is not one finite weight a link.

    References
    ----------
    A. C. Barato, U. Seifert, Phys. Rev. Lett. 114, 158101 (2015);
    T. R. Gingrich, J. M. Horowitz, N. Perunov, J. L. England, Phys. Rev. Lett. 116, 120601 (2016).

    Examples
    --------
    A ring with affinity 1 per jump:

    >>> ring = np.e * np.roll(np.eye(4), 1, axis=0) + np.roll(np.eye(4), -1, axis=0)
    >>> network = markov_network(ring)
    >>> round(current_fluctuations(network, [1, -1, 1, 1]).product, 12)  # the second link joins states 3 and 0
    2.163953413739
    """
    if not isinstance(network, MarkovNetwork):
        network = markov_network(network)
    d = _weights(weights, network)
    p = network.stationary()
    mean, variance = _moments(network, p, d[None])
    return CurrentFluctuations(float(mean[0]), float(variance[0, 0]), network.entropy_production(p))


def sharpest_current(network: Any) -> tuple[np.ndarray, CurrentFluctuations]:
    """Return the weights of the current with the least uncertainty product, and its fluctuations.

    Mean and variance are a linear and a quadratic form of the weights, c·d and d·Vd, so d = V⁻¹c is best.

    Parameters
    ----------
    network : MarkovNetwork, Generator or array_like
        The network, or what `markov_network` makes one of; it must not be in equilibrium.

    Raises
    ------
    InputError
        If no current flows.

    References
    ----------
    D. M. Busiello, S. Pigolotti, Phys. Rev. E 100, 060102 (2019).

    Examples
    --------
    >>> ring = 2.0 * np.roll(np.eye(3), 1, axis=0) + np.roll(np.eye(3), -1, axis=0)
    >>> weights, found = sharpest_current(ring)
    >>> bool(abs(found.product - 3 * np.log(2)) < 1e-12)  # A coth(A/2) with A = ln 2
    True
    """
    from fpsolver.thermodynamics.network_cycles import cycle_decomposition

    if not isinstance(network, MarkovNetwork):
        network = markov_network(network)
    cycles = cycle_decomposition(network)
    # What a current counts beyond its turns around cycles does not grow in time: weights on the chords are enough.
    basis = np.zeros((len(cycles.chords), network.links))
    basis[np.arange(len(cycles.chords)), cycles.chords] = 1.0
    mean, variance = _moments(network, cycles.stationary, basis)
    if not np.abs(cycles.affinities).max(initial=0.0) > 1e-12:
        raise InputError("no current flows: the network is in detailed balance")
    weights = np.linalg.solve(variance, mean) @ basis
    return weights, current_fluctuations(network, weights)


def chain_fluctuations(transitions: Any, weights: Any) -> CurrentFluctuations:
    """Return mean and variance per step of a current of a Markov chain in discrete time, and the entropy that it costs.

    Parameters
    ----------
    transitions : array_like (n, n)
        Entry [j, i] is the probability of a step from i to j; columns sum to one.
    weights : array_like (n, n)
        What the step from i to j counts, [j, i]; antisymmetric.

    Raises
    ------
    InputError
        If columns do not sum to one, an entry is negative, or the weights are not antisymmetric.

    Examples
    --------
    Steps around a ring of five, up with probability 0.9, else down: Q = 4pq ln(p/q)/(p − q) is below 2.

    >>> turn = np.roll(np.eye(5), 1, axis=0)
    >>> found = chain_fluctuations(0.9 * turn + 0.1 * turn.T, turn - turn.T)
    >>> round(found.mean, 12), round(found.variance, 12), round(found.product, 6)
    (0.8, 0.36, 0.988751)
    """
    steps, d = np.asarray(transitions, dtype=float), np.asarray(weights, dtype=float)
    if steps.ndim != 2 or steps.shape != d.shape or len(steps) != len(steps.T):
        raise InputError(f"transitions {steps.shape} and weights {d.shape} must be square tables of one size")
    if not (steps.min() >= 0.0 and np.abs(steps.sum(axis=0) - 1.0).max() < 1e-12):
        raise InputError("transitions must not be negative, and their columns must sum to one")
    if not np.array_equal(d, -d.T):
        raise InputError("weights must be antisymmetric: a step back undoes what a step counts")
    n = len(steps)
    network = markov_network(steps)
    p = network.stationary()
    rates, flows = (d * steps).sum(axis=0), (d * steps) @ p
    mean = float(flows.sum())
    excess = _decay(np.eye(n) - steps, flows - mean * p)
    variance = float(((d**2 * steps) @ p).sum()) - mean**2 + 2.0 * float(rates @ excess)
    return CurrentFluctuations(mean, variance, network.entropy_production(p))


def _moments(network: MarkovNetwork, p: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean rates (k,) and covariance rates (k, k) of currents with weights d (k, m)."""
    along, against = network.flows(p)
    means = d @ (along - against)
    # What each state counts per time while it is occupied, and where probability is left by what was counted.
    rates = np.zeros((len(d), network.states))
    np.add.at(rates.T, network.tails, (d * network.forward).T)
    np.add.at(rates.T, network.heads, (-d * network.backward).T)
    flows = np.zeros((network.states, len(d)))
    np.add.at(flows, network.heads, (d * along).T)
    np.add.at(flows, network.tails, (-d * against).T)
    memory = rates @ _decay(-network.matrix.toarray(), flows - np.outer(p, means))
    return means, (d * (along + against)) @ d.T + memory + memory.T


def _decay(rates: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return x of `rates` x = source with Σx = 0: what decays of a source without mass, summed over all later times."""
    # Columns of the rates sum to zero, so that adding one constant to all entries pins Σx without changing the rest.
    return np.linalg.solve(rates + np.abs(rates).max(), source)


def _weights(given: Any, network: MarkovNetwork) -> np.ndarray:
    values = np.asarray(given, dtype=float)
    if values.shape != (network.links,) or not np.isfinite(values).all():
        raise InputError(f"weights of shape {values.shape}: give one finite number for each of {network.links} links")
    return values
