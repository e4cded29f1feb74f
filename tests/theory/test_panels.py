"""Cumulative quadrature: exact for polynomials, resolved at kinks, and stiff relaxation without loss."""

from __future__ import annotations

import numpy as np

from fpsolver.theory.panels import ORDER, Panels, resolve


def test_cumulative_integrals_of_polynomials_are_exact():
    """Nodes carry polynomials of degree ORDER − 1 exactly."""
    panels = Panels(np.array([-1.0, 0.5, 2.0, 2.25]))
    x = panels.nodes
    for degree in (0, 3, ORDER - 1):
        left, at_edges = panels.from_left(x**degree)
        exact = (x ** (degree + 1) - (-1.0) ** (degree + 1)) / (degree + 1)
        scale = np.abs(exact).max()
        np.testing.assert_allclose(left, exact, atol=1e-14 * scale * ORDER)
        right, from_edges = panels.from_right(x**degree)
        np.testing.assert_allclose(left + right, at_edges[-1], atol=1e-13 * scale)
        np.testing.assert_allclose(at_edges + from_edges, at_edges[-1], atol=1e-13 * scale)


def test_bisection_finds_kinks_and_narrow_peaks():
    panels = resolve(
        np.array([0.0, 0.5, 1.0]), lambda p: [np.abs(p.nodes - 1 / 3), np.exp(-(((p.nodes - 0.7) * 300) ** 2))]
    )
    assert 0.5 in panels.edges
    kink = panels.over_panels(np.abs(panels.nodes - 1 / 3)).sum()
    np.testing.assert_allclose(kink, 1 / 18 + 2 / 9, rtol=1e-13)
    peak = panels.over_panels(np.exp(-(((panels.nodes - 0.7) * 300) ** 2))).sum()
    np.testing.assert_allclose(peak, np.sqrt(np.pi) / 300, rtol=1e-12)


def test_relaxation_follows_its_source_at_any_rate():
    """y' = s − ry with y = cos x − (what decays) for s = −sin x + r cos x, started far back where s vanishes."""
    panels = Panels(np.linspace(-8.0, 8.0, 65))
    x = panels.nodes
    wanted = np.exp(-(x**2))
    for rate in (0.1, 3.0, 1e4):
        found = panels.relaxed(-2 * x * wanted + rate * wanted, np.full_like(x, rate))
        np.testing.assert_allclose(found, wanted, atol=1e-11)
