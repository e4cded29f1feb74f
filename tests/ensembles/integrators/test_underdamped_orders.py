"""Orders of the underdamped splittings in their stationary state, by quadrature of the one-step kernel.

The steps are those of `splitting_steps`, which `test_underdamped` shows to be what the kernel does, to rounding. The
stationary density is the Boltzmann density ρ times a polynomial g, found from ∫ρ g (P − 1)φ = 0 for all polynomials φ
up to a degree, where P takes the mean over one step: no random number enters, and the answer converges with the degree.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import leggauss
from splitting_steps import step

NODES, VELOCITY_NODES, NOISE_NODES = 40, 28, (20, 10)
"""A polynomial of the basis is of degree three times its own in the first noise, and of its own in the second."""


@cache
def quartic_rule():
    """Return recurrence coefficients (a, b), nodes and weights of the Gauss rule for exp(−x⁴/4), by Lanczos."""
    points, weights = leggauss(400)
    points = 6 * points
    weights = weights * np.exp(-(points**4) / 4)
    vectors = [np.sqrt(weights / weights.sum())]
    a, b = np.zeros(NODES), np.zeros(NODES)
    for k in range(NODES):
        a[k] = vectors[k] @ (points * vectors[k])
        rest = points * vectors[k]
        for one in vectors:
            rest = rest - one * (one @ rest)
        if k + 1 < NODES:
            b[k + 1] = np.sqrt(rest @ rest)
            vectors.append(rest / b[k + 1])
    nodes, modes = np.linalg.eigh(np.diag(a) + np.diag(b[1:], 1) + np.diag(b[1:], -1))
    return a, b, nodes, modes[0] ** 2


def polynomials(x, a, b, count):
    """Return orthonormal polynomials, shape (count, *x.shape), from their recurrence."""
    found = [np.ones_like(x)]
    for k in range(count - 1):
        found.append(((x - a[k]) * found[k] - (b[k] * found[k - 1] if k else 0.0)) / b[k + 1])
    return np.stack(found)


def noises(scheme):
    """Yield the random variables of a step, and their weights."""
    rules = [hermegauss(count) for count, _ in zip(NOISE_NODES, range(scheme.count("o")), strict=False)]
    points = np.stack(np.meshgrid(*(rule[0] for rule in rules)), axis=-1).reshape(-1, len(rules))
    weights = np.stack(np.meshgrid(*(rule[1] for rule in rules)), axis=-1).reshape(-1, len(rules)).prod(axis=1)
    return zip(points, weights / weights.sum(), strict=True)


def errors(scheme, dt, friction, degree=14):
    """Return the errors of ⟨x²⟩ and ⟨v²⟩ in the well x⁴/4 at T = m = 1."""
    a, b, nodes, weights = quartic_rule()
    velocities, velocity_weights = hermegauss(VELOCITY_NODES)
    x, v = (part.ravel() for part in np.meshgrid(nodes, velocities, indexing="ij"))
    weights = np.outer(weights, velocity_weights / velocity_weights.sum()).ravel()
    # The state is symmetric under (x, v) → (−x, −v): polynomials of even degree do. The constant is the first of them.
    i, j = np.array([(i, k - i) for k in range(0, degree + 1, 2) for i in range(k + 1)]).T

    def basis(x, v):
        hermite = polynomials(v, np.zeros(degree + 1), np.sqrt(np.arange(degree + 2.0)), degree + 1)
        return polynomials(x, a, b, degree + 1)[i] * hermite[j]

    here, after = basis(x, v), 0.0
    for z, weight in noises(scheme):
        moved = step(scheme, x[:, None], v[:, None], z[None, :, None], lambda y: y**3, dt, 1.0, friction, 1.0)
        after = after + weight * basis(moved[0][:, 0], moved[1][:, 0])
    balance = (here * weights) @ (after - here).T
    coefficients = np.append(1.0, np.linalg.solve(balance[1:, 1:].T, -balance[0, 1:]))
    density = coefficients @ here - 1.0
    return np.array([weights @ (density * x**2), weights @ (density * v**2)])


def orders(scheme, steps, friction):
    found = np.abs([errors(scheme, dt, friction) for dt in steps])
    return np.log2(found[:-1] / found[1:])


@pytest.mark.parametrize("scheme", ["baoab", "obabo"])
def test_averages_over_positions_are_of_second_order(scheme):
    """At dt = 0.2 → 0.1 the next term, of relative size dt², moves the measured order by some 0.05, upwards."""
    found = orders(scheme, (0.4, 0.2, 0.1), friction=1.0)[:, 0]
    assert 1.98 < found[1] < 2.1
    assert abs(found[1] - 2) < 0.5 * abs(found[0] - 2)  # the deviation falls fourfold


def test_averages_over_velocities_are_of_second_order():
    found = orders("baoab", (0.2, 0.1), friction=1.0)[:, 1]
    np.testing.assert_allclose(found, 2, atol=0.02)


def test_baoab_is_of_fourth_order_in_positions_where_friction_is_strong():
    """Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34, section 3: γ → ∞."""
    found = orders("baoab", (0.4, 0.2), friction=1e4)[:, 0]
    assert found[0] > 3.8
    assert orders("obabo", (0.4, 0.2), friction=1e4)[0, 0] < 2.5


@pytest.mark.parametrize("scheme", ["baoab", "obabo"])
def test_errors_converge_with_the_degree(scheme):
    coarse, fine = (errors(scheme, 0.2, 1.0, degree) for degree in (10, 14))
    np.testing.assert_allclose(coarse, fine, rtol=2e-3)


def test_baoab_is_the_better_one_for_positions():
    assert 3 * abs(errors("baoab", 0.1, 1.0)[0]) < abs(errors("obabo", 0.1, 1.0)[0])
