"""Measured orders of the tensor-diffusion generator against a spectral method that shares no code with it.

Every case has walls that the density touches, noise of anisotropy 30 (or the stated one) and an answer from a Galerkin
method in Legendre polynomials, whose natural boundary condition is zero normal flux. Run as a script for the table.

At a corner where the walls meet at the angle α in the metric of D⁻¹, solutions behave as r^{π/α}. The spectral answer
is therefore only algebraically accurate, with an error that is measured by raising the degree and reported with each
case. Where an absorbing meets a reflecting wall it is r^{π/2α}, at 70° r^{0.6}, which costs any uniform grid its second
order: the last case shows that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import legendre

Field = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class MeasuredOrder:
    """Errors of one quantity on a sequence of grids.

    Parameters
    ----------
    case : str
        What was solved.
    quantity : str
        What was compared.
    cells : tuple of int
        Cells along each axis.
    errors : tuple of float
        Relative errors, one per grid.
    reference_error : float
        Relative uncertainty of the answer they are compared with.
    """

    case: str
    quantity: str
    cells: tuple[int, ...]
    errors: tuple[float, ...]
    reference_error: float

    @property
    def order(self) -> float:
        """Slope of log error against log spacing, by least squares over all grids."""
        return float(-np.polyfit(np.log(self.cells), np.log(self.errors), 1)[0])


def rotated_tensor(anisotropy: float, degrees: float) -> np.ndarray:
    """Return the 2 × 2 tensor with eigenvalues `anisotropy` and 1, the first turned from the x axis by an angle."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    return rotation @ np.diag([anisotropy, 1.0]) @ rotation.T


class BoxGalerkin:
    """Fokker–Planck operator on the unit box in Legendre polynomials: ∂p/∂t = −∇·(b p − D∇p), weak form.

    Parameters
    ----------
    diffusion : callable
        D at points (..., d), as (..., d, d).
    drift : callable
        b, the drift in the flux (spurious drift included), as (..., d).
    dimension : int
        d.
    functions : int
        Basis functions along each axis.
    absorbing : sequence of (bool, bool)
        Which sides of each axis absorb; all others reflect.
    """

    def __init__(
        self,
        diffusion: Field,
        drift: Field,
        dimension: int,
        functions: int,
        absorbing: Sequence[tuple[bool, bool]] | None = None,
    ) -> None:
        sides = absorbing or [(False, False)] * dimension
        nodes, node_weights = legendre.leggauss(functions + 8)
        self.bases = [_coefficients(functions, side) for side in sides]
        tables = [
            [legendre.legval(nodes, basis.T), legendre.legval(nodes, legendre.legder(basis.T)) * 2]
            for basis in self.bases
        ]
        points = np.stack(np.meshgrid(*[(nodes + 1) / 2] * dimension, indexing="ij"), axis=-1)
        weights = _outer([node_weights / 2] * dimension).ravel()
        value = _outer_table([table[0] for table in tables])
        slopes = [_outer_table([table[int(k == axis)] for k, table in enumerate(tables)]) for axis in range(dimension)]
        tensors = diffusion(points).reshape(-1, dimension, dimension)
        drifts = drift(points).reshape(-1, dimension)
        self.mass = (value * weights) @ value.T
        self.operator = np.zeros_like(self.mass)
        for i in range(dimension):
            flux = drifts[:, i] * value - sum(tensors[:, i, j] * slopes[j] for j in range(dimension))
            self.operator += (slopes[i] * weights) @ flux.T
        self.points, self.weights, self.value = points, weights, value

    def project(self, function: Field) -> np.ndarray:
        """Return ∫φ f for every basis function φ."""
        return (self.value * self.weights) @ function(self.points).ravel()

    def at(self, solution: np.ndarray, centres: Sequence[np.ndarray]) -> np.ndarray:
        """Return a solution on the product of some coordinates."""
        tables = [legendre.legval(2 * x - 1, basis.T) for x, basis in zip(centres, self.bases, strict=True)]
        shape = tuple(len(x) for x in centres)
        return (solution @ _outer_table(tables)).reshape(shape)

    def rates(self, count: int) -> np.ndarray:
        """Return the lowest relaxation rates after the zero one (real parts, ascending)."""
        from scipy.linalg import eigh, eigvals

        scale = np.abs(self.operator).max()
        symmetric = np.abs(self.operator - self.operator.T).max() < 1e-12 * scale
        found = eigh(-self.operator, self.mass, eigvals_only=True) if symmetric else eigvals(-self.operator, self.mass)
        return np.sort(found.real)[1 : count + 1]

    def stationary(self) -> np.ndarray:
        """Return the stationary density, integrating to one."""
        # The first basis function is constant: its equation says 0 = 0 and gives way to the normalisation.
        system, right = self.operator.copy(), np.zeros(len(self.operator))
        system[0] = self.project(lambda points: np.ones(points.shape[:-1]))
        right[0] = 1.0
        return np.linalg.solve(system, right)

    def resolvent(self, source: Field) -> np.ndarray:
        """Return u with u − 𝓛u = source."""
        return np.linalg.solve(self.mass - self.operator, self.project(source))

    def exit_time(self) -> np.ndarray:
        """Return the mean time to an absorbing wall, −𝓛†τ = 1."""
        ones = self.project(lambda points: np.ones(points.shape[:-1]))
        return np.linalg.solve(-self.operator.T, ones)


