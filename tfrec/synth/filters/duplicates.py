"""Check: the same query for the same item is there once."""

from __future__ import annotations

import numpy as np
import polars as pl

from tfrec.synth.catalogue_queries import normalise
from tfrec.synth.filters.check import FilterContext, Verdict
from tfrec.synth.filters.priority import by_priority


class Duplicates:
    """Unlabelled samples of one query are the same, whatever item they were made from. There is no measure."""

    name = "duplicates"

    def __call__(self, samples: pl.DataFrame, context: FilterContext) -> Verdict:
        """See Check."""
        order = by_priority(samples)
        queries = pl.Series("query", [normalise(query) for query in samples["query"]], pl.String)
        keys = samples.select(queries, "history", "item")[order]
        keep = np.zeros(samples.height, bool)
        keep[order] = keys.is_unique().to_numpy() | _first(keys)
        return Verdict(keep, np.full(samples.height, np.nan, np.float32))


def _first(keys: pl.DataFrame) -> np.ndarray:
    columns = [pl.col("query"), pl.col("history").list.eval(pl.element().cast(pl.String)).list.join(" "), "item"]
    return keys.select(pl.struct(columns).is_first_distinct()).to_series().to_numpy()
