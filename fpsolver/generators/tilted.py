"""Tilted generators: rates weighted by e^{s a}, whose largest eigenvalue counts what trajectories add up.

With M_s the generator W whose off-diagonal rates k(i → j) are multiplied by e^{s a(i → j)} and to whose diagonal s f is
added, Σ e^{t M_s} P(0) = ⟨e^{s A_t}⟩ for the observable A = Σ_jumps a + ∫f dt.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import InputError, NumericalError
from fpsolver.generators.counting import Counting, Observable, as_counting
from fpsolver.generators.rate_matrix import Edge, Generator, edges_to_matrix


@dataclass(frozen=True, eq=False)
class TiltedGenerator:
    """The generator of ⟨e^{sA}; x⟩, acting on cell values in C order.

    Parameters
    ----------
    generator : Generator
        W, which it is at s = 0.
    observable : Counting
        A.
    s : float or complex
        The conjugate variable.
    """

    generator: Generator
    observable: Counting
    s: complex

    @property
    def grid(self) -> Any:
        """The grid."""
        return self.generator.grid

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The weighted rates, k e^{s a}.

        Raises
        ------
        NumericalError
            If a weight overflows.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            edges = tuple(
                Edge(
                    edge.offset,
                    edge.forward * np.exp(self.s * counted[0]),
                    edge.backward * np.exp(self.s * counted[1]),
                )
                for edge, counted in zip(self.generator.edges, self.observable.jumps, strict=True)
            )
        for edge in edges:
            if not (np.isfinite(edge.forward).all() and np.isfinite(edge.backward).all()):
                raise NumericalError(
                    f"e^(s a) overflows for s = {self.s} and {self.observable.name}; take a smaller s or a finer grid"
                )
        return edges

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Diagonal, of the grid's shape: that of W plus s f."""
        rate = self.observable.rate
        return self.generator.diagonal if rate is None else self.generator.diagonal + self.s * rate

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """The sparse matrix on cell values in C order."""
        return edges_to_matrix(self.grid.shape, self.edges, self.diagonal)

    @cached_property
    def adjoint(self) -> sparse.csr_array:
        """The backward operator, the transpose."""
        return self.matrix.T.tocsr()

    def apply(self, density: Any) -> np.ndarray:
        """Return the rate of change of a density ⟨e^{sA}; x⟩, of the grid's shape."""
        weight = self.grid.volumes
        return (self.matrix @ (np.asarray(density) * weight).ravel()).reshape(self.grid.shape) / weight

    def __repr__(self) -> str:
        return f"TiltedGenerator({self.observable.name}, s = {self.s:g}, {self.generator!r})"


def tilted(W: Any, observable: Observable, s: complex) -> TiltedGenerator:
    """Return the generator tilted by an observable.

    Parameters
    ----------
    W : Generator
        A Markov generator on cells, at a stated time.
    observable : str, Counting or callable
        "entropy_flow", "heat", "force_work", or what `winding`, `current_across`, `counting` or `time_integral` return.
    s : float or complex
        Conjugate variable, in the inverse unit of the observable.

    Raises
    ------
    MethodError
        If W does not jump between cells.
    InputError
        If the observable or s cannot be used.

    Examples
    --------
    Gallavotti–Cohen symmetry: M_s and the transpose of M_{−1−s} are the same matrix on cells of one size.

    >>> import fpsolver as fp
    >>> ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 60, boundary="periodic"))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("cos(x) - 0.5*x"), temperature=1.0), ring)
    >>> left, right = tilted(W, "entropy_flow", 0.3), tilted(W, "entropy_flow", -1.3)
    >>> bool(abs(left.matrix - right.adjoint).max() < 1e-12 * abs(W.diagonal).max())
    True
    """
    counted = as_counting(W, observable)
    try:
        value = complex(s)
    except (TypeError, ValueError):
        raise InputError(f"s = {s!r} is no number") from None
    if not np.isfinite(value):
        raise InputError(f"s = {s!r} must be finite")
    return TiltedGenerator(W, counted, value if value.imag else value.real)
