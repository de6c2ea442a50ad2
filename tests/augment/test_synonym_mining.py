"""Mining on shops whose synonyms are known by construction, and on the demo shop's own truth."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

from tfrec.augment.synonyms.embeddings import from_embeddings
from tfrec.augment.synonyms.guards import derived, refused
from tfrec.augment.synonyms.queries import from_queries
from tfrec.augment.synonyms.spelling import from_spelling
from tfrec.augment.synonyms.titles import from_titles
from tfrec.augment.synonyms.words import count_phrases, segments, written


def found(pairs):
    return {frozenset((pair.phrase, pair.synonym)) for pair in pairs}


def mined(judgments, titles=()):
    return from_queries(judgments, count_phrases([*judgments, *judgments, *titles]))


def leads(*items):
    return {str(item): 1.0 for item in items}


class TestQueries:
    def test_queries_with_the_same_items_differ_by_a_synonym(self):
        pairs = mined({"couch": leads(1, 2, 3), "sofa": leads(1, 2, 3), "lamp": leads(7, 8, 9)})
        assert found(pairs) == {frozenset(("couch", "sofa"))}
        assert pairs[0].source == "queries" and pairs[0].support == 1

    def test_more_contexts_make_a_pair_surer(self):
        few = {"couch": leads(1, 2, 3), "sofa": leads(1, 2, 3)}
        many = few | {f"{word} {colour}": leads(*range(place, place + 4)) for word in ("couch", "sofa")
                      for place, colour in ((10, "grey"), (20, "tan"), (30, "teal"))}  # fmt: skip
        assert mined(many)[0].score > mined(few)[0].score
        assert found(mined(many)) == {frozenset(("couch", "sofa"))}

    def test_words_exchanged_beside_one_and_the_same_word_are_no_pair(self):
        bowls = {
            f"{kind} bowl {colour}": leads(colour, 1, 2, 3) for kind in ("dog", "food") for colour in ("tan", "teal")
        }
        assert mined(bowls) == []

    def test_other_items_or_too_few_make_no_pair(self):
        assert mined({"couch": leads(1, 2, 3), "bench": leads(4, 5, 6)}) == []
        assert mined({"couch": leads(1), "bench": leads(1)}) == []
        assert mined({"couch": {"1": 0.0, "2": 0.0, "3": 0.0}, "bench": {"1": 0.0, "2": 0.0, "3": 0.0}}) == []

    def test_words_of_characters_are_told_from_their_pieces(self):
        judgments = {
            "铁冲锋衣": leads(1, 2, 3),
            "铁雨衣": leads(1, 2, 3),
            "手机壳": leads(7, 8, 9),
            "手机套": leads(7, 8, 9),
        }
        pairs = from_queries(
            judgments, count_phrases([*judgments, "手机壳 红", "手机套 蓝", "冲锋衣", "雨衣", "冲锋衣 男"])
        )
        assert found(pairs) == {frozenset(("手机壳", "手机套"))}

    def test_order_of_the_queries_does_not_matter(self):
        every = itertools.product(("couch", "sofa", "settee"), ("", "tan", "grey"))
        judgments = {f"{word} {colour}".strip(): leads(colour, "a", "b", "c") for word, colour in every}
        assert mined(judgments) == mined(dict(reversed(judgments.items())))


def test_titles_of_duplicates_give_pairs_only_across_brands():
    said = "A long description that two listings of the very same product share word by word."
    rows = [
        ("acme", f"{said} 1", "Acme grey couch with storage"), ("acme", f"{said} 1", "Acme grey sofa with storage"),
        ("bolt", f"{said} 2", "Bolt corner couch for the den"), ("bolt", f"{said} 2", "Bolt corner sofa for the den"),
        ("bolt", f"{said} 3", "Bolt lamp for the desk top"), ("bolt", f"{said} 3", "Bolt light for the desk top"),
        ("cora", "short", "Cora stool for the kitchen"), ("cora", "short", "Cora bench for the kitchen"),
    ]  # fmt: skip
    items = pl.DataFrame(rows, schema=["brand", "description", "title"], orient="row")
    assert found(from_titles(items)) == {frozenset(("couch", "sofa"))}
    assert from_titles(items.drop("description")) == []


def test_spellings_of_one_word():
    texts = ["wi-fi router", "wifi router", "wi fi router", "woman's bag", "cats toy", "cat's toy", "cat toy",
             "s and p", "sand box", "men's hat", "mens hat", "short pants", "shorts", "battery", "batteries",
             "black/white", "black white"] * 3  # fmt: skip
    assert found(from_spelling(count_phrases(texts))) == {
        frozenset(pair)
        for pair in [("wi-fi", "wifi"), ("wi fi", "wifi"), ("wi-fi", "wi fi"), ("men's", "mens"), ("cat", "cats"),
                     ("battery", "batteries")]
    }  # fmt: skip
    assert from_spelling(count_phrases(["wi-fi", "wifi"])) == []  # seen once, perhaps a slip


class TestEmbeddings:
    TEXTS = ["couch leather cushions", "sofa leather cushions", "couch sofa legs", "lamp bulb socket",
             "torch bulb battery", "lamp shade", "router antenna", "torch camping"]  # fmt: skip

    def vectors(self, near):
        def encode(words):
            rng = np.random.default_rng(0)
            table = {word: rng.normal(size=64) for word in sorted(words)}
            for word, other in near:
                table[word] = table[other] + rng.normal(size=64) * 0.1
            return np.array([table[word] for word in words], np.float32)

        return encode

    def pairs(self, near):
        counts = count_phrases(self.TEXTS)
        return from_embeddings(self.TEXTS, counts, self.vectors(near), least_texts=1, least_company=0.3)

    def test_near_words_in_the_same_company_are_a_pair(self):
        assert found(self.pairs([("couch", "sofa")])) == {frozenset(("couch", "sofa"))}

    def test_near_words_in_other_company_are_none(self):
        assert self.pairs([("lamp", "router")]) == []

    def test_an_encoder_that_finds_all_words_alike_is_not_believed(self):
        assert from_embeddings(
            self.TEXTS, count_phrases(self.TEXTS), lambda words: np.ones((len(words), 8)), least_texts=1
        ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("left shoe", "right shoe", "opposite"), ("men's", "women's", "opposite"), ("red", "blue", "opposite"),
        ("long-sleeve", "short-sleeve", "opposite"), ("cordless drill", "wired drill", "opposite"),
        ("男士", "女士", "opposite"), ("左手", "右手", "opposite"), ("红裙", "蓝裙", "opposite"),
        ("pack 12", "pack 16", "number"), ("两件", "三件", "number"), ("two door", "three door", "number"),
        ("large", "big", "size or measure"), ("inches", "feet", "size or measure"),
        ("slip", "non-slip", "negation"), ("sugar", "sugar free", "negation"), ("糖", "无糖", "negation"),
        ("trainers", "nike", "brand"),
        ("couch", "sofa", None), ("navy", "dark blue", None), ("leak-proof", "leakproof", None),
        ("gluten free", "gluten-free", None), ("infant", "newborn", None), ("充电宝", "移动电源", None),
        ("gray", "grey", None),
    ],
)  # fmt: skip
def test_guards(first, second, reason):
    brands = frozenset({"nike"})
    assert refused(first, second, brands) == reason == refused(second, first, brands)


def test_derived_words():
    assert derived("print", "printing") and derived("mouse", "mousw") and derived("ring", "earring")
    assert not derived("gray", "grey") and not derived("couch", "sofa") and not derived("雨衣", "雨伞")


def test_segments_end_at_punctuation_and_between_characters_at_blanks():
    parts = segments(["Red (sofa), big & soft", "手机 壳XL T恤", " ", ""])
    assert [[written(segment) for segment in row] for row in parts] == [
        ["red", "sofa", "big", "soft"], ["手机", "壳xl t恤"], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pairs_from_the_demo_shops_searches_are_true(language, tmp_path):
    from importlib import import_module

    from tfrec.config import Config
    from tfrec.data.prepare import prepare

    shop = prepare(Config.model_validate({
        "name": "demo", "runs_dir": str(tmp_path),
        "data": {"demo": {"language": language, "items": 1500, "queries": 900, "shoppers": 0}},
    }))  # fmt: skip
    judgments = shop.judgments("train")
    counts = count_phrases([*judgments, *shop.items["title"].to_list()])
    pairs = from_queries(judgments, counts)
    meanings: dict[str, set[str]] = {}
    for name, table in import_module(f"tfrec.data.demo.vocabulary_{language}").TABLES.items():
        for line in table.strip().splitlines():
            key, _, forms = line.partition(":")
            for form in forms.replace("|", ";").split(";"):
                meanings.setdefault(form.strip().lstrip("~").casefold(), set()).add(f"{name} {key}")
    true = [pair for pair in pairs if meanings.get(pair.phrase, set()) & meanings.get(pair.synonym, set())]
    assert len(pairs) >= 3
    assert len(true) >= 0.9 * len(pairs), sorted(set(pairs) - set(true))
