"""The source "catalogue": short queries cut out of item texts, labelled by the teacher."""

from __future__ import annotations

import polars as pl

from tfrec.data.split import EVALUATED
from tfrec.synth.catalogue_queries import catalogue_queries
from tfrec.synth.source import SAMPLES, SourceContext


class CatalogueSource:
    """Cuts synthesis.queries queries; needs neither labels nor a teacher."""

    name = "catalogue"

    def samples(self, context: SourceContext) -> pl.DataFrame:
        """Makes samples without an item: of many alike, the one it was cut from is seldom the best answer."""
        config, shop = context.config, context.shop
        evaluated = [query for split in EVALUATED for query in shop.judgments(split)]
        made = catalogue_queries(shop.item_texts, config.synthesis.queries, evaluated, config.seed)
        count = len(made)
        return pl.DataFrame(
            {
                "task": ["search"] * count,
                "query": [query for query, _ in made],
                "history": pl.Series([[]] * count, dtype=pl.List(pl.Int64)),
                "item": [-1] * count,
                "source": [self.name] * count,
                "generator": ["cut"] * count,
                "parent": [shop.item_ids[item] for _, item in made],
                "score": [1.0] * count,
                "confidence": [1.0] * count,
                "seed": [config.seed] * count,
            },
            schema=SAMPLES,
        )
