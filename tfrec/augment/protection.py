"""Which units of a text no operation may change: numbers, sizes, measures, brands and negations.

Much of what a shopper types is exact: "size 12", "32 gb", "not waterproof" mean another product when a word of them
goes. Whole phrases are looked up, so that a brand of several words ("new balance") or characters (华为) is found.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tfrec.augment.folding import fold_units
from tfrec.augment.operation import Resources
from tfrec.augment.phrase_table import PhraseTable
from tfrec.augment.protected_words import AFTER_NUMBER, NEGATES_BEFORE, NEGATING, NEGATIONS, NUMERALS, SIZES
from tfrec.augment.units import Units
from tfrec.tensorflow_setup import tf

# where phrases overlap the higher counts, so that a brand is not taken for a mere measure
_MEASURE, _NUMBER, _FIXED, _NEGATION, _NEGATION_BEHIND = 1, 2, 4, 8, 16


class Protection:
    """Finds the protected units.

    Args:
        resources: brands, and whether numbers and negations are protected.
    """

    def __init__(self, resources: Resources) -> None:
        self._mask = _finder(resources.protected, resources.protect_numbers, resources.protect_negations)

    def mask(self, units: Units) -> Any:
        """Which units are protected.

        A number protects itself and a measure right after it ("12 in"), a negation itself and the unit it negates.

        Returns:
            bool [U]; all False where nothing is protected.
        """
        return self._mask(units)


@lru_cache(maxsize=8)  # the operations of a policy share one table and one trace
def _finder(protected: frozenset[str], protect_numbers: bool, protect_negations: bool) -> Callable[[Units], Any]:
    phrases = [(phrase, _FIXED) for phrase in protected]
    if protect_numbers:
        for words, kind in ((SIZES, _FIXED), (NUMERALS, _NUMBER), (AFTER_NUMBER, _MEASURE)):
            phrases += [(word, kind) for word in words]
    if protect_negations:
        phrases += [(word, _NEGATION) for word in NEGATIONS] + [(word, _NEGATION_BEHIND) for word in NEGATES_BEFORE]
    table = PhraseTable(phrases)

    def mask(units: Units) -> Any:
        if not phrases:
            return tf.zeros_like(units.rows, tf.bool)
        folded = fold_units(units)
        kinds = table.kinds(units, folded.hashes)
        found = _has(kinds, _FIXED | _NEGATION | _NEGATION_BEHIND)
        if protect_numbers:
            numbers = folded.numeric | _has(kinds, _NUMBER)
            found = found | numbers | (_has(kinds, _MEASURE) & _after(units, numbers))
        if protect_negations:
            found = found | _after(units, _has(kinds, _NEGATION)) | _before(units, _has(kinds, _NEGATION_BEHIND))
            found = found | tf.strings.regex_full_match(units.words, NEGATING)
        return found

    return tf.function(mask, reduce_retracing=True, autograph=False)


def _after(units: Units, mask: Any) -> Any:
    """Whether the unit before, in the same row, has the mask: bool [U]."""
    return tf.pad(mask, [[1, 0]])[:-1] & (units.places > 0)


def _before(units: Units, mask: Any) -> Any:
    """Whether the unit after, in the same row, has the mask: bool [U]."""
    return tf.pad(mask & (units.places > 0), [[0, 1]])[1:]


def _has(kinds: Any, bits: int) -> Any:
    return tf.not_equal(tf.bitwise.bitwise_and(kinds, bits), 0)
