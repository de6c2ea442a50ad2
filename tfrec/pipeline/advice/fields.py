"""Which text fields of the catalogue help: the tuned lexical scorer with and without each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tfrec.data.text_columns import text_columns
from tfrec.evaluation.significance import compare
from tfrec.pipeline.advice.view import CUT, View, ndcg
from tfrec.progress import track
from tfrec.retrieval.lexical_tuning.fields import searched_fields
from tfrec.retrieval.lexical_tuning.tuner import LexicalTuner
from tfrec.retrieval.tokens import Tokenizer
from tfrec.synth.catalogue_queries import catalogue_queries
from tfrec.synth.hybrid import best

HELPS, HURTS, NOTHING = "helps", "hurts", "no difference shown"
ASKED, LEFT_OUT = "helps if shoppers ask for it", "not read"
_MADE_PER_FIELD = 60
_LEAST = 0.002  # of nDCG: less is no advice, however sure


@dataclass(frozen=True)
class FieldAdvice:
    """What a field is worth to the lexical scorer.

    Attributes:
        name: of the column.
        filled: share of the items that have it.
        words: of a filled value, the mean.
        only_here: share of the words of the known queries that this field holds and no other one.
        gain, low, high: nDCG@10 that is lost without it, with its 95 % interval; None with nothing to judge by.
        verdict: HELPS, ASKED, HURTS, NOTHING or LEFT_OUT.
        reason: one sentence.
    """

    name: str
    filled: float
    words: float
    only_here: float
    gain: float | None
    low: float | None
    high: float | None
    verdict: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def field_advice(view: View, asked: list[str]) -> list[FieldAdvice]:
    """Leaves one field after the other out.

    With labelled queries each is answered by settings that the queries of the other folds chose, with and without the
    field. Without any, queries are cut from each field's own texts, which tell whether a field says what no other one
    does, and not whether shoppers ask for that.

    Args:
        view: the shop.
        asked: queries without labels, for the share of their words that a field alone holds.
    """
    columns = {column.name: column for column in text_columns(view.shop.items)}
    counts = view.tuner.counts
    alone = _only_here(view, [*view.queries, *asked])
    judged = _by_labels(view) if view.queries else _by_made_queries(view)
    found = []
    for place, name in enumerate(counts.names):
        filled = columns[name].filled if name in columns else float((counts.lengths[place] > 0).mean())
        verdict = _verdict(view, judged.get(name), alone[place])
        found.append(FieldAdvice(name, filled, float(counts.mean_lengths[place]), float(alone[place]), *verdict))
    section = view.config.retrieval.lexical
    why = "its words have no more to do with their item than with any other"
    for name in searched_fields(section, view.shop, Tokenizer(section.language, measures=True)).left_out:
        column = columns[name]
        found.append(FieldAdvice(name, column.filled, column.words, 0.0, None, None, None, LEFT_OUT, why))
    return found


def _verdict(view: View, outcome: Any, alone: float) -> tuple[float | None, float | None, float | None, str, str]:
    words = f"; {alone:.0%} of the words that are asked stand here alone" if alone >= 0.005 else ""
    if outcome is None:
        return None, None, None, NOTHING, f"nothing to judge it by{words}"
    by = f"{len(view.queries)} labelled queries" if view.queries else "queries cut from it"
    told = f"{outcome.difference:+.3f} nDCG@10 ({outcome.low:+.3f} to {outcome.high:+.3f}) by {by}{words}"
    values = (outcome.difference, outcome.low, outcome.high)
    if outcome.low > 0 and outcome.difference >= _LEAST:
        return *values, HELPS if view.queries else ASKED, told
    if outcome.high < 0 and outcome.difference <= -_LEAST:
        return *values, HURTS, told
    return *values, NOTHING, told


def _by_labels(view: View) -> dict[str, Any]:
    if len(view.tuner.counts.names) < 2 or len(view.queries) < 2:
        return {}
    folds = dict(zip(view.queries, view.folds.tolist(), strict=False))
    whole = _quality(view.tuner, view.judgments, folds)
    found = {}
    for place, name in enumerate(track(view.tuner.counts.names, "Leaving fields out")):
        less = _quality(without(view.tuner, place, view.judgments), view.judgments, folds)
        found[name] = compare([whole[query] for query in whole], [less[query] for query in whole], view.config.seed)
    return found


def _by_made_queries(view: View) -> dict[str, Any]:
    tuner, seed = view.tuner, view.config.seed
    if len(tuner.counts.names) < 2:
        return {}
    found = {}
    for place, name in enumerate(track(tuner.counts.names, "Leaving fields out")):
        texts = view.shop.items[name].to_list() if name in view.shop.items.columns else []
        judgments = {query: {item: 1.0} for query, item in catalogue_queries(texts, _MADE_PER_FIELD, (), seed)}
        if judgments:
            nobody = dict.fromkeys(judgments, 0)
            whole = _quality(LexicalTuner(tuner.counts, tuner.configurations, judgments), judgments, nobody)
            less = _quality(without(tuner, place, judgments), judgments, nobody)
            found[name] = compare([whole[query] for query in whole], [less[query] for query in whole], seed)
    return found


def without(tuner: LexicalTuner, place: int, judgments: Mapping[str, Mapping[int, float]]) -> LexicalTuner:
    """The same settings with one field's weight at nought."""
    kept = np.arange(len(tuner.counts.names)) != place
    settings = [replace(one, weights=one.weights * kept) for one in tuner.configurations]
    # A setting that read this field alone would read nothing.
    readable = [one for one in settings if one.weights.any()]
    others = replace(settings[0], weights=kept.astype(np.float64))
    return LexicalTuner(tuner.counts, readable or [others], judgments)


def _quality(
    tuner: LexicalTuner, judgments: Mapping[str, Mapping[int, float]], folds: Mapping[str, int]
) -> dict[str, float]:
    """nDCG@10 of each query under the settings that the queries of the other folds chose."""
    found = {}
    for query, tuned in tuner.out_of_fold(folds):
        scores = tuner.scores(query, tuned)
        first = best(scores, min(CUT, len(scores)))
        found[query] = ndcg(first[scores[first] > 0], judgments[query])
    return found


def _only_here(view: View, queries: list[str]) -> np.ndarray:
    """Share of the queries' words that each field alone holds, float64 [F]."""
    counts = view.tuner.counts
    words, alone = 0, np.zeros(len(counts.names))
    for query in queries:
        for term in counts.vocabulary.known(query):
            words += 1
            if term >= 0:
                holds = counts.frequencies[:, counts.starts[term] : counts.starts[term + 1]].any(axis=1)
                alone += holds * (holds.sum() == 1)
    return alone / max(words, 1)
