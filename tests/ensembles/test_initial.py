"""Initial states: points, Gaussians, densities on grids, stationary states; densities that give an entropy."""

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.ensembles.initial import stationary_gaussian
from fpsolver.ensembles.observables.chi_squared import chi_squared
from fpsolver.ensembles.system_entropy import log_density
from fpsolver.errors import InputError, MethodError

LINE = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
PLANE = fp.Langevin(fp.Landscape("x**2/2 + y**2", variables=("x", "y")), temperature=0.5)
KICKED = fp.UnderdampedLangevin(fp.Landscape("x**2/2 + y**2", variables=("x", "y")), 0.5, friction=1.0, mass=(1.0, 4.0))
GAUSSIAN = fp.Gaussian([1.0, -2.0], [[0.5, 0.3], [0.3, 0.4]])


def begin(dynamics, n, initial, seed=1):
    """The ensemble at time zero."""
    return fp.simulate(dynamics, n, initial, 0.1, 0.0, seed=seed)


@pytest.mark.parametrize("initial", [[0.5, -1.0], np.array([[0.5, -1.0]]), (0.5, -1)])
def test_a_point_is_for_all(initial):
    assert (begin(PLANE, 300, initial).final == [0.5, -1.0]).all()


def test_points_are_one_for_each():
    points = np.random.default_rng(1).normal(size=(300, 2))
    np.testing.assert_array_equal(begin(PLANE, 300, points).final, points)
    np.testing.assert_array_equal(begin(LINE, 300, points[:, 0]).final[:, 0], points[:, 0])
    assert (begin(LINE, 3, 0.5).final == 0.5).all()


def test_first_passages_start_from_the_same_points():
    points = np.linspace(-0.5, 0.5, 300)
    options = {"dt": 0.01, "t_max": 0.05, "seed": 1, "target": fp.where(x=(1.0, None))}
    one, other = (fp.first_passage_times(LINE, 300, given, **options) for given in (points, points[:, None]))
    np.testing.assert_array_equal(one.times, other.times)


def test_phases_are_positions_and_velocities():
    phases = np.random.default_rng(1).normal(size=(300, 4))
    found = begin(KICKED, 300, phases)
    np.testing.assert_array_equal(found.final, phases[:, :2])
    np.testing.assert_array_equal(found.final_velocities, phases[:, 2:])


def check_moments(columns, mean, covariance, seeds_sigma=4.5):
    """Compare sample mean and covariance of a Gaussian in units of their standard errors."""
    n = len(columns)
    variances = np.diag(covariance)
    assert (np.abs(columns.mean(axis=0) - mean) < seeds_sigma * np.sqrt(variances / n) + 1e-15).all()
    error = np.sqrt((np.outer(variances, variances) + np.asarray(covariance) ** 2) / n)
    assert (np.abs(np.cov(columns.T).reshape(error.shape) - covariance) < seeds_sigma * error + 1e-15).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_gaussian_has_its_moments(seed):
    check_moments(begin(PLANE, 50_000, GAUSSIAN, seed).final, GAUSSIAN.mean, GAUSSIAN.covariance)
    flat = fp.Gaussian([0.0, 1.0], [[1.0, 1.0], [1.0, 1.0]])
    x, y = begin(PLANE, 1000, flat, seed).final.T
    np.testing.assert_allclose(y - 1.0, x, atol=1e-14)


def test_velocities_are_maxwellian():
    found = begin(KICKED, 50_000, [0.3, 0.0])
    assert (found.final == [0.3, 0.0]).all()
    check_moments(found.final_velocities, [0.0, 0.0], np.diag([0.5, 0.125]))
    phases = begin(KICKED, 50_000, GAUSSIAN)
    both = np.concatenate([phases.final, phases.final_velocities], axis=1)
    exact = np.zeros((4, 4))
    exact[:2, :2], exact[2, 2], exact[3, 3] = GAUSSIAN.covariance, 0.5, 0.125
    check_moments(both, [1.0, -2.0, 0.0, 0.0], exact)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_density_on_a_grid_fills_its_cells(seed):
    faces = np.concatenate([np.linspace(-3, 0, 10), np.linspace(0.1, 3, 20)])
    grid = fp.Grid(x=fp.Axis(faces=faces), y=(-2, 2, 15))
    x, y = np.moveaxis(grid.points, -1, 0)
    values = np.where(x < -2, 0.0, np.exp(-(x**2) / 2 - y**2))
    density = fp.Field(grid, values)
    points = begin(PLANE, 100_000, density, seed).final
    probabilities = values * grid.volumes
    edges = [axis.faces for axis in grid.axes]
    counts = np.histogram2d(*points.T, bins=edges)[0].astype(int)
    assert not counts[probabilities == 0].any()
    assert chi_squared(counts, probabilities / probabilities.sum()).p_value > 1e-4
    # Within a cell points are uniform: their offsets, in ten bins.
    cell = np.searchsorted(faces, points[:, 0], side="right") - 1
    offsets = (points[:, 0] - faces[cell]) / np.diff(faces)[cell]
    assert chi_squared(np.histogram(offsets, 10, (0, 1))[0], np.full(10, 0.1)).p_value > 1e-4


