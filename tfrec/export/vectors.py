"""The items' vectors of an export, for what goes on with them outside: a grown catalogue, an evaluation, an index."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfrec.errors import ExportError
from tfrec.export.manifest import read_manifest, verify_manifest
from tfrec.export.version_names import newest_version
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


def exported_vectors(base: Path, signature: str, fingerprint: str) -> np.ndarray | None:
    """The items' unit vectors float32 [N, D] of the newest version, if it is whole and of this training and data.

    Args:
        base: folder of all versions.
        signature: sha256 (hex) of everything that the weights depend on.
        fingerprint: of the shop's data.
    """
    newest = newest_version(base)
    if newest is None:
        return None
    try:
        for known in (read_manifest, verify_manifest):  # the second reads all files
            manifest = known(newest)
            if (manifest.get("signature"), manifest.get("data_fingerprint")) != (signature, fingerprint):
                return None
        return catalogue_vectors(newest)
    except ExportError:
        return None
