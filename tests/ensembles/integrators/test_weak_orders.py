"""Weak orders by quadrature of the one-step kernel, on a torus, where Fourier series leave no other error.

The steps are those of `plain_steps`, which `test_multiplicative` shows to be what the kernels do, to rounding. With
them (P f)(x) = Σ_q w_q f(step(x, z_q)) is exact for three-point noise and to rounding for Gauss–Hermite nodes; P^n f is
compared with exp(tL) f, and the left eigenvector of P with the stationary density of L.
"""

from functools import cache
from itertools import product

import numpy as np
import pytest
from plain_steps import STEPS, Law
from scipy.integrate import solve_ivp
from scipy.linalg import expm, null_space

import fpsolver as fp
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.simulate import simulate
from fpsolver.kernels.cpu.noise import normals
from fpsolver.kernels.philox import DYNAMICS


def torus(cells, dimension):
    """Return points (N, d) of the equidistant grid."""
    axis = 2 * np.pi * np.arange(cells) / cells
    return np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), -1).reshape(-1, dimension)


def interpolation(points, cells):
    """Return the matrix from values on the grid to values of the trigonometric interpolant at points (n, d)."""
    rows = np.ones((len(points), 1))
    nodes = 2 * np.pi * np.arange(cells) / cells
    waves = np.arange(1, (cells + 1) // 2)
    for k in range(points.shape[1]):
        gap = points[:, k, None] - nodes
        kernel = (1 + 2 * np.cos(gap[..., None] * waves).sum(-1)) / cells
        rows = (rows[:, :, None] * kernel[:, None, :]).reshape(len(points), -1)
    return rows


def quadrature(noise, variables):
    """Return nodes (n, m) and weights of m independent variables."""
    if noise == "gaussian":
        nodes, weights = np.polynomial.hermite_e.hermegauss(24 if variables == 1 else 12)
        weights = weights / weights.sum()
    else:
        nodes, weights = np.array([-np.sqrt(3), 0, np.sqrt(3)]), np.array([1, 4, 1]) / 6
    return np.array(list(product(nodes, repeat=variables))), np.array(
        [np.prod(w) for w in product(weights, repeat=variables)]
    )


def transfer(step, law, dt, noise, cells, dimension, variables):
    """Return the matrix of f → E f(x′)."""
    x = torus(cells, dimension)
    return sum(w * interpolation(step(law, x, np.broadcast_to(z, (len(x), variables)), dt), cells)
               for z, w in zip(*quadrature(noise, variables), strict=True))  # fmt: skip


def generator(law, cells, dimension):
    """Return the matrix of L f = a·∇f + D:∇∇f."""
    x = torus(cells, dimension)
    one = np.array(
        [
            [0 if i == j else 0.5 * (-1) ** (i - j) / np.sin(np.pi * (i - j) / cells) for j in range(cells)]
            for i in range(cells)
        ]
    )
    slopes = []
    for k in range(dimension):
        parts = [one if n == k else np.eye(cells) for n in range(dimension)]
        slopes.append(parts[0] if dimension == 1 else np.kron(*parts))
    a, spread = law.drift(x), law.diffusion(x)
    total = sum(a[:, k, None] * slopes[k] for k in range(dimension))
    return total + sum(
        spread[:, i, k, None] * (slopes[i] @ slopes[k]) for i in range(dimension) for k in range(dimension)
    )


def stationary(matrix):
    density = np.abs(null_space(matrix.T, rcond=1e-9)[:, 0])
    return density / density.sum()


def one_dimensional(convention):
    wide = (lambda x: 0.5 + 0.25 * np.sin(x)) if convention else (lambda x: 0.5 + 0 * x)
    return Law(lambda x: 0.3 + np.sin(x) - 0.4 * np.cos(2 * x), lambda x: wide(x)[..., None], convention or "ito")


def two_dimensional(convention):
    def diffusion(x):
        u, v = x[..., 0], x[..., 1]
        off = 0.15 * np.cos(u) + 0.1 * np.sin(v)
        return np.stack(
            [np.stack([0.6 + 0.2 * np.sin(v), off], -1), np.stack([off, 0.5 + 0.15 * np.cos(u + v)], -1)], -2
        )

    def force(x):
        return np.stack([0.2 + 0.5 * np.sin(x[..., 0]), 0.4 * np.cos(x[..., 1]) + 0.3 * np.sin(x[..., 0])], -1)

    return Law(force, diffusion, convention)


CELLS = {1: 35, 2: 15}
SPREADS = {1: (16, 32, 64, 128), 2: (8, 16, 32)}


@cache
def errors(dimension, convention, scheme, noise):
    """Return the largest error of P^n f over smooth f at time 1, and that of the stationary density, for each dt."""
    law = (one_dimensional if dimension == 1 else two_dimensional)(convention)
    cells = CELLS[dimension]
    x = torus(cells, dimension)
    observables = np.stack(
        [f(x @ k) for k in product((0, 1, 2), repeat=dimension) if any(k) for f in (np.sin, np.cos)], -1
    )
    exact = generator(law, cells, dimension)
    later, density = expm(exact) @ observables, stationary(exact)
    variables = dimension + dimension * (dimension - 1) // 2 if scheme == "weak-2" else dimension
    found = []
    for n in SPREADS[dimension]:
        matrix = transfer(STEPS[scheme], law, 1 / n, noise, cells, dimension, variables)
        kept = np.linalg.matrix_power(matrix, n) @ observables
        tilted = stationary(matrix - np.eye(len(matrix)))
        found.append((np.abs(kept - later).max(), np.abs((tilted - density) @ observables).max()))
    return np.array(found)


def orders(found):
    """Return log₂ of the ratio of errors for the last halving of dt, which is known up to the size of dt itself."""
    return np.log2(found[-2] / found[-1])


EXPECTED = {("euler-maruyama", True): 1, ("euler-maruyama", False): 1, ("heun", True): 2, ("heun", False): 1,
            ("weak-2", True): 2, ("weak-2", False): 2}  # fmt: skip


@pytest.mark.parametrize("noise", ["gaussian", "three-point"])
@pytest.mark.parametrize("convention", [None, "ito", "stratonovich", "klimontovich"])
@pytest.mark.parametrize("scheme", STEPS)
def test_weak_orders_in_one_dimension(scheme, convention, noise):
    """At time 1 and for ever, with additive noise (None) and multiplicative noise."""
    found = errors(1, convention, scheme, noise)
    assert orders(found) == pytest.approx(
        EXPECTED[scheme, convention is None], abs=0.05
    )  # dt = 1/64 → 1/128, constants ~ 3


@pytest.mark.parametrize("scheme", STEPS)
def test_weak_orders_with_a_tensor(scheme):
    """In two dimensions, with noise that does not commute; three-point variables, all 9 or 27 tuples."""
    found = errors(2, "ito", scheme, "three-point")
    assert orders(found) == pytest.approx(EXPECTED[scheme, False], abs=0.1)  # dt = 1/16 → 1/32


@pytest.mark.slow
@pytest.mark.parametrize("convention", ["stratonovich", "klimontovich"])
@pytest.mark.parametrize("scheme", STEPS)
def test_weak_orders_with_a_tensor_in_other_conventions(scheme, convention):
    assert orders(errors(2, convention, scheme, "three-point")) == pytest.approx(EXPECTED[scheme, False], abs=0.1)


def test_area_variables_are_needed():
    """Without the variables that stand for the area between two noises the order falls to one."""
    law, cells = two_dimensional("ito"), CELLS[2]
    x = torus(cells, 2)
    observables = np.stack([np.sin(x[:, 0]), np.cos(x[:, 0] + x[:, 1]), np.sin(2 * x[:, 1])], -1)
    exact = expm(generator(law, cells, 2)) @ observables

    def error(n):
        matrix = transfer(STEPS["weak-2"], law, 1 / n, "three-point", cells, 2, 2)
        return np.abs(np.linalg.matrix_power(matrix, n) @ observables - exact).max()

    assert np.log2(error(16) / error(32)) < 1.3


@pytest.mark.parametrize("additive", [True, False])
def test_protocols_frozen_at_the_middle_keep_order_two(additive):
    """P₁P₂…Pₙ f against the solution of dU/dt = U L(t)."""
    cells = CELLS[1]
    x = torus(cells, 1)

    def law(t):
        still = one_dimensional(None if additive else "ito")
        return Law(lambda y: still.force(y) + np.sin(3 * t) * np.cos(y), lambda y: (1 + t) * still.diffusion(y), "ito")

    observables = np.concatenate([np.sin(x), np.cos(x), np.cos(2 * x)], -1)
    start = np.eye(cells).ravel()
    solved = solve_ivp(lambda t, u: (u.reshape(cells, cells) @ generator(law(t), cells, 1)).ravel(), (0, 1), start,
                       method="DOP853", rtol=1e-10, atol=1e-12)  # fmt: skip
    exact = solved.y[:, -1].reshape(cells, cells) @ observables

    def error(n):
        product = np.eye(cells)
        for k in range(n):
            product = product @ transfer(STEPS["weak-2"], law((k + 0.5) / n), 1 / n, "gaussian", cells, 1, 1)
        return np.abs(product @ observables - exact).max()

    assert np.log2(error(32) / error(64)) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("dimension", [1, 2])
def test_weak_2_with_additive_noise_is_the_scheme_of_the_paper(dimension):
    texts = {1: "cos(x) + x**2/4", 2: "cos(x + y) + x**2/2 + y**2/3"}[dimension]
    diffusion = {1: np.array([[0.4]]), 2: np.array([[0.4, 0.1], [0.1, 0.3]])}[dimension]
    landscape = fp.Landscape(texts)
    law = Law(lambda x: -landscape.gradient(x), lambda x: np.broadcast_to(diffusion, (*x.shape, x.shape[-1])), "ito")
    dynamics = fp.Langevin(landscape, diffusion=diffusion[0, 0] if dimension == 1 else diffusion.tolist())
    n, steps, dt, seed = 50, 3, 0.1, 5
    x = np.random.default_rng(0).normal(size=(n, dimension))
    noise = normals(0, n, dimension * steps, DYNAMICS, *key_of(seed, 0)).reshape(n, steps, dimension)
    final = simulate(dynamics, n=n, initial=x, dt=dt, t_final=steps * dt, seed=seed, scheme="weak-2").final
    for k in range(steps):
        x = STEPS["weak-2"](law, x, noise[:, k], dt)
    assert final == pytest.approx(x, rel=1e-12, abs=1e-12)  # rounding of a dozen operations a step
