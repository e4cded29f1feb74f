"""fpsolver: Fokker–Planck densities and trajectories for the thermodynamics of learning.

Names are loaded when first used, so that importing the package is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Landscape": "fpsolver.landscapes",
    "Langevin": "fpsolver.dynamics",
    "UnderdampedLangevin": "fpsolver.dynamics",
    "Protocol": "fpsolver.dynamics",
    "JumpProcess": "fpsolver.dynamics",
    "GaussianProposal": "fpsolver.dynamics",
    "UniformProposal": "fpsolver.dynamics",
    "LaplaceProposal": "fpsolver.dynamics",
    "StudentProposal": "fpsolver.dynamics",
    "StableProposal": "fpsolver.dynamics",
    "LatticeProposal": "fpsolver.dynamics",
    "MarkovNetwork": "fpsolver.dynamics",
    "markov_network": "fpsolver.dynamics",
    "SGD": "fpsolver.dynamics",
    "GaussianNoise": "fpsolver.dynamics",
    "MinibatchNoise": "fpsolver.dynamics",
    "Axis": "fpsolver.grids",
    "Grid": "fpsolver.grids",
    "Field": "fpsolver.fields",
    "where": "fpsolver.regions",
    "density": "fpsolver.densities",
    "gaussian": "fpsolver.densities",
    "boltzmann": "fpsolver.densities",
    "moments": "fpsolver.density_moments",
    "marginal": "fpsolver.density_moments",
    "generator": "fpsolver.generators",
    "evolve": "fpsolver.solvers.evolve",
    "stationary": "fpsolver.solvers.stationary",
    "quasi_stationary": "fpsolver.solvers.quasi_stationary",
    "spectrum": "fpsolver.solvers.spectrum",
    "mean_first_passage_time": "fpsolver.solvers.first_passage",
    "first_passage_moments": "fpsolver.solvers.first_passage",
    "first_passage_density": "fpsolver.solvers.first_passage",
    "survival": "fpsolver.solvers.first_passage",
    "committor": "fpsolver.solvers.transition_paths",
    "reactive_flux": "fpsolver.solvers.transition_paths",
    "current": "fpsolver.solvers.currents",
    "entropy": "fpsolver.thermodynamics.entropy",
    "free_energy": "fpsolver.thermodynamics.entropy",
    "fisher_information": "fpsolver.thermodynamics.entropy",
    "kl_divergence": "fpsolver.thermodynamics.entropy",
    "reduce": "fpsolver.thermodynamics.reduction",
    "simulate": "fpsolver.ensembles.simulate",
    "Gaussian": "fpsolver.ensembles.initial",
    "Thinning": "fpsolver.ensembles.jump_schemes",
    "TauLeaping": "fpsolver.ensembles.jump_schemes",
    "TimeIntegral": "fpsolver.ensembles.functionals",
    "PathIntegral": "fpsolver.ensembles.functionals",
    "Moments": "fpsolver.ensembles.observables",
    "Mean": "fpsolver.ensembles.observables",
    "Histogram": "fpsolver.ensembles.observables",
    "LogSumExp": "fpsolver.ensembles.observables",
    "Quantiles": "fpsolver.ensembles.observables",
    "Trajectories": "fpsolver.ensembles.observables",
    "first_passage_times": "fpsolver.ensembles.first_passage",
    "adaptive_splitting": "fpsolver.ensembles.splitting",
    "open_results": "fpsolver.storage",
}
_MODULES = ("landscapes", "dynamics", "theory", "thermodynamics", "learning", "validation", "errors")

__all__ = [*_HOMES, *_MODULES, "__version__"]

if TYPE_CHECKING:
    from fpsolver import dynamics, errors, landscapes, learning, theory, thermodynamics, validation
    from fpsolver.densities import boltzmann, density, gaussian
    from fpsolver.density_moments import marginal, moments
    from fpsolver.dynamics import (
        SGD,
        GaussianNoise,
        GaussianProposal,
        JumpProcess,
        Langevin,
        LaplaceProposal,
        LatticeProposal,
        MarkovNetwork,
        MinibatchNoise,
        Protocol,
        StableProposal,
        StudentProposal,
        UnderdampedLangevin,
        UniformProposal,
        markov_network,
    )
    from fpsolver.ensembles.first_passage import first_passage_times
    from fpsolver.ensembles.functionals import PathIntegral, TimeIntegral
    from fpsolver.ensembles.initial import Gaussian
    from fpsolver.ensembles.jump_schemes import TauLeaping, Thinning
    from fpsolver.ensembles.observables import Histogram, LogSumExp, Mean, Moments, Quantiles, Trajectories
    from fpsolver.ensembles.simulate import simulate
    from fpsolver.ensembles.splitting import adaptive_splitting
    from fpsolver.fields import Field
    from fpsolver.generators import generator
    from fpsolver.grids import Axis, Grid
    from fpsolver.landscapes import Landscape
    from fpsolver.regions import where
    from fpsolver.solvers.currents import current
    from fpsolver.solvers.evolve import evolve
    from fpsolver.solvers.first_passage import (
        first_passage_density,
        first_passage_moments,
        mean_first_passage_time,
        survival,
    )
    from fpsolver.solvers.quasi_stationary import quasi_stationary
    from fpsolver.solvers.spectrum import spectrum
    from fpsolver.solvers.stationary import stationary
    from fpsolver.solvers.transition_paths import committor, reactive_flux
    from fpsolver.storage import open_results
    from fpsolver.thermodynamics.entropy import entropy, fisher_information, free_energy, kl_divergence
    from fpsolver.thermodynamics.reduction import reduce


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f"fpsolver.{name}")
    raise AttributeError(f"module 'fpsolver' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
