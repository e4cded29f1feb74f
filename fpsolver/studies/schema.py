"""What a study file may contain: one pydantic model for each table."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

from fpsolver.errors import InputError
from fpsolver.studies.conditions import parse_region
from fpsolver.studies.problems import shown

Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A table: no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


def _coefficient(value: Any) -> Any:
    """Check a number, an expression, or a vector or square matrix of them."""
    if isinstance(value, list):
        if not value:
            raise ValueError("[] is empty; give a number, an expression, or a list with an entry for each variable")
        return [_coefficient(entry) for entry in value]
    return _entry(value)


def _entry(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{shown(value)} is neither a number nor an expression")
    if not -1e300 < value < 1e300:
        raise ValueError(f"{value} is not a finite number")
    return float(value)


def _numbers(value: Any) -> Any:
    """Check a number or a (nested) list of numbers, without expressions."""
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a number or a list of numbers")
    return [_numbers(entry) for entry in value] if isinstance(value, list) else _entry(value)


def _region(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f'{shown(value)} is not a condition such as "x >= 1"')
    try:
        return parse_region(value)
    except InputError as error:
        raise ValueError(str(error)) from None


Coefficient = Annotated[Any, PlainValidator(_coefficient)]
Numbers = Annotated[Any, PlainValidator(_numbers)]
Region = Annotated[Any, PlainValidator(_region)]


class ExpressionLandscape(Section):
    """[landscape] given by a formula."""

    expression: str
    variables: list[str] | None = None
    parameters: dict[str, Number] = {}


class RegressionLandscape(Section):
    """[landscape] that is the risk of a regression on measured data."""

    name: Literal["logistic_regression", "linear_regression"]
    data: Literal["iris"]
    features: Annotated[list[str], Field(min_length=1)]
    classes: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    target: str | None = None
    standardise: bool = True
    ridge: NotNegative = 0.0
    intercept: bool = True
    penalise_intercept: bool = True
    variables: list[str] | None = None


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


class AxisSection(Section):
    """[grid.x]: bounds and cells, or faces."""

    lower: Number | None = None
    upper: Number | None = None
    cells: Annotated[int, Field(ge=2)] | None = None
    faces: list[Number] | None = None
    boundary: Any = None
    spacing: Literal["uniform", "geometric", "tanh"] = "uniform"
    stretch: Positive | None = None


class GeneratorSection(Section):
    """[generator]: how the dynamics is discretised."""

    scheme: Literal["scharfetter-gummel", "sqra", "hermite", "upwind", "matrix", "convolution"] | None = None


class GaussianInitial(Section):
    """[initial] of kind "gaussian"."""

    kind: Literal["gaussian"]
    mean: Numbers
    covariance: Numbers


class ExpressionInitial(Section):
    """[initial] of kind "expression": a function, normalised over the grid."""

    kind: Literal["expression"]
    expression: str


class BoltzmannInitial(Section):
    """[initial] of kind "boltzmann": equilibrium, at another temperature if one is given."""

    kind: Literal["boltzmann"]
    temperature: Positive | None = None


class UniformInitial(Section):
    """[initial] of kind "uniform": constant over the grid or a region of it."""

    kind: Literal["uniform"]
    region: Region | None = None


class PointInitial(Section):
    """[initial] of kind "point": every trajectory starts there."""

    kind: Literal["point"]
    position: Numbers


class StationaryInitial(Section):
    """[initial] of kind "stationary": the stationary Gaussian of a quadratic landscape, for trajectories."""

    kind: Literal["stationary"]


INITIAL: dict[str, type[Section]] = {
    "gaussian": GaussianInitial,
    "point": PointInitial,
    "stationary": StationaryInitial,
    "expression": ExpressionInitial,
    "boltzmann": BoltzmannInitial,
    "uniform": UniformInitial,
}


class Times(Section):
    """Output times by rule. Logarithmic times are preceded by 0, where the initial density is stored."""

    start: NotNegative = 0.0
    stop: Positive
    number: Annotated[int, Field(ge=2, le=100_000)]
    spacing: Literal["linear", "logarithmic"] = "linear"

    @model_validator(mode="after")
    def _check(self) -> Times:
        if not self.start < self.stop:
            raise ValueError(f"start = {self.start:g} is not below stop = {self.stop:g}")
        if self.spacing == "logarithmic" and self.start == 0:
            raise ValueError("logarithmic times need start above 0; the time 0 itself is added in front of them")
        return self


class EvolveSection(Section):
    """[evolve]: the density against time."""

    times: Any
    tolerance: Annotated[float, Field(ge=1e-13, le=0.1)] = 1e-8
    method: str = "auto"
    positive: bool = False
    error_estimate: Literal["half-grid", "none"] = "half-grid"


class StationarySection(Section):
    """[stationary]: the stationary density."""

    tolerance: Annotated[float, Field(gt=0, lt=1)] | None = None


class SpectrumSection(Section):
    """[spectrum]: the slowest relaxation rates and their modes."""

    k: Annotated[int, Field(ge=1, le=1000)] = 4
    modes: bool = True


class FirstPassageSection(Section):
    """[first_passage]: the mean time to reach a target."""

    target: Region
    start: Numbers | None = None


class SimulateSection(Section):
    """[simulate]: an ensemble of trajectories."""

    n: Annotated[int, Field(ge=1)]
    dt: Positive | None = None
    t_final: NotNegative | None = None
    times: Any = None
    scheme: str | None = None
    noise: Literal["gaussian", "three-point", "rademacher"] = "gaussian"
    precision: Literal["double", "single"] = "double"
    device: Literal["cpu", "gpu"] = "cpu"
    experiment: Annotated[int, Field(ge=0, lt=2**32)] = 0
    functionals: list[Any] = []
    density: bool = False
    observe: list[Any] = []
    final: bool = False


class TimeIntegralFunctional(Section):
    """An entry of simulate.functionals: ∫g dt."""

    kind: Literal["time-integral"]
    expression: str
    name: str = ""


class PathIntegralFunctional(Section):
    """An entry of simulate.functionals: ∫f ∘ dθ."""

    kind: Literal["path-integral"]
    expressions: list[str]
    name: str = ""


FUNCTIONALS: dict[str, type[Section]] = {
    "time-integral": TimeIntegralFunctional,
    "path-integral": PathIntegralFunctional,
}


class MomentsObservable(Section):
    """An entry of simulate.observe: mean and covariance."""

    kind: Literal["moments"]
    quantities: list[str] = []
    name: str | None = None


class MeanObservable(Section):
    """An entry of simulate.observe: means."""

    kind: Literal["mean"]
    quantities: Annotated[list[str], Field(min_length=1)]
    name: str | None = None


class HistogramObservable(Section):
    """An entry of simulate.observe: a histogram in one to four quantities."""

    kind: Literal["histogram"]
    quantities: list[str] = []
    axes: dict[str, Any] = {}
    name: str | None = None


class LogSumExpObservable(Section):
    """An entry of simulate.observe: the logarithm of an exponential average."""

    kind: Literal["log-sum-exp"]
    quantity: str
    factor: Number | None = None
    name: str | None = None


class QuantilesObservable(Section):
    """An entry of simulate.observe: quantiles."""

    kind: Literal["quantiles"]
    quantity: str
    probabilities: list[Number] = [0.05, 0.25, 0.5, 0.75, 0.95]
    accuracy: Number = 0.01
    name: str | None = None


class TrajectoriesObservable(Section):
    """An entry of simulate.observe: selected trajectories, whole."""

    kind: Literal["trajectories"]
    numbers: list[int]
    quantities: list[str] = []
    name: str | None = None


OBSERVABLES: dict[str, type[Section]] = {
    "moments": MomentsObservable,
    "mean": MeanObservable,
    "histogram": HistogramObservable,
    "log-sum-exp": LogSumExpObservable,
    "quantiles": QuantilesObservable,
    "trajectories": TrajectoriesObservable,
}


class OutputSection(Section):
    """[output]: how results are stored."""

    compression: Literal["gzip", "none", "zstd", "blosc2"] = "gzip"
    level: Annotated[int, Field(ge=0, le=9)] | None = None
    plots: bool = False


class UnitsSection(Section):
    """[units]: names of units, for files and plots; nothing is converted."""

    time: str = "1"
    loss: str = "1"
    variables: dict[str, str] = {}


SECTIONS: dict[str, type[Section] | None] = {
    "landscape": None,
    "dynamics": None,
    "grid": None,
    "generator": GeneratorSection,
    "initial": None,
    "evolve": EvolveSection,
    "stationary": StationarySection,
    "spectrum": SpectrumSection,
    "first_passage": FirstPassageSection,
    "simulate": SimulateSection,
    "output": OutputSection,
    "units": UnitsSection,
}
"""Model of each table of a study; None where it depends on the table's ``kind`` or ``name``."""

DENSITY_TASKS = ("evolve", "stationary", "spectrum", "first_passage")
"""Tables that ask for something on the grid."""

TASKS = (*DENSITY_TASKS, "simulate")
"""Tables that ask for something."""

TOP_LEVEL = ("title", "description", "seed")
"""Keys outside all tables."""
