"""The one place where TensorFlow is imported, with Keras 2.

TFRS and hub.KerasLayer need Keras 2 (the package tf-keras), which TensorFlow picks only when TF_USE_LEGACY_KERAS is set
before its first import. Every module of tfrec takes `tf` and `keras` from here.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator

from tfrec.errors import TfrecError

if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
    raise TfrecError(
        "TensorFlow was imported before tfrec without Keras 2: import tfrec first, or set TF_USE_LEGACY_KERAS=1 "
        "in the environment."
    )
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # failures come as Python errors
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # tfrec is built and measured for the CPU

warnings.filterwarnings("ignore", message="pkg_resources is deprecated")


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Holds back what TensorFlow writes to standard error before its log level counts; shown if it fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held, open(os.dup(2), "wb") as kept:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            kept.write(held.read())
            raise
        finally:
            os.dup2(kept.fileno(), 2)


with _quiet_start():
    import tensorflow as tf
    import tf_keras as keras

    tf.constant(0)  # the devices are looked up at the first tensor

tf.get_logger().setLevel("ERROR")

__all__ = ["keras", "tf"]
