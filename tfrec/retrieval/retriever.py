"""From requests to ranked rows of the catalogue: scorers, exclusion, filters and diversity behind one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.diversity import diverse_top
from tfrec.retrieval.filters import ColumnFilters
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.ranking import best_of, positive, without
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

Tensor = Any
ANY = (0, 1, 2, 3)


class Retriever(tf.Module):  # type: ignore[misc]
    """What stands behind every signature that ranks.

    Args:
        scorer: the dense scorer alone, which needs no matrix of all scores, or several fused.
        filters: the columns that requests may filter by.
        catalogue: the items' unit vectors, a tf.Variable float32 [N, D]; likeness of diverse lists is read from it.
        rules: (queries string [B], scores float32 [B, N]) -> scores by a merchant's rules; None for none.
    """

    def __init__(
        self,
        scorer: DenseScorer | Fusion,
        filters: ColumnFilters,
        catalogue: Any,
        rules: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(name="retriever")
        self.scorer, self.filters, self._rules = scorer, filters, rules
        scored = tf.function(self._scores, autograph=False)
        diverse = tf.function(lambda scores, *wish: diverse_top(scores, catalogue, *wish), autograph=False)
        # Signatures that need the same ops trace, store and load them once. Behind plain functions, because a module is
        # saved with every tf.function that it holds.
        self._scored = lambda request, situations: scored(request, situations)
        self._diverse_top = lambda scores, k, diversity: diverse(scores, k, diversity)

    def scores(self, request: Request, situations: Sequence[int] = ANY) -> Tensor:
        """Scores float32 [B, N]; see Fusion for `situations`."""
        return self._scored(request, tuple(situations))

    def _scores(self, request: Request, situations: Sequence[int]) -> Tensor:
        scores = self.scorer(request, situations) if isinstance(self.scorer, Fusion) else self.scorer(request)
        return self.ruled(request.query, scores)

    def ruled(self, queries: Tensor, scores: Tensor) -> Tensor:
        """Scores float32 [B, N] of queries string [B] as the merchant's rules change them."""
        return scores if self._rules is None else self._rules(queries, scores)

    def top(
        self, request: Request, k: Tensor, new: bool = False, situations: Sequence[int] = ANY
    ) -> tuple[Tensor, Tensor]:
        """The k best items of every request.

        Args:
            request: the requests.
            k: int32 scalar, at least 1; above N it means N.
            new: whether items of the requests' histories must not appear.
            situations: see Fusion.

        Returns:
            (scores float32 [B, min(k, N)], rows int32 [B, min(k, N)]), best first, equal scores by lower row; -inf in
            places that nothing fills.
        """
        k = positive(k)
        if isinstance(self.scorer, DenseScorer) and self._rules is None:
            return self.scorer.top_k(request, k, request.history if new else None)
        no_history = not {2, 3} & set(situations)
        if isinstance(self.scorer, Fusion) and (new or no_history) and self._rules is None:
            found = self.scorer.best(request, k, situations)
            if found is not None:
                return found
        scores = self.scores(request, situations)
        return best_of(scores, tf.minimum(k, tf.shape(scores)[1]), request.history if new else None)

    def chosen(
        self,
        request: Request,
        k: Tensor,
        exclude: Tensor,
        conditions: Tensor,
        diversity: Tensor,
        situations: Sequence[int] = ANY,
        changed: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The k best items that satisfy conditions, as diverse as wanted.

        Args:
            request: the requests.
            k: int32 scalar, at least 1; above N it means N.
            exclude: rows that must not appear, int32 [B, H], -1 excludes nothing.
            conditions: string [B, F], see ColumnFilters.
            diversity: float32 scalar 0..1, see diverse_top.
            situations: see Fusion.
            changed: scores float32 [B, N] -> those to rank by, -inf for items that are not wanted; None leaves them.

        Returns:
            as `top`, but with diversity the scores need not fall.
        """
        return self.picked(without(self.scores(request, situations), exclude), k, conditions, diversity, changed)

    def picked(
        self,
        scores: Tensor,
        k: Tensor,
        conditions: Tensor,
        diversity: Tensor,
        changed: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """As `chosen`, by scores float32 [B, N] of any origin."""
        same = tf.equal(tf.shape(conditions)[0], tf.shape(scores)[0])
        tf.debugging.Assert(same, ["filters must have as many rows as the request; they have", tf.shape(conditions)])
        scores = tf.where(self.filters(conditions), scores, np.float32(-np.inf))
        scores = scores if changed is None else changed(scores)
        return self._diverse_top(scores, k, diversity)

    def explained(self, request: Request, rows: Tensor) -> dict[str, Tensor]:
        """What each scorer adds to the scores of given items.

        Args:
            request: B requests.
            rows: rows of the catalogue, int32 [B, K]; -1 for none.

        Returns:
            "parts" float32 [B, K, S], 0 for a row of -1; their sum over S is the score; and "scorers" string [B, S],
            the scorers' labels, the same in each row (servers that batch requests split answers by rows). Where it was
            learned how sure answers are, "sure" float32 [B, K], see tfrec.retrieval.confidence.
        """
        same = tf.equal(tf.shape(rows)[0], tf.shape(request.vectors)[0])
        check = tf.debugging.Assert(same, ["item_ids must have as many rows as the request; they have", tf.shape(rows)])
        with tf.control_dependencies([check]):
            rows = tf.identity(rows)
        if isinstance(self.scorer, Fusion):
            labels, parts = self.scorer.explained(request)
        else:
            labels, parts = [self.scorer.label], self.scorer(request)[:, tf.newaxis]
        fused, sure = tf.reduce_sum(parts, axis=1), {}
        if isinstance(self.scorer, Fusion) and self.scorer.confidence is not None:
            sure = {"sure": self.scorer.confidence(request, fused, rows)}
        if self._rules is not None:
            changed = self._rules(request.query, fused) - fused
            labels, parts = [*labels, "rules"], tf.concat([parts, changed[:, tf.newaxis]], axis=1)
        wanted = tf.gather(tf.transpose(parts, [0, 2, 1]), tf.maximum(rows, 0), batch_dims=1)
        known = tf.cast(rows >= 0, tf.float32)[:, :, tf.newaxis]
        return {"parts": wanted * known, "scorers": tf.tile(tf.constant([labels]), [tf.shape(rows)[0], 1]), **sure}
