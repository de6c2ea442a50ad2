"""Whether TensorFlow took Keras 2 (tf-keras), which TFRS and hub.KerasLayer need; `import tfrec` asks for it."""

from __future__ import annotations

import os
import sys

_VARIABLE = "TF_USE_LEGACY_KERAS"
_YES = ("1", "true", "True")  # what TensorFlow takes for a yes


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
