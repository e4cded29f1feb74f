"""Markov networks: steady states, cycles, least entropy production, and the precision of currents."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.linalg import expm
from scipy.optimize import minimize_scalar

import fpsolver as fp
from fpsolver.dynamics.networks import MarkovNetwork, markov_network
from fpsolver.errors import DensityError, InputError
from fpsolver.theory import two_reservoirs, uncertainty
from fpsolver.thermodynamics.minimum_entropy_production import least_entropy_production
from fpsolver.thermodynamics.network_cycles import cycle_decomposition
from fpsolver.thermodynamics.uncertainty import (
    chain_fluctuations,
    current_fluctuations,
    sharpest_current,
    uncertainty_product,
)

ROUNDING = 1e-12  # sums and linear solves of some ten terms, with a factor of a thousand for their condition


def random_network(seed: int, states: int, reservoirs: int = 1, spread: float = 1.0) -> MarkovNetwork:
    random = np.random.default_rng(seed)
    return markov_network(np.exp(spread * random.normal(size=(reservoirs, states, states))))


networks = st.builds(random_network, st.integers(0, 10_000), st.integers(2, 7), st.integers(1, 3), st.floats(0.05, 2.0))


@settings(max_examples=30, deadline=None)
@given(networks)
def test_steady_state_and_first_laws(network: MarkovNetwork) -> None:
    """W p = 0; currents balance at states; entropy production is the entropy flow, and the sum over cycles."""
    p = network.stationary()
    assert np.abs(network.matrix @ p).max() < ROUNDING * np.abs(network.matrix).max()
    found = cycle_decomposition(network)
    assert len(found.chords) == network.links - network.states + 1
    assert not (network.incidence @ found.cycles.T).any()
    np.testing.assert_allclose(
        found.cycles.T @ found.currents, network.currents(p), atol=ROUNDING * sum(network.flows(p)).max()
    )
    # A current is the difference of two flows, to whose size its rounding is relative.
    scale = np.add(*network.flows(p)) @ np.abs(network.forces) * network.links
    assert abs(found.entropy_production - network.entropy_production(p)) < ROUNDING * scale
    assert abs(network.entropy_flow(p) - network.entropy_production(p)) < ROUNDING * scale


@settings(max_examples=30, deadline=None)
@given(networks, st.integers(0, 1000))
def test_least_entropy_production_is_a_minimum(network: MarkovNetwork, seed: int) -> None:
    """No other distribution produces less entropy, since the function is convex; nor does the steady state."""
    found = least_entropy_production(network)
    assert found.p.sum() == pytest.approx(1.0, abs=1e-14)
    assert found.stationary_entropy_production >= found.entropy_production * (1.0 - 1e-14) - 1e-15
    random = np.random.default_rng(seed)
    for size in (1e-3, 0.1, 1.0):
        other = found.p * np.exp(size * random.normal(size=network.states))
        assert network.entropy_production(other / other.sum()) >= found.entropy_production * (1.0 - 1e-13) - 1e-15


def test_least_entropy_production_of_two_states_agrees_with_a_scalar_minimisation() -> None:
    """Newton's method against a golden-section search, good to the root of rounding, and the closed equation."""
    rates = [(1.0, 2.0), (3.0, 0.5), (0.2, 0.3)]
    found = least_entropy_production([[[0, a], [b, 0]] for a, b in rates])

    def production(p: float) -> float:
        return float(two_reservoirs.entropy_production(p, rates))

    searched = minimize_scalar(production, bounds=(0.01, 0.99), method="bounded", options={"xatol": 1e-9})
    assert found.p[0] == pytest.approx(searched.x, abs=1e-7)
    assert found.p[0] == pytest.approx(float(two_reservoirs.least_production(rates)), abs=1e-13)
    assert found.stationary[0] == pytest.approx(float(two_reservoirs.stationary(rates)), abs=1e-15)


def test_entropy_production_of_a_generator_is_that_of_its_network() -> None:
    """The same number from the rate matrix of a grid and from its edges."""
    ring = fp.Grid(x=fp.Axis(0.0, 2.0 * math.pi, 30, boundary="periodic"))
    W = fp.generator(fp.Langevin(fp.Landscape("cos(x) - 0.5*x"), temperature=1.0), ring)
    p = np.asarray(fp.stationary(W))
    network = markov_network(W)
    assert network.links == 30
    found = network.entropy_production(p * ring.volumes)
    assert found == pytest.approx(fp.thermodynamics.entropy_production(W, p).total, rel=1e-11)
    (affinity,) = cycle_decomposition(network).affinities
    assert abs(affinity) == pytest.approx(0.5 * 2.0 * math.pi, rel=1e-12)  # F·L/T around the ring


