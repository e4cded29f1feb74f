"""Attributes of a result file: what Python values become, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fpsolver.errors import StorageError

SCHEMA = "fpsolver-results"
SCHEMA_VERSION = 1

ROOT_ATTRIBUTES = (
    "schema",
    "schema_version",
    "software",
    "softwareVersion",
    "softwareDependencies",
    "date",
    "machine",
    "title",
    "study",
    "study_overrides",
    "seed",
    "git_commit",
    "device",
    "wall_time",
    "notes",
    "solvers",
)
"""Names of the attributes that the root of every file of a run has."""

TEXT_ATTRIBUTES = ("title", "study")
"""Attributes that are text whatever they look like, never JSON."""


def encoded(value: Any) -> Any:
    """Return what is written for a Python value.

    None becomes "", a Boolean int8, dictionaries and lists JSON; numbers, strings and 1-D numeric arrays stay.

    Raises
    ------
    StorageError
        If there is no encoding.

    Examples
    --------
    >>> encoded(None), encoded({"numpy": "2.0"}), encoded(True)
    ('', '{"numpy": "2.0"}', np.int8(1))
    """
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return np.int8(value)
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(_plain(value), ensure_ascii=False)
    if isinstance(value, str):
        if "\0" in value:
            raise StorageError("an attribute holds a zero byte, which HDF5 strings cannot keep")
        return value
    if isinstance(value, int | float | np.integer | np.floating):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iuf":
        return value
    raise StorageError(f"an attribute of type {type(value).__name__} cannot be written: {value!r}")


def put_attributes(item: Any, attributes: Mapping[str, Any]) -> None:
    """Write attributes of a file, a group or a dataset.

    Strings have a fixed length: they then lie in the object's header, which has a checksum. Strings of variable length
    lie in a heap that has none, and HDF5 can loop for ever in a damaged one.
    """
    import h5py

    for key, value in attributes.items():
        plain = encoded(value)
        if isinstance(plain, str):
            raw = plain.encode("utf-8")
            item.attrs.create(key, raw, dtype=h5py.string_dtype("utf-8", max(len(raw), 1)))
        else:
            item.attrs[key] = plain


def decoded(name: str, value: Any) -> Any:
    """Return the Python value of an attribute: JSON read, NumPy scalars as Python numbers.

    Examples
    --------
    >>> decoded("machine", '{"cores": 2}')
    {'cores': 2}
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, str) and name not in TEXT_ATTRIBUTES and value[:1] + value[-1:] in ("{}", "[]"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value.item() if isinstance(value, np.generic) else value


def _plain(value: Any) -> Any:
    """Return a value made of what JSON knows; non-finite numbers become strings, which strict readers accept."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
