"""First-passage times in one dimension by exact quadrature: any moment, any D(x), in each convention."""

from __future__ import annotations

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.line_diffusion import LineDiffusion, driven_by, of, positive_diffusion, thermal
from fpsolver.theory.panels import Floats, Panels, resolve

__all__ = ["LineDiffusion", "driven_by", "mean_time", "moments", "of", "splitting_probability", "thermal"]

_REFERENCE = "C. W. Gardiner, Handbook of Stochastic Methods, section 5.2; L. Pontryagin, A. Andronov, A. Vitt (1933)"
# An infinite range is cut where the stationary weight has fallen by e^−60.
_NEGLIGIBLE = 60.0
# ln ψ may span this much before e^{…} leaves the range of floating point.
_SPAN = 1300.0


def mean_time(
    process: LineDiffusion, start: float, target: float | tuple[float, float], *, reflecting: float | None = None
) -> Estimate:
    """Return the mean time to reach a target: τ = ∫_start^target dy/ψ(y) ∫_r^y ψ(z)/D(z) dz, ψ = D^α e^{∫b/D}.

    Parameters
    ----------
    process : LineDiffusion
        The motion.
    start : float
        Where it begins.
    target : float or tuple of float
        The point to reach, or two, either of which ends the motion.
    reflecting : float, optional
        With one target: where a wall reflects, on the other side of the start. By default there is none.

    Returns
    -------
    Estimate
        Time, exact.

    Raises
    ------
    TheoryError
        If the start is not between the ends, or the motion is not confined on the side without a target.

    Examples
    --------
    >>> from fpsolver.landscapes import Landscape
    >>> process = thermal(Landscape("x**4/4 - x**2/2"), temperature=0.05)
    >>> round(float(mean_time(process, -1.0, 1.0)), 6)
    729.670692
    """
    return moments(process, start, target, order=1, reflecting=reflecting)[0]


