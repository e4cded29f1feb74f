import numpy as np
import pytest
from ensemble_examples import known, observed

from fpsolver.ensembles.observables import Trajectories
from fpsolver.errors import InputError


def test_trajectories_are_kept_as_they_are():
    data = np.random.default_rng(0).normal(size=(700, 3))
    result = observed(Trajectories([699, 0, 256, 255]), data, cuts=(1, 2))
    np.testing.assert_array_equal(result.values[0], data[[699, 0, 256, 255], :2])
    mixed = observed(Trajectories(np.array([5, 300]), "work", "x*y"), data)
    np.testing.assert_array_equal(mixed["work"][0], data[[5, 300], 2])
    np.testing.assert_allclose(mixed["x*y"][0], data[[5, 300], 0] * data[[5, 300], 1], rtol=1e-15)


def test_numbers_are_checked():
    for wrong in ([], [-1], [3, 3]):
        with pytest.raises(InputError, match="at least one number, each once, counted from 0"):
            Trajectories(wrong)
    for wrong in (7, [0.5], ["a"]):
        with pytest.raises(InputError, match="whole numbers"):
            Trajectories(wrong)
    with pytest.raises(InputError, match="no trajectory 700; the 700 trajectories are counted from 0 to 699"):
        Trajectories([0, 700]).check(known(np.zeros((700, 3))))
