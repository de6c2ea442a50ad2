"""The tuned lexical index of a catalogue, for whoever ranks, teaches or compares by words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.lexical_tuning.aggregation import aggregated
from tfrec.retrieval.lexical_tuning.candidates import Candidates, opened
from tfrec.retrieval.lexical_tuning.configuration import Configuration
from tfrec.retrieval.lexical_tuning.counts import FieldCounts
from tfrec.retrieval.lexical_tuning.mixture import mixed_index, mixed_postings

Judgments = Mapping[str, Mapping[int, float]]
"""query -> item (row of the catalogue) -> gain."""


@dataclass(frozen=True)
class Tuned:
    """An average of settings.

    Attributes:
        shares: float64 [C] of the settings, sum 1.
        queries: how many labelled queries weighed them.
    """

    shares: np.ndarray
    queries: int


class LexicalTuner:
    """Settings of BM25F, judged once by each labelled query; any part of the queries then chooses at no cost.

    Args:
        counts: of the catalogue.
        configurations: C settings.
        judgments: the labelled queries that may ever choose; those without a right item are left out.
    """

    def __init__(self, counts: FieldCounts, configurations: Sequence[Configuration], judgments: Judgments) -> None:
        self.counts, self.configurations = counts, list(configurations)
        self._judgments = {query: gains for query, gains in judgments.items() if max(gains.values(), default=0) > 0}
        self.queries = sorted(self._judgments)

    @cached_property
    def quality(self) -> np.ndarray:
        """nDCG@10 of every setting for every labelled query (in the order of `queries`), float64 [C, Q]."""
        if len(self.configurations) == 1:
            return np.zeros((1, len(self.queries)))  # nothing to choose
        candidates = Candidates(self.counts, [(q, self._judgments[q]) for q in self.queries], self.configurations)
        return np.stack([candidates.quality(configuration) for configuration in self.configurations])

    def tuned(self, queries: Sequence[str] | None = None) -> Tuned:
        """What some of the labelled queries choose.

        Args:
            queries: those that may; None = all, and what is not labelled is ignored.
        """
        place = {query: number for number, query in enumerate(self.queries)}
        wanted = sorted(place[query] for query in set(self.queries if queries is None else queries) if query in place)
        return Tuned(aggregated(self.quality[:, wanted]), len(wanted))

    def out_of_fold(self, folds: Mapping[str, int]) -> Iterator[tuple[str, Tuned]]:
        """For each labelled query what the queries of the other folds choose.

        Args:
            folds: query -> its fold, for all labelled queries that take part.

        Yields:
            (query, the choice), in the order of `queries`.
        """
        chosen: dict[int, Tuned] = {}
        for query in self.queries:
            if query in folds:
                fold = folds[query]
                if fold not in chosen:
                    chosen[fold] = self.tuned([other for other, of in folds.items() if of != fold])
                yield query, chosen[fold]

    def scores(self, query: str, tuned: Tuned) -> np.ndarray:
        """Score of every item for one query, float32 [N]; what `index(tuned)` gives, without making the index."""
        places, rows = opened(self.counts, query)
        added = mixed_postings(self.counts, self.configurations, tuned.shares, places, rows)
        return np.bincount(self.counts.items[places], added, minlength=self.counts.size).astype(np.float32)

    def index(self, tuned: Tuned, queries: Sequence[str] = ()) -> LexicalIndex:
        """The index of a choice.

        Args:
            tuned: from `tuned`.
            queries: texts whose words the index' table shall know besides those of the labelled queries.
        """
        return mixed_index(self.counts, self.configurations, tuned.shares, [*self.queries, *queries])

    def record(self, tuned: Tuned) -> dict[str, Any]:
        """What was chosen, as plain JSON values; "told" says it in one sentence."""
        weights = tuned.shares @ np.stack([c.weights for c in self.configurations])
        b = tuned.shares @ np.stack([c.b for c in self.configurations])
        k1 = float(np.exp(tuned.shares @ np.log([max(c.k1, 1e-6) for c in self.configurations])))
        effective = float(1 / np.sum(tuned.shares**2))
        names = self.counts.names
        said = ", ".join(f"{name} {weight:.2g}" for name, weight in zip(names, weights, strict=True))
        by = f"weighed by {tuned.queries} labelled queries" if tuned.queries else "no labelled query weighs them"
        many = len(self.configurations)
        return {
            "settings": many,
            "effective_settings": round(effective, 2),
            "labelled_queries": tuned.queries,
            "fields": {
                name: {"weight": round(float(w), 4), "b": round(float(of), 4), "mean_words": round(float(length), 2)}
                for name, w, of, length in zip(names, weights, b, self.counts.mean_lengths, strict=True)
            },
            "k1": round(k1, 4),
            "told": f"lexical: an average of {many} settings of BM25F, {by} (mean weights {said}; k1 {k1:.2g})"
            if many > 1
            else f"lexical: BM25F as configured (weights {said}; k1 {k1:.2g})",
        }
