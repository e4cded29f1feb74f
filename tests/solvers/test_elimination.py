from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import chain, exact_solution, random_generator

from fpsolver.errors import MethodError
from fpsolver.solvers.elimination import bandwidth, eliminate_network, elimination_order

# Each state costs a few operations per neighbour, and errors only add: well below this many units of rounding.
ROUNDING = 200 * np.finfo(float).eps


def barrier(height, cells=21):
    """Rates over a barrier of `height` in units of T, in the middle of a chain."""
    potential = height * np.exp(-(np.linspace(-2, 2, cells) ** 2) * 2)
    return np.exp(-np.diff(potential) / 2), np.exp(np.diff(potential) / 2)


@pytest.mark.parametrize("height", [1.0, 20.0, 60.0, 200.0])
@pytest.mark.parametrize("adjoint", [True, False])
def test_escape_keeps_relative_accuracy_however_high_the_barrier(height, adjoint):
    rates, killing = chain(*barrier(height))
    killing[-1] = 1.0
    network = eliminate_network(rates, killing)
    source = np.linspace(1.0, 2.0, len(killing))
    found = network.backward(source) if adjoint else network.forward(source)
    exact = exact_solution(rates, killing, source, adjoint)
    assert np.abs(found / exact - 1).max() < ROUNDING


def test_a_factorisation_loses_what_elimination_keeps():
    rates, killing = chain(*barrier(60.0))
    killing[-1] = 1.0
    W = rates - sparse.diags_array(np.asarray(rates.sum(axis=0)).ravel() + killing)
    source = np.ones(len(killing))
    exact = exact_solution(rates, killing, source, True)
    factorised = np.linalg.solve(-W.todense().T, source)
    assert np.abs(factorised / exact - 1).max() > 1e-2
    assert np.abs(eliminate_network(rates, killing).backward(source) / exact - 1).max() < ROUNDING


@pytest.mark.parametrize("height", [5.0, 300.0])
def test_stationary_masses_are_accurate_relative_to_themselves(height):
    up, down = barrier(height)
    rates, _ = chain(up, down)
    mass = eliminate_network(rates).stationary()
    expected = np.concatenate([[1.0], np.cumprod(up / down)])
    assert np.abs(mass / (expected / expected.sum()) - 1).max() < ROUNDING
    assert abs(mass.sum() - 1) < ROUNDING


def test_a_ring_is_folded_into_a_narrow_band():
    ring = random_generator(1, shape=(50,), boundary="periodic")
    order = elimination_order(ring.matrix)
    assert bandwidth(ring.matrix) == 49
    assert bandwidth(ring.matrix[order][:, order]) == 2
    mass = eliminate_network(ring.matrix).stationary()
    through = ring.edges[0].forward * mass - ring.edges[0].backward * np.roll(mass, -1)
    # The current is the same through every bond; rounding is relative to the one-way fluxes.
    assert np.ptp(through) < ROUNDING * (ring.edges[0].forward * mass).max()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), spread=st.floats(0.1, 30.0))
def test_small_networks_agree_with_rational_arithmetic(seed, spread):
    W = random_generator(seed, shape=(4, 3), boundary=("reflecting", "periodic")[seed % 2], killing=1.0, spread=spread)
    rates = W.matrix - sparse.diags_array(W.matrix.diagonal())
    killing = W.killing.ravel()
    network = eliminate_network(rates, killing)
    for adjoint, solve in ((True, network.backward), (False, network.forward)):
        source = np.random.default_rng(seed).uniform(0.0, 1.0, 12)
        exact = exact_solution(rates, killing, source, adjoint)
        assert np.abs(solve(source) / exact - 1).max() < 10 * ROUNDING


def test_several_right_hand_sides_are_solved_at_once():
    W = random_generator(3, killing=1.0)
    network = eliminate_network(W.matrix, W.killing)
    sources = np.random.default_rng(0).uniform(size=(20, 3))
    together = network.backward(sources)
    for k in range(3):
        assert np.array_equal(together[:, k], network.backward(sources[:, k]))


def test_a_negative_rate_is_refused():
    with pytest.raises(MethodError, match=r"-0\.5"):
        eliminate_network(np.array([[0.0, -0.5], [1.0, 0.0]]))


def test_a_closed_part_is_named():
    with pytest.raises(MethodError, match="never left"):
        eliminate_network(np.diag([1.0, 0.0, 1.0], -1), [1.0, 0.0, 0.0, 0.0])


def test_a_closed_network_has_no_escape_times():
    with pytest.raises(MethodError, match="closed"):
        eliminate_network(chain([1.0], [1.0])[0]).backward([1.0, 1.0])
