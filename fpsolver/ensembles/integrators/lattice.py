"""Trajectories of jump processes whose rates are known in closed form: exact, or by leaps over many jumps.

They are those on a lattice, and the linearised law with normal updates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fpsolver.device import launcher
from fpsolver.dynamics import JumpProcess
from fpsolver.dynamics.jump import LAWS
from fpsolver.ensembles.integrators.driven_rows import Drive
from fpsolver.ensembles.integrators.integrator import Failure, Request
from fpsolver.ensembles.integrators.jumps import KINDS, LandscapeJumps, check_jumps, compiled_functions, rows_of
from fpsolver.ensembles.jump_schemes import TauLeaping
from fpsolver.errors import MethodError
from fpsolver.kernels.cpu.leaps import Leap
from fpsolver.kernels.cpu.thinning import Law


@dataclass(frozen=True, eq=False)
class LatticeIntegrator(LandscapeJumps):
    """Jumps on a lattice, one by one or by leaps; linearised normal ones by leaps.

    Parameters
    ----------
    request, functions, parameters, law
        See `LandscapeJumps`.
    leap : Leap
        How far leaps go.
    """

    kernel: ClassVar[str] = "lattice_jumps"
    normal_kernel: ClassVar[str] = "normal_leaps"

    leap: Leap

    def segment(self, step: int, steps: int) -> Any:
        """Return the arguments of the kernel for the given steps."""
        end, rows = (step + steps) * self.request.dt, rows_of(self.names, self.request.dynamics)
        return step, end, *self.request.key, self.functions, self.parameters, self.law, rows, self.leap

    def advance(self, segment: Any, states: np.ndarray, counts: np.ndarray, first: int) -> Failure:
        """Advance blocks in place; safe in several threads."""
        lattice = self.request.dynamics.proposal.kind == "lattice"
        kernel = launcher(self.request.device, self.kernel if lattice else self.normal_kernel)
        return kernel.advance(states, counts, first, *segment)

    def reason(self, state: np.ndarray) -> str:
        """Return why a trajectory could not go on from a state."""
        return "There, or next to it, the loss is not a number or so low that the rate of jumps is beyond all numbers"


def lattice_integrator(request: Request, scheme: Any) -> LatticeIntegrator:
    """Return the integrator of a jump process on a lattice.

    Raises
    ------
    DeviceError, MethodError
        If the request cannot be served.
    """
    launcher(request.device, LatticeIntegrator.kernel)
    check_jumps(request)
    dynamics: JumpProcess = request.dynamics
    leaping = isinstance(scheme, TauLeaping)
    normal = leaping and (dynamics.law, dynamics.proposal.kind) == ("linearised", "gaussian")
    if dynamics.proposal.kind != "lattice" and not normal:
        other = " or a linearised law with normal updates" if leaping else ""
        raise MethodError(f'scheme = "{scheme}" needs jumps on a lattice{other}; choose "thinning", which is exact')
    if dynamics.driven:
        raise MethodError(
            f'scheme = "{scheme}" holds rates fixed between jumps, which a protocol changes; choose "thinning" with '
            'law = "metropolis" or "glauber"'
        )
    functions, parameters = compiled_functions(dynamics, Drive((), (), -1), leaping or dynamics.law == "linearised")
    d = dynamics.landscape.dimension
    rate = 1.0 if functions.has_rate else float(dynamics.attempt_rate.constant)
    law = Law(
        LAWS.index(dynamics.law), KINDS.index(dynamics.proposal.kind), dynamics.proposal.for_dimension(d), 0.0,
        dynamics.temperature, rate, 0.0, False, 0.0, False, -1,
    )  # fmt: skip
    leap = Leap(scheme.tolerance, scheme.least_gain, request.dt) if leaping else Leap(0.0, 0.0, request.dt)
    return LatticeIntegrator(request, functions, parameters, law, leap)
