"""Words of a script that is written without spaces, found from the shop's own texts."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

LONGEST = 4  # characters of a word that is found; known words may be longer
_LEAST_COUNT, _LEAST_COHESION, _LEAST_SIDES = 3, 4.0, 3
_SINGLE_PENALTY = 3.0  # nats; a lone character is mostly a piece of a word not seen often enough
_KNOWN_COUNT = 20


class Lexicon:
    """Splits runs of characters into words, the likeliest way (Viterbi over single words' shares).

    Args:
        counts: word -> count.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        total = sum(counts.values()) or 1
        self._scores = {word: math.log(count / total) for word, count in counts.items() if count > 0}
        self._longest = max((len(word) for word in self._scores), default=1)
        self._unseen = math.log(1 / (total + 1))
        self._kept: dict[str, list[str]] = {}

    @classmethod
    def learn(cls, runs: Iterable[str], known: Mapping[str, int]) -> Lexicon:
        """Finds words: character sequences that hold together and stand beside many others.

        Cohesion is the least ratio of a sequence's count to what chance would give its two parts; freedom is the number
        of characters seen on either side, with the end of a run as one that always differs.

        Args:
            runs: runs of characters, from titles and queries.
            known: words that are certain (brands, colours, joining words) with how many texts hold them.
        """
        grams: Counter[str] = Counter()
        runs = list(runs)
        for run in runs:
            for start in range(len(run)):
                grams.update(run[start : start + size] for size in range(1, min(LONGEST, len(run) - start) + 1))
        often = {gram for gram, count in grams.items() if count >= _LEAST_COUNT and len(gram) > 1}
        left: defaultdict[str, set[str]] = defaultdict(set)
        right: defaultdict[str, set[str]] = defaultdict(set)
        for number, run in enumerate(runs):
            for start in range(len(run)):
                for end in range(start + 2, min(start + LONGEST, len(run)) + 1):
                    gram = run[start:end]
                    if gram in often:
                        left[gram].add(run[start - 1] if start else f"<{number}")
                        right[gram].add(run[end] if end < len(run) else f">{number}")
        total = sum(count for gram, count in grams.items() if len(gram) == 1) or 1
        words = {gram: count for gram, count in grams.items() if len(gram) == 1}
        for gram in sorted(often):
            free = min(len(left[gram]), len(right[gram])) >= _LEAST_SIDES
            if free and _cohesion(gram, grams, total) >= _LEAST_COHESION:
                words[gram] = grams[gram]
        for word, count in known.items():
            words[word] = max(words.get(word, 0), count, _KNOWN_COUNT)
        return cls(words)

    def __contains__(self, word: str) -> bool:
        return word in self._scores

    def split(self, run: str) -> list[str]:
        """The words of a run, which joined give the run."""
        found = self._kept.get(run)
        if found is None:
            found = self._kept[run] = self._split(run)
        return found

    def _split(self, run: str) -> list[str]:
        best = [0.0] + [-math.inf] * len(run)
        start_of = [0] * (len(run) + 1)
        for end in range(1, len(run) + 1):
            for start in range(max(0, end - self._longest), end):
                word = run[start:end]
                score = self._scores.get(word, self._unseen if end - start == 1 else -math.inf)
                score += best[start] - (_SINGLE_PENALTY if end - start == 1 else 0.0)
                if score > best[end]:
                    best[end], start_of[end] = score, start
        words, end = [], len(run)
        while end:
            words.append(run[start_of[end] : end])
            end = start_of[end]
        return words[::-1]


def _cohesion(gram: str, grams: Mapping[str, int], total: int) -> float:
    parts = ((gram[:cut], gram[cut:]) for cut in range(1, len(gram)))
    return min(grams[gram] * total / (grams[first] * grams[second]) for first, second in parts)
