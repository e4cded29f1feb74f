"""Matrices of linear dynamics: which dynamics are linear, and the exact step against independent integrals."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import fpsolver as fp
from fpsolver.ensembles.coefficients_in_time import coefficients_in_time
from fpsolver.ensembles.linear_drift import exact_step, linear_drift, linear_force, square_root

TURNING = np.array([[-1.0, 0.7, 0.2], [-0.4, -2.0, 0.5], [0.1, -0.3, -0.5]])
SPREAD = np.array([[1.0, 0.3, 0.0], [0.3, 0.5, -0.1], [0.0, -0.1, 0.2]])
OFFSET = np.array([0.4, -1.0, 2.0])
FLAT = np.diag([0.0, -3.0, 2.0])
NILPOTENT = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])


def reference_step(matrix, offset, diffusion, dt):
    """Transition, shift and covariance by the exponential of block matrices (Van Loan 1978) with 120 digits."""
    d = len(matrix)
    with mpmath.workdps(120):
        zero = np.zeros((d, d))
        affine = np.block([[matrix, offset[:, None]], [np.zeros((1, d + 1))]])
        van_loan = np.block([[-matrix, 2 * diffusion], [zero, matrix.T]])
        first = mpmath.expm(mpmath.matrix(affine.tolist()) * mpmath.mpf(dt), method="taylor")
        both = mpmath.expm(mpmath.matrix(van_loan.tolist()) * mpmath.mpf(dt), method="taylor")
        transition = first[:d, :d]
        covariance = both[d:, d:].T * both[:d, d:]
        as_array = [np.array(m.tolist(), dtype=float) for m in (transition, first[:d, d:], covariance)]
    return as_array[0], as_array[1][:, 0], as_array[2]


@pytest.mark.parametrize("matrix", [TURNING, FLAT, NILPOTENT, -20 * np.eye(3), np.zeros((3, 3))])
@pytest.mark.parametrize("dt", [1e-9, 1e-3, 0.5, 7.0])
def test_exact_step_against_block_exponentials(matrix, dt):
    found = exact_step(matrix, OFFSET, SPREAD, dt)
    # The relative condition number of e^{A dt} is ‖A‖ dt; the rest is rounding of a score of terms.
    condition = 1.0 + np.abs(matrix).sum(axis=1).max() * dt
    for ours, exact in zip(found, reference_step(matrix, OFFSET, SPREAD, dt), strict=True):
        # Within the scale of the matrix: small entries of a rotation are differences of large ones.
        np.testing.assert_allclose(ours, exact, rtol=0, atol=2.3e-16 * 20 * condition * np.abs(exact).max())


@pytest.mark.parametrize("dt", [1e-12, 0.3, 40.0])
def test_exact_step_in_one_dimension_to_the_last_digits(dt):
    for rate in (-3.0, 0.0, 0.5):
        transition, shift, covariance = exact_step(np.array([[rate]]), np.array([2.0]), np.array([[0.7]]), dt)
        with mpmath.workdps(50):
            mean = mpmath.expm1(mpmath.mpf(rate) * dt) / rate if rate else mpmath.mpf(dt)
            spread = mpmath.expm1(2 * mpmath.mpf(rate) * dt) / (2 * rate) if rate else mpmath.mpf(dt)
            exact = [float(mpmath.exp(mpmath.mpf(rate) * dt)), float(2 * mean), float(2 * mpmath.mpf(0.7) * spread)]
        # e^{Adt} is squared up from e^{A dt/2^k}: rounding grows with its exponent.
        for ours, value in zip((transition[0, 0], shift[0], covariance[0, 0]), exact, strict=True):
            assert ours == pytest.approx(value, rel=2.3e-16 * 8 * (1 + abs(rate) * dt))


def test_exact_step_against_quadrature():
    """∫e^{As} 2D e^{Aᵀs} ds by Gauss–Legendre, with SciPy's exponential."""
    from scipy.linalg import expm

    dt = 1.3
    nodes, weights = np.polynomial.legendre.leggauss(40)
    propagators = [expm(TURNING * dt * (node + 1) / 2) for node in nodes]
    spread = sum(w * dt / 2 * e @ (2 * SPREAD) @ e.T for w, e in zip(weights, propagators, strict=True))
    shift = sum(w * dt / 2 * e @ OFFSET for w, e in zip(weights, propagators, strict=True))
    found = exact_step(TURNING, OFFSET, SPREAD, dt)
    np.testing.assert_allclose(found[0], expm(TURNING * dt), rtol=1e-13)
    np.testing.assert_allclose(found[1], shift, rtol=1e-13)
    np.testing.assert_allclose(found[2], spread, rtol=1e-12, atol=1e-14)


def test_huge_steps_reach_the_stationary_state():
    from scipy.linalg import solve_continuous_lyapunov

    transition, shift, covariance = exact_step(TURNING, OFFSET, SPREAD, 1e8)
    assert not transition.any()
    np.testing.assert_allclose(shift, -np.linalg.solve(TURNING, OFFSET), rtol=1e-13)
    np.testing.assert_allclose(covariance, solve_continuous_lyapunov(TURNING, -2 * SPREAD), rtol=1e-12)


ENTRIES = st.floats(-2, 2).map(lambda value: round(value, 3))


