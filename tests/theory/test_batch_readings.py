"""Batch size in the density of updates and in escape: both readings against sampled batches and exact exponents."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import batch_readings, kramers

NUMBERS = {"gradient": [0.5, -1.0], "learning_rate": 0.1, "per_example_covariance": [[2.0, 0.3], [0.3, 1.0]]}


def test_updates_of_a_batch_have_the_covariance_of_the_form():
    x = np.linspace(-1.0, 1.0, 201)
    points = np.stack(np.meshgrid(x - 0.05, x + 0.1, indexing="ij"), axis=-1)
    area = (x[1] - x[0]) ** 2
    p = batch_readings.update_density(points, batch_size=4.0, reference_batch=64.0, **NUMBERS) * area
    assert p.sum() == pytest.approx(1.0, abs=1e-10)
    left = points - np.array([-0.05, 0.1])
    covariance = np.einsum("ij,ijk,ijl->kl", p, left, left)
    assert covariance == pytest.approx(np.array(NUMBERS["per_example_covariance"]) * 0.01 / 4.0, abs=1e-12)
    written = batch_readings.update_density_as_written(points, batch_size=4.0, reference_batch=64.0, **NUMBERS) * area
    assert written.sum() == pytest.approx(0.25, rel=1e-3)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_at_the_centre_the_ratio_is_a_power_of_the_dimension(dimension):
    """(B/N)^{d/2}: the square root circulates from d = 1."""
    numbers = {"gradient": np.zeros(dimension), "learning_rate": 0.1, "per_example_covariance": np.eye(dimension)}
    centre = np.zeros(dimension)
    densities = [
        batch_readings.update_density(centre, batch_size=b, reference_batch=9.0, **numbers) for b in (4.0, 9.0)
    ]
    assert densities[0] / densities[1] == pytest.approx((4 / 9) ** (dimension / 2), rel=1e-13)


def test_ratios_of_escape_are_those_of_kramers(well):
    numbers = {"learning_rate": 0.05, "variance": 1.0}
    rates = [float(kramers.overdamped_rate(well, temperature=0.05 / (2 * b))) for b in (2.0, 1.0)]
    found = batch_readings.escape_ratio(well.height, batch_size=2, reference_batch=1, **numbers)
    assert float(found) == pytest.approx(rates[0] / rates[1], rel=1e-12)
    assert float(batch_readings.escape_ratio_as_written(0.25, batch_size=4, reference_batch=1, **numbers)) == 2.0
    assert float(found) < 1.0


def test_bad_input_is_refused():
    with pytest.raises(TheoryError, match="positive definite"):
        batch_readings.update_density(
            [[0.0]], gradient=[0.0], learning_rate=0.1, per_example_covariance=[[0.0]], batch_size=1, reference_batch=1
        )
    with pytest.raises(TheoryError, match="beyond floating point"):
        batch_readings.escape_ratio(10.0, learning_rate=1e-3, variance=1.0, batch_size=2, reference_batch=1)
