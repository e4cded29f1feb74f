"""Minima and saddles, against algebra and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import root

import fpsolver.landscapes as landscapes
from fpsolver.errors import LandscapeError
from fpsolver.landscapes import Landscape, minima, saddles

BOX = [(-1.5, 1.2), (-0.3, 2.1)]


def test_mueller_brown_against_roots_found_by_scipy():
    landscape = landscapes.mueller_brown()
    published = {
        0: [(-0.558, 1.442), (0.623, 0.028), (-0.050, 0.467)],
        1: [(0.212, 0.293), (-0.822, 0.624)],
    }
    for found, guesses in ((minima(landscape, BOX), published[0]), (saddles(landscape, BOX), published[1])):
        assert len(found) == len(guesses)
        for point, guess in zip(found, guesses, strict=True):
            reference = root(landscape.gradient, guess, jac=landscape.hessian, tol=1e-13).x
            np.testing.assert_allclose(point.position, reference, atol=1e-10)
            np.testing.assert_allclose(point.eigenvalues, np.linalg.eigvalsh(landscape.hessian(reference)), rtol=1e-8)
    assert [point.index for point in saddles(landscape, BOX)] == [1, 1]


def test_every_minimum_and_saddle_of_rastrigin_in_a_box():
    """The problem separates: m minima and m − 1 maxima per axis give m² minima and 2m(m − 1) saddles."""
    landscape = landscapes.rastrigin(2)
    box = {"x": (-2.3, 2.3), "y": (-2.3, 2.3)}
    found = minima(landscape, box, starts=400)
    assert len(found) == 25 and found[0].value == pytest.approx(0.0, abs=1e-12)
    assert len(saddles(landscape, box, starts=400)) == 40
    assert len(saddles(landscape, box, starts=400, index=2)) == 16


def test_matrix_factorisation_by_algebra():
    """With ridge r < 1: minima at w₁ = w₂ = ±√(1 − r) of value r(1 − r/2), a saddle at 0 of value 1/2."""
    landscape, r = landscapes.matrix_factorisation(1.0, 0.1), 0.1
    found = minima(landscape, [(-3, 3)] * 2)
    np.testing.assert_allclose([m.position for m in found], np.sqrt(1 - r) * np.array([[-1, -1], [1, 1]]), atol=1e-12)
    assert found[0].value == pytest.approx(r * (1 - r / 2), rel=1e-14)
    (saddle,) = saddles(landscape, [(-3, 3)] * 2)
    np.testing.assert_allclose(saddle.eigenvalues, [r - 1, r + 1], rtol=1e-12)
    np.testing.assert_allclose(np.abs(saddle.eigenvectors[:, 0]), np.sqrt(0.5), rtol=1e-12)


def test_valleys_of_minima_are_said_to_be_degenerate():
    found = minima(landscapes.matrix_factorisation(1.0), [(-2, 2)] * 2)
    assert len(found) > 10 and all(point.degenerate and point.index == 0 for point in found)
    np.testing.assert_allclose([np.prod(point.position) for point in found], 1.0, atol=1e-12)


def test_results_do_not_depend_on_the_run_and_hardly_on_the_seed():
    landscape = landscapes.mueller_brown()
    first, again, other = (minima(landscape, BOX, seed=seed) for seed in (0, 0, 5))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a.position, b.position)
        np.testing.assert_allclose(a.position, c.position, atol=1e-10)


def test_points_on_the_edge_of_the_box_are_no_minima():
    assert minima(Landscape("x"), [(-1, 1)]) == ()
    assert minima(landscapes.double_well(), [(0.2, 2.0)])[0].position[0] == pytest.approx(1.0, abs=1e-12)
    assert len(minima(landscapes.double_well(), [(1.5, 2.0)])) == 0


def test_scales_do_not_matter():
    """Variables of very different size, and a tiny landscape."""
    landscape = Landscape("1e-9*((x/1e4)**4/4 - (x/1e4)**2/2 + (y/1e-5)**2)")
    found = minima(landscape, [(-2e4, 2e4), (-3e-5, 3e-5)])
    np.testing.assert_allclose([m.position[0] for m in found], [-1e4, 1e4], rtol=1e-9)


def test_a_quartic_minimum_without_curvature_is_found():
    (only,) = minima(Landscape("x**4"), [(-1.0, 1.3)])
    assert abs(only.position[0]) < 1e-7


def test_measured_landscapes_bring_their_own_box():
    x = np.linspace(-2.0, 2.0, 201)
    landscape = Landscape.from_grid({"x": x}, landscapes.double_well().value(x[:, None]))
    # The spline's minima are off by O(h³) = 1e-5.
    np.testing.assert_allclose([m.position[0] for m in minima(landscape)], [-1.0, 1.0], atol=1e-5)
    with pytest.raises(LandscapeError, match="beyond its domain"):
        minima(landscape, [(-3.0, 3.0)])


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (None, "bounds are needed"),
        ([(-1, 1)], "one pair"),
        ({"x": (-1, 1), "z": (0, 1)}, 'bounds are given for "z"'),
        ({"x": (-1, 1)}, 'no bounds for the variable "y"'),
        ([(-1, 1), (1, -1)], "bounds of y must be finite and ascending"),
        ([(-1, 1), (1, np.inf)], "finite and ascending"),
    ],
)
def test_bad_bounds(bounds, message):
    with pytest.raises(LandscapeError, match=message):
        minima(landscapes.mueller_brown(), bounds)


def test_bad_index_and_starts():
    with pytest.raises(LandscapeError, match="from 1 to 2"):
        saddles(landscapes.mueller_brown(), BOX, index=3)
    with pytest.raises(LandscapeError, match="starts"):
        minima(landscapes.mueller_brown(), BOX, starts=0)
