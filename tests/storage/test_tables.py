"""Tables refuse what a file could not hold."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.errors import StorageError
from fpsolver.storage import Table, Variable


@pytest.mark.parametrize(
    ("dims", "values", "units", "message"),
    [
        (("x",), np.zeros((2, 2)), "1", "one name for each dimension"),
        (("x", "x"), np.zeros((2, 2)), "1", "repeat a name"),
        ((), np.float64(1.0), "1", "a single number is an attribute"),
        (("x",), np.array(["a"]), "1", "not numbers"),
        (("x",), np.zeros(2), "", "units"),
        (("time",), np.zeros(2), "seconds", "units"),
    ],
)
def test_bad_variables(dims, values, units, message):
    with pytest.raises(StorageError, match=message):
        Variable(dims, values, units)


def test_lengths_must_agree_with_coordinates():
    with pytest.raises(StorageError, match="3 entries along 'x', its coordinate 2"):
        Table({"x": Variable(("x",), [0.0, 1.0])}, {"p": Variable(("x",), np.zeros(3))})
    with pytest.raises(StorageError, match="its coordinate None"):
        Table({}, {"p": Variable(("x",), np.zeros(3))})


def test_a_coordinate_has_its_own_dimension():
    with pytest.raises(StorageError, match="coordinate 'x'"):
        Table({"x": Variable(("y",), [0.0])})


def test_complex_variables_become_pairs_and_booleans_integers():
    values = np.array([1 + 2j])
    table = Table(
        {"mode": Variable(("mode",), [0])}, {"rate": Variable(("mode",), values), "ok": Variable(("mode",), [True])}
    )
    real = table.real()
    assert sorted(real) == ["ok", "rate_im", "rate_re"]
    assert real["ok"].values.dtype == np.int8
    assert (real["rate_re"].values + 1j * real["rate_im"].values == values).all()
