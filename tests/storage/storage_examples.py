"""Tables that the storage tests share."""

from __future__ import annotations

import numpy as np

from fpsolver.storage import Table, Variable


def frame(moment: float) -> Table:
    """Return one frame of a 2-D density."""
    x, y = np.linspace(0, 1, 5), np.linspace(-1, 1, 3)
    values = moment + np.arange(15.0).reshape(1, 5, 3)
    return Table(
        {"time": Variable(("time",), [moment]), "x": Variable(("x",), x, "cm"), "y": Variable(("y",), y)},
        {"density": Variable(("time", "x", "y"), values, "1/cm", "probability density")},
        {"boundary": {"x": "reflecting"}},
    )


def spectrum() -> Table:
    """Return a table with complex, Boolean and square-matrix variables."""
    mode = Variable(("mode",), np.arange(3))
    return Table(
        {
            "mode": mode,
            "variable": Variable(("variable",), [0, 1]),
            "other_variable": Variable(("other_variable",), [0, 1]),
        },
        {
            "rate": Variable(("mode",), np.array([0, 1 + 2j, 1 - 2j]), "1", "relaxation rate"),
            "converged": Variable(("mode",), np.array([True, True, False])),
            "covariance": Variable(("variable", "other_variable"), np.eye(2)),
        },
        {"method": "shift-invert", "reversible": False, "residual": 1e-12, "note": None},
    )
