"""Teaching a query student the vectors of the large encoder."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.encoder.query_student import QueryStudent
from tfrec.progress import Progress
from tfrec.tensorflow_setup import tf
from tfrec.training import checkpoints, training_state
from tfrec.training.optimizer import AdamW
from tfrec.training.schedule import Schedule

_BATCH = 64
_RATE, _STATIC_RATE, _HEAD_RATE = 3e-4, 1e-3, 1e-3
_WARMUP, _CLIP = 0.05, 1.0


def distil(
    student: QueryStudent, texts: Sequence[str], max_tokens: int, epochs: int, seed: int, folder: Path, key: str
) -> dict[str, Any]:
    """Trains the small encoder until its vectors point where the large one's do (cosine), and keeps it.

    A killed training goes on after the last pass that it ended.

    Args:
        student: with start values.
        texts: queries that it learns from, at least one.
        max_tokens: word pieces of a query that are read.
        epochs: passes over the texts.
        seed: of their order.
        folder: of its checkpoints: `last` while it learns, `best-0` then, as a training has them.
        key: what the result depends on; a checkpoint of another key counts as none.

    Returns:
        texts, seconds, and the mean cosine to the large encoder's vectors in the last pass.
    """
    aims = student.teacher.encode(texts, max_tokens, "Encoding queries for the query student", "query")
    aims /= np.maximum(np.linalg.norm(aims, axis=1, keepdims=True), 1e-9)
    *body, kernel, bias = student.own_variables
    rate = _RATE if student.has_layers else _STATIC_RATE
    optimizer = AdamW([(body, rate), ([kernel, bias], _HEAD_RATE)], 0.0, _CLIP)
    kept = [*student.own_variables, *optimizer.first, *optimizer.second, optimizer.updates]
    state = training_state.last_state(folder)
    if state.get("key") == key:
        checkpoints.restore(folder / "last", kept)
    else:
        state = {"key": key, "epoch": 0, "seconds": 0.0, "cosine": 0.0}
        student.begin(texts, aims, max_tokens)
    tokens = student.tokenize(tf.constant(list(texts)), max_tokens, "query")
    lengths, step = tokens.row_lengths().numpy(), _step_of(student, optimizer)
    batches = math.ceil(len(texts) / _BATCH)
    schedule = Schedule(epochs * batches, None, _WARMUP)
    with Progress("Teaching the query student", float(epochs * batches)) as progress:
        progress.advance(float(state["epoch"] * batches))
        for epoch in range(state["epoch"], epochs):
            started, cosines = time.monotonic(), []
            for number, rows in enumerate(_batches(lengths, batches, [seed, epoch])):
                factor = schedule.factor((epoch * batches + number) / schedule.total_steps)
                some = tf.gather(tokens, rows)
                found = step(some.to_tensor(), tf.cast(some.row_lengths(), tf.int32), aims[rows], np.float32(factor))
                cosines.append(float(found))
                progress.advance(1)
            seconds = state["seconds"] + time.monotonic() - started
            state = {"key": key, "epoch": epoch + 1, "seconds": seconds, "cosine": float(np.mean(cosines))}
            checkpoints.save(folder / "last", kept, state)
    told = {"texts": len(texts), "seconds": round(state["seconds"], 1), "cosine": round(state["cosine"], 4)}
    checkpoints.save(training_state.best_folder(folder, 0), student.own_variables, {"signature": key, **told})
    shutil.rmtree(folder / "last", ignore_errors=True)
    return told


def _step_of(student: QueryStudent, optimizer: AdamW) -> Any:
    """(tokens int32 [B, T], lengths int32 [B], aims float32 [B, H], factor of the rates) -> mean cosine before it."""
    signature = [
        tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([None, student.hidden_size], tf.float32), tf.TensorSpec([], tf.float32),
    ]  # fmt: skip

    @tf.function(input_signature=signature, autograph=False)
    def step(word_ids: Any, lengths: Any, aims: Any, factor: Any) -> Any:
        with tf.GradientTape() as tape:
            vectors = tf.math.l2_normalize(student.vectors(word_ids, lengths), axis=1)
            cosine = tf.reduce_mean(tf.reduce_sum(vectors * aims, axis=1))
            loss = 1.0 - cosine
        optimizer.apply(tape.gradient(loss, student.own_variables), factor, tf.constant(0, tf.int64))
        return cosine

    return step


def _batches(lengths: np.ndarray, count: int, seed: list[int]) -> list[np.ndarray]:
    """Rows of texts of like length, in another order every time, so that a batch holds almost no padding."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(lengths))
    parts = np.array_split(shuffled[np.argsort(lengths[shuffled], kind="stable")], count)
    return [parts[place] for place in rng.permutation(count)]
