"""The items' vectors of an export, for what goes on with them outside: a grown catalogue, an approximate index."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfrec.errors import ExportError
from tfrec.tensorflow_setup import tf

_CATALOGUE = "_catalogue/.ATTRIBUTES/VARIABLE_VALUE"


def catalogue_vectors(version: Path | str) -> np.ndarray:
    """The items' unit vectors float32 [N, D], in the order of the catalogue that was exported.

    Args:
        version: a version folder.

    Raises:
        ExportError: the folder holds no export of tfrec.
    """
    variables = Path(version) / "variables" / "variables"
    reader = tf.train.load_checkpoint(str(variables)) if variables.with_suffix(".index").is_file() else None
    if reader is None or not reader.has_tensor(_CATALOGUE):
        raise ExportError(f"{version} holds no vectors of a catalogue: export the model again.")
    return np.asarray(reader.get_tensor(_CATALOGUE), np.float32)
