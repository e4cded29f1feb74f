"""The processor's functions, translated for a device."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import cuda

from fpsolver.kernels import elementary, normal_variables, philox
from fpsolver.kernels.cpu import additive, lanes, linear_maps
from fpsolver.kernels.gpu.launch import THREADS, first_failure
from fpsolver.kernels.gpu.translation import Translation

LANES = 256


def scope(function):
    return function.py_func.__globals__


def test_translated_functions_have_their_own_globals():
    translate = Translation({"LANES": 1})
    copy = translate(linear_maps.apply_matrix)
    assert scope(copy)["LANES"] == 1
    assert scope(linear_maps.apply_matrix)["LANES"] == LANES
    called = scope(copy)["_add_columns"]
    assert called is translate(linear_maps._add_columns)
    assert scope(called)["LANES"] == 1


def test_functions_that_generated_code_reaches_by_way_of_a_module_are_translated():
    translate = Translation({})

    def block(x, p, out):
        out[0] = elementary.exp(x[0]) * np.float64(p[0])

    copy = translate(block)
    assert scope(copy)["elementary"] is not elementary
    assert scope(copy)["elementary"].exp is translate(elementary.exp)
    assert scope(copy)["np"] is np


def test_nothing_is_left_to_be_translated_with_the_options_of_the_processor():
    """Numba takes the processor's "contract" for all that is fast: sums of the polynomials would be reordered."""
    translate = Translation({})
    seen: list = []
    waiting = [translate(additive.advance), translate(normal_variables.normal_pair), translate(philox.draw)]
    while waiting:
        function = waiting.pop()
        seen.append(function)
        called = [scope(function)[name] for name in function.py_func.__code__.co_names if name in scope(function)]
        for value in [*called, *(u for v in called if isinstance(v, type(np)) for u in vars(v).values())]:
            if hasattr(value, "py_func"):
                assert value in translate._functions.values()
                if value not in seen and value not in waiting:
                    waiting.append(value)
    assert len(seen) > 40
    assert not any(getattr(function, "targetoptions", {}).get("fastmath") for function in seen)


def test_views_of_rows_are_put_in_place(monkeypatch):
    """A device function cannot return a view."""
    seen = {}
    monkeypatch.setattr(cuda, "jit", lambda **options: seen.update(options) or (lambda function: function))
    Translation({"LANES": 1})(lanes.row)
    assert seen == {"device": True, "inline": "always"}


def test_the_first_failure_is_that_of_the_first_block():
    failures = np.full(3 * LANES, -1)
    failures[[LANES + 7, LANES + 9, 2 * LANES]] = 5, 4, 1
    assert first_failure(failures) == (1, 9, 4)
    assert LANES % THREADS == 0


@pytest.mark.skipif(not cuda.is_available(), reason="no NVIDIA device and no simulator")
@pytest.mark.gpu
@pytest.mark.parametrize("function", [normal_variables.normal_pair, normal_variables.normal_pair_single])
def test_normal_variables_of_the_device(function):
    """Both are within two units in the last place of the true value, which contraction moves by less than one."""
    copy = Translation({})(function)

    @cuda.jit
    def kernel(words, out):
        i = cuda.grid(1)
        if i < len(out):
            out[i, 0], out[i, 1] = copy(words[i, 0], words[i, 1])

    words = np.random.default_rng(1).integers(0, 2**32, (200, 2)).astype(np.uint64)
    single = function is normal_variables.normal_pair_single
    out = cuda.to_device(np.zeros((200, 2), np.float32 if single else np.float64))
    kernel[4, 64](cuda.to_device(words), out)
    expected = np.array([function(a, b) for a, b in words])
    spacing = np.finfo(out.dtype).eps
    np.testing.assert_allclose(out.copy_to_host(), expected, rtol=6 * spacing, atol=6 * spacing)


def test_the_same_tests_pass_under_the_simulator():
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    # Without this test itself, or processes would start processes.
    command = [sys.executable, "-m", "pytest", "-m", "gpu or not gpu", "-k", "not simulator", __file__]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "7 passed" in result.stdout
