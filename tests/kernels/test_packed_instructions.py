"""Assembly of the loops that make random variables: packed arithmetic, no call of a library's function."""

from __future__ import annotations

import platform
import re
from collections import Counter

import llvmlite.binding as llvm
import pytest
from numba import njit, types

from fpsolver.kernels.cpu import additive, noise
from fpsolver.kernels.options import OPTIONS

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or not llvm.get_host_cpu_features().get("avx2", False),
    reason="needs a processor with AVX2",
)
LANE_IDS = types.uint64[::1]
COUNTER = (LANE_IDS, types.int64, types.int64, types.int64, types.int64)
PRODUCTS = 16
"""Of the twenty products of ten rounds; those of words that all lanes share leave the loop."""
DOUBLE, SINGLE, WORDS = types.float64[::1], types.float32[::1], types.uint32[::1]
MATRIX = types.float64[:, ::1]


def assembly(function, signature) -> str:
    """Assembly of a loop compiled afresh: what comes from the cache shows none."""
    fresh = njit(**OPTIONS | {"cache": False})(function.py_func)
    fresh.compile(signature)
    return "\n".join(fresh.inspect_asm().values())


def mnemonics(text: str) -> Counter:
    """Count instructions by mnemonic and width of their registers: 'vsqrtpd y' for 256 bits."""
    found = Counter()
    for line in text.splitlines():
        match = re.match(r"\s+(\w+)\s", line)
        if match:
            widths = re.findall(r"%([xyz])mm", line)
            found[match[1] + (" " + max(widths) if widths else "")] += 1
    return found


def packed(found: Counter, name: str) -> int:
    return sum(count for key, count in found.items() if re.fullmatch(rf"v?{name} [yz]", key))


@pytest.mark.parametrize(("precision", "suffix"), [(DOUBLE, "d"), (SINGLE, "s")], ids=["double", "single"])
def test_normals(precision, suffix):
    text = assembly(noise.fill_normals, (precision, *COUNTER))
    found = mnemonics(text)
    # Two pairs of a lane: two roots and two quotients.
    assert packed(found, f"sqrtp{suffix}") >= 2
    assert packed(found, f"divp{suffix}") >= 2
    assert packed(found, "pmuludq") >= PRODUCTS
    assert packed(found, rf"(fn?m(add|sub)\d*|mul)p{suffix}") >= 20
    # (A scalar copy of the loop stays for arrays that overlap.)
    # Functions are called by name or through an absolute address put into a register.
    assert not re.search(r"[\s$](log|sin|cos|sincos|exp|sqrt)f?(,|@|$)", text, re.MULTILINE)


@pytest.mark.parametrize("precision", [DOUBLE, SINGLE], ids=["double", "single"])
@pytest.mark.parametrize("fill", [noise.fill_three_point, noise.fill_uniforms], ids=["three-point", "uniforms"])
def test_variables_of_one_word(fill, precision):
    assert packed(mnemonics(assembly(fill, (precision, *COUNTER))), "pmuludq") >= PRODUCTS


@pytest.mark.parametrize(("precision", "shift"), [(DOUBLE, "psllv?q"), (SINGLE, "psllv?d")], ids=["double", "single"])
def test_signs(precision, shift):
    # Signs of doubles are shifted in 64-bit lanes, those of singles in 32-bit lanes: as many as there are.
    for function, signature in (
        (noise.expand_signs, (precision, WORDS, types.int64)),
        (additive._descend_with_signs, (precision, precision, WORDS, types.int64, MATRIX, MATRIX, types.int64)),
    ):
        assert packed(mnemonics(assembly(function, signature)), shift) >= 1
