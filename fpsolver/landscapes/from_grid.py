"""Measured landscapes: a tensor-product cubic spline through values on a rectangular grid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import DomainError, LandscapeError, suggest
from fpsolver.landscapes.array_evaluation import Floats
from fpsolver.landscapes.evaluator import CompiledLandscape, Evaluator
from fpsolver.landscapes.expression import check_name
from fpsolver.landscapes.source_cache import content_hash, generated_module

if TYPE_CHECKING:
    import h5py
    from scipy.interpolate import NdBSpline

    from fpsolver.landscapes.block_functions import BlockFunctions
    from fpsolver.landscapes.block_source import Precision

_DEGREE = 3
_MAX_DIMENSION = 4


class SplineEvaluator(Evaluator):
    """A cubic spline in 1 to 4 variables, twice continuously differentiable; not-a-knot ends.

    Parameters
    ----------
    axes : tuple of ndarray
        Ascending coordinates per variable, at least four each.
    values : ndarray
        Values on the grid.
    variables : tuple of str
        Names of the coordinates.
    """

    parameter_names = ()

    def __init__(self, axes: tuple[Floats, ...], values: Floats, variables: tuple[str, ...]):
        self.variables = tuple(check_name(name, "variable") for name in variables)
        if len(set(self.variables)) < len(self.variables):
            raise LandscapeError(f"the variables {variables} hold a name twice")
        if not 1 <= len(axes) <= _MAX_DIMENSION:
            raise LandscapeError(f"a measured landscape has 1 to {_MAX_DIMENSION} variables, not {len(axes)}")
        if len(self.variables) != len(axes):
            raise LandscapeError(f"{len(axes)} axes need as many variables, but {variables} were given")
        for name, axis in zip(self.variables, axes, strict=True):
            _check_axis(name, axis)
        shape = tuple(len(axis) for axis in axes)
        if values.shape != shape:
            raise LandscapeError(f"the axes have {shape} points, but the values have shape {values.shape}")
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            where = ", ".join(
                f"{name} = {axis[i]:g}" for name, axis, i in zip(self.variables, axes, bad[0], strict=True)
            )
            raise LandscapeError(f"{len(bad)} of the values are not finite, the first at {where}")
        self.axes, self.values = axes, values
        self.knots, self.coefficients = _spline_coefficients(axes, values)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the data."""
        return type(self), (self.axes, self.values, self.variables)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of axes and values."""
        data = hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in (*self.axes, self.values)))
        return content_hash(("spline", self.values.shape, self.variables, data.hexdigest()))

    @property
    def description(self) -> str:
        """Size of the grid."""
        return f"cubic spline through {' × '.join(map(str, self.values.shape))} values"

    @property
    def domain(self) -> tuple[tuple[float, float], ...]:
        """First and last coordinate per variable."""
        return tuple((float(axis[0]), float(axis[-1])) for axis in self.axes)

    @cached_property
    def _spline(self) -> NdBSpline:
        from scipy.interpolate import NdBSpline

        return NdBSpline(self.knots, self.coefficients, _DEGREE)

    def _inside(self, points: Floats) -> Floats:
        lower, upper = np.array(self.domain).T
        # Rounding in coordinates that a grid computes anew must not put its last point outside.
        slack = 1e-12 * (upper - lower)
        with np.errstate(invalid="ignore"):
            outside = ~((points >= lower - slack) & (points <= upper + slack))
        if outside.any():
            first = tuple(np.argwhere(outside)[0])
            name, number = self.variables[first[-1]], first[-1]
            raise DomainError(
                f"the landscape is known for {name} from {lower[number]:g} to {upper[number]:g}, "
                f"but was asked for {name} = {points[first]:g} (point {points[first[:-1]].tolist()})"
            )
        return np.clip(points, lower, upper)

    def value(self, points: Floats, p: Floats) -> Floats:
        """Return values (...)."""
        return self._spline(self._inside(points))

    def gradient(self, points: Floats, p: Floats) -> Floats:
        """Return gradients (..., d)."""
        points = self._inside(points)
        orders = np.eye(len(self.variables), dtype=int)
        return np.stack([self._spline(points, nu=order) for order in orders], axis=-1)

    def hessian(self, points: Floats, p: Floats) -> Floats:
        """Return Hessians (..., d, d)."""
        points = self._inside(points)
        d = len(self.variables)
        orders = np.eye(d, dtype=int)
        out = np.empty((*points.shape[:-1], d, d))
        for i in range(d):
            for j in range(i, d):
                out[..., i, j] = out[..., j, i] = self._spline(points, nu=orders[i] + orders[j])
        return out

    def compiled(self, p: Floats) -> CompiledLandscape:
        """Return Numba functions that are NaN outside the domain; the spline travels in ``p``."""
        from fpsolver.landscapes import spline_formulas as formulas

        return CompiledLandscape(formulas.value, formulas.gradient, formulas.hessian, parameters=self._packed())

    def _packed(self) -> Floats:
        shape = self.coefficients.shape
        return np.concatenate([[len(shape)], shape, *self.knots, self.coefficients.ravel()])

    def blocks(self, p: Floats, precision: Precision) -> BlockFunctions:
        """Return functions of whole blocks that are NaN outside the domain; the spline travels in ``p``."""
        from fpsolver.landscapes.block_functions import BlockFunctions
        from fpsolver.landscapes.block_source import formulas_hash, number_type

        def module() -> ModuleType:
            from fpsolver.landscapes.lane_blocks import spline_source

            d = len(self.variables)
            formulas = formulas_hash("fpsolver.landscapes.spline_formulas")
            key = content_hash(("spline", d, precision, formulas))
            return generated_module("blocks", key, lambda: spline_source(d, precision))

        parameters = self._packed().astype(number_type(precision))
        return BlockFunctions(lambda: module().value, lambda: module().gradient, parameters)


def _check_axis(name: str, axis: Floats) -> None:
    if axis.ndim != 1 or len(axis) <= _DEGREE:
        raise LandscapeError(f'the axis "{name}" needs at least {_DEGREE + 1} points, but has shape {axis.shape}')
    if not np.isfinite(axis).all() or not (np.diff(axis) > 0.0).all():
        raise LandscapeError(f'the axis "{name}" must be finite and ascending, but holds {axis[:6].tolist()} …')


def _spline_coefficients(axes: tuple[Floats, ...], values: Floats) -> tuple[tuple[Floats, ...], Floats]:
    from scipy.interpolate import make_interp_spline

    knots, coefficients = [], values
    for number, axis in enumerate(axes):
        spline = make_interp_spline(axis, coefficients, k=_DEGREE, axis=number)
        knots.append(np.asarray(spline.t))
        coefficients = np.ascontiguousarray(np.moveaxis(spline.c, 0, number))
    return tuple(knots), coefficients


def grid_data(
    axes: Mapping[str, ArrayLike] | Sequence[ArrayLike] | str | PathLike[str],
    values: ArrayLike | str,
    variables: Sequence[str] | None,
) -> tuple[tuple[Floats, ...], Floats, tuple[str, ...]]:
    """Return axes, values and names of variables from what a user gave: arrays or an HDF5 file."""
    if isinstance(axes, (str, PathLike)):
        return _read(Path(fspath(axes)), values, variables)
    if isinstance(values, str):
        raise LandscapeError(f"values must be an array where axes are arrays, not {values!r}")
    if isinstance(axes, Mapping):
        names = tuple(axes)
        if variables is not None and tuple(variables) != names:
            raise LandscapeError(f"the axes are named {names}, but variables={tuple(variables)!r} was given as well")
        arrays: Sequence[ArrayLike] = list(axes.values())
    else:
        single = len(axes) > 0 and np.ndim(axes[0]) == 0
        arrays = [np.asarray(axes, dtype=float)] if single else list(axes)
        names = tuple(variables) if variables is not None else ("x", "y", "z", "w")[: len(arrays)]
    return tuple(np.array(a, dtype=float) for a in arrays), np.array(values, dtype=float), names


def _read(
    path: Path, dataset: ArrayLike | str, variables: Sequence[str] | None
) -> tuple[tuple[Floats, ...], Floats, tuple[str, ...]]:
    import h5py

    if not isinstance(dataset, str):
        raise LandscapeError("with a file, values is the name of a data set in it")
    if not path.exists():
        raise LandscapeError(f"there is no file {str(path)!r}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise LandscapeError(f"{str(path)!r} is not a readable HDF5 file: {error}") from None
    with file:
        found = file.get(dataset)
        if not isinstance(found, h5py.Dataset):
            names = list(file)
            raise LandscapeError(
                f'{str(path)!r} has no data set "{dataset}"{suggest(dataset, names)}; it has: {", ".join(names)}'
            )
        pairs = [_read_axis(path, found, number, variables) for number in range(found.ndim)]
        return tuple(axis for _, axis in pairs), np.asarray(found[...], dtype=float), tuple(name for name, _ in pairs)


def _read_axis(path: Path, dataset: h5py.Dataset, number: int, variables: Sequence[str] | None) -> tuple[str, Floats]:
    given = variables[number] if variables is not None and number < len(variables) else None
    dimension = dataset.dims[number]
    if len(dimension):
        scale = dimension[0]
        return given or scale.name.rsplit("/", 1)[-1], np.asarray(scale[...], dtype=float)
    name = given or dimension.label
    if name and name in dataset.parent:
        return name, np.asarray(dataset.parent[name][...], dtype=float)
    raise LandscapeError(
        f"dimension {number} of {dataset.name!r} in {str(path)!r} has no dimension scale; attach one, or name the "
        "data sets that hold the axes with variables=(…)"
    )
