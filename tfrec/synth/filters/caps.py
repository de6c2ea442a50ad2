"""Check: no item and no category has more samples than its share."""

from __future__ import annotations

import numpy as np
import polars as pl

from tfrec.synth.filters.check import FilterContext, Verdict
from tfrec.synth.filters.priority import by_priority


class Caps:
    """The best samples stay (see `by_priority`). The measure is the sample's place within its item or category."""

    name = "caps"

    def __call__(self, samples: pl.DataFrame, context: FilterContext) -> Verdict:
        """See Check."""
        settings = context.settings.caps
        targets, order = context.targets(samples), by_priority(samples)
        keep = np.ones(samples.height, bool)
        measure = np.full(samples.height, np.nan, np.float32)
        if settings.per_item is not None:
            _cap(targets, order, settings.per_item, keep, measure)
        if settings.per_category is not None and context.categories:
            numbers = np.unique(np.array(context.categories), return_inverse=True)[1].astype(np.int64)
            numbers[np.array(context.categories) == ""] = -1
            categories = np.where(targets >= 0, numbers[targets], -1)
            _cap(categories, order[keep[order]], settings.per_category, keep, measure)
        return Verdict(keep, measure)


def _cap(groups: np.ndarray, order: np.ndarray, most: int, keep: np.ndarray, measure: np.ndarray) -> None:
    """Drops what comes after the first `most` of each group; group -1 has no cap."""
    order = order[groups[order] >= 0]
    by_group = order[np.argsort(groups[order], kind="stable")]
    sizes = np.unique(groups[by_group], return_counts=True)[1]
    place = np.arange(len(by_group)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    keep[by_group[place > most]] = False
    measure[by_group] = place
