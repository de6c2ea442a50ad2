"""Requests of the training process for scorers: batches in, ranked rows of the catalogue out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from tfrec.models.spelling.speller import mend
from tfrec.retrieval.ranking import without
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

Histories = Sequence[Sequence[int]] | None
_LARGEST_BATCH = 64
_SCORES_PER_BATCH = 1 << 23  # 32 MiB of float32
_WORTH_A_GRAPH = 5  # batches; tracing costs a second, and running op by op costs milliseconds a batch


class QueryVectors(Protocol):
    """What is needed of the towers (tfrec.models.two_tower.TwoTower)."""

    speller: Any

    def query_vectors(self, queries: Sequence[str], histories: Histories = None) -> np.ndarray:
        """Unit vectors float32 [B, D]."""


class KnownVectors:
    """Vectors of queries that have been encoded before, for another pass over the same queries.

    Args:
        vectors: float32 [Q, D].
        speller: the towers' speller.
    """

    def __init__(self, vectors: np.ndarray, speller: Any = None) -> None:
        self._vectors, self.speller = vectors, speller

    def query_vectors(self, queries: Sequence[str], histories: Histories = None) -> np.ndarray:
        """The vectors, of just these queries."""
        assert len(queries) == len(self._vectors)
        return self._vectors


def answered(
    function: Callable[[Request], Any],
    towers: QueryVectors,
    queries: Sequence[str],
    histories: Histories,
    size: int,
    scorers: int = 1,
) -> Iterator[tuple[slice, Request, Any]]:
    """What a function gives for requests, in batches that keep scores of [B, scorers, N] small.

    Args:
        function: of stock ops; many batches run it as a graph.
        towers: give the queries' vectors.
        queries: Q texts, "" for none.
        histories: per query the items' rows, oldest first; None for no history at all.
        size: N, items of the catalogue.
        scorers: matrices of scores alive at once.

    Yields:
        (rows of the batch, the batch's requests, what the function gives for them).
    """
    batch = int(np.clip(_SCORES_PER_BATCH // max(size * scorers, 1), 1, _LARGEST_BATCH))
    call = _graph(function) if len(queries) > (_WORTH_A_GRAPH - 1) * batch else function
    vectors = towers.query_vectors(queries, histories)
    queries = mend(towers.speller, queries).words
    for start in range(0, len(queries), batch):
        rows = slice(start, min(start + batch, len(queries)))
        past = padded(None if histories is None else histories[rows], rows.stop - rows.start)
        words = tf.constant(list(queries[rows]), tf.string)
        request = Request(words, tf.constant(vectors[rows]), tf.constant(past))
        yield rows, request, call(request)


def _graph(function: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """A graph of a function of requests, traced once for all batch sizes and history lengths."""
    specs = [
        tf.TensorSpec([None], tf.string),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.int32),
    ]
    traced = tf.function(lambda *parts: function(Request(*parts)), input_signature=specs, autograph=False)
    return lambda request: traced(*request)


def padded(histories: Histories, count: int) -> np.ndarray:
    """Histories as int32 [count, H], -1 on the left where there is none; H is at least 1."""
    lists: Sequence[Sequence[int]] = [()] * count if histories is None else histories
    filled = np.full([count, max([1, *map(len, lists)])], -1, np.int32)
    for row, items in enumerate(lists):
        if len(items):
            filled[row, -len(items) :] = items
    return filled


def rank_requests(
    towers: QueryVectors,
    scorer: Callable[[Request], Any],
    queries: Sequence[str],
    histories: Histories,
    k: int,
    size: int,
    exclude_history: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The best items of every request from the whole catalogue.

    Args:
        towers: give the queries' vectors.
        scorer: requests -> scores float32 [B, N].
        queries: Q texts, "" for none.
        histories: per query the items' rows, oldest first; None for no history at all.
        k: items per request, at least 1; may exceed the catalogue.
        size: N, items of the catalogue.
        exclude_history: whether items of the history must not appear.

    Returns:
        (rows int32 [Q, k], scores float32 [Q, k]), best first, equal scores by lower row; -1 and -inf in places that
        nothing fills.
    """

    def best(request: Request) -> Any:
        scores = scorer(request)
        if exclude_history:
            scores = without(scores, request.history)
        return tf.math.top_k(scores, min(k, size))

    indices = np.full([len(queries), k], -1, np.int32)
    scores = np.full([len(queries), k], -np.inf, np.float32)
    for rows, _, found in answered(best, towers, queries, histories, size):
        scores[rows, : min(k, size)] = found.values.numpy()
        indices[rows, : min(k, size)] = found.indices.numpy()
    indices[np.isneginf(scores)] = -1
    return indices, scores