def test_the_axes_of_a_grid_are_matched_by_name():
    grid = fp.Grid(y=(-2, -1, 4), x=(5, 6, 4))
    points = begin(PLANE, 100, fp.Field(grid, np.ones((4, 4)))).final
    assert (points[:, 0] > 5).all() and (points[:, 1] < -1).all()
    values = np.arange(16.0).reshape(4, 4) + 1
    found = log_density(fp.Field(grid, values), np.array([[5.9, -1.9], [5.1, -1.1], [0.0, 0.0]]), 0.0, ("x", "y"))
    np.testing.assert_allclose(found, [np.log(values[0, 3]), np.log(values[3, 0]), -np.inf])


def test_a_kinetic_grid_gives_positions_and_velocities():
    dynamics = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=0.5, friction=1.0)
    grid = fp.Grid(x=(1, 2, 5), velocity={"x": (-4, 4, 8)})
    found = begin(dynamics, 1000, fp.Field(grid, np.ones(grid.shape)))
    assert found.final.min() > 1 and found.final.max() < 2
    assert found.final_velocities.min() < -3.5 and found.final_velocities.max() > 3.5


@pytest.mark.parametrize(
    ("options", "covariance"),
    [
        ({"temperature": 0.5}, [[0.5, 0], [0, 0.25]]),
        ({"temperature": 0.5, "mobility": [[1.0, 0.3], [0.3, 0.5]]}, [[0.5, 0], [0, 0.25]]),
        ({"diffusion": [0.5, 2.0]}, [[0.5, 0], [0, 1.0]]),
    ],
)
def test_the_stationary_state_of_a_parabola(options, covariance):
    dynamics = fp.Langevin(fp.Landscape("(x - 1)**2/2 + y**2", variables=("x", "y")), **options)
    found = stationary_gaussian(dynamics)
    np.testing.assert_allclose(found.mean, [1.0, 0.0], atol=1e-14)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-14)


def test_the_stationary_state_with_a_force_stays():
    """Rotating flow: the covariance solves AΣ + ΣAᵀ + 2D = 0, and the exact step leaves it alone."""
    landscape = fp.Landscape("x**2/2 + 2*y**2", variables=("x", "y"))
    dynamics = fp.Langevin(landscape, temperature=0.5, force=["2*y + 1", "-x"])
    state = stationary_gaussian(dynamics)
    matrix = np.array([[-1.0, 2.0], [-1.0, -4.0]])
    residual = matrix @ state.covariance + state.covariance @ matrix.T + np.eye(2)
    np.testing.assert_allclose(residual, 0, atol=1e-14)
    np.testing.assert_allclose(matrix @ state.mean, [-1.0, 0.0], atol=1e-14)
    later = fp.simulate(dynamics, 50_000, "stationary", 0.7, 2.1, seed=4, scheme="ornstein-uhlenbeck")
    check_moments(later.final, state.mean, state.covariance)


def test_the_stationary_state_of_underdamped_dynamics():
    found = begin(KICKED, 50_000, "stationary")
    both = np.concatenate([found.final, found.final_velocities], axis=1)
    check_moments(both, np.zeros(4), np.diag([0.5, 0.25, 0.5, 0.125]))


@pytest.mark.parametrize(
    ("dynamics", "message"),
    [
        (fp.Langevin(fp.Landscape("x**4"), temperature=1.0), "needs a quadratic landscape.*give a density"),
        (fp.Langevin(fp.Landscape("-x**2"), temperature=1.0), "does not hold the trajectories together"),
        (fp.Langevin(fp.Landscape("x**2"), diffusion="1 + x**2", convention="ito"), "constant coefficients"),
        (fp.UnderdampedLangevin(fp.Landscape("x**4"), 1.0, friction=1.0), "needs a quadratic landscape with a minimum"),
        (
            fp.UnderdampedLangevin(fp.Landscape("-x**2"), 1.0, friction=1.0),
            "needs a quadratic landscape with a minimum",
        ),
    ],
)
def test_stationary_states_that_are_not_known(dynamics, message):
    with pytest.raises(MethodError, match=message):
        stationary_gaussian(dynamics)