def test_variance_of_currents_agrees_with_counting_in_time() -> None:
    """Mean and variance rates against second differences of the tilted semigroup over a long time."""
    network = random_network(3, 4)
    weights = np.random.default_rng(4).normal(size=network.links)
    found = current_fluctuations(network, weights)

    def log_mean(s: float, time: float) -> float:
        tilted = network.matrix.toarray()
        for link, d in enumerate(weights):
            i, j = network.tails[link], network.heads[link]
            tilted[j, i] *= math.exp(s * d)
            tilted[i, j] *= math.exp(-s * d)
        return math.log(float((expm(time * tilted) @ network.stationary()).sum()))

    s, early, late = 1e-3, 20.0, 40.0  # transients decay as e^{-gap·t}, here below e^{-20}
    rate = {k: (log_mean(k * s, late) - log_mean(k * s, early)) / (late - early) for k in (-1, 0, 1)}
    # Second differences err by s² times fourth cumulants, and by rounding 1e-14/s².
    assert found.mean == pytest.approx((rate[1] - rate[-1]) / (2 * s), rel=1e-4)
    assert found.variance == pytest.approx((rate[1] - 2 * rate[0] + rate[-1]) / s**2, rel=1e-4)


def test_chain_fluctuations_agree_with_the_poisson_clock() -> None:
    """Steps of a chain at the times of a Poisson clock make a jump process: its variance is larger by mean²."""
    random = np.random.default_rng(5)
    chain = np.exp(random.normal(size=(5, 5)))
    chain /= chain.sum(axis=0)
    weights = random.normal(size=(5, 5))
    weights -= weights.T
    found = chain_fluctuations(chain, weights)
    network = markov_network(chain)
    jumps = current_fluctuations(network, weights[network.heads, network.tails])
    assert found.mean == pytest.approx(jumps.mean, rel=ROUNDING)
    assert found.variance == pytest.approx(jumps.variance - jumps.mean**2, rel=1e-11)
    assert found.entropy_production == pytest.approx(jumps.entropy_production, rel=ROUNDING)


@settings(max_examples=30, deadline=None)
@given(networks, st.integers(0, 1000))
def test_uncertainty_relation(network: MarkovNetwork, seed: int) -> None:
    """No current beats the sharpest one, and that keeps to the bound."""
    if len(cycle_decomposition(network).chords) == 0:
        return
    weights = np.random.default_rng(seed).normal(size=network.links)
    _, best = sharpest_current(network)
    # Products next to equilibrium are ratios of small numbers, with σ as small as rounding allows.
    assert best.product >= 2.0 * (1.0 - 1e-9)
    assert current_fluctuations(network, weights).product >= best.product * (1.0 - 1e-9)


def test_bad_networks_say_what_is_wrong() -> None:
    with pytest.raises(InputError, match=r"\(n, n\)"):
        markov_network(np.ones((2, 3)))
    with pytest.raises(InputError, match="finite and not negative"):
        markov_network([[0.0, -1.0], [1.0, 0.0]])
    with pytest.raises(InputError, match="joins a state to itself"):
        MarkovNetwork(2, np.array([0]), np.array([0]), np.array([1.0]), np.array([1.0]))
    one_way = markov_network([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert one_way.entropy_production(one_way.stationary()) == math.inf
    for function in (cycle_decomposition, least_entropy_production):
        with pytest.raises(InputError, match="without return"):
            function(one_way)
    with pytest.raises(InputError, match="not unique"):
        markov_network(np.diag([1.0, 0.0, 1.0], 1)).stationary()
    for states, tail, rate, words in ((2.5, 0, 1.0, "states = 2.5"), (2, 0.5, 1.0, "tails"), (2, 0, 0.0, "no rate")):
        with pytest.raises(InputError, match=words):
            MarkovNetwork(states, [tail], [1], [rate], [0.0])
    with pytest.raises(DensityError, match="no distribution"):
        one_way.currents([0.5, 0.5, 0.5])
    with pytest.raises(InputError, match="columns must sum to one"):
        chain_fluctuations(np.ones((2, 2)), np.zeros((2, 2)))
    with pytest.raises(InputError, match="one finite number for each"):
        current_fluctuations(one_way, [1.0])
    for numbers in ((1.0, -1.0, 1.0), (1.0, 1.0, -1.0), (np.nan, 1.0, 1.0)):
        with pytest.raises(InputError, match="must be finite"):
            uncertainty_product(*numbers)


def test_states_that_are_left_for_good_are_empty() -> None:
    absorbing = np.zeros((3, 3))
    absorbing[1, 0] = absorbing[2, 1] = 1.0
    assert markov_network(absorbing).stationary().tolist() == [0.0, 0.0, 1.0]
    # State 0 feeds the pair 1 ⇄ 2 with rates 1 and 2.
    network = markov_network([[0.0, 0.0, 0.0], [1.0, 0.0, 2.0], [0.0, 1.0, 0.0]])
    assert network.stationary() == pytest.approx([0.0, 2 / 3, 1 / 3])
    np.testing.assert_allclose(network.stationary(), fp.stationary(fp.generator(network)), rtol=1e-14)


def test_discrete_bound_goes_over_into_that_of_continuous_time() -> None:
    """2σ/(e^σ − 1) = 2 − σ + O(σ²)."""
    for sigma in (1e-3, 1e-6):
        assert float(uncertainty.bound(sigma)) == pytest.approx(2.0 - sigma, abs=sigma**2)


@pytest.mark.parametrize("wrong", [np.inf, np.nan, -1.0])
def test_wrong_rates_are_shown(wrong):
    for rates in ([[0, wrong], [1, 0]], sparse.csr_array([[0, wrong], [1, 0]])):
        with pytest.raises(InputError, match=f"such as {wrong:g}; they must be finite"):
            fp.markov_network(rates)