def box_diffusion(degrees: float, cells: Sequence[int] = (24, 48, 96), anisotropy: float = 30.0) -> list[MeasuredOrder]:
    """Return orders for pure diffusion in a reflecting box: slowest rates, and errors of a density.

    Those are the L1 error, the largest error farther than 0.15 from the corners, and the largest anywhere.

    The density is the Laplace transform at rate 1 of the evolution from a Gaussian off the centre.
    """
    tensor = rotated_tensor(anisotropy, degrees)
    diffusion, drift = _constant(tensor), _constant(np.zeros(2))
    references = [BoxGalerkin(diffusion, drift, 2, n) for n in (20, 26)]
    answers = [(reference.rates(3), reference.resolvent(_blob)) for reference in references]
    rates, rates_error = answers[1][0], np.abs(answers[0][0] / answers[1][0] - 1).max()
    fine = np.linspace(0.01, 0.99, 50)
    pair = [reference.at(answer[1], (fine, fine)) for reference, answer in zip(references, answers, strict=True)]
    density_error = np.abs(pair[0] - pair[1]).mean() / np.abs(pair[1]).mean()
    errors = []
    for n in cells:
        W = _generator(_box(n, 2), "0*x + 0*y", temperature=1.0, mobility=tensor)
        u, exact = _resolvent(W), references[1].at(answers[1][1], [axis.centres for axis in W.grid.axes])
        difference = np.abs(u - exact)
        off_corners = np.hypot(*np.moveaxis(0.5 - np.abs(W.grid.points - 0.5), -1, 0)) > 0.15
        errors.append(
            (
                np.abs(_rates(W, 3) / rates - 1).max(),
                difference.mean() / exact.mean(),
                difference[off_corners].max() / exact.max(),
                difference.max() / exact.max(),
            )
        )
    quantities = ("three slowest rates", "L1 of density", "largest error off the corners", "largest error")
    case = f"diffusion in a reflecting box, anisotropy {anisotropy:g} at {degrees:g}°"
    return [
        MeasuredOrder(case, quantity, tuple(cells), tuple(float(e[n]) for e in errors), float(known))
        for n, (quantity, known) in enumerate(zip(quantities, (rates_error, *[density_error] * 3), strict=True))
    ]


def box_diffusion_3d(cells: Sequence[int] = (10, 16, 24)) -> MeasuredOrder:
    """Return the order of the two slowest rates of diffusion with eigenvalues 30, 6, 1 in a reflecting cube."""
    rotation, _ = np.linalg.qr(np.array([[1.0, 0.4, 0.3], [0.5, 1.0, -0.4], [-0.3, 0.6, 1.0]]))
    tensor = rotation @ np.diag([30.0, 6.0, 1.0]) @ rotation.T
    known = [BoxGalerkin(_constant(tensor), _constant(np.zeros(3)), 3, n).rates(2) for n in (8, 10)]
    errors = []
    for n in cells:
        W = _generator(_box(n, 3), "0*x + 0*y + 0*z", temperature=1.0, mobility=tensor)
        errors.append(float(np.abs(_rates(W, 2) / known[1] - 1).max()))
    uncertain = float(np.abs(known[0] / known[1] - 1).max())
    return MeasuredOrder(
        "diffusion in a reflecting cube, eigenvalues 30, 6, 1",
        "two slowest rates",
        tuple(cells),
        tuple(errors),
        uncertain,
    )


