"""Which places of a text an operation changes."""

from __future__ import annotations

from typing import Any

from tfrec.augment.randomness import derive
from tfrec.augment.units import Units
from tfrec.tensorflow_setup import tf

_OWN = 1 << 20  # beyond the salts of Units.uniform


def choose(units: Units, keys: Any, eligible: Any, chance: Any, salt: int, later: Any | None = None) -> Any:
    """Draws the units to change: each by chance, and at least one of each row that has any.

    Without the last rule a short query would hardly ever be changed at a strength that suits a long title.

    Args:
        units: of the rows.
        keys: uint64 [B], the rows'.
        eligible: bool [U], which may be drawn.
        chance: float32 scalar; at 0 nothing is drawn.
        salt: see Units.uniform.
        later: bool [U]; units that are the row's only one just where it has no other eligible ones.

    Returns:
        bool [U].
    """
    draws = tf.where(eligible, units.uniform(keys, salt), 9.0)
    order = draws if later is None else draws + tf.cast(later, tf.float32)
    least = tf.math.unsorted_segment_min(order, units.rows, tf.size(units.texts))
    return ((draws < chance) | tf.equal(order, units.per_unit(least))) & eligible & (chance > 0.0)


def chance_of(strength: float, magnitude: Any) -> Any:
    """The strength times the magnitude, at most 1: float32 scalar."""
    return tf.minimum(tf.cast(magnitude, tf.float32) * strength, 1.0)


def unit_keys(units: Units, keys: Any, index: Any) -> Any:
    """Keys of some units, to draw more for them.

    Args:
        units: of the rows.
        keys: uint64 [B], the rows'.
        index: int64 [n, 1], which units.

    Returns:
        uint64 [n].
    """
    places = tf.cast(tf.gather_nd(units.places, index), tf.int64)
    return derive(tf.gather(keys, tf.gather_nd(units.rows, index)), places + (_OWN << 20))
