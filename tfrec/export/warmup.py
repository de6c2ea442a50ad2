"""Warm-up records: requests that a server replays before it reports a model as available.

TensorFlow Serving reads `assets.extra/tf_serving_warmup_requests` of a version folder, a TFRecord file of
`tensorflow.serving.PredictionLog` (tensorflow.org/tfx/serving/saved_model_warmup).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
BATCH_SIZES = (1, 2, 4, 8)
_RANKED = ("search", "recommend", "personalised_search", "similar_items")
_TURNS = len(BATCH_SIZES) + 1
_DIVERSITY = 0.1
_WORDS = 6
_K = 10
_MOST = 1000  # records that TensorFlow Serving accepts


def warmup_inputs(
    item_ids: Sequence[str], texts: Sequence[str], requests: int, seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests over all signatures that rank, in turn, with growing batches; then one for each that filters.

    They are made of items alone: what shoppers typed stays out of the export.

    Args:
        item_ids: the catalogue's ids.
        texts: the items' texts; their first words serve as queries.
        requests: how many requests.
        seed: chooses the items.

    Yields:
        (signature name, inputs by name: object arrays of str, and NumPy scalars).
    """
    generator = np.random.default_rng(seed)
    for number in range(requests):
        turn, kind = divmod(number % (4 * _TURNS), 4)
        batch = (*BATCH_SIZES, 1)[turn]
        chosen = generator.integers(len(item_ids), size=(batch, 3))
        ids = np.array(item_ids, dtype=object)[chosen]
        queries = np.array([" ".join(texts[row].split()[:_WORDS]) for row in chosen[:, 0]], dtype=object)
        inputs: dict[str, Any] = (
            {"query": queries}, {"history": ids}, {"query": queries, "history": ids}, {"item_id": ids[:, 0]}
        )[kind]  # fmt: skip
        name = _RANKED[kind]
        if turn == _TURNS - 1:
            name += "_filtered"
            inputs |= {"filters": np.array([[""]] * batch, dtype=object), "diversity": np.float32(_DIVERSITY)}
            if "history" in inputs:
                inputs["exclude_seen"] = np.bool_(True)
        yield name, {**inputs, "k": np.int32(_K)}


def picture_inputs(pictures: Sequence[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests by a picture, as `warmup_inputs` gives those of words.

    Args:
        pictures: JPEG or PNG files; without any there is no request.
    """
    if not pictures:
        return
    for batch in (1, 2):
        inputs = {"image": np.array([pictures[0]] * batch, dtype=object), "k": np.int32(_K)}
        nothing = np.array([""] * batch, dtype=object)
        wishes = {"filters": nothing[:, np.newaxis], "diversity": np.float32(0), "share": np.float32(-1)}
        yield "search_image", inputs
        yield "search_image_filtered", {**inputs, **wishes, "query": nothing}


def write_warmup(
    folder: Path, item_ids: Sequence[str], texts: Sequence[str], requests: int, seed: int, model_name: str,
    pictures: Sequence[bytes] = (),
) -> None:  # fmt: skip
    """Writes the warm-up records of a version folder; none for 0 requests.

    Args:
        folder: the version folder.
        item_ids: the catalogue's ids.
        texts: the items' texts.
        requests: how many requests; TensorFlow Serving accepts at most 1000.
        seed: chooses the items.
        model_name: the name that the requests give.
        pictures: of items, for signatures that take some; none where the export has no such.
    """
    told = list(warmup_inputs(item_ids, texts, requests, seed))
    write_records(folder, [*told, *(picture_inputs(pictures) if told else ())][-_MOST:], model_name)


def write_records(folder: Path, requests: Iterable[tuple[str, dict[str, Any]]], model_name: str) -> None:
    """Writes warm-up records; none where there is no request.

    Args:
        folder: the version folder.
        requests: (signature name, inputs by name).
        model_name: the name that the requests give.
    """
    told = list(requests)
    if not told:
        return
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    file = folder / WARMUP_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature, inputs in told:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())