ROTATING = (
    ("1 + 14.5*(1 + cos(1 + x + y/2))", "14.5*sin(1 + x + y/2)"),
    ("14.5*sin(1 + x + y/2)", "1 + 14.5*(1 - cos(1 + x + y/2))"),
)
"""Tensor with eigenvalues 30 and 1 whose axes turn by (1 + x + y/2)/2 with the place."""


def rotating_tensor(points: np.ndarray) -> np.ndarray:
    """Return the tensor ROTATING at points (..., 2)."""
    angle = 1 + points[..., 0] + points[..., 1] / 2
    cosine, sine = np.cos(angle), np.sin(angle)
    return 15.5 * np.eye(2) + 14.5 * np.stack(
        [np.stack([cosine, sine], axis=-1), np.stack([sine, -cosine], axis=-1)], axis=-2
    )


def spurious_drift(points: np.ndarray, convention: str) -> np.ndarray:
    """Return the drift that the convention takes from the flux, for the tensor ROTATING, by hand.

    D = a + b R(φ) with R(φ) = [[cos φ, sin φ], [sin φ, −cos φ]]; its root is S = (√30 + 1)/2 + (√30 − 1)/2 R(φ).
    """
    angle = 1 + points[..., 0] + points[..., 1] / 2
    divergence = np.stack([-np.sin(angle) + np.cos(angle) / 2, np.cos(angle) + np.sin(angle) / 2], axis=-1)
    if convention == "klimontovich":
        return 0 * divergence
    if convention == "ito":
        return 14.5 * divergence
    mean, half = (np.sqrt(30) + 1) / 2, (np.sqrt(30) - 1) / 2
    reflection = (rotating_tensor(points) - 15.5 * np.eye(2)) / 14.5
    root = mean * np.eye(2) + half * reflection
    return half * np.einsum("...ij,...j->...i", root, divergence)


def confined_mobility(cells: Sequence[int] = (24, 48, 96)) -> MeasuredOrder:
    """Return the order of the slowest rates with a θ-dependent mobility tensor and a weakly confining loss."""

    def drift(points: np.ndarray) -> np.ndarray:
        gradient = np.stack([2 * points[..., 0] - 0.8, points[..., 1] - 0.6], axis=-1)
        return -np.einsum("...ij,...j->...i", rotating_tensor(points), gradient)

    def diffusion(points: np.ndarray) -> np.ndarray:
        return 0.5 * rotating_tensor(points)

    known = [BoxGalerkin(diffusion, drift, 2, n).rates(3) for n in (16, 22)]
    errors = []
    for n in cells:
        W = _generator(_box(n, 2), "(x - 0.4)**2 + (y - 0.6)**2/2", temperature=0.5, mobility=ROTATING)
        errors.append(float(np.abs(_rates(W, 3) / known[1] - 1).max()))
    return MeasuredOrder(
        "turning mobility, weakly confining loss, T = 0.5",
        "three slowest rates",
        tuple(cells),
        tuple(errors),
        float(np.abs(known[0] / known[1] - 1).max()),
    )


