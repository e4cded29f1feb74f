"""Schnakenberg's decomposition: entropy production as a sum over cycles of current times affinity."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics.networks import MarkovNetwork, markov_network
from fpsolver.errors import InputError


@dataclass(frozen=True, eq=False)
class CycleDecomposition:
    """The fundamental cycles of a network in its steady state.

    Parameters
    ----------
    network : MarkovNetwork
        The network.
    stationary : ndarray, shape (n,)
        Its steady state.
    chords : ndarray of int, shape (c,)
        Links outside the spanning tree; each closes one cycle, and its current is that of the cycle.
    cycles : ndarray, shape (c, m)
        +1 and −1 where a cycle runs along or against a link.
    affinities : ndarray, shape (c,)
        A = Σ ± ln(f/g) around each cycle: what one turn gives to the reservoirs, whatever the state.
    currents : ndarray, shape (c,)
        J of each cycle, turns per unit time.
    """

    network: MarkovNetwork
    stationary: np.ndarray
    chords: np.ndarray
    cycles: np.ndarray
    affinities: np.ndarray
    currents: np.ndarray

    @property
    def entropy_production(self) -> float:
        """Σ J A over the cycles, in nats per unit time."""
        return float(self.currents @ self.affinities)

    def __repr__(self) -> str:
        return f"CycleDecomposition({len(self.chords)} cycles, entropy production {self.entropy_production:.6g})"


def cycle_decomposition(network: Any) -> CycleDecomposition:
    """Return fundamental cycles of a network with their affinities and steady currents; Σ̇ = Σ J A.

    Parameters
    ----------
    network : MarkovNetwork, Generator or array_like
        The network, or what `markov_network` makes one of. Every jump must have a return.

    Raises
    ------
    InputError
        If a jump has no return, or some states cannot be reached from others.

    References
    ----------
    J. Schnakenberg, Rev. Mod. Phys. 48, 571 (1976), section VII.

    Examples
    --------
    A ring of three states, all jumps one way twice as fast as back:

    >>> ring = np.roll(np.eye(3), 1, axis=0) * 2.0 + np.roll(np.eye(3), -1, axis=0)
    >>> found = cycle_decomposition(ring)
    >>> bool(abs(abs(found.affinities[0]) - 3 * np.log(2)) < 1e-15), round(found.entropy_production, 6)
    (True, 0.693147)
    """
    if not isinstance(network, MarkovNetwork):
        network = markov_network(network)
    if not np.isfinite(network.forces).all():
        raise InputError("a jump without return gives its cycles infinite affinity; give every link both rates")
    parents, chords = _spanning_tree(network)
    cycles = np.zeros((len(chords), network.links))
    for row, chord in enumerate(chords):
        cycles[row, chord] = 1.0
        # From the chord's head up to the root, and from the root down to its tail; what both share cancels.
        for state, sign in ((network.heads[chord], 1.0), (network.tails[chord], -1.0)):
            while (link := parents[state]) >= 0:
                upwards = network.tails[link] == state
                cycles[row, link] += sign if upwards else -sign
                state = network.heads[link] if upwards else network.tails[link]
    p = network.stationary()
    return CycleDecomposition(network, p, chords, cycles, cycles @ network.forces, network.currents(p)[chords])


def _spanning_tree(network: MarkovNetwork) -> tuple[np.ndarray, np.ndarray]:
    """Return the link that leads from each state to its parent, −1 at the root, and the links outside the tree."""
    around: list[list[tuple[int, int]]] = [[] for _ in range(network.states)]
    for link, (tail, head) in enumerate(zip(network.tails, network.heads, strict=True)):
        around[tail].append((link, int(head)))
        around[head].append((link, int(tail)))
    parents = np.full(network.states, -2)
    parents[0], queue = -1, deque([0])
    while queue:
        state = queue.popleft()
        for link, there in around[state]:
            if parents[there] == -2:
                parents[there] = link
                queue.append(there)
    if (parents == -2).any():
        raise InputError(f"state {int(np.argmax(parents == -2))} has no links that lead to state 0")
    return parents, np.setdiff1d(np.arange(network.links), parents)
