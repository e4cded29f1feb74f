from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from numba import cuda
from scipy import fft

import fpsolver as fp
from fpsolver.errors import GridError, MethodError, NumericalError
from fpsolver.solvers.exponential.convolution_operator import plain_convolution, symmetric_convolution
from fpsolver.solvers.exponential.sparse_operator import symmetrised

EPSILON = np.finfo(float).eps
RING = fp.Axis(0, 2 * np.pi, 12, boundary="periodic")
ODD_RING = fp.Axis(0, 2 * np.pi, 11, boundary="periodic")
GRIDS = {
    "line": fp.Grid(x=fp.Axis(-3, 3, 60, boundary="reflecting")),
    "leaking line": fp.Grid(x=fp.Axis(-3, 3, 60, boundary="absorbing")),
    "ring": fp.Grid(x=ODD_RING),
    "plane": fp.Grid(x=fp.Axis(-3, 3, 25, boundary="reflecting"), y=fp.Axis(-3, 3, 22, boundary="reflecting")),
    "tube": fp.Grid(x=RING, y=fp.Axis(-1, 1, 10, boundary=("absorbing", "reflecting"))),
    "torus": fp.Grid(x=RING, y=ODD_RING),
    "box": fp.Grid(
        **{name: fp.Axis(-2, 2, n, boundary="reflecting") for name, n in zip("xyz", (9, 7, 8), strict=True)}
    ),
}


def process(grid, proposal=None, law="half"):
    terms = [
        f"cos({name})" if axis.periodic else f"{name}**2/2" for name, axis in zip(grid.names, grid.axes, strict=True)
    ]
    return fp.JumpProcess(
        fp.Landscape(" + ".join(terms)), 0.4, proposal or fp.GaussianProposal(0.8), law=law, attempt_rate="2 + cos(x)"
    )


def pair(name, *options):
    law = process(GRIDS[name], *options)
    return fp.generator(law, GRIDS[name], "matrix"), fp.generator(law, GRIDS[name], "convolution")


def apart(found, expected):
    """Return the largest relative difference of two arrays."""
    return float(np.abs(np.asarray(found).ravel() / np.asarray(expected).ravel() - 1.0).max())


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize(
    ("proposal", "law"),
    [
        (fp.GaussianProposal(0.8), "half"),
        (fp.GaussianProposal(0.8), "arrhenius"),
        (fp.UniformProposal(1.5), "half"),
        (fp.StudentProposal(3, 0.8), "half"),
    ],
    ids=lambda given: getattr(given, "kind", given),
)
def test_the_operator_is_the_matrix(name, proposal, law):
    """Sums of products to rounding relative to each of them, Fourier transforms to rounding of the largest."""
    M, C = pair(name, proposal, law)
    x = np.random.default_rng(3).uniform(0.1, 1.0, C.n_state)
    # Each of some hundred terms is good to rounding of its exponent, at most 60 in size here.
    assert apart(C.gain(x.reshape(C.grid.shape)), M.rates @ x) < 1e-13
    assert apart(C.mean(x.reshape(C.grid.shape)), M.rates.T @ x) < 1e-13
    assert apart(C.diagonal, M.diagonal) < 1e-13
    assert abs(C.matrix - M.matrix).max() <= 1e-13 * abs(M.matrix).max()
    assert np.abs(C.product(x) - M.product(x)).max() <= 1e-13 * np.abs(M.diagonal).max()
    S, dense = symmetric_convolution(C), symmetrised(M.matrix)
    expected = dense @ x
    for fourier in (False, True):
        C.kernel.__dict__["by_fourier"] = fourier
        S.__dict__.pop("_kernel", None)
        assert S.engine == ("Fourier transforms" if fourier else "sums of products")
        assert np.abs(S(x) - expected).max() <= 1e-13 * np.abs(dense).max() * np.abs(x).sum()
    assert np.abs(S.dense() - dense.toarray()).max() <= 1e-13 * np.abs(dense).max()


def test_the_lowest_eigenvalue_is_bounded():
    _, C = pair("tube")
    S = symmetric_convolution(C)
    assert S.lowest() <= np.linalg.eigvalsh(S.dense())[0]


