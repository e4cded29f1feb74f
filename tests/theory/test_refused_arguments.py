"""Closed forms of jumps and steps refuse what is no finite number, wherever it stands, and say what it was."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import (
    attempt_rates,
    batch_readings,
    exact_interpolation,
    heavy_ball,
    jump_transitions,
    metropolis,
    minibatch_sampling,
    modified_equation,
    noncommuting_exit,
    one_step_optimum,
    quadratic_reactions,
    quantised_updates,
    reaction_rates,
    sgd_temperatures,
    small_jumps,
)

MODULES = (
    attempt_rates, batch_readings, exact_interpolation, heavy_ball, jump_transitions, metropolis, minibatch_sampling,
    modified_equation, noncommuting_exit, one_step_optimum, quadratic_reactions, quantised_updates, reaction_rates,
    sgd_temperatures, small_jumps,
)  # fmt: skip
ADMISSIBLE = {
    "gradient": [1.0, 0.5], "update": [0.1, -0.3], "displacement": [0.1, 0.2], "derivatives": (1.0, 2.0, 3.0),
    "hessian": [[1.0, 0.2], [0.2, 3.0]], "noise": [[1.0, 0.3], [0.3, 2.0]], "rates": [[-1.0, 2.0], [1.0, -2.0]],
    "per_example_covariance": [[1.0, 0.3], [0.3, 2.0]], "boundary": [[1.0, 0.0], [0.0, 1.0]], "normal": [1.0, 1.0],
    "indices": [0.0, 1.0], "loss": [1.0, 2.0], "curvatures": (1.0, 2.0), "attempt_rate": 1.2, "learning_rate": 0.1,
    "examples": 10, "batch_size": 3, "balls": 3, "dimension": 3, "largest": 3.0,
}  # fmt: skip
"""By the name of an argument; 1/2 where nothing is named."""
PER_MODULE = {
    modified_equation: {"noise": 1.0},
    quantised_updates: {"update": 0.1, "gradient": 0.3},
    small_jumps: {"gradient": 1.0},
    attempt_rates: {"attempt_rate": [1.0, 2.0]},
}
PER_FUNCTION = {
    jump_transitions.compound_poisson_density: {"gradient": 1.0},
    sgd_temperatures.stationary_temperature: {"noise": 1.0},
    heavy_ball.stationary_variance: {"noise": 1.0},
    heavy_ball.temperature: {"noise": 1.0},
    exact_interpolation.diffusion: {"noise": 1.0},
    one_step_optimum.proposal_scale: {"gradient": [3.0, 2.0]},
}
NO_CHECK = (jump_transitions.arguments, jump_transitions.arguments_as_written)
"""They only hand over what they are given."""


def functions() -> list[Any]:
    """Return every public function of the modules."""
    found = [item for module in MODULES for item in vars(module).values() if inspect.isfunction(item)]
    own = {module.__name__ for module in MODULES}
    return [
        item for item in dict.fromkeys(found)
        if item.__module__ in own and not item.__name__.startswith("_") and item not in NO_CHECK
    ]  # fmt: skip


def admissible(function: Any) -> dict[str, Any]:
    """Return numbers with which a function works, by the names of its arguments."""
    module = inspect.getmodule(function)
    values = ADMISSIBLE | PER_MODULE.get(module, {}) | PER_FUNCTION.get(function, {})
    words = ("law", "proposal", "rounding", "replacement")
    return {name: values.get(name, 0.5) for name in inspect.signature(function).parameters if name not in words}


@pytest.mark.parametrize("function", functions(), ids=lambda item: f"{item.__module__.split('.')[-1]}.{item.__name__}")
def test_a_number_that_is_none_or_infinite_is_refused(function):
    arguments = admissible(function)
    function(**arguments)
    for name, value in arguments.items():
        for wrong in (math.nan, math.inf, -math.inf, "x"):
            if name == "largest" and wrong == math.inf:
                continue  # no limit
            array = np.array(value, dtype=object)
            array.flat[0] = wrong
            with pytest.raises(TheoryError):
                function(**arguments | {name: array.tolist()})
