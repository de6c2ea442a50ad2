"""The loss: masks, weights and temperature by known truth, and gradients that reach every part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

QUERIES = ["red", "blue lamp", "table", "sofa green"]


def inputs_of(model: Any, texts: list[str], candidates: list[int], **changes: Any) -> dict[str, Any]:
    """Four rows, two of each task; the first four candidates are their positives."""
    from tfrec.tensorflow_setup import tf

    count = len(candidates)
    inputs = {
        "query_tokens": model.encoder.tokenize(tf.constant(QUERIES), 12),
        "has_text": tf.constant([True, True, False, True]),
        "history": tf.constant([[-1, -1], [3, 9], [5, 6], [-1, -1]]),
        "item_tokens": model.encoder.tokenize(tf.constant([texts[item] for item in candidates]), 12),
        "items": tf.constant(candidates),
        "weight": tf.constant([1.0, 0.5, 2.0, 1.0]),
        "is_search": tf.constant([True, True, False, False]),
        "allowed": tf.ones([4, count], tf.bool),
        "probability": tf.ones([count]),
    }
    return inputs | changes


def expected_loss(model: Any, texts: list[str], candidates: list[int], allowed: np.ndarray, log_q: np.ndarray) -> float:
    """The weighted mean of softmax cross-entropies, in plain numpy."""
    queries = model.query_vectors(["red", "blue lamp", "", "sofa green"], [[], [3, 9], [5, 6], []]).astype(np.float64)
    items = model.item_vectors([texts[item] for item in candidates], candidates, "").astype(np.float64)
    logits = queries @ items.T / np.exp(float(model.log_temperature.numpy())) - log_q
    logits = np.where(allowed, logits, -np.inf)
    positive = logits[np.arange(4), np.arange(4)]
    losses = np.log(np.exp(logits - positive[:, None]).sum(axis=1))
    weights = np.array([1.0, 0.5, 2.0, 1.0])
    return float((losses * weights).sum() / weights.sum())


CANDIDATES = [0, 5, 2, 8, 10, 11]


def test_the_loss_is_the_weighted_mean_cross_entropy(moved: Any, texts: list[str]) -> None:
    loss = moved.compute_loss(inputs_of(moved, texts, CANDIDATES))
    assert float(loss) == pytest.approx(expected_loss(moved, texts, CANDIDATES, np.ones((4, 6)), np.zeros(6)), rel=1e-3)


def test_a_masked_candidate_does_not_count(moved: Any, texts: list[str]) -> None:
    from tfrec.tensorflow_setup import tf

    allowed = np.ones((4, 6), bool)
    allowed[0, 3] = allowed[2, 4] = False  # known positives of rows 0 and 2
    loss = moved.compute_loss(inputs_of(moved, texts, CANDIDATES, allowed=tf.constant(allowed)))
    assert float(loss) == pytest.approx(expected_loss(moved, texts, CANDIDATES, allowed, np.zeros(6)), rel=1e-3)
    assert float(loss) < float(moved.compute_loss(inputs_of(moved, texts, CANDIDATES)))


def test_the_same_item_twice_is_as_if_it_were_there_once(moved: Any, texts: list[str]) -> None:
    """An item that is drawn a second time, masked as the same item or a known positive, changes no loss."""
    from tfrec.tensorflow_setup import tf

    allowed = np.ones((4, 7), bool)
    allowed[:, 6] = False
    twice = inputs_of(moved, texts, [*CANDIDATES, 0], allowed=tf.constant(allowed))
    once = inputs_of(moved, texts, CANDIDATES)
    assert float(moved.compute_loss(twice)) == pytest.approx(float(moved.compute_loss(once)), rel=1e-5)


@pytest.mark.parametrize("corrected", ["none", "recommendation", "all"])
def test_frequent_candidates_are_corrected_by_log_q(
    moved: Any, texts: list[str], corrected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfrec.tensorflow_setup import tf

    monkeypatch.setattr(moved, "_logq", corrected)
    probability = np.array([0.5, 0.01, 0.1, 0.2, 0.01, 0.9], np.float32)
    inputs = inputs_of(moved, texts, CANDIDATES, probability=tf.constant(probability))
    search = inputs["is_search"].numpy()
    rows = {"none": np.zeros(4), "recommendation": ~search, "all": np.ones(4)}[corrected]
    expected = expected_loss(moved, texts, CANDIDATES, np.ones((4, 6)), rows[:, None] * np.log(probability))
    assert float(moved.compute_loss(inputs)) == pytest.approx(expected, rel=1e-3)


def test_a_row_without_weight_has_no_say(moved: Any, texts: list[str]) -> None:
    from tfrec.tensorflow_setup import tf

    weight = tf.constant([1.0, 0.0, 2.0, 1.0])
    one = inputs_of(moved, texts, CANDIDATES, weight=weight)
    other = inputs_of(
        moved, texts, CANDIDATES, weight=weight, history=tf.constant([[-1, -1], [9, 10], [5, 6], [-1, -1]])
    )
    assert float(moved.compute_loss(one)) == pytest.approx(float(moved.compute_loss(other)), rel=1e-6)


@pytest.mark.parametrize("search", [True, False])
def test_each_task_alone_trains_encoder_and_towers(moved: Any, texts: list[str], search: bool) -> None:
    from tfrec.tensorflow_setup import tf

    inputs = inputs_of(moved, texts, CANDIDATES, is_search=tf.fill([4], search))
    encoder = moved.encoder.trainable_variables
    with tf.GradientTape() as tape:
        loss = moved.compute_loss(inputs, training=True)
    variables = [*encoder, *moved.head_variables]
    gradients = tape.gradient(loss, variables)
    unmoved = {
        variable.name.split(":")[0]
        for variable, gradient in zip(variables, gradients, strict=True)
        if gradient is None or not float(tf.norm(tf.convert_to_tensor(gradient))) > 0
    }
    # Mean pooling reads no pooler; everything else learns from either kind of positive.
    assert unmoved <= {"pooler/kernel", "pooler/bias"}
    assert all(np.isfinite(tf.convert_to_tensor(gradient)).all() for gradient in gradients if gradient is not None)


@pytest.mark.slow  # every training shows it
def test_an_epoch_on_one_batch_lowers_its_loss(fresh: Any, texts: list[str]) -> None:
    from tfrec.tensorflow_setup import keras, tf

    inputs = inputs_of(fresh, texts, CANDIDATES)
    variables = [*fresh.encoder.trainable_variables, *fresh.head_variables]
    optimizer = keras.optimizers.Adam(3e-3)

    @tf.function(autograph=False)
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = fresh.compute_loss(inputs, training=True)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    before = [variable.numpy() for variable in fresh.encoder.trainable_variables]
    try:
        losses = [float(step()) for _ in range(30)]
    finally:
        for variable, value in zip(fresh.encoder.trainable_variables, before, strict=True):
            variable.assign(value)
    assert losses[-1] < 0.3 * losses[0], losses
