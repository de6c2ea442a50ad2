"""Synonyms and word neighbours on texts whose answers are certain; the contract holds the rest."""

from __future__ import annotations

import pytest

from tfrec.augment.operation import Resources
from tfrec.augment.operations.replacement import Synonyms, WordNeighbours
from tfrec.augment.randomness import row_keys
from tfrec.tensorflow_setup import tf

RESOURCES = Resources(
    protected=frozenset({"sofa king"}),
    synonyms={
        "couch": ["sofa"],
        "sofa": ["couch"],
        "coffee table": ["side table"],
        "table": ["desk"],
        "men's shoe": ["gents footwear"],
        "充电宝": ["移动电源", "power bank"],
        "移动电源": ["充电宝"],
        "短袖": ["tee"],
        "t恤": ["短袖"],
    },
)


def changed(text: str, step: int = 0, strength: float = 1.0, resources: Resources = RESOURCES) -> str:
    texts = tf.constant([text])
    return Synonyms(strength, resources)(texts, row_keys(texts, 3, step)).numpy()[0].decode("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red couch", "red sofa"),
        ("  couch\ton  sale ", "  sofa\ton  sale "),
        ("(Couch), grey", "(Sofa), grey"),
        ("COFFEE TABLE", "SIDE TABLE"),
        ("Coffee Table!", "Side Table!"),
        ("coffee, table", "coffee, desk"),  # no coffee table
        ("coffee table table", "side table desk"),  # the longer phrase counts
        ("Men's Shoe", "Gents Footwear"),
        ("Sofa King sofa", "Sofa King couch"),  # a brand stays
        ("without couch", "without couch"),  # and what a negation turns round
        ("移动 电源", "移动 电源"),  # two words, not one
        ("男T恤 男款 XL", "男短袖 男款 XL"),
        ("夏季短袖XL", "夏季tee XL"),  # the size does not grow into the word
        ("couches", "couches"),
        ("", ""),
    ],
)
def test_phrases_are_replaced_as_a_reader_would(text, expected):
    assert changed(text) == expected


def test_better_synonyms_are_drawn_more_often_but_all_are_drawn():
    resources = Resources(synonyms={"couch": ["first", "second", "third"]})
    texts = tf.constant([f"couch {number}" for number in range(60)])
    found = Synonyms(1.0, resources)(texts, row_keys(texts, 3, 0)).numpy().tolist()
    counts = [sum(text.startswith(word) for text in found) for word in (b"first", b"second", b"third")]
    assert sum(counts) == 60 and counts[0] > counts[1] > 0 and counts[2] > 0


def test_strength_is_the_share_of_phrases_replaced():
    text = " ".join(["couch"] * 400)
    share = changed(text, strength=0.25).split().count("sofa") / 400
    assert 0.18 < share < 0.32


def test_one_phrase_at_least_is_replaced_unless_strength_is_zero():
    assert all("sofa" in changed("a couch and a couch", step, 0.001) for step in range(5))
    assert changed("a couch", strength=0.0) == "a couch"


def test_two_tables_do_not_mix():
    resources = Resources(synonyms={"couch": ["sofa"]}, neighbours={"couch": ["bench"]})
    texts = tf.constant(["couch"])
    keys = row_keys(texts, 1, 1)
    assert Synonyms(1.0, resources)(texts, keys).numpy()[0] == b"sofa"
    assert WordNeighbours(1.0, resources)(texts, keys).numpy()[0] == b"bench"
    assert WordNeighbours(1.0, RESOURCES)(texts, keys).numpy()[0] == b"couch"  # no table, nothing to do
