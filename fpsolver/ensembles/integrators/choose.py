"""Which integrator serves a request."""

from __future__ import annotations

from fpsolver.dynamics import SGD, JumpProcess, Langevin, MarkovNetwork, UnderdampedLangevin
from fpsolver.ensembles.integrators.integrator import NOISES, PRECISIONS, Integrator, Request, check_scheme
from fpsolver.errors import InputError, suggest

OVERDAMPED = ("euler-maruyama", "heun", "weak-2", "leimkuhler-matthews", "ornstein-uhlenbeck")
MULTIPLICATIVE = ("euler-maruyama", "heun", "weak-2")
UNDERDAMPED = ("baoab", "obabo")
CHAINS = ("sgd",)
NETWORKS = ("direct",)


def default_scheme(dynamics: object) -> str:
    """Return the scheme that is taken unless another is asked for.

    Raises
    ------
    InputError
        If the dynamics has no trajectories.
    """
    if isinstance(dynamics, UnderdampedLangevin):
        return "baoab"
    if isinstance(dynamics, Langevin):
        return "euler-maruyama"
    if isinstance(dynamics, SGD):
        return "sgd"
    if isinstance(dynamics, MarkovNetwork):
        return "direct"
    if isinstance(dynamics, JumpProcess):
        return "direct" if dynamics.proposal.kind == "lattice" and not dynamics.driven else "thinning"
    raise InputError(f"{dynamics!r} is no dynamics; give an fp.Langevin, fp.UnderdampedLangevin or fp.SGD")


def integrator(request: Request) -> Integrator:
    """Return the integrator that serves a request.

    Raises
    ------
    InputError
        If an option is unknown.
    MethodError
        If the scheme cannot serve the request; the message names one that can.
    """
    for name, value, allowed in (("noise", request.noise, NOISES), ("precision", request.precision, PRECISIONS)):
        if value not in allowed:
            raise InputError(f"{name} = {value!r} is not one of {', '.join(allowed)}{suggest(str(value), allowed)}")
    dynamics = request.dynamics
    if isinstance(dynamics, UnderdampedLangevin):
        from fpsolver.ensembles.integrators.underdamped import underdamped_integrator

        check_scheme(request.scheme, UNDERDAMPED, "underdamped dynamics")
        return underdamped_integrator(request)
    if isinstance(dynamics, SGD):
        from fpsolver.ensembles.integrators.sgd import sgd_integrator

        check_scheme(request.scheme, CHAINS, "gradient descent, which is a scheme already")
        return sgd_integrator(request)
    if isinstance(dynamics, MarkovNetwork):
        from fpsolver.ensembles.integrators.network import network_integrator

        check_scheme(request.scheme, NETWORKS, "a network, whose trajectories are exact")
        return network_integrator(request)
    if isinstance(dynamics, JumpProcess):
        return _jumps(request)
    check_scheme(request.scheme, OVERDAMPED, "overdamped dynamics")
    if dynamics.mobility.varies or dynamics.noise.varies:
        from fpsolver.ensembles.integrators.multiplicative import multiplicative_integrator

        check_scheme(request.scheme, MULTIPLICATIVE, "mobility or diffusion that depend on the position")
        return multiplicative_integrator(request)
    from fpsolver.ensembles.integrators.additive import additive_integrator

    return additive_integrator(request)


def _jumps(request: Request) -> Integrator:
    """Return the integrator of a jump process."""
    from fpsolver.ensembles.integrators.jumps import jump_integrator
    from fpsolver.ensembles.jump_schemes import Thinning, jump_scheme

    scheme = jump_scheme(request.scheme)
    if isinstance(scheme, Thinning):
        return jump_integrator(request, scheme)
    from fpsolver.ensembles.integrators.lattice import lattice_integrator

    return lattice_integrator(request, scheme)
