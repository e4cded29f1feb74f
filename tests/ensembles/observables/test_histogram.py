import numpy as np
import pytest
from ensemble_examples import observed

from fpsolver.ensembles.observables import Histogram
from fpsolver.errors import GridError, InputError
from fpsolver.grids import Axis, Grid


def columns(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3))


@pytest.mark.parametrize(
    "edges", [(-2, 2, 33), [-2.0, -0.1, 0.0, 0.05, 1.9, 2.0], (-2, 2, 5000), np.geomspace(0.1, 3, 50)]
)
@pytest.mark.parametrize("n", [1, 300, 6001])
def test_counts_are_those_of_numpy(edges, n):
    data = columns(n)
    result = observed(Histogram("x", edges), data, cuts=(1, 7))
    own = result.edges[0]
    np.testing.assert_array_equal(result.counts[0], np.histogram(data[:, 0], own)[0])
    assert result.underflow[0, 0] == (data[:, 0] < own[0]).sum()
    assert result.overflow[0, 0] == (data[:, 0] > own[-1]).sum()
    assert result.trajectories[0] == n


@pytest.mark.parametrize("bins", [(10, 7), (300, 200)])
def test_counts_of_two_quantities_are_those_of_numpy(bins):
    data = columns(7000)
    result = observed(Histogram(x=(-2, 2, bins[0]), work=np.linspace(-1, 3, bins[1] + 1) ** 3), data, cuts=(3, 4))
    expected = np.histogram2d(data[:, 0], data[:, 2], result.edges)[0]
    np.testing.assert_array_equal(result.counts[0], expected)
    assert result.outside[0] == 7000 - expected.sum()
    assert result.underflow[0].tolist() == [(data[:, 0] < -2).sum(), (data[:, 2] < -1).sum()]


def test_density_and_its_errors():
    result = observed(Histogram("x", [0.0, 0.5, 2.0, 3.0]), np.repeat([[0.1], [1.0], [-1.0], [1.5]], 3, axis=1))
    np.testing.assert_allclose(result.density[0], [0.25 / 0.5, 0.5 / 1.5, 0.0])
    # √(f(1 − f)/n) over the width; the empty bin has the error of one count.
    np.testing.assert_allclose(
        result.standard_error[0], [np.sqrt(0.25 * 0.75 / 4) / 0.5, np.sqrt(0.25 / 4) / 1.5, 0.25 / 1.0]
    )


def test_positions_are_taken_round_a_periodic_axis():
    data = columns(5000) * 10
    axis = Axis(-1, 2, 30, boundary="periodic")
    result = observed(Histogram("x", axis), data)
    assert result.outside[0] == 0
    np.testing.assert_array_equal(result.counts[0], np.histogram((data[:, 0] + 1) % 3 - 1, axis.faces)[0])


def test_bins_of_a_grid():
    grid = Grid(x=(-2, 2, 8), y=Axis(-1, 1, 5, spacing="tanh", stretch=2, boundary="periodic"))
    histogram = Histogram.on(grid)
    assert histogram.name == "histogram_x_y"
    assert histogram.shape == grid.shape
    assert [axis.periodic for axis in histogram.axes] == [False, True]
    np.testing.assert_array_equal(histogram.axes[1].array, grid.axes[1].faces)
    assert Histogram.on(grid, "y").quantities == ("y",)
    with pytest.raises(GridError, match="no axis 'z'"):
        Histogram.on(grid, "z")


def test_counts_on_a_grid_agree_with_a_density_on_it():
    from fpsolver.densities import gaussian

    grid = Grid(x=(-4, 4, 60), y=(-4, 4, 40))
    correlation = np.array([[1.0, 0.5], [0.5, 1.0]])
    p = gaussian(grid, [0.0, 0.0], correlation)
    data = np.random.default_rng(11).multivariate_normal([0.0, 0.0], correlation, size=50_000)
    result = observed(Histogram.on(grid), np.column_stack([data, data[:, 0]]))
    # A right density fails at 1e-4 once in ten thousand seeds. A shift by s adds n s²/(1 − ρ²) = 667 to a statistic
    # that is 800 ± 40, so that it cannot pass.
    assert result.chi_squared(p * grid.volumes).p_value > 1e-4
    shifted = gaussian(grid, [0.1, 0.0], correlation)
    assert result.chi_squared(shifted * grid.volumes).p_value < 1e-6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("x",),), "has no edges"),
        (((),), "has no edges"),
        (("x", (1, 0, 5)), r"\(1, 0, 5\) is not \(lower, upper, bins\)"),
        (("x", (0, 1, 2.5)), "is not"),
        (("x", [0.0, 1.0, 1.0]), "1 is followed by 1"),
        (("x", [0.0, np.nan, 1.0]), "finite"),
        (("x", [0.0]), "at least two"),
        (("x", "abc"), "'abc' cannot be used"),
        ((("x", "y"), [(0, 1, 5)]), "2 quantities, but edges for 1"),
        ((("x", "y"), [(0, 1, 20_000), (0, 1, 20_000)]), "fewer bins"),
    ],
)
def test_bad_bins_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Histogram(*arguments)


def test_axes_are_one_to_four():
    with pytest.raises(InputError, match="0 axes"):
        Histogram()
    with pytest.raises(InputError, match="5 axes"):
        Histogram(**{name: (0, 1, 2) for name in "abcde"})
    with pytest.raises(InputError, match="in one of the two ways"):
        Histogram("x", (0, 1, 2), y=(0, 1, 2))


def test_probabilities_must_fit():
    result = observed(Histogram("x", (-2, 2, 4)), columns(1000))
    with pytest.raises(InputError, match=r"shape \(3,\) do not fit the \(4,\) bins"):
        result.chi_squared(np.full(3, 0.1))
