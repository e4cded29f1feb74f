"""Three-term recurrences: every division of the work gives what the plain formula gives."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.grids import Axis, Grid
from fpsolver.kernels.cpu import polynomial as polynomial_module
from fpsolver.kernels.cpu.recurrence import run_block, run_blocks, run_blocks_serially
from fpsolver.solvers.exponential.lattice import lattice, symmetric_lattice

OFFSETS = {1: [(1,)], 2: [(1, 0), (0, 1), (1, 1), (1, -1)], 3: [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, -1)]}


def random_generator(shape: tuple[int, ...], periodic: tuple[bool, ...], seed: int) -> Generator:
    rng = np.random.default_rng(seed)
    axes = {
        f"x{k}": Axis(0, 1, n, boundary="periodic" if wrap else "reflecting")
        for k, (n, wrap) in enumerate(zip(shape, periodic, strict=True))
    }
    edges = []
    for offset in OFFSETS[len(shape)]:
        exists = np.ones(shape, dtype=bool)
        for k, step in enumerate(offset):
            target = np.arange(shape[k]) + step
            inside = np.ones(shape[k], dtype=bool) if periodic[k] else (target >= 0) & (target < shape[k])
            exists &= inside.reshape([-1 if j == k else 1 for j in range(len(shape))])
        edges.append(Edge(offset, rng.random(shape) * exists, rng.random(shape) * exists))
    return Generator(Grid(**axes), None, "random", tuple(edges), 0.1 * rng.random(shape))


CASES = [
    ((17,), (False,)),
    ((17,), (True,)),
    ((2,), (True,)),
    ((9, 8), (False, False)),
    ((9, 8), (True, False)),
    ((8, 9), (False, True)),
    ((6, 7), (True, True)),
    ((2, 2), (True, True)),
    ((4, 5, 6), (False, False, False)),
    ((4, 5, 6), (True, True, True)),
    ((64, 6), (True, True)),
]


@pytest.mark.parametrize(("shape", "periodic"), CASES)
@pytest.mark.parametrize("steps", [1, 2, 7, 30])
def test_polynomial_is_the_matrix_polynomial(shape, periodic, steps):
    generator = random_generator(shape, periodic, seed=steps)
    operator = lattice(generator)
    rng = np.random.default_rng(0)
    gains, pulls, weights = rng.random(steps), rng.random(steps), rng.random((2, steps + 1))
    matrix = 0.3 * generator.matrix.toarray() + 0.7 * np.eye(generator.n_state)
    x, old = rng.random(generator.n_state), np.zeros(generator.n_state)
    sums, last = operator.polynomial(x, scale=0.3, shift=0.7, gains=gains, pulls=pulls, weights=weights)
    expected = weights[:, :1] * x
    for k in range(steps):
        x, old = gains[k] * (matrix @ x) - pulls[k] * old, x
        expected = expected + weights[:, k + 1, None] * x
    # rounding of `steps` products of matrices of norm about 2, relative to the largest intermediate value
    size = max(np.abs(expected).max(), 1.0) * 2.0**3
    assert np.abs(sums - expected).max() < 1e-14 * size * steps
    assert np.abs(last - x).max() < 1e-14 * size * steps


@pytest.mark.parametrize("circular", [False, True])
def test_blocks_give_the_same_as_one(monkeypatch, circular):
    generator = random_generator((96, 8), (circular, False), seed=3)
    operator = lattice(generator)
    steps = 21
    arguments = {
        "scale": 0.1,
        "shift": 1.0,
        "gains": np.full(steps, 1.3),
        "pulls": np.full(steps, 0.4),
        "weights": np.ones((1, steps + 1)),
    }
    x = np.random.default_rng(1).random(generator.n_state)
    one, last_one = operator.polynomial(x, **arguments)
    monkeypatch.setattr(polynomial_module, "division", lambda *sizes: (4, 2))
    four, last_four = operator.polynomial(x, **arguments)
    assert np.allclose(one, four, rtol=1e-14, atol=0)
    assert np.allclose(last_one, last_four, rtol=1e-14, atol=0)


@pytest.mark.parametrize("depth", [2, 4, 6])
@pytest.mark.parametrize("window", [1, 5, 1000])
def test_depth_and_window_change_nothing(depth, window):
    length, lead, reach, steps = 40, 8 * 7, 7, 12
    rng = np.random.default_rng(5)

    def placed() -> np.ndarray:
        array = np.zeros(length + 2 * lead)
        array[lead : lead + length] = rng.random(length)
        return array

    into = np.stack([placed(), placed()])
    into[0, lead + length - 1] = into[1, lead + length - 7 : lead + length] = 0.0
    operator = (placed(), into, into, np.array([1, 7]))
    coefficients = (np.ones(steps), np.full(steps, 0.5), rng.random((1, steps)))
    start = placed()
    results = []
    for d, w in ((2, 1000), (depth, window)):
        x, old, sums = start.copy(), np.zeros_like(start), np.zeros((1, len(start)))
        run_block(x, old, sums, operator, length, lead, reach, coefficients, d, w)
        results.append((x, old, sums))
    inner = slice(lead, lead + length)
    for first, second in zip(*results, strict=True):
        assert np.allclose(first[..., inner], second[..., inner], rtol=1e-14, atol=0)


def test_symmetric_lattice_is_symmetric_with_the_same_diagonal():
    generator = random_generator((5, 6), (False, True), seed=2)
    operator = symmetric_lattice(generator)
    assert operator.into is operator.outof
    assert np.array_equal(operator.diagonal, generator.diagonal.ravel())


def test_gershgorin_bound_is_below_the_spectrum():
    for shape, periodic in CASES:
        generator = random_generator(shape, periodic, seed=4)
        lowest = np.linalg.eigvals(generator.matrix.toarray()).real.min()
        assert lattice(generator).lowest() <= lowest + 1e-12


@pytest.mark.parametrize("kernel", [run_block, run_blocks, run_blocks_serially])
def test_kernels_are_cached_on_disk(kernel):
    assert kernel.stats.cache_path
