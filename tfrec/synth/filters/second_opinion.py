"""Check: another scorer of (query, item text) agrees."""

from __future__ import annotations

import numpy as np
import polars as pl

from tfrec.errors import DataError
from tfrec.synth.filters.check import FilterContext, Verdict
from tfrec.synth.filters.teacher_ranks import teacher_ranks
from tfrec.synth.sources import label_themselves


class SecondOpinion:
    """A cross-encoder, a judge, or by default the hybrid teacher's margin.

    Samples without an item pass unmeasured; so do, by the teacher's margin, those that the round trip lets pass because
    they label themselves. The measure is the score.
    """

    name = "second_opinion"

    def __call__(self, samples: pl.DataFrame, context: FilterContext) -> Verdict:
        """See Check.

        Raises:
            DataError: the scorer gave another number of scores than it was given pairs.
        """
        targets = context.targets(samples)
        scores = np.full(samples.height, np.nan, np.float32)
        if context.second_opinion is None and "teacher_margin" in samples.columns:
            scores = samples["teacher_margin"].to_numpy().copy()
        asked = (targets >= 0) & np.isnan(scores)
        if context.second_opinion is None:
            asked &= ~label_themselves(samples["source"])
        rows = np.flatnonzero(asked)
        if len(rows):
            queries = samples["query"].gather(rows).to_list()
            if context.second_opinion is None:
                scores[rows] = teacher_ranks(queries, targets[rows], context.teacher(), [], margin=True).margin
            else:
                given = np.asarray(context.second_opinion(queries, [context.item_texts[n] for n in targets[rows]]))
                if given.shape != (len(rows),):
                    raise DataError(
                        f"The second opinion must give one score per pair ({len(rows)} here), but gave an array of "
                        f"shape {given.shape}."
                    )
                # a score that is no number is no agreement
                scores[rows] = np.nan_to_num(given.astype(np.float32), nan=-np.inf)
        return Verdict(np.isnan(scores) | (scores >= context.settings.second_opinion.least), scores)
