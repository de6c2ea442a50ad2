"""Other spellings of a word in the shop's own texts: written together or apart, and singular or plural."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import combinations

from tfrec.augment.synonyms.function_words import words_of
from tfrec.augment.synonyms.table import Pair

_SPELLING = re.compile(r"[a-z]+(?:[-'’ ][a-z]+){0,2}")
_LETTER_ALONE = re.compile(r"(?:^|[ ])[a-z](?= |$)")
_ES_AFTER = ("s", "x", "z", "ch", "sh")
_GENITIVE_IS_PLURAL = ("men", "women", "children", "kid", "boy", "girl", "ladie")
# their plural is another thing, or they are no nouns
_NO_PLURAL = words_of(
    """
    short brief trunk tight glass good new pant boxer cloth custom arm spectacle mean work wood look thank content
    slack sweat overall flat pump thong slide trainer jogger spring minute second cool natural original one other
    include prevent reduce come need make keep fit run use say hi her it thi ha wa
    """
)
_LEAST_LETTERS = 4
_SCORE_SPELLING, _SCORE_PLURAL = 0.95, 0.9


def from_spelling(counts: Counter[str], least_texts: int = 3) -> list[Pair]:
    """Pairs of spellings that both stand in the shop's texts.

    "wi-fi", "wifi" and "wi fi" are one word: their letters are the same. So are "women's" and "womens". An English word
    and its regular plural are one word too, but for those whose plural is something else (shorts, glasses).

    Args:
        counts: in how many texts a phrase stands (words.count_phrases).
        least_texts: a spelling in fewer texts is taken for an error.

    Returns:
        pairs with source "spelling" or "plural".
    """
    usual = sorted(phrase for phrase, count in counts.items() if count >= least_texts and _SPELLING.fullmatch(phrase))
    together: dict[str, list[str]] = defaultdict(list)
    for phrase in usual:
        together["".join(filter(str.isalpha, phrase))].append(phrase)
    found = []
    for letters, spellings in together.items():
        for a, b in combinations(spellings, 2):
            if len(letters) >= _LEAST_LETTERS and _one_word(a, b):
                found.append(Pair(a, b, "spelling", _SCORE_SPELLING, min(counts[a], counts[b])))
    known = set(usual)
    for word in usual:
        plural = _plural(word)
        if plural in known and len(word) >= _LEAST_LETTERS - 1 and word.isalpha() and word not in _NO_PLURAL:
            found.append(Pair(word, plural, "plural", _SCORE_PLURAL, min(counts[word], counts[plural])))
    return found


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in ("a", "e", "o", "u"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(_ES_AFTER) else "s")


def _one_word(first: str, second: str) -> bool:
    """Whether two ways to write the same letters are one word."""
    if set(first.split()) & set(second.split()):
        return False  # "full zip hoodie": what differs is found by itself
    if any(_LETTER_ALONE.search(text) for text in (first, second)) and "-" not in first + second:
        return False  # "s and" is no "sand"
    genitives = [text for text in (first, second) if re.search("['’]", text)]
    return len(genitives) != 1 or re.split("['’]", genitives[0])[0] in _GENITIVE_IS_PLURAL
