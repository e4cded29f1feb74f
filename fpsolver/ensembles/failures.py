"""Trajectories that became infinite or NaN: which, where, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fpsolver.dynamics import SGD, Langevin
from fpsolver.ensembles.functionals import Functionals
from fpsolver.ensembles.integrators.integrator import Integrator, Request
from fpsolver.errors import TrajectoryError
from fpsolver.kernels.blocks import LANES

RANK = 1e-12
"""Eigenvalue of a diffusion matrix, as a share of the largest, that counts as zero."""

LARGEST = 1e6
"""Coordinate beyond which a trajectory may be running away: functionals then overflow before it does."""


def trajectory_failure(
    integrator: Integrator, state: np.ndarray, trajectory: int, step: int, targets: Sequence[str] = ()
) -> TrajectoryError:
    """Return the error that names a failed trajectory.

    Parameters
    ----------
    integrator : Integrator
        What took the step.
    state : ndarray
        State of the trajectory before the step.
    trajectory, step : int
        Their numbers.
    targets : sequence of str
        Level functions that were evaluated along the way.
    """
    request, names = integrator.request, integrator.names
    shown = ", ".join(f"{name} = {value:.6g}" for name, value in zip(names[:8], state[:8], strict=False))
    more = ", …" if len(names) > 8 else ""
    when = "" if isinstance(request.dynamics, SGD) else f" (t = {step * request.dt:g})"
    place = f"in step {step}{when}, from {shown}{more}"
    known = integrator.reason(state)
    if known is not None:
        message = f"trajectory {trajectory} could not go on from {shown}{more}. {known}"
        return TrajectoryError(message, step, trajectory, state.copy())
    reason = _beside_the_motion(integrator, state, trajectory, step, targets) or _reason(request, state, step)
    message = f"trajectory {trajectory} became infinite or NaN {place}. {reason}"
    return TrajectoryError(message, step, trajectory, state.copy())


def _beside_the_motion(
    integrator: Integrator, state: np.ndarray, trajectory: int, step: int, targets: Sequence[str]
) -> str | None:
    """Return what had no value although the motion stayed finite and small: the step is taken again without it."""
    carried = integrator.request.functionals
    if not (carried or targets):
        return None
    moving = len(integrator.names) - len(carried.names)
    failed, moved = _step_again(integrator.request, Functionals(), state[:moving], trajectory, step)
    if failed or np.abs(moved).max() > LARGEST:
        return None
    if targets:
        levels = ", ".join(f'"{one}"' for one in targets)
        return f"The motion stays finite: a level function has no finite value there ({levels}); give one that has"
    for k, (name, alone) in enumerate(_one_by_one(carried)):
        some = np.append(state[:moving], state[moving + k])
        if _step_again(integrator.request, alone, some, trajectory, step)[0]:
            inside = [one.expression for one in alone.rates] + [
                text for one in alone.fields for text in one.expressions
            ]
            integrand = f", of {', '.join(inside)}," if inside else ""
            return (
                f'The motion stays finite: the functional "{name}"{integrand} has no finite value there; leave it out, '
                "or give it an integrand that is finite wherever trajectories go"
            )
    return None


def _one_by_one(carried: Functionals) -> list[tuple[str, Functionals]]:
    """Return every functional alone, with its name, in the order in which they are stored."""
    standard = [(name, Functionals(standard=(name,))) for name in carried.standard]
    rates = [(one.name, Functionals(rates=(one,))) for one in carried.rates]
    return standard + rates + [(one.name, Functionals(fields=(one,))) for one in carried.fields]


def _step_again(
    request: Request, functionals: Functionals, state: np.ndarray, trajectory: int, step: int
) -> tuple[bool, np.ndarray]:
    """Return whether one step fails with the given functionals alone, and the state after it (before, if it does)."""
    from fpsolver.ensembles.integrators.choose import integrator

    engine = integrator(replace(request, functionals=functionals))
    block = np.repeat(state.astype(request.dtype), LANES)[None]
    failed = engine.advance(engine.segment(step, 1), block, np.ones(1, dtype=np.int64), trajectory)[2] >= 0
    return failed, block[0, ::LANES]


def _reason(request: Any, state: np.ndarray, step: int) -> str:
    landscape = request.dynamics.landscape
    if any(np.isfinite(bound) for pair in landscape.domain for bound in pair):
        domain = ", ".join(
            f"{lower:g} ≤ {name} ≤ {upper:g}"
            for name, (lower, upper) in zip(landscape.variables, landscape.domain, strict=True)
        )
        return f"It left the domain of the landscape, {domain}, or the time step is too long: make dt smaller"
    if isinstance(request.dynamics, SGD):
        rate = request.dynamics.at(float(step)).learning_rate
        return (
            f"With learning_rate = {rate:g} steps overshoot further and further there: they do where it exceeds two "
            "over the curvature (1 + β times that with a heavy ball), and sooner with noise that grows with the "
            "distance; make it smaller"
        )
    if isinstance(request.dynamics, Langevin) and request.dynamics.noise.varies:
        lost = _lost_rank(request, state, step)
        return lost or "There the diffusion is not positive, or the time step is too long: make dt smaller"
    return (
        f'With scheme = "{request.scheme}" and dt = {request.dt:g}, steps that overshoot grow where the loss grows '
        "faster than a parabola: such an ensemble has only a quasi-stationary state. Make dt smaller"
    )


def _lost_rank(request: Any, state: np.ndarray, step: int) -> str | None:
    """Return what to say where the diffusion matrix has an eigenvalue zero."""
    dynamics = request.dynamics
    if dynamics.noise.kind != "tensor" or dynamics.noise.function is None:
        return None
    parameters = dynamics.at((step + 0.5) * request.dt).landscape.parameters
    matrix = np.asarray(dynamics.noise.function(state[: dynamics.landscape.dimension].astype(float), parameters))
    if not np.isfinite(matrix).all():
        return None
    values = np.linalg.eigvalsh(matrix)
    if abs(values[0]) > RANK * abs(values[-1]):
        return None
    return (
        f"There {dynamics.noise.name} has lost rank, with eigenvalues {', '.join(f'{v:.3g}' for v in values)}: its "
        'symmetric root, which "heun" and tensors of the Stratonovich convention use, and its inverse, which entropy '
        'flows use, have no value there. Take scheme = "euler-maruyama" with another convention, or add a small '
        "multiple of unity to the matrix"
    )
