"""The index agrees with bm25s, weighs fields, and knows word forms that nobody has used yet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.evaluation.baselines import Bm25
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.lexical_tuning.fixed import fixed_index
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.tokens import Tokenizer
from tfrec.tensorflow_setup import tf

TEXTS = ["red running shoes", "blue shoe for runners", "rug", "green lamp lamp", "lamps and shoes", "the lamp shade"]


def _fit(fields: dict, weights: dict | None = None, **settings: Any) -> LexicalIndex:
    return fixed_index(fields, weights or dict.fromkeys(fields, 1.0), **settings)


def _scores(index: LexicalIndex, query: str) -> np.ndarray:
    nothing = tf.fill([1, 1], -1)
    return LexicalScorer(index)(Request(tf.constant([query]), tf.zeros([1, 2]), nothing)).numpy()[0]


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.0, 0.5), (2.0, 0.0), (1.2, 1.0)])
def test_one_field_is_lucenes_bm25(k1: float, b: float) -> None:
    index, reference = _fit({"text": TEXTS}, k1=k1, b=b), Bm25.fit(TEXTS, k1=k1, b=b)
    for query in ("red shoes", "lamp", "lamp lamp shoe", "unknown"):
        np.testing.assert_allclose(_scores(index, query), reference.scores(query), atol=1e-5)
        terms = [index.terms[word] for word in query.split() if word in index.terms]
        np.testing.assert_allclose(index.scores(terms), reference.scores(query), atol=1e-5)


def test_an_empty_text_is_no_short_one() -> None:
    """The mean length is that of the items that fill the field, as in Lucene: a rare attribute is not held back."""
    few = _fit({"text": ["oak chair", "lamp"], "wood": ["fine oak", ""]}, b=1.0)
    many = _fit({"text": ["oak chair", "lamp"], "wood": ["fine oak", "some elm"]}, b=1.0)
    assert _scores(few, "fine")[0] == pytest.approx(_scores(many, "fine")[0])


def test_a_heavier_field_counts_more() -> None:
    fields = {"title": ["lamp", "shade"], "description": ["shade", "lamp"]}
    assert _scores(_fit(fields, {"title": 3.0, "description": 1.0}), "lamp")[0] > 0
    first, second = _scores(_fit(fields, {"title": 3.0, "description": 1.0}), "lamp")
    assert first > second > 0
    alike = _scores(_fit(fields), "lamp")
    assert alike[0] == pytest.approx(alike[1])
    # all weights times two is not the same as one: saturation sees the frequency (BM25F, not a sum of BM25s)
    assert _scores(_fit(fields, {"title": 2.0, "description": 2.0}), "lamp")[0] < 2 * alike[0]


def test_forms_that_nobody_wrote_are_found_by_the_shops_endings() -> None:
    words = ["walk", "talk", "jump", "cook", "paint", "print", "climb"]
    texts = [f"{word}s {word}ing {word}ed" for word in words]
    texts += ["bakes baking baked", "likes liking liked", "hiking boots", "drill"]
    index = _fit({"text": texts})
    reference = Bm25.fit(texts, k1=1.2)
    for query in ("drills", "drilling", "boot", "hikes", "hiked"):
        assert reference.scores(query).any()
        np.testing.assert_allclose(_scores(index, query), reference.scores(query), atol=1e-5)
    assert not _scores(index, "drillonomics").any()


def test_words_of_known_queries_are_in_the_table() -> None:
    texts = ["organizer box", "plate"]
    assert not _scores(_fit({"text": texts}), "organizational").any()
    with_queries = _fit({"text": texts}, queries=["Organizations", "organizational"])
    reference = Bm25.fit(texts, k1=1.2)
    for query in ("organizations", "organizational"):
        np.testing.assert_allclose(_scores(with_queries, query), reference.scores(query), atol=1e-5)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text("aBs'’_ 漢字カたคก\u0301İΣﬁ½", max_size=20)))
def test_a_word_alone_is_the_term_that_it_is_in_its_text(text: str) -> None:
    for measures in (False, True):
        tokenize, surfaces = Tokenizer(measures=measures), Tokenizer("none", measures=measures)
        assert [tokenize(word) for word in surfaces(text)] == [[term] for term in tokenize(text)]


def test_a_shop_without_any_word_scores_nothing() -> None:
    assert _scores(_fit({"text": ["", "--"]}), "lamp").tolist() == [0.0, 0.0]


@pytest.mark.parametrize("fields", [{}, {"text": []}, {"title": ["a"], "text": ["a", "b"]}])
def test_fields_must_fit(fields: dict) -> None:
    with pytest.raises(ValueError, match="one text per item"):
        _fit(fields)


def test_alternatives_for_a_doubtful_word_count_by_their_weights() -> None:
    index = _fit({"text": TEXTS})
    mixed = _scores(index, "red \x1f0.750 lamp\x1f0.250 shade")
    parts = [_scores(index, word) for word in ("red", "lamp", "shade")]
    np.testing.assert_allclose(mixed, parts[0] + 0.75 * parts[1] + 0.25 * parts[2], rtol=1e-5)


def _found(texts: list[str], query: str, language: str = "auto") -> list[int]:
    index = _fit({"text": texts}, language=language)
    return np.flatnonzero(_scores(index, query) > 0).tolist()


@pytest.mark.parametrize("mark", ["\u200b", "\u00ad", "\u2060", "\ufeff", "\u200e", "\u200d"])
def test_what_nobody_sees_parts_no_word(mark: str) -> None:
    index = _fit({"text": TEXTS})
    np.testing.assert_array_equal(_scores(index, f"la{mark}mp"), _scores(index, "lamp"))
    written = _fit({"text": [TEXTS[0].replace("shoes", f"sho{mark}es"), *TEXTS[1:]]})
    np.testing.assert_array_equal(_scores(written, "red shoes"), _scores(index, "red shoes"))


@pytest.mark.parametrize(
    ("language", "texts", "query", "found"),
    [
        ("auto", ["café table", "cave", "cafe chairs"], "cafe", [0, 2]),
        ("auto", ["café table", "cave", "cafe chairs"], "CAFÉ", [0, 2]),
        ("auto", ["café table", "cave"], "cafe\u0301", [0]),
        ("auto", ["sofa", "lamp"], "sofá", [0]),
        ("auto", ["Smørrebrød plate", "lamp"], "smorrebrod", [0]),
        ("none", ["café table", "cave"], "cafe", [0]),
        ("french", ["crème brûlée", "crépe"], "creme brulee", [0]),
        ("german", ["Möbel", "Mobile"], "moebel", [0]),
        ("german", ["Moebel", "Mobile"], "möbel", [0]),  # the stemmer's own rule
        ("auto", ["Möbel", "Mobile"], "moebel", [0]),
        ("german", ["Möbel", "Mobile"], "mobel", [0]),
        ("german", ["Café", "Höhle"], "cafe", [0]),
        ("spanish", ["año nuevo", "ano"], "ano", [1]),  # ñ is no n with an accent
        ("spanish", ["año nuevo", "sillón"], "año", [0]),
        ("spanish", ["mañana", "sillón"], "manana", [0]),  # but who has no ñ is understood
        ("spanish", ["mañana", "sillón"], "sillon", [1]),
        ("swedish", ["hår", "har"], "har", [1]),
        ("swedish", ["möbler", "lampa"], "mobler", [0]),
        ("auto", ["λάμπα", "lamp"], "λαμπα", [0]),
    ],
)
def test_accents_that_shoppers_leave_out(language: str, texts: list[str], query: str, found: list[int]) -> None:
    assert _found(texts, query, language) == found
