from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import fpsolver as fp
from fpsolver.errors import MethodError, RegionError


def free(diffusion=0.5):
    return fp.Langevin(fp.Landscape("0*x", variables=("x",)), temperature=diffusion)


def orders(errors):
    errors = np.abs(errors)
    return np.log2(errors[:-1] / errors[1:])


def walled(lower, upper, cells, boundary="reflecting"):
    return fp.Grid(x=fp.Axis(lower, upper, cells, boundary=boundary))


# MFPT −1 → 1 and −1 → 0 in V = x⁴/4 − x²/2 (double integral, mpmath; more digits than the grids resolve).
QUARTIC = {
    0.25: (14.2777366365, 5.74343706803),
    0.1: (66.2686263649, 30.8213024727),
    0.05: (729.670691942, 361.903759501),
    0.025: (102108.36545716984, 51050.70250860003),
}


@pytest.mark.parametrize("temperature", QUARTIC)
@pytest.mark.parametrize("which, wall", [(0, 1.0), (1, 0.0)])
def test_escape_times_from_the_double_well_converge_at_second_order(quartic, temperature, which, wall):
    errors = []
    for cells in (200, 400, 800):
        W = fp.generator(fp.Langevin(quartic, temperature=temperature), fp.Grid(x=(-2.5, 2.5, cells)))
        tau = fp.mean_first_passage_time(W, fp.where(x=(wall, None)))
        errors.append(tau.at([[-1.0]])[0] / QUARTIC[temperature][which] - 1)
    # The next term of the error is of fourth order: the measured order differs from 2 by O(h²/T) only.
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.1
    assert abs(errors[-1]) < 3e-4


def test_ornstein_uhlenbeck_escape_converges_at_second_order():
    errors = []
    for cells in (128, 256, 512):
        W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0), fp.Grid(x=(-8, 8, cells)))
        errors.append(fp.mean_first_passage_time(W, fp.where(x=(2.0, None))).at([[0.0]])[0] / 10.4284093980 - 1)
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.1


def test_brownian_motion_between_absorbing_faces_has_the_known_error():
    length, diffusion, cells = 1.3, 0.7, 41
    grid = walled(-length, length, cells, "absorbing")
    tau = fp.mean_first_passage_time(fp.generator(free(diffusion), grid))
    axis = grid.axes[0]

    def exact(x):
        return (length**2 - x**2) / (2 * diffusion)

    step = axis.widths[0]
    # Rounding of n additions of terms of the size of the result.
    assert np.allclose(tau.values - exact(axis.centres), step**2 / (8 * diffusion), atol=1e-13)
    assert np.allclose(tau.at(axis.faces[:, None]), exact(axis.faces), atol=1e-13)


@settings(max_examples=40, deadline=None)
@given(
    lower=st.floats(0.05, 0.45),
    upper=st.floats(0.55, 0.95),
    cells=st.integers(12, 60),
    diffusion=st.floats(0.1, 10.0),
)
def test_brownian_motion_between_walls_anywhere_has_the_known_error(lower, upper, cells, diffusion):
    """On a ring whose target is one box, both walls lie anywhere between centres.

    The finite-volume equations are exact for parabolas except in the two cut cells, whose defect d/2 makes an error
    that is linear between d²/(2D) at each wall, d the distance of the last centre from it.
    """
    ring = walled(0.0, 1.0, cells, "periodic")
    # The box wraps round the seam: its complement is the interval between the walls.
    x = ring.axes[0].centres
    # On a centre, rounding decides whether the cell is inside: either is of second order, but the error differs.
    assume(min(np.abs(x - lower).min(), np.abs(x - upper).min()) > 1e-9)
    between = (x > lower) & (x < upper)
    W = fp.generator(free(diffusion), ring)
    tau = _two_walls(W, lower, upper)
    exact = (x - lower) * (upper - x) / (2 * diffusion)
    first, last = x[between][[0, -1]]
    ends = [(first - lower) ** 2 / (2 * diffusion), (upper - last) ** 2 / (2 * diffusion)]
    known = np.interp(x, [lower, upper], ends)
    scale = tau.values.max()
    assert np.abs(tau.values - exact - known)[between].max() < 1e-10 * scale
    assert not tau.values[~between].any()


