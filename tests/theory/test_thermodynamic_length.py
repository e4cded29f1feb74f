"""Friction of slow driving by quadrature, against closed forms, and the geodesics that follow."""

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.landscapes import Landscape
from fpsolver.theory import thermodynamic_length as slow


@pytest.mark.parametrize("stiffness", [0.5, 1.0, 4.0])
def test_friction_of_a_trap_by_quadrature(stiffness):
    trap = Landscape("k*(x - c)**2/2", {"k": stiffness, "c": 0.3}, ("x",))
    units = {"temperature": 0.7, "mobility": 1.3}
    reach = 9.0 * np.sqrt(0.7 / stiffness)
    by_stiffness, by_centre = (
        float(slow.line_friction(trap, name, (0.3 - reach, 0.3 + reach), **units)) for name in ("k", "c")
    )
    assert by_stiffness == pytest.approx(float(slow.stiffness_friction(stiffness, **units)), rel=1e-9)
    assert by_centre == pytest.approx(float(slow.centre_friction(0.3, mobility=1.3)), rel=1e-9)


def test_length_of_the_stiffening_trap():
    squared = (1.0 - 0.5**0.5) ** 2
    assert float(slow.slow_excess_work(slow.stiffness_friction, 1.0, 2.0, 1.0)) == pytest.approx(squared, rel=1e-12)
    assert float(slow.slow_excess_work(slow.stiffness_friction, 2.0, 1.0, 4.0)) == pytest.approx(squared / 4.0)
    assert float(slow.slow_linear_excess_work(slow.stiffness_friction, 2.0, 1.0, 1.0)) == pytest.approx(0.09375)


def test_speed_along_the_geodesic_is_constant():
    t = np.linspace(0.0, 3.0, 301)
    stiffness = slow.slow_stiffness_protocol(0.5, 4.0, 3.0)(t)
    speed = np.sqrt(slow.stiffness_friction(stiffness)) * np.gradient(stiffness, t, edge_order=2)
    # second-order differences of a smooth function
    assert np.ptp(speed) < 1e-3 * speed.mean()


def test_wrong_problems_are_refused():
    with pytest.raises(TheoryError, match="no parameter"):
        slow.line_friction(Landscape("x**2/2"), "k", (-1, 1), temperature=1.0)
    with pytest.raises(TheoryError, match="not negative"):
        slow.thermodynamic_length(lambda x: -x, 1.0, 2.0)
