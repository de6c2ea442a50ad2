"""Numeric columns of the catalogue and the usual quantity, beside what the shopper is used to."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tfrec.data.shop import ShopData
from tfrec.ranking.candidates import Candidates
from tfrec.ranking.features.feature import Feature, ItemNumbers
from tfrec.tensorflow_setup import tf

Tensor = Any


class Columns(Feature):
    """Each number, and how far it is from the mean of the shopper's history: signed and not.

    Args:
        numbers: of the items.
    """

    group = "columns"

    def __init__(self, numbers: ItemNumbers) -> None:
        super().__init__(name="columns")
        self._numbers = numbers
        kinds = ("{}", "{} above the habit", "{} away from the habit")
        self.names = [kind.format(name) for kind in kinds for name in numbers.names]

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        values = self._numbers(candidates)
        history = candidates.request.history
        known = tf.cast(tf.reduce_any(history >= 0, axis=1), tf.float32)[:, tf.newaxis, tf.newaxis]
        above = (values - self._numbers.habits(history)[:, tf.newaxis]) * known
        return tf.concat([values, above, tf.abs(above)], axis=2)


def columns_of(shop: ShopData) -> Columns | None:
    """The logarithms of numeric columns that are nowhere negative (price among them) and of the usual quantity.

    Args:
        shop: of which the purchases of train are known, if it has any.

    Returns:
        None where there is no such number.
    """
    numbers = {}
    for name in shop.items.columns:
        if shop.items.schema[name].is_numeric():
            values = shop.items[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
            known = np.isfinite(values)
            if len(np.unique(values[known])) > 1 and values[known].min() >= 0:
                numbers[name] = np.log1p(values)
    if shop.has_interactions:
        rows = shop.interactions.filter(pl.col("split") == "train")
        amount = rows["quantity"].cast(pl.Float64).fill_null(1.0).to_numpy()
        if len(np.unique(amount)) > 1:
            item = rows["item"].to_numpy()
            count = np.bincount(item, minlength=shop.size)
            total = np.bincount(item, np.log1p(np.maximum(amount, 0.0)), shop.size)
            numbers["quantity"] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Columns(ItemNumbers("columns", numbers)) if numbers else None
