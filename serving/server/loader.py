"""Finding the newest version of an export, checking it, loading it, and calling its signatures.

Everything that touches TensorFlow at request time is in `Servable.run`, so that another runtime can stand in.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np

from serving.server.status import StatusError
from tfrec.errors import ServingError, TfrecError
from tfrec.tensorflow_setup import tf

logger = logging.getLogger("serving.server")
Verify = Callable[[Path], Any]
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Version(NamedTuple):
    """A version folder below a model's base path."""

    number: int
    folder: Path


def find_versions(base_path: Path | str) -> list[Version]:
    """Lists the versions of a model, newest (highest number) first. Names that are not integers are ignored.

    Args:
        base_path: folder that holds one folder per version; a version folder itself stands for just that version.

    Raises:
        ServingError: the folder is missing or holds no version.
    """
    base = Path(base_path)
    if not base.is_dir():
        raise ServingError(f"There is no export folder {base}: make one with `tfrec export`.")
    if (base / "saved_model.pb").is_file() and _is_version(base.resolve().name):
        return [Version(int(base.resolve().name), base)]
    found = [Version(int(entry.name), entry) for entry in base.iterdir() if _is_version(entry.name) and entry.is_dir()]
    if not found:
        raise ServingError(f"{base} holds no version folder (a number such as 1): make one with `tfrec export`.")
    return sorted(found, reverse=True)


def _is_version(name: str) -> bool:
    return re.fullmatch(r"[0-9]{1,18}", name) is not None


def verify_export(folder: Path) -> Any:
    """Checks a version folder against its manifest.

    Raises:
        ExportError: the manifest is missing, or a file is missing or changed.
    """
    from tfrec.export.manifest import verify_manifest

    return verify_manifest(folder)


def set_threads(intra_op: int, inter_op: int) -> None:
    """Sets TensorFlow's thread pools. Once TensorFlow has run in this process they are fixed, and stay as they are."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(intra_op)
        tf.config.threading.set_inter_op_parallelism_threads(inter_op)
    except RuntimeError:
        logger.info("TensorFlow runs already in this process: its thread settings are kept")


class Servable:
    """One loaded version of a model.

    Attributes:
        name: the model's name.
        version: its number.
        folder: where it was loaded from.
        signature_defs: `tensorflow.SignatureDef` by name, as the SavedModel has them.
    """

    def __init__(self, name: str, version: Version, loaded: Any, signature_defs: Mapping[str, Any]) -> None:
        self.name = name
        self.version = version.number
        self.folder = version.folder
        self.signature_defs = signature_defs
        self._loaded = loaded  # a signature alone does not keep the model's variables and tables alive
        self._functions = dict(loaded.signatures)

    def run(self, signature: str, inputs: Mapping[str, np.ndarray], outputs: list[str]) -> dict[str, np.ndarray]:
        """Calls a signature.

        Args:
            signature: its name.
            inputs: an array per input, already of the signature's dtypes and ranks.
            outputs: names of the outputs wanted.

        Returns:
            The outputs by name; strings as object arrays of bytes.

        Raises:
            StatusError: the graph failed, with TensorFlow's code and message.
        """
        types = self.signature_defs[signature].inputs
        try:
            tensors = {name: tf.constant(array, types[name].dtype) for name, array in inputs.items()}
            results = self._functions[signature](**tensors)
            return {name: results[name].numpy() for name in outputs}
        except tf.errors.OpError as error:
            # The text before the last stack note only tells that there is no stack.
            message = error.message.rpartition("<stack traces unavailable>\n")[2]
            message = re.sub(r" \[Op:\w+\]\s*$", "", message)
            raise StatusError(_CODES.get(error.error_code, grpc.StatusCode.UNKNOWN), message) from None


def load(name: str, version: Version, verify: Verify = verify_export) -> Servable:
    """Checks and loads one version.

    Args:
        name: the name under which it will be served.
        version: the folder.
        verify: called with the folder before anything of it is loaded; raises a TfrecError to refuse it.

    Raises:
        TfrecError: the manifest does not fit, or TensorFlow cannot load the folder.
    """
    started = time.perf_counter()
    verify(version.folder)
    try:
        import tensorflow_text  # noqa: F401  (registers the tokenizer's ops)

        signature_defs = _read_signature_defs(version.folder)
        loaded = tf.saved_model.load(str(version.folder))
    except TfrecError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ServingError(f"The model in {version.folder} cannot be loaded ({reason}): export it again.") from error
    logger.info("Loaded %s version %d in %.1f s", name, version.number, time.perf_counter() - started)
    return Servable(name, version, loaded, signature_defs)


def _read_signature_defs(folder: Path) -> dict[str, Any]:
    from tensorflow.core.protobuf import saved_model_pb2

    file = folder / "saved_model.pb"
    if not file.is_file():
        raise ServingError(f"{folder} is not a SavedModel, saved_model.pb is missing: export the model again.")
    saved_model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for graph in saved_model.meta_graphs:
        if "serve" in graph.meta_info_def.tags:
            # Copies, so that the rest of the file (all weights of a frozen model) is freed.
            return {name: _copy(signature) for name, signature in graph.signature_def.items()}
    raise ServingError(f"{file} has no graph for serving: export the model again.")


def _copy(signature: Any) -> Any:
    copied = type(signature)()
    copied.CopyFrom(signature)
    return copied
