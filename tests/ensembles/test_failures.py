"""What failed trajectories are told to have failed of."""

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import InputError, TrajectoryError

TRAP = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
KICKED = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=0.5, friction=1.0)
CURVED = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5, mobility="1 + x**2/(1 + x**2)")


@pytest.mark.parametrize("dynamics", [TRAP, KICKED, CURVED])
@pytest.mark.parametrize(
    ("functional", "message"),
    [
        (fp.TimeIntegral("log(x)", name="rate"), r'stays finite: the functional "rate", of log\(x\), has no finite'),
        (fp.PathIntegral("log(x)", name="along"), r'stays finite: the functional "along", of log\(x\), has no finite'),
    ],
)
def test_a_functional_without_a_value_is_named(dynamics, functional, message):
    with pytest.raises(TrajectoryError, match=message) as caught:
        fp.simulate(dynamics, 300, [0.5], 0.125, 8.0, seed=2, functionals=["heat", fp.TimeIntegral("x**2"), functional])
    assert "overshoot" not in str(caught.value)


def test_a_level_function_without_a_value_is_named():
    with pytest.raises(TrajectoryError, match=r'stays finite: a level function has no finite value there \("log\(x\)'):
        fp.first_passage_times(TRAP, 300, [0.5], "log(x) - 1", 0.125, 8.0, seed=2)


def test_a_runaway_with_functionals_is_still_one():
    quartic = fp.Langevin(fp.Landscape("x**4/4"), temperature=1.0)
    with pytest.raises(TrajectoryError, match="steps that overshoot grow"):
        fp.simulate(quartic, 10, [30.0], 0.125, 1.0, seed=2, functionals=["heat", fp.TimeIntegral("x")])


@pytest.mark.parametrize(("precision", "size"), [("double", 1e160), ("single", 1e25)])
def test_starts_beyond_what_counts_as_infinite_are_refused(precision, size):
    start = np.zeros(10)
    start[7] = -size
    with pytest.raises(InputError, match=r"the initial state of trajectory 7 is \[-1e\+"):
        fp.simulate(TRAP, 10, start, 0.125, 1.0, seed=2, precision=precision)
    with pytest.raises(InputError, match=r"the initial state of trajectory 7 is \[-1e\+"):
        fp.first_passage_times(TRAP, 10, start, fp.where(x=(1.0, None)), 0.125, 1.0, seed=2, precision=precision)
