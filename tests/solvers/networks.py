"""Random Markov generators and reference solutions in rational arithmetic, shared by the tests of linear solvers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import scipy.sparse as sparse

from fpsolver.generators import Edge, Generator
from fpsolver.grids import Axis, Grid


def random_generator(seed, shape=(5, 4), boundary="reflecting", killing=0.0, spread=3.0):
    """Return a generator on a small grid whose rates are spread over several decades."""
    random = np.random.default_rng(seed)
    grid = Grid(**{"xyz"[k]: Axis(0.0, 1.0, cells, boundary=boundary) for k, cells in enumerate(shape)})
    edges = []
    for k, axis in enumerate(grid.axes):
        forward, backward = np.exp(random.uniform(-spread, spread, (2, *shape)))
        if not axis.periodic:
            last = tuple(-1 if m == k else slice(None) for m in range(len(shape)))
            forward[last] = backward[last] = 0.0
        edges.append(Edge(tuple(int(m == k) for m in range(len(shape))), forward, backward))
    leak = killing * random.uniform(0, 1, shape) * (random.uniform(0, 1, shape) < 0.5)
    if killing:
        leak.flat[0] = killing
    return Generator(grid, None, "random", tuple(edges), leak)


def chain(up, down, killing=None):
    """Return the rate matrix of a birth–death chain without its diagonal, and its killing."""
    size = len(up) + 1
    matrix = sparse.diags_array([np.asarray(up, float), np.asarray(down, float)], offsets=[-1, 1], shape=(size, size))
    return sparse.csr_array(matrix), np.zeros(size) if killing is None else np.asarray(killing, float)


def exact_solution(rates, killing, source, adjoint):
    """Solve −W x = source, or with Wᵀ, in rational arithmetic; `rates[i][j]` is the rate j → i."""
    size = len(killing)
    dense = np.asarray(rates.todense())
    matrix = [[Fraction(-dense[i, j]) if i != j else Fraction(0) for j in range(size)] for i in range(size)]
    for j in range(size):
        matrix[j][j] = sum((Fraction(dense[i, j]) for i in range(size) if i != j), Fraction(float(killing[j])))
    if adjoint:
        matrix = [list(row) for row in zip(*matrix, strict=True)]
    rows = [[*row, Fraction(float(value))] for row, value in zip(matrix, source, strict=True)]
    for i in range(size):
        pivot = next(k for k in range(i, size) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(size):
            if k != i and rows[k][i]:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return np.array([float(rows[i][size] / rows[i][i]) for i in range(size)])
