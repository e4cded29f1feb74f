"""Markov networks: states joined by links, several between the same two states where several reservoirs act.

A link ν from state i to state j carries the one-way flows a = f_ν p_i and b = g_ν p_j; its current is J = a − b.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import DensityError, InputError


@dataclass(frozen=True, eq=False)
class MarkovNetwork:
    """A jump process that keeps its links apart; `markov_network` makes it from rates.

    Parameters
    ----------
    states : int
        Number of states.
    tails, heads : ndarray of int, shape (m,)
        States i and j that each link joins.
    forward, backward : ndarray, shape (m,)
        Rates f of the jumps i → j and g of j → i, not negative and not both zero.

    Raises
    ------
    InputError
        If the links do not fit together.
    """

    states: int
    tails: np.ndarray
    heads: np.ndarray
    forward: np.ndarray
    backward: np.ndarray

    def __post_init__(self) -> None:
        if isinstance(self.states, bool) or not isinstance(self.states, int | np.integer) or self.states < 1:
            raise InputError(f"states = {self.states!r} must be a whole number of states, at least 1")
        for name in ("tails", "heads"):
            ends = np.atleast_1d(np.asarray(getattr(self, name)))
            if ends.size and not np.issubdtype(ends.dtype, np.integer):
                raise InputError(f"{name} = {ends.tolist()} must be states, by their whole numbers")
            object.__setattr__(self, name, ends.astype(np.intp))
        for name in ("forward", "backward"):
            rates = np.atleast_1d(np.asarray(getattr(self, name), dtype=float))
            if not (np.isfinite(rates) & (rates >= 0.0)).all():
                raise InputError(f"{name} = {rates.tolist()} must be rates: finite and not negative")
            object.__setattr__(self, name, rates)
        if len({getattr(self, name).shape for name in ("tails", "heads", "forward", "backward")}) > 1:
            raise InputError("tails, heads, forward and backward must have one entry a link")
        ends = np.concatenate([self.tails, self.heads])
        if ends.size and not (ends.min() >= 0 and ends.max() < self.states):
            raise InputError(f"links join states {ends.min()} to {ends.max()}; there are 0 to {self.states - 1}")
        idle = (self.forward == 0.0) & (self.backward == 0.0)
        if idle.any():
            raise InputError(f"link {int(np.argmax(idle))} has no rate either way; leave it out")
        if (self.tails == self.heads).any():
            raise InputError(f"link {int(np.argmax(self.tails == self.heads))} joins a state to itself; leave it out")

    @property
    def links(self) -> int:
        """Number of links."""
        return len(self.tails)

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """The rate matrix W of dp/dt = W p, shape (n, n), sparse; its columns sum to zero."""
        rows = np.concatenate([self.heads, self.tails])
        columns = np.concatenate([self.tails, self.heads])
        rates = np.concatenate([self.forward, self.backward])
        jumps = sparse.coo_array((rates, (rows, columns)), shape=(self.states, self.states)).tocsr()
        return sparse.csr_array(jumps - sparse.diags_array(np.asarray(jumps.sum(axis=0)).ravel()))

    @cached_property
    def incidence(self) -> np.ndarray:
        """S of dp/dt = S J, shape (n, m): −1 where a link begins and +1 where it ends."""
        matrix = np.zeros((self.states, self.links))
        matrix[self.tails, np.arange(self.links)] = -1.0
        matrix[self.heads, np.arange(self.links)] = 1.0
        return matrix

    @cached_property
    def forces(self) -> np.ndarray:
        """ln(f/g) of every link: the entropy that a jump along it gives to its reservoir; infinite without return."""
        with np.errstate(divide="ignore"):
            return np.log(self.forward) - np.log(self.backward)

    def stationary(self) -> np.ndarray:
        """Return the stationary distribution, each entry good to rounding relative to itself, shape (n,).

        By the elimination of Grassmann, Taksar and Heyman (1985), which subtracts nothing, on the dense matrix; for
        thousands of states take ``fp.stationary(fp.generator(network))``. States that are left for good have none.

        Raises
        ------
        InputError
            If it is not unique.
        """
        recurrent = self._recurrent()
        rates = self.matrix[recurrent][:, recurrent].T.toarray()
        n = len(recurrent)
        for k in range(n - 1, 0, -1):
            rates[:k, k] /= rates[k, :k].sum()
            rates[:k, :k] += np.outer(rates[:k, k], rates[k, :k])
        weights = np.ones(n)
        for k in range(1, n):
            weights[k] = weights[:k] @ rates[:k, k]
        probabilities = np.zeros(self.states)
        probabilities[recurrent] = weights / weights.sum()
        return probabilities

    def _recurrent(self) -> np.ndarray:
        """Return the states of the one set that is never left."""
        count, labels = sparse.csgraph.connected_components(self.matrix.T, directed=True, connection="strong")
        closed = np.ones(count, dtype=bool)
        for rates, starts, ends in ((self.forward, self.tails, self.heads), (self.backward, self.heads, self.tails)):
            closed[labels[starts[(rates > 0.0) & (labels[starts] != labels[ends])]]] = False
        if closed.sum() > 1:
            one, other = (int(np.argmax(labels == k)) for k in np.flatnonzero(closed)[:2])
            raise InputError(f"the steady state is not unique: no jumps lead from state {one} to {other}, nor back")
        return np.flatnonzero(labels == np.argmax(closed))

    def flows(self, p: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the one-way flows a = f p_i and b = g p_j of every link, shape (m,) each."""
        values = distribution(p, self.states)
        return self.forward * values[self.tails], self.backward * values[self.heads]

    def currents(self, p: Any) -> np.ndarray:
        """Return the net current J = a − b of every link, shape (m,)."""
        along, against = self.flows(p)
        return along - against

    def entropy_production(self, p: Any) -> float:
        """Return Σ̇ = Σ J ln(a/b) ≥ 0 in nats per unit time; infinite where a flow has no return."""
        return float(self.local_entropy_production(p).sum())

    def local_entropy_production(self, p: Any) -> np.ndarray:
        """Return J ln(a/b) of every link, shape (m,); none is negative."""
        along, against = self.flows(p)
        less = np.minimum(along, against)
        flux = np.abs(along - against)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(flux > 0.0, flux * np.log1p(flux / less), 0.0)

    def entropy_flow(self, p: Any) -> float:
        """Return the rate Σ J ln(f/g) at which entropy flows into the reservoirs."""
        current = self.currents(p)
        moving = current != 0.0
        return float(current[moving] @ self.forces[moving])

    def __repr__(self) -> str:
        return f"MarkovNetwork({self.states} states, {self.links} links)"


