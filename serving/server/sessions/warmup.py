"""Warming a model up, so that no shopper pays for what TensorFlow does at the first calls.

First the requests that an export carries (`assets.extra/tf_serving_warmup_requests`, a TFRecord of
`tensorflow.serving.PredictionLog` as TF Serving reads it), then every signature with every size of a batch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tfrec.errors import ServingError
from tfrec.serving.server.protocol.codec import decode_inputs
from tfrec.serving.server.protocol.operations import DEFAULT_SIGNATURE, predict
from tfrec.serving.server.protocol.stubs import prediction_log_pb2
from tfrec.serving.server.sessions.servable import Servable
from tfrec.serving.server.status import StatusError
from tfrec.tensorflow_setup import tf

logger = logging.getLogger("tfrec.serving.server")
WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_RECORDS = 1000  # as TF Serving
Arrays = dict[str, np.ndarray]


def _never() -> bool:
    return False


def warm_up(servable: Servable, threads: int = 1, given_up: Callable[[], bool] = _never) -> int:
    """Replays the warm-up records of a loaded model.

    Args:
        servable: the model; records without a file are no error.
        threads: records that run at once, each signature in one of them.
        given_up: asked before each record; True ends it.

    Returns:
        How many requests there are.

    Raises:
        ServingError: the file cannot be read, or the model fails on one of its own records.
    """
    started = time.perf_counter()
    by_signature: dict[str, list[tuple[int, Any]]] = {}
    records = _records(servable)
    for number, request in enumerate(records, 1):
        by_signature.setdefault(request.model_spec.signature_name, []).append((number, request))

    def replay(requests: list[tuple[int, Any]]) -> None:
        for number, request in requests:
            if given_up():
                return
            try:
                predict(_Alone(servable), request)
            except StatusError as error:
                reason = " ".join(error.message.split())
                file = servable.folder / WARMUP_FILE
                message = f"The model fails on record {number} of {file} ({reason}): export the model again."
                raise ServingError(message) from error

    _each(replay, list(by_signature.values()), threads)
    if records:
        logger.info("Replayed %d warm-up requests in %.2f s", len(records), time.perf_counter() - started)
    return len(records)


def warm_sizes(
    servable: Servable, sizes: Sequence[int], threads: int = 1, given_up: Callable[[], bool] = _never
) -> None:
    """Runs every signature with batches of every size, made of the export's first record or of made-up values.

    Made-up values may be nonsense to a model that is not of tfrec's making, so a failure there is no error.

    Args:
        servable: the model.
        sizes: rows of the batches.
        threads: signatures that run at once.
        given_up: asked before each batch; True ends it.
    """
    started = time.perf_counter()
    known: dict[tuple[str, ...], Arrays] = {}
    for request in _records(servable):
        signature = servable.signature_defs.get(request.model_spec.signature_name or DEFAULT_SIGNATURE)
        if signature is not None:
            known.setdefault(tuple(sorted(signature.inputs)), decode_inputs(signature, request.inputs))

    def warm(name: str) -> None:
        signature, plan = servable.signature_defs[name], servable.plan(name)
        inputs = known.get(tuple(sorted(signature.inputs))) or _made_up(signature)
        rows = plan.rows(inputs)
        try:
            for size in sizes if rows else (1,):
                if given_up():
                    return
                one = plan.part(inputs, 0, 1) if rows else inputs
                servable.run_alone(name, plan.merged([one], size) if rows else one)
        except StatusError as error:
            logger.info("The signature %s is not warm: %s", name, error.code.name)

    signatures = servable.signature_defs
    callable_ones = [one for one in servable.compiled() if signatures[one].method_name and signatures[one].inputs]
    _each(warm, callable_ones, threads)
    logger.info(
        "Warmed %d signatures at batches of %s in %.2f s", len(callable_ones), list(sizes),
        time.perf_counter() - started,
    )  # fmt: skip


class _Alone:
    """A version as `predict` wants it, beside the queues: before it is available nobody else asks."""

    def __init__(self, servable: Servable) -> None:
        self.name, self.version, self._servable = servable.name, servable.version, servable
        self.signature_defs = servable.signature_defs

    def run(
        self, signature: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str], deadline: float | None = None
    ) -> Arrays:
        found = self._servable.run_alone(signature, inputs)
        return {name: found[name] for name in outputs}


def _records(servable: Servable) -> list[Any]:
    file = servable.folder / WARMUP_FILE
    if not file.is_file():
        return []
    requests: list[Any] = []
    try:
        for record in tf.data.TFRecordDataset(str(file)).take(MAX_RECORDS).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if not log.HasField("predict_log"):
                number = len(requests) + 1
                raise ServingError(f"Record {number} of {file} is not a predict_log: export the model again.")
            requests.append(log.predict_log.request)
    except ServingError:
        raise
    except Exception as error:  # a broken TFRecord or a broken message
        reason = f"{file} cannot be read after record {len(requests)}: export the model again."
        raise ServingError(reason) from error
    return requests


def _made_up(signature: Any) -> Arrays:
    arrays: Arrays = {}
    for name, info in signature.inputs.items():
        shape = [1 if dim.size == -1 else dim.size for dim in info.tensor_shape.dim]
        kind = tf.dtypes.as_dtype(info.dtype)
        text = b"a" if len(shape) < 2 else b""  # in a history or a list of conditions, "" is nothing
        arrays[name] = np.full(shape, text, object) if kind == tf.string else np.ones(shape, kind.as_numpy_dtype)
    return arrays


def _each(work: Any, parts: Sequence[Any], threads: int) -> None:
    if threads <= 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="warm-up") as pool:
        for _ in pool.map(work, parts):
            pass
