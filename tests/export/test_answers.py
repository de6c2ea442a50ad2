"""The answers that the contract defines, from a loaded export."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.errors import ExportError
from tfrec.retrieval.ranking import named


def rows_of(trained: Any, item_ids: list[str]) -> list[int]:
    return [trained.shop.item_ids.index(item_id) for item_id in item_ids]


QUERIES = ["red sofa", "oak", "黑色 沙发", "no such word zzz", "ÄRTIKEL grün", "lamp " * 60]
HISTORIES = [["item-3", "item-77"], ["ärtikel 110"], ["item-1"] * 3, ["item-5", "item-6", "item-7", "item-8", "item-9"]]


def test_search_is_the_training_process_ranking(trained: Any, loaded: Any, assert_same_ranking: Any) -> None:
    found = loaded.search(QUERIES, 10)
    expected = trained.model.query_vectors(QUERIES) @ trained.catalogue.T
    for row in range(len(QUERIES)):
        assert_same_ranking(found.item_ids[row], found.scores[row], expected[row], trained.shop.item_ids, 1e-5)


def test_recommend_is_the_training_process_ranking_without_the_history(
    trained: Any, loaded: Any, assert_same_ranking: Any
) -> None:
    found = loaded.recommend(HISTORIES, 10)
    histories = [rows_of(trained, history) for history in HISTORIES]
    expected = trained.model.query_vectors([""] * len(HISTORIES), histories) @ trained.catalogue.T
    for row, history in enumerate(histories):
        expected[row, history] = -np.inf
        assert_same_ranking(found.item_ids[row], found.scores[row], expected[row], trained.shop.item_ids, 1e-5)


def test_personalised_search_is_the_training_process_ranking(
    trained: Any, loaded: Any, assert_same_ranking: Any
) -> None:
    queries = [*QUERIES[:3], ""]
    found = loaded.personalised_search(queries, HISTORIES, 10)
    vectors = trained.model.query_vectors(queries, [rows_of(trained, history) for history in HISTORIES])
    for row, expected in enumerate(vectors @ trained.catalogue.T):
        assert_same_ranking(found.item_ids[row], found.scores[row], expected, trained.shop.item_ids, 1e-5)
    np.testing.assert_allclose(loaded.embed_query(queries, HISTORIES), vectors, atol=1e-5)


def test_history_and_words_both_change_the_ranking(loaded: Any) -> None:
    both = loaded.personalised_search(["red sofa"], [["item-3"]], 5).scores
    assert not np.allclose(both, loaded.search(["red sofa"], 5).scores, atol=1e-3)
    assert not np.allclose(both, loaded.personalised_search([""], [["item-3"]], 5).scores, atol=1e-3)


def test_similar_items_are_cosine_neighbours_without_the_item_itself(
    trained: Any, loaded: Any, assert_same_ranking: Any
) -> None:
    found = loaded.similar_items(["item-3", "ärtikel 20"], 10)
    for row, item in enumerate(rows_of(trained, ["item-3", "ärtikel 20"])):
        expected = trained.catalogue @ trained.catalogue[item]
        expected[item] = -np.inf
        assert_same_ranking(found.item_ids[row], found.scores[row], expected, trained.shop.item_ids, 1e-5)


def test_embed_item_is_the_item_tower_on_new_text(trained: Any, loaded: Any) -> None:
    texts = ["linen sofa never seen", ""]
    np.testing.assert_allclose(loaded.embed_item(texts), trained.model.item_vectors(texts, [-1, -1], ""), atol=1e-5)


@pytest.mark.parametrize("blank", ["", "   ", "\t\n", "\u3000\u00a0", "\x1c"])
def test_a_blank_query_gets_what_sells(trained: Any, loaded: Any, blank: str, assert_same_ranking: Any) -> None:
    expected = trained.catalogue @ trained.model.query_tower.default.numpy()
    found = loaded.search([blank, "red sofa"], 10)
    assert_same_ranking(found.item_ids[0], found.scores[0], expected, trained.shop.item_ids, 1e-5)
    recommended = loaded.recommend([[]], 10)
    assert_same_ranking(recommended.item_ids[0], recommended.scores[0], expected, trained.shop.item_ids, 1e-5)


@pytest.mark.parametrize(
    "history", [["item-3", "", "item-77"], ["nobody", "item-3", "item-77"], ["", "", "item-3", "item-77", ""]]
)
def test_empty_and_unknown_history_entries_are_ignored(loaded: Any, history: list[str]) -> None:
    plain, noisy = loaded.recommend([["item-3", "item-77"]], 10), loaded.recommend([history], 10)
    assert plain.item_ids.tolist() == noisy.item_ids.tolist()
    np.testing.assert_allclose(plain.scores, noisy.scores, atol=1e-6)


def test_only_the_latest_known_items_count(loaded: Any) -> None:
    """history_length is 5: older items change no vector, wherever unknown ones lie between."""
    latest = [f"item-{n}" for n in (11, 12, 13, 14, 15)]
    vectors = loaded.embed_query([""] * 3, [latest, ["item-99", *latest], ["item-99", *latest, "nobody", "nobody"]])
    np.testing.assert_allclose(vectors[1:], vectors[[0, 0]], atol=1e-6)
    assert not np.allclose(vectors[0], loaded.embed_query([""], [["item-99", *latest[1:]]])[0], atol=1e-3)


def test_an_unknown_item_has_nothing_similar(loaded: Any) -> None:
    found = loaded.similar_items(["nobody", "item-3", ""], 4)
    assert found.item_ids[[0, 2]].tolist() == [[""] * 4] * 2 and np.isneginf(found.scores[[0, 2]]).all()
    assert found.hits(0) == [] and len(found.hits(1)) == 4


def test_k_above_the_catalogue_gives_every_item_once(trained: Any, loaded: Any) -> None:
    everything = set(trained.shop.item_ids)
    found = loaded.search(["red sofa"], 10_000)
    assert found.item_ids.shape == found.scores.shape == (1, 120) and set(found.item_ids[0]) == everything
    rest = loaded.recommend([["item-3", "item-77"]], 10_000)
    assert rest.item_ids.shape == (1, 120) and set(rest.item_ids[0, :118]) == everything - {"item-3", "item-77"}
    assert rest.item_ids[0, 118:].tolist() == ["", ""] and rest.scores[0, 118:].tolist() == [-np.inf, -np.inf]
    assert len(rest.hits(0)) == 118


def test_no_rows_give_no_rows(loaded: Any) -> None:
    assert loaded.search([], 3).item_ids.shape == (0, 3)
    assert loaded.recommend([], 3).scores.shape == (0, 3)
    assert loaded.personalised_search([], [], 3).scores.shape == (0, 3)
    assert loaded.similar_items([], 3).item_ids.shape == (0, 3)
    assert loaded.embed_query([]).shape == loaded.embed_item([]).shape == (0, 24)


def test_answers_do_not_depend_on_the_batch(loaded: Any) -> None:
    queries = [
        f"{colour} {thing} {n}" for n, colour in enumerate(["red", "blue"]) for thing in ("sofa", "lamp " * 12)
    ] * 50
    together = loaded.search(queries, 5)  # 200 rows: more than one batch, sorted by length inside
    for row in (0, 1, 2, 3, 199):
        alone = loaded.search([queries[row]], 5)
        np.testing.assert_allclose(together.scores[row], alone.scores[0], atol=1e-5)
    assert np.isfinite(together.scores).all()


@pytest.mark.parametrize(
    "text", ["\x00", "\udc80 lamp", "😀" * 300, "\u202e abc", "'; drop table", "%s%n" * 50, "a" * 5000]
)
def test_odd_text_gets_finite_answers(loaded: Any, text: str) -> None:
    found = loaded.search([text], 5)
    assert np.isfinite(found.scores).all() and all(found.item_ids[0])


def signature(loaded: Any, name: str) -> Any:
    return loaded._loaded.signatures[name]


def test_bad_calls_are_invalid_arguments(loaded: Any) -> None:
    from tfrec.tensorflow_setup import tf

    with pytest.raises(tf.errors.InvalidArgumentError, match="k must be at least 1"):
        signature(loaded, "search")(query=tf.constant(["a"]), k=tf.constant(0))
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows"):
        signature(loaded, "embed_query")(query=tf.constant(["a", "b"]), history=tf.constant([["item-3"]]))
    with pytest.raises(ExportError, match="k must be at least 1, not 0"):
        loaded.search(["a"], 0)
    with pytest.raises(ExportError, match="2 queries need as many histories, not 1"):
        loaded.personalised_search(["a", "b"], [[]], 1)


def test_a_history_without_columns_is_an_empty_history(loaded: Any) -> None:
    from tfrec.tensorflow_setup import tf

    found = signature(loaded, "recommend")(history=tf.zeros([2, 0], tf.string), k=tf.constant(3))
    assert found["item_ids"].numpy()[0].tolist() == [i.encode() for i in loaded.search([""], 3).item_ids[0]]


def dense(scores: list[list[float]]) -> tuple[Any, Any]:
    """A retriever whose scores of the first request are the given ones, and a request for each row of scores."""
    from tfrec.retrieval.dense import DenseScorer
    from tfrec.retrieval.filters import ColumnFilters
    from tfrec.retrieval.retriever import Retriever
    from tfrec.retrieval.scorer import Request
    from tfrec.tensorflow_setup import tf

    catalogue = tf.Variable(np.array(scores, np.float32).T)
    retriever = Retriever(DenseScorer(catalogue), ColumnFilters({}, len(scores[0])), catalogue)
    count = len(scores)
    return retriever, Request(tf.fill([count], "a"), tf.eye(count), tf.fill([count, 1], -1))


def test_equal_scores_keep_the_order_of_the_catalogue() -> None:
    from tfrec.tensorflow_setup import tf

    retriever, request = dense([[1.0, 3.0, 3.0, 2.0, 3.0]])
    found = named(*retriever.top(request, tf.constant(4)), tf.constant(list("abcde")))
    assert found["item_ids"].numpy().tolist() == [[b"b", b"c", b"e", b"d"]]


def test_excluded_items_never_rank() -> None:
    from tfrec.tensorflow_setup import tf

    retriever, request = dense([[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]])
    exclude, k = tf.constant([[1, 1, -1], [-1, -1, -1]]), tf.constant(3)
    for top in (
        retriever.top(request._replace(history=exclude), k, new=True),
        retriever.chosen(request, k, exclude, tf.zeros([2, 0], tf.string), tf.constant(0.0)),
    ):
        found = named(*top, tf.constant(list("abc")))
        assert found["item_ids"].numpy().tolist() == [[b"c", b"a", b""], [b"b", b"c", b"a"]]
        assert found["scores"].numpy().tolist() == [[2.0, 1.0, -np.inf], [3.0, 2.0, 1.0]]
