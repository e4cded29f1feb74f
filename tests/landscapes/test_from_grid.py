"""Measured landscapes: order of the spline, its domain, HDF5 files."""

from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest

from fpsolver.errors import DomainError, LandscapeError
from fpsolver.landscapes import Landscape, double_well

EXACT = {
    1: Landscape("sin(3*x) + x**2"),
    2: Landscape("sin(3*x)*cos(2*y) + x*y"),
    3: Landscape("sin(3*x)*cos(2*y) + x*y*exp(-z)"),
    4: Landscape("sin(3*x)*cos(2*y) + x*w*exp(-z)", variables=("x", "y", "z", "w")),
}


def measured(dimension: int, n: int) -> Landscape:
    # Stretched axes of different lengths, so that a mixed-up axis shows.
    axes = [np.linspace(0.0, 1.0, n + k) ** 1.3 for k in range(dimension)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return Landscape.from_grid(dict(zip(EXACT[dimension].variables, axes, strict=True)), EXACT[dimension].value(points))


@pytest.mark.parametrize(("dimension", "sizes"), [(1, (20, 40)), (2, (20, 40)), (3, (12, 24)), (4, (8, 16))])
def test_value_gradient_and_hessian_converge_with_order_four_three_two(dimension, sizes):
    points = np.random.default_rng(0).uniform(0.1, 0.9, size=(200, dimension))
    exact = EXACT[dimension].derivatives(points)
    coarse, fine = (
        [np.sqrt(np.mean((a - b) ** 2)) for a, b in zip(measured(dimension, n).derivatives(points), exact, strict=True)]
        for n in sizes
    )
    orders = np.log2(np.array(coarse) / fine)
    # Points sample the error at random: half an order. On the coarse grids of 3 and 4 variables the ends, whose
    # influence dies out exponentially, still count, and their disappearance adds to the order.
    assert np.all(orders > [3.5, 2.5, 1.5]), orders
    if dimension < 3:
        assert np.all(orders < [4.5, 3.5, 2.5]), orders


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_compiled_functions_agree(dimension):
    landscape = measured(dimension, 9)
    compiled = landscape.compiled
    gradient, hessian = np.empty(dimension), np.empty((dimension, dimension))
    corners = [np.zeros(dimension), np.ones(dimension)]
    for point in [*np.random.default_rng(1).uniform(size=(5, dimension)), *corners]:
        compiled.gradient(point, compiled.parameters, gradient)
        compiled.hessian(point, compiled.parameters, hessian)
        assert compiled.value(point, compiled.parameters) == pytest.approx(float(landscape.value(point)), abs=1e-13)
        np.testing.assert_allclose(gradient, landscape.gradient(point), atol=1e-11)
        np.testing.assert_allclose(hessian, landscape.hessian(point), atol=1e-9)
    assert np.isnan(compiled.value(np.full(dimension, 1.01), compiled.parameters))


def test_cubics_are_reproduced_and_values_are_interpolated():
    exact = Landscape("x**3*y**2 - x*y**3 + 2")
    axes = np.linspace(-1, 2, 7), np.array([-1.0, -0.5, 0.0, 0.7, 1.0])
    values = exact.value(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
    landscape = Landscape.from_grid(axes, values, variables=("x", "y"))
    points = np.random.default_rng(2).uniform([-1, -1], [2, 1], size=(50, 2))
    for ours, theirs in zip(landscape.derivatives(points), exact.derivatives(points), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-11)  # rounding, amplified by differentiation


def test_outside_its_domain_it_raises_and_says_where():
    landscape = measured(2, 8)
    assert landscape.domain == ((0.0, 1.0), (0.0, 1.0))
    for method in (landscape.value, landscape.gradient, landscape.hessian):
        with pytest.raises(DomainError, match=r"known for y from 0 to 1, .* y = 1\.5 \(point \[0\.5, 1\.5\]\)"):
            method([[0.5, 0.5], [0.5, 1.5]])
    with pytest.raises(DomainError, match="x = nan"):
        landscape.value([np.nan, 0.5])
    assert np.isfinite(landscape.value([1.0 + 1e-14, 0.0 - 1e-14]))  # rounding is not outside


def test_hdf5_file_with_dimension_scales(tmp_path):
    x, loss = np.linspace(-2.0, 2.0, 41), np.linspace(0.0, 3.0, 11)
    values = x[:, None] ** 2 * loss
    path = tmp_path / "measured.h5"
    with h5py.File(path, "w") as file:
        file["values"] = values
        for number, (name, axis) in enumerate((("width", x), ("depth", loss))):
            file[name] = axis
            file[name].make_scale(name)
            file["values"].dims[number].attach_scale(file[name])
        file["bare"] = values
    landscape = Landscape.from_grid(path)
    assert landscape.variables == ("width", "depth")
    assert landscape.value([1.5, 2.0]) == pytest.approx(4.5)
    assert Landscape.from_grid(str(path), "values", variables=("a", "b")).variables == ("a", "b")
    assert Landscape.from_grid(path, "bare", variables=("width", "depth")) == landscape
    with pytest.raises(LandscapeError, match="no dimension scale"):
        Landscape.from_grid(path, "bare")
    with pytest.raises(LandscapeError, match='did you mean "values"'):
        Landscape.from_grid(path, "valuse")
    with pytest.raises(LandscapeError, match="there is no file"):
        Landscape.from_grid(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(LandscapeError, match="not a readable HDF5 file"):
        Landscape.from_grid(tmp_path / "text.h5")


def test_identity_and_pickling():
    one, other = measured(2, 8), measured(2, 9)
    assert one == measured(2, 8) != other
    restored = pickle.loads(pickle.dumps(one))
    assert restored == one and restored.value([0.3, 0.4]) == one.value([0.3, 0.4])
    assert "8 × 9 values" in repr(one)


def test_one_axis_may_be_given_bare():
    x = np.linspace(-2.0, 2.0, 81)
    landscape = Landscape.from_grid(x, double_well().value(x[:, None]))
    assert landscape.variables == ("x",) and landscape.value([0.5]) == pytest.approx(-0.109375, abs=1e-6)


@pytest.mark.parametrize(
    ("axes", "values", "options", "message"),
    [
        ({"x": [0, 1, 2]}, [0, 1, 2], {}, "at least 4 points"),
        ({"x": [0, 2, 1, 3]}, [0, 1, 2, 3], {}, "ascending"),
        ({"x": [0, 1, 2, np.inf]}, [0, 1, 2, 3], {}, "finite"),
        ({"x": [0, 1, 2, 3]}, [0, 1, 2], {}, "values have shape"),
        ({"x": [0, 1, 2, 3]}, [0, 1, np.nan, 3], {}, "not finite, the first at x = 2"),
        ([[0, 1, 2, 3]] * 5, 0.0, {"variables": tuple("abcde")}, "1 to 4 variables"),
        ([[0, 1, 2, 3]] * 2, np.zeros((4, 4)), {"variables": ("x",)}, "as many variables"),
        ([[0, 1, 2, 3]] * 2, np.zeros((4, 4)), {"variables": ("x", "x")}, "twice"),
        ({"t": [0, 1, 2, 3]}, [0, 1, 2, 3], {}, "reserved"),
        ([[0, 1, 2, 3]], "loss", {}, "must be an array"),
    ],
)
def test_bad_data(axes, values, options, message):
    with pytest.raises(ValueError, match=message):
        Landscape.from_grid(axes, values, **options)
