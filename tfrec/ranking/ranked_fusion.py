"""A fusion whose best items a ranker orders once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.ranking.candidates import Candidates
from tfrec.ranking.ranker import Ranker
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.ranking import without
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.weights import presence
from tfrec.tensorflow_setup import tf

Tensor = Any
LABEL = "ranker"
HISTORY = 2  # the situation of a shopper without words (tfrec.retrieval.weights.SITUATIONS)
UNREAD = ("dense", "lexical")


def opinions_of(fusion: Fusion) -> list[int]:
    """Numbers of the scorers that a ranker hears one by one: those that read histories and know nothing of the future.

    The towers have been trained on what shoppers took in its windows; words say nothing where nothing was typed.
    """
    used = fusion.weights.used([HISTORY])
    return [
        number
        for number, scorer in enumerate(fusion.scorers)
        if used[number] and not scorer.constant and scorer.label not in UNREAD
    ]


class RankedFusion(Fusion):
    """A fusion whose best items for shoppers without words are ordered once more.

    The candidates get the ranker's corrections; all are lifted alike, so far that none falls below the items that are
    no candidates. Requests with words, or with nothing, keep the fused scores, and so does likeness of items, where the
    only possible situation is a history.

    Args:
        fusion: what is ordered.
        ranker: what orders it; None leaves all as it is.
        candidates: items of a request that are ordered once more.
    """

    def __init__(self, fusion: Fusion, ranker: Ranker | None, candidates: int) -> None:
        super().__init__(fusion.scorers, fusion.weights, fusion.normalisation)
        self.plain, self.ranker = fusion, ranker
        self._count, self._heard = candidates, opinions_of(fusion)

    def described(self) -> dict[str, Any]:
        """See Fusion; with the ranker's features and a checksum of what it learned."""
        if self.ranker is None:
            return super().described()
        names = [name for feature in self.ranker.features for name in feature.names]
        told = {"candidates": self._count, "features": names, "learned_sha256": self.ranker.checksum}
        return {**super().described(), LABEL: told}

    def __call__(self, request: Request, situations: Sequence[int] = (0, 1, 2, 3)) -> Tensor:
        """See Fusion."""
        if not self._orders(situations):
            return self.plain(request, situations)
        fused, candidates, scores = self._ranked(request, situations)
        scores = tf.where(candidates.filled, scores, tf.gather(fused, candidates.rows, batch_dims=1))
        return tf.tensor_scatter_nd_update(fused, _places(candidates.rows), scores)

    def best(
        self, request: Request, k: Tensor, situations: Sequence[int] = (0, 1, 2, 3)
    ) -> tuple[Tensor, Tensor] | None:
        """See Fusion: where k are no more than the candidates, no other item needs another look."""
        if not self._orders(situations):
            return None
        _, candidates, scores = self._ranked(request, situations)
        scores = tf.where(candidates.filled, scores, np.float32(-np.inf))

        def few() -> tuple[Tensor, Tensor]:
            found = tf.math.top_k(scores, k)
            return found.values, tf.gather(candidates.rows, found.indices, batch_dims=1)

        def many() -> tuple[Tensor, Tensor]:
            every = tf.tensor_scatter_nd_update(candidates.open, _places(candidates.rows), scores)
            found = tf.math.top_k(every, tf.minimum(k, tf.shape(every)[1]))
            return found.values, found.indices

        return tf.cond(k <= tf.shape(scores)[1], few, many)

    def candidates(self, request: Request, fused: Tensor, parts: dict[int, Tensor]) -> Candidates:
        """The best items without the history.

        Args:
            request: the requests.
            fused: their fused scores float32 [B, N].
            parts: normalised scores float32 [B, N] by number of the scorer.
        """
        count = tf.minimum(self._count, tf.shape(fused)[1])
        free = without(fused, request.history)
        found = tf.math.top_k(free, count)
        filled = found.values > -np.inf
        opinions = [tf.gather(parts[number], found.indices, batch_dims=1) for number in self._heard]
        several = tf.stack(opinions, axis=2) if opinions else tf.zeros([*tf.unstack(tf.shape(found.indices)), 0])
        several = tf.where(filled[:, :, tf.newaxis], several, 0.0)
        return Candidates(request, found.indices, filled, tf.where(filled, found.values, 0.0), free, several)

    def explained(self, request: Request) -> tuple[list[str], Tensor]:
        """See Fusion; the ranker's part is what it adds to the fused scores."""
        labels, parts = super().explained(request)
        if self.ranker is None:
            return labels, parts
        added = self(request) - tf.reduce_sum(parts, axis=1)
        return [*labels, LABEL], tf.concat([parts, added[:, tf.newaxis]], axis=1)

    def _orders(self, situations: Sequence[int]) -> bool:
        return self.ranker is not None and HISTORY in situations and len(situations) > 1

    def _ranked(self, request: Request, situations: Sequence[int]) -> tuple[Tensor, Candidates, Tensor]:
        """Fused scores float32 [B, N], the candidates, and the scores that they end with, float32 [B, K]."""
        assert self.ranker is not None
        fused, parts = self.scored(request, situations)
        candidates = self.candidates(request, fused, parts)
        has = presence(request)
        mine = (has.history & ~has.query)[:, tf.newaxis] & candidates.filled
        scores = candidates.fused + self.ranker(candidates)
        lowest = tf.reduce_min(tf.where(mine, scores, np.float32(np.inf)), axis=1, keepdims=True)
        border = tf.reduce_min(tf.where(mine, candidates.fused, np.float32(np.inf)), axis=1, keepdims=True)
        lift = tf.where(border > lowest, border - lowest, 0.0)
        return fused, candidates, tf.where(mine, scores + lift, candidates.fused)


def _places(rows: Tensor) -> Tensor:
    """Where rows of the catalogue int32 [B, K] stand in a matrix [B, N]: int32 [B, K, 2]."""
    batch = tf.broadcast_to(tf.range(tf.shape(rows)[0])[:, tf.newaxis], tf.shape(rows))
    return tf.stack([batch, rows], axis=2)
