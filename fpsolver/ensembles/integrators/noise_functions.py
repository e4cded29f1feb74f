"""Mobility and diffusion that depend on the position, as compiled functions of blocks of trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from fpsolver.dynamics import Langevin
from fpsolver.dynamics.coefficient import KINDS, Coefficient
from fpsolver.ensembles.integrators.compiled import FUNCTIONS
from fpsolver.errors import DynamicsError, MethodError
from fpsolver.landscapes.expression import check_syntax

DIVERGENCE_SHARE = {"ito": 0.0, "stratonovich": 0.5, "klimontovich": 1.0}
"""What the Itô drift has of ∇·D for scalar and diagonal D; for tensors the Stratonovich term is another one."""

RELATIVE_ASYMMETRY = 1e-12
"""Difference of opposite entries of a matrix, over its largest, that rounding may make."""


@dataclass(frozen=True, eq=False)
class NoiseFunctions:
    """The coefficients of a law of motion, compiled.

    Parameters
    ----------
    noise, mobility, divergence, jacobian : compiled block functions
        Rows of the noise matrix C and of an independent mobility, ∇·C, derivatives of the packed C.
    noise_kind, mobility_kind : int
        Place in `KINDS`, which is how the kernels number them.
    separable : bool
        Whether C is diagonal and entry k depends on variable k alone.
    shares, flow_shares : tuple of two float
        Shares of ∇·D, and of the drift r of Stratonovich noise with the symmetric root, in the drift of the scheme
        and in the irreversible drift.
    """

    noise: Any
    mobility: Any
    divergence: Any
    jacobian: Any
    noise_kind: int
    mobility_kind: int
    separable: bool
    shares: tuple[float, float]
    flow_shares: tuple[float, float]


def compile_noise(
    dynamics: Langevin, names: Mapping[str, int], precision: Any, device: str, *, midpoint: bool, flow: bool
) -> NoiseFunctions:
    """Compile the coefficients of overdamped dynamics.

    Parameters
    ----------
    dynamics : Langevin
        The dynamics.
    names : mapping of str to int
        Where in p each parameter stands.
    precision : {"double", "single"}
        Of the blocks.
    device : {"cpu", "gpu"}
        For which they are.
    midpoint : bool
        Whether the scheme converges to the Stratonovich equation, as Heun's does.
    flow : bool
        Whether the irreversible drift is needed.

    Raises
    ------
    MethodError
        If a coefficient is a Python function.
    DynamicsError
        If a matrix is not symmetric.
    """
    functions = import_module(FUNCTIONS[device])
    variables = dynamics.landscape.variables
    noise, mobility = dynamics.noise, dynamics.mobility
    rows = _rows(noise, dynamics)
    driven = dynamics.protocol is not None and "mobility" in dynamics.protocol
    mobility_rows = ("1.0",) if driven else _rows(mobility, dynamics)
    shares = _shares(dynamics)
    flow_shares = (shares[0] - 1.0, shares[1])
    if midpoint:
        shares = (shares[0], shares[1] - 1.0) if noise.kind == "tensor" else (shares[0] - 0.5, shares[1])
    used = [shares, flow_shares] if flow and not dynamics.diffusion_is_thermal else [shares]
    silent = functions.nothing(precision)
    divergence = jacobian = silent
    if any(share[0] for share in used):
        terms = _terms(rows, noise.kind, variables)
        divergence = functions.divergence_blocks(terms, variables, names, precision=precision)
    if any(share[1] for share in used):
        jacobian = functions.expression_blocks(rows, variables, names, precision=precision, jacobian=True)

    def compiled(texts: tuple[str, ...]) -> Any:
        return functions.expression_blocks(texts, variables, names, precision=precision)

    return NoiseFunctions(
        compiled(rows),
        silent if dynamics.diffusion_is_thermal else compiled(mobility_rows),
        divergence,
        jacobian,
        KINDS.index(noise.kind),
        KINDS.index(noise.kind if dynamics.diffusion_is_thermal else mobility.kind),
        _separable(rows, noise.kind, variables),
        shares,
        flow_shares,
    )


def _shares(dynamics: Langevin) -> tuple[float, float]:
    """Return the shares of ∇·D and of r in the Itô drift."""
    if dynamics.diffusion_is_thermal:
        return 1.0, 0.0
    if not dynamics.noise.varies:
        return 0.0, 0.0
    convention = dynamics.convention
    assert convention is not None  # required where the diffusion varies
    if convention == "stratonovich" and dynamics.noise.kind == "tensor":
        return 0.0, 1.0
    return DIVERGENCE_SHARE[convention], 0.0


def _rows(coefficient: Coefficient, dynamics: Langevin) -> tuple[str, ...]:
    """Return the expressions of the rows: one, one for each variable, or the lower triangle."""
    texts = coefficient.texts
    if texts is None:
        raise MethodError(
            f"{coefficient.name} = {coefficient.given!r} is a Python function, which trajectories cannot call; give "
            "expressions"
        )
    if coefficient.kind != "tensor":
        return texts
    d = dynamics.landscape.dimension
    _check_symmetric(coefficient, texts, dynamics)
    return tuple(texts[i * d + j] for i in range(d) for j in range(i + 1))


def _check_symmetric(coefficient: Coefficient, texts: Sequence[str], dynamics: Langevin) -> None:
    """Compare opposite entries that are written differently, at a few points."""
    landscape = dynamics.landscape
    d = landscape.dimension
    if coefficient.constant is not None or all(
        texts[i * d + j] == texts[j * d + i] for i in range(d) for j in range(i)
    ):
        return
    points = np.linspace(-1.0, 1.0, 7)[:, None] + 0.1 * np.arange(d)
    assert coefficient.function is not None  # constant matrices were checked when the dynamics was made
    with np.errstate(all="ignore"):
        values = coefficient.function(points, landscape.parameters)
    difference = np.abs(values - np.swapaxes(values, -1, -2)).max(axis=(-1, -2))
    bad = difference > RELATIVE_ASYMMETRY * np.abs(values).max(axis=(-1, -2))
    if bad.any():
        raise DynamicsError(
            f"{coefficient.name} = {coefficient.given!r} is not symmetric: at θ = {points[bad][0].tolist()} it is "
            f"{values[bad][0].tolist()}"
        )


def _terms(rows: Sequence[str], kind: str, variables: Sequence[str]) -> list[list[tuple[str, str]]]:
    """Return what has to be differentiated by what in each component of ∇·C."""
    if kind == "scalar":
        return [[(rows[0], name)] for name in variables]
    if kind == "vector":
        return [[(text, name)] for text, name in zip(rows, variables, strict=True)]
    entry = {(i, j): i * (i + 1) // 2 + j for i in range(len(variables)) for j in range(i + 1)}
    return [
        [(rows[entry[max(i, k), min(i, k)]], name) for k, name in enumerate(variables)] for i in range(len(variables))
    ]


def _separable(rows: Sequence[str], kind: str, variables: Sequence[str]) -> bool:
    if kind == "tensor":
        return len(variables) == 1
    texts = [rows[0]] * len(variables) if kind == "scalar" else list(rows)
    others = (set(variables) - {name} for name in variables)
    return all(not (check_syntax(text).names & other) for text, other in zip(texts, others, strict=True))
