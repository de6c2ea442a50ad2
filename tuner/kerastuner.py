"""The one place where KerasTuner is imported.

KerasTuner imports Keras 3 and TensorFlow. The processes that only propose and hand out trials (chief, worker) take it
from here and run no TensorFlow op, so that workers can be forked from a process that has imported everything once; a
process in which TensorFlow has run cannot be forked.
"""

from __future__ import annotations

import os
import warnings

from tfrec.quiet_start import quiet_start

os.environ.setdefault(
    "TF_USE_LEGACY_KERAS", "1"
)  # what tfrec.tensorflow_setup asks of whoever imports TensorFlow first
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
warnings.filterwarnings("ignore", message="currentThread")  # KerasTuner's, in every call of its oracles

with quiet_start():
    import keras_tuner
    from keras_tuner.src import config as _config
    from keras_tuner.src.distribute.oracle_chief import OracleServicer
    from keras_tuner.src.distribute.oracle_client import OracleClient
    from keras_tuner.src.engine.trial import Trial, TrialStatus
    from keras_tuner.src.protos import get_service, get_service_grpc
_config.DEBUG = False  # it prints a traceback for every failed trial; the reason and the trial's log tell more

__all__ = ["OracleClient", "OracleServicer", "Trial", "TrialStatus", "get_service", "get_service_grpc", "keras_tuner"]
