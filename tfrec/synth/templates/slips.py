"""Misspelt and half-typed queries: how usual they are in a shop, and how they are made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tfrec.synth.templates.connectives import kind_of
from tfrec.synth.templates.words import stem, units, unspaced

_SHORTEST = 4  # letters; of shorter words everything is one letter away from something
_USUAL_SLIPS, _USUAL_PREFIXES, _JOINED_SHARE = 0.08, 0.03, 0.15  # shares where no query is known
_LEAST_KEPT, _LEAST_KEPT_UNSPACED = 3, 2  # characters of a half-typed last word
_BATCH = 4096


@dataclass(frozen=True)
class Rates:
    """Shares of queries.

    Attributes:
        slips: misspelt.
        prefixes: half typed.
    """

    slips: float
    prefixes: float


def learned_rates(queries: Collection[str], vocabulary: Mapping[str, int], prior: float) -> Rates:
    """How many labelled queries are misspelt or half typed, with usual rates as a prior that counts `prior` queries.

    A word that no item has is misspelt when one letter more, less, other or moved makes it one that an item has (or
    a blank inside makes it two); it is half typed when it ends the query and words of items begin with it.

    Args:
        queries: labelled ones.
        vocabulary: word -> number of items that have it.
        prior: see above.
    """
    known = {word for word in vocabulary if not unspaced(word)}
    stems = {stem(word) for word in known}
    near = {form for word in known if len(word) >= _SHORTEST for form in _without_one(word)}
    beginnings = {word[:end] for word in known for end in range(_LEAST_KEPT, len(word) - 1)}
    slips = prefixes = 0
    for query in queries:
        typed = [unit for unit in units(query) if unit.isalpha() and not unspaced(unit) and kind_of(unit) is None]
        odd = [word for word in typed if stem(word) not in stems and word not in known]
        if odd and odd[-1] == typed[-1] and odd[-1] in beginnings:
            prefixes += 1
        elif any(len(word) >= _SHORTEST and (_is_near(word, known, near) or _is_joined(word, known)) for word in odd):
            slips += 1
    total = len(queries) + prior
    return Rates((slips + prior * _USUAL_SLIPS) / total, (prefixes + prior * _USUAL_PREFIXES) / total)


def misspelt(texts: Sequence[str], seed: int) -> list[str]:
    """Each text with one slip of the finger, or with a blank left out; those that can have none stay.

    Args:
        texts: queries.
        seed: of the choice; the same text and seed give the same slip.
    """
    if not texts:
        return []
    from tfrec.augment.operation import Resources
    from tfrec.augment.operations.typo import AnyTypo
    from tfrec.augment.randomness import row_keys, uniform
    from tfrec.tensorflow_setup import tf

    # the least strength: one word of each text
    operation = AnyTypo(1e-6, Resources())
    found: list[str] = []
    for first in range(0, len(texts), _BATCH):
        batch: Any = tf.constant(list(texts[first : first + _BATCH]), tf.string)
        keys = row_keys(batch, seed, 0)
        changed = operation(batch, keys).numpy()
        joins, places = uniform(keys, 1).numpy(), uniform(keys, 2).numpy()
        rows = zip(texts[first : first + _BATCH], changed, joins, places, strict=True)
        found.extend(
            _joined(text, place) if join < _JOINED_SHARE and " " in text else slip.decode("utf-8")
            for text, slip, join, place in rows
        )
    return found


def half_typed(text: str, draw: float) -> str:
    """A text without the end of its last word; the whole of it where the word is too short.

    Args:
        text: a query.
        draw: in [0, 1), how much is left.
    """
    start = text.rfind(" ") + 1
    least = _LEAST_KEPT_UNSPACED if unspaced(text) else _LEAST_KEPT
    length = len(text) - start
    if length <= least + 1 or any(map(str.isdigit, text[start:])):
        return text
    return text[: start + least + int(draw * (length - 1 - least))]


def _joined(text: str, draw: float) -> str:
    blanks = np.flatnonzero([character == " " for character in text])
    place = int(blanks[int(draw * len(blanks))])
    return text[:place] + text[place + 1 :]


@lru_cache(maxsize=100_000)
def _without_one(word: str) -> tuple[str, ...]:
    return tuple(word[:place] + word[place + 1 :] for place in range(1, len(word)))


def _is_near(word: str, known: set[str], near: set[str]) -> bool:
    """Damerau-Levenshtein distance 1 from a known word, by deletions on both sides (SymSpell, Garbe 2012)."""
    shorter = _without_one(word)
    return word in near or not known.isdisjoint(shorter) or not near.isdisjoint(shorter)


def _is_joined(word: str, known: set[str]) -> bool:
    return any(word[:place] in known and word[place:] in known for place in range(3, len(word) - 2))
