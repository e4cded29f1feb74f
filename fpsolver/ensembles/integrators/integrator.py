"""The contract of integrators, and the request from which they are built."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from fpsolver.device import launcher
from fpsolver.dynamics import SGD
from fpsolver.ensembles.functionals import Functionals
from fpsolver.errors import MethodError, suggest

if TYPE_CHECKING:
    from fpsolver.ensembles.integrators.compiled import System

NOISES = ("gaussian", "three-point", "rademacher")
PRECISIONS = ("double", "single")

Failure = tuple[int, int, int]
"""Block, lane and step; −1 each where nothing failed."""


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be integrated, and how.

    Parameters
    ----------
    dynamics : Langevin, UnderdampedLangevin or SGD
        Law of motion.
    scheme : str
        Name of the scheme.
    noise : {"gaussian", "three-point", "rademacher"}
        Distribution of the increments; the discrete ones agree with the Gaussian in the moments that weak orders 2 and
        1 need.
    functionals : Functionals
        Path functionals to be carried along.
    dt : float
        Time step.
    key : tuple of two uint64
        Key of the random numbers.
    precision : {"double", "single"}
        Of positions and functionals.
    device : {"cpu", "gpu"}
        Where to run.
    """

    dynamics: Any
    scheme: str
    noise: str
    functionals: Functionals
    dt: float
    key: tuple[np.uint64, np.uint64]
    precision: Literal["double", "single"] = "double"
    device: str = "cpu"

    @property
    def kind(self) -> int:
        """Number of the kind of noise in the kernels."""
        return NOISES.index(self.noise)

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """Type of the state."""
        return np.float64 if self.precision == "double" else np.float32

    @property
    def limit(self) -> float:
        """Largest size of a number that is not taken for an overflow."""
        return float(np.sqrt(np.finfo(self.dtype).max))

    def half_times(self, step: int, steps: int) -> np.ndarray:
        """Return the times of steps and half steps, 2 steps + 1 of them; a chain takes the beginnings of its steps."""
        moments = step + 0.5 * np.arange(2 * steps + 1)
        return (np.floor(moments) if isinstance(self.dynamics, SGD) else moments) * self.dt


SEGMENT_STEPS = 4096
"""Steps of a driven segment: their tables fill some hundred kilobytes."""
LONGEST = 1 << 30
"""Steps of a segment without tables."""


class Integrator(ABC):
    """Advances blocks of trajectories.

    Attributes
    ----------
    kernel : str
        Name of the module with its loops, in `fpsolver.kernels.cpu` and `fpsolver.kernels.gpu`.
    request : Request
        What it was built from.
    system : System
        The compiled functions of the law of motion.
    """

    kernel: ClassVar[str]
    request: Request
    system: System

    @property
    def names(self) -> tuple[str, ...]:
        """What the rows of a block are: variables, velocities ``v_…`` where there are any, path functionals."""
        return (*self.request.dynamics.landscape.variables, *self.request.functionals.names)

    @property
    def timed(self) -> bool:
        """Whether anything depends on time, so that kernels need a table of times."""
        return self.request.dynamics.driven or self.system.parameters.timed

    @property
    def longest(self) -> int:
        """Most steps that one segment should have."""
        return SEGMENT_STEPS if self.timed else LONGEST

    def figures(self, states: np.ndarray, n: int) -> dict[str, float]:
        """Return what the states of n trajectories say of the cost of the run, for its statistics."""
        return {}

    def reason(self, state: np.ndarray) -> str | None:
        """Return why a trajectory failed from a state, where the scheme knows more than that numbers grew."""
        return None

    @abstractmethod
    def segment(self, step: int, steps: int) -> Any:
        """Return what the kernels need for the given steps, to be used for all batches."""

    def advance(self, segment: Any, states: np.ndarray, counts: np.ndarray, first: int) -> Failure:
        """Advance blocks (n_blocks, rows * 256) in place; safe in several threads.

        Returns
        -------
        Failure
            Block, lane and step of the first failure; the block then holds the state before that step.
        """
        return launcher(self.request.device, self.kernel).advance(states, counts, first, *segment)


def check_scheme(given: object, allowed: tuple[str, ...], reason: str) -> None:
    """Raise unless a scheme is among those that can serve.

    Raises
    ------
    MethodError
        Naming those that can.
    """
    if given not in allowed:
        hint = suggest(str(given), allowed)
        raise MethodError(f'scheme = "{given}" cannot serve {reason}; choose one of {", ".join(allowed)}{hint}')
