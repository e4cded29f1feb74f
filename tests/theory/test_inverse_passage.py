"""What mean times tell: landscapes, temperatures and barriers, recovered from the forward quadrature."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.landscapes import Landscape
from fpsolver.theory import inverse_passage
from fpsolver.theory.first_passage import mean_time, thermal


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_landscape_is_recovered_at_fourth_order(side):
    """From starts and from targets, with an asymmetric landscape and a mobility that depends on x."""
    landscape = Landscape("x**4/4 - x**2/2 + x/5")

    def mobility(x):
        return 1 + x**2 / 3

    process = thermal(landscape, temperature=0.4, mobility=mobility)
    errors = []
    for count in (9, 17, 33):
        x = np.linspace(-0.8, 0.8, count)
        exact = landscape.value(x[:, None]) - landscape.value([x[0]])
        starts = [float(mean_time(process, point, side)) for point in x]
        targets = [float(mean_time(process, -side, point)) for point in x]
        from_starts = inverse_passage.landscape_from_starts(x, starts, temperature=0.4, mobility=mobility)
        from_targets = inverse_passage.landscape_from_targets(x, targets, temperature=0.4, mobility=mobility)
        errors.append([np.abs(found - exact).max() for found in (from_starts, from_targets)])
    errors = np.array(errors)
    assert errors[-1].max() < 1e-4
    # A spline of degree five differentiates to fifth order; fourth is promised.
    assert np.all(np.log2(errors[1] / errors[2]) > 3.5)


@pytest.mark.parametrize("temperature", [0.03, 0.2, 1.5])
def test_the_temperature_is_recovered(quartic, temperature):
    time = float(mean_time(thermal(quartic, temperature=temperature, mobility=2.0), -1.0, 1.0))
    found = inverse_passage.temperature_from_time(quartic, -1.0, 1.0, time=time, mobility=2.0)
    assert float(found) == pytest.approx(temperature, rel=1e-9)


def test_the_barrier_is_recovered_up_to_the_square_of_the_temperature(quartic):
    """τ ∝ (1 + 3T/2)e^{ΔL/T}: the Arrhenius slope gives ΔL − 3T₁T₂/2."""
    temperatures = (0.02, 0.01)
    times = tuple(float(mean_time(thermal(quartic, temperature=t), -1.0, 1.0)) for t in temperatures)
    found = inverse_passage.barrier_from_times(temperatures, times)
    assert float(found) - 0.25 == pytest.approx(-1.5 * 0.02 * 0.01, rel=0.25)
    assert abs(float(found) / 0.25 - 1) < found.error_scale


def test_data_that_cannot_be_mean_times_are_refused(quartic):
    x = np.linspace(0, 1, 8)
    with pytest.raises(TheoryError, match="change in one direction"):
        inverse_passage.landscape_from_starts(x, (x - 0.5) ** 2, temperature=1.0)
    with pytest.raises(TheoryError, match="ascend"):
        inverse_passage.landscape_from_starts(x[::-1], x, temperature=1.0)
    with pytest.raises(TheoryError, match="at least six"):
        inverse_passage.landscape_from_starts(x[:4], x[:4], temperature=1.0)
    with pytest.raises(TheoryError, match="not the mean time"):
        inverse_passage.temperature_from_time(quartic, -1.0, 1.0, time=1e-60)
    with pytest.raises(TheoryError, match="there is no barrier"):
        inverse_passage.barrier_from_times((0.1, 0.2), (1.0, 2.0))
    with pytest.raises(TheoryError, match="must differ"):
        inverse_passage.barrier_from_times((0.1, 0.1), (1.0, 2.0))
