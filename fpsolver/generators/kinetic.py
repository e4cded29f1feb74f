"""Generators of underdamped (Klein–Kramers) dynamics: spectral or monotone in velocity."""

from __future__ import annotations

from collections.abc import Sequence

from fpsolver.dynamics.underdamped import UnderdampedLangevin
from fpsolver.errors import GridError, MethodError, suggest
from fpsolver.generators.rate_matrix import Generator
from fpsolver.grids import Grid

SCHEMES = ("hermite", "upwind")


def kinetic_generator(
    dynamics: UnderdampedLangevin,
    grid: Grid,
    scheme: str = "hermite",
    *,
    functions: int | Sequence[int] | None = None,
    reference: UnderdampedLangevin | None = None,
) -> Generator:
    """Return the generator of dx = v dt, dv = −∇L/m dt − γv dt + √(2γT/m) dW on a grid with velocity axes.

    A kinetic operator cannot be both Markov and of second order. "hermite" is of second order in the position cell
    width and spectral in velocity, but densities may become slightly negative; "upwind" keeps them non-negative and is
    of first order. Its numerical diffusion |v|h/2 along x swamps the physics unless h is small against both s/γ and
    sγ/ω², with s = √(T/m) and ω the frequency of the wells: γ ≪ ω and γ ≫ ω are for "hermite". Both keep the Gibbs
    state e^{−(mv²/2 + L)/T} stationary to rounding.

    Parameters
    ----------
    dynamics : UnderdampedLangevin
        Undriven dynamics.
    grid : Grid
        One or two position axes, each with a velocity axis.
    scheme : {"hermite", "upwind"}
        Discretisation.
    functions : int or sequence of int, optional
        For "hermite": number of Hermite functions, for every velocity axis or one each; by default as many as the axis
        has cells. For the slowest rate of a double well to 1e-3, with frequencies of order one, γ ≥ 1 needs 8, γ = 0.1
        64 and γ = 0.01 512 (`fpsolver.validation.kinetic_orders`).
    reference : UnderdampedLangevin, optional
        For "hermite": dynamics whose Gibbs state scales the state vector, so that the generators of driven dynamics at
        different times act on the same states. By default `dynamics` itself. "upwind" has no need of it.

    Raises
    ------
    GridError
        If the grid has no velocity axes, does not fit the landscape, or the scheme is unknown.
    DynamicsError
        If the temperature is zero.
    MethodError
        If the scheme cannot serve the problem, for example absorbing walls with "hermite".

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.UnderdampedLangevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.25, friction=1.0)
    >>> grid = fp.Grid(x=(-3, 3, 60), velocity={"x": (-4, 4, 40)})
    >>> kinetic_generator(dynamics, grid).markov, kinetic_generator(dynamics, grid, "upwind").markov
    (False, True)
    """
    if scheme not in SCHEMES:
        raise GridError(f"scheme = {scheme!r} is not one of {', '.join(SCHEMES)}{suggest(str(scheme), SCHEMES)}")
    if dynamics.driven:
        raise MethodError("the dynamics is driven; give the dynamics at one time, dynamics.at(t)")
    if scheme == "hermite":
        from fpsolver.generators.hermite import hermite_generator

        return hermite_generator(dynamics, grid, functions, reference)
    if functions is not None:
        raise MethodError(f"functions = {functions!r} has no meaning for the upwind scheme; leave it out")
    from fpsolver.generators.kinetic_upwind import upwind_generator

    return upwind_generator(dynamics, grid)


def frozen_kinetic_generator(dynamics: UnderdampedLangevin, grid: Grid, scheme: str, t: float) -> Generator:
    """Return the generator of driven dynamics at one time; those of all times act on the same states.

    Parameters
    ----------
    dynamics : UnderdampedLangevin
        Dynamics with a protocol.
    grid : Grid
        The grid.
    scheme : {"hermite", "upwind"}
        Discretisation.
    t : float
        Time.

    Raises
    ------
    MethodError
        If the temperature is driven and the scheme is "hermite", whose functions belong to one temperature.
    """
    if scheme == "hermite" and "temperature" in (dynamics.protocol or {}):
        raise MethodError(
            "the protocol drives the temperature, but Hermite functions of velocity belong to one temperature; "
            'choose scheme="upwind"'
        )
    return kinetic_generator(dynamics.at(t), grid, scheme, reference=dynamics.at(0.0))
