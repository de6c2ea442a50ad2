"""What a shopper has typed so far."""

from __future__ import annotations

from typing import Any, ClassVar

from tfrec.augment.clusters import cluster_bounds
from tfrec.augment.operation import Operation, Resources
from tfrec.augment.protection import Protection
from tfrec.augment.randomness import portion
from tfrec.augment.units import Units, change_units
from tfrec.tensorflow_setup import tf

_BLANK = r"[\s\pZ\x{0b}\x{1c}-\x{1f}\x{85}]*"


class QueryPrefix(Operation):
    """Cuts characters off the end, as in a query that is still being typed ("wireless hea").

    Nothing is cut before the end of the last protected word: "size 12" without its number, or "no sugar" without its
    sugar, is another wish.

    Args:
        strength: the largest share of the characters to cut off; how many are cut is drawn evenly up to it.
        resources: what is protected.
    """

    name = "query_prefix"
    fields: ClassVar[tuple[str, ...]] = ("query",)

    def __init__(self, strength: float, resources: Resources) -> None:
        super().__init__(strength, resources)
        self._protection = Protection(resources)

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        def change(units: Units, keys: Any) -> Any:
            share = self.strength * magnitude
            if units.ascii:
                size = tf.strings.length(units.texts)
                cut = size - portion(keys, 0, size, share)
            else:
                bounds, _ = cluster_bounds(units.texts)
                count = tf.cast(bounds.row_lengths(), tf.int32) - 1
                cluster = count - portion(keys, 0, count, share)
                cut = tf.gather(bounds.flat_values, tf.cast(bounds.row_starts(), tf.int32) + cluster)
            _, ends = units.byte_spans()
            kept = tf.where(self._protection.mask(units), ends, 0)
            last = tf.math.unsorted_segment_max(kept, units.rows, tf.size(units.texts))
            prefix = tf.strings.substr(units.texts, tf.zeros_like(cut), tf.maximum(cut, last))
            return prefix if units.ascii else tf.where(tf.strings.regex_full_match(prefix, _BLANK), units.texts, prefix)

        return change_units(texts, keys, change)
