"""Check: the query is written in a script of the shop, mostly with words of the shop."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tfrec.synth.filters.check import FilterContext, Verdict
from tfrec.synth.filters.folding import folded, words
from tfrec.synth.filters.script_shares import script_counts

_LETTERS_OF_OWN_SCRIPT = 0.75  # one foreign sign, as in "5 µm filter", is no foreign language
_SHORTEST_MISTYPED = 4  # of a shorter word, one changed letter makes another word


class Language:
    """Needs no list of languages: what the shop's items and its customers' queries are written in is its language.

    The measure is the share of known words, or of letters in the shop's scripts where that is what fails.
    """

    name = "language"

    def __call__(self, samples: pl.DataFrame, context: FilterContext) -> Verdict:
        """See Check."""
        settings = context.settings.language
        own = [folded(text) for text in (*context.item_texts, *context.train_queries)]
        queries = [folded(query) for query in samples["query"]]
        letters = script_counts(own).sum(axis=0)
        ours = letters >= max(1.0, settings.script_share * letters.sum())
        counts = script_counts(queries)
        in_script = counts[:, ours].sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
        in_script[counts.sum(axis=1) == 0] = 1.0  # numbers only
        lexicon = Lexicon(word for text in own for word in words(text))
        known = np.fromiter((lexicon.share(words(query)) for query in queries), np.float32, len(queries))
        right_script = in_script >= _LETTERS_OF_OWN_SCRIPT
        measure = np.where(right_script, known, in_script).astype(np.float32)
        return Verdict(right_script & (known >= settings.known_share), measure)


class Lexicon:
    """Words that are known, also with one letter missing, added, changed or two exchanged.

    Two words are that near when both, or one and the other without a letter, meet in a form without one letter
    (symmetric deletion; a few words at two letters' distance meet too).

    Args:
        known: the words.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._words = set(known)
        self._shortened: set[str] | None = None
        self._answers: dict[str, bool] = {}

    def share(self, query: list[str]) -> float:
        """The share of the words that are known; 1 for none."""
        return sum(word in self for word in query) / len(query) if query else 1.0

    def __contains__(self, word: str) -> bool:
        if word in self._words or word.isdigit():
            return True
        answer = self._answers.get(word)
        if answer is None:
            answer = self._answers[word] = self._mistyped(word)
        return answer

    def _mistyped(self, word: str) -> bool:
        if len(word) < _SHORTEST_MISTYPED:
            return False
        if self._shortened is None:
            long = [known for known in self._words if len(known) >= _SHORTEST_MISTYPED]
            self._shortened = {short for known in long for short in _without_a_letter(known)}
        if word in self._shortened:
            return True
        return any(short in self._words or short in self._shortened for short in _without_a_letter(word))


def _without_a_letter(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]
