"""Numbers with units in a query, by the units that the shop's own texts write behind numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tfrec.tensorflow_setup import tf
from tfrec.understanding.function_words import AT_LEAST, AT_MOST, MONEY
from tfrec.understanding.normal_form import Words, normal, spaced, words_of

Tensor = Any
OTHER = "\x1d"  # put before a number that is no price
NUMBER = r"[0-9]+(?:[.,/][0-9]+)*"
_LEAST_ITEMS, _LEAST_SHARE = 3, 0.5  # a unit stands behind a number in most of its places
_LOOKED_AT, _BLOCK = 50_000, 5_000
_WIDTH = 4


class Measures(tf.Module):  # type: ignore[misc]
    """Finds numbers with units, and numbers that are no prices whatever stands before them.

    A unit is a word that stands right behind a number in most of its places in the shop's titles. "max 90" is no price
    where titles hold just that ("Air Max 90").

    Args:
        titles: of the items; of a large catalogue a part is read.
    """

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__(name="measures")
        behind: Counter[str] = Counter()
        numbers: dict[str, set[str]] = {}
        every: Counter[str] = Counter()
        bounded: set[str] = set()
        bounds = {spaced(phrase).split()[-1] for phrase in (*AT_MOST, *AT_LEAST)}
        looked = titles[:: max(1, len(titles) // _LOOKED_AT)]
        for start in range(0, len(looked), _BLOCK):
            words = words_of(normal(tf.constant([str(title) for title in looked[start : start + _BLOCK]])))
            flat, rows = [word.decode() for word in words.flat.numpy()], words.rows.numpy().tolist()
            number = [word[0].isdigit() for word in flat]
            every.update(word for place, word in enumerate(flat) if not number[place])
            for place in range(1, len(flat)):
                if rows[place] == rows[place - 1] and number[place] != number[place - 1]:
                    if number[place - 1]:
                        behind[flat[place]] += 1
                        numbers.setdefault(flat[place], set()).add(flat[place - 1])
                    elif flat[place - 1] in bounds:
                        bounded.add(f"{flat[place - 1]} {flat[place]}")
        money = {spaced(word).split()[0] for word in MONEY}
        self.units = tuple(
            word
            for word, count in sorted(behind.items())
            if count >= max(_LEAST_ITEMS, _LEAST_SHARE * every[word]) and len(numbers[word]) > 1
            if word not in money and word[0].isalpha()
        )
        self._units, self._bounded = _set(self.units), _set(sorted(bounded))

    def marked(self, words: Words) -> tuple[Words, Tensor]:
        """Words whose numbers that are no prices begin with a mark; and which numbers have a unit behind, bool [T]."""
        number = tf.strings.regex_full_match(words.flat, NUMBER)
        after, before = words.following(words.flat, 1, ""), words.following(words.flat, -1, "")
        measured = number & (self._units.lookup(after) > 0)
        named = number & (self._bounded.lookup(tf.strings.join([before, words.flat], " ")) > 0)
        marked = tf.where(measured | named, tf.strings.join([OTHER, words.flat]), words.flat)
        return words._replace(flat=marked), measured

    def found(self, words: Words, measured: Tensor) -> Tensor:
        """The first four numbers with their units, "50 cm", string [B, 4]; words as they were before marking."""
        texts = tf.strings.join([words.flat, words.following(words.flat, 1, "")], " ")
        return first_of(tf.boolean_mask(texts, measured), tf.boolean_mask(words.rows, measured), words.texts, _WIDTH)


def unmarked(texts: Tensor) -> Tensor:
    """Texts string [B] without the marks of numbers."""
    return tf.strings.regex_replace(texts, OTHER, "")


def first_of(values: Tensor, rows: Tensor, batch: Tensor, width: int) -> Tensor:
    """The first values of every text, string [B, width], "" where there are no more.

    Args:
        values: string [V].
        rows: the text of each, int64 [V], rising.
        batch: B, int64 scalar.
        width: values of a text at most.
    """
    ragged = tf.RaggedTensor.from_value_rowids(values, rows, batch, validate=False)
    return ragged.to_tensor("", shape=[None, width])


def _set(values: Sequence[str]) -> Any:
    keys = tf.constant(list(values) or [OTHER + OTHER], tf.string)
    ones = tf.ones([max(1, len(values))], tf.int32)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, ones), default_value=0)
