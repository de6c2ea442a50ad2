"""Replaying the requests that an export carries, so that the first shopper does not pay for lazy initialisation.

The file is TF Serving's: `assets.extra/tf_serving_warmup_requests`, a TFRecord of `tensorflow.serving.PredictionLog`.
"""

from __future__ import annotations

import logging
import time

from serving.server.loader import Servable
from serving.server.prediction_service import predict
from serving.server.status import StatusError
from serving.server.stubs import prediction_log_pb2
from tfrec.errors import ServingError
from tfrec.tensorflow_setup import tf

logger = logging.getLogger("serving.server")
WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_RECORDS = 1000  # as TF Serving


def warm_up(servable: Servable) -> int:
    """Replays the warm-up records of a loaded model.

    Args:
        servable: the model; records without a file are no error.

    Returns:
        How many requests ran.

    Raises:
        ServingError: the file cannot be read, or the model fails on one of its own records.
    """
    file = servable.folder / WARMUP_FILE
    if not file.is_file():
        return 0
    started = time.perf_counter()
    count = 0
    try:
        for count, record in enumerate(tf.data.TFRecordDataset(str(file)).take(MAX_RECORDS).as_numpy_iterator(), 1):
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if not log.HasField("predict_log"):
                raise ServingError(f"Record {count} of {file} is not a predict_log: export the model again.")
            predict(servable, log.predict_log.request)
    except StatusError as error:
        reason = " ".join(error.message.split())
        message = f"The model fails on record {count} of {file} ({reason}): export the model again."
        raise ServingError(message) from error
    except ServingError:
        raise
    except Exception as error:  # a broken TFRecord or a broken message
        raise ServingError(f"{file} cannot be read after record {count}: export the model again.") from error
    logger.info("Replayed %d warm-up requests in %.2f s", count, time.perf_counter() - started)
    return count
