"""First and second law as they circulate and as they hold: heat, dissipated work, work along a path.

Heat is positive when it flows into the bath, work when it is done on the system: ΔE = W − Q, TΣ = TΔS + Q.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.panels import Panels, resolve

_SEKIMOTO = "K. Sekimoto, Prog. Theor. Phys. Suppl. 130, 17 (1998)"
_ESPOSITO = "M. Esposito, C. Van den Broeck, EPL 95, 40004 (2011)"


def heat(work: float, *, energy_change: float, entropy_change: float, temperature: float) -> Estimate:
    """Return the heat Q = W − ΔE that flows into the bath; neither entropy nor temperature has a part in it.

    Parameters
    ----------
    work : float
        W, done on the system.
    energy_change : float
        ΔE, of the mean loss.
    entropy_change : float
        ΔS, of the density's own entropy, in nats.
    temperature : float
        T.
    """
    positive("temperature", temperature)
    return Estimate(work - energy_change, (), 0.0, f"{_SEKIMOTO}: the first law")


def heat_from_free_energy(work: float, *, energy_change: float, entropy_change: float, temperature: float) -> Estimate:
    """Return W − ΔF = W − ΔE + TΔS, which is taken for heat: it is the dissipation TΣ, and heat only where ΔS = 0.

    Parameters
    ----------
    work, energy_change, entropy_change, temperature : float
        As for `heat`.

    Examples
    --------
    A trap whose stiffness is doubled at once, after it has relaxed.

    >>> quench = {"work": 0.5, "energy_change": 0.0, "entropy_change": -0.5 * np.log(2.0), "temperature": 1.0}
    >>> float(heat(**quench)), round(float(heat_from_free_energy(**quench)), 6)
    (0.5, 0.153426)
    """
    value = work - energy_change + positive("temperature", temperature) * entropy_change
    return Estimate(value, ("ΔS = 0",), 0.0, "as it circulates")


def dissipated_work(work: float, *, free_energy_change: float, equilibrium_free_energy_change: float) -> Estimate:
    """Return TΣ = W − ΔF with F[p] = ⟨L⟩ − TS of the densities at start and end, in equilibrium or not.

    Parameters
    ----------
    work : float
        W, done on the system.
    free_energy_change : float
        ΔF, of the densities that there are.
    equilibrium_free_energy_change : float
        ΔF of the equilibria that belong to the parameters at start and end.
    """
    return Estimate(work - free_energy_change, ("one bath at one temperature",), 0.0, _ESPOSITO)


def dissipated_work_from_equilibrium(
    work: float, *, free_energy_change: float, equilibrium_free_energy_change: float
) -> Estimate:
    """Return W − ΔF_eq, the dissipation so far and that of the relaxation still to come.

    Parameters
    ----------
    work, free_energy_change, equilibrium_free_energy_change : float
        As for `dissipated_work`.
    """
    return Estimate(work - equilibrium_free_energy_change, ("equilibrium at start and end",), 0.0, "as it circulates")


def path_work(landscape: Landscape, path: Any) -> Estimate:
    """Return ∫∇L·dθ along a path, which is L at its end less L at its start, whatever lies between.

    Parameters
    ----------
    landscape : Landscape
        In d variables.
    path : array_like (n, d)
        Corners of a polygon, two at least.
    """
    first, last = landscape.value(_corners(landscape, path)[[0, -1]])
    return Estimate(float(last - first), (), 0.0, "fundamental theorem of calculus")


def path_length_work(landscape: Landscape, path: Any) -> Estimate:
    """Return ∫|∇L||dθ| along a path: no less than |∫∇L·dθ|, and equal to it only along ∇L in one sense throughout.

    Parameters
    ----------
    landscape, path
        As for `path_work`.

    Examples
    --------
    >>> valley = Landscape("(x**2 + 4*y**2)/2")
    >>> round(float(path_length_work(valley, [[1, 1], [0, 0]])), 6), abs(float(path_work(valley, [[1, 1], [0, 0]])))
    (2.915476, 2.5)
    """
    total = 0.0
    for start, stop in pairwise(_corners(landscape, path)):
        steepness = _Steepness(landscape, start, stop - start)
        panels = resolve(np.linspace(0.0, 1.0, 5), steepness.functions)
        total += float(panels.over_panels(steepness(panels)).sum())
    return Estimate(total, (), 0.0, "Cauchy–Schwarz inequality")


@dataclass(frozen=True, eq=False)
class _Steepness:
    """|∇L||dθ/ds| on a straight way, s from 0 to 1."""

    landscape: Landscape
    start: np.ndarray
    way: np.ndarray

    def __call__(self, panels: Panels) -> np.ndarray:
        points = self.start + panels.nodes[..., None] * self.way
        return np.linalg.norm(self.landscape.gradient(points), axis=-1) * float(np.linalg.norm(self.way))

    def functions(self, panels: Panels) -> list[np.ndarray]:
        return [self(panels)]


def _corners(landscape: Landscape, path: Any) -> np.ndarray:
    corners = np.asarray(path, dtype=float)
    if corners.ndim != 2 or len(corners) < 2 or corners.shape[1] != landscape.dimension:
        raise TheoryError(
            f"a path of shape {corners.shape}: give two corners or more in {landscape.dimension} variables"
        )
    return corners
