"""The words that a graph finds are the words that the index was made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.retrieval.graph_words import READ_CHARACTERS, surfaces
from tfrec.retrieval.tokens import Tokenizer
from tfrec.tensorflow_setup import tf

PLAIN = Tokenizer("none", measures=True)
Words = Callable[[list], list[Counter]]


@pytest.fixture(scope="module")
def words() -> Words:
    graph = tf.function(surfaces, [tf.TensorSpec([None], tf.string)], autograph=False)

    def run(texts: list) -> list[Counter]:
        found, rows = graph(tf.constant([t if isinstance(t, bytes) else t.encode() for t in texts], tf.string))
        counted = [Counter() for _ in texts]
        for surface, row in zip(found.numpy(), rows.numpy(), strict=True):
            counted[row][surface.decode()] += 1
        return counted

    return run


def test_examples_of_many_scripts(words: Words) -> None:
    texts = [
        "Men's Running shoes 10'x20' USB-C", "", " \t ", "女装连衣裙 XL", "a's's b's_x c's d'",
        "漢's İstanbul ΣΑΣ", "ＡＢＣ½ ①",
        "x_y-z \x00tail", "café's cafe\u0301", "カ漢 a漢b 漢", "कपड़े หมวก 운동화", "it’s Größe STRASSE",
        "🎧 head\u200bphones", "a's\u0301's b",
    ]  # fmt: skip
    assert words(texts) == [Counter(PLAIN(text)) for text in texts]


ALPHABET = "aBsß'’_- \t1½漢字カタ한ก\u0301\u093eéİΣ\u00adﬁ🎧"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.text(ALPHABET, max_size=30), st.text(max_size=10)), max_size=30))
def test_any_text(words: Words, texts: list[str]) -> None:
    # ICU in TensorFlow knows an older Unicode than Python may: letters newer than it stay upper-case in the graph.
    texts = ["".join(c for c in text if ord(c) < 0x2C00 or c in ALPHABET) for text in texts]
    texts = ["".join(c for c in text if not 0x860 <= ord(c) < 0x900) for text in texts]
    assert words(texts) == [Counter(PLAIN(text)) for text in texts]


def test_bytes_that_are_no_text_only_part_words(words: Words) -> None:
    assert words([b"red\xfflamp", b"\xc3"]) == [Counter(["red", "lamp"]), Counter()]


def test_a_huge_request_is_read_to_a_limit(words: Words) -> None:
    assert sum(words(["ab " * 100_000])[0].values()) <= READ_CHARACTERS // 3 + 1
