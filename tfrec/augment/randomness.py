"""Random numbers that belong to a row and not to its place in the batch."""

from __future__ import annotations

from typing import Any

from tfrec.tensorflow_setup import tf

_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MANTISSA_BITS = 24  # a float32 holds so many


def row_keys(texts: Any, seed: Any, step: Any) -> Any:
    """One key per row, from its own text, so that neither batch order nor batch size changes what happens to a row.

    Equal texts of one batch get equal keys; the step makes the keys of the next batch differ.

    Args:
        texts: string [B].
        seed: int, of the run.
        step: int scalar, number of the batch.

    Returns:
        uint64 [B].
    """
    words = tf.bitcast(tf.strings.to_hash_bucket_fast(texts, (1 << 63) - 1), tf.uint64)
    return derive(derive(words, seed), step)


def derive(keys: Any, salt: Any) -> Any:
    """New keys, independent of the old ones and of those of every other salt.

    Args:
        keys: uint64 [...].
        salt: a Python int, or an integer tensor that broadcasts against the keys (a unit's place in its row).

    Returns:
        uint64, broadcast shape.
    """
    mixed = tf.constant(_mixed_number(salt), tf.uint64) if isinstance(salt, int) else _mixed(tf.cast(salt, tf.uint64))
    return _mixed(tf.bitwise.bitwise_xor(keys, mixed))


def uniform(keys: Any, salt: Any = 0) -> Any:
    """Numbers in [0, 1), float32 of the keys' shape (broadcast with salt); the same keys and salt give the same."""
    bits = tf.bitwise.right_shift(derive(keys, salt), tf.constant(64 - _MANTISSA_BITS, tf.uint64))
    return tf.cast(bits, tf.float32) * 2.0**-_MANTISSA_BITS


def integers(keys: Any, salt: Any, limit: Any) -> Any:
    """Numbers in [0, limit), int32 of the keys' shape.

    Args:
        keys: uint64 [...].
        salt: see derive.
        limit: int32, a scalar or of the keys' shape; where it is below 1, the result is 0.
    """
    limit = tf.cast(limit, tf.int32)
    drawn = tf.cast(uniform(keys, salt) * tf.cast(limit, tf.float32), tf.int32)
    return tf.maximum(tf.minimum(drawn, limit - 1), 0)


def portion(keys: Any, salt: Any, counts: Any, share: Any) -> Any:
    """How many of so many: a number drawn evenly up to a share of them, rounded up or down at random, never all.

    Args:
        keys: uint64 [B].
        salt: int, see derive.
        counts: int32 [B].
        share: float32 scalar, the largest share; 0 gives 0.

    Returns:
        int32 [B], from 0 to counts - 1 (0 where counts is 0).
    """
    drawn = uniform(keys, salt) * share * tf.cast(counts, tf.float32)
    return tf.maximum(tf.minimum(tf.cast(drawn + uniform(derive(keys, salt), salt), tf.int32), counts - 1), 0)


def _mixed(value: Any) -> Any:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every input bit reaches every output bit."""

    def shifted(number: Any, bits: int) -> Any:
        return tf.bitwise.bitwise_xor(number, tf.bitwise.right_shift(number, tf.constant(bits, tf.uint64)))

    value = value + tf.constant(_GOLDEN, tf.uint64)
    value = shifted(value, 30) * tf.constant(_FIRST, tf.uint64)
    value = shifted(value, 27) * tf.constant(_SECOND, tf.uint64)
    return shifted(value, 31)


def _mixed_number(value: int) -> int:
    """What _mixed gives, for a number that is known before the graph runs: a policy's graph is half as large by it."""
    value = (value + _GOLDEN) % (1 << 64)
    value = (value ^ (value >> 30)) * _FIRST % (1 << 64)
    value = (value ^ (value >> 27)) * _SECOND % (1 << 64)
    return value ^ (value >> 31)
