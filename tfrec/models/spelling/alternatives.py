"""A query with doubtful words as one text: each of them as all that may be meant, with weights."""

from __future__ import annotations

from typing import Any

from tfrec.models.accents import only_visible
from tfrec.tensorflow_setup import tf

Tensor = Any
# Unit separator. It stands before every part but the first: "steel \x1f0.460 grate\x1f0.540 gray\x1f1.000 beam".
_MARK = "\x1f"


def unmarked(texts: Tensor) -> Tensor:
    """Texts string [B] as people see them, with a blank for the mark that parts alternatives."""
    return tf.strings.regex_replace(only_visible(texts), _MARK, " ")


def one_of(words: Tensor, weights: Tensor, owners: Tensor, count: Tensor) -> Tensor:
    """What stands in a text for a doubtful word.

    Args:
        words: what may be meant, string [A].
        weights: float32 [A], above 0 and up to 1.
        owners: the doubtful word that each is for, int32 [A], rising.
        count: D, number of doubtful words.

    Returns:
        string [D]; the word itself where there is only one.
    """
    parts = tf.strings.join([_MARK, tf.strings.as_string(weights, precision=3), " ", words])
    ragged = tf.RaggedTensor.from_value_rowids(parts, tf.cast(owners, tf.int64), tf.cast(count, tf.int64))
    several = tf.strings.join([tf.strings.reduce_join(ragged, axis=-1), _MARK, "1.000"])
    lone = tf.strings.reduce_join(ragged.with_flat_values(words), axis=-1)
    return tf.where(ragged.row_lengths() > 1, several, lone)


def split_alternatives(texts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Texts with words of `one_of` in them, or any others, taken apart in reading order.

    Args:
        texts: string [B].

    Returns:
        (parts string [P], the text that each belongs to int64 [P], weights float32 [P]); what is sure weighs 1.
    """
    parts = tf.strings.split(texts, _MARK)
    flat, rows = parts.flat_values, parts.value_rowids()
    is_first = tf.concat([tf.ones_like(rows[:1], tf.bool), tf.not_equal(rows[1:], rows[:-1])], 0)
    number = tf.strings.regex_replace(flat, "(?s) .*", "")
    weighted = ~is_first & tf.strings.regex_full_match(number, r"[01]\.[0-9]+")
    weights = tf.strings.to_number(tf.where(weighted, number, "1"))
    return tf.where(weighted, tf.strings.regex_replace(flat, "^[^ ]*", ""), flat), rows, weights
