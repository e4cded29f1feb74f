"""Where a law of motion lives: names of its coordinates and parameters, and what its trajectories carry along.

Langevin dynamics, jumps and chains move on a landscape; a network has none, and one coordinate, the number of the
state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics import SGD, JumpProcess, MarkovNetwork, UnderdampedLangevin
from fpsolver.dynamics.driven import Driven
from fpsolver.errors import DynamicsError, InputError

STATE = "state"
"""Coordinate of a network."""
JUMPS, ATTEMPTS, LAST_JUMP, LAST_ATTEMPT = "jumps", "attempts", "last_jump", "last_attempt"
"""What jump processes carry: jumps and attempts so far, and the time of the last."""


@dataclass(frozen=True, eq=False)
class Space:
    """What the simulation of a law of motion must know of it, whichever law it is.

    Parameters
    ----------
    dynamics : object
        The law.
    variables : tuple of str
        Names of the coordinates.
    velocities : bool
        Whether every coordinate has a velocity.
    carried : tuple of str
        Rows of the state behind coordinates and velocities that every trajectory has.
    states : int or None
        Number of states, where the coordinate counts them.
    """

    dynamics: Any
    variables: tuple[str, ...]
    velocities: bool = False
    carried: tuple[str, ...] = ()
    states: int | None = None

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.variables)

    @property
    def width(self) -> int:
        """Number of coordinates and velocities."""
        return 2 * self.dimension if self.velocities else self.dimension

    @property
    def has_loss(self) -> bool:
        """Whether the law moves on a landscape."""
        return hasattr(self.dynamics, "landscape")

    @property
    def jumps(self) -> bool:
        """Whether the law moves at times of its own, so that a time step is a distance of outputs alone."""
        return JUMPS in self.carried

    @property
    def names(self) -> tuple[str, ...]:
        """Rows of the state that every trajectory has."""
        speeds = tuple(f"v_{name}" for name in self.variables) if self.velocities else ()
        return (*self.variables, *speeds, *self.carried)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(self.dynamics.landscape.parameters) if self.has_loss else ()

    def parameters_at(self, t: float) -> Mapping[str, float]:
        """Return the values of the parameters at a time."""
        return self.dynamics.at(t).landscape.parameters if self.has_loss else {}

    def loss(self, states: np.ndarray, t: float) -> np.ndarray:
        """Return the loss of blocks of states at a time."""
        return self.dynamics.at(t).landscape.value(np.moveaxis(states[:, : self.dimension], 1, -1))

    def require_states(self, columns: np.ndarray) -> None:
        """Raise unless initial states (n, 1) are numbers of states, where the coordinate counts them.

        Raises
        ------
        InputError
            Naming the first that is not.
        """
        if self.states is None:
            return
        fits = ((columns >= 0) & (columns < self.states) & (columns == np.rint(columns))).all(axis=1)
        if not fits.all():
            bad = int(np.argmin(fits))
            raise InputError(
                f"the initial state of trajectory {bad} is {columns[bad, 0]:g}; {self.dynamics!r} has the states 0 to "
                f"{self.states - 1}"
            )


def space_of(dynamics: Any) -> Space:
    """Return where a law of motion lives.

    Raises
    ------
    DynamicsError
        If it is none.
    """
    if isinstance(dynamics, MarkovNetwork):
        return Space(dynamics, (STATE,), carried=(JUMPS, LAST_JUMP), states=dynamics.states)
    if not isinstance(dynamics, Driven):
        raise DynamicsError(
            f"{dynamics!r} has no trajectories; give Langevin, UnderdampedLangevin, JumpProcess or SGD dynamics, or "
            "fp.markov_network(rates)"
        )
    variables = dynamics.landscape.variables
    if isinstance(dynamics, JumpProcess):
        return Space(dynamics, variables, carried=(JUMPS, ATTEMPTS, LAST_ATTEMPT))
    inertial = isinstance(dynamics, UnderdampedLangevin) or (isinstance(dynamics, SGD) and dynamics.inertial)
    return Space(dynamics, variables, inertial)
