"""How alike texts are by the teacher's encoder and BM25 together, on a scale that no encoder shifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tfrec.synth.hybrid import BLOCK_SCORES
from tfrec.synth.source import Teacher

_PROFILE = 100  # items that stand for a query when BM25 compares it with another


class Likeness:
    """Similarities from 0 (like any other) to 1 (the same).

    A cosine of 0.7 is close for one encoder and far for another. So cosines are counted from the mean over the
    catalogue, BM25 scores as shares of what a text scores with itself, or of the best score where it has no self.

    Args:
        teacher: item vectors, encoder and BM25.
        lexical_weight: part of BM25; the encoder has the rest.
    """

    def __init__(self, teacher: Teacher, lexical_weight: float) -> None:
        self._teacher, self._lexical = teacher, lexical_weight
        self._centre = teacher.items.mean(axis=0)

    def of_items(self, rows: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """Of items to the whole catalogue.

        Args:
            rows: int [R], item indices.
            texts: the texts of all N items.

        Returns:
            float32 [R, N].
        """
        dense = _relative(self._teacher.items[rows] @ self._teacher.items.T, self._teacher.items[rows] @ self._centre)
        words = np.zeros_like(dense)
        for place, row in enumerate(rows):
            scores = self._teacher.lexical(texts[row])
            words[place] = scores / max(float(scores[row]), 1e-6)
        return self._mixed(dense, words)

    def to_items(self, queries: Sequence[str], vectors: np.ndarray) -> Iterator[np.ndarray]:
        """Of queries to the whole catalogue.

        Args:
            queries: Q texts.
            vectors: theirs, float32 [Q, D].

        Yields:
            float32 [N] for one query after the other.
        """
        block = max(1, min(256, BLOCK_SCORES // len(self._teacher.items)))
        for start in range(0, len(queries), block):
            part = vectors[start : start + block]
            dense = _relative(part @ self._teacher.items.T, part @ self._centre)
            for query, row in zip(queries[start : start + block], dense, strict=True):
                scores = self._teacher.lexical(query)
                yield self._mixed(row, scores / max(float(scores.max(initial=0.0)), 1e-6))

    def profiles(self, queries: Sequence[str]) -> Any:
        """What BM25 makes of queries: unit rows of a scipy CSR matrix [Q, N] that hold the best items' scores."""
        from scipy import sparse

        size = len(self._teacher.items)
        ends, columns, values = [0], [np.zeros(0, np.int64)], [np.zeros(0)]
        for query in queries:
            scores = self._teacher.lexical(query)
            best = np.argpartition(-scores, _PROFILE - 1)[:_PROFILE] if size > _PROFILE else np.arange(size)
            best = np.sort(best[scores[best] > 0])
            columns.append(best)
            values.append(scores[best].astype(np.float64) / max(float(np.linalg.norm(scores[best])), 1e-6))
            ends.append(ends[-1] + len(best))
        return sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=(len(queries), size))

    def between(self, vectors: np.ndarray, profiles: Any, others: np.ndarray, their_profiles: Any) -> np.ndarray:
        """Of queries to other queries.

        Args:
            vectors: float32 [Q, D].
            profiles: see `profiles`, [Q, N].
            others: float32 [C, D].
            their_profiles: [C, N].

        Returns:
            float32 [Q, C].
        """
        dense = _relative(vectors @ others.T, vectors @ others.mean(axis=0))
        return self._mixed(dense, np.asarray((profiles @ their_profiles.T).todense(), np.float32))

    def _mixed(self, dense: np.ndarray, words: np.ndarray) -> np.ndarray:
        mixed = (1.0 - self._lexical) * np.clip(dense, 0, 1) + self._lexical * np.clip(words, 0, 1)
        return mixed.astype(np.float32)


def _relative(cosines: np.ndarray, background: Any) -> np.ndarray:
    """Cosines [..., N] counted from their background [...]."""
    background = np.asarray(background)[..., None]
    return (cosines - background) / np.maximum(1.0 - background, 1e-3)
