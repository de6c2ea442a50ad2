"""Dense scorer for millions of items: a query reads the groups of near items that promise most, not the catalogue."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tfrec.retrieval.dense import DenseScorer, as_int8
from tfrec.retrieval.grouping import balanced_groups
from tfrec.retrieval.normalising import Whole
from tfrec.retrieval.rows import read_rows
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

Tensor = Any
_NARROWEST = 32


class TwoLevelScorer(DenseScorer):
    """Likeness of unit vectors, near the exact one for what a query is like, rough for all the rest.

    An inverted file (Jégou et al. 2011, Product Quantization for Nearest Neighbor Search) over groups of one size. A
    query is compared with the mean of every group, reads the vectors (int8) of the `probes` best groups, and scores the
    best `rescore` of them again in f32. An item of another group has the score of its group's mean, never one above
    the lowest rescored item's, so that words or a history can still bring it forward. Mean and deviation over the
    catalogue, by which scores of several scorers are brought together, are exact: they follow from the mean and the
    covariance of all vectors.

    Args:
        catalogue: unit vectors float32 [N, D]: an array, or a tf.Variable that the module holds anyway.
        probes: groups that a query reads, at least 1.
        rescore: see DenseScorer.
        width: places of a group, at least 2; 0 for an eighth of the root of N, so that means and groups take as long.
        seed: of the grouping.
        description: of the progress, "" for none.
    """

    def __init__(
        self, catalogue: Any, probes: int, rescore: int = 100, width: int = 0, seed: int = 17, description: str = ""
    ) -> None:
        if probes < 1 or width == 1 or width < 0:
            raise ValueError(f"at least one group of two places must be read, not {probes} of {width}")
        self._probes, self._group_width, self._seed, self._description = probes, width, seed, description
        super().__init__(catalogue, "int8", rescore)
        # A graph, for outside of one a map over no query fails; behind a plain function, see Retriever.
        each = tf.function(self._each, autograph=False)
        self._likeness = lambda query, groups: each(query, groups)

    def _store(self, vectors: np.ndarray) -> None:
        if not self._group_width:
            self._group_width = max(_NARROWEST, 2 ** round(np.log2(np.sqrt(self.size) / 8)))
        groups = balanced_groups(vectors, self._group_width, self._seed, self._description)
        home = np.empty([self.size], np.int32)
        home[groups[groups >= 0]] = np.nonzero(groups >= 0)[0]
        # An empty place repeats the group's first item: what is written there for an item is the same twice.
        places = np.where(groups < 0, groups[:, :1], groups)
        self._members, self._filled = _kept(places, "members"), _kept(groups >= 0, "filled")
        self._home = _kept(home, "home")
        means = np.stack([vectors[rows[rows >= 0]].mean(axis=0) for rows in groups])
        self._means = _kept(np.ascontiguousarray(means.T), "means")
        whole, scales = as_int8(vectors)
        self._blocks = _kept(whole.astype(np.int8)[places], "groups")  # [M, width, D]
        self._scales = _kept(scales[places, 0], "scales")
        centre = vectors.mean(axis=0)
        self._centre = _kept(centre[:, np.newaxis], "centre")
        self._covariance = _kept(vectors.T @ vectors / np.float32(self.size) - np.outer(centre, centre), "covariance")
        self._probes = min(self._probes, len(groups))

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self._members.shape[0])

    @property
    def width(self) -> int:
        """Places of a group."""
        return self._group_width

    def reading(self, probes: int) -> TwoLevelScorer:
        """The same groups, of which a query reads another number."""
        other = copy.copy(self)
        other._probes = min(probes, self.groups)
        return other

    def part(self, first: int, end: int) -> DenseScorer:
        """See Scorer; a part has groups of its own and reads as many of them, so more than the whole does."""
        vectors = self._rows.numpy()[first:end]
        return TwoLevelScorer(vectors, self._probes, self._rescore, self._group_width, self._seed)

    def whole(self, request: Request) -> Whole:
        """See Scorer: by the mean and the covariance of all vectors; the extremes are not known."""
        query = request.vectors
        mean = tf.matmul(query, self._centre)
        variance = tf.reduce_sum(tf.matmul(query, self._covariance) * query, axis=1, keepdims=True)
        return Whole(mean, tf.sqrt(tf.maximum(variance, 0.0)), mean, mean)

    def __call__(self, request: Request) -> Tensor:
        """See Scorer: float32 [B, N]; a zero vector gives 0 for all items."""
        query = request.vectors
        rough = tf.matmul(query, self._means)
        rows, likeness, filled = self._read(query, rough)
        found = tf.math.top_k(tf.where(filled, likeness, -np.inf), tf.minimum(self._rescore, tf.shape(rows)[1]))
        best = tf.gather(rows, found.indices, batch_dims=1)
        exact = self._exact(query, best)
        lowest = tf.reduce_min(exact, axis=1, keepdims=True)
        scores = tf.gather(tf.minimum(rough, lowest), self._home, axis=1)
        scores = _with(scores, rows, tf.minimum(likeness, lowest))
        return _with(scores, best, exact)

    def top_k(self, request: Request, k: Tensor, exclude: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """See DenseScorer; places that the groups read cannot fill hold -inf and -1."""
        query = request.vectors
        k = tf.minimum(tf.cast(k, tf.int32), self.size)
        rows, likeness, filled = self._read(query, tf.matmul(query, self._means))
        if exclude is not None:
            filled &= ~tf.reduce_any(rows[:, :, tf.newaxis] == exclude[:, tf.newaxis, :], axis=2)
        likeness = tf.where(filled, likeness, -np.inf)
        found = tf.math.top_k(likeness, tf.minimum(tf.maximum(k, self._rescore), tf.shape(rows)[1]))
        rows = tf.gather(rows, found.indices, batch_dims=1)
        exact = tf.where(found.values > -np.inf, self._exact(query, rows), -np.inf)
        best = tf.math.top_k(exact, tf.minimum(k, tf.shape(rows)[1]))
        missing = [[0, 0], [0, tf.maximum(k - tf.shape(rows)[1], 0)]]
        scores = tf.pad(best.values, missing, constant_values=-np.inf)
        rows = tf.pad(tf.gather(rows, best.indices, batch_dims=1), missing, constant_values=-1)
        return scores, tf.where(scores > -np.inf, rows, -1)

    def _read(self, query: Tensor, rough: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The items of the best groups: rows int32 [B, P * width], their likeness float32, whether a place is filled.

        Query after query, because a batch's groups together are as large as the catalogue.
        """
        groups = tf.math.top_k(rough, self._probes).indices
        likeness = self._likeness(query, groups)
        flat = [tf.shape(query)[0], self._probes * self._group_width]
        rows, filled = (tf.reshape(read_rows(table, groups), flat) for table in (self._members, self._filled))
        return rows, tf.reshape(likeness, flat), filled

    def _each(self, query: Tensor, groups: Tensor) -> Tensor:
        """Likeness float32 [B, P, width] to all places of given groups int32 [B, P]."""

        def one(mine: tuple[Tensor, Tensor]) -> Tensor:
            block = tf.reshape(tf.cast(read_rows(self._blocks, mine[1]), tf.float32), [-1, self.dimension])
            likeness = tf.reshape(tf.linalg.matvec(block, mine[0]), [-1, self._group_width])
            return likeness * read_rows(self._scales, mine[1])

        shape = tf.TensorSpec([groups.shape[1], self._group_width], tf.float32)
        return tf.map_fn(one, (query, groups), fn_output_signature=shape, parallel_iterations=2)


def _kept(values: np.ndarray, name: str) -> Any:
    """A variable, because it goes beside the graph: a protobuf ends at 2 GB."""
    return tf.Variable(values, trainable=False, name=f"two_level_{name}")


def _with(scores: Tensor, rows: Tensor, values: Tensor) -> Tensor:
    """Scores float32 [B, N] with other values float32 [B, R] for rows int32 [B, R]."""
    batch = tf.broadcast_to(tf.range(tf.shape(rows)[0])[:, tf.newaxis], tf.shape(rows))
    return tf.tensor_scatter_nd_update(scores, tf.stack([batch, rows], axis=-1), values)
