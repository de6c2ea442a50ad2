"""A SavedModel as `tf.saved_model.load` gives it: for builds of TensorFlow whose C API is not to be had."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from tfrec.errors import ServingError
from tfrec.serving.server.sessions.saved_model import read_signature_defs
from tfrec.serving.server.sessions.session_model import CODES, NODE_NOTE, return_memory
from tfrec.serving.server.status import StatusError
from tfrec.tensorflow_setup import tf


class PythonModel:
    """See tfrec.serving.server.sessions.runtime.Model.

    Args:
        folder: the version folder.

    Raises:
        ServingError: TensorFlow cannot load the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.signature_defs: Mapping[str, Any] = read_signature_defs(folder)
        try:
            self._loaded: Any = tf.saved_model.load(str(folder))
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise ServingError(f"The model in {folder} cannot be loaded ({reason}): export it again.") from error
        self._functions = dict(self._loaded.signatures)

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """See tfrec.serving.server.sessions.runtime.Model.run."""
        types = self.signature_defs[signature].inputs
        try:
            tensors = {name: tf.constant(array, types[name].dtype) for name, array in inputs.items()}
            return {name: value.numpy() for name, value in self._functions[signature](**tensors).items()}
        except tf.errors.OpError as error:
            # The text before the last stack note only tells that there is no stack.
            message = error.message.rpartition("<stack traces unavailable>\n")[2]
            message = NODE_NOTE.sub("", re.sub(r" \[Op:\w+\]\s*$", "", message))
            raise StatusError(CODES.get(error.error_code, grpc.StatusCode.UNKNOWN), message) from None

    def close(self) -> None:
        """Drops the model."""
        self._loaded, self._functions = None, {}
        return_memory()
