"""Terms of many scripts, and text that no one would type."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.errors import ConfigError
from tfrec.retrieval.tokens import Tokenizer

TOKENIZER = Tokenizer()


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Running SHOES, 2-pack", ["run", "shoe", "2", "pack"]),
        ("men's mens men\u2019s", ["men", "men", "men"]),
        ("snake_case 90cm", ["snake", "case", "90cm"]),
        ("红色皮沙发 椅", ["红色", "色皮", "皮沙", "沙发", "椅"]),  # pairs; a lone character stands alone
        ("红色sofas灯", ["红色", "sofa", "灯"]),
        ("コーヒー・カップ", ["コー", "ーヒ", "ヒー", "カッ", "ップ"]),  # the dot parts two runs
        ("℡ ㎏", ["tel", "kg"]),  # compatibility forms that are upper case only after NFKC
        ("ＬＥＤ ﬁlter ｶﾞﾗｽ", ["led", "filter", "ガラ", "ラス"]),  # NFKC: full width, ligature, half width
        ("가죽 소파", ["가죽", "소파"]),
        ("हिन्दी किताब", ["हिन्दी", "किताब"]),  # combining marks belong to the word
        ("кожаный диван", ["кожаный", "диван"]),
        ("e\u0301clair", ["eclair"]),
        ("\ud800 👍🏽 -- _ ' '", []),
        ("", []),
    ],
)
def test_known_terms(text, terms):
    assert TOKENIZER(text) == terms


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters()))  # surrogates and unassigned characters too
def test_any_text_gives_sound_terms(text):
    terms = TOKENIZER(text)
    assert terms == TOKENIZER(text)
    for term in terms:
        assert term and not any(character.isspace() for character in term)
        assert all(unicodedata.category(character)[0] in "LMN" or character == "'" for character in term)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(max_codepoint=127)))
def test_the_fast_way_for_ascii_equals_the_general_way(text):
    assert TOKENIZER(text) == TOKENIZER(text + " 椅")[:-1]


@settings(max_examples=100, deadline=None)
@given(st.text("红色皮沙发灯椅子", min_size=2, max_size=12))
def test_pairs_of_a_run_cover_it(text):
    terms = TOKENIZER(text)
    assert terms[0] + "".join(term[1] for term in terms[1:]) == text


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text())
def test_a_space_parts_terms(left, right):
    assert TOKENIZER(left + " " + right) == TOKENIZER(left) + TOKENIZER(right)


def test_languages():
    assert Tokenizer("none")("running shoes") == ["running", "shoes"]
    assert Tokenizer("german")("Häuser") == ["haus"]
    with pytest.raises(ConfigError, match="klingon"):
        Tokenizer("klingon")


def test_many_is_each():
    texts = ["red sofas", "", "红色"]
    assert TOKENIZER.many(texts) == [TOKENIZER(text) for text in texts]


def test_numbers_and_units_are_words_of_their_own() -> None:
    measured = Tokenizer(measures=True)
    for text in ("5gal. bucket", "5 gallon bucket", "5 Gallons bucket", "５gals bucket"):
        assert measured(text) == ["5", "gal", "bucket"]
    assert measured("3/4in x 10ft") == ["3", "4", "in", "x", "10", "ft"] == measured("3/4 inches x 10 feet")
    assert measured("iPhone12pro") == ["iphon", "12", "pro"]
    assert Tokenizer("none", measures=True)("5gallons") == ["5", "gallons"]
    assert TOKENIZER("5gal") == ["5gal"]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text("ab5's’_ 漢カé®–\u0301İ", max_size=30)))
def test_the_short_ways_split_as_the_general_one(text: str) -> None:
    import tfrec.retrieval.tokens as module

    general = [piece for match in module._patterns()[1].finditer(module._normalise(text)) for piece in [match.group()]]
    spaced = [piece for piece in general if not module._patterns()[0].match(piece)]
    assert [token for token in Tokenizer("none")(text) if module.is_spaced(token)] == spaced
