"""Generators: dynamics on a grid as rate matrices."""

from __future__ import annotations

from typing import Any

from fpsolver.dynamics import SGD, JumpProcess, Langevin, MarkovNetwork, UnderdampedLangevin
from fpsolver.errors import DynamicsError, GridError
from fpsolver.generators.driven import DrivenGenerator
from fpsolver.generators.periodic import check_periodic_coefficients
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.grids import Grid

__all__ = ["DrivenGenerator", "Edge", "Generator", "generator"]


def generator(
    dynamics: Any, grid: Grid | None = None, scheme: str | None = None, *, floor: float | None = None
) -> Generator | DrivenGenerator:
    """Return the rate matrix of a dynamics on a grid.

    Parameters
    ----------
    dynamics : Langevin, UnderdampedLangevin, JumpProcess, SGD or MarkovNetwork
        The law of motion. The unit of time is one step for `SGD`, whose generator is K − 1 with the Markov operator K.
    grid : Grid
        Its position axes carry the names of the landscape's variables, in any order. A network brings its own states.
    scheme : str, optional
        For `Langevin`: "scharfetter-gummel" (default) or "sqra". For `UnderdampedLangevin`: "hermite" (default,
        spectral in velocity, not Markov) or "upwind" (Markov, first order).
    floor : float, optional
        Smallest eigenvalue to which a rank-deficient diffusion tensor is lifted (noted in ``W.notes``); without it such
        a tensor is refused.

    Returns
    -------
    Generator or DrivenGenerator
        The latter where a protocol makes the rates depend on time.

    Raises
    ------
    DynamicsError
        If `dynamics` has no generator on a grid.
    GridError
        If the grid does not fit it.

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.1)
    >>> W = fp.generator(dynamics, fp.Grid(x=(-2.5, 2.5, 100)))
    >>> bool(abs(W.matrix.sum(axis=0)).max() < 1e-9)
    True
    """
    if isinstance(dynamics, MarkovNetwork):
        from fpsolver.generators.matrix import network_generator

        if grid is not None or scheme is not None or floor is not None:
            raise DynamicsError("a network brings its own states: give fp.generator(network) and nothing else")
        return network_generator(dynamics)
    if not isinstance(dynamics, Langevin | UnderdampedLangevin | JumpProcess | SGD):
        raise DynamicsError(
            f"{dynamics!r} has no generator on a grid; give Langevin, UnderdampedLangevin, JumpProcess or SGD "
            "dynamics, or a MarkovNetwork without a grid"
        )
    if not isinstance(grid, Grid):
        raise GridError(f"{grid!r} is no grid; give for example fp.Grid(x=(-2, 2, 100))")
    if dynamics.driven:
        return DrivenGenerator(dynamics, grid, scheme, floor)
    if isinstance(dynamics, UnderdampedLangevin):
        from fpsolver.generators.kinetic import kinetic_generator

        return kinetic_generator(dynamics, grid, scheme or "hermite")
    if isinstance(dynamics, SGD):
        from fpsolver.generators.sgd_chain import chain_generator

        return chain_generator(dynamics, grid, scheme, floor=floor)
    if isinstance(dynamics, JumpProcess):
        from fpsolver.generators.jump import jump_generator

        return jump_generator(dynamics, grid, scheme)
    if grid.velocity:
        raise DynamicsError("Langevin dynamics has no velocities; leave velocity= out of the grid")
    check_periodic_coefficients(dynamics, grid)
    if "tensor" in (dynamics.mobility.kind, dynamics.noise.kind):
        from fpsolver.generators.tensor import tensor_generator

        return tensor_generator(dynamics, grid, scheme or "scharfetter-gummel", floor=floor)
    if floor is not None:
        raise DynamicsError(f"floor = {floor!r} lifts rank-deficient tensors; this noise is diagonal, leave it out")
    from fpsolver.generators.finite_volume import finite_volume_generator

    return finite_volume_generator(dynamics, grid, scheme or "scharfetter-gummel")
