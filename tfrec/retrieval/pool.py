"""Candidates of evaluated requests with every scorer's opinion of them: what weights are chosen on."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrec.progress import Progress
from tfrec.retrieval.answers import Histories, QueryVectors, answered
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.ranking import without
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

DEPTH = 100
_TIE = 1e-9  # far below the rounding of float32 scores that differ


@dataclass(frozen=True)
class Pool:
    """Q requests with P candidates each.

    Attributes:
        items: rows of the catalogue int32 [Q, P], ascending; -1 in unused places, which are at the end.
        parts: normalised scores float32 [Q, P, S].
        gains: what each candidate is worth, float32 [Q, P].
        truth: per request the gains of all right items, also of those that no scorer found, best first.
        vectors: the requests' vectors float32 [Q, D].
        flags: float32 [Q, 3]: whether there is a query, a history; log(1 + the history's length).
        keys: what tells the requests apart, whatever order they come in.
    """

    items: np.ndarray
    parts: np.ndarray
    gains: np.ndarray
    truth: list[np.ndarray]
    vectors: np.ndarray
    flags: np.ndarray
    keys: list[str]

    @functools.cached_property
    def ideal(self) -> np.ndarray:
        """The first hundred gains of `truth`, float32 [Q, T], 0 after the last."""
        width = min(DEPTH, max([1, *map(len, self.truth)]))
        table = np.zeros([len(self.truth), width], np.float32)
        for row, gains in enumerate(self.truth):
            table[row, : min(len(gains), width)] = gains[:width]
        return table

    def ranked_gains(self, weights: np.ndarray, cut: int) -> np.ndarray:
        """Gains of the first `cut` places by fused score, float32 [Q, min(cut, P)].

        Args:
            weights: float [S], or [Q, S] for weights of each request.
            cut: places wanted, at least 1.
        """
        count, width, scorers = self.parts.shape
        weights = np.broadcast_to(np.asarray(weights, np.float32), (count, scorers))
        scores = np.einsum("qps,qs->qp", self.parts, weights).astype(np.float64)
        # Of equal scores the lower row comes first: candidates stand in the order of their rows.
        keys = np.where(self.items >= 0, _TIE * np.arange(width) - scores, np.inf)
        best = np.argpartition(keys, min(cut, width) - 1, axis=1)[:, :cut]
        order = np.argsort(np.take_along_axis(keys, best, axis=1), axis=1)
        return np.take_along_axis(self.gains, np.take_along_axis(best, order, axis=1), axis=1)

    def some(self, rows: np.ndarray) -> Pool:
        """The pool of some of the requests, by their numbers int [R]."""
        tables = (self.items[rows], self.parts[rows], self.gains[rows])
        truth, keys = [self.truth[row] for row in rows], [self.keys[row] for row in rows]
        return Pool(*tables, truth, self.vectors[rows], self.flags[rows], keys)


def key_of(query: str, history: Sequence[int], truth: Mapping[int, float]) -> str:
    """What tells a request apart: by it requests are dealt into folds."""
    return f"{query}\0{list(history)}\0{sorted(truth)}"


def build_pool(
    fusion: Fusion,
    towers: QueryVectors,
    queries: Sequence[str],
    histories: Histories,
    truths: Sequence[Mapping[int, float]],
    size: int,
    exclude_history: bool = False,
    add_truth: bool = False,
    depth: int = DEPTH,
    description: str = "Scoring candidates",
) -> Pool:
    """Scores the best candidates of every scorer, and of their plain sum, by all scorers.

    A fused top 10 can hold only items near the top of some scorer or of the sum, so that weights chosen here are those
    that would be chosen on the whole catalogue.

    Args:
        fusion: the scorers and their normalisation; its weights are not read.
        towers: give the queries' vectors.
        queries: Q texts, "" for none.
        histories: per query the items' rows, oldest first; None for no history at all.
        truths: per query row of an item -> gain above 0.
        size: N, items of the catalogue.
        exclude_history: whether items of the history are no candidates.
        add_truth: whether right items are candidates even where no scorer finds them (for training).
        depth: candidates of each scorer.
        description: shown with the progress.
    """
    depth = min(depth, size)
    count = len(fusion.scorers)

    def candidates(request: Request) -> Any:
        parts = fusion.parts(request)
        lists = tf.concat([parts, tf.reduce_mean(parts, axis=1, keepdims=True)], axis=1)  # [B, S + 1, N]
        if exclude_history:
            flat = tf.reshape(lists, [-1, size])
            lists = tf.reshape(without(flat, tf.repeat(request.history, count + 1, axis=0)), [-1, count + 1, size])
        found = tf.math.top_k(lists, depth)
        rows = tf.where(found.values > -np.inf, found.indices, -1)
        return parts, tf.reshape(rows, [-1, (count + 1) * depth])

    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    vectors: list[np.ndarray] = []
    with Progress(description, len(queries)) as progress:
        for rows, request, values in answered(candidates, towers, queries, histories, size, count + 1):
            parts, found = (value.numpy() for value in values)
            vectors.append(request.vectors.numpy())
            for row, truth in enumerate(truths[rows]):
                extra = list(truth) if add_truth else []
                items = np.unique(np.append(found[row], np.array(extra, np.int32)))
                items = items[items >= 0].astype(np.int32)
                gains = np.array([truth.get(int(item), 0.0) for item in items], np.float32)
                kept.append((items, parts[row][:, items].T.copy(), gains))
            progress.advance(len(truths[rows]))
    width = max([1, *(len(items) for items, _, _ in kept)])
    items = np.full([len(kept), width], -1, np.int32)
    scores = np.zeros([len(kept), width, count], np.float32)
    gains = np.zeros([len(kept), width], np.float32)
    for number, (some, part, gain) in enumerate(kept):
        items[number, : len(some)], scores[number, : len(some)], gains[number, : len(some)] = some, part, gain
    ideal = [np.sort(np.array([gain for gain in truth.values() if gain > 0], np.float32))[::-1] for truth in truths]
    flags = np.zeros([len(queries), 3], np.float32)
    flags[:, 0] = [bool(query.strip()) for query in queries]
    if histories is not None:
        flags[:, 1] = [len(history) > 0 for history in histories]
        flags[:, 2] = np.log1p([len(history) for history in histories])
    whole = np.concatenate(vectors) if vectors else np.zeros([0, 1], np.float32)
    past = [[]] * len(queries) if histories is None else [list(history) for history in histories]
    keys = [key_of(query, past[row], truths[row]) for row, query in enumerate(queries)]
    return Pool(items, scores, gains, ideal, whole, flags, keys)
