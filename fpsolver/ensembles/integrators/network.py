"""Trajectories of Markov networks, exact: Gillespie's direct method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fpsolver.device import launcher
from fpsolver.dynamics import MarkovNetwork
from fpsolver.ensembles.integrators.events import EventIntegrator, require_plain
from fpsolver.ensembles.integrators.integrator import Request
from fpsolver.errors import MethodError
from fpsolver.kernels.cpu.alias_tables import alias_table
from fpsolver.kernels.cpu.network_jumps import Table

ENTROPY_FLOW = "entropy_flow"


@dataclass(frozen=True, eq=False)
class NetworkIntegrator(EventIntegrator):
    """Jumps of a Markov network at their own times.

    Parameters
    ----------
    request : Request
        What is to be simulated.
    table : Table
        The jumps out of every state.
    """

    kernel: ClassVar[str] = "network_jumps"

    request: Request
    table: Table

    def segment(self, step: int, steps: int) -> Any:
        """Return the arguments of the kernel: the time up to which events happen, key and table."""
        return (step + steps) * self.request.dt, *self.request.key, self.table


def network_integrator(request: Request) -> NetworkIntegrator:
    """Return the integrator of a Markov network.

    Raises
    ------
    DeviceError, MethodError
        If the request cannot be served.
    """
    launcher(request.device, NetworkIntegrator.kernel)
    network: MarkovNetwork = request.dynamics
    require_plain(request, "a network")
    flows = ENTROPY_FLOW in request.functionals.standard
    request.functionals.refuse(
        [name for name in request.functionals.standard if name != ENTROPY_FLOW],
        'is not defined for a network, which has no energies; there is "entropy_flow"',
    )
    if flows and not np.isfinite(network.forces).all():
        link = int(np.argmin(np.isfinite(network.forces)))
        raise MethodError(
            f'"entropy_flow" is infinite: link {link}, between the states {network.tails[link]} and '
            f"{network.heads[link]}, leads one way only; give every link a return, however slow"
        )
    words, records = alias_table(*outward(network, flows))
    return NetworkIntegrator(request, Table(words, records, flows))


def outward(network: MarkovNetwork, flows: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the jumps out of each state in order: where each state's begin, targets, rates and entropy flows."""
    sources = np.concatenate([network.tails, network.heads])
    targets = np.concatenate([network.heads, network.tails])
    rates = np.concatenate([network.forward, network.backward])
    order = np.argsort(sources, kind="stable")
    order = order[rates[order] > 0.0]
    first = np.concatenate([[0], np.cumsum(np.bincount(sources[order], minlength=network.states))])
    gains = np.concatenate([network.forces, -network.forces])[order] if flows else np.zeros(0)
    return first.astype(np.int64), targets[order].astype(np.int64), rates[order], gains
