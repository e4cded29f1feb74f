"""Minimum-energy paths: barriers equal saddle values, and the gradient lies along the path."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver.landscapes as landscapes
from fpsolver.errors import LandscapeError
from fpsolver.landscapes import Landscape, minima, minimum_energy_path, saddles

BOX = [(-1.5, 1.2), (-0.3, 2.1)]


def test_mueller_brown_path_passes_both_saddles_and_the_middle_minimum():
    landscape = landscapes.mueller_brown()
    lowest, right, _ = minima(landscape, BOX)
    path = minimum_energy_path(landscape, lowest, right)
    low, high = saddles(landscape, BOX)
    assert [s.value for s in path.saddles] == pytest.approx([high.value, low.value], rel=1e-12)
    assert path.barrier == pytest.approx(high.value - lowest.value, rel=1e-12)
    assert path.reverse_barrier == pytest.approx(high.value - right.value, rel=1e-12)
    assert path.values.max() == pytest.approx(high.value, rel=1e-12)
    np.testing.assert_allclose(path.points[[0, -1]], [lowest.position, right.position])
    reverse = minimum_energy_path(landscape, right, lowest)
    assert reverse.barrier == pytest.approx(path.reverse_barrier, rel=1e-12)


def test_the_gradient_lies_along_the_path_to_second_order():
    """Tangents are central differences, so that the part of the gradient across them falls with the spacing."""
    landscape = landscapes.mueller_brown()
    across = []
    for images in (30, 60):
        path = minimum_energy_path(landscape, [0.62, 0.03], [-0.05, 0.47], images=images)
        tangent = path.points[2:] - path.points[:-2]
        tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True)
        gradient = landscape.gradient(path.points[1:-1])
        normal = gradient - np.sum(gradient * tangent, axis=-1, keepdims=True) * tangent
        across.append(np.sqrt(np.mean(normal**2) / np.mean(gradient**2)))
    # The inserted saddle makes the spacing slightly uneven: half an order of slack.
    assert np.log2(across[0] / across[1]) > 1.5, across


def test_curved_path_in_a_ring():
    """Two minima on the unit circle: the path follows the circle, not the straight line over the hill."""
    landscape = Landscape("20*(x**2 + y**2 - 1)**2 - 0.2*x**2 + 0.05*y")
    found = minima(landscape, [(-2, 2)] * 2)
    path = minimum_energy_path(landscape, *found)
    lower = saddles(landscape, [(-2, 2)] * 2)[0]
    assert path.barrier == pytest.approx(lower.value - found[0].value, rel=1e-10)
    assert np.abs(np.linalg.norm(path.points, axis=-1) - 1.0).max() < 0.05
    over = minimum_energy_path(landscape, *found, path=[[0.0, 1.0]])
    assert over.saddle.position[1] > 0.9 and over.barrier > path.barrier


@pytest.mark.parametrize(
    ("landscape", "start", "end", "barrier"),
    [
        (landscapes.double_well(2.5, 0.7), [-0.7], [0.7], 2.5),
        (landscapes.coupled_double_well(3.0), [-1.0, 0.0], [1.0, 0.0], 0.25),
        (landscapes.matrix_factorisation(1.0, 0.1), [1.0, 1.0], [-1.0, -1.0], 0.5 - 0.1 * 0.95),
        (landscapes.piecewise_quadratic(2.0, 3.0, 1.5), [0.1], [4.0], 1.5),
    ],
)
def test_barriers_known_in_closed_form(landscape, start, end, barrier):
    assert minimum_energy_path(landscape, start, end).barrier == pytest.approx(barrier, rel=1e-11)


def test_a_path_over_several_periods_passes_every_barrier():
    landscape = landscapes.tilted_washboard(1.0, 0.3)
    path = minimum_energy_path(landscape, [np.pi], [7 * np.pi])
    assert len(path.saddles) == 3
    # Maxima of cos x − Fx are at x = 2πn − asin F; the first one passed is the highest.
    assert path.saddle.position[0] == pytest.approx(2 * np.pi - np.arcsin(0.3), abs=1e-10)


def test_measured_landscapes_have_paths_within_their_domain():
    axes = {"x": np.linspace(-1.6, 1.6, 81), "y": np.linspace(-0.5, 0.5, 41)}
    exact = landscapes.coupled_double_well(2.0)
    points = np.stack(np.meshgrid(*axes.values(), indexing="ij"), axis=-1)
    landscape = Landscape.from_grid(axes, exact.value(points))
    # The spline's error is O(h⁴) = (0.04)⁴.
    assert minimum_energy_path(landscape, [-1.0, 0.0], [1.0, 0.0]).barrier == pytest.approx(0.25, abs=3e-6)


@pytest.mark.parametrize(
    ("start", "end", "options", "message"),
    [
        ([-1.0, 0.0], [-0.9, 0.1], {}, "basin of one minimum"),
        ([-1.0], [1.0, 0.0], {}, "shape"),
        ([[-1.0, 0.0]], [1.0, 0.0], {}, "must be one point"),
        ([-1.0, 0.0], [1.0, 0.0], {"images": 2}, "at least 5"),
        ([-1.0, 0.0], [1.0, 0.0], {"path": [0.0, 0.0]}, "must be an array"),
    ],
)
def test_bad_ends(start, end, options, message):
    with pytest.raises(LandscapeError, match=message):
        minimum_energy_path(landscapes.coupled_double_well(), start, end, **options)


def test_a_landscape_without_minimum_is_said():
    with pytest.raises(LandscapeError, match="no minimum downhill of the start"):
        minimum_energy_path(Landscape("x"), [0.0], [1.0])
