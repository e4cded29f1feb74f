"""Grids: axes cut into finite-volume cells, and their tensor products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from fpsolver.errors import GridError, suggest

BOUNDARIES = ("reflecting", "absorbing", "periodic")
SPACINGS = ("uniform", "geometric", "tanh")


class Axis:
    """One direction of a grid: an interval cut into cells by their faces.

    Parameters
    ----------
    lower, upper : float
        Bounds of the interval, in units of the variable.
    cells : int
        Number of cells, at least 2.
    faces : array_like, shape (cells + 1,), optional
        The faces themselves, ascending, instead of bounds and spacing.
    boundary : str or (str, str), optional
        "reflecting", "absorbing" or "periodic"; a pair gives the lower and the upper side. Left out, both sides
        reflect but are taken for a truncation of an open space, so that density at them raises a warning; given,
        they are physical walls.
    spacing : {"uniform", "geometric", "tanh"}
        How faces are placed: equal widths, widths in geometric progression, or clustered at both ends
        by a hyperbolic tangent.
    stretch : float
        For "geometric", the ratio of the last cell's width to the first's; for "tanh", the clustering parameter
        (larger clusters more). Both must be positive.

    Raises
    ------
    GridError
        If bounds are reversed or not finite, there are fewer than two cells, or an option is unknown.

    Examples
    --------
    >>> Axis(-1, 1, 4).centres.tolist()
    [-0.75, -0.25, 0.25, 0.75]
    >>> Axis(0, 7, 3, spacing="geometric", stretch=4).widths.tolist()
    [1.0, 2.0, 4.0]
    """

    def __init__(
        self,
        lower: float | None = None,
        upper: float | None = None,
        cells: int | None = None,
        *,
        faces: Sequence[float] | np.ndarray | None = None,
        boundary: str | Sequence[str] | None = None,
        spacing: str = "uniform",
        stretch: float | None = None,
    ) -> None:
        if faces is not None:
            if lower is not None or upper is not None or cells is not None or spacing != "uniform":
                raise GridError("an axis takes either faces or (lower, upper, cells, spacing), not both")
            placed = _checked_faces(faces)
        else:
            placed = _placed_faces(lower, upper, cells, spacing, stretch)
        placed.setflags(write=False)
        self.faces: np.ndarray = placed
        self.physical = boundary is not None
        self.boundary: tuple[str, str] = _checked_boundary("reflecting" if boundary is None else boundary)
        self.spacing = "faces" if faces is not None else spacing

    @property
    def lower(self) -> float:
        """Lower bound."""
        return float(self.faces[0])

    @property
    def upper(self) -> float:
        """Upper bound."""
        return float(self.faces[-1])

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.faces) - 1

    @property
    def periodic(self) -> bool:
        """Whether the last cell is a neighbour of the first."""
        return self.boundary[0] == "periodic"

    @cached_property
    def widths(self) -> np.ndarray:
        """Cell widths, shape (cells,)."""
        return np.diff(self.faces)

    @cached_property
    def centres(self) -> np.ndarray:
        """Cell centres, shape (cells,)."""
        return 0.5 * (self.faces[1:] + self.faces[:-1])

    @cached_property
    def uniform(self) -> bool:
        """Whether all cells have the same width, to rounding."""
        spread = np.ptp(self.widths)
        return bool(spread <= 1e-12 * max(abs(self.lower), abs(self.upper), self.upper - self.lower))

    @cached_property
    def distances(self) -> np.ndarray:
        """Distance between the centres of cell i and cell i + 1, shape (cells,).

        The last entry reaches round to cell 0 on a periodic axis; elsewhere it is the distance to a mirror cell.
        """
        inner = np.diff(self.centres)
        if self.periodic:
            return np.append(inner, 0.5 * (self.widths[-1] + self.widths[0]))
        return np.append(inner, self.widths[-1])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Axis) and self.boundary == other.boundary and np.array_equal(self.faces, other.faces)

    def __hash__(self) -> int:
        return hash((self.faces.tobytes(), self.boundary))

    def __repr__(self) -> str:
        boundary = self.boundary[0] if self.boundary[0] == self.boundary[1] else self.boundary
        return f"Axis({self.lower:g}, {self.upper:g}, {self.cells}, boundary={boundary!r}, spacing={self.spacing!r})"


class Grid:
    """A tensor product of one to four axes; densities live on its cells.

    Parameters
    ----------
    velocity : mapping of str to axis, optional
        For kinetic problems, one velocity axis for each position axis, under the position's name. The axis of the
        velocity of ``x`` is called ``v_x``. Velocity axes must be symmetric about zero.
    **axes : Axis or tuple
        Position axes by variable name; ``(lower, upper, cells)`` is short for a reflecting `Axis`.

    Raises
    ------
    GridError
        If there are no axes or more than four, or a velocity axis belongs to no position or is not symmetric.

    Examples
    --------
    >>> grid = Grid(x=(-2, 2, 40), y=(-1, 1, 10))
    >>> grid.shape, grid.dimension, grid.names
    ((40, 10), 2, ('x', 'y'))
    >>> Grid(x=(-3, 3, 20), velocity={"x": (-4, 4, 16)}).names
    ('x', 'v_x')
    """

    def __init__(self, *, velocity: Mapping[str, Any] | None = None, **axes: Any) -> None:
        self.position_dimension = len(axes)
        named = {name: _axis(name, axis) for name, axis in axes.items()}
        if not named:
            raise GridError("a grid needs at least one axis, for example Grid(x=(-2, 2, 100))")
        self.velocity: dict[str, Axis] = {}
        if velocity is not None:
            self.velocity = _velocity_axes(velocity, tuple(named))
            named |= {f"v_{name}": axis for name, axis in self.velocity.items()}
        if len(named) > 4:
            raise GridError(f"a grid has at most 4 axes, this one has {len(named)}: {', '.join(named)}")
        self.names: tuple[str, ...] = tuple(named)
        self.axes: tuple[Axis, ...] = tuple(named.values())

    @property
    def dimension(self) -> int:
        """Number of axes, velocities included."""
        return len(self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells along each axis."""
        return tuple(axis.cells for axis in self.axes)

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(np.prod(self.shape))

    @property
    def spacings(self) -> tuple[float, ...]:
        """Largest cell width along each axis."""
        return tuple(float(axis.widths.max()) for axis in self.axes)

    @cached_property
    def volumes(self) -> np.ndarray:
        """Cell volumes, of the grid's shape."""
        return self.outer([axis.widths for axis in self.axes])

    @cached_property
    def points(self) -> np.ndarray:
        """Cell centres, shape (*shape, dimension)."""
        return np.stack(np.meshgrid(*(axis.centres for axis in self.axes), indexing="ij"), axis=-1)

    def outer(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """Return the outer product of one vector per axis, of the grid's shape."""
        product = np.ones(())
        for factor in factors:
            product = np.multiply.outer(product, factor)
        return product

    def along(self, axis: int, vector: np.ndarray) -> np.ndarray:
        """Return a vector of one axis, shaped so that it broadcasts against the grid."""
        return vector.reshape([-1 if k == axis else 1 for k in range(self.dimension)])

    def index(self, name: str) -> int:
        """Return the position of the axis called `name`.

        Raises
        ------
        GridError
            If there is no such axis.
        """
        if name not in self.names:
            hint = suggest(name, self.names)
            raise GridError(f"the grid has no axis {name!r}; its axes are {', '.join(self.names)}{hint}")
        return self.names.index(name)

    def axis(self, name: str) -> Axis:
        """Return the axis called `name`."""
        return self.axes[self.index(name)]

    def order(self, variables: Sequence[str]) -> list[int]:
        """Return, for each variable, which of the position axes carries its name.

        Raises
        ------
        GridError
            If the position axes are not exactly the variables, in any order.
        """
        positions = self.names[: self.position_dimension]
        if sorted(positions) != sorted(variables):
            stray = [name for name in positions if name not in variables]
            hint = suggest(stray[0], variables) if stray else ""
            raise GridError(
                f"the grid's axes ({', '.join(positions)}) do not match the landscape's variables "
                f"({', '.join(variables)}){hint}"
            )
        return [positions.index(name) for name in variables]

    def position_grid(self) -> Grid:
        """Return the grid of the position axes alone."""
        positions: dict[str, Any] = dict(zip(self.names[: self.position_dimension], self.axes, strict=False))
        return Grid(**positions)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and self.names == other.names and self.axes == other.axes

    def __hash__(self) -> int:
        return hash((self.names, self.axes))

    def __repr__(self) -> str:
        cells = ", ".join(
            f"{name}=({axis.lower:g}, {axis.upper:g}, {axis.cells}, {'|'.join(sorted(set(axis.boundary)))})"
            for name, axis in zip(self.names, self.axes, strict=True)
        )
        return f"Grid({cells})"


def _axis(name: str, given: Any) -> Axis:
    if isinstance(given, Axis):
        return given
    try:
        lower, upper, cells = given
    except (TypeError, ValueError):
        raise GridError(f"axis {name!r} must be an Axis or (lower, upper, cells), not {given!r}") from None
    try:
        return Axis(lower, upper, cells)
    except GridError as error:
        raise GridError(f"axis {name!r}: {error}") from None


def _velocity_axes(given: Mapping[str, Any], positions: tuple[str, ...]) -> dict[str, Axis]:
    if set(given) != set(positions):
        raise GridError(
            f"velocity axes are given for {sorted(given)}, but the position axes are {sorted(positions)}; "
            "give one for each"
        )
    axes = {name: _axis(f"v_{name}", given[name]) for name in positions}
    for name, axis in axes.items():
        if abs(axis.lower + axis.upper) > 1e-12 * (axis.upper - axis.lower):
            raise GridError(
                f"the velocity axis of {name!r} runs from {axis.lower:g} to {axis.upper:g}; "
                "it must be symmetric about zero"
            )
        if axis.periodic:
            raise GridError(f"the velocity axis of {name!r} cannot be periodic; leave it reflecting")
    return axes


def _placed_faces(lower: Any, upper: Any, cells: Any, spacing: str, stretch: float | None) -> np.ndarray:
    if lower is None or upper is None or cells is None:
        raise GridError("an axis needs lower, upper and cells, or faces")
    lower, upper = _number("lower", lower), _number("upper", upper)
    if isinstance(cells, bool) or int(cells) != cells or cells < 2:
        raise GridError(f"cells = {cells!r}: an axis needs a whole number of cells, at least 2")
    if not lower < upper:
        raise GridError(f"lower = {lower:g} is not below upper = {upper:g}; swap them")
    cells = int(cells)
    if spacing not in SPACINGS:
        hint = suggest(str(spacing), SPACINGS)
        raise GridError(f"spacing = {spacing!r} is not one of {', '.join(SPACINGS)}{hint}")
    if spacing == "uniform":
        if stretch is not None:
            raise GridError(f"stretch = {stretch!r} has no meaning for uniform spacing; choose geometric or tanh")
        return np.linspace(lower, upper, cells + 1)
    if stretch is None or not (np.isfinite(stretch) and stretch > 0):
        raise GridError(f"stretch = {stretch!r}: {spacing} spacing needs a positive, finite stretch")
    if spacing == "geometric":
        widths = stretch ** (np.arange(cells) / (cells - 1))
        fraction = np.concatenate([[0.0], np.cumsum(widths) / widths.sum()])
    else:
        fraction = 0.5 * (1 + np.tanh(stretch * np.linspace(-1, 1, cells + 1)) / np.tanh(stretch))
    faces = lower + (upper - lower) * fraction
    faces[0], faces[-1] = lower, upper
    return faces


def _checked_faces(faces: Any) -> np.ndarray:
    placed = np.array(faces, dtype=float)
    if placed.ndim != 1 or len(placed) < 3:
        raise GridError(f"faces of shape {placed.shape}: an axis needs at least three faces (two cells) in a row")
    if not np.isfinite(placed).all():
        raise GridError(f"faces contain {placed[~np.isfinite(placed)][0]}; they must be finite")
    steps = np.diff(placed)
    if (steps <= 0).any():
        first = int(np.argmax(steps <= 0))
        raise GridError(f"faces must ascend, but {placed[first]:g} is followed by {placed[first + 1]:g}")
    return placed


def _checked_boundary(boundary: str | Sequence[str]) -> tuple[str, str]:
    pair = (boundary, boundary) if isinstance(boundary, str) else tuple(boundary)
    if len(pair) != 2:
        raise GridError(f"boundary = {boundary!r} must be one name or a pair (lower side, upper side)")
    for side in pair:
        if side not in BOUNDARIES:
            hint = suggest(str(side), BOUNDARIES)
            raise GridError(f"boundary {side!r} is not one of {', '.join(BOUNDARIES)}{hint}")
    if ("periodic" in pair) and pair != ("periodic", "periodic"):
        raise GridError(f"boundary = {pair!r}: a periodic axis is periodic on both sides")
    return (pair[0], pair[1])


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise GridError(f"{name} = {value!r} is not a number") from None
    if not np.isfinite(number):
        raise GridError(f"{name} = {number} must be finite")
    return number
