"""The spherical p-spin glass: small cases that are known, published thresholds, and the limit."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import spherical_glass


@pytest.mark.parametrize("degree", [2, 3, 4, 7])
def test_circle(degree):
    assert float(spherical_glass.critical_points(degree, spins=2)) == pytest.approx(2 * math.sqrt(3 * degree - 2))


@pytest.mark.parametrize("spins", [2, 3, 8, 60])
def test_quadratic_forms_have_eigenvectors(spins):
    assert float(spherical_glass.critical_points(2, spins=spins)) == pytest.approx(2 * spins, rel=1e-11)


def test_published_numbers_for_three():
    assert float(spherical_glass.threshold_energy(3)) == pytest.approx(1.632993161855452, rel=1e-14)
    assert float(spherical_glass.ground_state_energy(3)) == pytest.approx(1.6569983635274732, rel=1e-12)
    assert float(spherical_glass.total_complexity(3)) == pytest.approx(0.34657359027997264, rel=1e-14)


def test_the_total_tends_to_its_complexity():
    """⟨N_crit⟩ ∝ √N (p − 1)^{N/2}: from N to 2N the rest grows by √2, with corrections of the order 1/N."""
    counts = {n: float(spherical_glass.critical_points(3, spins=n)) for n in (20, 40, 80, 160)}
    rest = [math.log(count) - 0.5 * n * math.log(2.0) for n, count in counts.items()]
    errors = [after - before - 0.5 * math.log(2.0) for before, after in pairwise(rest)]
    assert abs(errors[2]) < 0.01
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2.0, rel=0.1)


def test_minima_are_below_the_threshold():
    edge = float(spherical_glass.threshold_energy(4))
    at = [float(spherical_glass.minimum_complexity(-e, degree=4)) for e in (edge + 0.1, edge, edge - 0.5)]
    assert at[0] < at[1] == at[2] < float(spherical_glass.total_complexity(4))


@pytest.mark.parametrize(("degree", "spins"), [(1, 3), (3, 1), (2.5, 3), (True, 3)])
def test_what_is_refused(degree, spins):
    with pytest.raises(TheoryError, match="integer"):
        spherical_glass.critical_points(degree, spins=spins)
