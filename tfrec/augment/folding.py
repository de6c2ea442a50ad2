"""Words as they are looked up: without case, width and the punctuation around them; their hashes, and their digits.

Most words are letters only, which a look at their first bytes tells. Only the others are cut or searched.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tfrec.augment.units import Units
from tfrec.tensorflow_setup import tf

_HASHES = (1 << 63) - 1
_SEEN_BYTES = 16  # longer words are searched for digits by an expression


class Folded(NamedTuple):
    """What is looked up of each unit.

    Attributes:
        hashes: int64 [U], of the folded words; equal words have equal hashes.
        numeric: bool [U], whether there is a digit in the word.
    """

    hashes: Any
    numeric: Any


def fold(words: Any) -> Any:
    """Words without case, width and the punctuation around them: string [U] -> string [U]."""
    return tf.strings.regex_replace(_case_folded(words), r"^[^\pL\pN\pM]+|[^\pL\pN\pM]+$", "")


def fold_units(units: Units) -> Folded:
    """The hashes of the folded words (as hash_words gives them), and which have digits."""
    if units.ascii:
        return _fold_ascii(units.words)
    assert units.single is not None
    hashes = tf.strings.to_hash_bucket_fast(_case_folded(units.words), _HASHES)
    # a single character has no punctuation around it, and is no digit
    index = tf.where(~units.single)
    words = tf.gather(units.words, index[:, 0])
    hashes = tf.tensor_scatter_nd_update(hashes, index, hash_words(words))
    digits = ~tf.strings.regex_full_match(words, r"(?s)\PN*")
    return Folded(hashes, tf.tensor_scatter_nd_update(tf.zeros_like(units.single), index, digits))


def hash_words(words: Any) -> Any:
    """Hashes of words, folded first: string [U] -> int64 [U]."""
    return tf.strings.to_hash_bucket_fast(fold(words), _HASHES)


def _fold_ascii(words: Any) -> Folded:
    lowered, lengths = tf.strings.lower(words), tf.strings.length(words)
    seen = tf.io.decode_raw(lowered, tf.uint8, fixed_length=_SEEN_BYTES)
    numeric = tf.reduce_any(seen - ord("0") < 10, axis=1)  # unsigned: what lies below wraps round to large numbers
    size = tf.size(words)
    last_at = tf.range(size) * _SEEN_BYTES + tf.clip_by_value(lengths - 1, 0, _SEEN_BYTES - 1)
    marked = _is_mark(seen[:, 0]) | _is_mark(tf.gather(tf.reshape(seen, [-1]), last_at)) | (lengths > _SEEN_BYTES)
    index = tf.where(marked)
    some = tf.gather(lowered, index[:, 0])
    stripped = tf.strings.regex_replace(some, "^[^a-z0-9]+|[^a-z0-9]+$", "")
    hashes = tf.strings.to_hash_bucket_fast(lowered, _HASHES)
    hashes = tf.tensor_scatter_nd_update(hashes, index, tf.strings.to_hash_bucket_fast(stripped, _HASHES))
    index = tf.where(lengths > _SEEN_BYTES)
    digits = ~tf.strings.regex_full_match(tf.gather(words, index[:, 0]), "[^0-9]*")
    return Folded(hashes, tf.tensor_scatter_nd_update(numeric, index, digits))


def _is_mark(bytes_: Any) -> Any:
    """Whether lower-case ASCII characters are neither letters nor digits: uint8 [U] -> bool [U]."""
    return ~((bytes_ - ord("a") < 26) | (bytes_ - ord("0") < 10))


def _case_folded(words: Any) -> Any:
    from tensorflow_text import case_fold_utf8

    return case_fold_utf8(words)
