"""The functions of a law of motion, compiled for blocks of trajectories, and the parameters they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.ensembles.integrators.integrator import Request
from fpsolver.errors import MethodError
from fpsolver.landscapes.compiled_expressions import compile_expressions
from fpsolver.landscapes.expression import TIME

if TYPE_CHECKING:
    from fpsolver.landscapes.block_functions import BlockFunctions

FUNCTIONS = {"cpu": "fpsolver.landscapes.block_functions", "gpu": "fpsolver.landscapes.device_functions"}
"""Where compiled functions come from, for each device: the names are the same."""


@dataclass(frozen=True, eq=False)
class Parameters:
    """The array that compiled functions take, and how its entries follow time.

    Parameters
    ----------
    values : ndarray
        The landscape's parameters and data, then the time.
    names : mapping of str to int
        Entry of each parameter and of ``t``.
    driven : mapping of str to Protocol
        Landscape parameters that depend on time.
    timed : bool
        Whether a function depends on the time itself.
    """

    values: np.ndarray
    names: Mapping[str, int]
    driven: Mapping[str, Any]
    timed: bool

    def schedule(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the entries that depend on time, and their values at the given times (times, entries)."""
        columns = [np.asarray(protocol(times)) for protocol in self.driven.values()]
        entries = [self.names[name] for name in self.driven]
        if self.timed:
            columns, entries = [*columns, times], [*entries, self.names[TIME]]
        table = np.stack(columns, axis=1) if columns else np.zeros((1, 0))
        return np.array(entries, dtype=np.int64), np.ascontiguousarray(table, dtype=self.values.dtype)


@dataclass(frozen=True, eq=False)
class System:
    """A law of motion as compiled block functions.

    Parameters
    ----------
    value, gradient, force, rates, fields : compiled block functions
        Loss, its gradient, non-conservative force, integrands over time and along the path; functions that are not
        there do nothing.
    has_force : bool
        Whether there is a force.
    parameters : Parameters
        What they take.
    """

    value: Any
    gradient: Any
    force: Any
    rates: Any
    fields: Any
    has_force: bool
    parameters: Parameters


def compile_system(
    request: Request, coordinates: Sequence[str], *, gradient: bool = True, blocks: BlockFunctions | None = None
) -> System:
    """Compile what a request needs.

    Parameters
    ----------
    request : Request
        The request.
    coordinates : sequence of str
        Variables, and velocities where there are any.
    gradient : bool
        Whether the scheme or a functional asks for the gradient: compiling a dense quadratic form in many variables
        takes minutes.
    blocks : BlockFunctions, optional
        Value, gradient and parameters, where they are not to be the landscape's.

    Raises
    ------
    MethodError
        If the force is a Python function, which cannot be compiled, or the device cannot follow the landscape.
    """
    functions = import_module(FUNCTIONS[request.device])
    dynamics, functionals, precision = request.dynamics, request.functionals, request.precision
    landscape = dynamics.landscape
    blocks = functions.landscape_blocks(landscape, precision) if blocks is None else blocks
    force = getattr(dynamics, "force", None)
    if force is not None and force.texts is None:
        raise MethodError(
            f"force = {force.given!r} is a Python function, which trajectories cannot call; give expressions"
        )
    rates = tuple(one.expression for one in functionals.rates)
    fields = tuple(text for one in functionals.fields for text in one.expressions)
    driven = {name: protocol for name, protocol in dynamics.protocol.items() if name in landscape.parameters}
    known = tuple(landscape.parameters)
    timed = any(texts and compile_expressions(texts, coordinates, known).depends_on_time for texts in (rates, fields))
    names = {name: i for i, name in enumerate(known)} | {TIME: len(blocks.parameters)}
    values = np.append(blocks.parameters, 0.0).astype(request.dtype)

    def compiled(texts: tuple[str, ...] | None, variables: Sequence[str]) -> Any:
        if not texts:
            return functions.nothing(precision)
        return functions.expression_blocks(texts, tuple(variables), names, precision=precision)

    needs_value = any(name in functionals.standard for name in ("work", "shadow_work"))
    return System(
        blocks.value if needs_value else functions.nothing(precision),
        blocks.gradient if gradient else functions.nothing(precision),
        compiled(force.texts if force is not None else None, landscape.variables),
        compiled(rates, coordinates),
        compiled(fields, coordinates),
        force is not None,
        Parameters(values, names, driven, timed),
    )
