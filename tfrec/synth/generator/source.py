"""Source "generator": queries that a decoder trained on the shop's own pairs writes for every item."""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tfrec.synth.catalogue_queries import normalise
from tfrec.synth.source import SAMPLES, SourceContext

if TYPE_CHECKING:
    from tfrec.synth.generator.fitting import QueryGenerator

NAME = "generator"
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7ff]")
_FULL_CONFIDENCE = 0.9  # quantile of the likelihoods from which a query counts fully


class GeneratorSource:
    """Learns (item text -> query) from the training searches and samples queries for the catalogue."""

    name = NAME

    def samples(self, context: SourceContext) -> pl.DataFrame:
        """Trains the generator, or goes on with one that was killed, and samples.

        Args:
            context: searches of the split "train", item texts, section synthesis.generator, the encoder, the seed.

        Returns:
            the columns of SAMPLES, each row's item the one it was written for. With fewer pairs than
            synthesis.generator.minimum_pairs templates stand in, or no rows where templates are a source themselves; a
            line on standard error says so.
        """
        from tfrec.synth.generator.pairs import train_pairs

        config, seed = context.config.synthesis.generator, context.config.seed
        real = train_pairs(context.shop, config.max_pairs, seed)
        distinct = len(set(real.queries))
        if len(real) < config.minimum_pairs or distinct < config.minimum_queries:
            also = "templates" in context.config.synthesis.sources
            _say(
                f"{len(real)} training pairs of {distinct} queries are fewer than the {config.minimum_pairs} of "
                f"{config.minimum_queries} that synthesis.generator asks for, so "
                + ("the source templates is left to make queries" if also else "templates stand in")
            )
            return pl.DataFrame(schema=SAMPLES) if also else _stand_in(context)
        from tfrec.synth.generator.fitting import fitted

        generator = fitted(context, real)
        rows, dropped = self._sampled(context, generator, real.queries)
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items())) or "none"
        _say(f"{len(rows)} queries written, dropped: {told}")
        return _frame(rows, context.shop.item_ids, seed)

    def _sampled(
        self, context: SourceContext, generator: QueryGenerator, known: list[str]
    ) -> tuple[list[tuple[str, int, float]], Counter[str]]:
        """(query, item, mean log probability) of what is fit to be a query, and how many were not, by reason."""
        config, seed, shop = context.config.synthesis.generator, context.config.seed, context.shop
        draws = int(np.clip(-(-config.queries // max(1, shop.size)), 1, config.per_item))
        wanted = min(shop.size, -(-config.queries // draws))
        items = np.sort(np.random.default_rng([seed, 3]).permutation(shop.size)[:wanted])
        judged = {normalise(query) for query in known} if config.novel_only else set()
        words = {word for text in [*shop.item_texts, *known] for word in _WORD.findall(normalise(text))}
        rows: list[tuple[str, int, float]] = []
        dropped: Counter[str] = Counter()
        taken: set[tuple[str, int]] = set()
        for item, text, likelihood, ended in generator.write([int(item) for item in items], draws):
            query = normalise(text)
            found = _WORD.findall(query)
            if not ended:
                dropped["too long"] += 1
            elif not found:
                dropped["without a word"] += 1
            elif len(set(found)) < len(found):
                dropped["with a word twice"] += 1
            elif not all(_known(word, words) for word in found):
                dropped["with an invented word"] += 1
            elif query in judged:
                dropped["known from training"] += 1
            elif (query, item) in taken:
                dropped["written twice"] += 1
            else:
                taken.add((query, item))
                rows.append((query, item, likelihood))
        return rows, dropped


def _stand_in(context: SourceContext) -> pl.DataFrame:
    """As many queries by templates as the generator would be asked for."""
    from tfrec.synth.templates.source import TemplateSource

    config = context.config.model_copy(deep=True)
    config.synthesis.templates.queries = config.synthesis.generator.queries
    made = TemplateSource().samples(replace(context, config=config))
    return made.with_columns(pl.lit(NAME).alias("source"), pl.format("templates: {}", "generator").alias("generator"))


def _known(word: str, words: set[str]) -> bool:
    """Whether a word is one of the shop's; in scripts without spaces, where runs are no words, each one is."""
    return word in words or _UNSPACED.search(word) is not None


def _frame(rows: list[tuple[str, int, float]], item_ids: list[str], seed: int) -> pl.DataFrame:
    likelihoods = np.exp(np.array([likelihood for *_, likelihood in rows], np.float64))
    full = float(np.quantile(likelihoods, _FULL_CONFIDENCE)) if rows else 1.0
    count = len(rows)
    return pl.DataFrame(
        {
            "task": ["search"] * count,
            "query": [query for query, *_ in rows],
            "history": [[] for _ in rows],
            "item": [item for _, item, _ in rows],
            "source": [NAME] * count,
            "generator": ["decoder"] * count,
            "parent": [item_ids[item] for _, item, _ in rows],
            "score": likelihoods.tolist(),
            "confidence": np.minimum(1.0, likelihoods / max(full, 1e-30)).tolist(),
            "seed": [seed] * count,
        },
        schema=SAMPLES,
    )


def _say(text: str) -> None:
    print(f"Query generator: {text}.", file=sys.stderr, flush=True)
