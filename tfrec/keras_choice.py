"""Which Keras TensorFlow takes, settled before its first import: TFRS and hub.KerasLayer need Keras 2 (tf-keras)."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

_VARIABLE = "TF_USE_LEGACY_KERAS"
_YES = ("1", "true", "True")  # what TensorFlow takes for a yes


def choose_keras_2() -> None:
    """Asks TensorFlow for Keras 2, unless it has made its choice, somebody else has, or there is none.

    The client for web backends comes without tf-keras; TensorFlow beside it stays as it would be without tfrec.
    """
    if "tensorflow" not in sys.modules and _VARIABLE not in os.environ and find_spec("tf_keras") is not None:
        os.environ[_VARIABLE] = "1"


def why_not_keras_2() -> str:
    """A sentence about the TensorFlow that was imported before, if it runs with Keras 3; "" when all is well."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return ""
    # TensorFlow reads the variable once, when it is imported; it may have been set or removed since.
    legacy = getattr(tensorflow, "_tf_uses_legacy_keras", os.environ.get(_VARIABLE) in _YES)
    if legacy:
        return ""
    if os.environ.get(_VARIABLE) not in (None, *_YES):
        return (
            f"TensorFlow runs with Keras 3, because {_VARIABLE}={os.environ[_VARIABLE]} is set: remove it from the "
            "environment and start again."
        )
    return (
        "TensorFlow was imported before tfrec and runs with Keras 3, but tfrec needs Keras 2: write `import tfrec` "
        f"above the first import of TensorFlow, or set {_VARIABLE}=1 in the environment, and start again."
    )
