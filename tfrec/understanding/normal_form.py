"""Texts in the form that patterns of words can be looked for in, in stock TensorFlow ops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tfrec.data.characters import IGNORED
from tfrec.retrieval.scripts import UNSPACED
from tfrec.tensorflow_setup import tf

import tensorflow_text as tf_text  # isort: skip  (after Keras 2 has been chosen)

Tensor = Any
READ_CHARACTERS = 256
EXCLUDED = "\x1c"  # stands for the hyphen of "-leather", which search engines read as "without"
_INSIDE = "\x1d\x1e\x1f"  # of a number: stand for . , / while those of sentences are taken away
_ALONE = "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in UNSPACED)


class Words(NamedTuple):
    """The words of B texts, one after the other.

    Attributes:
        flat: string [T].
        rows: the text of each, int64 [T], rising.
        texts: B, int64 scalar.
    """

    flat: Tensor
    rows: Tensor
    texts: Tensor

    def following(self, values: Tensor, steps: int, nothing: Any) -> Tensor:
        """Of values [T] those of the word `steps` after each within its text (before it, if negative); else nothing."""
        return self.window(values, steps, 1, nothing)[:, 0]

    def window(self, values: Tensor, first: int, count: int, nothing: Any) -> Tensor:
        """Values [T] of the n words from `first` after each, within its text; elsewhere nothing: [T, n]."""
        size = tf.size(self.flat)
        places = tf.range(size)[:, tf.newaxis] + tf.range(first, first + count)
        near = tf.clip_by_value(places, 0, tf.maximum(size - 1, 0))
        inside = tf.equal(places, near) & tf.equal(tf.gather(self.rows, near), self.rows[:, tf.newaxis])
        return tf.where(inside, tf.gather(values, near), nothing)

    def joined(self, kept: Tensor | None = None, flat: Tensor | None = None) -> Tensor:
        """The texts string [B] of these words (or of others in their places), of all or of those that are kept [T]."""
        flat, rows = self.flat if flat is None else flat, self.rows
        if kept is not None:
            flat, rows = tf.boolean_mask(flat, kept), tf.boolean_mask(rows, kept)
        return tf.strings.unsorted_segment_join(flat, rows, self.texts, separator=" ")


def normal(texts: Tensor) -> Tensor:
    """Texts as words with one blank between.

    NFKC, lower case, the first 256 characters. Characters of scripts without spaces, signs of currencies, numbers and
    the units behind them are words of their own; punctuation is ",", and that of numbers stays ("1,200.50", "1/2").

    Args:
        texts: string [B], UTF-8.

    Returns:
        string [B].
    """
    texts = tf.strings.unicode_transcode(
        texts, "UTF-8", "UTF-8", errors="replace", replacement_char=32, replace_control_characters=True
    )
    texts = tf_text.normalize_utf8(
        tf.strings.lower(tf.strings.regex_replace(texts, f"[{IGNORED}]", ""), "utf-8"), "NFKC"
    )
    texts = tf.strings.substr(texts, 0, READ_CHARACTERS, unit="UTF8_CHAR")
    for pattern, other in _REPLACED:
        texts = tf.strings.regex_replace(texts, pattern, other)
    return tf.strings.strip(texts)


def words_of(normal_texts: Tensor) -> Words:
    """The words of texts string [B] in normal form."""
    ragged = tf.strings.split(normal_texts)
    return Words(ragged.flat_values, ragged.value_rowids(), tf.shape(normal_texts, tf.int64)[0])


def readable(texts: Tensor) -> Tensor:
    """Texts string [B] in normal form as encoders and scorers of words want them: scripts without spaces without."""
    texts = tf.strings.regex_replace(texts, f"( ,)+( |$)|^(, )+|{EXCLUDED} ?", " ")
    for _ in range(2):
        texts = tf.strings.regex_replace(texts, f"([{_ALONE}]) ([{_ALONE}])", r"\1\2")
    return tf.strings.strip(tf.strings.regex_replace(texts, " +", " "))


def unspaced(words: Tensor) -> Tensor:
    """Whether words string [T] are characters of a script without spaces, bool [T]."""
    return tf.strings.regex_full_match(words, f"[{_ALONE}]+")


def any_of(phrases: Iterable[str]) -> str:
    """A pattern of RE2 for any of these phrases in normal form, longest first."""
    return "(?:" + "|".join(sorted(map(_escaped, map(spaced, phrases)), key=len, reverse=True)) + ")"


def spaced(phrase: str) -> str:
    """A phrase with blanks around the characters of scripts without spaces."""
    parts = []
    for character in phrase:
        alone = any(first <= ord(character) <= last for first, last in UNSPACED)
        parts.append(f" {character} " if alone else character)
    return " ".join("".join(parts).split())


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in r"\.+*?()|[]{}^$<>" else c for c in text)


_REPLACED: list[tuple[str, str]] = [
    ("[\u2018\u2019]", "'"),
    (r"(^|\s)w/o(\s|$)", r"\1without\2"),
    (r"(^|\s)-(\pL)", rf"\1{EXCLUDED} \2"),
    ("[\u2010-\u2015\u2212]", "-"),
    *[(rf"([0-9]){sign}([0-9])", rf"\1{mark}\2") for sign, mark in zip(("[.]", ",", "/"), _INSIDE, strict=True)] * 2,
    (r"[.,/;:!?()\[\]{}\"“”„«»|…]|[。，、；：！？（）【】「」]", " , "),
    (r"([0-9$€£¥]) ?- ?([0-9$€£¥])", r"\1 ~ \2"),
    (r"[-_*#@^\\]", " "),
    ("<=?", " < "), (">=?", " > "),
    (rf"([{_ALONE}])", r" \1 "),
    (r"(\p{Sc}|[~%&+=])", r" \1 "),
    (rf"([0-9])([^0-9\s{_INSIDE}])", r"\1 \2"),
    (rf"([^0-9\s{_INSIDE}])([0-9])", r"\1 \2"),
    *[(mark, sign) for sign, mark in zip((".", ",", "/"), _INSIDE, strict=True)],
    (r"\s+", " "),
]  # fmt: skip
