"""Item-item weights find what goes together, keep only the strongest, and the scorer reads a history as defined."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from tfrec.retrieval import item_weights
from tfrec.retrieval.collaborative import CollaborativeScorer
from tfrec.retrieval.item_weights import ItemWeights
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

PAIRS, USERS = 10, 200  # items 2p and 2p + 1 go together; the last item was never taken
SIZE = 2 * PAIRS + 1


@pytest.fixture(scope="module")
def purchases() -> sp.csr_matrix:
    rng = np.random.default_rng(3)
    taken = np.zeros((USERS, SIZE), np.float32)
    for row in taken:
        for pair in rng.choice(PAIRS, 3, replace=False):
            row[2 * pair : 2 * pair + 2] = rng.random(2) < 0.9
    return sp.csr_matrix(taken)


def _fit(model: str, purchases: sp.csr_matrix, neighbours: int = SIZE) -> ItemWeights:
    if model == "ease":
        return item_weights.ease(purchases, 10.0, neighbours)
    if model == "item_knn":
        return item_weights.item_knn(purchases, 5.0, neighbours)
    pytest.importorskip("implicit")
    return item_weights.als(purchases, seed=1, factors=12, neighbours=neighbours)


@pytest.mark.parametrize("model", ["ease", "item_knn", "als"])
class TestModels:
    def test_the_partner_comes_first(self, model: str, purchases: sp.csr_matrix) -> None:
        weights = _fit(model, purchases).matrix().toarray()
        for item in range(2 * PAIRS):
            assert np.argmax(weights[item]) == item ^ 1
        assert not weights.diagonal().any()

    def test_an_item_nobody_took_is_silent(self, model: str, purchases: sp.csr_matrix) -> None:
        weights = _fit(model, purchases).matrix().toarray()
        np.testing.assert_allclose(weights[-1], 0, atol=1e-3)
        np.testing.assert_allclose(weights[:, -1], 0, atol=1e-3)

    def test_only_the_strongest_are_kept(self, model: str, purchases: sp.csr_matrix) -> None:
        every, some = _fit(model, purchases).matrix().toarray(), _fit(model, purchases, 3)
        kept = some.matrix().toarray()
        np.testing.assert_allclose(kept[kept != 0], every[kept != 0], rtol=1e-5)
        for item in range(SIZE - 1):  # per item scored
            strongest = np.sort(np.abs(every[:, item]))[-3:]
            np.testing.assert_allclose(np.sort(np.abs(kept[kept[:, item] != 0, item])), strongest, rtol=1e-5)

    def test_a_seed_gives_one_result(self, model: str, purchases: sp.csr_matrix) -> None:
        np.testing.assert_array_equal(_fit(model, purchases).weights, _fit(model, purchases).weights)


def test_item_knn_in_blocks_is_the_same(purchases: sp.csr_matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _fit("item_knn", purchases, 4)
    monkeypatch.setattr(item_weights, "_CELLS", 3 * SIZE)
    np.testing.assert_array_equal(_fit("item_knn", purchases, 4).matrix().toarray(), whole.matrix().toarray())


@pytest.mark.parametrize("sparse", [0.0, 2.0])
def test_item_knn_of_sparse_and_of_dense_blocks_is_the_same(
    purchases: sp.csr_matrix, sparse: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _fit("item_knn", purchases, 4)
    monkeypatch.setattr(item_weights, "_SPARSE", sparse)
    np.testing.assert_array_equal(_fit("item_knn", purchases, 4).matrix().toarray(), whole.matrix().toarray())


def test_a_cosine_stays_one_when_purchases_fade(purchases: sp.csr_matrix) -> None:
    some = item_weights.item_knn(purchases, 0.0, SIZE).matrix().toarray()
    np.testing.assert_allclose(item_weights.item_knn(purchases * 0.1, 0.0, SIZE).matrix().toarray(), some, rtol=1e-4)
    assert some.max() <= 1 + 1e-5


def test_no_purchases_give_no_weights() -> None:
    nothing = sp.csr_matrix((0, 4), dtype=np.float32)
    for weights in (item_weights.ease(nothing), item_weights.item_knn(nothing)):
        assert weights.starts.tolist() == [0] * 5 and not len(weights.items)
        request = Request(tf.constant([""]), tf.zeros([1, 2]), tf.constant([[1, 2]]))
        assert CollaborativeScorer(weights)(request).numpy().tolist() == [[0.0] * 4]


def _scores(history: list[int], half_life: float | None) -> np.ndarray:
    # item i speaks for item i + 1 alone, with weight 1
    weights = ItemWeights(5, np.array([0, 1, 2, 3, 4, 4]), np.array([1, 2, 3, 4], np.int32), np.ones(4, np.float32))
    request = Request(tf.constant([""]), tf.zeros([1, 2]), tf.constant([history], tf.int32))
    return CollaborativeScorer(weights, half_life)(request).numpy()[0]


def test_later_items_count_more() -> None:
    np.testing.assert_allclose(_scores([0, 1, 2], 1.0), [0, 0.25, 0.5, 1, 0])
    np.testing.assert_allclose(_scores([0, 1, 2], 2.0), [0, 0.5, 0.5**0.5, 1, 0], rtol=1e-6)
    np.testing.assert_allclose(_scores([0, 1, 2], None), [0, 1, 1, 1, 0])


def test_padding_on_any_side_changes_nothing() -> None:
    for padded in ([-1, -1, 0, 1], [0, 1, -1, -1], [0, -1, 1, -1]):
        np.testing.assert_allclose(_scores(padded, 1.0), _scores([0, 1], 1.0))


def test_a_repeated_item_counts_once_at_its_latest_place() -> None:
    np.testing.assert_allclose(_scores([2, 0, 2], 1.0), [0, 0.5, 0, 1, 0])
    np.testing.assert_allclose(_scores([2, 2, 2], None), [0, 0, 0, 1, 0])
