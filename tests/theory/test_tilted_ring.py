from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ive

import fpsolver as fp
from fpsolver.errors import TheoryError
from fpsolver.theory import tilted_ring

COSINE = fp.Landscape("-cos(x)")
RING = {"period": 2 * np.pi}


@pytest.mark.parametrize("temperature", [0.1, 0.5, 3.0])
def test_no_force_is_lifson_and_jackson(temperature):
    """D = T/I₀(A/T)², from the scaled Bessel function so that low temperatures keep their digits."""
    found = float(tilted_ring.diffusion(COSINE, force=0.0, temperature=temperature, **RING))
    exact = temperature * np.exp(-2 / temperature) / ive(0, 1 / temperature) ** 2
    assert found == pytest.approx(exact, rel=1e-10)
    assert float(tilted_ring.velocity(COSINE, force=0.0, temperature=temperature, **RING)) == 0.0


@pytest.mark.parametrize(
    ("temperature", "force", "velocity", "diffusion"),
    [
        (0.1, 0.5, 0.0008702767198821987, 0.002727475895152105),
        (0.1, 1.0, 0.3689532457620995, 0.4111299353197955),
        (0.5, 1.1, 0.737264566971437, 0.8097024740483798),
    ],
)
def test_giant_diffusion(temperature, force, velocity, diffusion):
    """Independently computed values of Stratonovich's and Reimann's formulas for −cos x."""
    system = {"force": force, "temperature": temperature, **RING}
    assert float(tilted_ring.velocity(COSINE, **system)) == pytest.approx(velocity, rel=1e-9)
    assert float(tilted_ring.diffusion(COSINE, **system)) == pytest.approx(diffusion, rel=1e-9)


def test_flat_ring_and_scaling():
    flat = fp.Landscape("0*x")
    system = {"force": 0.7, "temperature": 0.3, "mobility": 2.0, "period": 1.5}
    assert float(tilted_ring.velocity(flat, **system)) == pytest.approx(1.4, rel=1e-12)
    assert float(tilted_ring.diffusion(flat, **system)) == pytest.approx(0.6, rel=1e-12)
    forwards, backwards = (
        float(tilted_ring.velocity(COSINE, force=sign * 0.4, temperature=0.5, **RING)) for sign in (1, -1)
    )
    assert forwards == pytest.approx(-backwards, rel=1e-10)


def test_refusals():
    with pytest.raises(TheoryError, match="period"):
        tilted_ring.velocity(COSINE, force=0.0, temperature=1.0, period=3.0)
    with pytest.raises(TheoryError, match="positive"):
        tilted_ring.velocity(COSINE, force=0.0, temperature=0.0, **RING)
    with pytest.raises(TheoryError, match="variables"):
        tilted_ring.velocity(fp.Landscape("x*y"), force=0.0, temperature=1.0, **RING)
