"""Bennett's acceptance ratio: against pymbar, its symmetries, its error bar, and where it must refuse."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import AccuracyWarning, InputError, MethodError
from fpsolver.theory import gaussian_work
from fpsolver.thermodynamics import bennett


def pair(dissipated, forward, reverse, seed, difference=0.0, temperature=1.0):
    """Gaussian work both ways, which obeys Crooks' theorem exactly."""
    rng, deviation = np.random.default_rng(seed), np.sqrt(2 * temperature * dissipated)
    return (
        rng.normal(dissipated + difference, deviation, forward),
        rng.normal(dissipated - difference, deviation, reverse),
    )


@pytest.mark.parametrize(("forward", "reverse"), [(3000, 3000), (500, 4000)])
def test_agrees_with_pymbar(forward, reverse):
    """The same root, and Bennett's formula for the error; pymbar takes 1/n where we take 1/(n − 1)."""
    other_estimators = pytest.importorskip("pymbar.other_estimators")
    there, back = pair(1.5, forward, reverse, 1, difference=0.7, temperature=0.5)
    ours = bennett(there, back, 0.5)
    theirs = other_estimators.bar(there / 0.5, back / 0.5, relative_tolerance=1e-14, uncertainty_method="BAR")
    assert ours.value == pytest.approx(0.5 * theirs["Delta_f"], rel=1e-10)
    assert ours.standard_error == pytest.approx(0.5 * theirs["dDelta_f"], rel=2.0 / min(forward, reverse))


samples = st.lists(st.floats(-3.0, 3.0), min_size=8, max_size=30)


@settings(max_examples=30)
@given(samples, samples, st.floats(0.5, 5.0), st.floats(-50.0, 50.0), st.floats(0.1, 10.0))
def test_symmetries(there, back, temperature, shift, scale):
    """Swapped directions change the sign; a shift of ΔF and a change of units come through; order does not matter."""
    forward, reverse = np.array(there), np.array(back)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            plain = bennett(forward, reverse, temperature)
            swapped = bennett(reverse, forward, temperature)
            shifted = bennett(forward + shift, reverse - shift, temperature)
            scaled = bennett(scale * forward, scale * reverse, scale * temperature)
            reordered = bennett(forward[::-1], np.sort(reverse), temperature)
    except MethodError:
        return  # samples that do not overlap have no estimate
    # Rounding of the root: sums of n terms, whose logarithms change by about one when ΔF changes by T.
    rounding = 1e-10 * (temperature + abs(shift))
    assert swapped.value == pytest.approx(-plain.value, abs=rounding)
    assert swapped.standard_error == pytest.approx(plain.standard_error, rel=1e-7, abs=1e-9)
    assert shifted.value == pytest.approx(plain.value + shift, abs=rounding)
    assert scaled.value == pytest.approx(scale * plain.value, abs=scale * rounding)
    assert reordered.value == pytest.approx(plain.value, abs=rounding)


def test_reversible_work_is_certain():
    """Work that is ΔF on every path leaves nothing to estimate."""
    found = bennett(np.full(10, 0.3), np.full(20, -0.3), 1.0)
    assert found.value == pytest.approx(0.3, abs=1e-12)
    assert found.standard_error == pytest.approx(0.0, abs=1e-12) and found.overlap == pytest.approx(1.0)


@pytest.mark.parametrize(("forward", "reverse"), [(400, 400), (150, 900)])
def test_error_bar_of_many_repetitions(forward, reverse):
    """The scatter of 400 repetitions and the mean error bar are those of theory, known to 1/√800."""
    found = [bennett(*pair(1.0, forward, reverse, seed, difference=0.4), 1.0) for seed in range(400)]
    values, errors = (np.array([getattr(one, name) for one in found]) for name in ("value", "standard_error"))
    theory = gaussian_work.bennett_deviation(1.0, forward, reverse, temperature=1.0)
    assert abs(values.mean() - 0.4) < 4 * float(theory) / np.sqrt(400) + theory.error_scale * float(theory)
    assert abs(values.std(ddof=1) / float(theory) - 1) < 4 / np.sqrt(800) + theory.error_scale
    assert abs(errors.mean() / float(theory) - 1) < 4 * errors.std() / errors.mean() / 20 + 2 * theory.error_scale
    overlap = float(gaussian_work.overlap(1.0, temperature=1.0))
    if forward == reverse:
        assert abs(np.mean([one.overlap for one in found]) - overlap) < 0.01


def test_no_overlap_is_refused_with_the_numbers():
    with pytest.raises(MethodError, match=r"do not overlap: 1000 and 500 samples share .* split the protocol"):
        bennett(*pair(60.0, 1000, 500, 2), 1.0)


def test_poor_overlap_says_so():
    with pytest.warns(AccuracyWarning, match="carried by"):
        bennett(*pair(12.0, 1000, 1000, 3), 1.0)


def test_blocks_of_copies_count_as_one():
    there, back = pair(1.0, 400, 300, 4)
    once, copies = bennett(there, back, 1.0), bennett(np.repeat(there, 5), np.repeat(back, 5), 1.0, block=5)
    assert copies.value == pytest.approx(once.value, abs=1e-10)
    assert copies.standard_error == pytest.approx(once.standard_error, rel=1e-8)


def test_extreme_work_does_not_overflow():
    """The equation is solved in the log domain: 1e5 temperatures above zero are as good as none."""
    there, back = pair(1.0, 500, 500, 5, difference=1e5)
    assert abs(bennett(there, back, 1.0).value - 1e5) < 0.5


def test_refusals():
    with pytest.raises(InputError, match=r"reverse\[0\]"):
        bennett([1.0, 2.0], [np.inf, 1.0], 1.0)
    with pytest.raises(InputError, match="block = 2"):
        bennett([1.0, 2.0, 1.0, 2.0], [1.0, 2.0], 1.0, block=2)
