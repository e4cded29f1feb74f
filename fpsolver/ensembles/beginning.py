"""The ensemble at time zero, and the hash of the problem that it belongs to."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from fpsolver.dynamics import SGD, MarkovNetwork
from fpsolver.ensembles.ensemble import Ensemble, to_blocks
from fpsolver.ensembles.initial import Gaussian, initial_states, require_in_range
from fpsolver.ensembles.integrators.integrator import Request
from fpsolver.ensembles.space import space_of
from fpsolver.ensembles.system_entropy import INITIAL_LOG_DENSITY, initial_log_density
from fpsolver.errors import InputError
from fpsolver.fields import Field
from fpsolver.landscapes.source_cache import content_hash


def problem_hash(request: Request, n: int, seed: int, experiment: int) -> str:
    """Return a hash of all that determines trajectories, but the state that they start from."""
    given = (request.dt, request.scheme, request.noise, request.functionals, request.precision)
    return content_hash((_description(request.dynamics), n, seed, experiment, *given))


def _description(dynamics: Any) -> tuple[Any, ...]:
    """Return what defines a law of motion, as strings and numbers."""
    if isinstance(dynamics, MarkovNetwork):
        links = (dynamics.tails, dynamics.heads, dynamics.forward, dynamics.backward)
        numbers = hashlib.sha256(b"".join(array.tobytes() for array in links)).hexdigest()
        return (type(dynamics).__name__, dynamics.states, numbers)
    parts: list[Any] = [type(dynamics).__name__, dynamics.landscape.fingerprint]
    constants: tuple[str, ...] = ("temperature", "friction", "mass", "convention", "proposal", "law")
    if isinstance(dynamics, SGD):
        constants = ("learning_rate", "momentum", "nesterov", "batch_size")
        parts.append(("replacement", getattr(dynamics.noise, "replacement", None)))
    for name in constants:
        parts.append((name, getattr(dynamics, name, None)))
    for name in ("mobility", "force", "diffusion", "covariance", "attempt_rate"):
        coefficient = getattr(dynamics, name, None)
        parts.append((name, None if coefficient is None else (coefficient.kind, coefficient.texts)))
    for name, protocol in sorted(dynamics.protocol.items()):
        parts.append((name, repr(protocol.__reduce__()[1])))
    return tuple(parts)


def beginning(request: Request, names: tuple[str, ...], n: int, initial: Any, density: Any, problem: str) -> Ensemble:
    """Return the ensemble at time zero.

    Parameters
    ----------
    request : Request
        What is to be integrated.
    names : tuple of str
        Rows of the state.
    n : int
        Number of trajectories.
    initial, density : object
        As given to `fpsolver.simulate`.
    problem : str
        Hash of the problem.

    Raises
    ------
    InputError
        If the initial state does not fit, or the density vanishes there.
    """
    from fpsolver.kernels.cpu.noise import normals, uniforms
    from fpsolver.kernels.philox import CELL, INITIAL

    space = space_of(request.dynamics)
    d, velocities, width = space.dimension, space.velocities, space.width
    k0, k1 = (int(word) for word in request.key)
    random = velocities or isinstance(initial, str | Gaussian)  # what a point does not need is not drawn
    drawn = normals(0, n if random else 0, width, INITIAL, k0, k1)
    cells = uniforms(0, n if isinstance(initial, Field) else 0, width + 1, CELL, k0, k1)
    columns = initial_states(request.dynamics, initial, n, drawn, cells, velocities)
    require_in_range(columns, request.limit)
    space.require_states(columns)
    states = to_blocks(columns, len(names), request.dtype)
    if INITIAL_LOG_DENSITY in names:
        known = initial_log_density(density, columns, space.variables)
        states[:, -1:] = to_blocks(known[:, None], 1, request.dtype)
    identity = f"{problem}:{hashlib.sha256(states.tobytes()).hexdigest()[:32]}"
    return Ensemble(names, d, states, n, 0, request.dt, np.zeros(0), identity=identity)


def require_same_problem(previous: Ensemble, problem: str, names: tuple[str, ...]) -> None:
    """Raise unless an ensemble can be continued.

    Raises
    ------
    InputError
        If it belongs to another problem, or carries other quantities along.
    """
    if previous.identity.partition(":")[0] != problem:
        raise InputError(
            "the ensemble given as initial= belongs to another problem, scheme, noise, precision or seed, or carries "
            "other functionals; to start from its positions give initial=ensemble.final"
        )
    if previous.names != names:
        verb = "knew" if INITIAL_LOG_DENSITY in previous.names else "did not know"
        raise InputError(
            f"the ensemble given as initial= {verb} its initial density: give density= in both calls or in none"
        )
