"""Planted canaries: no evaluated query comes through, in whatever disguise; and the guard drops nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.synth.filters.folding import folded, singular
from tfrec.synth.filters.guard import EvaluatedQueries
from tfrec.synth.filters.pipeline import run_filters
from tfrec.synth.filters.sets import Sets, character_pairs, jaccard_of_pairs, similar_pairs, word_sets

EVALUATED = [
    "red leather sofa", "air fryer", "men's running shoes", "café table", "phone case for iphone 11", "红色连衣裙",
    "tv", "wireless bluetooth headphones", "ノートパソコン",
]  # fmt: skip
COPIES = [
    "red leather sofa", "Red  LEATHER sofa", "ｒｅｄ leather sofa", "sofa red leather", "red leather sofas",
    "red lether sofa", "red leather sofa!", "the red leather sofa", "airfryer", "air-fryer", "air fryers",
    "mens running shoes", "men\u2019s running shoe", "running shoes for men's", "cafe table", "CAFÉ TABLES",
    "iphone 11 phone case", "phone case iphone 11", "红色 连衣裙", "连衣裙红色", "TV", "tvs",
    "wireless bluetoth headphones", "bluetooth wireless headphone", "ノートパソコン", "ﾉｰﾄﾊﾟｿｺﾝ",
    "red\u200b leather sofa",
]  # fmt: skip
OTHERS = [
    "blue linen sofa", "leather sofa cleaner", "deep fryer", "women's hiking boots", "kitchen table", "iphone cable",
    "蓝色衬衫", "tv stand", "headphones stand", "red sofa", "10 inch lamp", "ノート",
]  # fmt: skip


@pytest.mark.parametrize("copy", COPIES)
def test_every_disguise_of_an_evaluated_query_is_dropped(copy, samples, context):
    verdict = EvaluatedQueries()(samples([(copy, -1), ("oak table", 2)]), context(evaluated=EVALUATED))
    assert verdict.keep.tolist() == [False, True]
    assert verdict.measure[0] >= 0.75


def test_other_queries_of_the_same_shop_pass(samples, context):
    verdict = EvaluatedQueries()(samples([(query, -1) for query in OTHERS]), context(evaluated=EVALUATED))
    assert [q for q, keep in zip(OTHERS, verdict.keep, strict=True) if not keep] == []


def test_no_setting_and_no_source_lets_a_canary_through(samples, context):
    frame = samples([(copy, 0) for copy in COPIES], source="catalogue")
    free = {"enabled": False, "untouched": ["catalogue"]}
    filtered = run_filters(frame, context(evaluated=EVALUATED, settings=free))
    assert filtered.kept.height == 0 and filtered.dropped["check"].unique().to_list() == ["evaluated_queries"]
    assert run_filters(frame, context(settings=free)).kept.height == len(COPIES), "without evaluated queries all stay"


@pytest.mark.parametrize(
    ("plural", "one"),
    [("sofas", "sofa"), ("dresses", "dress"), ("watches", "watch"), ("berries", "berry"), ("shoes", "shoe"),
     ("glass", "glass"), ("bus", "bus"), ("tennis", "tennis"), ("gas", "gas")],
)  # fmt: skip
def test_plurals_are_taken_off_and_nothing_else(plural, one):
    assert singular(plural) == one


words = st.text("abcde", min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(words, max_size=6), min_size=1, max_size=12),
    st.lists(st.lists(words, max_size=6), min_size=1, max_size=12),
    st.sampled_from([0.34, 0.5, 0.67, 0.8, 1.0]),
)
def test_the_prefix_filter_misses_no_pair(left, right, least):
    """Against every pair compared by Python's own sets."""
    vocabulary: dict[str, int] = {}
    first, second = word_sets(left, vocabulary), word_sets(right, vocabulary)
    expected = {}
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            both = set(one) | set(other)
            value = len(set(one) & set(other)) / len(both) if both else 0.0
            if value >= least - 1e-6:
                expected[i, j] = value
    pairs, similarity = similar_pairs(first, second, least)
    assert dict(zip(map(tuple, pairs.tolist()), similarity.tolist(), strict=True)) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_character_pairs_are_those_of_the_padded_text(texts):
    texts = [folded(text) for text in texts]
    sets = character_pairs(texts)
    for row, text in enumerate(texts):
        padded = f" {text} " if text else ""
        pairs = {one + two for one, two in zip(padded, padded[1:], strict=False)}
        keys = sets.keys[sets.starts[row] : sets.starts[row + 1]].tolist()
        assert {chr(key >> 21) + chr(key & (1 << 21) - 1) for key in keys} == pairs and len(keys) == len(pairs)


def test_sets_without_members_are_like_nothing():
    empty = Sets(np.zeros(0, np.int64), np.zeros(3, np.int64))
    assert jaccard_of_pairs(empty, empty, np.array([[0, 1]])).tolist() == [0.0]
    assert len(similar_pairs(empty, character_pairs(["a", "b"]), 0.5)[0]) == 0
