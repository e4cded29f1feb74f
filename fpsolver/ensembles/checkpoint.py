"""Checkpoints: the state of a simulation in one file, from which it goes on to the same bits."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fpsolver.errors import StorageError

FORMAT = "fpsolver checkpoint 1"


def write_checkpoint(path: str | os.PathLike[str], identity: str, header: Mapping[str, Any], arrays: Any) -> None:
    """Write a checkpoint whole: to a temporary file, synchronised, then renamed; a kill leaves the one before.

    Parameters
    ----------
    path : path
        Where to.
    identity : str
        Hash of the problem.
    header : mapping
        Numbers and names, as JSON.
    arrays : mapping of str to ndarray
        The rest.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    target = Path(path)
    text = json.dumps({"format": FORMAT, "identity": identity, **header})
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Always the same name: kills in the middle of writing leave one such file at most, and the next run takes it.
        unfinished = target.with_name(target.name + ".tmp")
        with open(unfinished, "wb") as file:
            np.savez(file, header=np.array(text), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, target)
    except OSError as error:
        raise StorageError(f"the checkpoint {target} cannot be written: {error.strerror or error}") from error


def read_checkpoint(path: str | os.PathLike[str]) -> tuple[str, dict[str, Any], dict[str, np.ndarray]] | None:
    """Return identity, header and arrays of a checkpoint; None where there is no file.

    Raises
    ------
    StorageError
        If the file is damaged or something else.
    """
    source = Path(path)
    if not source.exists():
        return None
    try:
        with np.load(source, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}  # the archive's checksums are verified on reading
        header = json.loads(str(arrays.pop("header")))
        if header.pop("format") != FORMAT:
            raise KeyError("format")
        return header.pop("identity"), header, arrays
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise StorageError(
            f"{source} is damaged, or no checkpoint of fpsolver: {error}; delete it to start anew"
        ) from error
