"""Check: of queries that are nearly the same and ask for the same item, one is there."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from tfrec.synth.filters.check import FilterContext, Verdict
from tfrec.synth.filters.folding import folded
from tfrec.synth.filters.minhash import candidate_pairs, signatures
from tfrec.synth.filters.priority import by_priority
from tfrec.synth.filters.sets import character_pairs, jaccard_of_pairs

_NUMBER = re.compile(r"\d+")


class NearDuplicates:
    """Pairs found by MinHash, then compared exactly. Queries with other numbers are other queries.

    The measure is the similarity to the sample that is kept instead.
    """

    name = "near_duplicates"

    def __call__(self, samples: pl.DataFrame, context: FilterContext) -> Verdict:
        """See Check."""
        settings = context.settings.near_duplicates
        order = by_priority(samples)
        texts = [folded(query) for query in samples["query"].gather(order)]
        sets = character_pairs(texts)
        classes = samples["item"].to_numpy()[order]
        pairs = candidate_pairs(signatures(sets, settings.hashes, context.seed), classes, settings.band)
        similarity = jaccard_of_pairs(sets, sets, pairs)
        near = similarity >= settings.similarity - 1e-6
        pairs, similarity = pairs[near], similarity[near]
        numbers: dict[int, list[str]] = {row: sorted(_NUMBER.findall(texts[row])) for row in np.unique(pairs).tolist()}
        dropped = np.zeros(samples.height, bool)
        measure = np.full(samples.height, np.nan, np.float32)
        by_second = np.lexsort((pairs[:, 0], pairs[:, 1]))
        # in order of the later row, so that the earlier one's fate is known
        for (kept, other), value in zip(pairs[by_second].tolist(), similarity[by_second].tolist(), strict=True):
            if not dropped[kept] and numbers[kept] == numbers[other]:
                dropped[other] = True
                measure[other] = np.fmax(measure[other], value)
        keep = np.ones(samples.height, bool)
        keep[order] = ~dropped
        measured = np.empty_like(measure)
        measured[order] = measure
        return Verdict(keep, measured)
