"""Ranking metrics per query, computed by trec_eval itself (through pytrec_eval): numbers that compare with papers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytrec_eval
from numpy.typing import NDArray

from tfrec.errors import EvaluationError

DEPTH = 100  # places of a ranking that count; deeper ones are cut, so MAP compares between systems of any depth
NDCG, RECALL_10, RECALL_100, MRR, MAP = "nDCG@10", "Recall@10", "Recall@100", "MRR", "MAP"
METRICS = {NDCG: "ndcg_cut_10", RECALL_10: "recall_10", RECALL_100: "recall_100", MRR: "recip_rank", MAP: "map"}
_GAIN_UNIT = 10_000  # trec_eval knows only whole numbers: a gain of 1.0 is judged 10,000; nDCG does not see the unit


@dataclass(frozen=True, repr=False)
class RankingMetrics:
    """Metrics of one system on one set of judged queries.

    Attributes:
        query_ids: the Q' evaluated queries, in the order of the judgments.
        per_query: metric name -> float64[Q']. A query whose best judged item is below `relevant_gain` counts for
            nDCG but has no right answer for Recall, MRR and MAP: NaN there.
        skipped: judged queries without any positive gain; no ranking of them can be right or wrong.
        unanswered: evaluated queries for which the system gave no item; they score 0.
        relevant_gain: gain from which an item counts as relevant for Recall, MRR and MAP.
    """

    query_ids: list[str]
    per_query: dict[str, NDArray[np.float64]]
    skipped: int
    unanswered: int
    relevant_gain: float

    def __repr__(self) -> str:
        means = ", ".join(f"{name} {mean:.3f}" for name, mean in list(self.means.items())[:4])
        return f"{type(self).__name__}(n = {self.count}: {means})"

    @property
    def samples(self) -> dict[str, NDArray[np.float64]]:
        """The arrays that comparisons are made on (the same name in every kind of metrics)."""
        return self.per_query

    @property
    def count(self) -> int:
        """Number of evaluated queries."""
        return len(self.query_ids)

    @property
    def means(self) -> dict[str, float]:
        """Mean of every metric over the queries that have a value."""
        return {name: mean_of(values) for name, values in self.per_query.items()}

    @property
    def unit(self) -> str:
        """What is counted."""
        return "queries"

    @property
    def protocol(self) -> str:
        """How the numbers were made, in one line."""
        return (
            f"whole catalogue, first {DEPTH} places, unjudged = 0, linear gains, ideal over all judged items; "
            f"relevant for Recall, MRR and MAP: gain >= {self.relevant_gain:g}; queries without a positive gain skipped"
        )

    def to_dict(self) -> dict[str, object]:
        """Means and counts as plain JSON values."""
        return {
            "means": {name: None if math.isnan(value) else value for name, value in self.means.items()},
            "queries": self.count,
            "queries_with_relevant": int(np.isfinite(self.per_query[MRR]).sum()),
            "skipped": self.skipped,
            "unanswered": self.unanswered,
        }


def evaluate_rankings(
    judgments: Mapping[str, Mapping[str, float]],
    rankings: Mapping[str, Sequence[tuple[str, float]]],
    relevant_gain: float = 0.5,
) -> RankingMetrics:
    """Scores rankings of the whole catalogue against graded judgments.

    nDCG@10 uses linear gains and the best order of all judged items as ideal; unjudged items gain 0. MRR looks for
    the first relevant item among the first 100, MAP is the mean of precision at every relevant item among them.
    The order of a list is the ranking: its scores are not used, so ties stay as the system ordered them. An item
    that appears twice counts at its first place.

    Args:
        judgments: query -> item id -> gain between 0 and 1.
        rankings: query -> [(item id, score), ...], best first. A missing query scores 0; unknown queries are ignored.
        relevant_gain: gain from which an item is relevant for Recall, MRR and MAP, above 0 and at most 1.

    Returns:
        per-query values (float64) and their means.

    Raises:
        EvaluationError: no query has a positive gain, a gain is outside 0..1, or relevant_gain is.

    Source: Järvelin & Kekäläinen 2002 (nDCG); trec_eval 9 for the exact definitions.
    """
    threshold = round(relevant_gain * _GAIN_UNIT)
    if not 1 <= threshold <= _GAIN_UNIT:
        raise EvaluationError(f"relevant_gain must lie above 0 and be at most 1, but is {relevant_gain}.")
    judged = {query: _whole_gains(query, items) for query, items in judgments.items()}
    kept = {query: items for query, items in judged.items() if any(items.values())}
    if not kept:
        raise EvaluationError(
            f"None of the {len(judged)} judged queries has an item with a positive gain: there is nothing to evaluate."
        )
    runs = {query: _ranked_run(rankings.get(query, ())) for query in kept}
    evaluator = pytrec_eval.RelevanceEvaluator(kept, set(METRICS.values()), relevance_level=threshold)
    answered = evaluator.evaluate({query: run for query, run in runs.items() if run})
    per_query = {name: np.zeros(len(kept), np.float64) for name in METRICS}
    for place, (query, items) in enumerate(kept.items()):
        has_relevant = max(items.values()) >= threshold
        for name, trec_name in METRICS.items():
            if name != NDCG and not has_relevant:
                per_query[name][place] = np.nan
            elif query in answered:
                per_query[name][place] = answered[query][trec_name]
    unanswered = sum(not run for run in runs.values())
    return RankingMetrics(list(kept), per_query, len(judged) - len(kept), unanswered, relevant_gain)


def mean_of(values: NDArray[np.float64]) -> float:
    """Mean over the values that are not NaN; NaN when there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else math.nan


def _whole_gains(query: str, items: Mapping[str, float]) -> dict[str, int]:
    """Gains as the whole numbers that trec_eval wants."""
    for item, gain in items.items():
        if not 0.0 <= gain <= 1.0:
            raise EvaluationError(f"Query {query!r}, item {item!r}: gain {gain} is not between 0 and 1; rescale it.")
    return {item: round(float(gain) * _GAIN_UNIT) for item, gain in items.items()}


def _ranked_run(ranking: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Scores DEPTH, DEPTH - 1, … by place: trec_eval re-sorts by score and breaks ties by id, so give it no ties."""
    distinct = list(dict.fromkeys(item for item, _ in ranking))[:DEPTH]
    return {item: float(DEPTH - place) for place, item in enumerate(distinct)}