def _two_walls(W, lower, upper):
    """Times to leave (lower, upper): shift the ring so that the target is one box."""
    period = 1.0
    grid = W.grid
    # The same ring described from the middle of the interval: the target is the box [upper − s, lower + 1 − s].
    cells = grid.axes[0].cells
    shift = int(np.ceil(lower * cells))
    offset = shift / cells
    moved = fp.Grid(x=fp.Axis(faces=np.linspace(0, period, cells + 1), boundary="periodic"))
    turned = fp.generator(W.dynamics, moved)
    tau = fp.mean_first_passage_time(turned, fp.where(x=(upper - offset, lower + period - offset)))
    return fp.Field(grid, np.roll(tau.values, shift))


@pytest.mark.parametrize("fraction", [0.03, 0.25, 0.5, 0.8, 0.999])
@pytest.mark.parametrize("scheme", ["scharfetter-gummel", "sqra"])
def test_walls_anywhere_between_centres_are_second_order(quartic, fraction, scheme):
    temperature = 0.1
    errors = []
    for cells in (150, 300, 600):
        grid = fp.Grid(x=(-2.2, 2.2, cells))
        x = grid.axes[0].centres
        i = np.searchsorted(x, 0.3) - 1
        wall = x[i] + fraction * (x[1] - x[0])
        W = fp.generator(fp.Langevin(quartic, temperature=temperature), grid, scheme)
        tau = fp.mean_first_passage_time(W, fp.where(x=(wall, None)))
        errors.append(tau.at([[-1.0]])[0] / _escape_time(-1.0, wall, temperature) - 1)
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.15


def _escape_time(start, wall, temperature):
    """(1/T) ∫_start^wall e^{V(y)/T} ∫_{−∞}^y e^{−V(z)/T} dz dy, by quadrature."""

    def potential(x):
        return x**4 / 4 - x**2 / 2

    def inner(y):
        return quad(lambda z: np.exp((potential(y) - potential(z)) / temperature), -3, y, points=[-1.0])[0]

    return quad(inner, start, wall, epsabs=0, epsrel=1e-9)[0] / temperature


@settings(max_examples=25, deadline=None)
@given(drift=st.floats(-8.0, 8.0), wall=st.floats(0.3, 0.98))
def test_walls_are_second_order_under_a_force(drift, wall):
    """Constant force from a reflecting wall at 0: closed form; the error is bounded by c h² for any wall position."""
    dynamics = fp.Langevin(fp.Landscape("0*x", variables=("x",)), temperature=1.0, force=(drift,))
    errors = []
    for cells in (40, 160):
        W = fp.generator(dynamics, walled(0, 1, cells))
        tau = fp.mean_first_passage_time(W, fp.where(x=(wall, None)))
        errors.append(abs(tau.at([[0.1]])[0] / _drifted(0.1, wall, drift) - 1) * cells**2)
    # d²/2 ≤ h²/2 from the wall and O(v²h²) from the interior and its interpolation, relative to a time ≥ 0.02.
    assert max(errors) < 80


def _drifted(start, wall, drift):
    return quad(lambda y: quad(lambda z: np.exp(drift * (z - y)), 0, y)[0], start, wall)[0]


@pytest.mark.parametrize("temperature", [0.25 / 20, 0.25 / 40, 0.25 / 200])
def test_high_barriers_keep_relative_accuracy(quartic, temperature):
    """Against the closed sum of the birth–death chain, whose terms are all positive."""
    W = fp.generator(fp.Langevin(quartic, temperature=temperature), fp.Grid(x=(-1.7, 1.7, 340)))
    tau = fp.mean_first_passage_time(W, lambda x: x >= 0)
    (edge,) = W.edges
    last = 170
    up, down = edge.forward[:last].copy(), edge.backward[: last - 1]
    from fpsolver.solvers.absorption import absorb

    up[-1] = absorb(W, {"target": lambda x: x >= 0}).rates["target"][last - 1]
    # h_i = (1 + down_{i−1} h_{i−1})/up_i is the mean time from i to i + 1.
    steps = np.empty(last)
    steps[0] = 1 / up[0]
    for i in range(1, last):
        steps[i] = (1 + down[i - 1] * steps[i - 1]) / up[i]
    closed = np.cumsum(steps[::-1])[::-1]
    assert np.allclose(tau.values[:last], closed, rtol=1e-12)


# MFPT −1 → 0 by mpmath at 20 digits, split at ±0.7, ±0.3 (the integrand's own scales), at barriers of 20 T and 40 T.
HIGH = {20: 1099322196.6865907876, 40: 527950434118551151.14}


