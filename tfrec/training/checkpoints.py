"""What a killed run needs to go on, and the best weights so far."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfrec.errors import TrainingError
from tfrec.files import atomic_directory, read_json
from tfrec.tensorflow_setup import tf

_STATE = "state.json"


def save(folder: Path, variables: list[Any], state: dict[str, Any]) -> None:
    """Writes variables and a small JSON state into `folder`, whole or not at all.

    Args:
        folder: replaced when it exists.
        variables: TensorFlow variables in a fixed order.
        state: what else describes the moment (step, seconds, scores); must be JSON.
    """
    with atomic_directory(folder) as aside:
        tf.train.Checkpoint(variables=_Listed(variables)).write(str(aside / "weights"))
        (aside / _STATE).write_text(json.dumps(state, indent=2, sort_keys=True), "utf-8")


def exists(folder: Path) -> bool:
    """Whether `folder` holds a whole checkpoint."""
    return (folder / _STATE).is_file()


def read_state(folder: Path) -> dict[str, Any]:
    """The JSON state of a checkpoint."""
    return read_json(folder / _STATE)


def restore(folder: Path, variables: list[Any]) -> dict[str, Any]:
    """Reads the variables back and gives the state.

    Raises:
        TrainingError: the checkpoint is of another model or damaged.
    """
    try:
        status = tf.train.Checkpoint(variables=_Listed(variables)).read(str(folder / "weights"))
        status.assert_existing_objects_matched().expect_partial()
        return read_state(folder)
    except (AssertionError, IndexError, ValueError, OSError, tf.errors.OpError) as error:
        raise TrainingError(
            f"The checkpoint {folder} does not fit this model or is damaged ({str(error).splitlines()[0][:160]}): "
            "delete the folder to start anew."
        ) from error


class _Listed(tf.Module):
    """Variables under their position, whatever their names are."""

    def __init__(self, variables: list[Any]) -> None:
        super().__init__()
        self.variables_in_order = list(variables)
