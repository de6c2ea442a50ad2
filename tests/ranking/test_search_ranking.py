"""A ranker for search finds a planted rule by judged queries, stays out without one, and answers alike everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ranking.searched_shop import COLOURS, QUERIES, THINGS, searched_shop
from tfrec.evaluation.metrics import evaluate_rankings
from tfrec.evaluation.retrieval import to_rankings
from tfrec.evaluation.significance import compare
from tfrec.export.ops import check_ops
from tfrec.pipeline.trained import TrainedShop
from tfrec.ranking import dealt
from tfrec.ranking.by_queries import Teachers
from tfrec.ranking.candidates import Candidates
from tfrec.ranking.features.words import KINDS, Words, terms_of
from tfrec.ranking.opinions import QUERY
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.ranking.stage import ranked, told
from tfrec.retrieval.answers import rank_requests
from tfrec.retrieval.filters import ColumnFilters
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.retriever import Retriever
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.tokens import Tokenizer
from tfrec.tensorflow_setup import tf

pytestmark = pytest.mark.usefixtures("few_passes")

TYPED = [
    "red sofarel", "lampmin blue", "deskvun", "", "unheard words", "with", "红色 sofarel",
    "gold \x1f0.600 rugtok\x1f0.400 rugvun\x1f1.000 with",
    "pink bowlpid with vasetok and many more words than anybody types in a shop",
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> TrainedShop:
    return searched_shop(tmp_path_factory.mktemp("searched"), planted=True, model="linear", learning_rate=2e-2)


@pytest.fixture(scope="module")
def behind(shop: TrainedShop) -> RankedFusion:
    fusion = shop.fusion_knowing(("train",))
    assert isinstance(fusion, RankedFusion), shop.told()
    return fusion


def request_of(texts: list[str]) -> Request:
    vectors = np.random.default_rng(3).standard_normal((len(texts), 4)).astype(np.float32)
    return Request(tf.constant(texts), tf.constant(vectors), tf.fill([len(texts), 1], -1))


def ndcg(shop: TrainedShop, fusion: Any, queries: list[str]) -> float:
    judgments = shop.shop.judgments("dev")
    rows, scores = rank_requests(shop.model, lambda r: fusion(r, [0, 1]), queries, None, 20, shop.shop.size)
    found = evaluate_rankings(
        {q: judgments[q] for q in queries}, to_rankings(queries, rows, scores, shop.shop.item_ids)
    )
    return found.means["nDCG@10"]


def test_it_finds_the_rule_and_folds_are_ordered_by_the_others(shop: TrainedShop, behind: RankedFusion) -> None:
    queries = list(shop.shop.judgments("dev"))
    before, after = ndcg(shop, behind.plain, queries), ndcg(shop, behind, queries)
    assert after > before + 0.1
    assert "search: the ranker orders the best 40 once more" in shop.told()[-1]
    folds = shop.fold_fusions
    assert sorted(query for some, _ in folds for query in some) == sorted(queries)
    checksums = set()
    for some, fusion in folds:
        assert isinstance(fusion, RankedFusion)
        assert ndcg(shop, fusion, some) > ndcg(shop, fusion.plain, some)
        checksums.add(fusion.described()["ranker"]["search"]["learned_sha256"])
    assert len(checksums) == 5


def test_it_stays_out_where_nothing_is_to_be_learned_or_few_queries_teach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealt, "_DEALS", 2)
    chance = searched_shop(tmp_path / "chance", planted=False)
    assert not isinstance(chance.fusion_knowing(("train",)), RankedFusion)
    assert "search: no ranker, for it gains nothing" in chance.told()[-1]
    few = searched_shop(tmp_path / "few", planted=True, least_queries=QUERIES + 1)
    assert not isinstance(few.fusion_knowing(("train",)), RankedFusion)
    assert f"fewer than {QUERIES + 1} queries" in few.told()[-1]


@pytest.mark.slow  # a training of its own
def test_training_queries_teach_as_the_untrained_encoder_sees_them(tmp_path: Path) -> None:
    trained = searched_shop(tmp_path, planted=True, trained_on=120, least_queries=120, learning_rate=5e-3)
    judgments = trained.shop.judgments("train")
    asked: list[str] = []

    def encode(queries: list[str]) -> np.ndarray:
        asked.extend(queries)
        return trained.model.query_vectors(queries)

    plain = trained.fusion
    assert plain is not None
    untrained = np.roll(trained.catalogue, 1, axis=0)
    teachers = Teachers(trained.model, lambda: (untrained, encode))
    fusion = ranked(trained.config, trained.shop, plain, ("train",), "signature", tmp_path / "kept", compare, teachers)
    assert isinstance(fusion, RankedFusion) and sorted(asked) == sorted(judgments)
    assert "for 120 queries, each by what others and 120 of train teach" in told(tmp_path / "kept")[0]
    alone = ranked(
        trained.config,
        trained.shop,
        plain,
        ("train",),
        "signature",
        tmp_path / "alone",
        compare,
        Teachers(trained.model),
    )
    queries = list(trained.shop.judgments("dev"))
    assert ndcg(trained, fusion, queries) > ndcg(trained, plain, queries) + 0.1
    assert "for 120 queries, each by what others teach" in told(tmp_path / "alone")[0]
    assert alone.described() != fusion.described()


@pytest.mark.parametrize("group", ["scores", "words", "votes", "columns"])
def test_features_are_finite_and_look_at_their_own_request_only(behind: RankedFusion, group: str) -> None:
    ranker = behind.ranker(QUERY)
    assert ranker is not None
    feature = next(feature for feature in ranker.features if feature.group == group)

    def values(texts: list[str]) -> np.ndarray:
        request = request_of(texts)._replace(vectors=tf.ones([len(texts), 4]))
        return feature(behind.candidates(request, *behind.scored(request), QUERY)).numpy()

    every = values(TYPED)
    assert every.shape == (len(TYPED), 40, len(feature.names)) and np.isfinite(every).all()
    np.testing.assert_allclose(values(TYPED[::-1])[::-1], every, atol=1e-4)
    np.testing.assert_allclose(values(TYPED[1:2])[0], every[1], atol=1e-4)


def test_words_are_what_plain_python_counts(shop: TrainedShop, behind: RankedFusion) -> None:
    lexical = next(scorer for scorer in behind.scorers if isinstance(scorer, LexicalScorer))
    titles = shop.shop.items["title"].to_list()
    titles[0], titles[1] = "", "sofarel 20 red"
    feature = Words({"title": terms_of(titles, lexical.index.terms, 24)}, lexical)
    texts = ["red sofarel", "sofarel 20 red", "blue lampmin with rugtok"]
    rows = np.tile(np.arange(60, dtype=np.int32), [len(texts), 1])
    nothing = tf.zeros(rows.shape)
    candidates = Candidates(
        request_of(texts), tf.constant(rows), tf.ones(rows.shape, tf.bool), nothing, nothing[:, :, tf.newaxis]
    )
    found, terms, split = feature(candidates).numpy(), lexical.index.terms, Tokenizer("none", measures=True)
    rarity = feature._rarity.numpy()
    for place, text in enumerate(texts):
        typed = [terms[word] for word in split(text) if word in terms]
        for row in range(60):
            own = [terms.get(word, -1) for word in split(titles[row])]
            has = [term in own for term in typed]
            pairs = list(zip(typed, typed[1:], strict=False))
            seen = list(zip(own, own[1:], strict=False))
            weight = rarity[typed]
            rarest = weight == weight.max()
            numbers = [word for word in split(text) if word in terms and word.isdigit()]
            expected = {
                "share": (weight * has).sum() / weight.sum(), "every word": float(all(has)),
                "pairs": sum(pair in seen for pair in pairs) / max(1, len(pairs)),
                "first word": float(has[0]), "last word": float(has[-1]),
                "rarest word": np.mean(np.array(has)[rarest]),
                "missing numbers": sum(terms[word] not in own for word in numbers),
                "place": np.log1p(next((n for n, term in enumerate(own) if term in typed), 24)),
                "length": np.log1p(len(own)), "own share": np.mean([term in typed for term in own]) if own else 0.0,
            }  # fmt: skip
            np.testing.assert_allclose(found[place, row], [expected[kind] for kind in KINDS], atol=1e-5)


def test_the_export_answers_as_the_training_process(shop: TrainedShop, behind: RankedFusion, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    texts = [*TYPED, *(f"{rng.choice(COLOURS)} {rng.choice(THINGS)}" for _ in range(200))]
    request = request_of(texts)
    retriever = Retriever(behind, ColumnFilters({}, shop.shop.size), tf.Variable(shop.catalogue))
    specs = [tf.TensorSpec([None], tf.string, "query"), tf.TensorSpec([None, 4], tf.float32, "vectors")]

    def top(query: Any, vectors: Any) -> dict[str, Any]:
        nothing = tf.fill([tf.shape(query)[0], 1], -1)
        scores, rows = retriever.top(Request(query, vectors, nothing), tf.constant(20), False, (0, 1))
        return {"scores": scores, "rows": rows}

    function = tf.function(top, input_signature=specs, autograph=False).get_concrete_function()
    tf.saved_model.save(retriever, str(tmp_path / "model"), signatures={"serving_default": function})
    check_ops(tmp_path / "model")
    loaded = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    answer = loaded(query=request.query, vectors=request.vectors)
    every = tf.math.top_k(behind(request, [0, 1]), 20)
    np.testing.assert_array_equal(answer["rows"], every.indices)
    np.testing.assert_allclose(answer["scores"], every.values, atol=1e-4)


def test_other_requests_keep_the_fused_scores_and_candidates_stay_above_the_rest(behind: RankedFusion) -> None:
    past = tf.constant([[3, 5], [-1, 4], [-1, -1], [-1, -1]])
    texts = tf.constant(["red sofarel", "", "", "red sofarel"])
    request = Request(texts, tf.ones([4, 4]), past)
    fused, scores = behind.plain(request).numpy(), behind(request).numpy()
    np.testing.assert_array_equal(scores[:3], fused[:3])
    assert np.abs(scores[3] - fused[3]).max() > 0
    inside = behind.candidates(request, *behind.scored(request), QUERY).rows.numpy()[3]
    others = np.setdiff1d(np.arange(scores.shape[1]), inside)
    assert scores[3, inside].min() >= scores[3, others].max() - 1e-5


def test_parts_of_an_explanation_are_exact(behind: RankedFusion) -> None:
    request = request_of(TYPED)
    labels, parts = behind.explained(request)
    groups = ["scores", "words", "votes", "columns"]
    assert labels == ["dense", "lexical", *(f"ranker: {group}" for group in groups), "ranker"]
    np.testing.assert_allclose(parts.numpy().sum(axis=1), behind(request).numpy(), atol=1e-4)
    candidates = behind.candidates(request, *behind.scored(request), QUERY)
    ranker = behind.ranker(QUERY)
    assert ranker is not None
    whole = tf.add_n(list(ranker.of_groups(candidates).values()))
    np.testing.assert_allclose(whole, ranker(candidates), atol=1e-4)
    # What is left is the same for all candidates of a request: they are lifted together.
    left = tf.gather(parts[:, -1], candidates.rows, batch_dims=1).numpy()
    np.testing.assert_allclose(left, np.tile(left[:, :1], [1, left.shape[1]]), atol=1e-4)
