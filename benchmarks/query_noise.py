"""Misspelt, unfinished and reordered forms of queries, made without tfrec's own augmentation so as to judge it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHORTEST = 4  # letters of a word that gets a typing error


def one_typo(query: str, rng: random.Random) -> str:
    """One letter of one longer word is left out, added, replaced, or swapped with the next."""
    words = query.split(" ")
    places = [n for n, word in enumerate(words) if len(word) >= _SHORTEST and word.isalpha()]
    if not places:
        return query
    chosen = rng.choice(places)
    word = words[chosen]
    at, kind = rng.randrange(len(word) - 1), rng.randrange(4)
    letter = rng.choice(_LETTERS)
    changed = [
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    ][kind]
    return " ".join([*words[:chosen], changed, *words[chosen + 1 :]])


def two_typos(query: str, rng: random.Random) -> str:
    """Two such errors."""
    return one_typo(one_typo(query, rng), rng)


def unfinished(query: str, rng: random.Random) -> str:
    """The query while its last word is being typed: a third to two thirds of that word."""
    head, space, last = query.rpartition(" ")
    return head + space + last[: max(1, round(len(last) * rng.uniform(1 / 3, 2 / 3)))]


def swapped_words(query: str, rng: random.Random) -> str:
    """Two neighbouring words change places."""
    words = query.split(" ")
    if len(words) > 1:
        at = rng.randrange(len(words) - 1)
        words[at], words[at + 1] = words[at + 1], words[at]
    return " ".join(words)


NOISES: dict[str, Callable[[str, random.Random], str]] = {
    "one typo": one_typo,
    "two typos": two_typos,
    "unfinished": unfinished,
    "swapped words": swapped_words,
}


def noisy(queries: Sequence[str], noise: str, seed: int = 0) -> list[tuple[str, str]]:
    """(original, changed) for every query, the same for a seed."""
    rng = random.Random(f"{seed} {noise}")
    return [(query, NOISES[noise](query, rng)) for query in queries]
