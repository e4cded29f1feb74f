"""Protocols: how a parameter depends on time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from fpsolver.errors import DynamicsError


@dataclass(frozen=True)
class Protocol:
    """A parameter as a function of time.

    Parameters
    ----------
    expression : str
        Formula in ``t``.
    breakpoints : sequence of float
        Times at which the formula jumps or has a kink; no time step crosses them. Where ``sign`` or a condition of
        ``Piecewise`` switches on something linear in ``t``, its time is added; others must be given.

    Raises
    ------
    DynamicsError
        If the expression contains anything but ``t``, breakpoints do not ascend, or none are given although the
        formula may jump at times that cannot be read off it.

    See Also
    --------
    Protocol.ramp, Protocol.step, Protocol.sinusoid, Protocol.tabulated

    Examples
    --------
    >>> stiffness = Protocol("1 + t")
    >>> float(stiffness(0.5))
    1.5
    >>> float(Protocol.ramp(1.0, 2.0, duration=4.0)(9.0))
    2.0
    """

    expression: str
    breakpoints: tuple[float, ...] = ()
    _function: Callable[[np.ndarray], np.ndarray] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "breakpoints", _ascending("breakpoints", self.breakpoints))
        if self._function is None:
            object.__setattr__(self, "_function", _formula(self.expression))
            object.__setattr__(self, "breakpoints", _with_jumps(self.expression, self.breakpoints))

    def __call__(self, t: Any) -> np.ndarray:
        """Return the value at time `t` (array-like)."""
        assert self._function is not None
        time = np.asarray(t, dtype=float)
        return np.broadcast_to(self._function(time), time.shape)

    def __reduce__(self) -> Any:
        if isinstance(self._function, _Table):
            return (Protocol.tabulated, (self._function.times, self._function.values))
        return (Protocol, (self.expression, self.breakpoints))

    @classmethod
    def ramp(cls, start: float, stop: float, *, duration: float, begin: float = 0.0) -> Protocol:
        """Return a linear ramp from `start` to `stop` that begins at time `begin` and takes `duration`."""
        if not duration > 0:
            raise DynamicsError(f"duration = {duration!r} of a ramp must be positive; use Protocol.step for a jump")
        return cls.tabulated([begin, begin + duration], [start, stop])

    @classmethod
    def step(cls, before: float, after: float, *, time: float) -> Protocol:
        """Return a jump from `before` to `after`; at `time` itself the value is `after`."""
        return cls(f"Piecewise(({before!r}, t < {time!r}), ({after!r}, True))", breakpoints=(time,))

    @classmethod
    def sinusoid(cls, mean: float, amplitude: float, *, period: float, phase: float = 0.0) -> Protocol:
        """Return ``mean + amplitude sin(2π t/period + phase)``."""
        if not period > 0:
            raise DynamicsError(f"period = {period!r} of a sinusoid must be positive")
        return cls(f"{mean!r} + {amplitude!r}*sin(2*pi*t/{period!r} + {phase!r})")

    @classmethod
    def tabulated(cls, times: Sequence[float], values: Sequence[float]) -> Protocol:
        """Return the piecewise linear function through a table, constant before and after it."""
        moments = _ascending("times", times)
        levels = tuple(float(value) for value in values)
        if len(moments) != len(levels) or len(moments) < 2:
            raise DynamicsError(f"a table needs as many values as times, at least two: {len(moments)}, {len(levels)}")
        if not np.isfinite(levels).all():
            raise DynamicsError(f"values = {levels}: a table must be finite")
        name = (
            f"table of {len(moments)} points from ({moments[0]:g}, {levels[0]:g}) to ({moments[-1]:g}, {levels[-1]:g})"
        )
        return cls(name, breakpoints=moments, _function=_Table(moments, levels))


@dataclass(frozen=True)
class _Table:
    times: tuple[float, ...]
    values: tuple[float, ...]

    def __call__(self, t: np.ndarray) -> np.ndarray:
        return np.interp(t, self.times, self.values)


def as_protocol(name: str, given: Any) -> Protocol:
    """Return a protocol from a protocol, an expression in ``t`` or a number."""
    if isinstance(given, Protocol):
        return given
    if isinstance(given, str):
        return Protocol(given)
    if isinstance(given, int | float) and not isinstance(given, bool):
        return Protocol(repr(float(given)))
    raise DynamicsError(f"protocol of {name!r} = {given!r} is neither a Protocol nor an expression in t")


def _formula(expression: str) -> Callable[[np.ndarray], np.ndarray]:
    from fpsolver.landscapes.compiled_expressions import compile_expressions

    compiled = compile_expressions([expression])
    return lambda t: compiled(t=t)[0]


def _with_jumps(expression: str, declared: tuple[float, ...]) -> tuple[float, ...]:
    """Return the declared breakpoints and the times at which the formula's switches change sign.

    An adaptive integrator that samples between jumps cannot see them, so that its error estimate would be wrong.
    """
    times = list(declared)
    for switch in _switches(expression):
        root = _linear_root(_formula(switch))
        if root is None and not declared:
            raise DynamicsError(
                f"the formula {expression!r} may jump where {switch} changes sign; give those times as breakpoints="
            )
        if root is not None and np.isfinite(root) and all(abs(root - t) > 1e-12 * max(1.0, abs(t)) for t in times):
            times.append(root)
    return tuple(sorted(times))


def _switches(expression: str) -> Iterator[str]:
    """Yield the expressions at whose zeros `sign` and the conditions of `Piecewise` switch."""
    for node in ast.walk(ast.parse(expression.strip(), mode="eval")):
        if isinstance(node, ast.Compare):
            sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
            yield from (f"({left}) - ({right})" for left, right in pairwise(sides))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sign":
            yield ast.unparse(node.args[0])


def _linear_root(switch: Callable[[np.ndarray], np.ndarray]) -> float | None:
    """Return the zero of a linear function of time, infinity if it has none, or None if it is not linear."""
    probes = np.array([0.0, 1.0, 2.7182818, -3.3019272, 57.721566])
    with np.errstate(all="ignore"):
        values = np.broadcast_to(switch(probes), probes.shape)
    slope = values[1] - values[0]
    scale = np.abs(values).max()
    if not np.allclose(values, values[0] + slope * probes, rtol=0, atol=1e-11 * scale):
        return None
    if abs(slope) <= 1e-14 * scale:
        return np.inf
    # For a switch such as t − 0.7 the slope is one to rounding, and the constant is the time to the last digit.
    nearest = np.round(slope)
    return float(-values[0] / (nearest if nearest and abs(slope - nearest) < 1e-12 * scale else slope))


def _ascending(name: str, times: Sequence[float]) -> tuple[float, ...]:
    moments = tuple(float(time) for time in times)
    if not np.isfinite(moments).all() or any(b <= a for a, b in pairwise(moments)):
        raise DynamicsError(f"{name} = {moments} must be finite and ascend")
    return moments
