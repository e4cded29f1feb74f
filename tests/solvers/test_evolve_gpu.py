"""The launchers of NVIDIA devices: on one where there is one, and everywhere under the CUDA simulator."""

from __future__ import annotations

import numpy as np
import pytest
from numba import cuda

import fpsolver as fp
from fpsolver.errors import DeviceError, MethodError

needs_device = pytest.mark.skipif(not cuda.is_available(), reason="no NVIDIA device and no simulator")

PROBLEMS = {
    "reversible": ({}, "reflecting", "chebyshev"),
    "driven ring": ({"force": ["0.3"]}, "periodic", "uniformisation"),
    "absorbing": ({}, "absorbing", "chebyshev"),
}


@needs_device
@pytest.mark.gpu
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_device_gives_the_density_of_the_processor(name):
    options, boundary, method = PROBLEMS[name]
    grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, 12, boundary=boundary))
    W = fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=0.5, **options), grid)
    p0 = fp.gaussian(grid, [3.0], [[0.3]])
    here, there = (fp.evolve(W, p0, [0.3, 1.0], method=method, device=device) for device in ("cpu", "gpu"))
    assert there.stats["applications"] == here.stats["applications"]
    assert np.abs(there.densities - here.densities).max() <= 1e-13 * here.densities.max()


@needs_device
@pytest.mark.gpu
def test_the_device_gives_the_density_of_the_processor_in_three_dimensions():
    grid = fp.Grid(x=fp.Axis(-1, 1, 3, boundary="periodic"), y=(-2, 2, 4), z=fp.Axis(-1, 1, 3, boundary="periodic"))
    W = fp.generator(fp.Langevin(fp.Landscape("cos(pi*x) + y**2 + cos(pi*z)"), temperature=0.4), grid)
    p0 = fp.gaussian(grid, [0.1, 0.2, 0.3], 0.2 * np.eye(3))
    here, there = (fp.evolve(W, p0, [0.2], method="chebyshev", device=device) for device in ("cpu", "gpu"))
    assert np.abs(there.final - here.final).max() <= 1e-13 * here.final.max()


def test_the_same_tests_pass_under_the_simulator(under_the_simulator):
    assert "4 passed" in under_the_simulator


def test_devices_that_are_not_there_are_refused(quartic, monkeypatch):
    monkeypatch.setattr(cuda, "is_available", lambda: False)
    grid = fp.Grid(x=(-3, 3, 20))
    W = fp.generator(fp.Langevin(quartic, temperature=0.25), grid)
    p0 = fp.gaussian(grid, [0.0], [[0.3]])
    with pytest.raises(DeviceError, match="needs an NVIDIA device"):
        fp.evolve(W, p0, [1.0], device="gpu")
    with pytest.raises(DeviceError, match='did you mean "gpu"'):
        fp.evolve(W, p0, [1.0], device="gpus")
    monkeypatch.setattr(cuda, "is_available", lambda: True)
    trap = fp.Landscape("a*x**2", parameters={"a": 1.0}, variables=("x",))
    driven = fp.generator(fp.Langevin(trap, temperature=0.25, protocol={"a": "1 + t"}), grid)
    with pytest.raises(MethodError, match="driven generator changes"):
        fp.evolve(driven, p0, [1.0], device="gpu")
