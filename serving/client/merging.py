"""What the answers of shards are together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tfrec.serving.client.results import Hit

Outputs = Mapping[str, np.ndarray]


def merged_statistics(parts: Sequence[np.ndarray], sizes: Sequence[int]) -> np.ndarray:
    """Statistics of scores over several parts of a catalogue.

    Args:
        parts: float32 [B, S, 4] each: mean, sum of squared distances from it, least, largest.
        sizes: items of each part.

    Returns:
        float32 [B, S, 4]: mean, standard deviation, least, largest.

    Source: Chan, Golub & LeVeque 1983 (pairwise variances).
    """
    several = np.stack(parts).astype(np.float64)
    counts = np.asarray(sizes, np.float64)[:, None, None]
    mean = (counts * several[..., 0]).sum(axis=0) / counts.sum()
    squares = (several[..., 1] + counts * (several[..., 0] - mean) ** 2).sum(axis=0)
    deviation = np.sqrt(squares / counts.sum())
    low, high = several[..., 2].min(axis=0), several[..., 3].max(axis=0)
    return np.stack([mean, deviation, low, high], axis=-1).astype(np.float32)


def merged_hits(answers: Sequence[Outputs], k: int) -> list[list[Hit]]:
    """The best k of all shards' best, equal scores by their row in the catalogue.

    Args:
        answers: `item_ids` [B, K], `scores` float32 [B, K] and `rows` int32 [B, K] of each shard.
        k: hits at most.
    """
    ids, scores, rows = (
        np.concatenate([answer[name] for answer in answers], axis=1) for name in ("item_ids", "scores", "rows")
    )
    order = np.lexsort((rows, -scores), axis=1)[:, :k]
    return [
        [
            Hit(ids[row, place].decode("utf-8", "replace"), float(scores[row, place]))
            for place in places
            if ids[row, place]
        ]
        for row, places in enumerate(order)
    ]


def merged_items(answers: Sequence[Outputs]) -> tuple[np.ndarray, np.ndarray]:
    """Rows int32 [B, H] (-1 where no shard knows an item) and vectors float32 [B, H, D] of items of shards."""
    rows = np.max([answer["rows"] for answer in answers], axis=0)
    return rows, np.sum([answer["vectors"] for answer in answers], axis=0)
