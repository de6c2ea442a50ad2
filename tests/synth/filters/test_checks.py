"""Each check against queries of which one knows what it must say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from tfrec.config.synth_filters import CapsConfig, FiltersConfig
from tfrec.errors import ConfigError, DataError
from tfrec.synth.filters.caps import Caps
from tfrec.synth.filters.check import FilterContext
from tfrec.synth.filters.duplicates import Duplicates
from tfrec.synth.filters.language import Language, Lexicon
from tfrec.synth.filters.length import Length
from tfrec.synth.filters.minhash import candidate_pairs, signatures
from tfrec.synth.filters.near_duplicates import NearDuplicates
from tfrec.synth.filters.second_opinion import SecondOpinion
from tfrec.synth.filters.sets import character_pairs, jaccard_of_pairs
from tfrec.synth.source import Teacher


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ("red sofa", True), ("rde sofa", True), ("lether sofa", True), ("carpets", True), ("连衣裙", True),
        ("красный диван", False), ("ソファ 赤", False), ("canape en cuir rouge", False), ("12", True),
        ("zzzz qqqq", False), ("lamp 红色", True), ("sofa диван", False),
    ],
)  # fmt: skip
def test_the_shops_language_is_what_its_items_are_written_in(query, keep, samples, context):
    assert Language()(samples([(query, -1)]), context()).keep.tolist() == [keep]


def test_customers_words_count_as_known(samples, context):
    frame = samples([("divan", -1)])
    assert not Language()(frame, context()).keep[0]
    assert Language()(frame, context(train_queries=["divan rouge"])).keep[0]


def test_a_typing_error_is_one_letter_in_words_long_enough():
    lexicon = Lexicon(["leather", "oak"])
    assert all(word in lexicon for word in ("lether", "leeather", "leathre", "leathar", "leather", "oak"))
    assert not any(word in lexicon for word in ("weather's", "oat", "lthr", "lamp"))


@pytest.mark.parametrize(
    ("query", "keep"),
    [("a", False), ("!?", False), ("tv", True), ("鞋", False), ("皮鞋", True), ("一" * 25, False), ("a" * 81, False),
     (" ".join(["word"] * 12), True), (" ".join(["word"] * 13), False)],
)  # fmt: skip
def test_lengths(query, keep, samples, context):
    assert Length()(samples([(query, -1)]), context()).keep.tolist() == [keep]


def test_the_same_query_for_the_same_item_stays_once_the_surest_of_them(samples, context):
    pairs = [("red sofa", 0), ("Red  SOFA", 0), ("red sofa", 1), ("oak", -1), ("oak", -1), ("oak", 2)]
    frame = samples(pairs, confidence=[0.5, 0.9, 0.5, 1.0, 1.0, 1.0])
    assert Duplicates()(frame, context()).keep.tolist() == [False, True, True, True, False, True]


def test_near_duplicates_of_one_item_stay_once(samples, context):
    pairs = [
        ("red leather sofa acme", 0), ("red leather sofas acme", 0), ("acme red leather sofa", 0),
        ("red leather sofa acme", 1), ("10 inch floor lamp", 5), ("12 inch floor lamp", 5), ("blue sofa", 0),
    ]  # fmt: skip
    verdict = NearDuplicates()(samples(pairs), context())
    assert verdict.keep.tolist() == [True, False, False, True, True, True, True]
    assert verdict.measure[1] == pytest.approx(1.0) and np.isnan(verdict.measure[0])


def test_minhash_agrees_as_often_as_sets_are_alike():
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefgh"))
    texts = ["".join(letters[rng.integers(8, size=12)]) for _ in range(40)]
    sets = character_pairs(texts)
    values = signatures(sets, 512, 1)
    pairs = np.array([(i, j) for i in range(40) for j in range(i)])
    agreement = (values[pairs[:, 0]] == values[pairs[:, 1]]).mean(axis=1)
    error = agreement - jaccard_of_pairs(sets, sets, pairs)
    assert abs(error.mean()) < 0.01 and np.abs(error).max() < 0.12


def test_nearly_all_near_pairs_become_candidates_and_few_others():
    rng = np.random.default_rng(1)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    texts = ["".join(letters[rng.integers(26, size=20)]) for _ in range(1000)]
    changed = [text[:19] for text in texts]  # the last letter missing: 20 of 21..22 pairs in common
    sets = character_pairs(texts + changed)
    found = candidate_pairs(signatures(sets, 64, 2), np.zeros(2000, np.int64), 4)
    assert (found[:, 0] < found[:, 1]).all()
    hit = {(int(a), int(b)) for a, b in found}
    assert sum((n, n + 1000) in hit for n in range(1000)) >= 995
    assert len(found) < 1500, "of two million pairs"
    apart = candidate_pairs(signatures(sets, 64, 2), np.arange(2000), 4)
    assert len(apart) == 0, "no pair across classes"


def test_caps_keep_the_best_of_each_item_and_category(samples, context):
    pairs = [(f"query {n}", item) for n, item in enumerate([0, 0, 0, 1, 1, 2, -1, -1, -1])]
    frame = samples(pairs, confidence=[0.1, 0.9, 0.5, 0.6, 0.7, 0.2, 1.0, 1.0, 1.0])
    only_items = context(settings={"caps": {"per_item": 2}})
    assert Caps()(frame, only_items).keep.tolist() == [False, True, True, True, True, True, True, True, True]
    both = context(
        settings={"caps": {"per_item": 2, "per_category": 3}}, categories=["sofa", "sofa", "table"] + [""] * 7
    )
    assert Caps()(frame, both).keep.tolist() == [False, True, False, True, True, True, True, True, True]
    free = context(settings={"caps": {"per_item": None, "per_category": 1}}, categories=[""] * 10)
    assert Caps()(frame, free).keep.all(), "items without a category are no category"


def test_a_sample_without_a_label_counts_for_the_item_it_was_made_from(samples, context):
    frame = samples([("a", -1), ("b", -1), ("c", -1)], parent=["i4", "i4", "no item"])
    assert context().targets(frame).tolist() == [4, 4, -1]
    assert Caps()(frame, context(settings={"caps": {"per_item": 1}})).keep.tolist() == [True, False, True]


def test_categories_are_counted_by_a_column_that_is_there():
    items = pl.DataFrame({"item_id": ["a", "b"], "title": ["x", "y"], "kind": ["sofa", None]})
    shop = SimpleNamespace(items=items, item_ids=["a", "b"], item_texts=["x", "y"], judgments=lambda split: {})
    caps = CapsConfig(per_category=1, category_column="kind")
    assert FilterContext.of(FiltersConfig(caps=caps), 1, shop, lambda: None).categories == ["sofa", ""]
    with pytest.raises(ConfigError, match="'category'.*kind"):
        FilterContext.of(FiltersConfig(caps=CapsConfig(per_category=1)), 1, shop, lambda: None)


def test_a_scorer_of_ones_own_gives_the_second_opinion(samples, context):
    asked: list[tuple[str, str]] = []

    def scorer(queries, texts):
        asked.extend(zip(queries, texts, strict=True))
        return np.array([float(query in text) for query, text in zip(queries, texts, strict=True)])

    frame = samples([("red leather", 0), ("oak table", 4), ("jute carpet", -1)])
    settings = {"second_opinion": {"enabled": True, "least": 0.5}}
    verdict = SecondOpinion()(frame, context(settings=settings, second_opinion=scorer))
    assert verdict.keep.tolist() == [True, False, True]
    assert asked == [("red leather", "Acme red leather sofa"), ("oak table", "Brill desk lamp")]
    silent = context(settings=settings, second_opinion=lambda queries, texts: np.full(len(queries), np.nan))
    assert SecondOpinion()(frame, silent).keep.tolist() == [False, False, True]
    broken = context(settings=settings, second_opinion=lambda queries, texts: np.zeros([2, 2]))
    with pytest.raises(DataError, match="one score per pair"):
        SecondOpinion()(frame, broken)


def test_the_teachers_margin_is_the_built_in_second_opinion(samples, context):
    frame = samples([("red leather sofa", 0), ("red leather sofa", 9)])
    verdict = SecondOpinion()(frame, context())
    assert verdict.measure[0] == 0 and verdict.measure[1] < -2 and verdict.keep.tolist() == [True, False]

    def never() -> Teacher:
        raise AssertionError("the round trip has measured the margin already")

    known = frame.with_columns(pl.Series("teacher_margin", [0.0, -9.0], pl.Float32))
    assert SecondOpinion()(known, context(teacher=never)).keep.tolist() == [True, False]
