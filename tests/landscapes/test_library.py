"""The library: derivatives by measured order, and the values that its docstrings promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import root

import fpsolver.landscapes as landscapes
from fpsolver.errors import LandscapeError

LIBRARY = [
    landscapes.quadratic([[2.0, 1.0], [1.0, 3.0]]),
    landscapes.quadratic(3.0),
    landscapes.quadratic([1.0, 2.0, 3.0, 4.0]),
    landscapes.double_well(2.0, 1.5),
    landscapes.tilted_double_well(0.25, 1.0, 0.1),
    landscapes.tilted_washboard(1.5, 0.5),
    landscapes.mueller_brown(),
    landscapes.coupled_double_well(2.0),
    landscapes.matrix_factorisation(1.5, 0.1),
    landscapes.two_layer_linear([[1.0, 0.5]], hidden=2, ridge=0.1),
    landscapes.rastrigin(3),
    landscapes.piecewise_quadratic(2.0, 3.0, 1.5),
]


@pytest.mark.parametrize("landscape", LIBRARY, ids=lambda one: f"{len(one.variables)}-{one.fingerprint[:6]}")
def test_derivatives_against_central_differences_by_order(landscape):
    """Errors of central differences of value and gradient must fall with the square of the step, or be rounding."""
    theta = np.random.default_rng(0).uniform(-0.9, 0.9, size=(6, landscape.dimension))
    errors = []
    for h in (2e-3, 1e-3):
        steps = h * np.eye(landscape.dimension)[:, None, :]
        slopes = np.moveaxis(landscape.value(theta + steps) - landscape.value(theta - steps), 0, -1) / (2 * h)
        curvatures = np.moveaxis(landscape.gradient(theta + steps) - landscape.gradient(theta - steps), 0, -1) / (2 * h)
        errors.append([
            np.abs(slopes - landscape.gradient(theta)).max(),
            np.abs(curvatures - landscape.hessian(theta)).max(),
        ])  # fmt: skip
    scale = np.abs(landscape.value(theta)).max() + np.abs(landscape.gradient(theta)).max() + 1.0
    for coarse, fine in zip(*errors, strict=True):
        # Rounding: ε·scale/h in a difference quotient, with room for a few operations.
        assert fine < 100 * np.finfo(float).eps * scale / 1e-3 or np.log2(coarse / fine) > 1.9


def test_double_well_default_is_the_quartic():
    x = np.linspace(-2.0, 2.0, 101)[:, None]
    np.testing.assert_allclose(landscapes.double_well().value(x), x[:, 0] ** 4 / 4 - x[:, 0] ** 2 / 2, atol=1e-15)
    well = landscapes.double_well(3.0, 2.0)
    assert well.value([2.0]) == -3.0 and well.value([0.0]) == 0.0
    assert well.hessian([2.0])[0, 0] == 8 * 3.0 / 4 and well.hessian([0.0])[0, 0] == -4 * 3.0 / 4


def test_quadratic_accepts_number_diagonal_and_matrix():
    matrix = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.0, 1.0]])
    theta = np.array([1.0, -2.0, 0.5])
    assert landscapes.quadratic(matrix).value(theta) == theta @ matrix @ theta / 2
    np.testing.assert_array_equal(landscapes.quadratic([1.0, 2.0]).hessian([0.0, 0.0]), np.diag([1.0, 2.0]))
    assert landscapes.quadratic().variables == ("x",)
    assert len(landscapes.quadratic(np.eye(12)).variables) == 12
    for bad in ([[1.0, 2.0], [0.0, 1.0]], [[1.0, 2.0]], np.zeros((2, 2, 2))):
        with pytest.raises(LandscapeError, match="symmetric"):
            landscapes.quadratic(bad)


@pytest.mark.parametrize(
    ("near", "energy"),
    # Positions and energies as published (Müller and Brown 1979, Table 1), rounded there.
    [
        ((-0.558, 1.442), -146.700),
        ((0.623, 0.028), -108.167),
        ((-0.050, 0.467), -80.768),
        ((-0.822, 0.624), -40.665),
        ((0.212, 0.293), -72.249),
    ],
)
def test_mueller_brown_has_its_published_critical_points(near, energy):
    """The reference formula is typed in here once more, and its roots come from scipy with numerical derivatives."""

    def value(x, y):
        rows = ((-200, -1, 0, -10, 1, 0), (-100, -1, 0, -10, 0, 0.5), (-170, -6.5, 11, -6.5, -0.5, 1.5))
        rows += ((15, 0.7, 0.6, 0.7, -1, 1),)
        return sum(A * np.exp(a * (x - u) ** 2 + b * (x - u) * (y - v) + c * (y - v) ** 2) for A, a, b, c, u, v in rows)

    def slope(point):
        x, y = point
        h = 1e-5
        return [(value(x + h, y) - value(x - h, y)) / (2 * h), (value(x, y + h) - value(x, y - h)) / (2 * h)]

    found = root(slope, near, tol=1e-10).x
    assert np.abs(found - near).max() < 6e-4
    assert value(*found) == pytest.approx(energy, abs=1e-3)
    landscape = landscapes.mueller_brown()
    assert landscape.value(found) == pytest.approx(value(*found), rel=1e-13)
    # The differences above are off by h² L‴/6 ≈ 1e-6.
    assert np.abs(landscape.gradient(found)).max() < 1e-5
    assert landscapes.mueller_brown(0.1).value(found) == pytest.approx(0.1 * value(*found), rel=1e-13)


def test_piecewise_quadratic_is_matched_with_continuous_slope():
    h_a, h_b, height = 4.0, 1.0, 1.5
    landscape = landscapes.piecewise_quadratic(h_a, h_b, height)
    top = np.sqrt(2 * height * (h_a + h_b) / (h_a * h_b))
    match = top * h_b / (h_a + h_b)
    for x, value in ((0.0, 0.0), (top, height), (2 * top, 0.0)):
        assert landscape.value([x]) == pytest.approx(value, abs=1e-14)
        assert landscape.gradient([x])[0] == pytest.approx(0.0, abs=1e-14)
    assert landscape.value([match]) == pytest.approx(height * h_b / (h_a + h_b))
    for x in (match, 2 * top - match):
        sides = np.array([[x - 1e-9], [x + 1e-9]])
        assert np.ptp(landscape.value(sides)) < 1e-8  # slope times 2e-9
        assert np.ptp(landscape.gradient(sides)) < 1e-8  # curvature times 2e-9
        assert sorted(landscape.hessian(sides).ravel()) == [-h_b, h_a]
    x = np.linspace(-1.0, top, 50)[:, None]
    np.testing.assert_allclose(landscape.value(x), landscape.value(2 * top - x), atol=1e-13)


def test_two_layer_linear_is_half_the_squared_distance():
    rng = np.random.default_rng(1)
    target, u, v = rng.normal(size=(2, 3)), rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
    landscape = landscapes.two_layer_linear(target, hidden=4, ridge=0.3)
    assert landscape.dimension == 20
    theta = np.concatenate([u.ravel(), v.ravel()])
    expected = np.sum((v @ u - target) ** 2) / 2 + 0.3 * np.sum(theta**2) / 2
    assert landscape.value(theta) == pytest.approx(expected, rel=1e-14)


def test_factorisation_valley_has_the_promised_sharpness():
    landscape = landscapes.matrix_factorisation(2.0)
    for w in (0.5, 1.0, 3.0):
        eigenvalues = np.linalg.eigvalsh(landscape.hessian([w, 2.0 / w]))
        np.testing.assert_allclose(eigenvalues, [0.0, w**2 + 4.0 / w**2], atol=1e-13)


def test_the_named_parameters_are_parameters():
    assert set(landscapes.double_well().parameters) == {"barrier", "half_width"}
    assert set(landscapes.tilted_double_well().parameters) == {"barrier", "half_width", "tilt"}
    assert set(landscapes.tilted_washboard().parameters) == {"amplitude", "force"}
    assert landscapes.tilted_washboard(1.0, 0.5).value([np.pi]) == pytest.approx(-1.0 - 0.5 * np.pi)
    assert landscapes.coupled_double_well(3.0).hessian([0.0, 0.0])[1, 1] == 1.0
    assert landscapes.rastrigin(2).value([0.0, 0.0]) == 0.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: landscapes.double_well(half_width=0.0),
        lambda: landscapes.rastrigin(0),
        lambda: landscapes.rastrigin(1.5),
        lambda: landscapes.two_layer_linear(1.0, hidden=0),
        lambda: landscapes.two_layer_linear(np.zeros((0, 2))),
        lambda: landscapes.piecewise_quadratic(barrier=-1.0),
        lambda: landscapes.piecewise_quadratic(minimum_curvature=float("nan")),
    ],
)
def test_impossible_members_are_refused(make):
    with pytest.raises(LandscapeError, match="must be"):
        make()
