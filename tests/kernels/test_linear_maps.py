"""Small matrices applied to blocks, against NumPy."""

import numpy as np
import pytest

from fpsolver.kernels.cpu.linear_maps import add, apply

LANES = 256


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 8, 11])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("diagonal", [True, False])
def test_apply_is_the_product(d, dtype, diagonal):
    random = np.random.default_rng(d)
    matrix = random.normal(size=(d, d))
    x = random.normal(size=d * LANES).astype(dtype)
    out = np.full(d * LANES, np.nan, dtype)
    apply(matrix, x, out, d, diagonal)
    used = np.diag(np.diag(matrix)) if diagonal else matrix
    exact = used @ x.reshape(d, LANES).astype(float)
    # Each of d products and sums rounds once, at most.
    bound = (d + 1) * np.finfo(dtype).eps * (np.abs(used) @ np.abs(x.reshape(d, LANES)))
    assert (np.abs(out.reshape(d, LANES) - exact) <= bound).all()


def test_add_is_the_sum():
    x, change = np.arange(600.0), np.ones(600)
    add(x, change, 2)
    np.testing.assert_array_equal(x[:512], np.arange(512) + 1.0)
    np.testing.assert_array_equal(x[512:], np.arange(512, 600))