@pytest.mark.parametrize("barrier", HIGH)
def test_high_barriers_converge_to_quadrature_at_second_order(quartic, barrier):
    errors = []
    for cells in (400, 800, 1600):
        W = fp.generator(fp.Langevin(quartic, temperature=0.25 / barrier), fp.Grid(x=(-2, 2, cells)))
        tau = fp.mean_first_passage_time(W, fp.where(x=(0.0, None)))
        errors.append(tau.at([[-1.0]])[0] / HIGH[barrier] - 1)
    # The expansion parameter is h²/T = 0.016 on the coarsest grid at 40 T.
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.05


def test_predicates_masks_and_indices_snap_to_faces_and_say_so(quartic):
    grid = fp.Grid(x=(-2.5, 2.5, 100))
    W = fp.generator(fp.Langevin(quartic, temperature=0.25), grid)
    x = grid.axes[0].centres
    exact = fp.mean_first_passage_time(W, fp.where(x=(1.0, None)))
    snapped = fp.mean_first_passage_time(W, lambda x: x >= 0.98)
    masked = fp.mean_first_passage_time(W, x > 1.0)
    # 1.0 is a face of this grid, so all three have the same wall.
    assert np.allclose(exact, snapped, rtol=1e-12) and np.allclose(exact, masked, rtol=1e-12)
    assert exact.stats["snapped"] == () and snapped.stats["snapped"] == ("target",)
    single = fp.mean_first_passage_time(W, 70)
    assert single[70] == 0 and single.at([[x[70] + 0.02]])[0] == 0 and (np.delete(single.values, 70) > 0).all()


def test_interpolation_reaches_the_wall_continuously(quartic):
    grid = fp.Grid(x=(-2.5, 2.5, 101))
    W = fp.generator(fp.Langevin(quartic, temperature=0.25), grid)
    for box in (fp.where(x=(0.013, None)), fp.where(x=(0.0, 0.02)), fp.where(x=(-0.3, 0.311))):
        tau = fp.mean_first_passage_time(W, box)
        for wall, side in zip(box.bounds["x"], (-1, 1), strict=True):
            if wall is not None:
                near = tau.at([[wall + side * 1e-9], [wall + side * 1e-3], [wall]])
                assert 0 <= near[0] < 1e-6 and near[1] > near[0] and near[2] == 0


