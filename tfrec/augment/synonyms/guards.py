"""What no mined pair may be: opposites, other sizes or numbers, negations, brands, or the same word again."""

from __future__ import annotations

import re
from collections.abc import Set

from tfrec.augment.protected_words import AFTER_NUMBER, NEGATES_BEFORE, NEGATIONS, NUMERALS, SIZES
from tfrec.augment.synonyms.opposites import FAMILIES

_PARTS = re.compile(r"[\s\-/'’]+")
_NEGATING = re.compile(r"^(non|un|anti)(?=[a-z]{4})|[a-z]{3}(?<!wire|cord)(free|less|proof|resistant)$")
_NEGATING_CHARACTERS = re.compile("[无無不非没沒免未防抗除]")
_CHARACTERS = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


def refused(first: str, second: str, brands: Set[str] = frozenset()) -> str | None:
    """Why two phrases cannot be synonyms.

    Args:
        first: case-folded.
        second: case-folded.
        brands: case-folded names; another brand is another product.

    Returns:
        the reason, in a word or two, or None: nothing speaks against the pair.
    """
    words, others = _words(first), _words(second)
    if any(character.isnumeric() for character in first + second) or (words ^ others) & NUMERALS:
        return "number"
    if (words ^ others) & (SIZES | AFTER_NUMBER):
        return "size or measure"
    if _negations(first) != _negations(second):
        return "negation"
    if first in brands or second in brands or (words ^ others) & brands:
        return "brand"
    if _opposed(first, second):
        return "opposite"
    return None


def derived(first: str, second: str) -> bool:
    """Whether two Latin words have one stem, or one is a mistyped other: "print" and "printing", "mouse" and "mousw".

    Such words stand near each other everywhere without being exchangeable.
    """
    if not (first.isascii() and second.isascii()):
        return False
    shorter = min(len(first), len(second))
    same = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), shorter)
    return same >= max(3, shorter - 2) or second in first or first in second


def _words(phrase: str) -> set[str]:
    return {*phrase.split(), *_PARTS.split(phrase)} - {""}


def _negations(phrase: str) -> int:
    words = phrase.replace("-", "").split()  # "leak-proof" and "leakproof" negate once
    found = sum(word in NEGATIONS or word in NEGATES_BEFORE or bool(_NEGATING.search(word)) for word in words)
    return found + len(_NEGATING_CHARACTERS.findall(phrase))


def _opposed(first: str, second: str) -> bool:
    for family in FAMILIES:
        meant = [_meant(first, family), _meant(second, family)]
        if all(meant) and meant[0] != meant[1]:
            return True
    return False


def _meant(phrase: str, family: tuple[tuple[frozenset[str], frozenset[str]], ...]) -> set[int]:
    """Which meanings of a family a phrase has."""
    words = _words(phrase)
    inside = bool(_CHARACTERS.search(phrase))
    return {
        number
        for number, (known, characters) in enumerate(family)
        if words & known or (inside and any(character in phrase for character in characters))
    }