def moments(
    process: LineDiffusion,
    start: float,
    target: float | tuple[float, float],
    *,
    order: int = 2,
    reflecting: float | None = None,
) -> tuple[Estimate, ...]:
    """Return ⟨τ⟩, ⟨τ²⟩, … of the first-passage time: Tₙ solves (b + αD')Tₙ' + DTₙ'' = −nTₙ₋₁.

    Parameters
    ----------
    process, start, target, reflecting
        As for `mean_time`.
    order : int
        The highest moment.

    Returns
    -------
    tuple of Estimate
        Exact. Every sum has terms of one sign, so that relative accuracy is kept at any barrier.

    Raises
    ------
    TheoryError
        As `mean_time` does, and where a moment is beyond floating point.
    """
    if not (isinstance(order, int) and order >= 1):
        raise TheoryError(f"order = {order!r} must be a positive integer")
    panels, inverse, weight, at, absorbing = _prepared(process, start, target, reflecting)
    previous = np.ones_like(weight)
    found = []
    for n in range(1, order + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            if absorbing == 2:
                from_left, left_edges = panels.from_left(inverse)
                from_right, right_edges = panels.from_right(inverse)
                below, below_edges = panels.from_left(from_left * weight * previous * n)
                above, above_edges = panels.from_right(from_right * weight * previous * n)
                total = left_edges[-1]
                previous = (from_right * below + from_left * above) / total
                edges = (right_edges * below_edges + left_edges * above_edges) / total
            else:
                inner, _ = panels.from_left(weight * previous * n)
                previous, edges = panels.from_right(inverse * inner)
        if not np.isfinite(edges[at]):
            raise TheoryError(f"⟨τ^{n}⟩ is beyond floating point at such a barrier: raise the temperature")
        found.append(Estimate(float(edges[at]), (), 0.0, _REFERENCE))
    return tuple(found)


def splitting_probability(process: LineDiffusion, start: float, ends: tuple[float, float]) -> Estimate:
    """Return the probability to reach the second of two ends first: ∫_a^start dy/ψ / ∫_a^b dy/ψ.

    Parameters
    ----------
    process, start
        As for `mean_time`.
    ends : tuple of float
        a and b, in any order.
    """
    panels, inverse, _, at, _ = _prepared(process, start, (min(ends), max(ends)), None)
    _, left = panels.from_left(inverse)
    _, right = panels.from_right(inverse)
    value = (left[at] if ends[1] > ends[0] else right[at]) / left[-1]
    return Estimate(float(value), (), 0.0, "C. W. Gardiner, Handbook of Stochastic Methods, section 5.2")


def _prepared(
    process: LineDiffusion, start: float, target: float | tuple[float, float], reflecting: float | None
) -> tuple[Panels, Floats, Floats, int, int]:
    """Return panels, 1/ψ and ψ/D at their nodes, which edge the start is, and the number of absorbing ends.

    The target, or the upper of two, is at the right end: the line is mirrored where need be.
    """
    ends = np.atleast_1d(np.asarray(target, dtype=float))
    if ends.shape not in ((1,), (2,)) or not np.isfinite(ends).all():
        raise TheoryError(f"target = {target!r} must be one finite position, or two")
    start = float(start)
    if len(ends) == 2:
        if reflecting is not None:
            raise TheoryError("two targets leave no room for a reflecting wall")
        sign, lower, upper = 1.0, float(ends.min()), float(ends.max())
    else:
        sign = 1.0 if ends[0] >= start else -1.0
        upper = sign * float(ends[0])
        lower = _limit(process, sign, sign * start, upper) if reflecting is None else sign * float(reflecting)
    if not lower <= sign * start <= upper or lower >= upper:
        raise TheoryError(
            f"start = {start!r} must lie between the ends, {sign * lower:g} and {sign * upper:g}, which must differ"
        )
    begin = np.unique(np.concatenate([np.linspace(lower, upper, 17), [sign * start]]))
    panels = resolve(begin, lambda p: _scaled(process, sign, p))
    log_weight = _log_weight(process, sign, panels)
    middle = (log_weight.max() + log_weight.min()) / 2.0
    if log_weight.max() - log_weight.min() > _SPAN:
        raise TheoryError(
            f"the weight of the motion spans e^{log_weight.max() - log_weight.min():.0f}, beyond floating point: "
            "raise the temperature, or put a reflecting wall nearer"
        )
    inverse, psi = np.exp(middle - log_weight), np.exp(log_weight - middle)
    weight = psi / positive_diffusion(process, sign * panels.nodes)
    return panels, inverse, weight, int(np.searchsorted(panels.edges, sign * start)), len(ends)


def _log_weight(process: LineDiffusion, sign: float, panels: Panels) -> Floats:
    """Return ln ψ = α ln D − Φ at the nodes, up to a constant."""
    x = sign * panels.nodes
    if process.exponent is not None:
        phi = np.asarray(process.exponent(x), dtype=float)
    else:
        assert process.slope is not None
        phi, _ = panels.from_left(sign * np.asarray(process.slope(x), dtype=float))
    if not np.isfinite(phi).all():
        raise TheoryError("the drift or landscape is not finite on the way to the target")
    return process.weight * np.log(positive_diffusion(process, x)) - phi


def _scaled(process: LineDiffusion, sign: float, panels: Panels) -> list[Floats]:
    """Return what has to be resolved, each panel by itself: ψ and 1/ψ relative to their means, D, and Φ'."""
    noise = positive_diffusion(process, sign * panels.nodes)
    log_weight = _log_weight(process, sign, panels)
    inside = np.clip(log_weight - log_weight.mean(axis=1, keepdims=True), -600.0, 600.0)
    functions = [np.exp(inside), np.exp(-inside), noise]
    if process.slope is not None:
        # Where the drift vanishes throughout, there is nothing to resolve.
        slope = np.asarray(process.slope(sign * panels.nodes), dtype=float)
        functions.append(slope + np.abs(slope).max() + 1.0)
    return functions


def _limit(process: LineDiffusion, sign: float, start: float, upper: float) -> float:
    """Return where the stationary weight ψ/D has become negligible, to the left of the start."""
    wall = sign * process.domain[0] if sign > 0 else sign * process.domain[1]
    reach = max(upper - start, 1e-3 * max(abs(start), 1.0))
    for _ in range(200):
        lower = max(start - reach, wall)
        panels = Panels(np.linspace(lower, max(start, lower + 1e-9 * reach), 129))
        weight = _log_weight(process, sign, panels) - np.log(positive_diffusion(process, sign * panels.nodes))
        if weight.max() - weight[0, 0] > _NEGLIGIBLE:
            # The nearest such place, so that what lies beyond does not cost panels.
            far = np.flatnonzero(weight.max() - weight[:, 0] > _NEGLIGIBLE)
            contiguous = far[far == np.arange(len(far))]
            return float(panels.edges[contiguous[-1]])
        if lower == wall:
            return wall
        reach *= 1.25
    raise TheoryError(
        f"nothing confines the motion on the side of {sign * lower:.3g}: the mean time is infinite, or give "
        "reflecting=, the position of a wall"
    )
