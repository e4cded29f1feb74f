"""Laws of motion of the parameters: frozen dataclasses, one law a file."""

from __future__ import annotations

from fpsolver.dynamics.jump import JumpProcess, entropic_attempt_rate
from fpsolver.dynamics.langevin import Langevin
from fpsolver.dynamics.networks import MarkovNetwork, markov_network
from fpsolver.dynamics.proposals import (
    GaussianProposal,
    LaplaceProposal,
    LatticeProposal,
    StableProposal,
    StudentProposal,
    UniformProposal,
)
from fpsolver.dynamics.protocol import Protocol
from fpsolver.dynamics.sgd import SGD, GaussianNoise, MinibatchNoise
from fpsolver.dynamics.underdamped import UnderdampedLangevin

__all__ = [
    "SGD",
    "GaussianNoise",
    "GaussianProposal",
    "JumpProcess",
    "Langevin",
    "LaplaceProposal",
    "LatticeProposal",
    "MarkovNetwork",
    "MinibatchNoise",
    "Protocol",
    "StableProposal",
    "StudentProposal",
    "UnderdampedLangevin",
    "UniformProposal",
    "entropic_attempt_rate",
    "markov_network",
]
