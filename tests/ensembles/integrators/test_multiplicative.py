import numpy as np
import pytest
from plain_steps import STEPS, Law
from pytest import approx

import fpsolver as fp
from fpsolver.ensembles.functionals import PathIntegral, TimeIntegral
from fpsolver.ensembles.integrators.multiplicative import SCHEMES
from fpsolver.ensembles.observables import Histogram
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.simulate import simulate
from fpsolver.errors import DynamicsError, MethodError, TrajectoryError
from fpsolver.kernels.cpu.noise import normals
from fpsolver.kernels.philox import DYNAMICS

CONVENTIONS = ("ito", "stratonovich", "klimontovich")


def matrix(*rows):
    return lambda x: np.stack([np.stack([f(*np.moveaxis(x, -1, 0)) + 0 * x[..., 0] for f in row], -1) for row in rows], -2)


def one_dimensional(convention):
    landscape = fp.Landscape("cos(x) + 0.3*sin(2*x)")
    dynamics = fp.Langevin(landscape, mobility=0.7, diffusion="0.5 + 0.3*sin(x)", convention=convention, force=("0.4",))
    law = Law(
        lambda x: 0.7 * (0.4 + np.sin(x) - 0.6 * np.cos(2 * x)), matrix([lambda x: 0.5 + 0.3 * np.sin(x)]), convention
    )
    return dynamics, law


def thermal(dimension):
    if dimension == 1:
        dynamics = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.3, mobility="1/(1 + x**2)")
        mobility = matrix([lambda x: 1 / (1 + x**2)])
        return dynamics, Law(lambda x: -mobility(x)[..., 0] * x, lambda x: 0.3 * mobility(x), "klimontovich")
    entries = [["1 + 0.5*sin(y)", "0.3*cos(x)"], ["0.3*cos(x)", "0.8 + 0.2*sin(x + y)"]]
    dynamics = fp.Langevin(fp.Landscape("x**2/2 + y**2 + x*y/2"), temperature=0.4, mobility=entries)
    mobility = matrix(
        [lambda x, y: 1 + 0.5 * np.sin(y), lambda x, y: 0.3 * np.cos(x)],
        [lambda x, y: 0.3 * np.cos(x), lambda x, y: 0.8 + 0.2 * np.sin(x + y)],
    )
    slope = np.array([[1.0, 0.5], [0.5, 2.0]])
    force = lambda x: -np.einsum("...ij,jk,...k->...i", mobility(x), slope, x)  # noqa: E731
    return dynamics, Law(force, lambda x: 0.4 * mobility(x), "klimontovich")


def diagonal(kind, convention):
    landscape = fp.Landscape("x**2/2 + y**2/2 + z**2/2")
    spread = "0.5 + 0.2*sin(x + y)*cos(z)"
    vector = [spread, "0.4 + 0.1*cos(x)", "0.6 + 0.3*sin(y)"]
    dynamics = fp.Langevin(landscape, diffusion=spread if kind == "scalar" else vector, convention=convention,
                           mobility=["1.0 + 0.1*x**2", "1.0", "2.0"])  # fmt: skip
    zero = lambda x, y, z: 0.0  # noqa: E731
    first = lambda x, y, z: 0.5 + 0.2 * np.sin(x + y) * np.cos(z)  # noqa: E731
    second, third = (lambda x, y, z: 0.4 + 0.1 * np.cos(x)), (lambda x, y, z: 0.6 + 0.3 * np.sin(y))
    if kind == "scalar":
        second = third = first
    field = matrix([first, zero, zero], [zero, second, zero], [zero, zero, third])
    force = lambda x: -x * np.stack([1 + 0.1 * x[..., 0] ** 2, 0 * x[..., 1] + 1, 0 * x[..., 2] + 2], -1)  # noqa: E731
    return dynamics, Law(force, field, convention)


def tensor(convention):
    landscape = fp.Landscape("x**2/2 + y**2/2 + z**2/2")
    entries = [["1 + 0.5*sin(y)", "0.3*cos(x)", "0.1*x*exp(-x**2)"], ["0.3*cos(x)", "0.8 + 0.2*sin(x + z)", "0.2"],
               ["0.1*x*exp(-x**2)", "0.2", "0.9"]]  # fmt: skip
    a, b, c = (
        (lambda x, y, z: 1 + 0.5 * np.sin(y)), (lambda x, y, z: 0.3 * np.cos(x)),
        (lambda x, y, z: 0.1 * x * np.exp(-(x**2))),
    )  # fmt: skip
    e, f, g = (lambda x, y, z: 0.8 + 0.2 * np.sin(x + z)), (lambda x, y, z: 0.2), (lambda x, y, z: 0.9)
    dynamics = fp.Langevin(landscape, diffusion=entries, convention=convention, mobility=[[1, 0.2, 0], [0.2, 1, 0], [0, 0, 1]])
    mobility = np.array([[1, 0.2, 0], [0.2, 1, 0], [0, 0, 1]])
    return dynamics, Law(lambda x: -x @ mobility, matrix([a, b, c], [b, e, f], [c, f, g]), convention)


PROBLEMS = {
    **{f"1-D {name}": (lambda name=name: one_dimensional(name)) for name in CONVENTIONS},
    "1-D thermal": lambda: thermal(1),
    "2-D thermal": lambda: thermal(2),
    **{f"scalar {name}": (lambda name=name: diagonal("scalar", name)) for name in ("ito", "klimontovich")},
    **{f"vector {name}": (lambda name=name: diagonal("vector", name)) for name in CONVENTIONS},
    **{f"tensor {name}": (lambda name=name: tensor(name)) for name in CONVENTIONS},
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_takes_the_steps_of_the_papers(problem, scheme):
    dynamics, law = PROBLEMS[problem]()
    d, n, steps, dt, seed = dynamics.landscape.dimension, 300, 5, 0.05, 11
    m = d + d * (d - 1) // 2 if scheme == "weak-2" else d
    x = np.random.default_rng(0).normal(size=(n, d))
    noise = normals(0, n, m * steps, DYNAMICS, *key_of(seed, 0)).reshape(n, steps, m)
    final = simulate(dynamics, n=n, initial=x, dt=dt, t_final=steps * dt, seed=seed, scheme=scheme).final
    for k in range(steps):
        x = STEPS[scheme](law, x, noise[:, k], dt)
    # The differences that stand for derivatives in the reference are good to 1e-9: (1e-2)⁶ by order, 1e-14 by rounding.
    assert final == approx(x, rel=1e-9, abs=1e-9)
