"""Exchanges neighbouring words."""

from __future__ import annotations

from typing import Any

from tfrec.augment.operation import Operation, Resources
from tfrec.augment.protection import Protection
from tfrec.augment.randomness import integers
from tfrec.augment.units import Units, change_units
from tfrec.tensorflow_setup import tf


class WordSwap(Operation):
    """Exchanges neighbouring words ("red shoes" -> "shoes red"); white space stays where it is.

    A row's words are paired from its first or from its second word on, and each pair is exchanged with the same
    probability. A pair with a protected word stays, as its meaning hangs on its neighbours ("12 in"); so does a pair of
    a word and a single character of a script without blanks.

    Args:
        strength: the probability, for every pair.
        resources: what is protected.
    """

    name = "word_swap"

    def __init__(self, strength: float, resources: Resources) -> None:
        super().__init__(strength, resources)
        self._protection = Protection(resources)

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        def change(units: Units, keys: Any) -> Any:
            free = units.real & ~self._protection.mask(units)
            pairs = free[:-1] & free[1:] & tf.equal(units.rows[1:], units.rows[:-1])
            if units.single is not None:
                pairs = pairs & tf.equal(units.single[1:], units.single[:-1])
            begin = integers(keys, 0, tf.minimum(units.counts - 1, 2))  # of two words there is only one pair
            offset = (units.places + units.per_unit(begin))[:-1] % 2
            chosen = pairs & tf.equal(offset, 0) & (units.uniform(keys)[:-1] < self.strength * magnitude)
            step = tf.cast(chosen, tf.int32)
            order = tf.range(tf.size(units.rows)) + tf.pad(step, [[0, 1]])[: tf.size(units.rows)]
            order -= tf.pad(step, [[1, 0]])[: tf.size(units.rows)]
            return units.join(words=tf.gather(units.words, order))

        return change_units(texts, keys, change)
