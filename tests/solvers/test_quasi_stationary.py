from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_generator

import fpsolver as fp
from fpsolver.errors import MethodError


def observed_orders(errors):
    errors = np.abs(errors)
    return np.log2(errors[:-1] / errors[1:])


def test_brownian_motion_between_absorbing_walls():
    rates, shapes = [], []
    for cells in (25, 50, 100):
        law = fp.Langevin(fp.Landscape("0*x", variables=("x",)), temperature=0.5)
        q = fp.quasi_stationary(fp.generator(law, fp.Grid(x=fp.Axis(-1, 1, cells, boundary="absorbing"))))
        x = q.grid.axes[0].centres
        rates.append(q.rate - 0.5 * (np.pi / 2) ** 2)
        shapes.append(np.abs(q.values - np.pi / 4 * np.cos(np.pi * x / 2)).max())
    assert (np.abs(observed_orders(rates) - 2) < 0.05).all()
    assert (np.abs(observed_orders(shapes) - 2) < 0.1).all()


@pytest.mark.parametrize("temperature", [0.1, 0.0125])
@pytest.mark.parametrize("dimension", [1, 2])
def test_the_rate_is_the_slowest_of_the_spectrum(temperature, dimension):
    L = fp.Landscape("x**4/4 - x**2/2" + " + y**2/2" * (dimension == 2))
    axes = {"x": fp.Axis(-2, 0, 40, boundary=("reflecting", "absorbing")), "y": fp.Axis(-2, 2, 30)}
    W = fp.generator(fp.Langevin(L, temperature=temperature), fp.Grid(**dict(list(axes.items())[:dimension])))
    q, s = fp.quasi_stationary(W), fp.spectrum(W, 1)
    assert abs(q.rate / s.rates[0] - 1) < 1e-9
    assert np.abs(q.values - s.modes[0]).max() < 1e-6 * q.values.max()
    assert abs((q.values * q.grid.volumes).sum() - 1) < 1e-13 and q.values.min() >= 0
    assert q.stats["residual"] < 1e-12


def test_escape_over_a_high_barrier_is_exponential(quartic):
    # The mean time from the quasi-stationary state is 1/rate exactly; at 31 T both need relative accuracy.
    W = fp.generator(fp.Langevin(quartic, temperature=0.008), fp.Grid(x=(-2, 2, 400)))
    target = fp.where(x=(0.5, None))
    q = fp.quasi_stationary(W, target)
    tau = fp.mean_first_passage_time(W, target)
    mass = q.values * W.grid.volumes
    assert 0 < q.rate < 1e-12
    assert (q.values[W.grid.points[..., 0] > 0.5] == 0).all()
    assert abs((mass @ tau.values) / mass.sum() * q.rate - 1) < 1e-12


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), periodic=st.booleans())
def test_random_networks_agree_with_dense_eigenvalues(seed, periodic):
    boundary = "periodic" if periodic else "reflecting"
    W = random_generator(seed, shape=(7, 5), boundary=boundary, killing=1.0, spread=1.0)
    q = fp.quasi_stationary(W)
    slowest = np.sort(-np.linalg.eigvals(W.matrix.todense()).real)[0]
    assert abs(q.rate / slowest - 1) < 1e-9
    assert q.values.min() > 0


def test_nothing_to_leak_is_said(quartic):
    W = fp.generator(fp.Langevin(quartic, temperature=0.1), fp.Grid(x=(-2, 2, 40)))
    with pytest.raises(MethodError, match=r"stationary\(generator\)"):
        fp.quasi_stationary(W)


def test_schemes_that_are_not_markov_are_refused(quartic):
    law = fp.UnderdampedLangevin(quartic, temperature=0.25, friction=1.0)
    W = fp.generator(law, fp.Grid(x=(-2.5, 2.5, 20), velocity={"x": (-3, 3, 12)}))
    with pytest.raises(MethodError, match="upwind"):
        fp.quasi_stationary(W)
