import numpy as np
import pytest
from ensemble_examples import known, observed, total
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.ensembles.observables import (
    Histogram,
    LogSumExp,
    Mean,
    Moments,
    Quantiles,
    Trajectories,
    named,
)
from fpsolver.errors import ExpressionError, InputError, NumericalError
from fpsolver.grids import Axis

ALL = [
    Moments(),
    Moments("x", "work", "x*y", name="mixed"),
    Mean("x**2", "loss"),
    Histogram("x", (-2, 2, 17)),
    Histogram(x=(-2, 2, 60), work=[-3.0, 0.0, 0.1, 2.0]),
    Histogram("y", Axis(0, 1, 10, boundary="periodic")),
    LogSumExp("work", factor=-2.0),
    Quantiles("x", [0.0, 0.1, 0.5, 1.0]),
    Quantiles("x*y", accuracy=0.001),
    Trajectories([0, 3, 299]),
    Trajectories([1, 256], "work", "loss", name="some"),
]


def columns(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3)) * [1.0, 100.0, 1e-3] + [0.0, 0.0, 1.0]


@settings(max_examples=25, deadline=None)
@given(n=st.integers(300, 4000), cuts=st.lists(st.integers(1, 15), max_size=8), seed=st.integers(0, 100))
@pytest.mark.parametrize("observable", ALL, ids=lambda one: one.name)
def test_the_same_bits_however_blocks_are_shared_out(observable, n, cuts, seed):
    data = columns(n, seed)
    _, whole = total(observable, data)
    _, parts = total(observable, data, cuts=cuts)
    assert len(whole) == len(parts)
    for one, other in zip(whole, parts, strict=True):
        assert isinstance(one, np.ndarray)
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("observable", ALL, ids=lambda one: one.name)
def test_results_give_consistent_columns(observable):
    result = observed(observable, columns(1000))
    lengths = {"time": 1}
    for name, (dims, values, unit) in result.coordinates({"x": "m"}).items():
        assert dims == (name,)
        assert isinstance(unit, str)
        lengths[name] = len(values)
    for dims, values, _ in result.variables({"x": "m"}).values():
        assert values.shape == tuple(lengths[dim] for dim in dims)
    assert isinstance(result.attributes(), dict)


@pytest.mark.parametrize("observable", ALL, ids=lambda one: one.name)
def test_results_make_tables(observable):
    from fpsolver.storage import Table, Variable

    result = observed(observable, columns(1000))
    coordinates = {name: Variable(*column) for name, column in result.coordinates().items()}
    variables = {name: Variable(*column) for name, column in result.variables().items()}
    Table({"time": Variable(("time",), result.times), **coordinates}, variables, result.attributes())


@pytest.mark.parametrize(
    "build",
    [
        lambda text: Moments(text),
        lambda text: Mean(text),
        lambda text: Histogram(text, (0, 1, 2)),
        lambda text: LogSumExp(text),
        lambda text: Quantiles(text),
        lambda text: Trajectories([0], text),
    ],
)
def test_unknown_quantities_are_named_with_the_nearest(build):
    quantities = known(columns(10), parameters=("a",))
    with pytest.raises(InputError, match=r"no quantity 'wrok'; did you mean \"work\"\?; there are x, y, work, loss"):
        build("wrok").check(quantities)
    with pytest.raises(InputError, match=r"no quantity 'z' in 'x\*\*2 \+ z'"):
        build("x**2 + z").check(quantities)
    with pytest.raises(ExpressionError):
        build("x +").check(quantities)
    build("a*x + t").check(quantities)


def test_expressions_see_parameters_and_time():
    data = columns(500)
    result = observed(
        Mean("a*x + t"), data, quantities=known(data, parameters=("a", "b")), parameters={"a": 3.0, "b": 1.0}, t=2.0
    )
    np.testing.assert_allclose(result["a*x + t"], 3 * data[:, 0].mean() + 2, rtol=1e-13)
    constant = observed(Mean("2*t"), data, t=3.0)
    assert constant["2*t"] == 6.0
    assert constant.standard_error[0, 0] == 0.0


def test_a_value_that_is_not_finite_is_named():
    data = columns(600)
    data[:, 0] = 1.0
    data[300, 0] = -1.0
    with pytest.raises(NumericalError, match=r"'log\(x\)' is nan for trajectory 300 at t = 0.5, where x = -1"):
        observed(Mean("log(x)"), data)


def test_names_must_differ():
    assert list(named([Moments(), Mean("x")])) == ["moments", "mean_x"]
    with pytest.raises(InputError, match="two observables are called 'mean_x'"):
        named([Mean("x"), Mean("x")])
    with pytest.raises(InputError, match=r"'x' …\]: that is no observable"):
        named(["x"])
    with pytest.raises(InputError, match="cannot name an observable"):
        Moments(name="a b")


def test_results_are_printed_without_their_arrays():
    result = observed(Mean("x", "work"), columns(300))
    assert repr(result) == "MeanResult(quantities = ['x', 'work']; t = 0.5)"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_single_precision_states(dtype):
    from ensemble_examples import blocks_of

    from fpsolver.ensembles.observables import Snapshot

    data = columns(700).astype(dtype)
    states, counts = blocks_of(data)
    snapshot = Snapshot(states.astype(dtype), counts, 0, 0.0, known(data))
    for observable in ALL[:2] + ALL[3:9]:
        checked = observable.check(known(data))
        result = checked.report(np.zeros(1), [checked.fold(checked.empty(), checked.measure(snapshot))])
        assert result.trajectories[0] == 700
