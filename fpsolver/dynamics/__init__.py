"""Laws of motion of the parameters: frozen dataclasses, one law a file."""

from __future__ import annotations

from fpsolver.dynamics.langevin import Langevin
from fpsolver.dynamics.protocol import Protocol
from fpsolver.dynamics.underdamped import UnderdampedLangevin

__all__ = ["Langevin", "Protocol", "UnderdampedLangevin"]
