"""Terms by number, and the table from written words to them that a graph without a stemmer needs."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from os.path import commonprefix

import numpy as np

from tfrec.data.characters import spelled_out, without_accents
from tfrec.retrieval.tokens import is_spaced

Tokenize = Callable[[str], list[str]]
_LEARNED_ENDINGS = 16
_USUAL_ENDINGS = [("", ending) for ending in ("s", "es", "'s", "e", "en", "er", "n", "ed", "ing")]
_SHORTEST_STEM = 3
_INFLECTED = 50_000  # the most frequent stems get them; a huge catalogue's rare ones are mostly numbers and names


class Vocabulary:
    """Numbers terms as they come, and remembers which written words lead to them.

    Args:
        tokenize: text -> terms.
        surfaces: text -> the same words unstemmed, in the same number and order.
    """

    def __init__(self, tokenize: Tokenize, surfaces: Tokenize) -> None:
        self._tokenize, self._surfaces = tokenize, surfaces
        self._numbers: dict[str, int] = {}
        self._seen: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def copy(self) -> Vocabulary:
        """The same terms; words that are asked of the copy are not remembered here."""
        other = Vocabulary(self._tokenize, self._surfaces)
        other._numbers, other._seen = self._numbers, dict(self._seen)
        return other

    def add(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """(terms per text int64 [N], all their numbers int64); a new term gets the next number."""
        numbers, flat, lengths = self._numbers, array("q"), array("q")
        for text in texts:
            before = len(flat)
            flat.extend(numbers.setdefault(self._term(word), len(numbers)) for word in self._surfaces(text))
            lengths.append(len(flat) - before)
        return np.array(lengths, np.int64), np.array(flat, np.int64)

    def known(self, text: str) -> list[int]:
        """Numbers of a text's terms in reading order, -1 for what the catalogue does not hold."""
        return [self._numbers.get(self._term(word), -1) for word in self._surfaces(text)]

    def spaced(self) -> np.ndarray:
        """Which terms are words between spaces: bool [T]."""
        return np.fromiter(map(is_spaced, self._numbers), bool, len(self._numbers))

    def table(self, queries: Iterable[str], df: np.ndarray) -> dict[str, int]:
        """Written word -> term, for the terms that the catalogue holds.

        It holds every word of the catalogue and of the given queries; and, so that a form that nobody has used yet is
        found as well, every stem with usual endings and with those that are frequent in this shop; they are kept where
        the stemmer agrees. Words with accents are there without them, too.

        Args:
            queries: texts whose words the table shall know, for example the training queries.
            df: items that hold each term, int64 [T].
        """
        for query in queries:
            for surface in self._surfaces(query):
                self._term(surface)
        table = {surface: self._numbers[term] for surface, term in self._seen.items() if term in self._numbers}
        for surface in self._likely(df):
            if surface not in table:
                terms = self._tokenize(surface)
                if len(terms) == 1 and terms[0] in self._numbers and self._surfaces(surface) == [surface]:
                    table[surface] = self._numbers[terms[0]]
        accented = [(word, term) for word, term in table.items() if not word.isascii()]
        plain = {form(word): term for form in (spelled_out, without_accents) for word, term in accented}
        return {**plain, **table}  # a word that is written without accents keeps its own term

    def _term(self, surface: str) -> str:
        term = self._seen.get(surface)
        if term is None:  # a word alone is one term, the same as within its text
            term = self._seen[surface] = self._tokenize(surface)[0]
        return term

    def _likely(self, df: np.ndarray) -> Iterable[str]:
        """Stems, and stems with frequent endings; a rule is (ending of the stem, what the word has in its place)."""
        rules: Counter[tuple[str, str]] = Counter()
        for surface, term in self._seen.items():
            if surface != term and len(term) >= _SHORTEST_STEM:
                same = len(commonprefix([surface, term]))
                rules[term[same:], surface[same:]] += 1
        yield from self._numbers
        every = list(self._numbers)
        common = [every[term] for term in np.argsort(-df, kind="stable")[:_INFLECTED]]
        stems = [stem for stem in common if len(stem) >= _SHORTEST_STEM and stem.isalpha()]
        learned = [rule for rule, count in rules.most_common(_LEARNED_ENDINGS) if count > 1]
        for old, new in dict.fromkeys([*learned, *_USUAL_ENDINGS]):
            for stem in stems:
                if stem.endswith(old):
                    yield stem[: len(stem) - len(old)] + new