def markov_network(rates: Any) -> MarkovNetwork:
    """Return the network of a rate matrix, of several that act at once, or of a generator.

    Parameters
    ----------
    rates : array_like (n, n) or (reservoirs, n, n), sparse matrix, or Generator
        Entry [j, i] (of one reservoir) is the rate of jumps from state i to state j, as in dp/dt = W p; diagonals are
        left aside. Each reservoir gets links of its own, which is what its entropy production depends on.

    Returns
    -------
    MarkovNetwork
        With a link wherever jumps lead one way or the other, from the lower to the higher state.

    Raises
    ------
    InputError
        If the rates do not have that shape, or one is negative.

    Examples
    --------
    Two states, two reservoirs:

    >>> network = markov_network([[[0, 1], [2, 0]], [[0, 3], [0.5, 0]]])
    >>> network, network.stationary().round(4).tolist()
    (MarkovNetwork(2 states, 2 links), [0.6154, 0.3846])
    >>> round(network.entropy_production(network.stationary()), 6)
    2.102613
    """
    if hasattr(rates, "matrix") and hasattr(rates, "killing"):
        if not rates.markov or rates.killing.any():
            raise InputError(f"{rates!r} is no closed network: it has negative rates, or walls that absorb")
        rates = rates.matrix
    if sparse.issparse(rates):
        return _sparse_network(rates)
    try:
        table = np.asarray(rates, dtype=float)
    except (TypeError, ValueError):
        raise InputError("rates must be a square table of numbers, or several of one size") from None
    if table.ndim == 2:
        table = table[None]
    if table.ndim != 3 or table.shape[1] != table.shape[2] or table.shape[1] < 2:
        raise InputError(
            f"rates have the shape {np.shape(rates)}; give (n, n) or (reservoirs, n, n) with n of 2 or more"
        )
    off_diagonal = ~np.eye(table.shape[1], dtype=bool)
    _check_rates(table[:, off_diagonal])
    reservoir, tails, heads = np.nonzero(np.triu(np.swapaxes(table, 1, 2) + table, 1))
    return MarkovNetwork(table.shape[1], tails, heads, table[reservoir, heads, tails], table[reservoir, tails, heads])


def _check_rates(rates: np.ndarray) -> None:
    bad = rates[~(np.isfinite(rates) & (rates >= 0.0))]
    if bad.size:
        raise InputError(f"{bad.size} of the rates are wrong, such as {bad[0]:g}; they must be finite and not negative")


def _sparse_network(rates: Any) -> MarkovNetwork:
    """Return the network of a sparse matrix of rates, one link a pair of states."""
    table = sparse.coo_array(rates)
    n = table.shape[0]
    if table.shape != (n, n) or n < 2:
        raise InputError(f"rates have the shape {table.shape}; give (n, n) with n of 2 or more")
    away = (table.row != table.col) & (table.data != 0.0)
    heads, tails, values = table.row[away], table.col[away], table.data[away].astype(float)
    _check_rates(values)
    low, high = np.minimum(heads, tails).astype(np.int64), np.maximum(heads, tails)
    pairs, link = np.unique(low * n + high, return_inverse=True)
    forward, backward = np.zeros(len(pairs)), np.zeros(len(pairs))
    up = heads > tails
    np.add.at(forward, link[up], values[up])
    np.add.at(backward, link[~up], values[~up])
    return MarkovNetwork(n, pairs // n, pairs % n, forward, backward)


def distribution(p: Any, states: int) -> np.ndarray:
    """Return probabilities of states.

    Raises
    ------
    DensityError
        If they do not fit, are negative or do not sum to one.
    """
    values = np.asarray(p, dtype=float)
    if values.shape != (states,):
        raise DensityError(f"probabilities of shape {values.shape} do not fit {states} states")
    # Sums of n rounded numbers are off by less than n roundings.
    if not (values.min() >= 0.0 and abs(values.sum() - 1.0) < 1e-9):
        raise DensityError(f"probabilities from {values.min():g} with the sum {values.sum():.12g} are no distribution")
    return values
