"""How well a word fits the other words of a query: whether the shop's items have them together."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.data.characters import spelled_out, without_accents
from tfrec.models.accents import accents_folded
from tfrec.models.spelling.fingerprints import fingerprints
from tfrec.models.spelling.shop_words import ShopWords
from tfrec.models.spelling.sorted_table import MISSING, SortedMap
from tfrec.tensorflow_setup import tf

Tensor = Any
_DISCOUNT = 0.5  # taken off what was seen: once may be chance
_SMOOTHING = 1.0
# What speaks for a word counts up to a factor of 50; that two words never met counts less, for items are few.
_MOST_FOR, _MOST_AGAINST = 4.0, 2.5
_BLOCK = 1 << 16
_READ = 16  # words of a query that vote on the others


class Company(tf.Module):  # type: ignore[misc]
    """Which of the shop's words stand in one item.

    Args:
        words: the shop's.
    """

    def __init__(self, words: ShopWords) -> None:
        super().__init__(name="company")
        # A word that is typed without its accents is known, too, unless there is one that is written so.
        accented = np.array([n for n, word in enumerate(words.words) if not word.isascii()], np.int64)
        forms = [form(words.words[n]) for form in (without_accents, spelled_out) for n in accented]
        written, hashes = [*words.words, *forms], [np.zeros(0, np.int64)]
        for start in range(0, len(written), _BLOCK):
            hashes.append(fingerprints(tf.constant(written[start : start + _BLOCK])).numpy())
        stems = words.stems[np.concatenate([np.arange(len(words.words)), accented, accented])]
        self._stems = SortedMap(np.concatenate(hashes), stems)
        self._pairs = SortedMap(words.pairs, words.shared)
        self._alone = tf.Variable(
            np.append(words.sampled_stems, 0), trainable=False, dtype=tf.int32, name="items_of_stem"
        )
        self._size, self._kinds = float(words.sampled), len(words.sampled_stems)

    def stems(self, words: Tensor) -> Tensor:
        """Numbers of the stems of words string [M], -1 for words that no item has in any accents: int32 [M]."""
        written = self._stems(fingerprints(words))
        return tf.where(written >= 0, written, self._stems(fingerprints(accents_folded(words))))

    def around(self, texts: Tensor, pattern: str) -> Tensor:
        """Stems of the first 16 known words of each text: int32 [B, W], -1 behind the end.

        Args:
            texts: string [B], lower case.
            pattern: what parts words, a regular expression.
        """
        words = tf.strings.split(tf.strings.regex_replace(texts, pattern, " "))
        stems = words.with_flat_values(self.stems(words.flat_values))
        return tf.ragged.boolean_mask(stems, stems >= 0).to_tensor(MISSING, shape=[None, _READ])

    def together(self, first: Tensor, second: Tensor) -> Tensor:
        """In how many items of the sample two stems int32 [...] stand together, float32 [...]; 0 for -1."""
        low, high = tf.cast(tf.minimum(first, second), tf.int64), tf.cast(tf.maximum(first, second), tf.int64)
        return tf.cast(tf.maximum(self._pairs(low * self._kinds + high), 0), tf.float32)

    def together_share(self, first: Tensor, second: Tensor) -> Tensor:
        """The share of the sample's items that have both stems int32 [...]: float32 [...]."""
        return self.together(first, second) / max(self._size, 1.0)

    def share(self, stems: Tensor) -> Tensor:
        """The share of the sample's items that have each stem int32 [...]: float32 [...]."""
        return tf.cast(tf.gather(self._alone, stems), tf.float32) / max(self._size, 1.0)

    def fit(self, stems: Tensor, around: Tensor) -> Tensor:
        """How much likelier words are beside the others of their queries than anywhere.

        The sum over the other words of ln(P(other | word) / P(other)), each smoothed and bounded: naive Bayes.

        Args:
            stems: int32 [C].
            around: stems of the query's other words int32 [C, W]; -1 and the word's own stem say nothing.

        Returns:
            float32 [C].
        """
        own = tf.broadcast_to(stems[:, tf.newaxis], tf.shape(around))
        says = (around >= 0) & tf.not_equal(around, own)
        seen = tf.maximum(self.together(own, around) - _DISCOUNT, 0.0)
        expected = tf.maximum(self.share(tf.maximum(around, 0)), 1.0 / max(self._size, 1.0))
        alone = tf.cast(tf.gather(self._alone, own), tf.float32)
        vote = tf.math.log((seen / expected + _SMOOTHING) / (alone + _SMOOTHING))
        return tf.reduce_sum(tf.where(says, tf.clip_by_value(vote, -_MOST_AGAINST, _MOST_FOR), 0.0), axis=1)
