"""Windows of time in which the rates of driven jumps are bounded."""

from __future__ import annotations

import numpy as np

from fpsolver.dynamics import JumpProcess, Protocol
from fpsolver.ensembles.integrators.driven_rows import TEMPERATURE, Drive
from fpsolver.ensembles.jump_schemes import Thinning
from fpsolver.errors import MethodError
from fpsolver.kernels.cpu.thinning import Windows

SAMPLES = 8
"""Parts of a window at whose ends protocols are looked at."""
MOST = 10_000_000
"""Most windows between two outputs."""
MOST_DRIVEN = 4
"""Most driven parameters: a bound takes the loss at all corners of their ranges."""


def window_of(dynamics: JumpProcess, scheme: Thinning, drive: Drive) -> float:
    """Return the length of the windows.

    Raises
    ------
    MethodError
        If the loss is not linear in the driven parameters, or the length must be given.
    """
    if len(drive.parameters) > MOST_DRIVEN or not _is_linear(dynamics, drive.parameters):
        raise MethodError(
            f'law = "{dynamics.law}" needs a bound of the loss while {", ".join(drive.parameters)} change: known for '
            f'{MOST_DRIVEN} of them at most, all of which enter linearly; take law = "metropolis" or "glauber"'
        )
    if scheme.window is not None:
        return float(scheme.window)
    if dynamics.attempt_rate.constant is None:
        raise MethodError(
            "with a protocol and an attempt rate that varies, give the time over which rates are bounded at once, some "
            "waiting times between attempts, as scheme = fp.Thinning(window=…)"
        )
    return 1.0 / float(dynamics.attempt_rate.constant)


def _is_linear(dynamics: JumpProcess, parameters: tuple[str, ...]) -> bool:
    """Return whether the loss is a sum of terms with one driven parameter each, to the first power."""
    if not parameters:
        return True
    import sympy

    from fpsolver.landscapes.expression import check_syntax
    from fpsolver.landscapes.symbolic import to_sympy

    if dynamics.landscape.expression is None:
        return False
    loss = to_sympy(check_syntax(dynamics.landscape.expression))
    names = {symbol.name: symbol for symbol in loss.free_symbols}
    driven = [names[name] for name in parameters]
    return all(sympy.simplify(sympy.diff(loss, a, b)) == 0 for a in driven for b in driven)


def windows_between(dynamics: JumpProcess, length: float, begin: float, end: float) -> Windows:
    """Return the windows that cover a time; they begin at multiples of their length, whatever the time.

    Ranges come from samples, widened by the largest step between two of them; simulations watch whether they hold.

    Raises
    ------
    MethodError
        If there are too many.
    """
    if length == 0.0:
        return Windows(0.0, 0, np.zeros((1, 0)), np.zeros((1, 0)), np.ones(1))
    first, behind = int(np.floor(begin / length)), int(np.ceil(end / length)) + 1
    if behind - first > MOST:
        raise MethodError(
            f"there are {behind - first} windows of {length:g} up to t = {end:g}, in which rates are bounded; give "
            "more output times, or scheme = fp.Thinning(window=…)"
        )
    protocols = dict(dynamics.protocol or {})
    temperature = protocols.pop(TEMPERATURE, None)
    ranges = [_range(protocol, length, first, behind) for protocol in protocols.values()]
    lowest = np.full(behind - first, dynamics.temperature)
    if temperature is not None:
        lowest = _range(temperature, length, first, behind)[0]
        if not (lowest > 0.0).all():
            # Widened ranges of a positive protocol may reach below zero where it is steep.
            raise MethodError("the temperature falls too steeply to be bounded from below; give a shorter window")
    empty = np.zeros((behind - first, 0))
    low = np.stack([one[0] for one in ranges], axis=1) if ranges else empty
    high = np.stack([one[1] for one in ranges], axis=1) if ranges else empty
    return Windows(length, first, np.ascontiguousarray(low), np.ascontiguousarray(high), lowest)


def _range(protocol: Protocol, length: float, first: int, behind: int) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper values of a protocol in every window."""
    windows = np.arange(first, behind)
    shares = np.linspace(0.0, 1.0, SAMPLES + 1)
    values = np.asarray(protocol((windows[:, None] + shares) * length))
    margin = np.abs(np.diff(values, axis=1)).max(axis=1)
    return values.min(axis=1) - margin, values.max(axis=1) + margin