BAD_GRID = fp.Grid(x=(-1, 1, 4), z=(-1, 1, 4))
GOOD_GRID = fp.Grid(x=(-1, 1, 4), y=(-1, 1, 4))


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ([0.0], "the initial state has 1 components; the dynamics has 2"),
        (np.zeros((9, 2)), r"shape \(9, 2\) do not fit n = 10 .*give a point \(2,\) or an array \(10, 2\)"),
        (np.zeros((10, 3)), "has 3 components"),
        (np.zeros((10, 2, 1)), "do not fit n = 10"),
        ([np.nan, 0.0], "initial state 0 is"),
        ("stationery", 'the only state with a name is "stationary"'),
        (fp.Gaussian([0.0], 1.0), r"a Gaussian in 1 dimension\(s\), the landscape has 2"),
        (lambda x: x, "is neither a point, an array of points"),
        ({"x": 1}, "is neither a point, an array of points"),
        (fp.Field(BAD_GRID, np.ones((4, 4))), "do not match the landscape's variables"),
        (fp.Field(GOOD_GRID, -np.ones((4, 4))), "not negative and not zero everywhere"),
        (fp.Field(GOOD_GRID, np.zeros((4, 4))), "not negative and not zero everywhere"),
    ],
)
def test_initial_states_that_do_not_fit_are_refused(initial, message):
    with pytest.raises(InputError, match=message):
        begin(PLANE, 10, initial)


@pytest.mark.parametrize(
    ("mean", "covariance", "message"),
    [
        ([0.0, 1.0], [[1.0]], r"needs a covariance of shape \(\), \(2,\) or \(2, 2\), not \(1, 1\)"),
        ([0.0, 1.0], [[1.0, 2.0], [2.0, 1.0]], "negative eigenvalue"),
        ("a", 1.0, "mean = 'a', covariance = 1.0: must be numbers"),
        ([0.0, 1.0], [[1.0, 0.5], [0.0, 1.0]], "finite and symmetric"),
        ([np.nan], 1.0, "finite and symmetric"),
        ([[0.0]], 1.0, r"mean of shape \(1, 1\)"),
    ],
)
def test_gaussians_are_checked(mean, covariance, message):
    with pytest.raises(InputError, match=message):
        fp.Gaussian(mean, covariance)


def test_gaussian_log_density():
    from scipy.stats import multivariate_normal

    points = np.random.default_rng(1).normal(size=(20, 2))
    exact = multivariate_normal(GAUSSIAN.mean, GAUSSIAN.covariance).logpdf(points)
    np.testing.assert_allclose(GAUSSIAN.log_density(points), exact, rtol=1e-12)


def test_system_entropy_is_the_difference_of_log_densities():
    later = fp.Gaussian([0.2, 0.0], [0.5, 0.3])

    def by_hand(points, t):
        assert t == 1.0
        return np.exp(later.log_density(points))

    found = fp.simulate(PLANE, 300, GAUSSIAN, 0.1, 1.0, seed=1, functionals="entropy_flow", density=(GAUSSIAN, by_hand))
    start = begin(PLANE, 300, GAUSSIAN).final
    expected = GAUSSIAN.log_density(start) - later.log_density(found.final)
    np.testing.assert_allclose(found.values("system_entropy"), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        found.values("entropy_production"), expected + found.values("entropy_flow"), rtol=1e-10, atol=1e-12
    )


def test_an_evolution_is_asked_at_its_own_times():
    grid = fp.Grid(x=(-4, 4, 200))
    start = fp.gaussian(grid, mean=[1.0], covariance=[[0.2]])
    solution = fp.evolve(fp.generator(LINE, grid), start, times=[0.0, 0.5, 1.0])
    options = {
        "density": solution,
        "functionals": "entropy_flow",
        "times": [0.5, 1.0],
        "observe": fp.Mean("system_entropy"),
    }
    found = fp.simulate(LINE, 20_000, fp.Field(grid, start), 0.01, 1.0, seed=2, **options)
    observed = found.observables["mean_system_entropy"]
    entropy = [-(p * np.log(np.maximum(p, 1e-300)) * grid.volumes).sum() for p in solution.densities]
    for k in (0, 1):
        # Of the ensemble's mean; the densities of the scheme differ from the true ones by O(dt), here 1 %.
        assert abs(observed.mean[k, 0] - (entropy[k + 1] - entropy[0])) < 4.5 * observed.standard_error[k, 0] + 0.01
    with pytest.raises(InputError, match=r"no density at t = 0\.25; evolve to all output times"):
        fp.simulate(LINE, 100, fp.Field(grid, start), 0.01, 1.0, seed=2, **(options | {"times": [0.25]}))


@pytest.mark.parametrize(
    ("density", "message"),
    [
        (3.0, "density = 3.0 is no density: give"),
        (fp.Gaussian([0.0], 1.0), r"has 1 variable\(s\), and the state 2"),
        (fp.Gaussian([0.0, 0.0], [1.0, 0.0]), "has no density"),
        (fp.Field(GOOD_GRID, np.zeros((4, 4))), "vanishes at the initial state"),
        ((GAUSSIAN, GAUSSIAN, GAUSSIAN), "has 3 parts; a pair is for"),
        (lambda points, t: -np.ones(len(points)), "is -1 somewhere"),
        (lambda points, t: np.ones(3), "gave shape"),
    ],
)
def test_densities_that_do_not_fit_are_refused(density, message):
    with pytest.raises(InputError, match=message):
        fp.simulate(PLANE, 10, [0.0, 0.0], 0.1, 0.1, seed=1, density=density)
