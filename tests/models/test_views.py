"""The second view and the adversarial step: by known truth, and without a trace when they are off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.config import Config
from tfrec.models.adversarial import fgm_loss, vat_loss
from tfrec.models.consistency import divergence, log_answers
from tfrec.tensorflow_setup import tf

QUERIES, CANDIDATES = ["red", "blue lamp", "table", "sofa green"], [0, 5, 2, 8, 10, 11]


def inputs_of(model: Any, texts: list[str], **more: Any) -> dict[str, Any]:
    return {
        "query_tokens": model.encoder.tokenize(tf.constant(QUERIES), 12),
        "has_text": tf.constant([True] * 4),
        "history": tf.constant([[-1, -1], [3, 9], [5, 6], [-1, -1]]),
        "item_tokens": model.encoder.tokenize(tf.constant([texts[item] for item in CANDIDATES]), 12),
        "items": tf.constant(CANDIDATES),
        "weight": tf.constant([1.0, 0.5, 2.0, 1.0]),
        "is_search": tf.constant([True, True, True, True]),
        "allowed": tf.ones([4, 6], tf.bool),
        "probability": tf.ones([6]),
        **more,
    }


def model_like(moved: Any, config: Config, **augment: Any) -> Any:
    """A model with the same weights and another section augment."""
    from tfrec.models.two_tower import TwoTower

    tree = config.model_dump() | {"augment": augment}
    other = TwoTower(Config.model_validate(tree), moved.encoder, 12, np.where(np.arange(12) < 6, 5, 1))
    for target, source in zip(other.saved_variables, moved.saved_variables, strict=True):
        target.assign(source)
    other.catalogue.assign(moved.catalogue)
    return other


def view_of(model: Any, queries: list[str]) -> Any:
    return model.encoder.tokenize(tf.constant(queries), 12)


def test_the_divergence_of_two_answers_is_the_mean_of_both_directions() -> None:
    p, q = np.array([[0.7, 0.2, 0.1], [0.2, 0.3, 0.5]]), np.array([[0.1, 0.4, 0.5], [0.2, 0.3, 0.5]])
    expected = 0.5 * ((p * np.log(p / q)).sum(1) + (q * np.log(q / p)).sum(1))
    weight = np.array([3.0, 1.0], np.float32)
    found = divergence(tf.constant(np.log(p), tf.float32), tf.constant(np.log(q), tf.float32), tf.constant(weight))
    assert float(found) == pytest.approx(float((expected * weight).sum() / 4.0), rel=1e-5)


def test_answers_are_probabilities_of_what_is_allowed() -> None:
    allowed = tf.constant([[True, False, True]])
    answers = log_answers(tf.constant([[1.0, 0.0]]), tf.eye(3, 2), tf.math.log(0.5), allowed)
    assert np.exp(answers.numpy()) == pytest.approx(np.array([[np.e**2, 0.0, 1.0]]) / (np.e**2 + 1.0), rel=1e-5)


def test_a_view_equal_to_the_query_changes_nothing(moved: Any, texts: list[str]) -> None:
    alone = float(moved.compute_loss(inputs_of(moved, texts)))
    assert float(moved.compute_loss(inputs_of(moved, texts, view_tokens=view_of(moved, QUERIES)))) == pytest.approx(
        alone
    )


def test_two_views_count_half_each_plus_their_divergence(moved: Any, config: Config, texts: list[str]) -> None:
    other = ["blue", "blue lmp", "chair", "green"]
    first = inputs_of(moved, texts)
    second = inputs_of(moved, texts) | {"query_tokens": view_of(moved, other)}
    both = inputs_of(moved, texts, view_tokens=view_of(moved, other))
    means = 0.5 * (float(moved.compute_loss(first)) + float(moved.compute_loss(second)))
    losses = [float(model_like(moved, config, consistency=weight).compute_loss(both)) for weight in (0.0, 1.0, 2.0)]
    assert losses[0] == pytest.approx(means, rel=1e-4)
    assert losses[2] - losses[0] == pytest.approx(2.0 * (losses[1] - losses[0]), rel=1e-3)
    assert losses[1] > losses[0] + 1e-3


def test_an_adversarial_step_acts_in_training_only(moved: Any, config: Config, texts: list[str]) -> None:
    inputs = inputs_of(moved, texts, noise_seed=tf.constant([17, 3], tf.int64))
    plain = float(moved.compute_loss(inputs, training=True))
    for kind in ("fgm", "vat"):
        model = model_like(moved, config, adversarial={"kind": kind, "radius": 0.1, "weight": 1.0})
        assert float(model.compute_loss(inputs)) == pytest.approx(plain, rel=1e-6)
        extra = float(model.compute_loss(inputs, training=True)) - plain
        assert extra > (plain if kind == "fgm" else 0.0)  # the loss where it is worse; a divergence
        twice = model_like(moved, config, adversarial={"kind": kind, "radius": 0.1, "weight": 2.0})
        assert float(twice.compute_loss(inputs, training=True)) - plain == pytest.approx(2.0 * extra, rel=1e-4)


def test_an_adversarial_step_trains_the_encoder(moved: Any, config: Config, texts: list[str]) -> None:
    inputs = inputs_of(moved, texts, noise_seed=tf.constant([17, 3], tf.int64))
    gradients = []
    for augment in ({}, {"adversarial": {"kind": "fgm"}}, {"adversarial": {"kind": "vat"}}):
        model = model_like(moved, config, **augment)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(inputs, training=True)
        found = tape.gradient(loss, moved.encoder.trainable_variables)
        gradients.append(np.concatenate([tf.reshape(tf.convert_to_tensor(g), [-1]) for g in found if g is not None]))
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert np.abs(gradients[1] - gradients[0]).max() > 1e-4 and np.abs(gradients[2] - gradients[0]).max() > 1e-5


def test_fgm_goes_up_the_gradient_by_the_radius() -> None:
    slope = tf.constant([[3.0, 4.0], [0.0, -2.0], [0.0, 0.0]])
    texts = [tf.constant([[6.0, 8.0], [1.0, 0.0], [5.0, 5.0]])]
    seen = []

    def loss(given: list[Any]) -> Any:
        seen.append(given[0].numpy())
        return tf.reduce_sum(given[0] * slope) * 1e-9  # tiny gradients give the same direction

    fgm_loss(loss, texts, 0.1)
    assert seen[-1] == pytest.approx(np.array([[6.6, 8.8], [1.0, -0.1], [5.0, 5.0]]), rel=1e-5)


def test_vat_finds_a_worse_direction_than_chance() -> None:
    generator = np.random.default_rng(5)
    texts = [tf.constant(generator.normal(size=(64, 16)), tf.float32)]
    # answers look at one direction only: a random move has little of it
    axis = tf.constant(generator.normal(size=(16, 5)) @ np.diag([4.0, 0.1, 0.1, 0.1, 0.1]), tf.float32)
    weight = tf.ones([64])

    def answers(given: list[Any]) -> Any:
        return tf.nn.log_softmax(tf.matmul(given[0], axis), axis=1)

    def by_chance(seed: int) -> float:
        move = generator.normal(size=(64, 16))
        move *= 0.1 * np.linalg.norm(texts[0], axis=1, keepdims=True) / np.linalg.norm(move, axis=1, keepdims=True)
        moved, still = answers([texts[0] + move.astype(np.float32)]), answers(texts)
        return float(tf.reduce_mean(tf.reduce_sum(tf.exp(still) * (still - moved), axis=1)))

    found = [float(vat_loss(answers, texts, 0.1, weight, tf.constant([1, seed], tf.int64))) for seed in range(3)]
    assert min(found) > 2.0 * max(by_chance(seed) for seed in range(3))
    assert found[0] == float(vat_loss(answers, texts, 0.1, weight, tf.constant([1, 0], tf.int64)))
