"""A fusion whose best items rankers order once more: one for typed words, one for histories, one for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfrec.errors import ConfigError
from tfrec.ranking.candidates import Candidates
from tfrec.ranking.features.feature import names_of
from tfrec.ranking.opinions import BOTH, HEADS, HISTORY, opinions_of
from tfrec.ranking.ranker import Ranker
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.ranking import best_of, without
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.weights import presence
from tfrec.tensorflow_setup import tf

Tensor = Any
LABEL = "ranker"


class RankedFusion(Fusion):
    """A fusion whose best items are ordered once more: for words alone, for histories alone and for both.

    The candidates get the ranker's corrections; all are lifted alike, so far that none falls below the items that are
    no candidates. Requests without a ranker of their kind keep the fused scores, and so does likeness of items, where
    the only possible situation is a history.

    Args:
        fusion: what is ordered.
        rankers: QUERY, HISTORY or BOTH -> what orders it; empty leaves all as it is.
        candidates: items of a request that are ordered once more.
    """

    def __init__(self, fusion: Fusion, rankers: Mapping[int, Ranker], candidates: int) -> None:
        super().__init__(fusion.scorers, fusion.weights, fusion.normalisation)
        self.plain, self._count = fusion, candidates
        self._situations, self.rankers = list(rankers), list(rankers.values())

    def ranker(self, situation: int) -> Ranker | None:
        """What orders the requests of a situation."""
        return dict(zip(self._situations, self.rankers, strict=True)).get(situation)

    def without(self, situation: int) -> Fusion:
        """The same without the ranker of a situation; itself where it has none."""
        heads = dict(zip(self._situations, self.rankers, strict=True))
        if situation not in heads:
            return self
        del heads[situation]
        return RankedFusion(self.plain, heads, self._count) if heads else self.plain

    def described(self) -> dict[str, Any]:
        """See Fusion; with the rankers' features and a checksum of what each learned."""
        heads = {
            HEADS[situation]: {
                "features": names_of(ranker.features),
                "learned_sha256": ranker.checksum,
            }
            for situation, ranker in zip(self._situations, self.rankers, strict=True)
        }
        return {**super().described(), **({LABEL: {"candidates": self._count, **heads}} if heads else {})}

    def __call__(self, request: Request, situations: Sequence[int] = (0, 1, 2, 3)) -> Tensor:
        """See Fusion."""
        heads = self._heads(situations)
        if not heads:
            return self.plain(request, situations)
        fused, parts = self.scored(request, situations)
        for situation, ranker in heads:

            def changed(before: Tensor = fused, head: tuple[int, Ranker] = (situation, ranker)) -> Tensor:
                candidates, scores = self._ordered(request, before, parts, *head)
                scores = tf.where(candidates.filled, scores, tf.gather(before, candidates.rows, batch_dims=1))
                return tf.tensor_scatter_nd_update(before, _places(candidates.rows), scores)

            # A batch seldom holds requests of all kinds.
            mine = tf.reduce_any(_of(request, situation))
            fused = tf.cond(mine, changed, lambda before=fused: before) if len(situations) > 2 else changed()
        return fused

    def for_parts(self) -> Fusion:
        """See Fusion."""
        if self.rankers:
            raise ConfigError(
                "A ranker looks at the best items of the whole catalogue, which no shard knows: export shards with "
                "--set ranking.enabled=never, or the catalogue whole."
            )
        return self.plain

    def best(
        self, request: Request, k: Tensor, situations: Sequence[int] = (0, 1, 2, 3)
    ) -> tuple[Tensor, Tensor] | None:
        """See Fusion: where k are no more than the candidates, no other item needs another look."""
        heads = self._heads(situations)
        if len(heads) != 1:
            return None
        fused, parts = self.scored(request, situations)
        candidates, scores = self._ordered(request, fused, parts, *heads[0])
        scores = tf.where(candidates.filled, scores, np.float32(-np.inf))

        def few() -> tuple[Tensor, Tensor]:
            found = tf.math.top_k(scores, k)
            return found.values, tf.gather(candidates.rows, found.indices, batch_dims=1)

        def many() -> tuple[Tensor, Tensor]:
            free = without(fused, request.history)
            every = tf.tensor_scatter_nd_update(free, _places(candidates.rows), scores)
            found = tf.math.top_k(every, tf.minimum(k, tf.shape(every)[1]))
            return found.values, found.indices

        return tf.cond(k <= tf.shape(scores)[1], few, many)

    def candidates(
        self, request: Request, fused: Tensor, parts: dict[int, Tensor], situation: int = HISTORY
    ) -> Candidates:
        """The best items: without the history where nothing was typed, for a search may be for what was taken before.

        Args:
            request: the requests.
            fused: their fused scores float32 [B, N].
            parts: normalised scores float32 [B, N] by number of the scorer.
            situation: whose ranker looks at them.
        """
        size = fused.shape[1]  # known where graphs are made: then so is the shape of all that follows
        count = min(self._count, size) if size else tf.minimum(self._count, tf.shape(fused)[1])
        values, rows = best_of(fused, count, None if situation == BOTH else request.history)
        filled = values > -np.inf
        heard = opinions_of(self.plain, situation)
        opinions = [tf.gather(parts[number], rows, batch_dims=1) for number in heard]
        several = tf.stack(opinions, axis=2) if opinions else tf.zeros([tf.shape(rows)[0], count, 0])
        several = tf.where(filled[:, :, tf.newaxis], several, 0.0)
        return Candidates(request, rows, filled, tf.where(filled, values, 0.0), several)

    def explained(self, request: Request) -> tuple[list[str], Tensor]:
        """See Fusion; with what each group of features adds, and as "ranker" all else that ranking adds: the same for
        all candidates of a request."""
        labels, parts = super().explained(request)
        if not self.rankers:
            return labels, parts
        groups = self._of_groups(request)
        several = tf.stack(list(groups.values()), axis=1)
        added = self(request) - tf.reduce_sum(parts, axis=1) - tf.reduce_sum(several, axis=1)
        names = [f"{LABEL}: {group}" for group in groups]
        return [*labels, *names, LABEL], tf.concat([parts, several, added[:, tf.newaxis]], axis=1)

    def _of_groups(self, request: Request) -> dict[str, Tensor]:
        """What each group of features of any ranker adds to the scores, float32 [B, N]."""
        fused, parts = self.scored(request)
        found: dict[str, Tensor] = {}
        for situation, ranker in zip(self._situations, self.rankers, strict=True):
            candidates = self.candidates(request, fused, parts, situation)
            mine = tf.cast(_of(request, situation), tf.float32)[:, tf.newaxis]
            places = _places(candidates.rows)
            for group, values in ranker.of_groups(candidates).items():
                added = tf.scatter_nd(places, values * mine, tf.shape(fused))
                found[group] = found[group] + added if group in found else added
        return found

    def _heads(self, situations: Sequence[int]) -> list[tuple[int, Ranker]]:
        heads = zip(self._situations, self.rankers, strict=True)
        return [head for head in heads if head[0] in situations and len(situations) > 1]

    def _ordered(
        self, request: Request, fused: Tensor, parts: dict[int, Tensor], situation: int, ranker: Ranker
    ) -> tuple[Candidates, Tensor]:
        """The candidates, and the scores that they end with, float32 [B, K]."""
        candidates = self.candidates(request, fused, parts, situation)
        mine = _of(request, situation)[:, tf.newaxis] & candidates.filled
        scores = candidates.fused + ranker(candidates)
        lowest = tf.reduce_min(tf.where(mine, scores, np.float32(np.inf)), axis=1, keepdims=True)
        border = tf.reduce_min(tf.where(mine, candidates.fused, np.float32(np.inf)), axis=1, keepdims=True)
        lift = tf.where(border > lowest, border - lowest, 0.0)
        return candidates, tf.where(mine, scores + lift, candidates.fused)


def _of(request: Request, situation: int) -> Tensor:
    """Which requests are of a situation, bool [B]."""
    has = presence(request)
    return tf.equal(tf.cast(has.query, tf.int32) + 2 * tf.cast(has.history, tf.int32), situation)


def _places(rows: Tensor) -> Tensor:
    """Where rows of the catalogue int32 [B, K] stand in a matrix [B, N]: int32 [B, K, 2]."""
    batch = tf.broadcast_to(tf.range(tf.shape(rows)[0])[:, tf.newaxis], tf.shape(rows))
    return tf.stack([batch, rows], axis=2)
