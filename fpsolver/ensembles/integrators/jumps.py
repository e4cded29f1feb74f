"""Trajectories of jump processes on a landscape: exact, by thinning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fpsolver.device import launcher
from fpsolver.dynamics import JumpProcess
from fpsolver.dynamics.jump import LAWS, SEPARABLE
from fpsolver.dynamics.proposals import Proposal
from fpsolver.ensembles.integrators.driven_rows import Drive, drive_of
from fpsolver.ensembles.integrators.events import EventIntegrator, require_plain
from fpsolver.ensembles.integrators.integrator import Request
from fpsolver.ensembles.integrators.windows import window_of, windows_between
from fpsolver.ensembles.jump_schemes import Thinning
from fpsolver.ensembles.loss_bounds import least_curvature, least_loss
from fpsolver.errors import MethodError
from fpsolver.kernels.cpu import thinning
from fpsolver.kernels.cpu.thinning import Functions, Law, Rows
from fpsolver.landscapes.block_functions import expression_blocks, nothing

KINDS = ("gaussian", "uniform", "laplace", "student", "stable", "lattice")
TILTED = ("gaussian", "uniform", "laplace")
"""Proposals whose tilted densities have closed integrals."""
INITIAL_LOSS, HEAT = "initial_loss", "heat"
REFUSED = {
    "shadow_work": "is what time steps add to the energy, and jumps come at times of their own; leave it out",
    "entropy_flow_midpoint": 'has no meaning for jumps; choose "entropy_flow", which is exact',
}


@dataclass(frozen=True, eq=False)
class LandscapeJumps(EventIntegrator):
    """Jumps on a landscape at their own times.

    Parameters
    ----------
    request : Request
        What is to be simulated.
    functions : Functions
        Compiled functions of the landscape.
    parameters : ndarray
        What they take.
    law : Law
        Rates, proposals and bounds.
    """

    request: Request
    functions: Functions
    parameters: np.ndarray
    law: Law


@dataclass(frozen=True, eq=False)
class JumpIntegrator(LandscapeJumps):
    """Jumps on a landscape by thinning.

    Parameters
    ----------
    request, functions, parameters, law
        See `LandscapeJumps`.
    window : float
        Length of the windows of time in which driven rates are bounded, zero where they need none.
    """

    kernel: ClassVar[str] = "thinning"

    window: float

    @property
    def names(self) -> tuple[str, ...]:
        """Rows of a block: coordinates, jumps, attempts, time of the last, functionals, and what work needs."""
        return (*super().names, *hidden_rows(self.request.functionals.names, self.request.dynamics.driven))

    def segment(self, step: int, steps: int) -> Any:
        """Return the arguments of the kernel for the given steps."""
        dt = self.request.dt
        moments = step * dt, (step + steps) * dt
        rows = rows_of(self.names, self.request.dynamics)
        windows = windows_between(self.request.dynamics, self.window, *moments)
        return step, *moments, *self.request.key, self.functions, self.parameters, self.law, windows, rows

    def figures(self, states: np.ndarray, n: int) -> dict[str, float]:
        """Return attempts per jump."""
        return attempts_per_jump(self.names, states, n)

    def reason(self, state: np.ndarray) -> str:
        """Return why a trajectory could not go on from a state."""
        dynamics: JumpProcess = self.request.dynamics
        point = state[: dynamics.landscape.dimension]
        loss = float(dynamics.landscape.value(point))
        if not np.isfinite(loss):
            return f"The loss is {loss} there"
        over, most = self._log_bound(point, loss)
        if over > most:
            return (
                f"There attempts would come e^({over:.3g}) times as often as at a minimum, so steep or high is the "
                "loss for this temperature and proposal: begin nearer to a minimum, raise the temperature, make the "
                'proposal narrower, or take law = "metropolis"'
            )
        if self.law.has_least and loss < self.law.least:
            return f"The loss is {loss:g} there, below least_loss = {self.law.least:g}; give a bound that holds"
        bounds = [f"{self.law.least:g} of the loss"] if self.law.has_least else []
        bounds += [f"{-self.law.bend:g} of its curvature"] if self.law.has_bend else []
        if not bounds:
            return "A jump tried from there ends where the loss is not a number"
        return (
            f"A jump tried from there shows that the lower bound {' or '.join(bounds)} does not hold, or ends where "
            "the loss is not a number; give bounds that hold as fp.Thinning(least_loss=…, least_curvature=…)"
        )

    def _log_bound(self, point: np.ndarray, loss: float) -> tuple[float, float]:
        """Return by how much attempts are more frequent at a point than A, and than they may be, as logarithms."""
        dynamics: JumpProcess = self.request.dynamics
        c = (1.0 if dynamics.law == "arrhenius" else 0.5) / dynamics.temperature
        plain = c * (loss - self.law.least) if self.law.has_least else np.inf
        if dynamics.law == "linearised" or self.law.has_bend:
            scales = self.law.scales
            if dynamics.proposal.kind == "gaussian":
                scales = scales / np.sqrt(1.0 - c * self.law.bend * scales**2)
            assert isinstance(dynamics.proposal, Proposal)
            slope = dynamics.landscape.gradient(point)
            with np.errstate(over="ignore"):
                moments = dynamics.proposal.exponential_moment(c * scales * slope)
                tilted = float(np.log(moments).sum())
            if tilted < plain:
                return tilted, thinning.FAST
        return (plain if dynamics.law in SEPARABLE else 0.0), thinning.LOOSE


def hidden_rows(given: tuple[str, ...], driven: bool) -> tuple[str, ...]:
    """Return the rows that the work of protocols is made from, besides those that were asked for."""
    if "work" not in given or not driven:
        return ()
    return (INITIAL_LOSS,) if HEAT in given else (HEAT, INITIAL_LOSS)


def rows_of(names: tuple[str, ...], dynamics: JumpProcess) -> Rows:
    """Return where the kernel finds what trajectories carry."""
    place = {name: k for k, name in enumerate(names)}
    work = place.get("work", -1) if dynamics.driven else -1  # without protocols it stays zero
    flow, heat, initial = (place.get(name, -1) for name in ("entropy_flow", HEAT, INITIAL_LOSS))
    return Rows(place["jumps"], place["attempts"], place["last_attempt"], flow, heat, work, initial)


def attempts_per_jump(names: tuple[str, ...], states: np.ndarray, n: int) -> dict[str, float]:
    """Return the figure of that name for an ensemble."""
    totals = [float(states[:, names.index(name)].ravel()[:n].sum()) for name in ("attempts", "jumps")]
    return {"attempts_per_jump": totals[0] / totals[1]} if totals[1] else {}


def check_jumps(request: Request) -> None:
    """Raise unless a jump process can serve a request.

    Raises
    ------
    MethodError
        With the reason.
    """
    require_plain(request, "a jump process")
    for name, reason in REFUSED.items():
        request.functionals.refuse((name,), reason)
    dynamics: JumpProcess = request.dynamics
    if dynamics.attempt_rate.texts is None:
        raise MethodError(
            f"attempt_rate = {dynamics.attempt_rate.given!r} is a Python function, which trajectories cannot call; "
            "give an expression"
        )


def jump_integrator(request: Request, scheme: Thinning) -> JumpIntegrator:
    """Return the integrator of a jump process by thinning.

    Raises
    ------
    DeviceError, MethodError
        If the request cannot be served.
    """
    launcher(request.device, JumpIntegrator.kernel)
    check_jumps(request)
    dynamics: JumpProcess = request.dynamics
    if dynamics.proposal.kind == "lattice" and dynamics.law not in ("metropolis", "glauber"):
        raise MethodError(f'law = "{dynamics.law}" on a lattice needs no thinning; choose scheme = "direct"')
    drive = drive_of(dynamics)
    least, bend = _bounds(dynamics, scheme)
    window = window_of(dynamics, scheme, drive) if dynamics.law in SEPARABLE and dynamics.driven else 0.0
    functions, parameters = compiled_functions(dynamics, drive, bend is not None or dynamics.law == "linearised")
    law = Law(
        LAWS.index(dynamics.law),
        KINDS.index(dynamics.proposal.kind),
        dynamics.proposal.for_dimension(dynamics.landscape.dimension),
        float(getattr(dynamics.proposal, "degrees", getattr(dynamics.proposal, "index", 0.0))),
        dynamics.temperature,
        float(dynamics.attempt_rate.constant) if not functions.has_rate else 1.0,
        0.0 if least is None else least,
        least is not None,
        0.0 if bend is None else bend,
        bend is not None,
        drive.temperature_row,
    )
    return JumpIntegrator(request, functions, parameters, law, window)


def _bounds(dynamics: JumpProcess, scheme: Thinning) -> tuple[float | None, float | None]:
    """Return a lower bound of the loss and minus one of its curvature, None where they are not needed or not known."""
    if dynamics.law == "linearised" and dynamics.driven:
        raise MethodError(
            'law = "linearised" with a protocol: its rates have no bound that holds at all times; take law = "half", '
            '"metropolis" or "glauber", or the density, fp.evolve(fp.generator(process, grid), …)'
        )
    if dynamics.law not in SEPARABLE:
        return None, None
    if dynamics.driven and scheme.least_loss is None and set(dynamics.protocol or {}) != {"temperature"}:
        raise MethodError(
            f'law = "{dynamics.law}" with a protocol of the landscape: give a number that the loss never falls below, '
            'at any time, as scheme = fp.Thinning(least_loss=…), or take law = "metropolis" or "glauber"'
        )
    least = scheme.least_loss if scheme.least_loss is not None else least_loss(dynamics.landscape)
    curvature = None
    if dynamics.proposal.kind in TILTED and not dynamics.driven:
        curvature = scheme.least_curvature
        curvature = least_curvature(dynamics.landscape) if curvature is None else curvature
    if curvature is not None and not _tilt_converges(dynamics, -curvature):
        curvature = None
    if least is None and curvature is None:
        raise MethodError(
            f'law = "{dynamics.law}" on {dynamics.landscape!r}: no lower bound of the loss was found, and rates have '
            "no upper one without; give scheme = fp.Thinning(least_loss=…) if there is one"
        )
    return least, None if curvature is None else -curvature


def _tilt_converges(dynamics: JumpProcess, bend: float) -> bool:
    c = (1.0 if dynamics.law == "arrhenius" else 0.5) / dynamics.temperature
    if dynamics.proposal.kind == "gaussian":
        return bool((c * bend * dynamics.proposal.scales**2 < 1.0).all())
    return dynamics.proposal.kind == "uniform" or bend <= 0.0


def compiled_functions(dynamics: JumpProcess, drive: Drive, slope: bool) -> tuple[Functions, np.ndarray]:
    """Compile loss, gradient, attempt rate and what is driven, and return the parameters that they take."""
    landscape, rate = dynamics.landscape, dynamics.attempt_rate
    blocks = landscape.blocks("double")
    parameters = np.append(blocks.parameters, 0.0)
    places = {name: k for k, name in enumerate(landscape.parameters)}
    fixed = {name: k for name, k in places.items() if name not in drive.parameters}
    if rate.constant is None:
        words = set(re.findall(r"\w+", rate.texts[0]))
        if words & {*drive.parameters, "t"}:
            raise MethodError(
                f"attempt_rate = {rate.texts[0]!r} depends on time, and an upper bound of it is not known; let "
                "protocols drive the loss or the temperature"
            )
    compiled_rate = expression_blocks(rate.texts, landscape.variables, places) if rate.constant is None else None
    functions = Functions(
        blocks.value if not drive.parameters else drive.loss(landscape, fixed),
        blocks.gradient if slope else nothing(),
        nothing() if compiled_rate is None else compiled_rate,
        drive.function(),
        slope,
        compiled_rate is not None,
        drive.rows,
    )
    return functions, parameters
