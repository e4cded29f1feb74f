"""The Iris measurements against the totals of Fisher's paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fpsolver.data
from fpsolver.data import iris
from fpsolver.errors import InputError

# Fisher (1936), table II: means of four measurements, in cm.
MEANS = {
    "setosa": (5.006, 3.428, 1.462, 0.246),
    "versicolor": (5.936, 2.770, 4.260, 1.326),
    "virginica": (6.588, 2.974, 5.552, 2.026),
}


@pytest.mark.parametrize("species", MEANS)
def test_class_means_are_fishers(species):
    flowers = iris()
    rows = flowers.measurements[[name == species for name in flowers.species]]
    assert rows.shape == (50, 4)
    np.testing.assert_allclose(rows.mean(axis=0), MEANS[species], atol=5e-4)  # the table has three decimals


def test_the_two_flowers_in_error_elsewhere_are_right():
    assert iris().measurements[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert iris().measurements[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_selection_keeps_rows_and_orders_labels():
    X, y = iris().select(["petal_length"], ["versicolor", "virginica"])
    assert X.shape == (100, 1)
    np.testing.assert_allclose([X[y == 0].mean(), X[y == 1].mean()], [4.260, 5.552], atol=1e-12)
    swapped = iris().select(["petal_length"], ["virginica", "versicolor"])[1]
    assert (swapped == 1 - y).all()


def test_measurements_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        iris().measurements[0, 0] = 1.0


@pytest.mark.parametrize(
    ("features", "classes", "message"),
    [
        (["petal_lenght"], ["versicolor", "virginica"], 'did you mean "petal_length"'),
        (["petal_length"], ["versicolour", "virginica"], 'did you mean "versicolor"'),
        (["petal_length"], ["virginica"], "at least two classes"),
        (["petal_length", "petal_length"], ["versicolor", "virginica"], "each once"),
        ([], ["versicolor", "virginica"], "at least one feature"),
    ],
)
def test_bad_selections_name_the_remedy(features, classes, message):
    with pytest.raises(InputError, match=message):
        iris().select(features, classes)


def test_source_and_licence_are_stated():
    text = (Path(fpsolver.data.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert "iris.csv" in text
    assert "Creative Commons Attribution 4.0" in text
    assert iris().licence == "CC BY 4.0"
