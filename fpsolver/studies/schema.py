"""What a study file may contain but for [dynamics]: one pydantic model for each table."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fpsolver.studies.entries import NotNegative, Number, Numbers, Positive, Region, Section


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
