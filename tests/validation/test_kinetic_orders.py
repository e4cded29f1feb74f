"""The measured orders of the kinetic schemes, as the validation reports them."""

import pytest

from fpsolver.validation.kinetic_orders import functions_needed, measured_orders, reference_rate


def check(results):
    for result in results:
        expected = 2 if result.scheme == "hermite" else 1
        # On the finest pair the next term of the error expansion changes the order by its relative size.
        assert result.orders[-1] == pytest.approx(expected, abs=0.15), result


def test_reference_does_not_depend_on_its_own_resolution():
    assert reference_rate(1.0, 24) == pytest.approx(0.13650792, abs=5e-9)
    assert reference_rate(1.0, 24, points=64, width=2.8) == pytest.approx(reference_rate(1.0, 24), rel=1e-9)


def test_orders_for_moderate_and_large_friction():
    check(measured_orders((1.0, 100.0), finest=160))


@pytest.mark.slow
def test_orders_for_weak_friction():
    hermite, upwind = measured_orders((0.01,), finest=320)
    check([hermite])
    # The upwind rate is still off by more than its own size: no asymptotic order shows, but it falls at least linearly.
    assert min(upwind.errors) > 1
    assert min(upwind.orders) > 0.9


def test_functions_needed_grow_as_friction_falls():
    assert functions_needed(100.0, largest=64) <= functions_needed(1.0, largest=64) < functions_needed(0.1, largest=128)
