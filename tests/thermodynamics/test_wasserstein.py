"""Optimal transport on one axis: exact cases, metric properties, the geodesic and the landscapes that realise it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import DensityError, GridError, MethodError
from fpsolver.theory import optimal_transport as closed
from fpsolver.thermodynamics.entropy_rates import entropy_production
from fpsolver.thermodynamics.transport_landscapes import transport_landscape
from fpsolver.thermodynamics.wasserstein import optimal_transport, speed_limit, wasserstein_distance

UNEVEN = fp.Grid(x=fp.Axis(-1.0, 3.0, 12, spacing="geometric", stretch=3.0))
seeds = st.integers(0, 10_000)


def random_density(rng, grid):
    weights = rng.exponential(size=grid.shape) * (rng.random(grid.shape) < 0.7)
    weights[rng.integers(grid.size)] += 1.0
    return weights / (weights @ grid.volumes)


@given(seeds)
def test_distance_is_a_metric_that_quadrature_confirms(seed):
    rng = np.random.default_rng(seed)
    p, q, r = (random_density(rng, UNEVEN) for _ in range(3))
    pq, qr, pr = (wasserstein_distance(a, b, UNEVEN) for a, b in ((p, q), (q, r), (p, r)))
    assert pq == pytest.approx(wasserstein_distance(q, p, UNEVEN), rel=1e-10)
    assert pr <= pq + qr + 1e-12
    assert wasserstein_distance(p, p, UNEVEN) == pytest.approx(0.0, abs=1e-7)
    u = (np.arange(20_000) + 0.5) / 20_000
    faces = UNEVEN.axes[0].faces

    def quantiles(density):
        cumulative = np.concatenate([[0.0], np.cumsum(density * UNEVEN.volumes)])
        return np.interp(u, cumulative, faces)

    # the midpoint rule misses by the jumps of the quantiles over the number of nodes
    assert pq**2 == pytest.approx(np.mean((quantiles(p) - quantiles(q)) ** 2), abs=12 * 16.0 / 20_000)


@given(seeds, st.floats(0.0, 1.0))
def test_geodesic_keeps_mass_and_splits_the_distance(seed, fraction):
    rng = np.random.default_rng(seed)
    p, q = random_density(rng, UNEVEN), random_density(rng, UNEVEN)
    transport = optimal_transport(p, q, UNEVEN)
    middle = transport.density(fraction)
    assert middle.min() >= 0.0
    assert middle @ UNEVEN.volumes == pytest.approx(1.0, abs=1e-12)
    # averaging over cells moves no mass by more than a cell
    way = wasserstein_distance(p, middle, UNEVEN)
    assert way == pytest.approx(fraction * transport.distance, abs=UNEVEN.axes[0].widths.max())
    assert np.allclose(transport.density(0.0), p, atol=1e-12)
    assert np.allclose(transport.density(1.0), q, atol=1e-12)


def test_uniform_to_half_of_it():
    grid = fp.Grid(x=(-1.0, 1.0, 6))
    left, half = np.full(6, 0.5), np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    assert wasserstein_distance(left, half, grid) ** 2 == pytest.approx(1.0 / 3.0, rel=1e-12)
    assert speed_limit(left, half, grid, duration=2.0, diffusion=0.5) == pytest.approx(1.0 / 3.0)
    assert np.allclose(optimal_transport(left, half, grid)([-1.0, 0.0, 1.0]), [0.0, 0.5, 1.0])


def test_distance_of_gaussians_is_of_second_order():
    exact = float(closed.gaussian_distance(0.0, 1.0, 2.0, 0.25)) ** 2
    errors = []
    for cells in (100, 200, 400):
        grid = fp.Grid(x=(-8.0, 8.0, cells))
        p, q = fp.gaussian(grid, [0.0], [[1.0]]), fp.gaussian(grid, [2.0], [[0.25]])
        errors.append(wasserstein_distance(p, q, grid) ** 2 - exact)
    assert np.log2(np.abs(np.array(errors[:-1]) / errors[1:])) == pytest.approx([2.0, 2.0], abs=0.1)


def test_transport_landscape_between_gaussians():
    temperature, mobility, duration, t = 0.8, 1.5, 2.0, 0.4
    width, speed = 1.0 - 0.3 * t, -0.3 / duration
    errors = []
    for cells in (100, 200):
        grid = fp.Grid(x=(-7.0, 7.0, cells))
        p, q = fp.gaussian(grid, [0.0], [[1.0]]), fp.gaussian(grid, [1.0], [[0.49]])
        loss, density = transport_landscape(
            p, q, grid, fraction=t, duration=duration, temperature=temperature, mobility=mobility
        )
        # beyond the ends of the grid is a probability of 1e-12, in cells of 0.07
        assert np.allclose(density, fp.gaussian(grid, [t], [[width**2]]), rtol=0, atol=3e-11)
        x = grid.axes[0].centres
        stiffness = (temperature - width * speed / mobility) / width**2
        exact = 0.5 * stiffness * (x - t) ** 2 - x / (duration * mobility)
        near = np.abs(x - t) < 3.0
        errors.append(np.ptp((loss - exact)[near]))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.1)


def test_transport_landscape_moves_along_the_geodesic_at_least_cost():
    temperature, mobility, duration = 0.4, 1.5, 2.0
    wells = fp.Landscape("x**4/4 - x**2/2 + 0.2*x")
    misfits, costs = [], []
    for cells in (100, 200, 400):
        grid = fp.Grid(x=(-3.2, 3.2, cells))
        p, q = fp.boltzmann(wells, grid, temperature), fp.gaussian(grid, [0.5], [[0.3]])

        def at(fraction, grid=grid, p=p, q=q):
            return transport_landscape(
                p, q, grid, fraction=fraction, duration=duration, temperature=temperature, mobility=mobility
            )

        (loss, density), (_, before), (_, after) = at(0.4), at(0.399), at(0.401)
        landscape = fp.Landscape.from_grid({"x": grid.axes[0].centres}, loss)
        W = fp.generator(fp.Langevin(landscape, temperature=temperature, mobility=mobility), grid)
        change = (after - before) / (0.002 * duration)
        misfits.append(np.abs((W.apply(density) - change) * grid.volumes).sum() / np.abs(change * grid.volumes).sum())
        bound = speed_limit(p, q, grid, duration=duration, diffusion=mobility * temperature) / duration
        costs.append(entropy_production(W, density).total - bound)
    assert np.log2(np.abs(misfits[1] / misfits[2])) == pytest.approx(2.0, abs=0.5)
    assert np.log2(np.abs(costs[1] / costs[2])) == pytest.approx(2.0, abs=0.5)


def test_wrong_problems_are_refused():
    ring = fp.Grid(x=fp.Axis(0.0, 1.0, 4, boundary="periodic"))
    with pytest.raises(GridError, match="not periodic"):
        wasserstein_distance(np.ones(4), np.ones(4), ring)
    with pytest.raises(DensityError, match="negative"):
        wasserstein_distance(-np.ones(12), np.ones(12), UNEVEN)
    with pytest.raises(MethodError, match="duration"):
        speed_limit(np.ones(12), np.ones(12), UNEVEN, duration=0.0)
    with pytest.raises(DensityError, match="only a wall"):
        transport_landscape(np.eye(12)[0], np.ones(12), UNEVEN, fraction=0.5, duration=1.0, temperature=1.0)
    with pytest.raises(MethodError, match="fraction"):
        optimal_transport(np.ones(12), np.ones(12), UNEVEN).density(1.5)
