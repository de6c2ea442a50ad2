"""The one place where TensorFlow is imported, with Keras 2.

TFRS and hub.KerasLayer need Keras 2 (the package tf-keras), which TensorFlow picks only when TF_USE_LEGACY_KERAS is set
before its first import. Every module of tfrec takes `tf` and `keras` from here.
"""

from __future__ import annotations

import os
import sys
import warnings

from tfrec.cluster import joined
from tfrec.errors import TfrecError
from tfrec.keras_choice import why_not_keras_2
from tfrec.quiet_start import quiet_start

if told := why_not_keras_2():
    raise TfrecError(told)
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # failures come as Python errors
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # tfrec is built and measured for the CPU

# TensorFlow Recommenders imports scann wherever that is installed; its TensorFlow ops are built for another TensorFlow
# and fail to load, which would end every program. So it is told that there is none (tfrec.retrieval.approximate).
sys.modules.setdefault("scann", None)  # type: ignore[arg-type]

warnings.filterwarnings("ignore", message="pkg_resources is deprecated")

with quiet_start():
    import tensorflow as tf
    import tf_keras as keras

    # Collective ops have to be set up before the first tensor. Waits until all workers are there.
    STRATEGY = None
    if joined() is not None:
        try:
            STRATEGY = tf.distribute.MultiWorkerMirroredStrategy()
        except (tf.errors.OpError, RuntimeError, ValueError) as error:
            raise TfrecError(
                f"The workers of TF_CONFIG have not met ({str(error).splitlines()[0][:200]}): start all of them, each "
                "at an address that the others reach and whose port is free."
            ) from error

    tf.constant(0)  # the devices are looked up at the first tensor
    # oneDNN says once, as an error, that it leaves 64-bit integers to Eigen on this processor, which harms nothing.
    tf.transpose(tf.zeros([1, 1], tf.int64))

tf.get_logger().setLevel("ERROR")

__all__ = ["STRATEGY", "keras", "tf"]
