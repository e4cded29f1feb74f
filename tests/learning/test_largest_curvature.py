"""Sharpness from matrices, landscapes and products, against eigenvalues that are known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse

import fpsolver as fp
from fpsolver.errors import InputError
from fpsolver.learning import sharpness


def chain(n):
    """Second differences on n points; the largest eigenvalue is 2 + 2 cos π/(n + 1)."""
    return sparse.diags_array([-np.ones(n - 1), 2.0 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1])


@pytest.mark.parametrize("n", [5, 200])
@pytest.mark.parametrize("form", ["dense", "sparse", "product", "operator"])
def test_every_form_of_a_hessian_gives_its_largest_eigenvalue_within_the_error(n, form):
    matrix = chain(n).tocsr()
    given = {
        "dense": matrix.toarray(),
        "sparse": matrix,
        "product": lambda vector: matrix @ vector,
        "operator": sparse.linalg.aslinearoperator(matrix),
    }[form]
    result = sharpness(given, dimension=n if form == "product" else None)
    exact = 2.0 + 2.0 * np.cos(np.pi / (n + 1))
    # Below, the Rayleigh quotient is quadratic in the residual; the rest is rounding of n additions.
    assert abs(result.value - exact) <= result.error + 4.0 * n * np.finfo(float).eps
    assert result.error < 1e-10
    assert np.linalg.norm(matrix @ result.vector - result.value * result.vector) <= result.error + 1e-14


def test_a_loose_tolerance_saves_products_and_says_what_it_costs():
    curvatures = np.linspace(-5.0, 1.0, 1000)
    tight = sharpness(lambda v: curvatures * v, dimension=1000)
    loose = sharpness(lambda v: curvatures * v, dimension=1000, tolerance=1e-3)
    assert loose.products < tight.products
    assert abs(loose.value - 1.0) <= loose.error
    assert tight.error < 1e-3 * loose.error


def test_largest_in_sign_not_in_modulus():
    assert sharpness(np.diag([-5.0, 1.0])).value == pytest.approx(1.0, rel=1e-15)
    assert sharpness(np.zeros((100, 100))).value == 0.0


def test_preconditioned_sharpness_is_a_generalised_eigenvalue():
    from scipy.linalg import eigh

    rng = np.random.default_rng(3)
    for d in (6, 80):
        factor, diagonal = rng.standard_normal((d, d)), rng.uniform(0.1, 3.0, d)
        hessian = factor @ factor.T
        expected = eigh(hessian, np.diag(diagonal), eigvals_only=True)[-1]
        assert sharpness(hessian, preconditioner=diagonal).value == pytest.approx(expected, rel=1e-12)


def test_single_precision_products_are_taken_with_their_error():
    hessian = chain(10).toarray() + 1e-7 * np.arange(100).reshape(10, 10) / 100
    result = sharpness(lambda v: hessian @ v, dimension=10)
    exact = np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1]
    assert abs(result.value - exact) <= result.error
    assert 1e-9 < result.error < 1e-6


def test_landscape_at_a_point():
    scalar_factorisation = fp.Landscape("(1 - u*v)**2/2")
    assert sharpness(scalar_factorisation, at=[4.0, 0.25]).value == pytest.approx(16.0625, rel=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sharpness(fp.Landscape("x**2")), "needs a point"),
        (lambda: sharpness(fp.Landscape("x**2"), at=[1.0, 2.0]), "1 coordinates"),
        (lambda: sharpness(lambda v: v), "number of parameters"),
        (lambda: sharpness([[1.0, 2.0], [0.0, 1.0]]), "not symmetric"),
        (lambda: sharpness(np.eye(2), at=[0.0, 0.0]), "for landscapes"),
        (lambda: sharpness(np.eye(2), preconditioner=[1.0, -1.0]), "must be"),
        (lambda: sharpness(lambda v: v[:1], dimension=3), "gave shape"),
    ],
)
def test_what_is_missing_is_said(call, message):
    with pytest.raises(InputError, match=message):
        call()
