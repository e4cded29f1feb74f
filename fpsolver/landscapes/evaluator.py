"""What a landscape is made of: something that gives value, gradient and Hessian at points, for given parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.landscapes.array_evaluation import Floats

if TYPE_CHECKING:
    from fpsolver.landscapes.block_functions import BlockFunctions
    from fpsolver.landscapes.block_source import Precision
    from fpsolver.landscapes.quadratic_forms import QuadraticForm


@dataclass(frozen=True)
class CompiledLandscape:
    """Numba functions of one point, for loops over trajectories.

    Attributes
    ----------
    value, gradient, hessian : Numba functions
        ``value(theta, p)``, ``gradient(theta, p, out)`` with out (d,), ``hessian(theta, p, out)`` with out (d, d).
    parameters : ndarray
        The array to pass as ``p``. Its first entries are the landscape's parameters, in their order; what
        follows is data (spline coefficients, examples) that a landscape may need.
    example_gradient : Numba function, optional
        ``example_gradient(theta, p, i, out)``, for landscapes that are a mean over examples.
    python : dict
        The same functions before compilation by Numba, for other targets; only of expressions, whose functions
        call no others.
    """

    value: Callable[..., Any]
    gradient: Callable[..., Any]
    hessian: Callable[..., Any]
    parameters: Floats
    example_gradient: Callable[..., Any] | None = None
    python: dict[str, Callable[..., Any]] | None = None


class Evaluator(ABC):
    """Value, gradient and Hessian at points (..., d) for parameter values p, as the sources of landscapes give them.

    Attributes
    ----------
    variables : tuple of str
        Names of the coordinates.
    parameter_names : tuple of str
        Names of the parameters, in the order of ``p``.
    """

    variables: tuple[str, ...]
    parameter_names: tuple[str, ...]

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of everything but the parameter values."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What the landscape is, for ``repr``."""

    @abstractmethod
    def value(self, points: Floats, p: Floats) -> Floats:
        """Return values (...)."""

    @abstractmethod
    def gradient(self, points: Floats, p: Floats) -> Floats:
        """Return gradients (..., d)."""

    @abstractmethod
    def hessian(self, points: Floats, p: Floats) -> Floats:
        """Return Hessians (..., d, d)."""

    @abstractmethod
    def compiled(self, p: Floats) -> CompiledLandscape:
        """Return the Numba functions and the array they take."""

    @abstractmethod
    def blocks(self, p: Floats, precision: Precision) -> BlockFunctions:
        """Return the functions of blocks of 256 trajectories and the array they take."""

    def quadratic_form(self, p: Floats) -> QuadraticForm | None:
        """Return the coefficients where the landscape is known to be quadratic."""
        return None

    def derivatives(self, points: Floats, p: Floats) -> tuple[Floats, Floats, Floats]:
        """Return value, gradient and Hessian together."""
        return self.value(points, p), self.gradient(points, p), self.hessian(points, p)

    @property
    def domain(self) -> tuple[tuple[float, float], ...]:
        """Bounds per variable within which the landscape is known."""
        return ((-np.inf, np.inf),) * len(self.variables)
