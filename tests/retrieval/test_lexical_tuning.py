"""The tuned index on a catalogue whose truth is known: noise is left out or loses, and what helps is used."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.retrieval.lexical_shop import KnownShop, known_shop
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.lexical_tuning.aggregation import aggregated
from tfrec.retrieval.lexical_tuning.configuration import Configuration, draw, usual_weights
from tfrec.retrieval.lexical_tuning.counts import FieldCounts
from tfrec.retrieval.lexical_tuning.fields import strangers
from tfrec.retrieval.lexical_tuning.tuner import LexicalTuner, Tuned
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.tokens import Tokenizer
from tfrec.tensorflow_setup import tf

TOKENIZE, SURFACES = Tokenizer(measures=True), Tokenizer("none", measures=True)
SETTINGS = 32


@pytest.fixture(scope="module")
def shop() -> KnownShop:
    return known_shop()


def _counts(fields: dict[str, list[str]]) -> FieldCounts:
    return FieldCounts.of(fields, TOKENIZE, SURFACES, with_pairs=True)


def _tuner(fields: dict[str, list[str]], judgments: dict) -> LexicalTuner:
    counts = _counts(fields)
    return LexicalTuner(counts, draw(usual_weights(counts.mean_lengths), 0, SETTINGS, 7), judgments)


@pytest.fixture(scope="module")
def tuner(shop: KnownShop) -> LexicalTuner:
    return _tuner(shop.fields, shop.judgments)


def _ndcg(scores: np.ndarray, gains: dict[int, float]) -> float:
    """The metric, written another way than in the package."""
    order = [item for item in sorted(range(len(scores)), key=lambda item: (-scores[item], item)) if scores[item] > 0]
    reached = sum(gains.get(item, 0.0) / np.log2(rank + 2) for rank, item in enumerate(order[:10]))
    ideal = sum(gain / np.log2(rank + 2) for rank, gain in enumerate(sorted(gains.values(), reverse=True)[:10]))
    return reached / ideal


def _reached(tuner: LexicalTuner, tuned: Tuned, shop: KnownShop, queries: list[str]) -> float:
    return float(np.mean([_ndcg(tuner.scores(query, tuned), shop.judgments[query]) for query in queries]))


def _equal_weights(shop: KnownShop, names: list[str]) -> tuple[LexicalTuner, Tuned]:
    counts = _counts({name: shop.fields[name] for name in names})
    plain = Configuration(np.ones(len(names)), np.full(len(names), 0.75), 1.2)
    return LexicalTuner(counts, [plain], {}), Tuned(np.ones(1), 0)


def test_words_that_have_nothing_to_do_with_their_item_are_not_read(shop: KnownShop) -> None:
    assert strangers(shop.fields, TOKENIZE) == ["remarks", "legal"]
    order = np.argsort(shop.fields["kind"])  # as many shops' files are sorted
    assert strangers({n: [v[i] for i in order] for n, v in shop.fields.items()}, TOKENIZE) == ["remarks", "legal"]
    assert strangers({"title": ["a", "b"], "说明": ["红", "灯"]}, TOKENIZE) == []


def test_labels_make_informative_fields_count(shop: KnownShop, tuner: LexicalTuner) -> None:
    """Even where the noise is read, labelled queries take weight from it; the others gain by that."""
    queries = tuner.queries
    seen, unseen = queries[:40], queries[40:]
    nothing, some = tuner.tuned([]), tuner.tuned(seen)
    fields = tuner.record(some)["fields"]
    before = tuner.record(nothing)["fields"]
    assert fields["remarks"]["weight"] < before["remarks"]["weight"]
    assert fields["remarks"]["weight"] < min(fields[name]["weight"] for name in ("kind", "traits"))
    assert _reached(tuner, some, shop, unseen) > _reached(tuner, nothing, shop, unseen) + 0.02
    assert some.queries == 40 and "40 labelled queries" in tuner.record(some)["told"]


def test_without_labels_it_is_no_worse_than_equal_weights(shop: KnownShop) -> None:
    queries = list(shop.judgments)
    good = [name for name in shop.fields if name not in strangers(shop.fields, TOKENIZE)]
    tuner = _tuner({name: shop.fields[name] for name in good}, {})
    found = _reached(tuner, tuner.tuned(), shop, queries)
    title_only = _reached(*_equal_weights(shop, ["title"]), shop, queries)
    assert found >= _reached(*_equal_weights(shop, good), shop, queries)
    assert found >= _reached(*_equal_weights(shop, list(shop.fields)), shop, queries)
    assert found > title_only + 0.2
    assert "no labelled query" in tuner.record(tuner.tuned())["told"]


def test_the_quality_of_a_setting_is_what_its_index_reaches(shop: KnownShop, tuner: LexicalTuner) -> None:
    for number in (0, 5, SETTINGS - 1):
        alone = Tuned(np.eye(SETTINGS)[number], 0)
        expected = [_ndcg(tuner.scores(query, alone), shop.judgments[query]) for query in tuner.queries[:25]]
        np.testing.assert_allclose(tuner.quality[number, :25], expected, atol=1e-9)


def test_an_average_is_the_sum_of_its_settings(tuner: LexicalTuner) -> None:
    tuned = tuner.tuned(tuner.queries[:10])
    query = tuner.queries[0]
    parts = sum(share * tuner.scores(query, Tuned(np.eye(SETTINGS)[n], 0)) for n, share in enumerate(tuned.shares))
    np.testing.assert_allclose(tuner.scores(query, tuned), parts, rtol=2e-3)  # negligible shares are left out


def test_the_graph_is_the_index_is_the_tuner(tuner: LexicalTuner) -> None:
    tuned = tuner.tuned()
    index = tuner.index(tuned, ["redluish sofkas"])
    queries = [*tuner.queries[:8], "sofkas REDLUISH", "unknown sofka redluish", "", "sofka redluish sofka redluish"]
    request = Request(tf.constant(queries), tf.zeros([len(queries), 2]), tf.fill([len(queries), 1], -1))
    graph = LexicalScorer(index)(request).numpy()
    for query, row in zip(queries, graph, strict=True):
        np.testing.assert_allclose(row, index.scores(index.rows(SURFACES(query))), atol=1e-4)
        np.testing.assert_allclose(row, tuner.scores(query, tuned), atol=1e-4)
        single = LexicalScorer(index)(Request(tf.constant([query]), tf.zeros([1, 2]), tf.fill([1, 1], -1))).numpy()[0]
        np.testing.assert_allclose(single, row, atol=1e-5)
    assert len(index.pairs), "the shop must have neighbours that items share"


def test_neighbours_count_in_their_order_only() -> None:
    fields = {"title": ["red lamp shade", "lamp red shade", "red lamp", "rug"]}
    counts = _counts(fields)
    one = [Configuration(np.ones(1), np.zeros(1), 1.0, 1.0, 0.5)]
    index = LexicalTuner(counts, one, {}).index(Tuned(np.ones(1), 0))
    first, second, *_ = index.scores(index.rows(["red", "lamp"]))
    alone = index.scores(index.rows(["red"])) + index.scores(index.rows(["lamp"]))
    assert second == pytest.approx(alone[1]) and first > alone[0]
    assert first - alone[0] == pytest.approx(0.5 * np.log1p((4 - 2 + 0.5) / (2 + 0.5)) * 0.5)
    assert index.rows(["red", "unknown", "lamp"]) == index.rows(["red"]) + index.rows(["lamp"])


def test_the_order_of_items_and_queries_changes_nothing(shop: KnownShop, tuner: LexicalTuner) -> None:
    rng = np.random.default_rng(3)
    order = rng.permutation(len(shop.fields["title"]))
    place = np.argsort(order)
    fields = {name: [texts[n] for n in order] for name, texts in shop.fields.items()}
    queries = rng.permutation(list(shop.judgments))
    judgments = {query: {int(place[n]): gain for n, gain in shop.judgments[query].items()} for query in queries}
    other = _tuner(fields, judgments)
    assert other.queries == tuner.queries
    query = tuner.queries[3]
    nothing = tuner.tuned([])
    np.testing.assert_allclose(other.scores(query, nothing)[place], tuner.scores(query, nothing), atol=1e-5)
    # equal scores are ranked by their place, so that the metric may move a little with the order of the items
    np.testing.assert_allclose(other.quality.mean(axis=1), tuner.quality.mean(axis=1), atol=0.03)
    same = _tuner(shop.fields, {q: shop.judgments[q] for q in queries})
    np.testing.assert_array_equal(same.tuned().shares, tuner.tuned().shares)


def test_a_fold_is_chosen_by_the_others_alone(shop: KnownShop, tuner: LexicalTuner) -> None:
    folds = {query: number % 3 for number, query in enumerate(tuner.queries)}
    chosen = dict(tuner.out_of_fold(folds))
    assert list(chosen) == tuner.queries
    wrong = {q: {0: 1.0} if folds[q] == 1 else gains for q, gains in shop.judgments.items()}
    other = dict(_tuner(shop.fields, wrong).out_of_fold(folds))
    for query, fold in folds.items():
        same = np.allclose(chosen[query].shares, other[query].shares)
        assert same == (fold == 1), "labels of a fold chose for it, or labels of the others did not"
        assert chosen[query].queries == sum(of != fold for of in folds.values())


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 30), st.integers(0, 999))
def test_shares(count: int, queries: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    quality = rng.random((count, queries))
    shares = aggregated(quality)
    assert shares.shape == (count,) and shares.sum() == pytest.approx(1) and (shares >= 0).all()
    assert (np.diff(shares[np.argsort(quality.sum(axis=1))]) >= -1e-12).all(), "who reaches more must count more"
    np.testing.assert_allclose(aggregated(quality + rng.random(queries)), shares)  # a hard query is hard for all
    if not queries:
        np.testing.assert_allclose(shares, 1 / count)


def test_more_queries_speak_louder() -> None:
    quality = np.array([[0.6, 0.5], [0.5, 0.4]])
    shares = [aggregated(np.tile(quality, many)).max() for many in (1, 5, 50)]
    assert shares[0] < shares[1] < shares[2] and shares[0] < 0.7 and shares[2] > 0.99


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["red lamp", "lamp", "5gal", "漢字カ", "sofa-bed", ""]), max_size=4), min_size=2)
)
def test_counting_is_counting(rows: list[list[str]]) -> None:
    texts = [" ".join(row) for row in rows]
    counts = _counts({"title": texts, "other": texts[::-1]})
    for word in {word for text in texts for word in TOKENIZE(text)}:
        (row,) = counts.rows(word) if len(SURFACES(word)) == 1 else [None]
        part = slice(counts.starts[row], counts.starts[row + 1])
        for field, values in enumerate(counts.names):
            expected = [TOKENIZE(text).count(word) for text in {"title": texts, "other": texts[::-1]}[values]]
            found = np.zeros(len(texts), int)
            found[counts.items[part]] = counts.frequencies[field, part]
            assert found.tolist() == expected
    assert isinstance(LexicalTuner(counts, draw(np.ones(2), 0, 2, 0), {}).index(Tuned(np.ones(2) / 2, 0)), LexicalIndex)
