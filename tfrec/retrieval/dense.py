"""Dense scorer: the inner product of the query's vector with every item's, exact or from a smaller first pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.retrieval.blocked import blocked_top_k
from tfrec.retrieval.rows import read_rows
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.tensorflow_setup import tf

Tensor = Any
PRECISIONS = ("f32", "bf16", "int8")
_LARGEST = 127  # of a symmetric int8


class DenseScorer(Scorer):
    """Likeness of unit vectors.

    The catalogue lies as [blocks, D, width]: a row of the product then reads memory in one direction, which is 2-4
    times as fast as [N, D] with `transpose_b` on a CPU, and a block is a view, not a copy.

    bf16 and int8 find candidates in a smaller copy of the catalogue and score the best `rescore` of a request again in
    f32. int8 holds each item's vector as whole numbers of its largest entry / 127 (symmetric, one scale per item).
    Items that are not rescored keep their approximate score, but never one above the lowest rescored item's.

    Args:
        catalogue: unit vectors float32 [N, D]: an array, or a tf.Variable that the module holds anyway (bf16 and int8
            read single rows of it; f32 never reads it after construction).
        precision: "f32", "bf16" or "int8".
        rescore: candidates per request that are scored in f32, at least 1; f32 ignores it.
        block: items per block at most.

    Raises:
        ValueError: the precision is unknown, or the catalogue is not a matrix of at least one item.
    """

    def __init__(self, catalogue: Any, precision: str = "f32", rescore: int = 100, block: int = 16384) -> None:
        super().__init__(name="dense")
        self.label = "dense"
        if precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
        vectors = np.asarray(catalogue.numpy() if isinstance(catalogue, tf.Variable) else catalogue, np.float32)
        if vectors.ndim != 2 or not len(vectors) or rescore < 1 or block < 1:
            raise ValueError(f"a catalogue [N, D] and rescore, block of at least 1 are needed, not {vectors.shape}")
        self.size, self.dimension = vectors.shape
        self.precision, self._rescore, self._block_size = precision, rescore, block
        self._rows: Any = None
        if precision != "f32":
            is_variable = isinstance(catalogue, tf.Variable)
            self._rows = catalogue if is_variable else tf.Variable(vectors, trainable=False, name="dense_rows")
        self._store(vectors)

    def _store(self, vectors: np.ndarray) -> None:
        """Keeps what the first pass reads."""
        self._count = -(-self.size // self._block_size)
        self._width = -(-self.size // self._count)
        self._scales: Any = None
        if self.precision == "int8":
            vectors, scales = as_int8(vectors)
            self._scales = self._stored(scales, np.float32, "scales")
        kind = {"f32": np.float32, "bf16": tf.bfloat16.as_numpy_dtype, "int8": np.int8}[self.precision]
        self._blocks = self._stored(vectors, kind, "blocks")

    @property
    def rows(self) -> Any:
        """The variable float32 [N, D] that single items are read from; None with f32, which reads none."""
        return self._rows

    def part(self, first: int, end: int) -> DenseScorer:
        """See Scorer; bf16 and int8 rescore the best of the part, so at least as many as the whole does."""
        if self._rows is None:
            vectors = self._blocks.numpy().swapaxes(1, 2).reshape(-1, self.dimension)
        else:
            vectors = self._rows.numpy()
        return DenseScorer(vectors[first:end], self.precision, self._rescore, self._block_size)

    def __call__(self, request: Request) -> Tensor:
        """Inner products float32 [B, N] of request.vectors with the catalogue; a zero vector gives 0 for all items."""
        query = request.vectors
        parts = [self._block(query, number) for number in range(self._count)]
        filled = self._count * self._width - self.size
        if filled:
            parts[-1] = parts[-1][:, : self._width - filled]
        scores = parts[0] if self._count == 1 else tf.concat(parts, axis=1)
        if self.precision == "f32":
            return scores
        found = tf.math.top_k(scores, min(self._rescore, self.size))
        exact = self._exact(query, found.indices)
        scores = tf.minimum(scores, tf.reduce_min(exact, axis=1, keepdims=True))
        rows = tf.broadcast_to(tf.range(tf.shape(query)[0])[:, tf.newaxis], tf.shape(exact))
        return tf.tensor_scatter_nd_update(scores, tf.stack([rows, found.indices], axis=-1), exact)

    def top_k(self, request: Request, k: Tensor, exclude: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The best items without the matrix of all scores.

        Args:
            request: only its vectors are read.
            k: int32 scalar, at least 1; above N it means N.
            exclude: items that must not appear, int32 [B, H], -1 excludes nothing; or None.

        Returns:
            (scores float32 [B, min(k, N)], item indices int32 [B, min(k, N)]), best first; with f32 of equal scores the
            lower index first; -inf and -1 in places that nothing fills.
        """
        query, batch = request.vectors, tf.shape(request.vectors)[0]
        k = tf.minimum(tf.cast(k, tf.int32), self.size)
        depth = k if self.precision == "f32" else tf.maximum(k, self._rescore)
        best, items = blocked_top_k(
            lambda number: self._block(query, number), self._count, self._width, self.size, batch, depth, exclude
        )
        if self.precision == "f32":
            return best, items
        exact = tf.where(items >= 0, self._exact(query, tf.maximum(items, 0)), np.float32(-np.inf))
        found = tf.math.top_k(exact, k)
        return found.values, tf.gather(items, found.indices, batch_dims=1)

    def _block(self, query: Tensor, number: Any) -> Tensor:
        """Scores float32 [B, width] of one block."""
        block = self._blocks[number]
        if self.precision == "bf16":
            return tf.cast(tf.matmul(tf.cast(query, tf.bfloat16), block), tf.float32)
        if self.precision == "int8":
            return tf.matmul(query, tf.cast(block, tf.float32)) * self._scales[number]
        return tf.matmul(query, block)

    def _exact(self, query: Tensor, items: Tensor) -> Tensor:
        return tf.einsum("bd,brd->br", query, read_rows(self._rows, items))

    def _stored(self, rows: np.ndarray, kind: Any, name: str) -> Any:
        """[N, E] as a variable [blocks, E, width], the last block filled up with zeros.

        A variable, because it goes beside the graph: a protobuf ends at 2 GB.
        """
        blocks = np.zeros([self._count, rows.shape[1], self._width], kind)
        for number in range(self._count):
            part = rows[number * self._width : (number + 1) * self._width]
            blocks[number, :, : len(part)] = part.T
        return tf.Variable(blocks, trainable=False, name=f"dense_{name}")


def as_int8(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors [N, D] as whole numbers of their largest entry / 127, float32 [N, D], and these units, float32 [N, 1]."""
    scales = (np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12) / _LARGEST).astype(np.float32)
    return np.rint(vectors / scales), scales


def over(catalogue: np.ndarray, scorers: Sequence[Scorer]) -> list[Scorer]:
    """The scorers, with unit vectors float32 [N, D] of another encoder in the place of the dense ones'."""
    return [DenseScorer(catalogue) if isinstance(one, DenseScorer) else one for one in scorers]
