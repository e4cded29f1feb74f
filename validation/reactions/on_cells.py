"""Jump processes on cells, shared by the claims: velocities of functions, moments, and rates written down directly."""

from __future__ import annotations

from typing import Any

import numpy as np

import fpsolver as fp

LAWS = {
    "half": lambda x: np.exp(-0.5 * x),
    "arrhenius": lambda x: np.exp(-x),
    "linearised": lambda x: np.exp(-0.5 * x),
    "metropolis": lambda x: np.exp(-np.maximum(x, 0.0)),
    "glauber": lambda x: 0.5 - 0.5 * np.tanh(0.5 * x),
}
"""Weights as functions of ΔL/T, written down again so that those of the solver are tested."""


def jumps(text: str, temperature: float, scale: float, law: str = "half", **more: Any) -> fp.JumpProcess:
    """Return a jump process with Gaussian proposals on a loss given by its text."""
    return fp.JumpProcess(
        fp.Landscape(text), temperature=temperature, proposal=fp.GaussianProposal(scale), law=law, **more
    )


def on_line(process: fp.JumpProcess, half_width: float, cells: int) -> Any:
    """Return the generator on cells of [−w, w]; an odd number of cells puts one at zero."""
    wall = "reflecting"  # named, since linear losses press against it
    return fp.generator(process, fp.Grid(x=fp.Axis(-half_width, half_width, cells, boundary=wall)))


def velocity(W: Any, function: np.ndarray, position: float) -> float:
    """Return d⟨f⟩/dt of a weight in the cell at a position, for a function given on the cells of a line."""
    x = W.grid.axes[0].centres
    density = np.zeros_like(x)
    cell = int(np.abs(x - position).argmin())
    density[cell] = 1.0 / W.grid.volumes[cell]
    return float(np.sum((function - function[cell]) * W.apply(density) * W.grid.volumes))


def moment(W: Any, density: Any, power: int) -> float:
    """Return ⟨xⁿ⟩ on a line."""
    return float(np.sum(W.grid.axes[0].centres ** power * np.asarray(density) * W.grid.volumes))


def direct_rates(start: np.ndarray, update: np.ndarray, text: str, temperature: float, scale: float) -> np.ndarray:
    """Return ρ(θ, Δθ) of the half law with a Gaussian proposal on a line, at arrays of places and updates."""
    loss = fp.Landscape(text).value
    change = loss((start + update)[..., None]) - loss(start[..., None])
    density = np.exp(-0.5 * (update / scale) ** 2) / (scale * np.sqrt(2.0 * np.pi))
    return np.asarray(density * LAWS["half"](change / temperature))
