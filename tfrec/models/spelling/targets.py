"""The words of a shop that a misspelt one may have meant: found by what they share with it, then compared."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tfrec.models.spelling.errors import costs_of_errors
from tfrec.models.spelling.fingerprints import characters, fingerprints, prefixes, shortened, suffixes
from tfrec.models.spelling.shop_words import ShopWords
from tfrec.models.spelling.sorted_table import SortedLists, SortedMap
from tfrec.models.spelling.sounds import sounds
from tfrec.tensorflow_setup import tf

Tensor = Any
SHORTEST = 3  # letters of a word that another is mended to
LEAST_ITEMS = 2  # a word that one item alone has may be an error itself
_MOST_TARGETS, _MOST_FOR_TWO = 50_000, 20_000
_MOST_ALIKE = 32  # targets of one pattern that are compared
_BLOCK = 8192


class Found(NamedTuple):
    """Candidates for misspelt words, flat; of one word together, words rising.

    Attributes:
        words: int32 [C], the misspelt word each is for.
        targets: int32 [C], the number of the target.
        costs: float32 [C], minus the logarithm of how likely the error is.
    """

    words: Tensor
    targets: Tensor
    costs: Tensor


class Targets(tf.Module):  # type: ignore[misc]
    """The shop's 50,000 most frequent words of 3 to 24 letters, by what is left of them when letters go.

    A word is a candidate for a misspelt one when it is at most one error away (a letter missing, too many, another, or
    two neighbours exchanged), two errors where both words are long, or when it sounds the same.

    Args:
        words: the shop's.
    """

    def __init__(self, words: ShopWords) -> None:
        super().__init__(name="targets")
        wanted = [n for n, w in enumerate(words.words) if words.items[n] >= LEAST_ITEMS and len(w) >= SHORTEST]
        self.rows = np.array(wanted[:_MOST_TARGETS], np.int64)
        names = [words.words[row] for row in self.rows]
        self.names = tf.constant([*names, ""], tf.string)
        whole, kept, numbers, sounding = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], []
        for start in range(0, len(names), _BLOCK):
            block = tf.constant(names[start : start + _BLOCK])
            left = shortened(prefixes(characters(block)), tf.strings.length(block, "UTF8_CHAR"), _MOST_FOR_TWO - start)
            whole.append(fingerprints(block).numpy())
            kept.append(left.hashes.numpy())
            numbers.append(left.words.numpy() + start)
            sounding.append(sounds(block).numpy())
        own, every = np.concatenate(whole), np.arange(len(names))
        self.sounds = tf.Variable(
            np.concatenate([*sounding, np.zeros(1, np.int64)]), trainable=False, dtype=tf.int64, name="sounds"
        )
        self._by_word = SortedMap(own, every)
        keys, values = np.concatenate([own, *kept]), np.concatenate([every, *numbers])
        order = np.argsort(values, kind="stable")  # the most frequent first
        self._by_rest = SortedLists(keys[order], values[order], _MOST_ALIKE)
        self._by_sound = SortedLists(self.sounds.numpy()[:-1], every, _MOST_ALIKE)

    def near(self, words: Tensor) -> Found:
        """Targets that words string [M] may have meant; lower case, 4 to 24 letters."""
        codes, lengths = characters(words), tf.strings.length(words, "UTF8_CHAR")
        hashes, sound = prefixes(codes), sounds(words)
        left = shortened(hashes, lengths)
        every = tf.range(tf.size(words))
        owners = tf.concat([every, tf.cast(left.words, tf.int32)], 0)
        key, target = self._by_rest(tf.concat([hashes[:, -1], left.hashes], 0))
        alike, sounding = self._by_sound(sound)
        owner = tf.concat([tf.gather(owners, key), alike], 0)
        size = tf.size(self.names, tf.int64)
        pairs = tf.cast(owner, tf.int64) * size + tf.cast(tf.concat([target, sounding], 0), tf.int64)
        pairs = tf.sort(tf.unique(pairs).y)
        owner, target = tf.cast(pairs // size, tf.int32), tf.cast(pairs % size, tf.int32)
        same = tf.equal(tf.gather(sound, owner), tf.gather(self.sounds, target))
        costs = costs_of_errors(tf.gather(codes, owner), characters(tf.gather(self.names, target)), same)
        kept = tf.math.is_finite(costs)
        return Found(*(tf.boolean_mask(part, kept) for part in (owner, target, costs)))

    def halves(self, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Words string [M] that are two targets written together: (word, first target, second target), int32 [C]."""
        hashes = prefixes(characters(words))
        first, second = self._by_word(hashes), self._by_word(suffixes(hashes))
        places = tf.where((first >= 0) & (second >= 0))
        return tf.cast(places[:, 0], tf.int32), tf.gather_nd(first, places), tf.gather_nd(second, places)
