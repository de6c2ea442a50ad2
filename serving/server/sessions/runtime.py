"""What the server needs of a runtime. TensorFlow stands behind this in two ways; another runtime can take their place.

"session" runs the SavedModel as TF Serving does, wholly in C++ (see session_model); "python" calls the functions that
`tf.saved_model.load` gives (see python_model). "auto" is "session" where the installed TensorFlow offers it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

logger = logging.getLogger("tfrec.serving.server")
Kind = Literal["auto", "session", "python"]


class Model(Protocol):
    """A loaded SavedModel. `run` may be called from several threads.

    Attributes:
        signature_defs: `tensorflow.SignatureDef` by name.
    """

    signature_defs: Mapping[str, Any]

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Calls a signature.

        Args:
            signature: its name.
            inputs: an array per input, already of the signature's dtypes and ranks; strings as object arrays of bytes.

        Returns:
            All outputs by name; strings as object arrays of bytes.

        Raises:
            StatusError: the graph failed, with TensorFlow's code and message.
        """
        ...

    def close(self) -> None:
        """Gives the memory back. Nothing runs any more and nothing will."""
        ...


def open_model(folder: Path, kind: Kind = "auto", intra_op: int = 1) -> Model:
    """Loads a SavedModel.

    Args:
        folder: the version folder.
        kind: the runtime.
        intra_op: threads inside one op; the first model of a process decides for all.

    Raises:
        TfrecError: it cannot be loaded.
    """
    # isort: off
    from tfrec.tensorflow_setup import tf  # noqa: F401
    import tensorflow_text  # noqa: F401  (registers the tokenizer's ops)

    if kind != "python":
        from tfrec.serving.server.sessions.c_api import c_api
        from tfrec.serving.server.sessions.session_model import SessionModel

        try:
            api = c_api()
        except (OSError, AttributeError, RuntimeError) as error:
            if kind == "session":
                raise
            logger.warning("TensorFlow's C API is not to be had (%s): models run through Python", error)
        else:
            return SessionModel(api, folder, intra_op)
    from tfrec.serving.server.sessions.python_model import PythonModel

    return PythonModel(folder)
