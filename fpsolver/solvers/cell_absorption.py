"""Targets of processes that jump: sets of cells, into which one jump leads from afar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fpsolver.errors import MethodError
from fpsolver.fields import Field, bracket
from fpsolver.generators.chain import ChainGenerator
from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.generators.matrix import MatrixGenerator
from fpsolver.regions import Region
from fpsolver.solvers.absorption import Absorption
from fpsolver.solvers.convolved_backward import backward_convolved
from fpsolver.solvers.wall_weights import wall_weights

# Probability of a step into a target that is still known to half of all digits as what others leave of one.
_SEEN = 1e-8


@dataclass(frozen=True, eq=False)
class SteppedField(Field):
    """A field with a step at the edge of each target, as functions of a process that jumps have.

    Parameters
    ----------
    grid, values, stats
        As for `Field`.
    labels : ndarray of int
        0 outside, k inside the k-th target, of the grid's shape.
    """

    labels: np.ndarray | None = None

    def at(self, points: Any) -> np.ndarray:
        """Return the values at points, interpolated between the centres that lie on the same side.

        Parameters
        ----------
        points : array_like, shape (..., dimension)
            Where to evaluate.

        Raises
        ------
        DomainError
            If a point lies outside the grid.
        """
        plain = super().at(points)  # refuses points that do not fit
        if self.labels is None:
            return plain
        where = np.asarray(points, dtype=float)
        own = self.labels[self._cells(where)]
        total, weights = np.zeros(plain.shape), np.zeros(plain.shape)
        corners = [bracket(axis, where[..., k], self.grid.names[k]) for k, axis in enumerate(self.grid.axes)]
        for corner in np.ndindex(*(2,) * self.grid.dimension):
            weight = np.ones(plain.shape)
            index = []
            for side, (left, right, fraction) in zip(corner, corners, strict=True):
                weight = weight * (fraction if side else 1 - fraction)
                index.append(right if side else left)
            same = np.where(self.labels[tuple(index)] == own, weight, 0.0)
            total += same * self.values[tuple(index)]
            weights += same
        return total / weights

    def _cells(self, where: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(
            np.clip(np.searchsorted(axis.faces, where[..., k], side="right") - 1, 0, axis.cells - 1)
            for k, axis in enumerate(self.grid.axes)
        )


@dataclass(frozen=True, eq=False)
class CellAbsorption(Absorption):
    """A generator of jumps whose targets absorb; targets are whole cells, but for the weights next to their walls."""

    @property
    def snapped(self) -> tuple[str, ...]:
        """Names of the targets that are bounded by cell faces."""
        if all((weights == 1.0).all() for weights in self.stretch):
            return self.names
        return super().snapped

    @cached_property
    def killing(self) -> np.ndarray:
        """Rate to the grid's own absorbing walls outside the targets, of the grid's shape."""
        return np.where(self.outside, self.generator.killing, 0.0)

    def absorbing_generator(self) -> MatrixGenerator | ConvolutionGenerator:
        """Return the generator outside the targets, with the rates into them as killing."""
        W = self.generator
        assert isinstance(W, MatrixGenerator | ConvolutionGenerator)
        return W.restricted(self.outside, self.volume_factor, self.leaving)

    def field(self, values: np.ndarray, stats: Mapping[str, Any], wall_values: Mapping[str, float]) -> Field:
        """Return values as a field with steps at the targets."""
        return SteppedField(self.grid, values, stats, self.labels)


@dataclass(frozen=True, eq=False)
class ConvolvedAbsorption(CellAbsorption):
    """A convolution whose targets absorb."""

    def solve_backward(self, source: np.ndarray, tolerance: float) -> tuple[np.ndarray, dict[str, Any]]:
        """Return the function f outside the targets with Wᵀ f = −source, as `Absorption.solve_backward` states."""
        if not 0 < tolerance < 1:
            raise MethodError(f"tolerance = {tolerance!r} must lie between 0 and 1")
        if not self.leaving.any():
            raise MethodError("nothing ever reaches the target: give a target=, or make a wall absorbing")
        W = self.absorbing_generator()
        assert isinstance(W, ConvolutionGenerator)
        return backward_convolved(W, np.where(self.outside, source, 0.0), self.outside, tolerance)


def cell_absorption(
    W: MatrixGenerator | ConvolutionGenerator, names: tuple[str, ...], regions: tuple[Region, ...], labels: np.ndarray
) -> CellAbsorption:
    """Return the targets of a process that jumps, with the rates into each.

    Parameters
    ----------
    W : MatrixGenerator or ConvolutionGenerator
        The process.
    names, regions : tuple
        The targets.
    labels : ndarray of int
        0 outside, k inside the k-th target, of the grid's shape.
    """
    outside = (labels == 0).astype(float)
    stretch = wall_weights(W.grid, labels, regions) if W.smooth else tuple(np.ones(W.grid.shape) for _ in W.grid.axes)
    weights = np.prod(stretch, axis=0)
    rates = {name: W.mean((labels == k) * weights) * outside for k, name in enumerate(names, start=1)}
    if isinstance(W, ChainGenerator) and W.smooth:
        rates = _completed(W, rates, (outside * weights).ravel())
    if isinstance(W, ConvolutionGenerator):
        return ConvolvedAbsorption(W, names, regions, labels, (), stretch, (), rates)
    return CellAbsorption(W, names, regions, labels, (), stretch, (), rates)


def _completed(W: ChainGenerator, rates: dict[str, np.ndarray], arriving: np.ndarray) -> dict[str, np.ndarray]:
    """Scale what goes into the targets so that the probabilities of steps add up, where rounding lets that be seen.

    The weights are chosen for what remains outside; on the other side of the wall they may be less accurate.
    """
    into = sum(rates.values())
    rest = 1.0 - (arriving @ W.rates + arriving * W.staying).reshape(W.grid.shape) - W.killing
    seen = into > _SEEN
    factor = np.where(seen, np.maximum(rest, 0.0) / np.where(seen, into, 1.0), 1.0)
    return {name: rate * factor for name, rate in rates.items()}
