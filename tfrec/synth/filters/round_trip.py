"""Check: a made query leads back to its item."""

from __future__ import annotations

import numpy as np
import polars as pl

from tfrec.synth.filters.check import FilterContext, Verdict
from tfrec.synth.filters.teacher_ranks import teacher_ranks
from tfrec.synth.sources import label_themselves


class RoundTrip:
    """Round-trip consistency (Alberti et al. 2019; the filter of Promptagator, Dai et al. 2023).

    Samples without an item pass unmeasured, as do those of exempt sources and of all that label themselves: a judgment
    that was spread, or a click, says that the item answers the query, not that the teacher finds it; what the teacher
    misses is what can be learned. The measure is the item's rank, the worst of the scorers' where all must agree, else
    the best; the columns teacher_rank and teacher_margin keep what was seen.
    """

    name = "round_trip"

    def __call__(self, samples: pl.DataFrame, context: FilterContext) -> Verdict:
        """See Check."""
        settings = context.settings.round_trip
        targets = context.targets(samples)
        exempt = samples["source"].is_in(settings.exempt).to_numpy() | label_themselves(samples["source"])
        rows = np.flatnonzero((targets >= 0) & ~exempt)
        rank = np.full(samples.height, np.nan, np.float32)
        margin = rank.copy()
        if len(rows):
            queries = samples["query"].gather(rows).to_list()
            second = context.settings.second_opinion
            asked = second.enabled and context.second_opinion is None
            found = teacher_ranks(queries, targets[rows], context.teacher(), settings.scorers, margin=asked)
            every = np.stack([found.ranks[scorer] for scorer in settings.scorers])
            rank[rows] = every.max(axis=0) if settings.agree == "all" else every.min(axis=0)
            margin[rows] = found.margin
        keep = np.isnan(rank) | (rank <= settings.top)
        return Verdict(keep, rank, {"teacher_rank": rank, "teacher_margin": margin})