def independent_noise(convention: str, cells: Sequence[int] = (24, 48, 96)) -> MeasuredOrder:
    """Return the order of the stationary density (L1) under θ-dependent noise, a loss and a rotational force."""

    def drift(points: np.ndarray) -> np.ndarray:
        x, y = points[..., 0] - 0.4, points[..., 1] - 0.6
        return np.stack([-2 * x + 20 * y, -y - 20 * x], axis=-1) - spurious_drift(points, convention)

    references = [BoxGalerkin(rotating_tensor, drift, 2, n) for n in (24, 32)]
    solutions = [reference.stationary() for reference in references]
    errors = []
    for n in cells:
        W = _generator(
            _box(n, 2),
            "(x - 0.4)**2 + (y - 0.6)**2/2",
            diffusion=ROTATING,
            convention=convention,
            force=("20*(y - 0.6)", "-20*(x - 0.4)"),
        )
        exact = references[1].at(solutions[1], [axis.centres for axis in W.grid.axes])
        errors.append(float(np.abs(_stationary(W) - exact).mean()))
    fine = np.linspace(0.01, 0.99, 50)
    pair = [reference.at(solution, (fine, fine)) for reference, solution in zip(references, solutions, strict=True)]
    return MeasuredOrder(
        f"turning noise, {convention}, rotational force",
        "L1 of stationary density",
        tuple(cells),
        tuple(errors),
        float(np.abs(pair[0] - pair[1]).mean()),
    )


def exit_times(
    degrees: float, absorbing: Sequence[tuple[bool, bool]], cells: Sequence[int] = (24, 48, 96)
) -> MeasuredOrder:
    """Return the order of the mean exit time (L1) of pure diffusion from a box some of whose walls absorb."""
    tensor = rotated_tensor(30.0, degrees)
    references = [BoxGalerkin(_constant(tensor), _constant(np.zeros(2)), 2, n, absorbing) for n in (22, 30)]
    solutions = [reference.exit_time() for reference in references]
    errors = []
    for n in cells:
        W = _generator(_box(n, 2, absorbing), "0*x + 0*y", temperature=1.0, mobility=tensor)
        exact = references[1].at(solutions[1], [axis.centres for axis in W.grid.axes])
        errors.append(
            float(np.abs(_solve(W.matrix.T, -np.ones(W.n_state)).reshape(W.grid.shape) - exact).mean() / exact.mean())
        )
    fine = np.linspace(0.01, 0.99, 50)
    pair = [reference.at(solution, (fine, fine)) for reference, solution in zip(references, solutions, strict=True)]
    names = [name for name, there in zip(("left", "right", "bottom", "top"), np.ravel(absorbing), strict=True) if there]
    return MeasuredOrder(
        f"exit through {', '.join(names)}, anisotropy 30 at {degrees:g}°",
        "L1 of mean exit time",
        tuple(cells),
        tuple(errors),
        float(np.abs(pair[0] - pair[1]).mean() / pair[1].mean()),
    )


def rotational_ornstein_uhlenbeck(cells: Sequence[int] = (24, 48, 96)) -> MeasuredOrder:
    """Return the order of the stationary covariance of a linear drift with a full tensor, against Lyapunov's equation.

    dθ = −Aθ dt + √(2D) dW has the covariance C with A C + C Aᵀ = 2D. The cell average adds h²/12 to the diagonal, which
    is part of the error measured.
    """
    from scipy.linalg import solve_continuous_lyapunov

    tensor = rotated_tensor(30.0, 35.0) / 15.0
    drift = np.array([[1.0, -0.5], [0.5, 1.5]])
    covariance = solve_continuous_lyapunov(drift, 2 * tensor)
    reach = 7 * np.sqrt(np.diag(covariance))
    errors = []
    for n in cells:
        box = {name: (-r, r, n) for name, r in zip("xy", reach, strict=True)}
        W = _generator(box, "x**2/2 + 0.75*y**2", diffusion=tensor, force=("0.5*y", "-0.5*x"))
        p = _stationary(W) * W.grid.volumes
        moments = np.einsum("xy,xyi,xyj->ij", p, W.grid.points, W.grid.points)
        errors.append(float(np.abs(moments - covariance).max() / np.abs(covariance).max()))
    return MeasuredOrder(
        "rotational Ornstein–Uhlenbeck, anisotropy 30", "stationary covariance", tuple(cells), tuple(errors), 0.0
    )


def tensor_orders(angles: Sequence[float] = (10, 15, 26.565, 30, 45, 70, 80)) -> list[MeasuredOrder]:
    """Return all measured orders.

    Parameters
    ----------
    angles : sequence of float
        Directions of the strong diffusion, in degrees, for the reflecting box.
    """
    measured = [entry for degrees in angles for entry in box_diffusion(degrees)]
    measured += [box_diffusion_3d(), confined_mobility(), rotational_ornstein_uhlenbeck()]
    measured += [independent_noise(convention) for convention in ("ito", "stratonovich", "klimontovich")]
    measured += [exit_times(30, [(True, True), (True, True)]), exit_times(70, [(True, False), (False, False)])]
    return measured


