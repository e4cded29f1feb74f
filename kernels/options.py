"""How kernels are compiled: rounding as written, but for products that are contracted with sums.

``error_model="numpy"``: a division by zero is infinite, not an exception. Contraction ("contract") is the only freedom
of fast arithmetic that is taken, but in long inner products: neither are sums reordered, nor is anything assumed to be
finite.
"""

from __future__ import annotations

from typing import Any

ALLOCATING: Any = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
"""Functions that make arrays."""

OPTIONS: Any = ALLOCATING | {"_nrt": False}
"""Loops over blocks, without reference counts: views of rows are made in every step, and counting them atomically took
longer than the arithmetic."""

INLINE: Any = OPTIONS | {"forceinline": True}
"""Functions that take many arrays in big named tuples, put in place of the call."""

FORMULA: Any = {"cache": True, "forceinline": True, "error_model": "numpy", "fastmath": {"contract"}}
"""Formulas of few numbers, put in place of the call: without it loops that call them are not vectorised."""

SUMS: Any = FORMULA | {"nogil": True, "_nrt": False, "fastmath": {"contract", "reassoc"}}
"""Inner products of long rows, and nothing else: added up in the order that suits the processor's vectors, which is the
same whenever the same processor runs them."""
