"""The same problem in other packages: V = x⁴/4 − x²/2 + y²/2, T = 0.25, [−2, 2]², from a Gaussian to t = 1.

Each function returns a call that evolves the density and gives it back on an n × n grid, or None where the package is
not installed. What a package does once for a grid (assembly, compilation) is done before, and not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

TEMPERATURE = 0.25
MEAN, VARIANCE = (-1.0, 0.5), 0.05

Call = Callable[[], np.ndarray]


def potential(x: Any, y: Any) -> Any:
    """Return the loss."""
    return x**4 / 4 - x**2 / 2 + y**2 / 2


def start(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the initial density, not normalised."""
    return np.exp(-((x - MEAN[0]) ** 2 + (y - MEAN[1]) ** 2) / (2 * VARIANCE))


def fplanck(cells: int) -> Call | None:
    """Return fplanck's propagation by a sparse matrix exponential.

    Version 0.2.2, which Python 3.11 resolves, calls ``np.product``, gone from NumPy 2; it is put back.
    """
    setattr(np, "product", np.prod)  # noqa: B010  (a plain assignment is what type checkers refuse)
    try:
        from fplanck import fokker_planck, gaussian_pdf
    except ImportError:
        return None
    solver = fokker_planck(
        temperature=TEMPERATURE / 1.380649e-23,
        drag=1.0,
        extent=[4.0, 4.0],
        resolution=4.0 / cells,
        potential=potential,
    )
    initial = gaussian_pdf(center=MEAN, width=np.sqrt(2 * VARIANCE))  # its width is √2 deviations
    return lambda: solver.propagate(initial, 1.0)


def py_pde(cells: int) -> Call | None:
    """Return py-pde's explicit adaptive solver, its default tolerance, no-flux walls given as Robin conditions."""
    try:
        import pde
    except ImportError:
        return None
    grid = pde.CartesianGrid([[-2, 2], [-2, 2]], [cells, cells])
    x, y = np.moveaxis(grid.cell_coords, -1, 0)
    # No flux: ∂p/∂n + (∂V/∂n) p/T = 0 with V' = ±6 at x = ±2 and ±2 at y = ±2, outwards 6 and 2 on every side.
    walls = {
        "x": {"type": "mixed", "value": 6 / TEMPERATURE, "const": 0},
        "y": {"type": "mixed", "value": 2 / TEMPERATURE, "const": 0},
    }
    drift = f"{TEMPERATURE}*laplace(p) + (x**3 - x)*d_dx(p) + y*d_dy(p) + (3*x**2 - 1 + 1)*p"
    equation = pde.PDE({"p": drift}, bc=walls)
    initial = pde.ScalarField(grid, start(x, y) / (start(x, y).sum() * (4 / cells) ** 2))
    return lambda: equation.solve(initial, t_range=1.0, dt=1e-5, adaptive=True, tracker=None).data


def fipy(cells: int, steps: int = 100) -> Call | None:
    """Return FiPy's implicit Euler steps with exponential (Scharfetter–Gummel) convection."""
    try:
        import fipy as fi
    except ImportError:
        return None
    mesh = fi.Grid2D(nx=cells, ny=cells, dx=4 / cells, dy=4 / cells) - 2.0
    x, y = mesh.cellCenters.value
    faces_x, faces_y = mesh.faceCenters.value
    velocity = fi.FaceVariable(mesh=mesh, rank=1, value=np.stack([faces_x**3 - faces_x, faces_y]))
    equation = fi.TransientTerm() == fi.DiffusionTerm(TEMPERATURE) + fi.ExponentialConvectionTerm(velocity)
    initial = start(x, y) / (start(x, y).sum() * (4 / cells) ** 2)

    def call() -> np.ndarray:
        p = fi.CellVariable(mesh=mesh, value=initial)
        for _ in range(steps):
            equation.solve(var=p, dt=1.0 / steps)
        return p.value.reshape(cells, cells).T

    return call


PEERS: dict[str, Callable[[int], Call | None]] = {"fplanck": fplanck, "py-pde": py_pde, "FiPy": fipy}
