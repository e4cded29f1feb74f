import numpy as np

from fpsolver.kernels.cpu.statistics import block_exponential_sums, block_means, block_moments


def block(seed, count, rows=3):
    values = np.random.default_rng(seed).normal(5.0, 1.0, (1, rows, 256))
    values[:, :, count:] = np.nan
    return values, np.array([count])


def test_blocks_without_trajectories_and_ghosts_add_nothing():
    for count in (0, 1, 100, 256):
        values, counts = block(1, count)
        rows = np.array([2, 0])
        means, second, third, fourth = np.ones((1, 2)), *(np.ones((1, 2, 2)) for _ in range(3))
        block_moments(values, rows, counts, means, second, third, fourth)
        x = values[0, rows, :count]
        d = x - x.mean(axis=1, keepdims=True) if count else x
        # Sums of 256 numbers of size 5, rounded log₂ 256 times: 8 · 5 · eps each.
        tolerance = {"rtol": 1e-13, "atol": 256 * 8 * 5 * np.finfo(float).eps}
        if count:
            np.testing.assert_allclose(means[0], x.mean(axis=1), rtol=1e-14)
        np.testing.assert_allclose(second[0], d @ d.T, **tolerance)
        np.testing.assert_allclose(third[0], d**2 @ d.T, **tolerance)
        np.testing.assert_allclose(fourth[0], d**2 @ (d**2).T, **tolerance)


def test_single_precision_is_summed_in_double():
    values, counts = block(2, 256)
    single = values.astype(np.float32)
    means, squares = np.empty((1, 3)), np.empty((1, 3))
    block_means(single, np.arange(3), counts, means, squares)
    np.testing.assert_allclose(means[0], single[0].astype(float).mean(axis=1), rtol=1e-15)


def test_exponential_sums_do_not_overflow():
    values, counts = block(4, 77)
    largest, first, second = np.empty(1), np.empty(1), np.empty(1)
    block_exponential_sums(values, 1, counts, -1e5, largest, first, second)
    x = -1e5 * values[0, 1, :77]
    assert largest[0] == x.max()
    np.testing.assert_allclose(first[0], np.exp(x - x.max()).sum(), rtol=1e-14)
    np.testing.assert_allclose(second[0], np.exp(2 * (x - x.max())).sum(), rtol=1e-14)
