"""A cross-encoder learns a planted rule that words and vectors do not hold, from training queries alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.encoder.test_static_encoder import write_static
from tests.ranking.searched_shop import COLOURS, THINGS, searched_shop
from tests.ranking.test_search_ranking import TYPED, ndcg, request_of
from tfrec.encoder.install import install
from tfrec.errors import ConfigError
from tfrec.export.ops import check_ops
from tfrec.pipeline.trained import TrainedShop
from tfrec.ranking.cross.feature import Cross, likeliest
from tfrec.ranking.cross.lists import lists
from tfrec.ranking.cross.model import CrossEncoder
from tfrec.ranking.cross.pairs import joined
from tfrec.ranking.opinions import QUERY
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.retrieval.filters import ColumnFilters
from tfrec.retrieval.retriever import Retriever
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

pytestmark = pytest.mark.usefixtures("few_passes")

SETTINGS = {"enabled": True, "freeze": "none", "dropout": 0.0, "learning_rate": 5e-3, "max_minutes": None,
            "least_queries": 100, "item_tokens": 12, "best": 20}  # fmt: skip


@pytest.fixture(scope="module")
def encoder(scratch_encoder: Callable[..., Path]) -> Path:
    texts = [f"{colour} {thing} with" for colour in COLOURS for thing in THINGS]
    return scratch_encoder(texts, hidden=32, layers=2, heads=2, vocabulary_size=200, seed=1)


@pytest.fixture(scope="module")
def shop(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedShop:
    return searched_shop(
        tmp_path_factory.mktemp("crossed"), planted=True, trained_on=140, encoder=encoder, least_queries=60,
        model="linear", learning_rate=2e-2, features=["scores"], cross_encoder=SETTINGS | {"max_steps": 40},
    )  # fmt: skip


@pytest.fixture(scope="module")
def behind(shop: TrainedShop) -> RankedFusion:
    fusion = shop.fusion_knowing(("train",))
    assert isinstance(fusion, RankedFusion), shop.told()
    return fusion


def cross_of(behind: RankedFusion) -> Cross:
    ranker = behind.ranker(QUERY)
    assert ranker is not None
    return next(feature for feature in ranker.features if isinstance(feature, Cross))


def test_it_finds_the_rule_in_queries_that_it_has_not_seen(shop: TrainedShop, behind: RankedFusion) -> None:
    queries = list(shop.shop.judgments("dev"))
    assert ndcg(shop, behind, queries) > ndcg(shop, behind.plain, queries) + 0.05
    told = " ".join(shop.told())
    assert "a cross-encoder learned from 140 training queries in 40 steps" in told
    assert "each by what others teach" in told, "training queries have taught the cross-encoder, and teach no ranker"
    folds = shop.fold_fusions
    assert folds and all(
        cross_of(fusion) is cross_of(behind) for _, fusion in folds if isinstance(fusion, RankedFusion)
    )


def test_numbers_are_finite_of_the_own_request_only_and_of_the_best_alone(behind: RankedFusion) -> None:
    cross = cross_of(behind)

    def values(texts: list[str]) -> np.ndarray:
        request = request_of(texts)._replace(vectors=tf.ones([len(texts), 4]))
        return cross(behind.candidates(request, *behind.scored(request), QUERY)).numpy()

    every = values(TYPED)
    assert every.shape == (len(TYPED), 40, 3) and np.isfinite(every).all()
    assert (every[:, :20, 2] == 1).all() and not every[:, 20:].any()
    np.testing.assert_allclose(values(TYPED[::-1])[::-1], every, atol=1e-4)
    np.testing.assert_allclose(values(TYPED[1:2])[0], every[1], atol=1e-4)


def test_the_export_answers_as_the_training_process(shop: TrainedShop, behind: RankedFusion, tmp_path: Path) -> None:
    request = request_of(TYPED)
    retriever = Retriever(behind, ColumnFilters({}, shop.shop.size), tf.Variable(shop.catalogue))

    def top(query: Any, vectors: Any) -> dict[str, Any]:
        nothing = tf.fill([tf.shape(query)[0], 1], -1)
        scores, rows = retriever.top(Request(query, vectors, nothing), tf.constant(20), False, (0, 1))
        return {"scores": scores, "rows": rows}

    specs = [tf.TensorSpec([None], tf.string, "query"), tf.TensorSpec([None, 4], tf.float32, "vectors")]
    function = tf.function(top, input_signature=specs, autograph=False).get_concrete_function()
    tf.saved_model.save(retriever, str(tmp_path / "model"), signatures={"serving_default": function})
    check_ops(tmp_path / "model")
    loaded = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    answer = loaded(query=request.query, vectors=request.vectors)
    np.testing.assert_allclose(answer["scores"], tf.math.top_k(behind(request, [0, 1]), 20).values, atol=1e-4)


def test_what_was_learned_is_read_back_and_nothing_is_learned_twice(
    shop: TrainedShop, behind: RankedFusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfrec.ranking.cross import stage

    def never(*_: Any) -> None:
        raise AssertionError("learned again")

    monkeypatch.setattr(stage, "train_cross", never)
    monkeypatch.setattr(stage, "_latest", {})
    again = shop.fusion_knowing(("train",))
    assert isinstance(again, RankedFusion) and cross_of(again) is not cross_of(behind)
    np.testing.assert_allclose(again(request_of(TYPED)), behind(request_of(TYPED)), atol=1e-5)


def test_few_training_queries_teach_none(encoder: Path, tmp_path: Path) -> None:
    few = searched_shop(
        tmp_path, planted=True, trained_on=99, encoder=encoder, cross_encoder=SETTINGS | {"max_steps": 1}
    )
    few.fusion_knowing(("train",))
    assert any("fewer than 100 training queries" in sentence for sentence in few.told())


def test_what_cannot_read_both_is_told(shop: TrainedShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_static(tmp_path / "static")
    monkeypatch.setenv("TFREC_HOME", str(tmp_path / "home"))
    cross = shop.config.ranking.cross_encoder.model_copy(
        update={"encoder": str(install(str(tmp_path / "static")).folder)}
    )
    section = shop.config.ranking.model_copy(update={"cross_encoder": cross})
    with pytest.raises(ConfigError, match="does not read query and item together"):
        CrossEncoder(shop.config.model_copy(update={"ranking": section}), ["red sofarel"])


@given(st.lists(st.integers(2, 5), min_size=1, max_size=3), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_pairs_stand_without_a_gap(query_lengths: list[int], item_lengths: list[int]) -> None:
    def filled(lengths: list[int], first: int, width: int) -> np.ndarray:
        table = np.full([len(lengths), width], -1, np.int32)
        for row, length in enumerate(lengths):
            table[row, :length] = first + 10 * row + np.arange(length)
        return table

    queries, items = filled(query_lengths, 100, 5), filled(item_lengths, 1000, 4)
    word_ids, lengths = joined(tf.constant(queries), tf.constant(np.tile(items, [len(queries), 1, 1])))
    pairs = [[*q[q >= 0].tolist(), *i[i >= 0].tolist()] for q in queries for i in items]
    assert lengths.numpy().tolist() == list(map(len, pairs))
    for row, pair in zip(word_ids.numpy().tolist(), pairs, strict=True):
        assert row[: len(pair)] == pair and not any(row[len(pair) :])


def test_lists_hold_a_right_item_and_hard_wrong_ones() -> None:
    truths = [{1: 3.0, 2: 1.0}, {50: 1.0}, {7: 2.0}]
    candidates = np.array([[1, 2, 3, 4, 5, -1], [6, 7, 8, 9, 10, 11], [7, 8, -1, -1, -1, -1]], np.int32)
    found = lists(truths, candidates, batch=2, size=4, seed=3)
    seen = [next(found) for _ in range(20)]
    assert {number for some in seen for number in some.queries.tolist()} == {0, 1}, "the third has too few candidates"
    for some in seen:
        for number, rows, target in zip(some.queries.tolist(), some.items, some.target, strict=True):
            truth = truths[number]
            assert len(set(rows.tolist())) == 4 and rows[0] in truth and -1 not in rows
            assert set(rows[1:].tolist()) <= set(candidates[number].tolist())
            gains = np.array([truth.get(row, 0.0) for row in rows.tolist()])
            np.testing.assert_allclose(target, gains / gains.sum(), rtol=1e-6)
            assert (gains[1:] < gains[0]).all(), "what is as right as the right one is no wrong one"
    again = lists(truths, candidates, batch=2, size=4, seed=3)
    np.testing.assert_array_equal(next(again).items, seen[0].items)
    assert next(lists(truths[2:], candidates[2:], 1, 4, 3), None) is None


def test_of_doubtful_words_the_likeliest_is_read() -> None:
    texts = ["gold \x1f0.600 rugtok\x1f0.400 rugvun\x1f1.000 with", "plain words", "", "\x1f0.540 gray\x1f0.460 grate"]
    found = [text.decode().split() for text in likeliest(tf.constant(texts)).numpy()]
    assert found == [["gold", "rugtok", "with"], ["plain", "words"], [], ["gray"]]
