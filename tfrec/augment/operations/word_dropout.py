"""Leaves words out."""

from __future__ import annotations

from typing import Any

from tfrec.augment.operation import Operation, Resources
from tfrec.augment.protection import Protection
from tfrec.augment.units import Units, change_units


class WordDropout(Operation):
    """Leaves out each word (or character, where words are not written apart) with the same probability.

    The random deletion of Wei and Zou, "EDA: Easy Data Augmentation Techniques" (2019). One word always stays.

    Args:
        strength: the probability, for every word that is not protected.
        resources: what is protected.
    """

    name = "word_dropout"

    def __init__(self, strength: float, resources: Resources) -> None:
        super().__init__(strength, resources)
        self._protection = Protection(resources)

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        def change(units: Units, keys: Any) -> Any:
            draws = units.uniform(keys)
            keep = (draws >= self.strength * magnitude) | self._protection.mask(units)
            return units.join(keep=units.keep_one(keep, draws))

        return change_units(texts, keys, change)
