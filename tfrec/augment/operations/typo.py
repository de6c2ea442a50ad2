"""Slips of the finger of all kinds, as they occur: one pass instead of one for each kind."""

from __future__ import annotations

from typing import Any

from tfrec.augment.clusters import Pick
from tfrec.augment.operations.typos import (
    Typo,
    TypoDelete,
    TypoDouble,
    TypoInsert,
    TypoSubstitute,
    TypoTranspose,
)
from tfrec.augment.randomness import uniform
from tfrec.tensorflow_setup import tf

_KIND = 105
# Shares of the kinds. That two letters change places or one is left out, added or wrong covers four of five slips
# (Damerau 1964, "A technique for computer detection and correction of spelling errors").
_SHARES: list[tuple[Any, float]] = [
    (TypoTranspose, 0.2), (TypoDelete, 0.25), (TypoInsert, 0.2), (TypoSubstitute, 0.25), (TypoDouble, 0.1),
]  # fmt: skip


class AnyTypo(Typo):
    """A typo of a kind that each word draws: a letter left out, doubled, added, wrong, or two in the wrong order.

    Strength: see Typo.
    """

    name = "typo"

    def edit(self, head: Any, letter: Any, rest: Any, pick: Pick, keys: Any) -> Any:
        """See Typo."""
        drawn = uniform(keys, _KIND)
        changed, bound = head, 1.0
        for kind, share in _SHARES:  # from the top: each takes what lies below its bound
            changed = tf.where(drawn < bound, kind.edit(self, head, letter, rest, pick, keys), changed)
            bound -= share
        # the last letter has none to change places with: it is left out
        last = (pick.following <= 0) & (drawn >= 1.0 - _SHARES[0][1])
        return tf.where(last, head, changed)
