"""Landscapes with names: the standard examples, their parameters open to protocols."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import LandscapeError
from fpsolver.landscapes.landscape import Landscape


def quadratic(hessian: ArrayLike = 1.0) -> Landscape:
    """Return L = θᵀHθ/2.

    Parameters
    ----------
    hessian : float, array_like (d,) or (d, d)
        Symmetric matrix H, or its diagonal, or in one dimension a number. Its entries are the parameters
        ``h11, h12, …`` (upper triangle; in one dimension ``h``). Variables are x, y, z up to three dimensions,
        x1, x2, … beyond.

    Raises
    ------
    LandscapeError
        If the matrix is not square and symmetric.

    Examples
    --------
    >>> quadratic([[2.0, 1.0], [1.0, 2.0]]).value([1.0, -1.0])
    np.float64(1.0)
    """
    matrix = np.asarray(hessian, dtype=float)
    if matrix.ndim <= 1:
        matrix = np.diag(np.atleast_1d(matrix))
    d = len(matrix)
    if matrix.shape != (d, d) or d == 0 or not np.array_equal(matrix, matrix.T):
        raise LandscapeError(f"the Hessian must be a symmetric matrix, its diagonal or a number, not {hessian!r}")
    if d == 1:
        return Landscape("h*x**2/2", {"h": float(matrix[0, 0])}, ("x",))
    names = ("x", "y", "z")[:d] if d <= 3 else tuple(f"x{i + 1}" for i in range(d))
    terms, parameters = [], {}
    for i in range(d):
        for j in range(i, d):
            if i != j and matrix[i, j] == 0.0:
                continue
            name = f"h{i + 1}{j + 1}" if d < 10 else f"h{i + 1}_{j + 1}"
            parameters[name] = float(matrix[i, j])
            terms.append(f"{name}*{names[i]}**2/2" if i == j else f"{name}*{names[i]}*{names[j]}")
    return Landscape(" + ".join(terms), parameters, names)


def double_well(barrier: float = 0.25, half_width: float = 1.0) -> Landscape:
    """Return L = b[(x/w)⁴ − 2(x/w)²], with minima −b at ±w and the barrier top 0 at x = 0.

    The default is x⁴/4 − x²/2. Curvatures are 8b/w² at the minima and −4b/w² at the top.

    Parameters
    ----------
    barrier : float
        Height b of the barrier above the minima.
    half_width : float
        Distance w of the minima from the top.
    """
    parameters = {"barrier": barrier, "half_width": _positive("half_width", half_width)}
    return Landscape("barrier*((x/half_width)**4 - 2*(x/half_width)**2)", parameters, ("x",))


def tilted_double_well(barrier: float = 0.25, half_width: float = 1.0, tilt: float = 0.1) -> Landscape:
    """Return L = b[(x/w)⁴ − 2(x/w)²] − fx: `double_well` under a constant force f.

    Parameters
    ----------
    barrier, half_width : float
        As for `double_well`; they describe the well without tilt.
    tilt : float
        Force f; positive favours the right well. Two minima remain for |f| < 8b/(3√3 w).
    """
    parameters = {"barrier": barrier, "half_width": _positive("half_width", half_width), "tilt": tilt}
    return Landscape("barrier*((x/half_width)**4 - 2*(x/half_width)**2) - tilt*x", parameters, ("x",))


def tilted_washboard(amplitude: float = 1.0, force: float = 0.0) -> Landscape:
    """Return L = A cos x − Fx, on the line.

    Parameters
    ----------
    amplitude : float
        Amplitude A of the corrugation, of period 2π. A shift of x by π changes its sign.
    force : float
        Constant force F. On a periodic axis L is not single-valued: put the force into the dynamics
        (``force=("F",)``) and leave it zero here.
    """
    return Landscape("amplitude*cos(x) - force*x", {"amplitude": amplitude, "force": force}, ("x",))


def mueller_brown(scale: float = 1.0) -> Landscape:
    """Return the Müller–Brown surface, with three minima and two saddles.

    L = scale · Σₖ Aₖ exp[aₖ(x − xₖ)² + bₖ(x − xₖ)(y − yₖ) + cₖ(y − yₖ)²].

    Parameters
    ----------
    scale : float
        Factor; 1 gives the published energies (−146.7 at the lowest minimum).

    References
    ----------
    K. Müller, L. D. Brown, Theor. Chim. Acta 53, 75 (1979), Table 1.
    """
    table = [
        (-200.0, -1.0, 0.0, -10.0, 1.0, 0.0),
        (-100.0, -1.0, 0.0, -10.0, 0.0, 0.5),
        (-170.0, -6.5, 11.0, -6.5, -0.5, 1.5),
        (15.0, 0.7, 0.6, 0.7, -1.0, 1.0),
    ]
    terms = [
        f"({A})*exp(({a})*(x - ({x}))**2 + ({b})*(x - ({x}))*(y - ({y})) + ({c})*(y - ({y}))**2)"
        for A, a, b, c, x, y in table
    ]
    return Landscape(f"scale*({' + '.join(terms)})", {"scale": scale}, ("x", "y"))


def coupled_double_well(a: float = 1.0) -> Landscape:
    """Return L = x⁴/4 − x²/2 + (1 + a x²)y²/2: a double well whose transverse stiffness varies along the path.

    The transverse curvature is 1 at the saddle (0, 0) and 1 + a at the minima (±1, 0), which makes an entropic
    contribution to the rate.

    Parameters
    ----------
    a : float
        Coupling.
    """
    return Landscape("x**4/4 - x**2/2 + (1 + a*x**2)*y**2/2", {"a": a}, ("x", "y"))


def matrix_factorisation(target: float = 1.0, ridge: float = 0.0) -> Landscape:
    """Return L = (w₁w₂ − s)²/2 + r(w₁² + w₂²)/2, the smallest model with a valley of minima.

    Without ridge the minima are the hyperbola w₁w₂ = s, with sharpness w₁² + w₂² ≥ 2|s|.

    Parameters
    ----------
    target : float
        Number s to be factorised.
    ridge : float
        Weight r of the penalty.
    """
    return Landscape(
        "(w1*w2 - target)**2/2 + ridge*(w1**2 + w2**2)/2", {"target": target, "ridge": ridge}, ("w1", "w2")
    )


def two_layer_linear(target: ArrayLike = 1.0, hidden: int = 2, ridge: float = 0.0) -> Landscape:
    """Return L = ‖VU − A‖²/2 + r(‖U‖² + ‖V‖²)/2: a linear network with one hidden layer on whitened inputs.

    Parameters
    ----------
    target : float or array_like (outputs, inputs)
        Map A to be learnt. Its entries are the parameters ``target11, …`` (``target`` if it is a number).
    hidden : int
        Number of hidden units. Variables are U (``u11, u12, …``: hidden × inputs), then V (outputs × hidden), by rows.
    ridge : float
        Weight r of the penalty.

    References
    ----------
    A. M. Saxe, J. L. McClelland, S. Ganguli, ICLR 2014.
    """
    matrix = np.atleast_2d(np.asarray(target, dtype=float))
    if matrix.ndim != 2 or matrix.size == 0:
        raise LandscapeError(f"the target must be a matrix (outputs, inputs), not {target!r}")
    if isinstance(hidden, bool) or not isinstance(hidden, (int, np.integer)) or hidden < 1:
        raise LandscapeError(f"the number of hidden units must be a positive integer, not {hidden!r}")
    outputs, inputs = matrix.shape
    separator = "" if max(outputs, inputs, hidden) < 10 else "_"
    u = [[f"u{k + 1}{separator}{i + 1}" for i in range(inputs)] for k in range(hidden)]
    v = [[f"v{o + 1}{separator}{k + 1}" for k in range(hidden)] for o in range(outputs)]
    parameters, terms = {"ridge": ridge}, []
    for o in range(outputs):
        for i in range(inputs):
            name = "target" if matrix.size == 1 else f"target{o + 1}{separator}{i + 1}"
            parameters[name] = float(matrix[o, i])
            product = " + ".join(f"{v[o][k]}*{u[k][i]}" for k in range(hidden))
            terms.append(f"({product} - {name})**2/2")
    weights = tuple(name for layer in (u, v) for row in layer for name in row)
    penalty = " + ".join(f"{weight}**2" for weight in weights)
    return Landscape(f"{' + '.join(terms)} + ridge*({penalty})/2", parameters, weights)


def rastrigin(dimension: int = 2, amplitude: float = 10.0) -> Landscape:
    """Return L = Ad + Σᵢ [xᵢ² − A cos 2πxᵢ], with its global minimum 0 at the origin among very many others.

    Parameters
    ----------
    dimension : int
        Number of variables: x, y, z up to three, x1, x2, … beyond.
    amplitude : float
        Corrugation A.
    """
    if isinstance(dimension, bool) or not isinstance(dimension, (int, np.integer)) or dimension < 1:
        raise LandscapeError(f"the dimension must be a positive integer, not {dimension!r}")
    names = ("x", "y", "z")[:dimension] if dimension <= 3 else tuple(f"x{i + 1}" for i in range(dimension))
    terms = " + ".join(f"{name}**2 + amplitude*(1 - cos(2*pi*{name}))" for name in names)
    return Landscape(terms, {"amplitude": amplitude}, names)


def piecewise_quadratic(
    minimum_curvature: float = 1.0, barrier_curvature: float = 1.0, barrier: float = 1.0
) -> Landscape:
    """Return a symmetric double well made of three parabolas, matched with continuous slope.

    The minimum, of curvature H_a and value 0, is at x = 0; the barrier top, of curvature −H_b and value ΔL, at
    x_b = √(2ΔL(H_a + H_b)/(H_a H_b)), and the second minimum at 2x_b. The curvature changes at x_b H_b/(H_a + H_b),
    where L = ΔL·H_b/(H_a + H_b), and at the mirror image of that point.

    Parameters
    ----------
    minimum_curvature, barrier_curvature : float
        H_a > 0 and H_b > 0 (given as a positive number).
    barrier : float
        Height ΔL > 0.

    Raises
    ------
    LandscapeError
        If one of the three is not positive.
    """
    parameters = {
        "minimum_curvature": _positive("minimum_curvature", minimum_curvature),
        "barrier_curvature": _positive("barrier_curvature", barrier_curvature),
        "barrier": _positive("barrier", barrier),
    }
    top = "sqrt(2*barrier*(1/minimum_curvature + 1/barrier_curvature))"
    match = f"{top}*barrier_curvature/(minimum_curvature + barrier_curvature)"
    text = (
        f"Piecewise((minimum_curvature*x**2/2, x < {match}), "
        f"(minimum_curvature*(x - 2*{top})**2/2, x > 2*{top} - {match}), "
        f"(barrier - barrier_curvature*(x - {top})**2/2, True))"
    )
    return Landscape(text, parameters, ("x",))


def _positive(name: str, value: float) -> float:
    if not value > 0.0:
        raise LandscapeError(f"{name} must be positive, not {value!r}")
    return float(value)
