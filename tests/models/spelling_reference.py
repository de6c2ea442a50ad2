"""The speller's rule once more, in plain Python: every word of the shop is compared, nothing is hashed or indexed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

_SOUNDS = [
    ("ph", "f"), ("wh", "w"), ("gh", ""), ("sch", "sk"), ("ck", "k"), ("x", "ks"), ("tio", "sho"), ("c(?=[eiy])", "s"),
    ("[cq]", "k"), ("z", "s"), ("dge", "je"), ("j", "g"), ("[aeiouy]+", "a"), ("(?<=.)a$", ""), (r"(.)\1+", r"\1"),
]  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_]+")


def sound(word: str) -> str:
    for pattern, replacement in _SOUNDS:
        word = re.sub(pattern, replacement, word)
    return word


def distance(first: str, second: str) -> int:
    """Levenshtein's, but 1 for two neighbours that changed places."""
    places = [n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b]
    if len(first) == len(second) and len(places) == 2 and places[1] == places[0] + 1:
        here, there = places
        if (first[here], first[there]) == (second[there], second[here]):
            return 1
    row = list(range(len(second) + 1))
    for n, a in enumerate(first, 1):
        new = [n]
        for m, b in enumerate(second, 1):
            new.append(min(row[m] + 1, new[-1] + 1, row[m - 1] + (a != b)))
        row = new
    return row[-1]


def cost(typed: str, meant: str) -> float:
    errors, same = distance(typed, meant), sound(typed) == sound(meant)
    if errors <= 1:
        found = 1.0
    elif errors == 2 and (same or min(len(typed), len(meant)) >= 7):
        found = 4.5
    elif errors == 3 and same:
        found = 6.0
    else:
        return math.inf
    return found - 0.8 * same + 2.0 * (typed[0] != meant[0])


class Reference:
    """The speller over texts whose words are letters and blanks; no word has an apostrophe or a hyphen."""

    def __init__(self, texts: Sequence[str], known: Callable[[str], bool], stem: Callable[[str], str]) -> None:
        self.sets = [set(_LETTERS.findall(text.lower())) for text in texts]
        self.size, self.known, self.stem = len(texts), known, stem
        self.items: dict[str, int] = {}
        for words in self.sets:
            for word in words:
                self.items[word] = self.items.get(word, 0) + 1
        self.stems = [{stem(word) for word in words} for words in self.sets]
        self.targets = [word for word, count in self.items.items() if count >= 2 and 3 <= len(word) <= 24]

    def share(self, *stems: str) -> float:
        return sum(set(stems) <= found for found in self.stems) / self.size

    def fit(self, word: str, around: list[str]) -> float:
        own, total = self.stem(word), 0.0
        for other in around[:16]:
            if other != own:
                seen = max(0.0, self.share(own, other) * self.size - 0.5) if own != other else 0.0
                vote = math.log((seen / self.share(other) + 1) / (self.share(own) * self.size + 1))
                total += max(-2.5, min(4.0, vote))
        return total

    def meant(self, word: str, around: list[str]) -> dict[str, float]:
        """What a word may mean, with its score."""
        found = {}
        for target in self.targets:
            frequency = math.log(self.items[target] / self.size)
            found[target] = 0.75 * frequency + 0.7 * self.fit(target, around) - cost(word, target)
        for place in range(3, len(word) - 2):
            left, right = word[:place], word[place:]
            if left in self.targets and right in self.targets:
                stems = self.stem(left), self.stem(right)
                both = (self.share(*stems) if stems[0] != stems[1] else 0.0) + 0.2 * self.share(stems[0]) * self.share(
                    stems[1]
                )
                fits = (self.fit(left, around) + self.fit(right, around)) / 2
                found[f"{left} {right}"] = 0.75 * math.log(both + 1e-9) + 0.7 * fits - 3.0
        return found

    def __call__(self, text: str) -> dict[int, dict[str, float]]:
        """Place of a misspelt word in the text -> what it may mean -> share; every word is letters."""
        words = text.lower().split()
        around = [self.stem(word) for word in words if word in self.items]
        result = {}
        for place, word in enumerate(words):
            if word in self.items or not 4 <= len(word) <= 24:
                continue
            scores = self.meant(word, around)
            best = max(scores.values(), default=-math.inf)
            if best <= (-6.0 if self.known(word) else -12.0):
                continue
            odds = {name: math.exp(score - best) for name, score in scores.items() if score >= best + math.log(0.2)}
            result[place] = {name: value / sum(odds.values()) for name, value in odds.items()}
        return result
