"""Grapheme clusters: the places where a text may be cut without breaking what a reader sees as one character.

The rules are those of Unicode Standard Annex 29, rounded to the safe side: a run of flags is one cluster, and nothing
is cut after a joiner, a virama or a prepended mark. The annex allows every cut made here, and some more.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tfrec.augment.randomness import integers
from tfrec.tensorflow_setup import tf

_EXTENDS, _LINKS, _FLAG, _LEADS, _SYLLABLE, _FRAGILE = 1, 2, 4, 8, 16, 32
_TABLE_SIZE = 0x20000  # no mark lies above, but for the tags and selectors of plane 14
_PREPENDED = (
    [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0xD4E, 0x110BD, 0x110CD, 0x111C2, 0x111C3, 0x1193F]
    + [0x11941, 0x11A3A, *range(0x11A84, 0x11A8A), 0x11D46, 0x11F02]
)  # fmt: skip
_OTHER_EXTENDING = [0x200C, 0x200D, 0xFF9E, 0xFF9F, 0xE33, 0xEB3, *range(0x1F3FB, 0x1F400)]
_VIRAMA = 9  # canonical combining class


class Pick(NamedTuple):
    """One cluster of each word, in bytes.

    Attributes:
        start: int32 [W], where it begins.
        length: int32 [W]; 0 where the word offers none.
        following: int32 [W], length of the cluster behind it; 0 where there is none.
    """

    start: Any
    length: Any
    following: Any


def is_ascii(texts: Any) -> Any:
    """Whether every character is ASCII: bool of the shape of texts."""
    return tf.equal(tf.strings.length(texts), tf.strings.length(texts, unit="UTF8_CHAR"))


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)  # traced once for all operations
def cluster_bounds(texts: Any) -> tuple[Any, Any]:
    """Where the clusters of each text begin, and where the last one ends.

    Args:
        texts: string [B].

    Returns:
        int32 ragged [B, clusters + 1] of byte offsets; bool [B], whether a text is plain: base characters and their
        marks only, so that its clusters may be taken out or moved without the neighbours melting together.
    """
    codes, offsets = tf.strings.unicode_decode_with_offsets(texts, "UTF-8")
    kinds, rows = _kinds_of(codes.flat_values), codes.value_rowids()
    starts = tf.ragged.boolean_mask(offsets, offsets.with_values(~glued(codes)))
    ends = tf.RaggedTensor.from_uniform_row_length(tf.cast(tf.strings.length(texts), tf.int64), 1)
    # an empty text has no start, so its only bound is its end, 0
    bounds = tf.cast(tf.concat([tf.cast(starts, tf.int64), ends], axis=1), tf.int32)
    fragile = _has(kinds, _FRAGILE)
    plain = tf.equal(tf.math.unsorted_segment_max(tf.cast(fragile, tf.int32), rows, codes.nrows()) > 0, False)
    return bounds, plain


def glued(codes: Any) -> Any:
    """Which characters belong to the cluster that is already open.

    Args:
        codes: int32 ragged [B, characters], the code points of each text.

    Returns:
        bool [all characters], flat; False for the first of a row.
    """
    kinds, rows = _kinds_of(codes.flat_values), codes.value_rowids()
    before = tf.concat([[0], kinds[:-1]], 0)[: tf.size(kinds)]
    first = tf.not_equal(rows, tf.concat([[-1], rows[:-1]], 0)[: tf.size(rows)])
    clings = (
        _has(kinds, _EXTENDS)
        | _has(before, _LINKS)
        | (_has(before, _FLAG) & _has(kinds, _FLAG))
        | (_has(before, _LEADS) & _has(kinds, _LEADS | _SYLLABLE))
    )
    return clings & ~first


def split_clusters(texts: Any) -> Any:
    """The clusters of each text, in order: string [B] -> ragged string [B, None]; joined they give the text again."""
    bounds, _ = cluster_bounds(texts)
    starts, ends = bounds[:, :-1], bounds[:, 1:]
    whole = tf.gather(texts, starts.value_rowids())
    return starts.with_values(tf.strings.substr(whole, starts.flat_values, ends.flat_values - starts.flat_values))


def pick_cluster(words: Any, keys: Any, salt: int, skip: int = 1, reserve: int = 1, minimum: int = 2) -> Pick:
    """Draws one cluster in each word; words of ASCII letters cost no decoding.

    Args:
        words: string [W], without white space.
        keys: uint64 [W].
        salt: see randomness.derive.
        skip: so many clusters at the start are never drawn.
        reserve: the drawn cluster and those behind it are at least so many.
        minimum: words with fewer clusters offer none; neither do words that are not plain (see cluster_bounds).

    Returns:
        Where it is.
    """
    lengths = tf.strings.length(words)
    ascii_only = tf.equal(lengths, tf.strings.length(words, unit="UTF8_CHAR"))
    others = tf.cast(tf.where(~ascii_only), tf.int32)[:, 0]
    least = max(minimum, skip + reserve)

    def drawn(counts: Any, some_keys: Any) -> Any:
        return skip + integers(some_keys, salt, counts - (skip + reserve - 1))

    def with_others(quick: Pick) -> Pick:
        some = tf.gather(words, others)
        bounds, plain = cluster_bounds(some)
        counts = tf.cast(bounds.row_lengths(), tf.int32) - 1
        allowed = plain & (counts >= least)
        place = tf.minimum(drawn(counts, tf.gather(keys, others)), tf.maximum(counts - 1, 0))
        at = tf.cast(bounds.row_starts(), tf.int32) + place
        flat = tf.concat([bounds.flat_values, [0, 0]], 0)
        start, end, after = tf.gather(flat, at), tf.gather(flat, at + 1), tf.gather(flat, at + 2)
        follows = tf.where(allowed & (place + 1 < counts), after - end, 0)
        found = (start, tf.where(allowed, end - start, 0), follows)
        index = others[:, None]
        return Pick(*(tf.tensor_scatter_nd_update(old, index, new) for old, new in zip(quick, found, strict=True)))

    place = drawn(lengths, keys)
    allowed = ascii_only & (lengths >= least)
    one = tf.cast(allowed, tf.int32)
    quick = Pick(tf.where(allowed, place, 0), one, tf.where(place + 1 < lengths, one, 0))
    return tf.cond(tf.size(others) > 0, lambda: with_others(quick), lambda: quick)


def _has(kinds: Any, bits: int) -> Any:
    return tf.not_equal(tf.bitwise.bitwise_and(kinds, tf.constant(bits, kinds.dtype)), 0)


def _kinds_of(codes: Any) -> Any:
    """The bits of each code point: int32 [n] -> int32 [n]."""
    inside = tf.gather(tf.constant(_table()), tf.minimum(codes, _TABLE_SIZE - 1))
    kinds = tf.where(codes < _TABLE_SIZE, tf.cast(inside, tf.int32), 0)
    return tf.where((codes >= 0xE0000) & (codes < 0xE1000), _EXTENDS | _FRAGILE, kinds)


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    """uint8 [_TABLE_SIZE]: the bits of every code point below."""
    table = np.zeros(_TABLE_SIZE, np.uint8)
    for code in range(_TABLE_SIZE):
        category = unicodedata.category(character := chr(code))
        if category in ("Mn", "Me", "Mc"):
            table[code] |= _EXTENDS
            if unicodedata.combining(character) == _VIRAMA:
                table[code] |= _LINKS | _FRAGILE
        elif category in ("Cc", "Cf", "Zl", "Zp", "Cs"):
            table[code] |= _FRAGILE
    table[_OTHER_EXTENDING] |= _EXTENDS
    table[[*_PREPENDED, 0x200D, 0x0D]] |= _LINKS | _FRAGILE
    table[0x1F1E6:0x1F200] |= _FLAG | _FRAGILE
    table[0x1F3FB:0x1F400] |= _FRAGILE
    table[0x1100:0x1160] |= _LEADS | _FRAGILE
    table[0xA960:0xA980] |= _LEADS | _FRAGILE
    table[0x1160:0x1200] |= _EXTENDS | _SYLLABLE | _FRAGILE  # vowels and tails cling to what is before them
    table[0xD7B0:0xD800] |= _EXTENDS | _SYLLABLE | _FRAGILE
    table[0xAC00:0xD7A4] |= _SYLLABLE
    return table
