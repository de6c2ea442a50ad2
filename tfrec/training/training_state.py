"""Where the checkpoints of a training are and what their state says; needs no TensorFlow.

Each training has a folder of its own, named by its signature: `last/` with its state, and the best weights, which that
state names. So a changed configuration trains beside what is finished, and a kill between the two writes leaves a state
that still names the weights it means.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tfrec.errors import TfrecError
from tfrec.files import read_json

STATE = "state.json"
_LETTERS = 16  # of the signature, as the folder's name


def training_folder(base: Path, signature: str) -> Path:
    """Where the checkpoints of one training are, below a run's."""
    return base / signature[:_LETTERS]


def last_state(folder: Path) -> dict[str, Any]:
    """The state of a training, {} when it has none; a damaged one is none."""
    try:
        return read_state(folder / "last") if exists(folder / "last") else {}
    except (OSError, TfrecError):
        return {}


def best_folder(folder: Path, number: int) -> Path:
    """Where the weights of the evaluation of that number are while they are the best."""
    return folder / f"best-{number}"


def forget_other_bests(folder: Path, number: int) -> None:
    """Removes the weights that are no longer the best."""
    for path in folder.glob("best-*"):
        if path != best_folder(folder, number):
            shutil.rmtree(path, ignore_errors=True)


def exists(folder: Path) -> bool:
    """Whether `folder` holds a whole checkpoint."""
    return (folder / STATE).is_file()


def read_state(folder: Path) -> dict[str, Any]:
    """The JSON state of a checkpoint."""
    return read_json(folder / STATE)
