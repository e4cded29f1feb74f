"""Nested quadrature on panels: Gauss–Legendre nodes, cumulative integrals, bisection until functions are resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ORDER = 16
# A panel is bisected until the last Legendre coefficients of every function on it are this small; the integral of a
# smooth function is then good to rounding, because its error is that of the coefficients beyond 2·ORDER.
_TAIL = 1e-11
_ROUNDS = 45
_MOST = 20_000


@cache
def _rule() -> tuple[Floats, Floats, Floats, Floats]:
    """Return nodes, weights, the matrix of integrals from −1 to each node, and that of Legendre coefficients."""
    nodes, weights = legendre.leggauss(ORDER)
    degrees = np.arange(ORDER)
    coefficients = legendre.legvander(nodes, ORDER - 1).T * weights * (degrees[:, None] + 0.5)
    antiderivatives = np.array([legendre.legval(nodes, legendre.legint(row, lbnd=-1.0)) for row in np.eye(ORDER)])
    return nodes, weights, antiderivatives.T @ coefficients, coefficients


@dataclass(frozen=True, eq=False)
class Panels:
    """Panels between ascending edges, with ORDER nodes on each.

    Parameters
    ----------
    edges : ndarray (n + 1,)
        Ascending.
    """

    edges: Floats

    @property
    def widths(self) -> Floats:
        """Widths, shape (n,)."""
        return np.diff(self.edges)

    @property
    def nodes(self) -> Floats:
        """Nodes, shape (n, ORDER)."""
        x, _, _, _ = _rule()
        return self.edges[:-1, None] + self.widths[:, None] * (x + 1.0) / 2.0

    def over_panels(self, values: Floats) -> Floats:
        """Return the integral over each panel, shape (n,), of a function given at the nodes."""
        _, weights, _, _ = _rule()
        return np.asarray((values @ weights) * self.widths / 2.0)

    def from_left(self, values: Floats) -> tuple[Floats, Floats]:
        """Return ∫ from the first edge: to every node, shape (n, ORDER), and to every edge, shape (n + 1,)."""
        at_edges = np.concatenate([[0.0], np.cumsum(self.over_panels(values))])
        return at_edges[:-1, None] + self.inside(values), at_edges

    def from_right(self, values: Floats) -> tuple[Floats, Floats]:
        """Return ∫ to the last edge, from every node and from every edge; sums run from the right, for accuracy."""
        at_edges = np.concatenate([np.cumsum(self.over_panels(values)[::-1])[::-1], [0.0]])
        return at_edges[1:, None] + self.inside(values[:, ::-1])[:, ::-1], at_edges

    def inside(self, values: Floats) -> Floats:
        """Return ∫ from the left end of each panel to its nodes, shape (n, ORDER)."""
        _, _, cumulative, _ = _rule()
        return np.asarray(values @ cumulative.T * self.widths[:, None] / 2.0)

    def relaxed(self, source: Floats, rate: Floats) -> Floats:
        """Return y at the nodes with y' = source − rate·y and y = 0 at the first edge, by collocation on each panel.

        Gauss collocation is implicit, so that a rate far above the inverse width of a panel does no harm.
        """
        _, weights, cumulative, _ = _rule()
        found, start = np.empty_like(source), 0.0
        for k, half in enumerate(self.widths / 2.0):
            system = np.eye(ORDER) + half * cumulative * rate[k]
            found[k] = np.linalg.solve(system, start + half * cumulative @ source[k])
            start += half * float(weights @ (source[k] - rate[k] * found[k]))
        return found


def resolve(edges: Floats, functions: Callable[[Panels], list[Floats]]) -> Panels:
    """Return panels on which functions are resolved, by bisection of those between the given edges.

    Parameters
    ----------
    edges : ndarray
        Where to begin; they stay edges.
    functions : callable
        Takes panels, returns arrays of values at their nodes, each scaled to order one on each panel.

    Notes
    -----
    At a jump or a kink bisection ends after 45 rounds, with a panel too narrow to matter.
    """
    _, _, _, to_coefficients = _rule()
    done: list[Floats] = []
    todo = np.stack([edges[:-1], edges[1:]], axis=1)
    for _ in range(_ROUNDS):
        # Each panel is judged by itself, with an edge array of its own.
        rough = np.zeros(len(todo), dtype=bool)
        for values in functions(_Separate(todo)):
            size = np.abs(values @ to_coefficients.T)
            rough |= ~(size[:, -3:].max(axis=1) <= _TAIL * size.max(axis=1))
        done.append(todo[~rough, 0])
        if not rough.any() or len(todo) > _MOST:
            break
        left, right = todo[rough].T
        middle = (left + right) / 2.0
        todo = np.concatenate([np.stack([left, middle], axis=1), np.stack([middle, right], axis=1)])
    else:
        done.append(todo[:, 0])
    return Panels(np.append(np.unique(np.concatenate(done)), edges[-1]))


class _Separate(Panels):
    """Panels that need not touch, given as pairs (left, right); integrals begin anew on each."""

    @property
    def widths(self) -> Floats:
        return np.asarray(self.edges[:, 1] - self.edges[:, 0])

    @property
    def nodes(self) -> Floats:
        x, _, _, _ = _rule()
        return self.edges[:, :1] + self.widths[:, None] * (x + 1.0) / 2.0

    def from_left(self, values: Floats) -> tuple[Floats, Floats]:
        return self.inside(values), np.zeros(len(values))