def test_sums_of_products_are_never_negative():
    _, C = pair("plane")
    x = np.zeros(C.n_state)
    x[0] = 1.0
    W = plain_convolution(C)
    image, _ = W.polynomial(
        x,
        scale=1 / np.abs(C.diagonal).max(),
        shift=1.0,
        gains=np.ones(3),
        pulls=np.zeros(3),
        weights=np.array([[0, 0, 0, 1.0]]),
    )
    assert image.min() >= 0.0 and image.sum() == pytest.approx(1.0, abs=1e-13)


def test_polynomials_are_those_of_the_matrix():
    M, C = pair("tube")
    rng = np.random.default_rng(0)
    x, gains, pulls, weights = rng.random(C.n_state), rng.random(6), rng.random(6), rng.random((2, 7))
    arguments = dict(scale=0.3, shift=0.2, gains=gains, pulls=pulls, weights=weights)
    from fpsolver.solvers.exponential.sparse_operator import SparseOperator

    for ours, theirs in (
        (plain_convolution(C), SparseOperator(M.matrix)),
        (symmetric_convolution(C), SparseOperator(symmetrised(M.matrix))),
    ):
        for found, expected in zip(ours.polynomial(x, **arguments), theirs.polynomial(x, **arguments), strict=True):
            assert found == pytest.approx(expected, rel=1e-12)


def test_large_grids_get_a_convolution_small_ones_a_matrix():
    def kind(cells, law="half"):
        grid = fp.Grid(x=fp.Axis(-2, 2, cells, boundary="reflecting"), y=fp.Axis(-2, 2, cells, boundary="reflecting"))
        bowl = fp.JumpProcess(fp.Landscape("x**2 + y**2"), 0.5, fp.GaussianProposal(0.5), law=law)
        return type(fp.generator(bowl, grid)).__name__

    assert [kind(n) for n in (15, 40)] == ["JumpGenerator", "ConvolutionGenerator"]
    assert kind(40, "glauber") == "JumpGenerator"


def test_what_is_no_convolution_is_refused():
    grid = GRIDS["line"]
    for law in (
        fp.JumpProcess(fp.Landscape("x**2"), 0.5, fp.GaussianProposal(0.5), law="glauber"),
        fp.JumpProcess(fp.Landscape("x**2"), 0.5, fp.LatticeProposal(0.1)),
    ):
        with pytest.raises(GridError, match='scheme = "convolution" needs one of the laws'):
            fp.generator(law, grid, "convolution")
    with pytest.raises(NumericalError, match=r"so that rates differ by e\^\d+ at a temperature of 0.001"):
        fp.generator(fp.JumpProcess(fp.Landscape("x**2/2"), 1e-3, fp.GaussianProposal(0.2)), grid, "convolution")
    large = fp.Grid(x=fp.Axis(-2, 2, 300, boundary="reflecting"), y=fp.Axis(-2, 2, 300, boundary="reflecting"))
    bowl = fp.JumpProcess(fp.Landscape("x**2 + y**2"), 0.5, fp.GaussianProposal(0.5))
    with pytest.raises(MethodError, match="rates of a convolution one by one"):
        fp.quasi_stationary(fp.generator(bowl, large), fp.where(x=(1.0, None)))


@pytest.fixture
def cupy_stand_in(monkeypatch):
    """NumPy in the place of CuPy, which has the same functions: the launcher of the device runs here."""
    stand_in = SimpleNamespace(asarray=np.asarray, asnumpy=np.asarray, fft=fft)
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    monkeypatch.setattr(cuda, "is_available", lambda: True)


def same_on_the_device():
    _, C = pair("tube")
    p0 = fp.gaussian(C.grid, [3.0, 0.3], 0.3 * np.eye(2))
    here, there = (fp.evolve(C, p0, [0.5, 1.0], method="chebyshev", device=device) for device in ("cpu", "gpu"))
    assert there.stats["applications"] == here.stats["applications"]
    assert np.abs(there.densities - here.densities).max() <= 1e-12 * here.densities.max()


def test_the_launcher_of_the_device(cupy_stand_in):
    same_on_the_device()


@pytest.mark.gpu
@pytest.mark.skipif(not cuda.is_available(), reason="no NVIDIA device")
def test_the_device_gives_the_density_of_the_processor():
    pytest.importorskip("cupy")
    same_on_the_device()
