from __future__ import annotations

import mpmath
import numpy as np
import pytest

from fpsolver.dynamics.stable_law import stable_density, stable_tail

ROUNDING = 200 * np.finfo(float).eps
"""Exponents along the ray reach 78 in size, and 190 in phase; their rounding is relative."""


@pytest.mark.parametrize("index", [0.4, 1.0, 1.7])
def test_far_out_the_density_is_its_asymptotic_series(index):
    """Σ (−1)^{n+1} Γ(αn + 1) sin(nπα/2) u^{−αn−1}/(π n!), whose first left-out term bounds the error."""
    u = mpmath.mpf(10) ** (12 if index < 1 else 6)
    terms = [
        (-1) ** (n + 1) * mpmath.gamma(index * n + 1) * mpmath.sin(n * mpmath.pi * index / 2) * u ** (-index * n - 1)
        / (mpmath.pi * mpmath.factorial(n))
        for n in range(1, 9)
    ]  # fmt: skip
    assert float(stable_density(index, float(u))) == pytest.approx(float(sum(terms)), rel=ROUNDING)


@pytest.mark.parametrize("index", [0.5, 0.9, 1.3, 1.8])
def test_at_the_centre_the_density_is_its_power_series(index):
    u = mpmath.mpf("0.01") if index < 1 else mpmath.mpf("0.5")
    with mpmath.workdps(40):
        terms = [
            (-1) ** n * mpmath.gamma((2 * n + 1) / mpmath.mpf(index)) * u ** (2 * n) / mpmath.factorial(2 * n)
            for n in range(60 if index > 1 else 8)
        ]
        # For α < 1 the series only tends to the density; its smallest term is left out.
        smallest = min(range(len(terms)), key=lambda n: abs(terms[n]))
        series = sum(terms[: smallest if index < 1 else None]) / (mpmath.pi * index)
        doubt = abs(terms[smallest] / series) if index < 1 else 0
    found = float(stable_density(index, float(u)))
    assert abs(found / float(series) - 1) <= ROUNDING + float(doubt)


@pytest.mark.parametrize("index", [0.3, 0.99, 1.0, 1.01, 1.5, 1.95])
def test_tails_are_integrals_of_the_density(index):
    nodes, weights = np.polynomial.legendre.leggauss(40)
    for low, high in ((0.2, 0.4), (0.8, 1.3), (5.0, 9.0)):
        x = 0.5 * (high - low) * nodes + 0.5 * (high + low)
        inside = 0.5 * (high - low) * weights @ stable_density(index, x)
        lost = stable_tail(index, low) - stable_tail(index, high)
        assert inside == pytest.approx(float(lost), abs=ROUNDING)


def test_cauchys_law():
    u = np.array([0.0, 1e-9, 0.3, 0.999, 1.001, 40.0, 1e9])
    assert stable_density(1.0, u) * np.pi * (1 + u**2) == pytest.approx(1.0, rel=ROUNDING)
    assert stable_tail(1.0, u) * np.pi == pytest.approx(np.arctan2(1.0, u), rel=ROUNDING)
