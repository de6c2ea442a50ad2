"""The towers: what may be empty, what must not matter, and where the id part starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.models.vectors import ItemIds, TextProjection, unit

MIXED = [("red sofa", [1, 2]), ("", [3]), ("blue lamp", []), ("", []), ("green", [4, 5, 6, 7])]


def vectors_of(model: Any, rows: list[tuple[str, list[int]]]) -> np.ndarray:
    return model.query_vectors([query for query, _ in rows], [history for _, history in rows])


def test_all_vectors_have_length_one(moved: Any, texts: list[str]) -> None:
    for vectors in (vectors_of(moved, MIXED), moved.catalogue.numpy(), moved.item_vectors(texts, [-1] * 12, "")):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_a_mixed_batch_equals_its_rows_alone_in_any_order(moved: Any) -> None:
    together = vectors_of(moved, MIXED)
    for row, pair in enumerate(MIXED):
        np.testing.assert_allclose(vectors_of(moved, [pair])[0], together[row], atol=1e-5)
    order = [3, 0, 4, 2, 1]
    np.testing.assert_allclose(vectors_of(moved, [MIXED[row] for row in order]), together[order], atol=1e-5)


def test_words_alone_are_their_projected_text(moved: Any) -> None:
    expected = moved.projection(moved.encoder.encode(["red sofa"], 12)).numpy()
    np.testing.assert_allclose(moved.query_vectors(["red sofa"]), expected, atol=1e-5)


def test_nothing_at_all_is_the_direction_of_what_sells(moved: Any, texts: list[str]) -> None:
    popularity = np.where(np.arange(12) == 7, 1_000_000, 0)
    catalogue = moved.refresh_catalogue(texts, popularity)  # one item has all sales: the default is its vector
    np.testing.assert_allclose(vectors_of(moved, [("", []), ("  ", [])]), catalogue[[7, 7]], atol=1e-4)


def test_words_and_history_both_count(moved: Any) -> None:
    both, words, past = vectors_of(moved, [("red sofa", [8]), ("red sofa", []), ("", [8])])
    assert min(np.abs(both - words).max(), np.abs(both - past).max(), np.abs(words - past).max()) > 1e-2


def test_history_has_an_order_once_recency_is_trained(moved: Any) -> None:
    first, second = vectors_of(moved, [("", [1, 8]), ("", [8, 1])])
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize("padding", ["left", "right", "between", "longer"])
def test_padding_of_the_history_changes_nothing(moved: Any, padding: str) -> None:
    from tfrec.tensorflow_setup import tf

    padded = {"left": [-1, -1, 2, 9], "right": [2, 9, -1, -1], "between": [2, -1, -1, 9], "longer": [-1] * 9 + [2, 9]}
    text, has_text = moved.encoder.encode(["red sofa"], 12), tf.constant([True])
    plain = moved.query_tower(text, has_text, tf.constant([[2, 9]]), moved.catalogue)
    other = moved.query_tower(text, has_text, tf.constant([padded[padding]]), moved.catalogue)
    np.testing.assert_allclose(other, plain, atol=1e-6)


def test_items_before_the_history_length_are_not_read(moved: Any) -> None:
    first, second = vectors_of(moved, [("", [11, 1, 2, 3, 4]), ("", [1, 2, 3, 4])])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_a_single_past_item_points_to_itself_before_training(fresh: Any) -> None:
    """The residual layers start as the identity and the id part at zero: one item in, its own vector out."""
    np.testing.assert_allclose(vectors_of(fresh, [("", [7])])[0], fresh.catalogue.numpy()[7], atol=1e-5)


def test_the_id_part_starts_without_effect(fresh: Any, texts: list[str]) -> None:
    with_id, without = fresh.item_vectors([texts[2]] * 2, [2, -1], "")
    np.testing.assert_allclose(with_id, without, atol=1e-6)


def test_a_trained_id_part_has_an_effect_on_items_and_histories(moved: Any, texts: list[str]) -> None:
    from tfrec.tensorflow_setup import tf

    with_id, without = moved.item_vectors([texts[2]] * 2, [2, -1], "")
    assert np.abs(with_id - without).max() > 1e-2
    before = vectors_of(moved, [("", [2])])
    moved.query_tower.id_kernel.assign(tf.zeros_like(moved.query_tower.id_kernel))
    assert np.abs(vectors_of(moved, [("", [2])]) - before).max() > 1e-2


def test_only_items_seen_often_enough_have_an_id_vector() -> None:
    ids = ItemIds(np.array([True, False, True]), 4, seed=1)
    found = ids(np.array([0, 1, 2, -1], np.int32)).numpy()
    assert found[[0, 2]].any(axis=1).all() and not found[[1, 3]].any()
    assert np.abs(found[0] - found[2]).max() > 0


def test_dense_features_start_without_effect_and_move_only_known_items(
    config: Any, encoder: Any, texts: list[str]
) -> None:
    from tfrec.models.two_tower import TwoTower

    features = np.linspace(-1, 1, 12, dtype=np.float32)[:, None]
    model = TwoTower(config, encoder, 12, np.zeros(12), features)
    same = [texts[0]] * 3
    start = model.item_vectors(same, [0, 11, -1], "")
    np.testing.assert_allclose(start, start[[0, 0, 0]], atol=1e-6)
    model.item_tower.feature_kernel.assign_add(np.ones((1, 16), np.float32))
    cheap, dear, new = model.item_vectors(same, [0, 11, -1], "")
    assert np.abs(cheap - dear).max() > 1e-2
    np.testing.assert_allclose(new, start[2], atol=1e-6)


def test_the_projection_keeps_the_encoder_space_where_sizes_are_equal() -> None:
    pooled = np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    same = TextProjection(8, 8, seed=1)
    assert same.variables == []
    np.testing.assert_allclose(same(pooled), pooled / np.linalg.norm(pooled, axis=1, keepdims=True), atol=1e-6)
    smaller = TextProjection(8, 4, seed=1)
    assert smaller(pooled).shape == (5, 4) and len(smaller.trainable_variables) == 1


def test_a_row_of_zeros_stays_zero_with_a_finite_gradient() -> None:
    from tfrec.tensorflow_setup import tf

    zeros = tf.Variable(tf.zeros([2, 3]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(unit(zeros))
    assert not unit(zeros).numpy().any() and np.isfinite(tape.gradient(loss, zeros).numpy()).all()
