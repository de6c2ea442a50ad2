"""Words as numbers: their characters, a 64-bit hash of them, and the hashes of what stays when characters go."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tfrec.tensorflow_setup import tf

Tensor = Any
LONGEST = 24  # characters of a word that is known, mended, or mended to
FEWEST_FOR_TWO = 7  # characters of a word in which two errors are looked for: in a short one anything is near anything
_PAIRS = np.stack(np.triu_indices(LONGEST, 1))


def _powers() -> tuple[np.ndarray, np.ndarray]:
    """(base ** k, base ** -k) for k = 0..LONGEST modulo 2 ** 64, as int64: products of int64 wrap."""
    base = 0x9E3779B97F4A7C15  # odd, so that it has an inverse
    inverse = pow(base, -1, 1 << 64)
    rows = [[pow(number, k, 1 << 64) for k in range(LONGEST + 1)] for number in (base, inverse)]
    powers, inverses = np.array(rows, np.uint64).view(np.int64)
    return powers, inverses


_POWERS, _INVERSES = _powers()


class Remains(NamedTuple):
    """Hashes of what is left of words when characters are taken out, flat.

    Attributes:
        hashes: int64 [R].
        words: int64 [R], the word each is left of.
    """

    hashes: Tensor
    words: Tensor


def characters(words: Tensor) -> Tensor:
    """The first 24 code points of words string [M], 0 behind their end: int32 [M, 24]."""
    codes = tf.strings.unicode_decode(words, "UTF-8")
    return codes.to_tensor(0, shape=[None, LONGEST])


def prefixes(codes: Tensor) -> Tensor:
    """Hashes of the first 0..24 characters: int64 [M, 25]; the last is the whole word's.

    A character c at place k counts c * base ** k modulo 2 ** 64, so the hash of any part follows from two of these.
    """
    terms = tf.cast(codes, tf.int64) * tf.constant(_POWERS[:LONGEST])
    return tf.pad(tf.cumsum(terms, axis=1), [[0, 0], [1, 0]])


def fingerprints(words: Tensor) -> Tensor:
    """Hashes of words string [M], of their first 24 characters: int64 [M]."""
    return prefixes(characters(words))[:, -1]


def suffixes(hashes: Tensor) -> Tensor:
    """Hashes of what follows the first 0..24 characters, as words of their own: int64 [M, 25] from `prefixes`."""
    return (hashes[:, -1:] - hashes) * tf.constant(_INVERSES)


def shortened(hashes: Tensor, lengths: Tensor, most_for_two: int | None = None) -> Remains:
    """What is left of words without any one character, and of words of 7 and more also without any two.

    Args:
        hashes: int64 [M, 25], from `prefixes`.
        lengths: characters of each, int32 [M], 1 to 24.
        most_for_two: two characters go from so many words at most, the first ones; None is all.

    Source: deletions on both sides as in SymSpell (Garbe 2012); a rolling hash (Karp & Rabin 1987) spares the strings.
    """
    place = np.arange(LONGEST)
    whole = hashes[:, -1:]
    one = hashes[:, :LONGEST] + (whole - hashes[:, 1:]) * tf.constant(_INVERSES[1])
    first, second = _PAIRS
    upto, between, behind = (tf.gather(hashes, at, axis=1) for at in (first, first + 1, second))
    rest = whole - tf.gather(hashes, second + 1, axis=1)
    two = upto + (behind - between) * tf.constant(_INVERSES[1]) + rest * tf.constant(_INVERSES[2])
    long = tf.where(lengths >= FEWEST_FOR_TWO, lengths, 0)
    if most_for_two is not None:
        long = tf.where(tf.range(tf.size(lengths)) < most_for_two, long, 0)
    mask = tf.concat([place < lengths[:, tf.newaxis], second < long[:, tf.newaxis]], axis=1)
    return Remains(tf.boolean_mask(tf.concat([one, two], axis=1), mask), tf.where(mask)[:, 0])