@pytest.mark.parametrize("fraction", [0.07, 0.5, 0.93])
def test_interpolated_values_are_second_order_up_to_the_wall(fraction):
    """Against the parabola at points that have nothing to do with the grid, cut cell and far side included."""
    points = np.linspace(0, 1, 997)
    errors = []
    for cells in (40, 80, 160):
        grid = walled(0, 1, cells)
        wall = grid.axes[0].centres[3 * cells // 4] + fraction / cells
        tau = fp.mean_first_passage_time(fp.generator(free(0.5), grid), fp.where(x=(wall, None)))
        errors.append(np.abs(tau.at(points[:, None]) - np.maximum(wall**2 - points**2, 0)).max())
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.1


def test_walls_between_centres_of_a_stretched_axis_are_second_order(quartic):
    temperature, wall, errors = 0.1, 0.3, []
    for cells in (100, 200, 400):
        faces = fp.Axis(-2.2, 2.2, cells, spacing="tanh", stretch=1.2).faces
        i = np.searchsorted(faces, wall)
        faces = faces + wall - faces[i] - 0.2 * (faces[i + 1] - faces[i])  # the wall a fifth into a cell
        W = fp.generator(fp.Langevin(quartic, temperature=temperature), fp.Grid(x=fp.Axis(faces=faces)))
        tau = fp.mean_first_passage_time(W, fp.where(x=(wall, None)))
        errors.append(tau.at([[-1.0]])[0] / _escape_time(-1.0, wall, temperature) - 1)
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.25


def test_moments_of_the_exit_time_converge_at_second_order():
    length, diffusion = 1.0, 0.5
    errors = []
    for cells in (40, 80, 160):
        grid = walled(-length, length, cells, "absorbing")
        square = fp.first_passage_moments(fp.generator(free(diffusion), grid), order=2)[1]
        x = grid.axes[0].centres
        exact = (5 * length**4 - 6 * length**2 * x**2 + x**4) / (12 * diffusion**2)
        errors.append(np.abs(square.values - exact).max())
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.05


def test_escape_over_a_barrier_is_exponentially_distributed(quartic):
    """⟨t^n⟩ → n! ⟨t⟩^n when one rate dominates; the correction is the ratio of relaxation to escape times."""
    W = fp.generator(fp.Langevin(quartic, temperature=0.0125), fp.Grid(x=(-2, 2, 400)))
    first, second, third = fp.first_passage_moments(W, fp.where(x=(1.0, None)), order=3)
    start = 100
    slack = 20 / first[start]
    assert abs(second[start] / (2 * first[start] ** 2) - 1) < slack
    assert abs(third[start] / (6 * first[start] ** 3) - 1) < slack


def test_density_survival_and_mean_belong_together(quartic):
    """∫f dt = 1 − S and ∫t f dt = τ, by Gauss–Legendre in time; the tail beyond the last time is one exponential."""
    grid = fp.Grid(x=(-2.5, 2.5, 150))
    W = fp.generator(fp.Langevin(quartic, temperature=0.25), grid)
    target = fp.where(x=(0.013, None))
    p0 = fp.gaussian(grid, mean=[-1.0], covariance=[[0.01]])
    last = 40.0
    nodes, weights = np.polynomial.legendre.leggauss(50)
    # The density rises within the first unit of time and then falls slowly: one panel each.
    times = np.concatenate([2 * (nodes + 1), 4 + 18 * (nodes + 1)])
    weights = np.concatenate([2 * weights, 18 * weights])
    f = fp.first_passage_density(W, p0, times, target)
    S = fp.survival(W, p0, [0.0, last], target)
    tail = fp.first_passage_density(W, p0, [last], target).values[0]
    tau = fp.mean_first_passage_time(W, target)
    # p0 in the cut cell is out of reach: it lies 10 standard deviations away.
    assert abs(S.values[0] - 1) < 1e-12
    assert abs(weights @ f.values - (1 - S.values[1])) < 1e-7
    rate = tail / S.values[1]
    mean = weights @ (times * f.values) + tail * (last / rate + 1 / rate**2)
    assert abs(mean / (np.sum(p0 * grid.volumes * tau.values)) - 1) < 1e-6


def test_a_second_dimension_that_does_not_couple_changes_nothing(quartic):
    flat = fp.generator(fp.Langevin(quartic, temperature=0.25), fp.Grid(x=(-2.5, 2.5, 40)))
    plane = fp.Landscape("x**4/4 - x**2/2 + y**2/2")
    W = fp.generator(fp.Langevin(plane, temperature=0.25), fp.Grid(y=(-3, 3, 20), x=(-2.5, 2.5, 40)))
    expected = fp.mean_first_passage_time(flat, fp.where(x=(0.43, None)))
    tau = fp.mean_first_passage_time(W, fp.where(x=(0.43, None)))
    assert np.allclose(tau.values, expected.values[None, :], rtol=1e-9)
    points = np.array([[0.3, 0.41], [-1.0, -0.2], [2.0, 0.5]])
    assert np.allclose(tau.at(points), expected.at(points[:, 1:]), rtol=1e-9)


def test_detailed_balance_survives_the_cut_at_the_wall():
    """π_i k_ij = π_j k_ji with the volumes that end at the wall, corners included."""
    from fpsolver.solvers.absorption import absorb

    L = fp.Landscape("x**4/4 - x**2/2 + (1 + x**2)*y**2/2")
    W = fp.generator(fp.Langevin(L, temperature=0.3), fp.Grid(x=(-2.5, 2.5, 30), y=(-4, 4, 25)))
    outside = absorb(W, {"target": fp.where(x=(0.57, 1.9), y=(-0.33, 1.21))}).absorbing_generator()
    pi = np.exp(outside.log_equilibrium - outside.log_equilibrium.max())
    matrix = outside.matrix
    flow = matrix.multiply(pi.ravel()[None, :])
    difference = abs(flow - flow.T).max() / abs(flow).max()
    assert difference < 1e-14
    # What leaves a cell is killing alone: columns sum to −κ to rounding of the diagonal.
    loss = -np.asarray(matrix.sum(axis=0)).ravel() - outside.killing.ravel()
    assert np.abs(loss).max() < 1e-13 * np.abs(matrix.diagonal()).max()


def test_what_cannot_be_answered_is_said(quartic):
    grid = fp.Grid(x=(-2.5, 2.5, 40))
    dynamics = fp.Langevin(quartic, temperature=0.25)
    W = fp.generator(dynamics, grid)
    with pytest.raises(MethodError, match="give a target="):
        fp.mean_first_passage_time(W)
    with pytest.raises(RegionError, match="contains no cell centre"):
        fp.mean_first_passage_time(W, fp.where(x=(2.49, None)))
    with pytest.raises(RegionError, match="contains every cell"):
        fp.mean_first_passage_time(W, lambda x: x > -9)
    with pytest.raises(MethodError, match="order = 0"):
        fp.first_passage_moments(W, fp.where(x=(1.0, None)), order=0)
    landscape = fp.Landscape("a*x**4/4 - x**2/2", parameters={"a": 1.0})
    driven = fp.Langevin(landscape, temperature=0.25, protocol={"a": fp.Protocol("1 + t")})
    with pytest.raises(MethodError, match="freeze it with"):
        fp.mean_first_passage_time(fp.generator(driven, grid), fp.where(x=(1.0, None)))


def test_a_place_from_which_the_target_is_out_of_reach_is_named():
    """Rates that underflow behind a wall of 10⁴ T cut the grid in two."""
    L = fp.Landscape("20000*exp(-x**2/0.02)")
    W = fp.generator(fp.Langevin(L, temperature=1.0), walled(-1, 1, 40))
    with pytest.raises(MethodError, match="never reached from"):
        fp.mean_first_passage_time(W, fp.where(x=(0.8, None)))


@pytest.mark.parametrize("mobility", [[[1.0, 0.6], [0.6, 1.0]], [[1.0, 1.9], [1.9, 5.0]]])
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.85])
def test_oblique_edges_meet_the_wall_where_it_is(mobility, fraction):
    """Free tensor diffusion between walls across x, periodic in y: the parabola with D_xx, at second order."""
    free_plane = fp.Landscape("0*x + 0*y", variables=("x", "y"))
    errors = []
    for cells in (20, 40, 80):
        x = fp.Axis(-1, 1, cells, boundary=("absorbing", "reflecting"))
        wall = x.centres[3 * cells // 4] + fraction * x.widths[0]
        grid = fp.Grid(x=x, y=fp.Axis(0, 2, cells, boundary="periodic"))
        W = fp.generator(fp.Langevin(free_plane, temperature=0.5, mobility=mobility), grid)
        if fraction == 0.5:
            tau = fp.mean_first_passage_time(W, lambda x, y, wall=wall: x > wall)
        else:
            tau = fp.mean_first_passage_time(W, fp.where(x=(wall, None)))
        X = grid.points[..., 0]
        exact = np.where(wall > X, (X + 1) * (wall - X), 0)
        errors.append(np.abs(tau.values - exact).max())
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.1


def test_kinetic_first_passage_tends_to_the_overdamped_one():
    """At high friction γ the time is γ times the overdamped one to a wall moved out by Milne's 1.4603 √(T/m)/γ.

    The monotone kinetic scheme is of first order: the distance to that value falls by about two when cells are halved.
    """
    L, friction, errors = fp.Landscape("x**2/2"), 16.0, []
    smooth = fp.generator(fp.Langevin(L, temperature=1.0), walled(-4, 4, 800))
    milne = fp.mean_first_passage_time(smooth, fp.where(x=(1 + 1.4603 / friction, None))).at([[0.0]])[0]
    dynamics = fp.UnderdampedLangevin(L, temperature=1.0, friction=friction)
    for cells in (64, 128):
        axis = fp.Axis(-4, 4, cells, boundary="reflecting")
        W = fp.generator(dynamics, fp.Grid(x=axis, velocity={"x": (-6, 6, 32)}), "upwind")
        tau = fp.mean_first_passage_time(W, lambda x, v: x > 1.0)
        errors.append(tau.at([[0.0, 0.0]])[0] / (friction * milne) - 1)
    assert abs(errors[1]) < 0.7 * abs(errors[0])
    spectral = fp.generator(dynamics, fp.Grid(x=axis, velocity={"x": (-6, 6, 32)}))
    with pytest.raises(MethodError, match="upwind"):
        fp.mean_first_passage_time(spectral, lambda x, v: x > 1.0)


@pytest.mark.parametrize("tolerance", [-1.0, 0.0, 1.5, np.nan])
def test_a_tolerance_that_promises_nothing_is_refused(tolerance):
    W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=0.1), fp.Grid(x=(-2, 2, 20)))
    with pytest.raises(MethodError, match="tolerance"):
        fp.mean_first_passage_time(W, fp.where(x=(1.0, None)), tolerance=tolerance)
