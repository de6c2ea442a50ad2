"""The generator's state on disk: arrays without pickle, and a small JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.errors import TrainingError
from tfrec.files import atomic_directory, read_json, write_json

_STATE, _ARRAYS = "state.json", "arrays.npz"


def save(folder: Path, groups: Mapping[str, Sequence[np.ndarray]], state: dict[str, Any]) -> None:
    """Writes named groups of arrays and a state, whole or not at all.

    Args:
        folder: replaced when it exists.
        groups: name -> arrays in a fixed order.
        state: JSON-ready.
    """
    arrays = {f"{name}.{place}": value for name, values in groups.items() for place, value in enumerate(values)}
    with atomic_directory(folder) as aside:
        np.savez(aside / _ARRAYS, allow_pickle=False, **arrays)
        write_json(aside / _STATE, state)


def read(folder: Path, key: str) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]] | None:
    """Reads them back.

    Args:
        folder: what `save` was given.
        key: must be the state's "key"; otherwise the checkpoint is of another training.

    Returns:
        (groups, state), or None when there is none of this training.

    Raises:
        TrainingError: the arrays are damaged.
    """
    if not (folder / _STATE).is_file():
        return None
    state = read_json(folder / _STATE)
    if state.get("key") != key:
        return None
    groups: dict[str, list[np.ndarray]] = {}
    try:
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            for name in sorted(arrays.files, key=lambda full: (full.split(".")[0], int(full.split(".")[1]))):
                groups.setdefault(name.split(".")[0], []).append(arrays[name])
    except Exception as error:  # a broken archive fails in many ways: BadZipFile, ValueError, EOFError, OSError
        raise TrainingError(
            f"The checkpoint {folder} is damaged ({error}): delete the folder to start anew."
        ) from error
    return groups, state
