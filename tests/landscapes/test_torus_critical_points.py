"""Critical points of fields: all are found, by Morse's count and by finer searches; crossings between nodes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.landscapes import count_crossings, field_critical_points, gaussian_spectrum


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-0.95, 0.95), min_size=1, max_size=3, unique=True))
def test_crossings_of_cubics_are_their_roots(roots):
    """A cubic is its own interpolation: every simple root counts, two in one cell included."""
    roots = [root for k, root in enumerate(sorted(roots)) if all(abs(root - r) > 1e-3 for r in sorted(roots)[:k])]
    polynomial = np.polynomial.Polynomial.fromroots(roots)
    x = np.linspace(-1.0, 1.0, 41)
    cells = np.floor((np.array(roots) + 1.0) / 0.05)
    up, down = count_crossings(polynomial(x), polynomial.deriv()(x), 0.05)
    if len(set(cells)) >= len(cells) - 1:  # three in one cell show as one
        assert up + down == len(roots)
    assert up - down == np.sign(polynomial(1.0)) * (len(roots) % 2)


def test_crossings_of_fields_against_finer_nodes():
    field = gaussian_spectrum(1, period=20.0).sample(2, 500)
    counts = []
    for nodes in (400, 1600):
        values, slopes = (np.pad(field.on_grid(nodes, axes), ((0, 0), (0, 1)), "wrap") for axes in ((0,), (0, 0)))
        up, down = count_crossings(values, slopes, 20.0 / nodes)
        assert np.array_equal(up, down)
        counts.append(up)
    assert np.array_equal(*counts)


def test_two_methods_on_a_ring():
    spectrum = gaussian_spectrum(1, period=30.0)
    for seed in range(5):
        field = spectrum.sample(seed)
        values, slopes = (np.append(a := field.on_grid(600, axes), a[0]) for axes in ((0,), (0, 0)))
        found = field_critical_points(field)
        assert [np.sum(found.indices == 0), np.sum(found.indices == 1)] == list(count_crossings(values, slopes, 0.05))


@pytest.mark.parametrize(("confinement", "alternating"), [(0.0, 0), (1.0, 1)])
def test_none_is_missed_on_the_plane(confinement, alternating):
    """The alternating sum is topological; a search of a third of the spacing finds no more."""
    spectrum = gaussian_spectrum(2, period=7.0)
    for seed in range(6):
        field = spectrum.sample(seed)
        found = field_critical_points(field, confinement=confinement)
        assert found.alternating_sum == alternating
        assert len(found) == len(field_critical_points(field, confinement=confinement, spacing=0.05))
        value, gradient, hessian = field.derivatives(found.positions)
        np.testing.assert_allclose(gradient + confinement * found.positions, 0.0, atol=1e-9)
        np.testing.assert_allclose(found.values, value + confinement / 2 * np.sum(found.positions**2, axis=1))
        signs = np.sign(np.linalg.det(hessian + confinement * np.eye(2)))
        assert np.array_equal(signs, (-1.0) ** found.indices)


def test_three_dimensions():
    found = field_critical_points(gaussian_spectrum(3, period=6.0).sample(3), confinement=2.0, spacing=0.25)
    assert found.alternating_sum == 1
    assert found.positions.shape == (len(found), 3)