@settings(max_examples=60, deadline=None)
@given(
    matrix=arrays(float, (2, 2), elements=ENTRIES), root=arrays(float, (2, 2), elements=ENTRIES), dt=st.floats(1e-3, 2)
)
def test_two_steps_are_one_of_twice_the_length(matrix, root, dt):
    diffusion, offset = root @ root.T, np.array([1.0, -0.5])
    transition, shift, covariance = exact_step(matrix, offset, diffusion, dt)
    double = exact_step(matrix, offset, diffusion, 2 * dt)
    pairs = [
        (transition @ transition, double[0]),
        (transition @ shift + shift, double[1]),
        (transition @ covariance @ transition.T + covariance, double[2]),
    ]
    for ours, other in pairs:
        np.testing.assert_allclose(ours, other, rtol=0, atol=1e-13 * max(1.0, np.abs(other).max()))
    assert (covariance == covariance.T).all()
    assert np.linalg.eigvalsh(covariance)[0] >= -1e-15 * np.abs(covariance).max()


@pytest.mark.parametrize(
    "covariance", [SPREAD, np.zeros((2, 2)), np.diag([1.0, 0.0]), np.ones((3, 3)), np.diag([1e-200, 1e200])]
)
def test_square_roots_multiply_back(covariance):
    root = square_root(covariance)
    np.testing.assert_allclose(root @ root.T, covariance, rtol=1e-14, atol=1e-15 * np.abs(covariance).max())


POINTS = np.random.default_rng(5).normal(size=(7, 2))
SADDLE = fp.Landscape("a*x**2/2 - x*y + 2*y**2 + 3*x", variables=("x", "y"), parameters={"a": 1.5})
TENSOR = [[1.0, 0.2], [0.2, 0.6]]


@pytest.mark.parametrize(
    ("options", "diffusion"),
    [
        ({"temperature": 0.5}, 0.5 * np.eye(2)),
        ({"temperature": 0.5, "mobility": 2.0}, np.eye(2)),
        ({"temperature": 0.5, "mobility": [1.0, 3.0]}, np.diag([0.5, 1.5])),
        ({"temperature": 0.5, "mobility": TENSOR}, 0.5 * np.array(TENSOR)),
        ({"temperature": 0.5, "mobility": "a"}, 0.75 * np.eye(2)),
        ({"temperature": 0.5, "mobility": [["a", 0], [0, 1]]}, np.diag([0.75, 0.5])),
        ({"diffusion": TENSOR}, np.array(TENSOR)),
        ({"diffusion": "2*a", "convention": "ito", "mobility": TENSOR}, 3.0 * np.eye(2)),
        ({"temperature": 0.5, "force": ["a*y + 1", "-x/2"], "mobility": TENSOR}, 0.5 * np.array(TENSOR)),
    ],
)
def test_linear_drift_is_the_drift_at_points(options, diffusion):
    dynamics = fp.Langevin(SADDLE, **options)
    matrix, offset, found = linear_drift(dynamics)
    force = -SADDLE.gradient(POINTS)
    if dynamics.force is not None:
        force = force + dynamics.force.evaluate(POINTS, SADDLE.parameters)
    mobility = dynamics.mobility.evaluate(np.zeros(2), SADDLE.parameters)
    mobility = mobility if mobility.ndim == 2 else np.diag(np.broadcast_to(mobility, (2,)))
    np.testing.assert_allclose(POINTS @ matrix.T + offset, force @ mobility.T, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(found, diffusion, rtol=1e-15)


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.5, "mobility": "1 + x**2"},
        {"diffusion": "1 + x**2", "convention": "ito"},
        {"temperature": 0.5, "force": ["x*y", "0"]},
        {"temperature": 0.5, "force": ["sin(y)", "0"]},
        {"temperature": 0.5, "force": lambda x: x},
    ],
)
def test_what_is_not_linear_is_told(options):
    assert linear_drift(fp.Langevin(SADDLE, **options)) is None
    assert linear_drift(fp.Langevin(fp.Landscape("x**4 + y**2"), temperature=1.0)) is None


def test_a_force_without_components_is_linear():
    jacobian, constant = linear_force(fp.Langevin(SADDLE, temperature=1.0))
    assert not jacobian.any() and not constant.any()


def test_coefficients_follow_their_protocols():
    times = np.array([0.0, 0.5, 2.0])
    drive = {"a": fp.Protocol("1 + t"), "temperature": fp.Protocol("2 - t/2")}
    dynamics = fp.Langevin(SADDLE, temperature=1.0, mobility=[["a", 0], [0, 1]], protocol=drive)
    mobility, diffusion = coefficients_in_time(dynamics, times)
    for k, t in enumerate(times):
        frozen = coefficients_in_time(dynamics.at(t), np.zeros(1))
        np.testing.assert_array_equal(mobility[k], frozen[0][0])
        np.testing.assert_array_equal(diffusion[k], frozen[1][0])
        np.testing.assert_allclose(diffusion[k], (2 - t / 2) * np.diag([1 + t, 1]), rtol=1e-15)
    scaled = fp.Langevin(SADDLE, temperature=1.0, protocol={"mobility": fp.Protocol("1 + t")})
    np.testing.assert_array_equal(coefficients_in_time(scaled, times)[1], (1 + times)[:, None, None] * np.eye(2))


@pytest.mark.parametrize("name", ["temperature", "mobility"])
def test_a_protocol_that_turns_negative_is_named(name):
    dynamics = fp.Langevin(SADDLE, temperature=1.0, protocol={name: fp.Protocol("1 - t")})
    with pytest.raises(fp.errors.DynamicsError, match=f"{name} = .*-0.5"):
        coefficients_in_time(dynamics, np.array([0.0, 1.5]))
    with pytest.raises(fp.errors.DynamicsError, match=f"{name} = "):
        fp.simulate(dynamics, 10, [0.0, 0.0], 0.5, 4.0, seed=1)
