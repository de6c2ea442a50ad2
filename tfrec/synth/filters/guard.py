"""Check that has no switch: no query that is evaluated, nor a near-copy of one, is trained on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from tfrec.synth.catalogue_queries import normalise
from tfrec.synth.filters.check import FilterContext, Verdict
from tfrec.synth.filters.folding import content_words, folded
from tfrec.synth.filters.sets import Sets, character_pairs, similar_pairs, word_sets


class EvaluatedQueries:
    """Looks for the queries of dev and test in four ways; each is exact, none can miss what it looks for.

    The same text (case, width, spaces, accents, punctuation, plurals aside); nearly the same words in any order
    (function words aside); nearly the same character pairs of the words (typing errors); nearly the same
    character pairs without spaces (compounds). The measure is the greatest similarity at or above a bound.
    """

    name = "evaluated_queries"

    def __call__(self, samples: pl.DataFrame, context: FilterContext) -> Verdict:
        """See Check."""
        bounds = context.settings.guard
        similarity = np.zeros(samples.height, np.float32)
        # judged once per distinct query
        distinct = samples["query"].unique(maintain_order=True)
        evaluated = sorted({normalise(query) for query in context.evaluated})
        if evaluated and len(distinct):
            queries = distinct.to_list()
            found = _nearest(queries, evaluated, bounds.words, bounds.characters)
            place = {query: number for number, query in enumerate(queries)}
            similarity = found[[place[query] for query in samples["query"]]]
        return Verdict(similarity == 0, similarity)


def _nearest(queries: list[str], evaluated: list[str], words: float, characters: float) -> np.ndarray:
    """The greatest similarity of each query to an evaluated one, 0 below the bounds: float32 [Q]."""
    left, right = [folded(query) for query in queries], [folded(query) for query in evaluated]
    same_text, same_fold = set(evaluated), set(right) - {""}
    similarity = np.fromiter(
        (normalise(query) in same_text or fold in same_fold for query, fold in zip(queries, left, strict=True)),
        np.float32,
        len(queries),
    )
    vocabulary: dict[str, int] = {}
    views: list[tuple[Callable[[list[str]], Sets], float]] = [
        (lambda texts: word_sets([content_words(text) for text in texts], vocabulary), words),
        (character_pairs, characters),
        (lambda texts: character_pairs([text.replace(" ", "") for text in texts]), characters),
    ]
    for view, bound in views:
        pairs, found = similar_pairs(view(left), view(right), bound)
        np.maximum.at(similarity, pairs[:, 0], found)
    return similarity
