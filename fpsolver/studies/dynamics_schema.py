"""What the table [dynamics] of a study file may contain: a law of motion, its protocols, proposals and noise."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from fpsolver.studies.entries import Coefficient, NotNegative, Number, Numbers, Positive, Section


class ExpressionProtocol(Section):
    """A parameter that follows a formula in t."""

    kind: Literal["expression"] = "expression"
    expression: str
    breakpoints: list[Number] = []


class RampProtocol(Section):
    """A parameter that changes linearly from `start` to `stop`."""

    kind: Literal["ramp"]
    start: Number
    stop: Number
    duration: Positive
    begin: Number = 0.0


class StepProtocol(Section):
    """A parameter that jumps."""

    kind: Literal["step"]
    before: Number
    after: Number
    time: Number


class SinusoidProtocol(Section):
    """A parameter that oscillates."""

    kind: Literal["sinusoid"]
    mean: Number
    amplitude: Number
    period: Positive
    phase: Number = 0.0


class TableProtocol(Section):
    """A parameter that follows the straight lines between the points of a table."""

    kind: Literal["table"]
    times: list[Number]
    values: list[Number]


PROTOCOLS: dict[str, type[Section]] = {
    "expression": ExpressionProtocol,
    "ramp": RampProtocol,
    "step": StepProtocol,
    "sinusoid": SinusoidProtocol,
    "table": TableProtocol,
}


class LangevinDynamics(Section):
    """[dynamics] of kind "langevin"."""

    kind: Literal["langevin"] = "langevin"
    temperature: NotNegative | None = None
    mobility: Coefficient = 1.0
    force: Coefficient | None = None
    diffusion: Coefficient | None = None
    convention: Literal["ito", "stratonovich", "klimontovich"] | None = None
    protocol: dict[str, Any] = {}


class UnderdampedDynamics(Section):
    """[dynamics] of kind "underdamped"."""

    kind: Literal["underdamped"]
    temperature: NotNegative
    friction: NotNegative
    mass: Numbers = 1.0
    protocol: dict[str, Any] = {}


class ScaledProposal(Section):
    """An entry dynamics.proposal: normal or exponential updates."""

    kind: Literal["gaussian", "laplace"]
    scale: Numbers


class UniformProposal(Section):
    """An entry dynamics.proposal: updates of equal density up to a largest one."""

    kind: Literal["uniform"]
    half_width: Numbers


class StudentProposal(Section):
    """An entry dynamics.proposal: updates with power-law tails."""

    kind: Literal["student"]
    degrees: Positive
    scale: Numbers


class StableProposal(Section):
    """An entry dynamics.proposal: Lévy-stable updates."""

    kind: Literal["stable"]
    index: Positive
    scale: Numbers


class LatticeProposal(Section):
    """An entry dynamics.proposal: one spacing up or down along one axis."""

    kind: Literal["lattice"]
    spacing: Numbers


UPDATES: dict[str, type[Section]] = {
    "gaussian": ScaledProposal,
    "laplace": ScaledProposal,
    "uniform": UniformProposal,
    "student": StudentProposal,
    "stable": StableProposal,
    "lattice": LatticeProposal,
}


class JumpDynamics(Section):
    """[dynamics] of kind "jump"."""

    kind: Literal["jump"]
    temperature: Positive
    proposal: dict[str, Any]
    law: Literal["half", "arrhenius", "linearised", "metropolis", "glauber"] = "half"
    attempt_rate: Coefficient = 1.0
    protocol: dict[str, Any] = {}


class GaussianGradientNoise(Section):
    """An entry dynamics.noise: normal gradient noise."""

    kind: Literal["gaussian"]
    per_example_covariance: Coefficient
    batch_size: Positive = 1.0


class MinibatchGradientNoise(Section):
    """An entry dynamics.noise: minibatches of the data of a regression."""

    kind: Literal["minibatch"]
    batch_size: Annotated[int, Field(ge=1)]
    replacement: bool = True


GRADIENT_NOISE: dict[str, type[Section]] = {"gaussian": GaussianGradientNoise, "minibatch": MinibatchGradientNoise}


class SGDDynamics(Section):
    """[dynamics] of kind "sgd"; time is counted in steps."""

    kind: Literal["sgd"]
    learning_rate: Positive
    noise: dict[str, Any] | None = None
    momentum: NotNegative = 0.0
    nesterov: bool = False
    weight_decay: NotNegative = 0.0
    protocol: dict[str, Any] = {}


DYNAMICS: dict[str, type[Section]] = {
    "langevin": LangevinDynamics,
    "underdamped": UnderdampedDynamics,
    "jump": JumpDynamics,
    "sgd": SGDDynamics,
}
