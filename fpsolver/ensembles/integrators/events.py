"""What trajectories have in common whose jumps come at times of their own, not at time steps."""

from __future__ import annotations

from fpsolver.ensembles.integrators.integrator import LONGEST, Integrator, Request
from fpsolver.ensembles.space import space_of
from fpsolver.errors import MethodError


class EventIntegrator(Integrator):
    """Advances trajectories from event to event; steps are only distances of outputs."""

    @property
    def names(self) -> tuple[str, ...]:
        """Rows of a block: state, jumps and other events so far, time of the last, functionals."""
        return (*space_of(self.request.dynamics).names, *self.request.functionals.names)

    @property
    def longest(self) -> int:
        """Most steps of a segment: any number."""
        return LONGEST


def require_plain(request: Request, what: str) -> None:
    """Raise if a request asks jumps for what only time steps have.

    Raises
    ------
    MethodError
        With the reason.
    """
    if request.noise != "gaussian":
        raise MethodError(f'noise = "{request.noise}" is for time steps, and {what} jumps at times of its own')
    if request.precision != "double":
        raise MethodError(f'precision = "{request.precision}" could not count the events of {what}; leave it "double"')
    integrals = request.functionals.names[len(request.functionals.standard) :]
    if integrals:
        raise MethodError(
            f'the integral "{integrals[0]}" is a sum over time steps, and {what} jumps at times of its own; observe '
            "what is to be integrated at many times"
        )