def _coefficients(functions: int, absorbing: tuple[bool, bool]) -> np.ndarray:
    """Return basis functions as Legendre coefficients, shape (functions, degree + 1), zero at absorbing ends."""
    rows = np.eye(functions, functions + 2)
    if all(absorbing):
        return np.eye(functions, functions + 2, 2) - rows
    if any(absorbing):
        return np.eye(functions, functions + 2, 1) + (1.0 if absorbing[0] else -1.0) * rows
    return rows


def _outer(factors: Sequence[np.ndarray]) -> np.ndarray:
    product = np.ones(())
    for factor in factors:
        product = np.multiply.outer(product, factor)
    return product


def _outer_table(tables: Sequence[np.ndarray]) -> np.ndarray:
    """Return products of one-dimensional basis functions at products of points, (functions^d, points^d)."""
    product = np.ones((1, 1))
    for table in tables:
        product = np.kron(product, table)
    return product


def _constant(value: np.ndarray) -> Field:
    return lambda points: np.broadcast_to(value, points.shape[:-1] + value.shape)


def _blob(points: np.ndarray) -> np.ndarray:
    return np.exp(-((points[..., 0] - 0.35) ** 2 + (points[..., 1] - 0.6) ** 2) / 0.05) + points[..., 0]


def _box(cells: int, dimension: int, absorbing: Sequence[tuple[bool, bool]] | None = None) -> dict[str, Any]:
    from fpsolver.grids import Axis

    sides = absorbing or [(False, False)] * dimension
    boundaries = [["absorbing" if side else "reflecting" for side in pair] for pair in sides]
    return {name: Axis(0, 1, cells, boundary=pair) for name, pair in zip("xyz", boundaries, strict=False)}


def _generator(box: dict[str, Any], loss: str, **constants: Any) -> Any:
    from fpsolver.dynamics import Langevin
    from fpsolver.generators.tensor import tensor_generator
    from fpsolver.grids import Grid
    from fpsolver.landscapes import Landscape

    return tensor_generator(Langevin(Landscape(loss, variables=tuple(box)), **constants), Grid(**box))


def _solve(matrix: Any, right: np.ndarray) -> np.ndarray:
    from scipy.sparse.linalg import splu

    return splu(matrix.tocsc()).solve(right)


def _resolvent(W: Any) -> np.ndarray:
    from scipy.sparse import eye_array

    u = _solve(eye_array(W.n_state) - W.matrix, (_blob(W.grid.points) * W.grid.volumes).ravel())
    return W.decode(u)


def _rates(W: Any, count: int) -> np.ndarray:
    """Return the slowest non-zero rates, from the symmetrised matrix."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import eigsh

    weight = np.exp(0.5 * (W.log_equilibrium - W.log_equilibrium.max())).ravel()
    symmetric = diags_array(1 / weight) @ W.matrix @ diags_array(weight)
    values = eigsh(0.5 * (symmetric + symmetric.T), k=count + 1, sigma=1.0, which="LM", return_eigenvectors=False)
    return np.sort(-values)[1:]


def _stationary(W: Any) -> np.ndarray:
    """Return the stationary density: one balance equation is redundant and fixes a cell's probability instead."""
    matrix = W.matrix.tolil()
    middle = W.n_state // 2 + W.grid.shape[-1] // 2
    right = np.zeros(W.n_state)
    right[middle] = 1.0
    matrix[middle, :] = 0.0
    matrix[middle, middle] = 1.0
    state = _solve(matrix, right)
    return W.decode(state / state.sum())


def main() -> None:
    """Print the table of measured orders."""
    for entry in tensor_orders():
        errors = " ".join(f"{error:.2e}" for error in entry.errors)
        print(
            f"{entry.case}: {entry.quantity}: order {entry.order:.2f} (errors {errors}; "
            f"reference {entry.reference_error:.0e})"
        )


if __name__ == "__main__":
    main()
