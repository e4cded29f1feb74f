"""Assembly of the parts of an underdamped step: packed instructions in both precisions."""

from __future__ import annotations

import platform
import re

import llvmlite.binding as llvm
import pytest
from numba import njit, types

from fpsolver.kernels.cpu import underdamped
from fpsolver.kernels.options import OPTIONS

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or not llvm.get_host_cpu_features().get("avx2", False),
    reason="needs a processor with AVX2",
)
CONSTANTS, TABLE, WHOLE, NUMBER = types.float64[::1], types.float64[:, ::1], types.int64, types.float64


@pytest.mark.parametrize(("number", "suffix"), [(types.float64, "pd"), (types.float32, "ps")], ids=["double", "single"])
def test_parts_of_a_step_are_packed(number, suffix):
    rows = number[::1]
    parts = {
        underdamped.kick: (rows, rows, CONSTANTS, WHOLE),
        underdamped.drift: (rows, rows, NUMBER, WHOLE),
        underdamped.thermostat: (rows, rows, WHOLE, CONSTANTS, TABLE, WHOLE, WHOLE),
        underdamped.add_kinetic_loss: (rows, rows, rows, CONSTANTS, NUMBER, WHOLE),
    }
    for part, signature in parts.items():
        # Compiled afresh: what comes from the cache shows no assembly.
        fresh = njit(**OPTIONS | {"cache": False})(part.py_func)
        fresh.compile(signature)
        text = "\n".join(fresh.inspect_asm().values())
        assert re.search(rf"\tvfn?m(add|sub)\d+{suffix}\t.*%[yz]mm", text), part.__name__
        # Single precision stays single: a constant of another type would double the width of the arithmetic.
        other = "pd" if suffix == "ps" else "ps"
        assert not re.search(rf"\tvfn?m(add|sub)\d+{other}\t", text), part.__name__
