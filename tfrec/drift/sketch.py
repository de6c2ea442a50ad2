"""A set of texts that can be asked for membership and not be read: a Bloom filter."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection

import numpy as np

_WRONG = 0.01  # share of texts that are not in it and seem to be


class Sketch:
    """Bits of a Bloom filter (B. Bloom, 1970) over blake2b; about 10 bits for a text, 1 % seem to be in it wrongly.

    Whoever holds it can try a guess, as with every hash that is not keyed, and cannot list what is in it.

    Args:
        bits: uint8, packed.
    """

    def __init__(self, bits: np.ndarray) -> None:
        self.bits = np.asarray(bits, np.uint8)

    @classmethod
    def of(cls, texts: Collection[str]) -> Sketch:
        """The sketch of some texts."""
        size = math.ceil(-max(len(texts), 1) * math.log(_WRONG) / math.log(2) ** 2 / 8) + 1
        made = cls(np.zeros(size, np.uint8))
        for text in texts:
            for place in made._places(text):
                made.bits[place >> 3] |= 1 << (place & 7)
        return made

    def __contains__(self, text: str) -> bool:
        return all(self.bits[place >> 3] >> (place & 7) & 1 for place in self._places(text))

    def _places(self, text: str) -> list[int]:
        digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
        first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
        size = 8 * len(self.bits)
        return [(first + number * step) % size for number in range(7)]
