"""What a shop has judged itself, as far as it may be learned from."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tfrec.data.shop import ShopData


@dataclass(frozen=True)
class TrainLabels:
    """The judged pairs of the train split.

    Attributes:
        positives: query -> item -> gain, of the items that answer it.
        judged: query -> all its judged items, those that do not answer it too.
    """

    positives: dict[str, dict[int, float]]
    judged: dict[str, set[int]]

    @classmethod
    def of(cls, shop: ShopData) -> TrainLabels:
        """Reads them; empty for a shop without searches."""
        positives: dict[str, dict[int, float]] = {}
        judged: dict[str, set[int]] = {}
        if shop.has_searches:
            least = shop.manifest["min_gain"]
            train = shop.searches.filter(pl.col("split") == "train")
            for query, item, gain in train.select("query", "item", "gain").iter_rows():
                judged.setdefault(query, set()).add(item)
                if gain > 0 and gain >= least:
                    positives.setdefault(query, {})[item] = gain
        return cls(positives, judged)
