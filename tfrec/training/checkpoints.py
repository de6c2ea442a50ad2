"""What a killed run needs to go on, and the best weights so far; where they lie, `training_state` says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfrec.errors import TrainingError
from tfrec.files import atomic_directory
from tfrec.tensorflow_setup import tf
from tfrec.training.training_state import STATE, best_folder, read_state


def save(folder: Path, variables: list[Any], state: dict[str, Any]) -> None:
    """Writes variables and a small JSON state into `folder`, whole or not at all.

    Args:
        folder: replaced when it exists.
        variables: TensorFlow variables in a fixed order.
        state: what else describes the moment (step, seconds, scores); must be JSON.
    """
    with atomic_directory(folder) as aside:
        tf.train.Checkpoint(variables=_Listed(variables)).write(str(aside / "weights"))
        (aside / STATE).write_text(json.dumps(state, indent=2, sort_keys=True), "utf-8")


def restore_best(folder: Path, state: dict[str, Any], variables: list[Any]) -> None:
    """Reads the best weights of a training back.

    Args:
        folder: the training's.
        state: its last state.
        variables: of the model.

    Raises:
        TrainingError: they are missing, damaged, or of another training.
    """
    best = best_folder(folder, state["best_number"])
    if restore(best, variables).get("signature") != state["signature"]:
        raise TrainingError(f"The checkpoint {best} is of another training: delete the folder to start anew.")


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
