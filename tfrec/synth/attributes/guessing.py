"""One column's empty values, guessed from titles and neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfrec.config.synth_attributes import AttributesConfig
from tfrec.synth.attributes.mentions import Mentions
from tfrec.synth.attributes.votes import count_votes, nearest
from tfrec.synth.filters.folding import folded


@dataclass(frozen=True)
class Guess:
    """A value for an item.

    Attributes:
        item: index.
        value: as most items write it.
        confidence: 0..1.
        evidence: mention (in the title), neighbours, or both.
        trust: in the mention, 0 without one.
        share: of the neighbours' votes, 0 without any.
        similarity: of the neighbours that voted so, 0 without any.
        neighbours: their indices.
    """

    item: int
    value: str
    confidence: float
    evidence: str
    trust: float
    share: float
    similarity: float
    neighbours: list[int]


class Guesser:
    """Guesses the values of one column.

    A mention and the neighbours' vote for the same value confirm each other: the confidence is one minus the chance
    that both are wrong, were they independent.

    Args:
        titles: of all items [N].
        values: of all items [N]; "" where unknown.
        vectors: unit vectors of all items, float32 [N, D].
        settings: how.
    """

    def __init__(
        self, titles: Sequence[str], values: Sequence[str], vectors: np.ndarray, settings: AttributesConfig
    ) -> None:
        self._folded = [folded(value) for value in values]
        self.known = np.flatnonzero([bool(value) for value in self._folded])
        self.empty = np.flatnonzero([not value for value in self._folded])
        self._vectors, self._settings = vectors, settings
        self._mentions = Mentions(titles, values, settings.least_mentions)
        spellings: dict[str, Counter[str]] = {}
        for fold, value in zip(self._folded, values, strict=True):
            spellings.setdefault(fold, Counter())[value] += 1
        # the most frequent spelling, of equally frequent ones the first by alphabet
        self._spelling = {fold: min(found, key=lambda v: (-found[v], v)) for fold, found in spellings.items()}

    def guess(self, rows: np.ndarray) -> list[Guess | None]:
        """The surest value of each item, from all items but itself; None where nothing speaks for any.

        Args:
            rows: item indices int64 [R].

        Returns:
            R guesses, whatever their confidence.
        """
        items, cosines = nearest(self._vectors, rows, self.known, self._settings.neighbours)
        return [
            self._surest(row, near, cosine) for row, near, cosine in zip(rows.tolist(), items, cosines, strict=True)
        ]

    def _surest(self, item: int, neighbours: np.ndarray, cosines: np.ndarray) -> Guess | None:
        votes = count_votes(neighbours, cosines, self._folded, self._settings.sharpness)
        mentions = self._mentions.of(item)
        best: Guess | None = None
        for fold in sorted({*votes, *mentions}):
            vote, trust = votes.get(fold), mentions.get(fold, 0.0)
            confidence = 1 - (1 - trust) * (1 - (vote.confidence if vote else 0.0))
            if best is None or confidence > best.confidence:
                evidence = "both" if vote and trust else "neighbours" if vote else "mention"
                share, similarity, voters = (vote.share, vote.similarity, vote.voters) if vote else (0.0, 0.0, [])
                best = Guess(item, self._spelling[fold], confidence, evidence, trust, share, similarity, voters)
        return best

    def right(self, guess: Guess) -> bool:
        """Whether a guess is what the catalogue says."""
        return folded(guess.value) == self._folded[guess.item]
