"""Generators of driven dynamics: a generator for every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fpsolver.dynamics import UnderdampedLangevin
from fpsolver.generators.rate_matrix import Generator
from fpsolver.grids import Grid


@dataclass(frozen=True, eq=False)
class DrivenGenerator:
    """A time-dependent generator, frozen at a time on request.

    Parameters
    ----------
    dynamics : Langevin or UnderdampedLangevin
        Dynamics with a protocol.
    grid : Grid
        The grid.
    scheme : str or None
        Discretisation; None for the default of the dynamics.
    floor : float or None
        Smallest eigenvalue to which a rank-deficient diffusion tensor is lifted.
    """

    dynamics: Any
    grid: Grid
    scheme: str | None = None
    floor: float | None = None

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Times at which a protocol has a jump or a kink."""
        return self.dynamics.breakpoints

    def at(self, t: float) -> Generator:
        """Return the generator at time `t`."""
        from fpsolver.generators import generator

        if isinstance(self.dynamics, UnderdampedLangevin):
            from fpsolver.generators.kinetic import frozen_kinetic_generator

            return frozen_kinetic_generator(self.dynamics, self.grid, self.scheme or "hermite", t)
        frozen = generator(self.dynamics.at(t), self.grid, scheme=self.scheme, floor=self.floor)
        assert isinstance(frozen, Generator)
        return frozen
