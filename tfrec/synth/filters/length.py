"""Check: the query is neither too short nor too long."""

from __future__ import annotations

import numpy as np
import polars as pl

from tfrec.synth.filters.check import FilterContext, Verdict
from tfrec.synth.filters.folding import is_unspaced, runs


class Length:
    """The measure is the number of words, or of letters and digits where that is what fails."""

    name = "length"

    def __call__(self, samples: pl.DataFrame, context: FilterContext) -> Verdict:
        """See Check."""
        settings = context.settings.length
        sizes = np.array([_sizes(query) for query in samples["query"]], np.int64).reshape(-1, 2)
        (fewest, most), (few, many) = settings.characters, settings.words
        fits = (sizes[:, 0] >= fewest) & (sizes[:, 0] <= most)
        measure = np.where(fits, sizes[:, 1], sizes[:, 0]).astype(np.float32)
        return Verdict(fits & (sizes[:, 1] >= few) & (sizes[:, 1] <= many), measure)


def _sizes(query: str) -> tuple[int, int]:
    found = runs(query)
    return sum(map(len, found)), sum((len(run) + 1) // 2 if is_unspaced(run) else 1 for run in found)
