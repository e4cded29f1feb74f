"""What the generated modules of block functions have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fpsolver.errors import InputError
from fpsolver.landscapes.source_cache import content_hash

Precision = Literal["double", "single"]

FORMULAS = tuple(f"fpsolver.kernels.{name}" for name in ("elementary", "error_function", "power"))
"""Modules whose functions printed expressions call."""

_TYPES: dict[str, Any] = {"double": np.float64, "single": np.float32}

_PLAIN_IMPORTS = """\
import math

import numpy as np

from fpsolver.kernels import elementary, error_function, power
"""

_IMPORTS = """\
import math

import numpy as np
from numba import cfunc, types

from fpsolver.kernels import elementary, error_function, power

_numbers = types.{number}[::1]
"""

_DECORATOR = """

@cfunc(types.void(_numbers, _numbers, _numbers), cache=True, error_model="numpy", fastmath={"contract"})
"""


def number_type(precision: str) -> Any:
    """Return the NumPy type of a precision.

    Raises
    ------
    InputError
        If it is neither "double" nor "single".
    """
    if precision not in _TYPES:
        raise InputError(f'the precision must be "double" or "single", not {precision!r}')
    return _TYPES[precision]


@lru_cache(maxsize=8)
def formulas_hash(*modules: str) -> str:
    """Hash the source of modules that generated code compiles in: Numba does not see when they change.

    The modules are not imported.
    """
    specs = [find_spec(module) for module in modules]
    return content_hash([Path(str(spec.origin)).read_text(encoding="utf-8") for spec in specs if spec])


def places_of(
    used: Collection[str], variables: Sequence[str], positions: Mapping[str, int]
) -> tuple[tuple[str, int], ...]:
    """Return name and place in p of every parameter that is used, by name."""
    return tuple(sorted((name, int(positions[name])) for name in positions if name in used and name not in variables))


def imports(precision: Precision) -> str:
    """Return the first lines of a module: imports, and ``_numbers``, the type of all arguments."""
    return _IMPORTS.format(number=number_type(precision).__name__)


def signature(name: str) -> str:
    """Return the decorator and first line of a block function."""
    return f"{_DECORATOR}def {name}(x, p, out):\n"


def head(name: str, precision: Precision) -> str:
    """Return what stands above the body of the only block function of a module."""
    return imports(precision) + signature(name)


def plain_head(name: str) -> str:
    """Return what stands above the body of a function of one lane that is left in Python."""
    return f"{_PLAIN_IMPORTS}\n\ndef {name}(x, p, out):\n"
