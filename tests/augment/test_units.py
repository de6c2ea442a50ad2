"""Splitting texts into units and joining them back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.augment.units import Units, change_units, split_any, split_ascii
from tfrec.tensorflow_setup import tf

KNOWN = [
    ("red  shoes", ["red", "shoes"]),
    ("T恤 男款 XL", ["T", "恤", "男", "款", "XL"]),
    ("바지 32", ["바", "지", "32"]),
    ("กำลัง", ["กำ", "ลั", "ง"]),
    ("バッグ，黒", ["バ", "ッ", "グ", "，", "黒"]),
    ("\u3000x\u00a0y\t", ["x", "y", ""]),  # white space at the end is the gap of an empty word
    ("a\r\nb", ["a", "b"]),
    ("👨\u200d👩\u200d👧 family", ["👨\u200d👩\u200d👧", "family"]),
    ("恤\u0301b \u0301c", ["恤\u0301", "b \u0301c"]),  # a blank that carries a mark is no gap
    ("", []),
    ("   ", [""]),
]


def keys_of(texts: Any) -> Any:
    return tf.zeros(tf.shape(texts), tf.uint64)


def words_of(units: Units, row: int) -> list[str]:
    return [word.decode() for word, at in zip(units.words.numpy(), units.rows.numpy(), strict=True) if at == row]


@pytest.mark.parametrize(("text", "words"), KNOWN)
def test_known_units(text: str, words: list[str]) -> None:
    units = split_any(tf.constant(["one two", text, "", "三"]))
    assert words_of(units, 1) == words
    assert words_of(units, 3) == ["三"]
    assert units.counts.numpy().tolist() == [2, len(words), 0, 1]
    assert units.places.numpy()[units.rows.numpy() == 1].tolist() == list(range(len(words)))


def test_ascii_texts_have_the_same_words_either_way() -> None:
    texts = tf.constant(["red running shoes", "a", "12in pan, (new)", "x  y"])
    quick, slow = split_ascii(texts), split_any(texts)
    for row in range(4):
        assert [word for word in words_of(quick, row) if word] == words_of(slow, row)
    single_blanks = texts[:3]
    for mine, other in zip(split_ascii(single_blanks).byte_spans(), split_any(single_blanks).byte_spans(), strict=True):
        assert mine.numpy().tolist() == other.numpy().tolist()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.text(alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" \tａ恤가ก\u0301\u200d")))
    )
)
def test_units_left_alone_join_to_the_same_bytes(texts: list[str]) -> None:
    given_texts = tf.constant(texts, tf.string)
    assert split_any(given_texts).join().numpy().tolist() == given_texts.numpy().tolist()
    found = change_units(given_texts, keys_of(given_texts), lambda units, keys: units.join(keep=units.rows >= 0))
    assert found.numpy().tolist() == given_texts.numpy().tolist()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=10), min_size=1))
def test_spans_are_where_the_words_are(texts: list[str]) -> None:
    units = split_any(tf.constant(texts))
    starts, ends = units.byte_spans()
    for word, row, start, end in zip(
        units.words.numpy(), units.rows.numpy(), starts.numpy(), ends.numpy(), strict=True
    ):
        assert texts[row].encode()[start:end] == word


@pytest.mark.parametrize(
    ("text", "dropped", "left"),
    [
        ("red running shoes", {0}, "running shoes"),
        ("red running shoes", {1, 2}, "red"),
        ("T恤 男款 XL", {1}, "T 男款 XL"),
        ("T恤 男款 XL", {4}, "T恤 男款"),
        ("  ü b ", {0}, "  b "),
        ("XL恤12", {1}, "XL 12"),  # words on both sides of a character do not grow together
        ("恤12", {0}, "12"),
    ],
)
def test_units_are_left_out_with_the_white_space_before_them(text: str, dropped: set[int], left: str) -> None:
    def change(units: Units, keys: Any) -> Any:
        gone = tf.reduce_any(units.places[:, None] == tf.constant(sorted(dropped)), axis=1)
        return units.join(keep=~gone)

    texts = tf.constant(["", text])
    assert change_units(texts, keys_of(texts), change).numpy()[1].decode() == left


def test_one_real_unit_always_stays() -> None:
    units = split_any(tf.constant(["a b  ", "", "  ", "恤 男"]))
    draws = tf.constant([0.1, 0.9, 0.99, 0.5, 0.7, 0.2])
    kept = units.keep_one(tf.zeros_like(units.real), draws).numpy().tolist()
    assert kept == [False, True, True, True, True, False]  # b, the white space, 恤
