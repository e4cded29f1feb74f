"""Problems that tests of trajectories share, and what they leave behind as one hash."""

import hashlib

import fpsolver as fp
from fpsolver.ensembles.ensemble import Ensemble

SADDLE = "a*x**2/2 + x*y/2 + y**2"


def driven_plane(**options):
    """A driven, non-conservative plane with a linear drift."""
    landscape = fp.Landscape(SADDLE, variables=("x", "y"), parameters={"a": 1.0})
    settings = {"temperature": 0.5, "force": ["0.3*y", "-0.3*x"], "protocol": {"a": fp.Protocol("1 + sin(3*t)/2")}}
    return fp.Langevin(landscape, **(settings | options))


ENDS = (fp.Gaussian([0.0, 0.0], [0.6, 0.4]), fp.Gaussian([0.0, 0.0], [0.35, 0.25]))
"""Densities at time zero and later, for the entropy of the system; the second need not be the true one."""

OBSERVED = (
    fp.Moments("x", "y", "heat"),
    fp.Histogram(x=(-2, 2, 20), y=(-2, 2, 20)),
    fp.Quantiles("work"),
    fp.LogSumExp("entropy_production", factor=-0.1),
    fp.Trajectories([0, 300, 999], "x", "area", "loss"),
    fp.Mean("x*heat"),
)
FUNCTIONALS = (
    "work",
    "heat",
    "shadow_work",
    "entropy_flow",
    "entropy_flow_midpoint",
    fp.TimeIntegral("x**2*t", name="weighted"),
    fp.PathIntegral(["-y", "x"], name="area"),
)


def simulate_everything(**options):
    """Simulate the driven plane with every observable and every functional."""
    settings = {"n": 1000, "initial": ENDS[0], "dt": 0.125, "t_final": 8.0, "seed": 11, "times": 8}
    if isinstance(options.get("initial"), Ensemble):
        settings = {"t_final": 8.0, "times": 8}
    carried = {"observe": OBSERVED, "functionals": FUNCTIONALS, "density": ENDS}
    return fp.simulate(driven_plane(), **(settings | carried | options))


def digest(ensemble):
    """Hash the states of the trajectories, and the totals behind everything that was observed."""
    found = hashlib.sha256(ensemble.times.tobytes())
    columns = ensemble.states.transpose(0, 2, 1).reshape(-1, len(ensemble.names))[: ensemble.n]
    found.update(columns.tobytes())
    for totals in ensemble.totals:
        for total in totals:
            for array in total:
                found.update(array.tobytes())
    return found.hexdigest()
