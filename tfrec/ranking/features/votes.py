"""Whether a candidate is of the kind that the best candidates are of: their brand, their category, their colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tfrec.data.shop import ShopData
from tfrec.data.text_columns import text_columns
from tfrec.ranking.candidates import Candidates, standard
from tfrec.ranking.features.feature import Feature
from tfrec.retrieval.rows import read_rows
from tfrec.tensorflow_setup import tf

Tensor = Any
_MOST = 4
_LEAST_PER_VALUE = 5.0  # items; a column of fewer is no kind
_LEAST_FILLED = 0.3
_LONGEST = 8.0  # words of a value, on average


class Votes(Feature):
    """Of each column: the share of the candidates' votes that its value has, a candidate's vote being the softmax of
    its fused score's deviation.

    Args:
        values: column -> number of each item's value int [N], -1 where it has none.
    """

    group = "votes"

    def __init__(self, values: Mapping[str, np.ndarray]) -> None:
        super().__init__(name="votes")
        self.names = [f"votes for its {name}" for name in values]
        table = np.stack(list(values.values()), axis=1)
        self._values = tf.Variable(table, trainable=False, dtype=tf.int32, name="values")

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        values = read_rows(self._values, candidates.rows)  # [B, K, C]
        scores = tf.where(candidates.filled, standard(candidates.fused, candidates.filled), np.float32(-1e9))
        votes = tf.nn.softmax(scores, axis=1)
        shares = []
        for column in tf.unstack(values, axis=2):
            same = tf.equal(column[:, :, tf.newaxis], column[:, tf.newaxis]) & (column >= 0)[:, tf.newaxis]
            shares.append(tf.linalg.matvec(tf.cast(same, tf.float32), votes))
        return tf.stack(shares, axis=2)


def votes_of(shop: ShopData) -> Votes | None:
    """The text columns that many items share the values of; None where there is no such column."""
    kinds = kinds_of(shop)
    return Votes(kinds) if kinds else None


def kinds_of(shop: ShopData) -> dict[str, np.ndarray]:
    """Column -> number of each item's value int [N], -1 where it has none: at most four text columns of short values
    that many items share, such as brand, category and colour."""
    found: dict[str, np.ndarray] = {}
    for column in text_columns(shop.items):
        values = shop.items[column.name]
        distinct = values.n_unique()
        if (
            column.filled >= _LEAST_FILLED and column.words <= _LONGEST
            and 1 < distinct <= column.filled * len(values) / _LEAST_PER_VALUE
        ):  # fmt: skip
            numbers = values.rank("dense").cast(pl.Int32).to_numpy() - 1
            found[column.name] = np.where((values.str.strip_chars() == "").to_numpy(), -1, numbers)
    return {name: found[name] for name in list(found)[:_MOST]}
