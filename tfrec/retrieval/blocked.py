"""The best k of a catalogue scored block by block: a million items need no [B, N] matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tfrec.retrieval.ranking import without
from tfrec.tensorflow_setup import tf

Tensor = Any


def blocked_top_k(
    score_block: Callable[[Tensor], Tensor],
    blocks: int,
    width: int,
    size: int,
    batch: Tensor,
    k: Tensor,
    exclude: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Exact top-k over blocks of equal width, in a loop that keeps the best so far.

    Args:
        score_block: number of a block, int32 scalar -> its scores float32 [B, width]; the last block may reach beyond
            the catalogue, those scores are ignored.
        blocks: number of blocks.
        width: items per block; block b holds items b * width and following.
        size: N, items of the catalogue.
        batch: B, int32 scalar.
        k: int32 scalar, at least 1; above N it means N.
        exclude: items that must not appear, int32 [B, H], -1 excludes nothing; or None.

    Returns:
        (scores float32 [B, min(k, N)], item indices int32 [B, min(k, N)]), best first, of equal scores the lower index
        first; -inf and -1 where too many items are excluded.
    """
    k = tf.minimum(tf.cast(k, tf.int32), size)

    def body(block: Tensor, best: Tensor, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first = block * width
        scores = score_block(block)
        if blocks * width != size:
            scores = tf.where(tf.range(width) + first < size, scores, -np.inf)
        if exclude is not None:
            inside = tf.logical_and(exclude >= first, exclude < first + width)
            scores = without(scores, tf.where(inside, exclude - first, -1))
        found = tf.math.top_k(scores, tf.minimum(k, width))
        # Earlier blocks hold lower indices and stand on the left, so that ties still go to the lower index.
        both = tf.concat([best, found.values], axis=1)
        indices = tf.concat([items, found.indices + first], axis=1)
        kept = tf.math.top_k(both, k)
        return block + 1, kept.values, tf.gather(indices, kept.indices, batch_dims=1)

    start = (tf.constant(0), tf.fill([batch, k], np.float32(-np.inf)), tf.fill([batch, k], -1))
    shapes = (tf.TensorShape([]), tf.TensorShape([None, None]), tf.TensorShape([None, None]))
    _, best, items = tf.while_loop(
        lambda block, *_: block < blocks, body, start, shape_invariants=shapes, parallel_iterations=1
    )
    return best, tf.where(best > -np.inf, items, -1)
