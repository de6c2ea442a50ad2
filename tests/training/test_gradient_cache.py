"""Gradients of a batch that is encoded part by part: those of the whole batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.conftest import texts_of
from tfrec.config import Config

TEXTS = [f"{colour} {thing}" for colour in ("red", "blue", "green") for thing in ("sofa", "lamp", "table", "chair")]
CANDIDATES = [0, 5, 2, 8, 10, 11, 3]


@pytest.fixture(scope="module")
def config(scratch_encoder: Callable[..., Path]) -> Config:
    encoder = scratch_encoder(texts_of(200), hidden=32, layers=2, heads=4, vocabulary_size=400)
    encoding = {"name": str(encoder), "precision": "f32", "freeze": "none", "dropout": 0.0}
    data = {"items": "items.csv", "searches": "searches.csv", "history_length": 4}
    settings = {"data": data, "encoder": encoding, "model": {"min_interactions": 2}, "augment": {"consistency": 1.0}}
    return Config.model_validate(settings)


@pytest.fixture(scope="module")
def model(config: Config) -> Any:
    from tfrec.encoder.loading import load_encoder
    from tfrec.models.two_tower import TwoTower

    model = TwoTower(config, load_encoder(config.encoder, 1), len(TEXTS), np.arange(len(TEXTS)))
    generator = np.random.default_rng(3)
    for variable in model.head_variables:
        variable.assign_add(generator.normal(0, 0.3, variable.shape).astype(np.float32))
    model.refresh_catalogue(TEXTS, np.ones(len(TEXTS)))
    return model


@pytest.fixture(scope="module")
def batch(model: Any) -> dict[str, Any]:
    from tfrec.tensorflow_setup import tf

    queries = ["red", "blue lamp of the large kind", "table", "sofa green"]
    allowed = np.ones((4, len(CANDIDATES)), bool)
    allowed[0, 3] = False
    return {
        "query_tokens": model.encoder.tokenize(tf.constant(queries), 12),
        "view_tokens": model.encoder.tokenize(tf.constant([query[::-1] for query in queries]), 12),
        "has_text": tf.constant([True, True, False, True]),
        "history": tf.constant([[-1, -1], [3, 9], [5, 6], [-1, -1]]),
        "item_tokens": model.encoder.tokenize(tf.constant([TEXTS[item] for item in CANDIDATES]), 12),
        "items": tf.constant(CANDIDATES),
        "weight": tf.constant([1.0, 0.5, 2.0, 1.0]),
        "is_search": tf.constant([True, True, False, False]),
        "allowed": tf.constant(allowed),
        "probability": tf.fill([len(CANDIDATES)], 0.2),
    }


def _dense(gradients: list[Any]) -> list[np.ndarray]:
    from tfrec.tensorflow_setup import tf

    return [np.zeros(1) if one is None else tf.convert_to_tensor(one).numpy() for one in gradients]


def _cached(model: Any, batch: dict[str, Any], texts: int) -> tuple[float, list[np.ndarray]]:
    from tfrec.tensorflow_setup import tf
    from tfrec.training.gradient_cache import CachedGradients

    cached = CachedGradients(model, model.encoder.trainable_variables, model.head_variables, texts)
    loss, gradients = tf.function(lambda: cached(batch), autograph=False)()
    return float(loss), _dense(gradients)


def test_parts_give_the_gradients_of_the_whole(model: Any, batch: dict[str, Any]) -> None:
    from tfrec.tensorflow_setup import tf

    variables = [*model.encoder.trainable_variables, *model.head_variables]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, training=True)
    expected = _dense(tape.gradient(loss, variables))
    found, gradients = _cached(model, batch, 4)
    assert found == pytest.approx(float(loss), rel=1e-5)
    for variable, one, other in zip(variables, gradients, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * max(1.0, np.abs(other).max()), err_msg=variable.name)


@pytest.mark.slow
def test_dropout_is_the_same_both_times(model: Any, batch: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.encoder, "_rate", 0.4)
    seed = model.encoder.dropout_seed
    start = int(seed)
    once, of_one_pass = _cached(model, batch, 0)
    moved = int(seed)
    seed.assign(start)
    again, of_two_passes = _cached(model, batch, 100)
    assert (again, int(seed)) == (pytest.approx(once, rel=1e-5), moved) and moved != start
    for one, other in zip(of_two_passes, of_one_pass, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * max(1.0, np.abs(other).max()))
