"""Words, segments, words of scripts without spaces, names of categories."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.synth.templates.categories import category_names
from tfrec.synth.templates.chunks import chunks_of, measures
from tfrec.synth.templates.connectives import HAVING, USE
from tfrec.synth.templates.lexicon import Lexicon
from tfrec.synth.templates.words import key, segments, units, unspaced, written

NO_WORDS = Lexicon({})


def test_segments_end_at_punctuation_and_keep_hyphens_fractions_and_inches() -> None:
    found = segments('Ridge 1/2-Inch T-Shirt Rack, 12" (Men’s) | N°5', NO_WORDS)
    assert found == [["ridge", "1/2-inch", "t-shirt", "rack"], ["12", "inch"], ["men's"], ["n"], ["5"]]
    assert measures(found[0]) == [(1, 2)] and measures(found[1]) == [(0, 2)]


def test_chunks_end_at_joining_words_and_remember_them() -> None:
    found = chunks_of(segments("Futon Couch for the Living Room with 2 Cup Holders", NO_WORDS))
    assert [(chunk.link, " ".join(chunk.words)) for chunk in found] == [
        ("", "futon couch"), (USE, "living room"), (HAVING, "2 cup holders"),
    ]  # fmt: skip


def test_endings_and_hyphens_do_not_part_words_that_are_the_same() -> None:
    assert key(["women's", "t-shirts"]) == key(["Women".lower(), "tshirt"])
    assert key(["连衣裙"]) == ("连", "衣", "裙")


def test_words_without_spaces_are_found_by_what_stands_around_them() -> None:
    things, colours, uses = ["连衣裙", "保温杯", "双肩包"], ["黑色", "红色", "蓝色"], ["夏季", "户外", "儿童"]
    titles = itertools.product(uses, colours, things)
    runs = ["".join(order) for title in titles for order in itertools.permutations(title)]
    lexicon = Lexicon.learn(runs, {"t恤": 5})
    assert lexicon.split("户外红色保温杯") == ["户外", "红色", "保温杯"]
    assert segments("儿童蓝色T恤双肩包", lexicon) == [["儿童", "蓝色", "t恤", "双肩包"]]


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="黑红色杯包a1 ", max_size=12), st.booleans())
def test_splitting_loses_no_character(text: str, blanks: bool) -> None:
    lexicon = Lexicon({"黑色": 5, "红": 2, "色杯包": 1})
    words = [word for segment in segments(text, lexicon) for word in segment]
    assert "".join(words) == text.replace(" ", "")
    joined = written(words, blanks)
    assert joined.replace(" ", "") == "".join(words)
    if not blanks and all(unspaced(word) for word in words):
        assert " " not in joined


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=30))
def test_any_text_gives_words_that_stay_the_same_words(text: str) -> None:
    for unit in units(text):
        assert unit and unit == unit.strip() and key([unit])


def test_the_narrowest_category_is_found_in_a_joined_path() -> None:
    beds = ("home", "kitchen", "furniture", "bed", "frames")
    desks = ("home", "kitchen", "furniture", "office", "odds")
    titles = [frozenset(key(["oak", "bed", "frame", "queen"])), frozenset(key(["a", "thing"]))]
    names = category_names([beds, desks, ()], [*titles, frozenset()])
    assert names == {beds: ("bed", "frames"), desks: ("office", "odds")}
