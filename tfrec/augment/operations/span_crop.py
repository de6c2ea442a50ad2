"""Keeps a stretch of a text."""

from __future__ import annotations

from typing import Any

from tfrec.augment.operation import Operation, Resources
from tfrec.augment.protection import Protection
from tfrec.augment.randomness import integers, portion
from tfrec.augment.units import Units, change_units
from tfrec.tensorflow_setup import tf


class SpanCrop(Operation):
    """Keeps a random run of words, and the protected words outside it; what else is outside goes.

    Args:
        strength: the largest share of the words to cut away; how much is cut is drawn evenly up to it.
        resources: what is protected.
    """

    name = "span_crop"

    def __init__(self, strength: float, resources: Resources) -> None:
        super().__init__(strength, resources)
        self._protection = Protection(resources)

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        def change(units: Units, keys: Any) -> Any:
            cut = portion(keys, 0, units.counts, self.strength * magnitude)
            start = integers(keys, 1, cut + 1)
            end = start + units.counts - cut
            inside = (units.places >= units.per_unit(start)) & (units.places < units.per_unit(end))
            keep = inside | self._protection.mask(units)
            # where the run is white space only, all words of the row are kept
            return units.join(keep=units.keep_one(keep, tf.cast(inside, tf.float32)))

        return change_units(texts, keys, change)
