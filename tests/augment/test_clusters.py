"""Grapheme clusters against Unicode's rules, and draws that never cut one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.augment.clusters import cluster_bounds, is_ascii, pick_cluster, split_clusters
from tfrec.tensorflow_setup import tf

KNOWN = [
    ("tee", ["t", "e", "e"]),
    ("", []),
    ("cafe\u0301s", ["c", "a", "f", "e\u0301", "s"]),
    ("\u00e9t\u00e9", ["\u00e9", "t", "\u00e9"]),
    ("T恤 男", ["T", "恤", " ", "男"]),
    ("\U0001f469\u200d\U0001f469\u200d\U0001f467!", ["\U0001f469\u200d\U0001f469\u200d\U0001f467", "!"]),
    ("\U0001f44d\U0001f3fdok", ["\U0001f44d\U0001f3fd", "o", "k"]),
    ("\u0915\u094d\u0937\u093f\u0915", ["\u0915\u094d\u0937\u093f", "\u0915"]),  # Devanagari conjunct with a vowel sign
    ("\u0e01\u0e33\u0e02", ["\u0e01\u0e33", "\u0e02"]),  # Thai sara am
    ("\u1112\u1161\u11ab\u1100\u1173\u11af", ["\u1112\u1161\u11ab", "\u1100\u1173\u11af"]),  # Hangul by jamo
    ("한국", ["한", "국"]),
    ("か\u3099な", ["か\u3099", "な"]),
]


@pytest.mark.parametrize(("text", "clusters"), KNOWN)
def test_known_clusters(text: str, clusters: list[str]) -> None:
    found = split_clusters(tf.constant([text, "x"])).to_list()
    assert [c.decode() for c in found[0]] == clusters
    assert found[1] == [b"x"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_clusters_join_to_the_text_and_are_never_finer_than_the_standard(texts: list[str]) -> None:
    regex = pytest.importorskip("regex")
    found = split_clusters(tf.constant(texts)).to_list()
    for text, clusters in zip(texts, found, strict=True):
        assert b"".join(clusters).decode() == text
        ours = set(np.cumsum([len(c.decode()) for c in clusters], dtype=int))
        standard = set(np.cumsum([len(c) for c in regex.findall(r"\X", text)], dtype=int))
        assert ours <= standard


def test_every_cluster_of_a_word_is_drawn_but_the_skipped_ones() -> None:
    keys = tf.range(400, dtype=tf.int64)
    for word, bounds in (("chair", [0, 1, 2, 3, 4, 5]), ("cafe\u0301s", [0, 1, 2, 3, 6, 7])):
        pick = pick_cluster(tf.fill([400], word), tf.bitcast(keys, tf.uint64), salt=3, skip=1, reserve=2)
        seen = set(zip(pick.start.numpy(), pick.length.numpy(), pick.following.numpy(), strict=True))
        sizes = np.diff(bounds)
        assert seen == {(bounds[place], sizes[place], sizes[place + 1]) for place in (1, 2, 3)}


def test_short_and_fragile_words_offer_no_cluster() -> None:
    words = ["", "ab", "\u00e9b", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7ok", "\u1112\u1161\u11ab\u1100\u1173abc"]
    pick = pick_cluster(tf.constant(words), tf.constant([1, 2, 3, 4, 5], tf.uint64), salt=0, minimum=3)
    assert pick.length.numpy().tolist() == [0] * len(words)


def test_no_words_at_all() -> None:
    none = tf.constant([], tf.string)
    assert pick_cluster(none, tf.constant([], tf.uint64), salt=0).start.shape == [0]
    assert split_clusters(none).to_list() == []
    assert cluster_bounds(tf.constant([""]))[0].to_list() == [[0]]


def test_ascii_is_told_from_the_rest() -> None:
    assert is_ascii(tf.constant(['e-reader 12"', "", "caf\u00e9", "男"])).numpy().tolist() == [True, True, False, False]
