"""Critical learning rates against the spectral radius of each method's own recursion, and the edge in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.theory import critical_learning_rates as critical


def recursion(optimiser: str, eta: float, h: float, mu: float) -> np.ndarray:
    """Return the matrix of one step of the method on hθ²/2, written down from its definition."""
    if optimiser == "nesterov":
        return np.array([[1 - eta * h, mu * (1 - eta * h)], [-eta * h, mu * (1 - eta * h)]])
    gain = eta * (1 - mu) if optimiser == "adam" else eta
    return np.array([[1 - gain * h, mu], [-gain * h, mu]])


def radius(matrix: np.ndarray) -> float:
    return float(np.abs(np.linalg.eigvals(matrix)).max())


@settings(max_examples=60, deadline=None)
@given(
    optimiser=st.sampled_from(("heavy ball", "nesterov", "adam")),
    h=st.floats(1e-3, 1e3),
    mu=st.floats(0.0, 0.99),
)
def test_spectral_radius_is_one_at_the_edge_and_not_before(optimiser, h, mu):
    eta = float(critical.learning_rate(h, optimiser=optimiser, momentum=mu))
    assert radius(recursion(optimiser, eta, h, mu)) == pytest.approx(1.0, abs=1e-10)
    assert all(radius(recursion(optimiser, share * eta, h, mu)) < 1.0 for share in np.linspace(0.01, 0.999, 25))
    assert radius(recursion(optimiser, 1.01 * eta, h, mu)) > 1.0
    assert float(critical.sharpness(eta, optimiser=optimiser, momentum=mu)) == pytest.approx(h, rel=1e-13)


@pytest.mark.parametrize("optimiser", ["gradient descent", "heavy ball", "nesterov", "adam"])
def test_all_are_gradient_descent_without_momentum(optimiser):
    assert float(critical.learning_rate(3.0, optimiser=optimiser)) == pytest.approx(2.0 / 3.0)
    assert float(critical.learning_rate_as_written(3.0, optimiser=optimiser)) == pytest.approx(2.0 / 3.0)


def test_weight_decay_adds_to_the_curvature():
    assert float(critical.learning_rate(3.0, weight_decay=1.0)) == 0.5
    with pytest.raises(TheoryError, match="decoupled_adam"):
        critical.learning_rate(3.0, optimiser="adam", weight_decay=1.0)


@settings(max_examples=30, deadline=None)
@given(h=st.floats(1e-2, 1e2), beta=st.floats(0.0, 0.99), w=st.floats(0.0, 10.0))
def test_decoupled_weight_decay(h, beta, w):
    eta = float(critical.decoupled_adam(h, momentum=beta, weight_decay=w))
    matrices = [
        np.array([[1 - s * eta * (w + (1 - beta) * h), -s * eta * beta], [(1 - beta) * h, beta]]) for s in (1.0, 0.99)
    ]
    assert radius(matrices[0]) == pytest.approx(1.0, abs=1e-10)
    assert radius(matrices[1]) < 1.0


def test_sharpness_of_two_factors():
    """The Hessian of (y − uv)²/2 written out, at minima and, with decay, where it ends."""
    rng = np.random.default_rng(1)
    for _ in range(10):
        u, y = rng.uniform(0.3, 3.0, 2)
        hessian = np.array([[(y / u) ** 2, y], [y, u**2]])
        value = float(critical.factorisation_sharpness(u, target=y))
        assert value == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-12)
        assert value >= 2.0 * y * (1.0 - 1e-14)
        w = rng.uniform(0.05, 5.0)
        point = np.sqrt(max(y - w, 0.0))
        decayed = np.array([[point**2 + w, 2 * point**2 - y], [2 * point**2 - y, point**2 + w]])
        assert np.linalg.eigvalsh(decayed)[0] > -1e-12
        assert float(critical.decayed_factorisation_sharpness(y, weight_decay=w)) == pytest.approx(
            np.linalg.eigvalsh(decayed)[-1], rel=1e-12
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimiser": "heavybal"}, "heavy ball"),
        ({"momentum": 0.5}, "has none"),
        ({"optimiser": "heavy ball", "momentum": 1.0}, "below 1"),
        ({"weight_decay": -1.0}, "weight_decay"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(TheoryError, match=message):
        critical.learning_rate(1.0, **arguments)
    with pytest.raises(TheoryError, match=message):
        critical.learning_rate_as_written(1.0, **arguments)


def test_two_cycle_needs_the_right_side():
    with pytest.raises(TheoryError, match="above"):
        critical.two_cycle(0.9, curvature=2.0, third=6.0, fourth=6.0)
    with pytest.raises(TheoryError, match="below"):
        critical.two_cycle(2.1, curvature=1.0, third=0.0, fourth=6.0)
    with pytest.raises(TheoryError, match="uv = y"):
        critical.factorisation_sharpness(0.0)
